//! Any rules (after the first line) over any record (the first line): matching never panics, and
//! many rules together say what each says alone.
#![no_main]

use libfuzzer_sys::fuzz_target;
use makyo_base::{Value, parse_json};
use makyo_sigma::{Matcher, PlanBuilder, Scratch, load_rules};

fuzz_target!(|text: &str| {
    let Some((record, rules)) = text.split_once('\n') else { return };
    let Ok(Value::Object(record)) = parse_json(record) else { return };
    let (rules, _) = load_rules("fuzz.yml", rules);
    let mut builder = PlanBuilder::default();
    for rule in &rules {
        builder.add(&rule.selection);
    }
    let mut scratch = Scratch::default();
    let mut together = vec![false; rules.len()];
    builder.finish().matches(&mut scratch, &record, &mut |rule| together[rule] = true);
    for (rule, held) in rules.iter().zip(together) {
        assert_eq!(Matcher::new(&rule.selection).is_match(&mut scratch, &record), held);
    }
});
