use std::fs;
use std::path::{Path, PathBuf};

use crate::*;

/// Rules that are refused for a reason, by the end of their path and a part of the message.
const REFUSED: &[(&str, &str)] = &[
    // The names of an organisation's own domain controllers are for the organisation to give.
    (
        "win_security_adcs_certighost_cdc_chase_request.yml",
        "placeholder has no values: `known_cdcs`",
    ),
    (
        "win_security_adcs_certighost_cert_issued_via_chase.yml",
        "placeholder has no values: `known_cdcs`",
    ),
];

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "yml") {
            found.push(path);
        }
    }
}

/// Public rules that lie beside a checkout; without them the test says that it was skipped.
#[test]
fn public_rules_are_read() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/sigma");
    if !root.is_dir() {
        eprintln!("skipped: no public rules at {}", root.display());
        return;
    }
    let mut paths = Vec::new();
    for folder in ["rules", "rules-emerging-threats", "rules-threat-hunting"] {
        files(&root.join(folder), &mut paths);
    }
    paths.sort();
    let mut all = Documents::default();
    let mut unexpected = Vec::new();
    let mut refused = 0;
    for path in &paths {
        let text = fs::read_to_string(path).expect("text");
        let shown = path.display().to_string();
        let (documents, problems) = load_documents(&shown, &text, &Placeholders::default());
        all.append(documents);
        for problem in problems {
            let is_known = REFUSED
                .iter()
                .any(|(end, reason)| shown.ends_with(end) && problem.message.contains(reason));
            refused += usize::from(is_known);
            if !is_known {
                unexpected.push(problem.to_string());
            }
        }
    }
    let given =
        Placeholders::load("p.yml", "placeholders: {known_cdcs: [dc01]}").expect("in order");
    for (end, _) in REFUSED {
        let path = paths.iter().find(|path| path.ends_with(end)).expect("there");
        let text = fs::read_to_string(path).expect("text");
        assert_eq!(load_documents(end, &text, &given).1, vec![]);
    }
    assert_eq!(unexpected, Vec::<String>::new());
    assert_eq!(refused, REFUSED.len());
    assert_eq!(all.drop_duplicates(), vec![]);
    assert!(all.rules.len() + refused >= paths.len(), "{} of {}", all.rules.len(), paths.len());
}

#[test]
fn the_rules_of_the_program_are_read() {
    let mut paths = Vec::new();
    files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../rules"), &mut paths);
    paths.sort();
    let mut all = Documents::default();
    for path in &paths {
        let text = fs::read_to_string(path).expect("text");
        let shown = path.display().to_string();
        let (documents, problems) = load_documents(&shown, &text, &Placeholders::default());
        assert_eq!(problems, vec![]);
        all.append(documents);
    }
    assert_eq!(all.drop_duplicates(), vec![]);
    assert!(all.rules.len() + all.correlations.len() >= paths.len());
}
