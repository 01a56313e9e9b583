//! Was the owner there? Sign-ins from the organisation's own addresses against VPN tunnels and
//! registered devices inside.

use std::collections::{BTreeMap, BTreeSet};

use makyo_base::{HOUR_NS, Query, QueryError};

use super::own::{Origin, Own};
use super::scale::Scale;
use super::unit::Unit;
use super::vpn::{FromInside, Tunnel, local};
use super::weigh::Evidence;

/// Hours in which registered devices of an account were seen, by address.
const HOURS: &str = "
    SELECT account, src_endpoint_ip AS address,
           array_agg(DISTINCT CAST(CAST(time AS BIGINT) / 3600000000000 AS BIGINT)) AS hours
    FROM events
    WHERE class_uid = 3002 AND account LIKE '%@%' AND src_endpoint_ip IS NOT NULL
      AND time IS NOT NULL AND status = 'Success'
      AND (device_uid IS NOT NULL OR device_is_managed)
      AND source IN ('entra-sign-in', 'm365-unified-audit', 'google-workspace')
    GROUP BY account, src_endpoint_ip
    ORDER BY account, address";

/// Sign-ins inside without a device that a tenant must have before a missing presence means
/// anything.
const EXPLAINED_MIN: u32 = 20;
/// An own address with such a share of the sign-ins made over tunnels is where tunnels come out.
const EXIT_SHARE: f64 = 0.1;
/// A tunnel may begin so long after the sign-in that its owner makes first.
const AROUND_NS: i64 = HOUR_NS / 2;

/// When accounts were connected.
pub(super) struct Presence {
    /// Tunnels by the local part of the account.
    tunnels: BTreeMap<String, Vec<(i64, i64)>>,
    /// Hours with a registered device inside, by account.
    inside: BTreeMap<String, BTreeSet<i64>>,
    /// For each account, its sign-ins from own addresses without a registered device: how many
    /// presence explains, and of how many.
    unbound: BTreeMap<String, (u32, u32)>,
    tenant: (u32, u32),
}

/// The intruder's tunnels, and the share of the owners' sign-ins that fall into them.
pub(super) struct Intruders {
    times: Vec<(i64, i64)>,
    exits: BTreeSet<String>,
    share: f64,
}

/// Of units that are entered while an intruder's tunnel is up, how many may be so by accident.
#[derive(Default)]
pub(super) struct Accidents {
    /// Decibans of what speaks against each unit besides the tunnel, sorted: while tunnels were
    /// up, and at other times.
    within: Vec<f64>,
    without: Vec<f64>,
    share: f64,
}

/// So small a part of the units that are as strange as one may be there by accident, if it is to
/// be confirmed.
const ACCIDENTS_MAX: f64 = 0.02;
/// The same among those that are about as strange, where there are fewer to count.
const ACCIDENTS_ABOUT_MAX: f64 = 0.04;
const ABOUT_DB: f64 = 2.5;

impl Accidents {
    /// `units`: decibans besides the tunnel, and whether one was up.
    pub(super) fn new(units: impl Iterator<Item = (f64, bool)>, intruders: &Intruders) -> Self {
        let mut accidents = Accidents { share: intruders.share, ..Accidents::default() };
        for (weight, within) in units {
            if within { &mut accidents.within } else { &mut accidents.without }.push(weight);
        }
        accidents.within.sort_by(f64::total_cmp);
        accidents.without.sort_by(f64::total_cmp);
        accidents
    }

    /// Whether hardly any unit that is as strange as this one is there by accident: those of other
    /// times, in the share of the owners' sign-ins that fall into the tunnels, over those within.
    /// It has to hold for all that are as strange or stranger, and for those about as strange,
    /// because the strangest would vouch for the rest.
    pub(super) fn exclude(&self, weight_db: f64) -> bool {
        let hold = |from: f64, to: f64, most: f64| {
            let between = |list: &[f64]| {
                let count = list.partition_point(|one| *one <= to)
                    - list.partition_point(|one| *one < from);
                f64::from(u32::try_from(count).unwrap_or(u32::MAX))
            };
            let odds = self.share / (1.0 - self.share).max(0.01);
            (between(&self.without) + 0.5) * odds <= most * between(&self.within)
        };
        hold(weight_db - 1e-9, f64::INFINITY, ACCIDENTS_MAX)
            && hold(weight_db - ABOUT_DB, weight_db + ABOUT_DB, ACCIDENTS_ABOUT_MAX)
    }
}

impl Intruders {
    /// `inside` are sign-ins through the addresses where tunnels come out.
    pub(super) fn new(times: Vec<(i64, i64)>, inside: &FromInside) -> Self {
        let within = |at: i64| times.iter().any(|time| time.0 <= at && at <= time.1);
        let count = |number: usize| f64::from(u32::try_from(number).unwrap_or(u32::MAX));
        let owners = inside.owners.iter().filter(|at| within(**at)).count();
        let share = (count(owners) + 0.5) / (count(inside.owners.len()) + 1.0);
        Intruders { times, exits: inside.exits.clone(), share }
    }

    /// Whether a unit without a device enters through where tunnels come out.
    pub(super) fn may_weigh(&self, unit: &Unit) -> bool {
        unit.entered.is_some() && !unit.is_bound() && self.exits.contains(&unit.address)
    }

    /// Evidence for a unit that enters from inside while an intruder's tunnel is up.
    pub(super) fn weigh(&self, unit: &Unit, scale: &Scale) -> Option<Evidence> {
        let at = unit.entered.filter(|_| unit.origin == Origin::Own && !unit.is_bound())?;
        let within = self.exits.contains(&unit.address)
            && self.times.iter().any(|time| time.0 <= at && at <= time.1);
        let text = format!(
            "from the organisation's own {} while the intruder's VPN tunnel was up, into which {:.1} % of the owners' sign-ins fall",
            unit.address,
            self.share * 100.0
        );
        within.then(|| scale.graded("in_tunnel", -10.0 * self.share.log10(), text))
    }
}

impl Presence {
    pub(super) fn read(
        query: &dyn Query,
        units: &[Unit],
        own: &Own,
        tunnels: &[Tunnel],
    ) -> Result<Self, QueryError> {
        let mut presence = Presence {
            tunnels: BTreeMap::new(),
            inside: BTreeMap::new(),
            unbound: BTreeMap::new(),
            tenant: (0, 0),
        };
        for tunnel in tunnels {
            let times = presence.tunnels.entry(local(&tunnel.account).to_owned()).or_default();
            times.push((tunnel.start, tunnel.end));
        }
        for row in query.query(HOURS)?.iter() {
            let address = row.address("address").map(|one| one.to_string()).unwrap_or_default();
            if own.origin(&address) == Origin::Own {
                let hours = row.list("hours").iter().filter_map(|hour| hour.parse::<i64>().ok());
                presence.inside.entry(row.string("account")).or_default().extend(hours);
            }
        }
        for unit in units.iter().filter(|unit| unit.origin == Origin::Own && !unit.is_bound()) {
            let Some(at) = unit.entered else { continue };
            let explained = u32::from(presence.explains(unit, at));
            let entry = presence.unbound.entry(unit.account.clone()).or_default();
            entry.0 += explained;
            entry.1 += 1;
            presence.tenant.0 += explained;
            presence.tenant.1 += 1;
        }
        Ok(presence)
    }

    /// Own addresses through which tunnels come out: where accounts with a tunnel up sign in from.
    pub(super) fn exits(&self, units: &[Unit]) -> BTreeSet<String> {
        let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
        let mut all = 0_u32;
        for unit in units.iter().filter(|unit| unit.origin == Origin::Own) {
            let tunnels = self.tunnels.get(local(&unit.account));
            let is_up =
                |at: i64| tunnels.into_iter().flatten().any(|times| times.0 <= at && at <= times.1);
            if unit.entered.is_some_and(is_up) {
                *counts.entry(&unit.address).or_default() += 1;
                all += 1;
            }
        }
        let is_exit = |one: &(&str, u32)| f64::from(one.1) >= EXIT_SHARE * f64::from(all);
        counts.into_iter().filter(is_exit).map(|one| one.0.to_owned()).collect()
    }

    fn explains(&self, unit: &Unit, at: i64) -> bool {
        let within = |times: &(i64, i64)| times.0 - AROUND_NS <= at && at <= times.1;
        if self.tunnels.get(local(&unit.account)).into_iter().flatten().any(within) {
            return true;
        }
        // The owner's own device inside, in the hours around.
        let hour = at.div_euclid(HOUR_NS);
        let hours = self.inside.get(&unit.account);
        hours.is_some_and(|hours| hours.range(hour - 1..=hour + 1).next().is_some())
    }

    /// Evidence for units that enter from the organisation's own addresses.
    pub(super) fn weigh(&self, unit: &Unit, scale: &Scale) -> Option<Evidence> {
        let at = unit.entered.filter(|_| unit.origin == Origin::Own && !unit.is_bound())?;
        if self.tenant.1 < EXPLAINED_MIN || self.explains(unit, at) {
            return None;
        }
        let tenant = f64::from(self.tenant.0) / f64::from(self.tenant.1);
        // The account's own other sign-ins, backed off to the tenant's.
        let (explained, count) = self.unbound.get(&unit.account).copied().unwrap_or_default();
        let others = f64::from(count.saturating_sub(1));
        let share = (f64::from(explained) + tenant) / (others + 1.0);
        let weight = (-10.0 * (1.0 - share).max(1e-3).log10()).max(0.0);
        let text = format!(
            "from the organisation's own {}, with neither a VPN tunnel nor a device of the owner there at the time, as {:.0} % of such sign-ins have",
            unit.address,
            share * 100.0
        );
        Some(scale.graded("absent", weight, text))
    }
}
