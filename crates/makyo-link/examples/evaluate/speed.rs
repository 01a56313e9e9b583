//! The speed of linking: a generator of incidents of many operators, and the time it takes.

use std::collections::BTreeMap;
use std::time::Instant;

use makyo_link::incident::{Incident, Item, Source};
use makyo_link::link::{Linkage, link};
use makyo_link::weights::Weights;

use crate::measure::{Clusters, clusters};

/// A small generator of numbers (xorshift64, Marsaglia 2003); the same seed gives the same world.
struct Draw(u64);

impl Draw {
    fn below(&mut self, many: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % many.max(1)
    }
}

pub(crate) fn run(count: usize, weights: &Weights) {
    let (incidents, operators) = world(count);
    let items: usize = incidents.iter().map(|one| one.items.len()).sum();
    let start = Instant::now();
    let linkage = link(&incidents, weights, 2);
    let linked: usize = linkage.campaigns.iter().map(|one| one.incidents.len()).sum();
    let seconds = start.elapsed().as_secs_f64();
    println!(
        "{count} incidents, {items} items: {:.2} s; {} campaigns of {linked} incidents; {} MiB at most",
        seconds,
        linkage.campaigns.len(),
        peak_mib()
    );
    for with_possible in [false, true] {
        let found = measured(&linkage, &incidents, &operators, with_possible);
        let what = if with_possible { "with possible members" } else { "as published" };
        println!("  {what}: B3-F1 {:.3}, pair precision {:.3}", found.b3_f1(), found.pairs.0);
    }
}

fn measured(
    linkage: &Linkage,
    incidents: &[Incident],
    operators: &[String],
    with_possible: bool,
) -> Clusters {
    let mut set_of: BTreeMap<&str, usize> = BTreeMap::new();
    for (number, campaign) in linkage.campaigns.iter().enumerate() {
        let possible = campaign.possible.iter().filter(|_| with_possible);
        set_of.extend(campaign.incidents.iter().chain(possible).map(|id| (id.as_str(), number)));
    }
    let items_of: Vec<(&str, usize)> = incidents
        .iter()
        .zip(operators)
        .enumerate()
        .map(|(at, (one, operator))| {
            (
                operator.as_str(),
                set_of.get(one.id.as_str()).copied().unwrap_or(incidents.len() + at),
            )
        })
        .collect();
    clusters(&items_of)
}

/// Peak of resident memory, where the system tells it.
fn peak_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.split_whitespace().next()).and_then(|n| n.parse().ok());
    kib.unwrap_or(0_u64) / 1024
}

/// One operator for some sixteen incidents; addresses in campaigns, relays that all share, tools
/// of one operator, of some, and of all.
fn world(count: usize) -> (Vec<Incident>, Vec<String>) {
    let mut draw = Draw(0x9e37_79b9_7f4a_7c15);
    let operators = (count as u64 / 16).max(4);
    (0..count)
        .map(|number| {
            let own = draw.below(operators);
            let campaign = draw.below(4);
            let mut values: Vec<(&str, String)> = Vec::new();
            for _ in 0..2 {
                let which = draw.below(5);
                values.push(("endpoint", format!("c{own}-{campaign}-{which}.example")));
            }
            if draw.below(3) == 0 {
                values.push(("endpoint", format!("relay{}.example", draw.below(60))));
            }
            if draw.below(2) == 0 {
                values.push(("family", format!("family {own}")));
            } else {
                values.push(("family", format!("bought {}", draw.below(40))));
            }
            if draw.below(4) == 0 {
                values.push(("sample", format!("{own:08}{campaign:024}{:032}", draw.below(3))));
            }
            if draw.below(4) == 0 {
                values.push(("habit", format!("habit {own} {}", draw.below(2))));
            }
            for _ in 0..10 {
                // Each operator has its own forty of three hundred techniques.
                let technique = (own * 7 + draw.below(40) * draw.below(8)) % 300;
                values.push(("technique", format!("T{:04}", 1000 + technique)));
            }
            values.push(("sector", format!("sector {}", (own + draw.below(3)) % 14)));
            values.push(("country", format!("country {}", (own + draw.below(4)) % 30)));
            (incident(number, &values), format!("operator {own}"))
        })
        .unzip()
}

fn incident(number: usize, values: &[(&str, String)]) -> Incident {
    let items = values.iter().map(|(kind, value)| Item {
        kind: (*kind).to_owned(),
        value: value.clone(),
        root: String::new(),
        source: Source::own("generator"),
    });
    let id = format!("incident {number:07}");
    Incident { id, items: items.collect(), ..Incident::default() }.normal()
}
