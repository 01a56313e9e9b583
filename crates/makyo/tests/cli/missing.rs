//! Records that are missing from a Windows log: taken out, cleared, filtered, or in another file.

use std::fs;

use makyo_base::{Object, Value};

use crate::{makyo, show, stderr, text};

/// Records of a Security log by their numbers, a minute apart; number 7 of a thousand clears it.
fn log(numbers: impl Iterator<Item = u32>, clears: Option<u32>) -> String {
    let line = |number: u32| {
        let time = format!("2025-05-12T{:02}:{:02}:00.000000Z", number / 60 % 24, number % 60);
        let (id, more) = if clears == Some(number) {
            (1102, "\"SubjectUserName\":\"svc-b\",\"SubjectDomainName\":\"CORP\"")
        } else {
            (4624, "\"TargetUserName\":\"hana\",\"TargetDomainName\":\"CORP\",\"LogonType\":\"2\"")
        };
        format!(
            "{{\"Channel\":\"Security\",\"Computer\":\"host7.corp.example\",\"EventID\":{id},\"EventRecordID\":{number},\"TimeCreated\":\"{time}\",{more}}}\n"
        )
    };
    numbers.map(line).collect()
}

/// What is told of a folder with these files: findings of that analytic, and gaps of silence.
fn told(files: &[(&str, String)]) -> (Vec<String>, usize) {
    let folder = tempfile::tempdir().expect("folder");
    fs::create_dir(folder.path().join("e")).expect("folder");
    for (name, content) in files {
        fs::write(folder.path().join("e").join(name), content).expect("written");
    }
    let run = makyo(folder.path(), &["investigate", "e", "--case", "c", "--no-progress"]);
    assert!(run.status.success(), "{}", stderr(&run));
    let findings = show(folder.path(), "findings", "c");
    let rule = |row: &&Object<'_>| format!("{:?}", row.get("rule"));
    let of_it = findings.iter().filter(|row| rule(row).contains("records_missing"));
    let texts = of_it.map(|row| text(row, "text")).collect();
    let coverage = show(folder.path(), "coverage", "c");
    let gaps = coverage.iter().map(|row| match row.get("gaps") {
        Some(Value::List(gaps)) => gaps.len(),
        _ => 0,
    });
    (texts, gaps.sum())
}

#[test]
fn records_that_were_taken_out_are_told_with_their_number_and_time() {
    let (texts, gaps) = told(&[("s.jsonl", log((1..400).chain(440..700), None))]);
    assert_eq!(
        texts,
        [
            "the numbers of windows-security on host7 skip records that are missing: 40 between 2025-05-12T06:39:00Z and 2025-05-12T07:20:00Z; the log was not cleared then"
        ]
    );
    assert_eq!(gaps, 1);
}

#[test]
fn a_cleared_log_a_filtered_export_and_a_file_that_was_not_brought_are_no_tampering() {
    let cleared = log((1..400).chain(440..700), Some(440));
    assert_eq!(told(&[("s.jsonl", cleared)]).0, Vec::<String>::new());
    let shipped = log((1..2000).filter(|number| number % 400 != 0), None);
    assert_eq!(told(&[("s.jsonl", shipped)]).0, Vec::<String>::new(), "lost on its way");
    let filtered = log((1..700).filter(|number| number % 3 == 0), None);
    assert_eq!(told(&[("s.jsonl", filtered)]).0, Vec::<String>::new());
    let two = [("a.jsonl", log(1..400, None)), ("b.jsonl", log(440..700, None))];
    let (texts, gaps) = told(&two);
    assert!(texts.is_empty(), "{texts:?}");
    assert_eq!(gaps, 1, "and a gap all the same");
}

#[test]
fn what_could_not_be_read_is_not_called_taken_out() {
    let text = log(1..700, None);
    let damaged: String = text
        .lines()
        .enumerate()
        .map(|(at, line)| {
            if (400..420).contains(&at) { "{\"Channel\":\n" } else { line }.to_owned() + "\n"
        })
        .collect();
    let folder = tempfile::tempdir().expect("folder");
    fs::write(folder.path().join("s.jsonl"), damaged).expect("written");
    let run = makyo(folder.path(), &["investigate", "s.jsonl", "--case", "c", "--no-progress"]);
    assert_eq!(run.status.code(), Some(3), "{}", stderr(&run));
    let findings = show(folder.path(), "findings", "c");
    assert!(!format!("{findings:?}").contains("records_missing"), "{findings:?}");
}
