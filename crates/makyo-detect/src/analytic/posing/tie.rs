//! From weights to verdicts: what convicts by itself, and what does because its source is one that
//! is convicted.

use std::collections::BTreeSet;

use makyo_base::DAY_NS;

use super::Round;
use super::claim::{Candidate, Claim, Claims};
use super::habit::Feature;
use super::intruders::{Accident, Accidents, Inside, Intruders};
use super::own::Origin;
use super::scale::Scale;
use super::shared::SHARED;
use super::unit::Unit;
use super::weigh::{Evidence, Weighed};

/// An address that was an intruder's is anybody's after so long, but where nobody else ever was.
const SHARED_NS: i64 = 3 * DAY_NS;
/// What only units within an intruder's tunnel can show, and what others who came on the same day
/// lend to a unit: no sign-in is more the intruder's by it than the others of the day.
const OF_TUNNEL_OR_DAY: [&str; 5] = ["in_tunnel", "connected", "not_connected", "again", "fan_in"];
/// What tells the tunnel's own sign-ins from those that happen meanwhile.
const CONNECTED: [&str; 2] = [OWN_CONNECTION, "again"];
const OWN_CONNECTION: &str = "connected";

/// One unit, weighed.
pub(super) struct Verdict {
    pub(super) unit: usize,
    pub(super) weighed: Weighed,
    pub(super) evidence: Vec<Evidence>,
    pub(super) is_confirmed: bool,
    pub(super) is_probable: bool,
    /// Whether it is confirmed by something else than a source that it shares.
    pub(super) is_firm: bool,
    /// Decibans besides an intruder's tunnel, and besides the day.
    besides: f64,
    /// What it is among the sign-ins around a connection, if it may be an intruder's from inside.
    candidate: Option<Candidate>,
}

impl Verdict {
    /// By itself, before accidents and ties are counted in.
    pub(super) fn new(unit: usize, evidence: Vec<Evidence>, scale: &Scale) -> Self {
        let weighed = Weighed::of(&evidence, scale);
        let besides = weighed_without(&evidence, &OF_TUNNEL_OR_DAY, scale).total_db;
        let is_confirmed = weighed.is_confirmed(scale);
        let is_probable = weighed.is_probable(scale);
        let (is_firm, candidate) = (false, None);
        Verdict { unit, weighed, evidence, is_confirmed, is_probable, is_firm, besides, candidate }
    }

    /// It entered from inside at a time, and may be what a connection is.
    pub(super) fn enter(&mut self, unit: &Unit, at: i64) -> Candidate {
        let likely_db = self.besides;
        let marks = vec![unit.address.clone(), unit.persona()];
        let account = unit.account.clone();
        let candidate = Candidate { account, at, likely_db, outcome: unit.outcome, marks };
        self.candidate = Some(candidate.clone());
        candidate
    }

    /// Counts in how probable it is that an intruder's tunnel was up only by accident, and gives
    /// that part.
    pub(super) fn count_in(
        &mut self,
        accidents: &Accidents<'_>,
        is_moved: bool,
        scale: &Scale,
    ) -> Option<f64> {
        let claim = self.candidate.as_ref();
        let claim = claim.and_then(|one| accidents.claims.of(one, is_moved));
        if let Some(claim) = &claim {
            self.divide(claim, scale);
        }
        let accident = by_accident(self, claim.as_ref(), accidents, scale)?;
        self.is_confirmed |= accident.probability < accidents.bound(&accident, self.is_probable);
        self.is_probable |= accident.probability <= suspected(&accident, scale);
        Some(accident.probability)
    }

    /// What the connection says is as strong as the part of it that is this sign-in's.
    fn divide(&mut self, claim: &Claim, scale: &Scale) {
        let share_db = 10.0 * claim.share.log10();
        for one in self.evidence.iter_mut().filter(|one| CONNECTED.contains(&one.sign)) {
            one.weight_db = (one.weight_db + share_db).max(0.0);
            if one.sign == OWN_CONNECTION {
                one.text.push_str(&claim.to_string());
            }
        }
        self.weighed = Weighed::of(&self.evidence, scale);
        self.is_confirmed = self.weighed.is_confirmed(scale);
        self.is_probable = self.weighed.is_probable(scale);
    }

    /// Whether what it shares with others is not needed to confirm it.
    fn is_confirmed_alone(&self, scale: &Scale) -> bool {
        !SHARED.iter().any(|sign| self.shows(sign))
            || weighed_without(&self.evidence, &SHARED, scale).is_confirmed(scale)
    }

    /// Whether it is confirmed, and its weight, by no more than what it shares with others that are.
    /// At their address all of it counts; in their network, only what the network says.
    fn grounded(&self, confirmed: &BTreeSet<usize>, units: &[Unit], scale: &Scale) -> (bool, f64) {
        let shares = |of: fn(&Unit) -> &str| is_shared(self.unit, of, confirmed, units);
        if shares(|unit| &unit.address) {
            return (self.is_confirmed, self.weighed.total_db);
        }
        let near = Weighed::of(&without_address(&self.evidence, scale), scale);
        let is_confirmed = self.is_confirmed && near.is_confirmed(scale);
        (is_confirmed && shares(|unit| &unit.network), near.total_db)
    }

    /// In the end, what it shares says no more than whom it shares it with.
    fn settle(&mut self, confirmed: &BTreeSet<usize>, units: &[Unit], scale: &Scale) {
        let shares = |of: fn(&Unit) -> &str| is_shared(self.unit, of, confirmed, units);
        if !SHARED.iter().any(|sign| self.shows(sign)) || shares(|unit| &unit.address) {
            return;
        }
        if shares(|unit| &unit.network) {
            self.evidence = without_address(&self.evidence, scale);
        } else {
            self.evidence.retain(|one| !SHARED.contains(&one.sign));
        }
        self.weighed = Weighed::of(&self.evidence, scale);
        self.is_probable = self.weighed.is_probable(scale);
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
        let mut verdict = Verdict::new(at, evidence, scale);
        let inside = units.get(at).filter(|unit| intruders.may_weigh(unit));
        // Out of the own network with no intruder's tunnel, signs meet by accident more often: many
        // people work there.
        let is_own = units.get(at).is_some_and(|unit| unit.origin == Origin::Own);
        if is_own && !verdict.shows("in_tunnel") {
            verdict.is_probable &= verdict.weighed.total_db >= scale.three;
        }
        if let Some((unit, at)) = inside.and_then(|unit| Some((unit, unit.entered?))) {
            let candidate = verdict.enter(unit, at);
            let (besides, is_within) = (verdict.besides, verdict.shows("in_tunnel"));
            self.inside.push(Inside { besides, candidate, is_within });
        }
        let least = scale.suspected.min(scale.tied_inside);
        if verdict.weighed.total_db >= least || verdict.shows(OWN_CONNECTION) {
            self.verdicts.push(verdict);
        }
    }

    /// What accidents are counted among.
    pub(super) fn accidents<'a>(
        &self,
        claims: &'a Claims,
        intruders: &Intruders,
        scale: &Scale,
    ) -> Accidents<'a> {
        Accidents::new(&self.inside, intruders, claims, scale)
    }

    /// Sign-ins that connections may be.
    pub(super) fn candidates(&self) -> impl Iterator<Item = &Candidate> {
        self.inside.iter().map(|one| &one.candidate)
    }

    /// The units that came out of an intruder's tunnel, by their places, with the reasons.
    pub(super) fn of_tunnels(
        self,
        claims: &Claims,
        round: &Round,
        scale: &Scale,
    ) -> Vec<(usize, Vec<Evidence>)> {
        let accidents = self.accidents(claims, &round.intruders, scale);
        let is_tunnels = |one: &Verdict| {
            let claim = one.candidate.as_ref().and_then(|one| claims.of(one, false));
            let accident = by_accident(one, claim.as_ref(), &accidents, scale);
            accident.is_some_and(|one| one.probability <= scale.accidents_suspected)
        };
        let of_tunnels = self.verdicts.into_iter().filter(is_tunnels);
        of_tunnels.map(|one| (one.unit, one.evidence)).collect()
    }

    /// A unit is confirmed by itself or if its source is: by another account's confirmed unit,
    /// because a group is no accident, or because an intruder's tunnel was up when hardly anybody
    /// else was entered so. Units that only lean on each other are not.
    pub(super) fn judge(
        self,
        accidents: &Accidents<'_>,
        round: &Round,
        units: &[Unit],
        scale: &Scale,
    ) -> Vec<Verdict> {
        let mut verdicts = self.verdicts;
        for one in &mut verdicts {
            one.count_in(accidents, false, scale);
            one.is_firm = one.is_confirmed && one.is_confirmed_alone(scale);
        }
        let mut confirmed: BTreeSet<usize> =
            verdicts.iter().filter(|one| one.is_firm).map(|one| one.unit).collect();
        loop {
            let is_next = |one: &&Verdict| {
                let (is_confirmed, total_db) = one.grounded(&confirmed, units, scale);
                let is_tied = || {
                    total_db >= scale.tied && is_tied_outside(one.unit, &confirmed, round, units)
                };
                is_confirmed || is_tied()
            };
            let open = verdicts.iter().filter(|one| !confirmed.contains(&one.unit));
            let next: Vec<usize> = open.filter(is_next).map(|one| one.unit).collect();
            if next.is_empty() {
                break;
            }
            confirmed.extend(next);
        }
        for one in &mut verdicts {
            one.is_confirmed = confirmed.contains(&one.unit);
            one.settle(&confirmed, units, scale);
        }
        verdicts
    }
}

/// Evidence without some signs.
fn weighed_without(evidence: &[Evidence], left_out: &[&str], scale: &Scale) -> Weighed {
    let rest = evidence.iter().filter(|one| !left_out.contains(&one.sign)).cloned();
    Weighed::of(&rest.collect::<Vec<_>>(), scale)
}

/// Evidence where nobody else at the address is confirmed after all: what speaks is the network.
fn without_address(evidence: &[Evidence], scale: &Scale) -> Vec<Evidence> {
    let [here, near] = SHARED;
    let text = "from the address's network somebody posed as another";
    let settle = |one: &Evidence| match one.sign == here {
        true => scale.graded(near, one.weight_db, text),
        false => one.clone(),
    };
    evidence.iter().map(settle).collect()
}

/// How probable it may be that it was an accident, for a suspicion.
fn suspected(accident: &Accident, scale: &Scale) -> f64 {
    if accident.is_claimed { scale.claimed_suspected } else { scale.accidents_suspected }
}

/// How probable it is that this one entered from inside while the intruder's tunnel was up only by
/// accident: by whose its connection is or, where that is not seen, by what part of the units like
/// this one do. `None` where that does not speak.
fn by_accident(
    one: &Verdict,
    claim: Option<&Claim>,
    accidents: &Accidents<'_>,
    scale: &Scale,
) -> Option<Accident> {
    if let Some(claim) = claim.filter(|_| one.shows(OWN_CONNECTION)) {
        return Some(Accident { probability: claim.accident, is_claimed: true });
    }
    let is_inside = one.shows("in_tunnel")
        && !one.shows("not_connected")
        && one.weighed.total_db >= scale.tied_inside;
    let connected = one.evidence.iter().filter(|one| CONNECTED.contains(&one.sign));
    let connected = connected.map(|one| one.weight_db).sum();
    let probability = accidents.part(one.besides, connected);
    is_inside.then_some(Accident { probability, is_claimed: false })
}

/// Whether another account's confirmed unit comes from a unit's place: its address or network.
fn is_shared(
    at: usize,
    place: fn(&Unit) -> &str,
    confirmed: &BTreeSet<usize>,
    units: &[Unit],
) -> bool {
    let Some(unit) = units.get(at) else { return false };
    let others = confirmed.iter().filter_map(|other| units.get(*other));
    others.into_iter().any(|one| one.account != unit.account && place(one) == place(unit))
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
