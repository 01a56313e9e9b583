//! Weighing: families of evidence with caps and diminishing returns.

use std::collections::BTreeMap;

use makyo_base::RecordRef;

use super::scale::Scale;

/// What evidence is about. Two signs of one family are one witness, so that a family has a cap.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Family {
    /// Unusual place, device or client.
    Origin,
    /// The session or token cannot be one person's.
    Token,
    /// What came before: guessing, spraying, pestering for a second factor.
    Precursor,
    /// Ways back in that were made.
    Persistence,
    /// Reading and taking in an unusual way.
    Collection,
    /// Shared with others in whose names somebody acts.
    Infrastructure,
    /// Contradicted by the VPN, the network or the hosts.
    Linkage,
    /// The account's own computer is somebody else's.
    Host,
}

impl Family {
    /// All families.
    pub(crate) const ALL: &[Family] = &[
        Family::Origin,
        Family::Token,
        Family::Precursor,
        Family::Persistence,
        Family::Collection,
        Family::Infrastructure,
        Family::Linkage,
        Family::Host,
    ];

    /// The family's name in the table of weights.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Family::Origin => "origin",
            Family::Token => "token",
            Family::Precursor => "precursor",
            Family::Persistence => "persistence",
            Family::Collection => "collection",
            Family::Infrastructure => "infrastructure",
            Family::Linkage => "linkage",
            Family::Host => "host",
        }
    }
}

/// One reason for or against.
#[derive(Clone, Debug)]
pub(super) struct Evidence {
    /// Its name in the table of weights.
    pub(super) sign: &'static str,
    pub(super) family: Family,
    /// Decibans; below zero if it speaks for the owner.
    pub(super) weight_db: f64,
    pub(super) text: String,
    pub(super) record: Option<RecordRef>,
}

impl Evidence {
    pub(super) fn at(mut self, record: &RecordRef) -> Self {
        self.record = Some(record.clone());
        self
    }
}

/// The sum over families.
#[derive(Clone, Debug, Default)]
pub(super) struct Weighed {
    pub(super) total_db: f64,
    families: BTreeMap<Family, f64>,
}

impl Weighed {
    /// Sums evidence: within a family the strongest in full, the next half, and so on, up to the
    /// family's cap; what speaks for the owner likewise, with no cap of its own.
    pub(super) fn of(evidence: &[Evidence], scale: &Scale) -> Self {
        let mut lists: BTreeMap<Family, Vec<f64>> = BTreeMap::new();
        let mut against: Vec<f64> = Vec::new();
        for one in evidence {
            if one.weight_db < 0.0 {
                against.push(one.weight_db);
            } else {
                lists.entry(one.family).or_default().push(one.weight_db);
            }
        }
        let families: BTreeMap<Family, f64> = lists
            .into_iter()
            .map(|(family, mut list)| {
                list.sort_by(|a, b| b.total_cmp(a));
                (family, diminishing(&list).min(scale.most(family)))
            })
            .collect();
        against.sort_by(f64::total_cmp);
        let total_db = families.values().sum::<f64>() + diminishing(&against);
        Weighed { total_db, families }
    }

    fn witnesses(&self, scale: &Scale) -> impl Iterator<Item = Family> {
        let least = scale.witness;
        self.families.iter().filter(move |one| *one.1 >= least).map(|one| *one.0)
    }

    /// Whether it convicts by itself: the odds are great enough, from two families or, at lesser
    /// odds, from three, one of which can convict.
    pub(super) fn is_confirmed(&self, scale: &Scale) -> bool {
        let witnesses = self.witnesses(scale).count();
        let convicts = |family: &Family| scale.convicts(*family);
        // What people also do themselves, such as making a rule, does not carry three families.
        let harder = |family: &Family| convicts(family) && *family != Family::Persistence;
        let by_two = self.total_db >= scale.confirmed
            && witnesses >= 2
            && self.witnesses(scale).any(|family| convicts(&family));
        let by_three = self.total_db >= scale.three
            && witnesses >= 3
            && self.witnesses(scale).any(|family| harder(&family));
        by_two || by_three
    }

    /// Whether it is probable, from two families.
    pub(super) fn is_probable(&self, scale: &Scale) -> bool {
        let half = scale.witness / 2.0;
        self.total_db >= scale.probable
            && self.families.values().filter(|one| **one >= half).count() >= 2
    }
}

fn diminishing(sorted: &[f64]) -> f64 {
    sorted.iter().zip(0..16).map(|(weight, rank)| weight / f64::from(1_u32 << rank)).sum()
}
