use makyo_base::{Object, Value, parse_json};

use crate::*;

mod formats;
mod lang;

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
        language: Language::English,
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
    for one in nine(&|_| &[], None, Language::English) {
        let heading = one.heading.as_str();
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
    let answer = &nine(&tables, Some(1600), Language::English)[1].answer;
    expect_test::expect!["2 of 1600 breached, 0 suspected, 0 targeted, 1 clear, 0 unknown. The furthest: b@x (modified)."].assert_eq(answer);
}

#[test]
fn how_often_honest_people_would_be_accused_stands_beside_the_accounts() {
    let accounts = rows(r#"[{"account":"a@x","verdict":"clear","rung":"none"}]"#);
    let findings = rows(
        r#"[{"rule":{"id":"other"},"text":"no"},{"rule":{"id":"posing_replay"},"text":"of 9 honest sign-ins none"}]"#,
    );
    let tables = |name: &str| match name {
        "accounts" => accounts.as_slice(),
        "findings" => findings.as_slice(),
        _ => &[],
    };
    let answer = &nine(&tables, None, Language::English)[1].answer;
    assert!(answer.ends_with(" How far to trust it: of 9 honest sign-ins none."), "{answer}");
}

#[test]
fn links_and_judgement_stand_under_their_questions() {
    let linkage = rows(r#"[{"campaign":"campaign-1","linked":2,"compared":5,"possible":1}]"#);
    let links = rows(
        r#"[{"words":"same campaign","a":"x/1","b":"y/1","through":"pair","weight_db":41.5,
        "evidence":["infrastructure: endpoint a.example (20 dB)"],"breaks":["endpoint a.example"]}]"#,
    );
    let judgement = rows(
        r#"[{"en":"Only targets and methods support Paper Lantern (G9001).","ja":"攻撃対象と手口のみ。",
        "applied":true,"reason":"only targets and methods speak","limit":0.55,"model":0.83,
        "incidents":"x/1","knowledge":["ATT&CK 18.1"],"confidence":"low"}]"#,
    );
    let hypotheses = rows(
        r#"[{"name":"Paper Lantern (G9001)","probability":0.55,"low":0.2,"high":0.55,
        "words":"roughly even chance","methods":8.1,"owner":"a name of Example"}]"#,
    );
    let sensitivity = rows(r#"[{"drop":"class: methods","leader":"nobody","probability":0.5}]"#);
    let tables = |name: &str| match name {
        "linkage" => linkage.as_slice(),
        "links" => links.as_slice(),
        "judgement" => judgement.as_slice(),
        "hypotheses" => hypotheses.as_slice(),
        "sensitivity" => sensitivity.as_slice(),
        _ => &[],
    };
    let inputs = ReportInputs {
        tables: &tables,
        organisation: "",
        accounts_in_all: None,
        version: "0",
        counts: (1, 2, 3),
        unread: &[],
        language: Language::English,
    };
    for page in [html(&inputs).expect("renders"), markdown(&inputs)] {
        for wanted in [
            "2 linked incidents of 5 that were compared",
            "same campaign",
            "Only targets and methods support Paper Lantern",
            "攻撃対象と手口のみ",
            "For which state, unit or person such a group works is not judged",
            "The model alone gave the leading group 83 %; no more than 55 % is reported",
            "Rival explanations",
            "class: methods",
        ] {
            assert!(page.contains(wanted), "{wanted}: {page}");
        }
    }
}
