//! What is too weak to belong to an incident by itself, and does because the intruder did it.
//!
//! A list of trusts, a new second factor, a search for files: on any other day nobody would look
//! twice. Done in a session, from an address or on a host while these were the intruder's, it is a
//! step of theirs; so is every call to where the incident's own findings call. It adds no weight and
//! joins nothing.

use std::collections::BTreeSet;

use makyo_base::{EntityKind, Finding, HOUR_NS, Organisation, Role};

use crate::facts::Facts;
use crate::incident::{Incident, MEMBER_DB, is_membership, is_suspicion};
use crate::intruder::{Intruder, is_foreign};

/// After a logon of the intruder's the account acts for them on that host for so long.
const LOGON_NS: i64 = 12 * HOUR_NS;

/// After an incident's last finding calls to the same place are still its own for so long.
const CALLS_NS: i64 = 7 * makyo_base::DAY_NS;

/// Gives each incident the minor findings that its intruder made.
pub(crate) fn add_minor(
    incidents: &mut [Incident],
    findings: &[Finding],
    facts: &Facts,
    intruder: &Intruder,
    organisation: &Organisation,
) {
    let called: Vec<BTreeSet<&str>> = incidents
        .iter()
        .map(|one| one.findings.iter().filter_map(|index| findings.get(*index)))
        .map(|own| own.flat_map(|finding| called_outside(finding, organisation)).collect())
        .collect();
    for (index, finding) in findings.iter().enumerate() {
        if finding.weight_db >= MEMBER_DB || is_membership(finding) || is_suspicion(finding) {
            continue;
        }
        let Some(anchor) = anchor(finding, facts, intruder) else {
            let of_calls = incidents.iter_mut().zip(&called).find(|(incident, called)| {
                finding
                    .time
                    .is_some_and(|time| (incident.start..=incident.end + CALLS_NS).contains(&time))
                    && called_outside(finding, organisation).any(|one| called.contains(one))
            });
            if let Some((incident, _)) = of_calls {
                incident.minor.push(index);
            }
            continue;
        };
        if let Some(one) = incidents.iter_mut().find(|one| one.findings.contains(&anchor)) {
            one.minor.push(index);
        }
    }
}

/// The outside addresses that something inside called.
fn called_outside<'a>(
    finding: &'a Finding,
    organisation: &'a Organisation,
) -> impl Iterator<Item = &'a str> {
    let called = finding.entities.iter().filter(|one| {
        one.kind == EntityKind::Address
            && one.role == Role::Destination
            && is_foreign(&one.value, organisation)
    });
    called.map(|one| one.value.as_str())
}

/// The finding that says that the intruder was who did this.
pub(crate) fn anchor(finding: &Finding, facts: &Facts, intruder: &Intruder) -> Option<usize> {
    let time = finding.time?;
    let named = |kind: EntityKind, roles: &[Role]| {
        let of_kind = finding.entities.iter().filter(move |one| one.kind == kind);
        let of_role = of_kind.filter(|one| roles.contains(&one.role));
        of_role.map(|one| facts.names.resolve(&one.value)).collect::<Vec<String>>()
    };
    let accounts = named(EntityKind::Account, &[Role::Actor]);
    let hosts = named(EntityKind::Host, &[Role::Place]);
    let step = intruder.steps.iter().find(|step| {
        hosts.contains(&step.to)
            && accounts.contains(&step.account)
            && (step.time..=step.time + LOGON_NS).contains(&time)
    });
    if let Some(step) = step {
        return Some(step.finding);
    }
    if !hosts.is_empty() {
        return None;
    }
    let sessions = named(EntityKind::Session, &[Role::Object, Role::Target]);
    let session = sessions.first().map(String::as_str).unwrap_or_default();
    let addresses = named(EntityKind::Address, &[Role::Origin]);
    let address = addresses.first().map(String::as_str).unwrap_or_default();
    let account = accounts.first()?;
    if session.is_empty() && address.is_empty() {
        return intruder.during(account, time, facts);
    }
    intruder.tie(account, session, address, time).map(|one| one.0)
}
