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
mod context;
mod fan_in;
mod habit;
mod origin;
mod own;
mod precursor;
mod presence;
pub(crate) mod scale;
mod token;
mod unit;
mod weigh;

use std::collections::{BTreeMap, BTreeSet};

use makyo_base::{Entity, EntityKind, Finding, Level, Organisation, Query, QueryError, Role};

use super::{Analytic, entity, tunnel_without_authentication};
use crate::weights::Weights;
use act::Acts;
use fan_in::Group;
use habit::{Feature, Habits};
use own::{Origin, Own};
use precursor::{Failure, Precursors};
use presence::Presence;
use scale::Scale;
use unit::Unit;
use weigh::{Evidence, Family, Weighed};

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
    techniques: &["T1550.001", "T1539"],
    ..ANALYTIC
};

/// With what the owner gave away to a page in between, or by typing a code.
const BY_PHISHING: Analytic = Analytic {
    id: "posing_by_phishing",
    title: "Somebody else entered with what the owner was made to give away",
    techniques: &["T1557", "T1078.004"],
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

/// Contagion goes no further.
const ROUNDS: usize = 2;

/// Everything that units are weighed by.
struct Ground<'a> {
    units: &'a [Unit],
    precursors: Precursors<'a>,
    acts: Acts,
    presence: Presence,
    scale: &'a Scale,
}

fn run(
    analytic: &Analytic,
    query: &dyn Query,
    organisation: &Organisation,
    weights: &Weights,
) -> Result<Vec<Finding>, QueryError> {
    let contexts = context::read(query)?;
    if contexts.is_empty() {
        return Ok(Vec::new());
    }
    let own = Own::learn(&contexts, organisation);
    let units = unit::units(&contexts, &own);
    drop(contexts);
    let failures = precursor::read(query)?;
    let tunnels = tunnel_without_authentication::intruders(query)?;
    let ground = Ground {
        units: &units,
        precursors: Precursors::new(&failures),
        acts: Acts::read(query)?,
        presence: Presence::read(query, &units, tunnels)?,
        scale: weights.posing(),
    };
    let judged = judge(&ground);
    let mut found = Vec::new();
    for one in &judged.verdicts {
        found.extend(finding(analytic, &units, one));
    }
    for group in &judged.groups {
        found.extend(group_finding(group, &judged, &units, &failures, weights));
    }
    Ok(found)
}

/// One unit that is confirmed or probable.
struct Verdict {
    unit: usize,
    weighed: Weighed,
    evidence: Vec<Evidence>,
    is_confirmed: bool,
}

struct Judged {
    verdicts: Vec<Verdict>,
    groups: Vec<Group>,
}

fn judge(ground: &Ground<'_>) -> Judged {
    let Ground { units, scale, .. } = *ground;
    let mut suspected: BTreeSet<usize> = BTreeSet::new();
    let mut confirmed: BTreeSet<usize> = BTreeSet::new();
    let mut judged = Judged { verdicts: Vec::new(), groups: Vec::new() };
    for _ in 0..=ROUNDS {
        let habits = Habits::learn(units, &suspected);
        let usual = ground.acts.usual(units, |at| !suspected.contains(&at));
        let tokens = token::weigh(units, &habits, scale);
        let groups = fan_in::groups(units, &habits);
        let shared = Shared::of(&confirmed, units, &habits);
        let mut by_group: BTreeMap<usize, Vec<&Group>> = BTreeMap::new();
        for group in &groups {
            for at in &group.units {
                by_group.entry(*at).or_default().push(group);
            }
        }
        let weigh = |at: usize, unit: &Unit| -> Vec<Evidence> {
            let mut evidence = origin::weigh(unit, &habits, scale);
            evidence.extend(tokens.get(&at).into_iter().flatten().cloned());
            evidence.extend(ground.precursors.weigh(unit, &habits, scale));
            evidence.extend(ground.presence.weigh(unit, units, scale));
            let strongest =
                by_group.get(&at).into_iter().flatten().map(|group| group.evidence(scale));
            let strongest = strongest.chain(shared.weigh(unit, scale));
            evidence.extend(strongest.max_by(|a, b| a.weight_db.total_cmp(&b.weight_db)));
            // What was done says something only where somebody else may have done it.
            if evidence.iter().map(|one| one.weight_db).sum::<f64>() > 5.0 {
                evidence.extend(ground.acts.weigh(unit, &habits, &usual, scale));
            }
            evidence
        };
        let mut verdicts: Vec<Verdict> = Vec::new();
        for (at, unit) in units.iter().enumerate().filter(|one| one.1.origin != Origin::Service) {
            let evidence = weigh(at, unit);
            let weighed = Weighed::of(&evidence, scale);
            if weighed.total_db >= scale.suspected {
                let is_confirmed = weighed.is_confirmed(scale);
                verdicts.push(Verdict { unit: at, weighed, evidence, is_confirmed });
            }
        }
        tie(&mut verdicts, &groups, units, scale);
        confirmed = verdicts.iter().filter(|one| one.is_confirmed).map(|one| one.unit).collect();
        suspected = verdicts.iter().map(|one| one.unit).collect();
        judged = Judged { verdicts, groups };
    }
    judged.verdicts.retain(|one| one.is_confirmed || one.weighed.is_probable(scale));
    judged
}

/// A probable unit is confirmed if its group is: by another account's confirmed unit, or because
/// the group is no accident.
fn tie(verdicts: &mut [Verdict], groups: &[Group], units: &[Unit], scale: &Scale) {
    let account = |at: usize| units.get(at).map(|unit| unit.account.as_str());
    let confirmed: BTreeSet<usize> =
        verdicts.iter().filter(|one| one.is_confirmed).map(|one| one.unit).collect();
    for one in verdicts.iter_mut().filter(|one| !one.is_confirmed) {
        if !one.weighed.is_probable(scale) || one.weighed.family(Family::Infrastructure) < 5.0 {
            continue;
        }
        let anchored = groups.iter().filter(|group| group.units.contains(&one.unit)).any(|group| {
            group.is_anchored
                || group
                    .units
                    .iter()
                    .any(|other| confirmed.contains(other) && account(*other) != account(one.unit))
        });
        one.is_confirmed = anchored || shares_address(one.unit, &confirmed, units);
    }
}

fn shares_address(at: usize, confirmed: &BTreeSet<usize>, units: &[Unit]) -> bool {
    let Some(unit) = units.get(at).filter(|unit| unit.origin == Origin::Outside) else {
        return false;
    };
    confirmed.iter().filter_map(|other| units.get(*other)).any(|other| {
        other.origin == Origin::Outside
            && other.address == unit.address
            && other.account != unit.account
    })
}

/// What confirmed units share with others: their outside addresses, by who names them.
struct Shared {
    addresses: BTreeMap<String, BTreeSet<String>>,
    weight: BTreeMap<String, f64>,
}

impl Shared {
    fn of(confirmed: &BTreeSet<usize>, units: &[Unit], habits: &Habits) -> Self {
        let mut shared = Shared { addresses: BTreeMap::new(), weight: BTreeMap::new() };
        for unit in confirmed.iter().filter_map(|at| units.get(*at)) {
            if unit.origin != Origin::Outside {
                continue;
            }
            let names = shared.addresses.entry(unit.address.clone()).or_default();
            names.insert(unit.account.clone());
            // What many use on clean days is nobody's.
            let users = habits.users(Feature::Network, &unit.network);
            let count = |number: usize| f64::from(u32::try_from(number).unwrap_or(u32::MAX));
            let rare = 10.0 * (count(habits.accounts() + 1) / count(users + 1)).log10();
            shared.weight.insert(unit.address.clone(), rare.max(0.0));
        }
        shared
    }

    fn weigh(&self, unit: &Unit, scale: &Scale) -> Option<Evidence> {
        let names = self.addresses.get(&unit.address)?;
        let other = names.iter().find(|name| **name != unit.account)?;
        let weight = self.weight.get(&unit.address).copied().unwrap_or_default();
        let text = format!("{} is where somebody posed as {other}", unit.address);
        Some(scale.graded("shared", weight, text))
    }
}

fn finding(analytic: &Analytic, units: &[Unit], one: &Verdict) -> Option<Finding> {
    let unit = units.get(one.unit)?;
    let shows = |signs: &[&str]| one.evidence.iter().any(|one| signs.contains(&one.sign));
    let kind = if !one.is_confirmed {
        &SUSPECTED
    } else if shows(&["page_between", "device_code"]) {
        &BY_PHISHING
    } else if shows(&["split", "left_device", "elsewhere"]) {
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
    let shared =
        units.iter().any(|other| other.session == unit.session && other.address != unit.address);
    let role = if shared { Role::Target } else { Role::Object };
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
    let mut text = format!("{}; client `{}`", group.text(), group.agent);
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
