//! Was the owner's own computer in use elsewhere just then?
//!
//! People have private computers too, and leave the one at work running. So it is measured how often
//! their sign-ins meet their own computer, against how often they would if they knew nothing of each
//! other: by the account's own and, where there are few, by everybody's. A stranger knows nothing of
//! the owner's computer.

use std::collections::{BTreeMap, BTreeSet};

use makyo_base::{DAY_NS, MINUTE_NS, Query, QueryError, address_network};

use super::agent::{is_computer, os_family};
use super::habit::{Feature, Habits};
use super::own::Origin;
use super::scale::Scale;
use super::unit::Unit;
use super::weigh::Evidence;

/// When registered devices of an account signed in, in slots of five minutes.
const SQL: &str = "
    SELECT account, src_endpoint_ip AS address, device_uid AS device, device_os_name AS os,
           array_agg(DISTINCT CAST(CAST(time AS BIGINT) / 300000000000 AS BIGINT)) AS slots
    FROM events
    WHERE class_uid = 3002 AND account LIKE '%@%' AND src_endpoint_ip IS NOT NULL
      AND time IS NOT NULL AND status = 'Success'
      AND device_uid IS NOT NULL AND device_os_name IS NOT NULL
      AND source IN ('entra-sign-in', 'google-workspace')
    GROUP BY account, src_endpoint_ip, device_uid, device_os_name
    ORDER BY account, address, device, os";

const SLOT_NS: i64 = 5 * MINUTE_NS;
const DAY: i64 = DAY_NS / SLOT_NS;
/// The computer signs in within half an hour, on the one side or the other,
const NEAR: i64 = 6;
/// and on the other side, in the same network, within half a working day: who goes from the one
/// computer to the other has gone home.
const SAME_STAY: i64 = 48;
/// Days before and after on which the owner's computer is looked for at the same time.
const DAYS: i64 = 14;
/// A device is the owner's after so many days.
const OWNERS: i64 = 2 * DAY;

/// When computers of each account that are registered for days signed in, and from which network.
#[derive(Default)]
pub(super) struct Desks {
    /// By account, in the order of time; networks by their number.
    used: BTreeMap<String, Vec<(i64, usize)>>,
    networks: Vec<String>,
    /// The first and last slot of all.
    span: (i64, i64),
}

impl Desks {
    pub(super) fn read(query: &dyn Query) -> Result<Self, QueryError> {
        let mut devices: BTreeMap<(String, String), Vec<(i64, usize)>> = BTreeMap::new();
        let mut numbers: BTreeMap<String, usize> = BTreeMap::new();
        for row in query.query(SQL)?.iter() {
            let os = row.text("os").map(os_family).unwrap_or_default();
            let Some(address) = row.address("address") else { continue };
            if !is_computer(os) {
                continue;
            }
            let count = numbers.len();
            let number = *numbers.entry(address_network(address)).or_insert(count);
            let used = devices.entry((row.string("account"), row.string("device"))).or_default();
            let slots = row.list("slots").iter().filter_map(|one| one.parse::<i64>().ok());
            used.extend(slots.map(|slot| (slot, number)));
        }
        let mut desks = Desks { networks: vec![String::new(); numbers.len()], ..Desks::default() };
        for (network, number) in numbers {
            if let Some(name) = desks.networks.get_mut(number) {
                *name = network;
            }
        }
        for ((account, _), used) in devices {
            let since = used.iter().map(|one| one.0).min().unwrap_or_default() + OWNERS;
            let of_account = desks.used.entry(account).or_default();
            of_account.extend(used.into_iter().filter(|one| one.0 >= since));
        }
        desks.used.values_mut().for_each(|used| used.sort_unstable());
        let all = || desks.used.values().flatten().map(|one| one.0);
        desks.span = (all().min().unwrap_or_default(), all().max().unwrap_or_default());
        Ok(desks)
    }

    /// How far away in slots the account's computer signed in from another network in which it was
    /// before and after, and from where.
    fn elsewhere(&self, unit: &Unit, slot: i64) -> Option<(i64, &str)> {
        let used = self.used.get(&unit.account)?;
        let middle = used.partition_point(|one| one.0 < slot);
        let (before, after) = used.split_at_checked(middle)?;
        let before = nearest(before.iter().rev(), slot);
        let after = nearest(after.iter(), slot);
        let stays = before.iter().filter_map(|(network, earlier)| {
            let (_, later) = after.iter().find(|one| one.0 == *network)?;
            let name = self.network(*network);
            (name != unit.network).then_some(((*earlier).min(*later), name))
        });
        stays.min().filter(|one| one.0 <= NEAR)
    }

    fn network(&self, number: usize) -> &str {
        self.networks.get(number).map_or("", String::as_str)
    }

    /// How often whoever comes at such an hour meets the owner's computer by chance.
    fn by_chance(&self, unit: &Unit, slot: i64) -> f64 {
        let days = (-DAYS..=DAYS).filter(|day| *day != 0).map(|day| slot + day * DAY);
        let days = days.filter(|one| self.span.0 <= *one && *one <= self.span.1);
        let (met, all) = days.fold((0_u32, 0_u32), |(met, all), one| {
            (met + u32::from(self.elsewhere(unit, one).is_some()), all + 1)
        });
        f64::from(met) / f64::from(all.max(1))
    }
}

/// How far away in slots each network was used next, within the same stay.
fn nearest<'a>(used: impl Iterator<Item = &'a (i64, usize)>, slot: i64) -> Vec<(usize, i64)> {
    let mut nearest: Vec<(usize, i64)> = Vec::new();
    for (at, network) in used.take_while(|one| (one.0 - slot).abs() <= SAME_STAY) {
        if !nearest.iter().any(|one| one.0 == *network) {
            nearest.push((*network, (at - slot).abs()));
        }
    }
    nearest
}

/// A sign-in that could meet its owner's computer.
struct Asked<'a> {
    at: usize,
    account: &'a str,
    met: Option<(i64, &'a str)>,
    by_chance: f64,
}

/// Sign-ins outside, from a network that is not known for the owner's, by somebody at a computer
/// that is not registered, while the log has computers of the account.
fn asked<'a>(units: &'a [Unit], habits: &Habits, desks: &'a Desks) -> Vec<Asked<'a>> {
    let bound = units.iter().filter(|unit| unit.is_bound());
    let with_owner: BTreeSet<(&str, &str)> =
        bound.map(|unit| (unit.account.as_str(), unit.network.as_str())).collect();
    let is_asked = |unit: &Unit| {
        unit.origin == Origin::Outside
            && unit.signs_in
            && !unit.is_bound()
            && unit.is_computer()
            && desks.used.get(&unit.account).is_some_and(|used| !used.is_empty())
            && !with_owner.contains(&(unit.account.as_str(), unit.network.as_str()))
            && habits.past(unit).days_of(Feature::Network, &unit.network) == 0
    };
    let asked = units.iter().enumerate().filter(|one| is_asked(one.1));
    let asked = asked.filter_map(|(at, unit)| {
        let slot = unit.entered.unwrap_or(unit.first).div_euclid(SLOT_NS);
        let within = desks.span.0 <= slot && slot <= desks.span.1;
        within.then(|| Asked {
            at,
            account: &unit.account,
            met: desks.elsewhere(unit, slot),
            by_chance: desks.by_chance(unit, slot),
        })
    });
    asked.collect()
}

/// Sign-ins of an account, those that met its computer, and how many would have by chance.
#[derive(Clone, Copy, Default)]
struct Meetings {
    all: i32,
    met: i32,
    by_chance: f64,
}

impl Meetings {
    fn add(&mut self, one: &Asked<'_>, times: i32) {
        self.all += times;
        self.met += times * i32::from(one.met.is_some());
        self.by_chance += f64::from(times) * one.by_chance;
    }

    fn and(self, other: &Self) -> Self {
        let (all, met) = (self.all + other.all, self.met + other.met);
        Meetings { all, met, by_chance: self.by_chance + other.by_chance }
    }

    /// Of one sign-in: each person's own way of working counts once, however often they sign in.
    fn of_one(self) -> (f64, f64) {
        let all = f64::from(self.all.max(1));
        (f64::from(self.met) / all, self.by_chance / all)
    }
}

/// Evidence for each unit, by place. `confirmed` units are no example of what owners do.
pub(super) fn weigh(
    units: &[Unit],
    desks: &Desks,
    habits: &Habits,
    confirmed: &BTreeSet<usize>,
    scale: &Scale,
) -> BTreeMap<usize, Evidence> {
    let asked = asked(units, habits, desks);
    let mut accounts: BTreeMap<&str, Meetings> = BTreeMap::new();
    for one in asked.iter().filter(|one| !confirmed.contains(&one.at)) {
        accounts.entry(one.account).or_default().add(one, 1);
    }
    let all = accounts.values().fold(Meetings::default(), |sum, one| sum.and(one));
    let each = accounts.values().fold((0.5, 0.5), |sum, one| {
        let (met, by_chance) = one.of_one();
        (sum.0 + met, sum.1 + by_chance)
    });
    let mut signs = BTreeMap::new();
    for one in &asked {
        let Some((slots, network)) = one.met else { continue };
        let (mut own, mut all, mut others) = (Meetings::default(), all, each);
        if let Some(of_account) = accounts.get(one.account) {
            let (met, by_chance) = of_account.of_one();
            (own, others) = (*of_account, (others.0 - met, others.1 - by_chance));
        }
        // It is no example itself.
        if !confirmed.contains(&one.at) {
            own.add(one, -1);
            all.add(one, -1);
        }
        // Owners meet their computer so much more often than strangers do.
        let more = (f64::from(own.met) + others.0 / others.1) / (own.by_chance + 1.0);
        let text = format!(
            "within {} minutes of it the owner's registered computer signed in from {network}; of {} other sign-ins from new places without one {} met theirs so, where {:.1} would by chance",
            5 * (slots + 1),
            all.all,
            all.met,
            all.by_chance.abs()
        );
        signs.insert(one.at, scale.graded("at_desk", (-10.0 * more.log10()).max(0.0), text));
    }
    signs
}
