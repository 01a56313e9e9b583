//! `makyo watch`: evidence grows, and the answers are those of a run over all of it at once.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use makyo_base::{Object, Value, parse_json};

use crate::{assert_same_case, copy, makyo, root, stderr, stdout, text};

fn org() -> String {
    root().join("stories/001-invitation/org.toml").display().to_string()
}

fn lines(printed: &str) -> Vec<Object<'static>> {
    let object = |line: &str| match parse_json(line).map(Value::into_owned) {
        Ok(Value::Object(object)) => object,
        other => panic!("{line}: {other:?}"),
    };
    printed.lines().map(object).collect()
}

fn number(row: &Object<'_>, name: &str) -> i128 {
    match row.get(name) {
        Some(Value::Int(number)) => *number,
        other => panic!("{name}: {other:?}"),
    }
}

/// What the first pass finds: VPN and mail, the log in the middle of a line, the sign-ins in the
/// middle of their list.
fn begin(folder: &Path) {
    let story = root().join("stories/001-invitation/evidence");
    let evidence = folder.join("evidence");
    copy(&story.join("mail"), &evidence.join("mail"));
    for (from, to) in [("vpn/fortigate.log", "gate.log"), ("cloud/signins.json", "signins.json")] {
        let whole = fs::read(story.join(from)).expect("readable");
        fs::write(evidence.join(to), &whole[..whole.len() / 3]).expect("written");
    }
}

/// What has come by the second pass.
fn go_on(folder: &Path) {
    let story = root().join("stories/001-invitation/evidence");
    let evidence = folder.join("evidence");
    for (from, to) in [
        ("vpn/fortigate.log", "gate.log"),
        ("cloud/signins.json", "signins.json"),
        ("cloud/audit.csv", "audit.csv"),
    ] {
        fs::copy(story.join(from), evidence.join(to)).expect("copied");
    }
}

#[test]
fn the_last_pass_gives_the_case_of_a_fresh_run() {
    let folder = tempfile::tempdir().expect("folder");
    begin(folder.path());
    let org = org();
    let once =
        ["watch", "evidence", "--org", &org, "--once", "--format", "jsonl", "--case", "case"];
    let first = makyo(folder.path(), &once);
    assert_eq!(first.status.code(), Some(3), "a list is cut off: {}", stderr(&first));
    let told = lines(&stdout(&first));
    let pass = told.last().expect("a pass");
    assert_eq!((text(pass, "kind").as_str(), number(pass, "read")), ("pass", 11));
    assert!(told.iter().any(|row| text(row, "kind") == "answer" && text(row, "change") == "new"));

    let idle = makyo(folder.path(), &once);
    let told = lines(&stdout(&idle));
    assert_eq!((told.len(), number(&told[0], "read")), (1, 0), "nothing has changed: {told:?}");

    go_on(folder.path());
    let second = makyo(folder.path(), &[&once[..], &["--fail-on", "high"]].concat());
    assert_eq!(second.status.code(), Some(1), "{}", stderr(&second));
    let told = lines(&stdout(&second));
    let pass = told.last().expect("a pass");
    assert_eq!((number(pass, "read"), number(pass, "unread")), (3, 0), "{pass:?}");
    let president = told.iter().find(|row| text(row, "name") == "president@agency.example");
    let president = president.expect("the president's account is told");
    assert!(["new", "raised"].contains(&text(president, "change").as_str()), "{president:?}");
    assert!(text(president, "to").starts_with("breached"), "{president:?}");

    let arguments = ["investigate", "evidence", "--org", &org, "--case", "fresh"];
    let fresh = makyo(folder.path(), &arguments);
    assert_eq!(fresh.status.code(), Some(0), "{}", stderr(&fresh));
    assert_same_case(&folder.path().join("fresh"), &folder.path().join("case"));
    let verified = makyo(folder.path(), &["verify", "--case", "case"]);
    assert_eq!(verified.status.code(), Some(0), "{}", stderr(&verified));
}

#[test]
fn a_watch_sees_what_comes_and_goes_on_after_a_kill() {
    let folder = tempfile::tempdir().expect("folder");
    begin(folder.path());
    let org = org();
    let arguments = ["watch", "evidence", "--org", &org, "--every", "1", "--case", "case"];
    let mut run = Command::new(env!("CARGO_BIN_EXE_makyo"))
        .args(arguments)
        .current_dir(folder.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts");
    let mut printed = BufReader::new(run.stdout.take().expect("stdout")).lines();
    let mut until = |start: &str| {
        let mut seen = Vec::new();
        for line in printed.by_ref().map_while(Result::ok) {
            seen.push(line);
            if seen.last().is_some_and(|line| line.starts_with(start)) {
                return seen;
            }
        }
        panic!("no `{start}`: {seen:?}")
    };
    until("pass 1: ");
    go_on(folder.path());
    // The copies may come in the midst of a pass, and then be told in two.
    until("account ");
    // One more change, and the run dies while it looks at it.
    fs::write(
        folder.path().join("evidence/late.log"),
        "2025-03-07T01:00:00Z user=x src=192.0.2.9 action=login\n",
    )
    .expect("written");
    let manifest = folder.path().join("case/case.json");
    let is_under_way =
        || fs::read_to_string(&manifest).is_ok_and(|text| text.contains("\"incomplete\""));
    while !is_under_way() {
        std::thread::yield_now();
    }
    run.kill().expect("killed");
    run.wait().expect("gone");

    let again =
        makyo(folder.path(), &["watch", "evidence", "--org", &org, "--once", "--case", "case"]);
    assert_eq!(again.status.code(), Some(0), "{}", stderr(&again));
    let last = stdout(&again).lines().last().unwrap_or_default().to_owned();
    let is_small = |line: &str| [" 0 read", " 1 read"].iter().any(|part| line.contains(part));
    assert!(is_small(&last), "what was read before is not read again: {last}");
    let fresh =
        makyo(folder.path(), &["investigate", "evidence", "--org", &org, "--case", "fresh"]);
    assert_eq!(fresh.status.code(), Some(0), "{}", stderr(&fresh));
    assert_same_case(&folder.path().join("fresh"), &folder.path().join("case"));
}
