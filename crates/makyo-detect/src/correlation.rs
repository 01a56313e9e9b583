//! Correlations: matches of rules that say together what none says alone (Sigma Correlation Rules
//! Specification).
//!
//! While records are decoded, each match of a rule that a correlation names becomes a
//! [`CorrelationHit`] in a [`CorrelationState`]. After the last record the hits are put in the order
//! of correlation, group, time and record, and walked once. What comes out depends on the hits
//! alone: not on the order in which they came, nor on how many threads gathered them, nor on how
//! many fitted into memory.
//!
//! # What a correlation means
//!
//! * Time is the record's own time. A timespan slides: two hits are within it if they are at most so
//!   far apart. At each time at which there is a hit, the *window* is all hits of the group from one
//!   timespan before up to that time, those of the same time included.
//! * Groups are told apart by the exact values of their fields. A hit in which every field to group
//!   by is empty belongs to no group and is counted apart: what everybody shares joins nothing.
//! * One record that several files hold is one hit; one that meets two of the rules is a hit of each.
//! * A match is an *episode*: it begins with the first hit of the window in which the condition
//!   became true, and lasts until a window in which it is false, or until a timespan passes without
//!   a hit. It is told once, however many hits keep it going.
//! * Of a number that grows with every hit (a count, a sum), `gt`, `gte` and the lower side of `eq`
//!   decide when an episode begins and ends. Before it has ended nobody knows how large the number
//!   becomes, so `lt`, `lte`, `eq` and `neq` are judged then, by the largest window of the episode.
//!   Without a lower side an episode is any run of hits that are at most a timespan apart. What did
//!   not happen at all has neither a time nor a group and cannot be told.
//! * A mean, a median and a percentile do not grow with every hit, so every bound is judged in every
//!   window. The median of an even count is the mean of the two in the middle; a percentile is by
//!   nearest rank.
//! * `temporal` sees which rules have a hit in the window. Where its condition has a `not`, the rule
//!   must be absent for a timespan before and a timespan after: a hit that makes the condition false
//!   within a timespan of the window in which it became true takes the match back. The end of the
//!   log counts as absence.
//! * `temporal_ordered` wants all rules in the window, each not before the one named before it;
//!   equal times are in order.
//! * A match of one correlation is a hit of another one at the time of its last record. The other one
//!   can group only by what the first one grouped by.

mod compile;
mod evaluate;
mod gauge;
mod hit_json;
mod spool;

use std::fmt;
use std::io;
use std::path::PathBuf;

use makyo_base::{Entity, Finding, FindingSource, Level, RecordRef, RuleRef, hex, short_id};
use makyo_sigma::{Correlation, Decimal, tactics, techniques};

pub use self::compile::{Correlations, Wanted, field_text};
pub use self::hit_json::{hit_from_object, hit_object};
pub use self::spool::{CorrelationState, HITS_IN_MEMORY_MAX};

use crate::weights::Weights;

/// So many hits of one group are held at a time. Beyond it the oldest leave a window early, which is
/// counted; a condition that needs more is refused.
pub const WINDOW_HITS_MAX: usize = 100_000;

/// So many records of a match go on into the match of a correlation that builds on it: hits that are
/// matches wait in memory.
const CHAIN_RECORDS_MAX: usize = 10;

/// One match of a rule, as a correlation sees it. Hits are ordered as they are evaluated.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct CorrelationHit {
    /// The correlation, by its place among [`Correlations`].
    pub correlation: usize,
    /// The values of the fields to group by.
    pub group: Vec<String>,
    /// When, nanoseconds since 1970.
    pub time: i64,
    /// The rule, by its place in the correlation's list.
    pub place: usize,
    /// The record's identity: the same in every file that holds it.
    pub identity: [u8; 16],
    /// The record; several where the hit is a match of another correlation.
    pub records: Vec<RecordRef>,
    /// The values of the condition's fields; none where it has no field.
    pub values: Vec<String>,
    /// The entities that the record names.
    pub entities: Vec<Entity>,
}

/// One episode in which a correlation's condition held.
#[derive(Clone, PartialEq, Debug)]
pub struct CorrelationMatch {
    /// The correlation, by its place among [`Correlations`].
    pub correlation: usize,
    /// The values of the fields that it groups by.
    pub group: Vec<String>,
    /// Time of the first hit.
    pub first: i64,
    /// When the condition became true.
    pub opened: i64,
    /// Time of the last hit.
    pub last: i64,
    /// How many hits.
    pub hits: u64,
    /// Records of the first hits, at most [`crate::FINDING_RECORDS_MAX`].
    pub records: Vec<RecordRef>,
    /// The number that the condition is about: the largest one of a count or sum, the first one of
    /// a mean, median or percentile; for `temporal` types, how many rules matched.
    pub value: Decimal,
    /// The entities that all hits share.
    pub entities: Vec<Entity>,
    /// The first record's identity.
    pub identity: [u8; 16],
}

/// What was and was not evaluated.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct CorrelationTally {
    /// Hits that took part.
    pub hits: u64,
    /// Matches of rules in records without a time.
    pub untimed: u64,
    /// Hits in which every field to group by is empty.
    pub ungrouped: u64,
    /// Hits without a value, or with something else than a number where one is needed.
    pub valueless: u64,
    /// Hits in records that another file holds too.
    pub copies: u64,
    /// Hits that left a window early because it was full.
    pub cut: u64,
}

impl CorrelationTally {
    fn add(&mut self, other: CorrelationTally) {
        self.hits += other.hits;
        self.untimed += other.untimed;
        self.ungrouped += other.ungrouped;
        self.valueless += other.valueless;
        self.copies += other.copies;
        self.cut += other.cut;
    }
}

/// Hits could not be spooled.
#[derive(Debug)]
pub struct CorrelationError {
    /// The file or folder.
    pub path: PathBuf,
    /// Why.
    pub source: io::Error,
}

impl fmt::Display for CorrelationError {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "cannot spool matches: `{}`: {}", self.path.display(), self.source)
    }
}

impl std::error::Error for CorrelationError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}

impl CorrelationMatch {
    /// The finding of this match; `correlation` is the one that [`Correlations::get`] gives.
    #[must_use]
    pub fn finding(&self, correlation: &Correlation, weights: &Weights) -> Finding {
        let level = correlation.level.unwrap_or(Level::Medium);
        let mut records = self.records.clone();
        records.sort();
        records.dedup();
        let mut entities = self.entities.clone();
        entities.sort();
        Finding {
            id: self.id(correlation),
            time: Some(self.first),
            source: FindingSource::Sigma,
            rule: RuleRef { id: correlation.id.clone(), title: correlation.title.clone(), level },
            techniques: techniques(&correlation.tags),
            tactics: tactics(&correlation.tags),
            entities,
            weight_db: weights.level(level),
            explained_by: None,
            records,
            text: self.sentence(correlation),
        }
    }

    /// The same for the same records, whatever files they lie in.
    fn id(&self, correlation: &Correlation) -> String {
        let identity = hex(&self.identity);
        // A mean can rise, fall and rise again while the first record stays in the window.
        let opened = self.opened.to_string();
        let mut parts = vec![correlation.id.as_str()];
        parts.extend(self.group.iter().map(String::as_str));
        parts.extend([identity.as_str(), opened.as_str()]);
        short_id("finding", &parts)
    }

    /// `Title: TargetUserName alice, Computer fs01 (25 matches)`.
    fn sentence(&self, correlation: &Correlation) -> String {
        let parts: Vec<String> = correlation
            .group_by
            .iter()
            .zip(&self.group)
            .filter(|pair| !pair.1.is_empty())
            .map(|(field, value)| format!("{field} {value}"))
            .collect();
        let matches = if self.hits == 1 { "match" } else { "matches" };
        if parts.is_empty() {
            format!("{} ({} {matches})", correlation.title, self.hits)
        } else {
            format!("{}: {} ({} {matches})", correlation.title, parts.join(", "), self.hits)
        }
    }
}
