//! How they got in.

use makyo_base::{EntityKind, Finding, Object, Role, Value};

use crate::answers::{Picture, Table};
use crate::incident::{Incident, is_directory_theft, is_suspicion, is_through_appliance};
use crate::rows::{maybe, object, text, time};

/// One way in of one incident.
pub(crate) struct Entry {
    pub(crate) incident: String,
    pub(crate) vector: &'static str,
    pub(crate) time: Option<i64>,
    pub(crate) finding: usize,
    pub(crate) through: String,
    account: String,
    message: String,
    address: String,
    product: String,
    explained: bool,
    alternatives: Vec<&'static str>,
    finding_id: String,
}

pub(crate) fn entries(picture: &Picture<'_>) -> Vec<Entry> {
    let mut found = Vec::new();
    for incident in &picture.incidents {
        let mut own: Vec<Entry> = Vec::new();
        let mut ordered: Vec<usize> = incident.findings.clone();
        ordered.sort_by_key(|index| {
            picture.finding(*index).map(|finding| (finding.time, finding.id.clone()))
        });
        for index in ordered {
            let Some(finding) = picture.finding(index) else { continue };
            if let Some(entry) = entry(picture, incident, index, finding) {
                // Several findings on one message or one tunnel are one way in.
                let known = own.iter_mut().find(|known| {
                    let same_thing = if entry.message.is_empty() {
                        known.address == entry.address
                    } else {
                        known.message == entry.message
                    };
                    known.vector == entry.vector && same_thing
                });
                match known {
                    Some(known) if known.address.is_empty() => known.address = entry.address,
                    Some(_) => {}
                    None => own.push(entry),
                }
            }
        }
        // Of a way in that is known, a rule's first sign is no second one.
        let known: Vec<(String, String)> = own
            .iter()
            .filter(|entry| entry.vector != "unknown")
            .map(|entry| (entry.account.clone(), entry.address.clone()))
            .collect();
        own.retain(|entry| {
            let is_same = |(account, address): &(String, String)| {
                *account == entry.account || !address.is_empty() && *address == entry.address
            };
            entry.vector != "unknown" || !known.iter().any(is_same)
        });
        if own.is_empty() {
            own.push(unknown(picture, incident));
        }
        found.append(&mut own);
    }
    found
}

fn entry(
    picture: &Picture<'_>,
    incident: &Incident,
    index: usize,
    finding: &Finding,
) -> Option<Entry> {
    let value = |kind, role| {
        let found = finding.entities.iter().find(|e| e.kind == kind && e.role == role);
        found.map(|e| e.value.clone()).unwrap_or_default()
    };
    let message = value(EntityKind::Message, Role::Object);
    let is_mail = !message.is_empty();
    let is_initial = finding.tactics.iter().any(|tactic| tactic == "initial-access");
    let mut made = Entry {
        incident: incident.id.clone(),
        vector: "unknown",
        time: finding.time,
        finding: index,
        through: value(EntityKind::Host, Role::Place),
        account: String::new(),
        address: value(EntityKind::Address, Role::Origin),
        message,
        product: String::new(),
        explained: true,
        alternatives: Vec::new(),
        finding_id: finding.id.clone(),
    };
    let rule = finding.rule.id.as_str();
    if matches!(rule, "tunnel_without_authentication" | "posing_over_vpn") {
        let tunnels = &picture.facts.tunnels;
        let tunnel = tunnels.iter().find(|tunnel| finding.records.contains(&tunnel.record));
        made.product = tunnel.map(|tunnel| tunnel.product.clone()).unwrap_or_default();
    }
    if let Some((vector, alternatives)) = cloud_vector(picture, incident, finding) {
        made.vector = vector;
        made.alternatives = alternatives;
        made.account = value(EntityKind::Account, Role::Actor);
        made.through = "cloud sign-in".into();
        return Some(made);
    }
    match rule {
        "tunnel_without_authentication" => {
            made.vector = "vpn_appliance";
            made.account = value(EntityKind::Account, Role::Target);
            made.explained = false;
            // A login can also be missing because it was logged elsewhere or not at all.
            made.alternatives = vec!["vpn_credential"];
        }
        _ if is_through_appliance(finding) => through_appliance(&mut made, finding),
        "edge_admin_from_outside" => {
            made.vector = "vpn_appliance";
            made.account = value(EntityKind::Account, Role::Actor);
            made.alternatives = vec!["stolen_credential"];
        }
        "third_party_outside_terms" => {
            made.vector = "third_party_access";
            made.account = value(EntityKind::Account, Role::Actor);
            made.alternatives = vec!["vpn_credential"];
        }
        "posing_over_vpn" => {
            made.vector = "vpn_credential";
            made.account = value(EntityKind::Account, Role::Actor);
        }
        "posing_as_user" => return None,
        _ if is_suspicion(finding) => return None,
        _ if is_mail => {
            made.vector = "phishing";
            made.account = value(EntityKind::Account, Role::Target);
            made.through = value(EntityKind::Account, Role::Origin);
        }
        _ if is_initial => made.account = value(EntityKind::Account, Role::Actor),
        _ => return None,
    }
    Some(made)
}

/// Somebody came through an appliance, and nothing logged says as whom.
fn through_appliance(made: &mut Entry, finding: &Finding) {
    made.vector = "vpn_appliance";
    made.explained = false;
    // A login can also be missing because it was logged elsewhere or not at all.
    made.alternatives = vec!["vpn_credential"];
    let own = match finding.rule.id.as_str() {
        "bulk_through_gate" => Role::Object,
        "appliance_reaches_inside" => Role::Origin,
        _ => return,
    };
    let is_own = |e: &&makyo_base::Entity| e.kind == EntityKind::Address && e.role == own;
    made.through =
        finding.entities.iter().find(is_own).map(|e| e.value.clone()).unwrap_or_default();
    if made.through == made.address {
        made.address.clear();
    }
}

/// How somebody entered the cloud, and how else it could have been.
fn cloud_vector(
    picture: &Picture<'_>,
    incident: &Incident,
    finding: &Finding,
) -> Option<(&'static str, Vec<&'static str>)> {
    let others = vec!["stolen_token", "phishing"];
    match finding.rule.id.as_str() {
        "sign_in_fan_in" => {
            let theft = incident.findings.iter().any(|one| {
                picture
                    .finding(*one)
                    .is_some_and(|other| is_directory_theft(other) && other.time <= finding.time)
            });
            Some(("stolen_credential", if theft { Vec::new() } else { others }))
        }
        "posing_as_user" if !is_in_fan_in(picture, incident, finding) => {
            Some(("stolen_credential", others))
        }
        "posing_by_phishing" => Some(("phishing", vec!["stolen_token"])),
        "posing_with_stolen_token" => Some(("stolen_token", Vec::new())),
        _ => None,
    }
}

/// Whether a wider finding on the same source says it already.
fn is_in_fan_in(picture: &Picture<'_>, incident: &Incident, finding: &Finding) -> bool {
    let fan_ins = incident
        .findings
        .iter()
        .filter_map(|index| picture.finding(*index))
        .filter(|other| other.rule.id == "sign_in_fan_in");
    let actors = finding.entities.iter().filter(|entity| entity.role == Role::Actor);
    fan_ins
        .flat_map(|fan_in| &fan_in.entities)
        .any(|entity| actors.clone().any(|own| own == entity))
}

fn unknown(picture: &Picture<'_>, incident: &Incident) -> Entry {
    let first = incident
        .findings
        .iter()
        .copied()
        .min_by_key(|index| picture.finding(*index).map(|f| (f.time, f.id.clone())))
        .unwrap_or_default();
    Entry {
        incident: incident.id.clone(),
        vector: "unknown",
        time: picture.finding(first).and_then(|finding| finding.time),
        finding: first,
        through: String::new(),
        account: String::new(),
        message: String::new(),
        address: String::new(),
        product: String::new(),
        explained: false,
        alternatives: Vec::new(),
        finding_id: picture.finding_id(first),
    }
}

const COLUMNS: &[&str] = &[
    "incident",
    "vector",
    "time",
    "through",
    "account",
    "message",
    "address",
    "product",
    "flaw",
    "explained_by_authentication",
    "alternatives",
    "finding",
];

pub(crate) fn table(entries: &[Entry]) -> Table {
    Table { name: "entry", columns: COLUMNS, rows: entries.iter().map(row).collect() }
}

fn row(entry: &Entry) -> Object<'static> {
    object(vec![
        ("incident", text(entry.incident.clone())),
        ("vector", text(entry.vector)),
        ("time", time(entry.time)),
        ("through", maybe(Some(&entry.through))),
        ("account", maybe(Some(&entry.account))),
        ("message", maybe(Some(&entry.message))),
        ("address", maybe(Some(&entry.address))),
        ("product", maybe(Some(&entry.product))),
        // A flaw is named by an investigation of the device, never guessed from its log.
        ("flaw", Value::Null),
        ("explained_by_authentication", Value::Bool(entry.explained)),
        ("alternatives", Value::List(entry.alternatives.iter().map(|one| text(*one)).collect())),
        ("finding", text(entry.finding_id.clone())),
    ])
}
