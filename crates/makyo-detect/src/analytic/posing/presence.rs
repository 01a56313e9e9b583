//! Was the owner there? Sign-ins from the organisation's own addresses against VPN tunnels and
//! registered devices inside.

use std::collections::{BTreeMap, BTreeSet};

use makyo_base::{HOUR_NS, Query, QueryError};

use super::own::{Origin, Own};
use super::scale::Scale;
use super::unit::Unit;
use super::vpn::{Tunnel, local};
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
