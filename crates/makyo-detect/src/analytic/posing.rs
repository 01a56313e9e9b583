//! Somebody else acts as an account's owner.
//!
//! What is judged is a unit: one account in one session at one place with one device. Reasons for
//! and against come from what the owner used before, from the session itself, from what came before
//! it and what was done in it, from other accounts that the same source enters, and from the VPN.
//! They are weighed in decibans by family, so that a journey, a new telephone or a change of
//! provider, each of one family, convict nobody. What is confirmed then names its source to all
//! other accounts, once more and no further, and never to itself.

mod act;
mod agent;
mod at_desk;
mod claim;
pub(crate) mod context;
pub(crate) mod fan_in;
mod habit;
mod hops;
mod hours;
mod intruders;
mod origin;
mod own;
mod passage;
mod precursor;
mod presence;
mod reached;
mod refused;
mod replay;
pub(crate) mod scale;
mod shared;
mod tie;
mod token;
mod unit;
mod version;
pub(crate) mod vpn;
mod weigh;

use std::collections::{BTreeMap, BTreeSet};

use makyo_base::{
    Entity, EntityKind, Finding, Level, Organisation, Places, Query, QueryError, Role,
};

use super::{Analytic, entity, tunnel_without_authentication};
use crate::weights::Weights;
use act::Acts;
use at_desk::Desks;
use claim::Claims;
use fan_in::Group;
use habit::Habits;
use hops::Hops;
use hours::Hours;
use intruders::{Intruders, Lease, Returns};
use own::{Origin, Own};
use passage::{Known, Passage};
use precursor::{Failure, Precursors};
use presence::Presence;
use reached::Reached;
use replay::Replay;
use scale::Scale;
use shared::{Shared, Strangers};
use tie::{Ties, Verdict};
use unit::Unit;
use vpn::{DevicePlace, FromInside, Tunnel};
use weigh::Evidence;

/// Confirmed: the account was used by somebody else.
pub(super) const ANALYTIC: Analytic = Analytic {
    id: "posing_as_user",
    title: "Somebody else acts as the account's owner",
    level: Level::Critical,
    techniques: &["T1078.004"],
    tactics: &["initial-access"],
    run,
};

/// With a session or token that was taken over.
const BY_TOKEN: Analytic = Analytic {
    id: "posing_with_stolen_token",
    title: "Somebody else acts in the owner's session",
    techniques: &["T1078.004", "T1550.001", "T1539"],
    ..ANALYTIC
};

/// With what the owner gave away to a page in between, or by typing a code.
const BY_PHISHING: Analytic = Analytic {
    id: "posing_by_phishing",
    title: "Somebody else entered with what the owner was made to give away",
    techniques: &["T1078.004", "T1557"],
    tactics: &["initial-access", "credential-access"],
    ..ANALYTIC
};

/// Probable, not confirmed.
const SUSPECTED: Analytic = Analytic {
    id: "suspected_posing",
    title: "The account's owner may not be who acts",
    level: Level::High,
    ..ANALYTIC
};

/// One source that enters many accounts.
const FAN_IN: Analytic = Analytic {
    id: "sign_in_fan_in",
    title: "One source signs in to many accounts",
    level: Level::High,
    ..ANALYTIC
};

/// Contagion goes so far; a round further where the last one still confirmed somebody else, because
/// the first of all does not know yet whose strange sessions teach nobody what is usual.
const ROUNDS: usize = 2;
const ROUNDS_MAX: usize = 3;

/// Everything that units are weighed by.
struct Ground<'a> {
    units: &'a [Unit],
    precursors: Precursors<'a>,
    acts: Acts,
    presence: Presence,
    desks: Desks,
    reached: Reached,
    hours: Hours,
    hops: Hops,
    tunnels: &'a [Tunnel],
    unauthenticated: Vec<tunnel_without_authentication::Inside>,
    scale: &'a Scale,
}

fn run(
    analytic: &Analytic,
    query: &dyn Query,
    organisation: &Organisation,
    weights: &Weights,
    _places: &dyn Places,
    found_before: &[Finding],
) -> Result<Vec<Finding>, QueryError> {
    let contexts = context::read(query)?;
    if contexts.is_empty() {
        return Ok(Vec::new());
    }
    let own = Own::learn(&contexts, organisation);
    let units = unit::units(&contexts, &own);
    let refused = refused::units(&contexts, &own);
    drop(contexts);
    let failures = precursor::read(query)?;
    let tunnels = vpn::read(query)?;
    let ground = Ground {
        units: &units,
        precursors: Precursors::new(&failures),
        acts: Acts::read(query)?,
        presence: Presence::read(query, &units, &own, &tunnels)?,
        desks: Desks::read(query)?,
        reached: Reached::by(found_before, organisation, &units),
        hours: Hours::read(query)?,
        hops: Hops::read(query, &units)?,
        tunnels: &tunnels,
        unauthenticated: tunnel_without_authentication::intruders(query)?,
        scale: weights.posing(),
    };
    let judged = judge(&ground, &refused, query)?;
    let mut found = Vec::new();
    found.extend(refused::findings(&refused, &judged.tried, weights));
    found.extend(judged.replay.finding());
    for one in &judged.verdicts {
        found.extend(finding(analytic, &units, &judged, one));
    }
    found.extend(vpn::findings(&tunnels, &judged.vpn));
    for group in &judged.groups {
        found.extend(group_finding(group, &judged, &units, &failures, weights));
    }
    Ok(found)
}

/// What is known in one round.
struct Round {
    habits: Habits,
    shared: Shared,
    strangers: Strangers,
    groups: Vec<Group>,
    intruders: Intruders,
    passage: Option<Passage>,
}

#[derive(Default)]
struct Judged {
    verdicts: Vec<Verdict>,
    groups: Vec<Group>,
    vpn: Vec<vpn::Judged>,
    /// Refused sign-ins that came out of an intruder's tunnel.
    tried: Vec<refused::Tried>,
    /// How often honest people would be accused.
    replay: Replay,
    /// Units that are strange enough to teach nobody what is usual.
    strange: BTreeSet<usize>,
}

fn judge(ground: &Ground<'_>, refused: &[Unit], query: &dyn Query) -> Result<Judged, QueryError> {
    let Ground { units, scale, .. } = *ground;
    let mut suspected: BTreeSet<usize> = BTreeSet::new();
    let mut confirmed: BTreeSet<usize> = BTreeSet::new();
    let mut firm: BTreeSet<usize> = BTreeSet::new();
    let mut judged = Judged::default();
    for round_number in 0..=ROUNDS_MAX {
        let before = confirmed.clone();
        let strangers = Strangers::of(&confirmed, units);
        let of_strangers = units.iter().enumerate().filter(|one| strangers.has(one.1));
        suspected.extend(of_strangers.map(|one| one.0));
        let habits = Habits::learn(units, &suspected);
        let shared = Shared::of(&confirmed, &firm, units, &habits);
        let groups = fan_in::groups(units, &habits);
        let inside = from_inside(ground, &habits);
        let (passage, vpn, intruders) = tunnels(ground, &shared, &inside, query)?;
        let round = Round { habits, shared, strangers, groups, intruders, passage };
        let mut ties = Ties::default();
        let until = replay::clean_until(&round, &confirmed, units);
        let mut clean = Vec::new();
        for (at, evidence) in weigh_all(ground, &round, &suspected, &confirmed) {
            let is_clean = |unit: &&Unit| {
                unit.entered.is_some_and(|at| at < until) && round.intruders.may_weigh(unit)
            };
            if units.get(at).filter(is_clean).is_some() && !suspected.contains(&at) {
                clean.push((at, evidence.clone()));
            }
            ties.add(at, evidence, units, &round.intruders, scale);
        }
        let of_refused = refused::ties(refused, ground, &round);
        let candidates: Vec<_> =
            ties.candidates().chain(of_refused.candidates()).cloned().collect();
        let claims = Claims::new(&candidates, &round.intruders, round.passage.as_ref());
        let mut accidents = ties.accidents(&claims, &round.intruders, scale);
        let replay = replay::replay(&clean, until, &accidents, ground, &round);
        if let Some(least) = replay.least {
            accidents.tighten(least);
        }
        let verdicts = ties.judge(&accidents, &round, units, scale);
        confirmed = verdicts.iter().filter(|one| one.is_confirmed).map(|one| one.unit).collect();
        firm = verdicts.iter().filter(|one| one.is_firm).map(|one| one.unit).collect();
        suspected = verdicts
            .iter()
            .filter(|one| one.is_confirmed || one.weighed.total_db >= scale.suspected)
            .map(|one| one.unit)
            .collect();
        let tried = refused::tried(refused, of_refused, &claims, &round, scale);
        let of_strangers = units.iter().enumerate().filter(|one| round.strangers.has(one.1));
        let strange = suspected.iter().copied().chain(of_strangers.map(|one| one.0)).collect();
        judged = Judged { verdicts, groups: round.groups, vpn, tried, replay, strange };
        if round_number >= ROUNDS && confirmed == before {
            break;
        }
    }
    judged.verdicts.retain(|one| one.is_confirmed || one.is_probable);
    Ok(judged)
}

/// How people reach the cloud, whose tunnels are an intruder's, and when those were up.
fn tunnels(
    ground: &Ground<'_>,
    shared: &Shared,
    inside: &FromInside,
    query: &dyn Query,
) -> Result<(Option<Passage>, Vec<vpn::Judged>, Intruders), QueryError> {
    let unauthenticated = &ground.unauthenticated;
    let lease = |one: &tunnel_without_authentication::Inside| Lease {
        start: one.start,
        end: one.end,
        inside: one.inside.clone(),
    };
    let alone: Vec<Lease> = unauthenticated.iter().map(lease).collect();
    let known = known_leases(ground, &alone, &inside.exits);
    let mut leases = vpn::outside_leases(ground.tunnels, unauthenticated);
    leases.extend(alone.iter().cloned());
    let mut passage = Passage::learn(query, &known, &leases)?;
    let known_to_vpn = vpn::Known {
        unauthenticated,
        strangers: &shared.addresses,
        inside,
        passage: passage.as_ref(),
    };
    let vpn = vpn::judge(ground.tunnels, &known_to_vpn, ground.scale);
    let confirmed = vpn.iter().filter(|one| one.is_confirmed).flat_map(|one| &one.tunnels);
    let confirmed = confirmed.filter_map(|at| ground.tunnels.get(*at)).map(Tunnel::lease);
    let of_intruders: Vec<Lease> = alone.into_iter().chain(confirmed).collect();
    // Tunnels from an owner's own place turned out to be an intruder's.
    if !of_intruders.iter().all(|one| leases.contains(one)) {
        leases.extend(of_intruders.iter().cloned());
        passage = Passage::learn(query, &known, &leases)?;
    }
    Ok((passage, vpn, Intruders::new(of_intruders, inside)))
}

/// All reasons for and against each unit.
fn weigh_all(
    ground: &Ground<'_>,
    round: &Round,
    suspected: &BTreeSet<usize>,
    confirmed: &BTreeSet<usize>,
) -> Vec<(usize, Vec<Evidence>)> {
    let Ground { units, scale, .. } = *ground;
    let Round { habits, shared, groups, intruders, passage, .. } = round;
    let passage = passage.as_ref();
    let usual = ground.acts.usual(units, |at| !suspected.contains(&at));
    let tokens = token::weigh(units, habits, &ground.hops, scale);
    let networks = fan_in::networks(units, habits, scale);
    let desks = at_desk::weigh(units, &ground.desks, habits, confirmed, scale);
    let versions = version::weigh(units, habits, confirmed, scale);
    let inside = units.iter().filter(|unit| intruders.may_weigh(unit));
    let entered = inside.filter_map(|unit| Some((unit.account.as_str(), unit.entered?)));
    let returns = Returns::new(entered, intruders, passage, scale);
    let mut by_group: BTreeMap<usize, Vec<&Group>> = BTreeMap::new();
    for group in groups {
        for at in &group.units {
            by_group.entry(*at).or_default().push(group);
        }
    }
    let weigh = |at: usize, unit: &Unit| -> Vec<Evidence> {
        let mut evidence = origin::weigh(unit, habits, &ground.hours, scale);
        evidence.extend(tokens.get(&at).into_iter().flatten().cloned());
        evidence.extend(versions.get(&at).cloned());
        // What the session says of two machines, the owner's computer does not say once more.
        if !evidence.iter().any(|one| token::TWO_MACHINES.contains(&one.sign)) {
            evidence.extend(desks.get(&at).cloned());
        }
        evidence.extend(ground.precursors.weigh(unit, habits, scale));
        evidence.extend(ground.presence.weigh(unit, scale));
        evidence.extend(ground.reached.weigh(unit, habits, scale));
        evidence.extend(intruders.weigh(unit, passage, scale));
        evidence.extend(returns.weigh(unit, scale));
        let groups = by_group.get(&at).into_iter().flatten().map(|group| group.evidence(scale));
        let groups = groups.chain(networks.get(&at).cloned());
        let group = groups.max_by(|a, b| a.weight_db.total_cmp(&b.weight_db));
        evidence.extend(group.into_iter().chain(shared.weigh(unit, scale)));
        // What was done says something only where somebody else may have done it.
        if evidence.iter().map(|one| one.weight_db).sum::<f64>() > 5.0 {
            evidence.extend(ground.acts.weigh(unit, habits, &usual, scale));
        }
        evidence
    };
    let judged = units.iter().enumerate().filter(|one| one.1.origin != Origin::Service);
    judged.map(|(at, unit)| (at, weigh(at, unit))).collect()
}

/// Sign-ins from the own addresses through which tunnels come out.
fn from_inside(ground: &Ground<'_>, habits: &Habits) -> FromInside {
    let exits = ground.presence.exits(ground.units);
    let is_exit = |unit: &&Unit| unit.origin == Origin::Own && exits.contains(&unit.address);
    let (mut unlike, mut unbound, mut owners) = (Vec::new(), Vec::new(), Vec::new());
    let mut bound: BTreeMap<String, Vec<i64>> = BTreeMap::new();
    for unit in ground.units.iter().filter(is_exit) {
        let Some(at) = unit.entered else { continue };
        if unit.is_bound() {
            owners.push(at);
            let name = vpn::local(&unit.account).to_owned();
            bound.entry(name).or_default().push(at);
            continue;
        }
        unbound.push((unit.account.clone(), at));
        if !habits.past(unit).is_thin && is_unlike(unit, ground, habits) {
            unlike.push((unit.account.clone(), at));
        }
    }
    unlike.sort_by(|a, b| (a.1, &a.0).cmp(&(b.1, &b.0)));
    unbound.sort_by(|a, b| (a.1, &a.0).cmp(&(b.1, &b.0)));
    owners.sort_unstable();
    bound.values_mut().for_each(|times| times.sort_unstable());
    FromInside { unlike, unbound, owners, bound, devices: device_places(ground.units), exits }
}

/// Where registered devices signed in outside.
fn device_places(units: &[Unit]) -> BTreeMap<String, Vec<DevicePlace>> {
    let bound = || units.iter().filter(|unit| unit.is_bound());
    let mut since: BTreeMap<(&str, &str), i64> = BTreeMap::new();
    for unit in bound() {
        let first = since.entry((&unit.account, &unit.device)).or_insert(unit.first);
        *first = unit.first.min(*first);
    }
    let mut places: BTreeMap<String, Vec<DevicePlace>> = BTreeMap::new();
    for unit in bound().filter(|unit| unit.origin == Origin::Outside) {
        let (address, network) = (unit.address.clone(), unit.network.clone());
        let (first, last) = (unit.first, unit.last);
        let since = since.get(&(unit.account.as_str(), unit.device.as_str()));
        let since = since.copied().unwrap_or(first);
        let own = places.entry(vpn::local(&unit.account).to_owned()).or_default();
        own.push(DevicePlace { address, network, first, last, since });
    }
    places
}

/// Whether a sign-in is unlike its account's owner, by client and hour.
fn is_unlike(unit: &Unit, ground: &Ground<'_>, habits: &Habits) -> bool {
    let hour = unit.entered.map_or(0.0, |at| ground.hours.surprise(&unit.account, at));
    let client = -10.0 * habits.unbound_chance(unit).log10();
    client + hour >= -10.0 * fan_in::UNLIKE_CHANCE.log10()
}

/// Sign-ins from inside of people whose own tunnel was up then, in the order of time; an
/// intruder's are no example of how people reach the cloud.
fn known_leases(ground: &Ground<'_>, intruders: &[Lease], exits: &BTreeSet<String>) -> Vec<Known> {
    let mut tunnels: BTreeMap<&str, Vec<&Tunnel>> = BTreeMap::new();
    for tunnel in ground.tunnels.iter().filter(|one| !one.inside.is_empty()) {
        tunnels.entry(vpn::local(&tunnel.account)).or_default().push(tunnel);
    }
    let known = |unit: &Unit| {
        let at = unit.entered.filter(|_| exits.contains(&unit.address))?;
        let own = tunnels.get(vpn::local(&unit.account))?;
        let tunnel = own.iter().find(|one| one.start <= at && at <= one.end)?;
        let is_intruder =
            |lease: &Lease| lease.start <= at && at <= lease.end && lease.inside == tunnel.inside;
        let lease = (tunnel.start, tunnel.end);
        let known = Known { inside: tunnel.inside.clone(), at, lease };
        (!intruders.iter().any(is_intruder)).then_some(known)
    };
    let mut all: Vec<Known> = ground.units.iter().filter_map(known).collect();
    all.sort_by(|a, b| (a.at, &a.inside).cmp(&(b.at, &b.inside)));
    all
}

fn finding(analytic: &Analytic, units: &[Unit], judged: &Judged, one: &Verdict) -> Option<Finding> {
    let unit = units.get(one.unit)?;
    // How it was entered, the whole session tells: a page in between signs in, and the stranger
    // goes on from somewhere else.
    let of_session = judged.verdicts.iter().filter(|other| {
        let same = |other: &Unit| other.account == unit.account && other.session == unit.session;
        other.unit == one.unit
            || other.is_confirmed
                && !unit.session.is_empty()
                && units.get(other.unit).is_some_and(same)
    });
    let signs: BTreeSet<&str> =
        of_session.flat_map(|one| &one.evidence).map(|evidence| evidence.sign).collect();
    let shows = |wanted: &[&str]| wanted.iter().any(|sign| signs.contains(sign));
    let in_session = shows(&["split", "split_by_client", "left_device", "elsewhere"]);
    let has_owner = has_owner(unit, units, judged);
    let kind = if !one.is_confirmed {
        &SUSPECTED
    } else if shows(&["page_between", "device_code"]) || in_session && !has_owner {
        &BY_PHISHING
    } else if in_session || has_owner {
        &BY_TOKEN
    } else {
        analytic
    };
    let mut reasons: Vec<&Evidence> = one.evidence.iter().collect();
    reasons.sort_by(|a, b| b.weight_db.total_cmp(&a.weight_db));
    let reasons: Vec<String> =
        reasons.iter().map(|one| format!("{} ({:+.0} dB)", one.text, one.weight_db)).collect();
    let text = format!(
        "{} acted as {} from {}: {}",
        if one.is_confirmed { "somebody else" } else { "somebody else may have" },
        unit.account,
        unit.address,
        reasons.join("; ")
    );
    // In a session that the owner uses too, only what came from the stranger's address is theirs.
    let role = if has_owner { Role::Target } else { Role::Object };
    let entities = [
        entity(Role::Actor, EntityKind::Account, &unit.account),
        entity(role, EntityKind::Session, &unit.session),
        entity(Role::Origin, EntityKind::Address, &unit.address),
    ];
    let mut records = unit.records.clone();
    records.extend(one.evidence.iter().filter_map(|one| one.record.clone()));
    Some(kind.finding(
        Some(unit.first),
        (one.weighed.total_db * 10.0).round() / 10.0,
        entities.into_iter().flatten().collect(),
        records,
        text,
    ))
}

/// Whether the owner uses the unit's session too. One that strangers share among themselves was
/// never the owner's: they were let in.
fn has_owner(unit: &Unit, units: &[Unit], judged: &Judged) -> bool {
    !unit.session.is_empty()
        && units.iter().enumerate().any(|(at, other)| {
            other.session == unit.session
                && other.account == unit.account
                && other.origin != Origin::Service
                && !judged.strange.contains(&at)
        })
}

/// The source itself, if it entered accounts that are confirmed: it is what ties them, and what
/// has to be blocked.
fn group_finding(
    group: &Group,
    judged: &Judged,
    units: &[Unit],
    failures: &[Failure],
    weights: &Weights,
) -> Option<Finding> {
    let verdict = |at: &usize| judged.verdicts.iter().find(|one| one.unit == *at);
    let entered: Vec<&Unit> = group
        .units
        .iter()
        .filter(|at| verdict(at).is_some_and(|one| one.is_confirmed))
        .filter_map(|at| units.get(*at))
        .collect();
    let accounts: BTreeSet<&str> = entered.iter().map(|unit| unit.account.as_str()).collect();
    let first = entered.iter().map(|unit| unit.first).min()?;
    if accounts.len() < 2 {
        return None;
    }
    let outside = entered.iter().any(|unit| unit.origin == Origin::Outside);
    let tried: BTreeSet<&str> = failures
        .iter()
        .filter(|one| outside && one.address == group.address)
        .map(|one| one.account.as_str())
        .filter(|account| !accounts.contains(account))
        .collect();
    let mut entities: Vec<Entity> = Vec::new();
    entities.extend(entity(Role::Origin, EntityKind::Address, &group.address));
    entities.extend(entered.iter().flat_map(|unit| {
        let session = entity(Role::Object, EntityKind::Session, &unit.session);
        entity(Role::Actor, EntityKind::Account, &unit.account).into_iter().chain(session)
    }));
    entities.extend(tried.iter().filter_map(|one| entity(Role::Target, EntityKind::Account, one)));
    let mut text = group.text().to_owned();
    if !tried.is_empty() {
        text.push_str(&format!("; {} more were tried without success", tried.len()));
    }
    let records = entered.iter().filter_map(|unit| unit.records.first().cloned());
    let weight = weights.analytic("sign_in_fan_in").max(group.weight_db);
    Some(FAN_IN.finding(
        Some(first),
        weight,
        entities,
        records.take(crate::FINDING_RECORDS_MAX).collect(),
        text,
    ))
}
