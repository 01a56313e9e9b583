//! VPN logins by their place: first visits from rented machines, sessions beside the owner's.

use std::collections::BTreeMap;
use std::net::IpAddr;

use makyo_base::{
    AddressClass, DAY_NS, HOUR_NS, MINUTE_NS, NoPlaces, Organisation, Places, RecordRef,
};

use super::weights;
use crate::analytic::edge::hosting;
use crate::analytic::edge::parallel::{self, Known, Line, Lively, Step};
use crate::analytic::edge::silence::Hours;
use crate::analytic::edge::travel::{self, Hop};
use crate::analytic::edge::visits::{Visit, Visits};

fn record(number: i64) -> RecordRef {
    RecordRef { file: "vpn.log".into(), record: number.unsigned_abs() }
}

fn visit(account: &str, address: &str, day: i64) -> Visit {
    Visit {
        account: account.into(),
        address: address.parse().expect("address"),
        first: day * DAY_NS + 8 * HOUR_NS,
        host: "gw".into(),
        country: if address.starts_with("192.0.2.") { "SG".into() } else { "JP".into() },
        record: record(day),
    }
}

/// Thirty people who come from their homes on twenty days.
fn people() -> Vec<Visit> {
    let mut visits = Vec::new();
    for person in 0..30 {
        for day in 0..20 {
            let home = format!("198.18.{person}.7");
            visits.push(visit(&format!("p{person:02}"), &home, day));
        }
    }
    visits
}

/// A list with one rented range, and an operator for two networks.
struct Lists;

impl Places for Lists {
    fn has_classes(&self) -> bool {
        true
    }

    fn class(&self, address: IpAddr) -> Option<AddressClass> {
        address.to_string().starts_with("192.0.2.").then_some(AddressClass::Hosting)
    }

    fn network(&self, address: IpAddr) -> Option<String> {
        let text = address.to_string();
        let own = text.starts_with("198.18.3.") || text.starts_with("198.51.");
        own.then(|| "AS64501 Example Net, JP".to_owned())
    }
}

fn strange(visits: Vec<Visit>) -> Vec<(String, usize)> {
    let visits = Visits::of(visits);
    let organisation = Organisation::default();
    let found = hosting::judge(&visits, &organisation, weights().edge(), &Lists);
    found.iter().map(|one| (one.visits[0].account.clone(), one.visits.len())).collect()
}

#[test]
fn a_first_login_from_a_rented_machine_is_found_once() {
    let mut visits = people();
    visits.push(visit("p03", "192.0.2.40", 15));
    visits.push(visit("p03", "192.0.2.41", 17));
    assert_eq!(strange(visits), [("p03".to_owned(), 2)]);
}

#[test]
fn who_always_comes_from_a_rented_desktop_is_left_alone() {
    let mut visits = people();
    for day in [0, 2, 3, 8, 15] {
        visits.push(visit("p03", "192.0.2.40", day));
    }
    assert_eq!(strange(visits), []);
}

/// A security service through which a department's traffic leaves lies in such a range.
#[test]
fn a_range_from_which_colleagues_come_is_left_alone() {
    let mut visits = people();
    for person in 10..16 {
        for day in [4, 5, 9] {
            visits.push(visit(&format!("p{person}"), "192.0.2.9", day));
        }
    }
    visits.push(visit("p03", "192.0.2.10", 15));
    let named: Vec<String> = strange(visits).into_iter().map(|one| one.0).collect();
    assert!(!named.contains(&"p03".to_owned()), "{named:?}");
}

#[test]
fn somebody_new_has_no_past_to_compare_with() {
    let mut visits = people();
    visits.push(visit("new", "198.18.90.2", 14));
    visits.push(visit("new", "192.0.2.40", 15));
    assert_eq!(strange(visits), []);
}

fn line(step: Step, outside: &str, inside: &str, at: i64) -> Line {
    Line {
        account: "p03".into(),
        device: "gw".into(),
        session: String::new(),
        inside: inside.into(),
        outside: outside.into(),
        machine: String::new(),
        step,
        at,
        lasted: 0,
        record: record(at / MINUTE_NS),
    }
}

const HOME: &str = "198.18.3.7";
const DAY: i64 = 15 * DAY_NS;

/// The owner's session from nine to five, and another from eleven.
fn beside(outside: &str, hours: i64) -> Vec<Line> {
    let other = DAY + 11 * HOUR_NS;
    let mut lines = vec![
        line(Step::Open, HOME, "10.99.0.3", DAY + 9 * HOUR_NS),
        line(Step::Open, outside, "10.99.0.4", other),
        line(Step::Close, outside, "10.99.0.4", other + hours * HOUR_NS / 4),
        line(Step::Close, HOME, "10.99.0.3", DAY + 17 * HOUR_NS),
    ];
    lines.sort_by_key(|line| line.at);
    lines
}

fn silent_never() -> Hours {
    let hours = (0..24 * 31).map(|hour| (hour * HOUR_NS, 20));
    Hours(BTreeMap::from([("gw".to_owned(), hours.collect())]))
}

fn found_with(
    lines: &[Line],
    visits: Vec<Visit>,
    lively: &Lively,
    hours: &Hours,
    places: &dyn Places,
) -> Vec<String> {
    let visits = Visits::of(visits);
    let organisation = Organisation::default();
    let weights = weights();
    let known = Known {
        visits: &visits,
        hours,
        scale: weights.edge(),
        organisation: &organisation,
        places,
    };
    let stays = parallel::stays(lines);
    let pairs = parallel::alive(parallel::pairs(&stays, &known), lively, weights.edge());
    pairs.iter().map(|pair| pair.other.outside.to_string()).collect()
}

fn found(lines: &[Line]) -> Vec<String> {
    found_with(lines, people(), &Lively::new(), &silent_never(), &NoPlaces)
}

#[test]
fn a_session_beside_the_owners_from_nowhere_is_found() {
    assert_eq!(found(&beside("192.0.2.40", 8)), ["192.0.2.40"]);
}

#[test]
fn the_owners_session_must_go_on_sending() {
    let lines = beside("192.0.2.40", 8);
    let slot = |hour: i64| (DAY + hour * HOUR_NS) / (5 * MINUTE_NS);
    let dead = Lively::from([("10.99.0.3".to_owned(), [slot(9), slot(10)].into())]);
    let hours = silent_never();
    assert!(found_with(&lines, people(), &dead, &hours, &NoPlaces).is_empty());
    let alive = Lively::from([("10.99.0.3".to_owned(), [slot(9), slot(12)].into())]);
    assert_eq!(found_with(&lines, people(), &alive, &hours, &NoPlaces).len(), 1);
}

#[test]
fn a_hand_over_is_short() {
    assert!(found(&beside("192.0.2.40", 2)).is_empty());
}

/// Its line was cut, and nothing says when it ended.
#[test]
fn a_session_without_an_end_proves_nothing() {
    let mut lines = beside("192.0.2.40", 8);
    lines.retain(|line| line.outside != HOME || line.step != Step::Close);
    assert!(found(&lines).is_empty());
}

#[test]
fn a_telephone_in_a_carriers_network_is_left_alone() {
    let mut visits = people();
    for person in 4..9 {
        for day in [1, 6] {
            visits.push(visit(&format!("p0{person}"), "198.51.100.20", day));
        }
    }
    let lines = beside("198.51.100.77", 8);
    let hours = silent_never();
    assert!(found_with(&lines, visits, &Lively::new(), &hours, &NoPlaces).is_empty());
}

#[test]
fn a_second_machine_at_home_shares_the_network() {
    assert!(found(&beside("198.18.3.9", 8)).is_empty());
}

#[test]
fn one_operator_in_two_networks_is_one_place() {
    let lines = beside("198.51.100.77", 8);
    let hours = silent_never();
    assert_eq!(found_with(&lines, people(), &Lively::new(), &hours, &NoPlaces).len(), 1);
    assert!(found_with(&lines, people(), &Lively::new(), &hours, &Lists).is_empty());
}

#[test]
fn the_same_machine_twice_is_one_machine() {
    let mut lines = beside("192.0.2.40", 8);
    for line in &mut lines {
        line.machine = "PC-7".into();
    }
    assert!(found(&lines).is_empty());
}

#[test]
fn both_protocols_of_one_home_are_one_place() {
    assert!(found(&beside("2001:db8:7::9", 8)).is_empty());
}

/// Abroad, the laptop in the hotel and the telephone beside it are both new.
#[test]
fn two_machines_on_a_journey_are_left_alone() {
    let mut lines = beside("192.0.2.40", 8);
    for line in lines.iter_mut().filter(|line| line.outside == HOME) {
        line.outside = "203.0.113.9".into();
    }
    assert!(found(&lines).is_empty());
}

#[test]
fn who_often_has_two_sessions_has_a_habit() {
    let mut lines = Vec::new();
    for (day, outside) in [(10, "198.51.100.1"), (12, "203.0.113.8"), (15, "192.0.2.40")] {
        for mut line in beside(outside, 8) {
            line.at += (day - 15) * DAY_NS;
            lines.push(line);
        }
    }
    assert!(!found(&lines).contains(&"192.0.2.40".to_owned()));
}

/// An end may be among the lines that are missing.
#[test]
fn where_the_log_is_silent_nothing_is_said() {
    let mut hours = silent_never();
    let gateway = hours.0.get_mut("gw").expect("gateway");
    gateway.remove(&(DAY + 10 * HOUR_NS));
    let lines = beside("192.0.2.40", 8);
    assert!(found_with(&lines, people(), &Lively::new(), &hours, &NoPlaces).is_empty());
}

/// Two machines at home, one of which is switched off: the other is still the owner's. The product
/// writes the leased address in a second line.
#[test]
fn the_end_of_one_of_two_sessions_at_home_ends_one() {
    let home = |step, inside, minute: i64| line(step, HOME, inside, DAY + minute * MINUTE_NS);
    let mut lines = vec![
        home(Step::Open, "", 9 * 60),
        home(Step::Open, "10.99.0.3", 9 * 60),
        home(Step::Open, "", 10 * 60),
        home(Step::Open, "10.99.0.5", 10 * 60),
        home(Step::Close, "", 10 * 60 + 50),
        home(Step::Close, "", 17 * 60),
    ];
    lines.extend(beside("192.0.2.40", 8).into_iter().filter(|line| line.outside != HOME));
    lines.sort_by_key(|line| line.at);
    assert_eq!(parallel::stays(&lines).len(), 3);
    assert_eq!(found(&lines), ["192.0.2.40"]);
}

/// Which of two sessions ends, its length tells.
#[test]
fn an_end_that_names_its_length_ends_the_right_session() {
    let home = |step, inside, minute: i64| line(step, HOME, inside, DAY + minute * MINUTE_NS);
    let mut first = home(Step::Close, "", 10 * 60 + 50);
    first.lasted = 110 * MINUTE_NS;
    let lines = [
        home(Step::Open, "10.99.0.3", 9 * 60),
        home(Step::Open, "10.99.0.5", 10 * 60),
        first,
        home(Step::Close, "", 17 * 60),
    ];
    let stays = parallel::stays(&lines);
    let ends: Vec<(&str, i64)> =
        stays.iter().map(|stay| (stay.inside.as_str(), (stay.end - DAY) / MINUTE_NS)).collect();
    assert_eq!(ends, [("10.99.0.3", 650), ("10.99.0.5", 1020)]);
}

/// A session that is taken up again from elsewhere is one session.
#[test]
fn a_session_that_moves_runs_beside_nothing() {
    let mut lines = beside("192.0.2.40", 8);
    for line in &mut lines {
        line.inside = "10.99.0.3".into();
    }
    assert!(found(&lines).is_empty());
}

/// A computer at home stays connected while its owner is abroad; nobody hops.
#[test]
fn two_machines_in_two_countries_are_no_journey() {
    let hop = |day: i64, hour: i64, home: bool| {
        let (here, there) = (("198.18.3.7", "JP"), ("203.0.113.9", "US"));
        let (to, from) = if home { (here, there) } else { (there, here) };
        Hop {
            account: "p03".into(),
            address: to.0.into(),
            country: to.1.into(),
            address_before: from.0.into(),
            country_before: from.1.into(),
            before: day * DAY_NS + (hour - 5) * HOUR_NS,
            at: day * DAY_NS + hour * HOUR_NS,
            record: record(day),
        }
    };
    let hops = [hop(15, 11, false), hop(16, 9, true), hop(16, 11, false)];
    assert_eq!(travel::judge(&hops).len(), 3);
    let mut lines: Vec<Line> = beside("203.0.113.9", 8);
    let scale = weights();
    let once = travel::two_machines(&hops, &parallel::stays(&lines), scale.edge());
    assert!(once.is_empty(), "once is no habit");
    for mut line in beside("203.0.113.9", 8) {
        line.at += DAY_NS;
        lines.push(line);
    }
    let kept = travel::two_machines(&hops, &parallel::stays(&lines), scale.edge());
    assert_eq!(kept.len(), 1);
}

/// Nobody travels to where a department's traffic leaves.
#[test]
fn a_service_abroad_is_no_place_to_travel_to() {
    let mut visits = people();
    visits.push(visit("p03", "192.0.2.40", 15));
    assert!(Visits::of(visits.clone()).services_abroad().is_empty(), "one person");
    for person in 10..16 {
        for day in [4, 5, 9] {
            visits.push(visit(&format!("p{person}"), "192.0.2.9", day));
        }
    }
    let found = Visits::of(visits).services_abroad();
    assert!(found.contains("192.0.2.9") && found.contains("192.0.2.40"), "{found:?}");
}
