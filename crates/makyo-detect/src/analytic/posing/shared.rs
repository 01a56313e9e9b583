//! What confirmed units name to others: the places from which somebody posed.

use std::collections::{BTreeMap, BTreeSet};

use makyo_base::DAY_NS;

use super::habit::{Feature, Habits};
use super::own::Origin;
use super::scale::Scale;
use super::unit::Unit;
use super::weigh::Evidence;

/// What confirmed units share with others: their outside addresses and networks, by whose accounts
/// they entered, and how rare they are.
pub(super) struct Shared {
    pub(super) addresses: BTreeMap<String, BTreeSet<String>>,
    networks: BTreeMap<String, (BTreeSet<String>, f64)>,
    /// Accounts that are confirmed by something else than what they share.
    firm: BTreeSet<String>,
}

/// The signs of a source that is shared with somebody confirmed.
pub(super) const SHARED: [&str; 2] = ["shared", "shared_network"];

/// Outside networks that nobody used before a confirmed unit did, and since when they are a
/// stranger's.
#[derive(Default)]
pub(super) struct Strangers(BTreeMap<String, i64>);

/// So long before the first confirmed unit others may be theirs too.
const BEFORE_NS: i64 = 3 * DAY_NS;
/// Accounts up to which a network was nobody's before.
const USERS_BEFORE_MAX: usize = 2;

impl Strangers {
    pub(super) fn of(confirmed: &BTreeSet<usize>, units: &[Unit]) -> Self {
        let mut since: BTreeMap<String, i64> = BTreeMap::new();
        let confirmed = confirmed.iter().filter_map(|at| units.get(*at));
        for unit in confirmed.filter(|unit| unit.origin == Origin::Outside) {
            let from = unit.first.saturating_sub(BEFORE_NS);
            let known = since.entry(unit.network.clone()).or_insert(from);
            *known = from.min(*known);
        }
        let mut before: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for unit in units {
            if since.get(&unit.network).is_some_and(|from| unit.first < *from) {
                before.entry(&unit.network).or_default().insert(&unit.account);
            }
        }
        let users = |network: &str| before.get(network).map_or(0, BTreeSet::len);
        let own = since.iter().filter(|one| users(one.0) <= USERS_BEFORE_MAX);
        Strangers(own.map(|one| (one.0.clone(), *one.1)).collect())
    }

    /// Whether a unit without a registered device comes from such a network, since it is one. It
    /// teaches nobody what its account's owner uses.
    pub(super) fn has(&self, unit: &Unit) -> bool {
        !unit.is_bound()
            && unit.origin == Origin::Outside
            && self.0.get(&unit.network).is_some_and(|from| *from <= unit.first)
    }
}

impl Shared {
    /// `firm` are those of the confirmed that are so by something else than what they share.
    pub(super) fn of(
        confirmed: &BTreeSet<usize>,
        firm: &BTreeSet<usize>,
        units: &[Unit],
        habits: &Habits,
    ) -> Self {
        let firm = firm.iter().filter_map(|at| units.get(*at)).map(|unit| unit.account.clone());
        let (addresses, networks) = (BTreeMap::new(), BTreeMap::new());
        let mut shared = Shared { addresses, networks, firm: firm.collect() };
        let count = |number: usize| f64::from(u32::try_from(number).unwrap_or(u32::MAX));
        let confirmed = confirmed.iter().filter_map(|at| units.get(*at));
        for unit in confirmed.filter(|unit| unit.origin == Origin::Outside) {
            let names = shared.addresses.entry(unit.address.clone()).or_default();
            names.insert(unit.account.clone());
            // What many use on clean days is nobody's: the chance that somebody's place lies in this
            // network, by all places of all accounts (Krichevsky-Trofimov).
            let users = habits.users(Feature::Network, &unit.network);
            let rare = 10.0 * ((count(habits.networks()) + 1.0) / (count(users) + 0.5)).log10();
            let entry = shared.networks.entry(unit.network.clone()).or_default();
            entry.0.insert(unit.account.clone());
            entry.1 = rare.max(0.0);
        }
        shared
    }

    pub(super) fn weigh(&self, unit: &Unit, scale: &Scale) -> Option<Evidence> {
        let (names, rare) = self.networks.get(&unit.network)?;
        // Two that lean on each other are no reason; a firm one is named where there is one.
        let other = |names: &BTreeSet<String>| {
            let others = names.iter().filter(|name| **name != unit.account);
            others.min_by_key(|name| (!self.firm.contains(*name), *name)).cloned()
        };
        let [here, near] = SHARED;
        if let Some(other) = self.addresses.get(&unit.address).and_then(other) {
            let text = format!("{} is where somebody posed as {other}", unit.address);
            return Some(scale.graded(here, *rare, text));
        }
        let text = format!("{} is where somebody posed as {}", unit.network, other(names)?);
        Some(scale.graded(near, *rare, text))
    }
}
