//! What a reader must know beside a judgement: which questions it does not answer, what bounds it,
//! and how its numbers are to be read.

use makyo_base::Value;

use crate::nine::{Tables, text};

/// Paragraphs of questions 8 and 9; none where nothing was given.
pub(crate) fn notes(tables: &Tables<'_>, question: usize) -> Vec<String> {
    match question {
        8 if !tables("linkage").is_empty() => vec![
            "To be linked, two incidents share at least two independent things that are neither targets nor methods, one of them specific; or one such thing, where all the rest fits what the campaign shows (through: profile). That two intruders want the same and do the same links nothing.".to_owned(),
            READING.to_owned(),
        ],
        9 => who(tables),
        _ => Vec::new(),
    }
}

const READING: &str = "A weight of 10 decibans means: ten times likelier if it was one hand than by chance; 20 a hundred times; a minus sign speaks against. Items that go back to one root count once.";

fn who(tables: &Tables<'_>) -> Vec<String> {
    let Some(found) = tables("judgement").first() else { return Vec::new() };
    let percent = |name: &str| match found.get(name) {
        Some(Value::Float(share)) => format!("{:.0} %", share * 100.0),
        _ => "?".to_owned(),
    };
    let cap = if found.get("applied") == Some(&Value::Bool(true)) {
        format!(
            "The model alone gave the leading group {}; no more than {} is reported.",
            percent("model"),
            percent("limit")
        )
    } else {
        format!("No group could be given more than {} here.", percent("limit"))
    };
    vec![
        text(found, "ja").to_owned(),
        "Three questions are kept apart. Which incidents belong together is answered under 8. Which group acted is judged here. For which state, unit or person such a group works is not judged by Makyo, and nothing here implies it.".to_owned(),
        format!("What bounds the answer: {}. {cap}", text(found, "reason")),
        format!(
            "Judged: {}. Knowledge: {}. A group's name is its owner's word for a set of reports, with a date; names of different owners are not held for one.",
            text(found, "incidents"),
            found.get("knowledge").map(crate::html::plain).unwrap_or_default()
        ),
        format!("{READING} The letter and digit of a source are reliability and credibility on the Admiralty scale; A is first-hand. Low and high are the least and the most that other assumptions beforehand, or the loss of any one item, make of a probability; they are no statistical interval."),
    ]
}
