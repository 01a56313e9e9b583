use makyo_base::{Object, Value, parse_json};

use crate::*;

mod formats;

fn rows(text: &str) -> Vec<Object<'static>> {
    match parse_json(text) {
        Ok(Value::List(list)) => list
            .into_iter()
            .filter_map(|row| match row.into_owned() {
                Value::Object(object) => Some(object),
                _ => None,
            })
            .collect(),
        other => panic!("{other:?}"),
    }
}

const HOSTILE: &str =
    "<script>alert(1)</script><img src=x onerror=y> [a](javascript:b) =cmd|'/c x'!A";

fn render(
    entry: &[Object<'static>],
    accounts: &[Object<'static>],
    path: &[Object<'static>],
) -> (String, String) {
    let tables = |name: &str| match name {
        "entry" => entry,
        "accounts" => accounts,
        "path" | "incidents" => path,
        _ => &[],
    };
    let unread = [(HOSTILE.to_owned(), "malformed".to_owned(), HOSTILE.to_owned())];
    let inputs = ReportInputs {
        tables: &tables,
        organisation: HOSTILE,
        accounts_in_all: Some(1600),
        version: "0",
        counts: (1, 2, 3),
        unread: &unread,
    };
    (html(&inputs).expect("renders"), markdown(&inputs))
}

#[test]
fn nothing_from_evidence_becomes_markup() {
    let mut row = Object::default();
    for name in [
        "time", "vector", "through", "account", "verdict", "rung", "reason", "tactic", "from", "to",
    ] {
        row.push(name, Value::text(HOSTILE));
    }
    row.0[0].1 = Value::text("2025-01-01T00:00:00Z");
    let list = vec![row];
    let (html, markdown) = render(&list, &list, &list);
    assert!(!html.contains("<script") && !html.contains("<img"), "{html}");
    assert!(html.contains("&#60;script&#62;") || html.contains("&lt;script&gt;"));
    assert!(!markdown.contains("<script") && !markdown.contains("[a](javascript"), "{markdown}");
    for wanted in ["http://", "https://", "src=", "url(", "@import", "<link"] {
        let own = html.replace("onerror", "").replace("img src=x", "");
        assert!(!own.contains(wanted), "report loads something: {wanted}");
    }
}

#[test]
fn all_nine_headings_are_there_even_for_nothing() {
    let (html, markdown) = render(&[], &[], &[]);
    for heading in HEADINGS {
        assert!(html.contains(heading) && markdown.contains(heading), "{heading}");
    }
    assert!(html.contains("No intrusion was found in what was read. That is no proof"));
}

#[test]
fn accounts_are_counted_of_all() {
    let accounts = rows(
        r#"[{"account":"a@x","verdict":"breached","rung":"accessed"},{"account":"b@x","verdict":"breached","rung":"modified"},{"account":"c@x","verdict":"clear","rung":"none"}]"#,
    );
    let tables = |name: &str| if name == "accounts" { accounts.as_slice() } else { &[] };
    let answer = &nine(&tables, Some(1600))[1].answer;
    expect_test::expect!["2 of 1600 breached, 0 suspected, 0 targeted, 1 clear, 0 unknown. The furthest: b@x (modified)."].assert_eq(answer);
}
