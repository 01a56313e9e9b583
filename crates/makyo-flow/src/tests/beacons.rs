use proptest::prelude::*;

use crate::{Regularity, Rhythm, regularity, rita_score};

/// Numbers that look random and are the same everywhere.
fn noise(seed: u64) -> impl Iterator<Item = f64> {
    (1_u64..).map(move |n| {
        (crate::spill::mix(seed ^ n.wrapping_mul(0x9e37_79b9)) >> 11) as f64 / (1_u64 << 53) as f64
    })
}

fn sleeper(period: f64, jitter: f64, count: usize, seed: u64) -> Vec<f64> {
    let mut at = 1_000.0;
    noise(seed)
        .take(count)
        .map(|unit| {
            at += period * (1.0 + jitter * (2.0 * unit - 1.0));
            at
        })
        .collect()
}

fn found(times: &[f64]) -> Regularity {
    regularity(times).unwrap_or_default()
}

#[test]
fn a_beat_is_found_at_any_length_of_period() {
    for period in [0.5, 5.0, 60.0, 3600.0, 86_400.0] {
        let one = found(&sleeper(period, 0.1, 30, 7));
        assert!(one.nlp >= 6.0, "{period}: {one:?}");
        assert!((one.period_s / period - 1.0).abs() < 0.1, "{period}: {one:?}");
    }
}

#[test]
fn jitter_of_a_third_is_found_with_more_beats() {
    assert!(found(&sleeper(60.0, 0.33, 60, 3)).nlp >= 6.0);
}

#[test]
fn beats_that_were_missed_do_not_hide_the_others() {
    let all = sleeper(120.0, 0.05, 80, 5);
    let kept: Vec<f64> =
        all.iter().zip(noise(9)).filter(|(_, unit)| *unit > 0.3).map(|one| *one.0).collect();
    let one = found(&kept);
    assert!(one.nlp >= 6.0, "{one:?}");
    assert!((one.period_s / 120.0 - 1.0).abs() < 0.1, "{one:?}");
}

#[test]
fn nights_are_pauses_and_not_gaps() {
    let mut times = Vec::new();
    for day in 0..5 {
        let shift = f64::from(day) * 86_400.0 + 9.0 * 3600.0;
        times.extend(sleeper(600.0, 0.1, 50, 11).iter().map(|time| time + shift));
    }
    let one = found(&times);
    assert!(one.nlp >= 6.0, "{one:?}");
    assert_eq!(one.pauses, 4);
}

#[test]
fn several_connections_of_one_beat_are_one() {
    let times: Vec<f64> = sleeper(300.0, 0.02, 40, 2)
        .iter()
        .flat_map(|time| [*time, time + 0.2, time + 0.3])
        .collect();
    let one = found(&times);
    assert!((one.period_s / 300.0 - 1.0).abs() < 0.05, "{one:?}");
    assert_eq!(one.beats, 40);
}

#[test]
fn growing_gaps_and_beats_over_each_other_are_found() {
    let mut at = 0.0;
    let patient: Vec<f64> = (0..60)
        .map(|step| {
            at += 0.1 + 0.1 * f64::from(step % 30);
            at
        })
        .collect();
    assert_eq!(found(&patient).rhythm, Rhythm::Growing);
    let mut several: Vec<f64> = sleeper(6.0, 0.1, 300, 1);
    several.extend(sleeper(5.0, 0.1, 360, 2));
    several.sort_by(f64::total_cmp);
    let one = found(&several);
    assert!(one.nlp >= 6.0, "{one:?}");
}

#[test]
fn arrivals_without_a_clock_are_not_regular() {
    let mut worst: f64 = 0.0;
    for seed in 0..2_000 {
        let mut at = 0.0;
        let times: Vec<f64> = noise(seed)
            .take(5 + (seed as usize * 7) % 120)
            .map(|unit| {
                at += -60.0 * (1.0 - unit).ln();
                at
            })
            .collect();
        worst = worst.max(found(&times).nlp);
    }
    // Two thousand tries: a chance of 1e-5 may be met, one of 1e-6 hardly.
    assert!(worst < 5.0, "{worst}");
}

#[test]
fn few_times_say_nothing() {
    assert_eq!(regularity(&[1.0, 2.0, 3.0]), None);
    assert_eq!(regularity(&[5.0, 5.0, 5.0, 5.0, 5.0]), None);
}

#[test]
fn the_known_score_of_an_even_day_is_one() {
    let times: Vec<i64> = (0..288).map(|n| n * 300).collect();
    let sizes = vec![500; times.len()];
    let score = rita_score(&times, &sizes, 0, 86_399).unwrap();
    assert_eq!((score.timestamp, score.data_size), (1.0, 1.0));
    assert!(score.histogram > 0.9 && score.duration > 0.99, "{score:?}");
    assert_eq!(rita_score(&[1, 2, 3], &[1, 1, 1], 0, 10), None);
}

#[test]
fn the_known_score_by_hand() {
    // Gaps 10, 20, 60: quartiles 10, 20, 60; skew (10+60-40)/50 = 0.6; deviations 10, 0, 40 with
    // the median 10: (20-10)/20 = 0.5. Sizes 100, 200, 300, 400: skew 0, deviations' median 100.
    let score = rita_score(&[0, 10, 30, 90], &[100, 200, 300, 400], 0, 90).unwrap();
    assert_eq!(score.timestamp, 0.45);
    assert_eq!(score.data_size, 0.8);
    assert_eq!((score.duration, score.histogram), (0.0, 0.0));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn when_it_began_does_not_matter(shift in 0.0..1e6_f64, seed in 0_u64..1000) {
        let times = sleeper(45.0, 0.2, 30, seed);
        let moved: Vec<f64> = times.iter().map(|time| time + shift).collect();
        let (one, other) = (found(&times), found(&moved));
        prop_assert!((one.nlp - other.nlp).abs() < 0.05, "{one:?} {other:?}");
    }

    #[test]
    fn any_times_are_survived(mut times in prop::collection::vec(0.0..1e9_f64, 0..200)) {
        times.sort_by(f64::total_cmp);
        if let Some(one) = regularity(&times) {
            prop_assert!(one.nlp.is_finite() && one.period_s.is_finite());
        }
    }
}
