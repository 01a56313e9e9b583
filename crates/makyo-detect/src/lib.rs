//! Events to findings.
//!
//! Rules look at one record at a time, over its native field names. Analytics look at behaviour
//! that no single record shows: each keeps its group-by as SQL text beside the Rust that reads the
//! rows, and reaches the case only through [`makyo_base::Query`]. Indicators are what others
//! publish: [`read_indicators`] reads them, [`IndicatorSet`] puts events to them.

mod analytic;
mod finding_json;
mod indicator;
mod merge;
mod ruleset;
mod weights;

pub use analytic::{ANALYTICS, Analytic, run_analytics};
pub use finding_json::{finding_from_object, finding_object};
pub use indicator::{
    Guards, INTEL_BYTES_MAX, Indicator, IndicatorKind, IndicatorMatch, IndicatorSet,
    IndicatorValue, Intel, Observed, Standing, WINDOW_MARGIN_NS, later_than_evidence,
    read_indicators,
};
pub use merge::{FINDING_RECORDS_MAX, merge_findings};
pub use ruleset::{Match, RuleSet, entities_of};
pub use weights::Weights;

#[cfg(test)]
mod tests;
