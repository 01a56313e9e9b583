//! Linking of simulated incidents: the partition as it is, and what of it is published.

use std::collections::BTreeMap;
use std::time::Instant;

use makyo_link::cluster::cluster;
use makyo_link::corpus::Corpus;
use makyo_link::link::link;
use makyo_link::weights::Weights;

use crate::measure::clusters;
use crate::simulated::{SCENARIOS, Scenario, scenario};

pub(crate) fn run(data: &str, out: Option<&str>, weights: &Weights) -> anyhow::Result<()> {
    for seed in [1, 2] {
        println!("seed {seed}");
        println!("scenario      n  what       B3-F1  B3-P   B3-R   pair P pair R flags fooled  s");
        for name in SCENARIOS {
            let given = scenario(data, name, seed)?;
            let start = Instant::now();
            let corpus = Corpus::new(&given.incidents, weights);
            let partition = cluster(&corpus, weights, 2);
            if let Some(out) = out {
                let sets = given.incidents.iter().zip(&partition.set_of);
                let lines: Vec<String> =
                    sets.map(|(one, set)| format!("\"{}\":{set}", one.id)).collect();
                let path = format!("{out}/{name}.{seed}.json");
                std::fs::write(&path, format!("{{{}}}", lines.join(",")))?;
            }
            report(&given, "partition", &partition.set_of, start.elapsed().as_secs_f64());
            let start = Instant::now();
            let linkage = link(&given.incidents, weights, 2);
            let mut set_of: BTreeMap<&str, usize> = BTreeMap::new();
            for (number, campaign) in linkage.campaigns.iter().enumerate() {
                set_of.extend(campaign.incidents.iter().map(|id| (id.as_str(), number)));
            }
            let sets: Vec<usize> = given
                .incidents
                .iter()
                .enumerate()
                .map(|(at, one)| set_of.get(one.id.as_str()).copied().unwrap_or(at + 1_000_000))
                .collect();
            report(&given, "published", &sets, start.elapsed().as_secs_f64());
        }
    }
    Ok(())
}

fn report(given: &Scenario, what: &str, sets: &[usize], seconds: f64) {
    let group = |id: &str| given.truth.get(id).map_or("", |truth| truth.group.as_str());
    let items: Vec<(&str, usize)> =
        given.incidents.iter().zip(sets).map(|(one, set)| (group(&one.id), *set)).collect();
    let found = clusters(&items);
    let (flags, fooled) = fooled(given, sets);
    println!(
        "{:10} {:4}  {what:9}  {:.3}  {:.3}  {:.3}  {:.3}  {:.3}  {flags:4} {fooled:4}    {seconds:.2}",
        given.name,
        given.incidents.len(),
        found.b3_f1(),
        found.b3.0,
        found.b3.1,
        found.pairs.0,
        found.pairs.1
    );
}

/// False-flag incidents, and those that landed in a set where the framed group has the majority.
fn fooled(given: &Scenario, sets: &[usize]) -> (usize, usize) {
    let mut members: BTreeMap<usize, BTreeMap<&str, usize>> = BTreeMap::new();
    for (one, set) in given.incidents.iter().zip(sets) {
        let group = given.truth.get(&one.id).map_or("", |truth| truth.group.as_str());
        *members.entry(*set).or_default().entry(group).or_default() += 1;
    }
    let (mut flags, mut fooled) = (0, 0);
    for (one, set) in given.incidents.iter().zip(sets) {
        let Some(truth) = given.truth.get(&one.id) else { continue };
        let Some(framed) = truth.framed.as_deref() else { continue };
        flags += 1;
        let most = members.get(set).and_then(|own| {
            own.iter().max_by(|a, b| a.1.cmp(b.1).then(a.0.cmp(b.0))).map(|entry| *entry.0)
        });
        fooled += usize::from(most == Some(framed) && framed != truth.group);
    }
    (flags, fooled)
}
