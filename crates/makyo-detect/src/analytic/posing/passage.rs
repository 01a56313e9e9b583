//! Which inside address a sign-in came out of.
//!
//! The cloud sees one address for everybody who comes out of the organisation's own network. The
//! sensors inside see who connects to the cloud, and when: a sign-in follows its connection. Where
//! the cloud lies, how long before a sign-in its connection begins, and how often a sensor sees it
//! is learned from people whose leased address is known, against the same people at another time.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use makyo_base::{MINUTE_NS, Query, QueryError, Row, sql_text};

use super::fan_in::poisson_tail_db;
use super::intruders::{Lease, count};
use super::scale::Scale;
use super::weigh::Evidence;
use makyo_base::address_network as network;

/// Sign-ins that are enough to learn from, and as many as it takes at least.
const SAMPLE_MAX: usize = 400;
const SAMPLE_MIN: usize = 20;
/// The same people at another time: what connections show by accident.
const ELSEWHEN_NS: i64 = 10 * MINUTE_NS;
/// Spans before and after a sign-in in which its connection may begin, in seconds, the narrowest
/// first.
const SPANS_S: [(i64, i64); 4] = [(4, 1), (15, 2), (45, 5), (120, 10)];
/// Decibans by which a network must exceed accident to be the cloud's, and its share of sign-ins.
const CLOUD_DB: f64 = 30.0;
const CLOUD_SHARE: f64 = 0.05;
/// A sensor that sees fewer connections than this says nothing by one that is missing.
const SEEN_MIN: f64 = 0.5;
/// Nothing is more certain than this, whatever the sample shows.
const SEEN_MAX: f64 = 0.98;

/// No moment is safer from accident than this.
const LEAST_ACCIDENT: f64 = 0.005;

/// A connection to somewhere outside.
#[derive(Clone, Debug)]
struct Connection {
    network: String,
    at: i64,
}

/// A sign-in of somebody who had leased an inside address.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) inside: String,
    pub(super) at: i64,
    pub(super) lease: (i64, i64),
}

/// How sign-ins pass from inside to the cloud.
#[derive(Clone, Debug)]
pub(super) struct Passage {
    /// Nanoseconds before and after a sign-in in which its connection begins.
    span: (i64, i64),
    /// The share of sign-ins whose connection is seen.
    seen: f64,
    /// Connections to the cloud by leased address, sorted.
    connections: BTreeMap<String, Vec<i64>>,
}

impl Passage {
    /// Learns from sign-ins whose leased address is known, and reads the connections of `leases`.
    /// `None` where no sensor shows how people reach the cloud.
    ///
    /// # Errors
    /// If a query fails.
    pub(super) fn learn(
        query: &dyn Query,
        known: &[Known],
        leases: &[Lease],
    ) -> Result<Option<Self>, QueryError> {
        // Evenly over time.
        let step = known.len().div_ceil(SAMPLE_MAX).max(1);
        let sample: Vec<&Known> = known.iter().step_by(step).collect();
        let leases: Vec<&Lease> = leases.iter().filter(|one| !one.inside.is_empty()).collect();
        if sample.len() < SAMPLE_MIN || leases.is_empty() {
            return Ok(None);
        }
        let around = around(query, &sample)?;
        let Some(Learned { cloud, span, seen }) = best(&sample, &around) else {
            return Ok(None);
        };
        let minutes = leases.iter().flat_map(|one| minute(one.start)..=minute(one.end)).collect();
        let inside = leases.iter().map(|one| one.inside.as_str()).collect();
        let mut connections: BTreeMap<String, Vec<i64>> = BTreeMap::new();
        for (inside, all) in read(query, &inside, &minutes)? {
            let to_cloud = all.iter().filter(|one| cloud.contains(&one.network)).map(|one| one.at);
            connections.insert(inside, to_cloud.collect());
        }
        Ok(Some(Passage { span, seen, connections }))
    }

    /// The share of a lease's moments at which a connection is found by accident.
    pub(super) fn accident(&self, lease: &Lease) -> f64 {
        covered(self.of(lease), self.span, lease)
    }

    /// Whether the leased address connects to the cloud around a moment.
    pub(super) fn reaches(&self, lease: &Lease, at: i64) -> bool {
        self.nearest(lease, at).is_some()
    }

    fn nearest(&self, lease: &Lease, at: i64) -> Option<i64> {
        let own = self.of(lease);
        let from = own.partition_point(|one| *one < at - self.span.0);
        own.get(from).copied().filter(|one| *one <= at + self.span.1)
    }

    /// Nanoseconds before and after a sign-in in which its connection begins.
    pub(super) fn span(&self) -> (i64, i64) {
        self.span
    }

    /// The connections of a lease.
    pub(super) fn of(&self, lease: &Lease) -> &[i64] {
        let own = self.connections.get(&lease.inside).map(Vec::as_slice).unwrap_or_default();
        let from = own.partition_point(|one| *one < lease.start);
        let to = own.partition_point(|one| *one <= lease.end);
        own.get(from..to.max(from)).unwrap_or_default()
    }

    /// What the lease's connections say of a sign-in during it.
    pub(super) fn weigh(&self, lease: &Lease, at: i64, scale: &Scale) -> Option<Evidence> {
        let own = self.of(lease);
        // A tunnel through which the cloud is never reached is one that the sensor does not see.
        if lease.inside.is_empty() || own.is_empty() {
            return None;
        }
        let accident = covered(own, self.span, lease);
        let Some(nearest) = self.nearest(lease, at) else {
            let weight = 10.0 * ((1.0 - self.seen) / (1.0 - accident).max(0.02)).log10();
            let text = format!(
                "{}, which the intruder's tunnel had leased, did not connect to the cloud then, as {:.0} % of sign-ins show",
                lease.inside,
                self.seen * 100.0
            );
            return (self.seen >= SEEN_MIN)
                .then(|| scale.graded_against("not_connected", weight, text));
        };
        let weight = 10.0 * (self.seen / accident).log10();
        #[allow(clippy::cast_precision_loss, reason = "seconds, for people")]
        let seconds = (at - nearest) as f64 / 1e9;
        let order = if seconds < -0.5 { "after" } else { "before" };
        let seconds = seconds.abs();
        let text = format!(
            "{}, which the intruder's tunnel had leased, connected to the cloud {seconds:.0} s {order}, as at {:.0} % of other moments of the tunnel",
            lease.inside,
            accident * 100.0
        );
        (weight > 0.0).then(|| scale.graded("connected", weight, text))
    }
}

fn minute(at: i64) -> i64 {
    at.div_euclid(MINUTE_NS)
}

/// Connections of some inside addresses to the outside in some minutes, in the order of time.
fn read(
    query: &dyn Query,
    inside: &BTreeSet<&str>,
    minutes: &BTreeSet<i64>,
) -> Result<BTreeMap<String, Vec<Connection>>, QueryError> {
    let inside: Vec<String> = inside.iter().map(|one| sql_text(one)).collect();
    let minutes: Vec<String> = minutes.iter().map(i64::to_string).collect();
    let sql = format!(
        "SELECT src_endpoint_ip AS inside, dst_endpoint_ip AS outside, CAST(time AS BIGINT) AS at
         FROM events
         WHERE class_uid = 4001 AND dst_endpoint_ip IS NOT NULL AND time IS NOT NULL
           AND src_endpoint_ip IN ({})
           AND CAST(time AS BIGINT) / {MINUTE_NS} IN ({})",
        inside.join(", "),
        minutes.join(", ")
    );
    let mut found: BTreeMap<String, Vec<Connection>> = BTreeMap::new();
    for (inside, one) in query.query(&sql)?.iter().filter_map(connection) {
        found.entry(inside).or_default().push(one);
    }
    for list in found.values_mut() {
        list.sort_by(|a, b| (a.at, &a.network).cmp(&(b.at, &b.network)));
    }
    Ok(found)
}

fn connection(row: Row<'_>) -> Option<(String, Connection)> {
    let outside = row.address("outside")?;
    let at = row.integer("at")?;
    // The cloud is not inside.
    let is_outside = match outside {
        IpAddr::V4(v4) => !v4.is_private() && !v4.is_loopback(),
        IpAddr::V6(v6) => !v6.is_unique_local() && !v6.is_loopback(),
    };
    is_outside.then(|| (row.string("inside"), Connection { network: network(outside), at }))
}

/// Connections of the sample's addresses around its sign-ins and at the other times.
fn around(
    query: &dyn Query,
    sample: &[&Known],
) -> Result<BTreeMap<String, Vec<Connection>>, QueryError> {
    let inside = sample.iter().map(|one| one.inside.as_str()).collect();
    let moments = sample.iter().flat_map(|one| [Some(one.at), elsewhen(one)]).flatten();
    // As many minutes as the longest span.
    let minutes = moments.flat_map(|at| minute(at) - 2..=minute(at) + 1).collect();
    read(query, &inside, &minutes)
}

/// Another moment of the same lease.
fn elsewhen(one: &Known) -> Option<i64> {
    [one.at + ELSEWHEN_NS, one.at - ELSEWHEN_NS]
        .into_iter()
        .find(|at| one.lease.0 <= *at && *at <= one.lease.1)
}

/// Networks that an address connects to around a moment.
fn reached<'a>(
    around: &'a BTreeMap<String, Vec<Connection>>,
    inside: &str,
    at: i64,
    span: (i64, i64),
) -> BTreeSet<&'a str> {
    let list = around.get(inside).map(Vec::as_slice).unwrap_or_default();
    let from = list.partition_point(|one| one.at < at - span.0);
    let to = list.partition_point(|one| one.at <= at + span.1);
    let within = list.get(from..to.max(from)).unwrap_or_default();
    within.iter().map(|one| one.network.as_str()).collect()
}

/// What sign-ins show of the way to the cloud.
struct Learned {
    cloud: BTreeSet<String>,
    span: (i64, i64),
    seen: f64,
}

/// A narrower span that tells so much of what the best tells is taken: by accident a wide one meets
/// more connections than a few people's show.
const NEARLY: f64 = 0.95;

/// What is learned with the narrowest span that tells nearly most.
fn best(sample: &[&Known], around: &BTreeMap<String, Vec<Connection>>) -> Option<Learned> {
    let learn = |(before, after): &(i64, i64)| {
        learn(sample, around, (before * 1_000_000_000, after * 1_000_000_000))
    };
    let learned: Vec<(f64, Learned)> = SPANS_S.iter().filter_map(learn).collect();
    let most = learned.iter().map(|one| one.0).fold(0.0, f64::max);
    learned.into_iter().find(|one| one.0 >= NEARLY * most).map(|one| one.1)
}

/// What one span shows, and how much one look tells on average if the sign-in is the address's.
fn learn(
    sample: &[&Known],
    around: &BTreeMap<String, Vec<Connection>>,
    span: (i64, i64),
) -> Option<(f64, Learned)> {
    let here: Vec<BTreeSet<&str>> =
        sample.iter().map(|one| reached(around, &one.inside, one.at, span)).collect();
    let other: Vec<BTreeSet<&str>> = sample
        .iter()
        .filter_map(|one| Some(reached(around, &one.inside, elsewhen(one)?, span)))
        .collect();
    if other.len() < SAMPLE_MIN {
        return None;
    }
    let ratio = count(here.len()) / count(other.len());
    let hits = |list: &[BTreeSet<&str>], network: &str| {
        count(list.iter().filter(|one| one.contains(network)).count())
    };
    let is_cloud = |network: &&str| {
        let (hit, accident) = (hits(&here, network), (hits(&other, network) + 0.5) * ratio);
        poisson_tail_db(hit, accident) >= CLOUD_DB && hit >= CLOUD_SHARE * count(here.len())
    };
    let networks: BTreeSet<&str> = here.iter().flatten().copied().collect();
    let cloud: BTreeSet<&str> = networks.into_iter().filter(is_cloud).collect();
    let share = |list: &[BTreeSet<&str>]| {
        let hit = list.iter().filter(|one| one.iter().any(|net| cloud.contains(net))).count();
        (count(hit) + 0.5) / (count(list.len()) + 1.0)
    };
    let (seen, accident) = (share(&here).min(SEEN_MAX), share(&other));
    let told =
        seen * (seen / accident).ln() + (1.0 - seen) * ((1.0 - seen) / (1.0 - accident)).ln();
    let cloud: BTreeSet<String> = cloud.into_iter().map(str::to_owned).collect();
    (!cloud.is_empty()).then_some((told, Learned { cloud, span, seen }))
}

/// The share of a lease's moments at which a sign-in would find a connection by accident.
fn covered(connections: &[i64], span: (i64, i64), lease: &Lease) -> f64 {
    let (mut total, mut end) = (0_i64, lease.start);
    for one in connections {
        // A sign-in sees the connection from `after` before it to `before` after it.
        let from = (one - span.1).max(end);
        let to = (one + span.0).min(lease.end);
        total += (to - from).max(0);
        end = end.max(to);
    }
    #[allow(clippy::cast_precision_loss, reason = "nanoseconds of a day")]
    let share = total as f64 / (lease.end - lease.start).max(1) as f64;
    share.clamp(LEAST_ACCIDENT, 1.0)
}
