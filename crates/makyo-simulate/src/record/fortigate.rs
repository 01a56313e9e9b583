//! VPN events, as a FortiGate sends them.

use crate::moment::{HOUR, Moment, local};
use crate::record::vpn::{End, Fact, Gateway, Tunnel};

/// One line of keys and values.
pub(crate) fn line(gateway: Gateway, moment: Moment, fact: Fact<'_>) -> String {
    let (id, subtype, level, rest) = match fact {
        Fact::Connects(from) => ("0101039943", "vpn", "information", connects(from)),
        Fact::Authenticates(tunnel) => {
            ("0102043008", "user", "notice", authenticates(gateway, tunnel))
        }
        Fact::Fails(user, from) => ("0101039426", "vpn", "alert", fails(user, from)),
        Fact::Opens(tunnel) => ("0101039424", "vpn", "information", opens(tunnel)),
        Fact::Closes(tunnel, end) => ("0101039425", "vpn", "information", closes(tunnel, end)),
        Fact::Lives(load, sessions) => ("0100040704", "system", "notice", lives(load, sessions)),
        Fact::Updates => ("0100041000", "system", "notice", UPDATES.to_owned()),
        Fact::Crashes(program, signal) => {
            ("0100032546", "system", "warning", crashes(program, signal))
        }
        Fact::Administers(user, from) => {
            ("0100032001", "system", "information", administers(user, from, moment))
        }
        Fact::FailsOver => ("0108037893", "ha", "critical", FAILS_OVER.to_owned()),
    };
    let shown = moment + gateway.ahead;
    let offset = gateway.offset(moment);
    // The clock below a millisecond, from the record's own time.
    let nanoseconds = shown * 1_000_000 + (shown % 999_983);
    format!(
        "{} devname=\"{}\" devid=\"{}\" eventtime={nanoseconds} tz=\"+{:02}00\" logid=\"{id}\" type=\"event\" subtype=\"{subtype}\" level=\"{level}\" vd=\"root\" {rest}",
        local(shown, offset, "date=%Y-%m-%d time=%H:%M:%S"),
        gateway.name,
        gateway.serial,
        offset / HOUR,
    )
}

const UPDATES: &str = "logdesc=\"FortiGate update succeeded\" status=\"update\" msg=\"Fortigate scheduled update fcni=yes fdni=yes fsci=yes from 203.0.113.201:443\"";
const FAILS_OVER: &str = "logdesc=\"HA member state moved\" msg=\"Virtual cluster's member state moved\" ha_role=\"primary\" vcluster=1 vcluster_state=\"work\" vcluster_member=0 hostname=\"vpn-gw1b\" sn=\"FGT20E0000000102\"";

fn lives(load: u64, sessions: u64) -> String {
    format!(
        "logdesc=\"System performance statistics\" action=\"perf-stats\" cpu={load} mem=41 totalsession={sessions} disk=0 bandwidth=\"1204/884\" setuprate=2 disklograte=0 fazlograte=0 freediskstorage=55013 sysuptime=88211 msg=\"Performance statistics: average CPU: {load}, memory:  41, concurrent sessions:  {sessions}, setup-rate: 2\""
    )
}

fn connects(from: &str) -> String {
    format!(
        "logdesc=\"SSL VPN new connection\" action=\"ssl-new-con\" tunneltype=\"ssl\" tunnelid=0 remip={from} user=\"N/A\" group=\"N/A\" dst_host=\"N/A\" reason=\"N/A\" msg=\"SSL new connection\""
    )
}

fn authenticates(gateway: Gateway, tunnel: &Tunnel<'_>) -> String {
    let Tunnel { user, group, from, .. } = tunnel;
    format!(
        "logdesc=\"Authentication success\" srcip={from} dstip={} policyid=0 interface=\"wan1\" user=\"{user}\" group=\"{group}\" authproto=\"HTTPS({from})\" action=\"authentication\" status=\"success\" reason=\"N/A\" msg=\"User {user} succeeded in authentication\"",
        gateway.address
    )
}

fn fails(user: &str, from: &str) -> String {
    format!(
        "logdesc=\"SSL VPN login fail\" action=\"ssl-login-fail\" tunneltype=\"ssl-web\" tunnelid=0 remip={from} user=\"{user}\" group=\"N/A\" dst_host=\"N/A\" reason=\"sslvpn_login_permission_denied\" msg=\"SSL user failed to logged in\""
    )
}

fn opens(tunnel: &Tunnel<'_>) -> String {
    let Tunnel { id, user, group, from, inside } = tunnel;
    format!(
        "logdesc=\"SSL VPN tunnel up\" action=\"tunnel-up\" tunneltype=\"ssl-tunnel\" tunnelid={id} remip={from} tunnelip={inside} user=\"{user}\" group=\"{group}\" dst_host=\"N/A\" reason=\"tunnel established\" msg=\"SSL tunnel established\""
    )
}

fn closes(tunnel: &Tunnel<'_>, end: End) -> String {
    let Tunnel { id, user, group, from, inside } = tunnel;
    let End { seconds, sent, received, reason } = end;
    format!(
        "logdesc=\"SSL VPN tunnel down\" action=\"tunnel-down\" tunneltype=\"ssl-tunnel\" tunnelid={id} remip={from} tunnelip={inside} user=\"{user}\" group=\"{group}\" dst_host=\"N/A\" reason=\"{reason}\" duration={seconds} sentbyte={sent} rcvdbyte={received} msg=\"SSL tunnel shutdown\""
    )
}

fn crashes(program: &str, signal: u8) -> String {
    format!(
        "logdesc=\"Application crashed\" action=\"crash\" msg=\"Pid: 00231, application: {program}, Firmware: FortiGate-200E v7.2.5, Signal {signal} received\""
    )
}

fn administers(user: &str, from: &str, moment: Moment) -> String {
    format!(
        "logdesc=\"Admin login successful\" sn=\"{}\" user=\"{user}\" ui=\"https({from})\" method=\"https\" srcip={from} dstip=10.20.0.1 action=\"login\" status=\"success\" reason=\"none\" profile=\"super_admin\" msg=\"Administrator {user} logged in successfully from https({from})\"",
        moment / 1000
    )
}
