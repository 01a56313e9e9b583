//! Habits: what an account's owner uses, learned from the units that nobody suspects.

use std::collections::{BTreeMap, BTreeSet};

use super::own::Origin;
use super::unit::Unit;

/// What can be new about a unit.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Feature {
    Network,
    Asn,
    Country,
    /// System and browser.
    Client,
    /// Registered device.
    Device,
    /// Sign-in protocol or kind of client.
    Protocol,
}

/// One account's own past.
#[derive(Debug, Default)]
struct Habit {
    days: BTreeSet<i32>,
    /// For each value, the days on which it was used.
    values: BTreeMap<(Feature, String), BTreeSet<i32>>,
    /// Sign-in units, bound and not, by their first day.
    bound: Vec<i32>,
    unbound: Vec<i32>,
}

/// All accounts' pasts.
#[derive(Debug, Default)]
pub(super) struct Habits {
    accounts: BTreeMap<String, Habit>,
    /// Sign-in units of the tenant by system and browser, without a device.
    clients: BTreeMap<String, u32>,
    units: u32,
    /// How many accounts use each value.
    users: BTreeMap<(Feature, String), usize>,
}

/// Days of a past from which it is not thin.
const DAYS_MIN: usize = 5;
/// Further away from the past's first days, a new value is a change of habit.
const SETTLED_DAYS: usize = 2;

/// How much is known about one account when a unit begins.
pub(super) struct Past<'a> {
    habit: Option<&'a Habit>,
    /// The unit's first day and all of its days.
    first: i32,
    own: &'a BTreeSet<i32>,
    /// Whether there are too few days before to speak of a habit; then all days but the unit's own
    /// are taken for its past.
    pub(super) is_thin: bool,
}

impl Habits {
    /// Learns from units that are not suspected; `suspected` is asked by place.
    pub(super) fn learn(units: &[Unit], suspected: &BTreeSet<usize>) -> Self {
        let mut habits = Habits::default();
        for (at, unit) in units.iter().enumerate() {
            if suspected.contains(&at) {
                continue;
            }
            let habit = habits.accounts.entry(unit.account.clone()).or_default();
            habit.days.extend(&unit.days);
            for (feature, value) in features(unit) {
                habit.values.entry((feature, value)).or_default().extend(&unit.days);
            }
            if !unit.signs_in {
                continue;
            }
            let day = unit.days.first().copied().unwrap_or_default();
            if unit.is_bound() {
                habit.bound.push(day);
            } else {
                habit.unbound.push(day);
                for client in clients(unit) {
                    *habits.clients.entry(client).or_default() += 1;
                }
            }
            habits.units += 1;
        }
        for value in habits.accounts.values().flat_map(|habit| habit.values.keys()) {
            *habits.users.entry(value.clone()).or_default() += 1;
        }
        habits
    }

    /// The past of a unit's account at the time when it begins.
    pub(super) fn past<'a>(&'a self, unit: &'a Unit) -> Past<'a> {
        let habit = self.accounts.get(&unit.account);
        let first = unit.days.first().copied().unwrap_or_default();
        let before = habit.map_or(0, |habit| habit.days.range(..first).count());
        Past { habit, first, own: &unit.days, is_thin: before < DAYS_MIN }
    }

    /// The share of the tenant's sign-in units that have no device and this client.
    fn client_share(&self, client: &str) -> f64 {
        let count = self.clients.get(client).copied().unwrap_or_default();
        f64::from(count + 1) / f64::from(self.units + 20)
    }

    /// The chance that a sign-in of this account comes without a device from this client, by its
    /// own past and, where that is thin, the tenant's (a Dirichlet back-off of weight one).
    pub(super) fn unbound_chance(&self, unit: &Unit) -> f64 {
        let past = self.past(unit);
        let clients = clients(unit);
        let days = clients.iter().map(|client| past.days_of(Feature::Client, client));
        let known = days.max().unwrap_or_default();
        let share = clients.iter().map(|client| self.client_share(client)).fold(0.01, f64::max);
        let (bound, unbound) = past.devices();
        let total = bound + unbound;
        // Days on which the client was used stand for the units, of which there may be several.
        let with_client = known.min(unbound);
        let count = |number: usize| f64::from(u32::try_from(number).unwrap_or(u32::MAX));
        (count(with_client) + share) / (count(total) + 1.0)
    }

    /// Accounts that use a value on clean days.
    pub(super) fn users(&self, feature: Feature, value: &str) -> usize {
        self.users.get(&(feature, value.to_owned())).copied().unwrap_or_default()
    }

    /// Networks of all accounts together, one that two accounts use counted twice.
    pub(super) fn networks(&self) -> usize {
        let users = self.users.iter().filter(|one| one.0.0 == Feature::Network);
        users.map(|one| one.1).sum()
    }
}

impl Past<'_> {
    /// Days of the past.
    pub(super) fn days(&self) -> usize {
        self.all().count()
    }

    fn all(&self) -> impl Iterator<Item = i32> {
        let days = self.habit.into_iter().flat_map(|habit| habit.days.iter().copied());
        days.filter(|day| self.has(*day))
    }

    fn has(&self, day: i32) -> bool {
        if self.is_thin { !self.own.contains(&day) } else { day < self.first }
    }

    /// Days of the past on which a value was used.
    pub(super) fn days_of(&self, feature: Feature, value: &str) -> usize {
        let days = self.habit.and_then(|habit| habit.values.get(&(feature, value.to_owned())));
        days.into_iter().flatten().filter(|day| self.has(**day)).count()
    }

    /// Sign-in units with and without a registered device.
    pub(super) fn devices(&self) -> (usize, usize) {
        let within = |days: &Vec<i32>| days.iter().filter(|day| self.has(**day)).count();
        self.habit.map_or((0, 0), |habit| (within(&habit.bound), within(&habit.unbound)))
    }

    /// How surprising it is that this value is new, in decibans: the account's own rate of taking
    /// up new ones (Krichevsky-Trofimov, half a count for the unseen). Nothing if it is not new or
    /// if there is no past.
    pub(super) fn surprise(&self, feature: Feature, value: &str) -> Option<f64> {
        let habit = self.habit?;
        if value.is_empty() || self.days() == 0 || self.days_of(feature, value) > 0 {
            return None;
        }
        let settled = self.all().nth(SETTLED_DAYS).unwrap_or(i32::MAX);
        let of_feature = habit.values.iter().filter(|entry| entry.0.0 == feature);
        let adopted = of_feature
            .filter_map(|entry| entry.1.iter().find(|day| self.has(**day)))
            .filter(|first| **first >= settled)
            .count();
        let count = |number: usize| f64::from(u32::try_from(number).unwrap_or(u32::MAX));
        let rate = (count(adopted) + 0.5) / (count(self.days()) + 1.0);
        let surprise = (-10.0 * rate.log10()).max(0.0);
        Some(if self.is_thin { surprise / 2.0 } else { surprise })
    }
}

/// System and browser of a unit, a word for each.
pub(super) fn clients(unit: &Unit) -> Vec<String> {
    let browsers = unit.browsers.iter().copied().filter(|one| !one.is_empty());
    browsers.map(|browser| format!("{}/{browser}", unit.os)).collect()
}

fn features(unit: &Unit) -> Vec<(Feature, String)> {
    let mut features = Vec::new();
    let mut add = |feature, value: String| {
        if !value.is_empty() {
            features.push((feature, value));
        }
    };
    // What a service shows of its own network says nothing about the person.
    if unit.origin != Origin::Service {
        add(Feature::Network, unit.network.clone());
        add(Feature::Country, unit.country.clone());
        if unit.asn != 0 {
            add(Feature::Asn, unit.asn.to_string());
        }
    }
    if unit.signs_in {
        for client in clients(unit) {
            add(Feature::Client, client);
        }
        add(Feature::Device, unit.device.clone());
        for protocol in &unit.protocols {
            add(Feature::Protocol, protocol.clone());
        }
    }
    for client in &unit.clients {
        add(Feature::Protocol, client.clone());
    }
    features
}
