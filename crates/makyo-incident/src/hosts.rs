//! Where the intruder was: a verdict for every host.

use std::collections::{BTreeMap, BTreeSet};

use makyo_base::{EntityKind, Object, Role, Value};

use crate::accounts::Rung;
use crate::answers::{Picture, Table};
use crate::facts::earliest;
use crate::incident::is_membership;
use crate::rows::{object, text, texts, time};

#[derive(Default)]
struct Judged {
    rung: Rung,
    first: Option<i64>,
    last: Option<i64>,
    from: BTreeSet<String>,
    techniques: BTreeSet<String>,
    findings: BTreeSet<usize>,
    strongest: f64,
    reasons: Vec<String>,
}

/// The rows of all hosts.
pub(crate) fn hosts(picture: &Picture<'_>) -> Vec<Object<'static>> {
    let mut judged: BTreeMap<String, Judged> =
        picture.facts.hosts.keys().map(|host| (host.clone(), Judged::default())).collect();
    for incident in &picture.incidents {
        for index in &incident.findings {
            by_finding(&mut judged, picture, *index);
        }
    }
    for step in picture.intruder.steps.iter().filter(|step| picture.in_incident(step.finding)) {
        let host = judged.entry(step.to.clone()).or_default();
        host.rung = host.rung.max(Rung::Authenticated);
        host.first = earliest(host.first, Some(step.time));
        host.last = host.last.max(Some(step.time));
        host.from.insert(step.from.clone());
        host.findings.insert(step.finding);
        host.strongest = host.strongest.max(14.0);
        host.techniques.insert(picture.way_onto(step).into());
        host.reasons.push(format!("{} logged on from {}", step.account, step.from));
    }
    let members = members(picture);
    for host in members.keys() {
        judged.entry(host.clone()).or_default();
    }
    judged.iter().map(|(name, host)| row(name, host, members.get(name), picture)).collect()
}

/// Own devices that serve a botnet, by host where the address is known to be one's, else by
/// address; with their findings.
fn members(picture: &Picture<'_>) -> BTreeMap<String, Vec<usize>> {
    let mut found: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (index, finding) in picture.findings.iter().enumerate().filter(|one| is_membership(one.1)) {
        let devices = finding.entities.iter().filter(|entity| entity.role == Role::Place);
        for device in devices {
            let at = finding.time.unwrap_or_default();
            let host = picture.facts.addresses.host(&device.value, at);
            found.entry(host.unwrap_or(&device.value).to_owned()).or_default().push(index);
        }
    }
    found
}

/// The row of a host that is in no incident, and serves a botnet.
fn member_row(name: &str, indices: &[usize], picture: &Picture<'_>) -> Object<'static> {
    let findings: Vec<&makyo_base::Finding> =
        indices.iter().filter_map(|index| picture.finding(*index)).collect();
    let of_role = |role: Role| -> BTreeSet<String> {
        let entities = findings.iter().flat_map(|finding| &finding.entities);
        entities.filter(|entity| entity.role == role).map(|entity| entity.value.clone()).collect()
    };
    let techniques: BTreeSet<String> =
        findings.iter().flat_map(|finding| finding.techniques.clone()).collect();
    let ids: BTreeSet<String> = findings.iter().map(|finding| finding.id.clone()).collect();
    let reasons: Vec<&str> = findings.iter().map(|finding| finding.text.as_str()).collect();
    object(vec![
        ("host", text(name)),
        ("addresses", texts(&of_role(Role::Place))),
        ("verdict", text("botnet_member")),
        ("rung", text(Rung::None.word())),
        ("first_seen", time(findings.iter().filter_map(|finding| finding.time).min())),
        // A finding has the time of the first call; the last one is in its sentence.
        ("last_seen", Value::Null),
        ("reached_from", texts(&of_role(Role::Origin))),
        ("techniques", texts(&techniques)),
        ("findings", texts(&ids)),
        ("reason", text(reasons.join(" "))),
    ])
}

fn by_finding(judged: &mut BTreeMap<String, Judged>, picture: &Picture<'_>, index: usize) {
    let Some(finding) = picture.finding(index) else { return };
    for place in
        finding.entities.iter().filter(|e| e.kind == EntityKind::Host && e.role == Role::Place)
    {
        let host = judged.entry(place.value.clone()).or_default();
        host.first = earliest(host.first, finding.time);
        host.last = host.last.max(finding.time);
        host.techniques.extend(finding.techniques.iter().cloned());
        host.findings.insert(index);
        host.strongest = host.strongest.max(finding.weight_db);
        host.rung =
            host.rung.max(if finding.weight_db >= 14.0 { Rung::Modified } else { Rung::Attempted });
        if !host.reasons.contains(&finding.rule.title) {
            host.reasons.push(finding.rule.title.clone());
        }
        let outside = finding
            .entities
            .iter()
            .filter(|e| e.kind == EntityKind::Address && e.role == Role::Origin);
        host.from.extend(outside.map(|e| e.value.clone()).filter(|address| {
            finding.rule.id == "tunnel_without_authentication"
                || crate::intruder::is_foreign(address, picture.organisation)
        }));
    }
}

fn row(
    name: &str,
    host: &Judged,
    member: Option<&Vec<usize>>,
    picture: &Picture<'_>,
) -> Object<'static> {
    if let (Some(indices), true) = (member, host.findings.is_empty()) {
        return member_row(name, indices, picture);
    }
    let seen = picture.facts.hosts.get(name);
    let (verdict, reason) = if host.findings.is_empty() {
        let sources: Vec<&str> =
            seen.map(|seen| seen.sources.iter().map(String::as_str).collect()).unwrap_or_default();
        let window = picture.window().or_else(|| picture.coverage.span());
        let whole = window.map(|window| {
            sources.iter().try_for_each(|source| picture.coverage.proves_host(source, name, window))
        });
        match whole {
            Some(Ok(())) if !sources.is_empty() => (
                "clear",
                "no sign, and its logs are there and whole for the time of the intrusion"
                    .to_owned(),
            ),
            Some(Err(gap)) => ("unknown", format!("no sign, but {gap}")),
            _ => ("unknown", "no sign, and no log of its own".to_owned()),
        }
    } else {
        let mut reasons = host.reasons.clone();
        if member.is_some() {
            reasons.push("it also serves a botnet".to_owned());
        }
        (if host.strongest >= 14.0 { "breached" } else { "suspected" }, reasons.join("; "))
    };
    let ids: BTreeSet<String> =
        host.findings.iter().map(|index| picture.finding_id(*index)).collect();
    object(vec![
        ("host", text(name)),
        ("addresses", seen.map_or_else(|| Value::List(Vec::new()), |seen| texts(&seen.addresses))),
        ("verdict", text(verdict)),
        ("rung", text(host.rung.word())),
        ("first_seen", time(host.first)),
        ("last_seen", time(host.last)),
        ("reached_from", texts(&host.from)),
        ("techniques", texts(&host.techniques)),
        ("findings", texts(&ids)),
        ("reason", text(reason)),
    ])
}

const COLUMNS: &[&str] = &[
    "host",
    "addresses",
    "verdict",
    "rung",
    "first_seen",
    "last_seen",
    "reached_from",
    "techniques",
    "findings",
    "reason",
];

pub(crate) fn table(mut rows: Vec<Object<'static>>) -> Table {
    let rank = |row: &Object<'_>| {
        let verdict = row.get("verdict").and_then(Value::as_str).unwrap_or_default().to_owned();
        ["breached", "suspected", "botnet_member", "unknown", "clear"]
            .iter()
            .position(|word| *word == verdict)
    };
    rows.sort_by_key(rank);
    Table { name: "hosts", columns: COLUMNS, rows }
}
