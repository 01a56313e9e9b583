//! Sessions whose computer changes the version of its system, and changes it back.
//!
//! A computer is brought up to date and stays so. A session that names another version for a while
//! is on two computers, or the log tells versions by chance: how often it does that here is
//! measured.

use std::collections::{BTreeMap, BTreeSet};

use super::habit::Habits;
use super::scale::Scale;
use super::token::is_stranger;
use super::unit::Unit;
use super::weigh::Evidence;

/// How often two computers with the same kind of system have different versions of it.
const DIFFER: f64 = 0.3;

/// From when to when a session was on each version of a system, with the first unit that says so.
#[derive(Default)]
struct Spans<'a>(BTreeMap<(&'static str, &'a BTreeSet<String>), Span<'a>>);

struct Span<'a> {
    first: i64,
    last: i64,
    unit: &'a Unit,
}

impl<'a> Spans<'a> {
    fn of(units: impl Iterator<Item = &'a Unit>) -> Self {
        let mut spans = Spans::default();
        for unit in units {
            let span = Span { first: unit.first, last: unit.last, unit };
            let known = spans.0.entry((unit.os, &unit.systems)).or_insert(span);
            if unit.first < known.first {
                (known.first, known.unit) = (unit.first, unit);
            }
            known.last = unit.last.max(known.last);
        }
        spans
    }

    /// The unit of another version that the session was on before and after.
    fn around(&self, unit: &Unit) -> Option<&'a Unit> {
        let others =
            self.0.iter().filter(|one| one.0.0 == unit.os && one.0.1.is_disjoint(&unit.systems));
        let mut around = others.map(|one| one.1);
        let found = around.find(|span| span.first < unit.first && unit.last < span.last);
        found.map(|span| span.unit)
    }
}

/// Evidence for each unit, by place.
pub(super) fn weigh(
    units: &[Unit],
    habits: &Habits,
    suspected: &BTreeSet<usize>,
    scale: &Scale,
) -> BTreeMap<usize, Evidence> {
    let mut sessions: BTreeMap<(&str, &str), Vec<(usize, &Unit)>> = BTreeMap::new();
    let names =
        |unit: &Unit| !unit.session.is_empty() && !unit.is_phone() && !unit.systems.is_empty();
    for (at, unit) in units.iter().enumerate().filter(|one| names(one.1)) {
        sessions.entry((&unit.account, &unit.session)).or_default().push((at, unit));
    }
    let (mut changing, mut all) = (0_u32, 0_u32);
    let mut found = Vec::new();
    for places in sessions.values() {
        let clean = || places.iter().filter(|one| !suspected.contains(&one.0)).map(|one| one.1);
        let spans = Spans::of(clean());
        let is_mixed = clean().any(|unit| unit.systems.len() > 1);
        let is_changing = is_mixed || clean().any(|unit| spans.around(unit).is_some());
        let own = (u32::from(is_changing), u32::from(is_mixed || clean().count() > 1));
        (changing, all) = (changing + own.0, all + own.1);
        let spans = Spans::of(places.iter().map(|one| one.1));
        let around = |one: &(usize, &'_ Unit)| spans.around(one.1);
        found.extend(places.iter().filter_map(|one| Some((*one, around(one)?, own))));
    }
    let mut signs = BTreeMap::new();
    for ((at, unit), other, own) in found {
        if !is_stranger(unit, other, habits) {
            continue;
        }
        // Its own session is no example of what happens by chance.
        let (changing, all) = (changing - own.0, all - own.1);
        let chance = (f64::from(changing) + 0.5) / (f64::from(all) + 1.0);
        let weight = (10.0 * (DIFFER / chance).log10()).max(0.0);
        let name = |unit: &Unit| unit.systems.iter().cloned().collect::<Vec<_>>().join(", ");
        let text = format!(
            "the session is on {} at {}, and on {} before and after; of {all} other sessions {changing} change and change back",
            name(unit),
            unit.address,
            name(other),
        );
        signs.insert(at, scale.graded("other_version", weight, text));
    }
    signs
}
