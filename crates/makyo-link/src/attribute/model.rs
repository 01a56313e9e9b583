//! Profiles of groups, and the probability of each.

use std::collections::{BTreeMap, BTreeSet};

use crate::incident::Class;
use crate::knowledge::Use;

/// What each group is known for: feature and in how many publications.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Profiles {
    /// Ids of groups with at least one feature, sorted.
    pub groups: Vec<String>,
    counts: Vec<BTreeMap<(String, String), f64>>,
    totals: Vec<BTreeMap<String, f64>>,
    /// For each group the techniques that its software is known for.
    implied: Vec<BTreeSet<String>>,
    /// For each technique in how many groups it is so.
    implied_spread: BTreeMap<String, u32>,
    /// Publications by year.
    years: BTreeMap<(String, String), f64>,
    /// For each feature in how many groups.
    spread: BTreeMap<(String, String), u32>,
}

/// How common a feature is among groups.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Background(pub f64);

/// How many sums a class has: presence, Dirichlet, implied by software, publications, breadth.
pub const SUMS: usize = 5;
/// How many numbers speak for none of the known groups.
pub const NONE_SUMS: usize = 3;

/// Features that share coefficients.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Sort {
    /// ATT&CK techniques.
    Technique,
    /// Malware and tools.
    Software,
    /// Addresses, domains, files and other things of which there is one.
    Artefact,
    /// Countries, sectors, themes.
    Target,
    /// The year: groups come and go.
    Period,
}

impl Sort {
    /// All.
    pub const ALL: [Sort; 5] =
        [Sort::Technique, Sort::Software, Sort::Artefact, Sort::Target, Sort::Period];

    /// The word in `knowledge/judgement.yml`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Sort::Technique => "technique",
            Sort::Software => "software",
            Sort::Artefact => "artefact",
            Sort::Target => "target",
            Sort::Period => "period",
        }
    }

    /// Of a kind of evidence.
    #[must_use]
    pub fn of(kind: &str) -> Self {
        match kind {
            "technique" => Sort::Technique,
            "family" | "tool" => Sort::Software,
            "period" => Sort::Period,
            "country" | "sector" | "lure" => Sort::Target,
            _ => Sort::Artefact,
        }
    }
}

/// A feature of an incident, in the terms of the knowledge.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Feature {
    /// What it says something about.
    pub class: Class,
    /// Kind and value.
    pub key: (String, String),
}

/// Coefficients, as `knowledge/judgement.yml` has them.
#[derive(Clone, PartialEq, Debug)]
pub struct Model {
    /// Weight of presence in smoothed presence.
    pub lambda: f64,
    /// Concentration of the Dirichlet-multinomial.
    pub alpha: f64,
    /// Correlation of the features of one incident.
    pub rho: f64,
    /// For each sort of feature its coefficients: presence, Dirichlet, what the group's software
    /// implies, the number of publications, the breadth of the profile.
    pub sorts: BTreeMap<Sort, [f64; SUMS]>,
    /// What speaks for none of the known groups: constant, and the logarithms of the number of
    /// techniques and of the number of software.
    pub none: [f64; NONE_SUMS],
}

/// The weight of each item for one group, in nats.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Scored {
    /// By item, in the order of the features.
    pub items: Vec<f64>,
    /// Their sum by class.
    pub classes: BTreeMap<Class, f64>,
    /// All.
    pub total: f64,
}

/// Scores of an incident against all groups.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Scores {
    /// In the order of the profiles.
    pub groups: Vec<Scored>,
    /// For none of them.
    pub none: f64,
}

impl Profiles {
    /// From uses; a use that no publication supports counts once.
    pub fn new<'a>(uses: impl Iterator<Item = (&'a Use, usize)>) -> Self {
        let mut groups: BTreeMap<&str, BTreeMap<(String, String), f64>> = BTreeMap::new();
        for (used, citations) in uses {
            let times = u32::try_from(citations.max(1)).unwrap_or(u32::MAX);
            *groups.entry(&used.group).or_default().entry(used.feature.clone()).or_default() +=
                f64::from(times);
        }
        let mut profiles = Profiles::default();
        for (group, counts) in groups {
            let mut totals: BTreeMap<String, f64> = BTreeMap::new();
            for (feature, count) in &counts {
                *totals.entry(feature.0.clone()).or_default() += count;
                *profiles.spread.entry(feature.clone()).or_default() += 1;
            }
            profiles.groups.push(group.to_owned());
            profiles.counts.push(counts);
            profiles.totals.push(totals);
        }
        profiles
    }

    /// Adds what the software of each group is known for: software and technique.
    #[must_use]
    pub fn with_software<'a>(mut self, uses: impl Iterator<Item = (&'a str, &'a str)>) -> Self {
        let mut of: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for (software, technique) in uses {
            of.entry(software).or_default().insert(technique);
        }
        for counts in &self.counts {
            let software = counts.keys().filter(|key| Sort::of(&key.0) == Sort::Software);
            let implied: BTreeSet<String> = software
                .filter_map(|key| of.get(key.1.as_str()))
                .flatten()
                .map(|technique| (*technique).to_owned())
                .collect();
            for technique in &implied {
                *self.implied_spread.entry(technique.clone()).or_default() += 1;
            }
            self.implied.push(implied);
        }
        self
    }

    /// Adds the years of the publications about each group; neighbouring years count half.
    #[must_use]
    pub fn with_years<'a>(mut self, published: impl Iterator<Item = (&'a str, i32)>) -> Self {
        for (group, year) in published {
            let Ok(at) = self.groups.binary_search_by(|one| one.as_str().cmp(group)) else {
                continue;
            };
            for (year, weight) in [(year - 1, 0.5), (year, 1.0), (year + 1, 0.5)] {
                if let (Some(counts), Some(totals)) =
                    (self.counts.get_mut(at), self.totals.get_mut(at))
                {
                    *counts.entry(period(year)).or_default() += weight;
                    *totals.entry("period".to_owned()).or_default() += weight;
                }
                *self.years.entry(period(year)).or_default() += weight;
            }
        }
        self
    }

    /// How much the software of a group speaks for a technique that is not known of itself.
    fn implied(&self, group: usize, technique: &str) -> f64 {
        if !self.implied.get(group).is_some_and(|own| own.contains(technique)) {
            return 0.0;
        }
        let groups = f64::from(self.implied_spread.get(technique).copied().unwrap_or_default());
        -((groups + 0.5) / (self.groups.len() as f64 + 1.0)).ln()
    }

    /// Number of features and sum of their counts, over all groups; years are no features here.
    #[must_use]
    pub fn size(&self) -> (usize, f64) {
        let told = || self.counts.iter().flatten().filter(|entry| entry.0.0 != "period");
        (told().count(), told().map(|entry| entry.1).sum())
    }

    /// Whether anything of a kind is known of any group.
    #[must_use]
    pub fn knows(&self, kind: &str) -> bool {
        self.totals.iter().any(|totals| totals.contains_key(kind))
    }

    /// Share of groups with a feature.
    #[must_use]
    pub fn background(&self, feature: &(String, String)) -> Background {
        if feature.0 == "period" {
            let all: f64 = self.years.values().sum();
            let own = self.years.get(feature).copied().unwrap_or_default();
            return Background((own + 0.5) / (all + 10.0));
        }
        let groups = f64::from(self.spread.get(feature).copied().unwrap_or_default());
        Background((groups + 0.5) / (self.groups.len() as f64 + 1.0))
    }

    fn count(&self, group: usize, feature: &(String, String)) -> f64 {
        self.counts.get(group).and_then(|own| own.get(feature)).copied().unwrap_or_default()
    }

    fn total(&self, group: usize, kind: &str) -> f64 {
        self.totals.get(group).and_then(|own| own.get(kind)).copied().unwrap_or_default()
    }
}

/// The feature of a year.
#[must_use]
pub fn period(year: i32) -> (String, String) {
    ("period".to_owned(), year.to_string())
}

/// The sums of one feature for one group, before coefficients.
pub(super) fn sums(
    profiles: &Profiles,
    group: usize,
    feature: &(String, String),
    model: &Model,
) -> [f64; SUMS] {
    let Background(p) = profiles.background(feature);
    let count = profiles.count(group, feature);
    let total = profiles.total(group, &feature.0);
    let presence = if count > 0.0 { model.lambda } else { 0.0 } + (1.0 - model.lambda) * p;
    if Sort::of(&feature.0) == Sort::Period {
        // A share of publications and not of groups: of the sums only the second has a meaning.
        let alpha = 10.0;
        return [0.0, ((count + alpha * p) / ((total + alpha) * p)).ln(), 0.0, 0.0, 0.0];
    }
    if Sort::of(&feature.0) == Sort::Artefact && count == 0.0 {
        return [0.0; SUMS];
    }
    let alpha = model.alpha;
    let is_implied = Sort::of(&feature.0) == Sort::Technique && count == 0.0;
    [
        (presence / p).ln(),
        ((count + alpha * p) / ((total + alpha) * p)).ln(),
        if is_implied { profiles.implied(group, &feature.1) } else { 0.0 },
        // What many publications told of a group is its habit; what one did may be the reporter's.
        count.ln_1p(),
        // A broad profile meets more by chance; how much that matters is fitted.
        if count > 0.0 { -((total + 10.0) / 10.0).ln() } else { 0.0 },
    ]
}

/// The design effect.
pub(super) fn design(model: &Model, sort: Sort, features: usize) -> f64 {
    if sort == Sort::Artefact {
        // Artefacts that nobody knows say nothing, and must not thin out the one that somebody does.
        return 1.0;
    }
    1.0 + model.rho * (features.max(1) as f64 - 1.0)
}

/// What speaks for none of the known groups, before coefficients.
pub(super) fn none_sums(number: &BTreeMap<Sort, usize>) -> [f64; NONE_SUMS] {
    let of = |sort: Sort| (number.get(&sort).copied().unwrap_or_default() as f64 + 1.0).ln();
    [1.0, of(Sort::Technique), of(Sort::Software)]
}

/// How many features there are of each sort.
pub(super) fn numbers(features: &[Feature]) -> BTreeMap<Sort, usize> {
    let mut number: BTreeMap<Sort, usize> = BTreeMap::new();
    for feature in features {
        *number.entry(Sort::of(&feature.key.0)).or_default() += 1;
    }
    number
}

impl Model {
    /// Scores features against all groups.
    #[must_use]
    pub fn score(&self, profiles: &Profiles, features: &[Feature]) -> Scores {
        let number = numbers(features);
        let groups = (0..profiles.groups.len())
            .map(|group| {
                let mut scored = Scored::default();
                for feature in features {
                    let sort = Sort::of(&feature.key.0);
                    let own = self.sorts.get(&sort).copied().unwrap_or_default();
                    let sums = sums(profiles, group, &feature.key, self);
                    let effect = design(self, sort, number.get(&sort).copied().unwrap_or(1));
                    let nats = own.iter().zip(sums).map(|(b, x)| b * x / effect).sum::<f64>();
                    scored.items.push(nats);
                    *scored.classes.entry(feature.class).or_default() += nats;
                    scored.total += nats;
                }
                scored
            })
            .collect();
        let none = self.none.iter().zip(none_sums(&number)).map(|(b, x)| b * x).sum();
        Scores { groups, none }
    }
}

impl Scores {
    /// Probabilities of the groups, and of none of them, from a prior for none; groups are equal
    /// beforehand. `left_out` are groups that are not considered.
    #[must_use]
    pub fn posterior(&self, prior_none: f64, left_out: &[usize]) -> (Vec<f64>, f64) {
        let is_in = |group: &usize| !left_out.contains(group);
        let candidates = (0..self.groups.len()).filter(is_in).count().max(1) as f64;
        let each = ((1.0 - prior_none) / candidates).ln();
        let logs: Vec<f64> = self
            .groups
            .iter()
            .enumerate()
            .map(|(at, one)| if is_in(&at) { one.total + each } else { f64::NEG_INFINITY })
            .collect();
        let none = self.none + prior_none.ln();
        let most = logs.iter().copied().fold(none, f64::max);
        let sum: f64 = logs.iter().map(|log| (log - most).exp()).sum::<f64>() + (none - most).exp();
        let shares = logs.iter().map(|log| (log - most).exp() / sum).collect();
        (shares, (none - most).exp() / sum)
    }
}
