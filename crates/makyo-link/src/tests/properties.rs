use makyo_base::{Value, to_json};
use proptest::prelude::*;

use super::{incident, read, weights};
use crate::answer::linkage_object;
use crate::incident::Incident;
use crate::link::link;

fn bytes(incidents: &[Incident], threads: usize) -> String {
    to_json(&Value::Object(linkage_object(&link(incidents, &weights(), threads))))
}

/// Incidents of a few operators that share values by chance and by habit.
fn world(seeds: &[(u8, u8)]) -> Vec<Incident> {
    seeds
        .iter()
        .enumerate()
        .map(|(number, (group, draw))| {
            let pick = |what: &str, many: u8| format!("{what}{}-{}", group % 6, draw % many);
            let (c2, hash, family) = (pick("c2-", 3), pick("hash", 2), pick("family", 2));
            let habit = pick("habit", 2);
            let technique = format!("T1{:03}", (u16::from(*group % 6) * 7 + u16::from(*draw)) % 50);
            incident(
                &format!("i{number:03}"),
                &[
                    ("endpoint", &c2),
                    ("sample", &hash),
                    ("family", &family),
                    ("habit", &habit),
                    ("technique", &technique),
                    ("endpoint", "relay.example"),
                ],
            )
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn order_repetition_and_threads_do_not_matter(
        seeds in proptest::collection::vec((0_u8..=255, 0_u8..=255), 2..60),
        shift in 0_usize..60,
    ) {
        let incidents = world(&seeds);
        let expected = bytes(&incidents, 1);
        let mut turned = incidents.clone();
        turned.rotate_left(shift % incidents.len());
        turned.reverse();
        prop_assert_eq!(&bytes(&turned, 2), &expected);
        turned.extend(incidents.into_iter().take(3));
        prop_assert_eq!(&bytes(&turned, 1), &expected);
    }
}

#[test]
fn every_incident_is_in_one_campaign_or_in_none() {
    let incidents = world(&(0_u8..80).map(|at| (at, at.wrapping_mul(37))).collect::<Vec<_>>());
    let linkage = link(&incidents, &weights(), 2);
    let mut told: Vec<String> = linkage.unlinked.clone();
    told.extend(linkage.campaigns.iter().flat_map(|campaign| campaign.incidents.clone()));
    told.sort();
    assert_eq!(told, incidents.iter().map(|one| one.id.clone()).collect::<Vec<_>>());
    for campaign in &linkage.campaigns {
        assert_eq!(campaign.links.len() + 1, campaign.incidents.len());
        for link in &campaign.links {
            assert!(link.evidence.iter().any(|one| one.is_shared && !one.class.is_soft()));
        }
    }
}

#[test]
fn the_same_fixtures_give_the_same_bytes() {
    let names = ["ministry", "university", "aerospace", "decoy-same-family"];
    let incidents: Vec<Incident> = names.iter().flat_map(|name| read(name).incidents).collect();
    let reversed: Vec<Incident> = incidents.iter().rev().cloned().collect();
    assert_eq!(bytes(&incidents, 1), bytes(&reversed, 2));
}
