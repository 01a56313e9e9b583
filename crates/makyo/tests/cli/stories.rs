//! Stories 003 and 004 from evidence to all nine answers, against their truth.

use std::collections::BTreeMap;
use std::fs;

use makyo_base::{Object, Value, parse_json};

use crate::{copy, makyo, root, rows, show, stderr, stdout, text};

struct Story {
    folder: tempfile::TempDir,
    truth: Object<'static>,
}

fn told(name: &str) -> Story {
    let story = root().join("stories").join(name);
    let folder = tempfile::tempdir().expect("folder");
    copy(&story.join("evidence"), &folder.path().join("evidence"));
    let org = story.join("org.toml").display().to_string();
    let run = makyo(folder.path(), &["investigate", "evidence", "--org", &org, "--case", "case"]);
    assert_eq!(run.status.code(), Some(0), "{}", stderr(&run));
    let truth = fs::read_to_string(story.join("truth.json")).expect("truth");
    let Ok(Value::Object(truth)) = parse_json(&truth).map(Value::into_owned) else {
        panic!("no truth: {truth}")
    };
    Story { folder, truth }
}

impl Story {
    fn rows(&self, what: &str) -> Vec<Object<'static>> {
        show(self.folder.path(), what, "case")
    }

    fn texts(&self, what: &str) -> Vec<String> {
        let Some(Value::List(list)) = self.truth.get(what) else { panic!("no {what}") };
        list.iter().filter_map(Value::as_str).map(str::to_owned).collect()
    }

    fn pairs(&self, what: &str) -> BTreeMap<String, String> {
        let Some(Value::Object(found)) = self.truth.get(what) else { panic!("no {what}") };
        let pair = |(name, value): &(_, Value<'_>)| {
            (ToString::to_string(name), value.as_text().unwrap_or_default().into_owned())
        };
        found.0.iter().map(pair).collect()
    }

    /// One column by another; nothing more and nothing less than the truth has.
    fn is_true(&self, what: &str, name: &str, says: impl Fn(&Object<'_>) -> String) {
        let found: BTreeMap<String, String> =
            self.rows(what).iter().map(|row| (text(row, name), says(row))).collect();
        assert_eq!(found, self.pairs(what), "{what}");
    }

    /// All nine questions.
    fn check(&self) {
        let entries = self.rows("entry");
        let Some(Value::List(wanted)) = self.truth.get("entry") else { panic!("no entry") };
        assert_eq!(entries.len(), wanted.len(), "1. entry: {entries:?}");
        for (row, either) in entries.iter().zip(wanted) {
            // Where the truth names two, the log bears both out.
            let Value::List(either) = either else { panic!("no list") };
            let vector = text(row, "vector");
            let is_one = either.iter().any(|one| one.as_str() == Some(vector.as_str()));
            assert!(is_one, "1. entry: {row:?}");
        }
        self.is_true("accounts", "account", |row| {
            format!("{} {}", text(row, "verdict"), text(row, "rung"))
        });
        self.is_true("hosts", "host", |row| text(row, "verdict"));
        let incidents = self.rows("incidents");
        assert_eq!(Some(&Value::Int(incidents.len() as i128)), self.truth.get("incidents"));
        let mut tactics: Vec<String> = Vec::new();
        for row in self.rows("path") {
            if !tactics.contains(&text(&row, "tactic")) {
                tactics.push(text(&row, "tactic"));
            }
        }
        assert_eq!(tactics, self.texts("path"), "4. path");
        let mut access: BTreeMap<String, i128> = BTreeMap::new();
        for row in self.rows("access") {
            let key = ["account", "kind", "certainty"].map(|name| text(&row, name)).join(" ");
            let Some(Value::Int(count)) = row.get("count") else { panic!("no count: {row:?}") };
            *access.entry(key).or_default() += *count;
        }
        let access: BTreeMap<String, String> =
            access.into_iter().map(|(key, count)| (key, count.to_string())).collect();
        assert_eq!(access, self.pairs("access"), "5. access");
        self.is_true("assets", "asset", |row| text(row, "verdict"));
        self.check_the_rest();
    }

    fn check_the_rest(&self) {
        let mut kinds: Vec<String> =
            self.rows("persistence").iter().map(|row| text(row, "kind")).collect();
        let mut wanted = self.texts("persistence");
        kinds.sort();
        wanted.sort();
        assert_eq!(kinds, wanted, "7. still there");
        // What must be done in this order, whatever stands between.
        let targets: Vec<String> =
            self.rows("containment").iter().map(|row| text(row, "target")).collect();
        let mut from = targets.iter();
        for target in self.texts("containment") {
            assert!(from.any(|one| *one == target), "7. `{target}` in {targets:?}");
        }
        // One case is compared with nothing, and says who it was of nobody.
        let link = makyo(self.folder.path(), &["link", "case", "--format", "json"]);
        assert!(link.status.success(), "{}", stderr(&link));
        assert!(stdout(&link).contains("\"campaigns\":[]"), "8. {}", stdout(&link));
        let knowledge = root().join("crates/makyo-link/tests/fixtures/knowledge.json");
        let knowledge = knowledge.display().to_string();
        let arguments = ["attribute", "case", "--knowledge", &knowledge, "--format", "json"];
        let who = makyo(self.folder.path(), &arguments);
        assert!(who.status.success(), "{}", stderr(&who));
        assert!(stdout(&who).contains("\"state_responsibility\":null"), "9. {}", stdout(&who));
        let accused: Vec<Object<'static>> = self.rows("accounts");
        for row in accused.iter().filter(|row| text(row, "verdict") == "breached") {
            let Some(Value::List(findings)) = row.get("findings") else { panic!("{row:?}") };
            assert!(!findings.is_empty(), "accused without a finding: {row:?}");
        }
    }
}

#[test]
fn an_unknown_gateway_to_the_directory_to_the_cloud() {
    let story = told("003-gateway");
    story.check();
    let statement = "SELECT began, CAST(count(*) AS BIGINT) AS n FROM sessions GROUP BY began";
    let arguments = ["sql", statement, "--case", "case", "--format", "json"];
    let run = makyo(story.folder.path(), &arguments);
    let began: BTreeMap<String, String> = rows(&stdout(&run))
        .iter()
        .map(|row| {
            (text(row, "began"), row.get("n").and_then(Value::as_text).unwrap_or_default().into())
        })
        .collect();
    let wanted = [("login", "57"), ("tunnel", "1")].map(|(a, b)| (a.to_owned(), b.to_owned()));
    assert_eq!(began, BTreeMap::from(wanted));
    let entries = story.rows("entry");
    assert_eq!(entries[0].get("product"), Some(&Value::Null), "an unknown make is not guessed");
    assert_eq!(entries[0].get("flaw"), Some(&Value::Null));
}

#[test]
fn a_page_in_between() {
    let story = told("004-page");
    story.check();
}
