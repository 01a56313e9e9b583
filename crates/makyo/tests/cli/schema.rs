//! Every JSON that a command prints is what its published schema says, and every answer is a table
//! for SQL.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use makyo_base::{Object, Value, parse_json, parse_time, to_json};

use crate::{copy, makyo, root, show, stderr, stdout};

const SHOWN: &[&str] = &[
    "entry",
    "accounts",
    "hosts",
    "path",
    "access",
    "assets",
    "beacons",
    "coverage",
    "persistence",
    "containment",
    "messages",
    "findings",
    "incidents",
    "timeline",
];

fn schema(name: &str) -> Object<'static> {
    let path = root().join(format!("docs/reference/schema/{name}.schema.json"));
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{name}: {error}"));
    match parse_json(&text).map(Value::into_owned) {
        Ok(Value::Object(object)) => object,
        other => panic!("{name}: {other:?}"),
    }
}

/// The words of JSON Schema that ours use; any other is a mistake of the test.
const WORDS: &[&str] = &[
    "$schema",
    "title",
    "description",
    "type",
    "format",
    "properties",
    "required",
    "additionalProperties",
    "items",
    "enum",
    "const",
    "oneOf",
];

fn is_of(value: &Value<'_>, kind: &str) -> bool {
    match kind {
        "null" => *value == Value::Null,
        "boolean" => matches!(value, Value::Bool(_)),
        "integer" => matches!(value, Value::Int(_)),
        "number" => matches!(value, Value::Int(_) | Value::Float(_)),
        "string" => matches!(value, Value::Str(_)),
        "array" => matches!(value, Value::List(_)),
        "object" => matches!(value, Value::Object(_)),
        other => panic!("unknown type {other}"),
    }
}

fn list<'v>(value: Option<&'v Value<'v>>) -> &'v [Value<'v>] {
    match value {
        Some(Value::List(list)) => list,
        _ => &[],
    }
}

/// What is wrong with a value, with the way to it.
fn wrong(value: &Value<'_>, schema: &Object<'_>, at: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (word, _) in &schema.0 {
        assert!(WORDS.contains(&word.as_ref()), "{word} is not understood");
    }
    let kinds: Vec<&str> = match schema.get("type") {
        Some(Value::Str(kind)) => vec![kind.as_ref()],
        kinds => list(kinds).iter().filter_map(Value::as_str).collect(),
    };
    if !kinds.is_empty() && !kinds.iter().any(|kind| is_of(value, kind)) {
        found.push(format!("{at}: no {kinds:?}: {}", to_json(value)));
    }
    let allowed = list(schema.get("enum"));
    if !allowed.is_empty() && !allowed.contains(value) {
        found.push(format!("{at}: no word of the list: {}", to_json(value)));
    }
    if schema.get("const").is_some_and(|only| only != value) {
        found.push(format!("{at}: another value: {}", to_json(value)));
    }
    let is_time = schema.get("format").and_then(Value::as_str) == Some("date-time");
    if is_time && value.as_str().is_some_and(|text| parse_time(text).is_none()) {
        found.push(format!("{at}: no time: {}", to_json(value)));
    }
    if let (Value::List(items), Some(Value::Object(of))) = (value, schema.get("items")) {
        let each = items.iter().enumerate();
        found.extend(each.flat_map(|(place, item)| wrong(item, of, &format!("{at}[{place}]"))));
    }
    if let Value::Object(object) = value {
        found.extend(wrong_fields(object, schema, at));
    }
    let either = list(schema.get("oneOf"));
    let fits =
        either.iter().filter_map(Value::as_object).filter(|one| wrong(value, one, at).is_empty());
    if !either.is_empty() && fits.count() != 1 {
        found.push(format!("{at}: not exactly one form fits: {}", to_json(value)));
    }
    found
}

fn wrong_fields(object: &Object<'_>, schema: &Object<'_>, at: &str) -> Vec<String> {
    let mut found = Vec::new();
    for name in list(schema.get("required")).iter().filter_map(Value::as_str) {
        if object.get(name).is_none() {
            found.push(format!("{at}: no `{name}`"));
        }
    }
    let known = schema.get("properties").and_then(Value::as_object);
    let is_closed = schema.get("additionalProperties") == Some(&Value::Bool(false));
    for (name, value) in &object.0 {
        match known.and_then(|known| known.get(name)).and_then(Value::as_object) {
            Some(of) => found.extend(wrong(value, of, &format!("{at}.{name}"))),
            None if is_closed => found.push(format!("{at}: `{name}` is not in the schema")),
            None => {}
        }
    }
    found
}

fn check(name: &str, text: &str) {
    let value = parse_json(text).unwrap_or_else(|error| panic!("{name}: {error}: {text}"));
    let found = wrong(&value, &schema(name), name);
    assert!(found.is_empty(), "{}", found.join("\n"));
}

fn check_lines(name: &str, text: &str) {
    assert!(!text.is_empty(), "{name} printed nothing");
    text.lines().for_each(|line| check(name, line));
}

fn printed(folder: &Path, arguments: &[&str]) -> String {
    let run = makyo(folder, arguments);
    assert!(matches!(run.status.code(), Some(0 | 3)), "{arguments:?}: {}", stderr(&run));
    stdout(&run)
}

#[test]
fn what_is_printed_is_what_its_schema_says() {
    let folder = tempfile::tempdir().expect("folder");
    let folder = folder.path();
    let story = root().join("stories/001-invitation");
    copy(&story.join("evidence"), &folder.join("evidence"));
    let org = story.join("org.toml").display().to_string();
    let inquiry = ["evidence", "--org", &org, "--case", "case"];
    let watch = [&["watch", "--once", "--format", "jsonl"], &inquiry[..]].concat();
    check_lines("watch", &printed(folder, &watch));
    let investigate = [&["investigate", "--format", "json"], &inquiry[..]].concat();
    check("investigate", &printed(folder, &investigate));
    for what in SHOWN {
        let arguments = ["show", what, "--case", "case", "--format", "json"];
        check(&format!("show-{what}"), &printed(folder, &arguments));
        let rows = show(folder, what, "case").len();
        let statement = format!("SELECT CAST(count(*) AS BIGINT) AS n FROM {what}");
        let counted = printed(folder, &["sql", &statement, "--case", "case", "--format", "jsonl"]);
        assert_eq!(counted.trim(), format!("{{\"n\":{rows}}}"), "{what} as a table");
    }
    let nine =
        printed(folder, &["sql", "SELECT * FROM nine", "--case", "case", "--format", "jsonl"]);
    assert_eq!(nine.lines().count(), 9, "{nine}");
    check_lines("events", &printed(folder, &["events", "evidence"]));
    check_lines("detect", &printed(folder, &["detect", "evidence"]));
    check_lines("detect", &printed(folder, &["detect", "evidence", "--explain"]));
    copy(&folder.join("case"), &folder.join("twin"));
    check("link", &printed(folder, &["link", "case", "twin", "--format", "json"]));
    let knowledge = root().join("crates/makyo-link/tests/fixtures/knowledge.json");
    let knowledge = knowledge.display().to_string();
    let who = ["attribute", "case", "--knowledge", &knowledge, "--format", "json"];
    check("attribute", &printed(folder, &who));
}

#[test]
fn what_those_who_write_rules_and_measure_print_is_what_its_schema_says() {
    let folder = tempfile::tempdir().expect("folder");
    let folder = folder.path();
    check("rules-list", &printed(folder, &["rules", "list", "--format", "json"]));
    check("sources-list", &printed(folder, &["sources", "list", "--format", "json"]));
    fs::write(folder.join("bad.yml"), "title: no detection\n").expect("written");
    let rules = root().join("rules").display().to_string();
    let run = makyo(folder, &["rules", "check", "bad.yml", &rules, "--format", "json"]);
    let text = stdout(&run);
    check("rules-check", &text);
    for kind in ["rule", "correlation", "yara", "problem"] {
        assert!(text.contains(&format!("\"kind\":\"{kind}\"")), "{kind} in {text}");
    }
    let simulated = ["simulate", "benign", "--seed", "3", "--scale", "0.05", "--out", "o"];
    printed(folder, &simulated);
    let inquiry = ["investigate", "o/evidence", "--org", "o/org.toml", "--case", "c"];
    printed(folder, &inquiry);
    let score = ["simulate", "--score", "c", "o/truth.json", "--format", "json"];
    check("simulate-score", &printed(folder, &score));
}

/// A schema that nothing is held against would rot, and an answer without one is a promise less.
#[test]
fn every_schema_has_a_command_and_every_answer_a_schema() {
    let folder = root().join("docs/reference/schema");
    let found: BTreeSet<String> = fs::read_dir(folder)
        .expect("schemas")
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter_map(|name| name.strip_suffix(".schema.json").map(str::to_owned))
        .collect();
    let others = [
        "attribute",
        "detect",
        "events",
        "investigate",
        "link",
        "rules-check",
        "rules-list",
        "simulate-score",
        "sources-list",
        "watch",
    ];
    let wanted = SHOWN.iter().map(|what| format!("show-{what}"));
    assert_eq!(found, wanted.chain(others.map(str::to_owned)).collect());
}

#[test]
fn the_check_itself_finds_what_is_wrong() {
    let of = schema("show-path");
    let good = r#"[{"incident":"i","time":"2025-01-01T00:00:00Z","tactic":null,"technique":"T1","from":null,"to":"x","alternatives":[],"finding":"f"}]"#;
    let with = |from: &str, to: &str| {
        let text = good.replace(from, to);
        let value = parse_json(&text).expect("JSON").into_owned();
        wrong(&value, &of, "path").len()
    };
    assert_eq!(with("", ""), 0);
    assert_eq!(with("\"incident\":\"i\",", ""), 1, "a key is missing");
    assert_eq!(with("\"finding\"", "\"other\":1,\"finding\""), 1, "a key too many");
    assert_eq!(with("2025-01-01T00:00:00Z", "yesterday"), 1, "no time");
    assert_eq!(with("\"T1\"", "1"), 1, "another type");
}
