//! Naming single incidents among actors seen before, with unknown actors and false flags: the first
//! 60 % of the time are the knowledge, the rest is asked, once as it is and once with the right group
//! taken out of the knowledge. Temper and offset are fitted on seed 1.

use std::collections::BTreeMap;

use makyo_link::corpus::Corpus;
use makyo_link::incident::Class;
use makyo_link::profile::{Prevalence, Profile, by_kind, decibans};
use makyo_link::weights::Weights;

use crate::measure::mean;
use crate::simulated::{Scenario, scenario};

const KNOWN_INCIDENTS_MIN: usize = 5;
const PAST: f64 = 0.6;

/// One question: nats by class for each known group, which is right, which is framed.
struct Question {
    groups: Vec<BTreeMap<Class, f64>>,
    right: Option<usize>,
    framed: Option<usize>,
}

pub(crate) fn run(data: &str, weights: &Weights) -> anyhow::Result<()> {
    let names = ["S3_ff", "S5_orb", "S6_hard"];
    let of = |seed: u32| -> anyhow::Result<Vec<Vec<Question>>> {
        names.iter().map(|name| Ok(questions(&scenario(data, name, seed)?, weights))).collect()
    };
    let fitted = fit(&of(1)?);
    println!("fitted on seed 1: temper {:.2}, offset of none {:.1} nats", fitted.0, fitted.1);
    println!(
        "seed 2     asked known unknown  top-1   >=.8 right  unknown named >=.8  framed first  framed >=.8"
    );
    for (name, questions) in names.iter().zip(of(2)?) {
        for with_rule in [false, true] {
            report(name, &questions, fitted, with_rule, weights);
        }
    }
    Ok(())
}

fn questions(given: &Scenario, weights: &Weights) -> Vec<Question> {
    let corpus = Corpus::new(&given.incidents, weights);
    let kinds = weights.kinds.len();
    let day = |at: usize| {
        given.incidents.get(at).and_then(|one| given.days.get(&one.id)).copied().unwrap_or_default()
    };
    let last = given.days.values().copied().fold(0.0, f64::max);
    let group = |at: usize| {
        let truth = given.incidents.get(at).and_then(|one| given.truth.get(&one.id));
        truth.map_or("", |truth| truth.group.as_str())
    };
    let single = |at: usize| {
        let values = corpus.members.get(at).map(Vec::as_slice).unwrap_or_default();
        let hour = corpus.hours.get(at).copied().flatten();
        Profile::one(values, hour, &corpus.kind_of, kinds)
    };
    let mut past: BTreeMap<&str, Profile> = BTreeMap::new();
    for at in (0..given.incidents.len()).filter(|at| day(*at) <= PAST * last) {
        past.entry(group(at)).or_default().add(&single(at));
    }
    let mut sets = vec![0.0; corpus.kind_of.len()];
    for (value, _) in past.values().flat_map(|profile| &profile.counts) {
        if let Some(count) = sets.get_mut(*value as usize) {
            *count += 1.0;
        }
    }
    let prevalence = Prevalence::new(&sets, &corpus.kind_of, given.incidents.len(), weights);
    let known: Vec<(&str, &Profile)> = past
        .iter()
        .filter(|entry| entry.1.size as usize >= KNOWN_INCIDENTS_MIN)
        .map(|entry| (*entry.0, entry.1))
        .collect();
    let place = |name: &str| known.iter().position(|entry| entry.0 == name);
    let asked: Vec<Question> = (0..given.incidents.len())
        .filter(|at| day(*at) > PAST * last)
        .map(|at| {
            let one = single(at);
            let id = given.incidents.get(at).map_or("", |one| one.id.as_str());
            let of = |entry: &(&str, &Profile)| classes(&one, entry.1, &prevalence, weights);
            Question {
                groups: known.iter().map(of).collect(),
                right: place(group(at)),
                framed: given.truth.get(id).and_then(|truth| place(truth.framed.as_deref()?)),
            }
        })
        .collect();
    // Each is asked again with its group taken out of the knowledge: then nobody is right.
    let unknown: Vec<Question> = asked.iter().filter_map(Question::without_right).collect();
    asked.into_iter().chain(unknown).collect()
}

impl Question {
    fn without_right(&self) -> Option<Question> {
        let right = self.right?;
        let mut groups = self.groups.clone();
        groups.remove(right);
        let framed = self.framed.filter(|framed| *framed != right);
        let framed = framed.map(|framed| framed - usize::from(framed > right));
        Some(Question { groups, right: None, framed })
    }
}

fn classes(
    one: &Profile,
    group: &Profile,
    prevalence: &Prevalence,
    weights: &Weights,
) -> BTreeMap<Class, f64> {
    let nats = by_kind(one, group, prevalence, weights);
    let mut found: BTreeMap<Class, f64> = BTreeMap::new();
    for (at, nats) in nats.iter().enumerate() {
        let kind = weights.kinds.get(at);
        let class = kind.map_or(Class::Behaviour, |kind| kind.class);
        let per_db = std::f64::consts::LN_10 / 10.0;
        let nats = kind
            .map_or(*nats, |kind| nats.clamp(-kind.floor_db * per_db, kind.ceiling_db * per_db));
        *found.entry(class).or_default() += nats;
    }
    found
}

/// Probabilities of the groups, and of none.
fn posterior(question: &Question, (temper, offset): (f64, f64)) -> (Vec<f64>, f64) {
    let each = (0.5 / question.groups.len().max(1) as f64).ln();
    let logs: Vec<f64> = question
        .groups
        .iter()
        .map(|classes| temper * classes.values().sum::<f64>() + each)
        .collect();
    let none = 0.5_f64.ln() + offset;
    let most = logs.iter().copied().fold(none, f64::max);
    let all: f64 = logs.iter().map(|log| (log - most).exp()).sum::<f64>() + (none - most).exp();
    (logs.iter().map(|log| (log - most).exp() / all).collect(), (none - most).exp() / all)
}

fn fit(scenarios: &[Vec<Question>]) -> (f64, f64) {
    let mut best = (f64::INFINITY, (1.0, 0.0));
    for temper in (2..=20).map(|step| f64::from(step) / 20.0) {
        for offset in (0..=20).map(f64::from) {
            let loss = mean(scenarios.iter().map(|questions| {
                mean(questions.iter().map(|question| {
                    let (groups, none) = posterior(question, (temper, offset));
                    let right = question.right.and_then(|right| groups.get(right)).copied();
                    -right.unwrap_or(none).max(1e-12).ln()
                }))
            }));
            if loss < best.0 {
                best = (loss, (temper, offset));
            }
        }
    }
    best.1
}

/// The reporting rule over classes, as [`makyo_link::judge`] has it; one source, several roots.
fn limit(question: &Question, leader: usize, second: usize, temper: f64, weights: &Weights) -> f64 {
    let of = |group: usize, class: Class| {
        let classes = question.groups.get(group);
        decibans(temper * classes.and_then(|own| own.get(&class)).copied().unwrap_or_default())
    };
    let numbers = &weights.attribute;
    let hard: Vec<Class> = Class::ALL
        .into_iter()
        .filter(|class| !class.is_soft())
        .filter(|class| of(leader, *class) >= numbers.support_db)
        .filter(|class| of(leader, *class) - of(second, *class) >= numbers.support_db)
        .collect();
    let is_against = Class::ALL.into_iter().any(|class| of(leader, class) <= numbers.veto_db);
    let row = match hard.len() {
        0 | 1 => hard.len(),
        2 => 2,
        _ => 2 + usize::from(hard.contains(&Class::Behaviour)),
    };
    let row = if is_against { row.max(1) - 1 } else { row };
    numbers.caps.get(row).copied().unwrap_or(0.55)
}

fn report(
    name: &str,
    questions: &[Question],
    fitted: (f64, f64),
    with_rule: bool,
    weights: &Weights,
) {
    let (mut known, mut first, mut claims, mut right) = (0_u32, 0_u32, 0_u32, 0_u32);
    let (mut unknown, mut wrong) = (0_u32, 0_u32);
    let (mut flags, mut framed, mut framed_claims) = (0_u32, 0_u32, 0_u32);
    for question in questions {
        let (groups, _) = posterior(question, fitted);
        let mut order: Vec<usize> = (0..groups.len()).collect();
        let share = |group: usize| groups.get(group).copied().unwrap_or_default();
        order.sort_by(|a, b| share(*b).total_cmp(&share(*a)).then(a.cmp(b)));
        let (Some(leader), Some(second)) = (order.first().copied(), order.get(1).copied()) else {
            continue;
        };
        let cap = if with_rule { limit(question, leader, second, fitted.0, weights) } else { 1.0 };
        let is_claim = share(leader).min(cap) >= 0.8;
        claims += u32::from(is_claim);
        right += u32::from(is_claim && question.right == Some(leader));
        match question.right {
            Some(group) => {
                known += 1;
                first += u32::from(group == leader);
            }
            None => {
                unknown += 1;
                wrong += u32::from(is_claim);
            }
        }
        if let Some(group) = question.framed {
            flags += 1;
            framed += u32::from(group == leader);
            framed_claims += u32::from(group == leader && is_claim);
        }
    }
    let part = |a: u32, b: u32| f64::from(a) / f64::from(b.max(1));
    println!(
        "{name:8} {:4} {:5} {known:5} {unknown:6}   {:.3}   {claims:5} {right:5}  {wrong:4} ({:.3})  {framed:8} of {flags}  {framed_claims:8}",
        if with_rule { "rule" } else { "sum" },
        questions.len(),
        part(first, known),
        part(wrong, unknown)
    );
}
