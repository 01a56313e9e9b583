//! The report as STIX 2.1, before the official validator where it is installed
//! (`pip install stix2-validator`).

use std::process::Command;

use crate::{copy, makyo, root, stderr, stdout};

const VALIDATOR: &str = "stix2_validator";

#[test]
fn the_official_validator_finds_nothing_wrong_in_the_reports() {
    if Command::new(VALIDATOR).arg("--help").output().is_err() {
        println!("skipped: no {VALIDATOR} here");
        return;
    }
    for story in ["001-invitation", "002-friend", "003-gateway", "004-page"] {
        let folder = tempfile::tempdir().expect("folder");
        let story = root().join("stories").join(story);
        copy(&story.join("evidence"), &folder.path().join("evidence"));
        let org = story.join("org.toml").display().to_string();
        let run =
            makyo(folder.path(), &["investigate", "evidence", "--org", &org, "--case", "case"]);
        assert!(matches!(run.status.code(), Some(0 | 3)), "{}", stderr(&run));
        let report = makyo(folder.path(), &["report", "--case", "case", "--as", "stix"]);
        let bundle = folder.path().join("report.json");
        std::fs::write(&bundle, stdout(&report)).expect("written");
        let run = Command::new(VALIDATOR).arg(&bundle).output().expect("started");
        let said = String::from_utf8_lossy(&run.stdout).into_owned();
        assert!(run.status.success(), "{}: {said}", story.display());
    }
}
