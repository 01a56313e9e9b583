use super::{incident, read, weights};
use crate::incident::Incident;
use crate::link::{Linkage, Relation, link};

fn of(names: &[&str]) -> Linkage {
    let incidents: Vec<Incident> = names.iter().flat_map(|name| read(name).incidents).collect();
    link(&incidents, &weights(), 1)
}

fn id(number: u32) -> String {
    format!("incident--00000000-0000-4000-8000-{number:012}")
}

const VICTIMS: [&str; 3] = ["ministry", "university", "aerospace"];
const DECOYS: [&str; 3] = ["decoy-same-family", "decoy-same-techniques", "decoy-one-address"];

#[test]
fn three_organisations_of_one_intruder_are_one_campaign() {
    let linkage = of(&VICTIMS);
    assert_eq!(linkage.campaigns.len(), 1, "{linkage:#?}");
    assert_eq!(linkage.campaigns[0].incidents, [id(1), id(2), id(3)]);
    let pairs: Vec<_> = linkage.campaigns[0].links.iter().map(|link| link.pair.clone()).collect();
    // The ministry and the aerospace firm share only the family: the link goes through the third.
    assert_eq!(pairs, [(id(1), id(2)), (id(2), id(3))]);
}

#[test]
fn decoys_are_not_linked_and_are_named_with_weaker_words() {
    let all: Vec<&str> = VICTIMS.iter().chain(&DECOYS).copied().collect();
    let linkage = of(&all);
    assert_eq!(linkage.campaigns.len(), 1, "{linkage:#?}");
    assert_eq!(linkage.campaigns[0].incidents, [id(1), id(2), id(3)]);
    assert_eq!(linkage.unlinked, [id(4), id(5), id(6)]);
    let relation = |a: u32| {
        let found = linkage.related.iter().find(|one| one.pair.1 == id(a) || one.pair.0 == id(a));
        found.map(|one| one.relation)
    };
    assert_eq!(relation(4), Some(Relation::SameFamily));
    assert_eq!(relation(5), None);
    assert_eq!(relation(6), Some(Relation::OneArtefact));
}

#[test]
fn each_link_says_what_would_break_it() {
    let linkage = of(&VICTIMS);
    let breaks: Vec<_> = linkage.campaigns[0].links.iter().map(|link| &link.breaks).collect();
    // A domain and a file tie ministry and university; the family does not count among so few.
    assert!(breaks.iter().all(|items| items.len() == 2), "{breaks:?}");
    assert!(breaks[0].contains(&"endpoint cdn-update.example".to_owned()), "{breaks:?}");
    for link in &linkage.campaigns[0].links {
        let sum: f64 = link.evidence.iter().map(|one| one.weight_db).sum();
        assert!((sum - link.weight_db).abs() < 0.2, "{} {sum}", link.weight_db);
    }
}

#[test]
fn one_address_and_a_family_that_others_may_have_link_nothing() {
    let a = incident("a", &[("endpoint", "192.0.2.7"), ("family", "bought"), ("sample", "1")]);
    let b = incident("b", &[("endpoint", "192.0.2.7"), ("family", "bought"), ("sample", "2")]);
    let linkage = link(&[a, b], &weights(), 1);
    assert!(linkage.campaigns.is_empty(), "{linkage:#?}");
    assert_eq!(linkage.related[0].relation, Relation::OneArtefact);
}

#[test]
fn two_specific_artefacts_link_two_incidents() {
    let a = incident("a", &[("endpoint", "192.0.2.7"), ("sample", "1"), ("technique", "T1190")]);
    let b = incident("b", &[("endpoint", "192.0.2.7"), ("sample", "1"), ("technique", "T1133")]);
    let linkage = link(&[a, b], &weights(), 1);
    assert_eq!(linkage.campaigns.len(), 1, "{linkage:#?}");
    assert_eq!(linkage.campaigns[0].links[0].breaks.len(), 2);
}

#[test]
fn targets_and_methods_alone_link_nothing() {
    let items: Vec<(&str, &str)> = vec![
        ("technique", "T1566.001"),
        ("technique", "T1059.001"),
        ("technique", "T1218.011"),
        ("technique", "T1484.002"),
        ("sector", "aerospace"),
        ("country", "jp"),
        ("lure", "panel on space policy"),
    ];
    let linkage = link(&[incident("a", &items), incident("b", &items)], &weights(), 1);
    assert!(linkage.campaigns.is_empty(), "{linkage:#?}");
    assert_eq!(linkage.unlinked, ["a", "b"]);
}

#[test]
fn one_sample_told_three_times_is_one_witness() {
    let mut a =
        incident("a", &[("sample", "aa"), ("configuration", "m"), ("endpoint", "x.example")]);
    let mut b =
        incident("b", &[("sample", "aa"), ("configuration", "m"), ("endpoint", "x.example")]);
    for one in a.items.iter_mut().chain(&mut b.items) {
        one.root = "the sample".to_owned();
    }
    let linkage = link(&[a, b], &weights(), 1);
    assert!(linkage.campaigns.is_empty(), "{linkage:#?}");
    assert_eq!(linkage.related[0].relation, Relation::OneArtefact);
}

#[test]
fn what_everybody_shares_joins_nothing() {
    // A relay's address and a bought family in forty unrelated incidents.
    let incidents: Vec<Incident> = (0..40)
        .map(|number| {
            let own = format!("own-{number}.example");
            incident(
                &format!("i{number:02}"),
                &[("endpoint", "192.0.2.200"), ("family", "bought"), ("endpoint", &own)],
            )
        })
        .collect();
    assert!(link(&incidents, &weights(), 1).campaigns.is_empty());
}

/// Methods and habits of one hand, with an address and a file of its own each time.
fn visit(id: &str, more: &[(&str, &str)]) -> Incident {
    let mut items = vec![
        ("technique", "T1505.003"),
        ("technique", "T1003.003"),
        ("technique", "T1560.001"),
        ("technique", "T1021.006"),
        ("technique", "T1569.002"),
        ("country", "exampleland"),
        ("sector", "aerospace"),
    ];
    items.extend_from_slice(more);
    incident(id, &items)
}

#[test]
fn one_artefact_brings_in_who_fits_the_whole_campaign() {
    let core = [("endpoint", "a.example"), ("sample", "1"), ("configuration", "key")];
    let incidents = vec![
        visit("a", &core),
        visit("b", &core),
        visit("c", &[("endpoint", "a.example"), ("endpoint", "own-c.example")]),
        // The same address, and nothing else of it: it is rented to somebody else by now.
        incident(
            "d",
            &[
                ("endpoint", "a.example"),
                ("technique", "T1110.003"),
                ("technique", "T1496"),
                ("country", "elsewhere"),
                ("sector", "retail"),
            ],
        ),
    ];
    // Among so few nothing says how common methods are: two artefacts, or no link.
    let linkage = link(&incidents, &weights(), 1);
    assert_eq!(linkage.campaigns[0].incidents, ["a", "b"], "{linkage:#?}");
    let strangers = (0..240).map(|number: u32| {
        let own = |what: &str| format!("{what} {number}");
        let (address, file) = (own("address"), own("file"));
        let (technique, sector) =
            (format!("T{:04}", 1100 + number % 60), own(&format!("sector {}", number % 9)));
        let items = [("endpoint", address), ("sample", file), ("technique", technique)];
        let mut items: Vec<(&str, &str)> = items.iter().map(|(k, v)| (*k, v.as_str())).collect();
        items.push(("sector", &sector));
        incident(&format!("s{number:03}"), &items)
    });
    let all: Vec<Incident> = incidents.into_iter().chain(strangers).collect();
    let linkage = link(&all, &weights(), 1);
    assert_eq!(linkage.campaigns.len(), 1, "{:#?}", linkage.campaigns);
    assert_eq!(linkage.campaigns[0].incidents, ["a", "b", "c"], "{:#?}", linkage.campaigns);
    let through: Vec<_> =
        linkage.campaigns[0].links.iter().filter(|link| link.is_through_profile).collect();
    assert_eq!(through.len(), 1);
    assert_eq!(through[0].breaks, ["endpoint a.example"]);
    assert_eq!(through[0].pair, ("a".to_owned(), "c".to_owned()));
    let sum: f64 = through[0].evidence.iter().map(|one| one.weight_db).sum();
    assert!((sum - through[0].weight_db).abs() < 0.5, "{through:#?}");
    assert!(!linkage.campaigns[0].incidents.contains(&"d".to_owned()));
}

#[test]
fn what_strangers_show_too_ties_no_two_campaigns() {
    // Six pairs, each tied by two things of its own; one relay and one bought family in all.
    let incidents: Vec<Incident> = (0..12)
        .map(|number| {
            let (host, file) =
                (format!("own-{}.example", number / 2), format!("file {}", number / 2));
            incident(
                &format!("i{number:02}"),
                &[
                    ("endpoint", &host),
                    ("sample", &file),
                    ("endpoint", "192.0.2.200"),
                    ("family", "bought"),
                    ("technique", "T1190"),
                    ("technique", "T1505.003"),
                ],
            )
        })
        .collect();
    let linkage = link(&incidents, &weights(), 1);
    for campaign in &linkage.campaigns {
        assert_eq!(campaign.incidents.len(), 2, "{linkage:#?}");
    }
}
