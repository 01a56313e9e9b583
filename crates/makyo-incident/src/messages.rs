//! A verdict for every message, and what its sender is to the organisation.

use std::collections::{BTreeMap, BTreeSet};

use makyo_base::{EntityKind, Finding, Object, Organisation, Query, QueryError, Value, parse_json};

use crate::answers::{Picture, Table};
use crate::rows::{maybe, object, text, texts, time};

const COLUMNS: &[&str] = &[
    "message_id",
    "file",
    "from",
    "subject",
    "received",
    "verdict",
    "score",
    "sender",
    "reasons",
    "attachments",
];

const MESSAGES: &str = "
    SELECT coalesce(email_message_uid, '') AS message, file, coalesce(email_from, '') AS sender,
           coalesce(email_subject, '') AS subject, CAST(time AS BIGINT) AS at,
           coalesce(unmapped, '{}') AS unmapped
    FROM events WHERE source = 'email' ORDER BY at, file, record";

/// Decibans from which a message is called malicious, and suspicious.
const MALICIOUS_DB: f64 = 20.0;
const SUSPICIOUS_DB: f64 = 7.0;

pub(crate) fn table(picture: &Picture<'_>, query: &dyn Query) -> Result<Table, QueryError> {
    let mut by_message: BTreeMap<&str, Vec<&Finding>> = BTreeMap::new();
    for finding in picture.findings {
        for entity in finding.entities.iter().filter(|entity| entity.kind == EntityKind::Message) {
            by_message.entry(&entity.value).or_default().push(finding);
        }
    }
    let rows = query.query(MESSAGES)?;
    let mut known: BTreeSet<String> = BTreeSet::new();
    let mut out = Vec::new();
    for row in rows.iter() {
        let unmapped = row.string("unmapped");
        let record = match parse_json(&unmapped) {
            Ok(Value::Object(object)) => object,
            _ => Object::default(),
        };
        let message = row.string("message");
        let findings = by_message.get(message.as_str()).map(Vec::as_slice).unwrap_or_default();
        let score = findings.iter().fold(0.0, |sum, finding| sum + finding.weight_db);
        let verdict = if score >= MALICIOUS_DB {
            "malicious"
        } else if score >= SUSPICIOUS_DB {
            "suspicious"
        } else {
            "clean"
        };
        let sender = row.string("sender");
        let standing = standing(&sender, &record, findings, verdict, &known, picture.organisation);
        let reasons: Vec<String> = findings.iter().map(|finding| finding.text.clone()).collect();
        out.push(object(vec![
            ("message_id", text(message)),
            ("file", text(row.string("file"))),
            ("from", maybe(Some(&sender))),
            ("subject", maybe(row.text("subject"))),
            ("received", time(row.integer("at"))),
            ("verdict", text(verdict)),
            ("score", Value::Float(score)),
            ("sender", text(standing)),
            ("reasons", texts(&reasons)),
            ("attachments", attachments(&record, verdict)),
        ]));
        known.insert(sender);
    }
    Ok(Table { name: "messages", columns: COLUMNS, rows: out })
}

fn standing(
    sender: &str,
    record: &Object<'_>,
    findings: &[&Finding],
    verdict: &str,
    known: &BTreeSet<String>,
    organisation: &Organisation,
) -> &'static str {
    let domain = sender.split_once('@').map_or("", |(_, domain)| domain);
    let results = record
        .get("header.authentication-results")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_lowercase();
    let passes = results.contains("spf=pass") || results.contains("dkim=pass");
    let fails = results.contains("spf=fail")
        || results.contains("dkim=fail")
        || results.contains("dmarc=fail");
    let drifts = findings.iter().any(|finding| finding.rule.id == "sender_drift");
    if drifts && passes && verdict == "malicious" {
        "compromised"
    } else if fails && !passes {
        "spoofed"
    } else if organisation.domains.iter().any(|own| own == domain) {
        "own"
    } else if known.contains(sender) {
        "known"
    } else if is_lookalike(domain, known, organisation) {
        "lookalike"
    } else {
        "first_contact"
    }
}

/// A domain one letter away from an own one or from a correspondent's.
fn is_lookalike(domain: &str, known: &BTreeSet<String>, organisation: &Organisation) -> bool {
    let correspondents =
        known.iter().filter_map(|sender| sender.split_once('@')).map(|(_, domain)| domain);
    organisation
        .domains
        .iter()
        .map(String::as_str)
        .chain(correspondents)
        .any(|other| other != domain && other.len() >= 6 && is_one_away(domain, other))
}

fn is_one_away(a: &str, b: &str) -> bool {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    if a.len().abs_diff(b.len()) > 1 {
        return false;
    }
    let same_front = a.iter().zip(&b).take_while(|(x, y)| x == y).count();
    let same_back = a.iter().rev().zip(b.iter().rev()).take_while(|(x, y)| x == y).count();
    same_front + same_back + 1 >= a.len().max(b.len())
}

fn attachments(record: &Object<'_>, verdict: &str) -> Value<'static> {
    let list = |name: &str| -> Vec<String> {
        match record.get(name) {
            Some(Value::List(list)) => {
                list.iter().filter_map(|one| one.as_text().map(|text| text.into_owned())).collect()
            }
            _ => Vec::new(),
        }
    };
    let (names, hashes, kinds) =
        (list("attachment.name"), list("attachment.sha256"), list("attachment.kind"));
    let rows = names.iter().enumerate().map(|(index, name)| {
        Value::Object(object(vec![
            ("name", text(name.clone())),
            ("sha256", maybe(hashes.get(index).map(String::as_str))),
            ("kind", maybe(kinds.get(index).map(String::as_str))),
            ("verdict", text(verdict)),
            ("reasons", texts(&list("attachment.member"))),
        ]))
    });
    Value::List(rows.collect())
}
