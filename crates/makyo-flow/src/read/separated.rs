//! Separated values with a header: nfdump 1.6 and 1.7, binetflow, Argus.

use std::io::{self, Read};

use makyo_base::DefectKind;

use super::lines::each_line;
use super::{FlowSink, number, protocol};
use crate::flow::{Flow, State};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Slot {
    Time,
    Source,
    SourcePort,
    Target,
    TargetPort,
    Protocol,
    Out,
    In,
    Total,
    Flags,
    State,
}

const NAMES: &[(Slot, &[&str])] = &[
    (Slot::Time, &["ts", "firstseen", "first", "starttime", "stime", "t_first", "date first seen"]),
    (Slot::Source, &["sa", "srcaddr", "src4_addr", "saddr", "src ip addr"]),
    (Slot::SourcePort, &["sp", "srcport", "sport", "src_port"]),
    (Slot::Target, &["da", "dstaddr", "dst4_addr", "daddr", "dst ip addr"]),
    (Slot::TargetPort, &["dp", "dstport", "dport", "dst_port"]),
    (Slot::Protocol, &["pr", "proto"]),
    (Slot::Out, &["ibyt", "bytes", "in_bytes", "srcbytes", "sbytes"]),
    (Slot::In, &["obyt", "out_bytes", "dstbytes", "dbytes"]),
    (Slot::Total, &["totbytes"]),
    (Slot::Flags, &["flg", "flags"]),
    (Slot::State, &["state"]),
];

const SLOTS: usize = 11;

/// The columns of a header line, if it names time and both addresses.
fn header(line: &[u8]) -> Option<Vec<Option<Slot>>> {
    let text = std::str::from_utf8(line).ok()?;
    if !text.contains(',') || text.len() > 4096 {
        return None;
    }
    let columns: Vec<Option<Slot>> = text
        .split(',')
        .map(|name| {
            let name = name.trim().trim_matches('"').to_ascii_lowercase();
            NAMES.iter().find(|known| known.1.contains(&name.as_str())).map(|known| known.0)
        })
        .collect();
    let has = |slot| columns.contains(&Some(slot));
    (has(Slot::Time) && has(Slot::Source) && has(Slot::Target)).then_some(columns)
}

/// Whether a file begins with such a header.
pub(crate) fn is_flow_header(head: &[u8]) -> bool {
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    head.split(|byte| *byte == b'\n').take(5).any(|line| header(line).is_some())
}

/// Reads a stream; records are numbered by line. A header may come again in mid-file; what stands
/// after nfdump's `Summary` is none of its rows.
pub(crate) fn read(from: &mut dyn Read, out: &mut dyn FlowSink) -> io::Result<()> {
    let mut columns: Option<Vec<Option<Slot>>> = None;
    each_line(from, |line| {
        if line.is_over {
            out.defect(line.number, DefectKind::Limit, "line is too long to be a flow; not read");
            return Ok(true);
        }
        if line.bytes.first().is_some_and(u8::is_ascii_alphabetic) {
            if let Some(found) = header(line.bytes) {
                columns = Some(found);
            } else if line.bytes.starts_with(b"Summary") {
                columns = None;
            }
            return Ok(true);
        }
        let Some(known) = &columns else { return Ok(true) };
        if line.bytes.trim_ascii().is_empty() {
            return Ok(true);
        }
        match row(known, line.bytes) {
            Some(flow) => out.flow(line.number, &flow)?,
            None => {
                let kind = if line.unended { DefectKind::Truncated } else { DefectKind::Malformed };
                out.defect(line.number, kind, "row without a time or an address; not used");
            }
        }
        Ok(true)
    })
}

fn row(columns: &[Option<Slot>], line: &[u8]) -> Option<Flow> {
    let mut slots: [&[u8]; SLOTS] = [&[]; SLOTS];
    for (slot, value) in columns.iter().zip(line.split(|byte| *byte == b',')) {
        if let Some(slot) = slot {
            let value = value.trim_ascii();
            let value = value.strip_prefix(b"\"").unwrap_or(value);
            slots[*slot as usize] = value.strip_suffix(b"\"").unwrap_or(value);
        }
    }
    let slot = |slot: Slot| slots[slot as usize];
    let count = |name: Slot| number::decimal(slot(name));
    let bytes_out = count(Slot::Out).unwrap_or(0);
    let bytes_in = count(Slot::In)
        .or_else(|| Some(count(Slot::Total)?.saturating_sub(bytes_out)))
        .unwrap_or(0);
    let mut flow = Flow {
        time: number::time(slot(Slot::Time))?,
        source: number::address(slot(Slot::Source))?,
        source_port: number::port(slot(Slot::SourcePort)),
        target: number::address(slot(Slot::Target))?,
        target_port: number::port(slot(Slot::TargetPort)),
        protocol: protocol(&slot(Slot::Protocol).to_ascii_lowercase()),
        bytes_out,
        bytes_in,
        state: if slot(Slot::State).is_empty() {
            nfdump_state(slot(Slot::Flags), bytes_in)
        } else {
            argus_state(slot(Slot::State))
        },
        is_reply: false,
    };
    if count(Slot::In).is_none() && count(Slot::Total).is_none() && is_answer(&flow) {
        turn(&mut flow);
    }
    Some(flow)
}

/// TCP flags as letters (`...AP.SF`) or nothing: a lone SYN had no answer.
fn nfdump_state(flags: &[u8], bytes_in: u64) -> State {
    let has = |flag: u8| flags.contains(&flag);
    if bytes_in > 0 {
        State::Answered
    } else if has(b'S') && !has(b'A') && !has(b'P') {
        if has(b'R') { State::Refused } else { State::Silent }
    } else if has(b'A') {
        State::Answered
    } else {
        State::Unknown
    }
}

/// Argus writes the flags of both sides around `_`, or a word.
fn argus_state(state: &[u8]) -> State {
    match state {
        b"CON" | b"FIN" | b"EST" => State::Answered,
        b"INT" | b"REQ" | b"TIM" => State::Silent,
        b"RST" | b"URN" | b"URH" | b"URP" => State::Refused,
        _ => match state.iter().position(|byte| *byte == b'_') {
            Some(at) if at + 1 == state.len() => State::Silent,
            Some(at) if state.get(at + 1..) == Some(b"RA") => State::Refused,
            Some(_) => State::Answered,
            None => State::Unknown,
        },
    }
}

/// NetFlow counts each direction alone. What comes from a well-known port and goes to a high one
/// is an answer.
fn is_answer(flow: &Flow) -> bool {
    const SERVED: [u16; 12] =
        [1194, 1433, 3128, 3306, 3389, 5432, 5900, 5985, 5986, 8080, 8443, 51820];
    let is_service = |port: u16| (1..1024).contains(&port) || SERVED.contains(&port);
    matches!(flow.protocol, 6 | 17) && is_service(flow.source_port) && !is_service(flow.target_port)
}

fn turn(flow: &mut Flow) {
    std::mem::swap(&mut flow.source, &mut flow.target);
    std::mem::swap(&mut flow.source_port, &mut flow.target_port);
    std::mem::swap(&mut flow.bytes_out, &mut flow.bytes_in);
    flow.is_reply = true;
    flow.state = State::Answered;
}
