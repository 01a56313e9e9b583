//! What is usual for a sender, and how unusual a message is against it.

use std::collections::BTreeMap;

use super::message::{CLIENT, MailMessage};

/// Weight of what is usual for everybody in the estimate of what is usual for one.
const PRIOR: f64 = 2.0;
/// Values kept of one feature; a sender with more has no habit there.
const VALUES_MAX: usize = 64;

/// How often each value of each feature was seen.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Profile {
    /// Messages in it.
    pub count: usize,
    values: BTreeMap<&'static str, BTreeMap<String, usize>>,
}

impl Profile {
    /// Adds a message.
    pub fn add(&mut self, message: &MailMessage) {
        self.count += 1;
        for name in CLIENT {
            self.note(name, message.text(name));
        }
        for name in ["servers", "first_from", "signers", "language", "greeting", "signature"] {
            self.note(name, message.text(name));
        }
        self.note("hop", &message.hop);
    }

    fn note(&mut self, name: &'static str, value: &str) {
        let values = self.values.entry(name).or_default();
        if values.len() < VALUES_MAX || values.contains_key(value) {
            *values.entry(value.to_owned()).or_default() += 1;
        }
    }

    /// How often a value was seen.
    #[must_use]
    pub fn seen(&self, name: &str, value: &str) -> f64 {
        let count = |value: &str| {
            self.values.get(name).and_then(|values| values.get(value)).copied().unwrap_or_default()
        };
        if name == "zone" {
            // Summer time moves a clock by an hour without its owner.
            return count(value) as f64
                + 0.7 * neighbours(value).iter().map(|near| count(near) as f64).sum::<f64>();
        }
        count(value) as f64
    }

    /// How many values a feature took.
    #[must_use]
    pub fn variety(&self, name: &str) -> usize {
        self.values.get(name).map_or(0, BTreeMap::len)
    }

    /// The value that was seen most often.
    #[must_use]
    pub fn usual(&self, name: &str) -> (&str, usize) {
        let values = self.values.get(name).map(BTreeMap::iter).into_iter().flatten();
        let most = values.max_by_key(|(value, count)| (**count, std::cmp::Reverse(value.as_str())));
        most.map_or(("", 0), |(value, count)| (value.as_str(), *count))
    }
}

/// The offsets an hour away.
fn neighbours(zone: &str) -> Vec<String> {
    let minutes = |zone: &str| -> Option<i32> {
        let hours: i32 = zone.get(1..3)?.parse().ok()?;
        let rest: i32 = zone.get(3..5)?.parse().ok()?;
        Some((hours * 60 + rest) * if zone.starts_with('-') { -1 } else { 1 })
    };
    let Some(own) = minutes(zone) else { return Vec::new() };
    // From the Gulf to Japan no clock is moved in summer: an hour there is another country.
    if (4 * 60..=9 * 60).contains(&own) {
        return Vec::new();
    }
    let write = |minutes: i32| {
        let sign = if minutes < 0 { '-' } else { '+' };
        format!("{sign}{:02}{:02}", minutes.abs() / 60, minutes.abs() % 60)
    };
    vec![write(own - 60), write(own + 60)]
}

/// How far a message is from its sender's past, feature by feature.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Distance {
    /// For each of [`CLIENT`]: the logarithm of how much likelier the value is for anybody than
    /// for this sender, and whether the sender never had it.
    pub parts: Vec<(f64, bool)>,
    /// Messages of the past.
    pub count: usize,
}

impl Distance {
    /// Measures.
    #[must_use]
    pub fn of(message: &MailMessage, own: &Profile, everybody: &Profile) -> Self {
        let parts = CLIENT.iter().map(|name| {
            let value = message.text(name);
            // A plain message has no boundary, and one with parts no character set of its own;
            // that says nothing of the program.
            if matches!(*name, "boundary" | "charset" | "coding") && value.is_empty() {
                return (0.0, false);
            }
            let kinds = everybody.variety(name).max(1) as f64;
            let general =
                (everybody.seen(name, value) + 0.5) / (everybody.count as f64 + 0.5 * kinds);
            let seen = own.seen(name, value);
            let special = (seen + PRIOR * general) / (own.count as f64 + PRIOR);
            ((general / special).ln().clamp(-4.0, 8.0), seen == 0.0)
        });
        Distance { parts: parts.collect(), count: own.count }
    }

    /// The numbers that the model weighs: two for each feature, how many are new, and how long the
    /// history is.
    #[must_use]
    pub fn inputs(&self) -> Vec<f64> {
        let mut inputs = Vec::with_capacity(self.parts.len() * 2 + 3);
        for (ratio, is_new) in &self.parts {
            inputs.push(*ratio);
            inputs.push(f64::from(u8::from(*is_new)));
        }
        let new = self.new_features().len() as f64;
        inputs.push(new);
        inputs.push((new - 2.0).max(0.0));
        inputs.push((self.count as f64).ln_1p());
        inputs
    }

    /// The names of features whose value the sender never had.
    #[must_use]
    pub fn new_features(&self) -> Vec<&'static str> {
        CLIENT.iter().zip(&self.parts).filter(|(_, part)| part.1).map(|(name, _)| *name).collect()
    }
}
