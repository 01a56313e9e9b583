use super::{fires, problem};
use crate::*;

#[test]
fn parts_of_a_time_are_compared_as_numbers() {
    for (selection, time, expected) in [
        ("T|hour: 8", "2024-05-01T08:59:59Z", true),
        ("T|hour: 8", "2024-05-01T09:00:00Z", false),
        // The zone of the record is brought to UTC.
        ("T|hour: 23", "2024-05-01T08:00:00+09:00", true),
        ("T|hour|gte: 22", "2024-05-01 22:10:00", true),
        ("T|hour|gte: 22", "2024-05-01 21:59:59", false),
        ("T|lt|hour: 6", "2024-05-01 05:00:00", true),
        ("T|hour|neq: 5", "2024-05-01 05:00:00", false),
        ("T|minute: 59", "2024-05-01T08:59:00Z", true),
        ("T|day: [29, 30]", "2024-02-29T00:00:00Z", true),
        ("T|day: 1", "2024-02-29T23:59:59Z", false),
        ("T|month: 2", "2024-02-29T00:00:00Z", true),
        ("T|month: 3", "2023-03-01T00:00:00Z", true),
        ("T|year|lte: 2023", "2023-12-31T23:59:59Z", true),
        ("T|year|lte: 2023", "2024-01-01T00:00:00Z", false),
        ("T|week: 1", "2024-12-30T00:00:00Z", true),
        ("T|week: 53", "2021-01-01T00:00:00Z", true),
        ("T|week: 52", "2021-12-31T00:00:00Z", true),
        ("T|week: 1", "2021-01-04T00:00:00Z", true),
        ("T|year: 1969", "1969-12-31T23:59:59Z", true),
        ("T|hour: 8", "no time", false),
    ] {
        let rule = format!("  sel:\n    {selection}\n  condition: sel");
        assert_eq!(fires(&rule, &format!("{{\"T\":\"{time}\"}}")), expected, "{selection} {time}");
    }
}

#[test]
fn encodings_are_made_of_bytes() {
    for (selection, record, expected) in [
        (r"A|utf16le: cmd", r#"{"A":"c\u0000m\u0000d\u0000"}"#, true),
        (r"A|wide: cmd", r#"{"A":"cmd"}"#, false),
        (r"A|utf16be: cmd", r#"{"A":"\u0000c\u0000m\u0000d"}"#, true),
        (r"A|utf16: cmd", r#"{"A":"ÿþc\u0000m\u0000d\u0000"}"#, true),
        (r"A|utf16: cmd", r#"{"A":"c\u0000m\u0000d\u0000"}"#, false),
        (r"A|base64: föö", r#"{"A":"ZsO2w7Y="}"#, true),
        (r"A|base64: foo", r#"{"A":"ZM9V"}"#, false),
        (r"A|utf16|base64: cmd", r#"{"A":"//5jAG0AZAA="}"#, true),
        (r"A|base64offset|contains: foo", r#"{"A":"zzZmb"}"#, false),
    ] {
        let rule = format!("  sel:\n    {selection}\n  condition: sel");
        assert_eq!(fires(&rule, record), expected, "{selection} over {record}");
    }
}

#[test]
fn every_dash_is_tried_in_every_form() {
    let rule = "  s: {A|windash|contains: ' -f –x'}\n  condition: s";
    for (text, expected) in [
        ("p -f -x", true),
        ("p /f —x", true),
        ("p ―f /x", true),
        ("p f x", false),
        ("p-f-x", false),
    ] {
        assert_eq!(fires(rule, &format!("{{\"A\":\"{text}\"}}")), expected, "{text}");
    }
    let many = "  s: {A|windash: '-a -b -c -d -e -f'}\n  condition: s";
    assert!(problem(many).contains("more than five dashes"));
}

#[test]
fn flags_of_a_regular_expression_stand_in_any_order() {
    let rule = |words: &str| format!("  s: {{A|re|{words}: '^b.c$'}}\n  condition: s");
    let record = r#"{"A":"a\nB\nC"}"#;
    assert!(fires(&rule("i|m|s"), record));
    assert!(fires(&rule("s|i|m"), record));
    assert!(!fires(&rule("m|s"), record));
    assert!(!fires(&rule("i|s"), record));
    assert!(!fires(&rule("i|m"), record));
}

#[test]
fn references_to_fields_take_anchors_and_negation() {
    let record = r#"{"A":"abc","B":"AB","C":"bc","D":"b"}"#;
    for (selection, expected) in [
        ("A|fieldref|startswith: B", true),
        ("A|fieldref|startswith: C", false),
        ("A|fieldref|endswith: C", true),
        ("A|fieldref|contains: D", true),
        ("D|fieldref|contains: A", false),
        ("A|fieldref|neq: B", true),
        ("A|fieldref|neq: A", false),
    ] {
        let rule = format!("  sel:\n    {selection}\n  condition: sel");
        assert_eq!(fires(&rule, record), expected, "{selection}");
    }
}

#[test]
fn modifiers_that_make_no_sense_together_are_refused() {
    for (selection, expected) in [
        ("A|re|contains: x", "modifiers do not go together: `re` and `contains`"),
        ("A|contains|startswith: x", "`contains` and `startswith`"),
        ("A|cidr|windash: 10.0.0.0/8", "`cidr` and `windash`"),
        ("A|re|cased: x", "`re` and `cased`"),
        ("A|exists|contains: true", "`exists` and `contains`"),
        ("A|exists|neq: true", "`exists` and `neq`"),
        ("A|exists: [true, false]", "`exists` takes one truth value"),
        ("A|exists: maybe", "`exists` takes true or false: `maybe`"),
        ("A|exists: 'true'", "`exists` takes true or false: `true`"),
        ("A|gt|lt: 1", "`gt` and `lt`"),
        ("A|gt|contains: 1", "`gt` and `contains`"),
        ("A|hour|day: 1", "`hour` and `day`"),
        ("A|hour: 24", "part of a time is 0 to 23: `24`"),
        ("A|hour: noon", "not a whole number: `noon`"),
        ("A|i: x", "modifier stands behind `re` only: `i`"),
        ("A|base64|wide: x", "modifier stands before Base64 only: `wide`"),
        ("A|wide|utf16: x", "`wide` and `utf16`"),
        ("A|base64: 'x*'", "a value with wildcards cannot be encoded"),
        ("A|fieldref|cased: B", "`fieldref` and `cased`"),
        ("A|contains|contains: B", "`contains` and `contains`"),
        ("A|contains|all: x", "`all` takes two values or more: `A|contains|all`"),
        ("A|contains: null", "a null has nothing that the modifiers could compare"),
        ("'|exists': true", "modifier needs a field: `|exists`"),
        ("'|gt': 1", "modifier needs a field: `|gt`"),
    ] {
        let found = problem(&format!("  s: {{{selection}}}\n  condition: s"));
        assert!(found.contains(expected), "{selection}: {found}");
        assert!(found.starts_with("test.yml:4: "), "{found}");
    }
}

const PLACEHOLDERS: &str = "placeholders:\n  admins: [root, 'svc*']\n  nets: [10.0.0.0/8]\n";

fn fires_with(selection: &str, record: &str) -> bool {
    let placeholders = Placeholders::load("p.yml", PLACEHOLDERS).expect("in order");
    let text = format!(
        "title: t\nlogsource: {{product: p}}\ndetection:\n  s:\n    {selection}\n  condition: s\n"
    );
    let (rules, problems) = load_rules_with("test.yml", &text, &placeholders);
    assert_eq!(problems, vec![]);
    let value = makyo_base::parse_json(record).expect("valid record");
    let makyo_base::Value::Object(object) = value else { panic!("not an object") };
    Matcher::new(&rules[0].selection).is_match(&mut Scratch::default(), &object)
}

#[test]
fn placeholders_stand_for_all_their_values() {
    for (selection, record, expected) in [
        ("A|expand: '%admins%'", r#"{"A":"root"}"#, true),
        ("A|expand: '%admins%'", r#"{"A":"svc_backup"}"#, true),
        ("A|expand: '%admins%'", r#"{"A":"alice"}"#, false),
        ("A|expand: '%admins%'", r#"{"A":"%admins%"}"#, false),
        // Without the modifier a percent sign is a letter.
        ("A: '%admins%'", r#"{"A":"%admins%"}"#, true),
        ("A|expand|endswith: '100%\\%admins%'", r#"{"A":"is 100%\\root"}"#, true),
        ("A|expand|re: '^%admins%$'", r#"{"A":"svc*"}"#, true),
        ("A|expand|re: '^%admins%$'", r#"{"A":"svcc"}"#, false),
        ("A|expand|cidr: '%nets%'", r#"{"A":"10.1.1.1"}"#, true),
        ("A|neq|expand: '%admins%'", r#"{"A":"root"}"#, false),
    ] {
        assert_eq!(fires_with(selection, record), expected, "{selection} over {record}");
    }
}

#[test]
fn placeholders_that_are_not_set_refuse_the_rule() {
    let found = problem("  s: {A|expand: 'x%unset%'}\n  condition: s");
    assert_eq!(found, "test.yml:4: placeholder has no values: `unset`");
    let wrong = |text: &str| Placeholders::load("p.yml", text).expect_err("mistake")[0].to_string();
    assert_eq!(wrong("placeholders: {a: []}"), "p.yml:1: placeholder has no values: `a`");
    assert!(wrong("a: 1").contains("no mapping `placeholders`"));
    assert!(wrong("placeholders: {a b: [c]}").contains("`a b`"));
    assert!(wrong("placeholders: {a: b}\nother: 1").contains("unknown key: `other`"));
    assert!(wrong("").contains("one document"));
}
