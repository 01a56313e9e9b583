use proptest::prelude::*;

use super::{fixture, shared, weights};
use crate::judge::judge;
use crate::knowledge::Knowledge;
use crate::link::link;
use crate::read::{read_incidents, text_of};

/// Reads, links and judges whatever comes; says whether something was said to be unread.
fn survives(text: &str) -> bool {
    let reading = read_incidents("f", text, &shared());
    let _ = link(&reading.incidents, &weights(), 1);
    let mut knowledge = Knowledge::default();
    knowledge.read("f", text);
    knowledge.renumber(&weights().renumbered);
    for incident in &reading.incidents {
        let _ = judge(incident, &knowledge, &weights());
    }
    !reading.unread.is_empty()
}

#[test]
fn what_is_no_incident_is_told() {
    for text in [
        "",
        "[]x",
        "{}",
        "3",
        "null",
        "{\"type\":\"bundle\"}",
        "{\"type\":\"bundle\",\"objects\":[1]}",
        "{\"Event\":{}}",
        "{\"Event\":{\"uuid\":\"u\",\"Attribute\":[7,{\"type\":\"md5\"}]}}",
        "{\"type\":\"bundle\",\"objects\":[{\"type\":\"indicator\",\"id\":\"i\"}]}",
    ] {
        assert!(survives(text), "{text}");
    }
}

#[test]
fn deep_and_looping_input_ends() {
    survives(&format!("{}{}", "[".repeat(100_000), "]".repeat(100_000)));
    survives(
        r#"{"type":"bundle","objects":[
        {"type":"incident","id":"incident--1"},{"type":"incident","id":"incident--2"},
        {"type":"report","id":"report--1","object_refs":["report--2","incident--1"]},
        {"type":"report","id":"report--2","object_refs":["report--1","report--2"]},
        {"type":"attack-pattern","id":"a","external_references":[{"source_name":"mitre-attack","external_id":"T1001"}]},
        {"type":"attack-pattern","id":"b","external_references":[{"source_name":"mitre-attack","external_id":"T1002"}]},
        {"type":"relationship","id":"r1","relationship_type":"revoked-by","source_ref":"a","target_ref":"b"},
        {"type":"relationship","id":"r2","relationship_type":"revoked-by","source_ref":"b","target_ref":"a"}]}"#,
    );
}

#[test]
fn broken_gzip_is_told() {
    assert!(text_of(&[0x1f, 0x8b, 1, 2, 3]).is_err());
    assert!(text_of(&[0xff, 0xfe, 0x00]).is_err());
    assert_eq!(text_of(b"plain").as_deref(), Ok("plain"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn no_damage_to_a_bundle_panics(at in 0_usize..4000, with in "\\PC{0,3}", name in 0_usize..3) {
        let text = fixture(["ministry", "decoy-one-address", "knowledge"][name]);
        let damaged: String = text.chars().take(at).chain(with.chars()).chain(text.chars().skip(at + 2)).collect();
        survives(&damaged);
    }

    #[test]
    fn no_damage_to_an_event_panics(at in 0_usize..700, with in "\\PC{0,3}") {
        let text = r#"{"response":[{"Event":{"uuid":"e1","date":"2025-03-01","Orgc":{"name":"CERT Example"},
          "Attribute":[{"type":"ip-dst|port","value":"203.0.113.9|443","first_seen":"2025-02-30T99:00:00Z"},
            {"type":"filename|sha256","value":"a|b|c|d"},{"type":"domain|ip","value":"|"},{"type":"x509-fingerprint-sha1"}],
          "Object":[{"name":"file","Attribute":[{"type":"md5","value":7}]},{"Attribute":{}}],
          "Tag":[{"name":"misp-galaxy:mitre-attack-pattern=\"PowerShell - T1059.001\""},{"name":"="},3]}}]}"#;
        let damaged: String = text.chars().take(at).chain(with.chars()).chain(text.chars().skip(at + 2)).collect();
        survives(text);
        survives(&damaged);
    }

    #[test]
    fn no_values_panic(values in proptest::collection::vec("\\PC{0,20}", 1..8)) {
        let objects: Vec<String> = values
            .iter()
            .enumerate()
            .map(|(at, value)| {
                let value = makyo_base::to_json(&makyo_base::Value::text(value.clone()));
                let kind = ["domain-name", "indicator", "malware", "url", "mutex"][at % 5];
                format!(r#"{{"type":"{kind}","id":"x--{at}","value":{value},"name":{value},"pattern":{value}}}"#)
            })
            .collect();
        survives(&format!(r#"{{"type":"bundle","objects":[{}]}}"#, objects.join(",")));
    }
}
