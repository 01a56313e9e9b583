//! Bytes to findings, by YARA rules.
//!
//! Each file of rules is compiled by itself into a namespace of its own, so that a mistake in one
//! costs the others nothing. Content is scanned within a named size and a given time; what was not
//! looked at to its end is an error that becomes a [`makyo_base::Defect`], never silence.
//!
//! **Invariant**: no content makes a scan panic outwards, and the same rules and bytes give the
//! same matches in the same order.

mod error;
mod finding;
mod rules;
mod scan;

pub use error::{YaraError, YaraProblem};
pub use finding::{YaraMatch, YaraString};
pub use rules::{RuleInfo, YaraRules};
pub use scan::{FileScan, SCAN_BYTES_MAX, STRINGS_MAX};

#[cfg(test)]
mod tests;
