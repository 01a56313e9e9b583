//! What is wrong with a rule or a source description, and where.

use std::fmt;

/// One mistake in a data file.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Diagnostic {
    /// The file, as the user named it.
    pub file: String,
    /// Line, counted from 1; 0 where the file as a whole is meant.
    pub line: usize,
    /// What is wrong, lower case, values last.
    pub message: String,
}

impl Diagnostic {
    /// A mistake on a line; the file is filled in by the one who opened it.
    #[must_use]
    pub fn at(line: usize, message: impl Into<String>) -> Self {
        Diagnostic { file: String::new(), line, message: message.into() }
    }

    /// The same mistake with its file.
    #[must_use]
    pub fn in_file(mut self, file: &str) -> Self {
        file.clone_into(&mut self.file);
        self
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "{}:{}: {}", self.file, self.line, self.message)
    }
}

impl std::error::Error for Diagnostic {}
