use std::io;
use std::net::IpAddr;

use crate::{Flow, Input, Listed, MemberReason, Options, Results, State, analyse};

/// A little network that is put together flow by flow.
#[derive(Default)]
struct Net {
    flows: Vec<Flow>,
}

const BEGIN: i64 = 1_740_960_000;

impl Net {
    fn add(
        &mut self,
        at: f64,
        source: &str,
        target: &str,
        port: u16,
        state: State,
        bytes: (u64, u64),
    ) {
        self.flows.push(Flow {
            time: BEGIN * 1_000_000_000 + (at * 1e9) as i64,
            source: source.parse().unwrap(),
            source_port: 40_000 + (self.flows.len() % 20_000) as u16,
            target: target.parse().unwrap(),
            target_port: port,
            protocol: 6,
            bytes_out: bytes.0,
            bytes_in: bytes.1,
            state,
            is_reply: false,
        });
    }

    fn ok(&mut self, at: f64, source: &str, target: &str, port: u16, bytes: (u64, u64)) {
        self.add(at, source, target, port, State::Answered, bytes);
    }

    fn calls(&mut self, from: f64, to: f64, period: f64, source: &str, target: &str, port: u16) {
        let mut at = from;
        let mut turn = 0.0;
        while at < to {
            self.ok(at, source, target, port, (500, 300));
            turn = (turn + 0.618_034) % 1.0;
            at += period * (0.9 + 0.2 * turn);
        }
    }

    fn run(&self, options: &Options) -> Results {
        let flows = self.flows.clone();
        let pages = move |tell: &mut dyn FnMut(u64, Flow)| -> io::Result<()> {
            flows.iter().enumerate().for_each(|(n, flow)| tell(n as u64 + 1, *flow));
            Ok(())
        };
        let input = Input::Records { name: "flows".to_owned(), pages: Box::new(pages) };
        analyse(vec![input], options).unwrap()
    }
}

const DAY: f64 = 86_400.0;

/// Sixty cameras that call their maker all day.
fn cameras() -> Net {
    let mut net = Net::default();
    for n in 0..60 {
        net.calls(
            f64::from(n) * 13.0,
            DAY,
            900.0,
            &format!("10.5.0.{}", n + 1),
            "203.0.113.5",
            443,
        );
    }
    net
}

fn members(results: &Results) -> Vec<String> {
    let all = results.members.iter().filter(|one| one.is_member);
    all.map(|one| one.device.to_string()).collect()
}

#[test]
fn a_vendors_telemetry_accuses_nobody() {
    let results = cameras().run(&Options::default());
    assert!(members(&results).is_empty());
    assert_eq!(results.controllers.len(), 1);
    assert!(!results.controllers.first().unwrap().is_accused);
}

#[test]
fn telemetry_that_is_switched_on_through_the_day_accuses_nobody() {
    let mut net = cameras();
    for n in 0..40 {
        let from = 10_000.0 + f64::from(n) * 900.0;
        net.calls(from, DAY, 300.0, &format!("10.5.0.{}", n + 1), "203.0.113.6", 443);
        // The Internet knocks at some of them, as it always does.
        if n % 4 == 0 {
            net.ok(from - 1800.0, "198.51.100.200", &format!("10.5.0.{}", n + 1), 80, (300, 900));
        }
    }
    let results = net.run(&Options::default());
    assert!(members(&results).is_empty(), "{:?}", results.controllers);
}

#[test]
fn devices_that_were_entered_before_they_began_to_call_are_members() {
    let mut net = cameras();
    for n in 0..6 {
        let (device, at) = (format!("10.5.0.{}", n * 7 + 1), 20_000.0 + f64::from(n) * 5000.0);
        net.ok(at, &format!("198.51.100.{}", n + 1), &device, 23, (900, 1500));
        net.ok(at + 90.0, &device, "198.51.100.99", 80, (200, 250_000));
        net.calls(at + 140.0, DAY, 400.0, &device, "192.0.2.66", 8443);
    }
    let results = net.run(&Options::default());
    let found = members(&results);
    assert_eq!(found.len(), 6, "{:?}", results.controllers);
    let one = results.members.iter().find(|one| one.is_member).unwrap();
    assert_eq!(one.why, MemberReason::Unlisted);
    assert_eq!(one.controller.to_string(), "192.0.2.66");
    assert!(one.entered_from.is_some() && one.fetched_from.is_some());
}

#[test]
fn devices_that_began_to_call_lately_and_spread_are_members() {
    let mut net = cameras();
    for n in 0..3 {
        let device = format!("10.5.0.{}", n * 9 + 2);
        net.calls(30_000.0 + f64::from(n) * 4000.0, DAY, 300.0, &device, "192.0.2.66", 8443);
        for m in 0..40 {
            let at = 40_000.0 + f64::from(n) * 7.0 + f64::from(m) * 800.0;
            net.ok(at, &device, &format!("198.51.100.{}", m * 5 + n), 23, (0, 0));
        }
    }
    let results = net.run(&Options::default());
    assert_eq!(members(&results), ["10.5.0.2", "10.5.0.11", "10.5.0.20"]);
}

fn listed(from: &str, until: &str) -> Options {
    Options {
        listed: vec![Listed {
            net: "192.0.2.66/32".parse().unwrap(),
            from: makyo_base::parse_time(from),
            until: makyo_base::parse_time(until),
            name: "published".to_owned(),
            is_botnet: true,
        }],
        ..Options::default()
    }
}

#[test]
fn a_published_controller_counts_within_its_time_only() {
    let mut net = cameras();
    net.calls(100.0, DAY, 700.0, "10.5.0.9", "192.0.2.66", 443);
    let now = net.run(&listed("2025-02-01T00:00:00Z", "2025-03-10T00:00:00Z"));
    assert_eq!(members(&now), ["10.5.0.9"]);
    let before = net.run(&listed("2023-02-01T00:00:00Z", "2023-03-10T00:00:00Z"));
    assert!(members(&before).is_empty());
}

#[test]
fn who_only_knocked_at_a_published_controller_is_no_member() {
    let mut net = cameras();
    net.add(50.0, "10.5.0.9", "192.0.2.66", 443, State::Silent, (40, 0));
    net.ok(60.0, "192.0.2.66", "10.5.0.10", 80, (100, 100));
    let results = net.run(&listed("2025-02-01T00:00:00Z", "2025-03-10T00:00:00Z"));
    assert!(members(&results).is_empty());
}

#[test]
fn who_reads_a_page_on_a_published_address_is_no_member() {
    let mut net = cameras();
    for n in 0..120_u8 {
        let at = 1000.0 + f64::from(n) * f64::from(n) * 3.0;
        net.ok(at, "10.5.7.7", &format!("198.51.100.{n}"), 443, (900, 9000));
    }
    for at in [2000.0, 2003.0, 2011.0, 2090.0] {
        net.ok(at, "10.5.7.7", "192.0.2.66", 443, (900, 20_000));
    }
    let results = net.run(&listed("2025-02-01T00:00:00Z", "2025-03-10T00:00:00Z"));
    assert!(members(&results).is_empty());
    assert!(results.members.iter().any(|one| one.device.to_string() == "10.5.7.7"));
}

#[test]
fn a_scan_is_told_and_a_busy_browser_is_not() {
    let mut net = cameras();
    for n in 0..200_u8 {
        let at = 1000.0 + f64::from(n);
        net.add(
            at,
            "10.5.9.9",
            &format!("10.5.1.{n}"),
            445,
            if n % 9 == 0 { State::Answered } else { State::Silent },
            (40, 0),
        );
        net.ok(at, "10.5.9.8", &format!("198.51.100.{n}"), 443, (900, 9000));
    }
    let results = net.run(&Options::default());
    let found: Vec<String> = results.scans.iter().map(|one| one.source.to_string()).collect();
    assert_eq!(found, ["10.5.9.9"]);
    assert!(results.scans.first().unwrap().is_inside);
}

#[test]
fn ports_of_one_host_are_a_scan_too() {
    let mut net = cameras();
    for port in 1..60 {
        net.add(f64::from(port), "10.5.9.9", "10.5.1.1", port, State::Refused, (40, 40));
    }
    let results = net.run(&Options::default());
    assert!(results.scans.first().unwrap().ports_of_one >= 50);
}

#[test]
fn what_was_collected_and_sent_is_staged_bulk() {
    let mut net = cameras();
    for n in 0..40_u8 {
        net.ok(
            f64::from(n) * 100.0,
            &format!("10.5.2.{n}"),
            &format!("198.51.100.{n}"),
            443,
            (300_000, 4_000_000),
        );
    }
    net.ok(50_000.0, "10.5.3.3", "10.5.8.8", 445, (90_000, 900_000_000));
    net.ok(60_000.0, "10.5.3.3", "192.0.2.80", 443, (800_000_000, 900_000));
    let results = net.run(&Options::default());
    let one = results.bulk.first().unwrap();
    assert_eq!(one.source.to_string(), "10.5.3.3");
    assert!(one.is_staged && one.deviations > 2.5, "{one:?}");
}

#[test]
fn a_path_from_the_pool_is_followed_in_the_order_of_time() {
    let mut net = cameras();
    let options = Options {
        scope: crate::Scope {
            pools: vec!["10.99.0.0/24".parse().unwrap()],
            ..crate::Scope::default()
        },
        ..Options::default()
    };
    // Six quiet days of work, then three steps.
    for day in 0..7 {
        let at = f64::from(day) * DAY;
        net.ok(at + 30_000.0, "10.5.8.1", "10.5.8.2", 445, (100, 100));
    }
    let last = 6.0 * DAY;
    net.ok(last + 1000.0, "10.99.0.5", "10.5.8.1", 3389, (100, 100));
    net.ok(last + 2000.0, "10.5.8.1", "10.5.8.7", 445, (100, 100));
    net.ok(last + 3000.0, "10.5.8.7", "10.5.8.9", 5985, (100, 100));
    // Earlier than the step that would lead to it.
    net.ok(last + 500.0, "10.5.8.9", "10.5.8.10", 22, (100, 100));
    let results = net.run(&options);
    let path = results.paths.first().unwrap();
    let hosts: Vec<String> = path.hops.iter().map(|hop| hop.target.to_string()).collect();
    assert_eq!(hosts, ["10.5.8.1", "10.5.8.7", "10.5.8.9"]);
    assert_eq!(results.pool_spans.len(), 1);
    assert_eq!(results.reach.first().unwrap().new_hosts, 1);
}

#[test]
fn a_hundred_thousand_addresses_do_not_hide_one_controller() {
    // The popular destination of all is no reason to look away, and no reason to accuse.
    let mut net = cameras();
    let all: Vec<IpAddr> = (1..60).map(|n| format!("10.5.0.{n}").parse().unwrap()).collect();
    for device in &all {
        net.calls(40.0, DAY, 1800.0, &device.to_string(), "203.0.113.77", 443);
    }
    let results = net.run(&Options::default());
    assert!(members(&results).is_empty());
    assert_eq!(results.controllers.len(), 2);
}
