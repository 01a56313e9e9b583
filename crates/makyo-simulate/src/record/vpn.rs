//! VPN appliances: each fact in the words of the appliance's make.

use crate::moment::{HOUR, MINUTE, Moment, europe};
use crate::place::{GATEWAY_BONN, GATEWAY_TOKYO};
use crate::random::Random;
use crate::record::{edge_gate, fortigate};

/// Who made the appliance.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Make {
    FortiGate,
    /// A product that no source description knows.
    EdgeGate,
}

/// A VPN appliance: its clock may be wrong and tells local time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Gateway {
    pub(crate) make: Make,
    pub(crate) name: &'static str,
    pub(crate) serial: &'static str,
    pub(crate) address: &'static str,
    /// How far its clock is ahead.
    pub(crate) ahead: i64,
    /// Whether it stands in Europe, with daylight saving.
    pub(crate) is_in_europe: bool,
}

impl Gateway {
    /// The hours that its clock is ahead of UTC, in milliseconds.
    pub(crate) fn offset(&self, moment: Moment) -> i64 {
        if self.is_in_europe { europe(moment) } else { 9 * HOUR }
    }
}

/// The gateways of an organisation: the second one's clock is seven minutes fast.
pub(crate) fn gateways(make: Make) -> [Gateway; 2] {
    let names = match make {
        Make::FortiGate => [("vpn-gw1", "FGT20E0000000101"), ("vpn-gw2", "FGT60E0000000202")],
        Make::EdgeGate => [("edge-a", "EG-77120"), ("edge-b", "EG-77121")],
    };
    let [first, second] = names.map(|(name, serial)| Gateway {
        make,
        name,
        serial,
        address: GATEWAY_TOKYO,
        ahead: 0,
        is_in_europe: false,
    });
    [first, Gateway { address: GATEWAY_BONN, ahead: 7 * MINUTE, is_in_europe: true, ..second }]
}

/// One end of a tunnel.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tunnel<'a> {
    pub(crate) id: u64,
    pub(crate) user: &'a str,
    pub(crate) group: &'a str,
    pub(crate) from: &'a str,
    pub(crate) inside: &'a str,
}

/// How a tunnel ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct End {
    pub(crate) seconds: i64,
    pub(crate) sent: u64,
    pub(crate) received: u64,
    pub(crate) reason: &'static str,
}

/// Something that an appliance tells.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fact<'a> {
    /// Somebody connects, before anything is known of them.
    Connects(&'a str),
    /// The password was right.
    Authenticates(&'a Tunnel<'a>),
    /// The password was wrong: user and address.
    Fails(&'a str, &'a str),
    /// The tunnel has its inside address.
    Opens(&'a Tunnel<'a>),
    /// The tunnel is gone.
    Closes(&'a Tunnel<'a>, End),
    /// Every five minutes: load and sessions.
    Lives(u64, u64),
    /// The daily update.
    Updates,
    /// A program of the appliance fell over.
    Crashes(&'a str, u8),
    /// An administrator signs in at the appliance: user and address.
    Administers(&'a str, &'a str),
    /// The other appliance of a pair takes over.
    FailsOver,
}

/// The line in the appliance's own form.
pub(crate) fn line(gateway: Gateway, moment: Moment, fact: Fact<'_>) -> String {
    match gateway.make {
        Make::FortiGate => fortigate::line(gateway, moment, fact),
        Make::EdgeGate => edge_gate::line(gateway, moment, fact),
    }
}

/// The end of a tunnel over which at least so many bytes went to the client.
pub(crate) fn end_of_much(seconds: i64, least: u64, random: &mut Random) -> End {
    let end = end(seconds, random);
    End { sent: end.sent.max(least + random.below(9_000_000)), ..end }
}

/// An end with the traffic of an ordinary day.
pub(crate) fn end(seconds: i64, random: &mut Random) -> End {
    End {
        seconds,
        sent: random.below(30_000) * 10_007,
        received: random.below(9_000) * 9_001,
        reason: if random.chance(0.7) {
            "User requested termination of service"
        } else {
            "DTLS timeout"
        },
    }
}
