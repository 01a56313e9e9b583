//! One module a command.

pub(crate) mod attribute;
pub(crate) mod detect;
pub(crate) mod events;
pub(crate) mod help;
pub(crate) mod investigate;
pub(crate) mod link;
pub(crate) mod report;
pub(crate) mod rules;
pub(crate) mod show;
pub(crate) mod simulate;
pub(crate) mod sources;
pub(crate) mod sql;
pub(crate) mod verify;
pub(crate) mod watch;

/// A command of the contract that this version does not have says so.
pub(crate) fn later(command: &str) -> anyhow::Error {
    anyhow::anyhow!("`makyo {command}` is not in this version")
}
