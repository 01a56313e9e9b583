//! What is judged by hand about the edge: `edge` in `knowledge/weights.yml`.

use makyo_base::MINUTE_NS;
use makyo_sigma::{Diagnostic, Node};

/// Thresholds of the edge.
#[derive(Clone, PartialEq, Debug, Default)]
pub(crate) struct EdgeScale {
    /// Days of logins before a place can be new to somebody.
    pub(crate) history_days: usize,
    /// Days from places of a kind that make it somebody's habit.
    pub(crate) habit_days: usize,
    /// Decibans of a first login from a rented machine that are told.
    pub(crate) hosting_least: f64,
    /// Share of an account's days that makes a network its own.
    pub(crate) own_share: f64,
    /// Nanoseconds side by side where flows show that both sessions live.
    pub(crate) parallel_seen: i64,
    /// The same where no flow shows it: longer than products keep a session whose client is gone.
    pub(crate) parallel_unseen: i64,
    /// Days on which an account ran two sessions side by side before: then it is its habit.
    pub(crate) parallel_days: usize,
    /// Hours in which a new place outside is called before it is told.
    pub(crate) outward_hours: i64,
}

impl EdgeScale {
    /// Reads the section.
    pub(crate) fn load(section: Option<&Node>, line: usize) -> Result<Self, Diagnostic> {
        let number = |name: &str| {
            let text = section.and_then(|node| node.get(name)).and_then(Node::text);
            text.and_then(|text| text.parse::<f64>().ok()).ok_or_else(|| {
                Diagnostic::at(line, format!("weight is missing or no number: `edge.{name}`"))
            })
        };
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small counts")]
        let count = |name: &str| number(name).map(|number| number.clamp(0.0, 1e6) as usize);
        #[allow(clippy::cast_possible_truncation, reason = "minutes of some weeks")]
        let minutes =
            |name: &str| number(name).map(|number| number.clamp(0.0, 1e6) as i64 * MINUTE_NS);
        Ok(EdgeScale {
            history_days: count("history_days")?,
            habit_days: count("habit_days")?,
            hosting_least: number("hosting_least")?,
            own_share: number("own_share")?,
            parallel_seen: minutes("parallel_seen_minutes")?,
            parallel_unseen: minutes("parallel_unseen_minutes")?,
            parallel_days: count("parallel_days")?,
            outward_hours: i64::try_from(count("outward_hours")?).unwrap_or(i64::MAX),
        })
    }
}
