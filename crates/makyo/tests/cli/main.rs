//! The program as its users meet it.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::too_many_lines,
    reason = "a test fails by panicking, says what it skipped, and tells one story from end to end"
)]

mod bad_evidence;
mod commands;
mod detecting;
mod flows;
mod judging;
mod leases;
mod missing;
mod real;
mod resume;
mod schema;
mod splits;
mod stix;
mod stories;
mod story;
mod story_friend;
mod watch;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use makyo_base::{Object, Value, parse_json};

/// The root of the repository.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Runs the program in a folder.
pub(crate) fn makyo(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_makyo"))
        .args(arguments)
        .current_dir(folder)
        .output()
        .expect("the program starts")
}

pub(crate) fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The rows of a JSON array.
pub(crate) fn rows(text: &str) -> Vec<Object<'static>> {
    let Ok(Value::List(list)) = parse_json(text) else { panic!("not a JSON array: {text}") };
    list.into_iter()
        .map(|row| match row.into_owned() {
            Value::Object(object) => object,
            other => panic!("not an object: {other:?}"),
        })
        .collect()
}

/// The text of a field.
pub(crate) fn text(row: &Object<'_>, name: &str) -> String {
    row.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// An answer of a case.
pub(crate) fn show(folder: &Path, what: &str, case: &str) -> Vec<Object<'static>> {
    let output = makyo(folder, &["show", what, "--case", case, "--format", "json"]);
    assert!(output.status.success(), "{}", stderr(&output));
    rows(&stdout(&output))
}

/// Copies a folder.
pub(crate) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("folder");
    for entry in fs::read_dir(from).expect("readable").flatten() {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("copied");
        }
    }
}

/// All files of a case with their bytes, but those that hold the time of the run.
pub(crate) fn contents(case: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    let mut open = vec![case.to_owned()];
    while let Some(next) = open.pop() {
        for entry in fs::read_dir(&next).expect("readable").flatten() {
            let path = entry.path();
            let name = path.strip_prefix(case).expect("inside").display().to_string();
            if path.is_dir() {
                if name != "work" {
                    open.push(path);
                }
            } else if name != "custody.jsonl" {
                found.push((name, fs::read(&path).expect("readable")));
            }
        }
    }
    found.sort();
    found
}

/// Says in which file two cases differ, rather than printing all their bytes.
pub(crate) fn assert_same_case(a: &Path, b: &Path) {
    let (a, b) = (contents(a), contents(b));
    let names =
        |list: &[(String, Vec<u8>)]| list.iter().map(|file| file.0.clone()).collect::<Vec<_>>();
    assert_eq!(names(&a), names(&b));
    for (left, right) in a.iter().zip(&b) {
        assert!(left.1 == right.1, "{} differs", left.0);
    }
}
