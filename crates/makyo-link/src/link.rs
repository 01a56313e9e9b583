//! Campaigns: which incidents are one hand's, by what evidence, and what would break it.
//!
//! The partition says what is most probable. What is *published* must hold against an objection:
//! a member must share at least two independent things with the rest of its campaign that are
//! neither targets nor methods, one of them specific; among few incidents, both. One artefact is
//! enough where all the rest of the incident fits what the published members show together. Who
//! meets less is named with weaker words and not linked.

mod evidence;
mod groups;
mod rule;

use std::collections::{BTreeMap, BTreeSet};

use makyo_base::short_id;

use crate::cluster::{Partition, cluster};
use crate::corpus::Corpus;
use crate::incident::{Class, Incident};
use crate::profile::Profile;
use crate::weights::Weights;

pub use evidence::LinkEvidence;
use rule::Part;

/// A value that more published groups share is not told pair by pair.
const RELATED_GROUPS_MAX: usize = 8;
/// Pairs of groups that are related and not linked are told up to this number.
const RELATED_MAX: usize = 1_000;

/// Two incidents of one campaign.
#[derive(Clone, PartialEq, Debug)]
pub struct Link {
    /// The two, by id, in order.
    pub pair: (String, String),
    /// Sum over the evidence, in decibans.
    pub weight_db: f64,
    /// For and against.
    pub evidence: Vec<LinkEvidence>,
    /// Items each of which, if false, takes this link away.
    pub breaks: Vec<String>,
    /// Whether one of the two shares one artefact with the other, and the rest of the evidence is
    /// what it shares with the campaign as a whole.
    pub is_through_profile: bool,
}

/// Incidents of one hand.
#[derive(Clone, PartialEq, Debug)]
pub struct Campaign {
    /// Derived from its incidents.
    pub id: String,
    /// Ids, sorted.
    pub incidents: Vec<String>,
    /// Ids of incidents that are most probably of the same hand, and share too little beside
    /// targets and methods to be called linked. They count as unlinked.
    pub possible: Vec<String>,
    /// First and last activity.
    pub time: Option<(i64, i64)>,
    /// Links that hold it together, one fewer than it has incidents.
    pub links: Vec<Link>,
    /// Items each of which, if false, splits it.
    pub bridges: Vec<String>,
}

/// How two incidents stand that are not linked.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Relation {
    /// One artefact that few can have by chance, and nothing that confirms it.
    OneArtefact,
    /// The same code family, which others may have bought or stolen.
    SameFamily,
    /// They look alike in what was wanted and done, and in nothing else.
    SoftOnly,
}

impl Relation {
    /// The words.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Relation::OneArtefact => "possibly linked (one specific artefact)",
            Relation::SameFamily => "same malware family, not linked",
            Relation::SoftOnly => "not linked (only targets and methods are alike)",
        }
    }
}

/// Two incidents that are related and not linked.
#[derive(Clone, PartialEq, Debug)]
pub struct Related {
    /// The two, by id, in order.
    pub pair: (String, String),
    /// How.
    pub relation: Relation,
    /// For and against.
    pub evidence: Vec<LinkEvidence>,
}

/// The result.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Linkage {
    /// Largest first.
    pub campaigns: Vec<Campaign>,
    /// Ids of incidents in no campaign.
    pub unlinked: Vec<String>,
    /// Pairs that share something and are not linked.
    pub related: Vec<Related>,
}

/// Links incidents. The order in which they are given does not matter.
#[must_use]
pub fn link(incidents: &[Incident], weights: &Weights, threads: usize) -> Linkage {
    let incidents = groups::one_witness_for_each_root(&groups::in_order(incidents));
    let corpus = Corpus::new(&incidents, weights);
    let partition = cluster(&corpus, weights, threads);
    let mut sets_with = vec![0; corpus.kind_of.len()];
    for (value, _) in partition.profiles.iter().flat_map(|profile| &profile.counts) {
        if let Some(count) = sets_with.get_mut(*value as usize) {
            *count += 1;
        }
    }
    let linking = Linking {
        incidents: &incidents,
        corpus: &corpus,
        weights,
        partition: &partition,
        sets_with,
    };
    linking.publish()
}

struct Linking<'a> {
    incidents: &'a [Incident],
    corpus: &'a Corpus,
    weights: &'a Weights,
    partition: &'a Partition,
    /// For each value how many sets of the partition show it.
    sets_with: Vec<usize>,
}

impl Linking<'_> {
    fn publish(&self) -> Linkage {
        let mut sets: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (incident, set) in self.partition.set_of.iter().enumerate() {
            sets.entry(*set).or_default().push(incident);
        }
        let mut linkage = Linkage::default();
        let mut group_of: Vec<usize> = (0..self.incidents.len()).collect();
        for members in sets.values().filter(|members| members.len() > 1) {
            let none = BTreeSet::new();
            let mut parts: Vec<Part> = self
                .pieces(self.supported(members, &none))
                .iter()
                .flat_map(|piece| self.connected(piece))
                .collect();
            let is_in = |parts: &[Part], one: usize| parts.iter().any(|p| p.members.contains(&one));
            let mut rest: Vec<usize> = members.clone();
            rest.retain(|one| !is_in(&parts, *one));
            if self.is_measured() {
                self.through_profiles(&mut parts, &rest);
            }
            rest.retain(|one| !is_in(&parts, *one));
            let largest = parts.iter().map(|part| part.members.len()).max();
            for part in parts {
                let Some(first) = part.members.first().copied() else { continue };
                for member in &part.members {
                    if let Some(place) = group_of.get_mut(*member) {
                        *place = first;
                    }
                }
                let mut campaign = self.campaign(&part);
                if largest == Some(part.members.len()) {
                    campaign.possible =
                        std::mem::take(&mut rest).into_iter().map(|one| self.id(one)).collect();
                }
                linkage.campaigns.push(campaign);
            }
        }
        linkage.campaigns.sort_by(|a, b| {
            b.incidents.len().cmp(&a.incidents.len()).then_with(|| a.incidents.cmp(&b.incidents))
        });
        let linked: BTreeSet<&str> = linkage
            .campaigns
            .iter()
            .flat_map(|campaign| campaign.incidents.iter().map(String::as_str))
            .collect();
        linkage.unlinked = self
            .incidents
            .iter()
            .filter(|incident| !linked.contains(incident.id.as_str()))
            .map(|incident| incident.id.clone())
            .collect();
        linkage.related = self.related(&group_of);
        linkage
    }

    fn class(&self, value: u32) -> Option<(Class, bool)> {
        let kind = self.corpus.kind_of.get(value as usize).copied().map(usize::from)?;
        self.weights.kinds.get(kind).map(|kind| (kind.class, kind.is_specific))
    }

    fn values(&self, incident: usize) -> &[u32] {
        self.corpus.members.get(incident).map(Vec::as_slice).unwrap_or_default()
    }

    fn single(&self, incident: usize) -> Profile {
        let hour = self.corpus.hours.get(incident).copied().flatten();
        Profile::one(self.values(incident), hour, &self.corpus.kind_of, self.weights.kinds.len())
    }

    fn evidence(&self, pair: (usize, usize)) -> Vec<LinkEvidence> {
        evidence::of_pair(
            &self.single(pair.0),
            &self.single(pair.1),
            self.corpus,
            &self.partition.prevalence,
            self.weights,
        )
    }

    fn weigh(&self, pair: (usize, usize)) -> f64 {
        crate::profile::decibans(crate::cluster::weigh(
            &self.single(pair.0),
            &self.single(pair.1),
            &self.partition.prevalence,
            self.weights,
        ))
    }

    fn id(&self, incident: usize) -> String {
        self.incidents.get(incident).map(|one| one.id.clone()).unwrap_or_default()
    }

    fn link(
        &self,
        pair: (usize, usize),
        evidence: Vec<LinkEvidence>,
        breaks: Vec<String>,
        is_through_profile: bool,
    ) -> Link {
        let sum: f64 = evidence.iter().map(|one| one.weight_db).sum();
        let mut ids = [self.id(pair.0), self.id(pair.1)];
        ids.sort();
        let [a, b] = ids;
        let weight_db = evidence::tenths(sum);
        Link { pair: (a, b), weight_db, evidence, breaks, is_through_profile }
    }

    fn campaign(&self, part: &Part) -> Campaign {
        let members = part.members.as_slice();
        let incidents: Vec<String> = members.iter().map(|member| self.id(*member)).collect();
        let mut links: Vec<Link> = part
            .edges
            .iter()
            .map(|pair| {
                let evidence = self.evidence(*pair);
                let hard: Vec<&LinkEvidence> = evidence
                    .iter()
                    .filter(|one| one.is_shared && self.counts(one.class, one.is_specific))
                    .collect();
                let breaks = match hard.as_slice() {
                    // With two, each is needed; with one, the rest of the campaign stands for it.
                    [_] | [_, _] => hard.iter().map(|one| one.item.clone()).collect(),
                    _ => Vec::new(),
                };
                self.link(*pair, evidence, breaks, false)
            })
            .collect();
        for one in &part.through {
            let Some(core) = &part.core else { continue };
            let evidence = evidence::of_pair(
                &self.single(one.pair.0),
                core,
                self.corpus,
                &self.partition.prevalence,
                self.weights,
            );
            links.push(self.link(one.pair, evidence, vec![self.name(one.artefact)], true));
        }
        links.sort_by(|a, b| a.pair.cmp(&b.pair));
        let times = members.iter().filter_map(|one| self.incidents.get(*one)?.time);
        let start = times.clone().map(|time| time.0).min();
        let texts: Vec<&str> = incidents.iter().map(String::as_str).collect();
        Campaign {
            id: short_id("campaign", &texts),
            time: start.zip(times.map(|time| time.1).max()),
            links,
            possible: Vec::new(),
            bridges: self.bridges(members),
            incidents,
        }
    }

    /// Items without which the campaign falls apart, because nothing else beside targets and methods
    /// ties its parts.
    fn bridges(&self, members: &[usize]) -> Vec<String> {
        let sharers: Vec<(u32, Vec<usize>)> =
            self.sharers(members, true).into_iter().filter(|entry| entry.1.len() > 1).collect();
        groups::cut_values(members, &sharers).into_iter().map(|value| self.name(value)).collect()
    }

    fn name(&self, value: u32) -> String {
        let name = self.corpus.names.get(value as usize);
        name.map(|(kind, value)| format!("{kind} {value}")).unwrap_or_default()
    }

    /// Pairs of incidents in different groups that share an artefact or a family, the strongest pair
    /// for each two groups.
    fn related(&self, group_of: &[usize]) -> Vec<Related> {
        let all: Vec<usize> = (0..self.incidents.len()).collect();
        let mut best: BTreeMap<(usize, usize), (f64, (usize, usize))> = BTreeMap::new();
        for sharers in self.sharers(&all, false).values() {
            let mut heads: BTreeMap<usize, usize> = BTreeMap::new();
            for incident in sharers {
                let group = group_of.get(*incident).copied().unwrap_or(*incident);
                heads.entry(group).or_insert(*incident);
            }
            if heads.len() > RELATED_GROUPS_MAX {
                continue;
            }
            let heads: Vec<(usize, usize)> = heads.into_iter().collect();
            for (at, (group, a)) in heads.iter().enumerate() {
                for (other, b) in heads.iter().skip(at + 1) {
                    let pair = (*a.min(b), *a.max(b));
                    let weight = self.weigh(pair);
                    let place = best.entry((*group, *other)).or_insert((weight, pair));
                    if weight > place.0 {
                        *place = (weight, pair);
                    }
                }
            }
        }
        let mut found: Vec<(f64, (usize, usize))> = best.into_values().collect();
        found.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        found.truncate(RELATED_MAX);
        let mut related: Vec<Related> =
            found.into_iter().map(|(_, pair)| self.relate(pair)).collect();
        related.sort_by(|a, b| (a.relation, &a.pair).cmp(&(b.relation, &b.pair)));
        related
    }

    fn relate(&self, pair: (usize, usize)) -> Related {
        let evidence = self.evidence(pair);
        let shares = |specific: bool| {
            evidence
                .iter()
                .any(|one| one.is_shared && !one.class.is_soft() && one.is_specific == specific)
        };
        let relation = if shares(true) {
            Relation::OneArtefact
        } else if shares(false) {
            Relation::SameFamily
        } else {
            Relation::SoftOnly
        };
        Related { pair: (self.id(pair.0), self.id(pair.1)), relation, evidence }
    }
}
