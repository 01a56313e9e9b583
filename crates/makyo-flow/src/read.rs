//! Flow logs as text, straight to flows.

mod json;
mod lines;
mod number;
mod separated;
mod zeek;

use std::io::{self, Read};
use std::net::IpAddr;

use makyo_base::{ArtifactKind, DefectKind};

use crate::flow::Flow;

/// What a flow log is written in.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum FlowFormat {
    /// Zeek's tab-separated text: conn and dns.
    Zeek,
    /// JSON Lines: Zeek's conn and dns, Suricata's eve.
    Json,
    /// Separated values with a header: nfdump, binetflow, Argus.
    Csv,
}

/// A question to the DNS.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Asked<'a> {
    pub(crate) time: i64,
    pub(crate) client: IpAddr,
    pub(crate) name: &'a [u8],
    pub(crate) kind: &'a [u8],
}

/// Receives what readers find.
pub(crate) trait FlowSink {
    fn flow(&mut self, record: u64, flow: &Flow) -> io::Result<()>;
    fn asked(&mut self, record: u64, asked: &Asked<'_>);
    fn defect(&mut self, record: u64, kind: DefectKind, detail: &str);
}

/// Whether a file of this kind that begins like this is a flow log, and in what form.
#[must_use]
pub fn flow_format(kind: ArtifactKind, head: &[u8]) -> Option<FlowFormat> {
    let has = |text: &[u8]| memchr::memmem::find(head, text).is_some();
    match kind {
        ArtifactKind::Zeek => {
            let is_conn = has(b"\tid.orig_h") && (has(b"conn_state") || has(b"resp_bytes"));
            (is_conn || has(b"#path\tdns")).then_some(FlowFormat::Zeek)
        }
        ArtifactKind::Json => {
            let is_zeek = has(b"id.orig_h") || has(b"id_orig_h");
            let is_conn = is_zeek && (has(b"\"conn_state\"") || has(b"\"qtype_name\""));
            let is_eve = has(b"\"event_type\"") && has(b"\"src_ip\"") && has(b"\"flow_id\"");
            (is_conn || is_eve).then_some(FlowFormat::Json)
        }
        ArtifactKind::Csv => separated::is_flow_header(head).then_some(FlowFormat::Csv),
        _ => None,
    }
}

/// Reads one file. `Ok(false)` says that its records are not one a line, so that their numbers
/// would be guessed: nothing was handed over.
pub(crate) fn read(
    format: FlowFormat,
    from: &mut dyn Read,
    out: &mut dyn FlowSink,
) -> io::Result<bool> {
    match format {
        FlowFormat::Zeek => zeek::read(from, out).map(|()| true),
        FlowFormat::Json => json::read(from, out),
        FlowFormat::Csv => separated::read(from, out).map(|()| true),
    }
}

/// Protocol numbers by name, as flow logs write them.
pub(crate) fn protocol(name: &[u8]) -> u8 {
    match name {
        b"tcp" | b"TCP" | b"6" => 6,
        b"udp" | b"UDP" | b"17" => 17,
        b"icmp" | b"ICMP" | b"1" => 1,
        b"ipv6-icmp" | b"IPv6-ICMP" | b"icmp6" | b"ICMP6" | b"58" => 58,
        other => number::decimal(other).and_then(|n| u8::try_from(n).ok()).unwrap_or(0),
    }
}
