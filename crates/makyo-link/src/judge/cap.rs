//! The reporting rule: how much may be claimed, given which classes of evidence speak.
//!
//! The evidence itself is never clipped, because clipping what is soft lets planted code dominate;
//! what is capped is the claim.

use std::collections::BTreeSet;

use super::{Piece, Weighed};
use crate::incident::Class;
use crate::profile::decibans;
use crate::weights::AttributeWeights;
use crate::words::Confidence;

/// The bound of a judgement and its reason.
#[derive(Clone, PartialEq, Debug)]
pub struct Cap {
    /// Whether the model claimed more than is reported.
    pub applied: bool,
    /// Why.
    pub reason: String,
    /// The greatest probability that a group may get.
    pub limit: f64,
    /// The greatest level of confidence.
    pub confidence: Confidence,
    /// Classes that support the leading group.
    pub support: Vec<Class>,
    /// Classes that contradict it.
    pub against: Vec<Class>,
    /// Whether nothing but targets and methods speaks.
    pub is_soft: bool,
}

pub(super) fn of(weighed: &Weighed, pieces: &[Piece], numbers: &AttributeWeights) -> Cap {
    let (support, against) = classes(weighed, numbers);
    let hard: Vec<Class> = support.iter().copied().filter(|class| !class.is_soft()).collect();
    let of_hard = || pieces.iter().filter(|piece| hard.contains(&piece.feature.class));
    let sources: BTreeSet<&str> = of_hard().map(|piece| piece.source.as_str()).collect();
    let roots: BTreeSet<&str> = of_hard().map(|piece| piece.root.as_str()).collect();
    let is_broad = hard.len() >= 2
        && sources.len() >= 2
        && roots.len() >= 2
        && of_hard().any(|piece| piece.is_first_hand);
    let row = match hard.len() {
        0 => 0,
        _ if is_broad && hard.len() >= 3 && hard.contains(&Class::Behaviour) => 3,
        _ if is_broad => 2,
        _ => 1,
    };
    let told = if against.is_empty() { row } else { row.max(1) - 1 };
    let limit = numbers.caps.get(told).copied().unwrap_or(0.55);
    let [lowest, ..] = numbers.caps;
    let model = weighed.leader.and_then(|leader| weighed.groups.get(leader)).copied();
    let words =
        |classes: &[Class]| classes.iter().map(|class| class.word()).collect::<Vec<_>>().join(", ");
    let mut reason = match row {
        0 if support.is_empty() => "no class of evidence supports a known group".to_owned(),
        0 => format!("only targets and methods speak (supporting: {})", words(&support)),
        1 if hard.len() >= 2 => {
            format!("{} speak, but not from two sources of which one is first-hand", words(&hard))
        }
        1 => format!("beside targets and methods only {} speaks", words(&hard)),
        2 => format!("two independent classes speak: {}", words(&hard)),
        _ => format!("three independent classes speak: {}", words(&hard)),
    };
    if !against.is_empty() {
        reason.push_str(&format!("; {} speaks against it", words(&against)));
    }
    let confidence = match told {
        0 => Confidence::Low,
        1 => Confidence::Moderate,
        _ => Confidence::High,
    };
    Cap {
        applied: model.is_some_and(|model| model > limit),
        reason,
        limit: limit.max(lowest),
        confidence,
        is_soft: hard.is_empty(),
        support,
        against,
    }
}

/// Classes that support the leader against the runner-up and against nobody known, and classes that
/// contradict it.
fn classes(weighed: &Weighed, numbers: &AttributeWeights) -> (Vec<Class>, Vec<Class>) {
    let Some(leader) = weighed.leader else { return (Vec::new(), Vec::new()) };
    let second = (0..weighed.groups.len()).filter(|group| *group != leader).max_by(|a, b| {
        super::at(&weighed.groups, *a).total_cmp(&super::at(&weighed.groups, *b)).then(b.cmp(a))
    });
    let of = |group: Option<usize>, class: Class| {
        let scored = group.and_then(|group| weighed.scores.groups.get(group));
        decibans(scored.and_then(|one| one.classes.get(&class)).copied().unwrap_or_default())
    };
    let mut support = Vec::new();
    let mut against = Vec::new();
    for class in Class::ALL {
        let own = of(Some(leader), class);
        if own >= numbers.support_db && own - of(second, class) >= numbers.support_db {
            support.push(class);
        }
        if own <= numbers.veto_db {
            against.push(class);
        }
    }
    (support, against)
}
