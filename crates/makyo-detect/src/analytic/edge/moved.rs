//! A VPN session goes on from an address in a network where nobody of the organisation ever logged
//! in: the session was taken, not the password.
//!
//! Telephones and trains change networks within a session too, so a network that other people log
//! in from, or that the account itself logged in from on any day, says nothing.

use std::collections::{BTreeMap, BTreeSet};

use makyo_base::{
    EntityKind, Finding, Level, Organisation, Places, Query, QueryError, RecordRef, Role,
};

use super::{is_foreign, wide_network};
use crate::analytic::{Analytic, entity};
use crate::weights::Weights;

pub(crate) const ANALYTIC: Analytic = Analytic {
    id: "vpn_session_moved",
    title: "VPN session goes on from a network where nobody logs in",
    level: Level::High,
    techniques: &["T1563", "T1133"],
    tactics: &["initial-access"],
    run,
};

/// Lines of sessions that come from another address than the line before them. After an end only
/// while another session of the account is open.
const SQL: &str = "
    WITH lines AS (
      SELECT source, coalesce(host, '') AS host, account, coalesce(actor_session_uid, '') AS session,
             src_endpoint_ip AS address, time, file, record,
             CASE WHEN class_uid = 3002 THEN 1 ELSE activity_id END AS step,
             CASE WHEN class_uid = 3002 THEN 0 WHEN activity_id = 1 THEN 1
                  WHEN activity_id = 2 THEN -1 ELSE 0 END AS more
      FROM events
      WHERE account IS NOT NULL AND src_endpoint_ip IS NOT NULL AND time IS NOT NULL
        AND (class_uid = 4014
             OR class_uid = 3002 AND coalesce(logon_type, '') = 'vpn' AND activity_id = 1
                AND coalesce(status, '') = 'Success')),
    followed AS (
      SELECT *, lag(address) OVER own AS before, lag(step) OVER own AS step_before,
             lag(time) OVER own AS time_before, sum(more) OVER own AS still_open
      FROM lines
      WINDOW own AS (PARTITION BY source, host, account, session ORDER BY time, file, record))
    SELECT host, account, session, before, address, CAST(time AS BIGINT) AS at, file, record
    FROM followed
    WHERE step IN (2, 3) AND before <> address AND (step_before <> 2 OR still_open > 0)
      AND CAST(time AS BIGINT) - CAST(time_before AS BIGINT) < 86400000000000
    ORDER BY account, at, file, record";

/// From where people log in, and on which days.
const LOGINS: &str = "
    SELECT DISTINCT account, src_endpoint_ip AS address,
           CAST(date_trunc('day', time) AS BIGINT) AS day
    FROM events
    WHERE account IS NOT NULL AND src_endpoint_ip IS NOT NULL AND time IS NOT NULL
      AND (class_uid = 4014 AND activity_id = 1
           OR class_uid = 3002 AND coalesce(logon_type, '') = 'vpn' AND coalesce(status, '') = 'Success')
    ORDER BY 1, 2, 3";

/// A session's change of address.
#[derive(Clone, Debug)]
pub(crate) struct Move {
    pub(crate) host: String,
    pub(crate) account: String,
    pub(crate) session: String,
    pub(crate) before: String,
    pub(crate) address: String,
    pub(crate) at: i64,
    pub(crate) record: RecordRef,
}

fn run(
    analytic: &Analytic,
    query: &dyn Query,
    organisation: &Organisation,
    weights: &Weights,
    _places: &dyn Places,
    _found: &[Finding],
) -> Result<Vec<Finding>, QueryError> {
    let moves: Vec<Move> = query
        .query(SQL)?
        .iter()
        .map(|row| Move {
            host: row.string("host"),
            account: row.string("account"),
            session: row.string("session"),
            before: row.string("before"),
            address: row.string("address"),
            at: row.integer("at").unwrap_or_default(),
            record: row.reference(),
        })
        .collect();
    if moves.is_empty() {
        return Ok(Vec::new());
    }
    let mut networks = Networks::new();
    for row in query.query(LOGINS)?.iter() {
        let people = networks.entry(wide_network(&row.string("address"))).or_default();
        let days = people.entry(row.string("account")).or_default();
        days.insert(row.integer("day").unwrap_or_default());
    }
    let weight = weights.analytic(analytic.id);
    Ok(judge(&moves, &networks, organisation)
        .into_iter()
        .map(|one| finding(analytic, one, weight))
        .collect())
}

/// Networks, the accounts that log in from there, and their days.
pub(crate) type Networks = BTreeMap<String, BTreeMap<String, BTreeSet<i64>>>;

/// So many other people log in from a network, each on more than one day, before it is a place where
/// people are; an intruder with several passwords comes and goes.
const PEOPLE_MIN: usize = 2;

/// Whether the account itself or the organisation's people log in from there.
fn is_known(networks: &Networks, account: &str, address: &str) -> bool {
    let own = networks.get(&wide_network(address));
    own.is_some_and(|people| people.contains_key(account))
        || others_there(networks, account, address) >= PEOPLE_MIN
}

/// How many people other than this account log in from there again and again.
pub(crate) fn others_there(networks: &Networks, account: &str, address: &str) -> usize {
    others_in(networks, account, &wide_network(address))
}

/// The same for a network.
pub(crate) fn others_in(networks: &Networks, account: &str, network: &str) -> usize {
    networks.get(network).map_or(0, |people| {
        let again = |entry: &(&String, &BTreeSet<i64>)| entry.0 != account && entry.1.len() > 1;
        people.iter().filter(again).count()
    })
}

/// The first move of each session into a network where nobody logs in.
pub(crate) fn judge<'m>(
    moves: &'m [Move],
    networks: &Networks,
    organisation: &Organisation,
) -> Vec<&'m Move> {
    let mut told: BTreeSet<(&str, &str, &str)> = BTreeSet::new();
    let is_strange = |one: &&Move| {
        is_foreign(&one.address, organisation)
            && wide_network(&one.before) != wide_network(&one.address)
            && !is_known(networks, &one.account, &one.address)
    };
    moves
        .iter()
        .filter(is_strange)
        .filter(|one| told.insert((&one.account, &one.session, &one.address)))
        .collect()
}

fn finding(analytic: &Analytic, one: &Move, weight_db: f64) -> Finding {
    let text = format!(
        "The VPN session of `{}` on {} went on from {} after {}, and neither its owner nor others log in from that network: the session may be in another's hands",
        one.account,
        if one.host.is_empty() { "the appliance" } else { &one.host },
        one.address,
        one.before,
    );
    let entities = [
        entity(Role::Actor, EntityKind::Account, &one.account),
        entity(Role::Origin, EntityKind::Address, &one.address),
        entity(Role::Object, EntityKind::Session, &one.session),
    ];
    let entities = entities.into_iter().flatten().collect();
    analytic.finding(Some(one.at), weight_db, entities, vec![one.record.clone()], text)
}
