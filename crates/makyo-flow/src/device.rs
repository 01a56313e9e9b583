//! Channels by device: everything that is judged from one device's point of view.

use crate::address::Side;
use crate::channel::{Channel, Ground};
use crate::exfil::{RawBulk, Usual, bulk};
use crate::lateral::{EDGES_MAX, Edge, is_admin};
use crate::member::{Device, ListedSet, RawRelay, Use, relay, uses};
use crate::scan::{RawScan, scan, spreads};
use crate::shared::Candidate;
use crate::watch::{RawHour, hours};

/// What one thread gathers from its partitions.
#[derive(Debug, Default)]
pub(crate) struct OfDevices {
    pub(crate) devices: u64,
    pub(crate) scanning: u64,
    /// Devices with an own purpose that talk to few strangers, and the others.
    pub(crate) scans: Vec<RawScan>,
    pub(crate) uses: Vec<Use>,
    pub(crate) relays: Vec<RawRelay>,
    pub(crate) bulk: Vec<RawBulk>,
    pub(crate) usual: Usual,
    pub(crate) edges: Vec<Edge>,
    pub(crate) hours: Vec<RawHour>,
}

/// The device that a channel belongs to: its source if that is inside, else its inside target.
pub(crate) fn device_of(channel: &Channel, ground: Ground<'_>) -> Option<u32> {
    let is_inside = |id: u32| ground.own.side(ground.addresses.get(id)) == Side::Inside;
    if is_inside(channel.source) {
        return Some(channel.source);
    }
    is_inside(channel.target).then_some(channel.target)
}

/// Looks at all devices of a partition.
pub(crate) fn of_partition(
    channels: Vec<Channel>,
    candidates: &[Candidate],
    listed: &ListedSet,
    ground: Ground<'_>,
    to: &mut OfDevices,
) {
    let mut keyed: Vec<(u32, Channel)> = channels
        .into_iter()
        .filter_map(|channel| Some((device_of(&channel, ground)?, channel)))
        .collect();
    keyed.sort_unstable_by_key(|(device, one)| {
        (*device, *device != one.source, one.first, one.target, one.source, one.service)
    });
    let mut group: Vec<Channel> = Vec::new();
    for of_one in keyed.chunk_by(|a, b| a.0 == b.0) {
        let Some(id) = of_one.first().map(|one| one.0) else { continue };
        group.clear();
        group.extend(of_one.iter().map(|one| one.1));
        let own = group.partition_point(|one| one.source == id);
        let (out, inward) = group.split_at(own);
        of_device(id, out, inward, candidates, listed, ground, to);
    }
}

#[allow(clippy::too_many_arguments, reason = "what a device is judged by")]
fn of_device(
    id: u32,
    out: &[Channel],
    inward: &[Channel],
    candidates: &[Candidate],
    listed: &ListedSet,
    ground: Ground<'_>,
    to: &mut OfDevices,
) {
    to.devices += 1;
    let scanner = scan(id, out, ground);
    let scans = scanner.is_some() || spreads(out, ground);
    let device = Device { id, out, inward, scans };
    to.scanning += u64::from(device.scans);
    to.scans.extend(scanner);
    uses(&device, candidates, listed, ground, &mut to.uses);
    relay(&device, ground, &mut to.relays);
    bulk(id, out, ground, &mut to.bulk, &mut to.usual);
    let address = ground.addresses.get(id);
    if ground.own.is_watched(address) {
        hours(id, out, ground, &mut to.hours);
    }
    let is_step = |one: &&Channel| {
        is_admin(one.port())
            && one.protocol() == 6
            && one.is_answered()
            && ground.own.side(ground.addresses.get(one.target)) == Side::Inside
    };
    if to.edges.len() < EDGES_MAX {
        to.edges.extend(out.iter().filter(is_step).map(Edge::of));
    }
}
