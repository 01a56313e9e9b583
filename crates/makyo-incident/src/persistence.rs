//! Which ways back in remain.

use makyo_base::{EntityKind, Object, Role, Value};

use crate::answers::{Picture, Table};
use crate::rows::{maybe, object, text, time};

const COLUMNS: &[&str] = &["kind", "where", "account", "host", "time", "detail", "by", "present", "finding"];

pub(crate) fn persistence(picture: &Picture<'_>) -> Vec<Object<'static>> {
    let mut rows = Vec::new();
    for incident in &picture.incidents {
        for index in &incident.findings {
            let Some(finding) = picture.finding(*index) else { continue };
            if !finding.tactics.iter().any(|tactic| tactic == "persistence") {
                continue;
            }
            let value = |kind, role| finding.entities.iter().find(|e| e.kind == kind && e.role == role).map(|e| e.value.clone());
            let account = value(EntityKind::Account, Role::Actor).map(|name| picture.facts.names.resolve(&name));
            let host = value(EntityKind::Host, Role::Place);
            rows.push(object(vec![
                ("kind", text(finding.rule.title.clone())),
                ("where", text(if host.is_some() { "host" } else { "cloud" })),
                ("account", maybe(account.as_deref())),
                ("host", maybe(host.as_deref())),
                ("time", time(finding.time)),
                ("detail", text(finding.text.clone())),
                ("by", maybe(account.as_deref())),
                // A log shows that it was made; only a look at the system shows that it is gone.
                ("present", text("unknown")),
                ("finding", text(finding.id.clone())),
            ]));
        }
    }
    for used in picture.facts.uses.iter().filter(|used| used.access == "modify") {
        let tie = picture.intruder.tie(&used.session, &used.address, used.first);
        let Some((finding, _)) = tie.filter(|tie| picture.in_incident(tie.0)) else { continue };
        let is_removed = picture.facts.uses.iter().any(|other| {
            other.kind == used.kind && other.place == used.place && other.account == used.account && other.access == "delete" && other.first > used.last
        });
        let kind = if used.kind.is_empty() { used.operation.clone() } else { used.kind.clone() };
        rows.push(object(vec![
            ("kind", text(kind)),
            ("where", text("cloud")),
            ("account", text(used.account.clone())),
            ("host", Value::Null),
            ("time", time(Some(used.first))),
            ("detail", text(format!("{} {}", used.operation, used.place))),
            ("by", text(if used.session.is_empty() { used.address.clone() } else { used.session.clone() })),
            ("present", Value::text(if is_removed { "false" } else { "true" })),
            ("finding", text(picture.finding_id(finding))),
        ]));
    }
    rows.sort_by(|a, b| key(a).cmp(&key(b)));
    rows.dedup();
    rows
}

fn key(row: &Object<'_>) -> [String; 4] {
    ["time", "kind", "account", "detail"].map(|name| row.get(name).and_then(Value::as_str).unwrap_or_default().to_owned())
}

pub(crate) fn table(rows: Vec<Object<'static>>) -> Table {
    Table { name: "persistence", columns: COLUMNS, rows }
}
