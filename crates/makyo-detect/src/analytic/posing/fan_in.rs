//! One source, many accounts: units that share an outside place that their owners do not use, or,
//! from inside, a client that they do not use.

use std::collections::{BTreeMap, BTreeSet};

use super::agent::{in_words, without_versions};
use super::habit::{Feature, Habits};
use super::own::Origin;
use super::scale::Scale;
use super::unit::Unit;
use super::weigh::Evidence;

/// Units of several accounts from one source.
#[derive(Clone, Debug)]
pub(super) struct Group {
    pub(super) address: String,
    /// Places of the units.
    pub(super) units: Vec<usize>,
    /// Decibans for each of them.
    pub(super) weight_db: f64,
    /// Whether the group is so clear that it convicts by itself.
    pub(super) is_anchored: bool,
    text: String,
}

/// Accounts that make a group.
const ACCOUNTS_MIN: usize = 3;
/// Decibans of one account at most: one odd sign-in is no proof.
const ACCOUNT_DB: f64 = 13.0;
/// A group whose surprise is this great, over this many accounts, is no accident.
const ANCHOR_DB: f64 = 50.0;
const ANCHOR_ACCOUNTS_MIN: usize = 5;
/// Decibans at most of a group of telephones.
const PHONES_DB: f64 = 10.0;
/// A chance below which a sign-in from inside is unlike the account's owner.
pub(super) const UNLIKE_CHANCE: f64 = 0.15;
/// A place that accounts use on so many days before is theirs.
const KNOWN_DAYS: usize = 3;
/// A network that more accounts use so is a provider's for everybody.
const USERS_MAX: usize = 2;

/// Groups, over outside addresses and over the organisation's own by day.
pub(super) fn groups(units: &[Unit], habits: &Habits) -> Vec<Group> {
    let mut places: BTreeMap<(&str, String, i32), Vec<usize>> = BTreeMap::new();
    for (at, unit) in new_outside(units, habits, |unit| &unit.address) {
        places.entry((&unit.address, String::new(), 0)).or_default().push(at);
    }
    let inside = units.iter().enumerate().filter(|one| is_candidate(one.1));
    for (at, unit) in inside.filter(|one| one.1.origin == Origin::Own) {
        let day = unit.days.first().copied().unwrap_or_default();
        let agents: BTreeSet<String> =
            unit.agents.iter().map(|agent| without_versions(agent)).collect();
        for agent in agents {
            places.entry((&unit.address, agent, day)).or_default().push(at);
        }
    }
    let inside = inside_rates(units, habits, &places);
    places
        .into_iter()
        .filter_map(|((address, agent, _), at)| {
            let own: Vec<(usize, &Unit)> =
                at.iter().filter_map(|at| units.get(*at).map(|unit| (*at, unit))).collect();
            if own.first()?.1.origin == Origin::Own {
                from_inside(address, &agent, &own, habits, &inside)
            } else {
                from_outside(address, &own, habits)
            }
        })
        .collect()
}

fn is_candidate(unit: &Unit) -> bool {
    unit.signs_in && !unit.is_bound() && unit.origin != Origin::Service
}

/// Units outside without a registered device whose account was new to the network when it first
/// came to the place. Where the owner's registered device is too, the owner is.
fn new_outside<'a>(
    units: &'a [Unit],
    habits: &Habits,
    place: fn(&Unit) -> &str,
) -> Vec<(usize, &'a Unit)> {
    let mut first: BTreeMap<(&str, &str), &Unit> = BTreeMap::new();
    for unit in units.iter().filter(|unit| is_candidate(unit)) {
        let entry = first.entry((&unit.account, place(unit))).or_insert(unit);
        if unit.first < entry.first {
            *entry = unit;
        }
    }
    let bound = units.iter().filter(|unit| unit.is_bound());
    let with_owner: BTreeSet<(&str, &str)> =
        bound.map(|unit| (unit.account.as_str(), unit.network.as_str())).collect();
    let is_new = |unit: &Unit| {
        !with_owner.contains(&(unit.account.as_str(), unit.network.as_str()))
            && first.get(&(unit.account.as_str(), place(unit))).is_some_and(|first| {
                habits.past(first).days_of(Feature::Network, &unit.network) < KNOWN_DAYS
            })
    };
    let outside = units.iter().enumerate().filter(|one| one.1.origin == Origin::Outside);
    outside.filter(|one| is_candidate(one.1) && is_new(one.1)).collect()
}

/// Evidence for each unit, by place: several accounts at different addresses of one network that is
/// new to each of them. It says half of what one address does, because a network has more tenants.
pub(super) fn networks(
    units: &[Unit],
    habits: &Habits,
    scale: &Scale,
) -> BTreeMap<usize, Evidence> {
    let mut days: BTreeMap<(&str, &str), BTreeSet<i32>> = BTreeMap::new();
    for unit in units.iter().filter(|unit| unit.origin == Origin::Outside) {
        days.entry((&unit.network, &unit.account)).or_default().extend(&unit.days);
    }
    let mut known: BTreeMap<&str, usize> = BTreeMap::new();
    for ((network, _), _) in days.iter().filter(|one| one.1.len() >= KNOWN_DAYS) {
        *known.entry(network).or_default() += 1;
    }
    let mut networks: BTreeMap<&str, Vec<(usize, &Unit)>> = BTreeMap::new();
    for one in new_outside(units, habits, |unit| &unit.network) {
        let is_used = known.get(one.1.network.as_str()).is_some_and(|count| *count > USERS_MAX);
        let before = habits.past(one.1).days_of(Feature::Network, &one.1.network);
        if one.1.is_computer() && !is_used && before < KNOWN_DAYS {
            networks.entry(&one.1.network).or_default().push(one);
        }
    }
    let mut signs = BTreeMap::new();
    for (network, own) in networks {
        let addresses: BTreeSet<&str> = own.iter().map(|one| one.1.address.as_str()).collect();
        let Some(group) = from_outside(network, &own, habits).filter(|_| addresses.len() > 1)
        else {
            continue;
        };
        let sign = scale.graded("fan_in_network", group.weight_db / 2.0, group.text);
        signs.extend(group.units.iter().map(|at| (*at, sign.clone())));
    }
    signs
}

fn accounts<'a>(own: &[(usize, &'a Unit)]) -> BTreeSet<&'a str> {
    own.iter().map(|one| one.1.account.as_str()).collect()
}

/// The surprise of an outside address: how unlike each account's owner its sign-in there is. One
/// account is free, because somebody has to be first.
fn from_outside(address: &str, own: &[(usize, &Unit)], habits: &Habits) -> Option<Group> {
    let mut by_account: BTreeMap<&str, f64> = BTreeMap::new();
    for (_, unit) in own {
        let surprise = (-10.0 * habits.unbound_chance(unit).log10()).clamp(0.0, ACCOUNT_DB);
        let entry = by_account.entry(&unit.account).or_insert(surprise);
        *entry = entry.min(surprise);
    }
    if by_account.len() < ACCOUNTS_MIN {
        return None;
    }
    // Colleagues at one hotel bring telephones that nobody registered.
    let is_phones = own.iter().all(|one| one.1.is_phone());
    let most = by_account.values().copied().fold(0.0, f64::max);
    let surprise = by_account.values().sum::<f64>() - most;
    let text = format!(
        "{} accounts were entered from {address}, without a registered device and new to it",
        by_account.len()
    );
    Some(Group {
        address: address.to_owned(),
        units: own.iter().map(|one| one.0).collect(),
        weight_db: if is_phones { (surprise / 4.0).min(PHONES_DB) } else { surprise / 2.0 },
        is_anchored: !is_phones && surprise >= ANCHOR_DB && by_account.len() >= ANCHOR_ACCOUNTS_MIN,
        text,
    })
}

type Places<'a> = BTreeMap<(&'a str, String, i32), Vec<usize>>;

/// How many accounts a day sign in from inside with a client unlike their owner, usually: a low
/// quantile over days, because a campaign may go on for many of them.
fn inside_rates(
    units: &[Unit],
    habits: &Habits,
    places: &Places<'_>,
) -> BTreeMap<(String, String), f64> {
    let mut counts: BTreeMap<(String, String), Vec<usize>> = BTreeMap::new();
    for ((address, agent, _), at) in places {
        let own: Vec<(usize, &Unit)> =
            at.iter().filter_map(|at| units.get(*at).map(|unit| (*at, unit))).collect();
        if own.first().is_some_and(|one| one.1.origin == Origin::Own) {
            let unlike = accounts(&unlike(&own, habits)).len();
            counts.entry(((*address).to_owned(), agent.clone())).or_default().push(unlike);
        }
    }
    let days: BTreeSet<i32> = units.iter().flat_map(|unit| unit.days.iter().copied()).collect();
    let days = days.len() * 5 / 7;
    counts
        .into_iter()
        .map(|(key, mut list)| {
            // Days without any count as none.
            list.resize(list.len().max(days), 0);
            list.sort_unstable();
            let low = list.get(list.len() / 3).copied().unwrap_or_default();
            (key, f64::from(u32::try_from(low).unwrap_or(u32::MAX)) + 0.5)
        })
        .collect()
}

fn unlike<'a>(own: &[(usize, &'a Unit)], habits: &Habits) -> Vec<(usize, &'a Unit)> {
    let is_unlike = |one: &&(usize, &Unit)| {
        !habits.past(one.1).is_thin && habits.unbound_chance(one.1) <= UNLIKE_CHANCE
    };
    own.iter().filter(is_unlike).copied().collect()
}

/// From inside, an address says nothing; that so many owners change their client on one day does.
fn from_inside(
    address: &str,
    agent: &str,
    own: &[(usize, &Unit)],
    habits: &Habits,
    rates: &BTreeMap<(String, String), f64>,
) -> Option<Group> {
    let strange = unlike(own, habits);
    let count = accounts(&strange).len();
    let rate = rates.get(&(address.to_owned(), agent.to_owned())).copied().unwrap_or(0.5);
    let seen = f64::from(u32::try_from(count).unwrap_or(u32::MAX));
    if count < ACCOUNTS_MIN || seen <= 3.0 * rate {
        return None;
    }
    let weight_db = (10.0 * ((seen - rate) / rate).log10()).max(0.0);
    let tail = poisson_tail_db(seen, rate);
    let text = format!(
        "{count} accounts were entered from the organisation's own {address} on one day by one client that none of their owners uses there (usual: {rate:.1} a day), {}",
        in_words(agent)
    );
    Some(Group {
        address: address.to_owned(),
        units: strange.iter().map(|one| one.0).collect(),
        weight_db,
        is_anchored: tail >= ANCHOR_DB && count >= ANCHOR_ACCOUNTS_MIN,
        text,
    })
}

/// How improbable so many are where so many are expected, in decibans: Chernoff's bound on the
/// upper tail of a Poisson variable.
pub(crate) fn poisson_tail_db(seen: f64, expected: f64) -> f64 {
    if seen <= expected {
        return 0.0;
    }
    10.0 * (seen * (seen / expected).ln() - seen + expected) / std::f64::consts::LN_10
}

impl Group {
    /// What it says of each of its units.
    pub(super) fn evidence(&self, scale: &Scale) -> Evidence {
        scale.graded("fan_in", self.weight_db, self.text.clone())
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }
}
