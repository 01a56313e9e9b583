//! The four sub-scores by which RITA 5 ranks a pair, so that users can sort by what they know.
//! Computed by the published formulas over one channel; no code is shared.

/// Sub-scores and their sum, from 0 to 1, rounded to thousandths.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct RitaScore {
    /// Regularity of the gaps.
    pub timestamp: f64,
    /// Regularity of the sizes.
    pub data_size: f64,
    /// Evenness over 24 bins of the data's time.
    pub histogram: f64,
    /// Persistence over the data's time.
    pub duration: f64,
    /// The mean of the four.
    pub score: f64,
}

const BINS: usize = 24;

/// The scores of one channel: sorted times in whole seconds, bytes sent with each connection, and
/// the first and last second of all data. None where RITA gives none (fewer than four times).
#[must_use]
pub fn rita_score(times: &[i64], sizes: &[u64], first: i64, last: i64) -> Option<RitaScore> {
    let mut gaps: Vec<f64> =
        times.windows(2).map(|pair| (pair[1] - pair[0]) as f64).filter(|gap| *gap > 0.0).collect();
    if gaps.len() < 3 {
        return None;
    }
    let timestamp = evenness(&mut gaps, 1.0);
    let mut sizes: Vec<f64> = sizes.iter().map(|size| *size as f64).collect();
    let data_size = if sizes.len() < 3 { 0.0 } else { evenness(&mut sizes, 0.0) };
    let bars = bars(times, first, last);
    let histogram = histogram(&bars);
    let duration = duration(&bars, times, first, last);
    let score = round3(0.25 * (timestamp + data_size + histogram + duration));
    Some(RitaScore { timestamp, data_size, histogram, duration, score })
}

fn round3(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

fn ceil3(value: f64) -> f64 {
    (value * 1000.0).ceil() / 1000.0
}

fn median(sorted: &[f64]) -> f64 {
    let half = sorted.len() / 2;
    match (sorted.len() % 2, sorted.get(half), half.checked_sub(1).and_then(|at| sorted.get(at))) {
        (1, Some(middle), _) => *middle,
        (0, Some(above), Some(below)) => f64::midpoint(*above, *below),
        _ => 0.0,
    }
}

/// Bowley's skewness of the quartiles and the median deviation, half each. `small` is the second
/// where the median is below 1.
fn evenness(values: &mut [f64], small: f64) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    let half = values.len() / 2;
    let middle = median(values);
    let low = median(values.get(..half).unwrap_or_default());
    let high = median(values.get(values.len() - half..).unwrap_or_default());
    let width = high - low;
    let is_told = width >= 10.0 && middle != low && middle != high;
    let skew = if is_told { (low + high - 2.0 * middle) / width } else { 0.0 };
    let mut away: Vec<f64> = values.iter().map(|value| (value - middle).abs()).collect();
    away.sort_unstable_by(f64::total_cmp);
    let spread = if middle >= 1.0 { ((middle - median(&away)) / middle).max(0.0) } else { small };
    round3(f64::midpoint(1.0 - skew.abs(), spread))
}

fn bars(times: &[i64], first: i64, last: i64) -> [u32; BINS] {
    let mut bars = [0; BINS];
    let width = (last - first).max(1) as f64 / BINS as f64;
    for time in times {
        let at = ((time - first) as f64 / width) as usize;
        if let Some(bar) = bars.get_mut(at.min(BINS - 1)) {
            *bar += 1;
        }
    }
    bars
}

fn histogram(bars: &[u32; BINS]) -> f64 {
    let mean = bars.iter().sum::<u32>() as f64 / BINS as f64;
    let variance =
        bars.iter().map(|bar| (f64::from(*bar) - mean).powi(2)).sum::<f64>() / BINS as f64;
    let even = round3(1.0 - variance.sqrt() / mean).max(0.0);
    even.max(bimodal(bars))
}

/// Whether most bars are of two heights.
fn bimodal(bars: &[u32; BINS]) -> f64 {
    let filled = bars.iter().filter(|bar| **bar > 0).count();
    if filled < 11 {
        return 0.0;
    }
    let highest = bars.iter().max().copied().unwrap_or(1);
    let width = (f64::from(highest) * 0.05).ceil().max(1.0) as u32;
    let mut heights = std::collections::BTreeMap::new();
    for bar in bars.iter().filter(|bar| **bar > 0) {
        *heights.entry(bar / width).or_insert(0_usize) += 1;
    }
    let mut counts: Vec<usize> = heights.into_values().collect();
    counts.sort_unstable_by(|a, b| b.cmp(a));
    let two: usize = counts.iter().take(2).sum();
    round3(two as f64 / (filled.saturating_sub(1)).max(1) as f64).min(1.0)
}

fn duration(bars: &[u32; BINS], times: &[i64], first: i64, last: i64) -> f64 {
    let filled = bars.iter().filter(|bar| **bar > 0).count();
    let (Some(begin), Some(end)) = (times.first(), times.last()) else { return 0.0 };
    if filled < 6 {
        return 0.0;
    }
    let coverage = ceil3((end - begin) as f64 / (last - first).max(1) as f64);
    let (mut run, mut longest) = (0_usize, 0_usize);
    for bar in bars.iter().chain(bars) {
        run = if *bar > 0 { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    let consistency = ceil3(longest.min(BINS) as f64 / 12.0);
    coverage.max(consistency).min(1.0)
}
