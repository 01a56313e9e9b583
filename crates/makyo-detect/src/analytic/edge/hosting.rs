//! A VPN login from a rented machine, a VPN service or a relay, by somebody who never came from
//! such a place.
//!
//! What kind of place an address is, only the user's lists say (`--intel`); without one the
//! question is not asked, because a journey looks the same. An own VPN service and a cloud desktop
//! are such places too: who comes from one on several earlier days, or with colleagues, is left
//! alone, and what remains is a lead and no verdict.

use std::collections::{BTreeMap, BTreeSet};

use makyo_base::{
    AddressClass, EntityKind, Finding, Level, Organisation, Places, Query, QueryError, Role,
};

use super::is_foreign;
use super::scale::EdgeScale;
use super::visits::{Past, Visit, Visits};
use crate::analytic::{Analytic, entity};
use crate::weights::Weights;

pub(crate) const ANALYTIC: Analytic = Analytic {
    id: "vpn_from_hosting",
    title: "VPN login from a rented machine or VPN service, new to the account",
    level: Level::Medium,
    techniques: &["T1133", "T1078"],
    tactics: &["initial-access"],
    run,
};

fn run(
    analytic: &Analytic,
    query: &dyn Query,
    organisation: &Organisation,
    weights: &Weights,
    places: &dyn Places,
    _found: &[Finding],
) -> Result<Vec<Finding>, QueryError> {
    if !places.has_classes() {
        return Ok(Vec::new());
    }
    let visits = Visits::read(query)?;
    let most = weights.analytic(analytic.id);
    Ok(judge(&visits, organisation, weights.edge(), places)
        .iter()
        .map(|strange| finding(analytic, strange, most, places))
        .collect())
}

/// A network of such a kind from which an account came for the first time.
#[derive(Debug)]
pub(crate) struct Strange<'v> {
    /// The first day's, and later ones from the same network.
    pub(crate) visits: Vec<&'v Visit>,
    pub(crate) class: AddressClass,
    days_before: usize,
    networks_before: usize,
    /// How likely the account's next network was a new one.
    chance: f64,
    pub(crate) weight_db: f64,
}

/// First visits from places of a kind that neither the account nor colleagues use.
pub(crate) fn judge<'v>(
    visits: &'v Visits,
    organisation: &Organisation,
    scale: &EdgeScale,
    places: &dyn Places,
) -> Vec<Strange<'v>> {
    let mut found = Vec::new();
    for own in visits.by_account() {
        let mut told: BTreeMap<String, Strange<'v>> = BTreeMap::new();
        for (at, visit) in own.iter().enumerate() {
            let Some(class) = places.class(visit.address) else { continue };
            let network = visit.network();
            if let Some(strange) = told.get_mut(&network) {
                strange.visits.push(visit);
                continue;
            }
            let before = own.get(..at).unwrap_or_default();
            let past = Past::of(before);
            let is_habit = before
                .iter()
                .filter(|one| places.class(one.address) == Some(class))
                .map(Visit::day)
                .collect::<BTreeSet<i64>>()
                .len()
                >= scale.habit_days;
            if is_habit
                || past.days < scale.history_days
                || past.days_from(&network) > 0
                || !is_foreign(&visit.address.to_string(), organisation)
                || is_agreed(visit, organisation)
                || visits.is_peopled(&visit.account, visit.address, Some(class))
            {
                continue;
            }
            let strange = Strange {
                visits: vec![visit],
                class,
                days_before: past.days,
                networks_before: past.networks.len(),
                chance: past.chance_of_new(),
                weight_db: 0.0,
            };
            told.insert(network, strange);
        }
        found.extend(told.into_values());
    }
    // Where people keep coming from new places of that kind, one more says little.
    let count = |number: usize| f64::from(u32::try_from(number).unwrap_or(u32::MAX));
    let share = (1.0 + count(found.len())) / (2.0 + count(visits.iter().count()));
    for strange in &mut found {
        strange.weight_db = -10.0 * (strange.chance * share).log10();
    }
    found.retain(|strange| strange.weight_db >= scale.hosting_least);
    found
}

/// Third parties come from where was agreed; otherwise their own analytic tells.
fn is_agreed(visit: &Visit, organisation: &Organisation) -> bool {
    let mut addresses = organisation.third_parties.iter().flat_map(|party| &party.addresses);
    addresses.any(|net| net.contains(&visit.address))
}

/// The kind of place in words.
pub(super) fn place(class: AddressClass) -> &'static str {
    match class {
        AddressClass::Hosting => "a rented machine",
        AddressClass::Vpn => "a VPN service",
        AddressClass::Relay => "a relay",
    }
}

fn finding(analytic: &Analytic, strange: &Strange<'_>, most: f64, places: &dyn Places) -> Finding {
    let first = strange.visits.first();
    let account = first.map(|visit| visit.account.as_str()).unwrap_or_default();
    let address = first.map(|visit| visit.address.to_string()).unwrap_or_default();
    let network = first.and_then(|visit| places.network(visit.address));
    let more = strange.visits.len().saturating_sub(1);
    let text = format!(
        "`{account}` logged in to the VPN from {address}, {} by the lists that were given{}{}; on {} days before it came from {} other networks and never from there, nor do colleagues. An own VPN service or a rented desktop looks the same",
        place(strange.class),
        network.map(|network| format!(" ({network})")).unwrap_or_default(),
        if more == 0 { String::new() } else { format!(", and {more} times later") },
        strange.days_before,
        strange.networks_before,
    );
    let mut entities: Vec<_> =
        entity(Role::Actor, EntityKind::Account, account).into_iter().collect();
    for visit in strange.visits.iter().take(crate::FINDING_RECORDS_MAX) {
        let address = visit.address.to_string();
        entities.extend(entity(Role::Origin, EntityKind::Address, &address));
        entities.extend(entity(Role::Place, EntityKind::Host, &visit.host));
    }
    let records = strange.visits.iter().take(crate::FINDING_RECORDS_MAX);
    let records = records.map(|visit| visit.record.clone()).collect();
    let weight = (strange.weight_db.min(most) * 10.0).round() / 10.0;
    analytic.finding(first.map(|visit| visit.first), weight, entities, records, text)
}
