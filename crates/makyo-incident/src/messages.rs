//! A verdict for every message, and what its sender is to the organisation.

use std::collections::{BTreeMap, BTreeSet};

use makyo_base::{
    Entity, EntityKind, Finding, Level, Object, Organisation, Query, QueryError, Value, parse_json,
};

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
           coalesce(unmapped, '{}') AS unmapped, coalesce(makyo_features, '{}') AS features
    FROM events WHERE source = 'email' OR makyo_features IS NOT NULL ORDER BY at, file, record";

/// Decibans of rules and indicators from which a message is called malicious, and suspicious. The
/// mail analytic has bounds of its own and tells its verdict by its finding's level.
const MALICIOUS_DB: f64 = 20.0;
const SUSPICIOUS_DB: f64 = 7.0;

/// The findings of the mail analytic.
const WHOLE: &str = "targeted_mail";
const ATTACHMENT: &str = "mail_attachment";
const TAKEN_OVER: &str = "mail_sender_taken_over";

pub(crate) fn table(picture: &Picture<'_>, query: &dyn Query) -> Result<Table, QueryError> {
    let mut by_message: BTreeMap<&str, Vec<&Finding>> = BTreeMap::new();
    let mut taken: BTreeSet<&str> = BTreeSet::new();
    for finding in picture.findings {
        for entity in &finding.entities {
            if entity.kind == EntityKind::Message {
                by_message.entry(&entity.value).or_default().push(finding);
            } else if finding.rule.id == TAKEN_OVER {
                taken.insert(&entity.value);
            }
        }
    }
    let rows = query.query(MESSAGES)?;
    let mut known: BTreeMap<String, usize> = BTreeMap::new();
    let mut out = Vec::new();
    for row in rows.iter() {
        let parsed = |column: &str| match parse_json(&row.string(column)) {
            Ok(Value::Object(object)) => object.into_owned(),
            _ => Object::default(),
        };
        let (record, features) = (parsed("unmapped"), parsed("features"));
        let message = row.string("message");
        let findings = by_message.get(message.as_str()).map(Vec::as_slice).unwrap_or_default();
        let (verdict, score) = weigh(findings);
        let sender = row.string("sender").to_lowercase();
        let standing = if verdict == "malicious" && taken.contains(sender.as_str()) {
            "compromised"
        } else {
            standing(&sender, &features, &known, picture.organisation)
        };
        let earlier = known.get(&sender).copied().unwrap_or_default();
        let mut reasons = reasons(findings);
        if reasons.is_empty() {
            reasons = quiet_reasons(standing, earlier, &features);
        } else if standing == "compromised" {
            reasons.push(
                "the account of this sender was probably used by somebody else: this is about the correspondent's side and accuses nobody; ask by another way than mail".to_owned(),
            );
        }
        reasons.extend(unread(&record));
        out.push(object(vec![
            ("message_id", text(message)),
            ("file", text(row.string("file"))),
            ("from", maybe(Some(&sender))),
            ("subject", maybe(row.text("subject"))),
            ("received", time(row.integer("at"))),
            ("verdict", text(verdict)),
            ("score", Value::Float((score * 10.0).round() / 10.0)),
            ("sender", text(standing)),
            ("reasons", texts(&reasons)),
            ("attachments", attachments(&record, findings)),
        ]));
        *known.entry(sender).or_default() += 1;
    }
    Ok(Table { name: "messages", columns: COLUMNS, rows: out })
}

/// Verdict and score: the analytic's, or that of rules and indicators where they say more.
fn weigh(findings: &[&Finding]) -> (&'static str, f64) {
    let own = findings.iter().filter(|finding| finding.rule.id == WHOLE);
    let whole = own.clone().map(|finding| finding.weight_db).fold(0.0, f64::max);
    let level = own.map(|finding| finding.rule.level).max();
    let others = findings
        .iter()
        .filter(|finding| ![WHOLE, ATTACHMENT].contains(&finding.rule.id.as_str()))
        .filter(|finding| finding.rule.id != "mail_reached_host")
        .fold(0.0, |sum, finding| sum + finding.weight_db);
    let verdict = if level >= Some(Level::High) || others >= MALICIOUS_DB {
        "malicious"
    } else if level.is_some() || others >= SUSPICIOUS_DB {
        "suspicious"
    } else {
        "clean"
    };
    (verdict, whole.max(others))
}

/// The analytic's list of reasons one by one, then those of rules.
fn reasons(findings: &[&Finding]) -> Vec<String> {
    let mut said: Vec<String> = Vec::new();
    for finding in findings.iter().filter(|finding| finding.rule.id == WHOLE) {
        let list =
            finding.text.split_once("\u{201d}: ").map_or(finding.text.as_str(), |parts| parts.1);
        said.extend(list.split("; ").map(str::to_owned));
    }
    for finding in
        findings.iter().filter(|finding| ![WHOLE, ATTACHMENT].contains(&finding.rule.id.as_str()))
    {
        said.push(finding.text.clone());
    }
    let mut seen = BTreeSet::new();
    said.retain(|reason| !reason.is_empty() && seen.insert(reason.clone()));
    said
}

/// Why nothing is said against a message.
fn quiet_reasons(standing: &str, earlier: usize, features: &Object<'_>) -> Vec<String> {
    let vouched = ["dmarc", "dkim", "spf"].iter().any(|method| {
        features.get(method).and_then(Value::as_str).is_some_and(|result| result == "pass")
    });
    let mut said = vec![match (standing, earlier) {
        ("own", _) => "from an own address, nothing in it opens or runs".to_owned(),
        ("known", 1..5) => format!(
            "written as this sender writes, as far as so few earlier messages ({earlier}) can show: a thin history"
        ),
        ("known", _) => format!("written as this sender writes, by {earlier} earlier messages"),
        ("spoofed", _) => {
            "its sender's domain did not send it, and nothing else speaks against it".to_owned()
        }
        _ => "a first contact: there is no past to hold it against".to_owned(),
    }];
    if !vouched && standing != "spoofed" {
        said.push("no receiver's check of the sender is recorded".to_owned());
    }
    said
}

/// What was not opened; nobody takes that for clean.
fn unread(record: &Object<'_>) -> Vec<String> {
    objects(record)
        .iter()
        .filter(|one| !word(one, "sha256").is_empty())
        .filter(|one| !word(one, "unread").is_empty())
        .map(|one| {
            format!(
                "{} was not opened to its end and may hold anything: {}",
                word(one, "name"),
                word(one, "unread")
            )
        })
        .collect()
}

fn standing(
    sender: &str,
    features: &Object<'_>,
    known: &BTreeMap<String, usize>,
    organisation: &Organisation,
) -> &'static str {
    let domain = sender.split_once('@').map_or("", |(_, domain)| domain);
    let result = |method: &str| features.get(method).and_then(Value::as_str).unwrap_or_default();
    let fails = |method: &str| matches!(result(method), "fail" | "softfail" | "permerror");
    let is_list = features.get("list").is_some();
    if result("dmarc") == "fail" || fails("spf") && result("dkim") != "pass" && !is_list {
        "spoofed"
    } else if organisation.domains.iter().any(|own| own.eq_ignore_ascii_case(domain)) {
        "own"
    } else if known.contains_key(sender) {
        "known"
    } else if is_lookalike(domain, known, organisation) {
        "lookalike"
    } else {
        "first_contact"
    }
}

/// A domain one letter away from an own one or from a correspondent's.
fn is_lookalike(
    domain: &str,
    known: &BTreeMap<String, usize>,
    organisation: &Organisation,
) -> bool {
    let correspondents =
        known.keys().filter_map(|sender| sender.split_once('@')).map(|(_, domain)| domain);
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

fn objects<'r>(record: &'r Object<'_>) -> Vec<&'r Object<'r>> {
    match record.get("objects") {
        Some(Value::List(list)) => list.iter().filter_map(Value::as_object).collect(),
        _ => Vec::new(),
    }
}

fn word<'o>(object: &'o Object<'_>, name: &str) -> &'o str {
    object.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// The attachments and what lies inside them, each with what was seen in it.
fn attachments(record: &Object<'_>, findings: &[&Finding]) -> Value<'static> {
    let listed = objects(record);
    if listed.is_empty() {
        return plain_attachments(record);
    }
    let rows = listed.iter().map(|one| {
        let (name, hash, unread) = (word(one, "name"), word(one, "sha256"), word(one, "unread"));
        let about =
            findings.iter().filter(|finding| finding.rule.id == ATTACHMENT).find(|finding| {
                let has = |kind, value: &str| {
                    finding
                        .entities
                        .iter()
                        .any(|entity| entity.kind == kind && entity.value == value)
                };
                has(EntityKind::File, name)
            });
        let mut reasons: Vec<String> = about
            .and_then(|finding| finding.text.split_once("): "))
            .map(|parts| parts.1.split("; ").map(str::to_owned).collect())
            .unwrap_or_default();
        if !unread.is_empty() {
            reasons.push(format!("not opened to its end: {unread}"));
        }
        let password = word(one, "opened_with");
        if !password.is_empty() {
            reasons.push(format!("opened with the password `{password}` from the correspondence"));
        }
        // A container is as bad as what lies in it.
        let inside = format!("{name}!");
        let worst = findings
            .iter()
            .filter(|finding| finding.rule.id == ATTACHMENT)
            .filter(|finding| {
                let is_file = |entity: &&Entity| entity.kind == EntityKind::File;
                finding
                    .entities
                    .iter()
                    .filter(is_file)
                    .any(|entity| entity.value.starts_with(&inside))
            })
            .max_by_key(|finding| finding.rule.level);
        if let Some(worst) = worst {
            let held = worst.text.split_once(" (").map_or("", |parts| parts.0);
            let held = held.strip_prefix(&inside).unwrap_or(held);
            reasons.push(format!("holds {held}"));
        }
        let level =
            about.map(|finding| finding.rule.level).max(worst.map(|finding| finding.rule.level));
        let verdict = match level {
            Some(level) if level >= Level::High => "malicious",
            Some(_) => "suspicious",
            None if !unread.is_empty() => "unknown",
            None => "clean",
        };
        Value::Object(object(vec![
            ("name", text(name.to_owned())),
            ("sha256", maybe(Some(hash))),
            ("kind", maybe(Some(word(one, "kind")))),
            ("verdict", text(verdict)),
            ("reasons", texts(&reasons)),
        ]))
    });
    Value::List(rows.collect())
}

/// Attachments in which there was nothing to say of.
fn plain_attachments(record: &Object<'_>) -> Value<'static> {
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
            ("verdict", text("clean")),
            ("reasons", texts(&[])),
        ]))
    });
    Value::List(rows.collect())
}
