//! What to do first, and why in this order.
//!
//! Sessions are revoked before passwords are changed, because a live session survives the change;
//! the way in is closed before the hosts behind it are cleaned, because otherwise they are entered
//! again; the directory's own key is changed twice, because the old one stays valid once.

use std::collections::{BTreeMap, BTreeSet};

use makyo_base::{Object, Value};

use crate::accounts::{Judged, Rung};
use crate::answers::{Picture, Table};
use crate::incident::is_directory_theft;
use crate::intruder::is_foreign;
use crate::rows::{object, text};

const COLUMNS: &[&str] = &["order", "action", "target", "because", "before", "finding"];

struct Step {
    action: &'static str,
    target: String,
    because: String,
    before: &'static str,
    finding: String,
}

pub(crate) fn containment(picture: &Picture<'_>, judged: &BTreeMap<String, Judged>, hosts: &[Object<'static>], persistence: &[Object<'static>]) -> Vec<Object<'static>> {
    if picture.incidents.is_empty() {
        return Vec::new();
    }
    let mut steps = Vec::new();
    let breached: Vec<(&String, &Judged)> = judged.iter().filter(|entry| entry.1.rung >= Rung::Authenticated).collect();
    for (name, account) in breached.iter().filter(|entry| entry.0.contains('@')) {
        steps.push(step("revoke sessions and refresh tokens", name, account.reasons.first().cloned(), "its password is changed", first(picture, account)));
    }
    let mut addresses: BTreeSet<(&str, usize)> = BTreeSet::new();
    for one in picture.intruder.outside.iter().filter(|one| picture.in_incident(one.finding) && is_foreign(&one.value, picture.organisation)) {
        addresses.insert((&one.value, one.finding));
    }
    for (address, finding) in addresses {
        steps.push(step("block the address and end its sessions", address, Some("the intruder came from it".into()), "hosts are cleaned", picture.finding_id(finding)));
    }
    for incident in &picture.incidents {
        for index in &incident.findings {
            let Some(finding) = picture.finding(*index).filter(|finding| finding.rule.id == "tunnel_without_authentication") else { continue };
            let place = finding.entities.iter().find(|e| e.role == makyo_base::Role::Place).map(|e| e.value.clone());
            steps.push(step("take the appliance off the Internet, keep its memory and disk, then patch or replace it", &place.unwrap_or_else(|| "the VPN appliance".into()), Some("a tunnel came up without any login".into()), "passwords are changed", finding.id.clone()));
        }
    }
    for row in hosts.iter().filter(|row| row.get("verdict").and_then(Value::as_str) == Some("breached")) {
        let name = row.get("host").and_then(Value::as_str).unwrap_or_default();
        let finding = match row.get("findings") {
            Some(Value::List(list)) => list.first().and_then(Value::as_str).unwrap_or_default().to_owned(),
            _ => String::new(),
        };
        let because = row.get("reason").and_then(Value::as_str).map(str::to_owned);
        steps.push(step("isolate the host, keep its memory and disk", name, because, "what the intruder left there is removed", finding));
    }
    for row in persistence.iter().filter(|row| row.get("present").and_then(Value::as_str) != Some("false")) {
        let field = |name| row.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let target = format!("{} {}{}", field("kind"), field("account"), field("host"));
        steps.push(step("remove the way back in", target.trim(), Some(field("detail")), "the account or host is released", field("finding")));
    }
    if let Some(theft) = picture.incidents.iter().flat_map(|one| &one.findings).find(|index| picture.finding(**index).is_some_and(is_directory_theft)) {
        steps.push(step("change the krbtgt password twice, a day apart, then the passwords of all accounts of the domain", "the directory", Some("its database was copied".into()), "", picture.finding_id(*theft)));
    }
    for (name, account) in &breached {
        steps.push(step("change the password and re-register the second factor", name, account.reasons.first().cloned(), "", first(picture, account)));
    }
    steps.into_iter().enumerate().map(|(index, step)| row(index + 1, &step)).collect()
}

fn first(picture: &Picture<'_>, account: &Judged) -> String {
    account.findings.first().map(|index| picture.finding_id(*index)).unwrap_or_default()
}

fn step(action: &'static str, target: &str, because: Option<String>, before: &'static str, finding: String) -> Step {
    Step { action, target: target.to_owned(), because: because.unwrap_or_default(), before, finding }
}

fn row(order: usize, step: &Step) -> Object<'static> {
    object(vec![
        ("order", Value::Int(order as i128)),
        ("action", text(step.action)),
        ("target", text(step.target.clone())),
        ("because", text(step.because.clone())),
        ("before", crate::rows::maybe(Some(step.before))),
        ("finding", text(step.finding.clone())),
    ])
}

pub(crate) fn table(rows: Vec<Object<'static>>) -> Table {
    Table { name: "containment", columns: COLUMNS, rows }
}
