//! A known sender who writes from another program, another place and another time zone.
//!
//! Mail from a taken-over account passes every check of the address. What changes is how it was
//! written, against the same sender's earlier messages. Any one change is a new telephone or a
//! journey; two together with an attachment or a link are worth saying, and a thin history is said
//! to be thin.

use std::collections::BTreeMap;

use makyo_base::{
    EntityKind, Finding, Level, Object, Organisation, Query, QueryError, RecordRef, Role, Value,
    parse_json,
};

use super::{Analytic, entity};
use crate::weights::Weights;

pub(super) const ANALYTIC: Analytic = Analytic {
    id: "sender_drift",
    title: "A known sender writes from elsewhere, with an attachment",
    level: Level::Medium,
    techniques: &["T1566.001", "T1586.002"],
    tactics: &["initial-access"],
    run,
};

/// Changes that must come together.
const CHANGES_MIN: usize = 2;

const SQL: &str = "
    WITH senders AS (
        SELECT email_from FROM events WHERE source = 'email' AND email_from IS NOT NULL
        GROUP BY email_from HAVING count(*) >= 2 AND count(file_name) >= 1
    )
    SELECT e.email_from AS sender, coalesce(e.email_to, '') AS recipients,
           coalesce(e.email_message_uid, '') AS message, coalesce(e.email_subject, '') AS subject,
           coalesce(e.http_request_user_agent, '') AS agent, coalesce(e.src_endpoint_ip, '') AS hop,
           coalesce(e.file_name, '') AS attachments, coalesce(e.unmapped, '{}') AS unmapped,
           CAST(e.time AS BIGINT) AS at, e.file, e.record
    FROM events e JOIN senders s ON e.email_from = s.email_from
    WHERE e.source = 'email' AND e.time IS NOT NULL
    ORDER BY sender, at, e.file, e.record";

struct Message {
    recipients: String,
    id: String,
    subject: String,
    agent: String,
    hop: String,
    offset: String,
    attachments: String,
    passes: bool,
    at: i64,
    record: RecordRef,
}

fn run(
    analytic: &Analytic,
    query: &dyn Query,
    organisation: &Organisation,
    weights: &Weights,
) -> Result<Vec<Finding>, QueryError> {
    let rows = query.query(SQL)?;
    let mut senders: BTreeMap<String, Vec<Message>> = BTreeMap::new();
    for row in rows.iter() {
        let unmapped = row.string("unmapped");
        let header = match parse_json(&unmapped) {
            Ok(Value::Object(object)) => object,
            _ => Object::default(),
        };
        let text =
            |name: &str| header.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let results = text("header.authentication-results").to_lowercase();
        senders.entry(row.string("sender")).or_default().push(Message {
            recipients: row.string("recipients"),
            id: row.string("message"),
            subject: row.string("subject"),
            agent: family(row.text("agent").unwrap_or_default()),
            hop: network(row.text("hop").unwrap_or_default()),
            offset: offset(&text("header.date")),
            attachments: row.string("attachments"),
            passes: results.contains("spf=pass") || results.contains("dkim=pass"),
            at: row.integer("at").unwrap_or_default(),
            record: row.reference(),
        });
    }
    let mut found = Vec::new();
    for (sender, messages) in &senders {
        // Colleagues change machines and travel; their accounts are judged by their own logs.
        if organisation.domains.iter().any(|domain| sender.ends_with(&format!("@{domain}"))) {
            continue;
        }
        for (index, message) in messages.iter().enumerate().skip(1) {
            let past = messages.get(..index).unwrap_or_default();
            if let Some(finding) = judge(analytic, sender, past, message, weights) {
                found.push(finding);
            }
        }
    }
    Ok(found)
}

fn judge(
    analytic: &Analytic,
    sender: &str,
    past: &[Message],
    message: &Message,
    weights: &Weights,
) -> Option<Finding> {
    let is_new = |of: fn(&Message) -> &str| {
        let now = of(message);
        !now.is_empty() && past.iter().all(|earlier| !of(earlier).is_empty() && of(earlier) != now)
    };
    let changes: Vec<&str> = [
        ("mail program", is_new(|m| &m.agent)),
        ("first hop", is_new(|m| &m.hop)),
        ("time zone", is_new(|m| &m.offset)),
    ]
    .into_iter()
    .filter(|change| change.1)
    .map(|change| change.0)
    .collect();
    if changes.len() < CHANGES_MIN || message.attachments.is_empty() {
        return None;
    }
    let thin = if past.len() < 5 {
        format!(" (a thin history of {} messages)", past.len())
    } else {
        String::new()
    };
    let text = format!(
        "{sender} wrote \u{201c}{}\u{201d} with {}: {} differ from the sender's earlier messages{thin}{}",
        message.subject,
        message.attachments,
        changes.join(", "),
        if message.passes {
            "; the sender's own server vouches for it, so the account may be taken over"
        } else {
            ""
        },
    );
    let mut entities = vec![
        entity(Role::Origin, EntityKind::Account, sender),
        entity(Role::Object, EntityKind::Message, &message.id),
    ];
    entities.extend(
        message.recipients.split(", ").map(|to| entity(Role::Target, EntityKind::Account, to)),
    );
    let mut records = vec![message.record.clone()];
    records.extend(past.iter().map(|earlier| earlier.record.clone()).take(10));
    let full = weights.analytic(analytic.id);
    let weight = if past.len() < 5 { full * 0.75 } else { full };
    Some(analytic.finding(
        Some(message.at),
        weight,
        entities.into_iter().flatten().collect(),
        records,
        text,
    ))
}

fn family(agent: &str) -> String {
    agent
        .split(|letter: char| letter.is_ascii_digit() || letter == '/')
        .next()
        .unwrap_or_default()
        .trim()
        .to_lowercase()
}

/// The /24 or /48 of an address: hosts of one network are one place.
fn network(address: &str) -> String {
    let separator = if address.contains(':') { ':' } else { '.' };
    address.split(separator).take(3).collect::<Vec<_>>().join(&separator.to_string())
}

/// `+0900` of a Date header.
fn offset(date: &str) -> String {
    date.split_whitespace()
        .find(|word| word.len() == 5 && word.starts_with(['+', '-']))
        .unwrap_or_default()
        .to_owned()
}
