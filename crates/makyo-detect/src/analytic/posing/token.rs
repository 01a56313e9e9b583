//! Sessions and tokens that cannot be one person's.

use std::collections::BTreeMap;

use makyo_base::{DAY_NS, HOUR_NS, MINUTE_NS};

use super::habit::{Feature, Habits};
use super::hops::Hops;
use super::own::Origin;
use super::scale::Scale;
use super::unit::Unit;
use super::weigh::Evidence;

/// Kinds of places and devices of one session that are compared with each other.
const KINDS_MAX: usize = 24;
/// A place that the account used on so many other days is its owner's.
const OWNERS_DAYS: usize = 2;
/// Two sign-ins of one session from two places within so long have a page in between.
const BETWEEN_NS: i64 = MINUTE_NS;
/// So long after the log's beginning a session that is in use would have shown.
const SETTLED_NS: i64 = 7 * DAY_NS;

/// Signs that two machines are in one session.
pub(super) const TWO_MACHINES: [&str; 5] =
    ["split", "split_by_client", "left_device", "page_between", "other_version"];

/// Evidence for each unit, by place.
pub(super) fn weigh(
    units: &[Unit],
    habits: &Habits,
    hops: &Hops,
    scale: &Scale,
) -> BTreeMap<usize, Vec<Evidence>> {
    let mut found: BTreeMap<usize, Vec<Evidence>> = BTreeMap::new();
    let mut sessions: BTreeMap<(&str, &str), Vec<usize>> = BTreeMap::new();
    for (at, unit) in units.iter().enumerate() {
        if !unit.session.is_empty() && unit.origin != Origin::Service {
            sessions.entry((&unit.account, &unit.session)).or_default().push(at);
        }
        let alone = by_itself(unit, habits, scale);
        if !alone.is_empty() {
            found.entry(at).or_default().extend(alone);
        }
    }
    for (at, sign) in never_entered(units, &sessions, habits, scale) {
        found.entry(at).or_default().push(sign);
    }
    for places in sessions.values().filter(|places| places.len() > 1) {
        let own: Vec<(usize, &Unit)> =
            places.iter().filter_map(|at| units.get(*at).map(|unit| (*at, unit))).collect();
        // A telephone goes through hundreds of addresses in one session: what they have in common
        // speaks for all of them.
        let mut kinds: BTreeMap<(&str, &str, &str), (usize, &Unit)> = BTreeMap::new();
        for one in &own {
            kinds.entry((&one.1.network, one.1.os, &one.1.device)).or_insert(*one);
        }
        let kinds: Vec<(usize, &Unit)> = kinds.into_values().take(KINDS_MAX).collect();
        for (at, unit) in &own {
            let others = kinds.iter().filter(|other| other.0 != *at);
            let mut signs: BTreeMap<&'static str, Evidence> = BTreeMap::new();
            for sign in others.flat_map(|other| against(unit, other.1, habits, hops, scale)) {
                signs.entry(sign.sign).or_insert(sign);
            }
            if !signs.is_empty() {
                found.entry(*at).or_default().extend(signs.into_values());
            }
        }
    }
    found
}

/// Sessions that first show long after the log begins, are renewed from a place that is new to the
/// account, and that nobody signed in to. As strong as such a beginning is rare here, so that a
/// tenant whose interactive sign-ins were not exported accuses nobody.
fn never_entered(
    units: &[Unit],
    sessions: &BTreeMap<(&str, &str), Vec<usize>>,
    habits: &Habits,
    scale: &Scale,
) -> Vec<(usize, Evidence)> {
    let all = || units.iter().filter(|unit| unit.signs_in);
    let Some(settled) = all().map(|unit| unit.first).min().map(|one| one + SETTLED_NS) else {
        return Vec::new();
    };
    let late: Vec<Vec<(usize, &Unit)>> = sessions
        .values()
        .map(|places| places.iter().filter_map(|at| units.get(*at).map(|unit| (*at, unit))))
        .map(Iterator::collect)
        .filter(|own: &Vec<(usize, &Unit)>| {
            own.iter().any(|one| one.1.signs_in) && own.iter().all(|one| one.1.first >= settled)
        })
        .collect();
    let is_never = |own: &&Vec<(usize, &Unit)>| own.iter().all(|one| one.1.entered.is_none());
    let count = |number: usize| f64::from(u32::try_from(number).unwrap_or(u32::MAX));
    let never = late.iter().filter(is_never).count();
    // Krichevsky-Trofimov: the chance that a session of anybody's begins so.
    let rare = 10.0 * ((count(late.len()) + 1.0) / (count(never) + 0.5)).log10();
    let at_new_place = |one: &(usize, &Unit)| {
        one.1.origin == Origin::Outside
            && one.1.signs_in
            && !one.1.is_bound()
            && habits.past(one.1).days_of(Feature::Network, &one.1.network) == 0
    };
    let places = late.iter().filter(is_never).flatten().filter(|one| at_new_place(one));
    let sign = |one: &(usize, &Unit)| {
        let text = format!(
            "a session is renewed from {} that nobody signed in to while the log was kept",
            one.1.address
        );
        (one.0, scale.graded("never_entered", rare, text))
    };
    places.map(sign).filter(|one| one.1.weight_db > 0.0).collect()
}

/// What a session shows against one of its units, given another one of them.
fn against(
    unit: &Unit,
    other: &Unit,
    habits: &Habits,
    hops: &Hops,
    scale: &Scale,
) -> Vec<Evidence> {
    let mut found = Vec::new();
    // A provider gives one machine many addresses of a network, but not two at a time.
    let both_unbound = !unit.is_bound() && !other.is_bound();
    let elsewhere = unit.origin != Origin::Own
        && (unit.network != other.network || both_unbound && unit.address != other.address);
    // The one of the two that the account is not used to is the stranger.
    if !is_stranger(unit, other, habits) {
        return found;
    }
    // At a place that is the owner's, a client that does not tell its device is the owner's too.
    let other_os = !unit.os.is_empty() && !other.os.is_empty() && unit.os != other.os;
    let is_owners_place =
        !other_os && habits.past(unit).days_of(Feature::Network, &unit.network) >= OWNERS_DAYS;
    if is_owners_place {
        return found;
    }
    let split = if unit.signs_in && other.signs_in { differ(unit, other) } else { None };
    let overlap = unit.first <= other.last + HOUR_NS && other.first <= unit.last + HOUR_NS;
    let place = |one: &Unit| format!("{} ({})", one.address, one.persona());
    if let (Some(sign), true) = (split, elsewhere || other_os) {
        if overlap {
            let text = format!(
                "the session is used from {} and, at the same time, from {}",
                place(other),
                place(unit)
            );
            found.push(scale.sign(sign, text));
        }
        if other.is_bound() && !unit.is_bound() && other.first <= unit.first {
            let text = format!(
                "the session began on a registered device at {} and goes on without one from {}",
                other.address,
                place(unit)
            );
            found.push(scale.sign("left_device", text));
        }
        let gap = unit.entered.zip(other.entered).map(|pair| (pair.0 - pair.1).abs());
        if elsewhere && gap.is_some_and(|gap| gap <= BETWEEN_NS) {
            let text = format!(
                "two sign-ins to one session within a minute, from {} and {}: a page in between",
                place(unit),
                place(other)
            );
            found.push(scale.sign("page_between", text));
        }
    }
    found.extend(hops.against(unit, other, scale));
    if !unit.signs_in && other.signs_in && elsewhere {
        let text = format!(
            "the session acts from {}, where nobody signed in to it (sign-in from {})",
            unit.address, other.address
        );
        found.push(scale.sign("elsewhere", text));
    }
    found
}

/// How clearly two units of one session are two machines; nothing if they may be one that moved.
fn differ(unit: &Unit, other: &Unit) -> Option<&'static str> {
    let named = !unit.os.is_empty() && !other.os.is_empty();
    if named && unit.os != other.os {
        return Some("split");
    }
    if !unit.device.is_empty() && unit.device == other.device {
        return None;
    }
    let shares_browser = unit.browsers.iter().any(|one| other.browsers.contains(one));
    match (unit.is_bound() != other.is_bound(), shares_browser) {
        (true, false) if names_browser(unit) && names_browser(other) => Some("split"),
        (true, _) => Some("split_by_client"),
        // A browser does not hand its session to another one.
        (false, false) if names_browser(unit) && names_browser(other) => Some("split"),
        _ => None,
    }
}

fn names_browser(unit: &Unit) -> bool {
    const BROWSERS: &[&str] = &["edge", "chrome", "firefox", "safari", "opera", "explorer"];
    unit.browsers.iter().any(|one| BROWSERS.contains(one))
}

/// Whether a unit's place is new to the account and the other one's is not, or newer.
pub(super) fn is_stranger(unit: &Unit, other: &Unit, habits: &Habits) -> bool {
    if unit.is_bound() && !other.is_bound() {
        return false;
    }
    if other.is_bound() && !unit.is_bound() {
        return true;
    }
    let known = |one: &Unit| {
        let network = habits.past(one).days_of(Feature::Network, &one.network);
        (one.origin == Origin::Own, network)
    };
    known(unit) < known(other) || known(unit) == known(other) && unit.first > other.first
}

/// Signs in one unit alone.
fn by_itself(unit: &Unit, habits: &Habits, scale: &Scale) -> Vec<Evidence> {
    let mut found = Vec::new();
    let past = habits.past(unit);
    for agent in &unit.agents {
        let family = super::agent::browser_family(agent);
        let value = format!("{}/{family}", unit.os);
        if family == "tool" && past.days_of(Feature::Client, &value) == 0 {
            let text = format!("client `{agent}` is a tool and not a program that people use");
            found.push(scale.sign("tool", text));
        }
    }
    for protocol in &unit.protocols {
        let lower = protocol.to_lowercase();
        if lower == "devicecode" && past.days_of(Feature::Protocol, protocol) == 0 {
            let text = "signed in by a code typed on another device, for the first time";
            found.push(scale.sign("device_code", text));
        }
    }
    found
}
