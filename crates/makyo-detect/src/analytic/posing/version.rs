//! Sessions whose computer changes the version of its system, and changes it back.
//!
//! A computer is brought up to date and stays so. A session that names another version while it is
//! somewhere else is on two computers, or the log tells versions by chance: how often it does that,
//! of the account and of everybody, is measured.

use std::collections::{BTreeMap, BTreeSet};

use super::habit::Habits;
use super::scale::Scale;
use super::token::is_stranger;
use super::unit::Unit;
use super::weigh::Evidence;

/// How often two computers with the same kind of system have different versions of it; set by hand.
const DIFFER: f64 = 0.3;
/// Places and versions of one session that are compared with each other.
const SPANS_MAX: usize = 24;

/// From when to when a session was on one version in one network, with the first unit there.
struct Span<'a> {
    first: i64,
    last: i64,
    unit: &'a Unit,
}

fn spans<'a>(units: impl Iterator<Item = &'a Unit>) -> Vec<Span<'a>> {
    let mut spans: BTreeMap<(&str, &str, &BTreeSet<String>), Span<'a>> = BTreeMap::new();
    for unit in units {
        let key = (unit.os, unit.network.as_str(), &unit.systems);
        let span = Span { first: unit.first, last: unit.last, unit };
        let known = spans.entry(key).or_insert(span);
        if unit.first < known.first {
            (known.first, known.unit) = (unit.first, unit);
        }
        known.last = unit.last.max(known.last);
    }
    spans.into_values().take(SPANS_MAX).collect()
}

/// Whether a session was in another network before and after one of its units and, if it named
/// another version of the same system there, a unit that says so.
fn around<'a>(unit: &Unit, spans: &[Span<'a>]) -> Option<Option<&'a Unit>> {
    let is_around = |span: &&Span<'_>| {
        span.first < unit.first
            && unit.last < span.last
            && span.unit.os == unit.os
            && span.unit.network != unit.network
    };
    let mut around = spans.iter().filter(is_around).peekable();
    around.peek()?;
    Some(around.map(|span| span.unit).find(|other| other.systems.is_disjoint(&unit.systems)))
}

/// Evidence for each unit, by place. `confirmed` units are no example of what owners' computers do.
pub(super) fn weigh(
    units: &[Unit],
    habits: &Habits,
    confirmed: &BTreeSet<usize>,
    scale: &Scale,
) -> BTreeMap<usize, Evidence> {
    let mut sessions: BTreeMap<(&str, &str), Vec<(usize, &Unit)>> = BTreeMap::new();
    let names =
        |unit: &Unit| !unit.session.is_empty() && unit.is_computer() && !unit.systems.is_empty();
    for (at, unit) in units.iter().enumerate().filter(|one| names(one.1)) {
        sessions.entry((&unit.account, &unit.session)).or_default().push((at, unit));
    }
    // For each account, where a change could have shown, and where it did.
    let mut accounts: BTreeMap<&str, (u32, u32)> = BTreeMap::new();
    let mut found = Vec::new();
    for ((account, _), places) in &sessions {
        let spans = spans(places.iter().map(|one| one.1));
        for (at, unit) in places {
            let is_mixed = unit.systems.len() > 1;
            let other = around(unit, &spans);
            let is_changing = is_mixed || other.flatten().is_some();
            if (is_mixed || other.is_some()) && !confirmed.contains(at) {
                let own = accounts.entry(account).or_default();
                *own = (own.0 + 1, own.1 + u32::from(is_changing));
            }
            found.extend(other.flatten().map(|other| (*at, *unit, other)));
        }
    }
    let share = |one: &(u32, u32)| f64::from(one.1) / f64::from(one.0.max(1));
    let shares: f64 = accounts.values().map(share).sum();
    let people = f64::from(u32::try_from(accounts.len()).unwrap_or(u32::MAX));
    let mut signs = BTreeMap::new();
    for (at, unit, other) in found {
        if !is_stranger(unit, other, habits) {
            continue;
        }
        let own = accounts.get(unit.account.as_str()).copied();
        let (own_share, is_one) = own.map_or((0.0, 0.0), |own| (share(&own), 1.0));
        // A change by chance, of the others and then of the account; it is no example itself.
        let usual = (shares - own_share + 0.5) / (people - is_one + 1.0);
        let itself = u32::from(!confirmed.contains(&at));
        let own = own.map_or((0, 0), |own| (own.0 - itself, own.1 - itself));
        let chance = (f64::from(own.1) + usual) / (f64::from(own.0) + 1.0);
        let weight = (10.0 * (DIFFER / chance).log10()).max(0.0);
        let name = |unit: &Unit| unit.systems.iter().cloned().collect::<Vec<_>>().join(", ");
        let changing = accounts.values().filter(|one| one.1 > 0).count();
        let text = format!(
            "the session is on {} at {}, and on {} elsewhere before and after; of {people} accounts with sessions in several places {changing} show such a thing",
            name(unit),
            unit.address,
            name(other),
        );
        signs.insert(at, scale.graded("other_version", weight, text));
    }
    signs
}
