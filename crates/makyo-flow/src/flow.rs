//! One flow, and the 32 bytes that are kept of it.

use std::net::IpAddr;

use crate::spill::Fixed;

/// What became of a connection.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum State {
    /// The log does not say.
    Unknown,
    /// Both sides spoke.
    Answered,
    /// Nothing came back.
    Silent,
    /// Refused or reset before anything was said.
    Refused,
}

impl State {
    fn from_bits(bits: u32) -> Self {
        match bits & 3 {
            1 => State::Answered,
            2 => State::Silent,
            3 => State::Refused,
            _ => State::Unknown,
        }
    }
}

/// One flow as a reader hands it over.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Flow {
    /// Beginning, nanoseconds since the Unix epoch, UTC.
    pub time: i64,
    /// Who began it.
    pub source: IpAddr,
    /// Its port.
    pub source_port: u16,
    /// To whom.
    pub target: IpAddr,
    /// The port asked for.
    pub target_port: u16,
    /// IANA protocol number.
    pub protocol: u8,
    /// Bytes from the source.
    pub bytes_out: u64,
    /// Bytes towards the source.
    pub bytes_in: u64,
    /// What became of it.
    pub state: State,
    /// An answer that the log counts as a flow of its own; source and target are already turned.
    pub is_reply: bool,
}

/// Ticks of 10 microseconds since 1970.
pub(crate) const TICK_NS: i64 = 10_000;
pub(crate) const TICKS_PER_SECOND: u64 = 100_000;
const TICKS_MAX: u64 = (1 << 48) - 1;

const REPLY: u32 = 4;

/// A flow in 32 bytes. `channel` holds both addresses by their ids, `service` port, protocol and
/// state, `stamp` the time and the source's port.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Packed {
    pub(crate) channel: u64,
    pub(crate) stamp: u64,
    pub(crate) service: u32,
    /// Number of its record among all records of all files.
    pub(crate) place: u32,
    pub(crate) bytes_out: u32,
    pub(crate) bytes_in: u32,
}

/// Port and protocol without the state.
pub(crate) fn service_of(port: u16, protocol: u8) -> u32 {
    (u32::from(port) << 16) | (u32::from(protocol) << 8)
}

pub(crate) fn channel_of(source: u32, target: u32) -> u64 {
    (u64::from(source) << 32) | u64::from(target)
}

/// Ticks of a time; none before 1970 and after 2059.
pub(crate) fn ticks(time: i64) -> Option<u64> {
    u64::try_from(time / TICK_NS).ok().filter(|ticks| *ticks <= TICKS_MAX)
}

pub(crate) fn nanoseconds(ticks: u64) -> i64 {
    i64::try_from(ticks).unwrap_or(i64::MAX / TICK_NS) * TICK_NS
}

impl Packed {
    pub(crate) fn new(source: u32, target: u32, flow: &Flow, place: u32) -> Option<Self> {
        let mut service = service_of(flow.target_port, flow.protocol) | flow.state as u32;
        if flow.is_reply {
            service |= REPLY;
        }
        Some(Packed {
            channel: channel_of(source, target),
            stamp: (ticks(flow.time)? << 16) | u64::from(flow.source_port),
            service,
            place,
            bytes_out: pack_bytes(flow.bytes_out),
            bytes_in: pack_bytes(flow.bytes_in),
        })
    }

    /// The order in which runs are scanned; equal keys are one flow seen twice.
    pub(crate) fn key(&self) -> (u64, u32, u64, u32, u32, u32) {
        let service = self.service & !0xff;
        (self.channel, service, self.stamp, self.bytes_out, self.bytes_in, self.service & REPLY)
    }

    pub(crate) fn ticks(&self) -> u64 {
        self.stamp >> 16
    }

    pub(crate) fn state(&self) -> State {
        State::from_bits(self.service)
    }

    pub(crate) fn is_reply(&self) -> bool {
        self.service & REPLY != 0
    }
}

const MANTISSA_BITS: u32 = 27;
const MANTISSA: u32 = (1 << MANTISSA_BITS) - 1;

/// A count of bytes in 32 bits: exact below 128 MiB, to eight digits above.
pub(crate) fn pack_bytes(bytes: u64) -> u32 {
    let bits = u64::BITS - bytes.leading_zeros();
    let shift = bits.saturating_sub(MANTISSA_BITS);
    if shift > 31 {
        return u32::MAX;
    }
    // At most 27 bits are left.
    (shift << MANTISSA_BITS) | (bytes >> shift) as u32
}

pub(crate) fn unpack_bytes(packed: u32) -> u64 {
    u64::from(packed & MANTISSA) << (packed >> MANTISSA_BITS)
}

impl Fixed for Packed {
    const BYTES: usize = 32;

    fn put(&self, to: &mut Vec<u8>) {
        to.extend_from_slice(&self.channel.to_le_bytes());
        to.extend_from_slice(&self.stamp.to_le_bytes());
        for word in [self.service, self.place, self.bytes_out, self.bytes_in] {
            to.extend_from_slice(&word.to_le_bytes());
        }
    }

    fn take(from: &[u8]) -> Option<Self> {
        let long = |at: usize| Some(u64::from_le_bytes(*from.get(at..)?.first_chunk()?));
        let word = |at: usize| Some(u32::from_le_bytes(*from.get(at..)?.first_chunk()?));
        Some(Packed {
            channel: long(0)?,
            stamp: long(8)?,
            service: word(16)?,
            place: word(20)?,
            bytes_out: word(24)?,
            bytes_in: word(28)?,
        })
    }
}
