//! Sessions that go from country to country faster than anybody travels.
//!
//! A stolen session often comes back: its owner goes on at the desk. First and last use of a place
//! do not show that, so that the records of sessions in several countries are looked at one after
//! another.

use std::collections::{BTreeMap, BTreeSet};

use makyo_base::{MINUTE_NS, Query, QueryError, address_network};

use super::own::Origin;
use super::scale::Scale;
use super::unit::Unit;
use super::weigh::Evidence;
use crate::analytic::edge::sql_list;
use crate::analytic::edge::travel::{distance, is_too_far};

/// Sessions that are asked for at once.
const SESSIONS_AT_ONCE: usize = 500;

/// The shortest time in which a session goes from one address to another, in nanoseconds.
fn sql(sessions: &str) -> String {
    format!(
        "SELECT account, session, address, before, min(gap) AS gap FROM (
           SELECT account, actor_session_uid AS session, src_endpoint_ip AS address,
                  lag(src_endpoint_ip) OVER one_after_another AS before,
                  CAST(time AS BIGINT) - lag(CAST(time AS BIGINT)) OVER one_after_another AS gap
           FROM events
           WHERE actor_session_uid IN ({sessions}) AND account LIKE '%@%'
             AND src_endpoint_ip IS NOT NULL AND time IS NOT NULL
             AND source IN ('entra-sign-in', 'm365-unified-audit', 'google-workspace')
             AND (class_uid <> 3002 OR status = 'Success')
           WINDOW one_after_another AS
             (PARTITION BY account, actor_session_uid ORDER BY time, file, record))
         WHERE before <> address
         GROUP BY account, session, address, before
         ORDER BY account, session, address, before"
    )
}

/// Account, session, and two networks in order.
type Key = (String, String, String, String);

/// Between which networks sessions went, and how fast.
#[derive(Default)]
pub(super) struct Hops(BTreeMap<Key, i64>);

fn key(account: &str, session: &str, one: &str, other: &str) -> Key {
    let (least, most) = (one.min(other), one.max(other));
    (account.to_owned(), session.to_owned(), least.to_owned(), most.to_owned())
}

impl Hops {
    pub(super) fn read(query: &dyn Query, units: &[Unit]) -> Result<Self, QueryError> {
        let sessions: Vec<String> = between_countries(units).into_iter().collect();
        let mut hops: BTreeMap<Key, i64> = BTreeMap::new();
        for some in sessions.chunks(SESSIONS_AT_ONCE) {
            for row in query.query(&sql(&sql_list(some)))?.iter() {
                let (Some(address), Some(before), Some(gap)) =
                    (row.address("address"), row.address("before"), row.integer("gap"))
                else {
                    continue;
                };
                let (account, session) = (row.string("account"), row.string("session"));
                let networks = (address_network(before), address_network(address));
                let least = hops.entry(key(&account, &session, &networks.0, &networks.1));
                let least = least.or_insert(gap);
                *least = gap.min(*least);
            }
        }
        Ok(Hops(hops))
    }

    /// What the way from another unit of the session says of one: its owner's service that hides
    /// where they are, or a stranger.
    pub(super) fn against(&self, unit: &Unit, other: &Unit, scale: &Scale) -> Option<Evidence> {
        let km = distance(&unit.country, &other.country)?;
        let times = [other.first, other.last].map(|at| [unit.first, unit.last].map(|one| one - at));
        let at_ends = times.as_flattened().iter().map(|gap| gap.abs()).min()?;
        let gap = self.between(unit, other).map_or(at_ends, |gap| gap.min(at_ends));
        is_too_far(km, gap).then(|| {
            let text = format!(
                "the session goes from {} to {} in {} minutes, at least {km:.0} km",
                other.country,
                unit.country,
                gap / MINUTE_NS
            );
            scale.sign("too_far", text)
        })
    }

    /// A telephone abroad comes out at home as soon as it goes through its own carrier.
    fn between(&self, unit: &Unit, other: &Unit) -> Option<i64> {
        let key = key(&unit.account, &unit.session, &unit.network, &other.network);
        self.0.get(&key).copied().filter(|_| !unit.is_phone())
    }
}

/// Sessions that were in countries so far apart that the way between them takes time.
fn between_countries(units: &[Unit]) -> BTreeSet<String> {
    let mut countries: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let placed = |unit: &&Unit| {
        !unit.session.is_empty() && !unit.country.is_empty() && unit.origin != Origin::Service
    };
    for unit in units.iter().filter(placed) {
        countries.entry(&unit.session).or_default().insert(&unit.country);
    }
    let is_far = |all: &BTreeSet<&str>| {
        all.iter().any(|one| {
            all.iter().any(|other| distance(one, other).is_some_and(|km| is_too_far(km, 1)))
        })
    };
    countries.into_iter().filter(|one| is_far(&one.1)).map(|one| one.0.to_owned()).collect()
}
