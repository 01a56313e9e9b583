//! Flow records to channels, beacons, scanners, members of botnets.
//!
//! [`analyse`] reads flow logs as text, packs each flow into 32 bytes, scatters them by channel,
//! sorts and scans. All results are small, sorted and lead back to records.

mod address;
mod analyse;
mod beacon;
mod channel;
mod device;
mod dns;
mod exfil;
mod flow;
mod intel;
mod lateral;
mod member;
mod options;
mod read;
mod results;
mod rita;
mod scan;
mod shared;
mod spill;
mod watch;

pub use analyse::analyse;
pub use beacon::{Regularity, Rhythm, regularity};
pub use flow::{Flow, State};
pub use intel::AddressLists;
pub use options::{FlowPages, Input, Listed, Options, Scope};
pub use read::{FlowFormat, flow_format};
pub use results::{
    Beacon, Bulk, Controller, DnsTunnel, Hop, HourOfReach, Lack, LateralPath, Member, MemberReason,
    PoolSpan, Results, Scan, Unread,
};
pub use rita::{RitaScore, rita_score};

#[cfg(test)]
mod tests;
