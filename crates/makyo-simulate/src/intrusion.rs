//! The intrusion into the agency: a VPN appliance, servers, the directory, then the cloud in other
//! people's names.

mod plan;
mod servers;

mod cloud;

pub(crate) use cloud::in_cloud;
pub(crate) use plan::{Depth, Plan, Way};
pub(crate) use servers::{cleared_at, enter, on_servers, outside, taken_out, tunnel, workstation};
