//! Own devices that serve a botnet.
//!
//! A published controller convicts by itself, within its time and where it is no shared host. A
//! controller that nobody listed looks exactly like a vendor's telemetry: many devices call it
//! regularly. What telemetry does not have is an infection: a stranger's connection from outside
//! to the device, something fetched from another stranger, and only then the first call, by devices
//! that lived without the destination before. Such chains are counted against those that chance
//! gives, and where they do not stand out nobody is accused.

use std::net::IpAddr;

use makyo_base::DAY_NS;
use rustc_hash::FxHashMap;

use crate::address::{Ranges, Side};
use crate::channel::{Channel, Ground};
use crate::flow::{TICK_NS, TICKS_PER_SECOND};
use crate::options::Listed;
use crate::shared::{Candidate, is_regular};

const MINUTE: u64 = 60 * TICKS_PER_SECOND;
/// From the stranger's connection to the first call.
const ENTERED_TICKS: u64 = 60 * MINUTE;
/// From the stranger's connection to what was fetched.
const FETCHED_TICKS: u64 = 15 * MINUTE;
/// What a program for a small device weighs, bytes.
const PROGRAM: std::ops::RangeInclusive<u64> = 15_000..=6_000_000;
/// A device that lived so long without a destination did not need it.
const LIFE_TICKS: u64 = 120 * MINUTE;
/// Before the first and after the last time of a published address.
const EARLY_NS: i64 = 7 * DAY_NS;
const LATE_NS: i64 = 14 * DAY_NS;
/// A device with an own purpose talks to few strangers.
const PEERS_MAX: usize = 30;
/// A relay passes on at least so much.
const RELAY_BYTES: u64 = 5 << 20;

/// Published controllers, ready to be asked.
#[derive(Debug, Default)]
pub(crate) struct ListedSet {
    v4: FxHashMap<u32, Vec<usize>>,
    wide: Vec<usize>,
    wide_ranges: Ranges,
    all: Vec<Listed>,
}

impl ListedSet {
    pub(crate) fn new(all: &[Listed]) -> Self {
        let mut set = ListedSet { all: all.to_vec(), ..ListedSet::default() };
        let mut wide = Vec::new();
        for (index, one) in all.iter().enumerate() {
            match one.net {
                ipnet::IpNet::V4(net) if net.prefix_len() == 32 => {
                    set.v4.entry(net.addr().to_bits()).or_default().push(index);
                }
                net => {
                    set.wide.push(index);
                    wide.push(net);
                }
            }
        }
        set.wide_ranges = Ranges::new(&wide);
        set
    }

    pub(crate) fn get(&self, index: usize) -> Option<&Listed> {
        self.all.get(index)
    }

    /// The publication that holds for an address in a time, ticks.
    fn find(&self, address: IpAddr, first: u64, last: u64) -> Option<usize> {
        let direct = match address {
            IpAddr::V4(v4) => self.v4.get(&v4.to_bits()).map(Vec::as_slice).unwrap_or_default(),
            IpAddr::V6(_) => &[],
        };
        let wide: &[usize] = if self.wide_ranges.contains(address) { &self.wide } else { &[] };
        let holds = |index: &&usize| {
            self.get(**index).is_some_and(|one| {
                let at = |ticks: u64| i64::try_from(ticks).unwrap_or(i64::MAX / TICK_NS) * TICK_NS;
                one.net.contains(&address)
                    && one.from.is_none_or(|from| at(last) >= from.saturating_sub(EARLY_NS))
                    && one.until.is_none_or(|until| at(first) <= until.saturating_add(LATE_NS))
            })
        };
        direct.iter().chain(wide).find(holds).copied()
    }
}

/// How a device was entered, as far as flows tell.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Entry {
    pub(crate) from: u32,
    pub(crate) at: u64,
    pub(crate) place: u32,
    /// From where it fetched something then, and the record.
    pub(crate) fetched: Option<(u32, u32)>,
}

/// A device's use of a destination that many share or that is listed.
#[derive(Clone, Copy, PartialEq, Debug)]
#[allow(clippy::struct_excessive_bools, reason = "each is one fact about the use")]
pub(crate) struct Use {
    pub(crate) device: u32,
    pub(crate) channel: Channel,
    /// Which candidate, or which publication.
    pub(crate) index: usize,
    pub(crate) is_listed: bool,
    pub(crate) is_novel: bool,
    pub(crate) is_small: bool,
    pub(crate) scans: bool,
    pub(crate) entry: Option<Entry>,
    /// Chance of a chain, and of an entry alone, in millionths.
    pub(crate) chance: u64,
    pub(crate) chance_entry: u64,
}

/// Two halves of what a relay passes on.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct RawRelay {
    pub(crate) device: u32,
    pub(crate) inward: Channel,
    pub(crate) outward: Channel,
}

/// A device's channels.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Device<'a> {
    pub(crate) id: u32,
    /// Begun by it, sorted by their beginning.
    pub(crate) out: &'a [Channel],
    /// Begun from outside, sorted by their beginning.
    pub(crate) inward: &'a [Channel],
    pub(crate) scans: bool,
}

/// The device's life and its strangers.
struct Life {
    first: u64,
    last: u64,
    is_small: bool,
    entered: Vec<Entry>,
    fetched: Vec<(u64, u32, u32)>,
}

fn life(device: &Device<'_>, ground: Ground<'_>) -> Life {
    let all = || device.out.iter().chain(device.inward);
    let outside = |id: u32| ground.own.side(ground.addresses.get(id)) == Side::Outside;
    let peers = device.out.iter().filter(|one| one.is_answered() && outside(one.target)).count();
    let entered: Vec<Entry> = device
        .inward
        .iter()
        .filter(|one| one.is_answered() && one.protocol() == 6)
        // Whom the device called before is no stranger.
        .filter(|one| {
            !device.out.iter().any(|out| out.target == one.source && out.first < one.first)
        })
        .map(|one| Entry { from: one.source, at: one.first, place: one.first_place, fetched: None })
        .collect();
    let fetched = device
        .out
        .iter()
        .filter(|one| PROGRAM.contains(&one.bytes_in) && outside(one.target))
        .map(|one| (one.first, one.target, one.first_place))
        .collect();
    Life {
        first: all().map(|one| one.first).min().unwrap_or(0),
        last: all().map(|one| one.last).max().unwrap_or(0),
        is_small: peers <= PEERS_MAX || !entered.is_empty(),
        entered,
        fetched,
    }
}

/// The uses of candidates and of published controllers.
pub(crate) fn uses(
    device: &Device<'_>,
    candidates: &[Candidate],
    listed: &ListedSet,
    ground: Ground<'_>,
    to: &mut Vec<Use>,
) {
    let mut known: Option<Life> = None;
    for channel in device.out {
        let key = Candidate { target: channel.target, service: channel.service };
        let shared = candidates.binary_search(&key).ok();
        let address = ground.addresses.get(channel.target);
        let published = if listed.all.is_empty() {
            None
        } else {
            listed
                .find(address, channel.first, channel.last)
                .filter(|_| ground.own.side(address) == Side::Outside)
        };
        for (index, is_listed) in [(shared, false), (published, true)] {
            let Some(index) = index else { continue };
            let life = known.get_or_insert_with(|| life(device, ground));
            to.push(of_channel(device, channel, index, is_listed, life));
        }
    }
}

fn of_channel(
    device: &Device<'_>,
    channel: &Channel,
    index: usize,
    is_listed: bool,
    life: &Life,
) -> Use {
    let began = channel.first;
    let entry = life
        .entered
        .iter()
        .rev()
        .filter(|entry| entry.at <= began && began - entry.at <= ENTERED_TICKS)
        .filter(|entry| entry.from != channel.target)
        .map(|entry| {
            let fetched = life.fetched.iter().find(|one| {
                one.0 >= entry.at && one.0 - entry.at <= FETCHED_TICKS && one.0 <= began + MINUTE
            });
            Entry { fetched: fetched.map(|one| (one.1, one.2)), ..*entry }
        })
        .max_by_key(|entry| (entry.fetched.is_some(), entry.at));
    let span = (life.last - life.first).max(ENTERED_TICKS) as f64;
    let rate = |count: usize, within: u64| {
        // The chain's own halves are not counted against it.
        let others = count.saturating_sub(usize::from(entry.is_some())) as f64 + 0.05;
        1.0 - (-others * within as f64 / span).exp()
    };
    let by_entry = rate(life.entered.len(), ENTERED_TICKS);
    let by_fetch = rate(life.fetched.len(), FETCHED_TICKS);
    let millionths = |chance: f64| (chance * 1e6).round().max(100.0) as u64;
    Use {
        device: device.id,
        channel: *channel,
        index,
        is_listed,
        is_novel: began.saturating_sub(life.first) >= LIFE_TICKS,
        is_small: life.is_small,
        scans: device.scans,
        entry,
        chance: millionths(by_entry * by_fetch),
        chance_entry: millionths(by_entry),
    }
}

/// Inbound and outbound channels of as many bytes at the same time, both with strangers.
pub(crate) fn relay(device: &Device<'_>, ground: Ground<'_>, to: &mut Vec<RawRelay>) {
    const TUNNELS: [u16; 6] = [500, 1194, 1701, 1723, 4500, 51820];
    let outside = |id: u32| ground.own.side(ground.addresses.get(id)) == Side::Outside;
    let address = ground.addresses.get(device.id);
    if ground.own.appliances.contains(address) || device.inward.is_empty() {
        return;
    }
    let is_alike = |a: u64, b: u64| a.max(b) - a.min(b) <= a.max(b) / 10;
    let mut found = device
        .inward
        .iter()
        .filter(|one| one.bytes_out + one.bytes_in >= RELAY_BYTES && !TUNNELS.contains(&one.port()))
        .filter_map(|inward| {
            let outward = device.out.iter().find(|out| {
                outside(out.target)
                    && out.target != inward.source
                    && out.first <= inward.last
                    && inward.first <= out.last
                    && is_alike(out.bytes_out, inward.bytes_out)
                    && is_alike(out.bytes_in, inward.bytes_in)
            })?;
            Some(RawRelay { device: device.id, inward: *inward, outward: *outward })
        });
    // Once may be chance.
    if let (Some(first), Some(_)) = (found.next(), found.next()) {
        to.push(first);
    }
}

/// What the uses of one candidate say together.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub(crate) struct Verdict {
    pub(crate) devices: u32,
    pub(crate) regular: u32,
    pub(crate) novel: u32,
    pub(crate) chains: u32,
    pub(crate) by_chance: f64,
    pub(crate) scanners: u32,
    pub(crate) nlp: f64,
    pub(crate) is_accused: bool,
    pub(crate) reason: &'static str,
}

/// Minus log10 of the chance of at least `seen` where `expected` would come (Chernoff's bound for
/// sums of independent events).
fn surprise(seen: f64, expected: f64) -> f64 {
    if seen <= expected {
        return 0.0;
    }
    let expected = expected.max(1e-6);
    (seen * (seen / expected).ln() - seen + expected) / std::f64::consts::LN_10
}

/// From this significance on coincidences are a cause.
const SURPRISE: f64 = 6.0;

/// Judges a destination by the uses that its callers make of it. `scanners` of all `devices` scan.
pub(crate) fn judge(uses: &[Use], scanners: u64, all_devices: u64) -> Verdict {
    let count = |what: &dyn Fn(&Use) -> bool| {
        u32::try_from(uses.iter().filter(|one| what(one)).count()).unwrap_or(u32::MAX)
    };
    let devices = count(&|_| true);
    let chains = count(&|one| one.is_novel && one.entry.is_some_and(|e| e.fetched.is_some()));
    let entered = count(&|one| one.is_novel && one.entry.is_some());
    let sum = |of: fn(&Use) -> u64| uses.iter().map(of).sum::<u64>() as f64 / 1e6;
    let by_chance = sum(|one| one.chance);
    let of_chains = surprise(f64::from(chains), by_chance);
    let of_entries = surprise(f64::from(entered), sum(|one| one.chance_entry));
    let scanning = count(&|one| one.scans);
    // Its own callers do not make scanning usual.
    let others = scanners.saturating_sub(u64::from(scanning)) as f64 / all_devices.max(1) as f64;
    let of_scans = surprise(f64::from(scanning), f64::from(devices) * others.max(1e-3));
    let mut verdict = Verdict {
        devices,
        regular: count(&|one| is_regular(&one.channel)),
        novel: count(&|one| one.is_novel),
        chains,
        by_chance,
        scanners: scanning,
        nlp: of_chains.max(of_entries),
        is_accused: false,
        reason: "",
    };
    let share = |part: u32| f64::from(part) / f64::from(devices.max(1));
    let by_chains = chains >= 3 && share(chains) >= 0.3 && of_chains >= SURPRISE;
    let by_entries = entered >= 5 && share(entered) >= 0.6 && of_entries >= 2.0 * SURPRISE;
    let by_scans = scanning >= 3
        && share(scanning) >= 0.5
        && of_scans >= SURPRISE
        && share(verdict.novel) >= 0.5;
    verdict.reason = if by_chains {
        "its callers were entered from outside and fetched something just before their first call"
    } else if by_entries {
        "its callers were entered from outside just before their first call"
    } else if by_scans {
        "its callers began to call it lately, and most of them scan"
    } else if share(verdict.novel) < 0.3 {
        "its callers have called it since they are seen, as devices call their vendor"
    } else {
        "nothing shows that its callers were entered before they began to call it"
    };
    verdict.is_accused = by_chains || by_entries || by_scans;
    verdict
}

/// Whether a use of an accused destination makes the device a member.
pub(crate) fn is_member(one: &Use) -> bool {
    is_regular(&one.channel) || one.entry.is_some() || (one.is_novel && one.channel.flows >= 5)
}

/// From this regularity on a call to a published controller needs no other sign.
const CALLS_NLP: f32 = 4.0;

/// Whether a use of a published controller makes the device a member. Somebody who reads a page on
/// an address that was published is none: the device must call like a clock, or have been entered,
/// or be one of a single purpose that reaches what is said to be a botnet's.
pub(crate) fn is_listed_member(one: &Use, is_botnet: bool, is_shared: bool) -> bool {
    let answered = one.channel.answered;
    let calls = answered >= 3 && one.channel.nlp >= CALLS_NLP && (one.is_small || is_botnet);
    let was_entered = answered >= 1 && one.is_small && one.entry.is_some();
    let has_purpose = answered >= 3 && one.is_small && is_botnet;
    !is_shared && (calls || was_entered || has_purpose)
}
