//! The Sigma language: rules, filters, correlations and selections, read with positions; what looks
//! at one record is compiled to predicates.
//!
//! Two stages speak it: source descriptions decide by it what a record is, and detection decides
//! by it what a record means. This crate knows neither; it reads the text, compiles it and
//! evaluates it over a record's native fields.
//! Follows the Sigma specification 2.1 (sigmahq.io).

mod check;
mod condition;
mod correlation;
mod diagnostic;
mod document;
mod explain;
mod filter;
mod fold;
mod grams;
mod line_regex;
mod literals;
mod modifier;
mod normal_form;
mod pattern;
mod placeholder;
mod plan;
mod predicate;
mod program;
mod required;
mod rule;
mod selection;
mod time_part;
mod value;
mod values;
mod witness;
mod yaml;

pub use check::{Check, Numbered};
pub use condition::Condition;
pub use correlation::{
    Alias, Bound, Comparison, Correlation, CorrelationKind, Decimal, Expression, Measure, Presence,
};
pub use diagnostic::Diagnostic;
pub use document::{Documents, Reference, load_documents, load_rules, load_rules_with};
pub use explain::{Held, explain};
pub use filter::{Filter, FilterRules, apply_filters};
pub use line_regex::LineRegex;
pub use pattern::Pattern;
pub use placeholder::Placeholders;
pub use plan::{Fields, Matcher, Plan, PlanBuilder};
pub use predicate::{Predicate, Test};
pub use rule::{Logsource, Rule, ServedLogsource, tactics, techniques};
pub use selection::{Selection, detection_expression};
pub use time_part::TimePart;
pub use values::{Scratch, Values};
pub use yaml::{Node, load_yaml};

#[cfg(test)]
mod tests;
