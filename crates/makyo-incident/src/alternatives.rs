//! Where the path is not certain: what else it may have been.

use std::collections::{BTreeMap, BTreeSet};

use makyo_base::{DAY_NS, Entity, EntityKind, Finding, Role};

use crate::answers::Picture;
use crate::incident::Incident;
use crate::intruder::{Step, is_foreign, is_from, is_posing};

/// A host on which the intruder was, and onto which no record shows them come.
pub(crate) struct Arrival {
    /// When they were there first.
    pub(crate) time: i64,
    pub(crate) host: String,
    /// Who came there from where and when; one of these it may have been.
    pub(crate) ways: Vec<String>,
    pub(crate) finding: usize,
}

/// Who poses as somebody from the organisation's own address comes through a tunnel: where several
/// of the intruder's were up, through one of these.
pub(crate) fn tunnels_then(picture: &Picture<'_>, finding: &Finding) -> Vec<String> {
    let Some(at) = finding.time.filter(|_| is_posing(&finding.rule.id)) else { return Vec::new() };
    let is_outside = |entity: &Entity| {
        entity.kind == EntityKind::Address
            && entity.role == Role::Origin
            && is_foreign(&entity.value, picture.organisation)
    };
    if finding.entities.iter().any(is_outside) {
        return Vec::new();
    }
    let up = picture.intruder.leases.iter().filter(|lease| (lease.from..=lease.to).contains(&at));
    let tunnels: BTreeSet<String> = up.map(|lease| lease.value.clone()).collect();
    if tunnels.len() > 1 { tunnels.into_iter().collect() } else { Vec::new() }
}

/// So long before the first sign on a host somebody came there.
const ARRIVAL_NS: i64 = DAY_NS;
/// So many ways that may have been taken are named, the latest first.
const ARRIVALS_MAX: usize = 5;

/// The first sign on each host of the incident, and the hosts that need no way there: the
/// intruder's logon shows it, a message brought it, or it is the appliance where they came in.
fn first_signs(
    picture: &Picture<'_>,
    incident: &Incident,
    steps: &[&Step],
) -> (BTreeMap<String, (i64, usize)>, BTreeSet<String>) {
    let mut first: BTreeMap<String, (i64, usize)> = BTreeMap::new();
    let mut explained: BTreeSet<String> = steps.iter().map(|step| step.to.clone()).collect();
    for index in &incident.findings {
        let Some(finding) = picture.finding(*index) else { continue };
        let at = finding.time.unwrap_or_default();
        let is_place = |one: &&Entity| one.kind == EntityKind::Host && one.role == Role::Place;
        for host in finding.entities.iter().filter(is_place) {
            let known = first.entry(host.value.clone()).or_insert((at, *index));
            *known = (at, *index).min(*known);
            let brought = finding.entities.iter().any(|one| one.kind == EntityKind::Message);
            if brought || finding.tactics.iter().any(|one| one == "initial-access") {
                explained.insert(host.value.clone());
            }
        }
    }
    (first, explained)
}

/// Hosts of the incident onto which no record shows the intruder come, although somebody came from
/// elsewhere before: with an account that the intruder holds, or from a host where they were.
pub(crate) fn arrivals(picture: &Picture<'_>, incident: &Incident) -> Vec<Arrival> {
    let steps = picture.intruder.steps.iter();
    let steps: Vec<&Step> = steps.filter(|one| incident.findings.contains(&one.finding)).collect();
    let (first, explained) = first_signs(picture, incident, &steps);
    let held: BTreeSet<&str> = steps.iter().map(|step| step.account.as_str()).collect();
    let reached: Vec<(&str, i64)> = steps
        .iter()
        .map(|step| (step.to.as_str(), step.time))
        .chain(first.iter().map(|one| (one.0.as_str(), one.1.0)))
        .collect();
    let mut found = Vec::new();
    for (host, (at, index)) in first.iter().filter(|one| !explained.contains(one.0)) {
        let mut ways: BTreeSet<(i64, String)> = BTreeSet::new();
        for logon in picture.facts.logons.iter().filter(|logon| logon.host == *host) {
            let may_come = |from: &&&(&str, i64)| {
                from.0 != host.as_str()
                    && (logon.from_host == from.0
                        || picture.facts.addresses.had(from.0, &logon.address))
            };
            let reached: Vec<&(&str, i64)> = reached.iter().filter(|one| may_come(&one)).collect();
            if reached.is_empty() && !held.contains(logon.account.as_str()) {
                continue;
            }
            let since = logon.times.partition_point(|one| *one < *at - ARRIVAL_NS);
            let of_day = logon.times.get(since..).into_iter().flatten();
            // The latest are named.
            let of_day: Vec<&i64> = of_day.take_while(|one| **one <= *at).collect();
            for time in of_day.into_iter().rev().take(ARRIVALS_MAX) {
                let came = |from: &&(&str, i64)| {
                    from.1 <= *time && is_from(logon, from.0, *time, &picture.facts)
                };
                let from = reached.iter().find(|one| came(one)).map(|one| one.0);
                if from.is_none() && !held.contains(logon.account.as_str()) {
                    continue;
                }
                let place = from.unwrap_or(&logon.address);
                let when = makyo_base::format_time(*time);
                ways.insert((*time, format!("{} @ {place}, {when}", logon.account)));
            }
        }
        let ways: Vec<String> =
            ways.into_iter().rev().take(ARRIVALS_MAX).map(|one| one.1).collect();
        if !ways.is_empty() {
            found.push(Arrival { time: *at, host: host.clone(), ways, finding: *index });
        }
    }
    found
}
