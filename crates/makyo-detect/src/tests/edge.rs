//! The edge: what fires, and what must stay quiet.

use std::collections::{BTreeMap, BTreeSet};

use makyo_base::{
    DAY_NS, Entity, EntityKind, Finding, HOUR_NS, MINUTE_NS, Organisation, RecordRef, Role,
    ThirdParty,
};

use crate::analytic::edge::administration::{self, Device, Fact, Line};
use crate::analytic::edge::appliance::{self, Partner};
use crate::analytic::edge::gate::{self, Bulk};
use crate::analytic::edge::moved::{self, Move};
use crate::analytic::edge::outward::{self, Place};
use crate::analytic::edge::pool::{self, Pool, Stretch};
use crate::analytic::edge::silence::Hours;
use crate::analytic::edge::third_party::{self, Inside, Logon, Terms, Use};
use crate::analytic::edge::travel::{self, Hop};
use crate::weights::Weights;

use super::{by_rule, weights};

fn terms_of<'t>(organisation: &'t Organisation, weights: &'t Weights) -> Terms<'t> {
    Terms { organisation, scale: weights.edge() }
}

const NOTHING_INSIDE: Inside<'static> = Inside { logons: &[], found: &[], strong: 14.0 };

fn record(number: u64) -> RecordRef {
    RecordRef { file: "vpn.log".into(), record: number }
}

fn partner(target: &str, port: i64, day: i64) -> Partner {
    Partner {
        address: "10.20.0.1".into(),
        target: target.into(),
        port,
        first: day * DAY_NS + HOUR_NS,
        record: record(u64::try_from(day).expect("positive")),
    }
}

/// Directory, names, time, log collector: known from the first day.
fn known_partners() -> Vec<Partner> {
    vec![
        partner("10.20.1.5", 389, 0),
        partner("10.20.1.6", 53, 0),
        partner("10.20.1.7", 123, 0),
        partner("10.20.1.9", 514, 0),
    ]
}

#[test]
fn an_appliance_that_turns_inward_is_found() {
    let mut partners = known_partners();
    partners.push(partner("10.20.3.30", 445, 20));
    partners.push(partner("10.20.3.31", 445, 20));
    let days = appliance::judge(&partners, 0, 30 * DAY_NS, weights().edge());
    assert_eq!(days.len(), 1);
    assert!(days[0].weight_db > 25.0, "{}", days[0].weight_db);
}

#[test]
fn an_appliance_that_is_moved_to_a_new_time_server_is_not() {
    let mut partners = known_partners();
    partners.push(partner("10.20.1.8", 123, 20));
    let days = appliance::judge(&partners, 0, 30 * DAY_NS, weights().edge());
    assert!(days.iter().all(|day| day.weight_db < 17.0), "{days:?}");
}

/// A new directory and a new account to bind with: two servers on four ports each, on one day.
#[test]
fn an_appliance_that_is_given_another_directory_is_not() {
    let mut partners = known_partners();
    for server in ["10.20.2.11", "10.20.2.12"] {
        for port in [88, 389, 636, 3268] {
            partners.push(partner(server, port, 20));
        }
    }
    let days = appliance::judge(&partners, 0, 30 * DAY_NS, weights().edge());
    assert!(days.iter().all(|day| day.weight_db < 17.0), "{days:?}");
    // What nobody serves to an appliance is told with it.
    partners.push(partner("10.20.2.11", 445, 20));
    let days = appliance::judge(&partners, 0, 30 * DAY_NS, weights().edge());
    assert!(days.iter().any(|day| day.weight_db >= 17.0), "{days:?}");
}

/// Whoever looks for directories in a whole network asks more servers than there are.
#[test]
fn an_appliance_that_searches_for_directories_is_found() {
    let mut partners = known_partners();
    partners.extend((1..=12).map(|number| partner(&format!("10.20.4.{number}"), 389, 20)));
    let days = appliance::judge(&partners, 0, 30 * DAY_NS, weights().edge());
    assert!(days.iter().any(|day| day.weight_db >= 17.0), "{days:?}");
}

/// Users' connections under the appliance's own address: new partners every day are usual.
#[test]
fn an_appliance_that_relays_its_users_is_never_odd() {
    let mut partners = known_partners();
    for day in 1..30 {
        for number in 0..6 {
            partners.push(partner(&format!("10.20.{day}.{number}"), 445, day));
        }
    }
    let days = appliance::judge(&partners, 0, 30 * DAY_NS, weights().edge());
    assert!(days.iter().all(|day| day.weight_db < 17.0), "{days:?}");
}

fn stretch(address: &str, day: i64, actions: i64) -> Stretch {
    Stretch {
        address: address.into(),
        first: day * DAY_NS + 3 * HOUR_NS,
        last: day * DAY_NS + 3 * HOUR_NS + 40 * MINUTE_NS,
        actions,
        target: "10.20.3.30".into(),
        targets: 2,
        record: record(7),
    }
}

fn every_hour() -> BTreeMap<i64, i64> {
    (0..30 * 24).map(|hour| (hour * HOUR_NS, 50)).collect()
}

/// A log that is alive at every hour.
fn pool(stretches: Vec<Stretch>) -> Pool {
    Pool {
        stretches,
        actions: 10_000,
        leased: [("10.99.0.7".to_owned(), ["gw1".to_owned()].into())].into(),
        hours: Hours([("gw1".to_owned(), every_hour())].into()),
    }
}

#[test]
fn an_address_without_a_lease_is_found() {
    assert_eq!(pool::judge(&pool(vec![stretch("10.99.0.77", 12, 40)]), weights().edge()).len(), 1);
}

#[test]
fn gaps_servers_early_hours_and_broken_linking_excuse_a_missing_lease() {
    let mut in_gap = pool(vec![stretch("10.99.0.77", 12, 40)]);
    for hour in 0..6 {
        let hours = in_gap.hours.0.get_mut("gw1").expect("gw1");
        hours.remove(&(12 * DAY_NS + hour * HOUR_NS));
    }
    assert!(
        pool::judge(&in_gap, weights().edge()).is_empty(),
        "the lease may stand in the lines that are missing"
    );
    let server = (2..20).map(|day| stretch("10.99.0.2", day, 20)).collect();
    assert!(pool::judge(&pool(server), weights().edge()).is_empty(), "a server beside the pool");
    assert!(
        pool::judge(&pool(vec![stretch("10.99.0.77", 0, 40)]), weights().edge()).is_empty(),
        "before the log"
    );
    let many = (0..9).map(|n| stretch(&format!("10.99.0.{n}"), 12, 20)).collect();
    assert!(
        pool::judge(&pool(many), weights().edge()).is_empty(),
        "nobody takes nine addresses at once"
    );
    let mut unlinked = pool(vec![stretch("10.99.0.7", 12, 4000)]);
    unlinked.actions = 10_000;
    assert!(
        pool::judge(&unlinked, weights().edge()).is_empty(),
        "leases of this product are not understood"
    );
}

fn bulk(client: &str, number: u64) -> Bulk {
    Bulk {
        client: client.into(),
        gate: "203.0.113.1".into(),
        at: 10 * HOUR_NS,
        lasted: 40 * MINUTE_NS,
        bytes: 80_000_000,
        record: record(number),
    }
}

#[test]
fn bulk_without_a_session_is_found_where_others_have_one() {
    let mut bulks: Vec<Bulk> = (0..8).map(|n| bulk(&format!("198.51.100.{n}"), n)).collect();
    let known: BTreeSet<(String, i64)> =
        bulks.iter().map(|one| (one.client.clone(), one.at - MINUTE_NS)).collect();
    assert!(gate::judge(&bulks, &known, weights().edge()).is_empty());
    bulks.push(bulk("192.0.2.66", 9));
    assert_eq!(gate::judge(&bulks, &known, weights().edge())[0].client, "192.0.2.66");
    assert!(
        gate::judge(&bulks, &BTreeSet::new(), weights().edge()).is_empty(),
        "no sessions are logged at all"
    );
}

/// Two sensors on the way, a second and a few bytes apart.
#[test]
fn a_connection_that_two_sensors_saw_is_one() {
    let mut second = bulk("192.0.2.66", 10);
    second.at += 1_000_000_000;
    second.lasted += MINUTE_NS;
    second.bytes += 1_000;
    let mut later = bulk("192.0.2.66", 11);
    later.at += HOUR_NS;
    let found = gate::once(vec![later, second, bulk("192.0.2.66", 9), bulk("192.0.2.67", 12)]);
    let of = |client: &str| found.iter().filter(|one| one.client == client).count();
    assert_eq!((of("192.0.2.66"), of("192.0.2.67")), (2, 1));
    assert_eq!(found.iter().map(|one| one.bytes).max(), Some(80_001_000));
}

fn moved(before: &str, address: &str) -> Move {
    Move {
        host: "gw1".into(),
        account: "mori".into(),
        session: "s1".into(),
        before: before.into(),
        address: address.into(),
        at: HOUR_NS,
        record: record(3),
    }
}

#[test]
fn a_session_that_moves_where_nobody_logs_in_is_found() {
    let people = |names: &[&str]| {
        names.iter().map(|name| ((*name).to_owned(), BTreeSet::from([1, 2]))).collect()
    };
    let networks: moved::Networks = [
        ("198.51".to_owned(), people(&["mori"])),
        ("100.64".to_owned(), people(&["sato", "ueda"])),
    ]
    .into();
    let organisation = Organisation::default();
    let count = |one: Move| moved::judge(&[one], &networks, &organisation).len();
    assert_eq!(count(moved("198.51.100.7", "192.0.2.66")), 1);
    assert_eq!(count(moved("198.51.100.7", "100.64.3.3")), 0, "a carrier that others use");
    assert_eq!(count(moved("198.51.100.7", "198.51.100.99")), 0, "the provider gave another one");
    assert_eq!(count(moved("198.51.100.7", "10.99.0.4")), 0, "an inside address is no place");
}

fn hop(from: &str, to: &str, minutes: i64) -> Hop {
    Hop {
        account: "mori".into(),
        address: "192.0.2.66".into(),
        country: to.into(),
        address_before: "198.51.100.7".into(),
        country_before: from.into(),
        before: 0,
        at: minutes * MINUTE_NS,
        record: record(4),
    }
}

#[test]
fn nobody_travels_so_fast() {
    assert_eq!(travel::judge(&[hop("Japan", "Netherlands", 60)]).len(), 1);
    assert_eq!(travel::judge(&[hop("JP", "NL", 13 * 60)]).len(), 0, "a flight");
    assert_eq!(travel::judge(&[hop("NL", "BE", 5)]).len(), 0, "a border");
    assert_eq!(travel::judge(&[hop("JP", "Reserved", 5)]).len(), 0, "no country");
    let shared: Vec<Hop> = (0..9).map(|_| hop("JP", "US", 30)).collect();
    assert_eq!(travel::judge(&shared).len(), 0, "an account of many people");
}

fn line(fact: Fact, address: &str, hour: i64) -> Line {
    Line {
        fact,
        account: "admin".into(),
        address: address.into(),
        what: "svc-new".into(),
        at: hour * HOUR_NS + 5 * MINUTE_NS,
        record: record(u64::try_from(hour).expect("positive")),
    }
}

/// An appliance that is administered from inside on weekdays, and writes every hour.
fn administered(more: Vec<Line>) -> Device {
    let mut lines: Vec<Line> =
        (1..10).map(|day| line(Fact::Login, "10.20.0.5", day * 24 + 10)).collect();
    lines.push(line(Fact::Account, "10.20.0.5", 3 * 24 + 11));
    lines.push(line(Fact::Logging, "10.20.0.5", 4 * 24 + 11));
    lines.extend(more);
    lines.sort_by_key(|line| line.at);
    Device {
        name: "gw1".into(),
        lines,
        hours: (0..20 * 24).map(|hour| (hour * HOUR_NS, 30)).collect(),
    }
}

fn odd(device: &Device) -> Vec<&'static str> {
    administration::judge(device, &Organisation::default()).iter().map(|one| one.id()).collect()
}

#[test]
fn ordinary_administration_is_quiet() {
    assert!(odd(&administered(Vec::new())).is_empty());
    // A provider administers from its own address on many days.
    let provider = (1..10).map(|day| line(Fact::Login, "192.0.2.8", day * 24 + 14)).collect();
    assert!(odd(&administered(provider)).is_empty());
}

#[test]
fn administration_from_outside_and_what_follows_it() {
    let device = administered(vec![
        line(Fact::Login, "192.0.2.66", 15 * 24 + 2),
        line(Fact::Account, "192.0.2.66", 15 * 24 + 3),
    ]);
    assert_eq!(odd(&device), ["edge_admin_from_outside", "edge_account_made"]);
    let nobody = administered(vec![line(Fact::Account, "", 15 * 24 + 3)]);
    assert_eq!(odd(&nobody), ["edge_account_made"]);
}

#[test]
fn logging_that_is_cut_off_before_a_silence() {
    let mut device = administered(vec![
        line(Fact::Login, "10.20.0.5", 15 * 24 + 2),
        line(Fact::Logging, "10.20.0.5", 15 * 24 + 3),
    ]);
    assert!(odd(&device).is_empty(), "an administrator changes the collector");
    for hour in 4..10 {
        device.hours.remove(&((15 * 24 + hour) * HOUR_NS));
    }
    assert_eq!(odd(&device), ["edge_logging_cut"]);
}

fn vendor_use(address: &str, hour: i64) -> Use {
    Use {
        account: "corp\\vendor-rs".into(),
        address: address.into(),
        inside: "10.99.0.9".into(),
        is_tunnel: true,
        at: 20 * DAY_NS + hour * HOUR_NS,
        record: record(5),
    }
}

#[test]
fn a_third_party_keeps_or_breaks_its_terms() {
    let party = ThirdParty {
        name: "Remote support".into(),
        accounts: vec!["vendor-rs".into()],
        addresses: vec!["198.51.100.7/32".parse().expect("network")],
        hours: Some("09:00-18:00".into()),
        ..ThirdParty::default()
    };
    let organisation = Organisation { third_parties: vec![party], ..Organisation::default() };
    let terms = |address: &str, hour: i64| {
        let uses = [vendor_use(address, hour)];
        third_party::judge(&uses, &NOTHING_INSIDE, &terms_of(&organisation, &weights()))
            .iter()
            .map(|one| one.terms.len())
            .sum::<usize>()
    };
    assert_eq!(terms("198.51.100.7", 11), 0, "as agreed");
    assert_eq!(terms("198.51.100.7", 18), 0, "a little late");
    assert_eq!(terms("10.99.0.9", 11), 0, "from inside, over what let it in");
    assert_eq!(terms("198.51.100.7", 23), 1, "at night");
    assert_eq!(terms("192.0.2.66", 11), 1, "from elsewhere");
    assert_eq!(terms("192.0.2.66", 23), 2, "from elsewhere at night");
}

/// A technician who often works from home stays late there once.
#[test]
fn a_technician_at_home_at_night_breaks_one_term() {
    let party = ThirdParty {
        name: "Remote support".into(),
        accounts: vec!["vendor-rs".into()],
        addresses: vec!["198.51.100.7/32".parse().expect("network")],
        hours: Some("09:00-18:00".into()),
        ..ThirdParty::default()
    };
    let organisation = Organisation { third_parties: vec![party], ..Organisation::default() };
    let most = |days: &[i64]| {
        let mut uses: Vec<Use> = days
            .iter()
            .map(|day| {
                let mut one = vendor_use("203.0.113.77", 11);
                one.at -= day * DAY_NS;
                one
            })
            .collect();
        uses.push(vendor_use("203.0.113.77", 23));
        let broken =
            third_party::judge(&uses, &NOTHING_INSIDE, &terms_of(&organisation, &weights()));
        broken.iter().map(|one| one.terms.len()).max().unwrap_or_default()
    };
    assert_eq!(most(&[9, 5, 2]), 1, "works from there");
    assert_eq!(most(&[2]), 2, "came from there once");
    assert_eq!(most(&[]), 2, "never came from there");
}

/// Called at night at home a technician breaks two terms and is no intruder; somebody who comes with
/// a computer of their own, or after the end, or does what a rule finds, may be one.
#[test]
fn address_and_hour_alone_are_a_lead() {
    let party = ThirdParty {
        name: "Remote support".into(),
        accounts: vec!["vendor-rs".into()],
        addresses: vec!["198.51.100.7/32".parse().expect("network")],
        hours: Some("09:00-18:00".into()),
        ..ThirdParty::default()
    };
    let mut organisation = Organisation { third_parties: vec![party], ..Organisation::default() };
    let uses = [vendor_use("203.0.113.77", 23)];
    let logon = |computer: &str, day: i64, minute: i64| Logon {
        account: "corp\\vendor-rs".into(),
        address: "10.99.0.9".into(),
        computer: computer.into(),
        host: "srv-rs01.corp.example".into(),
        session: format!("0x{day}"),
        at: (20 - day) * DAY_NS + 23 * HOUR_NS + minute * MINUTE_NS,
        record: record(6),
    };
    let does = |logons: &[Logon], found: &[Finding], organisation: &Organisation| {
        let inside = Inside { logons, found, ..NOTHING_INSIDE };
        let broken = third_party::judge(&uses, &inside, &terms_of(organisation, &weights()));
        broken.iter().any(|one| one.is_abuse())
    };
    let is_abuse = |logons: &[Logon], organisation: &Organisation| does(logons, &[], organisation);
    assert!(!is_abuse(&[], &organisation), "nothing inside is logged");
    let known = [logon("rs-desk", 9, 0), logon("rs-desk", 5, 0)];
    let with = |one: Logon| [known[0].clone(), known[1].clone(), one];
    assert!(!is_abuse(&with(logon("rs-desk", 0, 3)), &organisation), "with the usual computer");
    assert!(is_abuse(&with(logon("desktop-3vq81kd", 0, 3)), &organisation), "with another");
    assert!(!is_abuse(&[logon("desktop-3vq81kd", 0, 3)], &organisation), "whose are not known");
    assert!(!is_abuse(&with(logon("desktop-3vq81kd", -1, 0)), &organisation), "a day later");
    let desktop = with(logon("srv-rs01", 0, 3));
    assert!(!is_abuse(&desktop, &organisation), "a remote desktop names its own host");
    let archive_at = |session: &str, weight_db: f64, days: i64| {
        let entity = |kind, value: &str| Entity { role: Role::Object, kind, value: value.into() };
        let host = entity(EntityKind::Host, "srv-rs01.corp.example");
        let at = (20 + days) * DAY_NS + 23 * HOUR_NS + 10 * MINUTE_NS;
        let entities = vec![host, entity(EntityKind::Session, session)];
        let archive = Finding { entities, weight_db, ..by_rule("archive", at, 7) };
        does(&desktop, &[archive], &organisation)
    };
    let archive = |session: &str, weight_db: f64| archive_at(session, weight_db, 0);
    assert!(archive("0x0", 14.0), "what a rule finds in the session");
    assert!(!archive("0x5", 14.0), "what it finds in an earlier one");
    assert!(!archive("0x0", 7.0), "what is common");
    assert!(!archive_at("0x0", 14.0, -9), "the same number before a restart");
    assert!(!archive_at("0x0", 14.0, 2), "and after one");
    organisation.third_parties[0].to = Some(DAY_NS);
    assert!(is_abuse(&[], &organisation), "after the end");
}

fn called(address: &str, target: &str, day: i64, hours: i64) -> Place {
    Place {
        address: address.into(),
        target: target.into(),
        port: 443,
        first: day * DAY_NS + HOUR_NS,
        calls: hours * 6,
        hours,
        record: record(day.unsigned_abs()),
    }
}

const SELF: &str = "203.0.113.3";
const TWIN: &str = "203.0.113.4";

fn told(places: &[Place]) -> Vec<String> {
    let found = outward::judge(places, 0, 30 * DAY_NS, 6);
    found.iter().filter(|one| one.weight_db >= 8.0).map(|one| one.place.target.clone()).collect()
}

#[test]
fn an_appliance_that_begins_to_call_one_place_is_told() {
    let places = [called(SELF, "198.51.100.201", 0, 30), called(SELF, "192.0.2.66", 15, 200)];
    assert_eq!(told(&places), ["192.0.2.66"]);
}

#[test]
fn a_new_server_of_the_maker_is_called_by_its_twin_too() {
    let places = [
        called(SELF, "198.51.100.201", 0, 30),
        called(SELF, "198.51.100.202", 15, 15),
        called(TWIN, "198.51.100.202", 16, 15),
    ];
    assert!(told(&places).is_empty());
}

#[test]
fn one_look_at_a_new_place_is_nothing() {
    assert!(told(&[called(SELF, "192.0.2.66", 15, 1)]).is_empty());
}

/// A proxy of its users calls new places every day.
#[test]
fn an_appliance_that_calls_for_its_users_is_never_odd() {
    let mut places: Vec<Place> = (0..30)
        .flat_map(|day| (0..5).map(move |n| called(SELF, &format!("192.0.{day}.{n}"), day, 8)))
        .collect();
    places.sort_by_key(|one| one.first);
    assert!(told(&places).is_empty());
}
