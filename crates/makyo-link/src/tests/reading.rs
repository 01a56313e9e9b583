use super::{read, shared};
use crate::read::read_incidents;

fn kinds(text: &str) -> Vec<(String, String)> {
    let reading = read_incidents("f", text, &shared());
    let items = reading.incidents.into_iter().flat_map(|incident| incident.items);
    items.map(|item| (item.kind, item.value)).collect()
}

#[test]
fn a_bundle_gives_items_and_leaves_shared_parents_out() {
    let reading = read("ministry");
    assert_eq!(reading.incidents.len(), 1);
    assert!(reading.left_out.iter().any(|one| one.reason.contains("duckdns.org")));
    let values: Vec<&str> =
        reading.incidents[0].items.iter().map(|item| item.value.as_str()).collect();
    assert!(values.contains(&"cdn-update.example") && values.contains(&"T1566.001"));
    assert!(!values.contains(&"duckdns.org"));
}

#[test]
fn indicators_count_within_their_validity() {
    let indicator = |from: &str, until: &str| {
        format!(
            r#"{{"type":"bundle","id":"b","objects":[
            {{"type":"incident","id":"incident--1"}},
            {{"type":"observed-data","id":"observed-data--1","first_observed":"2025-03-01T00:00:00Z",
              "last_observed":"2025-03-09T00:00:00Z"}},
            {{"type":"indicator","id":"indicator--1","pattern":"[domain-name:value = 'a.example']",
              "valid_from":"{from}","valid_until":"{until}"}}]}}"#
        )
    };
    assert_eq!(kinds(&indicator("2025-01-01T00:00:00Z", "2025-06-01T00:00:00Z")).len(), 1);
    assert_eq!(kinds(&indicator("2024-01-01T00:00:00Z", "2024-06-01T00:00:00Z")).len(), 0);
    assert_eq!(kinds(&indicator("2025-05-01T00:00:00Z", "2025-06-01T00:00:00Z")).len(), 0);
}

#[test]
fn a_misp_event_gives_items_without_its_threat_actor() {
    let text = r#"{"Event":{"uuid":"e1","date":"2025-03-01","Orgc":{"name":"CERT Example"},
      "Attribute":[{"type":"ip-dst|port","value":"203.0.113.9|443"},
        {"type":"filename|sha256","value":"a.dll|aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"},
        {"type":"ip-dst","value":"10.0.0.1"},{"type":"domain","value":"gone.example","deleted":true}],
      "Tag":[{"name":"misp-galaxy:threat-actor=\"Somebody\""},
        {"name":"misp-galaxy:mitre-attack-pattern=\"PowerShell - T1059.001\""},
        {"name":"admiralty-scale:source-reliability=\"a\""}]}}"#;
    let mut found = kinds(text);
    found.sort();
    let expected: Vec<(String, String)> = [
        ("endpoint", "203.0.113.9".to_owned()),
        ("sample", "a".repeat(64)),
        ("technique", "T1059.001".to_owned()),
    ]
    .map(|(kind, value)| (kind.to_owned(), value))
    .to_vec();
    assert_eq!(found, expected);
    let reading = read_incidents("f", text, &shared());
    assert_eq!(reading.incidents[0].items[0].source.reliability, 'A');
    assert_eq!(reading.incidents[0].items[0].source.name, "CERT Example");
}

#[test]
fn several_incidents_of_one_bundle_keep_apart() {
    let text = r#"{"type":"bundle","id":"b","objects":[
        {"type":"incident","id":"incident--1"},{"type":"incident","id":"incident--2"},
        {"type":"malware","id":"malware--1","name":"Shared"},
        {"type":"domain-name","id":"domain-name--1","value":"one.example"},
        {"type":"domain-name","id":"domain-name--2","value":"two.example"},
        {"type":"observed-data","id":"observed-data--1","object_refs":["domain-name--1"]},
        {"type":"observed-data","id":"observed-data--2","object_refs":["domain-name--2"]},
        {"type":"relationship","id":"relationship--1","relationship_type":"related-to",
         "source_ref":"incident--1","target_ref":"observed-data--1"},
        {"type":"relationship","id":"relationship--2","relationship_type":"related-to",
         "source_ref":"incident--2","target_ref":"observed-data--2"},
        {"type":"relationship","id":"relationship--3","relationship_type":"uses",
         "source_ref":"incident--1","target_ref":"malware--1"},
        {"type":"relationship","id":"relationship--4","relationship_type":"uses",
         "source_ref":"incident--2","target_ref":"malware--1"}]}"#;
    let reading = read_incidents("f", text, &shared());
    let values: Vec<Vec<&str>> = reading
        .incidents
        .iter()
        .map(|incident| incident.items.iter().map(|item| item.value.as_str()).collect())
        .collect();
    assert_eq!(values, [["one.example", "shared"], ["two.example", "shared"]]);
}
