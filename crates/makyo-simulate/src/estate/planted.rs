//! What the intruders do in the estate.

use super::{APPLIANCES, Estate, Fact, Make, Person, Way};
use crate::moment::{HOUR, MINUTE, SECOND, at, is_working_day};
use crate::place::Place;
use crate::random::Random;
use crate::record::zeek::Flow;

/// Rented machines, from ranges that nobody of the staff uses.
fn rented(random: &mut Random, country: &'static str) -> Place {
    let net = *random.pick(&["192.0.2", "198.51.100"]);
    let address = format!("{net}.{}", random.within(20, 190));
    Place { address, network: 64_599, country, city: "" }
}

/// Somebody who stays at home and comes from there.
fn is_plain(person: &Person) -> bool {
    person.trip.is_none() && person.way == Way::Home
}

/// Plants facts of thirteen kinds.
pub(super) fn plant(estate: &mut Estate, people: &[Person]) {
    let random = &mut Random::of(estate.seed, "estate planted", &[]);
    let mut order: Vec<usize> =
        (0..people.len()).filter(|index| is_plain(&people[*index])).collect();
    random.shuffle(&mut order);
    let mut of_make = |make: usize| {
        let place = order.iter().position(|index| people[*index].appliance == make);
        people.get(place.map(|place| order.remove(place)).unwrap_or_default()).unwrap_or(&people[0])
    };
    for make in 0..4 {
        hijack(estate, of_make(make), random);
        if make != 2 {
            moved(estate, of_make(make), random);
        }
    }
    for _ in 0..2 {
        travel(estate, of_make(3), random);
        hosting(estate, of_make(random.index(4)), random);
        concurrent(estate, of_make(random.index(4)), random);
    }
    administration(estate, random);
    logging(estate, random);
    gaps(estate, random);
    reach_inside(estate, random);
    ghost(estate, random);
    bulk(estate, random);
    scan(estate, of_make(1), random);
    beacon(estate, random);
}

/// A working day after the first ten.
fn late_day(estate: &Estate, random: &mut Random) -> i64 {
    let mut day = random.within(11, estate.days - 3);
    while !is_working_day(day) || day == 12 {
        day += 1;
    }
    day
}

fn hijack(estate: &mut Estate, person: &Person, random: &mut Random) {
    let start = at(late_day(estate, random), 1, 0) + random.minutes(0, 200);
    let session = estate.session(person.appliance, &person.user, rented(random, "NL"));
    estate.run(person.appliance, &session, start, 100 * MINUTE, false, random);
    estate.victims.insert(person.user.clone());
    estate.fact("session_without_login", &person.user, start);
}

fn moved(estate: &mut Estate, person: &Person, random: &mut Random) {
    let start = at(late_day(estate, random), 11, 0) + random.minutes(0, 100);
    let session = estate.session(person.appliance, &person.user, person.home.clone());
    estate.run(person.appliance, &session, start, 4 * HOUR, true, random);
    let place = rented(random, "NL");
    estate.tell(person.appliance, start + HOUR, Fact::Moved(&session, &place));
    estate.victims.insert(person.user.clone());
    estate.fact("session_moved", &person.user, start + HOUR);
}

fn travel(estate: &mut Estate, person: &Person, random: &mut Random) {
    let start = at(late_day(estate, random), 18, 0) + random.minutes(0, 30);
    let own = estate.session(person.appliance, &person.user, person.home.clone());
    estate.run(person.appliance, &own, start, 20 * MINUTE, true, random);
    let session = estate.session(person.appliance, &person.user, rented(random, "NL"));
    estate.run(person.appliance, &session, start + 80 * MINUTE, 50 * MINUTE, true, random);
    estate.victims.insert(person.user.clone());
    estate.fact("impossible_travel", &person.user, start + 80 * MINUTE);
}

fn hosting(estate: &mut Estate, person: &Person, random: &mut Random) {
    let start = at(late_day(estate, random), 2, 0) + random.minutes(0, 100);
    let session = estate.session(person.appliance, &person.user, rented(random, "JP"));
    estate.run(person.appliance, &session, start, 70 * MINUTE, true, random);
    estate.victims.insert(person.user.clone());
    estate.fact("hosting_login", &person.user, start);
}

fn concurrent(estate: &mut Estate, person: &Person, random: &mut Random) {
    let start = at(late_day(estate, random), 10, 0) + random.minutes(0, 100);
    let own = estate.session(person.appliance, &person.user, person.home.clone());
    estate.run(person.appliance, &own, start, 6 * HOUR, true, random);
    let session = estate.session(person.appliance, &person.user, rented(random, "JP"));
    estate.run(person.appliance, &session, start + HOUR, 3 * HOUR, true, random);
    estate.victims.insert(person.user.clone());
    estate.fact("concurrent_sessions", &person.user, start + HOUR);
}

fn administration(estate: &mut Estate, random: &mut Random) {
    let start = at(late_day(estate, random), 3, 0) + random.minutes(0, 60);
    let from = rented(random, "NL").address;
    estate.tell(0, start, Fact::Admin("admin", &from));
    estate.tell(0, start + 4 * MINUTE, Fact::Account("admin", "fwbackup"));
    estate.fact("admin_outside", APPLIANCES[0].name, start);
}

fn logging(estate: &mut Estate, random: &mut Random) {
    let start = at(late_day(estate, random), 4, 0) + random.minutes(0, 20);
    estate.tell(1, start, Fact::LoggingRemoved);
    estate.gaps.push((1, start + MINUTE, start + 4 * HOUR));
    estate.fact("logging_removed", APPLIANCES[1].name, start);
}

fn gaps(estate: &mut Estate, random: &mut Random) {
    for (make, hours) in [(2, 3), (3, 2)] {
        let start = at(late_day(estate, random), 9, 0) + random.minutes(0, 120);
        estate.gaps.push((make, start, start + hours * HOUR));
        estate.fact("log_gap", APPLIANCES[make].name, start);
    }
}

fn reach_inside(estate: &mut Estate, random: &mut Random) {
    let start = at(late_day(estate, random), 2, 0) + random.minutes(0, 60);
    for number in 0..5 {
        let to = format!("10.20.3.{}", 10 + random.below(12));
        let port = *random.pick(&[445_u16, 3389, 5985]);
        estate.appliance_flow(3, &to, port, start + number * 4 * MINUTE, random);
    }
    estate.fact("appliance_inside", APPLIANCES[3].inside, start);
}

fn ghost(estate: &mut Estate, random: &mut Random) {
    let start = at(late_day(estate, random), 2, 0) + random.minutes(0, 60);
    let address = format!("{}.{}", APPLIANCES[2].pool, 246);
    for number in 0..30 {
        let to = format!("10.20.3.{}", 10 + random.below(4));
        let flow = Flow {
            from: &address,
            to: &to,
            port: 445,
            service: "-",
            lasts: 9_000,
            sent: 4_000,
            received: 600_000,
        };
        estate.flow(&flow, start + number * MINUTE, random);
    }
    estate.fact("ghost_pool", &address, start);
}

fn bulk(estate: &mut Estate, random: &mut Random) {
    debug_assert!(APPLIANCES[1].make == Make::Pulse);
    let start = at(late_day(estate, random), 1, 0) + random.minutes(0, 60);
    let from = rented(random, "NL").address;
    let flow = Flow {
        from: &from,
        to: APPLIANCES[1].outside,
        port: 443,
        service: "ssl",
        lasts: 50 * MINUTE,
        sent: 6_000_000,
        received: 190_000_000,
    };
    estate.flow(&flow, start, random);
    estate.fact("portal_bulk", &from, start);
}

/// Somebody's session, taken over in their absence, looks for open doors.
fn scan(estate: &mut Estate, person: &Person, random: &mut Random) {
    let start = at(late_day(estate, random), 13, 0) + random.minutes(0, 60);
    let session = estate.session(person.appliance, &person.user, person.home.clone());
    estate.run(person.appliance, &session, start, 2 * HOUR, true, random);
    for number in 0..240 {
        let to = format!("10.20.{}.{}", 4 + number / 120, 1 + number % 120 * 2);
        let flow = Flow {
            from: &session.assigned,
            to: &to,
            port: 445,
            service: "-",
            lasts: 0,
            sent: 0,
            received: 0,
        };
        let line =
            crate::record::zeek::connection(&flow, start + 10 * MINUTE + number * SECOND, random);
        estate
            .flows
            .push((start + 10 * MINUTE + number * SECOND, line.replace("\tSF\t", "\tS0\t")));
    }
    estate.victims.insert(person.user.clone());
    estate.fact("scan", &session.assigned, start + 10 * MINUTE);
}

fn beacon(estate: &mut Estate, random: &mut Random) {
    let start = at(11, 0, 0);
    let to = rented(random, "NL").address;
    let mut moment = start;
    while moment < at(estate.days - 1, 0, 0) {
        let flow = Flow {
            from: APPLIANCES[2].outside,
            to: &to,
            port: 443,
            service: "-",
            lasts: 700,
            sent: 410,
            received: 280,
        };
        estate.flow(&flow, moment, random);
        moment += 10 * MINUTE + random.within(-40, 40) * SECOND;
    }
    estate.fact("appliance_beacon", APPLIANCES[2].outside, start);
}
