//! The case: events, findings and answers as Parquet tables, a manifest, a custody log, and SQL.
//!
//! DataFusion stops here: other crates see [`makyo_base::Query`] and plain rows.
//!
//! **Invariant**: whatever is committed is whole. Files are written aside, synced and renamed; a
//! run that was killed leaves a case that says it is incomplete and goes on where it stopped.

mod artifact_writer;
mod case;
mod consolidate;
mod custody;
mod error;
mod schema;
mod sql;
mod table;

pub use artifact_writer::{ArtifactCounts, ArtifactWriter};
pub use case::{Case, EvidenceFile, Manifest, Mismatch, STATE_COMPLETE};
pub use consolidate::Consolidated;
pub use custody::CustodyLog;
pub use error::CaseError;
pub use sql::TextTable;

#[cfg(test)]
mod tests;
