//! The frame in two languages: whole, used, and never taken from evidence.

use std::collections::BTreeSet;

use super::formats::{CASE, with_inputs};
use super::rows;
use crate::lang::Phrases;
use crate::section::{SECTIONS, VOCABULARIES};
use crate::*;

/// The names in braces, sorted.
fn places(text: &str) -> Vec<&str> {
    let mut found: Vec<&str> = text
        .split('{')
        .skip(1)
        .filter_map(|part| part.split_once('}'))
        .map(|part| part.0)
        .collect();
    found.sort_unstable();
    found
}

#[test]
fn both_languages_have_every_phrase_with_the_same_places() {
    let (english, japanese) = (Phrases::of(Language::English), Phrases::of(Language::Japanese));
    assert!(english.texts().len() > 250, "the file was read");
    let keys = |phrases: &Phrases| phrases.texts().keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&english), keys(&japanese));
    for (key, text) in english.texts() {
        let other = &japanese.texts()[key];
        assert_eq!(places(text), places(other), "{key}");
        // A language note is for those who meet sentences in another one.
        let may_be_empty = ["answer.more_ways_none", "page.language"].contains(&key.as_str());
        assert!(may_be_empty || !text.is_empty() && !other.is_empty(), "{key}");
    }
}

#[test]
fn japanese_is_japanese() {
    let japanese = Phrases::of(Language::Japanese);
    let is_japanese = |letter: char| ('\u{3040}'..='\u{9fff}').contains(&letter);
    for (key, text) in japanese.texts() {
        assert!(text.is_empty() || text.chars().any(is_japanese), "{key}: {text}");
    }
}

/// The sources whose words a vocabulary translates.
const SPOKEN: &[&str] = &[
    include_str!("../../../makyo-base/src/artifact.rs"),
    include_str!("../../../makyo-incident/src/access.rs"),
    include_str!("../../../makyo-incident/src/accounts.rs"),
    include_str!("../../../makyo-incident/src/containment.rs"),
    include_str!("../../../makyo-incident/src/coverage.rs"),
    include_str!("../../../makyo-incident/src/entry.rs"),
    include_str!("../../../makyo-incident/src/hosts.rs"),
    include_str!("../../../makyo-incident/src/messages.rs"),
    include_str!("../../../makyo-incident/src/assets.rs"),
    include_str!("../../../makyo-incident/src/persistence.rs"),
    include_str!("../../../makyo-incident/src/timeline.rs"),
    include_str!("../../../makyo-link/src/answer.rs"),
    include_str!("../../../makyo-link/src/link.rs"),
    include_str!("../../../makyo-link/src/words.rs"),
];

const OWN: &[&str] = &[
    include_str!("../html.rs"),
    include_str!("../nine.rs"),
    include_str!("../judgement.rs"),
    include_str!("../markdown.rs"),
    include_str!("../section.rs"),
    include_str!("../derived.rs"),
    include_str!("../picture.rs"),
    include_str!("../../templates/report.html"),
];

/// Words that the contract reserves, or that ATT&CK has and no rule of ours yet.
const RESERVED: &[&str] = &[
    "gap.not_licensed",
    "gap.retention",
    "kind.database",
    "vector.oauth_consent",
    "vector.lateral_movement",
];

#[test]
fn every_phrase_is_used() {
    let columns: BTreeSet<&str> = SECTIONS
        .iter()
        .flat_map(|tables| tables.iter())
        .flat_map(|table| table.1)
        .flat_map(|column| column.split('|'))
        .chain(["file", "kind", "detail"])
        .collect();
    let tables: BTreeSet<&str> =
        SECTIONS.iter().flat_map(|tables| tables.iter()).map(|table| table.0).collect();
    let mut idle = Vec::new();
    for key in Phrases::of(Language::English).texts().keys() {
        let (group, name) = key.split_once('.').expect("a group");
        let quoted = format!("\"{name}\"");
        let is_used = match group {
            "page" | "answer" | "note" => {
                OWN.iter().any(|text| text.contains(&format!("\"{key}\"")))
            }
            "heading" => true,
            "caption" => tables.contains(name),
            "column" => columns.contains(name.split_once('/').map_or(name, |parts| parts.1)),
            // The tactics are ATT&CK's.
            "tactic" | "class" => true,
            "link" => ["pair", "profile"].contains(&name),
            _ => {
                assert!(VOCABULARIES.iter().any(|one| one.1 == group) || group == "gap", "{key}");
                RESERVED.contains(&key.as_str()) || SPOKEN.iter().any(|text| text.contains(&quoted))
            }
        };
        if !is_used {
            idle.push(key.clone());
        }
    }
    assert_eq!(idle, Vec::<String>::new());
    for column in columns {
        let has_heading = Phrases::of(Language::English).texts().keys().any(|key| {
            *key == format!("column.{column}")
                || key.starts_with("column.") && key.ends_with(&format!("/{column}"))
        });
        assert!(has_heading, "{column}");
    }
}

#[test]
fn what_fills_a_phrase_is_not_filled_again() {
    let phrases = Phrases::of(Language::English);
    let values = [("first", "{count}"), ("count", "3")];
    let said = phrases.fill("answer.still_there", &values);
    assert_eq!(said, "3 ways back in are known and not seen removed.{count}");
}

#[test]
fn evidence_is_not_translated() {
    // An account, a share and a site that are named as words of ours are.
    let accounts = rows(
        r#"[{"account":"breached","verdict":"breached","rung":"modified","reason":"unknown"}]"#,
    );
    let access = rows(
        r#"[{"account":"mail","subject":"accessed","operation":"view","kind":"mail","count":2,"certainty":"accessed"}]"#,
    );
    let tables = |name: &str| match name {
        "accounts" => accounts.as_slice(),
        "access" => access.as_slice(),
        _ => &[],
    };
    let inputs = ReportInputs {
        tables: &tables,
        organisation: "breached",
        accounts_in_all: None,
        version: "0",
        counts: (1, 2, 3),
        unread: &[],
        language: Language::Japanese,
    };
    let page = markdown(&inputs);
    assert!(page.contains("| breached | 侵害 | 改変 |"), "{page}");
    assert!(page.contains("| mail | メール | view | accessed | 2 | 閲覧 |"), "{page}");
    assert!(page.contains("# breached で何が起きたか"), "{page}");
    assert!(html(&inputs).expect("renders").contains("<html lang=\"ja\">"));
}

#[test]
fn a_japanese_report() {
    let page = with_inputs(CASE, "案件 <b>", |inputs| {
        markdown(&ReportInputs { language: Language::Japanese, ..*inputs })
    });
    expect_test::expect_file!["japanese.md"].assert_eq(&page);
}
