//! The formats for other programs, from one small case.

use std::collections::BTreeSet;

use makyo_base::{Object, Value, parse_json};

use super::{HOSTILE, rows};
use crate::nine::text;
use crate::*;

/// A case of two accounts, one of which is only suspected. `ODD` stands where a test puts
/// something else.
pub(super) const CASE: &[(&str, &str)] = &[
    (
        "incidents",
        r#"[{"id":"incident-1","start":"2025-03-03T01:02:20.5Z","end":"2025-03-06T00:00:00Z","entry":{"vector":"phishing"},"accounts":["a@x.example","b@x.example"],"hosts":["pc1"],"addresses":["192.0.2.77","10.0.0.9","2001:db8::7"],"messages":["m1@y.example"],"indicators":["192.0.2.77","aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"],"findings":["finding-1","finding-2"]}]"#,
    ),
    (
        "findings",
        r#"[{"id":"finding-1","time":"2025-03-03T01:02:20.5Z","rule":{"id":"r","title":"ODD","level":"high"},"techniques":["T1566.001"],"tactics":["initial-access"],"entities":[{"kind":"address","value":"192.0.2.77"},{"kind":"message","value":"m1@y.example"}],"records":[{"file":"f.eml","record":1}],"text":"ODD"},{"id":"finding-2","time":"2025-03-06T00:00:00Z","rule":{"id":"s","title":"Sign-in","level":"low"},"techniques":["T1078.004"],"tactics":["initial-access"],"entities":[{"kind":"account","value":"b@x.example"},{"kind":"address","value":"10.0.0.9"}],"records":[],"text":"b@x.example signs in"}]"#,
    ),
    (
        "accounts",
        r#"[{"account":"a@x.example","verdict":"breached","rung":"accessed","first_seen":"2025-03-03T01:02:20.5Z","last_seen":"2025-03-03T01:02:20.5Z","findings":["finding-1"],"reason":"ODD"},{"account":"b@x.example","verdict":"suspected","rung":"authenticated","findings":["finding-2"],"reason":"one source"},{"account":"c@x.example","verdict":"targeted","findings":["finding-1"]}]"#,
    ),
    ("hosts", r#"[{"host":"pc1","verdict":"breached"},{"host":"pc2","verdict":"unknown"}]"#),
    (
        "messages",
        r#"[{"message_id":"m1@y.example","from":"s@y.example","subject":"ODD","received":"2025-03-03T01:02:20.5Z","sender":"compromised","attachments":[{"name":"a.zip"}]}]"#,
    ),
    (
        "path",
        r#"[{"incident":"incident-1","tactic":"initial-access","technique":"T1566.001","finding":"finding-1"},{"incident":"incident-1","tactic":"initial-access","technique":"T1078.004","finding":"finding-2"},{"incident":"incident-1","tactic":"x","technique":"no technique","finding":"finding-2"}]"#,
    ),
    (
        "timeline",
        r#"[{"time":"2025-03-03T01:02:20.5Z","incident":"incident-1","kind":"finding","text":"ODD","finding":"finding-1","records":[{"file":"f.eml","record":1}]},{"time":null,"kind":"event","text":"no time"}]"#,
    ),
];

fn quoted(text: &str) -> String {
    let json = makyo_base::to_json(&Value::text(text.to_owned()));
    json.trim_matches('"').to_owned()
}

pub(super) fn with_inputs<T>(
    case: &[(&str, &str)],
    odd: &str,
    run: impl Fn(&ReportInputs<'_>) -> T,
) -> T {
    let tables: Vec<(&str, Vec<Object<'static>>)> =
        case.iter().map(|(name, json)| (*name, rows(&json.replace("ODD", &quoted(odd))))).collect();
    let look_up = |name: &str| {
        tables.iter().find(|table| table.0 == name).map(|t| t.1.as_slice()).unwrap_or_default()
    };
    run(&ReportInputs {
        tables: &look_up,
        organisation: odd,
        accounts_in_all: None,
        version: "0",
        counts: (1, 2, 3),
        unread: &[],
        language: Language::English,
    })
}

fn all(case: &[(&str, &str)], odd: &str) -> Vec<String> {
    with_inputs(case, odd, |inputs| {
        vec![stix(inputs), timesketch(inputs), navigator(inputs), misp(inputs)]
    })
}

fn objects(bundle: &str) -> Vec<Object<'static>> {
    let Ok(Value::Object(bundle)) = parse_json(bundle) else { panic!("no object: {bundle}") };
    let Some(Value::List(list)) = bundle.get("objects") else { panic!("no objects") };
    list.iter().map(|one| one.as_object().expect("an object").clone().into_owned()).collect()
}

fn of_type<'a>(all: &'a [Object<'static>], kind: &str) -> Vec<&'a Object<'static>> {
    all.iter().filter(|one| text(one, "type") == kind).collect()
}

#[test]
fn lines_for_timesketch() {
    expect_test::expect![[r#"
        {"message":"An Invitation","datetime":"2025-03-03T01:02:20.5Z","timestamp_desc":"Finding","data_type":"makyo:finding","tag":["makyo","T1566.001"],"technique":["T1566.001"],"tactic":["initial-access"],"rule":"An Invitation","level":"high","incident":"incident-1","finding":"finding-1","source_file":"f.eml","source_record":1}
    "#]].assert_eq(&all(CASE, "An Invitation")[1]);
}

#[test]
fn a_layer_for_navigator() {
    expect_test::expect![[r##"
        {"name":"Intrusions at An Invitation","versions":{"attack":"19","layer":"4.5"},"domain":"enterprise-attack","description":"From 2025-03-03T01:02:20.5Z to 2025-03-06T00:00:00Z; first way in: phishing; findings: 2; accounts breached: 1, suspected: 1; hosts breached: 1.","layout":{"expandedSubtechniques":"annotated"},"techniques":[{"techniqueID":"T1078.004","tactic":"initial-access","score":1,"comment":"Sign-in","enabled":true},{"techniqueID":"T1566.001","tactic":"initial-access","score":1,"comment":"An Invitation","enabled":true}],"gradient":{"colors":["#fff3d6","#c8102e"],"minValue":0,"maxValue":1}}
    "##]].assert_eq(&all(CASE, "An Invitation")[2]);
}

#[test]
fn an_event_for_misp() {
    expect_test::expect![[r#"
        {"Event":{"uuid":"3b065ee3-e27c-4f6e-aa55-33d48d3dff26","info":"Intrusion at An Invitation. From 2025-03-03T01:02:20.5Z to 2025-03-06T00:00:00Z; first way in: phishing; findings: 2; accounts breached: 1, suspected: 1; hosts breached: 1.","date":"2025-03-03","timestamp":"1741219200","threat_level_id":"4","analysis":"1","distribution":"0","published":false,"Orgc":{"uuid":"0d88a6eb-6283-48a1-ae30-aec29b8cadcf","name":"An Invitation"},"Tag":[{"name":"tlp:amber"},{"name":"misp-galaxy:mitre-attack-pattern=\"T1078.004\""},{"name":"misp-galaxy:mitre-attack-pattern=\"T1566.001\""}],"Attribute":[{"uuid":"8e8fcbf8-11b6-4725-a77c-f04f0b33b604","type":"ip-src","category":"Network activity","value":"10.0.0.9","to_ids":false,"comment":"used by the intruder","distribution":"5","timestamp":"1741219200","first_seen":"2025-03-06T00:00:00.000Z","last_seen":"2025-03-06T00:00:00.000Z"},{"uuid":"4b14df50-a246-4eab-97aa-b732b7d4404e","type":"ip-src","category":"Network activity","value":"192.0.2.77","to_ids":true,"comment":"used by the intruder","distribution":"5","timestamp":"1741219200","first_seen":"2025-03-03T01:02:20.500Z","last_seen":"2025-03-03T01:02:20.500Z"},{"uuid":"2256b990-18a8-4819-a390-3d316861b8f9","type":"ip-src","category":"Network activity","value":"2001:db8::7","to_ids":true,"comment":"used by the intruder","distribution":"5","timestamp":"1741219200"},{"uuid":"279eee71-7444-4308-aec6-9d791474677a","type":"email-src","category":"Payload delivery","value":"s@y.example","to_ids":false,"comment":"sender; the account is probably abused, its owner a victim","distribution":"5","timestamp":"1741219200","first_seen":"2025-03-03T01:02:20.500Z","last_seen":"2025-03-03T01:02:20.500Z"},{"uuid":"40cd2482-c4b5-4e8c-9429-ee2da5bd9dca","type":"email-subject","category":"Payload delivery","value":"An Invitation","to_ids":false,"comment":"","distribution":"5","timestamp":"1741219200","first_seen":"2025-03-03T01:02:20.500Z","last_seen":"2025-03-03T01:02:20.500Z"},{"uuid":"60721925-f348-4b1a-832f-47eb32dbfe16","type":"email-message-id","category":"Payload delivery","value":"m1@y.example","to_ids":false,"comment":"","distribution":"5","timestamp":"1741219200","first_seen":"2025-03-03T01:02:20.500Z","last_seen":"2025-03-03T01:02:20.500Z"},{"uuid":"6d67d0c6-a835-4aca-af24-1372edddde0c","type":"sha256","category":"Payload delivery","value":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","to_ids":false,"comment":"file in a finding; may be a program of the system","distribution":"5","timestamp":"1741219200"}]}}
    "#]].assert_eq(&all(CASE, "An Invitation")[3]);
}

#[test]
fn a_bundle_of_stix() {
    let bundle = objects(&all(CASE, "An Invitation")[0]);
    let told: Vec<String> = bundle
        .iter()
        .filter(|one| text(one, "type") != "relationship")
        .map(|one| {
            let words = ["name", "value", "account_login", "subject", "content"];
            let word = words.iter().map(|name| text(one, name)).find(|text| !text.is_empty());
            format!("{} {}", text(one, "id"), word.unwrap_or_default())
        })
        .collect();
    expect_test::expect![[r#"
        marking-definition--f88d31f6-486f-44da-b317-01333bde0b82 TLP:AMBER
        identity--2f288f37-4321-4b29-afdd-6161279766a1 An Invitation
        incident--7cef3dd3-0cea-44f3-9f04-2ee42a54e073 Intrusion at An Invitation, first sign 2025-03-03T01:02:20.5Z
        attack-pattern--33d60685-d78d-4ee7-aade-84895906bea7 T1078.004
        attack-pattern--411fb7e2-ea82-400d-8dbb-a6eba358d7a0 T1566.001
        ipv4-addr--4e14ee2f-4e52-549b-9707-d7cf8bfe5956 10.0.0.9
        ipv4-addr--dd2cbb09-47cb-57ce-82cf-53f42993427d 192.0.2.77
        ipv6-addr--9cac4ca4-a171-53cb-9d56-e9b066d38d3e 2001:db8::7
        file--6e15dacf-e789-50a7-b20b-ab6502b7c883 
        email-addr--043c9b84-ed85-5401-9bf5-edd0354cd7dc s@y.example
        email-message--dacdfd8e-3261-5505-8ff0-9ba0c4d8e6bb An Invitation
        user-account--efebca78-0c35-507c-a569-96450e708779 a@x.example
        user-account--f723213b-ec15-5916-8cf5-9bbbbe16c4bd b@x.example
        note--997551a7-6496-4f3d-81c0-eb27c9ce85c6 a@x.example: breached; rung: accessed from 2025-03-03T01:02:20.5Z to 2025-03-03T01:02:20.5Z; An Invitation
        note--5f5313a2-34ec-404b-b902-d29e520d6c21 b@x.example: suspected, the tie to the intruder is weak; rung: authenticated; one source
        note--0e70849b-347b-45ac-bcba-3e765cadcf09 Hosts judged breached: pc1.
        observed-data--91df8a8f-3bf9-4154-b52b-17413e48a912 
        note--cbff2323-4c25-456d-abf9-5c55689d1b9a An Invitation
        observed-data--5fbf9d45-900d-4dc1-bafe-401e5114a6d5 
        note--feb217ba-be83-4f7d-83d0-755d93628097 b@x.example signs in
        report--0891cc8e-0fb7-4df8-930a-f657ebbec662 Intrusion at An Invitation, first sign 2025-03-03T01:02:20.5Z"#]].assert_eq(&told.join("\n"));
    for one in &bundle {
        if one.contains("modified") {
            assert_eq!(text(one, "created"), "2025-03-03T01:02:20.500Z", "{one:?}");
            assert_eq!(text(one, "modified"), "2025-03-06T00:00:00.000Z", "{one:?}");
        }
    }
}

#[test]
fn every_reference_of_the_bundle_is_there() {
    let bundle = objects(&all(CASE, "x")[0]);
    let ids: BTreeSet<&str> = bundle.iter().map(|one| text(one, "id")).collect();
    assert_eq!(ids.len(), bundle.len(), "an id stands twice");
    for one in &bundle {
        for (name, value) in &one.0 {
            let refs: Vec<&str> = match value {
                Value::Str(id) if name.ends_with("_ref") => vec![id],
                Value::List(list) if name.ends_with("_refs") => {
                    list.iter().filter_map(Value::as_str).collect()
                }
                _ => continue,
            };
            assert!(!refs.is_empty() && refs.iter().all(|id| ids.contains(id)), "{name} {refs:?}");
        }
    }
}

#[test]
fn an_observable_has_the_id_that_everybody_gives_it() {
    let bundle = objects(&all(CASE, "x")[0]);
    let address = of_type(&bundle, "ipv4-addr")
        .into_iter()
        .find(|one| text(one, "value") == "192.0.2.77")
        .expect("there");
    // By Python: uuid5(UUID("00abedb4-aa42-466c-9c23-fed23c5ab3b0"), '{"value":"192.0.2.77"}').
    assert_eq!(text(address, "id"), "ipv4-addr--dd2cbb09-47cb-57ce-82cf-53f42993427d");
}

#[test]
fn a_suspected_account_is_not_called_breached() {
    for note in of_type(&objects(&all(CASE, "x")[0]), "note") {
        let content = text(note, "content");
        assert!(!(content.contains("b@x.example") && content.contains("breached")), "{content}");
    }
    let [bundle, _, _, event] = all(CASE, "x").try_into().expect("four");
    assert!(!bundle.contains("c@x.example"), "targeted is not breached");
    for own in ["a@x.example", "b@x.example", "pc1"] {
        assert!(!event.contains(own), "{own} goes to others");
    }
}

#[test]
fn only_outside_addresses_are_to_be_looked_for() {
    let [_, _, _, event] = all(CASE, "x").try_into().expect("four");
    let Ok(Value::Object(root)) = parse_json(&event) else { panic!("{event}") };
    let Some(Value::List(list)) = root.path("Event.Attribute") else { panic!("{event}") };
    let wanted: Vec<&str> = list
        .iter()
        .filter_map(Value::as_object)
        .filter(|one| one.get("to_ids") == Some(&Value::Bool(true)))
        .map(|one| text(one, "value"))
        .collect();
    assert_eq!(wanted, ["192.0.2.77", "2001:db8::7"]);
}

#[test]
fn the_same_case_gives_the_same_bytes() {
    assert_eq!(all(CASE, HOSTILE), all(CASE, HOSTILE));
}

/// What a value becomes where a page or a spreadsheet shows it.
fn prose_texts(value: &Value<'_>, name: &str, found: &mut Vec<String>) {
    // These identify something and keep their value.
    if ["subject", "account_login", "message_id"].contains(&name) {
        return;
    }
    match value {
        Value::Str(text) => found.push(text.to_string()),
        Value::List(list) => list.iter().for_each(|one| prose_texts(one, name, found)),
        Value::Object(object) => {
            object.0.iter().for_each(|(name, one)| prose_texts(one, name, found));
        }
        _ => {}
    }
}

#[test]
fn nothing_from_evidence_becomes_markup_or_formula() {
    for odd in [HOSTILE, "=cmd|'/c x'!A", " +1", "@SUM(A1)", "-2\u{202e}\u{0}\r\n\"}],"] {
        for format in all(CASE, odd) {
            assert!(!format.contains(['<', '>', '&', '\u{0}']), "{format}");
            for line in format.lines() {
                let value = parse_json(line).unwrap_or_else(|reason| panic!("{reason}: {line}"));
                let mut found = Vec::new();
                prose_texts(&value, "", &mut found);
                for text in found {
                    let first = text.trim_start().chars().next();
                    assert!(!matches!(first, Some('=' | '+' | '-' | '@')), "{text}");
                    assert!(!text.contains(['<', '[', '\u{202e}', '\n']), "{text}");
                }
            }
        }
    }
}

#[test]
fn a_case_without_intrusion_says_so() {
    let coverage = r#"[{"from":"2025-01-02T00:00:00Z","to":"2025-02-02T00:00:00Z"}]"#;
    let case = [("coverage", coverage)];
    let [bundle, lines, layer, event] = all(&case, "").try_into().expect("four");
    let bundle = objects(&bundle);
    assert_eq!(of_type(&bundle, "incident").len(), 0);
    let note = of_type(&bundle, "note")[0];
    assert!(text(note, "content").contains("no proof"));
    assert_eq!(text(note, "created"), "2025-01-02T00:00:00.000Z");
    assert!(lines.is_empty() && layer.contains("no proof"));
    assert_eq!(event, "{\"response\":[]}\n");
}
