//! Reads a folder that `simulate_flows` wrote and compares what is found with its truth:
//! `measure_flows DIR [--threads N] [--memory MB] [--rows N]`.
#![allow(clippy::print_stdout, reason = "an example tells on the terminal what it found")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};

use makyo_base::ArtifactKind;
use makyo_flow::{Beacon, Input, Listed, Options, Results, analyse, flow_format};
use serde_json::Value;

fn main() -> io::Result<()> {
    let mut folder = PathBuf::from(".");
    let mut options = Options { threads: 2, ..Options::default() };
    let mut rows = 0;
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut number = || words.next().and_then(|text| text.parse().ok()).unwrap_or(0);
        match word.as_str() {
            "--threads" => options.threads = number(),
            "--memory" => options.memory_bytes = number() << 20,
            "--rows" => rows = number(),
            _ => folder = PathBuf::from(word),
        }
    }
    options.listed = listed(&folder)?;
    if let Ok(scanner) = "10.20.255.240/32".parse() {
        options.scope.scanners.push(scanner);
    }
    let start = cpu_seconds();
    let results = analyse(inputs(&folder)?, &options)?;
    let used = cpu_seconds() - start;
    println!(
        "{} flows ({} twice), {} channels, {} inside sources",
        results.flows, results.duplicates, results.channels, results.devices
    );
    println!("{used:.2} CPU-seconds, {:.0} MB resident at most", peak_mb());
    for beacon in results.beacons.iter().take(rows) {
        println!("{}", row(beacon));
    }
    let truth = fs::read_to_string(folder.join("truth.json")).unwrap_or_default();
    if let Ok(truth) = serde_json::from_str::<Value>(&truth) {
        score_beacons(&truth, &results);
        score_members(&truth, &results);
    }
    Ok(())
}

fn inputs(folder: &Path) -> io::Result<Vec<Input<'static>>> {
    let mut inputs = Vec::new();
    for entry in fs::read_dir(folder)?.flatten() {
        let path = entry.path();
        if path.extension().is_some_and(|end| end == "log") {
            let name = path.display().to_string();
            let mut head = vec![0; 4096];
            let count = File::open(&path)?.read(&mut head)?;
            let begins = head.get(..count).unwrap_or_default();
            let kind = match begins.first() {
                Some(b'{') => ArtifactKind::Json,
                Some(b'#') => ArtifactKind::Zeek,
                _ => ArtifactKind::Csv,
            };
            let Some(format) = flow_format(kind, begins) else { continue };
            let open = move || Ok(Box::new(File::open(&path)?) as Box<dyn io::Read>);
            inputs.push(Input::Text { name, format, open: Box::new(open) });
        }
    }
    Ok(inputs)
}

fn listed(folder: &Path) -> io::Result<Vec<Listed>> {
    let text = fs::read_to_string(folder.join("controllers.csv")).unwrap_or_default();
    let row = |line: &str| {
        let mut fields = line.split(',').skip(1);
        let address: IpAddr = fields.next()?.parse().ok()?;
        let mut time = || makyo_base::parse_time(fields.next()?);
        let (from, until) = (time(), time());
        let name = "published controller".to_owned();
        Some(Listed { net: address.into(), from, until, name, is_botnet: true })
    };
    Ok(text.lines().filter_map(row).collect())
}

fn row(one: &Beacon) -> String {
    format!(
        "{:.3} {} -> {}:{} nlp {:.1} {} every {:.1} s +-{:.0} %, {} beats, {} sources, rita {:.3} {}",
        one.suspicion,
        one.source,
        one.target,
        one.port,
        one.nlp,
        one.rhythm.word(),
        one.period_s,
        one.spread * 100.0,
        one.beats,
        one.sources,
        one.rita.score,
        one.benign.unwrap_or_default()
    )
}

type Key = (String, String);

fn key(row: &Value, from: &str, to: &str) -> Option<Key> {
    Some((row.get(from)?.as_str()?.to_owned(), row.get(to)?.as_str()?.to_owned()))
}

fn score_beacons(truth: &Value, results: &Results) {
    let Some(planted) = truth.get("beacons").and_then(Value::as_array) else { return };
    let all: BTreeMap<Key, &Value> =
        planted.iter().filter_map(|row| Some((key(row, "source", "target")?, row))).collect();
    if all.is_empty() {
        return;
    }
    let of = |beacon: &Beacon| all.get(&(beacon.source.to_string(), beacon.target.to_string()));
    let is_person = |beacon: &&Beacon| matches!(beacon.target, IpAddr::V4(v4) if v4.to_bits() >> 16 == Ipv4Addr::new(198, 18, 0, 0).to_bits() >> 16);
    let count = |what: &dyn Fn(&Value) -> bool| planted.iter().filter(|row| what(row)).count();
    let office = |row: &Value| row.get("office") == Some(&Value::Bool(true));
    println!("{} planted beacons, {} in office hours", all.len(), count(&office));
    for least in [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0] {
        let told: Vec<&Beacon> = results.beacons.iter().filter(|one| one.nlp >= least).collect();
        let found: BTreeSet<Key> = told
            .iter()
            .filter(|one| of(one).is_some())
            .map(|one| (one.source.to_string(), one.target.to_string()))
            .collect();
        let part = |what: &dyn Fn(&Value) -> bool| {
            let hit = found.iter().filter(|key| all.get(*key).is_some_and(|row| what(row))).count();
            hit as f64 / count(what).max(1) as f64
        };
        println!(
            "  nlp >= {least}: found {:.3} (office {:.3}, all day {:.3}), people's pairs {}",
            found.len() as f64 / all.len() as f64,
            part(&office),
            part(&|row| !office(row)),
            told.iter().copied().filter(is_person).count(),
        );
    }
    let rank: Vec<&Beacon> = results.beacons.iter().take(all.len()).collect();
    let right = rank.iter().filter(|one| of(one).is_some()).count();
    println!("  precision at rank {}: {:.3}", all.len(), right as f64 / all.len() as f64);
    let hundred = results.beacons.iter().take(100).filter(|one| of(one).is_some()).count();
    println!("  of the first hundred: {hundred}");
    for one in rank.iter().filter(|one| of(one).is_none()).take(8) {
        println!("  not planted: {}", row(one));
    }
    let told: Vec<&Beacon> = results.beacons.iter().filter(|one| is_person(one)).collect();
    let worst = told.iter().map(|one| one.nlp).fold(0.0, f64::max);
    println!("  the most regular of people's pairs: {worst:.1}");
    by_length(&all, results);
}

fn by_length(all: &BTreeMap<Key, &Value>, results: &Results) {
    let nlp: BTreeMap<Key, f64> = results
        .beacons
        .iter()
        .map(|one| ((one.source.to_string(), one.target.to_string()), one.nlp))
        .collect();
    for (from, to) in [(0, 4), (5, 9), (10, 29), (30, 99), (100, u64::MAX)] {
        let of_length: Vec<&Key> = all
            .iter()
            .filter(|(_, row)| {
                let flows = row.get("flows").and_then(Value::as_u64).unwrap_or(0);
                (from..=to).contains(&flows)
            })
            .map(|(key, _)| key)
            .collect();
        let found = of_length.iter().filter(|key| nlp.get(**key).is_some_and(|n| *n >= 6.0));
        println!("    {from}+ flows: {} of {}", found.count(), of_length.len());
    }
}

fn score_members(truth: &Value, results: &Results) {
    let rows = truth.get("fleet").and_then(|fleet| fleet.get("members")).and_then(Value::as_array);
    let Some(rows) = rows.filter(|rows| !rows.is_empty()) else { return };
    let told: BTreeSet<String> = results
        .members
        .iter()
        .filter(|one| one.is_member)
        .map(|one| one.device.to_string())
        .collect();
    let mut right = BTreeSet::new();
    for listed in [true, false] {
        let devices: Vec<&str> = rows
            .iter()
            .filter(|row| row.get("listed") == Some(&Value::Bool(listed)))
            .filter_map(|row| row.get("device")?.as_str())
            .collect();
        let found = devices.iter().filter(|device| told.contains(**device)).count();
        right.extend(devices.iter().map(|device| (*device).to_owned()));
        let word = if listed { "listed" } else { "unlisted" };
        println!("members with {word} controllers: {found} of {}", devices.len());
    }
    println!("devices falsely called members: {}", told.difference(&right).count());
    for one in results.controllers.iter().take(12) {
        println!(
            "  {} {}:{} {} devices, {} regular, {} novel, {} chains ({:.3} by chance), {} scan, nlp {:.1}: {}",
            if one.is_accused { "ACCUSED" } else { "left" },
            one.target,
            one.port,
            one.devices,
            one.regular,
            one.novel,
            one.chains,
            one.chains_by_chance,
            one.scanners,
            one.nlp,
            one.reason
        );
    }
    println!("{} scanners, {} bulk", results.scans.len(), results.bulk.len());
}

/// Processor time of this process, all threads, by the kernel's clock of 100 ticks a second.
fn cpu_seconds() -> f64 {
    let text = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after = text.rsplit(')').next().unwrap_or_default();
    let ticks: f64 =
        after.split_whitespace().skip(11).take(2).filter_map(|word| word.parse::<f64>().ok()).sum();
    ticks / 100.0
}

fn peak_mb() -> f64 {
    let text = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with("VmHWM:")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|word| word.parse::<f64>().ok()).unwrap_or(0.0) / 1024.0
}
