//! Incidents of others as STIX and MISP: read, linked, and judged against what may be knowledge.

#![no_main]

use libfuzzer_sys::fuzz_target;
use makyo_link::judge::judge;
use makyo_link::knowledge::Knowledge;
use makyo_link::link::link;
use makyo_link::read::{Shared, read_incidents, text_of};
use makyo_link::weights::Weights;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = text_of(data) else { return };
    let weights =
        Weights::load(include_str!("../../knowledge/judgement.yml")).expect("our own numbers");
    let shared = Shared::load(include_str!("../../knowledge/shared-parents.yml"))
        .expect("our own parents");
    let reading = read_incidents("fuzz", &text, &shared);
    let linkage = link(&reading.incidents, &weights, 1);
    for campaign in &linkage.campaigns {
        assert!(campaign.links.len() + 1 >= campaign.incidents.len());
    }
    let mut knowledge = Knowledge::default();
    knowledge.read("fuzz", &text);
    knowledge.renumber(&weights.renumbered);
    for incident in reading.incidents.iter().take(4) {
        for one in judge(incident, &knowledge, &weights).hypotheses {
            assert!((0.0..=1.0).contains(&one.probability), "{one:?}");
        }
    }
});
