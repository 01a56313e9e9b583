//! Which ways back in remain.

use std::collections::BTreeSet;

use makyo_base::{EntityKind, Object, Role, Value};

use crate::answers::{Picture, Table};
use crate::rows::{maybe, object, text, time};

const COLUMNS: &[&str] =
    &["kind", "where", "account", "host", "time", "detail", "by", "present", "finding"];

pub(crate) fn persistence(picture: &Picture<'_>) -> Vec<Object<'static>> {
    let mut rows: Vec<Object<'static>> = Vec::new();
    for incident in &picture.incidents {
        for index in incident.all() {
            let Some(finding) = picture.finding(index) else { continue };
            if !finding.tactics.iter().any(|tactic| tactic == "persistence") {
                continue;
            }
            let value = |kind, role| {
                finding
                    .entities
                    .iter()
                    .find(|e| e.kind == kind && e.role == role)
                    .map(|e| e.value.clone())
            };
            let account = value(EntityKind::Account, Role::Actor)
                .map(|name| picture.facts.names.resolve(&name));
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
        let Some((finding, _)) = picture.tied_use(used) else { continue };
        let is_removed = picture.facts.uses.iter().any(|other| {
            other.kind == used.kind
                && other.place == used.place
                && other.account == used.account
                && other.access == "delete"
                && other.first > used.last
        });
        let kind = if used.kind.is_empty() { used.operation.clone() } else { used.kind.clone() };
        rows.push(object(vec![
            ("kind", text(kind)),
            ("where", text("cloud")),
            ("account", text(used.account.clone())),
            ("host", Value::Null),
            ("time", time(Some(used.first))),
            ("detail", text(format!("{} {}", used.operation, used.place))),
            (
                "by",
                text(if used.session.is_empty() {
                    used.address.clone()
                } else {
                    used.session.clone()
                }),
            ),
            ("present", Value::text(if is_removed { "false" } else { "true" })),
            ("finding", text(picture.finding_id(finding))),
        ]));
    }
    rows.sort_by_key(|a| key(a));
    // What a rule finds again every day on one host is one way back in, seen first on the first day.
    let mut seen: BTreeSet<[String; 3]> = BTreeSet::new();
    rows.retain(|row| {
        let is_again = row.get("where").and_then(Value::as_str) == Some("host");
        !is_again || seen.insert(["kind", "account", "host"].map(|name| text_of(row, name)))
    });
    rows
}

fn text_of(row: &Object<'_>, name: &str) -> String {
    row.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn key(row: &Object<'_>) -> [String; 4] {
    ["time", "kind", "account", "detail"].map(|name| text_of(row, name))
}

pub(crate) fn table(rows: Vec<Object<'static>>) -> Table {
    Table { name: "persistence", columns: COLUMNS, rows }
}
