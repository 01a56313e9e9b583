//! A fleet of small devices: what its makers' servers see of it, what the Internet's scanners do to
//! it, and a botnet in it.

use std::net::Ipv4Addr;

use serde_json::{Value, json};

use super::{
    CONTROLLERS, DAY, Day, Draw as _, FLEET, FlowScenario, HOUR, SECOND, SERVICES, STRANGERS,
    micros, size,
};
use crate::random::Random;

/// Makers, each with a server of its own.
const MODELS: u32 = 40;

pub(crate) struct Fleet {
    pub(crate) truth: Value,
    /// The published controllers, as a list of indicators.
    pub(crate) published: String,
}

fn text(address: u32) -> String {
    Ipv4Addr::from_bits(address).to_string()
}

/// The first is every fifth device's; the last are rare.
fn model(device: u32, seed: u64) -> u32 {
    let mut random = Random::of(seed, "model", &[u64::from(device)]);
    ((f64::from(MODELS) + 1.0).powf(random.unit()) - 1.0) as u32
}

pub(crate) fn fill(scenario: &FlowScenario, day: &mut Day) -> Fleet {
    for device in 0..scenario.devices {
        lives(day, device);
    }
    rollout(scenario, day);
    cloud(scenario, day);
    scanner(scenario, day);
    let members = scenario.members;
    let mut rows = Vec::new();
    // Whole models are never infected: a botnet takes what it finds.
    let mut random = Random::of(scenario.seed, "members", &[]);
    let mut taken: Vec<u32> = Vec::new();
    while taken.len() < 2 * members as usize && scenario.devices > 0 {
        let device = u32::try_from(random.below(u64::from(scenario.devices))).unwrap_or(0);
        if !taken.contains(&device) {
            taken.push(device);
        }
    }
    for (index, device) in taken.iter().enumerate() {
        let is_listed = index < members as usize;
        rows.push(member(day, *device, is_listed, u32::try_from(index).unwrap_or(0)));
    }
    // Addresses that were controllers once: whoever calls them now is no member.
    let stale = stale(scenario, day);
    let mut published = String::from("type,value,valid_from,valid_until,labels,description\n");
    for server in 0..4 {
        published += &format!(
            "ipv4,{},2026-05-01T00:00:00Z,2026-07-01T00:00:00Z,botnet,controller of an invented botnet\n",
            text(CONTROLLERS + 0x4000 + server)
        );
    }
    published += &format!(
        "ipv4,{},2024-01-01T00:00:00Z,2024-03-01T00:00:00Z,botnet,controller of an invented botnet\n",
        text(CONTROLLERS + 0x4100)
    );
    Fleet { truth: json!({ "members": rows, "stale": stale }), published }
}

/// A device's own life: its maker's server about once an hour, the time, a name, now and then an
/// update; and the strangers who knock at it.
fn lives(day: &mut Day, device: u32) {
    let seed = day.seed;
    let model = model(device, seed);
    let source = FLEET + device;
    let mut random = day.random("device", &[u64::from(device)]);
    let period = 2400.0 + 60.0 * f64::from(model);
    let begin = micros(period * random.unit());
    steady(day, &mut random, (source, SERVICES + 256 + model, 443), begin, (period, 0.03));
    let mut at = micros(7200.0 * random.unit());
    while at < DAY {
        day.push(&mut random, at, (source, SERVICES + 10, 123), true, "SF", (48, 48));
        at += micros(7200.0 * (0.98 + 0.04 * random.unit()));
    }
    if random.chance(0.05) {
        // An update: half a megabyte and more from a maker's store.
        let when = random.below(DAY);
        let sizes = (900, size(&mut random, 600_000.0));
        day.tcp(&mut random, when, (source, SERVICES + 512 + model, 80), sizes);
    }
    for _ in 0..random.count(1.2) {
        let stranger = STRANGERS + u32::try_from(random.below(12_000)).unwrap_or(0);
        let port = [23, 22, 80, 8080, 443, 2323, 7547][random.index(7)];
        let answered = random.chance(0.15);
        let (when, state) = (random.below(DAY), if answered { "SF" } else { "S0" });
        let sizes = (size(&mut random, 200.0), size(&mut random, 800.0));
        day.push(&mut random, when, (stranger, source, port), false, state, sizes);
    }
}

fn steady(
    day: &mut Day,
    random: &mut Random,
    ends: (u32, u32, u16),
    begin: u64,
    (period, jitter): (f64, f64),
) {
    let mut at = begin;
    while at < DAY {
        let sizes = (size(random, 800.0), size(random, 300.0));
        day.tcp(random, at, ends, sizes);
        at += micros(period * (1.0 + jitter * (2.0 * random.unit() - 1.0)));
    }
}

/// A maker switches a new kind of telemetry on, model by model through the day: new, staggered,
/// regular, and harmless.
fn rollout(scenario: &FlowScenario, day: &mut Day) {
    for device in 0..scenario.devices {
        let of = model(device, day.seed);
        if !(20..24).contains(&of) {
            continue;
        }
        let mut random = day.random("rollout", &[u64::from(device)]);
        let begin = micros(random.lognormal(9.0 * 3600.0, 0.3));
        let ends = (FLEET + device, SERVICES + 700 + of, 443);
        steady(day, &mut random, ends, begin, (600.0, 0.05));
    }
}

/// A popular cloud service on one address: many devices, some regularly, some not.
fn cloud(scenario: &FlowScenario, day: &mut Day) {
    for device in (0..scenario.devices).step_by(23) {
        let mut random = day.random("cloud", &[u64::from(device)]);
        let begin = random.below(8 * HOUR);
        let ends = (FLEET + device, SERVICES + 900, 443);
        steady(day, &mut random, ends, begin, (3000.0, 0.1));
    }
}

/// The own scanner looks at a part of the fleet.
fn scanner(scenario: &FlowScenario, day: &mut Day) {
    let mut random = day.random("scanner", &[]);
    let source = 0x0a14_fff0;
    let mut at = 2 * HOUR;
    for device in (0..scenario.devices.min(4000)).step_by(3) {
        for port in [22, 80, 443] {
            let state = if random.chance(0.2) { "SF" } else { "S0" };
            day.push(&mut random, at, (source, FLEET + device, port), false, state, (44, 44));
            at += micros(0.4);
        }
    }
}

/// A member: entered by a stranger, fetches a program from another, calls its controller, and one
/// in three scans for more. Members with a published controller may be old ones.
fn member(day: &mut Day, device: u32, is_listed: bool, index: u32) -> Value {
    let seed = day.seed;
    let mut random = Random::of(seed, "member", &[u64::from(device)]);
    let source = FLEET + device;
    let is_old = random.chance(if is_listed { 0.5 } else { 0.15 });
    let controller =
        if is_listed { CONTROLLERS + 0x4000 + index % 4 } else { CONTROLLERS + 0x5000 + index % 2 };
    let port = if is_listed { 443 } else { [443, 8443][(index % 2) as usize] };
    let entered = if is_old { 0 } else { 3 * HOUR + random.below(15 * HOUR) };
    let scans = random.chance(0.3);
    let period = random.lognormal(500.0, 0.3);
    let mut begin = micros(period * random.unit());
    if !is_old {
        let (loader, store) = (STRANGERS + 13_000 + index, STRANGERS + 14_000 + index % 5);
        let port = [23, 22, 8080, 80][random.index(4)];
        day.tcp(&mut random, entered, (loader, source, port), (1800, 2600));
        let fetched = entered + (20 + random.below(400)) * SECOND;
        let program = size(&mut random, 180_000.0).clamp(30_000, 2_500_000);
        day.tcp(&mut random, fetched, (source, store, 80), (260, program));
        begin = fetched + (5 + random.below(120)) * SECOND;
    }
    steady(day, &mut random, (source, controller, port), begin, (period, 0.25));
    if scans {
        let mut at = begin + 10 * 60 * SECOND;
        for _ in 0..400 {
            let target = STRANGERS + u32::try_from(random.below(12_000)).unwrap_or(0);
            let state = if random.chance(0.03) { "SF" } else { "S0" };
            day.push(&mut random, at, (source, target, 23), false, state, (44, 44));
            at += micros(random.exponential(4.0));
        }
    }
    json!({
        "device": text(source), "controller": text(controller), "port": port,
        "listed": is_listed, "old": is_old, "scans": scans,
    })
}

/// Devices that call an address which was a controller two years ago.
fn stale(scenario: &FlowScenario, day: &mut Day) -> Value {
    let mut rows = Vec::new();
    for device in (0..scenario.devices).skip(7).step_by(997).take(40) {
        let mut random = day.random("stale", &[u64::from(device)]);
        let begin = random.below(HOUR);
        let ends = (FLEET + device, CONTROLLERS + 0x4100, 443);
        steady(day, &mut random, ends, begin, (1800.0, 0.05));
        rows.push(Value::from(text(FLEET + device)));
    }
    Value::from(rows)
}
