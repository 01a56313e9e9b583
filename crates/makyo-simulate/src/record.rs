//! Records in the form in which each product writes them.

pub(crate) mod directory;
pub(crate) mod edge_gate;
pub(crate) mod fortigate;
pub(crate) mod sign_in;
pub(crate) mod unified;
pub(crate) mod vpn;
pub(crate) mod windows;
pub(crate) mod zeek;
