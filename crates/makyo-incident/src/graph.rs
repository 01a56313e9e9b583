//! The entity graph as a table of edges: who was where, from where, with what.

use std::collections::BTreeMap;

use makyo_base::Value;

use crate::answers::{Picture, Table};
use crate::rows::{object, text, time};

const COLUMNS: &[&str] =
    &["from_kind", "from", "relation", "to_kind", "to", "first", "last", "count"];

#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Edge {
    from: (&'static str, String),
    relation: &'static str,
    to: (&'static str, String),
}

#[derive(Default)]
struct Edges(BTreeMap<Edge, (i64, i64, i64)>);

impl Edges {
    fn add(
        &mut self,
        from: (&'static str, &str),
        relation: &'static str,
        to: (&'static str, String),
        times: (i64, i64),
        count: i64,
    ) {
        let edge = Edge { from: (from.0, from.1.to_owned()), relation, to };
        let entry = self.0.entry(edge).or_insert((times.0, times.1, 0));
        *entry = (entry.0.min(times.0), entry.1.max(times.1), entry.2 + count);
    }
}

pub(crate) fn table(picture: &Picture<'_>) -> Table {
    let mut edges = Edges::default();
    of_logons(&mut edges, picture);
    of_uses(&mut edges, picture);
    of_findings(&mut edges, picture);
    let rows = edges.0.into_iter().map(|(edge, (first, last, count))| {
        object(vec![
            ("from_kind", text(edge.from.0)),
            ("from", text(edge.from.1)),
            ("relation", text(edge.relation)),
            ("to_kind", text(edge.to.0)),
            ("to", text(edge.to.1)),
            ("first", time(Some(first))),
            ("last", time(Some(last))),
            ("count", Value::Int(count.into())),
        ])
    });
    Table { name: "graph", columns: COLUMNS, rows: rows.collect() }
}

fn of_logons(edges: &mut Edges, picture: &Picture<'_>) {
    for logon in &picture.facts.logons {
        let times = (logon.first, logon.times.last().copied().unwrap_or(logon.first));
        let count = i64::try_from(logon.times.len()).unwrap_or(i64::MAX);
        let host = || ("host", logon.host.clone());
        edges.add(("account", &logon.account), "logged_on_to", host(), times, count);
        if !logon.address.is_empty() {
            edges.add(("address", &logon.address), "reached", host(), times, count);
        }
    }
    for tunnel in &picture.facts.tunnels {
        let times = (tunnel.start, tunnel.end.unwrap_or(tunnel.start));
        let inside = ("address", tunnel.inside.clone());
        edges.add(("account", &tunnel.account), "was_leased", inside, times, 1);
    }
    for one in &picture.facts.sign_ins {
        let relation = if one.is_success { "signed_in_from" } else { "failed_from" };
        let address = ("address", one.address.clone());
        edges.add(("account", &one.account), relation, address, (one.first, one.last), 1);
    }
}

fn of_uses(edges: &mut Edges, picture: &Picture<'_>) {
    for used in picture.facts.uses.iter().filter(|used| !used.place.is_empty()) {
        let place = ("resource", used.place.clone());
        let times = (used.first, used.last);
        edges.add(("account", &used.account), "used", place, times, used.records);
    }
    for share in &picture.facts.shares {
        let name = ("share", share.name());
        let times = (share.first, share.last);
        edges.add(("account", &share.account), "opened", name, times, share.records);
    }
}

fn of_findings(edges: &mut Edges, picture: &Picture<'_>) {
    for finding in picture.findings {
        let at = finding.time.unwrap_or_default();
        for entity in &finding.entities {
            let to = (entity.kind.word(), picture.facts.names.resolve(&entity.value));
            edges.add(("finding", &finding.id), entity.role.word(), to, (at, at), 1);
        }
    }
}
