use std::borrow::Cow;
use std::fs;
use std::path::Path;

use makyo_base::{
    Artifact, ArtifactId, ArtifactKind, Cell, Column, Decoded, Event, Item, Object, Position,
    Query, Value,
};

use crate::{Case, CustodyLog, Manifest, Mismatch};

fn artifact(number: u8) -> Artifact {
    Artifact {
        id: ArtifactId([number; 32]),
        path: format!("evidence/{number}.json"),
        size_bytes: 1,
        kind: ArtifactKind::Json,
    }
}

fn event(identity: u8) -> Event<'static> {
    let mut event = Event { identity: [identity; 16], ..Event::default() };
    event.put(Column::Time, Cell::Time(i64::from(identity) * 1_000_000_000));
    event.put(Column::Account, Cell::Text(Cow::Owned(format!("u{identity}@example.org"))));
    event.items.push(Item {
        kind: "message".into(),
        uid: format!("m{identity}").into(),
        ..Item::default()
    });
    event.unmapped.push(("extra".into(), Value::Int(identity.into())));
    event
}

/// A case of artifacts with events of these identities.
fn case(folder: &Path, artifacts: &[&[u8]]) -> Case {
    let manifest = Manifest { version: "0".into(), ..Manifest::default() };
    let mut case = Case::create(folder, 2).expect("made");
    case.begin(&manifest).expect("begun");
    let mut ids = Vec::new();
    let mut records = 0;
    for (number, identities) in (1..).zip(artifacts) {
        let artifact = artifact(number);
        let mut writer = case.artifact(&manifest, artifact.id).expect("writer");
        for (position, identity) in (1..).zip(identities.iter()) {
            let native = Object::default();
            let record = Decoded {
                artifact: &artifact,
                position: Position::Record(position),
                source: 0,
                native: &native,
                event: event(*identity),
            };
            writer.event(&record).expect("written");
            records += 1;
        }
        writer.commit().expect("committed");
        ids.push(artifact.id);
    }
    case.consolidate(&manifest, &ids, records).expect("consolidated");
    case
}

fn lines(case: &Case, sql: &str) -> Vec<String> {
    let table = case.sql(sql).expect("answered");
    let line = |row: &Vec<Option<String>>| {
        row.iter().map(|cell| cell.clone().unwrap_or_default()).collect::<Vec<_>>().join(" ")
    };
    table.rows.iter().map(line).collect()
}

#[test]
fn copies_become_one_event_and_keep_their_number() {
    let folder = tempfile::tempdir().expect("folder");
    let case = case(&folder.path().join("c"), &[&[1, 2, 2], &[2, 3], &[]]);
    let events = lines(&case, "SELECT account, copies, file, record FROM events ORDER BY account");
    assert_eq!(
        events,
        [
            "u1@example.org 1 evidence/1.json 1",
            "u2@example.org 3 evidence/1.json 2",
            "u3@example.org 1 evidence/2.json 2"
        ]
    );
    let items = lines(&case, "SELECT uid, count(*) FROM items GROUP BY uid ORDER BY uid");
    assert_eq!(items, ["m1 1", "m2 1", "m3 1"], "items stay with the copy that is kept");
    let row = case.query("SELECT CAST(max(time) AS BIGINT) AS at, unmapped FROM events WHERE copies = 1 GROUP BY unmapped ORDER BY at").expect("answered");
    assert_eq!(row.iter().next().and_then(|row| row.integer("at")), Some(1_000_000_000));
    assert_eq!(
        row.iter().next().map(|row| row.string("unmapped")).as_deref(),
        Some("{\"extra\":1}")
    );
}

#[test]
fn a_case_without_any_event_still_answers() {
    let folder = tempfile::tempdir().expect("folder");
    let case = case(&folder.path().join("c"), &[]);
    assert_eq!(lines(&case, "SELECT count(*) FROM events"), ["0"]);
}

#[test]
fn answers_are_json_for_scripts_and_tables_for_sql() {
    let folder = tempfile::tempdir().expect("folder");
    let case = case(&folder.path().join("c"), &[&[1]]);
    let mut row = Object::default();
    row.push("account", Value::text("it's"));
    row.push("ties", Value::List(vec![Value::text("session")]));
    row.push("count", Value::Int(3));
    case.put_answer("accounts", &["account", "ties", "count", "nothing"], &[row]).expect("kept");
    assert_eq!(
        case.answer("accounts").expect("there"),
        "[\n{\"account\":\"it's\",\"ties\":[\"session\"],\"count\":3}\n]\n"
    );
    assert_eq!(
        lines(&case, "SELECT account, ties, count + 1, nothing FROM accounts"),
        ["it's [\"session\"] 4 "]
    );
}

#[test]
fn the_manifest_finds_what_was_changed_added_and_removed() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("c");
    let mut made = case(&path, &[&[1]]);
    made.put_file("report.html", b"report").expect("written");
    let mut custody = made.custody().expect("log");
    custody.append("2025-01-01T00:00:00Z", "one", Object::default()).expect("appended");
    custody.append("2025-01-01T00:00:01Z", "two", Object::default()).expect("appended");
    made.complete(&Manifest::default()).expect("complete");
    assert_eq!(Case::verify(&path, None).expect("readable").1, vec![]);
    fs::write(path.join("report.html"), "changed").expect("written");
    fs::write(path.join("added"), "").expect("written");
    let found: Vec<Mismatch> = Case::verify(&path, None).expect("readable").1;
    assert_eq!(
        found.iter().map(|one| one.path.as_str()).collect::<Vec<_>>(),
        ["added", "report.html"]
    );
}

#[test]
fn the_custody_log_is_a_chain_and_goes_on_after_a_cut() {
    let folder = tempfile::tempdir().expect("folder");
    let made = case(&folder.path().join("c"), &[]);
    let append = |action: &str| {
        made.custody().expect("log").append("t", action, Object::default()).expect("appended")
    };
    append("one");
    append("two");
    let path = folder.path().join("c/custody.jsonl");
    let whole = fs::read_to_string(&path).expect("log");
    fs::write(&path, format!("{whole}{{\"sequence\":3,\"cu")).expect("written");
    append("three");
    assert_eq!(CustodyLog::verify(&folder.path().join("c")).expect("readable"), Ok(3));
    let swapped: Vec<&str> = whole.lines().rev().collect();
    fs::write(&path, swapped.join("\n") + "\n").expect("written");
    assert_eq!(CustodyLog::verify(&folder.path().join("c")).expect("readable"), Err(1));
}
