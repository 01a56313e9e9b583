//! Events to findings.
//!
//! Rules look at one record at a time, over its native field names. Correlations look at matches of
//! rules, as Sigma texts say. Analytics look at behaviour
//! that no single record shows: each keeps its group-by as SQL text beside the Rust that reads the
//! rows, and reaches the case only through [`makyo_base::Query`]. Indicators are what others
//! publish: [`read_indicators`] reads them, [`IndicatorSet`] puts events to them.

mod analytic;
mod correlation;
mod finding_json;
mod indicator;
mod merge;
mod ruleset;
mod sessions;
mod weights;

/// What the mail analytic measures, for those who fit and test its model.
pub mod mail {
    pub use crate::analytic::mail::message::{CLIENT, MailMessage};
    pub use crate::analytic::mail::model::{DriftModel, HISTORY_MIN};
    pub use crate::analytic::mail::profile::{Distance, Profile};
    pub use crate::analytic::mail::verdicts;
}

pub use analytic::{ANALYTICS, Analytic, run_analytics};
pub use correlation::{
    CorrelationError, CorrelationHit, CorrelationMatch, CorrelationState, CorrelationTally,
    Correlations, HITS_IN_MEMORY_MAX, WINDOW_HITS_MAX, Wanted, field_text, hit_from_object,
    hit_object,
};
pub use finding_json::{finding_from_object, finding_object};
pub use indicator::{
    Guards, INTEL_BYTES_MAX, Indicator, IndicatorKind, IndicatorMatch, IndicatorSet,
    IndicatorValue, Intel, Observed, Standing, WINDOW_MARGIN_NS, later_than_evidence,
    read_indicators,
};
pub use merge::{FINDING_RECORDS_MAX, merge_findings};
pub use ruleset::{
    Census, DetectState, Match, Reach, RuleSet, RuleView, Served, entities_of, reference,
};
pub use sessions::{
    Began, RemoteSession, RemoteSessions, SESSION_COLUMNS, remote_sessions, session_rows,
};
pub use weights::Weights;

#[cfg(test)]
mod tests;
