//! Much sent to an outside address that hardly anybody else reaches, and what was collected
//! from inside before.

use std::collections::BTreeMap;

use crate::address::Side;
use crate::channel::{Channel, Ground};
use crate::flow::TICKS_PER_SECOND;

const DAY_TICKS: u64 = 86_400 * TICKS_PER_SECOND;
/// Less than this is kept for comparison only.
const COMPARED_BYTES: u64 = 64 << 10;
/// So much is bulk.
const BULK_BYTES: u64 = 50 << 20;

/// What one source sent to one outside address.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct RawBulk {
    pub(crate) source: u32,
    pub(crate) target: u32,
    pub(crate) bytes_out: u64,
    pub(crate) bytes_in: u64,
    pub(crate) first: u64,
    pub(crate) last: u64,
    pub(crate) first_place: u32,
    pub(crate) last_place: u32,
    /// Bytes from inside hosts in the day before the last flow.
    pub(crate) collected: u64,
}

/// What to compare with: how much is sent to outside addresses, in steps of a tenth of a decade.
pub(crate) type Usual = BTreeMap<u32, u64>;

fn step(bytes: u64) -> u32 {
    ((bytes.max(1) as f64).log10() * 10.0) as u32
}

/// Sums what a source sends, by outside address.
pub(crate) fn bulk(
    source: u32,
    out: &[Channel],
    ground: Ground<'_>,
    to: &mut Vec<RawBulk>,
    usual: &mut Usual,
) {
    let side = |id: u32| ground.own.side(ground.addresses.get(id));
    let mut by_target: BTreeMap<u32, RawBulk> = BTreeMap::new();
    for one in out.iter().filter(|one| one.bytes_out >= COMPARED_BYTES / 8) {
        if side(one.target) != Side::Outside {
            continue;
        }
        let sum = by_target.entry(one.target).or_insert(RawBulk {
            source,
            target: one.target,
            bytes_out: 0,
            bytes_in: 0,
            first: one.first,
            last: one.last,
            first_place: one.first_place,
            last_place: one.last_place,
            collected: 0,
        });
        sum.bytes_out += one.bytes_out;
        sum.bytes_in += one.bytes_in;
        if one.last > sum.last {
            sum.last = one.last;
            sum.last_place = one.last_place;
        }
    }
    for mut sum in by_target.into_values().filter(|sum| sum.bytes_out >= COMPARED_BYTES) {
        *usual.entry(step(sum.bytes_out)).or_insert(0) += 1;
        let is_one_way = sum.bytes_out >= 9 * sum.bytes_in;
        if sum.bytes_out < BULK_BYTES || !is_one_way {
            continue;
        }
        sum.collected = out
            .iter()
            .filter(|one| side(one.target) == Side::Inside)
            .filter(|one| one.first <= sum.last && one.last + DAY_TICKS >= sum.first)
            .map(|one| one.bytes_in)
            .sum();
        to.push(sum);
    }
}

/// How many robust deviations an amount lies above what is usual.
pub(crate) fn deviations(bytes: u64, usual: &Usual) -> f64 {
    let total: u64 = usual.values().sum();
    let median = quantile(usual, total / 2);
    let mut away: BTreeMap<u32, u64> = BTreeMap::new();
    for (step, count) in usual {
        *away.entry(step.abs_diff(median)).or_insert(0) += count;
    }
    // With few amounts the spread is not known: a decade is taken for it.
    let spread = if total < 20 { 10 } else { quantile(&away, total / 2).max(5) };
    (f64::from(step(bytes)) - f64::from(median)) / (1.4826 * f64::from(spread))
}

fn quantile(of: &BTreeMap<u32, u64>, rank: u64) -> u32 {
    let mut seen = 0;
    for (step, count) in of {
        seen += count;
        if seen > rank {
            return *step;
        }
    }
    of.keys().next_back().copied().unwrap_or(0)
}

/// Whether what was collected is about what was sent.
pub(crate) fn is_staged(bulk: &RawBulk) -> bool {
    bulk.collected >= bulk.bytes_out / 2 && bulk.collected <= bulk.bytes_out.saturating_mul(2)
}
