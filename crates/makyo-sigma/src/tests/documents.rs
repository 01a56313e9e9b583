use proptest::prelude::*;

use crate::*;

const RULES: &str =
    "title: Failed\nid: r-1\nname: failed\nlogsource: {product: windows, service: security}
detection: {s: {EventID: 4625}, condition: s}
---
title: Success\nid: r-2\nname: success\nlogsource: {product: windows, service: security}
detection: {s: {EventID: 4624}, condition: s}
---
title: Other\nid: r-3\nlogsource: {product: linux}
detection: {s: {A: 1}, condition: s}
";

fn load(text: &str) -> (Documents, Vec<String>) {
    let (documents, problems) = load_documents("d.yml", text, &Placeholders::default());
    (documents, problems.iter().map(ToString::to_string).collect())
}

fn meets(rule: &Rule, record: &str) -> bool {
    let value = makyo_base::parse_json(record).expect("valid record");
    let makyo_base::Value::Object(object) = value else { panic!("not an object") };
    Matcher::new(&rule.selection).is_match(&mut Scratch::default(), &object)
}

fn filtered(filter: &str) -> (Vec<Rule>, Vec<String>) {
    let (mut documents, problems) = load(&format!("{RULES}---\n{filter}"));
    assert_eq!(problems, Vec::<String>::new());
    let told = apply_filters(&mut documents.rules, &documents.filters);
    (documents.rules, told.iter().map(|one| one.message.clone()).collect())
}

#[test]
fn a_filter_narrows_the_rules_that_it_names() {
    let filter = "title: f\nlogsource: {product: windows}\nfilter:\n  rules: [r-1, success]\n  own: {User|startswith: adm_}\n  condition: not own\n";
    let (rules, told) = filtered(filter);
    assert_eq!(told, Vec::<String>::new());
    assert!(meets(&rules[0], r#"{"EventID":4625,"User":"alice"}"#));
    assert!(!meets(&rules[0], r#"{"EventID":4625,"User":"adm_a"}"#));
    assert!(!meets(&rules[0], r#"{"EventID":1,"User":"alice"}"#));
    assert!(!meets(&rules[1], r#"{"EventID":4624,"User":"adm_a"}"#));
    assert!(meets(&rules[2], r#"{"A":1,"User":"adm_a"}"#));
}

#[test]
fn a_filter_for_any_rule_keeps_to_its_log_source() {
    let filter = "title: f\nlogsource: {product: windows, service: security}\nfilter: {rules: any, own: {User: x}, condition: not own}\n";
    let (rules, told) = filtered(filter);
    assert_eq!(told, Vec::<String>::new());
    assert!(!meets(&rules[0], r#"{"EventID":4625,"User":"x"}"#));
    assert!(meets(&rules[2], r#"{"A":1,"User":"x"}"#));
}

#[test]
fn a_filter_that_does_nothing_is_told() {
    let with = |logsource: &str, rules: &str| {
        let text = format!(
            "title: f\nlogsource: {logsource}\nfilter: {{rules: {rules}, o: {{U: x}}, condition: not o}}\n"
        );
        filtered(&text).1.join("; ")
    };
    assert_eq!(
        with("{product: windows}", "[gone]"),
        "filter names a rule that is not there: `gone`"
    );
    let other = "filter is for another log source than the rule: `linux`, `windows/security`";
    assert_eq!(with("{product: linux}", "[r-1]"), other);
    // The rule does not say that it is of this category: a filter must not assume so.
    let narrower = "{product: linux, category: process_creation}";
    assert!(with(narrower, "[r-3]").starts_with("filter is for another log source"));
    assert_eq!(with("{product: macos}", "any"), "filter fits no rule: `f`");
}

#[test]
fn mistakes_of_a_filter_come_at_once() {
    let (_, problems) = load("title: f\nfilter: {o: {U|bogus: x}}\n");
    let all = problems.join("; ");
    for part in ["no `logsource`", "no `condition`", "no `rules`", "`bogus`"] {
        assert!(all.contains(part), "{part} in {all}");
    }
    assert_eq!(problems.len(), 4);
}

#[test]
fn the_first_of_an_id_stays_and_another_text_is_told() {
    let rule = |file: &str, id: &str, value: &str| {
        let text = format!(
            "# comment in {file}\ntitle: t\nid: {id}\nlogsource: {{product: p}}\ndetection: {{s: {{A: {value}}}, condition: s}}"
        );
        load_documents(file, &text, &Placeholders::default()).0
    };
    let mut set = rule("b.yml", "x", "1");
    set.append(rule("a.yml", "x", "2"));
    set.append(rule("c.yml", "x", "2"));
    set.append(rule("d.yml", "y", "2"));
    let problems = set.drop_duplicates();
    let files: Vec<&str> = set.rules.iter().map(|rule| rule.file.as_str()).collect();
    assert_eq!(files, ["a.yml", "d.yml"]);
    assert_eq!(problems.len(), 1);
    assert_eq!(problems[0].to_string(), "b.yml:2: id belongs to another document: `x` in a.yml:2");
}

fn correlation(body: &str) -> Result<Correlation, String> {
    let (mut documents, problems) = load(&format!("title: c\ncorrelation:\n{body}"));
    documents.correlations.pop().ok_or_else(|| problems.join("; "))
}

#[test]
fn correlations_are_read_with_all_their_parts() {
    let text = "title: c\nid: c-1\nname: many\nlevel: high\ntags: [attack.t1110]\ngenerate: true\ncorrelation:\n  type: value_count\n  rules: [failed, r-2]\n  group-by: [host, who]\n  aliases:\n    who: {failed: TargetUserName, r-2: User}\n  timespan: 90m\n  condition: {field: IpAddress, gt: 100, lte: 200}\n";
    let (documents, problems) = load(text);
    assert_eq!(problems, Vec::<String>::new());
    let one = &documents.correlations[0];
    assert_eq!((one.id.as_str(), one.name.as_deref()), ("c-1", Some("many")));
    assert_eq!(one.level, Some(makyo_base::Level::High));
    assert!(one.generate);
    assert_eq!(one.timespan_ns, 90 * makyo_base::MINUTE_NS);
    assert_eq!(one.group_by, ["host", "who"]);
    assert_eq!(one.aliases[0].fields[1].1, "User");
    let CorrelationKind::ValueCount { fields, bounds } = &one.kind else { panic!("kind") };
    assert_eq!((fields.as_slice(), bounds.len()), (&["IpAddress".to_owned()][..], 2));
}

#[test]
fn timespans_have_their_units() {
    for (text, seconds) in [
        ("10s", Some(10)),
        ("5m", Some(300)),
        ("2h", Some(7_200)),
        ("1d", Some(86_400)),
        ("2w", Some(1_209_600)),
        ("1M", Some(2_629_746)),
        ("1y", Some(31_556_952)),
        ("0s", None),
        ("5", None),
        ("-5m", None),
        ("5 m", None),
        ("9999999999999999999d", None),
    ] {
        let found = correlation(&format!(
            "  {{type: temporal, rules: [a], group-by: [x], timespan: {text}}}"
        ));
        let found = found.ok().map(|one| one.timespan_ns / makyo_base::SECOND_NS);
        assert_eq!(found, seconds, "{text}");
    }
}

#[test]
fn mistakes_of_a_correlation_come_at_once_with_their_lines() {
    let found =
        correlation("  type: value_percentile\n  condition: {gte: many, near: 3}\n  span: 5m\n");
    let found = found.expect_err("refused");
    for part in [
        "d.yml:3: correlation has no `rules`",
        "d.yml:3: correlation has no `timespan`",
        "d.yml:3: condition has no `field`",
        "d.yml:3: condition has no `percentile`",
        "d.yml:4: `gte` takes a number",
        "d.yml:4: condition has an unknown key: `near`",
        "d.yml:5: unknown key: `span`",
    ] {
        assert!(found.contains(part), "{part} in {found}");
    }
}

#[test]
fn conditions_that_cannot_be_decided_are_refused() {
    for (body, expected) in [
        ("type: event_count, condition: {lt: 1}", Some("holds for no number of matches")),
        ("type: event_count, condition: {eq: 0}", Some("holds for no number of matches")),
        ("type: event_count, condition: {gt: 5, lt: 6}", Some("holds for no number of matches")),
        ("type: event_count, condition: {gt: 5, lt: 7}", None),
        ("type: event_count, condition: {lt: 2}", None),
        ("type: event_count, condition: {neq: 1}", None),
        ("type: event_count, condition: {gte: 3, field: x}", Some("has no `field`")),
        ("type: event_count", Some("correlation has no `condition`")),
        ("type: event_count, condition: a", Some("is a mapping")),
        ("type: value_sum, condition: {field: [a, b], gt: 1}", Some("of one `field`")),
        ("type: value_avg, condition: {field: a, lt: -1.5}", None),
        ("type: value_percentile, condition: {field: a, percentile: 101, lt: 1}", Some("1 to 100")),
        ("type: value_percentile, condition: {field: a, percentile: 95, lt: 1}", None),
        ("type: temporal, condition: {gte: 3}", Some("no number of the rules")),
        ("type: temporal, condition: {gte: 2}", None),
        ("type: temporal, condition: a and not b", None),
        ("type: temporal, condition: not a", Some("where no rule matched")),
        ("type: temporal, condition: a and c", Some("names a rule that `rules` does not: `c`")),
        ("type: temporal, condition: 1 of *", None),
        ("type: temporal_ordered, condition: a and b", Some("gives no order")),
        ("type: temporal_ordered, condition: {gte: 1}", Some("order is of all its rules")),
        ("type: temporal_ordered, condition: {gte: 2}", None),
        ("type: near", Some("no known type: `near`")),
        ("type: temporal, generate: maybe", Some("`generate` takes true or false")),
    ] {
        let found = correlation(&format!("  {{rules: [a, b], timespan: 5m, {body}}}"));
        match expected {
            None => assert!(found.is_ok(), "{body}: {found:?}"),
            Some(part) => {
                let found = found.expect_err(body);
                assert!(found.contains(part), "{body}: {found}");
            }
        }
    }
    let twice = correlation("  {type: temporal, rules: [a, a], timespan: 5m}").expect_err("twice");
    assert!(twice.contains("names a rule twice: `a`"));
}

#[test]
fn rules_alone_refuse_what_needs_others() {
    let text = format!(
        "{RULES}---\ntitle: c\ncorrelation: {{type: temporal, rules: [failed], timespan: 5m}}\n"
    );
    let (rules, problems) = load_rules("d.yml", &text);
    assert_eq!((rules.len(), problems.len()), (3, 1));
    assert!(problems[0].message.starts_with("correlation is not evaluated here"));
    assert_eq!(rules[0].name.as_deref(), Some("failed"));
}

#[test]
fn numbers_are_exact() {
    for (text, expected) in [
        ("0.1", Some("0.1")),
        ("-1.5", Some("-1.5")),
        ("0x10", Some("16")),
        ("9223372036854775807", Some("9223372036854775807")),
        ("1e300", None),
        ("ten", None),
    ] {
        assert_eq!(Decimal::parse(text).map(|one| one.to_string()).as_deref(), expected, "{text}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_document_panics(kind in "event_count|temporal|value_sum|filter", key in "[a-z-]{1,9}", value in "\\PC{0,30}") {
        let correlation = format!("title: t\ncorrelation:\n  type: {kind}\n  rules: [a]\n  {key}: {value}\n  condition: {value}");
        let _ = load(&correlation);
        let _ = load(&format!("title: t\nfilter:\n  rules: any\n  {key}: {value}\n  condition: {value}"));
        let _ = Placeholders::load("p.yml", &format!("placeholders:\n  {key}: {value}"));
    }
}
