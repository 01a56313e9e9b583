//! The same evidence of a simulated organisation in other files, in another order, partly twice,
//! on another number of threads: the same answers.

use std::fs;
use std::path::{Path, PathBuf};

use makyo_base::{Object, Value, to_json};

use crate::{copy, makyo, show, stderr};

/// Lines that both halves of a log have, as exports that overlap do.
const OVERLAP: usize = 9;

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(next) = open.pop() {
        for entry in fs::read_dir(&next).expect("readable").flatten() {
            if entry.path().is_dir() { open.push(entry.path()) } else { found.push(entry.path()) }
        }
    }
    found.sort();
    found
}

/// Cuts every log of JSON lines in two that overlap, the later half first by name, and turns the
/// lines of the first half around.
fn split(evidence: &Path) -> usize {
    let mut cut = 0;
    for path in files(evidence) {
        if path.extension().is_none_or(|end| end != "jsonl") {
            continue;
        }
        let text = fs::read_to_string(&path).expect("text");
        let lines: Vec<&str> = text.lines().collect();
        let (at, name) = (lines.len() / 2, path.file_name().expect("a name").to_string_lossy());
        let (first, second) = lines.split_at(at);
        let mut first: Vec<&str> =
            first.iter().chain(second.iter().take(OVERLAP)).copied().collect();
        first.reverse();
        fs::write(path.with_file_name(format!("z-{name}")), first.join("\n") + "\n")
            .expect("written");
        fs::write(path.with_file_name(format!("a-{name}")), second.join("\n") + "\n")
            .expect("written");
        fs::remove_file(&path).expect("removed");
        cut += 1;
    }
    cut
}

/// Without the places where records stand, which are other ones now.
fn placeless(value: &Value<'_>) -> Value<'static> {
    match value {
        Value::List(list) => Value::List(list.iter().map(placeless).collect()),
        Value::Object(object) => {
            let kept = object
                .0
                .iter()
                .filter(|field| !["records", "record", "file"].contains(&field.0.as_ref()));
            Value::Object(Object(
                kept.map(|(name, value)| (name.to_string().into(), placeless(value))).collect(),
            ))
        }
        other => other.clone().into_owned(),
    }
}

#[test]
fn files_order_and_threads_do_not_matter_over_a_simulated_organisation() {
    let folder = tempfile::tempdir().expect("folder");
    let arguments = [
        "simulate",
        "chip-maker",
        "--seed",
        "7",
        "--scale",
        "0.02",
        "--days",
        "14",
        "--out",
        "org",
    ];
    let run = makyo(folder.path(), &arguments);
    assert!(run.status.success(), "{}", stderr(&run));
    let evidence = folder.path().join("org/evidence");
    // Flow logs have tests of their own, and would make this one long.
    fs::remove_dir_all(evidence.join("zeek")).expect("removed");
    let other = folder.path().join("other");
    copy(&evidence, &other);
    assert!(split(&other) >= 10, "logs were cut");
    for (place, case, threads) in [("org/evidence", "whole", "2"), ("other", "parts", "1")] {
        let arguments =
            ["investigate", place, "--org", "org/org.toml", "--case", case, "--threads", threads];
        let run = makyo(folder.path(), &arguments);
        assert_eq!(run.status.code(), Some(0), "{}", stderr(&run));
    }
    let mut said = 0;
    for what in [
        "entry",
        "accounts",
        "hosts",
        "path",
        "access",
        "assets",
        "coverage",
        "persistence",
        "containment",
        "incidents",
        "timeline",
        "findings",
    ] {
        let [whole, parts] = ["whole", "parts"].map(|case| {
            let rows = show(folder.path(), what, case);
            rows.into_iter()
                .map(|row| to_json(&placeless(&Value::Object(row))))
                .collect::<Vec<String>>()
        });
        said += whole.len();
        assert_eq!(whole.len(), parts.len(), "{what}");
        for (whole, parts) in whole.iter().zip(&parts) {
            assert_eq!(whole, parts, "{what}");
        }
    }
    assert!(said > 100, "there is something to compare: {said}");
    assert_eq!(show(folder.path(), "incidents", "whole").len(), 1);
}
