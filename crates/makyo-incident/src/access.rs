//! What was read, taken or sent.

use makyo_base::{Object, RecordRef, Value};

use crate::answers::{Picture, Table};
use crate::facts::{CloudUse, ShareUse, Tunnel};
use crate::incident::is_suspicion;
use crate::rows::{maybe, object, record, text, time};

const COLUMNS: &[&str] =
    &["subject", "account", "kind", "operation", "count", "first", "last", "certainty", "records"];

/// Counts are of distinct items. A synchronised folder names none, so that its row says `presumed`;
/// `possible` is what a search may have shown, and what somebody did who is only suspected.
pub(crate) fn table(picture: &Picture<'_>) -> Table {
    let facts = &picture.facts;
    let uses = facts.uses.iter().filter_map(|used| {
        let (finding, _) = picture.tied_use(used)?;
        of_use(used, picture.finding(finding).is_some_and(is_suspicion))
    });
    let shares = facts.shares.iter().filter(|share| share.holds_files());
    let shares = shares.filter(|share| picture.tied_share(share).is_some());
    let tunnels = facts
        .tunnels
        .iter()
        .filter(|tunnel| tunnel.taken > 0 && picture.tied_tunnel(tunnel).is_some());
    let mut rows: Vec<Object<'static>> =
        uses.chain(shares.map(of_share)).chain(tunnels.map(of_tunnel)).collect();
    rows.sort_by_key(key);
    Table { name: "access", columns: COLUMNS, rows }
}

fn key(row: &Object<'_>) -> [String; 3] {
    ["first", "subject", "operation"]
        .map(|name| row.get(name).and_then(Value::as_str).unwrap_or_default().to_owned())
}

struct Access<'a> {
    subject: String,
    account: &'a str,
    kind: &'static str,
    operation: &'a str,
    items: i128,
    first: i64,
    last: i64,
    certainty: &'static str,
    record: &'a RecordRef,
}

/// `is_suspected`: whoever did it may have been the account's owner.
fn of_use(used: &CloudUse, is_suspected: bool) -> Option<Object<'static>> {
    let kind = match used.access.as_str() {
        "bind" | "sync" | "send" | "delete" => "mail",
        "view" | "preview" | "download" | "upload" | "share" | "search" => "file",
        _ => return None,
    };
    let subject = match (used.owner.as_str(), used.place.as_str()) {
        ("", place) => place.to_owned(),
        (owner, "") => owner.to_owned(),
        (owner, place) if place == owner => owner.to_owned(),
        (owner, place) => format!("{owner} {place}"),
    };
    let certainty = match used.access.as_str() {
        _ if is_suspected => "possible",
        // What a search showed, no record lists.
        "search" => "possible",
        "sync" => "presumed",
        _ if used.throttled => "presumed",
        _ => "accessed",
    };
    Some(row(&Access {
        subject,
        account: &used.account,
        kind,
        operation: &used.operation,
        items: distinct(used.items.len(), used.records),
        first: used.first,
        last: used.last,
        certainty,
        record: &used.record,
    }))
}

fn of_share(share: &ShareUse) -> Object<'static> {
    row(&Access {
        subject: share.name(),
        account: &share.account,
        kind: "share",
        operation: "share access",
        items: distinct(share.files.len(), share.records),
        first: share.first,
        last: share.last,
        certainty: "accessed",
        record: &share.record,
    })
}

fn of_tunnel(tunnel: &Tunnel) -> Object<'static> {
    row(&Access {
        subject: format!("{} bytes over VPN session {}", tunnel.taken, tunnel.session),
        account: &tunnel.account,
        kind: "flow",
        operation: "sent to the client",
        items: i128::from(tunnel.taken),
        first: tunnel.start,
        last: tunnel.end.unwrap_or(tunnel.start),
        certainty: "possible",
        record: &tunnel.record,
    })
}

/// Items by name; where records name none, the records themselves.
fn distinct(items: usize, records: i64) -> i128 {
    if items == 0 { i128::from(records) } else { items as i128 }
}

fn row(access: &Access<'_>) -> Object<'static> {
    let records = vec![record(&access.record.file, access.record.record)];
    object(vec![
        ("subject", maybe(Some(&access.subject))),
        ("account", text(access.account)),
        ("kind", text(access.kind)),
        ("operation", text(access.operation)),
        ("count", Value::Int(access.items)),
        ("first", time(Some(access.first))),
        ("last", time(Some(access.last))),
        ("certainty", text(access.certainty)),
        ("records", Value::List(records)),
    ])
}
