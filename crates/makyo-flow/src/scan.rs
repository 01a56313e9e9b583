//! Who scans: threshold random walk over first contacts (Jung and others, 2004), and how many
//! destinations or ports failed at once.

use rustc_hash::FxHashSet;

use crate::address::{Own, Side};
use crate::channel::{Channel, Ground};
use crate::flow::TICKS_PER_SECOND;

/// Chance that a first contact succeeds for somebody benign, and for a scanner.
const BENIGN: f64 = 0.8;
const SCANNER: f64 = 0.2;
/// The walk says "scanner" above this: natural logarithm of 0.99 / 1e-5.
const ALARM: f64 = 11.5;

const AT_ONCE_TICKS: u64 = 600 * TICKS_PER_SECOND;
const DAY_TICKS: u64 = 86_400 * TICKS_PER_SECOND;
/// The floors below which nobody is told to scan.
const HOSTS_AT_ONCE: u32 = 25;
const PORTS_OF_ONE: u32 = 15;
const HOSTS_IN_A_DAY: u32 = 60;

/// A scanner before its addresses are written out.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct RawScan {
    pub(crate) source: u32,
    pub(crate) failed: u32,
    pub(crate) succeeded: u32,
    pub(crate) hosts_at_once: u32,
    pub(crate) port: u16,
    pub(crate) ports_of_one: u32,
    pub(crate) one: u32,
    pub(crate) hosts_in_a_day: u32,
    pub(crate) log_odds: f64,
    pub(crate) is_inside: bool,
    pub(crate) first: u64,
    pub(crate) last: u64,
    pub(crate) places: Vec<u32>,
}

/// Looks at a source's channels, sorted by their beginning.
pub(crate) fn scan(source: u32, out: &[Channel], ground: Ground<'_>) -> Option<RawScan> {
    // Only TCP says whether a contact failed.
    let tcp = || out.iter().filter(|channel| channel.protocol() == 6);
    let failing: Vec<&Channel> = tcp().filter(|one| one.outcome() == Some(false)).collect();
    if failing.len() < PORTS_OF_ONE as usize {
        return None;
    }
    let (log_odds, failed, succeeded) = walk(tcp());
    if log_odds < ALARM {
        return None;
    }
    let (hosts_at_once, port) = most_at_once(&failing, AT_ONCE_TICKS);
    let (hosts_in_a_day, _) = most_at_once(&failing, DAY_TICKS);
    let (ports_of_one, one) = most_ports(&failing);
    if hosts_at_once < HOSTS_AT_ONCE
        && ports_of_one < PORTS_OF_ONE
        && hosts_in_a_day < HOSTS_IN_A_DAY
    {
        return None;
    }
    let is_own = |channel: &&&Channel| side(ground.own, ground, channel.target) == Side::Inside;
    let inside = failing.iter().filter(is_own).count();
    let place =
        |part: usize| failing.get((failing.len() - 1) * part / 4).map(|one| one.first_place);
    Some(RawScan {
        source,
        failed,
        succeeded,
        hosts_at_once,
        port,
        ports_of_one,
        one,
        hosts_in_a_day,
        log_odds,
        is_inside: inside * 2 > failing.len(),
        first: failing.first().map_or(0, |one| one.first),
        last: failing.iter().map(|one| one.first).max().unwrap_or(0),
        places: (0..=4).filter_map(place).collect(),
    })
}

/// Ports on which small devices are entered, and which nobody uses to reach strangers.
const SPREAD_PORTS: [u16; 9] = [23, 26, 2323, 5555, 7547, 8291, 37215, 52869, 60001];
/// So many strangers on one of them.
const SPREAD_LEAST: usize = 20;

/// Whether a source reaches for many outside hosts on ports of small devices, whatever became of it.
pub(crate) fn spreads(out: &[Channel], ground: Ground<'_>) -> bool {
    let mut strangers: Vec<u32> = out
        .iter()
        .filter(|one| one.protocol() == 6 && SPREAD_PORTS.contains(&one.port()))
        .map(|one| one.target)
        .filter(|target| side(ground.own, ground, *target) == Side::Outside)
        .collect();
    strangers.sort_unstable();
    strangers.dedup();
    strangers.len() >= SPREAD_LEAST
}

fn side(own: &Own, ground: Ground<'_>, id: u32) -> Side {
    own.side(ground.addresses.get(id))
}

/// The highest point of the walk, and the first contacts that failed and succeeded.
fn walk<'a>(out: impl Iterator<Item = &'a Channel>) -> (f64, u32, u32) {
    let up = ((1.0 - SCANNER) / (1.0 - BENIGN)).ln();
    let down = (SCANNER / BENIGN).ln();
    let mut met: FxHashSet<u32> = FxHashSet::default();
    let (mut at, mut highest, mut failed, mut succeeded) = (0.0_f64, 0.0_f64, 0, 0);
    for channel in out {
        let Some(outcome) = channel.outcome() else { continue };
        if !met.insert(channel.target) {
            // A second port of a host that refused the first is what a scan of ports looks like.
            if !outcome {
                at += up / 4.0;
                highest = highest.max(at);
            }
            continue;
        }
        if outcome {
            succeeded += 1;
            at = (at + down).max(0.0);
        } else {
            failed += 1;
            at += up;
        }
        highest = highest.max(at);
    }
    (highest, failed, succeeded)
}

/// The most destinations of one port within a time.
fn most_at_once(failing: &[&Channel], within: u64) -> (u32, u16) {
    let mut by_service: Vec<&&Channel> = failing.iter().collect();
    by_service.sort_unstable_by_key(|one| (one.service, one.first, one.target));
    let mut most = (0, 0);
    for group in by_service.chunk_by(|a, b| a.service == b.service) {
        let mut begin = 0;
        for (end, channel) in group.iter().enumerate() {
            while group.get(begin).is_some_and(|one| one.first + within < channel.first) {
                begin += 1;
            }
            let count = u32::try_from(end + 1 - begin).unwrap_or(u32::MAX);
            if count > most.0 {
                most = (count, channel.port());
            }
        }
    }
    most
}

/// The most ports of one destination.
fn most_ports(failing: &[&Channel]) -> (u32, u32) {
    let mut targets: Vec<u32> = failing.iter().map(|one| one.target).collect();
    targets.sort_unstable();
    targets
        .chunk_by(|a, b| a == b)
        .map(|group| (u32::try_from(group.len()).unwrap_or(u32::MAX), group.first().copied()))
        .max_by_key(|group| (group.0, std::cmp::Reverse(group.1)))
        .map_or((0, 0), |group| (group.0, group.1.unwrap_or(0)))
}
