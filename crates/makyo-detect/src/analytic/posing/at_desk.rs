//! Was the owner's own computer in use elsewhere just then?
//!
//! People have private computers too, and leave the one at work running: how often sign-ins of
//! theirs meet that is measured, by the account's own and, where there are few, by everybody's.

use std::collections::{BTreeMap, BTreeSet};

use makyo_base::{DAY_NS, MINUTE_NS, Query, QueryError, address_network};

use super::agent::os_family;
use super::own::Origin;
use super::scale::Scale;
use super::unit::Unit;
use super::weigh::Evidence;

/// When registered devices of an account signed in, by address and system.
const SQL: &str = "
    SELECT account, src_endpoint_ip AS address, coalesce(device_os_name, '') AS os,
           array_agg(DISTINCT CAST(CAST(time AS BIGINT) / 60000000000 AS BIGINT)) AS minutes
    FROM events
    WHERE class_uid = 3002 AND account LIKE '%@%' AND src_endpoint_ip IS NOT NULL
      AND time IS NOT NULL AND status = 'Success'
      AND (device_uid IS NOT NULL OR device_is_managed)
      AND source IN ('entra-sign-in', 'google-workspace')
    GROUP BY account, src_endpoint_ip, device_os_name
    ORDER BY account, address, os";

/// Minutes before and after.
const AROUND: i64 = 30;
const DAY: i64 = DAY_NS / MINUTE_NS;
/// Days before and after on which the owner's computer is looked for at the same time.
const DAYS: i64 = 14;

/// Minutes in which registered computers of each account were used, with their networks.
pub(super) struct Desks {
    used: BTreeMap<String, BTreeMap<i64, BTreeSet<String>>>,
    /// The log's first and last minute.
    log: (i64, i64),
}

impl Desks {
    pub(super) fn read(query: &dyn Query, units: &[Unit]) -> Result<Self, QueryError> {
        let minutes = |at: i64| at.div_euclid(MINUTE_NS);
        let first = units.iter().map(|unit| minutes(unit.first)).min().unwrap_or_default();
        let last = units.iter().map(|unit| minutes(unit.last)).max().unwrap_or_default();
        let mut desks = Desks { used: BTreeMap::new(), log: (first, last) };
        for row in query.query(SQL)?.iter() {
            let os = row.text("os").map(os_family).unwrap_or_default();
            let Some(address) = row.address("address").filter(|_| !matches!(os, "ios" | "android"))
            else {
                continue;
            };
            let network = address_network(address);
            let used = desks.used.entry(row.string("account")).or_default();
            for minute in row.list("minutes").iter().filter_map(|one| one.parse::<i64>().ok()) {
                used.entry(minute).or_default().insert(network.clone());
            }
        }
        Ok(desks)
    }

    /// How far away in minutes the owner's computer was used in another network, and where.
    fn elsewhere(&self, unit: &Unit, minute: i64) -> Option<(i64, &str)> {
        let used = self.used.get(&unit.account)?.range(minute - AROUND..=minute + AROUND);
        let elsewhere = used.filter_map(|(at, networks)| {
            let network = networks.iter().find(|one| **one != unit.network)?;
            Some(((at - minute).abs(), network.as_str()))
        });
        elsewhere.min()
    }

    fn meets(&self, unit: &Unit) -> Option<(i64, &str)> {
        moments(unit).into_iter().filter_map(|minute| self.elsewhere(unit, minute)).min()
    }

    /// How often a stranger who comes at such an hour meets the owner's computer.
    fn by_hour(&self, unit: &Unit) -> f64 {
        let minute = unit.entered.unwrap_or(unit.first).div_euclid(MINUTE_NS);
        let days = (-DAYS..=DAYS).filter(|day| *day != 0).map(|day| minute + day * DAY);
        let days = days.filter(|one| self.log.0 <= *one && *one <= self.log.1);
        let (met, all) = days.fold((0_u32, 0_u32), |(met, all), one| {
            (met + u32::from(self.elsewhere(unit, one).is_some()), all + 1)
        });
        (f64::from(met) + 0.5) / (f64::from(all) + 1.0)
    }
}

/// When a unit is known to have been there.
fn moments(unit: &Unit) -> BTreeSet<i64> {
    let ends = [Some(unit.first), Some(unit.last), unit.entered];
    ends.into_iter().flatten().map(|at| at.div_euclid(MINUTE_NS)).collect()
}

/// Whether it is somebody at a computer outside that is not registered.
fn is_asked(unit: &Unit) -> bool {
    unit.origin == Origin::Outside
        && unit.signs_in
        && !unit.is_bound()
        && !unit.is_phone()
        && !unit.os.is_empty()
}

/// Evidence for each unit, by place.
pub(super) fn weigh(
    units: &[Unit],
    desks: &Desks,
    suspected: &BTreeSet<usize>,
    scale: &Scale,
) -> BTreeMap<usize, Evidence> {
    let asked = || units.iter().enumerate().filter(|one| is_asked(one.1));
    let mut accounts: BTreeMap<&str, (u32, u32)> = BTreeMap::new();
    for (_, unit) in asked().filter(|one| !suspected.contains(&one.0)) {
        let own = accounts.entry(&unit.account).or_default();
        *own = (own.0 + u32::from(desks.meets(unit).is_some()), own.1 + 1);
    }
    // Each person's own way of working counts once, however often they sign in.
    let share = |one: &(u32, u32)| f64::from(one.0) / f64::from(one.1.max(1));
    let shares: f64 = accounts.values().map(share).sum();
    let people = f64::from(u32::try_from(accounts.len()).unwrap_or(u32::MAX));
    let mut signs = BTreeMap::new();
    for (at, unit) in asked() {
        let Some((minutes, network)) = desks.meets(unit) else { continue };
        let own = accounts.get(unit.account.as_str());
        let (own_share, is_one) = own.map_or((0.0, 0.0), |own| (share(own), 1.0));
        let usual = (shares - own_share + 0.5) / (people - is_one + 1.0);
        // It is no example itself.
        let itself = u32::from(!suspected.contains(&at));
        let own = own.map_or((0, 0), |own| (own.0 - itself, own.1 - itself));
        let chance = (f64::from(own.0) + usual) / (f64::from(own.1) + 1.0);
        let weight = (10.0 * (desks.by_hour(unit) / chance).log10()).max(0.0);
        let text = format!(
            "within {minutes} minutes of it the owner's registered computer signed in from {network}, as with {:.1} % of such sign-ins",
            100.0 * chance
        );
        signs.insert(at, scale.graded("at_desk", weight, text));
    }
    signs
}
