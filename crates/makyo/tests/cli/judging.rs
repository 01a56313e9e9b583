//! `link` and `attribute`: the contract's JSON, exit status, order.

use makyo_base::{Object, Value, parse_json};

use crate::{makyo, root, stderr, stdout};

fn fixture(name: &str) -> String {
    root().join(format!("crates/makyo-link/tests/fixtures/{name}.json")).display().to_string()
}

fn json(text: &str) -> Object<'_> {
    match parse_json(text) {
        Ok(Value::Object(object)) => object,
        other => panic!("no object: {other:?}"),
    }
}

fn list<'a>(object: &'a Object<'_>, name: &str) -> &'a [Value<'a>] {
    match object.get(name) {
        Some(Value::List(list)) => list,
        other => panic!("{name}: {other:?}"),
    }
}

fn object<'a>(value: &'a Value<'a>) -> &'a Object<'a> {
    value.as_object().expect("object")
}

#[test]
fn link_prints_campaigns_with_their_evidence() {
    let names = ["ministry", "university", "aerospace", "decoy-same-family", "decoy-one-address"];
    let files: Vec<String> = names.iter().map(|name| fixture(name)).collect();
    let of = |files: &[String]| {
        let arguments: Vec<&str> = ["link"]
            .into_iter()
            .chain(files.iter().map(String::as_str))
            .chain(["--format", "json"])
            .collect();
        makyo(&root(), &arguments)
    };
    let run = of(&files);
    assert_eq!(run.status.code(), Some(0), "{}", stderr(&run));
    let text = stdout(&run);
    let found = json(&text);
    let campaigns = list(&found, "campaigns");
    assert_eq!(campaigns.len(), 1, "{text}");
    let campaign = object(&campaigns[0]);
    assert_eq!(list(campaign, "incidents").len(), 3);
    assert_eq!(list(&found, "unlinked").len(), 2);
    for link in list(campaign, "links") {
        let link = object(link);
        for key in ["a", "b", "weight_db", "evidence"] {
            assert!(link.contains(key), "{text}");
        }
        for item in list(link, "evidence") {
            for key in ["class", "item", "weight_db"] {
                assert!(object(item).contains(key), "{text}");
            }
        }
    }
    let reversed: Vec<String> = files.into_iter().rev().collect();
    assert_eq!(stdout(&of(&reversed)), text);
}

#[test]
fn attribute_prints_hypotheses_cap_sensitivity_and_two_languages() {
    let run = makyo(
        &root(),
        &[
            "attribute",
            &fixture("university"),
            "--knowledge",
            &fixture("knowledge"),
            "--format",
            "json",
        ],
    );
    assert_eq!(run.status.code(), Some(0), "{}", stderr(&run));
    let text = stdout(&run);
    let found = json(&text);
    for hypothesis in list(&found, "hypotheses") {
        for key in ["name", "probability", "low", "high", "words", "evidence"] {
            assert!(object(hypothesis).contains(key), "{text}");
        }
        for item in list(object(hypothesis), "evidence") {
            for key in ["class", "item", "weight_db", "independence_group"] {
                assert!(object(item).contains(key), "{text}");
            }
        }
    }
    let cap = found.get("cap").and_then(Value::as_object).expect("cap");
    assert!(cap.contains("applied") && cap.contains("reason"));
    for one in list(&found, "sensitivity") {
        for key in ["drop", "leader", "probability"] {
            assert!(object(one).contains(key), "{text}");
        }
    }
    let judgement = found.get("judgement").and_then(Value::as_object).expect("judgement");
    assert!(judgement.contains("en") && judgement.contains("ja"));
}

#[test]
fn every_format_is_printed() {
    for format in ["table", "json", "jsonl", "csv", "stix"] {
        let run = makyo(
            &root(),
            &[
                "attribute",
                &fixture("ministry"),
                "--knowledge",
                &fixture("knowledge"),
                "--format",
                format,
            ],
        );
        assert_eq!(run.status.code(), Some(0), "{format}: {}", stderr(&run));
        assert!(!stdout(&run).is_empty());
        if format != "stix" {
            let run = makyo(&root(), &["link", &fixture("ministry"), "--format", format]);
            assert_eq!(run.status.code(), Some(0), "{format}: {}", stderr(&run));
        }
    }
}

#[test]
fn what_cannot_be_read_is_status_3_or_2() {
    let folder = tempfile::tempdir().expect("folder");
    let bad = folder.path().join("bad.json");
    std::fs::write(&bad, "{\"no\": 1}").expect("written");
    let bad = bad.display().to_string();
    let run = makyo(&root(), &["link", &fixture("ministry"), &bad]);
    assert_eq!(run.status.code(), Some(3), "{}", stderr(&run));
    assert!(stderr(&run).contains("bad.json"), "{}", stderr(&run));
    let run = makyo(&root(), &["link", "nothing-here.json"]);
    assert_eq!(run.status.code(), Some(2));
    let run = makyo(&root(), &["attribute", &fixture("ministry"), "--knowledge", &bad]);
    assert_eq!(run.status.code(), Some(2), "{}", stderr(&run));
}
