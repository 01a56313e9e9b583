//! Prints what a look-up costs: ten million values against 100,000 indicators, for each kind.
//!
//! `cargo run --release -p makyo-detect --example indicator_speed`

#![allow(clippy::print_stdout, reason = "printing the figures is all that it is for")]

use std::hint::black_box;
use std::net::IpAddr;
use std::time::Instant;

use makyo_base::{Cell, Column, Event};
use makyo_detect::{Guards, IndicatorSet, Observed, read_indicators};

const INDICATORS: u64 = 100_000;
const VALUES: u64 = 10_000_000;
/// Texts are made beforehand and asked for again and again.
const TEXTS: usize = 100_000;

/// One step of a generator (`SplitMix64`), so that every run asks the same.
fn random(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut number = *state;
    number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

fn v4(number: u64) -> IpAddr {
    // 198.18.0.0/15 and its neighbours: outside of every special range.
    #[allow(clippy::cast_possible_truncation, reason = "27 bits are kept")]
    let low = (number & 0x07ff_ffff) as u32;
    IpAddr::from((0xc000_0000_u32 | low).to_be_bytes())
}

fn list(state: &mut u64) -> String {
    let mut text = String::new();
    for _ in 0..INDICATORS / 4 {
        text.push_str(&format!("{}\n", v4(random(state))));
        text.push_str(&format!("{:016x}{:016x}\n", random(state), random(state)));
        text.push_str(&format!("h{:012x}.example\n", random(state) >> 16));
        text.push_str(&format!("http://h{:012x}.example/a\n", random(state) >> 16));
    }
    text
}

fn measure(what: &str, count: u64, mut ask: impl FnMut(u64) -> u64) {
    let start = Instant::now();
    let mut hits = 0;
    for at in 0..count {
        hits += ask(at);
    }
    #[allow(clippy::cast_precision_loss, reason = "a figure for people")]
    let each = start.elapsed().as_nanos() as f64 / count as f64;
    println!("{what:<44} {each:>7.1} ns a value, {hits} hits in {count}");
}

fn main() {
    let mut state = 1;
    let text = list(&mut state);
    let start = Instant::now();
    let intel = read_indicators("list", text.as_bytes(), &Guards::default());
    println!("read {} indicators in {:?}", intel.indicators.len(), start.elapsed());
    let start = Instant::now();
    let with_networks =
        read_indicators("nets", b"203.0.113.0/24\n192.0.2.0/28\n", &Guards::default());
    let mut all = intel.indicators.clone();
    let set = IndicatorSet::compile(intel.indicators);
    println!("compiled in {:?}", start.elapsed());
    all.extend(with_networks.indicators);
    let networked = IndicatorSet::compile(all);

    let count = |set: &IndicatorSet, observed: Observed<'_>| {
        let mut hits = 0;
        set.names(black_box(observed), &mut |_| hits += 1);
        hits
    };
    measure("making an address (to take off)", VALUES, |_| {
        black_box(v4(random(&mut state)));
        0
    });
    measure("addresses", VALUES, |_| count(&set, Observed::Address(v4(random(&mut state)))));
    measure("addresses, with networks of two lengths", VALUES, |_| {
        count(&networked, Observed::Address(v4(random(&mut state))))
    });
    let hosts: Vec<String> =
        (0..TEXTS).map(|_| format!("www.h{:012x}.example", random(&mut state) >> 16)).collect();
    let host = |at: u64| hosts.get(at as usize % TEXTS).map_or("", String::as_str);
    measure("host names of 21 letters", VALUES, |at| count(&set, Observed::Host(host(at))));
    let digests: Vec<[u8; 16]> = (0..TEXTS)
        .map(|_| {
            (u128::from(random(&mut state)) << 64 | u128::from(random(&mut state))).to_le_bytes()
        })
        .collect();
    measure("hashes", VALUES, |at| {
        digests.get(at as usize % TEXTS).map_or(0, |bytes| count(&set, Observed::Hash(bytes)))
    });
    let urls: Vec<String> = hosts.iter().map(|host| format!("https://{host}/a/b?c=d")).collect();
    measure("URLs of 36 letters", VALUES, |at| {
        let url = urls.get(at as usize % TEXTS).map_or("", String::as_str);
        count(&set, Observed::Url(url))
    });

    let events: Vec<Event<'static>> = (0..TEXTS)
        .map(|_| {
            let mut event = Event::default();
            event.put(Column::SrcIp, Cell::Text(v4(random(&mut state)).to_string().into()));
            event.put(Column::DstIp, Cell::Text(v4(random(&mut state)).to_string().into()));
            event.put(Column::TlsSni, Cell::Text("www.agency.example".into()));
            event
        })
        .collect();
    measure("events with two addresses and one name", VALUES / 5, |at| {
        let Some(event) = events.get(at as usize % TEXTS) else { return 0 };
        let mut hits = 0;
        set.matches(black_box(event), &mut |_| hits += 1);
        hits
    });
}
