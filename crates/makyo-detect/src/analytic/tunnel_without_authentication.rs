//! A VPN tunnel that no successful authentication precedes.
//!
//! Somebody who gets past the login by a flaw of the appliance leaves the tunnel without the login.
//! Which product and which flaw does not matter: the absence is the sign. It is only a sign where
//! the same log does show logins before other tunnels, and where the log was alive before this
//! one.

use std::collections::BTreeMap;

use makyo_base::{
    DAY_NS, EntityKind, Finding, Level, MINUTE_NS, Organisation, Query, QueryError, RecordRef,
    Role, format_time,
};

use super::{Analytic, entity, reference};
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

const SQL: &str = "
    SELECT source, coalesce(host, '') AS host, coalesce(account, '') AS account,
           coalesce(src_endpoint_ip, '') AS address, coalesce(tunnel_interface_ip, '') AS inside,
           coalesce(actor_session_uid, '') AS session, class_uid, activity_id,
           coalesce(status, '') AS status, CAST(time AS BIGINT) AS at, file, record
    FROM events
    WHERE time IS NOT NULL
      AND (class_uid = 4014
           OR (class_uid = 3002 AND coalesce(logon_type, '') <> 'admin'
               AND source IN (SELECT source FROM events WHERE class_uid = 4014)))
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

fn run(
    analytic: &Analytic,
    query: &dyn Query,
    _organisation: &Organisation,
    weights: &Weights,
) -> Result<Vec<Finding>, QueryError> {
    let rows = query.query(SQL)?;
    let mut devices: BTreeMap<(String, String), Vec<Line>> = BTreeMap::new();
    for row in rows.iter() {
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
            record: reference(row),
        };
        devices.entry((row.string("source"), row.string("host"))).or_default().push(line);
    }
    let mut found = Vec::new();
    for ((_, host), lines) in &devices {
        let tunnels: Vec<&Line> = lines.iter().filter(|line| line.is_tunnel).collect();
        let witnessed = tunnels.iter().filter(|tunnel| has_login(tunnel, lines)).count();
        #[allow(clippy::cast_precision_loss, reason = "tunnels of one device")]
        let share = witnessed as f64 / tunnels.len().max(1) as f64;
        if witnessed < WITNESSES_MIN || share < WITNESSED_SHARE {
            continue;
        }
        for tunnel in tunnels
            .iter()
            .filter(|tunnel| !has_login(tunnel, lines) && !is_reconnection(tunnel, lines))
        {
            if is_second_line(tunnel, lines) || is_early(tunnel, lines) {
                continue;
            }
            found.push(finding(analytic, host, tunnel, lines, witnessed, weights));
        }
    }
    Ok(found)
}

fn has_login(tunnel: &Line, lines: &[Line]) -> bool {
    lines.iter().any(|line| {
        line.is_login
            && line.account == tunnel.account
            && line.at >= tunnel.at - BEFORE_NS
            && line.at <= tunnel.at + AFTER_NS
    })
}

/// The client took its session up again: the same session, or the same account from the same
/// address shortly after its own tunnel ended.
fn is_reconnection(tunnel: &Line, lines: &[Line]) -> bool {
    lines.iter().any(|line| {
        let is_earlier = line.at < tunnel.at && (line.is_tunnel || line.is_end);
        let is_same_session = !tunnel.session.is_empty() && line.session == tunnel.session;
        let is_same_client = line.account == tunnel.account
            && line.address == tunnel.address
            && line.at >= tunnel.at - BEFORE_NS;
        is_earlier && (is_same_session || is_same_client)
    })
}

/// Near the start of the log the login may lie before it: sessions are taken up again for hours.
fn is_early(tunnel: &Line, lines: &[Line]) -> bool {
    lines.iter().map(|line| line.at).min().is_none_or(|first| tunnel.at - first < DAY_NS)
}

/// Products write several lines as one tunnel comes up; the first one speaks for it.
fn is_second_line(tunnel: &Line, lines: &[Line]) -> bool {
    lines.iter().any(|line| {
        line.is_tunnel
            && line.account == tunnel.account
            && line.at >= tunnel.at - MINUTE_NS
            && (line.at, &line.record) < (tunnel.at, &tunnel.record)
    })
}

fn finding(
    analytic: &Analytic,
    host: &str,
    tunnel: &Line,
    lines: &[Line],
    witnessed: usize,
    weights: &Weights,
) -> Finding {
    let end = lines.iter().find(|line| {
        let is_same = if tunnel.session.is_empty() {
            line.account == tunnel.account && line.inside == tunnel.inside
        } else {
            line.session == tunnel.session
        };
        line.is_end && line.at > tunnel.at && is_same
    });
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
