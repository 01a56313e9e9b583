//! An address of the VPN pool acts while nobody holds it.
//!
//! Whoever gets an address without a lease that the log shows came by another way than the logged
//! one, or took lines out of the log.

use std::collections::{BTreeMap, BTreeSet};

use makyo_base::{
    DAY_NS, EntityKind, Finding, HOUR_NS, Level, MINUTE_NS, Organisation, Places, Query,
    QueryError, RecordRef, Role, format_time,
};

use super::scale::EdgeScale;
use super::silence::{Hours, edge_condition};
use crate::analytic::{Analytic, entity};
use crate::weights::Weights;

pub(crate) const ANALYTIC: Analytic = Analytic {
    id: "ghost_pool_address",
    title: "Address of the VPN pool acts while nobody holds it",
    level: Level::High,
    techniques: &["T1133", "T1190"],
    tactics: &["initial-access"],
    run,
};

/// Clocks and logs of two devices differ by so much. What acts so shortly before its lease is
/// logged, or after, is taken for the one that holds it.
const SLACK_NS: i64 = 15 * MINUTE_NS;
/// Sessions outlast the start of the log by so much.
const EARLY_NS: i64 = DAY_NS;

/// What each action of a pool address follows: the last and the next line about its lease.
const SQL: &str = "
    WITH leases AS (
      SELECT tunnel_interface_ip AS address, time, activity_id AS lease
      FROM events WHERE class_uid = 4014 AND tunnel_interface_ip IS NOT NULL AND time IS NOT NULL
      UNION ALL
      SELECT tunnel_interface_ip AS address, time, 1 AS lease
      FROM events WHERE class_uid = 3002 AND activity_id = 1 AND tunnel_interface_ip IS NOT NULL
        AND time IS NOT NULL),
    pools AS (
      SELECT regexp_replace(address, '[.][0-9]+$', '') AS pool FROM leases
      WHERE address LIKE '%.%' GROUP BY 1 HAVING count(DISTINCT address) >= __LEASED__),
    actions AS (
      SELECT src_endpoint_ip AS address, time, CAST(NULL AS BIGINT) AS lease,
             coalesce(dst_endpoint_ip, host, '') AS target,
             concat(file, '#', lpad(CAST(record AS VARCHAR), 20, '0')) AS place
      FROM events
      WHERE time IS NOT NULL AND src_endpoint_ip IS NOT NULL
        AND (class_uid = 4001 OR (class_uid = 3002 AND source = 'windows-security'))
        AND regexp_replace(src_endpoint_ip, '[.][0-9]+$', '') IN (SELECT DISTINCT pool FROM pools)),
    lines AS (
      SELECT address, time, lease, '' AS target, '' AS place FROM leases
      UNION ALL SELECT address, time, lease, target, place FROM actions),
    placed AS (
      SELECT address, time, lease, target, place,
             last_value(lease) IGNORE NULLS OVER before AS last_lease,
             last_value(CASE WHEN lease IS NOT NULL THEN time END) IGNORE NULLS OVER before AS last_at,
             first_value(lease) IGNORE NULLS OVER after AS next_lease,
             first_value(CASE WHEN lease IS NOT NULL THEN time END) IGNORE NULLS OVER after AS next_at
      FROM lines
      WINDOW before AS (PARTITION BY address ORDER BY time, place
                        ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW),
             after AS (PARTITION BY address ORDER BY time, place
                       ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING)),
    judged AS (
      SELECT address, time, target, place,
             (last_lease IS NULL OR (last_lease = 2 AND CAST(time AS BIGINT) - CAST(last_at AS BIGINT) > __SLACK__))
             AND (next_lease IS NULL OR next_lease = 1 AND CAST(next_at AS BIGINT) - CAST(time AS BIGINT) > __SLACK__)
               AS is_ghost
      FROM placed WHERE lease IS NULL)
    SELECT address, is_ghost, CAST(date_trunc('hour', time) AS BIGINT) AS hour,
           CAST(min(time) AS BIGINT) AS first, CAST(max(time) AS BIGINT) AS last,
           count(*) AS actions, min(target) AS target, count(DISTINCT target) AS targets,
           min(place) AS least_record
    FROM judged WHERE is_ghost GROUP BY 1, 2, 3
    UNION ALL
    SELECT '' AS address, false AS is_ghost, CAST(min(time) AS BIGINT) AS hour,
           CAST(min(time) AS BIGINT) AS first, CAST(max(time) AS BIGINT) AS last,
           count(*) AS actions, '' AS target, CAST(0 AS BIGINT) AS targets, '' AS least_record
    FROM judged
    ORDER BY 1, 3";

const LEASED: &str = "
    SELECT DISTINCT tunnel_interface_ip AS address, coalesce(host, source) AS device FROM events
    WHERE class_uid IN (3002, 4014) AND tunnel_interface_ip IS NOT NULL ORDER BY 1, 2";

/// Actions of one pool address in one hour, outside of any lease.
#[derive(Clone, Debug)]
pub(crate) struct Stretch {
    pub(crate) address: String,
    pub(crate) first: i64,
    pub(crate) last: i64,
    pub(crate) actions: i64,
    pub(crate) target: String,
    pub(crate) targets: i64,
    pub(crate) record: RecordRef,
}

/// What the logs say of the pool.
#[derive(Debug, Default)]
pub(crate) struct Pool {
    pub(crate) stretches: Vec<Stretch>,
    /// Actions of all pool addresses.
    pub(crate) actions: i64,
    /// Leased addresses, and the devices that lease them.
    pub(crate) leased: BTreeMap<String, BTreeSet<String>>,
    pub(crate) hours: Hours,
}

fn run(
    analytic: &Analytic,
    query: &dyn Query,
    organisation: &Organisation,
    weights: &Weights,
    _places: &dyn Places,
    _found: &[Finding],
) -> Result<Vec<Finding>, QueryError> {
    let Some(edge) = edge_condition(query)? else { return Ok(Vec::new()) };
    let mut pool = Pool { hours: Hours::read(query, &edge)?, ..Pool::default() };
    for row in query.query(LEASED)?.iter() {
        pool.leased.entry(row.string("address")).or_default().insert(row.string("device"));
    }
    if pool.leased.is_empty() {
        return Ok(Vec::new());
    }
    let scale = weights.edge();
    let sql = SQL
        .replace("__LEASED__", &scale.pool_leased.to_string())
        .replace("__SLACK__", &SLACK_NS.to_string());
    for row in query.query(&sql)?.iter() {
        if row.boolean("is_ghost") == Some(false) {
            pool.actions = row.integer("actions").unwrap_or_default();
            continue;
        }
        let address = row.address("address");
        if address.is_some_and(|address| organisation.network.is_appliance(address)) {
            continue;
        }
        pool.stretches.push(Stretch {
            address: row.string("address"),
            first: row.integer("first").unwrap_or_default(),
            last: row.integer("last").unwrap_or_default(),
            actions: row.integer("actions").unwrap_or_default(),
            target: row.string("target"),
            targets: row.integer("targets").unwrap_or_default(),
            record: row.reference(),
        });
    }
    let weight = weights.analytic(analytic.id);
    Ok(judge(&pool, scale).iter().map(|one| finding(analytic, one, weight)).collect())
}

/// Stretches that no lease, no gap of the log and no server beside the pool explains.
pub(crate) fn judge(pool: &Pool, scale: &EdgeScale) -> Vec<Stretch> {
    let mut joined: Vec<Stretch> = Vec::new();
    let mut days: BTreeMap<&str, BTreeSet<i64>> = BTreeMap::new();
    for stretch in &pool.stretches {
        days.entry(&stretch.address).or_default().insert(stretch.first.div_euclid(DAY_NS));
        match joined.last_mut() {
            Some(last)
                if last.address == stretch.address && stretch.first - last.last < 2 * HOUR_NS =>
            {
                last.last = stretch.last;
                last.actions += stretch.actions;
                last.targets = last.targets.max(stretch.targets);
            }
            _ => joined.push(stretch.clone()),
        }
    }
    let is_server = |address: &str| {
        !pool.leased.contains_key(address)
            && days.get(address).is_some_and(|days| days.len() >= scale.pool_server_days)
    };
    let found: Vec<Stretch> = joined
        .into_iter()
        .filter(|one| one.actions >= scale.pool_actions && !is_server(&one.address))
        .collect();
    let unexplained: i64 = found.iter().map(|one| one.actions).sum();
    #[allow(clippy::cast_precision_loss, reason = "counts of flows")]
    let share = 1.0 - unexplained as f64 / pool.actions.max(1) as f64;
    if share < scale.pool_witnessed {
        return Vec::new();
    }
    let ghosts: BTreeSet<&str> = found.iter().map(|one| one.address.as_str()).collect();
    if ghosts.len() > scale.pool_ghosts.max(pool.leased.len() / 100) {
        return Vec::new();
    }
    found.into_iter().filter(|one| is_covered(pool, one)).collect()
}

/// Whether the devices that lease addresses like this one wrote before, after and during the
/// stretch: in a gap the lease may have been told and lost.
fn is_covered(pool: &Pool, one: &Stretch) -> bool {
    let network = |address: &str| {
        address.rsplit_once('.').map_or_else(|| address.to_owned(), |parts| parts.0.to_owned())
    };
    let own = network(&one.address);
    let devices: BTreeSet<&String> = pool
        .leased
        .iter()
        .filter(|lease| network(lease.0) == own)
        .flat_map(|lease| lease.1)
        .collect();
    !devices.is_empty()
        && devices.into_iter().all(|device| {
            let Some(hours) = pool.hours.0.get(device) else { return false };
            let start = hours.keys().next().copied().unwrap_or(i64::MAX);
            let end = hours.keys().next_back().copied().unwrap_or(i64::MIN);
            one.first.saturating_sub(start) >= EARLY_NS
                && one.last <= end.saturating_add(HOUR_NS)
                && !pool.hours.is_silent(device, one.first, one.last)
        })
}

fn finding(analytic: &Analytic, one: &Stretch, weight_db: f64) -> Finding {
    let text = format!(
        "{} of the VPN pool acted {} times between {} and {} ({} target{}, such as {}), and no lease of it is logged at that time. No logged authentication explains it: product and flaw are not identified",
        one.address,
        one.actions,
        format_time(one.first),
        format_time(one.last),
        one.targets,
        if one.targets == 1 { "" } else { "s" },
        one.target,
    );
    let kind = if one.target.parse::<std::net::IpAddr>().is_ok() {
        EntityKind::Address
    } else {
        EntityKind::Host
    };
    let entities = [
        entity(Role::Object, EntityKind::Address, &one.address),
        entity(Role::Target, kind, &one.target),
    ];
    let entities = entities.into_iter().flatten().collect();
    analytic.finding(Some(one.first), weight_db, entities, vec![one.record.clone()], text)
}
