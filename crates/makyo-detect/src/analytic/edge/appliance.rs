//! An edge appliance opens connections inside that it never opened before.
//!
//! An appliance speaks to a few servers of its own: directory, RADIUS, names, time, the collector of
//! its log, its twin. Somebody who took the appliance over speaks from its address to whatever is
//! behind it. The appliance's own past says how many new partners a day are usual.

use std::collections::{BTreeMap, BTreeSet};

use makyo_base::{
    DAY_NS, EntityKind, Finding, Level, Organisation, Places, Query, QueryError, RecordRef, Role,
    format_time,
};

use super::scale::EdgeScale;
use super::{ADMIN_PORTS, learning, speaking_appliances, sql_list};
use crate::analytic::posing::fan_in::poisson_tail_db;
use crate::analytic::{Analytic, entity};
use crate::weights::Weights;

pub(crate) const ANALYTIC: Analytic = Analytic {
    id: "appliance_reaches_inside",
    title: "Edge appliance reaches hosts inside that it never reached before",
    level: Level::High,
    techniques: &["T1190", "T1021"],
    tactics: &["initial-access", "lateral-movement"],
    run,
};

/// What servers of the organisation serve to its appliances: names, time, the directory with its
/// tickets and passwords, RADIUS and TACACS, collectors of logs.
const SERVED_PORTS: &[i64] =
    &[49, 53, 88, 123, 162, 389, 464, 514, 636, 1645, 1646, 1812, 1813, 3268, 3269, 6514];
/// Named in a finding; the rest is counted.
const NAMED_MAX: usize = 12;

fn sql(addresses: &str) -> String {
    format!(
        "SELECT src_endpoint_ip AS address, dst_endpoint_ip AS target,
                coalesce(dst_endpoint_port, 0) AS port, CAST(min(time) AS BIGINT) AS first,
                min(concat(file, '#', lpad(CAST(record AS VARCHAR), 20, '0'))) AS least_record
         FROM events
         WHERE class_uid = 4001 AND src_endpoint_ip IN ({addresses})
           AND dst_endpoint_ip IS NOT NULL AND time IS NOT NULL
         GROUP BY 1, 2, 3 ORDER BY 1, first, 2, 3"
    )
}

const SPAN: &str = "
    SELECT CAST(min(time) AS BIGINT) AS first, CAST(max(time) AS BIGINT) AS last
    FROM events WHERE class_uid = 4001 AND time IS NOT NULL";

/// A partner of the appliance.
#[derive(Clone, Debug)]
pub(crate) struct Partner {
    pub(crate) address: String,
    pub(crate) target: String,
    pub(crate) port: i64,
    pub(crate) first: i64,
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
    let addresses = speaking_appliances(query, organisation)?;
    if addresses.is_empty() {
        return Ok(Vec::new());
    }
    let partners: Vec<Partner> = query
        .query(&sql(&sql_list(&addresses)))?
        .iter()
        .filter(|row| {
            row.address("target").is_some_and(|target| organisation.network.is_internal(target))
        })
        .map(|row| Partner {
            address: row.string("address"),
            target: row.string("target"),
            port: row.integer("port").unwrap_or_default(),
            first: row.integer("first").unwrap_or_default(),
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
    Ok(judge(&partners, first, last, scale)
        .iter()
        .filter(|day| day.weight_db >= least)
        .map(|day| finding(analytic, day, scale))
        .collect())
}

/// A day on which an appliance had new partners.
#[derive(Debug)]
pub(crate) struct NewDay<'p> {
    partners: Vec<&'p Partner>,
    usual: f64,
    pub(crate) weight_db: f64,
}

/// Days with new partners, after the time in which the log teaches what is usual.
pub(crate) fn judge<'p>(
    partners: &'p [Partner],
    first: i64,
    last: i64,
    scale: &EdgeScale,
) -> Vec<NewDay<'p>> {
    let learnt = learning(first, last);
    let mut days: BTreeMap<(&str, i64), Vec<&Partner>> = BTreeMap::new();
    for partner in partners.iter().filter(|partner| partner.first > learnt) {
        let day = (partner.first - learnt).div_euclid(DAY_NS);
        days.entry((partner.address.as_str(), day)).or_default().push(partner);
    }
    let mut found = Vec::new();
    for ((address, day), new) in &days {
        // Days before this one that taught nothing new lower what is usual, those that did raise
        // it: an appliance that relays its users' connections under its own address is never odd.
        let earlier: usize =
            (0..*day).filter_map(|day| days.get(&(*address, day))).map(Vec::len).sum();
        let in_learning = partners
            .iter()
            .filter(|one| one.address == *address)
            .filter(|one| one.first > first + (learnt - first) / 2 && one.first <= learnt)
            .count();
        let count = |number: usize| f64::from(u32::try_from(number).unwrap_or(u32::MAX));
        #[allow(clippy::cast_precision_loss, reason = "some weeks in days")]
        let watched = *day as f64 + ((learnt - first) / 2) as f64 / DAY_NS as f64;
        let usual = (count(earlier + in_learning) + 0.2) / (watched + 1.0);
        let rarity = poisson_tail_db(count(steps(new, scale)), usual);
        let rarity = rarity.min(scale.inward_rarity_max_db);
        let is_admin = new.iter().any(|partner| ADMIN_PORTS.contains(&partner.port));
        let weight_db = rarity + if is_admin { scale.inward_admin_db } else { 0.0 };
        found.push(NewDay { partners: new.clone(), usual, weight_db });
    }
    found
}

/// How many things happened. Whoever gives an appliance another directory, with a new account to
/// bind with, names its servers once, and the appliance goes to each of them on several ports: that
/// is one change, unless there are as many as a search finds.
fn steps(new: &[&Partner], scale: &EdgeScale) -> usize {
    let (served, others): (Vec<&Partner>, Vec<&Partner>) =
        new.iter().partition(|partner| SERVED_PORTS.contains(&partner.port));
    let servers: BTreeSet<&str> = served.iter().map(|partner| partner.target.as_str()).collect();
    let changes =
        if servers.len() >= scale.inward_search { servers.len() } else { servers.len().min(1) };
    others.len() + changes
}

fn finding(analytic: &Analytic, day: &NewDay<'_>, scale: &EdgeScale) -> Finding {
    let first = day.partners.iter().min_by_key(|partner| (partner.first, &partner.record));
    let address = first.map(|partner| partner.address.clone()).unwrap_or_default();
    let time = first.map(|partner| partner.first);
    let named: Vec<String> = day
        .partners
        .iter()
        .take(NAMED_MAX)
        .map(|partner| format!("{}:{}", partner.target, partner.port))
        .collect();
    let more = day.partners.len().saturating_sub(named.len());
    let is_search = day.partners.len() >= scale.inward_search;
    let text = format!(
        "The appliance {address} reached {} that it never reached before, from {} on: {}{}; usual are {:.1} new ones a day{}. No logged authentication explains it: product and flaw are not identified",
        if day.partners.len() == 1 {
            "1 service inside".to_owned()
        } else {
            format!("{} services inside", day.partners.len())
        },
        time.map(format_time).unwrap_or_default(),
        named.join(", "),
        if more == 0 { String::new() } else { format!(" and {more} more") },
        day.usual,
        if is_search { "; it looks like a search" } else { "" },
    );
    let mut entities: Vec<_> =
        entity(Role::Origin, EntityKind::Address, &address).into_iter().collect();
    for partner in day.partners.iter().take(NAMED_MAX) {
        entities.extend(entity(Role::Target, EntityKind::Address, &partner.target));
    }
    let records = day.partners.iter().take(NAMED_MAX).map(|one| one.record.clone()).collect();
    let weight = (day.weight_db * 10.0).round() / 10.0;
    analytic.finding(time, weight, entities, records, text)
}
