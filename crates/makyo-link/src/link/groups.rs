//! Order, roots and components.

use std::collections::BTreeMap;

use crate::incident::Incident;

/// Incidents by id; what is told twice under one id is one incident.
pub(super) fn in_order(incidents: &[Incident]) -> Vec<Incident> {
    let mut by_id: BTreeMap<&str, Vec<&Incident>> = BTreeMap::new();
    for incident in incidents {
        by_id.entry(&incident.id).or_default().push(incident);
    }
    by_id
        .into_iter()
        .map(|(id, same)| {
            let times = same.iter().filter_map(|one| one.time);
            let start = times.clone().map(|time| time.0).min();
            let hours = same.iter().filter_map(|one| one.working_hour);
            Incident {
                id: id.to_owned(),
                time: start.zip(times.map(|time| time.1).max()),
                items: same.iter().flat_map(|one| one.items.iter().cloned()).collect(),
                working_hour: hours.min_by(f64::total_cmp),
            }
            .normal()
        })
        .collect()
}

/// Of items with one root one counts: the rarest that another incident shows too, else the first.
pub(super) fn one_witness_for_each_root(incidents: &[Incident]) -> Vec<Incident> {
    let mut shown: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for item in incidents.iter().flat_map(|incident| &incident.items) {
        *shown.entry((&item.kind, &item.value)).or_default() += 1;
    }
    let times = |kind: &str, value: &str| shown.get(&(kind, value)).copied().unwrap_or_default();
    incidents
        .iter()
        .map(|incident| {
            let mut best: BTreeMap<&str, (bool, usize, usize)> = BTreeMap::new();
            for (at, item) in incident.items.iter().enumerate().filter(|one| !one.1.root.is_empty())
            {
                let count = times(&item.kind, &item.value);
                let own = (count < 2, count, at);
                let place = best.entry(&item.root).or_insert(own);
                *place = (*place).min(own);
            }
            let items = incident.items.iter().enumerate();
            let kept = items.filter(|(at, item)| {
                best.get(item.root.as_str()).is_none_or(|chosen| chosen.2 == *at)
            });
            Incident { items: kept.map(|(_, item)| item.clone()).collect(), ..incident.clone() }
        })
        .collect()
}

/// Union-find over some of the incidents.
#[derive(Debug)]
pub(super) struct Forest {
    parent: BTreeMap<usize, usize>,
}

impl Forest {
    pub(super) fn new(members: &[usize]) -> Self {
        Forest { parent: members.iter().map(|member| (*member, *member)).collect() }
    }

    /// The least member of the same component.
    pub(super) fn root(&self, of: usize) -> usize {
        let mut at = of;
        while let Some(up) = self.parent.get(&at).copied().filter(|up| *up != at) {
            at = up;
        }
        at
    }

    /// Joins two components; says whether they were two.
    pub(super) fn join(&mut self, a: usize, b: usize) -> bool {
        let (a, b) = (self.root(a), self.root(b));
        if a == b {
            return false;
        }
        self.parent.insert(a.max(b), a.min(b));
        // Path halving is left out: the trees stay shallow because roots are least members.
        true
    }
}

/// Values without which the members fall apart: the articulation points of the graph of members and
/// values that lie on the side of the values (Tarjan 1972), without recursion.
pub(super) fn cut_values(members: &[usize], sharers: &[(u32, Vec<usize>)]) -> Vec<u32> {
    let place: BTreeMap<usize, usize> =
        members.iter().enumerate().map(|(place, member)| (*member, place)).collect();
    let size = members.len() + sharers.len();
    let mut next: Vec<Vec<usize>> = vec![Vec::new(); size];
    for (number, (_, among)) in sharers.iter().enumerate() {
        for member in among.iter().filter_map(|member| place.get(member).copied()) {
            let value = members.len() + number;
            for (a, b) in [(member, value), (value, member)] {
                if let Some(list) = next.get_mut(a) {
                    list.push(b);
                }
            }
        }
    }
    // Order of discovery and the lowest that each reaches; 0 is not yet found. The walk starts at a
    // member, so that the root, for which another rule holds, is never a value.
    let mut order = vec![0_usize; size];
    let mut low = vec![0_usize; size];
    let mut is_cut = vec![false; size];
    let mut found = 0;
    for start in 0..members.len() {
        if order.get(start) != Some(&0) {
            continue;
        }
        let mut walk: Vec<(usize, usize, usize)> = vec![(start, usize::MAX, 0)];
        while let Some((at, from, step)) = walk.pop() {
            if step == 0 {
                found += 1;
                set(&mut order, at, found);
                set(&mut low, at, found);
            }
            match next.get(at).and_then(|list| list.get(step)).copied() {
                Some(to) => {
                    walk.push((at, from, step + 1));
                    if get(&order, to) == 0 {
                        walk.push((to, at, 0));
                    } else if to != from {
                        let least = get(&low, at).min(get(&order, to));
                        set(&mut low, at, least);
                    }
                }
                None if from != usize::MAX => {
                    let least = get(&low, from).min(get(&low, at));
                    set(&mut low, from, least);
                    if get(&low, at) >= get(&order, from)
                        && from >= members.len()
                        && let Some(flag) = is_cut.get_mut(from)
                    {
                        *flag = true;
                    }
                }
                None => {}
            }
        }
    }
    let values = sharers.iter().zip(is_cut.iter().skip(members.len()));
    values.filter(|entry| *entry.1).map(|entry| entry.0.0).collect()
}

fn get(list: &[usize], at: usize) -> usize {
    list.get(at).copied().unwrap_or_default()
}

fn set(list: &mut [usize], at: usize, value: usize) {
    if let Some(place) = list.get_mut(at) {
        *place = value;
    }
}
