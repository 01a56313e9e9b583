//! The engine against plain reading: whatever it leaves out of consideration must not matter.

use makyo_base::{Object, Value, parse_json};
use proptest::prelude::*;

use crate::fold::fold;
use crate::grams::Grams;
use crate::required::required_literals;
use crate::*;

/// Evaluates a selection as it is written, one predicate after another.
fn holds(selection: &Selection, record: &Object<'_>) -> bool {
    match selection {
        Selection::And(list) => list.iter().all(|part| holds(part, record)),
        Selection::Or(list) => list.iter().any(|part| holds(part, record)),
        Selection::Not(inner) => !holds(inner, record),
        Selection::Leaf(predicate) => {
            let texts_of = |name: &str| match record.path(name) {
                Some(Value::List(list)) => {
                    list.iter().filter_map(|item| Some(item.as_text()?.into_owned())).collect()
                }
                other => other
                    .and_then(|value| Some(value.as_text()?.into_owned()))
                    .into_iter()
                    .collect::<Vec<_>>(),
            };
            let name = predicate.field.as_deref();
            let value = name.and_then(|name| record.path(name));
            let passes = |test: &Test, text: &str| {
                let text = text.trim_end();
                test.passes(text, &fold(text))
            };
            match (&predicate.test, name) {
                (Test::Exists(wanted), _) => value.is_some() == *wanted,
                (Test::Null, _) => value.is_none_or(|value| *value == Value::Null),
                (Test::FieldRef(..), _) => false,
                (test, Some(name)) => texts_of(name).iter().any(|text| passes(test, text)),
                (test, None) => record
                    .0
                    .iter()
                    .any(|field| texts_of(&field.0).iter().any(|text| passes(test, text))),
            }
        }
    }
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[abcdefABC\\\\. ]{0,12}",
        1 => "[a-zßſKİΣσς]{0,6}",
        1 => prop::sample::select(vec![
            "C:\\\\Windows\\\\cmd.exe", "powershell -enc aGVsbG8", "abc", "abcd", "abcdefgh",
        ]).prop_map(str::to_owned),
    ]
}

fn selection() -> impl Strategy<Value = String> {
    let field = prop_oneof!["A", "B"];
    let word = prop_oneof!["", "|contains", "|startswith", "|endswith", "|contains|cased"];
    let texts = (field, word, prop::collection::vec(text(), 1..5)).prop_map(|(f, word, values)| {
        let values: Vec<String> = values.iter().map(|value| format!("'{value}'")).collect();
        format!("{f}{word}: [{}]", values.join(", "))
    });
    let regex = "(\\(\\?i\\))?[abcks]{3,5}(\\|[abcks]{3,4})?";
    let field = || prop_oneof!["A", "B"];
    prop_oneof![
        6 => texts,
        1 => (field(), regex).prop_map(|(f, regex)| format!("{f}|re: '{regex}'")),
        1 => (field(), any::<bool>()).prop_map(|(f, flag)| format!("{f}|exists: {flag}")),
        1 => (field(), 0..9_i32).prop_map(|(f, bound)| format!("{f}|gt: {bound}")),
        1 => (field(), "[ab]{0,3}\\*[ab]{1,3}\\?").prop_map(|(f, glob)| format!("{f}: '{glob}'")),
    ]
}

fn rule() -> impl Strategy<Value = String> {
    let condition = prop_oneof![
        "one and two",
        "one or two",
        "one and not two",
        "not one",
        "not \\(one and two\\)",
        "1 of them"
    ];
    (selection(), selection(), prop::option::of("[abc]{1,5}"), condition).prop_map(
        |(one, two, keyword, condition)| {
            let two = match keyword {
                Some(word) => format!("  two: ['{word}']"),
                None => format!("  two: {{{two}}}"),
            };
            format!(
                "title: t\nlogsource: {{product: p}}\ndetection:\n  one: {{{one}}}\n{two}\n  condition: {condition}\n"
            )
        },
    )
}

fn record() -> impl Strategy<Value = String> {
    let value = prop_oneof![
        5 => text().prop_map(|text| serde_json::to_string(&text).expect("text")),
        1 => Just("null".to_owned()),
        1 => (0..9_i32).prop_map(|number| number.to_string()),
        1 => prop::collection::vec(text(), 0..3)
            .prop_map(|list| serde_json::to_string(&list).expect("list")),
    ];
    (value.clone(), prop::option::of(value)).prop_map(|(a, b)| match b {
        Some(b) => format!("{{\"A\":{a},\"B\":{b}}}"),
        None => format!("{{\"A\":{a}}}"),
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn a_plan_says_what_its_rules_say_one_by_one(
        texts in prop::collection::vec(rule(), 1..12),
        records in prop::collection::vec(record(), 1..6),
    ) {
        let rules: Vec<Rule> =
            texts.iter().flat_map(|text| load_rules("generated.yml", text).0).collect();
        let mut builder = PlanBuilder::default();
        for rule in &rules {
            builder.add(&rule.selection);
        }
        let plan = builder.finish();
        let mut scratch = Scratch::default();
        for text in &records {
            let Ok(Value::Object(record)) = parse_json(text) else { panic!("not an object") };
            let mut found = Vec::new();
            plan.matches(&mut scratch, &record, &mut |rule| found.push(rule));
            let wanted: Vec<usize> = (0..rules.len())
                .filter(|number| holds(&rules[*number].selection, &record))
                .collect();
            prop_assert_eq!(found, wanted, "{}\n{}", texts.join("---\n"), text);
        }
    }

    #[test]
    fn what_is_known_only_takes_away(text in rule(), line in record()) {
        let (rules, _) = load_rules("generated.yml", &text);
        let Ok(Value::Object(record)) = parse_json(&line) else { panic!("not an object") };
        let value = record.get("A");
        let known = value.and_then(Value::as_text);
        // A list or null is not one known value.
        if value.is_none() || known.is_some() {
            for rule in &rules {
                let left = rule.selection.assume(&|field: &str| {
                    (field == "A").then_some(known.as_deref())
                });
                prop_assert_eq!(holds(&left, &record), holds(&rule.selection, &record));
            }
        }
    }

    #[test]
    fn every_occurrence_is_found(
        literals in prop::collection::btree_set("[ab]{1,10}", 1..20),
        text in "[abc]{0,40}",
    ) {
        let literals: Vec<&str> = literals.iter().map(String::as_str).collect();
        let mut found = Vec::new();
        let grams = Grams::new(literals.clone());
        grams.scan(text.as_bytes(), &mut Vec::new(), &mut |literal, start, end| {
            found.push((literal, start, end));
        });
        found.sort_unstable();
        let mut wanted = Vec::new();
        for (number, literal) in literals.iter().enumerate() {
            for start in 0..text.len() {
                if text.as_bytes()[start..].starts_with(literal.as_bytes()) {
                    wanted.push((number, start, start + literal.len()));
                }
            }
        }
        prop_assert_eq!(found, wanted);
    }

    #[test]
    fn what_a_regex_requires_is_in_what_it_matches(
        expression in "(\\(\\?i\\))?([a-ckKsS.]{1,4}|\\([abcs]{2,4}\\|[abck]{2,4}\\)[+*?]?){1,3}",
        text in "[abcksKSſK]{0,16}",
    ) {
        let Ok(regex) = regex::Regex::new(&expression) else { return Ok(()) };
        if regex.is_match(&text)
            && let Some(required) = required_literals(&expression)
        {
            let folded = fold(&text);
            prop_assert!(
                required.iter().any(|literal| folded.contains(literal.as_str())),
                "{} over {}: {:?}", expression, text, required
            );
        }
    }
}
