//! Hosts: what the records of several hosts, or of several kinds, show together.

pub(crate) mod records_missing;
pub(crate) mod remote_execution;
