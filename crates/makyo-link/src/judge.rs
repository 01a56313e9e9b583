//! The judgement: hypotheses with probabilities, what caps them, and what would change them.
//!
//! Three things are kept apart. Whether incidents belong together is a matter of
//! [`crate::link`]. Which group acted is judged here, as an open question: "a group that the
//! knowledge does not have" and "somebody who imitates the leading group" are hypotheses like the
//! others. For whom a group works is not judged at all.

mod cap;
mod sentences;

use std::collections::{BTreeMap, BTreeSet};

use crate::attribute::{Feature, Profiles, Scores, period};
use crate::incident::{Class, Incident};
use crate::knowledge::{Knowledge, known_groups};
use crate::profile::decibans;
use crate::weights::{AttributeWeights, Weights};
use crate::words::{Confidence, words};

pub use cap::Cap;

/// The name of the hypothesis that no known group acted.
pub const NONE: &str = "a group that the knowledge does not have";

/// So many groups are told besides the leader.
const GROUPS_MAX: usize = 5;
/// Groups below this are not told.
const GROUP_PROBABILITY_MIN: f64 = 0.01;
/// So many items are told for a hypothesis, and so many droppings.
const ITEMS_MAX: usize = 50;

/// One item for or against a hypothesis.
#[derive(Clone, PartialEq, Debug)]
pub struct HypothesisEvidence {
    /// What it says something about.
    pub class: Class,
    /// Kind and value.
    pub item: String,
    /// In decibans, against the background.
    pub weight_db: f64,
    /// Items of one root count once.
    pub independence_group: String,
    /// Who says so, with the Admiralty rating.
    pub source: String,
}

/// One explanation.
#[derive(Clone, PartialEq, Debug)]
pub struct Hypothesis {
    /// The group by its owner's name, or one of the two open hypotheses.
    pub name: String,
    /// Who owns the name, since when, other names.
    pub owner: Option<String>,
    /// As reported, after the cap.
    pub probability: f64,
    /// Interval over priors and over the loss of any one item.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
    /// Before the cap.
    pub model_probability: f64,
    /// Word of likelihood.
    pub words: &'static str,
    /// For and against.
    pub evidence: Vec<HypothesisEvidence>,
    /// Decibans by class: a row of the matrix of competing hypotheses.
    pub classes: Vec<(Class, f64)>,
}

/// What becomes of the answer without something.
#[derive(Clone, PartialEq, Debug)]
pub struct Sensitivity {
    /// What is taken to be false.
    pub drop: String,
    /// Which hypothesis then leads.
    pub leader: String,
    /// With which probability, capped as it then must be.
    pub probability: f64,
}

/// The whole.
#[derive(Clone, PartialEq, Debug)]
pub struct Judgement {
    /// Which incidents it is about.
    pub incidents: String,
    /// Most probable first.
    pub hypotheses: Vec<Hypothesis>,
    /// The rule that bounds it.
    pub cap: Cap,
    /// How much stands behind it.
    pub confidence: Confidence,
    /// Item by item, class by class, source by source.
    pub sensitivity: Vec<Sensitivity>,
    /// The text in English.
    pub en: String,
    /// The text in Japanese.
    pub ja: String,
}

/// One piece of evidence in the terms of the knowledge.
#[derive(Clone, PartialEq, Debug)]
struct Piece {
    feature: Feature,
    item: String,
    root: String,
    source: String,
    /// Whether who says so saw it.
    is_first_hand: bool,
}

/// Probabilities of one set of evidence.
struct Weighed {
    scores: Scores,
    groups: Vec<f64>,
    none: f64,
    imitation: f64,
    leader: Option<usize>,
}

struct Judge<'a> {
    knowledge: &'a Knowledge,
    profiles: &'a Profiles,
    numbers: &'a AttributeWeights,
}

/// Judges one incident, or one campaign whose evidence was put together.
#[must_use]
pub fn judge(incident: &Incident, knowledge: &Knowledge, weights: &Weights) -> Judgement {
    // What a group and its campaigns are known for together, and by which publications.
    let mut uses: BTreeMap<_, (usize, BTreeSet<&str>)> = BTreeMap::new();
    let known = known_groups(&knowledge.uses);
    let told = knowledge.uses.iter().enumerate();
    for (at, one) in told.filter(|entry| known.contains(entry.1.group.as_str())) {
        let place = uses.entry((one.group.as_str(), &one.feature)).or_insert((at, BTreeSet::new()));
        place.1.extend(one.citations.iter().map(String::as_str));
    }
    let profiles = Profiles::new(
        uses.values().filter_map(|(at, cited)| Some((knowledge.uses.get(*at)?, cited.len()))),
    )
    .with_software(
        knowledge
            .software_uses
            .iter()
            .filter(|one| one.feature.0 == "technique")
            .map(|one| (one.group.as_str(), one.feature.1.as_str())),
    )
    .with_years(years(knowledge).into_iter());
    let judge = Judge { knowledge, profiles: &profiles, numbers: &weights.attribute };
    let pieces = judge.pieces(incident, weights);
    judge.judgement(incident, &pieces)
}

/// Group and year, once for each publication.
fn years(knowledge: &Knowledge) -> Vec<(&str, i32)> {
    let cited: BTreeSet<(&str, &str)> = knowledge
        .uses
        .iter()
        .flat_map(|one| one.citations.iter().map(|cited| (one.group.as_str(), cited.as_str())))
        .collect();
    cited
        .into_iter()
        .filter_map(|(group, cited)| Some((group, year(knowledge.published.get(cited)?)?)))
        .collect()
}

fn year(date: &str) -> Option<i32> {
    date.get(..4)?.parse().ok()
}

impl Judge<'_> {
    /// Evidence that any group of the knowledge is known for; of one root the rarest counts.
    fn pieces(&self, incident: &Incident, weights: &Weights) -> Vec<Piece> {
        let mut best: BTreeMap<String, (f64, Piece)> = BTreeMap::new();
        for told in self.knowledge.features(incident) {
            let (root, source) = (told.root, told.source);
            let (kind, value) = told.key;
            let Some(at) = weights.position(&kind) else { continue };
            // Of what nobody knows anything about, nothing follows.
            if !self.profiles.knows(&kind) {
                continue;
            }
            let Some(class) = weights.kinds.get(at).map(|kind| kind.class) else { continue };
            let item = self.knowledge.software.get(&value).map_or_else(
                || format!("{kind} {value}"),
                |software| {
                    format!("{kind} {value} ({})", software.names.first().map_or("", |one| one))
                },
            );
            let key = (kind, value);
            let rarity = self.profiles.background(&key).0;
            let piece = Piece {
                feature: Feature { class, key },
                item,
                root: root.clone(),
                source: format!("{} ({}{})", source.name, source.reliability, source.credibility),
                is_first_hand: source.reliability == 'A',
            };
            let place = best.entry(root).or_insert_with(|| (rarity, piece.clone()));
            if rarity < place.0 {
                *place = (rarity, piece);
            }
        }
        let mut pieces: Vec<Piece> = best.into_values().map(|entry| entry.1).collect();
        pieces.extend(self.period(incident));
        pieces.sort_by(|a, b| (&a.feature, &a.root).cmp(&(&b.feature, &b.root)));
        pieces
    }

    /// The year of the incident, where the knowledge reaches it: groups come and go.
    fn period(&self, incident: &Incident) -> Option<Piece> {
        let year = year(&makyo_base::format_time(incident.time?.0))?;
        let last = self.knowledge.published.values().filter_map(|date| self::year(date)).max()?;
        (year <= last).then(|| Piece {
            feature: Feature { class: Class::Methods, key: period(year) },
            item: format!("active in {year}"),
            root: "period".to_owned(),
            source: "dates of publications".to_owned(),
            is_first_hand: false,
        })
    }

    fn weigh(&self, pieces: &[Piece], prior_none: f64, imitation: f64) -> Weighed {
        let features: Vec<Feature> = pieces.iter().map(|piece| piece.feature.clone()).collect();
        let scores = self.numbers.model.score(self.profiles, &features);
        let (mut groups, mut none) = scores.posterior(prior_none, &[]);
        let leader = (0..groups.len())
            .max_by(|a, b| at(&groups, *a).total_cmp(&at(&groups, *b)).then(b.cmp(a)));
        // An imitator shows what can be shown: class by class either the right thing or background.
        let mut fake = 0.0;
        if let Some(scored) = leader.and_then(|leader| scores.groups.get(leader)) {
            let nats: f64 = scored
                .classes
                .iter()
                .map(|(class, nats)| {
                    let chance = self.numbers.forgeable.get(class).copied().unwrap_or_default();
                    (chance * nats.min(50.0).exp() + 1.0 - chance).ln()
                })
                .sum();
            let own = leader.map_or(0.0, |leader| at(&groups, leader));
            fake = imitation * own * (nats - scored.total).exp();
        }
        let all = 1.0 + fake;
        groups.iter_mut().for_each(|share| *share /= all);
        none /= all;
        Weighed { scores, groups, none, imitation: fake / all, leader }
    }

    fn name(&self, group: usize) -> String {
        let id = self.profiles.groups.get(group).map(String::as_str).unwrap_or_default();
        let known = self.knowledge.groups.get(id);
        known.map_or_else(|| id.to_owned(), |group| format!("{} ({id})", group.name))
    }

    fn owner(&self, group: usize) -> Option<String> {
        let known = self.knowledge.groups.get(self.profiles.groups.get(group)?)?;
        let others = if known.aliases.is_empty() {
            String::new()
        } else {
            format!("; the owner lists as overlapping: {}", known.aliases.join(", "))
        };
        Some(format!("a name of {}, as of {}{others}", known.owner, known.date))
    }

    /// The leader of some evidence and its probability after the cap.
    fn lead(&self, pieces: &[Piece]) -> (String, f64) {
        let [_, prior, _] = self.numbers.prior_none;
        let [_, imitation, _] = self.numbers.imitation;
        let weighed = self.weigh(pieces, prior, imitation);
        let cap = cap::of(&weighed, pieces, self.numbers);
        let (share, none) = weighed.reported(cap.limit);
        match weighed.leader.filter(|_| share > none) {
            Some(leader) => (self.name(leader), share),
            None => (NONE.to_owned(), none),
        }
    }

    fn judgement(&self, incident: &Incident, pieces: &[Piece]) -> Judgement {
        let [_, prior, _] = self.numbers.prior_none;
        let [_, imitation, _] = self.numbers.imitation;
        let weighed = self.weigh(pieces, prior, imitation);
        let cap = cap::of(&weighed, pieces, self.numbers);
        let ranges = self.ranges(pieces, &weighed, cap.limit);
        let mut hypotheses = self.groups(pieces, &weighed, &cap, &ranges);
        hypotheses.push(self.open(NONE, weighed.reported(cap.limit).1, weighed.none, ranges.none));
        if let Some(leader) = weighed.leader.filter(|_| !pieces.is_empty()) {
            let name = format!("somebody who imitates {}", self.name(leader));
            let share = weighed.imitation;
            hypotheses.push(self.open(&name, share, share, ranges.imitation));
        }
        hypotheses.sort_by(|a, b| {
            b.probability.total_cmp(&a.probability).then_with(|| a.name.cmp(&b.name))
        });
        let sensitivity = self.sensitivity(pieces);
        let confidence = cap.confidence;
        let mut judgement = Judgement {
            incidents: incident.id.clone(),
            hypotheses,
            cap,
            confidence,
            sensitivity,
            en: String::new(),
            ja: String::new(),
        };
        judgement.en = sentences::english(&judgement, self.numbers);
        judgement.ja = sentences::japanese(&judgement, self.numbers);
        judgement
    }

    fn open(&self, name: &str, share: f64, model: f64, range: (f64, f64)) -> Hypothesis {
        Hypothesis {
            name: name.to_owned(),
            owner: None,
            probability: thousandths(share),
            low: thousandths(range.0.min(share)),
            high: thousandths(range.1.max(share)),
            model_probability: thousandths(model),
            words: words(share, false).en,
            evidence: Vec::new(),
            classes: Vec::new(),
        }
    }

    fn groups(
        &self,
        pieces: &[Piece],
        weighed: &Weighed,
        cap: &Cap,
        ranges: &Ranges,
    ) -> Vec<Hypothesis> {
        let mut order: Vec<usize> = (0..weighed.groups.len()).collect();
        order.sort_by(|a, b| {
            at(&weighed.groups, *b).total_cmp(&at(&weighed.groups, *a)).then(a.cmp(b))
        });
        order
            .into_iter()
            .take(GROUPS_MAX + 1)
            .enumerate()
            .filter(|(rank, group)| {
                *rank == 0 || at(&weighed.groups, *group) >= GROUP_PROBABILITY_MIN
            })
            .map(|(_, group)| {
                let model = at(&weighed.groups, group);
                let share = model.min(cap.limit);
                let range = ranges.groups.get(group).copied().unwrap_or((share, share));
                let scored = weighed.scores.groups.get(group);
                Hypothesis {
                    name: self.name(group),
                    owner: self.owner(group),
                    probability: thousandths(share),
                    low: thousandths(range.0.min(share)),
                    high: thousandths(range.1.max(share).min(cap.limit)),
                    model_probability: thousandths(model),
                    words: words(share, cap.limit <= 0.55).en,
                    evidence: evidence(pieces, scored.map(|scored| scored.items.as_slice())),
                    classes: scored
                        .map(|scored| {
                            let classes = scored.classes.iter();
                            classes.map(|(class, nats)| (*class, tenths(*nats))).collect()
                        })
                        .unwrap_or_default(),
                }
            })
            .collect()
    }

    /// What becomes of each hypothesis under other priors, and without any one root.
    fn ranges(&self, pieces: &[Piece], middle: &Weighed, limit: f64) -> Ranges {
        let mut ranges = Ranges {
            groups: middle.groups.iter().map(|share| (*share, *share)).collect(),
            none: (middle.none, middle.reported(limit).1),
            imitation: (middle.imitation, middle.imitation),
        };
        for prior in self.numbers.prior_none {
            for imitation in self.numbers.imitation {
                ranges.widen(&self.weigh(pieces, prior, imitation), middle.leader);
            }
        }
        let [_, prior, _] = self.numbers.prior_none;
        let [_, imitation, _] = self.numbers.imitation;
        for (_, rest) in droppings(pieces, |piece| piece.item.clone()) {
            ranges.widen(&self.weigh(&rest, prior, imitation), middle.leader);
        }
        ranges
    }

    fn sensitivity(&self, pieces: &[Piece]) -> Vec<Sensitivity> {
        let (_, now) = self.lead(pieces);
        let mut items: Vec<(f64, Sensitivity)> = Vec::new();
        let mut add = |drop: String, rest: &[Piece]| {
            let (leader, probability) = self.lead(rest);
            let told = Sensitivity { drop, leader, probability: thousandths(probability) };
            items.push(((probability - now).abs(), told));
        };
        for (item, rest) in droppings(pieces, |piece| piece.item.clone()) {
            add(item, &rest);
        }
        items.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.drop.cmp(&b.1.drop)));
        items.truncate(ITEMS_MAX);
        let mut found: Vec<Sensitivity> = items.into_iter().map(|entry| entry.1).collect();
        let mut more = |name: &str, key: &dyn Fn(&Piece) -> String| {
            for (dropped, rest) in droppings(pieces, key) {
                let (leader, probability) = self.lead(&rest);
                let drop = format!("{name}: {dropped}");
                found.push(Sensitivity { drop, leader, probability: thousandths(probability) });
            }
        };
        more("class", &|piece| piece.feature.class.word().to_owned());
        more("source", &|piece| piece.source.clone());
        found
    }
}

/// Lowest and highest probabilities.
struct Ranges {
    groups: Vec<(f64, f64)>,
    none: (f64, f64),
    imitation: (f64, f64),
}

impl Ranges {
    fn widen(&mut self, other: &Weighed, leader: Option<usize>) {
        for (range, share) in self.groups.iter_mut().zip(&other.groups) {
            *range = (range.0.min(*share), range.1.max(*share));
        }
        self.none = (self.none.0.min(other.none), self.none.1.max(other.none));
        if other.leader == leader {
            self.imitation =
                (self.imitation.0.min(other.imitation), self.imitation.1.max(other.imitation));
        }
    }
}

impl Weighed {
    /// Probability of the leader and of none of the known groups as they are reported: what the cap
    /// takes from a group is said to be open.
    fn reported(&self, limit: f64) -> (f64, f64) {
        let leader = self.leader.map_or(0.0, |leader| at(&self.groups, leader));
        let told = leader.min(limit);
        (told, self.none + leader - told)
    }
}

/// The evidence without each of its parts in turn.
fn droppings(pieces: &[Piece], key: impl Fn(&Piece) -> String) -> Vec<(String, Vec<Piece>)> {
    let keys: BTreeSet<String> = pieces.iter().map(&key).collect();
    keys.into_iter()
        .map(|dropped| {
            let rest = pieces.iter().filter(|piece| key(piece) != dropped).cloned().collect();
            (dropped, rest)
        })
        .collect()
}

fn evidence(pieces: &[Piece], nats: Option<&[f64]>) -> Vec<HypothesisEvidence> {
    let mut found: Vec<HypothesisEvidence> = pieces
        .iter()
        .zip(nats.unwrap_or_default())
        .map(|(piece, nats)| HypothesisEvidence {
            class: piece.feature.class,
            item: piece.item.clone(),
            weight_db: tenths(*nats),
            independence_group: piece.root.clone(),
            source: piece.source.clone(),
        })
        .collect();
    found.sort_by(|a, b| {
        b.weight_db.abs().total_cmp(&a.weight_db.abs()).then_with(|| a.item.cmp(&b.item))
    });
    found.truncate(ITEMS_MAX);
    found
}

fn at(values: &[f64], place: usize) -> f64 {
    values.get(place).copied().unwrap_or_default()
}

fn tenths(nats: f64) -> f64 {
    (decibans(nats) * 10.0).round() / 10.0 + 0.0
}

fn thousandths(share: f64) -> f64 {
    (share.clamp(0.001, 0.999) * 1000.0).round() / 1000.0
}
