use makyo_base::{Value, to_json};

use super::{fixture, incident, read, weights};
use crate::answer::judgement_object;
use crate::incident::{Class, Incident};
use crate::judge::{Judgement, NONE, judge};
use crate::knowledge::Knowledge;
use crate::stix::judgement_bundle;

fn knowledge() -> Knowledge {
    let mut knowledge = Knowledge::default();
    knowledge.read("knowledge", &fixture("knowledge"));
    knowledge.renumber(&weights().renumbered);
    assert!(knowledge.unread.is_empty(), "{:?}", knowledge.unread);
    knowledge
}

fn of(items: &[(&str, &str)]) -> Judgement {
    judge(&incident("case", items), &knowledge(), &weights())
}

const METHODS: [(&str, &str); 5] = [
    ("technique", "T1566.001"),
    ("technique", "T1059.001"),
    ("technique", "T1021.001"),
    ("technique", "T1003.003"),
    ("technique", "T1560.001"),
];

#[test]
fn targets_and_methods_alone_stay_under_the_cap_and_say_so() {
    let judgement = of(&METHODS);
    let group = judgement.hypotheses.iter().find(|one| one.name.contains("Paper Lantern"));
    let group = group.expect("nearest group is told");
    assert!(group.probability <= 0.55 && group.high <= 0.55, "{group:#?}");
    assert!(judgement.cap.is_soft && judgement.cap.limit <= 0.55);
    assert!(judgement.en.contains("Only targets and methods support"), "{}", judgement.en);
    assert!(judgement.ja.contains("攻撃対象と手口のみ"), "{}", judgement.ja);
    assert!(judgement.en.contains("nobody is named"));
    assert_eq!(judgement.confidence.words().en, "low");
}

#[test]
fn targets_beside_methods_do_not_lift_the_cap() {
    let mut items = METHODS.to_vec();
    items.extend([("country", "exampleland"), ("sector", "aerospace"), ("lure", "a panel")]);
    let judgement = of(&items);
    for one in judgement.hypotheses.iter().filter(|one| one.owner.is_some()) {
        assert!(one.probability <= 0.55 && one.high <= 0.55, "{one:#?}");
        assert!(!["likely", "very likely", "almost certain"].contains(&one.words), "{one:#?}");
    }
    for one in &judgement.sensitivity {
        assert!(one.leader == NONE || one.probability <= 0.55, "{one:?}");
    }
    assert!(judgement.en.contains("Only targets and methods"), "{}", judgement.en);
    assert!(judgement.en.contains("Of 49 comparable past claims 24 were right"));
}

#[test]
fn rival_explanations_are_relations_with_opinions() {
    let mut items = METHODS.to_vec();
    items.push(("family", "invented lantern"));
    let incident = Incident { time: Some((0, 1_500_000_000)), ..incident("c", &items) };
    let judgement = judge(&incident, &knowledge(), &weights());
    let text = to_json(&Value::Object(judgement_bundle(&judgement, &incident)));
    let count = |kind: &str| text.matches(&format!("\"type\":\"{kind}\"")).count();
    let groups = judgement.hypotheses.iter().filter(|one| one.owner.is_some()).count();
    assert_eq!(count("intrusion-set"), groups, "{text}");
    assert_eq!(count("relationship"), groups);
    assert_eq!(count("opinion"), groups);
    assert_eq!(count("note"), groups + 1);
    assert!(text.contains("\"created\":\"1970-01-01T00:00:01.500Z\""), "{text}");
    // Readers of STIX expect UUIDs of version 4 and the variant of RFC 9562.
    for id in text.split("--").skip(1) {
        let id: Vec<char> = id.chars().take(20).collect();
        assert!(id[14] == '4' && "89ab".contains(id[19]), "{id:?}");
    }
}

#[test]
fn when_a_group_was_active_is_no_reason_to_name_it() {
    let incident = incident("c", &METHODS);
    let time = makyo_base::parse_time("2020-06-01T00:00:00Z").expect("time");
    let dated = Incident { time: Some((time, time)), ..incident };
    let judgement = judge(&dated, &knowledge(), &weights());
    assert!(!judgement.en.contains("active in"), "{}", judgement.en);
}

#[test]
fn code_beside_methods_names_a_group_up_to_the_next_cap() {
    let mut items = METHODS.to_vec();
    items.push(("family", "invented lantern"));
    let judgement = of(&items);
    assert_eq!(judgement.hypotheses[0].name, "Paper Lantern (G9001)", "{judgement:#?}");
    assert!(judgement.hypotheses[0].probability <= 0.80);
    assert!(judgement.hypotheses[0].evidence.iter().any(|one| one.class == Class::Code));
    let without = judgement.sensitivity.iter().find(|one| one.drop == "class: code");
    assert!(without.is_some_and(|one| one.probability <= 0.55 || one.leader == NONE));
}

#[test]
fn an_unknown_actor_is_not_named() {
    let judgement = of(&[("technique", "T1602.001"), ("family", "never heard of")]);
    assert_eq!(judgement.hypotheses[0].name, NONE);
    assert!(judgement.en.contains("does not have"), "{}", judgement.en);
}

#[test]
fn no_evidence_gives_no_group() {
    let judgement = of(&[("configuration", "only ours")]);
    assert_eq!(judgement.hypotheses[0].name, NONE);
    assert!(judgement.en.contains("Nothing in the evidence"), "{}", judgement.en);
}

#[test]
fn both_numberings_of_a_technique_are_one() {
    let knowledge = knowledge();
    assert_eq!(knowledge.current("T1562.001"), "T1685");
    assert_eq!(knowledge.current("T1070.001"), "T1685.005");
    let old = judge(&incident("c", &[("technique", "T1562.001")]), &knowledge, &weights());
    let new = judge(&incident("c", &[("technique", "T1685")]), &knowledge, &weights());
    assert_eq!(old, new);
}

#[test]
fn likelihood_and_confidence_never_share_a_sentence() {
    let mut items = METHODS.to_vec();
    items.push(("family", "invented lantern"));
    for judgement in [of(&items), of(&METHODS)] {
        for sentence in judgement.en.split(". ") {
            let is_likelihood =
                ["likely", "chance", "certain"].iter().any(|w| sentence.contains(w));
            assert!(!(is_likelihood && sentence.contains("Confidence")), "{sentence}");
        }
    }
}

#[test]
fn state_responsibility_is_never_produced() {
    let knowledge = knowledge();
    let judgement = judge(&incident("c", &METHODS), &knowledge, &weights());
    let object = judgement_object(&judgement, &knowledge);
    assert_eq!(object.get("state_responsibility"), Some(&Value::Null));
    assert!(judgement.en.contains("Whether a state is responsible is not judged."));
}

#[test]
fn intervals_hold_their_probability() {
    let incident = read("university").incidents.remove(0);
    for one in judge(&incident, &knowledge(), &weights()).hypotheses {
        assert!(one.low <= one.probability && one.probability <= one.high, "{one:#?}");
    }
}

#[test]
fn someone_elses_conclusion_is_no_evidence() {
    let text = r#"{"type":"bundle","id":"bundle--1","objects":[
        {"type":"incident","id":"incident--1","name":"x"},
        {"type":"intrusion-set","id":"intrusion-set--1","name":"Paper Lantern"},
        {"type":"relationship","id":"relationship--1","relationship_type":"attributed-to",
         "source_ref":"incident--1","target_ref":"intrusion-set--1"},
        {"type":"domain-name","id":"domain-name--1","value":"a.example"}]}"#;
    let reading = crate::read::read_incidents("f", text, &super::shared());
    assert_eq!(reading.incidents[0].items.len(), 1);
    assert_eq!(reading.incidents[0].items[0].value, "a.example");
}

#[test]
fn names_alone_are_no_hypotheses_and_change_no_probability() {
    let plain = knowledge();
    let mut more = Knowledge::default();
    let actors: Vec<String> = (0..500)
        .map(|number| {
            format!(
                r#"{{"value":"Name {number}","meta":{{"synonyms":["Paper Lantern"],
                    "cfr-suspected-victims":["Exampleland"]}}}}"#
            )
        })
        .collect();
    let galaxy = format!(
        r#"{{"name":"Actors","type":"threat-actor","version":1,"values":[{}]}}"#,
        actors.join(",")
    );
    more.read("galaxy", &galaxy);
    more.read("knowledge", &fixture("knowledge"));
    more.renumber(&weights().renumbered);
    let mut items = METHODS.to_vec();
    items.push(("family", "invented lantern"));
    let case = incident("c", &items);
    assert_eq!(judge(&case, &plain, &weights()), judge(&case, &more, &weights()));
}

#[test]
fn another_owner_of_the_same_name_adds_its_targets() {
    let mut knowledge = Knowledge::default();
    knowledge.read(
        "galaxy",
        r#"{"name":"Actors","type":"threat-actor","version":1,"values":[
            {"value":"Paper Lantern","meta":{"cfr-suspected-victims":["Exampleland"]}}]}"#,
    );
    knowledge.read("knowledge", &fixture("knowledge"));
    knowledge.renumber(&weights().renumbered);
    let target = knowledge.uses.iter().find(|one| one.feature.0 == "country");
    assert_eq!(target.map(|one| one.group.as_str()), Some("G9001"));
}
