//! A scenario, a seed and a scale to the logs of an organisation that does not exist, with the
//! truth behind them; and a case's answers with that truth to figures.
//!
//! The output is a pure function of scenario, seed and scale. It holds log records only.

mod act;
mod chip_maker;
mod decoy;
mod estate;
mod evidence;
mod flows;
mod habit;
mod hosts;
mod intrusion;
mod mail;
mod moment;
mod organisation;
mod people;
mod place;
mod random;
mod record;
mod scenario;
mod score;
mod staff;
mod think_tank;
mod truth;

use std::io;
use std::path::{Path, PathBuf};

pub use flows::{FlowScenario, simulate_flows};
pub use scenario::{Options, Scenario, Summary, simulate};
pub use score::{Score, score};
pub use truth::{Gap, Rung};

/// A file that cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file system said no.
    #[error("cannot {what}: `{}`: {reason}", path.display())]
    File {
        /// What was tried.
        what: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        reason: io::Error,
    },
    /// A file is not what it should be.
    #[error("cannot read: `{}`: {reason}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
}

impl Error {
    pub(crate) fn file(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |reason| Error::File { what, path, reason }
    }
}

#[cfg(test)]
mod tests;
