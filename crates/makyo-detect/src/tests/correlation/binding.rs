use makyo_base::{Level, RecordRef, Value, parse_json};

use super::{compile, in_order};
use crate::field_text;

const COUNT: &str = "type: event_count, timespan: 1m, condition: {gte: 3}";

fn refused(text: &str) -> String {
    let (_, correlations, problems) = compile(text);
    assert!(correlations.is_empty(), "{text}");
    problems.join("; ")
}

#[test]
fn aliases_are_each_rules_own_fields() {
    let correlations = in_order(
        "title: t\ncorrelation: {type: value_count, rules: [a, id-b], group-by: [G, who], aliases: {who: {a: From, b: To}}, timespan: 1m, condition: {field: who, gte: 2}}",
    );
    let wanted = |rule: usize| &correlations.wanted(rule)[0];
    assert_eq!(
        (wanted(0).group_by.join(","), wanted(0).fields.join(",")),
        ("G,From".into(), "From".into())
    );
    assert_eq!((wanted(1).group_by.join(","), wanted(1).place), ("G,To".into(), 1));
    assert!(correlations.wanted(2).is_empty());
    let record = RecordRef { file: "f".into(), record: 1 };
    let hit = wanted(1).hit(5, [7; 16], record, vec![], &|name| format!("<{name}>"));
    assert_eq!(
        (hit.group, hit.values),
        (vec!["<G>".to_owned(), "<To>".to_owned()], vec!["<To>".to_owned()])
    );
}

#[test]
fn values_of_fields_are_one_text() {
    let Ok(value) = parse_json(r#"["a ", 1, {"b": "c"}]"#) else { panic!("json") };
    assert_eq!(field_text(&value), "a, 1, c");
    assert_eq!(field_text(&Value::Null), "");
}

#[test]
fn rules_of_a_correlation_are_silent_unless_it_generates() {
    let quiet = in_order(&format!("title: t\ncorrelation: {{rules: [a], {COUNT}}}"));
    assert_eq!((quiet.is_silent(0), quiet.is_silent(1)), (true, false));
    let loud = in_order(&format!("title: t\ngenerate: true\ncorrelation: {{rules: [a], {COUNT}}}"));
    assert!(!loud.is_silent(0));
    let both = in_order(&format!(
        "title: t\ncorrelation: {{rules: [a], {COUNT}}}\n---\ntitle: u\ngenerate: true\ncorrelation: {{rules: [a], {COUNT}}}"
    ));
    assert!(!both.is_silent(0));
    // A correlation that is refused silences nobody.
    let (_, refused, _) = compile(&format!("title: t\ncorrelation: {{rules: [a, gone], {COUNT}}}"));
    assert!(!refused.is_silent(0));
}

#[test]
fn level_and_tags_come_from_the_rules_where_none_are_named() {
    let own = in_order(&format!(
        "title: t\nlevel: critical\ntags: [attack.t1021]\ncorrelation: {{rules: [a, b], {COUNT}}}"
    ));
    let own = own.get(0).expect("there");
    assert_eq!((own.level, own.tags.join(",")), (Some(Level::Critical), "attack.t1021".into()));
    let theirs = in_order(&format!("title: t\ncorrelation: {{rules: [a, b], {COUNT}}}"));
    let theirs = theirs.get(0).expect("there");
    assert_eq!(theirs.level, Some(Level::High));
    assert_eq!(theirs.tags, ["attack.t1078", "attack.t1110"]);
}

#[test]
fn what_cannot_be_bound_is_refused_with_its_reason() {
    for (body, expected) in [
        ("rules: [gone]", "correlation names a rule that is not there: `gone`"),
        ("rules: [a, id-a]", "correlation names a rule twice: `id-a`"),
        (
            "rules: [a], group-by: [x], aliases: {x: {b: F}}",
            "alias names a rule that `rules` does not: `b`",
        ),
        (
            "rules: [a, b], group-by: [x], aliases: {x: {b: F}}",
            "alias has no field for a rule: `x`, `id-a`",
        ),
    ] {
        let found = refused(&format!("title: t\ncorrelation: {{{body}, {COUNT}}}"));
        assert!(found.contains(expected), "{body}: {found}");
    }
    let many = "title: t\ncorrelation: {rules: [a], type: event_count, timespan: 1m, condition: {gte: 100001}}";
    assert!(refused(many).contains("counts beyond what is held at a time"));
    let twice = format!("title: t\nname: a\ncorrelation: {{rules: [a], {COUNT}}}");
    assert!(refused(&twice).contains("by what several are called: `a`"));
}

#[test]
fn circles_are_refused_with_all_that_build_on_them() {
    let link = |name: &str, on: &str| {
        format!(
            "title: {name}\nid: id-{name}\nname: {name}\ncorrelation: {{rules: [{on}], {COUNT}}}\n"
        )
    };
    let text = [link("x", "y"), link("y", "x"), link("z", "y"), link("self", "self")].join("---\n");
    let (_, correlations, problems) = compile(&text);
    assert!(correlations.is_empty());
    assert_eq!(problems.len(), 4, "{problems:?}");
    assert!(problems.iter().all(|one| one.contains("in a circle")));
}

#[test]
fn a_chain_is_evaluated_from_its_base_and_groups_by_what_its_base_gives() {
    let text = format!(
        "title: outer\ncorrelation: {{type: temporal_ordered, rules: [many, b], group-by: [User], timespan: 1m}}\n---\ntitle: many\nname: many\ncorrelation: {{rules: [a], group-by: [User, Host], {COUNT}}}"
    );
    let correlations = in_order(&text);
    assert_eq!(correlations.get(0).map(|one| one.title.as_str()), Some("many"));
    assert_eq!(correlations.wanted(1)[0].correlation, 1);
    assert!(correlations.is_silent(0) && correlations.is_silent(1));
    let (_, _, problems) = compile(&text.replace("[User, Host]", "[Host]"));
    assert!(problems.join("; ").contains("does not group by the field"), "{problems:?}");
}
