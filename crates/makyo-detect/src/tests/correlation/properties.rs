use makyo_base::SECOND_NS;
use proptest::collection::vec;
use proptest::prelude::*;

use super::{hit, one, run, run_limited};
use crate::{CorrelationHit, Correlations};

/// A kind of correlation with its condition over the hits of a window, written down anew and as
/// plainly as possible.
#[derive(Clone, Debug)]
enum Kind {
    Count(Compared),
    Values(Compared),
    Near(Compared),
    Ordered,
    Without,
    /// A measure of the numbers, its type's name, a percentile and the least that it must be.
    Measure(&'static str, usize, usize),
}

/// `gte` and `lte`, where they are named.
#[derive(Clone, Copy, Debug)]
struct Compared {
    least: Option<usize>,
    most: Option<usize>,
}

impl Compared {
    fn text(self) -> String {
        let least = self.least.map(|number| format!("gte: {number}"));
        let most = self.most.map(|number| format!("lte: {number}"));
        least.into_iter().chain(most).collect::<Vec<_>>().join(", ")
    }
}

impl Kind {
    fn body(&self, span: i64) -> String {
        let (word, condition) = match self {
            Kind::Count(compared) => ("event_count", format!("{{{}}}", compared.text())),
            Kind::Values(compared) => ("value_count", format!("{{field: V, {}}}", compared.text())),
            Kind::Near(compared) => ("temporal", format!("{{{}}}", compared.text())),
            Kind::Ordered => ("temporal_ordered", "~".to_owned()),
            Kind::Without => ("temporal", "a and not b".to_owned()),
            Kind::Measure("value_percentile", percent, least) => {
                ("value_percentile", format!("{{field: V, percentile: {percent}, gte: {least}}}"))
            }
            Kind::Measure(word, _, least) => (*word, format!("{{field: V, gte: {least}}}")),
        };
        format!("type: {word}, timespan: {span}s, condition: {condition}")
    }

    fn compared(&self) -> Compared {
        match self {
            Kind::Count(compared) | Kind::Values(compared) | Kind::Near(compared) => *compared,
            Kind::Ordered => Compared { least: Some(3), most: None },
            Kind::Without | Kind::Measure(..) => Compared { least: Some(1), most: None },
        }
    }

    fn number(&self, window: &[&CorrelationHit]) -> usize {
        let has = |place: usize| window.iter().any(|hit| hit.place == place);
        match self {
            Kind::Count(_) => window.len(),
            Kind::Values(_) => {
                let mut values: Vec<&String> = window.iter().map(|hit| &hit.values[0]).collect();
                values.sort();
                values.dedup();
                values.len()
            }
            Kind::Near(_) => (0..3).filter(|place| has(*place)).count(),
            Kind::Ordered => {
                // The earliest hit of each rule that is not before the one taken before.
                let mut after = i64::MIN;
                (0..3)
                    .take_while(|place| {
                        let times = window.iter().filter(|hit| hit.place == *place);
                        let next = times.map(|hit| hit.time).filter(|time| *time >= after).min();
                        after = next.unwrap_or(after);
                        next.is_some()
                    })
                    .count()
            }
            Kind::Without => usize::from(has(0) && !has(1)),
            Kind::Measure(word, percent, least) => {
                let numbers = window.iter().map(|hit| hit.values[0].parse().expect("number"));
                usize::from(is_at_least(word, *percent, *least, numbers.collect()))
            }
        }
    }
}

/// Whether a measure of whole numbers is at least so much, without a fraction anywhere.
fn is_at_least(word: &str, percent: usize, least: usize, mut numbers: Vec<usize>) -> bool {
    numbers.sort_unstable();
    let (count, sum) = (numbers.len(), numbers.iter().sum::<usize>());
    match word {
        "value_sum" => sum >= least,
        "value_avg" => sum >= least * count,
        "value_median" => numbers[(count - 1) / 2] + numbers[count / 2] >= 2 * least,
        _ => {
            let reached = |number: &usize| {
                let below = numbers.iter().filter(|other| *other <= number).count();
                100 * below >= percent * count
            };
            numbers.iter().copied().find(reached).expect("a number") >= least
        }
    }
}

type Found = (String, i64, i64, u64);

/// Every window is looked at anew: quadratic, and free of any state.
fn naive(kind: &Kind, span: i64, hits: &[CorrelationHit]) -> Vec<Found> {
    let span = span * SECOND_NS;
    let mut found = Vec::new();
    for group in ["g", "h"] {
        let own: Vec<&CorrelationHit> = hits.iter().filter(|hit| hit.group[0] == group).collect();
        let mut times: Vec<i64> = own.iter().map(|hit| hit.time).collect();
        times.sort_unstable();
        times.dedup();
        // An episode: when it opened, its hits' times, its largest number.
        let mut open: Option<(i64, Vec<i64>, usize)> = None;
        let mut ended = Vec::new();
        let mut before = i64::MIN;
        for now in times {
            if before != i64::MIN && now - before > span {
                ended.extend(open.take());
            }
            before = now;
            let window: Vec<&CorrelationHit> = own
                .iter()
                .filter(|hit| now - span <= hit.time && hit.time <= now)
                .copied()
                .collect();
            let number = kind.number(&window);
            if kind.compared().least.is_none_or(|least| number >= least) {
                let episode = open.get_or_insert_with(|| {
                    let earlier = window.iter().map(|hit| hit.time).filter(|time| *time < now);
                    (now, earlier.collect(), 0)
                });
                episode.1.extend(window.iter().map(|hit| hit.time).filter(|time| *time == now));
                episode.2 = episode.2.max(number);
            } else if let Some(episode) = open.take() {
                let is_taken_back = matches!(kind, Kind::Without) && now - episode.0 <= span;
                ended.extend((!is_taken_back).then_some(episode));
            }
        }
        ended.extend(open);
        for (_, times, number) in ended {
            if kind.compared().most.is_none_or(|most| number <= most) {
                let (first, last) =
                    (*times.iter().min().expect("hit"), *times.iter().max().expect("hit"));
                found.push((group.to_owned(), first, last, times.len() as u64));
            }
        }
    }
    found.sort();
    found
}

fn evaluated(correlations: &Correlations, hits: Vec<CorrelationHit>) -> Vec<Found> {
    let mut found: Vec<Found> = run(correlations, hits)
        .into_iter()
        .map(|one| (one.group[0].clone(), one.first, one.last, one.hits))
        .collect();
    found.sort();
    found
}

fn compared() -> impl Strategy<Value = Compared> {
    prop_oneof![
        (1..5_usize).prop_map(|least| Compared { least: Some(least), most: None }),
        (1..5_usize).prop_map(|most| Compared { least: None, most: Some(most) }),
        (1..3_usize, 0..3_usize)
            .prop_map(|(least, more)| Compared { least: Some(least), most: Some(least + more) }),
    ]
}

fn kind() -> impl Strategy<Value = Kind> {
    let few = (1..4_usize).prop_map(|least| Compared { least: Some(least), most: None });
    let measure =
        prop::sample::select(&["value_sum", "value_avg", "value_median", "value_percentile"]);
    prop_oneof![
        compared().prop_map(Kind::Count),
        compared().prop_map(Kind::Values),
        few.prop_map(Kind::Near),
        Just(Kind::Ordered),
        Just(Kind::Without),
        (measure, 1..=100_usize, 1..12_usize)
            .prop_map(|(word, percent, least)| Kind::Measure(word, percent, least)),
    ]
}

fn hits() -> impl Strategy<Value = Vec<CorrelationHit>> {
    let one = (0..60_i64, 0..3_usize, prop_oneof!["g", "h"], "[1-9]");
    vec(one, 0..40).prop_map(|list| {
        (1..)
            .zip(list)
            .map(|(number, (time, place, group, value))| hit(time, place, &group, &value, number))
            .collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn the_walk_finds_what_looking_at_every_window_finds(kind in kind(), span in 1..15_i64, hits in hits()) {
        let correlations = one(&kind.body(span));
        prop_assert_eq!(evaluated(&correlations, hits.clone()), naive(&kind, span, &hits));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn order_parts_and_memory_do_not_matter(
        kind in kind(),
        span in 1..15_i64,
        (hits, shuffled) in hits().prop_flat_map(|hits| (Just(hits.clone()), Just(hits).prop_shuffle())),
        part in 1..10_usize,
        limit in 0..8_usize,
    ) {
        let correlations = one(&kind.body(span));
        let expected = run_limited(&correlations, vec![hits], usize::MAX);
        let parts = shuffled.chunks(part).map(<[CorrelationHit]>::to_vec).collect();
        prop_assert_eq!(run_limited(&correlations, parts, limit), expected);
    }
}

#[test]
fn more_runs_than_may_be_open_are_made_one() {
    let hits: Vec<CorrelationHit> = (0..500)
        .map(|number: u16| hit(i64::from(number % 97), 0, "g", "v", number.into()))
        .collect();
    let correlations = one("type: event_count, timespan: 1s, condition: {gte: 2}");
    let expected = run_limited(&correlations, vec![hits.clone()], usize::MAX);
    assert_eq!(run_limited(&correlations, vec![hits], 1), expected);
}
