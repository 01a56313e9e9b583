mod checking;
mod documents;
mod engine;
mod explaining;
mod line_regexes;
mod modifiers;
mod real;

use makyo_base::{Value, parse_json};
use proptest::prelude::*;

use crate::*;

fn fires(rule: &str, record: &str) -> bool {
    let text = format!("title: t\nlogsource: {{product: p}}\ndetection:\n{rule}\n");
    let (rules, problems) = load_rules("test.yml", &text);
    assert_eq!(problems, vec![], "{text}");
    let value = parse_json(record).expect("valid record");
    let Value::Object(object) = value else { panic!("not an object") };
    let holds = Matcher::new(&rules[0].selection).is_match(&mut Scratch::default(), &object);
    let explained = explain(&rules[0].selection, &object);
    assert_eq!(explained.is_some(), holds, "the two evaluators agree: {text} {record}");
    holds
}

fn problem(rule: &str) -> String {
    let text = format!("title: t\nlogsource: {{product: p}}\ndetection:\n{rule}\n");
    load_rules("test.yml", &text).1.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

#[test]
fn modifiers_do_what_the_specification_says() {
    for (selection, record, expected) in [
        ("A: x", r#"{"A":"X"}"#, true),
        ("A: x", r#"{"A":"xy"}"#, false),
        ("A|contains: b", r#"{"A":"aBc"}"#, true),
        ("A|startswith: ab", r#"{"A":"ABC"}"#, true),
        ("A|endswith: bc", r#"{"A":"ABC"}"#, true),
        ("A|endswith: ab", r#"{"A":"ABC"}"#, false),
        ("A: 'a*c'", r#"{"A":"abbbc"}"#, true),
        ("A: 'a?c'", r#"{"A":"abbc"}"#, false),
        ("A|contains: 'net*|*find'", r#"{"A":"net user | find x"}"#, true),
        ("A|cased: x", r#"{"A":"X"}"#, false),
        ("A|contains|all: [a, b]", r#"{"A":"b a"}"#, true),
        ("A|contains|all: [a, c]", r#"{"A":"b a"}"#, false),
        ("A: [1, 2]", r#"{"A":2}"#, true),
        ("A|re: '^a.c$'", r#"{"A":"abc"}"#, true),
        ("A|re: '^a.c$'", r#"{"A":"ABC"}"#, false),
        ("A|re|i: '^a.c$'", r#"{"A":"ABC"}"#, true),
        ("A|cidr: 10.0.0.0/8", r#"{"A":"10.2.3.4"}"#, true),
        ("A|cidr: 10.0.0.0/8", r#"{"A":"11.2.3.4"}"#, false),
        ("A|cidr: 10.0.0.0/8", r#"{"A":"text"}"#, false),
        ("A|gte: 10", r#"{"A":"10"}"#, true),
        ("A|lt: 10", r#"{"A":10}"#, false),
        ("A|exists: true", r#"{"A":null}"#, true),
        ("A|exists: false", r#"{"B":1}"#, true),
        ("A: null", r#"{"B":1}"#, true),
        ("A: null", r#"{"A":"x"}"#, false),
        ("A: ''", r#"{"A":""}"#, true),
        ("A|fieldref: B", r#"{"A":"x","B":"X"}"#, true),
        ("A|fieldref: B", r#"{"A":"x","B":"y"}"#, false),
        ("A|windash|contains: ' -f '", r#"{"A":"x /f y"}"#, true),
        ("A|neq: x", r#"{"A":"y"}"#, true),
        ("A|base64offset|contains: foo", r#"{"A":"zzZZm9vYg"}"#, true),
        ("A|wide|base64offset|contains: http", r#"{"A":"aAB0AHQAcAA6AC8ALwA="}"#, true),
        (r"A|endswith: '\cmd.exe'", r#"{"A":"C:\\x\\cmd.exe"}"#, true),
        (r"A|contains: ' \\\\'", r#"{"A":"x \\\\host"}"#, true),
        (r"A: 'a\*'", r#"{"A":"a*"}"#, true),
        (r"A: 'a\*'", r#"{"A":"ab"}"#, false),
        ("A: NtLmSsp", r#"{"A":"NtLmSsp "}"#, true),
        ("A.B: x", r#"{"A":{"B":"x"}}"#, true),
        ("P.ForwardTo: x", r#"{"P":[{"Name":"ForwardTo","Value":"x"}]}"#, true),
        ("A: x", r#"{"A":["y","x"]}"#, true),
    ] {
        let rule = format!("  sel:\n    {selection}\n  condition: sel");
        assert_eq!(fires(&rule, record), expected, "{selection} over {record}");
    }
}

#[test]
fn conditions_combine() {
    let base = "  sel_a: {A: 1}\n  sel_b: {B: 1}\n  filter_x: {C: 1}\n  condition: ";
    let record = r#"{"A":1,"C":1}"#;
    for (condition, expected) in [
        ("sel_a and not sel_b", true),
        ("sel_a and not filter_x", false),
        ("1 of sel_*", true),
        ("all of sel_*", false),
        ("2 of them", true),
        ("3 of them", false),
        ("not (sel_b or filter_x)", false),
        ("sel_b or sel_a and filter_x", true),
    ] {
        assert_eq!(fires(&format!("{base}{condition}"), record), expected, "{condition}");
    }
}

#[test]
fn keywords_and_lists_of_maps() {
    assert!(fires("  k: [mimikatz, lsass]\n  condition: k", r#"{"X":{"y":"see Mimikatz here"}}"#));
    assert!(!fires("  k:\n    '|all': [mimikatz, lsass]\n  condition: k", r#"{"X":"mimikatz"}"#));
    assert!(fires("  s:\n    - {A: 1}\n    - {B: 2}\n  condition: s", r#"{"B":2}"#));
}

#[test]
fn mistakes_are_named_with_their_line() {
    assert_eq!(
        problem("  s: {A|bogus: 1}\n  condition: s"),
        "test.yml:4: modifier is not supported: `bogus`"
    );
    assert_eq!(
        problem("  s: {A: 1}\n  condition: s and t"),
        "test.yml:5: condition names a selection that is not there: `t`"
    );
    assert_eq!(
        problem("  s: {A: 1}\n  condition: (s"),
        "test.yml:5: condition lacks a closing parenthesis"
    );
    assert!(
        problem("  s: {A|re: '(?<x'}\n  condition: s")
            .contains("regular expression cannot be used")
    );
    let many: String = (0..40).map(|number| format!("  s{number}: {{A: {number}}}\n")).collect();
    assert!(
        problem(&format!("{many}  condition: 20 of them"))
            .contains("too many combinations: `20 of them`")
    );
    assert!(load_rules("x", "a: [").1[0].message.contains("not valid YAML"));
}

#[test]
fn log_sources_fail_closed() {
    let source = |text: &str| Logsource::from_node(&load_yaml(text).expect("yaml")[0]);
    let served = source("{product: windows, category: process_creation}");
    assert!(source("{category: process_creation}").is_served_by(&served));
    assert!(source("{product: windows}").is_served_by(&served));
    assert!(!source("{product: linux, category: process_creation}").is_served_by(&served));
    assert!(!source("{product: windows, service: security}").is_served_by(&served));
    assert!(!source("{definition: x}").is_served_by(&served));
}

#[test]
fn tags_become_techniques_and_tactics() {
    let text = "title: t\nlogsource: {product: p}\ntags: [attack.t1059.001, attack.initial-access, attack.g0045, attack.credential_access]\ndetection: {s: {A: 1}, condition: s}";
    let rule = &load_rules("x", text).0[0];
    assert_eq!(rule.techniques(), ["T1059.001"]);
    assert_eq!(rule.tactics(), ["initial-access", "credential-access"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_rule_text_panics(text in "\\PC{0,80}") {
        let _ = load_rules("x", &text);
        let _ = Condition::parse(&text, 1);
    }

    #[test]
    fn a_value_without_wildcards_matches_itself_only(value in "[a-z0-9 ./:-]{0,8}[a-z0-9]", other in "[a-z0-9 ./:-]{0,8}[a-z0-9]") {
        let rule = format!("  s: {{A: '{value}'}}\n  condition: s");
        let record = format!("{{\"A\":\"{other}\"}}");
        prop_assert_eq!(fires(&rule, &record), value == other);
    }
}
