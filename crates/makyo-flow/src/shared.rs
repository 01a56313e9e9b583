//! Channels by destination: how many share it, which of its callers are suspicious, which
//! destinations may control devices.

use std::net::IpAddr;

use makyo_base::{AddressClass, Places as _};
use rustc_hash::FxHashMap;

use crate::address::Side;
use crate::channel::{Channel, Draft, Fans, Ground, habit};
use crate::flow::TICKS_PER_SECOND;
use crate::intel::AddressLists;

/// What is known of all channels before destinations are looked at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Crowd<'a> {
    pub(crate) ground: Ground<'a>,
    pub(crate) lists: &'a AddressLists,
    /// Inside sources.
    pub(crate) devices: usize,
    pub(crate) habits: &'a FxHashMap<(u32, i32), u32>,
    pub(crate) fans: &'a Fans,
    /// Sorted by target, service, source.
    pub(crate) drafts: &'a [Draft],
}

/// A beacon before its addresses and records are written out.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct RawBeacon {
    pub(crate) channel: Channel,
    pub(crate) draft: Draft,
    pub(crate) suspicion: f64,
    pub(crate) sources: u32,
    pub(crate) is_outside: bool,
    pub(crate) benign: Option<&'static str>,
}

/// A destination that may control devices.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Candidate {
    pub(crate) target: u32,
    pub(crate) service: u32,
}

/// What one thread gathers from its partitions.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) beacons: Vec<RawBeacon>,
    pub(crate) beacons_in_all: u64,
    pub(crate) candidates: Vec<Candidate>,
    /// Inside sources of destinations to which much was sent.
    pub(crate) sources: FxHashMap<u32, u32>,
}

/// From this significance on a channel is in the table.
pub(crate) const BEACON_NLP: f64 = 1.0;
/// From this one on it bears witness where others do too.
const REGULAR_NLP: f64 = 2.0;
/// So many beacons are kept; a table longer than that is read by nobody.
const BEACONS_MAX: usize = 5_000;
/// A destination to which less was sent is no bulk.
pub(crate) const BULK_BYTES: u64 = 10 << 20;
/// So many devices make a destination shared.
const SHARED_LEAST: usize = 3;

/// Ports whose traffic is regular by design.
const CLOCKWORK: [u16; 20] = [
    53, 67, 68, 88, 123, 137, 138, 161, 162, 389, 464, 514, 546, 547, 636, 1900, 3268, 5353, 5355,
    6514,
];

pub(crate) fn is_clockwork(port: u16) -> bool {
    CLOCKWORK.contains(&port)
}

/// Looks at all channels of a partition by target.
pub(crate) fn scan(channels: &mut [Channel], crowd: Crowd<'_>, found: &mut Found) {
    channels.sort_unstable_by_key(|one| (one.target, one.service, one.source));
    for group in channels.chunk_by(|a, b| a.target == b.target) {
        of_target(group, crowd, found);
    }
}

fn of_target(group: &[Channel], crowd: Crowd<'_>, found: &mut Found) {
    let Some(first) = group.first() else { return };
    let target = crowd.ground.addresses.get(first.target);
    let side = crowd.ground.own.side(target);
    let mut sources: Vec<u32> = group.iter().map(|channel| channel.source).collect();
    sources.sort_unstable();
    sources.dedup();
    let count = u32::try_from(sources.len()).unwrap_or(u32::MAX);
    if group.iter().any(|channel| channel.bytes_out >= BULK_BYTES) {
        found.sources.insert(first.target, count);
    }
    for channel in group.iter().filter(|channel| f64::from(channel.nlp) >= BEACON_NLP) {
        found.beacons_in_all += 1;
        let key = |draft: &Draft| (draft.target, draft.service, draft.source);
        let at = crowd
            .drafts
            .binary_search_by_key(&(channel.target, channel.service, channel.source), key);
        let Some(draft) = at.ok().and_then(|at| crowd.drafts.get(at)) else { continue };
        let (suspicion, benign) = suspicion(channel, draft, count, side, crowd);
        found.beacons.push(RawBeacon {
            channel: *channel,
            draft: *draft,
            suspicion,
            sources: count,
            is_outside: side == Side::Outside,
            benign,
        });
    }
    if found.beacons.len() > 4 * BEACONS_MAX {
        keep_best(&mut found.beacons);
    }
    if side == Side::Outside {
        for service in group.chunk_by(|a, b| a.service == b.service) {
            candidate(service, crowd, found);
        }
    }
}

/// Sorts beacons, most suspicious first, and keeps so many.
pub(crate) fn keep_best(beacons: &mut Vec<RawBeacon>) {
    let key = |one: &RawBeacon| (one.channel.source, one.channel.target, one.channel.service);
    beacons.sort_unstable_by(|a, b| {
        b.suspicion.total_cmp(&a.suspicion).then_with(|| key(a).cmp(&key(b)))
    });
    beacons.truncate(BEACONS_MAX);
}

/// How rare a destination is among the devices: 1 for one caller, a quarter for two in a hundred.
fn rarity(sources: u32, devices: usize) -> f64 {
    let common = (0.02 * devices as f64).max(4.0);
    let share = 1.0 - f64::from(sources.max(1)).ln() / common.ln();
    share.clamp(0.0, 1.0) * 0.75 + 0.25
}

fn suspicion(
    channel: &Channel,
    draft: &Draft,
    sources: u32,
    side: Side,
    crowd: Crowd<'_>,
) -> (f64, Option<&'static str>) {
    let nlp = f64::from(channel.nlp);
    let regular = 0.9 * nlp.min(12.0) / 12.0 + 0.1 * nlp.min(60.0) / 60.0;
    let from = crowd.ground.own.side(crowd.ground.addresses.get(channel.source));
    let period = habit(channel.period);
    let alike = (period - 1..=period + 1)
        .filter_map(|period| crowd.habits.get(&(channel.service, period)))
        .sum::<u32>();
    let shared = f64::from(alike);
    let fan = (period - 1..=period + 1)
        .filter_map(|period| crowd.fans.get(&(channel.source, channel.service, period)))
        .sum::<u32>();
    // Everybody's port says nothing about a habit; there the destination must be shared too.
    let is_web = matches!(channel.port(), 80 | 443 | 8080 | 8443);
    let is_shared = f64::from(sources) >= (0.02 * crowd.devices as f64).max(4.0);
    let is_habit = shared >= (0.05 * crowd.devices as f64).max(8.0) && (!is_web || is_shared);
    let (role, benign) = if side == Side::Nobody {
        (0.1, Some("multicast or broadcast"))
    } else if fan
        >= if side == Side::Inside {
            2
        } else if is_web {
            8
        } else {
            4
        }
    {
        (0.1, Some("the source calls many alike: monitoring"))
    } else if is_clockwork(channel.port()) || matches!(channel.protocol(), 1 | 2 | 58) {
        (0.15, Some("a service that is regular by design"))
    } else if is_habit {
        (0.15, Some("many devices have the same habit"))
    } else if from != Side::Inside {
        (0.4, Some("begun from outside"))
    } else if side == Side::Inside && is_old(channel, crowd) {
        (0.3, Some("inside, from the first to the last hour of the log"))
    } else if channel.answered == 0 && channel.failed > 0 {
        // A service that is gone is asked for again and again.
        (0.4, Some("never answered"))
    } else {
        (1.0, None)
    };
    // Programs send the same each time, and people do not.
    let same = 0.95 + 0.05 * f64::from(draft.same_size) / 1000.0;
    // Seconds of retries are no call home, and somebody reads for minutes: an hour counts in full.
    let lasting = (f64::from(draft.active_s).ln_1p() / 3600.0_f64.ln_1p()).min(1.0);
    (regular * rarity(sources, crowd.devices) * role * same * lasting, benign)
}

/// Whether a channel is as old as the log and lasts as long.
fn is_old(channel: &Channel, crowd: Crowd<'_>) -> bool {
    let ticks = |second: i64| u64::try_from(second).unwrap_or(0) * TICKS_PER_SECOND;
    let (first, last) = (ticks(crowd.ground.first_second), ticks(crowd.ground.last_second));
    let edge = (last - first) / 20;
    channel.first <= first + edge && channel.last + edge >= last
}

/// A destination that several devices call regularly on one port.
fn candidate(group: &[Channel], crowd: Crowd<'_>, found: &mut Found) {
    let Some(first) = group.first() else { return };
    if is_clockwork(first.port()) || matches!(first.protocol(), 1 | 2 | 58) {
        return;
    }
    let is_inside = |channel: &&Channel| {
        crowd.ground.own.side(crowd.ground.addresses.get(channel.source)) == Side::Inside
    };
    let own: Vec<&Channel> = group.iter().filter(is_inside).collect();
    let regular = own.iter().filter(|channel| is_regular(channel)).count();
    if own.len() >= SHARED_LEAST && regular >= SHARED_LEAST && regular * 2 >= own.len() {
        found.candidates.push(Candidate { target: first.target, service: first.service });
    }
}

/// Regular enough where others bear witness to the same.
pub(crate) fn is_regular(channel: &Channel) -> bool {
    f64::from(channel.nlp) >= REGULAR_NLP
}

/// What lists say of an address.
pub(crate) fn class(address: IpAddr, crowd: Crowd<'_>) -> Option<AddressClass> {
    crowd.lists.class(address)
}
