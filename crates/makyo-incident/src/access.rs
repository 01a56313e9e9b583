//! What was read, taken or sent.

use makyo_base::{Object, Value};

use crate::answers::{Picture, Table};
use crate::rows::{maybe, object, record, text, time};

const COLUMNS: &[&str] = &["subject", "account", "kind", "operation", "count", "first", "last", "certainty", "records"];

/// Counts are of distinct items; a synchronised folder names none, so that its row says
/// `presumed`.
pub(crate) fn table(picture: &Picture<'_>) -> Table {
    let mut rows = Vec::new();
    for used in &picture.facts.uses {
        let tie = picture.intruder.tie(&used.session, &used.address, used.first);
        if tie.is_none_or(|tie| !picture.in_incident(tie.0)) {
            continue;
        }
        let kind = match used.access.as_str() {
            "bind" | "sync" | "send" | "delete" => "mail",
            "view" | "preview" | "download" | "upload" | "share" | "search" => "file",
            _ => continue,
        };
        let subject = match (used.owner.as_str(), used.place.as_str()) {
            ("", place) => place.to_owned(),
            (owner, "") => owner.to_owned(),
            (owner, place) if place == owner => owner.to_owned(),
            (owner, place) => format!("{owner} {place}"),
        };
        let certainty = if used.access == "sync" || used.throttled { "presumed" } else { "accessed" };
        let items = if used.items.is_empty() { i128::from(used.records) } else { used.items.len() as i128 };
        rows.push(row(&subject, &used.account, kind, &used.operation, items, (used.first, used.last), certainty, record(&used.record.file, used.record.record)));
    }
    for share in &picture.facts.shares {
        let lease = picture.intruder.leases.iter().find(|lease| lease.value == share.address && share.last >= lease.from && share.first <= lease.to);
        if lease.is_none_or(|lease| !picture.in_incident(lease.finding)) {
            continue;
        }
        let subject = format!("\\\\{}\\{}", share.host, share.share.trim_start_matches("\\\\*\\"));
        let items = if share.files.is_empty() { i128::from(share.records) } else { share.files.len() as i128 };
        rows.push(row(&subject, &share.account, "share", "share access", items, (share.first, share.last), "accessed", record(&share.record.file, share.record.record)));
    }
    for tunnel in &picture.facts.tunnels {
        let lease = picture.intruder.leases.iter().find(|lease| lease.value == tunnel.inside && (lease.from..=lease.to).contains(&tunnel.start));
        if lease.is_none_or(|lease| !picture.in_incident(lease.finding)) || tunnel.taken == 0 {
            continue;
        }
        let subject = format!("{} bytes over VPN session {}", tunnel.taken, tunnel.session);
        rows.push(row(&subject, &tunnel.account, "flow", "sent to the client", i128::from(tunnel.taken), (tunnel.start, tunnel.end.unwrap_or(tunnel.start)), "possible", record(&tunnel.record.file, tunnel.record.record)));
    }
    rows.sort_by(|a, b| key(a).cmp(&key(b)));
    Table { name: "access", columns: COLUMNS, rows }
}

fn key(row: &Object<'_>) -> (String, String, String) {
    let text = |name| row.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    (text("first"), text("subject"), text("operation"))
}

#[allow(clippy::too_many_arguments, reason = "one argument a column of the contract")]
fn row(subject: &str, account: &str, kind: &str, operation: &str, items: i128, times: (i64, i64), certainty: &str, records: Value<'static>) -> Object<'static> {
    object(vec![
        ("subject", maybe(Some(subject))),
        ("account", text(account)),
        ("kind", text(kind)),
        ("operation", text(operation)),
        ("count", Value::Int(items)),
        ("first", time(Some(times.0))),
        ("last", time(Some(times.1))),
        ("certainty", text(certainty)),
        ("records", Value::List(vec![records])),
    ])
}
