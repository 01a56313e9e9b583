//! Findings that belong to one intrusion.
//!
//! Two findings belong together if they name the same host, account, session, message or outside
//! address within a month, or if one leads to the other by records: a leased address logs on to a
//! host, a message's recipient runs something, a copied directory is followed by sign-ins of its
//! accounts. What everybody shares (the organisation's own addresses, mail recipients, inside
//! addresses) joins nothing.

use std::collections::{BTreeMap, BTreeSet};

use makyo_base::{
    DAY_NS, EntityKind, Finding, FindingSource, HOUR_NS, Organisation, Role, short_id,
};

use crate::facts::Facts;
use crate::intruder::{Intruder, is_foreign, is_posing};
use crate::minor::{add_minor, anchor};

/// Findings this far apart are joined by nothing but a chain of others.
const JOIN_NS: i64 = 30 * DAY_NS;
/// From a message to what its recipient runs.
const OPENED_NS: i64 = 72 * HOUR_NS;
/// Between two signs of access through an appliance.
const THROUGH_NS: i64 = 3 * DAY_NS;
/// From a copied directory to the use of its accounts.
const THEFT_NS: i64 = 90 * DAY_NS;
/// Weight from which a finding can belong to an incident.
pub(crate) const MEMBER_DB: f64 = 7.0;

#[derive(Debug)]
pub(crate) struct Incident {
    pub(crate) id: String,
    /// Places of its findings, in the order of time.
    pub(crate) findings: Vec<usize>,
    /// Places of findings that are too weak to belong to it by themselves, but were the intruder's.
    pub(crate) minor: Vec<usize>,
    pub(crate) weight_db: f64,
    pub(crate) start: i64,
    pub(crate) end: i64,
}

impl Incident {
    /// Places of all that was the intruder's, in the order of time.
    pub(crate) fn all(&self) -> Vec<usize> {
        let mut all: Vec<usize> = self.findings.iter().chain(&self.minor).copied().collect();
        all.sort_unstable();
        all
    }
}

/// Whether a finding only suspects that somebody else acts as an account's owner.
pub(crate) fn is_suspicion(finding: &Finding) -> bool {
    matches!(
        finding.rule.id.as_str(),
        "suspected_posing"
            | "vpn_session_moved"
            | "vpn_impossible_travel"
            | "vpn_from_hosting"
            | "vpn_parallel_sessions"
            | "third_party_elsewhere"
    )
}

/// Whether a finding shows access through an appliance that no logged authentication explains.
pub(crate) fn is_through_appliance(finding: &Finding) -> bool {
    matches!(
        finding.rule.id.as_str(),
        "tunnel_without_authentication"
            | "ghost_pool_address"
            | "bulk_through_gate"
            | "appliance_reaches_inside"
    )
}

/// Whether a finding says that an own device serves a botnet. That is somebody else's crime with
/// our machine: it makes no incident, joins none, and drags nobody into one who reaches the same
/// address.
pub(crate) fn is_membership(finding: &Finding) -> bool {
    finding.rule.id == "botnet_member"
}

/// Techniques that give away every account of a directory.
pub(crate) fn is_directory_theft(finding: &Finding) -> bool {
    finding.weight_db >= MEMBER_DB
        && finding.techniques.iter().any(|one| one == "T1003.003" || one == "T1003.006")
}

pub(crate) fn incidents(
    findings: &[Finding],
    facts: &Facts,
    intruder: &Intruder,
    organisation: &Organisation,
    least: f64,
    strong: f64,
) -> Vec<Incident> {
    let mut sets = Sets((0..findings.len()).collect());
    let members: Vec<usize> = (0..findings.len())
        .filter(|index| {
            findings
                .get(*index)
                .is_some_and(|f| f.weight_db >= MEMBER_DB && f.time.is_some() && !is_membership(f))
        })
        .collect();
    let owners = owners_own(&members, findings, facts, intruder);
    join_by_entities(&mut sets, &members, &owners, findings, facts, organisation);
    join_by_networks(&mut sets, &members, findings, facts, organisation, strong);
    join_by_inside_addresses(&mut sets, &members, findings, facts, strong);
    join_by_records(&mut sets, &members, findings, facts, intruder, organisation);
    let mut groups: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for index in &members {
        groups.entry(sets.root(*index)).or_default().push(*index);
    }
    let mut found: Vec<Incident> = groups
        .into_values()
        .filter_map(|group| incident(group, findings, intruder, least, strong))
        .collect();
    found.sort_by(|a, b| (a.start, &a.id).cmp(&(b.start, &b.id)));
    add_minor(&mut found, findings, facts, intruder, organisation);
    found
}

fn incident(
    group: Vec<usize>,
    findings: &[Finding],
    intruder: &Intruder,
    least: f64,
    strong: f64,
) -> Option<Incident> {
    let own: Vec<&Finding> = group.iter().filter_map(|index| findings.get(*index)).collect();
    let weight_db = weigh(&own);
    // A suspicion joins an incident and never makes one.
    let makes = |finding: &&&Finding| finding.weight_db >= strong && !is_suspicion(finding);
    if weight_db < least || !own.iter().any(|finding| makes(&finding)) {
        return None;
    }
    let times = || own.iter().filter_map(|finding| finding.time);
    let steps =
        intruder.steps.iter().filter(|step| group.contains(&step.finding)).map(|step| step.time);
    let mut ids: Vec<&str> = own.iter().map(|finding| finding.id.as_str()).collect();
    ids.sort_unstable();
    Some(Incident {
        id: short_id("incident", &ids),
        start: times().chain(steps.clone()).min()?,
        end: times().chain(steps).max()?,
        weight_db,
        findings: group,
        minor: Vec::new(),
    })
}

/// Decibans of a group: within a tactic the strongest counts in full, the next half, and so on,
/// because what looks alike often has one cause; two findings on one record are one witness, and
/// so is one rule that finds the same account at the same thing again.
fn weigh(findings: &[&Finding]) -> f64 {
    let mut witnesses: BTreeMap<(&str, u64), &Finding> = BTreeMap::new();
    for finding in findings {
        for record in &finding.records {
            let entry = witnesses.entry((&record.file, record.record)).or_insert(finding);
            if finding.weight_db > entry.weight_db {
                *entry = finding;
            }
        }
    }
    let heard: BTreeSet<&str> = witnesses.values().map(|finding| finding.id.as_str()).collect();
    let mut habits: BTreeMap<(&str, Vec<&str>), &Finding> = BTreeMap::new();
    for finding in findings.iter().filter(|finding| heard.contains(finding.id.as_str())) {
        let entry = habits.entry((&finding.rule.id, doers(finding))).or_insert(finding);
        if finding.weight_db > entry.weight_db {
            *entry = finding;
        }
    }
    let mut families: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for finding in habits.into_values() {
        let family = finding.tactics.first().map_or("other", String::as_str);
        families.entry(family).or_default().push(finding.weight_db);
    }
    families
        .into_values()
        .map(|mut weights| {
            weights.sort_by(|a, b| b.total_cmp(a));
            weights
                .iter()
                .zip(0..16)
                .map(|(weight, rank)| weight / f64::from(1_u32 << rank))
                .sum::<f64>()
        })
        .sum()
}

/// Who did it; on hosts where nobody is named, the host.
fn doers(finding: &Finding) -> Vec<&str> {
    let of = |kind: EntityKind, role: Role| {
        let all = finding.entities.iter().filter(move |one| one.kind == kind && one.role == role);
        all.map(|one| one.value.as_str()).collect::<Vec<_>>()
    };
    let accounts = of(EntityKind::Account, Role::Actor);
    if accounts.is_empty() { of(EntityKind::Host, Role::Place) } else { accounts }
}

/// What the owner of an account did in the cloud, in whose name somebody else acts, or may act, at
/// other times:
/// the account is two people's, and only what the intruder's session or address did is theirs.
fn owners_own(
    members: &[usize],
    findings: &[Finding],
    facts: &Facts,
    intruder: &Intruder,
) -> BTreeSet<usize> {
    let actors = |index| names_of(findings, facts, index, EntityKind::Account, Role::Actor);
    let is_posed = |index: &usize| {
        findings.get(*index).is_some_and(|f| {
            is_posing(&f.rule.id) || is_suspicion(f) || f.rule.id == "posing_over_vpn"
        })
    };
    let posed: BTreeSet<String> =
        members.iter().copied().filter(is_posed).flat_map(actors).collect();
    let is_owners = |index: &usize| {
        let Some(finding) = findings.get(*index).filter(|f| f.source != FindingSource::Analytic)
        else {
            return false;
        };
        let is_on_host = finding.entities.iter().any(|one| one.kind == EntityKind::Host);
        let is_placed = finding
            .entities
            .iter()
            .any(|one| matches!(one.kind, EntityKind::Session) || one.kind == EntityKind::Address);
        !is_on_host
            && is_placed
            && actors(*index).iter().any(|account| posed.contains(account))
            && anchor(finding, facts, intruder).is_none()
    };
    members.iter().copied().filter(is_owners).collect()
}

fn join_by_entities(
    sets: &mut Sets,
    members: &[usize],
    owners: &BTreeSet<usize>,
    findings: &[Finding],
    facts: &Facts,
    organisation: &Organisation,
) {
    let mut last: BTreeMap<(EntityKind, String), (usize, i64)> = BTreeMap::new();
    let mut ordered: Vec<usize> = members.to_vec();
    ordered.sort_by_key(|index| findings.get(*index).map(|f| (f.time, f.id.clone())));
    for index in ordered {
        let Some(finding) = findings.get(index) else { continue };
        let time = finding.time.unwrap_or_default();
        for entity in &finding.entities {
            let joins = match (entity.kind, entity.role) {
                (EntityKind::Host, Role::Place) | (EntityKind::Message, _) => true,
                // Each Windows host counts its logons by itself, and some numbers are the same on
                // all of them.
                (EntityKind::Session, _) => !entity.value.starts_with("0x"),
                (EntityKind::Account, Role::Actor | Role::Origin) => !owners.contains(&index),
                (EntityKind::Address, _) => is_foreign(&entity.value, organisation),
                _ => false,
            };
            if !joins {
                continue;
            }
            let value = if entity.kind == EntityKind::Account {
                facts.names.resolve(&entity.value)
            } else {
                entity.value.clone()
            };
            let key = (entity.kind, value);
            if let Some((other, before)) = last.get(&key)
                && time - before <= JOIN_NS
            {
                sets.join(*other, index);
            }
            last.insert(key, (index, time));
        }
    }
}

/// Accounts up to which a network is nobody's but the intruder's.
const NETWORK_USERS_MAX: usize = 2;

/// Confirmed strangers from one outside network that hardly anybody else comes from are one.
fn join_by_networks(
    sets: &mut Sets,
    members: &[usize],
    findings: &[Finding],
    facts: &Facts,
    organisation: &Organisation,
    strong: f64,
) {
    let network = |address: &str| {
        let parsed = address.parse().ok().filter(|_| is_foreign(address, organisation));
        parsed.map(makyo_base::address_network)
    };
    let actors = |index: usize| names_of(findings, facts, index, EntityKind::Account, Role::Actor);
    let of = |index: &usize| findings.get(*index);
    let posed_in: Vec<usize> = members
        .iter()
        .copied()
        .filter(|index| of(index).is_some_and(|one| is_posing(&one.rule.id) || is_suspicion(one)))
        .collect();
    let time = |index: &usize| findings.get(*index).and_then(|finding| finding.time);
    // A suspicion takes part where something else than suspicion speaks of its account.
    let mut certain: BTreeMap<String, Vec<i64>> = BTreeMap::new();
    for index in members {
        if of(index).is_some_and(|one| !is_suspicion(one) && one.weight_db >= strong) {
            for account in actors(*index) {
                certain.entry(account).or_default().extend(time(index));
            }
        }
    }
    let is_known = |index: &&usize| {
        let at = time(index).unwrap_or_default();
        let near = |times: &Vec<i64>| times.iter().any(|one| (at - one).abs() <= JOIN_NS);
        actors(**index).iter().any(|account| certain.get(account).is_some_and(near))
    };
    // An account in a stranger's hands is no witness that a network is everybody's.
    let is_certain = |index: &usize| of(index).is_some_and(|one| is_posing(&one.rule.id));
    let strange = posed_in.iter().filter(|index| is_certain(index) || is_known(index));
    let posed: BTreeSet<String> = strange.flat_map(|index| actors(*index)).collect();
    let mut strangers: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for index in posed_in.iter().filter(is_known) {
        let from = names_of(findings, facts, *index, EntityKind::Address, Role::Origin);
        for network in from.iter().filter_map(|one| network(one)).collect::<BTreeSet<_>>() {
            strangers.entry(network).or_default().push(*index);
        }
    }
    let mut users: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    let others = || facts.sign_ins.iter().filter(|one| one.is_success && one.is_cloud);
    // Without sign-ins nobody knows who else comes from there.
    if others().next().is_none() {
        return;
    }
    for one in others().filter(|one| !posed.contains(&one.account)) {
        if let Some(network) = network(&one.address).filter(|one| strangers.contains_key(one)) {
            users.entry(network).or_default().insert(&one.account);
        }
    }
    for (network, mut own) in strangers {
        if users.get(&network).map_or(0, BTreeSet::len) > NETWORK_USERS_MAX {
            continue;
        }
        own.sort_by_key(|index| (time(index), *index));
        for pair in own.windows(2) {
            if let [before, after] = pair
                && time(after).zip(time(before)).is_some_and(|(b, a)| b - a <= JOIN_NS)
            {
                sets.join(*before, *after);
            }
        }
    }
}

/// What flows show of an inside address belongs to what was found on the computer that had it,
/// from the time on at which that computer was somebody else's.
fn join_by_inside_addresses(
    sets: &mut Sets,
    members: &[usize],
    findings: &[Finding],
    facts: &Facts,
    strong: f64,
) {
    let at = |index: usize| findings.get(index).and_then(|finding| finding.time);
    let mut taken: BTreeMap<String, (i64, usize)> = BTreeMap::new();
    for index in members {
        let is_strong = findings.get(*index).is_some_and(|one| one.weight_db >= strong);
        let Some(time) = at(*index).filter(|_| is_strong) else { continue };
        for host in names_of(findings, facts, *index, EntityKind::Host, Role::Place) {
            let first = taken.entry(host).or_insert((time, *index));
            *first = (time, *index).min(*first);
        }
    }
    for index in members {
        let places = names_of(findings, facts, *index, EntityKind::Host, Role::Place);
        let Some(time) = at(*index).filter(|_| places.is_empty()) else { continue };
        for address in names_of(findings, facts, *index, EntityKind::Address, Role::Origin) {
            let host = facts.addresses.host(&address, time).and_then(|host| taken.get(host));
            if let Some((since, first)) = host
                && (*since..=since + JOIN_NS).contains(&time)
            {
                sets.join(*first, *index);
            }
        }
    }
}

fn join_by_records(
    sets: &mut Sets,
    members: &[usize],
    findings: &[Finding],
    facts: &Facts,
    intruder: &Intruder,
    organisation: &Organisation,
) {
    let time =
        |index: usize| findings.get(index).and_then(|finding| finding.time).unwrap_or_default();
    let names = |index, kind, role| names_of(findings, facts, index, kind, role);
    for step in &intruder.steps {
        for index in members {
            let on_host = names(*index, EntityKind::Host, Role::Place).contains(&step.to);
            if on_host && (step.time - HOUR_NS..=step.time + 7 * DAY_NS).contains(&time(*index)) {
                sets.join(step.finding, *index);
            }
        }
    }
    for mail in
        members.iter().filter(|index| !names(**index, EntityKind::Message, Role::Object).is_empty())
    {
        let recipients = names(*mail, EntityKind::Account, Role::Target);
        for index in members
            .iter()
            .filter(|index| (time(*mail)..=time(*mail) + OPENED_NS).contains(&time(**index)))
        {
            let is_on_host = !names(*index, EntityKind::Host, Role::Place).is_empty();
            let actors = names(*index, EntityKind::Account, Role::Actor);
            if is_on_host && actors.intersection(&recipients).next().is_some() {
                sets.join(*mail, *index);
            }
        }
    }
    // Somebody who is inside by a tunnel enters accounts from the organisation's own addresses.
    for index in members.iter().filter(|index| {
        findings.get(**index).is_some_and(|f| {
            is_posing(&f.rule.id) || is_suspicion(f) || f.rule.id == "attempts_from_tunnel"
        })
    }) {
        let from = names(*index, EntityKind::Address, Role::Origin);
        let is_inside = !from.iter().any(|address| is_foreign(address, organisation));
        let mut leases = intruder.leases.iter();
        let lease = leases.find(|lease| (lease.from..=lease.to).contains(&time(*index)));
        if let (true, Some(lease)) = (is_inside, lease) {
            sets.join(lease.finding, *index);
        }
    }
    join_thefts(sets, members, findings, facts);
    join_ways_through(sets, members, findings);
}

/// A copied directory, and the use of its accounts.
fn join_thefts(sets: &mut Sets, members: &[usize], findings: &[Finding], facts: &Facts) {
    let time =
        |index: usize| findings.get(index).and_then(|finding| finding.time).unwrap_or_default();
    for theft in
        members.iter().filter(|index| findings.get(**index).is_some_and(is_directory_theft))
    {
        for index in members {
            let is_entry = findings
                .get(*index)
                .is_some_and(|f| f.rule.id == "sign_in_fan_in" || is_posing(&f.rule.id));
            if !is_entry || !(time(*theft)..=time(*theft) + THEFT_NS).contains(&time(*index)) {
                continue;
            }
            let entered = names_of(findings, facts, *index, EntityKind::Account, Role::Actor);
            let known = entered
                .iter()
                .filter(|account| {
                    facts.accounts.get(*account).is_some_and(|seen| !seen.domains.is_empty())
                })
                .count();
            if known * 2 >= entered.len() {
                sets.join(*theft, *index);
            }
        }
    }
}

/// Ways through an appliance that show at the same time are one way.
fn join_ways_through(sets: &mut Sets, members: &[usize], findings: &[Finding]) {
    let mut through: Vec<(i64, usize)> = members
        .iter()
        .filter_map(|index| {
            let finding = findings.get(*index).filter(|finding| is_through_appliance(finding))?;
            Some((finding.time?, *index))
        })
        .collect();
    through.sort_unstable();
    for pair in through.windows(2) {
        if let [before, after] = pair
            && after.0 - before.0 <= THROUGH_NS
        {
            sets.join(before.1, after.1);
        }
    }
}

/// The entities of one kind in one role, in their canonical form.
fn names_of(
    findings: &[Finding],
    facts: &Facts,
    index: usize,
    kind: EntityKind,
    role: Role,
) -> BTreeSet<String> {
    let entities =
        findings.get(index).map(|finding| finding.entities.as_slice()).unwrap_or_default();
    entities
        .iter()
        .filter(|e| e.kind == kind && e.role == role)
        .map(|e| facts.names.resolve(&e.value))
        .collect()
}

/// Disjoint sets.
struct Sets(Vec<usize>);

impl Sets {
    fn root(&mut self, index: usize) -> usize {
        let mut at = index;
        while let Some(parent) = self.0.get(at).copied().filter(|parent| *parent != at) {
            at = parent;
        }
        if let Some(place) = self.0.get_mut(index) {
            *place = at;
        }
        at
    }

    fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.root(a), self.root(b));
        // The smaller number leads, so that the order of joining does not matter.
        if let Some(place) = self.0.get_mut(a.max(b)) {
            *place = a.min(b);
        }
    }
}
