//! Two VPN sessions of one account at one time: one from where its owner always comes, one from a
//! network where neither the owner nor anybody else ever came from.
//!
//! Whoever has the password logs in beside the owner. A telephone beside the laptop comes from a
//! carrier that colleagues use too; a hand-over is short; a client that lost its line leaves a
//! session behind in which nothing is sent any more; two machines at home share a network; the same
//! machine in two sessions is one machine; IPv4 beside IPv6 is one home.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use makyo_base::{
    DAY_NS, EntityKind, Finding, Level, MINUTE_NS, Organisation, Places, Query, QueryError,
    RecordRef, Role, Row, format_time,
};

use super::scale::EdgeScale;
use super::silence::{Hours, edge_condition};
use super::visits::{Past, Visits};
use super::{hosting, is_foreign, sql_list, wide_network};
use crate::analytic::{Analytic, entity};
use crate::weights::Weights;

pub(crate) const ANALYTIC: Analytic = Analytic {
    id: "vpn_parallel_sessions",
    title: "VPN session beside the owner's, from a network where nobody logs in",
    level: Level::Medium,
    techniques: &["T1078", "T1133"],
    tactics: &["initial-access"],
    run,
};

const SQL: &str = "
    SELECT account, coalesce(host, source) AS device, coalesce(actor_session_uid, '') AS session,
           coalesce(tunnel_interface_ip, '') AS inside, coalesce(src_endpoint_ip, '') AS outside,
           coalesce(src_endpoint_hostname, '') AS machine, class_uid, activity_id,
           coalesce(duration, 0) AS lasted, CAST(time AS BIGINT) AS at, file, record
    FROM events
    WHERE account IS NOT NULL AND time IS NOT NULL
      AND (class_uid = 4014 AND activity_id IN (1, 2, 3)
           OR class_uid = 3002 AND activity_id = 2 AND coalesce(logon_type, '') = 'vpn')
    ORDER BY account, at, file, record";

/// Flows of leased addresses, by stretches of five minutes.
fn flows_sql(addresses: &str) -> String {
    format!(
        "SELECT src_endpoint_ip AS address, CAST(time AS BIGINT) / {SLOT_NS} AS slot
         FROM events
         WHERE class_uid = 4001 AND time IS NOT NULL AND src_endpoint_ip IN ({addresses})
         GROUP BY 1, 2 ORDER BY 1, 2"
    )
}

const SLOT_NS: i64 = 5 * MINUTE_NS;

/// What a line says of a session.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Step {
    Open,
    Renew,
    Close,
    /// The login ends, and with it what is open of it.
    Logoff,
}

/// A line of a session.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) account: String,
    pub(crate) device: String,
    pub(crate) session: String,
    pub(crate) inside: String,
    pub(crate) outside: String,
    pub(crate) machine: String,
    pub(crate) step: Step,
    pub(crate) at: i64,
    /// Nanoseconds, as an end says; 0 if it does not.
    pub(crate) lasted: i64,
    pub(crate) record: RecordRef,
}

/// A session from its first to its last line.
#[derive(Clone, Debug)]
pub(crate) struct Stay {
    pub(crate) account: String,
    device: String,
    session: String,
    pub(crate) inside: String,
    pub(crate) outside: IpAddr,
    machine: String,
    pub(crate) start: i64,
    pub(crate) end: i64,
    is_closed: bool,
    record: RecordRef,
}

fn run(
    analytic: &Analytic,
    query: &dyn Query,
    organisation: &Organisation,
    weights: &Weights,
    places: &dyn Places,
    _found: &[Finding],
) -> Result<Vec<Finding>, QueryError> {
    let Some(edge) = edge_condition(query)? else { return Ok(Vec::new()) };
    let stays = read(query)?;
    let (visits, hours) = (Visits::read(query)?, Hours::read(query, &edge)?);
    let known =
        Known { visits: &visits, hours: &hours, scale: weights.edge(), organisation, places };
    let pairs = pairs(&stays, &known);
    if pairs.is_empty() {
        return Ok(Vec::new());
    }
    let addresses: BTreeSet<String> = pairs.iter().map(|pair| pair.owner.inside.clone()).collect();
    let mut lively = Lively::new();
    for row in query.query(&flows_sql(&sql_list(&addresses)))?.iter() {
        let slots = lively.entry(row.string("address")).or_default();
        slots.insert(row.integer("slot").unwrap_or_default());
    }
    let weight = weights.analytic(analytic.id);
    Ok(alive(pairs, &lively, known.scale)
        .iter()
        .map(|pair| finding(analytic, pair, weight, places))
        .collect())
}

/// Reads all sessions.
pub(crate) fn read(query: &dyn Query) -> Result<Vec<Stay>, QueryError> {
    let lines: Vec<Line> = query.query(SQL)?.iter().map(line).collect();
    Ok(stays(&lines))
}

fn line(row: Row<'_>) -> Line {
    Line {
        account: row.string("account"),
        device: row.string("device"),
        session: row.string("session"),
        inside: row.string("inside"),
        outside: row.string("outside"),
        machine: row.string("machine"),
        step: match (row.integer("class_uid"), row.integer("activity_id")) {
            (Some(3002), _) => Step::Logoff,
            (_, Some(1)) => Step::Open,
            (_, Some(2)) => Step::Close,
            _ => Step::Renew,
        },
        at: row.integer("at").unwrap_or_default(),
        lasted: row.integer("lasted").unwrap_or_default().saturating_mul(1_000_000),
        record: row.reference(),
    }
}

/// Sessions from their lines, which are sorted by account and time.
pub(crate) fn stays(lines: &[Line]) -> Vec<Stay> {
    let mut all = Vec::new();
    for own in lines.chunk_by(|a, b| a.account == b.account) {
        let mut open: Vec<Stay> = Vec::new();
        for line in own {
            let Some(at) = place_of(line, &open) else {
                if line.step == Step::Open
                    && let Ok(outside) = line.outside.parse()
                {
                    open.push(Stay::of(line, outside));
                }
                continue;
            };
            let Some(stay) = open.get_mut(at) else { continue };
            stay.end = line.at;
            // Products write the leased address a line later.
            for (own, told) in [
                (&mut stay.session, &line.session),
                (&mut stay.inside, &line.inside),
                (&mut stay.machine, &line.machine),
            ] {
                if own.is_empty() {
                    own.clone_from(told);
                }
            }
            if matches!(line.step, Step::Close | Step::Logoff) {
                stay.is_closed = true;
                all.push(open.remove(at));
            }
        }
        all.append(&mut open);
    }
    all.sort_by(|a, b| (&a.account, a.start, &a.record).cmp(&(&b.account, b.start, &b.record)));
    all
}

/// Products write several lines as one session opens.
const LINES_NS: i64 = 2 * MINUTE_NS;

/// Which of the open sessions a line belongs to: by its id, else by the leased address, else by the
/// length that an end names, else by the outside address; an end that names none ends the newest.
fn place_of(line: &Line, open: &[Stay]) -> Option<usize> {
    let find = |is_it: &dyn Fn(&Stay) -> bool| {
        open.iter().rposition(|stay| stay.device == line.device && is_it(stay))
    };
    let same = |a: &str, b: &str| !a.is_empty() && a == b;
    let by_id = find(&|stay| same(&stay.session, &line.session));
    let by_lease = || find(&|stay| same(&stay.inside, &line.inside));
    let by_address = || {
        let outside: Option<IpAddr> = line.outside.parse().ok();
        let is_new = |stay: &Stay| {
            line.step == Step::Open
                && (line.at - stay.start > LINES_NS
                    || !line.session.is_empty() && !stay.session.is_empty()
                    || !line.inside.is_empty() && !stay.inside.is_empty())
        };
        find(&|stay| Some(stay.outside) == outside && !is_new(stay))
    };
    let newest = || (line.step == Step::Close && line.outside.is_empty()).then(|| find(&|_| true));
    let by_length = || {
        let start = line.at - line.lasted;
        find(&|stay| {
            line.lasted > 0 && line.step == Step::Close && (stay.start - start).abs() <= LINES_NS
        })
    };
    by_id.or_else(by_lease).or_else(by_length).or_else(by_address).or_else(|| newest().flatten())
}

impl Stay {
    fn of(line: &Line, outside: IpAddr) -> Self {
        Stay {
            account: line.account.clone(),
            device: line.device.clone(),
            session: line.session.clone(),
            inside: line.inside.clone(),
            outside,
            machine: line.machine.clone(),
            start: line.at,
            end: line.at,
            is_closed: false,
            record: line.record.clone(),
        }
    }

    /// How long two sessions ran side by side for certain, in nanoseconds.
    pub(crate) fn beside(&self, other: &Stay) -> i64 {
        self.end.min(other.end) - self.start.max(other.start)
    }
}

/// What is known when sessions are compared.
pub(crate) struct Known<'a> {
    pub(crate) visits: &'a Visits,
    pub(crate) hours: &'a Hours,
    pub(crate) scale: &'a EdgeScale,
    pub(crate) organisation: &'a Organisation,
    pub(crate) places: &'a dyn Places,
}

/// The owner's session, and the one beside it.
#[derive(Clone, Debug)]
pub(crate) struct Pair<'s> {
    pub(crate) owner: &'s Stay,
    pub(crate) other: &'s Stay,
    is_seen: bool,
}

/// Pairs of sessions side by side, one of them from where nobody comes; the first of each account
/// and network.
pub(crate) fn pairs<'s>(stays: &'s [Stay], known: &Known<'_>) -> Vec<Pair<'s>> {
    let mut found = Vec::new();
    for own in stays.chunk_by(|a, b| a.account == b.account) {
        let mut told: BTreeSet<String> = BTreeSet::new();
        let mut days: BTreeSet<i64> = BTreeSet::new();
        for (at, other) in own.iter().enumerate() {
            let Some(owner) = own
                .get(..at)
                .unwrap_or_default()
                .iter()
                .find(|owner| are_apart(owner, other, known))
            else {
                continue;
            };
            let class = known.places.class(other.outside);
            if known.visits.is_peopled(&other.account, other.outside, class) {
                continue;
            }
            let earlier = days.iter().filter(|day| **day < other.start.div_euclid(DAY_NS)).count();
            days.insert(other.start.div_euclid(DAY_NS));
            let network = wide_network(&other.outside.to_string());
            if earlier < known.scale.parallel_days
                && is_stranger(owner, other, known)
                && !is_dark(owner, other, known)
                && told.insert(network)
            {
                found.push(Pair { owner, other, is_seen: false });
            }
        }
    }
    found
}

/// Whether two sessions run side by side on two machines in two networks.
fn are_apart(owner: &Stay, other: &Stay, known: &Known<'_>) -> bool {
    let network = |stay: &Stay| wide_network(&stay.outside.to_string());
    let differ = |a: &str, b: &str| a.is_empty() || b.is_empty() || a != b;
    owner.beside(other) >= known.scale.parallel_seen
        && owner.is_closed
        && other.is_closed
        && owner.outside.is_ipv4() == other.outside.is_ipv4()
        && network(owner) != network(other)
        && differ(&owner.machine, &other.machine)
        && differ(&owner.inside, &other.inside)
        && !same_operator(owner.outside, other.outside, known.places)
}

/// Whether databases name the same operator for both.
fn same_operator(one: IpAddr, other: IpAddr, places: &dyn Places) -> bool {
    let operator = |address| {
        let text = places.network(address)?;
        let first = text.split([' ', ',']).next().unwrap_or_default().to_owned();
        first.starts_with("AS").then_some(first)
    };
    operator(one).is_some_and(|one| operator(other) == Some(one))
}

/// Whether one session is where the owner always comes from, and the other where nobody does.
fn is_stranger(owner: &Stay, other: &Stay, known: &Known<'_>) -> bool {
    let past = Past::of(known.visits.before(&other.account, other.start - DAY_NS / 2));
    let own = past.days_from(&wide_network(&owner.outside.to_string()));
    let count = |number: usize| f64::from(u32::try_from(number).unwrap_or(u32::MAX));
    let mut agreed = known.organisation.third_parties.iter().flat_map(|party| &party.addresses);
    past.days >= known.scale.history_days
        && count(own) >= known.scale.own_share * count(past.days)
        && past.days_from(&wide_network(&other.outside.to_string())) == 0
        && is_foreign(&other.outside.to_string(), known.organisation)
        && !agreed.any(|net| net.contains(&other.outside))
}

/// Whether a device was silent meanwhile: an end may be missing.
fn is_dark(owner: &Stay, other: &Stay, known: &Known<'_>) -> bool {
    known.hours.is_silent(&owner.device, owner.start, owner.end)
        || known.hours.is_silent(&other.device, other.start, other.end)
}

/// Stretches of five minutes in which a leased address sent something.
pub(crate) type Lively = BTreeMap<String, BTreeSet<i64>>;

/// Pairs whose owner's session lives on beside the other: by its flows where there are any, else by
/// its length.
pub(crate) fn alive<'s>(pairs: Vec<Pair<'s>>, lively: &Lively, scale: &EdgeScale) -> Vec<Pair<'s>> {
    let judged = pairs.into_iter().filter_map(|mut pair| {
        let (owner, other) = (pair.owner, pair.other);
        let within = |from: i64, to: i64| {
            let slots = from.div_euclid(SLOT_NS)..=to.div_euclid(SLOT_NS);
            lively.get(&owner.inside).is_some_and(|own| own.range(slots).next().is_some())
        };
        if within(owner.start, owner.end) {
            pair.is_seen = true;
            let until = owner.end.min(other.end);
            // The first whole stretch after the other began.
            return within(other.start + SLOT_NS, until).then_some(pair);
        }
        (owner.beside(other) >= scale.parallel_unseen).then_some(pair)
    });
    judged.collect()
}

fn finding(analytic: &Analytic, pair: &Pair<'_>, weight_db: f64, places: &dyn Places) -> Finding {
    let Pair { owner, other, is_seen } = pair;
    let minutes = owner.beside(other) / MINUTE_NS;
    let class = places.class(other.outside).map(hosting::place);
    let network = places.network(other.outside);
    let told: Vec<String> = class.map(str::to_owned).into_iter().chain(network).collect();
    let text = format!(
        "`{}` had a VPN session from {}{}, where neither the account nor colleagues ever log in, for {minutes} minutes beside its own from {} (since {}){}. A second machine of the owner in a new place looks the same",
        other.account,
        other.outside,
        if told.is_empty() { String::new() } else { format!(" ({})", told.join(", ")) },
        owner.outside,
        format_time(owner.start),
        if *is_seen { ", which went on sending" } else { "" },
    );
    let entities = [
        entity(Role::Actor, EntityKind::Account, &other.account),
        entity(Role::Origin, EntityKind::Address, &other.outside.to_string()),
        entity(Role::Place, EntityKind::Host, &other.device),
        entity(Role::Object, EntityKind::Address, &other.inside),
        entity(Role::Object, EntityKind::Session, &other.session),
    ];
    let records = vec![other.record.clone(), owner.record.clone()];
    analytic.finding(
        Some(other.start),
        weight_db,
        entities.into_iter().flatten().collect(),
        records,
        text,
    )
}
