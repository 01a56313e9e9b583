//! Weighing: families of evidence with caps and diminishing returns.

use std::collections::BTreeMap;

use makyo_base::RecordRef;

/// What evidence is about. Two signs of one family are one witness, so that a family has a cap.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Family {
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
    /// Traces removed.
    AntiForensics,
    /// Contradicted by the VPN, the network or the hosts.
    Linkage,
}

impl Family {
    /// Decibans at most.
    fn cap(self) -> f64 {
        match self {
            Family::Origin => 12.0,
            Family::Token => 30.0,
            Family::Precursor => 20.0,
            Family::Persistence | Family::Infrastructure | Family::Linkage => 25.0,
            Family::Collection | Family::AntiForensics => 15.0,
        }
    }

    /// Whether it can convict: the others are found with honest people too.
    fn convicts(self) -> bool {
        matches!(
            self,
            Family::Token | Family::Persistence | Family::Infrastructure | Family::Linkage
        )
    }
}

/// One reason for or against.
#[derive(Clone, Debug)]
pub(super) struct Evidence {
    pub(super) family: Family,
    /// Decibans; below zero if it speaks for the owner.
    pub(super) weight_db: f64,
    pub(super) text: String,
    pub(super) record: Option<RecordRef>,
}

impl Evidence {
    pub(super) fn new(family: Family, weight_db: f64, text: impl Into<String>) -> Self {
        Evidence { family, weight_db, text: text.into(), record: None }
    }

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

/// Decibans that a family needs to count as a witness of its own.
const WITNESS_DB: f64 = 10.0;
/// Decibans against a prior of 1 % at which the odds are a thousand to one.
const CONFIRMED_DB: f64 = 50.0;
/// Decibans at which they are twenty to one.
const PROBABLE_DB: f64 = 33.0;

impl Weighed {
    /// Sums evidence: within a family the strongest in full, the next half, and so on, up to the
    /// family's cap; what speaks for the owner likewise, with no cap of its own.
    pub(super) fn of(evidence: &[Evidence]) -> Self {
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
                (family, diminishing(&list).min(family.cap()))
            })
            .collect();
        against.sort_by(f64::total_cmp);
        let total_db = families.values().sum::<f64>() + diminishing(&against);
        Weighed { total_db, families }
    }

    fn witnesses(&self) -> impl Iterator<Item = Family> {
        self.families.iter().filter(|one| *one.1 >= WITNESS_DB).map(|one| *one.0)
    }

    /// Whether it convicts by itself: a thousand to one, from two families, one of which can.
    pub(super) fn is_confirmed(&self) -> bool {
        self.total_db >= CONFIRMED_DB
            && self.witnesses().count() >= 2
            && self.witnesses().any(Family::convicts)
    }

    /// Whether it is probable: twenty to one, from two families.
    pub(super) fn is_probable(&self) -> bool {
        self.total_db >= PROBABLE_DB
            && self.families.values().filter(|one| **one >= 5.0).count() >= 2
    }

    /// Decibans of one family.
    pub(super) fn family(&self, family: Family) -> f64 {
        self.families.get(&family).copied().unwrap_or_default()
    }
}

fn diminishing(sorted: &[f64]) -> f64 {
    sorted.iter().zip(0..16).map(|(weight, rank)| weight / f64::from(1_u32 << rank)).sum()
}
