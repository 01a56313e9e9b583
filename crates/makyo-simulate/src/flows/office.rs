//! People at their computers, programs that call regularly, and planted beacons.

use serde_json::{Value, json};

use super::{
    CONTROLLERS, DAY, DESKS, Day, Draw as _, FlowScenario, HOUR, SECOND, SERVICES, SITES, micros,
    size,
};
use crate::random::Random;

/// Sites that people visit; the first are everybody's.
const SITES_COUNT: f64 = 6000.0;

pub(crate) fn fill(scenario: &FlowScenario, day: &mut Day) -> Value {
    for desk in 0..scenario.people {
        person(day, desk);
        programs(day, desk);
    }
    monitoring(scenario, day);
    let rows: Vec<Value> =
        (0..scenario.beacons).map(|number| beacon(scenario, day, number)).collect();
    Value::from(rows)
}

/// Somebody's day: stretches of work, in each a few sites, each site visited again and again at
/// the pace of reading.
fn person(day: &mut Day, desk: u32) {
    let mut random = day.random("person", &[u64::from(desk)]);
    let source = DESKS + desk + 1;
    let begin = micros(random.lognormal(8.6 * 3600.0, 0.06));
    let end = begin + micros(random.lognormal(8.5 * 3600.0, 0.1));
    // A circle of sites of one's own, and everybody's.
    let own: Vec<u32> = (0..110).map(|_| site(&mut random)).collect();
    let mut at = begin;
    while at < end.min(DAY) {
        let stretch = micros(random.lognormal(1500.0, 0.7));
        for _ in 0..12 {
            let target = if random.chance(0.85) { *random.pick(&own) } else { site(&mut random) };
            visits(day, &mut random, (source, target), (at, (at + stretch).min(end)));
        }
        at += stretch + micros(random.lognormal(700.0, 1.0));
    }
}

fn site(random: &mut Random) -> u32 {
    // By Zipf's law, more or less.
    let rank = (SITES_COUNT.powf(random.unit()) - 1.0) as u32;
    SITES + 256 + rank * 7 + u32::try_from(random.below(2)).unwrap_or(0)
}

fn visits(
    day: &mut Day,
    random: &mut Random,
    (source, target): (u32, u32),
    (from, to): (u64, u64),
) {
    let pace = random.lognormal(45.0, 0.8);
    let sigma = 0.7 + random.unit();
    let width = to.saturating_sub(from);
    let mut at = from + random.below(width.max(1));
    let mut pages = random.count(4.0) + 1;
    // A page that renews itself while it is open, now and then left alone.
    let renews = random.chance(0.01);
    while at < to && pages > 0 {
        let parts = 1 + random.below(4);
        let mut part = at;
        for _ in 0..parts {
            let sizes = (size(random, 900.0), size(random, 24_000.0));
            day.tcp(random, part, (source, target, 443), sizes);
            part += micros(random.exponential(0.6));
        }
        at = part + micros(random.lognormal(if renews { pace / 2.0 } else { pace }, sigma));
        pages -= 1;
    }
}

/// What every computer does by itself: clock, updates, mail, presence, protection.
fn programs(day: &mut Day, desk: u32) {
    let mut random = day.random("programs", &[u64::from(desk)]);
    let source = DESKS + desk + 1;
    for server in 0..2 {
        let period = [64.0, 256.0, 1024.0][random.index(3)];
        regular(
            day,
            &mut random,
            (source, SERVICES + 10 + server, 123),
            true,
            (period, 0.02),
            (48, 48),
        );
    }
    let jitter = 0.05 + 0.2 * random.unit();
    regular(day, &mut random, (source, SERVICES + 30, 443), false, (3600.0, jitter), (1200, 5000));
    regular(day, &mut random, (source, SERVICES + 31, 443), false, (300.0, 0.1), (700, 900));
    regular(day, &mut random, (source, SERVICES + 32, 443), false, (60.0, 0.03), (310, 290));
    if random.chance(0.5) {
        // Protection that calls one of a maker's many front ends.
        let front = SERVICES + 64 + u32::try_from(random.below(12)).unwrap_or(0);
        regular(day, &mut random, (source, front, 443), false, (900.0, 0.2), (2100, 600));
    }
    // Names are asked for in the pace of people.
    let mut at = 0;
    while at < DAY {
        at += micros(random.lognormal(160.0, 1.4));
        day.push(&mut random, at, (source, SERVICES + 5, 53), true, "SF", (44, 120));
    }
}

fn regular(
    day: &mut Day,
    random: &mut Random,
    ends: (u32, u32, u16),
    udp: bool,
    (period, jitter): (f64, f64),
    (sent, got): (u32, u32),
) {
    let mut at = micros(period * random.unit());
    while at < DAY {
        let sizes = (size(random, f64::from(sent)), size(random, f64::from(got)));
        let sizes = if udp { (sent, got) } else { sizes };
        day.push(random, at, ends, udp, "SF", sizes);
        at += micros(period * (1.0 + jitter * (2.0 * random.unit() - 1.0)));
    }
}

/// An own server that asks all others how they are, and agents that tell another one.
fn monitoring(scenario: &FlowScenario, day: &mut Day) {
    let mut random = day.random("monitoring", &[]);
    let (asks, hears) = (DESKS + 0xff01, DESKS + 0xff02);
    for desk in (0..scenario.people).step_by(2) {
        let host = DESKS + desk + 1;
        regular(day, &mut random, (asks, host, 161), true, (300.0, 0.01), (90, 300));
        regular(day, &mut random, (asks, host, 9100), false, (60.0, 0.01), (200, 9000));
        regular(day, &mut random, (host, hears, 10_051), false, (120.0, 0.05), (800, 90));
    }
}

/// One planted beacon, by its number: periods from ten seconds to four hours, jitter to a half,
/// losses to three in ten, around the clock and in office hours; a sleeper or on a schedule.
fn beacon(scenario: &FlowScenario, day: &mut Day, number: u32) -> Value {
    // What it is does not change from day to day.
    let mut fixed = Random::of(scenario.seed, "beacon", &[u64::from(number)]);
    let source = DESKS + 1 + u32::try_from(fixed.below(u64::from(scenario.people))).unwrap_or(0);
    let target = CONTROLLERS + 1 + number * 3;
    let jitter = [0.0, 0.05, 0.1, 0.2, 0.3, 0.5][fixed.index(6)];
    let loss = [0.0, 0.0, 0.1, 0.3][fixed.index(4)];
    let office = fixed.chance(0.3);
    // In nine hours the slowest would not call five times.
    let period = [10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1800.0, 3600.0, 7200.0, 14_400.0]
        [fixed.index(if office { 9 } else { 11 })]
        * (0.8 + 0.4 * fixed.unit());
    let schedule = fixed.chance(0.25);
    let port = [443, 443, 80, 8443, 8080, 22, 4444][fixed.index(7)];
    let same = fixed.chance(0.6);
    let mut random = day.random("beacon", &[u64::from(number)]);
    let (from, to) = if office { (9 * HOUR, 18 * HOUR) } else { (0, DAY) };
    let mut slot = from + micros(period * random.unit());
    let mut count = 0;
    while slot < to {
        let away = period * jitter * (2.0 * random.unit() - 1.0);
        let at = if schedule { slot as f64 + away * SECOND as f64 / 2.0 } else { slot as f64 };
        if !random.chance(loss) && at > 0.0 {
            let sizes = if same {
                (612, 204)
            } else {
                (size(&mut random, 600.0), size(&mut random, 400.0))
            };
            day.tcp(&mut random, at as u64, (source, target, port), sizes);
            count += 1;
        }
        slot += micros(if schedule { period } else { period + away }).max(SECOND / 10);
    }
    json!({
        "source": std::net::Ipv4Addr::from_bits(source).to_string(),
        "target": std::net::Ipv4Addr::from_bits(target).to_string(),
        "port": port, "period_s": period, "jitter": jitter, "loss": loss, "office": office,
        "schedule": schedule, "flows": count,
    })
}
