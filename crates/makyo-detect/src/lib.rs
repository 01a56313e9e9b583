//! Events to findings.
//!
//! Rules look at one record at a time, over its native field names. Analytics look at behaviour
//! that no single record shows: each keeps its group-by as SQL text beside the Rust that reads the
//! rows, and reaches the case only through [`makyo_base::Query`].

mod analytic;
mod finding_json;
mod merge;
mod ruleset;
mod weights;

pub use analytic::{ANALYTICS, Analytic, run_analytics};
pub use finding_json::{finding_from_object, finding_object};
pub use merge::{FINDING_RECORDS_MAX, merge_findings};
pub use ruleset::{DetectState, Match, RuleSet, Served, entities_of};
pub use weights::Weights;

#[cfg(test)]
mod tests;
