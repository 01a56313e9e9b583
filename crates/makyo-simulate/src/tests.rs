//! The same options give the same bytes, and the scorer knows right from wrong.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use serde_json::{Value, json};

use crate::people::people;
use crate::random::Random;
use crate::{Options, Scenario, score, simulate};

fn written(scenario: Scenario, seed: u64, days: i64) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("folder");
    let out = folder.path().to_owned();
    simulate(&Options { scenario, seed, scale: 0.05, days, out }).expect("simulated");
    folder
}

fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut open = vec![folder.to_owned()];
    while let Some(next) = open.pop() {
        for entry in fs::read_dir(&next).expect("folder").flatten() {
            let path = entry.path();
            if path.is_dir() {
                open.push(path);
            } else {
                let name = path.strip_prefix(folder).expect("inside").to_owned();
                found.insert(name, fs::read(&path).expect("bytes"));
            }
        }
    }
    found
}

#[test]
fn two_runs_give_the_same_bytes_and_another_seed_others() {
    for (_, scenario) in Scenario::ALL {
        // Long enough for the intruder's first nights.
        let days = if *scenario == Scenario::Agency { 13 } else { 3 };
        let (first, second) = (written(*scenario, 3, days), written(*scenario, 3, days));
        assert!(files(first.path()) == files(second.path()), "{scenario:?}");
    }
    let (first, other) = (written(Scenario::Agency, 3, 2), written(Scenario::Agency, 4, 2));
    assert!(files(first.path()) != files(other.path()));
}

#[test]
fn a_folder_that_holds_something_is_left_alone() {
    let folder = written(Scenario::Benign, 1, 1);
    let out = folder.path().to_owned();
    let again = Options { scenario: Scenario::Benign, seed: 1, scale: 0.05, days: 1, out };
    assert!(simulate(&again).expect_err("refused").to_string().contains("not empty"));
}

#[test]
fn names_of_accounts_are_not_used_twice() {
    let all = people(1, 6_000);
    let names: BTreeSet<&str> = all.iter().map(|person| person.upn.as_str()).collect();
    assert_eq!(names.len(), all.len());
}

#[test]
fn a_token_is_its_sign_in() {
    use base64::Engine as _;
    let id = Random::of(1, "id", &[]).guid().of_sign_in();
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(id.token()).expect("bytes");
    let order = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15];
    let hex: String = order.iter().map(|place: &usize| format!("{:02x}", bytes[*place])).collect();
    assert_eq!(hex, id.to_string().replace('-', ""));
    assert_eq!(id.token().len(), 22);
    assert!(id.token().ends_with("AA"));
}

/// One agency for all tests that only read.
static AGENCY: LazyLock<tempfile::TempDir> = LazyLock::new(|| written(Scenario::Agency, 2, 30));

fn truth(folder: &Path) -> Value {
    let text = fs::read_to_string(folder.join("truth.json")).expect("truth");
    serde_json::from_str(&text).expect("JSON")
}

/// The answers that a perfect investigation would give.
fn perfect(truth: &Value) -> BTreeMap<&'static str, Value> {
    let rows = |what: &str, name: &str| -> Vec<Value> {
        let mut rows = Vec::new();
        for (key, row) in truth[what].as_object().expect("object") {
            let mut row = row.clone();
            row[name] = key.clone().into();
            rows.push(row);
        }
        rows
    };
    let mut accounts = rows("accounts", "account");
    for row in &mut accounts {
        row["entry"] = json!({"vector": row["vector"]});
        row["access"] = row.clone();
    }
    let coverage: Vec<Value> = truth["gaps"]
        .as_array()
        .expect("list")
        .iter()
        .map(|gap| json!({"source": gap["source"], "scope": gap["scope"], "gaps": [gap]}))
        .collect();
    BTreeMap::from([
        ("accounts", accounts.into()),
        ("hosts", rows("hosts", "host").into()),
        ("assets", rows("assets", "asset").into()),
        ("messages", rows("messages", "message_id").into()),
        ("coverage", coverage.into()),
        ("path", truth["path"].clone()),
        ("entry", truth["entry"].clone()),
        ("incidents", vec![Value::Null; 1].into()),
    ])
}

fn figures(folder: &Path, answers: &BTreeMap<&'static str, Value>) -> Value {
    let case = tempfile::tempdir().expect("folder");
    for (name, rows) in answers {
        fs::write(case.path().join(format!("{name}.json")), rows.to_string()).expect("written");
    }
    score(case.path(), &folder.join("truth.json")).expect("scored").figures
}

#[test]
fn perfect_answers_get_perfect_figures() {
    let forum = written(Scenario::ThinkTank, 2, 30);
    for folder in [&*AGENCY, &forum] {
        let figures = figures(folder.path(), &perfect(&truth(folder.path())));
        for (section, name) in [
            ("accounts", "precision"),
            ("accounts", "recall"),
            ("rungs", "exact"),
            ("rungs", "vector_exact_of_breached"),
            ("times", "within_a_minute"),
            ("counts", "mail_items_ratio"),
            ("hosts", "recall"),
            ("path", "recall"),
            ("path", "kendall_tau"),
        ] {
            assert_eq!(figures[section][name], json!(1.0), "{section} {name}");
        }
        for (section, name) in [
            ("assets", "wrong"),
            ("gaps", "missed"),
            ("entry", "missed"),
            ("messages", "missed"),
            ("decoys", "flagged"),
        ] {
            assert_eq!(figures[section][name], json!([]), "{section} {name}");
        }
    }
}

#[test]
fn wrong_answers_are_named() {
    let folder = &*AGENCY;
    let mut answers = perfect(&truth(folder.path()));
    for row in answers.get_mut("accounts").and_then(Value::as_array_mut).expect("rows") {
        let is_breached = row["verdict"] == "breached";
        row["verdict"] = if is_breached { "clear" } else { "breached" }.into();
    }
    for row in answers.get_mut("assets").and_then(Value::as_array_mut).expect("rows") {
        row["verdict"] = "not_accessed".into();
    }
    let figures = figures(folder.path(), &answers);
    assert_eq!(figures["accounts"]["precision"], json!(0.0));
    assert_eq!(figures["accounts"]["recall"], json!(0.0));
    let long = |section: &str, name: &str| figures[section][name].as_array().expect("list").len();
    assert!(long("accounts", "falsely_clear") > 8);
    assert_eq!(long("assets", "falsely_not_accessed"), 4);
    assert!(long("decoys", "flagged") > 20);
}
