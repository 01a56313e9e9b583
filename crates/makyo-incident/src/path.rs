//! In what order: the steps of each incident, and the incidents themselves.

use std::collections::{BTreeMap, BTreeSet};

use makyo_base::{EntityKind, Finding, FindingSource, Object, Role, Value};

use crate::accounts::{Judged, Rung};
use crate::alternatives::{arrivals, tunnels_then};
use crate::answers::{Picture, Table};
use crate::entry::Entry;
use crate::facts::ShareUse;
use crate::incident::{Incident, is_suspicion};
use crate::intruder::is_foreign;
use crate::rows::{maybe, object, text, texts, time};

pub(crate) struct PathStep {
    time: Option<i64>,
    tactic: String,
    technique: String,
    from: String,
    to: String,
    /// From where else it may have been.
    alternatives: Vec<String>,
    finding: String,
}

/// The steps of every incident, by its id.
pub(crate) fn paths(picture: &Picture<'_>) -> BTreeMap<String, Vec<PathStep>> {
    picture
        .incidents
        .iter()
        .map(|incident| (incident.id.clone(), path(picture, incident)))
        .collect()
}

fn path(picture: &Picture<'_>, incident: &Incident) -> Vec<PathStep> {
    // What only may have been the intruder's is no step of theirs.
    let theirs = incident.all().into_iter().filter_map(|index| picture.finding(index));
    let theirs = theirs.filter(|finding| !is_suspicion(finding) && !finding.techniques.is_empty());
    // What goes on for days is one step, with its beginning; the timeline has each time.
    let mut told: BTreeSet<(&str, String, String)> = BTreeSet::new();
    let mut steps: Vec<PathStep> = theirs
        .map(|finding| (finding, of_finding(picture, finding)))
        .filter(|(finding, steps)| {
            let of_it = steps.first().map(|step| (step.from.clone(), step.to.clone()));
            of_it.is_some_and(|(from, to)| told.insert((&finding.rule.id, from, to)))
        })
        .flat_map(|one| one.1)
        .collect();
    steps.extend(arrivals(picture, incident).into_iter().map(|one| PathStep {
        time: Some(one.time),
        tactic: "lateral-movement".into(),
        technique: String::new(),
        from: String::new(),
        to: one.host,
        alternatives: one.ways,
        finding: picture.finding_id(one.finding),
    }));
    for step in
        picture.intruder.steps.iter().filter(|step| incident.findings.contains(&step.finding))
    {
        steps.push(PathStep {
            time: Some(step.time),
            tactic: "lateral-movement".into(),
            technique: picture.way_onto(step).into(),
            from: step.from.clone(),
            to: step.to.clone(),
            alternatives: Vec::new(),
            finding: picture.finding_id(step.finding),
        });
    }
    let mut seen: BTreeSet<(String, String)> = BTreeSet::new();
    for used in &picture.facts.uses {
        let tie = picture.intruder.tie(&used.account, &used.session, &used.address, used.first);
        let Some((finding, _)) = tie.filter(|tie| incident.findings.contains(&tie.0)) else {
            continue;
        };
        if picture.finding(finding).is_some_and(is_suspicion) {
            continue;
        }
        let (tactic, technique) = match used.access.as_str() {
            "bind" | "sync" => ("collection", "T1114.002"),
            "view" | "preview" | "download" | "search" => ("collection", "T1213.002"),
            _ => continue,
        };
        if seen.insert((used.account.clone(), technique.to_owned())) {
            steps.push(PathStep {
                time: Some(used.first),
                tactic: tactic.into(),
                technique: technique.into(),
                from: used.address.clone(),
                to: if used.owner.is_empty() { used.account.clone() } else { used.owner.clone() },
                alternatives: Vec::new(),
                finding: picture.finding_id(finding),
            });
        }
    }
    steps.extend(from_shares(picture, incident));
    steps.sort_by(|a, b| {
        (a.time, &a.tactic, &a.to, &a.finding).cmp(&(b.time, &b.tactic, &b.to, &b.finding))
    });
    // What two rules say of one act is one step.
    let key = |one: &PathStep| {
        (one.time, one.tactic.clone(), one.technique.clone(), one.from.clone(), one.to.clone())
    };
    let mut seen = BTreeSet::new();
    steps.retain(|one| seen.insert(key(one)));
    steps
}

/// Files read from shares of hosts, once a share and account.
fn from_shares(picture: &Picture<'_>, incident: &Incident) -> Vec<PathStep> {
    let mut seen: BTreeSet<(&str, &str, &str)> = BTreeSet::new();
    let mut steps = Vec::new();
    // What ends in `$` is how machines are run, not where files are kept.
    let of_files = |used: &&ShareUse| !used.files.is_empty() && !used.share.ends_with('$');
    for used in picture.facts.shares.iter().filter(of_files) {
        let Some(finding) = picture.tied_share(used).filter(|at| incident.findings.contains(at))
        else {
            continue;
        };
        if seen.insert((&used.account, &used.host, &used.share)) {
            steps.push(PathStep {
                time: Some(used.first),
                tactic: "collection".into(),
                technique: "T1039".into(),
                from: used.address.clone(),
                to: used.host.clone(),
                alternatives: Vec::new(),
                finding: picture.finding_id(finding),
            });
        }
    }
    steps
}

/// The step that a finding tells. An analytic that names as many tactics as techniques tells a step
/// of each.
fn of_finding(picture: &Picture<'_>, finding: &Finding) -> Vec<PathStep> {
    let first = |wanted: &[(EntityKind, Role)]| {
        wanted
            .iter()
            .find_map(|(kind, role)| {
                finding.entities.iter().find(|e| e.kind == *kind && e.role == *role)
            })
            .map(|entity| entity.value.clone())
            .unwrap_or_default()
    };
    let is_each = finding.source == FindingSource::Analytic
        && finding.tactics.len() == finding.techniques.len();
    let count = if is_each { finding.techniques.len() } else { 1 };
    let step = |at: usize| PathStep {
        time: finding.time,
        tactic: finding.tactics.get(at).cloned().unwrap_or_default(),
        technique: finding.techniques.get(at).cloned().unwrap_or_default(),
        from: first(&[
            (EntityKind::Address, Role::Origin),
            (EntityKind::Account, Role::Origin),
            (EntityKind::Account, Role::Actor),
        ]),
        to: first(&[
            (EntityKind::Host, Role::Place),
            (EntityKind::Account, Role::Target),
            (EntityKind::Account, Role::Actor),
        ]),
        alternatives: tunnels_then(picture, finding),
        finding: finding.id.clone(),
    };
    (0..count).map(step).collect()
}

fn step_fields(step: &PathStep) -> Vec<(&'static str, Value<'static>)> {
    vec![
        ("time", time(step.time)),
        ("tactic", maybe(Some(&step.tactic))),
        ("technique", maybe(Some(&step.technique))),
        ("from", maybe(Some(&step.from))),
        ("to", maybe(Some(&step.to))),
        (
            "alternatives",
            Value::List(step.alternatives.iter().map(|one| text(one.as_str())).collect()),
        ),
        ("finding", text(step.finding.clone())),
    ]
}

const COLUMNS: &[&str] =
    &["incident", "time", "tactic", "technique", "from", "to", "alternatives", "finding"];

pub(crate) fn table(paths: &BTreeMap<String, Vec<PathStep>>) -> Table {
    let mut rows = Vec::new();
    for (incident, steps) in paths {
        for step in steps {
            let mut fields = vec![("incident", text(incident.clone()))];
            fields.extend(step_fields(step));
            rows.push(object(fields));
        }
    }
    Table { name: "path", columns: COLUMNS, rows }
}

const INCIDENT_COLUMNS: &[&str] = &[
    "id",
    "start",
    "end",
    "entry",
    "path",
    "accounts",
    "hosts",
    "addresses",
    "messages",
    "indicators",
    "weight_db",
    "findings",
    "summary",
];

pub(crate) fn incidents_table(
    picture: &Picture<'_>,
    paths: &BTreeMap<String, Vec<PathStep>>,
    entries: &[Entry],
    judged: &BTreeMap<String, Judged>,
) -> Table {
    let row = |incident: &Incident| incident_row(picture, incident, paths, entries, judged);
    Table {
        name: "incidents",
        columns: INCIDENT_COLUMNS,
        rows: picture.incidents.iter().map(row).collect(),
    }
}

fn incident_row(
    picture: &Picture<'_>,
    incident: &Incident,
    paths: &BTreeMap<String, Vec<PathStep>>,
    entries: &[Entry],
    judged: &BTreeMap<String, Judged>,
) -> Object<'static> {
    let named = |kind: EntityKind| -> BTreeSet<String> {
        let findings = incident.findings.iter().filter_map(|index| picture.finding(*index));
        findings
            .flat_map(|finding| &finding.entities)
            .filter(|e| e.kind == kind)
            .map(|e| e.value.clone())
            .collect()
    };
    let accounts: BTreeSet<String> = judged
        .iter()
        .filter(|entry| {
            entry.1.rung >= Rung::Authenticated
                && entry.1.findings.iter().any(|index| incident.findings.contains(index))
        })
        .map(|entry| entry.0.clone())
        .collect();
    let mut hosts = named(EntityKind::Host);
    hosts.extend(
        picture
            .intruder
            .steps
            .iter()
            .filter(|step| incident.findings.contains(&step.finding))
            .map(|step| step.to.clone()),
    );
    let addresses: BTreeSet<String> = named(EntityKind::Address)
        .into_iter()
        .filter(|address| is_foreign(address, picture.organisation))
        .collect();
    let entry = entries.iter().find(|entry| entry.incident == incident.id);
    let steps = paths.get(&incident.id).map(Vec::as_slice).unwrap_or_default();
    let ids: BTreeSet<String> =
        incident.findings.iter().map(|index| picture.finding_id(*index)).collect();
    let summary = format!(
        "{} findings from {} to {}: first {}; {} accounts and {} hosts breached or used",
        incident.findings.len(),
        makyo_base::format_time(incident.start),
        makyo_base::format_time(incident.end),
        entry.map_or("unknown", |entry| entry.vector),
        accounts.len(),
        hosts.len(),
    );
    let indicators: BTreeSet<String> =
        addresses.iter().cloned().chain(named(EntityKind::Hash)).collect();
    object(vec![
        ("id", text(incident.id.clone())),
        ("start", time(Some(incident.start))),
        ("end", time(Some(incident.end))),
        ("entry", entry.map_or(Value::Null, |entry| entry_value(picture, entry))),
        (
            "path",
            Value::List(
                steps.iter().map(|step| Value::Object(object(step_fields(step)))).collect(),
            ),
        ),
        ("accounts", texts(&accounts)),
        ("hosts", texts(&hosts)),
        ("addresses", texts(&addresses)),
        ("messages", texts(&named(EntityKind::Message))),
        ("indicators", texts(&indicators)),
        ("weight_db", Value::Float((incident.weight_db * 10.0).round() / 10.0)),
        ("findings", texts(&ids)),
        ("summary", text(summary)),
    ])
}

fn entry_value(picture: &Picture<'_>, entry: &Entry) -> Value<'static> {
    Value::Object(object(vec![
        ("vector", text(entry.vector)),
        ("time", time(entry.time)),
        ("entity", maybe(Some(&entry.through))),
        ("finding", text(picture.finding_id(entry.finding))),
    ]))
}
