//! Incidents from the answers of a case.

use makyo_base::{Object, Value};

use super::canonical::item;
use super::{Reading, Shared, list, text, time};
use crate::incident::{Incident, Source};

/// The incidents of a case, from its answers `incidents`, `findings` and `messages`.
///
/// Accounts and hosts are the victim's own and say nothing about the intruder. What counts is what
/// came from outside: addresses, domains, files, senders, subjects, and what was done.
#[must_use]
pub fn case_incidents<'a>(
    case: &str,
    table: &dyn Fn(&str) -> &'a [Object<'static>],
    shared: &Shared,
) -> Reading {
    let mut reading = Reading::default();
    let source = Source::own(case);
    for row in table("incidents") {
        let Some(id) = text(row, "id") else {
            reading.unread(case, "incident has no id");
            continue;
        };
        let span = time(row, "start").zip(time(row, "end"));
        let mut incident =
            Incident { id: format!("{case}/{id}"), time: span, ..Incident::default() };
        let mut found: Vec<(&str, String, String)> = Vec::new();
        for name in ["addresses", "indicators"] {
            found.extend(texts(row, name).map(|value| (indicator(value), value.into(), "".into())));
        }
        for step in list(row, "path").iter().filter_map(Value::as_object) {
            found.extend(text(step, "technique").map(|one| ("technique", one.into(), "".into())));
        }
        of_findings(row, table("findings"), &mut found);
        of_messages(row, table("messages"), &mut found);
        for (kind, value, root) in found {
            match item(kind, &value, &root, &source, shared) {
                Ok(item) => incident.items.push(item),
                Err(reason) => reading.left_out(case, reason),
            }
        }
        reading.incidents.push(incident.normal());
    }
    reading.incidents.retain(|incident| !incident.items.is_empty());
    reading.left_out.sort();
    reading.left_out.dedup();
    reading
}

fn texts<'a>(row: &'a Object<'_>, name: &str) -> impl Iterator<Item = &'a str> {
    list(row, name).iter().filter_map(Value::as_str)
}

fn indicator(value: &str) -> &'static str {
    let is_hash = value.len() >= 32 && value.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_hash { "sample" } else { "endpoint" }
}

fn of_findings(
    row: &Object<'_>,
    findings: &[Object<'static>],
    found: &mut Vec<(&str, String, String)>,
) {
    let named: Vec<&str> = texts(row, "findings").collect();
    for finding in findings {
        let is_of_this = text(finding, "id").is_some_and(|id| named.contains(&id));
        let is_explained = text(finding, "explained_by").is_some();
        if !is_of_this || is_explained {
            continue;
        }
        found.extend(texts(finding, "techniques").map(|t| ("technique", t.into(), "".into())));
        for entity in list(finding, "entities").iter().filter_map(Value::as_object) {
            let role = text(entity, "role").unwrap_or_default();
            let value = text(entity, "value").unwrap_or_default().to_owned();
            match text(entity, "kind") {
                Some("domain") if role != "target" && role != "place" => {
                    found.push(("endpoint", value, String::new()));
                }
                Some("hash") => found.push(("sample", value, String::new())),
                _ => {}
            }
        }
    }
}

/// Malicious messages that the incident names: who sent them, about what, with which files.
fn of_messages(
    row: &Object<'_>,
    messages: &[Object<'static>],
    found: &mut Vec<(&str, String, String)>,
) {
    let named: Vec<&str> = texts(row, "messages").collect();
    for message in messages {
        let is_of_this = text(message, "message_id").is_some_and(|id| named.contains(&id));
        if !is_of_this || text(message, "verdict") != Some("malicious") {
            continue;
        }
        let root = text(message, "message_id").unwrap_or_default();
        found.extend(text(message, "from").map(|from| ("sender", from.into(), root.into())));
        found.extend(text(message, "subject").map(|about| ("lure", about.into(), root.into())));
        for file in list(message, "attachments").iter().filter_map(Value::as_object) {
            found.extend(text(file, "sha256").map(|hash| ("sample", hash.into(), "".into())));
        }
    }
}
