//! JSON Lines: Zeek's conn and dns, Suricata's eve.

use std::io::{self, Read};

use makyo_base::DefectKind;

use super::lines::{Line, each_line};
use super::{Asked, FlowSink, number, protocol, zeek};
use crate::flow::{Flow, State};

/// Lines without a whole object after which a file is taken to be no JSON Lines.
const PATIENCE: u64 = 3;

/// Reads a stream; records are numbered in their order, as decoding does. `Ok(false)`: objects go
/// over several lines, and nothing was read.
pub(crate) fn read(from: &mut dyn Read, out: &mut dyn FlowSink) -> io::Result<bool> {
    let mut number = 0;
    let mut whole = 0_u64;
    let mut is_lines = true;
    each_line(from, |line| {
        if line.is_over {
            number += 1;
            out.defect(number, DefectKind::Limit, "record is too long to be a flow; not read");
            return Ok(true);
        }
        let text = trimmed(line.bytes);
        if text.is_empty() {
            return Ok(true);
        }
        number += 1;
        if record(text, number, &line, out)? {
            whole += 1;
        } else if whole == 0 && number >= PATIENCE {
            is_lines = false;
            return Ok(false);
        }
        Ok(true)
    })?;
    Ok(is_lines)
}

/// Without what may stand around a record: blanks, commas, brackets of a list, NUL.
fn trimmed(line: &[u8]) -> &[u8] {
    let is_around = |byte: u8| matches!(byte, b' ' | b'\t' | b',' | b'[' | b']' | 0 | 0x1e | b'\r');
    let from = line.iter().position(|byte| !is_around(*byte)).unwrap_or(line.len());
    let to = line.iter().rposition(|byte| !is_around(*byte)).map_or(from, |at| at + 1);
    line.get(from..to).unwrap_or_default()
}

/// True if the line holds one whole object.
fn record(text: &[u8], number: u64, line: &Line<'_>, out: &mut dyn FlowSink) -> io::Result<bool> {
    let mut fields = Fields::default();
    if !walk(text, &mut |parent, key, value| fields.take(parent, key, value)) {
        let kind = if line.unended { DefectKind::Truncated } else { DefectKind::Malformed };
        out.defect(number, kind, "line is no whole JSON object; its flow is not used");
        return Ok(false);
    }
    if fields.is_flow() {
        match fields.flow() {
            Some(flow) => out.flow(number, &flow)?,
            None => {
                let detail = "flow without a time or an address; not used";
                out.defect(number, DefectKind::Malformed, detail);
            }
        }
    } else if fields.is_question()
        && let Some(asked) = fields.question()
    {
        out.asked(number, &asked);
    }
    Ok(true)
}

#[derive(Clone, Copy, Default)]
struct Fields<'a> {
    time: &'a [u8],
    start: &'a [u8],
    source: &'a [u8],
    source_port: &'a [u8],
    target: &'a [u8],
    target_port: &'a [u8],
    protocol: &'a [u8],
    out_packets: &'a [u8],
    in_packets: &'a [u8],
    out_payload: &'a [u8],
    in_payload: &'a [u8],
    conn_state: &'a [u8],
    flow_state: &'a [u8],
    stream: &'a [u8],
    event: &'a [u8],
    query: &'a [u8],
    query_kind: &'a [u8],
    dns_kind: &'a [u8],
    packets_back: &'a [u8],
}

impl<'a> Fields<'a> {
    fn take(&mut self, parent: &[u8], key: &[u8], value: &'a [u8]) {
        let place = match (parent, key) {
            (b"", b"ts" | b"timestamp" | b"@timestamp") if self.time.is_empty() => &mut self.time,
            (b"", b"id.orig_h" | b"id_orig_h" | b"src_ip") => &mut self.source,
            (b"", b"id.orig_p" | b"id_orig_p" | b"src_port") => &mut self.source_port,
            (b"", b"id.resp_h" | b"id_resp_h" | b"dest_ip") => &mut self.target,
            (b"", b"id.resp_p" | b"id_resp_p" | b"dest_port") => &mut self.target_port,
            (b"", b"proto") => &mut self.protocol,
            (b"", b"orig_ip_bytes") | (b"flow", b"bytes_toserver") => &mut self.out_packets,
            (b"", b"resp_ip_bytes") | (b"flow", b"bytes_toclient") => &mut self.in_packets,
            (b"", b"orig_bytes") => &mut self.out_payload,
            (b"", b"resp_bytes") => &mut self.in_payload,
            (b"", b"conn_state") => &mut self.conn_state,
            (b"", b"_path" | b"@stream") => &mut self.stream,
            (b"", b"event_type") => &mut self.event,
            (b"flow", b"start") => &mut self.start,
            (b"flow", b"state") => &mut self.flow_state,
            (b"flow", b"pkts_toclient") => &mut self.packets_back,
            (b"", b"query") | (b"dns", b"rrname") if self.query.is_empty() => &mut self.query,
            (b"", b"qtype_name") | (b"dns", b"rrtype") => &mut self.query_kind,
            (b"dns", b"type") => &mut self.dns_kind,
            _ => return,
        };
        *place = value;
    }

    fn is_flow(&self) -> bool {
        match (self.event, self.stream) {
            (b"flow", _) | (_, b"conn" | b"conn_red") => true,
            (b"", b"") => !self.conn_state.is_empty(),
            _ => false,
        }
    }

    fn is_question(&self) -> bool {
        match self.event {
            b"dns" => matches!(self.dns_kind, b"query" | b"request"),
            b"" => matches!(self.stream, b"dns" | b"dns_red" | b"") && !self.query_kind.is_empty(),
            _ => false,
        }
    }

    fn flow(&self) -> Option<Flow> {
        let is_eve = !self.event.is_empty();
        let time = if self.start.is_empty() { self.time } else { self.start };
        Some(Flow {
            time: number::time(time)?,
            source: number::address(self.source)?,
            source_port: number::port(self.source_port),
            target: number::address(self.target)?,
            target_port: number::port(self.target_port),
            protocol: protocol(self.protocol),
            bytes_out: zeek::bytes(self.out_packets, self.out_payload),
            bytes_in: zeek::bytes(self.in_packets, self.in_payload),
            state: if is_eve { self.eve_state() } else { zeek::state(self.conn_state) },
            is_reply: false,
        })
    }

    /// Suricata: a flow that stayed `new` had no answer, unless packets came back (UDP).
    fn eve_state(&self) -> State {
        match (self.flow_state, number::decimal(self.packets_back)) {
            (_, Some(0)) => State::Silent,
            (b"established" | b"bypassed", _) => State::Answered,
            (b"closed" | b"new", Some(_)) => State::Answered,
            _ => State::Unknown,
        }
    }

    fn question(&self) -> Option<Asked<'a>> {
        Some(Asked {
            time: number::time(self.time)?,
            client: number::address(self.source)?,
            name: self.query,
            kind: self.query_kind,
        })
    }
}

/// Visits the fields of an object and of the objects in it, with the name of the outer one. Texts
/// come without quotes and with their escapes. False if the bytes are no whole object.
fn walk<'a>(text: &'a [u8], visit: &mut impl FnMut(&[u8], &'a [u8], &'a [u8])) -> bool {
    let mut at = Cursor { text, at: 0 };
    at.object(b"", 0, visit) && {
        at.blanks();
        at.at == text.len()
    }
}

/// Objects deeper than this are passed over.
const DEPTH_VISITED: usize = 1;

struct Cursor<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn blanks(&mut self) {
        while self.peek().is_some_and(|byte| byte.is_ascii_whitespace()) {
            self.at += 1;
        }
    }

    fn eat(&mut self, byte: u8) -> bool {
        self.blanks();
        let is = self.peek() == Some(byte);
        self.at += usize::from(is);
        is
    }

    /// A text after its opening quote.
    fn string(&mut self) -> Option<&'a [u8]> {
        let begin = self.at;
        loop {
            let rest = self.text.get(self.at..)?;
            let step = memchr::memchr2(b'"', b'\\', rest)?;
            let is_escape = rest.get(step) == Some(&b'\\');
            self.at += step + 1 + usize::from(is_escape);
            if !is_escape {
                return self.text.get(begin..self.at - 1);
            }
        }
    }

    fn object(
        &mut self,
        parent: &[u8],
        depth: usize,
        visit: &mut impl FnMut(&[u8], &'a [u8], &'a [u8]),
    ) -> bool {
        if !self.eat(b'{') {
            return false;
        }
        if self.eat(b'}') {
            return true;
        }
        loop {
            if !self.eat(b'"') {
                return false;
            }
            let Some(key) = self.string() else { return false };
            if !self.eat(b':') {
                return false;
            }
            self.blanks();
            let is_inner = self.peek() == Some(b'{') && depth < DEPTH_VISITED;
            if is_inner {
                if !self.object(key, depth + 1, visit) {
                    return false;
                }
            } else {
                let Some(value) = self.value() else { return false };
                visit(parent, key, value);
            }
            if !self.eat(b',') {
                return self.eat(b'}');
            }
        }
    }

    /// A value as it stands; of a text, what is between its quotes.
    fn value(&mut self) -> Option<&'a [u8]> {
        match self.peek()? {
            b'"' => {
                self.at += 1;
                self.string()
            }
            b'{' | b'[' => self.nested(),
            _ => {
                let begin = self.at;
                while self.peek().is_some_and(|byte| !matches!(byte, b',' | b'}' | b']')) {
                    self.at += 1;
                }
                self.text.get(begin..self.at).map(<[u8]>::trim_ascii_end)
            }
        }
    }

    fn nested(&mut self) -> Option<&'a [u8]> {
        let begin = self.at;
        let mut open = 0_usize;
        loop {
            let byte = self.peek()?;
            self.at += 1;
            match byte {
                b'"' => {
                    self.string()?;
                }
                b'{' | b'[' => open += 1,
                b'}' | b']' => {
                    open = open.checked_sub(1)?;
                    if open == 0 {
                        return self.text.get(begin..self.at);
                    }
                }
                _ => {}
            }
        }
    }
}
