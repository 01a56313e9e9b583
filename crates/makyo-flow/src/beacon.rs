//! How regular the times of a channel are, and how unlikely that is by chance.
//!
//! The measure is the narrowest interval of log gaps that holds a given share of them (for the
//! half, the *shorth*). Under independent (Poisson) arrivals the density of a log gap is at most
//! 1/e, so the chance that some window of width `w` holds `k` of `m` gaps is at most
//! `m * C(m-1, k-1) * (w/e)^(k-1)`. Four shares and one test with folded multiples are tried, and
//! the number of trials is paid for.

use crate::flow::TICKS_PER_SECOND;

/// What gives the clock away.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum Rhythm {
    /// Gaps are alike.
    #[default]
    Beat,
    /// Several beats over each other: gaps differ, and none is longer than the shortest period.
    Several,
    /// Gaps grow by the same step until something happens: a caller that is patient.
    Growing,
}

impl Rhythm {
    /// The word in tables.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Rhythm::Beat => "beat",
            Rhythm::Several => "several_beats",
            Rhythm::Growing => "growing_gaps",
        }
    }
}

/// How regular the times of a channel are.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Regularity {
    /// Minus the decimal logarithm of the chance to be this regular without a clock.
    pub nlp: f64,
    /// Seconds from beat to beat.
    pub period_s: f64,
    /// Beats, after connections that belong to one beat were taken together.
    pub beats: u32,
    /// Half the width of the interval that holds the gaps, as a share of the period.
    pub spread: f64,
    /// Pauses left out: nights, weekends.
    pub pauses: u32,
    /// Seconds from the first to the last beat, without pauses.
    pub active_s: f64,
    /// What gives the clock away.
    pub rhythm: Rhythm,
}

/// A gap so many times the median is a pause, not a gap.
const PAUSE_MEDIANS: u64 = 20;
/// Times of one channel that are looked at; a channel with more is sampled in one stretch.
pub(crate) const TIMES_MAX: usize = 20_000;
/// A pause's beats are missed ones up to this multiple.
const MULTIPLE_MAX: f64 = 6.0;

/// Buffers that are used again from channel to channel.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    /// Sorted gaps in ticks.
    gaps: Vec<u64>,
    /// Their logarithms, sorted.
    logs: Vec<f64>,
    folded: Vec<f64>,
}

/// The regularity of sorted times in seconds; none with fewer than four different ones.
#[must_use]
pub fn regularity(times_s: &[f64]) -> Option<Regularity> {
    let ticks: Vec<u64> =
        times_s.iter().map(|time| (time * TICKS_PER_SECOND as f64).round() as u64).collect();
    of_ticks(&ticks, &mut Scratch::default())
}

/// The same for sorted ticks.
pub(crate) fn of_ticks(ticks: &[u64], scratch: &mut Scratch) -> Option<Regularity> {
    let ticks = ticks.get(..TIMES_MAX.min(ticks.len())).unwrap_or_default();
    if ticks.len() < 4 {
        return None;
    }
    let gaps = ticks.windows(2).map(|pair| pair[1] - pair[0]).filter(|gap| *gap > 0);
    scratch.gaps.clear();
    scratch.gaps.extend(gaps);
    if scratch.gaps.len() < 3 {
        return None;
    }
    scratch.gaps.sort_unstable();
    let least = quantile(&scratch.gaps, 0);
    let marks = [10, 15, 19].map(|twentieths| quantile(&scratch.gaps, twentieths));
    let mut best: Option<Regularity> = None;
    let mut before = 0;
    for (index, mark) in marks.iter().enumerate() {
        let is_slow = index > 0 && *mark >= 5 * TICKS_PER_SECOND;
        let joined = (mark / 20).max(if is_slow { TICKS_PER_SECOND } else { 0 });
        if joined >= least {
            join(ticks, joined, &mut scratch.gaps);
        }
        // Taking together what is one beat anyway gives nothing new.
        if scratch.gaps.len() == before || scratch.gaps.len() < 3 {
            continue;
        }
        before = scratch.gaps.len();
        let found = of_gaps(scratch);
        // Connections of one beat are regular among themselves; the beat goes before them.
        let is_outer = |best: Regularity| {
            found.nlp >= ENOUGH_NLP && best.period_s * TICKS_PER_SECOND as f64 <= joined as f64
        };
        if best.is_none_or(|best| found.nlp > best.nlp || is_outer(best)) {
            best = Some(found);
        }
    }
    best.map(|best| {
        if best.nlp < ENOUGH_NLP && ticks.len() > RHYTHM_LEAST {
            by_rhythm(ticks, scratch, best)
        } else {
            best
        }
    })
}

/// Where plain beats say so much, nothing else is tried.
const ENOUGH_NLP: f64 = 6.0;
/// Fewer times have no rhythm but a beat.
const RHYTHM_LEAST: usize = 24;

/// Two more tests for channels with many times and no plain beat. Both are measured against
/// independent arrivals as the others are.
fn by_rhythm(ticks: &[u64], scratch: &mut Scratch, best: Regularity) -> Regularity {
    let mut best = best;
    let gaps: Vec<u64> = ticks.windows(2).map(|pair| pair[1] - pair[0]).collect();
    // Steps from gap to gap are as independent arrivals' gaps in their logarithms.
    scratch.logs.clear();
    let steps = gaps.windows(2).filter(|pair| pair[1] > pair[0]).map(|pair| pair[1] - pair[0]);
    scratch.logs.extend(steps.map(|step| (step as f64).ln()));
    scratch.logs.sort_unstable_by(f64::total_cmp);
    let count = scratch.logs.len();
    if count >= RHYTHM_LEAST / 2 {
        for held in [count / 2 + 1, (count * 3).div_ceil(4)] {
            let (width, _) = narrowest(&scratch.logs, held);
            let nlp = bound(count, held, width / std::f64::consts::E) - 1.0;
            if nlp > best.nlp {
                best = Regularity { nlp, spread: half(width), rhythm: Rhythm::Growing, ..best };
            }
        }
    }
    scratch.gaps.clear();
    scratch.gaps.extend(gaps.iter().filter(|gap| **gap > 0));
    scratch.gaps.sort_unstable();
    let nlp = never_long(&scratch.gaps) - 1.0;
    if nlp > best.nlp {
        best = Regularity { nlp, rhythm: Rhythm::Several, ..best };
    }
    best
}

/// Minus log10 of the chance that independent arrivals are so seldom silent for long. The scale is
/// a gap somewhat below the median, so that the median's own error speaks for chance.
fn never_long(sorted: &[u64]) -> f64 {
    let median = quantile(sorted, 10);
    let count = sorted.partition_point(|gap| *gap <= PAUSE_MEDIANS * median);
    let all = count as f64;
    let at = (all / 2.0 - all.sqrt()).max(0.0) as usize;
    let Some(scale) = sorted.get(at).filter(|_| count >= RHYTHM_LEAST) else { return 0.0 };
    let mut best = 0.0_f64;
    for times in [2.5_f64, 3.5] {
        let longest = (*scale as f64 * times) as u64;
        let long = (count - sorted.partition_point(|gap| *gap <= longest).min(count)) as f64 / all;
        let usual = 2.0_f64.powf(-times);
        if long < usual {
            let some = if long > 0.0 { long * (long / usual).ln() } else { 0.0 };
            let rest = (1.0 - long) * ((1.0 - long) / (1.0 - usual)).ln();
            best = best.max(all * (some + rest) / std::f64::consts::LN_10);
        }
    }
    best
}

/// Sorted gaps between beats: what follows within `joined` ticks of the last time is the same
/// beat.
fn join(ticks: &[u64], joined: u64, gaps: &mut Vec<u64>) {
    gaps.clear();
    let Some(first) = ticks.first() else { return };
    let (mut begin, mut last) = (*first, *first);
    for tick in ticks {
        if tick - last > joined {
            gaps.push(tick - begin);
            begin = *tick;
        }
        last = *tick;
    }
    gaps.sort_unstable();
}

/// The least, the middle (ten twentieths), ... of sorted gaps.
fn quantile(sorted: &[u64], twentieths: usize) -> u64 {
    sorted.get((sorted.len().max(1) - 1) * twentieths / 20).copied().unwrap_or(0)
}

fn of_gaps(scratch: &mut Scratch) -> Regularity {
    let all = scratch.gaps.len();
    let median = quantile(&scratch.gaps, 10);
    let count = scratch.gaps.partition_point(|gap| *gap <= PAUSE_MEDIANS * median);
    scratch.logs.clear();
    scratch.logs.extend(scratch.gaps.iter().take(count).map(|gap| (*gap as f64).ln()));
    let mut best = Regularity {
        nlp: 0.0,
        period_s: median as f64 / TICKS_PER_SECOND as f64,
        beats: u32::try_from(all + 1).unwrap_or(u32::MAX),
        spread: 1.0,
        pauses: u32::try_from(all - count).unwrap_or(u32::MAX),
        active_s: scratch.gaps.iter().take(count).sum::<u64>() as f64 / TICKS_PER_SECOND as f64,
        rhythm: Rhythm::Beat,
    };
    if count < 3 {
        return best;
    }
    let shares = [count / 2 + 1, (count * 3).div_ceil(4), (count * 9).div_ceil(10), count];
    let trials = trials(&shares, count);
    for (index, held) in shares.iter().enumerate() {
        if shares.get(index + 1) == Some(held) {
            continue;
        }
        let (width, middle) = narrowest(&scratch.logs, *held);
        let nlp = bound(count, *held, width / std::f64::consts::E) - trials;
        if nlp > best.nlp {
            best = Regularity { nlp, period_s: seconds(middle), spread: half(width), ..best };
        }
    }
    folded(scratch, trials, &mut best);
    best
}

/// Seconds of a logarithm of ticks.
fn seconds(log: f64) -> f64 {
    log.exp() / TICKS_PER_SECOND as f64
}

/// What is paid for having tried so much, log10: three ways to take connections together, each
/// share once, and the folded test with two shares.
fn trials(shares: &[usize], count: usize) -> f64 {
    let different = 1 + shares.windows(2).filter(|pair| pair[0] != pair[1]).count();
    let folded = if count < FOLDED_LEAST { 0 } else { 2 };
    (3.0 * (different + folded) as f64).log10()
}

/// Fewer gaps cannot be told from their multiples.
const FOLDED_LEAST: usize = 8;

/// Beats that were missed leave gaps of two, three, ... periods: the gaps are divided by their
/// multiple and asked again. All windows together cover at most twice their width, whatever the
/// period (the sum of `q x exp(-q x)` for q to 6 is below 2).
fn folded(scratch: &mut Scratch, trials: f64, best: &mut Regularity) {
    let count = scratch.logs.len();
    if count < FOLDED_LEAST {
        return;
    }
    let (_, middle) = narrowest(&scratch.logs, count / 3 + 1);
    let period = middle.exp();
    // Where nothing was missed, the plain test has said all.
    if scratch.gaps.get(count - 1).is_none_or(|longest| (*longest as f64) < 1.5 * period) {
        return;
    }
    scratch.folded.clear();
    scratch.folded.extend(scratch.gaps.iter().zip(&scratch.logs).map(|(gap, log)| {
        let multiple = (*gap as f64 / period).round().clamp(1.0, MULTIPLE_MAX);
        if multiple > 1.0 { log - multiple.ln() } else { *log }
    }));
    scratch.folded.sort_unstable_by(f64::total_cmp);
    for held in [(count * 4).div_ceil(5), (count * 19).div_ceil(20)] {
        let (width, middle) = narrowest(&scratch.folded, held);
        let nlp = bound(count, held, 2.0 * width) - trials;
        if nlp > best.nlp {
            *best = Regularity { nlp, period_s: seconds(middle), spread: half(width), ..*best };
        }
    }
}

/// Half of a width in logarithms as a share.
fn half(width: f64) -> f64 {
    (width / 2.0).exp() - 1.0
}

/// The narrowest interval that holds `held` of the sorted values: its width and its middle.
fn narrowest(sorted: &[f64], held: usize) -> (f64, f64) {
    sorted
        .windows(held)
        .map(|window| (window[held - 1] - window[0], (window[held - 1] + window[0]) / 2.0))
        .min_by(|a, b| a.0.total_cmp(&b.0))
        .unwrap_or((f64::MAX, 0.0))
}

/// Minus log10 of the chance that some window with this mass around one of `count` values holds
/// `held` of them. Times are known to a hundredth of a millisecond at best, so a width of nothing
/// is not believed.
fn bound(count: usize, held: usize, mass: f64) -> f64 {
    let mass = mass.clamp(1e-5, 1.0);
    let (n, k) = ((count - 1) as f64, (held - 1) as f64);
    let choose =
        (ln_factorial(n) - ln_factorial(k) - ln_factorial(n - k)) / std::f64::consts::LN_10;
    -((count as f64).log10() + choose + k * mass.log10())
}

/// The logarithm of a factorial (Stirling's series; exact to eight digits from 0 on).
pub(crate) fn ln_factorial(n: f64) -> f64 {
    let mut x = n + 1.0;
    let mut shift = 0.0;
    while x < 10.0 {
        shift += x.ln();
        x += 1.0;
    }
    (x - 0.5) * x.ln() - x + 0.918_938_533_204_672_7 + 1.0 / (12.0 * x) - shift
}
