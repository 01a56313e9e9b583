//! The two ways of an expression give the same groups.

use proptest::prelude::*;
use regex::Regex;

use crate::LineRegex;

fn groups(expression: &LineRegex, text: &str) -> Option<Vec<(usize, String)>> {
    let mut found = Vec::new();
    let is_match = expression.groups(text, &mut |group, part| found.push((group, part.to_owned())));
    is_match.then_some(found)
}

fn by_regex(regex: &Regex, text: &str) -> Option<Vec<(usize, String)>> {
    let captures = regex.captures(text)?;
    let parts = captures.iter().enumerate();
    Some(parts.filter_map(|(at, part)| Some((at, part?.as_str().to_owned()))).collect())
}

/// Expressions of the kinds that descriptions use.
const KINDS: &[&str] = &[
    r"a(?P<x>[^b]*)b",
    r"^(?P<x>\S+)/(?P<y>\d{1,3})(?:\([^)]*\))? (?P<z>.*)$",
    r"(?P<x>.*?)ab(?P<y>a|b|ab)?(?P<z>b+)",
    r"(a|ab)(c|bcd)(d*)",
    r"(?:(a+)b)+",
    r"(?:(a)|(b)){2,3}c?",
    r"\b(\w+)\b[, ]*(\w{2})\B",
    r"(?i)AB(?P<x>[0-9a-f]+?)(?:,|$)",
    r"(a*)(a*?)(a?)b",
    r".*a(.*?)b.*",
    r"x*",
    r"(?:ab|a)(?:c|bc)?$",
    r"user '(?P<user>[^']*)'(?: from (?P<from>[0-9.]+))?",
    r"^(?:[ab]{2,4}?)(b.*)a",
];

#[test]
fn the_kinds_that_descriptions_use_are_compiled() {
    for kind in KINDS {
        assert!(LineRegex::new(kind).expect("it compiles").is_quick(), "{kind}");
    }
}

#[test]
fn what_would_take_too_long_is_left_to_the_regex_crate() {
    let expression = LineRegex::new("(?:(?:a|b|ab|ba)+c)+d").expect("it compiles");
    assert!(expression.is_quick());
    let text = "abababababababababababababababababababababababab".repeat(40);
    assert_eq!(groups(&expression, &text), None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn both_ways_find_the_same_groups(text in "[abcABC019.,/()' é_xd]{0,24}", user in "[a-c.']{0,4}") {
        let sentence = format!("{text}user '{user}' from 1.2{text}");
        for kind in KINDS {
            let expression = LineRegex::new(kind).expect("it compiles");
            let regex = Regex::new(kind).expect("it compiles");
            for text in [&text, &sentence] {
                prop_assert_eq!(groups(&expression, text), by_regex(&regex, text), "{} {}", kind, text);
                prop_assert_eq!(expression.is_match(text), regex.is_match(text), "{} {}", kind, text);
            }
        }
    }

    #[test]
    fn expressions_made_at_random_too(
        kind in proptest::collection::vec(
            prop_oneof![
                Just("a"), Just("b"), Just("ab"), Just("[ab]"), Just("[^a]"), Just("."), Just("(a|b)"),
                Just("(a|ab|)"), Just("*"), Just("+?"), Just("*?"), Just("{1,2}"), Just("?"), Just("(b.)"),
                Just("$"), Just("^"), Just(r"\b"), Just("(?:ab)*"), Just("(a*)"), Just("|"),
            ],
            1..9,
        ),
        text in "[abc ]{0,14}",
    ) {
        let kind = kind.concat();
        let Ok(regex) = Regex::new(&kind) else { return Ok(()) };
        let expression = LineRegex::new(&kind).expect("it compiles");
        prop_assert_eq!(groups(&expression, &text), by_regex(&regex, &text), "{}", kind);
    }
}
