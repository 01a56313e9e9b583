//! Flow logs among the evidence, run through the flow engine: findings and tables.

mod finding;
mod input;
mod table;

use std::path::Path;

use makyo_base::{Finding, Object, Organisation};
use makyo_case::Case;
use makyo_collect::Collection;
use makyo_detect::{Indicator, IndicatorValue, Weights};
use makyo_flow::{AddressLists, Listed, Options, Results, Scope, analyse};

pub(crate) use table::TABLES;

/// What the engine found in a case.
#[derive(Debug)]
pub(crate) struct Flows {
    results: Results,
}

/// What steers it.
pub(crate) struct Steering<'a> {
    pub(crate) organisation: &'a Organisation,
    pub(crate) indicators: &'a [Indicator],
    pub(crate) lists: &'a AddressLists,
    pub(crate) threads: usize,
}

impl Flows {
    /// Reads the flow logs of a collection once more, and the flows of other sources from the
    /// case's events.
    pub(crate) fn of(
        case: &Case,
        collection: &Collection,
        steering: &Steering<'_>,
        spool: &Path,
    ) -> anyhow::Result<Self> {
        let network = &steering.organisation.network;
        let options = Options {
            scope: Scope {
                internal: network.internal.clone(),
                egress: network.egress.clone(),
                pools: network.vpn_pools.clone(),
                appliances: network.appliances.clone(),
                scanners: network.scanners.clone(),
            },
            listed: listed(steering.indicators),
            lists: steering.lists.clone(),
            threads: steering.threads,
            folder: spool.to_owned(),
            ..Options::default()
        };
        let texts = input::texts(collection);
        let taken: Vec<String> = texts.iter().map(|one| one.name().to_owned()).collect();
        let mut inputs = texts;
        inputs.extend(input::records(case, &taken)?);
        let mut results = analyse(inputs, &options)?;
        if !results.refused.is_empty() {
            // Their records are not one a line; decoding knows their numbers.
            let taken: Vec<String> =
                taken.into_iter().filter(|name| !results.refused.contains(name)).collect();
            let mut inputs: Vec<_> = input::texts(collection)
                .into_iter()
                .filter(|one| taken.iter().any(|name| name == one.name()))
                .collect();
            inputs.extend(input::records(case, &taken)?);
            results = analyse(inputs, &options)?;
        }
        Ok(Flows { results })
    }

    pub(crate) fn findings(&self, weights: &Weights) -> Vec<Finding> {
        finding::findings(&self.results, weights)
    }

    /// The rows of one of [`TABLES`].
    pub(crate) fn rows(&self, name: &str) -> Vec<Object<'static>> {
        table::rows(&self.results, name)
    }
}

/// Addresses and networks among the indicators.
fn listed(indicators: &[Indicator]) -> Vec<Listed> {
    let mut found = Vec::new();
    for one in indicators.iter().filter(|one| !one.shared) {
        let words = || one.labels.iter().chain([&one.title]);
        let is_botnet = words().any(|word| word.to_lowercase().contains("botnet"));
        for value in &one.values {
            let net = match value {
                IndicatorValue::Address(address) => (*address).into(),
                IndicatorValue::Network(net) => *net,
                _ => continue,
            };
            let name = if one.title.is_empty() { one.id.clone() } else { one.title.clone() };
            found.push(Listed { net, from: one.from, until: one.until, name, is_botnet });
        }
    }
    found
}
