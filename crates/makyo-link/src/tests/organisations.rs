//! The three organisations of `makyo simulate`, and two decoys: an agency with all look-alikes and no
//! intruder, and an estate with other intruders, one of whom comes by an address that the first used.

use std::path::Path;

use makyo_base::{Object, Value, parse_json};

use super::{shared, weights};
use crate::incident::Incident;
use crate::link::{Linkage, Relation, link};
use crate::read::case_incidents;

const THREE: [&str; 3] = ["agency", "think-tank", "chip-maker"];

fn incidents(name: &str) -> Vec<Incident> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join(format!("tests/fixtures/organisations/{name}.json"));
    let text = std::fs::read_to_string(path).expect("fixture");
    let root = parse_json(&text).expect("JSON").into_owned();
    let tables: Vec<(&str, Vec<Object<'static>>)> = ["incidents", "findings", "messages"]
        .into_iter()
        .map(|table| match root.as_object().and_then(|root| root.get(table)) {
            Some(Value::List(rows)) => {
                (table, rows.iter().filter_map(Value::as_object).cloned().collect())
            }
            other => panic!("{table}: {other:?}"),
        })
        .collect();
    let look_up = |name: &str| {
        let found = tables.iter().find(|table| table.0 == name);
        found.map(|table| table.1.as_slice()).unwrap_or_default()
    };
    let reading = case_incidents(name, &look_up, &shared());
    assert!(reading.unread.is_empty(), "{:?}", reading.unread);
    reading.incidents
}

fn of(names: &[&str]) -> Linkage {
    let all: Vec<Incident> = names.iter().flat_map(|name| incidents(name)).collect();
    link(&all, &weights(), 1)
}

/// Organisation of an incident's id.
fn home(id: &str) -> &str {
    id.split('/').next().unwrap_or_default()
}

fn check(linkage: &Linkage) {
    // Two addresses of the pool came to both; one of them alone would not do.
    assert_eq!(linkage.campaigns.len(), 1, "{linkage:#?}");
    let homes: Vec<&str> = linkage.campaigns[0].incidents.iter().map(|one| home(one)).collect();
    assert_eq!(homes, ["agency", "chip-maker"]);
    let breaks = &linkage.campaigns[0].links[0].breaks;
    assert_eq!(breaks, &["endpoint 192.0.2.101", "endpoint 192.0.2.102"]);
    // The think tank's two incidents share one address each with the agency.
    let told: Vec<_> = linkage
        .related
        .iter()
        .filter(|one| home(&one.pair.0) == "agency" && home(&one.pair.1) == "think-tank")
        .map(|one| one.relation)
        .collect();
    assert_eq!(told, [Relation::OneArtefact; 2]);
    // Whoever used the vendor's credential at the chip maker came another way and is nobody's.
    let vendor = linkage.unlinked.iter().filter(|one| home(one) == "chip-maker").count();
    assert_eq!(vendor, 1);
}

#[test]
fn three_organisations_give_the_allowed_links_and_no_others() {
    let linkage = of(&THREE);
    check(&linkage);
    assert_eq!(linkage.related.len(), 2, "{linkage:#?}");
}

#[test]
fn decoys_change_nothing_and_are_linked_with_nobody() {
    assert!(incidents("benign").is_empty());
    let linkage = of(&["vpn-estate", "benign", "chip-maker", "think-tank", "agency"]);
    check(&linkage);
    // The estate's intruder came once by an address of the pool: that may be said, and no more.
    for one in linkage.related.iter().filter(|one| home(&one.pair.1) == "vpn-estate") {
        assert_eq!(one.relation, Relation::OneArtefact, "{one:#?}");
    }
    let estate = linkage.unlinked.iter().filter(|one| home(one) == "vpn-estate").count();
    assert_eq!(estate, 3);
}
