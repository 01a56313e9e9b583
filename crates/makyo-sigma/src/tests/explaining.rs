use makyo_base::{Value, parse_json};

use crate::*;

fn explained(detection: &str, record: &str) -> Option<Vec<String>> {
    let text = format!("title: t\nlogsource: {{product: p}}\ndetection:\n{detection}\n");
    let (rules, problems) = load_rules("test.yml", &text);
    assert_eq!(problems, vec![], "{text}");
    let Ok(Value::Object(object)) = parse_json(record) else { panic!("not an object") };
    let held = explain(&rules[0].selection, &object)?;
    Some(
        held.into_iter()
            .map(|one| {
                let field = one.field.unwrap_or_else(|| "any".into());
                let value =
                    one.value.map_or_else(|| "nothing".into(), |value| format!("`{value}`"));
                format!("{field} {}: {value}", one.test)
            })
            .collect(),
    )
}

#[test]
fn what_held_is_named_with_its_value_and_what_did_not_is_left_out() {
    let rule = "  a: {Image|endswith: '\\cmd.exe', N|gte: 5}\n  b: {User: [root, 'adm*n']}\n  c: {X: null}\n  f: {Parent|contains: agent}\n  condition: (a or b) and c and not f";
    assert_eq!(
        explained(rule, r#"{"Image":"C:\\CMD.EXE","N":7,"User":"admin","Parent":"explorer"}"#),
        Some(vec![
            "Image ends with \"\\cmd.exe\": `C:\\CMD.EXE`".to_owned(),
            "N is at least 5: `7`".to_owned(),
            "User fits \"adm*n\": `admin`".to_owned(),
            "X is absent or null: nothing".to_owned(),
        ])
    );
    assert_eq!(explained(rule, r#"{"Image":"C:\\cmd.exe","N":7,"Parent":"agent"}"#), None);
    assert_eq!(
        explained(rule, r#"{"Image":"C:\\cmd.exe","N":4,"User":"root"}"#),
        Some(vec!["User is \"root\": `root`".into(), "X is absent or null: nothing".into()]),
        "half of a selection is no reason"
    );
}

#[test]
fn keywords_show_the_text_that_holds_them() {
    let found =
        explained("  k: [needle, straw]\n  condition: k", r#"{"a":{"b":["x","a Needle"]}}"#);
    assert_eq!(found, Some(vec!["any contains \"needle\": `a Needle`".to_owned()]));
}
