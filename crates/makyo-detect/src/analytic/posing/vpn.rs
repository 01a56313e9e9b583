//! VPN tunnels, and which of them are an intruder's: those that no login precedes, those from
//! addresses that such tunnels or confirmed strangers use, and those during which other people's
//! accounts are entered from inside by clients that are not theirs.

use std::collections::{BTreeMap, BTreeSet};

use makyo_base::{DAY_NS, EntityKind, Finding, HOUR_NS, Query, QueryError, RecordRef, Role};

use super::intruders::{Lease, count};
use super::passage::Passage;
use super::scale::Scale;
use super::weigh::{Evidence, Weighed};
use crate::analytic::edge::wide_network;
use crate::analytic::tunnel_without_authentication::Inside;
use crate::analytic::{Analytic, entity};
use makyo_base::address_network as network;

/// Somebody else uses the account's VPN access.
const POSING: Analytic = Analytic {
    id: "posing_over_vpn",
    title: "Somebody else uses the account's VPN access",
    techniques: &["T1133", "T1078"],
    ..super::ANALYTIC
};

/// A tunnel ends with the first end of the same session; where a product gives tunnels no session,
/// with the first end of its account on the same device.
const SQL: &str = "
    WITH lines AS (
      SELECT account, src_endpoint_ip AS outside, coalesce(host, '') AS host,
             coalesce(tunnel_interface_ip, '') AS inside,
             coalesce(actor_session_uid, '') AS session, CAST(time AS BIGINT) AS start,
             activity_id, file, record,
             min(CASE WHEN activity_id = 2 THEN CAST(time AS BIGINT) END)
               OVER (PARTITION BY source, host, account, coalesce(actor_session_uid, '')
                     ORDER BY time, file, record
                     ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING) AS finish
      FROM events
      WHERE class_uid = 4014 AND activity_id IN (1, 2) AND time IS NOT NULL)
    SELECT account, outside, host, inside, session, start, finish, file, record FROM lines
    WHERE activity_id = 1 AND account IS NOT NULL AND outside IS NOT NULL
    ORDER BY account, start, outside, inside, file, record";

/// A tunnel without a logged end is taken to last so long.
const OPEN_NS: i64 = 8 * HOUR_NS;
/// Tunnels of one account that run side by side for longer than this are two people's, or two
/// devices': a hand-over is shorter.
const OVERLAP_NS: i64 = HOUR_NS / 6;
/// Accounts that are entered during one account's tunnels before this can mean anything.
const ENTERED_MIN: usize = 3;
/// Decibans by which they must exceed what the owners' own sign-ins let one expect; one account in
/// some thousand is named by accident at 30.
const ENTERED_DB: f64 = 40.0;

/// One tunnel.
#[derive(Clone, Debug)]
pub(super) struct Tunnel {
    pub(super) account: String,
    pub(super) outside: String,
    network: String,
    host: String,
    pub(super) inside: String,
    session: String,
    pub(super) start: i64,
    pub(super) end: i64,
    record: RecordRef,
}

impl Tunnel {
    pub(super) fn lease(&self) -> Lease {
        Lease { start: self.start, end: self.end, inside: self.inside.clone() }
    }
}

/// The part of an account's name that the VPN and the cloud share.
pub(crate) fn local(account: &str) -> &str {
    let account = account.split('@').next().unwrap_or(account);
    account.rsplit('\\').next().unwrap_or(account)
}

pub(super) fn read(query: &dyn Query) -> Result<Vec<Tunnel>, QueryError> {
    let tunnel = |row: makyo_base::Row<'_>| {
        let outside = row.address("outside")?;
        let start = row.integer("start")?;
        let end = row.integer("finish").unwrap_or(start.saturating_add(OPEN_NS));
        Some(Tunnel {
            account: row.string("account"),
            network: network(outside),
            outside: outside.to_string(),
            host: row.string("host"),
            inside: row.string("inside"),
            session: row.string("session"),
            start,
            end: end.min(start.saturating_add(DAY_NS)),
            record: row.reference(),
        })
    };
    let mut tunnels: Vec<Tunnel> = query.query(SQL)?.iter().filter_map(tunnel).collect();
    // Products write several lines as one tunnel comes up.
    tunnels.dedup_by(|b, a| {
        a.account == b.account && a.outside == b.outside && b.start - a.start < HOUR_NS / 60
    });
    Ok(tunnels)
}

/// Sign-ins from the organisation's own addresses: who, when, and whether the client is the
/// owner's.
pub(super) struct FromInside {
    /// By clients that are unlike their owner, in the order of time.
    pub(super) unlike: Vec<(String, i64)>,
    /// Without a registered device, in the order of time.
    pub(super) unbound: Vec<(String, i64)>,
    /// By registered devices, in the order of time.
    pub(super) owners: Vec<i64>,
    /// The same by the account's own name, each in the order of time.
    pub(super) bound: BTreeMap<String, Vec<i64>>,
    /// Where registered devices signed in to an account outside, by the account's own name.
    pub(super) devices: BTreeMap<String, Vec<DevicePlace>>,
    /// Own addresses through which tunnels come out.
    pub(super) exits: BTreeSet<String>,
}

/// An address outside from which a registered device signed in to its account.
pub(super) struct DevicePlace {
    pub(super) address: String,
    pub(super) network: String,
    pub(super) first: i64,
    pub(super) last: i64,
    /// Since when the account signs in with that device, from wherever.
    pub(super) since: i64,
}

impl FromInside {
    /// Sign-ins of others than an account, without a registered device, during a lease.
    fn unbound_during(&self, lease: &Lease, account: &str) -> impl Iterator<Item = &(String, i64)> {
        let from = self.unbound.partition_point(|one| one.1 < lease.start);
        let to = self.unbound.partition_point(|one| one.1 <= lease.end);
        let during = self.unbound.get(from..to.max(from)).unwrap_or_default();
        during.iter().filter(move |one| local(&one.0) != local(account))
    }

    /// Whether a registered device of the account signs in outside from where a tunnel comes, at
    /// about that time. Where the device always has the same address, another one of that network
    /// is a neighbour's.
    fn has_device_at(&self, tunnel: &Tunnel) -> bool {
        let places = self.devices.get(local(&tunnel.account)).into_iter().flatten();
        let there = || places.clone().filter(|place| place.network == tunnel.network);
        let addresses: BTreeSet<&str> = there().map(|place| place.address.as_str()).collect();
        let is_fixed = addresses.len() == 1 && !tunnel.outside.contains(':');
        let is_near = |place: &DevicePlace| {
            place.first.saturating_sub(DAY_NS) <= tunnel.end
                && tunnel.start <= place.last.saturating_add(DAY_NS)
        };
        (!is_fixed || addresses.contains(tunnel.outside.as_str())) && there().any(is_near)
    }

    /// Whether a registered device that the account had before a time signs in outside from a
    /// network. One that was registered later may be the intruder's.
    fn has_old_device_at(&self, account: &str, network: &str, before: i64) -> bool {
        let places = self.devices.get(local(account)).into_iter().flatten();
        places.into_iter().any(|place| place.network == network && place.since < before)
    }

    /// Those of an account with a registered device during a lease.
    fn bound_during(&self, lease: &Lease, account: &str) -> impl Iterator<Item = i64> {
        let all = self.bound.get(local(account)).into_iter().flatten().copied();
        let (start, end) = (lease.start, lease.end);
        all.filter(move |at| start <= *at && *at <= end)
    }
}

/// What is known when tunnels are judged.
pub(super) struct Known<'a> {
    pub(super) unauthenticated: &'a [Inside],
    /// Outside addresses of confirmed strangers in the cloud, by whose account they entered.
    pub(super) strangers: &'a BTreeMap<String, BTreeSet<String>>,
    pub(super) inside: &'a FromInside,
    /// How people reach the cloud, if sensors show it.
    pub(super) passage: Option<&'a Passage>,
}

/// Tunnels of one account from one network, judged together.
#[derive(Default)]
pub(super) struct Judged {
    /// Places of the tunnels.
    pub(super) tunnels: Vec<usize>,
    pub(super) is_confirmed: bool,
    /// Whether they come from elsewhere than the owner does.
    is_outside: bool,
    weighed: Weighed,
    evidence: Vec<Evidence>,
}

/// Judges all tunnels: first by themselves, then by who is entered meanwhile, the strongest first.
/// What one intruder's tunnel explains accuses nobody else who was online.
pub(super) fn judge(tunnels: &[Tunnel], known: &Known<'_>, scale: &Scale) -> Vec<Judged> {
    let all = by_themselves(tunnels, known, scale);
    let explained: Vec<(i64, i64)> =
        known.unauthenticated.iter().map(|one| (one.start, one.end)).collect();
    let with_entered = |group: &Judged, explained: &[(i64, i64)]| {
        let own: Vec<&Tunnel> = group.tunnels.iter().filter_map(|at| tunnels.get(*at)).collect();
        let mut evidence = group.evidence.clone();
        evidence.extend(entered(&own, explained, known.inside, scale));
        if group.is_outside {
            evidence.extend(over_connections(&own, known, scale));
        }
        let judged = Judged::new(group.tunnels.clone(), evidence, group.is_confirmed, scale);
        Judged { is_outside: group.is_outside, ..judged }
    };
    let (sure, rest): (Vec<Judged>, Vec<Judged>) =
        all.into_iter().partition(|one| one.is_confirmed);
    let mut judged: Vec<Judged> = sure.iter().map(|one| with_entered(one, &explained)).collect();
    let times = |group: &Judged| -> Vec<(i64, i64)> {
        let own = group.tunnels.iter().filter_map(|at| tunnels.get(*at));
        own.map(|tunnel| (tunnel.start, tunnel.end)).collect()
    };
    let mut explained: Vec<(i64, i64)> =
        explained.into_iter().chain(sure.iter().flat_map(times)).collect();
    let rest = rest.into_iter().map(|one| with_entered(&one, &explained));
    let mut rest: Vec<Judged> = rest.filter(|one| one.is_confirmed).collect();
    while let Some(at) = strongest(&rest) {
        let group = rest.remove(at);
        explained.extend(times(&group));
        rest = rest.iter().map(|one| with_entered(&one.without_entered(), &explained)).collect();
        judged.push(group);
    }
    judged.sort_by(|a, b| a.tunnels.cmp(&b.tunnels));
    judged
}

/// Leases of tunnels that come from elsewhere than their owners do.
pub(super) fn outside_leases(tunnels: &[Tunnel], unauthenticated: &[Inside]) -> Vec<Lease> {
    let owners = Owners::learn(tunnels, unauthenticated);
    tunnels.iter().filter(|tunnel| !owners.has(tunnel)).map(Tunnel::lease).collect()
}

/// What is signed in to over the connections of tunnels.
#[derive(Clone, Copy, Default)]
struct Use {
    /// A registered device of the account signs in from the same place, outside the tunnel.
    has_device: bool,
    /// Sign-ins of the tunnel's own account with a registered device: over its connections, and all.
    own: (usize, usize),
    /// Sign-ins of others without one: over its connections, and as many as fall there by accident.
    others: (usize, f64),
}

impl Use {
    fn of(tunnel: &Tunnel, passage: &Passage, inside: &FromInside) -> Self {
        let lease = tunnel.lease();
        let reached = |at: &i64| passage.reaches(&lease, *at);
        let own: Vec<i64> = inside.bound_during(&lease, &tunnel.account).collect();
        let others: Vec<i64> =
            inside.unbound_during(&lease, &tunnel.account).map(|one| one.1).collect();
        Use {
            has_device: false,
            own: (own.iter().filter(|at| reached(at)).count(), own.len()),
            others: (
                others.iter().filter(|at| reached(at)).count(),
                count(others.len()) * passage.accident(&lease),
            ),
        }
    }

    fn add(&mut self, other: Use) {
        self.own = (self.own.0 + other.own.0, self.own.1 + other.own.1);
        self.others = (self.others.0 + other.others.0, self.others.1 + other.others.1);
    }

    /// Decibans by which others are entered more than by accident.
    fn others_db(&self) -> f64 {
        super::fan_in::poisson_tail_db(count(self.others.0), self.others.1)
    }

    /// The owner's registered device is there, or signs in through the tunnel, and nobody else does
    /// more than by accident.
    fn is_owners(&self) -> bool {
        let signs_in = self.own.0 > 0 && 2 * self.own.0 >= self.own.1;
        (self.has_device || signs_in) && self.others_db() < OTHERS_DB
    }
}

/// Decibans from which others are entered too often for a place to be the owner's.
const OTHERS_DB: f64 = 20.0;

/// Places on the way, by account and network, with what tunnels from there were used for.
struct Uses<'a>(BTreeMap<(&'a str, &'a str), Use>);

impl<'a> Uses<'a> {
    fn read(tunnels: &'a [Tunnel], owners: &Owners<'_>, known: &Known<'_>) -> Self {
        let mut uses: BTreeMap<(&str, &str), Use> = BTreeMap::new();
        for tunnel in tunnels.iter().filter(|tunnel| !owners.has(tunnel)) {
            let of_network = uses.entry((&tunnel.account, &tunnel.network)).or_default();
            of_network.has_device |= known.inside.has_device_at(tunnel);
            if let Some(passage) = known.passage {
                of_network.add(Use::of(tunnel, passage, known.inside));
            }
        }
        Uses(uses)
    }

    /// Whether a tunnel on the way was the owner's own.
    fn are_owners(&self, tunnel: &Tunnel) -> bool {
        let used = self.0.get(&(tunnel.account.as_str(), tunnel.network.as_str()));
        used.is_some_and(Use::is_owners)
    }
}

/// Other accounts that must be entered over the very connections of tunnels, and decibans by which
/// they exceed accident, to say by themselves whose the tunnels are.
const OVER_CONNECTIONS_MIN: usize = 5;
const OVER_CONNECTIONS_DB: f64 = 60.0;

/// Of the sign-ins of others during these tunnels, more fall on the tunnels' own connections than
/// by accident.
fn over_connections(own: &[&Tunnel], known: &Known<'_>, scale: &Scale) -> Option<Evidence> {
    let (passage, tunnel) = (known.passage?, *own.first()?);
    // That nobody logged in to it says more.
    let is_known = |one: &&Tunnel| {
        known.unauthenticated.iter().any(|it| it.account == one.account && it.start == one.start)
    };
    if own.iter().any(is_known) {
        return None;
    }
    let (mut used, mut entered) = (Use::default(), BTreeSet::new());
    for tunnel in own {
        let lease = tunnel.lease();
        used.add(Use::of(tunnel, passage, known.inside));
        let others = known.inside.unbound_during(&lease, &tunnel.account);
        let over = others.filter(|one| passage.reaches(&lease, one.1));
        entered.extend(over.map(|one| one.0.as_str()));
    }
    let tail = used.others_db();
    if entered.len() < OVER_CONNECTIONS_MIN || tail < OVER_CONNECTIONS_DB {
        return None;
    }
    let text = format!(
        "{} other accounts were entered from inside just when the address that its tunnels had leased connected to the cloud ({} sign-ins, where {:.1} were expected by accident)",
        entered.len(),
        used.others.0,
        used.others.1
    );
    Some(scale.graded(OVER_CONNECTIONS, tail / 2.0, text).at(&tunnel.record))
}

/// The place of the strongest that is confirmed, of equals the first.
fn strongest(groups: &[Judged]) -> Option<usize> {
    let confirmed = groups.iter().enumerate().rev().filter(|one| one.1.is_confirmed);
    let total = |one: &(usize, &Judged)| one.1.weighed.total_db;
    confirmed.max_by(|a, b| total(a).total_cmp(&total(b))).map(|one| one.0)
}

/// What tunnels of one account show by themselves.
fn by_themselves(tunnels: &[Tunnel], known: &Known<'_>, scale: &Scale) -> Vec<Judged> {
    let owners = Owners::learn(tunnels, known.unauthenticated);
    let roamers = roamers(tunnels);
    let uses = Uses::read(tunnels, &owners, known);
    let mut groups: BTreeMap<(&str, &str), Vec<usize>> = BTreeMap::new();
    for (at, tunnel) in tunnels.iter().enumerate() {
        // All that are not from the owner's own networks are judged together: who hops from one
        // rented machine to the next comes from many.
        let is_owners = owners.has(tunnel) || uses.are_owners(tunnel);
        let network = if is_owners { tunnel.network.as_str() } else { "" };
        groups.entry((&tunnel.account, network)).or_default().push(at);
    }
    let judge = |((account, network), places): ((&str, &str), Vec<usize>)| {
        let own: Vec<&Tunnel> = places.iter().filter_map(|at| tunnels.get(*at)).collect();
        let mut evidence = Vec::new();
        evidence.extend(new_network(account, &own, tunnels, scale));
        // Whose home line serves an intruder as a relay still comes from home.
        if !owners.is_home(account, network, known.inside) {
            evidence.extend(shared(&own, known, scale));
        }
        evidence.extend(overlap(account, &own, tunnels, scale));
        // Behind a carrier's addresses an intruder has neighbours: where people are, somebody
        // else's tunnel says nothing by itself.
        let is_shared = evidence.iter().any(|one| one.sign == "shared")
            && !own.iter().any(|tunnel| neighbours(&roamers, tunnel) >= NEIGHBOURS_MIN);
        let judged = Judged::new(places, evidence, is_shared, scale);
        Judged { is_outside: network.is_empty(), ..judged }
    };
    groups.into_iter().map(judge).collect()
}

/// The signs that other people's accounts are entered from inside meanwhile, and over the tunnel's
/// own connections.
const ENTERED: &str = "entered_others";
const OVER_CONNECTIONS: &str = "over_connections";

impl Judged {
    fn new(tunnels: Vec<usize>, evidence: Vec<Evidence>, is_sure: bool, scale: &Scale) -> Self {
        let weighed = Weighed::of(&evidence, scale);
        let is_confirmed = is_sure
            || weighed.is_confirmed(scale)
            || evidence.iter().any(|one| one.sign == OVER_CONNECTIONS)
            || evidence.iter().filter(|one| one.weight_db > 0.0).count() >= 2
                && evidence.iter().any(|one| one.sign == ENTERED && one.weight_db >= 20.0);
        Judged { tunnels, is_confirmed, weighed, evidence, is_outside: false }
    }

    /// As by themselves, where that confirms nothing.
    fn without_entered(&self) -> Self {
        let by_itself = |one: &&Evidence| ![ENTERED, OVER_CONNECTIONS].contains(&one.sign);
        let evidence = self.evidence.iter().filter(by_itself).cloned().collect();
        let (tunnels, is_outside) = (self.tunnels.clone(), self.is_outside);
        Judged { tunnels, is_outside, evidence, ..Judged::default() }
    }
}

/// So many people wander over a carrier's addresses; an intruder who comes in several names has
/// fewer.
const NEIGHBOURS_MIN: usize = 5;
/// Who comes from so many addresses of one wide network has none of their own there.
const ROAMING_ADDRESSES_MIN: usize = 3;

/// Accounts that wander over the addresses of a wide network, as behind a carrier's; at home an
/// address stays.
fn roamers(tunnels: &[Tunnel]) -> BTreeMap<String, BTreeSet<&str>> {
    let mut addresses: BTreeMap<(String, &str), BTreeSet<&str>> = BTreeMap::new();
    for tunnel in tunnels {
        let key = (wide_network(&tunnel.outside), tunnel.account.as_str());
        addresses.entry(key).or_default().insert(&tunnel.outside);
    }
    let mut roamers: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    for ((network, account), own) in addresses {
        if own.len() >= ROAMING_ADDRESSES_MIN {
            roamers.entry(network).or_default().insert(account);
        }
    }
    roamers
}

/// How many others wander where a tunnel comes from.
fn neighbours(roamers: &BTreeMap<String, BTreeSet<&str>>, tunnel: &Tunnel) -> usize {
    let there = roamers.get(&wide_network(&tunnel.outside));
    there.map_or(0, |there| there.iter().filter(|one| **one != tunnel.account).count())
}

/// From where each account's owner comes.
struct Owners<'a> {
    /// By account and network; the addresses there that are habitual themselves.
    habitual: BTreeMap<(&'a str, &'a str), BTreeSet<&'a str>>,
    /// Networks from which tunnels without a login came.
    strange: BTreeSet<String>,
    /// Before this nobody else was there.
    clean: i64,
    /// What the account used until then, by account and network.
    past: BTreeMap<&'a str, BTreeMap<&'a str, Past<'a>>>,
}

/// A network that an account used while nobody else was there.
#[derive(Default)]
struct Past<'a> {
    addresses: BTreeSet<&'a str>,
    days: BTreeSet<i64>,
}

/// So long before the first tunnel without a login only owners come.
const CLEAN_NS: i64 = DAY_NS;

impl<'a> Owners<'a> {
    fn learn(tunnels: &'a [Tunnel], unauthenticated: &[Inside]) -> Self {
        let first = unauthenticated.iter().map(|one| one.start).min();
        let clean = first.map_or(i64::MIN, |first| first.saturating_sub(CLEAN_NS));
        let mut past: BTreeMap<&str, BTreeMap<&str, Past<'_>>> = BTreeMap::new();
        for tunnel in tunnels.iter().filter(|tunnel| tunnel.start < clean) {
            let networks = past.entry(&tunnel.account).or_default();
            let used = networks.entry(&tunnel.network).or_default();
            used.addresses.insert(&tunnel.outside);
            used.days.insert(tunnel.start.div_euclid(DAY_NS));
        }
        let addresses = unauthenticated.iter().filter_map(|one| one.address.parse().ok());
        let strange = addresses.map(network).collect();
        Owners { habitual: habitual(tunnels), strange, clean, past }
    }

    /// Whether a tunnel comes from where the owner does. What was used before the intruder came
    /// tells more than how often a place is used since, because an intruder comes often.
    fn has(&self, tunnel: &Tunnel) -> bool {
        if tunnel.start < self.clean {
            return true;
        }
        let Some(past) = self.past.get(tunnel.account.as_str()) else {
            let habitual = self.habitual.get(&(tunnel.account.as_str(), tunnel.network.as_str()));
            return !self.strange.contains(&tunnel.network)
                && habitual.is_some_and(|own| is_one_of(own, tunnel));
        };
        past.get(tunnel.network.as_str()).is_some_and(|used| is_one_of(&used.addresses, tunnel))
    }

    /// Whether a network is an account's home: several days of its tunnels before anybody else
    /// came, or a registered device that it had by then. An intruder may come over the line of
    /// somebody's home.
    fn is_home(&self, account: &str, network: &str, inside: &FromInside) -> bool {
        let past = self.past.get(account).and_then(|networks| networks.get(network));
        past.is_some_and(|used| used.days.len() >= HABITUAL_DAYS_MIN)
            || inside.has_old_device_at(account, network, self.clean)
    }
}

/// Whether a tunnel's address is its owner's, who has these in that network. Where a provider gave
/// the owner several addresses, it gives others.
fn is_one_of(own: &BTreeSet<&str>, tunnel: &Tunnel) -> bool {
    own.len() != 1 || own.contains(tunnel.outside.as_str())
}

/// A network is the account's own if its tunnels come from it on so many days, and on such a share
/// of all its days.
const HABITUAL_DAYS_MIN: usize = 3;
const HABITUAL_SHARE: f64 = 0.2;

/// The networks that each account's owner uses, by account and network, with the addresses there
/// that are used on so many days themselves: none where the provider gives a new one each time.
fn habitual(tunnels: &[Tunnel]) -> BTreeMap<(&str, &str), BTreeSet<&str>> {
    let mut days: BTreeMap<&str, BTreeSet<i64>> = BTreeMap::new();
    let mut of_network: BTreeMap<(&str, &str), BTreeMap<&str, BTreeSet<i64>>> = BTreeMap::new();
    for tunnel in tunnels {
        let day = tunnel.start.div_euclid(DAY_NS);
        days.entry(&tunnel.account).or_default().insert(day);
        let network = of_network.entry((&tunnel.account, &tunnel.network)).or_default();
        network.entry(&tunnel.outside).or_default().insert(day);
    }
    let habitual = |(key, addresses): ((_, _), BTreeMap<_, BTreeSet<i64>>)| {
        let all = days.get(key.0).map_or(0, BTreeSet::len);
        let own = addresses.values().flatten().collect::<BTreeSet<_>>().len();
        let is_own = own >= HABITUAL_DAYS_MIN && count(own) >= HABITUAL_SHARE * count(all);
        let often = addresses.into_iter().filter(|one| one.1.len() >= HABITUAL_DAYS_MIN);
        is_own.then(|| (key, often.map(|one| one.0).collect()))
    };
    of_network.into_iter().filter_map(habitual).collect()
}

/// A network that the account's owner did not use on earlier days.
fn new_network(
    account: &str,
    own: &[&Tunnel],
    tunnels: &[Tunnel],
    scale: &Scale,
) -> Option<Evidence> {
    let first = own.iter().map(|tunnel| tunnel.start).min()?;
    let before: Vec<&Tunnel> =
        of_account(tunnels, account).filter(|tunnel| tunnel.start < first).collect();
    let days: BTreeSet<i64> = before.iter().map(|tunnel| tunnel.start / DAY_NS).collect();
    let networks: BTreeSet<&str> = before.iter().map(|tunnel| tunnel.network.as_str()).collect();
    if days.len() < 3 {
        return None;
    }
    let rate = (count(networks.len().saturating_sub(1)) + 0.5) / (count(days.len()) + 1.0);
    let network = &own.first()?.network;
    let text = format!("network {network} was never used for this VPN account before");
    Some(scale.graded("new_network", -10.0 * rate.log10(), text).at(&own.first()?.record))
}

/// The outside address of a tunnel without a login, or of somebody who posed as another account.
fn shared(own: &[&Tunnel], known: &Known<'_>, scale: &Scale) -> Option<Evidence> {
    for tunnel in own {
        // Its own account's tunnels without a login are no witness of others.
        let is_other =
            |one: &Inside| one.address == tunnel.outside && one.account != tunnel.account;
        if known.unauthenticated.iter().any(is_other) {
            let text =
                format!("{} is where a VPN tunnel without any login came from", tunnel.outside);
            return Some(scale.sign("shared", text).at(&tunnel.record));
        }
        let names = known.strangers.get(&tunnel.outside);
        let other =
            names.and_then(|names| names.iter().find(|name| local(name) != local(&tunnel.account)));
        if let Some(other) = other {
            let text = format!("{} is where somebody posed as {other}", tunnel.outside);
            return Some(scale.sign("shared", text).at(&tunnel.record));
        }
    }
    None
}

/// Tunnels of one account; all are sorted by account.
fn of_account<'a>(tunnels: &'a [Tunnel], account: &str) -> impl Iterator<Item = &'a Tunnel> {
    let from = tunnels.partition_point(|one| one.account.as_str() < account);
    let to = tunnels.partition_point(|one| one.account.as_str() <= account);
    tunnels.get(from..to).into_iter().flatten()
}

/// The account's owner has a tunnel up from another network all the while.
fn overlap(account: &str, own: &[&Tunnel], tunnels: &[Tunnel], scale: &Scale) -> Option<Evidence> {
    for tunnel in own {
        let side_by_side = of_account(tunnels, account).find(|other| {
            other.network != tunnel.network
                && other.start < tunnel.start
                && other.end.min(tunnel.end) - tunnel.start > OVERLAP_NS
        });
        if let Some(other) = side_by_side {
            let text = format!(
                "a tunnel from {} was up while the account's tunnel from {} went on",
                tunnel.outside, other.outside
            );
            return Some(scale.sign("side_by_side", text).at(&tunnel.record));
        }
    }
    None
}

/// Other people's accounts are entered from inside while these tunnels are up, more often than the
/// times of day let one expect. What tunnels of `explained` times account for is left out.
fn entered(
    own: &[&Tunnel],
    explained: &[(i64, i64)],
    inside: &FromInside,
    scale: &Scale,
) -> Option<Evidence> {
    let account = own.first()?.account.as_str();
    let is_explained = |at: i64| explained.iter().any(|one| one.0 <= at && at <= one.1);
    let within = |at: i64| own.iter().any(|tunnel| tunnel.start <= at && at <= tunnel.end);
    // Day by day, because such sign-ins come in clumps: of those of a day, the tunnels' times have
    // as many as the owners' sign-ins let one expect.
    let days: BTreeSet<i64> = own
        .iter()
        .flat_map(|tunnel| [tunnel.start, tunnel.end])
        .map(|at| at.div_euclid(DAY_NS))
        .collect();
    let (mut seen, mut expected) = (BTreeSet::new(), 0.0);
    for day in days {
        let times = day * DAY_NS..(day + 1) * DAY_NS;
        let of_day = inside.unlike.partition_point(|one| one.1 < times.start)
            ..inside.unlike.partition_point(|one| one.1 < times.end);
        let unlike: Vec<&(String, i64)> = inside
            .unlike
            .get(of_day)
            .unwrap_or_default()
            .iter()
            .filter(|one| {
                times.contains(&one.1) && local(&one.0) != local(account) && !is_explained(one.1)
            })
            .collect();
        let of_day = inside.owners.partition_point(|at| *at < times.start)
            ..inside.owners.partition_point(|at| *at < times.end);
        let owners = inside.owners.get(of_day).unwrap_or_default().iter();
        let share = (count(owners.clone().filter(|at| within(**at)).count()) + 0.5)
            / (count(owners.count()) + 1.0);
        expected += count(unlike.len()) * share;
        seen.extend(unlike.into_iter().filter(|one| within(one.1)).map(|one| one.0.as_str()));
    }
    let seen = seen.len();
    if seen < ENTERED_MIN {
        return None;
    }
    let tail = super::fan_in::poisson_tail_db(count(seen), expected);
    let text = format!(
        "{seen} other accounts were entered from inside while its tunnels from {} were up, by clients that are not their owners' (expected: {expected:.1})",
        own.first()?.outside
    );
    (tail >= ENTERED_DB).then(|| scale.graded(ENTERED, tail / 2.0, text))
}

/// A finding for each tunnel, because each leased an address.
pub(super) fn findings(tunnels: &[Tunnel], judged: &[Judged]) -> Vec<Finding> {
    let mut found = Vec::new();
    for group in judged.iter().filter(|group| group.is_confirmed) {
        let reasons: Vec<String> = group
            .evidence
            .iter()
            .map(|one| format!("{} ({:+.0} dB)", one.text, one.weight_db))
            .collect();
        for tunnel in group.tunnels.iter().filter_map(|at| tunnels.get(*at)) {
            let entities = [
                entity(Role::Actor, EntityKind::Account, &tunnel.account),
                entity(Role::Place, EntityKind::Host, &tunnel.host),
                entity(Role::Origin, EntityKind::Address, &tunnel.outside),
                entity(Role::Object, EntityKind::Address, &tunnel.inside),
                entity(Role::Object, EntityKind::Session, &tunnel.session),
            ];
            let text = format!(
                "VPN tunnel in the name of `{}` from {}: {}",
                tunnel.account,
                tunnel.outside,
                reasons.join("; ")
            );
            let mut records = vec![tunnel.record.clone()];
            records.extend(group.evidence.iter().filter_map(|one| one.record.clone()));
            found.push(POSING.finding(
                Some(tunnel.start),
                (group.weighed.total_db * 10.0).round() / 10.0,
                entities.into_iter().flatten().collect(),
                records,
                text,
            ));
        }
    }
    found
}
