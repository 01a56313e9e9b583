//! What may be published of a set: who shares enough, what holds members together, and who comes in
//! through the profile of the others.

use std::collections::{BTreeMap, BTreeSet};

use super::{Linking, groups};
use crate::incident::Class;
use crate::profile::{Profile, decibans};

/// A value that more sets of the partition show is a relay, a host or a bought tool.
const STRANGERS_MAX: usize = 3;

/// What is published of a set.
#[derive(Default)]
pub(super) struct Part {
    /// Positions, ascending.
    pub(super) members: Vec<usize>,
    /// Pairs that hold those together that are published by themselves.
    pub(super) edges: Vec<(usize, usize)>,
    /// Who came in by the profile of the others.
    pub(super) through: Vec<Through>,
    /// That profile.
    pub(super) core: Option<Profile>,
}

/// An incident that shares one artefact with a campaign and fits the rest of it.
pub(super) struct Through {
    /// The incident, and who of the campaign shows the artefact.
    pub(super) pair: (usize, usize),
    pub(super) artefact: u32,
}

/// An edge between two incidents of a set: positions, weight in decibans.
struct Edge {
    pair: (usize, usize),
    weight_db: f64,
}

impl Linking<'_> {
    /// Members that share enough with the rest, taken away until all have it. What is `common` among
    /// strangers does not count.
    pub(super) fn supported(&self, members: &[usize], common: &BTreeSet<u32>) -> Vec<usize> {
        let mut kept = members.to_vec();
        loop {
            let mut shown: BTreeMap<u32, u32> = BTreeMap::new();
            for value in kept.iter().flat_map(|member| self.values(*member)) {
                *shown.entry(*value).or_default() += 1;
            }
            let before = kept.len();
            kept.retain(|member| {
                let shared =
                    self.values(*member).iter().filter(|value| shown.get(value) > Some(&1));
                self.is_enough(shared.copied().filter(|value| !common.contains(value)))
            });
            if kept.len() == before {
                return kept;
            }
        }
    }

    /// Whether strangers do not show it too.
    fn is_own(&self, value: u32) -> bool {
        self.sets_with.get(value as usize).is_some_and(|sets| *sets <= STRANGERS_MAX)
    }

    /// Two independent things beside targets and methods, one of them specific, that strangers do not
    /// show too. Items with one root were made one before.
    fn is_enough(&self, shared: impl Iterator<Item = u32>) -> bool {
        let hard: Vec<bool> = shared
            .filter(|value| self.is_own(*value))
            .filter_map(|value| self.class(value))
            .filter(|(class, is_specific)| self.counts(*class, *is_specific))
            .map(|(_, is_specific)| is_specific)
            .collect();
        hard.len() >= 2 && hard.contains(&true)
    }

    /// Whether sharing something of a class is evidence of one hand. What is not specific, such as
    /// a family, counts only where enough incidents show how many have it.
    pub(super) fn counts(&self, class: Class, is_specific: bool) -> bool {
        !class.is_soft() && (is_specific || self.is_measured())
    }

    /// Whether there are enough incidents to know how common things are.
    pub(super) fn is_measured(&self) -> bool {
        self.incidents.len() as f64 >= self.weights.link.few_incidents
    }

    /// Among few incidents nothing tells a relay from an intruder's own address but that it alone
    /// ties what else has nothing in common: there, a set falls into the pieces that are left without
    /// such values, and each piece must have enough of its own.
    pub(super) fn pieces(&self, members: Vec<usize>) -> Vec<Vec<usize>> {
        if self.is_measured() || members.len() < 3 {
            return vec![members];
        }
        let sharers: Vec<(u32, Vec<usize>)> =
            self.sharers(&members, true).into_iter().filter(|entry| entry.1.len() > 1).collect();
        let cuts: BTreeSet<u32> = groups::cut_values(&members, &sharers).into_iter().collect();
        let mut forest = groups::Forest::new(&members);
        for (_, among) in sharers.iter().filter(|entry| !cuts.contains(&entry.0)) {
            for pair in among.windows(2) {
                if let [a, b] = pair {
                    forest.join(*a, *b);
                }
            }
        }
        let mut found: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for member in &members {
            found.entry(forest.root(*member)).or_default().push(*member);
        }
        if found.len() < 2 {
            return vec![members];
        }
        let is_common = |among: &[usize]| {
            let roots: BTreeSet<usize> = among.iter().map(|one| forest.root(*one)).collect();
            roots.len() > STRANGERS_MAX
        };
        let common: BTreeSet<u32> = sharers
            .iter()
            .filter(|entry| cuts.contains(&entry.0) && is_common(&entry.1))
            .map(|entry| entry.0)
            .collect();
        let pieces = found.into_values().map(|piece| self.supported(&piece, &common));
        pieces.filter(|piece| piece.len() > 1).flat_map(|piece| self.pieces(piece)).collect()
    }

    /// The strongest links that hold members together, by component. What strangers show too holds
    /// nothing together.
    pub(super) fn connected(&self, members: &[usize]) -> Vec<Part> {
        let mut edges: Vec<Edge> = self
            .pairs_by_hard_values(members)
            .into_iter()
            .map(|pair| Edge { pair, weight_db: self.weigh(pair) })
            .collect();
        edges.sort_by(|a, b| b.weight_db.total_cmp(&a.weight_db).then(a.pair.cmp(&b.pair)));
        let mut forest = groups::Forest::new(members);
        edges.retain(|edge| forest.join(edge.pair.0, edge.pair.1));
        let mut parts: BTreeMap<usize, Part> = BTreeMap::new();
        for member in members {
            parts.entry(forest.root(*member)).or_default().members.push(*member);
        }
        for edge in edges {
            parts.entry(forest.root(edge.pair.0)).or_default().edges.push(edge.pair);
        }
        parts.into_values().filter(|part| part.members.len() > 1).collect()
    }

    /// Takes in who shares one artefact with a published campaign and fits the rest of what the
    /// campaign shows so well that chance or imitation is no explanation. Only those who are
    /// published by the strict rule are a measure, so that none comes in through another such.
    pub(super) fn through_profiles(&self, parts: &mut [Part], rest: &[usize]) {
        let cores: Vec<(Profile, BTreeMap<u32, usize>)> =
            parts.iter().map(|part| self.core(&part.members)).collect();
        for member in rest {
            let found = cores
                .iter()
                .enumerate()
                .filter_map(|(at, core)| Some((at, self.through(*member, core)?)))
                .max_by(|a, b| a.1.1.total_cmp(&b.1.1).then(b.0.cmp(&a.0)));
            let Some((at, (artefact, _))) = found else { continue };
            let shower = cores.get(at).and_then(|core| core.1.get(&artefact)).copied();
            if let (Some(part), Some(shower)) = (parts.get_mut(at), shower) {
                part.through.push(Through { pair: (*member, shower), artefact });
            }
        }
        for (part, core) in parts.iter_mut().zip(cores) {
            part.members.extend(part.through.iter().map(|one| one.pair.0));
            part.members.sort_unstable();
            part.core = Some(core.0);
        }
    }

    /// What the members of a campaign show together, and who shows each artefact of its own first.
    fn core(&self, members: &[usize]) -> (Profile, BTreeMap<u32, usize>) {
        let mut profile = Profile::default();
        let mut artefacts = BTreeMap::new();
        for member in members {
            profile.add(&self.single(*member));
            for value in self.values(*member) {
                let is_specific = self.class(*value).is_some_and(|(class, is_specific)| {
                    is_specific && self.counts(class, is_specific)
                });
                if is_specific && self.is_own(*value) {
                    artefacts.entry(*value).or_insert(*member);
                }
            }
        }
        (profile, artefacts)
    }

    /// The artefact through which an incident comes in, and decibans of all the rest.
    fn through(
        &self,
        member: usize,
        (profile, artefacts): &(Profile, BTreeMap<u32, usize>),
    ) -> Option<(u32, f64)> {
        let shared = self.values(member).iter().filter(|value| artefacts.contains_key(value));
        let rarest = shared.copied().max_by(|a, b| {
            let surprise = |value: u32| self.partition.prevalence.surprise(value);
            surprise(*a).total_cmp(&surprise(*b)).then(b.cmp(a))
        })?;
        let rest: Vec<u32> =
            self.values(member).iter().copied().filter(|value| *value != rarest).collect();
        let hour = self.corpus.hours.get(member).copied().flatten();
        let kinds = self.weights.kinds.len();
        let single = Profile::one(&rest, hour, &self.corpus.kind_of, kinds);
        let nats =
            crate::cluster::weigh(&single, profile, &self.partition.prevalence, self.weights);
        let weight = decibans(nats);
        (weight >= self.weights.link.member_db).then_some((rarest, weight))
    }

    /// Pairs that share a value beside targets and methods: for each value a chain through its
    /// members, so that the number grows with the items and not with the pairs, and all pairs where
    /// few share it.
    fn pairs_by_hard_values(&self, members: &[usize]) -> BTreeSet<(usize, usize)> {
        let mut pairs = BTreeSet::new();
        for sharers in self.sharers(members, true).values() {
            for (at, first) in sharers.iter().enumerate() {
                let reach = if sharers.len() <= 12 { sharers.len() } else { 3 };
                for second in sharers.iter().skip(at + 1).take(reach) {
                    pairs.insert((*first, *second));
                }
            }
        }
        pairs
    }

    /// Who shows each value beside targets and methods; only what counts for a link, or all.
    pub(super) fn sharers(
        &self,
        members: &[usize],
        only_counting: bool,
    ) -> BTreeMap<u32, Vec<usize>> {
        let mut sharers: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
        for member in members {
            for value in self.values(*member) {
                let Some((class, is_specific)) = self.class(*value) else { continue };
                let is_counting = self.counts(class, is_specific) && self.is_own(*value);
                if !class.is_soft() && (is_counting || !only_counting) {
                    sharers.entry(*value).or_default().push(*member);
                }
            }
        }
        sharers
    }
}
