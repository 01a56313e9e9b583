//! The intruder's tunnels, and who signs in from inside while they are up: by whose hand, and by
//! accident.

use std::collections::{BTreeMap, BTreeSet};

use makyo_base::{DAY_NS, HOUR_NS};

use super::claim::{Candidate, Claims};
use super::own::Origin;
use super::passage::Passage;
use super::scale::Scale;
use super::unit::Unit;
use super::vpn::FromInside;
use super::weigh::Evidence;

/// A tunnel, and the address that it had leased; empty where no log names it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Lease {
    pub(super) start: i64,
    pub(super) end: i64,
    pub(super) inside: String,
}

/// The intruder's tunnels, and at which hours of how many days they were up.
pub(super) struct Intruders {
    pub(super) leases: Vec<Lease>,
    exits: BTreeSet<String>,
    /// By hour of the day, working days and others.
    shares: [[f64; 24]; 2],
    /// Working days and others of the evidence.
    days: [f64; 2],
}

/// How probable it is that a sign-in met an intruder's tunnel by accident.
pub(super) struct Accident {
    pub(super) probability: f64,
    /// Whether it is known whose the tunnel's connections are.
    pub(super) is_claimed: bool,
}

/// Of units that are entered while an intruder's tunnel is up, how many may be so by accident.
pub(super) struct Accidents<'a> {
    /// Whose the tunnels' connections are.
    pub(super) claims: &'a Claims,
    /// Decibans of what speaks against each unit besides the tunnel, sorted: while tunnels were up,
    /// and at other times, with the odds of an accident at that hour of the day.
    within: Vec<f64>,
    without: Vec<(f64, f64)>,
    /// Below which a unit is confirmed: by its connection, where it is probable by its weight or not,
    /// and without.
    claimed_probable: f64,
    claimed: f64,
    part: f64,
}

/// Units so many decibans away are about as strange. There are fewer of them to count, so that
/// twice the part may be accidents.
const ABOUT_DB: f64 = 2.5;

/// One unit for the count of accidents.
pub(super) struct Inside {
    /// Decibans besides the tunnel.
    pub(super) besides: f64,
    pub(super) candidate: Candidate,
    pub(super) is_within: bool,
}

impl<'a> Accidents<'a> {
    pub(super) fn new(
        units: &[Inside],
        intruders: &Intruders,
        claims: &'a Claims,
        scale: &Scale,
    ) -> Self {
        let mut accidents = Accidents {
            claims,
            within: Vec::new(),
            without: Vec::new(),
            claimed_probable: scale.claimed_probable,
            claimed: scale.claimed,
            part: scale.accidents,
        };
        for unit in units {
            if unit.is_within {
                accidents.within.push(unit.besides);
            } else {
                let share = intruders.share(unit.candidate.at);
                accidents.without.push((unit.besides, share / (1.0 - share).max(0.01)));
            }
        }
        accidents.within.sort_by(f64::total_cmp);
        accidents.without.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
        accidents
    }

    /// The probability below which a unit is confirmed.
    pub(super) fn bound(&self, accident: &Accident, is_probable: bool) -> f64 {
        match (accident.is_claimed, is_probable) {
            (true, true) => self.claimed_probable,
            (true, false) => self.claimed,
            (false, _) => self.part,
        }
    }

    /// Nothing is confirmed any more that is as probable an accident as this.
    pub(super) fn tighten(&mut self, least: f64) {
        self.claimed_probable = self.claimed_probable.min(least);
        self.claimed = self.claimed.min(least);
        self.part = self.part.min(least);
    }

    /// What part of the units that are as strange as this one are there by accident: those of other
    /// times, by how often a tunnel is up at their hour of the day, over those within. Counted for
    /// all that are as strange or stranger, and for those about as strange, because the strangest
    /// would vouch for the rest. `connected_db` is what the tunnel's own connection to the cloud
    /// says, which accidents have as rarely.
    pub(super) fn part(&self, besides: f64, connected_db: f64) -> f64 {
        let rare = 10_f64.powf(-connected_db / 10.0);
        let part = |from: f64, to: f64| {
            let within = self.within.partition_point(|one| *one <= to)
                - self.within.partition_point(|one| *one < from);
            let without = self.without.partition_point(|one| one.0 < from)
                ..self.without.partition_point(|one| one.0 <= to);
            let accidents: f64 =
                self.without.get(without).unwrap_or_default().iter().map(|one| one.1).sum();
            let within = f64::from(u32::try_from(within).unwrap_or(u32::MAX));
            (accidents + LEAST_ACCIDENTS) * rare / within.max(1.0)
        };
        let stranger = part(besides - 1e-9, f64::INFINITY);
        stranger.max(part(besides - ABOUT_DB, besides + ABOUT_DB) / 2.0)
    }
}

/// That none was seen does not mean that none can be.
const LEAST_ACCIDENTS: f64 = 0.05;

impl Intruders {
    /// `inside` are sign-ins through the addresses where tunnels come out.
    pub(super) fn new(mut leases: Vec<Lease>, inside: &FromInside) -> Self {
        leases.sort();
        leases.dedup();
        // All days of the evidence, by the owners' sign-ins.
        let days: BTreeSet<i64> = inside.owners.iter().map(|at| at.div_euclid(DAY_NS)).collect();
        let mut shares = [[0.0; 24]; 2];
        for (kind, hours) in shares.iter_mut().enumerate() {
            let of_kind: Vec<i64> =
                days.iter().copied().filter(|day| usize::from(is_weekend(*day)) == kind).collect();
            for (hour, share) in (0_i64..).zip(hours.iter_mut()) {
                let up = |day: &&i64| {
                    let from = **day * DAY_NS + hour * HOUR_NS;
                    let (from, to) = (from - HOUR_NS / 2, from + HOUR_NS + HOUR_NS / 2);
                    // The part of the hour, and of its neighbours' halves, that tunnels cover.
                    leases.iter().any(|one| one.start < to && one.end > from)
                };
                let up = of_kind.iter().filter(up).count();
                *share = (count(up) + 0.5) / (count(of_kind.len()) + 1.0);
            }
        }
        let others = days.iter().filter(|day| is_weekend(**day)).count();
        let days = [count(days.len() - others), count(others)];
        Intruders { leases, exits: inside.exits.clone(), shares, days }
    }

    /// How many working days, or others, the evidence has.
    pub(super) fn days_of(&self, is_weekend: bool) -> f64 {
        let [working, others] = self.days;
        if is_weekend { others } else { working }
    }

    /// The share of days on which a tunnel was up at this hour.
    fn share(&self, at: i64) -> f64 {
        let kind = usize::from(is_weekend(at.div_euclid(DAY_NS)));
        let hour = usize::try_from(at.rem_euclid(DAY_NS) / HOUR_NS).unwrap_or_default();
        self.shares.get(kind).and_then(|hours| hours.get(hour)).copied().unwrap_or(1.0)
    }

    /// Whether a unit without a device enters through where tunnels come out.
    pub(super) fn may_weigh(&self, unit: &Unit) -> bool {
        unit.entered.is_some() && !unit.is_bound() && self.exits.contains(&unit.address)
    }

    /// Evidence for a unit that enters from inside while an intruder's tunnel is up.
    pub(super) fn weigh(
        &self,
        unit: &Unit,
        passage: Option<&Passage>,
        scale: &Scale,
    ) -> Vec<Evidence> {
        let entered = unit.entered.filter(|_| unit.origin == Origin::Own && !unit.is_bound());
        let Some(at) = entered.filter(|_| self.exits.contains(&unit.address)) else {
            return Vec::new();
        };
        self.weigh_at(unit, at, passage, scale)
    }

    /// The same, had the unit entered at another time.
    pub(super) fn weigh_at(
        &self,
        unit: &Unit,
        at: i64,
        passage: Option<&Passage>,
        scale: &Scale,
    ) -> Vec<Evidence> {
        let up: Vec<&Lease> =
            self.leases.iter().filter(|one| one.start <= at && at <= one.end).collect();
        if up.is_empty() {
            return Vec::new();
        }
        let share = self.share(at);
        let text = format!(
            "from the organisation's own {} while the intruder's VPN tunnel was up, as one was at this hour on {:.0} % of days",
            unit.address,
            share * 100.0
        );
        let mut found = vec![scale.graded("in_tunnel", -10.0 * share.log10(), text)];
        let connected =
            up.iter().filter_map(|lease| passage.and_then(|one| one.weigh(lease, at, scale)));
        found.extend(connected.max_by(|a, b| a.weight_db.total_cmp(&b.weight_db)));
        found
    }
}

/// Accounts that are entered in more than one of the intruder's tunnels.
#[derive(Default)]
pub(super) struct Returns<'a> {
    accounts: BTreeMap<&'a str, Visits>,
}

/// An account's sign-ins from inside without a device.
#[derive(Default)]
struct Visits {
    /// The tunnels' starts in which the tunnel's own address reached the cloud just then.
    connected: BTreeSet<i64>,
    /// How many such an owner would have by accident.
    expected: f64,
}

impl<'a> Returns<'a> {
    /// `entered` are the accounts that entered from inside without a device, and when.
    pub(super) fn new(
        entered: impl Iterator<Item = (&'a str, i64)>,
        intruders: &Intruders,
        passage: Option<&Passage>,
        scale: &Scale,
    ) -> Self {
        let mut returns = Returns::default();
        let Some(passage) = passage else { return returns };
        // In the busiest tunnel.
        let accident = intruders.leases.iter().map(|lease| passage.accident(lease));
        let accident = accident.fold(0.0, f64::max);
        for (account, at) in entered {
            let visits = returns.accounts.entry(account).or_default();
            visits.expected += intruders.share(at) * accident;
            for lease in intruders.leases.iter().filter(|one| one.start <= at && at <= one.end) {
                if passage.weigh(lease, at, scale).is_some_and(|one| one.weight_db > 0.0) {
                    visits.connected.insert(lease.start);
                }
            }
        }
        returns
    }

    /// Evidence for a unit of an account that comes again.
    pub(super) fn weigh(&self, unit: &Unit, scale: &Scale) -> Option<Evidence> {
        unit.entered.filter(|_| unit.origin == Origin::Own && !unit.is_bound())?;
        let visits = self.accounts.get(unit.account.as_str())?;
        if visits.connected.len() < 2 {
            return None;
        }
        let text = format!(
            "{} of the intruder's tunnels reached the cloud just when this account signed in ({:.2} expected by accident)",
            visits.connected.len(),
            visits.expected
        );
        Some(scale.graded("again", -10.0 * visits.expected.min(1.0).log10(), text))
    }
}

/// As a number to calculate with.
pub(super) fn count(number: usize) -> f64 {
    f64::from(u32::try_from(number).unwrap_or(u32::MAX))
}

/// Saturday or Sunday; day 0 was a Thursday.
pub(super) fn is_weekend(day: i64) -> bool {
    matches!((day + 4).rem_euclid(7), 0 | 6)
}
