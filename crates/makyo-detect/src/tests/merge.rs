use makyo_base::{DAY_NS, Finding};
use proptest::prelude::*;

use crate::{finding_from_object, finding_object, merge_findings};

use super::by_rule;

#[test]
fn one_rule_on_one_host_in_a_day_is_one_finding_with_all_its_records() {
    let merged = merge_findings(
        [by_rule("a", 5, 1), by_rule("b", 3, 2), by_rule("c", DAY_NS, 3)].into_iter(),
    );
    assert_eq!(merged.len(), 2);
    assert_eq!((merged[0].time, merged[0].records.len()), (Some(3), 2));
    assert_eq!(merged[0].text, "t: on h (2 records)");
}

#[test]
fn copies_of_one_record_are_one_record_in_two_places() {
    let mut copy = by_rule("a", 5, 9);
    copy.records[0].file = "g".into();
    let merged = merge_findings([by_rule("a", 5, 1), copy].into_iter());
    assert_eq!((merged.len(), merged[0].records.len()), (1, 2));
    assert_eq!((merged[0].id.as_str(), merged[0].text.as_str()), ("a", "t: on h"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn order_does_not_matter(mut list in proptest::collection::vec((0u8..6, 0i64..3, 0u64..4), 0..12), seed in any::<u64>()) {
        let make = |list: &[(u8, i64, u64)]| -> Vec<Finding> {
            merge_findings(list.iter().map(|(id, day, record)| by_rule(&format!("f{id}-{day}"), day * DAY_NS + i64::from(*id), *record)))
        };
        let forward = make(&list);
        let length = list.len().max(1);
        list.rotate_left(usize::try_from(seed % length as u64).expect("small"));
        list.reverse();
        prop_assert_eq!(make(&list), forward);
    }

    #[test]
    fn findings_survive_their_json(time in any::<i32>(), record in any::<u32>(), text in "\\PC{0,20}") {
        let mut one = by_rule("a", i64::from(time) * 1_000_000_000, record.into());
        one.text = text;
        prop_assert_eq!(finding_from_object(&finding_object(&one)), Some(one));
    }
}
