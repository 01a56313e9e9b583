//! A sorted partition of flows in runs: what a run leaves is one summary of 80 bytes.

use std::net::IpAddr;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::address::{Addresses, Own, Side};
use crate::beacon::{Regularity, Rhythm, Scratch, TIMES_MAX, of_ticks};
use crate::flow::{Packed, State, TICKS_PER_SECOND, unpack_bytes};
use crate::rita::rita_score;
use crate::spill::Fixed;

/// All flows between two addresses on one port.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Channel {
    pub(crate) source: u32,
    pub(crate) target: u32,
    pub(crate) service: u32,
    pub(crate) flows: u32,
    pub(crate) first: u64,
    pub(crate) last: u64,
    pub(crate) bytes_out: u64,
    pub(crate) bytes_in: u64,
    pub(crate) first_place: u32,
    pub(crate) last_place: u32,
    /// Minus log10 of its regularity's chance, and its period in seconds.
    pub(crate) nlp: f32,
    pub(crate) period: f32,
    pub(crate) answered: u32,
    pub(crate) failed: u32,
    /// What became of the first.
    pub(crate) first_state: u32,
}

impl Channel {
    pub(crate) fn port(&self) -> u16 {
        (self.service >> 16) as u16
    }

    pub(crate) fn protocol(&self) -> u8 {
        (self.service >> 8) as u8
    }

    pub(crate) fn is_answered(&self) -> bool {
        self.answered > 0
    }

    /// Whether the first contact succeeded, where the log says.
    pub(crate) fn outcome(&self) -> Option<bool> {
        match self.first_state {
            1 => Some(true),
            2 | 3 => Some(false),
            _ => None,
        }
    }
}

impl Fixed for Channel {
    const BYTES: usize = 76;

    fn put(&self, to: &mut Vec<u8>) {
        for long in [self.first, self.last, self.bytes_out, self.bytes_in] {
            to.extend_from_slice(&long.to_le_bytes());
        }
        let words = [
            self.source,
            self.target,
            self.service,
            self.flows,
            self.first_place,
            self.last_place,
            self.nlp.to_bits(),
            self.period.to_bits(),
            self.answered,
            self.failed,
            self.first_state,
        ];
        words.iter().for_each(|word| to.extend_from_slice(&word.to_le_bytes()));
    }

    fn take(from: &[u8]) -> Option<Self> {
        let long = |at: usize| Some(u64::from_le_bytes(*from.get(at * 8..)?.first_chunk()?));
        let word = |at: usize| Some(u32::from_le_bytes(*from.get(32 + at * 4..)?.first_chunk()?));
        Some(Channel {
            first: long(0)?,
            last: long(1)?,
            bytes_out: long(2)?,
            bytes_in: long(3)?,
            source: word(0)?,
            target: word(1)?,
            service: word(2)?,
            flows: word(3)?,
            first_place: word(4)?,
            last_place: word(5)?,
            nlp: f32::from_bits(word(6)?),
            period: f32::from_bits(word(7)?),
            answered: word(8)?,
            failed: word(9)?,
            first_state: word(10)?,
        })
    }
}

/// What only regular channels have.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Draft {
    pub(crate) source: u32,
    pub(crate) target: u32,
    pub(crate) service: u32,
    pub(crate) beats: u32,
    pub(crate) pauses: u32,
    pub(crate) active_s: f32,
    pub(crate) rhythm: Rhythm,
    pub(crate) spread: f32,
    /// Timestamp, size, histogram, duration and score, in thousandths.
    pub(crate) rita: [u16; 5],
    /// The share of the most usual size among the sizes sent, in thousandths.
    pub(crate) same_size: u16,
    /// Records: the first, two between, the last.
    pub(crate) places: [u32; 4],
}

/// Channels less regular than this are no drafts.
pub(crate) const DRAFT_NLP: f64 = 1.0;
/// From this regularity on the sizes are heard as well.
const SIZED_NLP: f64 = 0.5;
/// Two connections of people have exactly one size so often, at the most.
const SAME_BY_CHANCE: f64 = 0.2;
/// Sizes alone are no clock.
const SIZES_NLP_MAX: f64 = 3.0;
/// A pool address that is silent so long has been given back, as far as flows can tell.
const SPAN_PAUSE_TICKS: u64 = 600 * TICKS_PER_SECOND;

/// A time in which a watched pool address had flows.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct RawSpan {
    pub(crate) address: IpAddr,
    pub(crate) first: u64,
    pub(crate) last: u64,
    pub(crate) flows: u32,
    pub(crate) first_place: u32,
    pub(crate) last_place: u32,
}

/// Counts of regular channels by source, service and period.
pub(crate) type Fans = FxHashMap<(u32, u32, i32), u32>;

/// What one thread gathers from its partitions.
#[derive(Debug, Default)]
pub(crate) struct Gathered {
    pub(crate) channels: Vec<Channel>,
    pub(crate) drafts: Vec<Draft>,
    pub(crate) spans: Vec<RawSpan>,
    pub(crate) inside: FxHashSet<u32>,
    /// Regular channels by service and period.
    pub(crate) habits: FxHashMap<(u32, i32), u32>,
    /// Regular channels by source, service and period.
    pub(crate) fans: Fans,
    pub(crate) flows: u64,
    pub(crate) duplicates: u64,
    scratch: Scratch,
    ticks: Vec<u64>,
    sizes: Vec<u32>,
}

/// What a scan of runs must know.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ground<'a> {
    pub(crate) own: &'a Own,
    pub(crate) addresses: &'a Addresses,
    pub(crate) first_second: i64,
    pub(crate) last_second: i64,
}

/// Periods within a fifth of each other are one habit.
pub(crate) fn habit(period: f32) -> i32 {
    (f64::from(period.max(1e-3)).ln() * 5.0).round() as i32
}

/// Groups a partition by channel, drops what is there twice, and sums up the runs.
pub(crate) fn scan(flows: Vec<Packed>, ground: Ground<'_>, to: &mut Gathered) {
    let mut flows = grouped(flows);
    let key = |flow: &Packed| (flow.channel, flow.service & !0xff);
    for run in flows.chunk_by_mut(|a, b| key(a) == key(b)) {
        // Logs are in the order of time, more or less.
        let order = |a: &Packed, b: &Packed| {
            (a.key(), a.service, a.place).cmp(&(b.key(), b.service, b.place))
        };
        if !run.is_sorted_by(|a, b| order(a, b).is_le()) {
            run.sort_unstable_by(order);
        }
        let has_twice = run.windows(2).any(|pair| pair[0].key() == pair[1].key());
        if has_twice {
            let mut once = run.to_vec();
            once.dedup_by_key(|flow| flow.key());
            to.duplicates += (run.len() - once.len()) as u64;
            to.flows += once.len() as u64;
            of_run(&once, ground, to);
        } else {
            to.flows += run.len() as u64;
            of_run(run, ground, to);
        }
    }
}

/// The flows of each channel side by side: a counting sort, because there are many flows to a
/// channel and their order within it is there already.
fn grouped(flows: Vec<Packed>) -> Vec<Packed> {
    let Some(first) = flows.first() else { return flows };
    let mut ids: FxHashMap<(u64, u32), u32> = FxHashMap::default();
    let mut starts: Vec<usize> = Vec::new();
    let mut groups: Vec<u32> = Vec::with_capacity(flows.len());
    for flow in &flows {
        let next = u32::try_from(ids.len()).unwrap_or(u32::MAX);
        let id = *ids.entry((flow.channel, flow.service & !0xff)).or_insert(next);
        if id == next {
            starts.push(0);
        }
        if let Some(count) = starts.get_mut(id as usize) {
            *count += 1;
        }
        groups.push(id);
    }
    let mut at = 0;
    for start in &mut starts {
        at += std::mem::replace(start, at);
    }
    let mut sorted = vec![*first; flows.len()];
    for (flow, id) in flows.iter().zip(&groups) {
        if let Some(start) = starts.get_mut(*id as usize) {
            if let Some(place) = sorted.get_mut(*start) {
                *place = *flow;
            }
            *start += 1;
        }
    }
    sorted
}

fn of_run(run: &[Packed], ground: Ground<'_>, to: &mut Gathered) {
    let (Some(first), Some(last)) = (run.first(), run.last()) else { return };
    let (source, target) = ((first.channel >> 32) as u32, first.channel as u32);
    let asked = run.iter().find(|flow| !flow.is_reply()).unwrap_or(first);
    let mut channel = Channel {
        source,
        target,
        service: first.service & !0xff,
        flows: 0,
        first: first.ticks(),
        last: last.ticks(),
        bytes_out: 0,
        bytes_in: 0,
        first_place: first.place,
        last_place: last.place,
        nlp: 0.0,
        period: 0.0,
        answered: 0,
        failed: 0,
        first_state: asked.state() as u32,
    };
    to.ticks.clear();
    for flow in run {
        channel.bytes_out += unpack_bytes(flow.bytes_out);
        channel.bytes_in += unpack_bytes(flow.bytes_in);
        match flow.state() {
            State::Answered => channel.answered += 1,
            State::Silent | State::Refused => channel.failed += 1,
            State::Unknown => {}
        }
        if !flow.is_reply() {
            channel.flows += 1;
            if to.ticks.len() < TIMES_MAX {
                to.ticks.push(flow.ticks());
            }
        }
    }
    // NetFlow counts answers alone; then the first question was answered although its flags say no.
    if run.iter().any(Packed::is_reply) {
        channel.first_state = State::Answered as u32;
        channel.answered = channel.answered.max(1);
    }
    channel.flows = channel.flows.max(1);
    let (from, at) = (ground.addresses.get(source), ground.addresses.get(target));
    if ground.own.side(from) == Side::Inside {
        to.inside.insert(source);
    }
    for address in [from, at] {
        if ground.own.pools.contains(address) {
            spans(address, run, to);
        }
    }
    if let Some(mut regularity) = of_ticks(&to.ticks, &mut to.scratch) {
        let (same, alike) = usual_size(run, &mut to.sizes);
        if regularity.nlp >= SIZED_NLP && channel.answered > 0 && channel.protocol() == 6 {
            regularity.nlp += alike;
        }
        channel.nlp = regularity.nlp as f32;
        channel.period = regularity.period_s as f32;
        if regularity.nlp >= DRAFT_NLP {
            draft(run, &channel, &regularity, same, ground, to);
        }
    }
    to.channels.push(channel);
}

/// The share of the most usual size among the sizes sent, in thousandths, and how much that says:
/// programs send the same each time, and people do not.
fn usual_size(run: &[Packed], sizes: &mut Vec<u32>) -> (u16, f64) {
    sizes.clear();
    let sent = run.iter().filter(|flow| !flow.is_reply());
    sizes.extend(sent.take(TIMES_MAX).map(|flow| flow.bytes_out));
    sizes.sort_unstable();
    let usual = sizes.chunk_by(|a, b| a == b).map(<[u32]>::len).max().unwrap_or(0);
    let others = (sizes.len() - usual) as f64;
    let says = (usual as f64 - 1.0 - 2.0 * others) * -SAME_BY_CHANCE.log10();
    let share = (usual * 1000 / sizes.len().max(1)) as u16;
    (share, says.clamp(0.0, SIZES_NLP_MAX))
}

fn draft(
    run: &[Packed],
    channel: &Channel,
    found: &Regularity,
    same_size: u16,
    ground: Ground<'_>,
    to: &mut Gathered,
) {
    let sent = || run.iter().filter(|flow| !flow.is_reply()).take(TIMES_MAX);
    let times: Vec<i64> = sent().map(|flow| (flow.ticks() / TICKS_PER_SECOND) as i64).collect();
    let sizes: Vec<u64> = sent().map(|flow| unpack_bytes(flow.bytes_out)).collect();
    let score = rita_score(&times, &sizes, ground.first_second, ground.last_second);
    let score = score.unwrap_or_default();
    let thousandths = |value: f64| (value * 1000.0).round().clamp(0.0, 1000.0) as u16;
    let place = |part: usize| {
        run.get((run.len() - 1) * part / 3).map(|flow| flow.place).unwrap_or_default()
    };
    *to.habits.entry((channel.service, habit(channel.period))).or_insert(0) += 1;
    *to.fans.entry((channel.source, channel.service, habit(channel.period))).or_insert(0) += 1;
    to.drafts.push(Draft {
        source: channel.source,
        target: channel.target,
        service: channel.service,
        beats: found.beats,
        pauses: found.pauses,
        active_s: found.active_s as f32,
        rhythm: found.rhythm,
        spread: found.spread as f32,
        rita: [
            thousandths(score.timestamp),
            thousandths(score.data_size),
            thousandths(score.histogram),
            thousandths(score.duration),
            thousandths(score.score),
        ],
        same_size,
        places: [place(0), place(1), place(2), place(3)],
    });
}

fn spans(address: IpAddr, run: &[Packed], to: &mut Gathered) {
    let close = |a: &Packed, b: &Packed| b.ticks() - a.ticks() <= SPAN_PAUSE_TICKS;
    for part in run.chunk_by(close) {
        let (Some(first), Some(last)) = (part.first(), part.last()) else { continue };
        to.spans.push(RawSpan {
            address,
            first: first.ticks(),
            last: last.ticks(),
            flows: u32::try_from(part.len()).unwrap_or(u32::MAX),
            first_place: first.place,
            last_place: last.place,
        });
    }
}

/// Spans of one address over all its channels, joined where they touch.
pub(crate) fn join_spans(mut spans: Vec<RawSpan>) -> Vec<RawSpan> {
    spans.sort_unstable();
    let mut joined: Vec<RawSpan> = Vec::new();
    for span in spans {
        match joined.last_mut() {
            Some(last)
                if last.address == span.address && span.first <= last.last + SPAN_PAUSE_TICKS =>
            {
                if span.last > last.last {
                    last.last = span.last;
                    last.last_place = span.last_place;
                }
                last.flows = last.flows.saturating_add(span.flows);
            }
            _ => joined.push(span),
        }
    }
    joined
}
