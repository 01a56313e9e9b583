//! What confirmed units name to others: the places from which somebody posed.

use std::collections::{BTreeMap, BTreeSet};

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
}

impl Shared {
    pub(super) fn of(confirmed: &BTreeSet<usize>, units: &[Unit], habits: &Habits) -> Self {
        let mut shared = Shared { addresses: BTreeMap::new(), networks: BTreeMap::new() };
        let count = |number: usize| f64::from(u32::try_from(number).unwrap_or(u32::MAX));
        let confirmed = confirmed.iter().filter_map(|at| units.get(*at));
        for unit in confirmed.filter(|unit| unit.origin == Origin::Outside) {
            let names = shared.addresses.entry(unit.address.clone()).or_default();
            names.insert(unit.account.clone());
            // What many use on clean days is nobody's.
            let users = habits.users(Feature::Network, &unit.network);
            let rare = 10.0 * (count(habits.accounts() + 1) / count(users + 1)).log10();
            let entry = shared.networks.entry(unit.network.clone()).or_default();
            entry.0.insert(unit.account.clone());
            entry.1 = rare.max(0.0);
        }
        shared
    }

    pub(super) fn weigh(&self, unit: &Unit, scale: &Scale) -> Option<Evidence> {
        let (names, rare) = self.networks.get(&unit.network)?;
        let is_other = |name: &&String| **name != unit.account;
        let here = self.addresses.get(&unit.address);
        if let Some(other) = here.and_then(|names| names.iter().find(is_other)) {
            let text = format!("{} is where somebody posed as {other}", unit.address);
            return Some(scale.graded("shared", *rare, text));
        }
        let other = names.iter().find(is_other)?;
        let text = format!("{} is where somebody posed as {other}", unit.network);
        Some(scale.graded("shared_network", *rare, text))
    }
}
