//! Replay: how often honest people would be accused.
//!
//! Sign-ins from inside, of the weeks before the first sign of the intruder, are moved by whole
//! weeks, to the minute, into the weeks of the intruder's tunnels, and judged once more: by what
//! they are, and by the tunnels and connections that they meet there. Where that accuses anybody,
//! only what is less of an accident than all of them is confirmed.

use std::collections::BTreeSet;

use makyo_base::{DAY_NS, Finding, Level, SECOND_NS};

use super::super::Analytic;
use super::intruders::{Accidents, Returns};
use super::tie::Verdict;
use super::unit::Unit;
use super::weigh::Evidence;
use super::{Ground, Round};

/// It says how far verdicts can be trusted, and of nobody anything.
const ANALYTIC: Analytic = Analytic {
    id: "posing_replay",
    title: "Honest sign-ins of clean weeks, judged as if they had met the intruder's tunnels",
    level: Level::Informational,
    techniques: &[],
    tactics: &[],
    ..super::ANALYTIC
};

const WEEK_NS: i64 = 7 * DAY_NS;
/// So long before the first sign the weeks are clean.
const CLEAN_NS: i64 = DAY_NS;
/// Weeks by which a sign-in is moved at most.
const MOVES_MAX: i64 = 12;

/// What the replay showed.
#[derive(Clone, Default, Debug)]
pub(super) struct Replay {
    /// Clean weeks end here.
    until: i64,
    /// An account in a week, once for each move.
    account_weeks: usize,
    /// Moved sign-ins that fell into a tunnel.
    within: usize,
    accused: usize,
    suspected: usize,
    /// The least part of accidents among the accused.
    pub(super) least: Option<f64>,
}

/// The end of the clean weeks: before the first tunnel and before the first that is confirmed.
pub(super) fn clean_until(round: &Round, confirmed: &BTreeSet<usize>, units: &[Unit]) -> i64 {
    let tunnels = round.intruders.leases.iter().map(|one| one.start);
    let units = confirmed.iter().filter_map(|at| units.get(*at)).map(|unit| unit.first);
    tunnels.chain(units).min().unwrap_or(i64::MIN).saturating_sub(CLEAN_NS)
}

/// Judges the clean sign-ins, with their reasons, at other times.
pub(super) fn replay(
    clean: &[(usize, Vec<Evidence>)],
    until: i64,
    accidents: &Accidents<'_>,
    ground: &Ground<'_>,
    round: &Round,
) -> Replay {
    let mut replay = Replay { until, ..Replay::default() };
    let (scale, passage) = (ground.scale, round.passage.as_ref());
    let last = round.intruders.leases.iter().map(|one| one.end).max().unwrap_or(i64::MIN);
    let first = round.intruders.leases.iter().map(|one| one.start).min().unwrap_or(i64::MAX);
    for weeks in 1..=MOVES_MAX {
        let moved = clean.iter().filter_map(|(at, evidence)| {
            let unit = ground.units.get(*at)?;
            let at = unit.entered?.saturating_add(weeks * WEEK_NS);
            (first - WEEK_NS <= at && at <= last).then_some((unit, at, evidence))
        });
        let moved: Vec<(&Unit, i64, &Vec<Evidence>)> = moved.collect();
        let entered = moved.iter().map(|one| (one.0.account.as_str(), one.1));
        let accounts: BTreeSet<(&str, i64)> =
            entered.clone().map(|one| (one.0, one.1.div_euclid(WEEK_NS))).collect();
        replay.account_weeks += accounts.len();
        let returns = Returns::new(entered, &round.intruders, passage, scale);
        for (unit, at, evidence) in moved {
            let tunnel = round.intruders.weigh_at(unit, at, passage, scale);
            if tunnel.is_empty() {
                continue;
            }
            replay.within += 1;
            let mut evidence = evidence.clone();
            evidence.extend(tunnel);
            evidence.extend(returns.weigh(unit, scale));
            let mut verdict = Verdict::new(0, evidence, scale);
            verdict.enter(unit, at);
            let part = verdict.count_in(accidents, true, scale);
            if verdict.is_confirmed {
                replay.accused += 1;
                let least = replay.least.into_iter().chain(part).reduce(f64::min);
                replay.least = least;
            }
            replay.suspected += usize::from(verdict.is_probable && !verdict.is_confirmed);
        }
    }
    replay
}

impl Replay {
    /// What it says, if there were clean weeks and tunnels.
    pub(super) fn finding(&self) -> Option<Finding> {
        if self.within == 0 {
            return None;
        }
        let bound = match self.accused {
            // Three in n is the upper end at 95 % where none is seen.
            0 => format!("; at 95 % fewer than 1 in {}", (self.account_weeks / 3).max(1)),
            _ => "; only what is less of an accident than those is called so here".to_owned(),
        };
        let text = format!(
            "of {} honest sign-ins from before {}, moved by whole weeks into the intruder's tunnels, {} would have been called somebody else's and {} suspected, over {} account-weeks{bound}",
            self.within,
            makyo_base::format_time(self.until - self.until.rem_euclid(SECOND_NS)),
            self.accused,
            self.suspected,
            self.account_weeks,
        );
        Some(ANALYTIC.finding(Some(self.until), 0.0, Vec::new(), Vec::new(), text))
    }
}
