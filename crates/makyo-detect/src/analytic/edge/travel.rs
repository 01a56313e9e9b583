//! One account logs in to the VPN from two countries, faster than anybody travels.
//!
//! Distance is what is certain: between the middles of the countries, less the radius of each taken
//! as a disc. Only what the appliance itself says of the country is used; nothing is looked up.

mod countries;

use std::collections::{BTreeMap, BTreeSet};

use makyo_base::{
    DAY_NS, EntityKind, Finding, HOUR_NS, Level, Organisation, Places, Query, QueryError,
    RecordRef, Role,
};

use self::countries::country;
use super::parallel::{self, Stay};
use super::scale::EdgeScale;
use super::sql_list;
use super::visits::Visits;
use crate::analytic::{Analytic, entity};
use crate::weights::Weights;

pub(crate) const ANALYTIC: Analytic = Analytic {
    id: "vpn_impossible_travel",
    title: "VPN logins from two countries, faster than anybody travels",
    level: Level::Medium,
    techniques: &["T1078", "T1133"],
    tactics: &["initial-access"],
    run,
};

/// Kilometres an hour that nobody travels.
const SPEED_MAX: f64 = 900.0;
/// Kilometres below which borders and their databases are not to be trusted.
const DISTANCE_MIN: f64 = 500.0;
/// An account that hops so often is shared, or its country is guessed badly.
const HOPS_MAX: usize = 6;
const EARTH_KM: f64 = 6371.0;

/// What comes through a service says nothing of where its user is: such logins are neither tested
/// nor a reference for others.
fn sql(services: &str) -> String {
    format!(
        "
    WITH logins AS (
      SELECT account, src_endpoint_ip AS address,
             src_endpoint_country AS country, time, file, record
      FROM events
      WHERE account IS NOT NULL AND src_endpoint_country IS NOT NULL AND time IS NOT NULL
        AND src_endpoint_ip IS NOT NULL AND src_endpoint_ip NOT IN ({services})
        AND (class_uid = 4014 AND activity_id = 1
             OR class_uid = 3002 AND coalesce(logon_type, '') = 'vpn' AND activity_id = 1
                AND coalesce(status, '') = 'Success')),
    followed AS (
      SELECT *, lag(country) OVER own AS country_before, lag(address) OVER own AS address_before,
             CAST(lag(time) OVER own AS BIGINT) AS time_before
      FROM logins
      WINDOW own AS (PARTITION BY account ORDER BY time, file, record))
    SELECT account, address, country, country_before, address_before, time_before,
           CAST(time AS BIGINT) AS at, file, record
    FROM followed WHERE country <> country_before
    ORDER BY account, at, file, record"
    )
}

/// A login from another country than the one before.
#[derive(Clone, Debug)]
pub(crate) struct Hop {
    pub(crate) account: String,
    pub(crate) address: String,
    pub(crate) country: String,
    pub(crate) address_before: String,
    pub(crate) country_before: String,
    pub(crate) before: i64,
    pub(crate) at: i64,
    pub(crate) record: RecordRef,
}

fn run(
    analytic: &Analytic,
    query: &dyn Query,
    _organisation: &Organisation,
    weights: &Weights,
    _places: &dyn Places,
    _found: &[Finding],
) -> Result<Vec<Finding>, QueryError> {
    let hops: Vec<Hop> = query
        .query(&sql(&sql_list(&Visits::read(query)?.services_abroad())))?
        .iter()
        .map(|row| Hop {
            account: row.string("account"),
            address: row.string("address"),
            country: row.string("country"),
            address_before: row.string("address_before"),
            country_before: row.string("country_before"),
            before: row.integer("time_before").unwrap_or_default(),
            at: row.integer("at").unwrap_or_default(),
            record: row.reference(),
        })
        .collect();
    let mut found = judge(&hops);
    if !found.is_empty() {
        let kept = two_machines(&hops, &parallel::read(query)?, weights.edge());
        found.retain(|(hop, _)| !kept.contains(&pair(hop)));
    }
    let weight = weights.analytic(analytic.id);
    Ok(found.into_iter().map(|(hop, distance)| finding(analytic, hop, distance, weight)).collect())
}

/// An account and two countries, in order.
type Pair = (String, String, String);

fn pair(hop: &Hop) -> Pair {
    let (one, other) = (hop.country.clone(), hop.country_before.clone());
    let (one, other) = if one <= other { (one, other) } else { (other, one) };
    (hop.account.clone(), one, other)
}

/// Accounts whose sessions run side by side in two countries on several days: a computer that stays
/// connected at home while its owner is away. Nobody travels there; whether the other session is
/// somebody else's, the analytic of parallel sessions asks.
pub(crate) fn two_machines(hops: &[Hop], stays: &[Stay], scale: &EdgeScale) -> BTreeSet<Pair> {
    let mut places: BTreeMap<(&str, &str), &str> = BTreeMap::new();
    for hop in hops {
        places.insert((&hop.account, &hop.address), &hop.country);
        places.insert((&hop.account, &hop.address_before), &hop.country_before);
    }
    let country = |stay: &Stay| {
        places.get(&(stay.account.as_str(), stay.outside.to_string().as_str())).copied()
    };
    let mut days: BTreeMap<Pair, BTreeSet<i64>> = BTreeMap::new();
    for own in stays.chunk_by(|a, b| a.account == b.account) {
        let known: Vec<(&Stay, &str)> =
            own.iter().filter_map(|stay| Some((stay, country(stay)?))).collect();
        for (at, (stay, here)) in known.iter().enumerate() {
            for (other, there) in known.iter().skip(at + 1).take(SESSIONS_NEAR) {
                if here != there && stay.beside(other) >= scale.parallel_seen {
                    let (one, two) = if here <= there { (here, there) } else { (there, here) };
                    let pair = (stay.account.clone(), (*one).to_owned(), (*two).to_owned());
                    days.entry(pair).or_default().insert(other.start.div_euclid(DAY_NS));
                }
            }
        }
    }
    days.into_iter().filter(|one| one.1.len() >= scale.parallel_days).map(|one| one.0).collect()
}

/// Sessions after one that may run beside it.
const SESSIONS_NEAR: usize = 16;

/// Hops that nobody makes, and how many kilometres they are at least.
pub(crate) fn judge(hops: &[Hop]) -> Vec<(&Hop, f64)> {
    let mut found = Vec::new();
    for own in hops.chunk_by(|a, b| a.account == b.account) {
        let fast: Vec<(&Hop, f64)> = own
            .iter()
            .filter_map(|hop| Some((hop, distance(&hop.country_before, &hop.country)?)))
            .filter(|(hop, distance)| is_too_far(*distance, hop.at - hop.before))
            .collect();
        if fast.len() <= HOPS_MAX {
            found.extend(fast);
        }
    }
    found
}

/// Whether nobody travels so many kilometres in a time, in nanoseconds.
pub(crate) fn is_too_far(distance_km: f64, time_ns: i64) -> bool {
    #[allow(clippy::cast_precision_loss, reason = "days in nanoseconds")]
    let hours = time_ns.max(1) as f64 / HOUR_NS as f64;
    distance_km > DISTANCE_MIN && distance_km / hours > SPEED_MAX
}

/// Kilometres between two countries at least, by haversine between their middles less their radii.
pub(crate) fn distance(one: &str, other: &str) -> Option<f64> {
    let (a, b) = (country(one)?, country(other)?);
    let (lat_a, lat_b) = (a.latitude.to_radians(), b.latitude.to_radians());
    let half = |angle: f64| (angle / 2.0).sin().powi(2);
    let chord = half(lat_b - lat_a)
        + lat_a.cos() * lat_b.cos() * half((b.longitude - a.longitude).to_radians());
    let apart = 2.0 * EARTH_KM * chord.sqrt().min(1.0).asin();
    Some((apart - a.radius_km - b.radius_km).max(0.0))
}

fn finding(analytic: &Analytic, hop: &Hop, distance: f64, weight_db: f64) -> Finding {
    let minutes = (hop.at - hop.before) / (HOUR_NS / 60);
    let text = format!(
        "`{}` logged in to the VPN from {} ({}) {minutes} minutes after {} ({}), at least {distance:.0} km away",
        hop.account, hop.address, hop.country, hop.address_before, hop.country_before,
    );
    let entities = [
        entity(Role::Actor, EntityKind::Account, &hop.account),
        entity(Role::Origin, EntityKind::Address, &hop.address),
    ];
    let entities = entities.into_iter().flatten().collect();
    analytic.finding(Some(hop.at), weight_db, entities, vec![hop.record.clone()], text)
}
