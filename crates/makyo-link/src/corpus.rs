//! Incidents as numbers: every kind and value once, in an order that does not depend on the input.

use std::collections::BTreeMap;

use crate::incident::Incident;
use crate::weights::Weights;

/// Incidents by numbers, in the order of their ids.
#[derive(Clone, Debug)]
pub struct Corpus {
    /// For each incident its values, ascending.
    pub members: Vec<Vec<u32>>,
    /// For each incident its working hour.
    pub hours: Vec<Option<f64>>,
    /// For each value its kind; ascending, because values are numbered by kind first.
    pub kind_of: Vec<u8>,
    /// For each value its kind and text.
    pub names: Vec<(String, String)>,
}

impl Corpus {
    /// Numbers the values of incidents. Items of kinds that the weights do not know are left out.
    #[must_use]
    pub fn new(incidents: &[Incident], weights: &Weights) -> Self {
        let mut numbers: BTreeMap<(usize, &str), u32> = BTreeMap::new();
        let known = |incident: &'_ Incident| -> Vec<(usize, usize)> {
            let items = incident.items.iter().enumerate();
            items.filter_map(|(at, item)| Some((weights.position(&item.kind)?, at))).collect()
        };
        for incident in incidents {
            for (kind, at) in known(incident) {
                if let Some(item) = incident.items.get(at) {
                    numbers.insert((kind, item.value.as_str()), 0);
                }
            }
        }
        let mut kind_of = Vec::with_capacity(numbers.len());
        let mut names = Vec::with_capacity(numbers.len());
        for (number, (key, place)) in numbers.iter_mut().enumerate() {
            *place = u32::try_from(number).unwrap_or(u32::MAX);
            kind_of.push(u8::try_from(key.0).unwrap_or(u8::MAX));
            let kind = weights.kinds.get(key.0).map(|kind| kind.name.clone());
            names.push((kind.unwrap_or_default(), key.1.to_owned()));
        }
        let members = incidents
            .iter()
            .map(|incident| {
                let mut values: Vec<u32> = known(incident)
                    .into_iter()
                    .filter_map(|(kind, at)| {
                        numbers.get(&(kind, incident.items.get(at)?.value.as_str())).copied()
                    })
                    .collect();
                values.sort_unstable();
                values.dedup();
                values
            })
            .collect();
        let hours = incidents.iter().map(|incident| incident.working_hour).collect();
        Corpus { members, hours, kind_of, names }
    }
}
