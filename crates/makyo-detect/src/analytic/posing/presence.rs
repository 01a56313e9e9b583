//! Was the owner there? Sign-ins from the organisation's own addresses against VPN tunnels and
//! registered devices inside.

use std::collections::BTreeMap;

use makyo_base::{DAY_NS, HOUR_NS, Query, QueryError};

use super::own::Origin;
use super::scale::Scale;
use super::unit::Unit;
use super::weigh::Evidence;

/// Tunnels, by account as the appliance writes it.
const TUNNELS: &str = "
    SELECT o.account, coalesce(o.src_endpoint_ip, '') AS outside,
           coalesce(o.tunnel_interface_ip, '') AS inside,
           CAST(o.time AS BIGINT) AS start, CAST(min(c.time) AS BIGINT) AS finish
    FROM events o LEFT JOIN events c
      ON c.class_uid = 4014 AND c.activity_id = 2 AND c.actor_session_uid = o.actor_session_uid
     AND c.time > o.time AND c.source = o.source
    WHERE o.class_uid = 4014 AND o.activity_id = 1 AND o.account IS NOT NULL
      AND o.time IS NOT NULL
    GROUP BY o.account, o.src_endpoint_ip, o.tunnel_interface_ip, o.time
    ORDER BY o.account, start, outside, inside";

/// Sign-ins inside that must be explained by presence before a missing one means anything.
const EXPLAINED_MIN: u32 = 20;
/// How far around a sign-in the owner's device shows presence.
const AROUND_NS: i64 = 2 * HOUR_NS;

/// When accounts were connected.
pub(super) struct Presence {
    /// Tunnels by the local part of the account.
    tunnels: BTreeMap<String, Vec<(i64, i64)>>,
    /// The intruder's tunnels.
    intruder: Vec<(i64, i64)>,
    /// For each account, its sign-ins from own addresses without a registered device: how many
    /// presence explains, and of how many.
    unbound: BTreeMap<String, (u32, u32)>,
    tenant: (u32, u32),
    /// The share of the owners' sign-ins that fall into the intruder's tunnels.
    covered: f64,
}

fn local(account: &str) -> &str {
    let account = account.split('@').next().unwrap_or(account);
    account.rsplit('\\').next().unwrap_or(account)
}

impl Presence {
    /// Reads tunnels; `intruder` are those that no login precedes or that are otherwise known.
    pub(super) fn read(
        query: &dyn Query,
        units: &[Unit],
        intruder: Vec<(i64, i64)>,
    ) -> Result<Self, QueryError> {
        let mut tunnels: BTreeMap<String, Vec<(i64, i64)>> = BTreeMap::new();
        for row in query.query(TUNNELS)?.iter() {
            let Some(start) = row.integer("start") else { continue };
            let end = row.integer("finish").unwrap_or(start + 8 * HOUR_NS).min(start + DAY_NS);
            let account = row.string("account");
            tunnels.entry(local(&account).to_owned()).or_default().push((start, end));
        }
        let mut presence =
            Presence { tunnels, intruder, unbound: BTreeMap::new(), tenant: (0, 0), covered: 0.0 };
        let own = || units.iter().filter(|unit| unit.origin == Origin::Own);
        for unit in own().filter(|unit| unit.entered.is_some() && !unit.is_bound()) {
            let explained = presence.explains(unit, units_of(units, unit));
            let entry = presence.unbound.entry(unit.account.clone()).or_default();
            entry.0 += u32::from(explained);
            entry.1 += 1;
            presence.tenant.0 += u32::from(explained);
            presence.tenant.1 += 1;
        }
        let bound = || own().filter(|unit| unit.is_bound()).filter_map(|unit| unit.entered);
        let within = bound().filter(|at| presence.in_intruders_tunnel(*at)).count();
        #[allow(clippy::cast_precision_loss, reason = "sign-ins of one tenant")]
        let share = (within as f64 + 0.5) / (bound().count() as f64 + 1.0);
        presence.covered = share.max(covered(&presence.intruder, units));
        Ok(presence)
    }

    fn in_intruders_tunnel(&self, at: i64) -> bool {
        self.intruder.iter().any(|times| times.0 <= at && at <= times.1)
    }

    fn explains<'a>(&self, unit: &Unit, mut others: impl Iterator<Item = &'a Unit>) -> bool {
        if unit.is_bound() {
            return true;
        }
        let Some(at) = unit.entered else { return true };
        let within = |times: &(i64, i64)| times.0 - AROUND_NS / 2 <= at && at <= times.1;
        if self.tunnels.get(local(&unit.account)).into_iter().flatten().any(within) {
            return true;
        }
        // The owner's own device inside at that time.
        others.any(|other| {
            other.origin == Origin::Own
                && other.is_bound()
                && other.first <= at + AROUND_NS
                && at - AROUND_NS <= other.last
        })
    }

    /// Evidence for units that sign in from the organisation's own addresses.
    pub(super) fn weigh(&self, unit: &Unit, all: &[Unit], scale: &Scale) -> Vec<Evidence> {
        let mut found = Vec::new();
        let (Origin::Own, Some(at), false) = (unit.origin, unit.entered, unit.is_bound()) else {
            return found;
        };
        if self.tenant.1 >= EXPLAINED_MIN && !self.explains(unit, units_of(all, unit)) {
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
            found.push(scale.graded("absent", weight, text));
        }
        if self.in_intruders_tunnel(at) {
            let weight = (-10.0 * self.covered.log10()).max(0.0);
            let text = format!(
                "from the organisation's own {} while the intruder's VPN tunnel was up ({:.1} % of the owners' sign-ins fall into such times)",
                unit.address,
                self.covered * 100.0
            );
            found.push(scale.graded("in_tunnel", weight, text));
        }
        found
    }
}

/// Units of the same account; they are sorted by account.
fn units_of<'a>(units: &'a [Unit], unit: &Unit) -> impl Iterator<Item = &'a Unit> {
    let from = units.partition_point(|one| one.account < unit.account);
    let account = unit.account.clone();
    units.get(from..).into_iter().flatten().take_while(move |one| one.account == account)
}

/// The share of the own-address sign-ins' time that the tunnels cover.
fn covered(tunnels: &[(i64, i64)], units: &[Unit]) -> f64 {
    let first = units.iter().map(|unit| unit.first).min().unwrap_or_default();
    let last = units.iter().map(|unit| unit.last).max().unwrap_or_default();
    let mut sorted = tunnels.to_vec();
    sorted.sort_unstable();
    let mut until = i64::MIN;
    let mut total = 0_i64;
    for (start, end) in sorted {
        total += (end - start.max(until)).max(0);
        until = until.max(end);
    }
    #[allow(clippy::cast_precision_loss, reason = "shares of time")]
    let share = total as f64 / (last - first).max(1) as f64;
    share.min(1.0)
}
