//! Tables of a report that put rows of the answers together, so that a reader sees at a glance what
//! the answers tell one by one.

use std::collections::BTreeMap;

use makyo_base::{Object, Value};

use crate::lang::Phrases;
use crate::nine::{Tables, text, whole};
use crate::share::{list, object, owned};

/// So many names stand in one cell; the case has all of them.
const NAMES_MAX: usize = 400;

/// The rows of a table, as it is or put together.
pub(crate) fn rows(name: &str, tables: &Tables<'_>, phrases: &Phrases) -> Vec<Object<'static>> {
    match name {
        "messages" => kept(tables(name), |row| text(row, "verdict") != "clean"),
        "accounts_held" => kept(tables("accounts"), is_held),
        "accounts_other" => others(tables("accounts"), phrases),
        "incidents" => incidents(tables("incidents")),
        "path" => path(tables),
        "access_by_account" => by_account(tables("access")),
        "containment" => containment(tables(name)),
        _ => tables(name).to_vec(),
    }
}

fn kept(rows: &[Object<'static>], keep: impl Fn(&Object<'static>) -> bool) -> Vec<Object<'static>> {
    rows.iter().filter(|row| keep(row)).cloned().collect()
}

fn is_held(row: &Object<'static>) -> bool {
    matches!(text(row, "verdict"), "breached" | "suspected")
}

/// Accounts of which the same is known stand together.
fn others(rows: &[Object<'static>], phrases: &Phrases) -> Vec<Object<'static>> {
    let mut order: Vec<[&str; 3]> = Vec::new();
    let mut groups: BTreeMap<[&str; 3], Vec<&str>> = BTreeMap::new();
    for row in rows.iter().filter(|row| !is_held(row)) {
        let key = ["verdict", "rung", "reason"].map(|name| text(row, name));
        if !groups.contains_key(&key) {
            order.push(key);
        }
        groups.entry(key).or_default().push(text(row, "account"));
    }
    let group = |[verdict, rung, reason]: [&str; 3]| {
        let all = groups.get(&[verdict, rung, reason]).map(Vec::as_slice).unwrap_or_default();
        let mut names: Vec<String> =
            all.iter().take(NAMES_MAX).map(|name| (*name).to_owned()).collect();
        if all.len() > NAMES_MAX {
            let more = (all.len() - NAMES_MAX).to_string();
            names.push(phrases.fill("page.and_more", &[("count", &more)]));
        }
        object(vec![
            ("verdict", owned(verdict)),
            ("rung", owned(rung)),
            ("count", Value::Int(all.len() as i128)),
            ("accounts", list(names)),
            ("reason", owned(reason)),
        ])
    };
    order.into_iter().map(group).collect()
}

/// One incident needs no table beside its path; several are numbered.
fn incidents(rows: &[Object<'static>]) -> Vec<Object<'static>> {
    if rows.len() < 2 {
        return Vec::new();
    }
    let numbered = |(at, row): (usize, &Object<'static>)| {
        let mut row = row.clone();
        row.push("incident", Value::Int(at as i128 + 1));
        row
    };
    rows.iter().enumerate().map(numbered).collect()
}

/// Each step with the title of the finding that it rests on.
fn path(tables: &Tables<'_>) -> Vec<Object<'static>> {
    let ids: Vec<&str> = tables("incidents").iter().map(|row| text(row, "id")).collect();
    let titles: BTreeMap<&str, &str> = tables("findings")
        .iter()
        .filter_map(|finding| {
            let rule = finding.get("rule").and_then(Value::as_object)?;
            Some((text(finding, "id"), text(rule, "title")))
        })
        .collect();
    let step = |row: &Object<'static>| {
        let number = match ids.iter().position(|id| *id == text(row, "incident")) {
            Some(at) if ids.len() > 1 => Value::Int(at as i128 + 1),
            _ => Value::Null,
        };
        let what = titles.get(text(row, "finding")).map_or(Value::Null, |title| owned(title));
        let kept = row.0.iter().filter(|field| field.0 != "incident").cloned();
        let mut row = Object(kept.collect());
        row.push("incident", number);
        row.push("what", what);
        row
    };
    tables("path").iter().map(step).collect()
}

/// Sums of what was read in each account's name. Folders that must be presumed taken name no items
/// and are counted as folders.
fn by_account(rows: &[Object<'static>]) -> Vec<Object<'static>> {
    let mut order: Vec<&str> = Vec::new();
    for row in rows {
        if !order.contains(&text(row, "account")) {
            order.push(text(row, "account"));
        }
    }
    if rows.len() == order.len() {
        return Vec::new();
    }
    let of = |account: &str| {
        let own = || rows.iter().filter(move |row| text(row, "account") == account);
        let sum = |kind: &str, certainty: &str| -> Value<'static> {
            let counted = own()
                .filter(|row| text(row, "kind") == kind && text(row, "certainty") == certainty);
            match counted.map(|row| whole(row, "count")).sum::<i128>() {
                0 => Value::Null,
                sum => Value::Int(sum),
            }
        };
        let folders = own().filter(|row| text(row, "certainty") == "presumed").count();
        let first = own().map(|row| text(row, "first")).min().unwrap_or_default();
        let last = own().map(|row| text(row, "last")).max().unwrap_or_default();
        object(vec![
            ("account", owned(account)),
            ("first", owned(first)),
            ("last", owned(last)),
            ("mails", sum("mail", "accessed")),
            ("folders", if folders == 0 { Value::Null } else { Value::Int(folders as i128) }),
            ("files", sum("file", "accessed")),
            ("shares", sum("share", "accessed")),
            ("bytes", sum("flow", "possible")),
        ])
    };
    order.into_iter().map(of).collect()
}

/// Neighbours that ask for the same are one step with several targets. Why an account or a host is
/// on the list stands in its own table; a reason that all share stays.
fn containment(rows: &[Object<'static>]) -> Vec<Object<'static>> {
    let mut out: Vec<Object<'static>> = Vec::new();
    let same = |a: &&Object<'static>, b: &&Object<'static>| {
        text(a, "action") == text(b, "action") && text(a, "before") == text(b, "before")
    };
    let all: Vec<&Object<'static>> = rows.iter().collect();
    for group in all.chunk_by(same) {
        let (Some(first), Some(last)) = (group.first(), group.last()) else { continue };
        let because = text(first, "because");
        let is_shared = group.iter().all(|row| text(row, "because") == because);
        let order = match (whole(first, "order"), whole(last, "order")) {
            (from, to) if from == to => from.to_string(),
            (from, to) => format!("{from}\u{2013}{to}"),
        };
        out.push(object(vec![
            ("order", owned(&order)),
            ("action", owned(text(first, "action"))),
            ("target", list(group.iter().map(|row| text(row, "target")))),
            ("because", if is_shared { owned(because) } else { Value::Null }),
            ("before", first.get("before").cloned().unwrap_or_default()),
        ]));
    }
    out
}
