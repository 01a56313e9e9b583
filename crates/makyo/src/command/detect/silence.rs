//! Zero detections, no error: why?

use std::collections::BTreeMap;

use makyo_decode::Sources;
use makyo_detect::Reach;

use super::Counts;
use crate::detection::Detection;
use crate::output::tell;

/// So many names are told of each kind.
const SHOWN_MAX: usize = 8;

/// Says which rules could have matched what was there, and which could not and why.
pub(super) fn tell_why(detection: &Detection, counts: &Counts, sources: &Sources) {
    let name = |place: usize| sources.get(place).map_or("no source description", |one| &one.id);
    let records = counts.census.records();
    if counts.records == 0 {
        tell("why: no record was read");
    }
    for (place, count) in records {
        let asked = detection.rules.asks_for(*place);
        let served = (0..detection.rules.rules().len())
            .filter(|rule| detection.rules.served_by(*rule).contains(place))
            .count();
        let of_rules = if asked {
            format!("{served} rules ask for them")
        } else {
            "no loaded rule asks for them".to_owned()
        };
        tell(&format!("why: {count} records of {}; {of_rules}", name(*place)));
    }
    let mut absent: BTreeMap<String, usize> = BTreeMap::new();
    let mut missing: BTreeMap<String, usize> = BTreeMap::new();
    let (mut applied, mut without, mut unserved, mut fieldless) = (0, 0, 0, 0);
    for (index, rule) in detection.rules.rules().iter().enumerate() {
        match detection.rules.reach(index, &counts.census) {
            Reach::Applied => applied += 1,
            Reach::NotServed => unserved += 1,
            Reach::NoRecords => {
                without += 1;
                *absent.entry(rule.logsource.words()).or_default() += 1;
            }
            Reach::NoFields(fields) => {
                fieldless += 1;
                fields.into_iter().for_each(|field| *missing.entry(field).or_default() += 1);
            }
        }
    }
    tell(&format!("why: {applied} rules were put to records that have their fields"));
    if without > 0 {
        tell(&format!(
            "why: {without} rules are about a log source of which no record was there: {}",
            most(&absent)
        ));
    }
    if fieldless > 0 {
        tell(&format!(
            "why: {fieldless} rules need fields that no record of their log source has: {}",
            most(&missing)
        ));
    }
    if unserved > 0 {
        tell(&format!("why: {unserved} rules are about a log source that no description serves"));
    }
    if counts.defects > 0 {
        tell(&format!("why: {} places could not be read; they are named above", counts.defects));
    }
}

/// The names with the highest counts.
fn most(counts: &BTreeMap<String, usize>) -> String {
    let mut sorted: Vec<(&String, &usize)> = counts.iter().collect();
    sorted.sort_by_key(|pair| (std::cmp::Reverse(*pair.1), pair.0));
    let shown: Vec<String> =
        sorted.iter().take(SHOWN_MAX).map(|(name, count)| format!("{name} ({count})")).collect();
    let more = sorted.len().saturating_sub(SHOWN_MAX);
    if more > 0 { format!("{} and {more} more", shown.join(", ")) } else { shown.join(", ") }
}
