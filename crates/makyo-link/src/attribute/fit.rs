//! Fitting the coefficients of the conditional logit to incidents whose group is known.
//!
//! The log likelihood is concave in the coefficients, so that Newton's method with a ridge finds its
//! one maximum from zero, and the same data give the same numbers.

use std::collections::BTreeMap;

use super::model::{
    Feature, Model, NONE_SUMS, Profiles, SUMS, Sort, design, none_sums, numbers, sums,
};

/// An incident with a known group: each is used twice, with its group among the candidates and
/// without, when "none of them" is right.
#[derive(Debug)]
pub struct Trial<'a> {
    /// What was known, without what must not be used.
    pub profiles: &'a Profiles,
    /// What the incident shows.
    pub features: Vec<Feature>,
    /// Places of the right groups.
    pub right: Vec<usize>,
}

/// Newton steps; it converges in about eight.
const STEPS: usize = 25;

/// The regressors of a trial: for each group its sums by class, and for none its own.
struct Row {
    groups: Vec<Vec<f64>>,
    none: Vec<f64>,
    right: Vec<usize>,
}

/// Which coefficients are fitted; the others become zero.
#[derive(Clone, PartialEq, Debug)]
pub struct Free {
    /// By sort of feature.
    pub sorts: BTreeMap<Sort, [bool; SUMS]>,
    /// Of none of the known groups.
    pub none: [bool; NONE_SUMS],
    /// Strength of the ridge: with 2 a coefficient of 1 costs one nat.
    pub ridge: f64,
}

impl Free {
    /// All of them.
    #[must_use]
    pub fn all() -> Self {
        let sorts = Sort::ALL.into_iter().map(|sort| (sort, [true; SUMS])).collect();
        Free { sorts, none: [true; NONE_SUMS], ridge: 2.0 }
    }
}

/// The model with coefficients of greatest likelihood; `lambda`, `alpha` and `rho` stay.
#[must_use]
pub fn fit(start: &Model, free: &Free, trials: &[Trial<'_>]) -> Model {
    let sorts: Vec<Sort> = start.sorts.keys().copied().collect();
    let mut rows: Vec<Row> = trials.iter().map(|trial| row(start, &sorts, trial)).collect();
    let size = sorts.len() * SUMS + NONE_SUMS;
    let of = |sort: &Sort| free.sorts.get(sort).copied().unwrap_or([false; SUMS]);
    let is_free: Vec<bool> = sorts.iter().flat_map(of).chain(free.none).collect();
    for row in &mut rows {
        row.hold(&is_free);
    }
    let mut beta = vec![0.0; size];
    for _ in 0..STEPS {
        let (gradient, hessian) = derivatives(&rows, &beta, free.ridge);
        let step = solve(hessian, gradient);
        let length = step.iter().map(|x| x * x).sum::<f64>().sqrt();
        // A long first step can overshoot where the likelihood is flat.
        let scale = if length > 2.0 { 2.0 / length } else { 1.0 };
        for (b, s) in beta.iter_mut().zip(&step) {
            *b += scale * s;
        }
        if length < 1e-9 {
            break;
        }
    }
    let mut fitted = start.clone();
    let mut values = beta.into_iter();
    for sort in &sorts {
        let own: [f64; SUMS] = std::array::from_fn(|_| values.next().unwrap_or_default());
        fitted.sorts.insert(*sort, own);
    }
    fitted.none = std::array::from_fn(|_| values.next().unwrap_or_default());
    fitted
}

impl Row {
    /// Takes out what is not to be fitted: the ridge keeps its coefficient at zero.
    fn hold(&mut self, is_free: &[bool]) {
        for line in self.groups.iter_mut().chain([&mut self.none]) {
            for (value, _) in line.iter_mut().zip(is_free).filter(|one| !*one.1) {
                *value = 0.0;
            }
        }
    }
}

fn row(model: &Model, sorts: &[Sort], trial: &Trial<'_>) -> Row {
    let number = numbers(&trial.features);
    let size = sorts.len() * SUMS + NONE_SUMS;
    let groups = (0..trial.profiles.groups.len())
        .map(|group| {
            let mut x = vec![0.0; size];
            for feature in &trial.features {
                let sort = Sort::of(&feature.key.0);
                let Some(at) = sorts.iter().position(|one| *one == sort) else { continue };
                let effect = design(model, sort, number.get(&sort).copied().unwrap_or(1));
                let own = sums(trial.profiles, group, &feature.key, model);
                for (place, value) in x.iter_mut().skip(at * SUMS).zip(own) {
                    *place += value / effect;
                }
            }
            x
        })
        .collect();
    let mut none = vec![0.0; size];
    for (place, value) in none.iter_mut().skip(sorts.len() * SUMS).zip(none_sums(&number)) {
        *place = value;
    }
    Row { groups, none, right: trial.right.clone() }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

/// Gradient and negative Hessian of the penalised log likelihood.
fn derivatives(rows: &[Row], beta: &[f64], ridge: f64) -> (Vec<f64>, Vec<Vec<f64>>) {
    let size = beta.len();
    let mut gradient: Vec<f64> = beta.iter().map(|b| -ridge * b).collect();
    let mut hessian = vec![vec![0.0; size]; size];
    for (at, line) in hessian.iter_mut().enumerate() {
        if let Some(place) = line.get_mut(at) {
            *place = ridge;
        }
    }
    for row in rows {
        for is_known in [true, false] {
            let left_out = |at: usize| !is_known && row.right.contains(&at);
            let candidates = (0..row.groups.len()).filter(|at| !left_out(*at)).count().max(1);
            let each = -(candidates as f64).ln();
            let mut options: Vec<(&[f64], f64, bool)> = vec![(&row.none, 0.0, !is_known)];
            for (at, x) in row.groups.iter().enumerate().filter(|one| !left_out(one.0)) {
                options.push((x, each, is_known && row.right.contains(&at)));
            }
            add_choice(&options, beta, &mut gradient, &mut hessian);
        }
    }
    (gradient, hessian)
}

/// One choice among options: regressors, prior, whether it is right.
fn add_choice(
    options: &[(&[f64], f64, bool)],
    beta: &[f64],
    gradient: &mut [f64],
    hessian: &mut [Vec<f64>],
) {
    let logs: Vec<f64> = options.iter().map(|(x, prior, _)| dot(x, beta) + prior).collect();
    let most = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let all: f64 = logs.iter().map(|log| (log - most).exp()).sum();
    let right: f64 =
        logs.iter().zip(options).filter(|one| one.1.2).map(|(log, _)| (log - most).exp()).sum();
    let size = beta.len();
    let (mut mean, mut target) = (vec![0.0; size], vec![0.0; size]);
    for (log, (x, _, is_right)) in logs.iter().zip(options) {
        let share = (log - most).exp() / all;
        for (place, value) in mean.iter_mut().zip(*x) {
            *place += share * value;
        }
        if *is_right && right > 0.0 {
            for (place, value) in target.iter_mut().zip(*x) {
                *place += (log - most).exp() / right * value;
            }
        }
    }
    for ((place, t), m) in gradient.iter_mut().zip(&target).zip(&mean) {
        *place += t - m;
    }
    for (log, (x, ..)) in logs.iter().zip(options) {
        let share = (log - most).exp() / all;
        if share < 1e-9 {
            continue;
        }
        for ((line, a), ma) in hessian.iter_mut().zip(*x).zip(&mean) {
            let da = share * (a - ma);
            for ((place, b), mb) in line.iter_mut().zip(*x).zip(&mean) {
                *place += da * (b - mb);
            }
        }
    }
}

/// Gaussian elimination with pivoting; the matrix is positive definite because of the ridge.
fn solve(mut matrix: Vec<Vec<f64>>, mut right: Vec<f64>) -> Vec<f64> {
    let size = right.len();
    for column in 0..size {
        let pivot = (column..size)
            .max_by(|a, b| {
                let at = |row: usize| {
                    matrix.get(row).and_then(|line| line.get(column)).map_or(0.0, |x| x.abs())
                };
                at(*a).total_cmp(&at(*b))
            })
            .unwrap_or(column);
        matrix.swap(column, pivot);
        right.swap(column, pivot);
        let Some(lead) = matrix.get(column).cloned() else { continue };
        let (Some(head), Some(value)) = (lead.get(column).copied(), right.get(column).copied())
        else {
            continue;
        };
        for row in 0..size {
            if row == column || head == 0.0 {
                continue;
            }
            let Some(line) = matrix.get_mut(row) else { continue };
            let factor = line.get(column).copied().unwrap_or_default() / head;
            for (place, value) in line.iter_mut().zip(&lead) {
                *place -= factor * value;
            }
            if let Some(place) = right.get_mut(row) {
                *place -= factor * value;
            }
        }
    }
    (0..size)
        .map(|at| {
            let head = matrix.get(at).and_then(|line| line.get(at)).copied().unwrap_or(1.0);
            right.get(at).copied().unwrap_or_default() / head
        })
        .collect()
}
