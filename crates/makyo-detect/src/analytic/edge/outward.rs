//! An edge appliance calls a place outside that it never called before, and that no other of the
//! organisation's appliances calls.
//!
//! An appliance calls its maker for updates and licences, a few servers of time and names, and
//! little else. What it calls from the first days on teaches what is usual; a service of its maker
//! is called by its twins too. New places come with new services, so one is a lead and no verdict:
//! it is told only where it is called again and again, or takes much.

use std::collections::{BTreeMap, BTreeSet};

use makyo_base::{
    DAY_NS, EntityKind, Finding, Level, Organisation, Places, Query, QueryError, RecordRef, Role,
    format_time,
};

use super::{learning, speaking_appliances, sql_list};
use crate::analytic::posing::fan_in::poisson_tail_db;
use crate::analytic::{Analytic, entity};
use crate::weights::Weights;

pub(crate) const ANALYTIC: Analytic = Analytic {
    id: "appliance_calls_out",
    title: "Edge appliance calls a place outside that it never called before",
    level: Level::Medium,
    techniques: &["T1071"],
    tactics: &["command-and-control"],
    run,
};

/// The most that rarity weighs, in decibans: updates move to new addresses too.
const RARITY_MAX_DB: f64 = 12.0;

fn sql(addresses: &str) -> String {
    format!(
        "SELECT src_endpoint_ip AS address, dst_endpoint_ip AS target,
                coalesce(min(dst_endpoint_port), 0) AS port, CAST(min(time) AS BIGINT) AS first,
                count(*) AS calls, count(DISTINCT date_trunc('hour', time)) AS hours,
                min(concat(file, '#', lpad(CAST(record AS VARCHAR), 20, '0'))) AS least_record
         FROM events
         WHERE class_uid = 4001 AND src_endpoint_ip IN ({addresses})
           AND dst_endpoint_ip IS NOT NULL AND time IS NOT NULL
         GROUP BY 1, 2 ORDER BY 1, first, 2"
    )
}

const SPAN: &str = "
    SELECT CAST(min(time) AS BIGINT) AS first, CAST(max(time) AS BIGINT) AS last
    FROM events WHERE class_uid = 4001 AND time IS NOT NULL";

/// A place outside that an appliance calls.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) address: String,
    pub(crate) target: String,
    pub(crate) port: i64,
    pub(crate) first: i64,
    pub(crate) calls: i64,
    /// Hours in which it was called.
    pub(crate) hours: i64,
    pub(crate) record: RecordRef,
}

fn run(
    analytic: &Analytic,
    query: &dyn Query,
    organisation: &Organisation,
    weights: &Weights,
    places: &dyn Places,
    _found: &[Finding],
) -> Result<Vec<Finding>, QueryError> {
    let addresses = speaking_appliances(query, organisation)?;
    if addresses.is_empty() {
        return Ok(Vec::new());
    }
    let called: Vec<Place> = query
        .query(&sql(&sql_list(&addresses)))?
        .iter()
        .filter(|row| super::is_foreign(&row.string("target"), organisation))
        .map(|row| Place {
            address: row.string("address"),
            target: row.string("target"),
            port: row.integer("port").unwrap_or_default(),
            first: row.integer("first").unwrap_or_default(),
            calls: row.integer("calls").unwrap_or_default(),
            hours: row.integer("hours").unwrap_or_default(),
            record: row.reference(),
        })
        .collect();
    let span = query.query(SPAN)?;
    let Some(span) = span.iter().next() else { return Ok(Vec::new()) };
    let (Some(first), Some(last)) = (span.integer("first"), span.integer("last")) else {
        return Ok(Vec::new());
    };
    let least = weights.analytic(analytic.id);
    let scale = weights.edge();
    Ok(judge(&called, first, last, scale.outward_hours)
        .iter()
        .filter(|new| new.weight_db >= least)
        .map(|new| finding(analytic, new, places))
        .collect())
}

/// A place that is new to an appliance.
#[derive(Debug)]
pub(crate) struct New<'p> {
    pub(crate) place: &'p Place,
    usual: f64,
    pub(crate) weight_db: f64,
}

/// Places that are new after the time in which the log teaches, called in so many hours, by one
/// appliance alone.
pub(crate) fn judge(called: &[Place], first: i64, last: i64, hours: i64) -> Vec<New<'_>> {
    let learnt = learning(first, last);
    let mut callers: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for place in called {
        callers.entry(&place.target).or_default().insert(&place.address);
    }
    let mut found = Vec::new();
    for own in called.chunk_by(|a, b| a.address == b.address) {
        // As many new places as it has had a day before: who relays its users has many.
        let count = |number: usize| f64::from(u32::try_from(number).unwrap_or(u32::MAX));
        for place in own.iter().filter(|one| one.first > learnt && one.hours >= hours) {
            let is_shared = callers.get(place.target.as_str()).is_some_and(|all| all.len() > 1);
            if is_shared {
                continue;
            }
            let half = first + (learnt - first) / 2;
            let earlier =
                own.iter().filter(|one| one.first > half && one.first < place.first).count();
            #[allow(clippy::cast_precision_loss, reason = "some weeks in days")]
            let days = ((place.first - half) as f64 / DAY_NS as f64).max(1.0);
            let usual = (count(earlier) + 0.2) / (days + 1.0);
            let weight_db = poisson_tail_db(1.0, usual).min(RARITY_MAX_DB);
            found.push(New { place, usual, weight_db });
        }
    }
    found
}

fn finding(analytic: &Analytic, new: &New<'_>, places: &dyn Places) -> Finding {
    let place = new.place;
    let address = place.target.parse().ok();
    let class = address.and_then(|address| places.class(address)).map(super::hosting::place);
    let network = address.and_then(|address| places.network(address));
    let told: Vec<String> = class.map(str::to_owned).into_iter().chain(network).collect();
    let text = format!(
        "The appliance {} called {}:{}{} {} times in {} hours from {} on, which neither it nor another appliance called before; usual are {:.1} new places a day. Updates move too: compare with the maker's addresses",
        place.address,
        place.target,
        place.port,
        if told.is_empty() { String::new() } else { format!(" ({})", told.join(", ")) },
        place.calls,
        place.hours,
        format_time(place.first),
        new.usual,
    );
    let entities = [
        entity(Role::Origin, EntityKind::Address, &place.address),
        entity(Role::Target, EntityKind::Address, &place.target),
    ];
    let entities = entities.into_iter().flatten().collect();
    let weight = (new.weight_db * 10.0).round() / 10.0;
    analytic.finding(Some(place.first), weight, entities, vec![place.record.clone()], text)
}
