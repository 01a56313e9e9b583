//! What to do first, and why in this order.
//!
//! Sessions are revoked before passwords are changed, because a live session survives the change;
//! the way in is closed before the hosts behind it are cleaned, because otherwise they are entered
//! again; the directory's own key is changed twice, because the old one stays valid once.

use std::collections::{BTreeMap, BTreeSet};

use makyo_base::{Object, Role, Value};

use crate::accounts::{Judged, Rung};
use crate::answers::{Picture, Table};
use crate::incident::{is_directory_theft, is_through_appliance};
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

pub(crate) fn containment(
    picture: &Picture<'_>,
    judged: &BTreeMap<String, Judged>,
    hosts: &[Object<'static>],
    persistence: &[Object<'static>],
) -> Vec<Object<'static>> {
    if picture.incidents.is_empty() {
        return Vec::new();
    }
    let breached: Vec<(&String, &Judged)> =
        judged.iter().filter(|entry| entry.1.rung >= Rung::Authenticated).collect();
    let mut steps: Vec<Step> = Vec::new();
    for (name, account) in breached.iter().filter(|entry| entry.0.contains('@')) {
        let action = "revoke sessions and refresh tokens";
        steps.push(of_account(picture, action, name, account, "its password is changed"));
    }
    steps.extend(ways_in(picture));
    steps.extend(hosts.iter().filter_map(of_host));
    steps.extend(persistence.iter().filter_map(of_way_back));
    steps.extend(of_directory(picture));
    for (name, account) in &breached {
        let action = "change the password and re-register the second factor";
        steps.push(of_account(picture, action, name, account, ""));
    }
    // What several findings ask for is done once.
    let mut asked: BTreeSet<(&'static str, String)> = BTreeSet::new();
    steps.retain(|step| asked.insert((step.action, step.target.clone())));
    steps.into_iter().enumerate().map(|(index, step)| row(index + 1, &step)).collect()
}

fn of_account(
    picture: &Picture<'_>,
    action: &'static str,
    name: &str,
    account: &Judged,
    before: &'static str,
) -> Step {
    let because = account.reasons.first().cloned().unwrap_or_default();
    Step { action, target: name.to_owned(), because, before, finding: first(picture, account) }
}

/// Addresses to block, then appliances that let somebody in without a login.
fn ways_in(picture: &Picture<'_>) -> Vec<Step> {
    let foreign = picture.intruder.outside.iter().filter(|one| {
        picture.in_incident(one.finding) && is_foreign(&one.value, picture.organisation)
    });
    let addresses: BTreeSet<(&str, usize)> =
        foreign.map(|one| (one.value.as_str(), one.finding)).collect();
    let mut steps: Vec<Step> = addresses
        .into_iter()
        .map(|(address, finding)| Step {
            action: "block the address and end its sessions",
            target: address.to_owned(),
            because: "the intruder came from it".into(),
            before: "hosts are cleaned",
            finding: picture.finding_id(finding),
        })
        .collect();
    let findings = picture.incidents.iter().flat_map(|incident| &incident.findings);
    for finding in findings.filter_map(|index| picture.finding(*index)) {
        if !is_through_appliance(finding) {
            continue;
        }
        let is_own = |entity: &&makyo_base::Entity| {
            let own = match finding.rule.id.as_str() {
                "appliance_reaches_inside" => Role::Origin,
                "bulk_through_gate" => Role::Object,
                _ => Role::Place,
            };
            entity.role == own
        };
        let place = finding.entities.iter().find(is_own);
        steps.push(Step {
            action: "take the appliance off the Internet, keep its memory and disk, then patch or replace it",
            target: place.map_or("the VPN appliance", |place| &place.value).to_owned(),
            because: match finding.rule.id.as_str() {
                "tunnel_without_authentication" => "a tunnel came up without any login".into(),
                _ => finding.rule.title.clone(),
            },
            before: "passwords are changed",
            finding: finding.id.clone(),
        });
    }
    steps
}

fn field(row: &Object<'_>, name: &str) -> String {
    row.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn of_host(row: &Object<'static>) -> Option<Step> {
    let finding = match row.get("findings") {
        Some(Value::List(list)) => list.first().and_then(Value::as_str).unwrap_or_default(),
        _ => "",
    };
    (field(row, "verdict") == "breached").then(|| Step {
        action: "isolate the host, keep its memory and disk",
        target: field(row, "host"),
        because: field(row, "reason"),
        before: "what the intruder left there is removed",
        finding: finding.to_owned(),
    })
}

fn of_way_back(row: &Object<'static>) -> Option<Step> {
    let parts = ["kind", "account", "host"].map(|name| field(row, name));
    let named: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    (field(row, "present") != "false").then(|| Step {
        action: "remove the way back in",
        target: named.join(", "),
        because: field(row, "detail"),
        before: "the account or host is released",
        finding: field(row, "finding"),
    })
}

fn of_directory(picture: &Picture<'_>) -> Option<Step> {
    let mut findings = picture.incidents.iter().flat_map(|incident| &incident.findings);
    let theft = findings.find(|index| picture.finding(**index).is_some_and(is_directory_theft))?;
    Some(Step {
        action: "change the krbtgt password twice, a day apart, then the passwords of all accounts of the domain",
        target: "the directory".into(),
        because: "its database was copied".into(),
        before: "",
        finding: picture.finding_id(*theft),
    })
}

fn first(picture: &Picture<'_>, account: &Judged) -> String {
    account.findings.first().map(|index| picture.finding_id(*index)).unwrap_or_default()
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
