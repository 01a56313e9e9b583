//! From weights to verdicts: what convicts by itself, and what does because its source is one that
//! is convicted.

use std::collections::BTreeSet;

use makyo_base::DAY_NS;

use super::Round;
use super::habit::Feature;
use super::intruders::{Accidents, Inside, Intruders};
use super::own::Origin;
use super::scale::Scale;
use super::unit::Unit;
use super::weigh::{Evidence, Weighed};

/// An address that was an intruder's is anybody's after so long, but where nobody else ever was.
const SHARED_NS: i64 = 3 * DAY_NS;
/// What only units within an intruder's tunnel can show.
const OF_TUNNEL: [&str; 4] = ["in_tunnel", "connected", "not_connected", "again"];
/// What tells the tunnel's own sign-ins from those that happen meanwhile.
const CONNECTED: [&str; 2] = ["connected", "again"];

/// One unit, weighed.
pub(super) struct Verdict {
    pub(super) unit: usize,
    pub(super) weighed: Weighed,
    pub(super) evidence: Vec<Evidence>,
    pub(super) is_confirmed: bool,
    pub(super) is_probable: bool,
    /// Decibans besides an intruder's tunnel.
    besides: f64,
}

impl Verdict {
    /// By itself, before accidents and ties are counted in.
    pub(super) fn new(unit: usize, evidence: Vec<Evidence>, scale: &Scale) -> Self {
        let weighed = Weighed::of(&evidence, scale);
        let besides = evidence.iter().filter(|one| !OF_TUNNEL.contains(&one.sign)).cloned();
        let besides = Weighed::of(&besides.collect::<Vec<_>>(), scale).total_db;
        let is_confirmed = weighed.is_confirmed(scale);
        let is_probable = weighed.is_probable(scale);
        Verdict { unit, weighed, evidence, is_confirmed, is_probable, besides }
    }

    /// Counts in how probable it is that an intruder's tunnel was up only by accident, and gives
    /// that part.
    pub(super) fn count_in(&mut self, accidents: &Accidents, scale: &Scale) -> Option<f64> {
        let part = by_accident(self, accidents, scale);
        self.is_confirmed |= part.is_some_and(|part| part < accidents.bound);
        self.is_probable |= part.is_some_and(|part| part <= scale.accidents_suspected);
        part
    }

    fn shows(&self, sign: &str) -> bool {
        self.evidence.iter().any(|one| one.sign == sign)
    }
}

/// All units of a round, and those among which accidents are counted.
#[derive(Default)]
pub(super) struct Ties {
    verdicts: Vec<Verdict>,
    inside: Vec<Inside>,
}

impl Ties {
    /// Weighs one more unit.
    pub(super) fn add(
        &mut self,
        at: usize,
        evidence: Vec<Evidence>,
        units: &[Unit],
        intruders: &Intruders,
        scale: &Scale,
    ) {
        let verdict = Verdict::new(at, evidence, scale);
        if let Some(unit) = units.get(at).filter(|unit| intruders.may_weigh(unit)) {
            let (besides, is_within) = (verdict.besides, verdict.shows("in_tunnel"));
            let at = unit.entered.unwrap_or(unit.first);
            self.inside.push(Inside { besides, at, is_within });
        }
        if verdict.weighed.total_db >= scale.suspected.min(scale.tied_inside) {
            self.verdicts.push(verdict);
        }
    }

    /// What accidents are counted among.
    pub(super) fn accidents(&self, intruders: &Intruders, scale: &Scale) -> Accidents {
        Accidents::new(self.inside.iter().copied(), intruders, scale.accidents)
    }

    /// The units that came out of an intruder's tunnel, by their places, with the reasons.
    pub(super) fn of_tunnels(self, round: &Round, scale: &Scale) -> Vec<(usize, Vec<Evidence>)> {
        let accidents = self.accidents(&round.intruders, scale);
        let is_tunnels = |one: &Verdict| {
            let part = by_accident(one, &accidents, scale);
            part.is_some_and(|part| part <= scale.accidents_suspected)
        };
        let of_tunnels = self.verdicts.into_iter().filter(is_tunnels);
        of_tunnels.map(|one| (one.unit, one.evidence)).collect()
    }

    /// A unit is confirmed if its source is: by another account's confirmed unit, because a group
    /// is no accident, or because an intruder's tunnel was up when hardly anybody else was entered
    /// so.
    pub(super) fn judge(
        self,
        accidents: &Accidents,
        round: &Round,
        units: &[Unit],
        scale: &Scale,
    ) -> Vec<Verdict> {
        let mut verdicts = self.verdicts;
        for one in &mut verdicts {
            one.count_in(accidents, scale);
        }
        loop {
            let confirmed: BTreeSet<usize> =
                verdicts.iter().filter(|one| one.is_confirmed).map(|one| one.unit).collect();
            let tied: Vec<usize> = verdicts
                .iter()
                .enumerate()
                .filter(|(_, one)| !one.is_confirmed && one.weighed.total_db >= scale.tied)
                .filter(|(_, one)| is_tied_outside(one.unit, &confirmed, round, units))
                .map(|one| one.0)
                .collect();
            if tied.is_empty() {
                return verdicts;
            }
            for at in tied {
                if let Some(one) = verdicts.get_mut(at) {
                    one.is_confirmed = true;
                }
            }
        }
    }
}

/// What part of the units like this one entered from inside while the intruder's tunnel was up
/// only by accident; `None` where that does not speak.
fn by_accident(one: &Verdict, accidents: &Accidents, scale: &Scale) -> Option<f64> {
    let is_inside = one.shows("in_tunnel")
        && !one.shows("not_connected")
        && one.weighed.total_db >= scale.tied_inside;
    let connected = one.evidence.iter().filter(|one| CONNECTED.contains(&one.sign));
    let connected = connected.map(|one| one.weight_db).sum();
    is_inside.then(|| accidents.part(one.besides, connected))
}

/// Whether a unit comes from a place outside that is new to the owner and a confirmed stranger's.
fn is_tied_outside(at: usize, confirmed: &BTreeSet<usize>, round: &Round, units: &[Unit]) -> bool {
    let outside = |at: usize| units.get(at).filter(|unit| unit.origin == Origin::Outside);
    let Some(unit) = outside(at) else { return false };
    if round.habits.past(unit).days_of(Feature::Network, &unit.network) > 0 {
        return false;
    }
    let is_other = |at: &usize| units.get(*at).is_some_and(|one| one.account != unit.account);
    let in_group = round.groups.iter().filter(|group| group.units.contains(&at)).any(|group| {
        group.is_anchored
            || group.units.iter().any(|other| confirmed.contains(other) && is_other(other))
            // Several accounts from one address of a network that only strangers use are theirs.
            || round.strangers.has(unit)
                && confirmed.iter().filter(|other| is_other(other)).any(|other| {
                    outside(*other).is_some_and(|other| other.network == unit.network)
                })
    });
    in_group
        || confirmed.iter().filter(|other| is_other(other)).filter_map(|other| outside(*other)).any(
            |other| {
                let near = unit.first <= other.last.saturating_add(SHARED_NS)
                    && other.first <= unit.last.saturating_add(SHARED_NS);
                other.address == unit.address && (near || round.strangers.has(unit))
            },
        )
}
