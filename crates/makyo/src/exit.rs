//! Exit status, a contract with scripts.

use std::process::ExitCode;

/// How a run ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Exit {
    /// 0: done.
    Done,
    /// 1: done, and something at or above `--fail-on` was found.
    Found,
    /// 2: could not do it.
    CouldNotRun,
    /// 3: done, but some evidence could not be read.
    Unread,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(match exit {
            Exit::Done => 0,
            Exit::Found => 1,
            Exit::CouldNotRun => 2,
            Exit::Unread => 3,
        })
    }
}

impl Exit {
    /// `--fail-on` counts before unread evidence: a script that asks for it must hear of it.
    pub(crate) fn of(found: bool, unread: bool) -> Self {
        match (found, unread) {
            (true, _) => Exit::Found,
            (false, true) => Exit::Unread,
            (false, false) => Exit::Done,
        }
    }
}
