//! What a reader must know beside an answer: how its words are to be read, which questions it does
//! not answer, and what bounds it.

use makyo_base::Value;

use crate::lang::{Language, Phrases};
use crate::nine::{Tables, text};
use crate::section::plain;

/// Paragraphs beside an answer; none where there is nothing to read.
pub(crate) fn notes(tables: &Tables<'_>, question: usize, phrases: &Phrases) -> Vec<String> {
    let where_there = |table: &str, keys: &[&str]| -> Vec<String> {
        if tables(table).is_empty() {
            return Vec::new();
        }
        keys.iter().map(|key| phrases.say(key).to_owned()).collect()
    };
    match question {
        2 => where_there("accounts", &["note.accounts"]),
        5 => where_there("access", &["note.access"]),
        6 => where_there("assets", &["note.assets"]),
        7 => where_there("containment", &["note.containment"]),
        8 => where_there("linkage", &["note.linked", "note.reading"]),
        9 => who(tables, phrases),
        _ => Vec::new(),
    }
}

fn who(tables: &Tables<'_>, phrases: &Phrases) -> Vec<String> {
    let Some(found) = tables("judgement").first() else { return Vec::new() };
    let percent = |name: &str| match found.get(name) {
        Some(Value::Float(share)) => format!("{:.0} %", share * 100.0),
        _ => "?".to_owned(),
    };
    let is_capped = found.get("applied") == Some(&Value::Bool(true));
    let key = if is_capped { "note.capped" } else { "note.uncapped" };
    let cap = phrases.fill(key, &[("model", &percent("model")), ("limit", &percent("limit"))]);
    let knowledge = found.get("knowledge").map(plain).unwrap_or_default();
    // The judgement is made in both languages; the answer above is in the report's own.
    let other = match phrases.language {
        Language::English => "ja",
        Language::Japanese => "en",
    };
    vec![
        text(found, other).to_owned(),
        phrases.say("note.three_questions").to_owned(),
        phrases.fill("note.bounds", &[("reason", text(found, "reason")), ("cap", &cap)]),
        phrases.fill(
            "note.judged",
            &[("incidents", text(found, "incidents")), ("knowledge", &knowledge)],
        ),
        format!("{} {}", phrases.say("note.reading"), phrases.say("note.numbers")),
    ]
}
