//! The entity graph as a table of edges: who was where, from where, with what.

use std::collections::BTreeMap;

use makyo_base::Value;

use crate::answers::{Picture, Table};
use crate::rows::{object, text, time};

const COLUMNS: &[&str] = &["from_kind", "from", "relation", "to_kind", "to", "first", "last", "count"];

type Edge = (&'static str, String, &'static str, &'static str, String);

pub(crate) fn table(picture: &Picture<'_>) -> Table {
    let mut edges: BTreeMap<Edge, (i64, i64, i64)> = BTreeMap::new();
    let mut add = |edge: Edge, first: i64, last: i64, count: i64| {
        let entry = edges.entry(edge).or_insert((first, last, 0));
        *entry = (entry.0.min(first), entry.1.max(last), entry.2 + count);
    };
    let facts = &picture.facts;
    for logon in &facts.logons {
        let last = logon.times.last().copied().unwrap_or(logon.first);
        let count = i64::try_from(logon.times.len()).unwrap_or(i64::MAX);
        add(("account", logon.account.clone(), "logged_on_to", "host", logon.host.clone()), logon.first, last, count);
        if !logon.address.is_empty() {
            add(("address", logon.address.clone(), "reached", "host", logon.host.clone()), logon.first, last, count);
        }
    }
    for tunnel in &facts.tunnels {
        let end = tunnel.end.unwrap_or(tunnel.start);
        add(("account", tunnel.account.clone(), "was_leased", "address", tunnel.inside.clone()), tunnel.start, end, 1);
    }
    for sign_in in &facts.sign_ins {
        let relation = if sign_in.is_success { "signed_in_from" } else { "failed_from" };
        add(("account", sign_in.account.clone(), relation, "address", sign_in.address.clone()), sign_in.first, sign_in.last, 1);
    }
    for used in facts.uses.iter().filter(|used| !used.place.is_empty()) {
        add(("account", used.account.clone(), "used", "resource", used.place.clone()), used.first, used.last, used.records);
    }
    for share in &facts.shares {
        add(("account", share.account.clone(), "opened", "share", format!("{} {}", share.host, share.share)), share.first, share.last, share.records);
    }
    for finding in picture.findings {
        let at = finding.time.unwrap_or_default();
        for entity in &finding.entities {
            add(("finding", finding.id.clone(), entity.role.word(), entity.kind.word(), facts.names.resolve(&entity.value)), at, at, 1);
        }
    }
    let rows = edges.into_iter().map(|((from_kind, from, relation, to_kind, to), (first, last, count))| {
        object(vec![
            ("from_kind", text(from_kind)),
            ("from", text(from)),
            ("relation", text(relation)),
            ("to_kind", text(to_kind)),
            ("to", text(to)),
            ("first", time(Some(first))),
            ("last", time(Some(last))),
            ("count", Value::Int(count.into())),
        ])
    });
    Table { name: "graph", columns: COLUMNS, rows: rows.collect() }
}
