//! A VPN tunnel that no successful authentication precedes.
//!
//! Somebody who gets past the login by a flaw of the appliance leaves the tunnel without the login.
//! Which product and which flaw does not matter: the absence is the sign. It is only a sign where
//! the same log does show logins before other tunnels, and where the log was alive before this
//! one.

use std::collections::BTreeMap;
use std::ops::Range;

use makyo_base::{
    DAY_NS, EntityKind, Finding, Level, MINUTE_NS, Organisation, Places, Query, QueryError,
    RecordRef, Role, format_time,
};

use super::{Analytic, entity};
use crate::weights::Weights;

pub(crate) const ANALYTIC: Analytic = Analytic {
    id: "tunnel_without_authentication",
    title: "VPN tunnel that no authentication precedes",
    level: Level::Critical,
    techniques: &["T1190", "T1133"],
    tactics: &["initial-access"],
    run,
};

/// How long before a tunnel its authentication may lie.
const BEFORE_NS: i64 = 15 * MINUTE_NS;
/// Some products write the tunnel a moment before the login.
const AFTER_NS: i64 = 2 * MINUTE_NS;
/// Tunnels with a login that a log must show before a missing login means anything.
const WITNESSES_MIN: usize = 3;
/// The share of tunnels that must have one.
const WITNESSED_SHARE: f64 = 0.7;
/// The same where the log's words are inferred: a form of login that was not understood would make
/// intruders of all who use it.
const WITNESSED_SHARE_INFERRED: f64 = 0.95;

const SQL: &str = "
    SELECT source, coalesce(host, '') AS host, coalesce(account, '') AS account,
           coalesce(src_endpoint_ip, '') AS address, coalesce(tunnel_interface_ip, '') AS inside,
           coalesce(actor_session_uid, '') AS session, class_uid, activity_id,
           coalesce(status, '') AS status, CAST(time AS BIGINT) AS at, file, record
    FROM events
    WHERE time IS NOT NULL
      AND (class_uid = 4014
           OR (class_uid = 3002 AND activity_id IN (1, 6) AND coalesce(logon_type, '') <> 'admin'
               AND source IN (SELECT DISTINCT source FROM events WHERE class_uid = 4014)))
    ORDER BY source, host, at, file, record";

struct Line {
    account: String,
    address: String,
    inside: String,
    session: String,
    at: i64,
    is_tunnel: bool,
    is_login: bool,
    is_end: bool,
    record: RecordRef,
}

/// One device's lines in the order of time, and where each account's are among them.
#[derive(Default)]
struct Device {
    lines: Vec<Line>,
    accounts: BTreeMap<String, Vec<usize>>,
}

impl Device {
    /// One account's lines within a time.
    fn of(&self, account: &str, times: Range<i64>) -> impl Iterator<Item = &Line> {
        let places = self.accounts.get(account).map(Vec::as_slice).unwrap_or_default();
        let time = |place: &usize| self.lines.get(*place).map_or(i64::MAX, |line| line.at);
        let from = places.partition_point(|place| time(place) < times.start);
        let to = places.partition_point(|place| time(place) < times.end);
        let within = places.get(from..to.max(from)).unwrap_or_default();
        within.iter().filter_map(|place| self.lines.get(*place))
    }

    /// The first line in the end of this tunnel.
    fn end(&self, tunnel: &Line) -> Option<&Line> {
        self.of(&tunnel.account, tunnel.at + 1..i64::MAX).find(|line| {
            let is_same = if tunnel.session.is_empty() {
                line.inside == tunnel.inside
            } else {
                line.session == tunnel.session
            };
            line.is_end && is_same
        })
    }
}

/// A tunnel that no authentication precedes, on a device whose others have one.
struct Unauthenticated<'a> {
    host: &'a str,
    tunnel: &'a Line,
    end: Option<&'a Line>,
    witnessed: usize,
}

fn run(
    analytic: &Analytic,
    query: &dyn Query,
    _organisation: &Organisation,
    weights: &Weights,
    _places: &dyn Places,
    _found: &[Finding],
) -> Result<Vec<Finding>, QueryError> {
    let devices = devices(query)?;
    let found = unauthenticated(&devices);
    Ok(found.iter().map(|one| finding(analytic, one, weights)).collect())
}

/// Somebody inside by a tunnel that no authentication precedes.
#[derive(Clone, Debug)]
pub(super) struct Inside {
    pub(super) account: String,
    /// Outside address.
    pub(super) address: String,
    /// The address that it leased; empty where the log names none.
    pub(super) inside: String,
    pub(super) start: i64,
    pub(super) end: i64,
}

/// All of them.
pub(super) fn intruders(query: &dyn Query) -> Result<Vec<Inside>, QueryError> {
    let devices = devices(query)?;
    let inside = |one: &Unauthenticated<'_>| {
        let longest = one.tunnel.at + DAY_NS;
        Inside {
            account: one.tunnel.account.clone(),
            address: one.tunnel.address.clone(),
            inside: one.tunnel.inside.clone(),
            start: one.tunnel.at,
            end: one.end.map_or(longest, |end| end.at.min(longest)),
        }
    };
    Ok(unauthenticated(&devices).iter().map(inside).collect())
}

type Devices = BTreeMap<(String, String), Device>;

fn devices(query: &dyn Query) -> Result<Devices, QueryError> {
    let mut devices = Devices::new();
    for row in query.query(SQL)?.iter() {
        let class = row.integer("class_uid");
        let activity = row.integer("activity_id");
        let line = Line {
            account: row.string("account"),
            address: row.string("address"),
            inside: row.string("inside"),
            session: row.string("session"),
            at: row.integer("at").unwrap_or_default(),
            // Tunnels between sites have neither an account nor a leased address.
            is_tunnel: class == Some(4014)
                && activity == Some(1)
                && (row.text("account") != Some("") || row.text("inside") != Some("")),
            is_end: class == Some(4014) && activity == Some(2),
            is_login: class == Some(3002) && row.text("status") == Some("Success"),
            record: row.reference(),
        };
        let device = devices.entry((row.string("source"), row.string("host"))).or_default();
        device.accounts.entry(line.account.clone()).or_default().push(device.lines.len());
        device.lines.push(line);
    }
    Ok(devices)
}

fn unauthenticated(devices: &Devices) -> Vec<Unauthenticated<'_>> {
    let mut found = Vec::new();
    for ((source, host), device) in devices {
        let tunnels: Vec<&Line> = device.lines.iter().filter(|line| line.is_tunnel).collect();
        let witnessed = tunnels.iter().filter(|tunnel| has_login(tunnel, device)).count();
        #[allow(clippy::cast_precision_loss, reason = "tunnels of one device")]
        let share = witnessed as f64 / tunnels.len().max(1) as f64;
        let least = if source == "generic" { WITNESSED_SHARE_INFERRED } else { WITNESSED_SHARE };
        if witnessed < WITNESSES_MIN || share < least {
            continue;
        }
        let is_found = |tunnel: &&Line| {
            !has_login(tunnel, device)
                && !is_reconnection(tunnel, device)
                && !is_renewed(tunnel, devices)
                && !is_second_line(tunnel, device)
                && !is_early(tunnel, device)
        };
        found.extend(tunnels.into_iter().filter(is_found).map(|tunnel| Unauthenticated {
            host,
            tunnel,
            end: device.end(tunnel),
            witnessed,
        }));
    }
    found
}

fn has_login(tunnel: &Line, device: &Device) -> bool {
    let around = tunnel.at - BEFORE_NS..tunnel.at + AFTER_NS + 1;
    device.of(&tunnel.account, around).any(|line| line.is_login)
}

/// The client took its session up again: the same session, or the same account from the same
/// address shortly after its own tunnel ended.
fn is_reconnection(tunnel: &Line, device: &Device) -> bool {
    device.of(&tunnel.account, i64::MIN..tunnel.at).any(|line| {
        let is_same_session = !tunnel.session.is_empty() && line.session == tunnel.session;
        let is_same_client = line.address == tunnel.address && line.at >= tunnel.at - BEFORE_NS;
        (line.is_tunnel || line.is_end) && (is_same_session || is_same_client)
    })
}

/// The session was taken up again, after a failover by whichever device: the same account logged in
/// from the same address, to whichever device. Ever is near enough: a line that was lost must not
/// make the owner's home an intruder's.
fn is_renewed(tunnel: &Line, devices: &Devices) -> bool {
    devices.values().any(|device| {
        let mut lines = device.of(&tunnel.account, i64::MIN..i64::MAX);
        lines.any(|line| line.is_login && line.address == tunnel.address)
    })
}

/// Near the start of the log the login may lie before it: sessions are taken up again for hours.
fn is_early(tunnel: &Line, device: &Device) -> bool {
    device.lines.first().is_none_or(|first| tunnel.at - first.at < DAY_NS)
}

/// Products write several lines as one tunnel comes up; the first one speaks for it.
fn is_second_line(tunnel: &Line, device: &Device) -> bool {
    device
        .of(&tunnel.account, tunnel.at - MINUTE_NS..tunnel.at + 1)
        .any(|line| line.is_tunnel && (line.at, &line.record) < (tunnel.at, &tunnel.record))
}

fn finding(analytic: &Analytic, one: &Unauthenticated<'_>, weights: &Weights) -> Finding {
    let Unauthenticated { host, tunnel, end, witnessed } = one;
    let until = end.map_or_else(
        || "no end is logged".to_owned(),
        |end| format!("until {}", format_time(end.at)),
    );
    let text = format!(
        "VPN tunnel for `{}` from {} on {} without any authentication before it, {until}; {witnessed} other tunnels in this log have one",
        tunnel.account,
        tunnel.address,
        if host.is_empty() { "the appliance" } else { host },
    );
    let entities = [
        entity(Role::Target, EntityKind::Account, &tunnel.account),
        entity(Role::Place, EntityKind::Host, host),
        entity(Role::Origin, EntityKind::Address, &tunnel.address),
        entity(Role::Object, EntityKind::Address, &tunnel.inside),
        entity(Role::Object, EntityKind::Session, &tunnel.session),
    ];
    let mut records = vec![tunnel.record.clone()];
    records.extend(end.map(|end| end.record.clone()));
    let weight = weights.analytic(analytic.id);
    analytic.finding(
        Some(tunnel.at),
        weight,
        entities.into_iter().flatten().collect(),
        records,
        text,
    )
}
