//! Profiles of groups, and the probability of each.

use std::collections::BTreeMap;

use crate::incident::Class;
use crate::knowledge::Use;

/// What each group is known for: feature and in how many publications.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Profiles {
    /// Ids of groups with at least one feature, sorted.
    pub groups: Vec<String>,
    counts: Vec<BTreeMap<(String, String), f64>>,
    totals: Vec<BTreeMap<String, f64>>,
    /// For each feature in how many groups.
    spread: BTreeMap<(String, String), u32>,
}

/// How common a feature is among groups.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Background(pub f64);

/// How many sums a class has.
pub const SUMS: usize = 3;

/// Coefficients, as `knowledge/judgement.yml` has them.
#[derive(Clone, PartialEq, Debug)]
pub struct Model {
    /// Weight of presence in smoothed presence.
    pub lambda: f64,
    /// Concentration of the Dirichlet-multinomial.
    pub alpha: f64,
    /// Correlation of the features of one incident.
    pub rho: f64,
    /// For each class its coefficients: presence, Dirichlet, breadth of the profile.
    pub classes: BTreeMap<Class, [f64; SUMS]>,
    /// What speaks for none of the known groups: constant, logarithm of the number of features.
    pub none: [f64; 2],
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
            *groups
                .entry(&used.group)
                .or_default()
                .entry(used.feature.clone())
                .or_default() += f64::from(times);
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

    /// Number of features and sum of their counts, over all groups.
    #[must_use]
    pub fn size(&self) -> (usize, f64) {
        let features = self.counts.iter().map(BTreeMap::len).sum();
        (features, self.counts.iter().flat_map(BTreeMap::values).sum())
    }

    /// How many features of a kind a group has.
    #[must_use]
    pub fn features_of(&self, group: usize, kind: &str) -> usize {
        let own = self.counts.get(group);
        own.map_or(0, |counts| counts.keys().filter(|feature| feature.0 == kind).count())
    }

    /// Share of groups with a feature.
    #[must_use]
    pub fn background(&self, feature: &(String, String)) -> Background {
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
    let alpha = model.alpha;
    [
        (presence / p).ln(),
        ((count + alpha * p) / ((total + alpha) * p)).ln(),
        // A broad profile meets more by chance; how much that matters is fitted.
        if count > 0.0 { -((total + 10.0) / 10.0).ln() } else { 0.0 },
    ]
}

/// The design effect.
pub(super) fn design(model: &Model, features: usize) -> f64 {
    1.0 + model.rho * (features.max(1) as f64 - 1.0)
}

impl Model {
    /// Scores features against all groups. Each feature comes with its class.
    #[must_use]
    pub fn score(&self, profiles: &Profiles, features: &[(Class, (String, String))]) -> Scores {
        let mut number: BTreeMap<Class, usize> = BTreeMap::new();
        for (class, _) in features {
            *number.entry(*class).or_default() += 1;
        }
        let groups = (0..profiles.groups.len())
            .map(|group| {
                let mut scored = Scored::default();
                for (class, feature) in features {
                    let own = self.classes.get(class).copied().unwrap_or_default();
                    let sums = sums(profiles, group, feature, self);
                    let effect = design(self, number.get(class).copied().unwrap_or(1));
                    let nats = own.iter().zip(sums).map(|(b, x)| b * x).sum::<f64>() / effect;
                    scored.items.push(nats);
                    *scored.classes.entry(*class).or_default() += nats;
                    scored.total += nats;
                }
                scored
            })
            .collect();
        let n = (features.len() as f64 + 1.0).ln();
        Scores { groups, none: self.none[0] + self.none[1] * n }
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
