//! What a correlation measures in a window, kept up as hits come and go.

use std::collections::BTreeMap;

use makyo_sigma::{Bound, CorrelationKind, Decimal, Measure, Presence};

use super::CorrelationHit;

/// A measure of the hits in a window.
#[derive(Debug)]
pub(super) enum Gauge {
    Count(usize),
    Distinct(BTreeMap<Vec<String>, usize>),
    Sum(i128),
    Average {
        sum: i128,
        count: i128,
    },
    Ranked(Ranked),
    /// By place: how many hits of the rule.
    Places(Vec<usize>),
    /// By place: the latest start of a run of all rules up to it, in order.
    Starts(Vec<Option<i64>>),
}

impl Gauge {
    pub(super) fn new(kind: &CorrelationKind, places: usize) -> Self {
        match kind {
            CorrelationKind::EventCount(_) => Gauge::Count(0),
            CorrelationKind::ValueCount { .. } => Gauge::Distinct(BTreeMap::new()),
            CorrelationKind::Value { measure, .. } => match measure {
                Measure::Sum => Gauge::Sum(0),
                Measure::Average => Gauge::Average { sum: 0, count: 0 },
                Measure::Median => Gauge::Ranked(Ranked::new(50, true)),
                Measure::Percentile(percent) => {
                    Gauge::Ranked(Ranked::new(usize::from(*percent), false))
                }
            },
            CorrelationKind::Temporal(_) => Gauge::Places(vec![0; places]),
            CorrelationKind::TemporalOrdered => Gauge::Starts(vec![None; places]),
        }
    }

    pub(super) fn enter(&mut self, hit: &CorrelationHit) {
        let number = || number_of(hit).unwrap_or_default().0;
        match self {
            Gauge::Count(count) => *count += 1,
            Gauge::Distinct(values) => *values.entry(hit.values.clone()).or_default() += 1,
            Gauge::Sum(sum) => *sum += number(),
            Gauge::Average { sum, count } => {
                *sum += number();
                *count += 1;
            }
            Gauge::Ranked(ranked) => ranked.enter(number()),
            Gauge::Places(counts) => {
                counts.get_mut(hit.place).into_iter().for_each(|count| *count += 1);
            }
            Gauge::Starts(starts) => {
                let before = match hit.place.checked_sub(1) {
                    None => Some(hit.time),
                    Some(before) => starts.get(before).copied().flatten(),
                };
                if let Some(start) = starts.get_mut(hit.place) {
                    *start = (*start).max(before);
                }
            }
        }
    }

    pub(super) fn leave(&mut self, hit: &CorrelationHit) {
        let number = || number_of(hit).unwrap_or_default().0;
        match self {
            Gauge::Count(count) => *count -= 1,
            Gauge::Distinct(values) => {
                if let Some(count) = values.get_mut(&hit.values) {
                    *count -= 1;
                    if *count == 0 {
                        values.remove(&hit.values);
                    }
                }
            }
            Gauge::Sum(sum) => *sum -= number(),
            Gauge::Average { sum, count } => {
                *sum -= number();
                *count -= 1;
            }
            Gauge::Ranked(ranked) => ranked.leave(number()),
            Gauge::Places(counts) => {
                counts.get_mut(hit.place).into_iter().for_each(|count| *count -= 1);
            }
            // A start that is too old is told by its time.
            Gauge::Starts(_) => {}
        }
    }

    /// The number that a condition is about, in the window from `since`.
    pub(super) fn value(&self, since: i64) -> Decimal {
        match self {
            Gauge::Count(count) => Decimal::count(*count),
            Gauge::Distinct(values) => Decimal::count(values.len()),
            Gauge::Sum(sum) => Decimal(*sum),
            Gauge::Average { sum, count } => Decimal(sum.div_euclid((*count).max(1))),
            Gauge::Ranked(ranked) => ranked.value(),
            Gauge::Places(counts) => {
                Decimal::count(counts.iter().filter(|count| **count > 0).count())
            }
            Gauge::Starts(starts) => {
                let reached = starts.iter().take_while(|start| start.is_some_and(|s| s >= since));
                Decimal::count(reached.count())
            }
        }
    }

    /// Whether the window is part of an episode.
    pub(super) fn is_open(&self, kind: &CorrelationKind, since: i64) -> bool {
        let value = self.value(since);
        let is_reached = |bounds: &[Bound]| bounds.iter().all(|bound| bound.is_reached(value));
        match (kind, self) {
            (CorrelationKind::Temporal(Presence::Expression(rule)), Gauge::Places(counts)) => {
                rule.holds(&|place| counts.get(place).is_some_and(|count| *count > 0))
            }
            (CorrelationKind::TemporalOrdered, Gauge::Starts(starts)) => {
                starts.last().copied().flatten().is_some_and(|start| start >= since)
            }
            _ if grows(kind) => is_reached(bounds(kind)),
            _ => bounds(kind).iter().all(|bound| bound.holds(value)),
        }
    }
}

/// Whether a hit carries what the measure needs.
pub(super) fn has_value(kind: &CorrelationKind, hit: &CorrelationHit) -> bool {
    match kind {
        CorrelationKind::ValueCount { .. } => !hit.values.iter().all(String::is_empty),
        CorrelationKind::Value { .. } => number_of(hit).is_some(),
        _ => true,
    }
}

/// Whether the number only grows with further hits, so that its upper bounds are judged at the end.
pub(super) fn grows(kind: &CorrelationKind) -> bool {
    !matches!(
        kind,
        CorrelationKind::Value {
            measure: Measure::Average | Measure::Median | Measure::Percentile(_),
            ..
        }
    )
}

/// Whether a later hit can take a match back.
pub(super) fn wants_absence(kind: &CorrelationKind) -> bool {
    matches!(kind, CorrelationKind::Temporal(Presence::Expression(rule)) if rule.has_not())
}

/// The bounds of the number; none where rules are named instead.
pub(super) fn bounds(kind: &CorrelationKind) -> &[Bound] {
    match kind {
        CorrelationKind::EventCount(bounds)
        | CorrelationKind::ValueCount { bounds, .. }
        | CorrelationKind::Value { bounds, .. }
        | CorrelationKind::Temporal(Presence::Count(bounds)) => bounds,
        CorrelationKind::Temporal(Presence::Expression(_)) | CorrelationKind::TemporalOrdered => {
            &[]
        }
    }
}

fn number_of(hit: &CorrelationHit) -> Option<Decimal> {
    hit.values.first().and_then(|value| Decimal::parse(value))
}

/// Numbers in two halves, so that the one at a rank is always at hand: the least `percent` of a
/// hundred in the lower half, the others in the upper half.
#[derive(Debug)]
pub(super) struct Ranked {
    percent: usize,
    is_median: bool,
    low: Half,
    high: Half,
}

/// Numbers with how often each is there.
#[derive(Debug, Default)]
struct Half {
    numbers: BTreeMap<i128, usize>,
    count: usize,
}

impl Half {
    fn add(&mut self, number: i128) {
        *self.numbers.entry(number).or_default() += 1;
        self.count += 1;
    }

    fn remove(&mut self, number: i128) -> bool {
        let Some(count) = self.numbers.get_mut(&number) else { return false };
        *count -= 1;
        if *count == 0 {
            self.numbers.remove(&number);
        }
        self.count -= 1;
        true
    }

    fn least(&self) -> Option<i128> {
        self.numbers.first_key_value().map(|entry| *entry.0)
    }

    fn greatest(&self) -> Option<i128> {
        self.numbers.last_key_value().map(|entry| *entry.0)
    }
}

impl Ranked {
    fn new(percent: usize, is_median: bool) -> Self {
        Ranked { percent, is_median, low: Half::default(), high: Half::default() }
    }

    fn enter(&mut self, number: i128) {
        if self.high.least().is_some_and(|least| number >= least) {
            self.high.add(number);
        } else {
            self.low.add(number);
        }
        self.balance();
    }

    fn leave(&mut self, number: i128) {
        if !self.low.remove(number) {
            self.high.remove(number);
        }
        self.balance();
    }

    /// Nearest rank: `percent` of a hundred of the count, rounded up.
    fn balance(&mut self) {
        let rank = (self.percent * (self.low.count + self.high.count)).div_ceil(100);
        while self.low.count > rank
            && let Some(number) = self.low.greatest()
        {
            self.low.remove(number);
            self.high.add(number);
        }
        while self.low.count < rank
            && let Some(number) = self.high.least()
        {
            self.high.remove(number);
            self.low.add(number);
        }
    }

    fn value(&self) -> Decimal {
        let low = self.low.greatest().unwrap_or_default();
        match self.high.least() {
            Some(high) if self.is_median && self.low.count == self.high.count => {
                Decimal((low + high).div_euclid(2))
            }
            _ => Decimal(low),
        }
    }
}
