//! What is wrong with rules, and what kept content from being looked at.

use std::fmt;
use std::path::PathBuf;

use makyo_base::{Defect, DefectKind, Position};

/// One mistake in a file of rules, or one rule that cannot be used here.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct YaraProblem {
    /// The file, as the user named it.
    pub file: String,
    /// Line, counted from 1; 0 where the file as a whole is meant.
    pub line: usize,
    /// What is wrong.
    pub reason: String,
}

impl fmt::Display for YaraProblem {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "{}:{}: {}", self.file, self.line, self.reason)
    }
}

/// Why content was not looked at to its end.
#[derive(Debug, thiserror::Error)]
pub enum YaraError {
    /// It is larger than what is scanned.
    #[error("content is larger than {max} bytes, rules were not put to it: {size}")]
    TooLarge {
        /// Its size in bytes.
        size: u64,
        /// The most that is scanned.
        max: u64,
    },
    /// The time ran out.
    #[error("rules did not come to an end within {seconds} seconds, so they may fit or not")]
    Timeout {
        /// The time that was given.
        seconds: u64,
    },
    /// The system did not let us read it.
    #[error("cannot read `{}`: {reason}", path.display())]
    Unreadable {
        /// The path.
        path: PathBuf,
        /// The system's reason.
        reason: std::io::Error,
    },
    /// The engine failed on these bytes.
    #[error("rules could not be put to the content: {0}")]
    Failed(String),
}

impl YaraError {
    /// The defect that tells it.
    #[must_use]
    pub fn defect(&self, file: &str, position: Position, name: &str) -> Defect {
        let kind = match self {
            YaraError::TooLarge { .. } | YaraError::Timeout { .. } => DefectKind::Limit,
            YaraError::Unreadable { .. } => DefectKind::Unreadable,
            YaraError::Failed(_) => DefectKind::OurBug,
        };
        let detail = if name.is_empty() { self.to_string() } else { format!("`{name}`: {self}") };
        Defect { file: file.to_owned(), position, kind, detail }
    }
}
