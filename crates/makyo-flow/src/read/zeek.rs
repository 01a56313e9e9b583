//! Zeek's tab-separated conn and dns logs.

use std::io::{self, Read};

use makyo_base::DefectKind;

use super::lines::each_line;
use super::{Asked, FlowSink, number, protocol};
use crate::flow::{Flow, State};

/// Columns that are read, by their place in a row's slots.
const NAMES: [&[u8]; 15] = [
    b"ts",
    b"id.orig_h",
    b"id.orig_p",
    b"id.resp_h",
    b"id.resp_p",
    b"proto",
    b"orig_bytes",
    b"resp_bytes",
    b"conn_state",
    b"orig_ip_bytes",
    b"resp_ip_bytes",
    b"query",
    b"qtype_name",
    b"orig_pkts",
    b"resp_pkts",
];
const TS: usize = 0;
const ORIG_H: usize = 1;
const ORIG_P: usize = 2;
const RESP_H: usize = 3;
const RESP_P: usize = 4;
const PROTO: usize = 5;
const ORIG_BYTES: usize = 6;
const RESP_BYTES: usize = 7;
const STATE: usize = 8;
const ORIG_IP: usize = 9;
const RESP_IP: usize = 10;
const QUERY: usize = 11;
const QTYPE: usize = 12;

type Slots<'a> = [&'a [u8]; NAMES.len()];

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Log {
    Flows,
    Questions,
    Other,
}

#[derive(Debug)]
struct Header {
    separator: u8,
    path: Vec<u8>,
    /// For each column up to the last that is read, the slot it goes to.
    slots: Vec<Option<usize>>,
    log: Log,
}

/// Reads a stream; records are numbered by line.
pub(crate) fn read(from: &mut dyn Read, out: &mut dyn FlowSink) -> io::Result<()> {
    let mut header =
        Header { separator: b'\t', path: Vec::new(), slots: Vec::new(), log: Log::Other };
    each_line(from, |line| {
        if line.is_over {
            out.defect(line.number, DefectKind::Limit, "line is too long to be a flow; not read");
        } else if let Some(directive) = line.bytes.strip_prefix(b"#") {
            if header.directive(directive) {
                let detail = "`#fields` lacks ts, id.orig_h or id.resp_h: its flows are not used";
                out.defect(line.number, DefectKind::Malformed, detail);
            }
        } else if !line.bytes.is_empty() && header.log != Log::Other {
            let mut slots: Slots<'_> = [&[]; NAMES.len()];
            header.split(line.bytes, &mut slots);
            let done = match header.log {
                Log::Flows => flow(&slots).map(|flow| out.flow(line.number, &flow)),
                _ => question(&slots).map(|asked| {
                    out.asked(line.number, &asked);
                    Ok(())
                }),
            };
            match done {
                Some(result) => result?,
                None => {
                    let kind =
                        if line.unended { DefectKind::Truncated } else { DefectKind::Malformed };
                    out.defect(line.number, kind, "row without a time or an address; not used");
                }
            }
        }
        Ok(true)
    })
}

impl Header {
    /// Takes in a `#` line; true if its fields will not do.
    fn directive(&mut self, text: &[u8]) -> bool {
        let at = memchr::memchr2(b' ', b'\t', text).unwrap_or(text.len());
        let (key, rest) = text.split_at(at);
        let value = rest.get(1..).unwrap_or_default();
        match key {
            b"separator" => {
                let code = value.strip_prefix(b"\\x").and_then(|digits| {
                    u8::from_str_radix(std::str::from_utf8(digits.trim_ascii()).ok()?, 16).ok()
                });
                self.separator = code.or_else(|| value.first().copied()).unwrap_or(b'\t');
            }
            b"path" => self.path = value.trim_ascii().to_vec(),
            b"fields" => return self.fields(value),
            _ => {}
        }
        false
    }

    fn fields(&mut self, value: &[u8]) -> bool {
        self.slots = value
            .split(|byte| *byte == self.separator)
            .map(|name| NAMES.iter().position(|known| *known == name))
            .collect();
        let last = self.slots.iter().rposition(Option::is_some);
        self.slots.truncate(last.map_or(0, |last| last + 1));
        let has = |slot: usize| self.slots.contains(&Some(slot));
        let is_flow = match self.path.as_slice() {
            b"conn" | b"conn_red" => true,
            b"" => has(STATE),
            _ => false,
        };
        self.log = match self.path.as_slice() {
            b"dns" | b"dns_red" if has(QUERY) && has(ORIG_H) && has(TS) => Log::Questions,
            _ if is_flow && has(TS) && has(ORIG_H) && has(RESP_H) => Log::Flows,
            _ => Log::Other,
        };
        is_flow && self.log == Log::Other
    }

    fn split<'a>(&self, line: &'a [u8], slots: &mut Slots<'a>) {
        let mut columns = self.slots.iter();
        let mut begin = 0;
        let mut put = |end: usize| {
            let Some(slot) = columns.next() else { return false };
            if let Some(slot) = slot
                && let Some(place) = slots.get_mut(*slot)
            {
                *place = line.get(begin..end).unwrap_or_default();
            }
            begin = end + 1;
            true
        };
        // Fields are short: marks of 64 bytes at a time are cheaper than a search for each.
        let pattern = u64::from_le_bytes([self.separator; 8]);
        let (blocks, rest) = line.as_chunks::<64>();
        let mut last = [!self.separator; 64];
        if let Some(place) = last.get_mut(..rest.len()) {
            place.copy_from_slice(rest);
        }
        for (index, block) in blocks.iter().chain([&last]).enumerate() {
            let mut marks = marks(block, pattern);
            while marks != 0 {
                if !put(index * 64 + marks.trailing_zeros() as usize) {
                    return;
                }
                marks &= marks - 1;
            }
        }
        put(line.len());
    }
}

/// A bit for each byte of a block that is the one of the pattern.
fn marks(block: &[u8; 64], pattern: u64) -> u64 {
    const LOW: u64 = 0x7f7f_7f7f_7f7f_7f7f;
    let mut marks = 0;
    for (index, word) in block.as_chunks::<8>().0.iter().enumerate() {
        let word = u64::from_le_bytes(*word) ^ pattern;
        // The highest bit of each byte that is zero, then the eight of them side by side.
        let zero = !(((word & LOW) + LOW) | word | LOW) >> 7;
        marks |= (zero.wrapping_mul(0x0102_0408_1020_4080) >> 56) << (index * 8);
    }
    marks
}

/// What Zeek's `conn_state` says of the answer.
pub(crate) fn state(word: &[u8]) -> State {
    match word {
        b"SF" | b"S1" | b"S2" | b"S3" | b"RSTO" | b"RSTR" => State::Answered,
        b"S0" | b"SH" | b"RSTOS0" => State::Silent,
        b"REJ" => State::Refused,
        _ => State::Unknown,
    }
}

/// Bytes of packets where they are counted: payload bytes are computed from sequence numbers,
/// and a connection that is seen in part may have four gigabytes of them.
pub(crate) fn bytes(packets: &[u8], payload: &[u8]) -> u64 {
    number::decimal(packets).or_else(|| number::decimal(payload)).unwrap_or(0)
}

fn flow(slots: &Slots<'_>) -> Option<Flow> {
    Some(Flow {
        time: number::time(slots[TS])?,
        source: number::address(slots[ORIG_H])?,
        source_port: number::port(slots[ORIG_P]),
        target: number::address(slots[RESP_H])?,
        target_port: number::port(slots[RESP_P]),
        protocol: protocol(slots[PROTO]),
        bytes_out: bytes(slots[ORIG_IP], slots[ORIG_BYTES]),
        bytes_in: bytes(slots[RESP_IP], slots[RESP_BYTES]),
        state: state(slots[STATE]),
        is_reply: false,
    })
}

fn question<'a>(slots: &Slots<'a>) -> Option<Asked<'a>> {
    Some(Asked {
        time: number::time(slots[TS])?,
        client: number::address(slots[ORIG_H])?,
        name: slots[QUERY],
        kind: slots[QTYPE],
    })
}
