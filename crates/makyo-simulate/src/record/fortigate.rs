//! VPN events, as a FortiGate sends them.

use crate::moment::{Moment, local};
use crate::place::{GATEWAY_BONN, GATEWAY_TOKYO};
use crate::random::Random;

/// A VPN appliance: its clock may be wrong and tells local time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Gateway {
    pub(crate) name: &'static str,
    pub(crate) serial: &'static str,
    pub(crate) address: &'static str,
    /// How far its clock is ahead.
    pub(crate) ahead: i64,
    pub(crate) offset: fn(Moment) -> i64,
}

pub(crate) const TOKYO: Gateway = Gateway {
    name: "vpn-gw1",
    serial: "FGT20E0000000101",
    address: GATEWAY_TOKYO,
    ahead: 0,
    offset: |_| crate::moment::TOKYO,
};

/// Its clock is seven minutes fast, and its zone has daylight saving.
pub(crate) const BONN: Gateway = Gateway {
    name: "vpn-gw2",
    serial: "FGT60E0000000202",
    address: GATEWAY_BONN,
    ahead: 7 * crate::moment::MINUTE,
    offset: crate::moment::europe,
};

/// One end of a tunnel.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tunnel<'a> {
    pub(crate) id: u64,
    pub(crate) user: &'a str,
    pub(crate) group: &'a str,
    pub(crate) from: &'a str,
    pub(crate) inside: &'a str,
}

fn line(
    gateway: Gateway,
    moment: Moment,
    id: &str,
    subtype: &str,
    level: &str,
    rest: &str,
) -> String {
    let shown = moment + gateway.ahead;
    let offset = (gateway.offset)(moment);
    let zone = format!("+{:02}00", offset / crate::moment::HOUR);
    // The clock below a millisecond, from the record's own content.
    let nanoseconds = shown * 1_000_000 + (shown % 999_983);
    format!(
        "{} devname=\"{}\" devid=\"{}\" eventtime={nanoseconds} tz=\"{zone}\" logid=\"{id}\" type=\"event\" subtype=\"{subtype}\" level=\"{level}\" vd=\"root\" {rest}",
        local(shown, offset, "date=%Y-%m-%d time=%H:%M:%S"),
        gateway.name,
        gateway.serial,
    )
}

/// Somebody connects, before anything is known of them.
pub(crate) fn connects(gateway: Gateway, moment: Moment, from: &str) -> String {
    line(
        gateway,
        moment,
        "0101039943",
        "vpn",
        "information",
        &format!(
            "logdesc=\"SSL VPN new connection\" action=\"ssl-new-con\" tunneltype=\"ssl\" tunnelid=0 remip={from} user=\"N/A\" group=\"N/A\" dst_host=\"N/A\" reason=\"N/A\" msg=\"SSL new connection\""
        ),
    )
}

/// The password was right.
pub(crate) fn authenticates(gateway: Gateway, moment: Moment, tunnel: &Tunnel<'_>) -> String {
    let Tunnel { user, group, from, .. } = tunnel;
    line(
        gateway,
        moment,
        "0102043008",
        "user",
        "notice",
        &format!(
            "logdesc=\"Authentication success\" srcip={from} dstip={} policyid=0 interface=\"wan1\" user=\"{user}\" group=\"{group}\" authproto=\"HTTPS({from})\" action=\"authentication\" status=\"success\" reason=\"N/A\" msg=\"User {user} succeeded in authentication\"",
            gateway.address
        ),
    )
}

/// The password was wrong.
pub(crate) fn fails(gateway: Gateway, moment: Moment, user: &str, from: &str) -> String {
    line(
        gateway,
        moment,
        "0101039426",
        "vpn",
        "alert",
        &format!(
            "logdesc=\"SSL VPN login fail\" action=\"ssl-login-fail\" tunneltype=\"ssl-web\" tunnelid=0 remip={from} user=\"{user}\" group=\"N/A\" dst_host=\"N/A\" reason=\"sslvpn_login_permission_denied\" msg=\"SSL user failed to logged in\""
        ),
    )
}

/// The tunnel has its inside address.
pub(crate) fn opens(gateway: Gateway, moment: Moment, tunnel: &Tunnel<'_>) -> String {
    let Tunnel { id, user, group, from, inside } = tunnel;
    line(
        gateway,
        moment,
        "0101039424",
        "vpn",
        "information",
        &format!(
            "logdesc=\"SSL VPN tunnel up\" action=\"tunnel-up\" tunneltype=\"ssl-tunnel\" tunnelid={id} remip={from} tunnelip={inside} user=\"{user}\" group=\"{group}\" dst_host=\"N/A\" reason=\"tunnel established\" msg=\"SSL tunnel established\""
        ),
    )
}

/// The tunnel is gone.
pub(crate) fn closes(
    gateway: Gateway,
    moment: Moment,
    tunnel: &Tunnel<'_>,
    seconds: i64,
    random: &mut Random,
) -> String {
    let Tunnel { id, user, group, from, inside } = tunnel;
    let (sent, received) = (random.below(30_000) * 10_000, random.below(9_000) * 9_000);
    let reason =
        if random.chance(0.7) { "User requested termination of service" } else { "DTLS timeout" };
    line(
        gateway,
        moment,
        "0101039425",
        "vpn",
        "information",
        &format!(
            "logdesc=\"SSL VPN tunnel down\" action=\"tunnel-down\" tunneltype=\"ssl-tunnel\" tunnelid={id} remip={from} tunnelip={inside} user=\"{user}\" group=\"{group}\" dst_host=\"N/A\" reason=\"{reason}\" duration={seconds} sentbyte={sent} rcvdbyte={received} msg=\"SSL tunnel shutdown\""
        ),
    )
}

/// The appliance's daily update.
pub(crate) fn updates(gateway: Gateway, moment: Moment) -> String {
    line(
        gateway,
        moment,
        "0100041000",
        "system",
        "notice",
        "logdesc=\"FortiGate update succeeded\" status=\"update\" msg=\"Fortigate scheduled update fcni=yes fdni=yes fsci=yes from 203.0.113.201:443\"",
    )
}

/// A program of the appliance fell over.
pub(crate) fn crashes(gateway: Gateway, moment: Moment, program: &str, signal: u8) -> String {
    line(
        gateway,
        moment,
        "0100032546",
        "system",
        "warning",
        &format!(
            "logdesc=\"Application crashed\" action=\"crash\" msg=\"Pid: 00231, application: {program}, Firmware: FortiGate-200E v7.2.5, Signal {signal} received\""
        ),
    )
}

/// An administrator signs in at the appliance.
pub(crate) fn administers(gateway: Gateway, moment: Moment, user: &str, from: &str) -> String {
    line(
        gateway,
        moment,
        "0100032001",
        "system",
        "information",
        &format!(
            "logdesc=\"Admin login successful\" sn=\"{}\" user=\"{user}\" ui=\"https({from})\" method=\"https\" srcip={from} dstip=10.20.0.1 action=\"login\" status=\"success\" reason=\"none\" profile=\"super_admin\" msg=\"Administrator {user} logged in successfully from https({from})\"",
            moment / 1000
        ),
    )
}

/// The other appliance of a pair takes over.
pub(crate) fn fails_over(gateway: Gateway, moment: Moment) -> String {
    line(
        gateway,
        moment,
        "0108037893",
        "ha",
        "critical",
        "logdesc=\"HA member state moved\" msg=\"Virtual cluster's member state moved\" ha_role=\"primary\" vcluster=1 vcluster_state=\"work\" vcluster_member=0 hostname=\"vpn-gw1b\" sn=\"FGT20E0000000102\"",
    )
}
