//! Lines to events, by source: `measure_lines [SOURCE]... [--lines N]`. The fixtures of each source
//! are repeated until there are so many lines; without names, those of the edge. A name that is a
//! file's is read as it is.
#![allow(clippy::print_stdout, reason = "an example tells on the terminal what it measured")]
#![allow(clippy::cast_precision_loss, reason = "rates for people")]

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use makyo_base::{Decoded, Defect, RecordSink, Stop};
use makyo_decode::{DecodeOptions, Sources, decode_text};

/// Appliances and firewalls.
const EDGE: &[&str] = &[
    "array-ag",
    "checkpoint",
    "cisco-asa",
    "cisco-ise",
    "citrix-netscaler",
    "f5-apm",
    "fortigate",
    "freeradius",
    "globalprotect",
    "ivanti-pulse",
    "juniper-srx",
    "meraki",
    "nps",
    "openvpn",
    "palo-alto",
    "sonicwall",
    "sophos-firewall",
    "watchguard",
];

#[derive(Default)]
struct Count {
    records: u64,
    known: u64,
}

impl RecordSink for Count {
    fn record(&mut self, record: Decoded<'_>) -> Result<(), Stop> {
        self.records += 1;
        self.known += u64::from(record.source != usize::MAX);
        Ok(())
    }

    fn defect(&mut self, _defect: Defect) {}
}

fn main() -> io::Result<()> {
    let mut lines = 200_000;
    let mut names: Vec<String> = Vec::new();
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        match word.as_str() {
            "--lines" => lines = words.next().and_then(|text| text.parse().ok()).unwrap_or(lines),
            _ => names.push(word),
        }
    }
    if names.is_empty() {
        names = EDGE.iter().map(|name| (*name).to_owned()).collect();
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../sources");
    let sources = load(&folder)?;
    let (mut all, mut used) = (0, 0.0);
    for name in &names {
        let text = if Path::new(name).is_file() {
            fs::read_to_string(name)?
        } else {
            repeated(&folder.join(name).join("fixtures"), lines)?
        };
        let mut count = Count::default();
        let start = cpu_seconds();
        let _ = decode_text("lines", &text, &sources, &DecodeOptions::default(), &mut count);
        let seconds = cpu_seconds() - start;
        all += count.records;
        used += seconds;
        let rate = count.records as f64 / seconds.max(0.01);
        let each = seconds * 1e6 / count.records.max(1) as f64;
        println!(
            "{:18} {:8} records, {:8} known, {seconds:6.2} CPU-s, {rate:9.0} a second, {each:6.2} µs, {:6.1} MB a second",
            name.rsplit('/').next().unwrap_or(name),
            count.records,
            count.known,
            text.len() as f64 / 1e6 / seconds.max(0.01)
        );
    }
    let rate = all as f64 / used.max(0.01);
    println!("all: {all} records, {used:.2} CPU-s, {rate:.0} a second");
    Ok(())
}

fn load(folder: &Path) -> io::Result<Sources> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)?.flatten() {
        for file in fs::read_dir(entry.path())?.flatten() {
            let path = file.path();
            if path.extension().is_some_and(|end| end == "yml") {
                let name = path.strip_prefix(folder).unwrap_or(&path).display().to_string();
                files.push((name, fs::read_to_string(&path)?));
            }
        }
    }
    files.sort();
    Sources::load(&files).map_err(|problems| io::Error::other(format!("{problems:?}")))
}

/// The lines of all fixtures that are text, again and again.
fn repeated(folder: &Path, lines: usize) -> io::Result<String> {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder)?.flatten().map(|one| one.path()).collect();
    paths.sort();
    let mut sample: Vec<String> = Vec::new();
    for path in paths.iter().filter(|path| path.extension().is_some_and(|end| end == "log")) {
        sample.extend(fs::read_to_string(path)?.lines().map(str::to_owned));
    }
    let mut text = String::new();
    for line in sample.iter().cycle().take(if sample.is_empty() { 0 } else { lines }) {
        text.push_str(line);
        text.push('\n');
    }
    Ok(text)
}

/// Processor time of this process, by the kernel's clock of ticks, of which there are 100 a second.
fn cpu_seconds() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split(' ').collect();
    let ticks = |at: usize| fields.get(at).and_then(|text| text.parse::<f64>().ok());
    (ticks(12).unwrap_or_default() + ticks(13).unwrap_or_default()) / 100.0
}
