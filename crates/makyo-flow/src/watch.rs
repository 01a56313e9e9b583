//! What a watched address (of a VPN pool, an appliance) reaches inside for the first time, by hour.

use crate::address::Side;
use crate::channel::{Channel, Ground};
use crate::flow::TICKS_PER_SECOND;
use crate::lateral::is_admin;

const HOUR_TICKS: u64 = 3600 * TICKS_PER_SECOND;

/// New contacts in one hour.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct RawHour {
    pub(crate) source: u32,
    pub(crate) hour: u64,
    pub(crate) new_hosts: u32,
    pub(crate) new_ports: u32,
    pub(crate) admin_ports: u32,
    pub(crate) place: u32,
}

/// Counts a source's first contacts; `out` is sorted by beginning.
pub(crate) fn hours(source: u32, out: &[Channel], ground: Ground<'_>, to: &mut Vec<RawHour>) {
    let mut met = std::collections::BTreeSet::new();
    let is_inside =
        |one: &&Channel| ground.own.side(ground.addresses.get(one.target)) == Side::Inside;
    for one in out.iter().filter(is_inside) {
        let hour = one.first / HOUR_TICKS * HOUR_TICKS;
        let is_new = met.insert(one.target);
        let place = one.first_place;
        match to.last_mut() {
            Some(last) if last.source == source && last.hour == hour => {
                last.new_hosts += u32::from(is_new);
                last.new_ports += 1;
                last.admin_ports += u32::from(is_admin(one.port()));
            }
            _ => to.push(RawHour {
                source,
                hour,
                new_hosts: u32::from(is_new),
                new_ports: 1,
                admin_ports: u32::from(is_admin(one.port())),
                place,
            }),
        }
    }
}
