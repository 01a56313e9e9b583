//! What a set of incidents shows, and how much likelier two sets are of one hand than of two.
//!
//! For each kind an operator draws its values from a distribution of its own, which is itself drawn
//! from a Dirichlet distribution around the prevalence of the values. Integrated over all such
//! distributions, the evidence of a set has a closed form (Dirichlet-multinomial, or Pólya), and
//! the weight of "one hand" against "two hands" is a Bayes factor:
//! `ln B = Σ_v [L(a_v + b_v) − L(a_v) − L(b_v)] − [L(A + B) − L(A) − L(B)]`,
//! with `L(n) = ln Γ(c·p_v + n) − ln Γ(c·p_v)`. A value that both show weighs more the rarer it is,
//! repetition weighs less each time, and a kind that one of both does not show weighs nothing.

use crate::weights::Weights;

/// Counts over a set of incidents.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Profile {
    /// How many incidents.
    pub size: u32,
    /// Value and count, ascending by value.
    pub counts: Vec<(u32, u32)>,
    /// Sum of counts by kind.
    pub totals: Vec<u32>,
    /// Number, sum and direction of working hours, on the circle of a day.
    pub hours: (u32, f64, f64),
}

/// Prevalence of values, and what follows from it.
#[derive(Clone, Debug)]
pub struct Prevalence {
    /// For each value its share among unrelated operators times the kind's concentration.
    pub scaled: Vec<f64>,
    /// For each value its kind.
    pub kind_of: Vec<u8>,
}

impl Prevalence {
    /// From the number of sets, thought to be unrelated, that show each value. A corpus of few
    /// incidents says little about how common something is: until it has enough, a world of values
    /// with the usual prevalence of the kind is added.
    #[must_use]
    pub fn new(sets_with: &[f64], kind_of: &[u8], incidents: usize, weights: &Weights) -> Self {
        let missing = 1.0 - incidents as f64 / weights.link.few_incidents;
        let added = missing.max(0.0) * weights.link.few_world;
        let mut seen = vec![0.0; weights.kinds.len()];
        for (count, kind) in sets_with.iter().zip(kind_of) {
            if let Some(seen) = seen.get_mut(usize::from(*kind)) {
                *seen += *count;
            }
        }
        let scaled = sets_with
            .iter()
            .zip(kind_of)
            .map(|(count, kind)| {
                let of = weights.kinds.get(usize::from(*kind));
                let seen = seen.get(usize::from(*kind)).copied().unwrap_or_default();
                of.map_or(1.0, |of| {
                    // The first set is the operator's own; only others speak of prevalence.
                    let others = (count - 2.0).max(0.0);
                    of.concentration * (others + of.unseen + added * of.prevalence)
                        / (seen + of.world + added)
                })
            })
            .collect();
        Prevalence { scaled, kind_of: kind_of.to_vec() }
    }

    /// How rare a value is, in nats: the weight of the first time that two share it.
    #[must_use]
    pub fn surprise(&self, value: u32) -> f64 {
        let scaled = self.of(value).1;
        ((1.0 + scaled) / scaled).ln()
    }

    fn of(&self, value: u32) -> (usize, f64) {
        let at = value as usize;
        let kind = self.kind_of.get(at).copied().unwrap_or_default();
        (usize::from(kind), self.scaled.get(at).copied().unwrap_or(1.0))
    }
}

impl Profile {
    /// Of one incident.
    #[must_use]
    pub fn one(values: &[u32], hour: Option<f64>, kind_of: &[u8], kinds: usize) -> Self {
        let mut totals = vec![0; kinds];
        for value in values {
            let kind = kind_of.get(*value as usize).copied().unwrap_or_default();
            if let Some(total) = totals.get_mut(usize::from(kind)) {
                *total += 1;
            }
        }
        let hours = hour.map_or((0, 0.0, 0.0), |hour| {
            let angle = hour / 24.0 * std::f64::consts::TAU;
            (1, angle.cos(), angle.sin())
        });
        Profile { size: 1, counts: values.iter().map(|value| (*value, 1)).collect(), totals, hours }
    }

    /// Adds another set.
    pub fn add(&mut self, other: &Profile) {
        let mut merged = Vec::with_capacity(self.counts.len() + other.counts.len());
        let (mut left, mut right) = (self.counts.iter().peekable(), other.counts.iter().peekable());
        while let (Some(a), Some(b)) = (left.peek(), right.peek()) {
            match a.0.cmp(&b.0) {
                std::cmp::Ordering::Less => merged.extend(left.next().copied()),
                std::cmp::Ordering::Greater => merged.extend(right.next().copied()),
                std::cmp::Ordering::Equal => {
                    merged.push((a.0, a.1 + b.1));
                    left.next();
                    right.next();
                }
            }
        }
        merged.extend(left.chain(right).copied());
        self.counts = merged;
        self.size += other.size;
        // A set that was emptied has no totals left.
        self.totals.resize(self.totals.len().max(other.totals.len()), 0);
        for (total, more) in self.totals.iter_mut().zip(&other.totals) {
            *total += more;
        }
        self.hours.0 += other.hours.0;
        self.hours.1 += other.hours.1;
        self.hours.2 += other.hours.2;
    }

    /// Takes one of its incidents out.
    pub fn remove(&mut self, other: &Profile) {
        for (value, count) in &other.counts {
            if let Ok(at) = self.counts.binary_search_by_key(value, |entry| entry.0)
                && let Some(entry) = self.counts.get_mut(at)
            {
                entry.1 = entry.1.saturating_sub(*count);
            }
        }
        self.counts.retain(|entry| entry.1 > 0);
        self.size = self.size.saturating_sub(other.size);
        for (total, less) in self.totals.iter_mut().zip(&other.totals) {
            *total = total.saturating_sub(*less);
        }
        self.hours.0 = self.hours.0.saturating_sub(other.hours.0);
        self.hours.1 -= other.hours.1;
        self.hours.2 -= other.hours.2;
    }

    /// Values of both, with both counts.
    pub fn shared<'a>(&'a self, other: &'a Profile) -> impl Iterator<Item = (u32, u32, u32)> + 'a {
        let (few, many, swapped) = if self.counts.len() <= other.counts.len() {
            (self, other, false)
        } else {
            (other, self, true)
        };
        let mut from = 0;
        few.counts.iter().filter_map(move |(value, count)| {
            let rest = many.counts.get(from..).unwrap_or_default();
            let step = if rest.len() > 8 * few.counts.len() {
                rest.partition_point(|entry| entry.0 < *value)
            } else {
                rest.iter().position(|entry| entry.0 >= *value).unwrap_or(rest.len())
            };
            from += step;
            let found = many.counts.get(from).filter(|entry| entry.0 == *value)?;
            Some(if swapped { (*value, found.1, *count) } else { (*value, *count, found.1) })
        })
    }
}

/// `ln Γ(x + n) − ln Γ(x)`.
#[must_use]
pub fn rising(x: f64, n: u32) -> f64 {
    if n < 12 {
        let product: f64 = (0..n).map(|step| x + f64::from(step)).product();
        if product.is_normal() && product < 1e300 {
            return if n == 0 { 0.0 } else { product.ln() };
        }
    }
    // Below the range where the series of `ln Γ` is exact enough, walk up first.
    let low = (0..12.min(n)).map(|step| (x + f64::from(step)).ln()).sum::<f64>();
    low + if n > 12 { ln_gamma(x + f64::from(n)) - ln_gamma(x + 12.0) } else { 0.0 }
}

/// Stirling's series, for arguments of 12 and more (error below 1e-12).
fn ln_gamma(x: f64) -> f64 {
    let square = 1.0 / (x * x);
    let tail = (1.0 / 12.0 - square * (1.0 / 360.0 - square * (1.0 / 1260.0))) / x;
    (x - 0.5) * x.ln() - x + 0.5 * std::f64::consts::TAU.ln() + tail
}

/// Sums of logarithms by kind, as products: one logarithm for many factors.
struct Products {
    nats: Vec<f64>,
    open: Vec<f64>,
}

/// Counts up to this are multiplied out; for more, the difference of two series is quicker.
const FACTORS_MAX: u32 = 24;

impl Products {
    fn new(kinds: usize) -> Self {
        Products { nats: vec![0.0; kinds], open: vec![1.0; kinds] }
    }

    /// Adds `sign · (ln Γ(x+a+b)·Γ(x) / (Γ(x+a)·Γ(x+b)))`.
    fn add(&mut self, kind: usize, x: f64, (a, b): (u32, u32), is_loss: bool) {
        let (Some(nats), Some(open)) = (self.nats.get_mut(kind), self.open.get_mut(kind)) else {
            return;
        };
        let (few, many) = (a.min(b), a.max(b));
        if few > FACTORS_MAX {
            let term = rising(x, a + b) - rising(x, a) - rising(x, b);
            *nats += if is_loss { -term } else { term };
            return;
        }
        for step in 0..few {
            let low = x + f64::from(step);
            let factor = (low + f64::from(many)) / low;
            *open *= if is_loss { factor.recip() } else { factor };
            if !(1e-200..1e200).contains(open) {
                *nats += open.ln();
                *open = 1.0;
            }
        }
    }
}

/// Nats for one hand, by kind; the last entry is the working hours.
#[must_use]
pub fn by_kind(a: &Profile, b: &Profile, prevalence: &Prevalence, weights: &Weights) -> Vec<f64> {
    let mut products = Products::new(weights.kinds.len());
    for (value, in_a, in_b) in a.shared(b) {
        let (kind, x) = prevalence.of(value);
        products.add(kind, x, (in_a, in_b), false);
    }
    let mut nats = Vec::with_capacity(weights.kinds.len() + 1);
    for (at, kind) in weights.kinds.iter().enumerate() {
        let totals = (a.totals.get(at).copied(), b.totals.get(at).copied());
        let (Some(in_a @ 1..), Some(in_b @ 1..)) = totals else {
            nats.push(0.0);
            continue;
        };
        products.add(at, kind.concentration, (in_a, in_b), true);
        let sum = products.nats.get(at).copied().unwrap_or_default();
        let open = products.open.get(at).copied().unwrap_or(1.0);
        nats.push(kind.temper * (sum + open.ln()));
    }
    nats.push(hours(a, b, weights));
    nats
}

/// Working hours: normal around each operator's own mean, strays aside, against any hour of a day.
fn hours(a: &Profile, b: &Profile, weights: &Weights) -> f64 {
    if a.hours.0 == 0 || b.hours.0 == 0 {
        return 0.0;
    }
    let angle = |hours: (u32, f64, f64)| hours.2.atan2(hours.1);
    let turn = std::f64::consts::TAU;
    let apart = (angle(a.hours) - angle(b.hours)).rem_euclid(turn);
    let apart = apart.min(turn - apart) / turn * 24.0;
    let spread = weights.link.hours_deviation.powi(2)
        * (1.0 / f64::from(a.hours.0) + 1.0 / f64::from(b.hours.0));
    let density = (-apart * apart / (2.0 * spread)).exp() / (turn * spread).sqrt();
    let strays = weights.link.hours_strays;
    ((1.0 - strays) * density * 24.0 + strays).ln()
}

/// Nats to decibans.
#[must_use]
pub fn decibans(nats: f64) -> f64 {
    nats * 10.0 / std::f64::consts::LN_10
}
