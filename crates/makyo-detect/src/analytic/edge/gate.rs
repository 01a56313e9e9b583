//! Much goes through the appliance's gate for an address that never had a session.

use std::collections::BTreeSet;

use makyo_base::{
    EntityKind, Finding, HOUR_NS, Level, MINUTE_NS, Organisation, Places, Query, QueryError,
    RecordRef, Role,
};

use super::scale::EdgeScale;
use super::silence::{Hours, edge_condition};
use super::sql_list;
use crate::analytic::{Analytic, entity};
use crate::weights::Weights;

pub(crate) const ANALYTIC: Analytic = Analytic {
    id: "bulk_through_gate",
    title: "Much goes through the appliance without a session",
    level: Level::High,
    techniques: &["T1190", "T1048"],
    tactics: &["initial-access", "exfiltration"],
    run,
};

/// A connection's session begins and ends so near to it.
const BEFORE_NS: i64 = HOUR_NS / 2;
const AFTER_NS: i64 = HOUR_NS / 6 + MINUTE_NS;

fn sql(addresses: &str, scale: &EdgeScale) -> String {
    let (bytes, lasted_ms) = (scale.gate_bytes, scale.gate_lasts / 1_000_000);
    format!(
        "SELECT src_endpoint_ip AS client, dst_endpoint_ip AS gate, CAST(time AS BIGINT) AS at,
                coalesce(duration, 0) AS lasted, file, record,
                coalesce(traffic_bytes_in, 0) + coalesce(traffic_bytes_out, 0) AS bytes
         FROM events
         WHERE class_uid = 4001 AND dst_endpoint_ip IN ({addresses}) AND time IS NOT NULL
           AND dst_endpoint_port IN (443, 500, 1194, 4433, 4443, 4500, 8443, 10443, 51820)
           AND src_endpoint_ip IS NOT NULL AND coalesce(duration, 0) >= {lasted_ms}
           AND coalesce(traffic_bytes_in, 0) + coalesce(traffic_bytes_out, 0) >= {bytes}
         ORDER BY at, file, record"
    )
}

const GATES: &str = "
    SELECT DISTINCT dst_endpoint_ip AS address FROM events
    WHERE class_uid = 4001 AND dst_endpoint_port IN (443, 500, 1194, 4433, 4443, 4500, 8443, 10443, 51820)
      AND dst_endpoint_ip IS NOT NULL ORDER BY 1";

fn sessions_sql(clients: &str) -> String {
    format!(
        "SELECT src_endpoint_ip AS client, CAST(date_trunc('minute', time) AS BIGINT) AS at
         FROM events
         WHERE src_endpoint_ip IN ({clients}) AND time IS NOT NULL
           AND (class_uid = 4014 OR class_uid = 3002 AND coalesce(status, 'Success') <> 'Failure')
         GROUP BY 1, 2 ORDER BY 1, 2"
    )
}

/// One large connection.
#[derive(Clone, Debug)]
pub(crate) struct Bulk {
    pub(crate) client: String,
    pub(crate) gate: String,
    pub(crate) at: i64,
    /// Nanoseconds.
    pub(crate) lasted: i64,
    pub(crate) bytes: i64,
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
    if organisation.network.appliances.is_empty() {
        return Ok(Vec::new());
    }
    let gates: BTreeSet<String> = query
        .query(GATES)?
        .iter()
        .filter_map(|row| row.address("address"))
        .filter(|address| organisation.network.is_appliance(*address))
        .map(|address| address.to_string())
        .collect();
    if gates.is_empty() {
        return Ok(Vec::new());
    }
    let bulks: Vec<Bulk> = query
        .query(&sql(&sql_list(&gates), weights.edge()))?
        .iter()
        .map(|row| Bulk {
            client: row.string("client"),
            gate: row.string("gate"),
            at: row.integer("at").unwrap_or_default(),
            lasted: row.integer("lasted").unwrap_or_default().saturating_mul(1_000_000),
            bytes: row.integer("bytes").unwrap_or_default(),
            record: row.reference(),
        })
        .collect();
    let bulks = once(bulks);
    let clients: BTreeSet<String> = bulks.iter().map(|bulk| bulk.client.clone()).collect();
    if clients.is_empty() {
        return Ok(Vec::new());
    }
    let known: BTreeSet<(String, i64)> = query
        .query(&sessions_sql(&sql_list(&clients)))?
        .iter()
        .map(|row| (row.string("client"), row.integer("at").unwrap_or_default()))
        .collect();
    let weight = weights.analytic(analytic.id);
    let Some(edge) = edge_condition(query)? else { return Ok(Vec::new()) };
    let hours = Hours::read(query, &edge)?;
    Ok(judge(&bulks, &known, weights.edge())
        .into_iter()
        // Which device's gate it is, no log says: a gap of any of them may hold the session.
        .filter(|bulk| !hours.is_any_silent(bulk.at, bulk.at + bulk.lasted))
        .map(|bulk| finding(analytic, bulk, weight))
        .collect())
}

/// Two sensors on the way write the same connection, each by its own clock.
const SENSORS_NS: i64 = MINUTE_NS / 12;

/// The same connections, each once: of those between the same two that begin together and last
/// alike, the one with the most bytes.
pub(crate) fn once(mut bulks: Vec<Bulk>) -> Vec<Bulk> {
    bulks.sort_by(|a, b| {
        (&a.client, &a.gate, a.at, &a.record).cmp(&(&b.client, &b.gate, b.at, &b.record))
    });
    bulks.dedup_by(|later, kept| {
        let is_same = later.client == kept.client
            && later.gate == kept.gate
            && later.at - kept.at <= SENSORS_NS
            && (later.lasted - kept.lasted).abs() <= kept.lasted / 10;
        if is_same && later.bytes > kept.bytes {
            kept.bytes = later.bytes;
        }
        is_same
    });
    bulks.sort_by(|a, b| (a.at, &a.record).cmp(&(b.at, &b.record)));
    bulks
}

/// Large connections of clients of whom the VPN log says nothing at that time, where it does say
/// something of others.
pub(crate) fn judge<'b>(
    bulks: &'b [Bulk],
    known: &BTreeSet<(String, i64)>,
    scale: &EdgeScale,
) -> Vec<&'b Bulk> {
    let has_session = |bulk: &&Bulk| {
        let from = (bulk.client.clone(), bulk.at - BEFORE_NS);
        let to = (bulk.client.clone(), bulk.at + bulk.lasted + AFTER_NS);
        known.range(from..to).next().is_some()
    };
    let witnesses = bulks.iter().filter(has_session).count();
    let without: Vec<&Bulk> = bulks.iter().filter(|bulk| !has_session(bulk)).collect();
    let means_something = witnesses >= scale.gate_witnesses && witnesses >= 4 * without.len();
    if means_something { without } else { Vec::new() }
}

fn finding(analytic: &Analytic, bulk: &Bulk, weight_db: f64) -> Finding {
    let text = format!(
        "{} MB went between {} and the appliance {} in {} minutes, and the VPN log has neither a login nor a session of that address then. No logged authentication explains it: product and flaw are not identified",
        (bulk.bytes + 500_000) / 1_000_000,
        bulk.client,
        bulk.gate,
        bulk.lasted / MINUTE_NS,
    );
    let entities = [
        entity(Role::Origin, EntityKind::Address, &bulk.client),
        entity(Role::Object, EntityKind::Address, &bulk.gate),
    ];
    let entities = entities.into_iter().flatten().collect();
    analytic.finding(Some(bulk.at), weight_db, entities, vec![bulk.record.clone()], text)
}
