//! What speaks for and against one hand behind two incidents, item by item.

use crate::corpus::Corpus;
use crate::incident::Class;
use crate::profile::{Prevalence, Profile, by_kind, decibans};
use crate::weights::Weights;

/// One item for or against.
#[derive(Clone, PartialEq, Debug)]
pub struct LinkEvidence {
    /// What it says something about.
    pub class: Class,
    /// Kind and value, or what is not shared.
    pub item: String,
    /// In decibans; negative speaks against.
    pub weight_db: f64,
    /// Whether both show it.
    pub is_shared: bool,
    /// Whether few can have it by chance.
    pub is_specific: bool,
}

/// Decibans to one digit, as they are told.
pub(crate) fn tenths(weight: f64) -> f64 {
    (weight * 10.0).round() / 10.0 + 0.0
}

/// By class, the heaviest first; the sum is the weight of the link.
pub(super) fn of_pair(
    a: &Profile,
    b: &Profile,
    corpus: &Corpus,
    prevalence: &Prevalence,
    weights: &Weights,
) -> Vec<LinkEvidence> {
    let nats = by_kind(a, b, prevalence, weights);
    let mut found = Vec::new();
    for (at, kind) in weights.kinds.iter().enumerate() {
        let total = nats.get(at).copied().unwrap_or_default();
        let total = decibans(total).clamp(-kind.floor_db, kind.ceiling_db);
        let shared: Vec<(u32, f64)> = a
            .shared(b)
            .filter(|(value, ..)| {
                corpus.kind_of.get(*value as usize).copied().map(usize::from) == Some(at)
            })
            .map(|(value, ..)| (value, prevalence.surprise(value)))
            .collect();
        let item = |item: String, weight: f64, is_shared: bool| LinkEvidence {
            class: kind.class,
            item,
            weight_db: tenths(weight),
            is_shared,
            is_specific: kind.is_specific,
        };
        // What the kind weighs as a whole is shared out by rarity.
        let surprise: f64 = shared.iter().map(|one| one.1).sum();
        for (value, own) in &shared {
            let name = corpus.names.get(*value as usize).map(|name| name.1.as_str());
            let text = format!("{} {}", kind.name, name.unwrap_or_default());
            found.push(item(text, total * own / surprise.max(1e-9), true));
        }
        if shared.is_empty() && total <= -0.05 {
            found.push(item(format!("{}: nothing shared", kind.name), total, false));
        }
    }
    let hours = decibans(nats.last().copied().unwrap_or_default());
    if hours.abs() >= 0.05 {
        found.push(LinkEvidence {
            class: Class::Behaviour,
            item: if hours > 0.0 { "working hours agree" } else { "working hours differ" }.into(),
            weight_db: tenths(hours),
            is_shared: false,
            is_specific: false,
        });
    }
    found.sort_by(|x, y| {
        x.class.cmp(&y.class).then(y.weight_db.total_cmp(&x.weight_db)).then(x.item.cmp(&y.item))
    });
    found
}
