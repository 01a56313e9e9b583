//! The techniques of all intrusions as an ATT&CK Navigator layer, format 4.5.

use std::collections::{BTreeMap, BTreeSet};

use makyo_base::{Object, Value};

use crate::html::ReportInputs;
use crate::nine::text;
use crate::share::{intrusions, json_line, list, object, owned, prose};

/// The version whose tactics and numbers makyo's rules use.
const ATTACK: &str = "19";

/// As many titles of rules as a comment can show and still be read.
const TITLES_MAX: usize = 10;

/// Renders the layer on one line. The score of a technique is the number of its findings.
#[must_use]
pub fn navigator(inputs: &ReportInputs<'_>) -> String {
    let all = intrusions(inputs.tables);
    let titles: BTreeMap<&str, &str> = (inputs.tables)("findings")
        .iter()
        .map(|row| {
            let rule = row.get("rule").and_then(Value::as_object);
            (text(row, "id"), rule.map_or("", |rule| text(rule, "title")))
        })
        .collect();
    let mut marked: BTreeMap<(&str, &str), BTreeSet<&str>> = BTreeMap::new();
    for step in all.iter().flat_map(|one| &one.steps) {
        marked.entry((step.technique, step.tactic)).or_default().insert(step.finding);
    }
    let most = marked.values().map(BTreeSet::len).max().unwrap_or(0).max(1);
    let techniques: Vec<Value<'static>> = marked
        .iter()
        .map(|(key, findings)| Value::Object(technique(*key, findings, &titles)))
        .collect();
    let name = match prose(inputs.organisation) {
        name if name.is_empty() => "Intrusions".to_owned(),
        name => format!("Intrusions at {name}"),
    };
    let told: Vec<String> = all.iter().map(|one| one.summary()).collect();
    let told = if told.is_empty() {
        "No intrusion was found in what was read. That is no proof that there was none.".to_owned()
    } else {
        told.join(" ")
    };
    json_line(object(vec![
        ("name", owned(&name)),
        (
            "versions",
            Value::Object(object(vec![
                ("attack", Value::text(ATTACK)),
                ("layer", Value::text("4.5")),
            ])),
        ),
        ("domain", Value::text("enterprise-attack")),
        ("description", owned(&told)),
        (
            "layout",
            Value::Object(object(vec![("expandedSubtechniques", Value::text("annotated"))])),
        ),
        ("techniques", Value::List(techniques)),
        (
            "gradient",
            Value::Object(object(vec![
                ("colors", list(["#fff3d6", "#c8102e"])),
                ("minValue", Value::Int(0)),
                ("maxValue", Value::Int(most as i128)),
            ])),
        ),
    ]))
}

fn technique(
    (technique, tactic): (&str, &str),
    findings: &BTreeSet<&str>,
    titles: &BTreeMap<&str, &str>,
) -> Object<'static> {
    let own: BTreeSet<&str> =
        findings.iter().filter_map(|finding| titles.get(finding).copied()).collect();
    let mut comment = own.iter().take(TITLES_MAX).copied().collect::<Vec<_>>().join("; ");
    if own.len() > TITLES_MAX {
        comment.push_str(&format!("; and {} more", own.len() - TITLES_MAX));
    }
    let mut fields = vec![("techniqueID", owned(technique))];
    if !tactic.is_empty() {
        fields.push(("tactic", owned(&prose(tactic))));
    }
    fields.push(("score", Value::Int(findings.len() as i128)));
    fields.push(("comment", owned(&prose(&comment))));
    fields.push(("enabled", Value::Bool(true)));
    object(fields)
}
