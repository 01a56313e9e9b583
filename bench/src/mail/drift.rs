//! Known senders, and the same senders with somebody else's program.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use makyo_detect::mail::{CLIENT, Distance, DriftModel, HISTORY_MIN, MailMessage, Profile};

use crate::read::mails;

/// Of seven values tried, the best of the second half together; the figures move by 0.03 between them.
const PENALTY: f64 = 0.005;

/// Whose program the graft carries.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Other {
    Any,
    Provider,
    Colleague,
}

struct Sample {
    distance: Distance,
    other: Option<Other>,
    new: usize,
    delivers_first: bool,
}

pub(crate) fn run(list: &Path, fit: Option<&Path>) -> anyhow::Result<()> {
    let mut all = mails(list)?.all;
    all.retain(|message| message.at > 0 && !message.from.is_empty());
    all.sort_by(|a, b| (a.at, &a.id).cmp(&(b.at, &b.id)));
    let samples = samples(&all);
    let middle = all.get(all.len() / 2).map_or(0, |message| message.at);
    let train: Vec<(Distance, bool)> = samples
        .iter()
        .filter(|one| one.0 < middle)
        .map(|(_, sample)| (sample.distance.clone(), sample.other.is_some()))
        .collect();
    let mut model = DriftModel::fit(&train, PENALTY);
    let test: Vec<&Sample> =
        samples.iter().filter(|one| one.0 >= middle).map(|one| &one.1).collect();
    println!("messages {}, training {}, test {}", all.len(), train.len(), test.len());
    let mut genuine: Vec<f64> = scores(&model, &test, None);
    genuine.sort_by(f64::total_cmp);
    for other in [Other::Any, Other::Provider, Other::Colleague] {
        let grafts = scores(&model, &test, Some(other));
        let rate = |false_positive: f64| {
            let bound = quantile(&genuine, 1.0 - false_positive);
            share(&grafts, bound)
        };
        println!(
            "{other:?}: genuine {}, grafts {}, AUC {:.3}, TPR at 1 % {:.3}, at 0.1 % {:.3}",
            genuine.len(),
            grafts.len(),
            area(&genuine, &grafts),
            rate(0.01),
            rate(0.001)
        );
    }
    with_delivery(&test);
    if let Some(path) = fit {
        let everything: Vec<(Distance, bool)> = samples
            .iter()
            .map(|(_, sample)| (sample.distance.clone(), sample.other.is_some()))
            .collect();
        model = DriftModel::fit(&everything, PENALTY);
        let held: Vec<&Sample> = samples.iter().map(|one| &one.1).collect();
        let mut genuine = scores(&model, &held, None);
        genuine.sort_by(f64::total_cmp);
        model.quantiles = [0.99, 0.999, 0.9999].map(|share| quantile(&genuine, share));
        std::fs::write(path, written(&model, genuine.len(), everything.len() - genuine.len()))?;
    }
    Ok(())
}

fn scores(model: &DriftModel, samples: &[&Sample], other: Option<Other>) -> Vec<f64> {
    samples
        .iter()
        .filter(|sample| sample.other == other)
        .map(|sample| model.score(&sample.distance))
        .collect()
}

/// New features together with the first object of a sender that can be opened or followed.
fn with_delivery(test: &[&Sample]) {
    let genuine: Vec<&&Sample> = test.iter().filter(|sample| sample.other.is_none()).collect();
    for least in [2, 3] {
        let hits = genuine.iter().filter(|one| one.new >= least && one.delivers_first).count();
        println!(
            "{least} new features and a first delivery: {hits} of {} genuine ({:.3} %)",
            genuine.len(),
            100.0 * hits as f64 / genuine.len().max(1) as f64
        );
    }
}

fn quantile(sorted: &[f64], share: f64) -> f64 {
    let at = (sorted.len() as f64 * share).floor() as usize;
    sorted.get(at.min(sorted.len().saturating_sub(1))).copied().unwrap_or(f64::MAX)
}

fn share(scores: &[f64], bound: f64) -> f64 {
    scores.iter().filter(|score| **score > bound).count() as f64 / scores.len().max(1) as f64
}

fn area(genuine: &[f64], grafts: &[f64]) -> f64 {
    let below: usize = grafts.iter().map(|score| genuine.partition_point(|one| one < score)).sum();
    below as f64 / (genuine.len() * grafts.len()).max(1) as f64
}

/// Genuine messages of senders with a history, and for each the same one with a program of others
/// that wrote about the same time.
fn samples(all: &[MailMessage]) -> Vec<(i64, Sample)> {
    let mut everybody = Profile::default();
    let mut senders: BTreeMap<&str, (Profile, bool)> = BTreeMap::new();
    let mut found = Vec::new();
    for (place, message) in all.iter().enumerate() {
        let delivers = !message.list("kinds").is_empty() || !message.list("shares").is_empty();
        if let Some((own, delivered)) =
            senders.get(message.from.as_str()).filter(|sender| sender.0.count >= HISTORY_MIN)
        {
            let mut add = |written: &MailMessage, other: Option<Other>| {
                let distance = Distance::of(written, own, &everybody);
                let new = distance.new_features().len();
                let delivers_first = delivers && !delivered;
                found.push((message.at, Sample { distance, other, new, delivers_first }));
            };
            add(message, None);
            for other in [Other::Any, Other::Provider, Other::Colleague] {
                if let Some(writer) = writer(all, place, other) {
                    add(&message.written_by(writer), Some(other));
                }
            }
        }
        everybody.add(message);
        let sender = senders.entry(&message.from).or_default();
        sender.0.add(message);
        sender.1 |= delivers;
    }
    found
}

/// The nearest message in time, before or behind, of somebody else who fits. Which side comes first
/// changes from message to message.
fn writer(all: &[MailMessage], place: usize, other: Other) -> Option<&MailMessage> {
    let own = all.get(place)?;
    let fits = |one: &&MailMessage| {
        let another = one.from != own.from && one.text("name") != own.text("name");
        let same_provider =
            one.text("servers").split(' ').next() == own.text("servers").split(' ').next();
        another
            && match other {
                Other::Any => true,
                Other::Provider => same_provider && !own.text("servers").is_empty(),
                Other::Colleague => one.domain() == own.domain(),
            }
    };
    let start = 1 + place % 7;
    (start..400).find_map(|step| {
        let before = place.checked_sub(step).and_then(|at| all.get(at)).filter(fits);
        before.or_else(|| all.get(place + step).filter(fits))
    })
}

fn written(model: &DriftModel, genuine: usize, grafts: usize) -> String {
    let list = |numbers: &[f64]| {
        numbers.iter().map(|number| format!("{number:.4}")).collect::<Vec<_>>().join(", ")
    };
    let mut out = String::from(
        "# How sure it is that somebody else's program wrote a message: a logistic regression over the\n# distance of a message from its sender's past. Two weights for each feature (the logarithm of the\n# ratio of likelihoods, and whether the value is new), then for how many are new, for how many\n# beyond two, and for the length of the history.\n",
    );
    let _ = writeln!(
        out,
        "# Origin: fitted on 2026-11-23 by `makyo-bench-mail drift --fit` on a public list's mail of known\n# senders ({genuine} messages) and the same mail with the programs of others ({grafts}).\n# Features: {}.",
        CLIENT.join(", ")
    );
    let _ = writeln!(out, "bias: [{:.4}]", model.bias);
    let _ = writeln!(out, "weights: [{}]", list(&model.weights));
    let _ = writeln!(
        out,
        "# Scores that 1 in 100, 1 in 1,000 and 1 in 10,000 genuine messages exceed.\nquantiles: [{}]",
        list(&model.quantiles)
    );
    out
}

/// A model fitted on the first half of the time.
pub(crate) fn fitted_before(all: &[MailMessage]) -> DriftModel {
    let middle = all.get(all.len() / 2).map_or(0, |message| message.at);
    let samples: Vec<Sample> =
        samples(all).into_iter().filter(|one| one.0 < middle).map(|one| one.1).collect();
    let train: Vec<(Distance, bool)> =
        samples.iter().map(|one| (one.distance.clone(), one.other.is_some())).collect();
    let mut model = DriftModel::fit(&train, PENALTY);
    let mut genuine = scores(&model, &samples.iter().collect::<Vec<_>>(), None);
    genuine.sort_by(f64::total_cmp);
    model.quantiles = [0.99, 0.999, 0.9999].map(|share| quantile(&genuine, share));
    model
}

/// Somebody else who wrote about the same time.
pub(crate) fn writer_of_any(all: &[MailMessage], place: usize) -> Option<&MailMessage> {
    writer(all, place, Other::Any)
}
