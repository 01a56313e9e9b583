//! What can go wrong with a case on disk.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

/// The case cannot be read or written.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CaseError {
    /// The system refused a file.
    #[error("cannot {what} `{path}`: {reason}")]
    File {
        /// What was tried.
        what: &'static str,
        /// On which file.
        path: PathBuf,
        /// The system's reason.
        reason: io::Error,
    },
    /// There is no case here.
    #[error("no case here: `{0}` has no case.json")]
    Missing(PathBuf),
    /// The case was made by a run that did not finish.
    #[error("case is incomplete: `{0}`; run the same `makyo investigate` again to finish it")]
    Incomplete(PathBuf),
    /// A file of the case does not read as it was written.
    #[error("case file is damaged: `{path}`: {reason}")]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The engine failed on a table of the case.
    #[error("table cannot be processed: `{path}`: {reason}")]
    Engine {
        /// Which file or table.
        path: PathBuf,
        /// The engine's message.
        reason: String,
    },
}

impl CaseError {
    pub(crate) fn file(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> CaseError {
        let path = path.to_owned();
        move |reason| CaseError::File { what, path, reason }
    }

    pub(crate) fn engine<E: std::fmt::Display>(path: &Path) -> impl FnOnce(E) -> CaseError {
        let path = path.to_owned();
        move |reason| CaseError::Engine { path, reason: reason.to_string() }
    }
}
