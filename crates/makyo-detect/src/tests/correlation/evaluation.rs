use makyo_base::{FindingSource, Level, SECOND_NS};

use super::{hit, in_order, one, run, run_limited, seconds};
use crate::tests::weights;
use crate::{
    CorrelationHit, CorrelationMatch, CorrelationState, FINDING_RECORDS_MAX, WINDOW_HITS_MAX,
};

/// Hits of the first rule in group `g` at these seconds.
fn at(times: &[i64]) -> Vec<CorrelationHit> {
    (1..).zip(times).map(|(number, time)| hit(*time, 0, "g", "v", number)).collect()
}

/// Hits of rules by place at seconds.
fn placed(hits: &[(i64, usize)]) -> Vec<CorrelationHit> {
    (1..).zip(hits).map(|(number, (time, place))| hit(*time, *place, "g", "v", number)).collect()
}

/// Hits with values at seconds.
fn valued(hits: &[(i64, &str)]) -> Vec<CorrelationHit> {
    (1..).zip(hits).map(|(number, (time, value))| hit(*time, 0, "g", value, number)).collect()
}

fn found(body: &str, hits: Vec<CorrelationHit>) -> Vec<(i64, i64, u64, String)> {
    seconds(&run(&one(body), hits))
}

fn spans(body: &str, hits: Vec<CorrelationHit>) -> Vec<(i64, i64)> {
    found(body, hits).into_iter().map(|one| (one.0, one.1)).collect()
}

#[test]
fn events_are_counted_in_a_sliding_window() {
    let body = "type: event_count, timespan: 10s, condition: {gte: 3}";
    assert_eq!(found(body, at(&[0, 5])), []);
    assert_eq!(found(body, at(&[0, 5, 10])), [(0, 10, 3, "3".into())]);
    assert_eq!(found(body, at(&[0, 5, 11])), []);
    // No boundary of a clock cuts the window.
    assert_eq!(spans(body, at(&[58, 61, 63])), [(58, 63)]);
    assert_eq!(spans("type: event_count, timespan: 10s, condition: {gt: 3}", at(&[0, 1, 2])), []);
}

#[test]
fn one_episode_is_one_match_however_long_it_lasts() {
    let body = "type: event_count, timespan: 10s, condition: {gte: 3}";
    let long: Vec<i64> = (0..100).map(|step| step * 4).collect();
    assert_eq!(found(body, at(&long)), [(0, 396, 100, "3".into())]);
    assert_eq!(spans(body, at(&[0, 1, 2, 50, 51, 52])), [(0, 2), (50, 52)]);
    // With a count of one, a pause of a timespan ends the episode.
    let each = "type: event_count, timespan: 10s, condition: {gte: 1}";
    assert_eq!(spans(each, at(&[0, 10, 21])), [(0, 10), (21, 21)]);
}

#[test]
fn upper_bounds_are_judged_when_the_episode_has_ended() {
    let less = "type: event_count, timespan: 10s, condition: {lt: 3}";
    assert_eq!(found(less, at(&[0, 5, 50])), [(0, 5, 2, "2".into()), (50, 50, 1, "1".into())]);
    assert_eq!(spans(less, at(&[0, 5, 9, 50])), [(50, 50)]);
    let range = "type: event_count, timespan: 10s, condition: {gte: 2, lte: 3}";
    assert_eq!(spans(range, at(&[0, 1])), [(0, 1)]);
    assert_eq!(spans(range, at(&[0, 1, 2, 3])), []);
    let equal = "type: event_count, timespan: 10s, condition: {eq: 2}";
    assert_eq!(spans(equal, at(&[0, 1, 50, 51, 52, 90])), [(0, 1)]);
    let other = "type: event_count, timespan: 10s, condition: {neq: 2}";
    assert_eq!(spans(other, at(&[0, 1, 50, 51, 52, 90])), [(50, 52), (90, 90)]);
}

#[test]
fn groups_are_told_apart_exactly() {
    let correlations = in_order(
        "title: t\ncorrelation: {type: event_count, rules: [a], group-by: [G, H], timespan: 10s, condition: {gte: 2}}",
    );
    let with = |group: [&str; 2], number: u64| CorrelationHit {
        group: group.map(str::to_owned).to_vec(),
        ..hit(0, 0, "", "", number)
    };
    assert_eq!(run(&correlations, vec![with(["a", "bc"], 1), with(["ab", "c"], 2)]), []);
    assert_eq!(run(&correlations, vec![with(["a", ""], 1), with(["", "a"], 2)]), []);
    assert_eq!(run(&correlations, vec![with(["a", "b"], 1), with(["a", "b"], 2)]).len(), 1);
    // What names nobody belongs to nobody.
    let nobody = vec![vec![with(["", ""], 1), with(["", ""], 2)]];
    let (found, tally) = run_limited(&correlations, nobody, 10);
    assert_eq!((found.len(), tally.ungrouped, tally.hits), (0, 2, 0));
}

#[test]
fn values_are_counted_once() {
    let body = "type: value_count, timespan: 10s, condition: {field: V, gte: 2}";
    assert_eq!(found(body, valued(&[(0, "x"), (1, "x"), (2, "x")])), []);
    assert_eq!(found(body, valued(&[(0, "x"), (1, "y")])), [(0, 1, 2, "2".into())]);
    assert_eq!(found(body, valued(&[(0, "x"), (11, "y")])), []);
    let (found, tally) = run_limited(&one(body), vec![valued(&[(0, ""), (1, "y")])], 10);
    assert_eq!((found.len(), tally.valueless), (0, 1));
}

#[test]
fn measures_are_of_the_numbers_in_the_window() {
    let body = |kind: &str, rest: &str| {
        format!("type: {kind}, timespan: 10s, condition: {{field: V, {rest}}}")
    };
    let hits = || valued(&[(0, "1"), (1, "2.5"), (2, "-3"), (3, "no number"), (4, "10")]);
    assert_eq!(spans(&body("value_sum", "gte: 10.5"), hits()), [(0, 4)]);
    assert_eq!(spans(&body("value_sum", "gt: 10.5"), hits()), []);
    assert_eq!(found(&body("value_avg", "gt: 2"), hits()), [(0, 4, 4, "2.625".into())]);
    assert_eq!(spans(&body("value_avg", "gt: 2.625"), hits()), []);
    assert_eq!(found(&body("value_avg", "lt: 1"), hits()), [(0, 2, 3, "0.166666666".into())]);
    // -3, 1, 2.5, 10: the two in the middle are 1 and 2.5.
    assert_eq!(
        found(&body("value_median", "eq: 1.75"), hits()),
        [(0, 1, 2, "1.75".into()), (0, 4, 4, "1.75".into())]
    );
    // The third of four numbers is the least that 75 percent do not exceed.
    assert_eq!(
        found(&body("value_percentile", "percentile: 75, eq: 2.5"), hits()),
        [(0, 4, 4, "2.5".into())]
    );
    assert_eq!(spans(&body("value_percentile", "percentile: 50, gt: 1"), hits()), []);
    assert_eq!(spans(&body("value_percentile", "percentile: 100, gte: 10"), hits()), [(0, 4)]);
    let (_, tally) = run_limited(&one(&body("value_sum", "gt: 1")), vec![hits()], 10);
    assert_eq!((tally.valueless, tally.hits), (1, 4));
    // What left the window no longer counts.
    assert_eq!(spans(&body("value_sum", "gte: 5"), valued(&[(0, "4"), (11, "4")])), []);
}

#[test]
fn rules_are_near_each_other_in_any_order() {
    let body = "type: temporal, timespan: 10s";
    assert_eq!(found(body, placed(&[(0, 2), (5, 0), (9, 1)])), [(0, 9, 3, "3".into())]);
    assert_eq!(found(body, placed(&[(0, 2), (5, 0), (11, 1)])), []);
    assert_eq!(found(body, placed(&[(0, 0), (1, 0), (2, 1)])), []);
    let two = "type: temporal, timespan: 10s, condition: {gte: 2}";
    assert_eq!(spans(two, placed(&[(0, 0), (1, 0), (2, 2)])), [(0, 2)]);
}

#[test]
fn rules_follow_each_other_in_order() {
    let body = "type: temporal_ordered, timespan: 10s";
    assert_eq!(spans(body, placed(&[(0, 0), (5, 1), (9, 2)])), [(0, 9)]);
    assert_eq!(spans(body, placed(&[(0, 0), (5, 2), (9, 1)])), []);
    assert_eq!(spans(body, placed(&[(0, 0), (5, 1), (11, 2)])), []);
    // A later start replaces one that is too old, and only a whole run counts.
    assert_eq!(spans(body, placed(&[(0, 0), (4, 0), (5, 1), (12, 2)])), [(4, 12)]);
    assert_eq!(spans(body, placed(&[(0, 0), (1, 1), (2, 0), (12, 2)])), []);
    // Equal times are in order.
    assert_eq!(spans(body, placed(&[(3, 2), (3, 1), (3, 0)])), [(3, 3)]);
}

#[test]
fn what_must_be_absent_is_absent_before_and_after() {
    let body = "type: temporal, timespan: 10s, condition: a and not b";
    assert_eq!(spans(body, placed(&[(0, 0)])), [(0, 0)]);
    assert_eq!(spans(body, placed(&[(0, 1), (10, 0)])), []);
    assert_eq!(spans(body, placed(&[(0, 1), (11, 0)])), [(11, 11)]);
    assert_eq!(spans(body, placed(&[(0, 0), (10, 1)])), []);
    assert_eq!(spans(body, placed(&[(0, 0), (11, 1)])), [(0, 0)]);
    assert_eq!(spans(body, placed(&[(5, 1), (5, 0)])), []);
    // Long after it became true, a hit ends the episode and does not take it back.
    assert_eq!(spans(body, placed(&[(0, 0), (8, 0), (16, 0), (20, 1)])), [(0, 16)]);
    let either = "type: temporal, timespan: 10s, condition: a and (b or c)";
    assert_eq!(spans(either, placed(&[(0, 0), (1, 2)])), [(0, 1)]);
    assert_eq!(spans(either, placed(&[(0, 1), (1, 2)])), []);
}

#[test]
fn matches_are_hits_of_other_correlations() {
    let text = |generate: &str| {
        format!(
            "title: outer\ncorrelation: {{type: temporal_ordered, rules: [many, b], group-by: [G], timespan: 10s}}\n{generate}---\ntitle: many\nname: many\ncorrelation: {{type: event_count, rules: [a], group-by: [G], timespan: 10s, condition: {{gte: 3}}}}"
        )
    };
    let mut hits = at(&[0, 4, 8]);
    // The outer correlation stands second.
    hits.push(CorrelationHit { correlation: 1, ..hit(17, 1, "g", "v", 9) });
    let inner = in_order(&text(""));
    let found = run(&inner, hits.clone());
    assert_eq!(seconds(&found), [(8, 17, 2, "2".into())]);
    assert_eq!(found[0].records.len(), 4);
    let both = run(&in_order(&text("generate: true\n")), hits.clone());
    assert_eq!(both.len(), 2);
    let early = CorrelationHit { correlation: 1, ..hit(7, 1, "g", "v", 9) };
    assert_eq!(run(&inner, vec![hits[0].clone(), hits[1].clone(), hits[2].clone(), early]), []);
}

#[test]
fn copies_of_one_record_are_one_hit() {
    let body = "type: event_count, timespan: 10s, condition: {gte: 2}";
    let mut copy = hit(0, 0, "g", "v", 1);
    copy.records[0].file = "other".into();
    let hits = vec![vec![hit(0, 0, "g", "v", 1), copy]];
    let (found, tally) = run_limited(&one(body), hits, 10);
    assert_eq!((found.len(), tally.copies, tally.hits), (0, 1, 1));
}

#[test]
fn records_are_listed_up_to_a_limit_and_counted_beyond() {
    let body = "type: event_count, timespan: 10s, condition: {gte: 2}";
    let found = run(&one(body), at(&[0; 250]));
    assert_eq!((found.len(), found[0].hits), (1, 250));
    assert_eq!(found[0].records.len(), FINDING_RECORDS_MAX);
}

#[test]
fn a_full_window_lets_its_oldest_hits_go_and_says_so() {
    let body = "type: event_count, timespan: 1y, condition: {gte: 3}";
    let times: Vec<i64> = (0..).take(WINDOW_HITS_MAX + 10).collect();
    let (found, tally) = run_limited(&one(body), vec![at(&times)], usize::MAX);
    assert_eq!(seconds(&found), [(0, 100_009, 100_010, "100000".into())]);
    assert_eq!(tally.cut, 10);
}

#[test]
fn episodes_with_the_same_first_record_are_two_findings() {
    let correlations = one("type: value_avg, timespan: 10s, condition: {field: V, gte: 5}");
    let found = run(&correlations, valued(&[(0, "6"), (1, "0"), (2, "9")]));
    assert_eq!(found.len(), 2);
    let own = correlations.get(0).expect("there");
    let id = |one: &CorrelationMatch| one.finding(own, &weights()).id;
    assert_ne!(id(&found[0]), id(&found[1]));
}

#[test]
fn matches_in_records_without_a_time_are_counted() {
    let folder = tempfile::tempdir().expect("folder");
    let mut state = CorrelationState::new(folder.path());
    state.push_untimed();
    let body = "type: event_count, timespan: 10s, condition: {gte: 2}";
    let tally = state.finish(&one(body), &mut |_| panic!("no match")).expect("read");
    assert_eq!(tally.untimed, 1);
}

#[test]
fn a_spool_folder_that_is_not_there_is_named() {
    let mut state = CorrelationState::with_limit(std::path::Path::new("no-such-folder"), 0);
    let error = state.push(hit(0, 0, "g", "v", 1)).expect_err("no folder");
    assert!(error.to_string().starts_with("cannot spool matches: `no-such-folder/"), "{error}");
}

#[test]
fn a_match_becomes_a_finding() {
    let correlations = one("type: event_count, timespan: 10s, condition: {gte: 2}");
    let finding = |hits: Vec<CorrelationHit>| {
        let found: Vec<CorrelationMatch> = run(&correlations, hits);
        found[0].finding(correlations.get(0).expect("there"), &weights())
    };
    let mut hits = at(&[3, 4]);
    hits[1].entities[1].value = "other".into();
    let one = finding(hits.clone());
    assert_eq!(one.text, "t: G g (2 matches)");
    assert_eq!((one.time, one.source), (Some(3 * SECOND_NS), FindingSource::Sigma));
    assert_eq!((one.rule.id.as_str(), one.rule.level), ("id-t", Level::High));
    assert_eq!(one.techniques, ["T1078", "T1110"]);
    assert_eq!((one.records.len(), one.entities.len()), (2, 1), "entities that all hits share");
    assert_eq!(one.weight_db.to_bits(), weights().level(Level::High).to_bits());
    // The id is of the content, and not of the file's name.
    hits.iter_mut().for_each(|hit| hit.records[0].file = "renamed".into());
    assert_eq!(finding(hits.clone()).id, one.id);
    hits.iter_mut().for_each(|hit| hit.group = vec!["h".into()]);
    assert_ne!(finding(hits).id, one.id);
}
