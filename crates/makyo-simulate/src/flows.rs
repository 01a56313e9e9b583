//! A day of network flows with its truth: people, programs that call regularly and mean no harm,
//! planted beacons, and a fleet of devices of which some serve a botnet.
//!
//! Targets tell by their range what they are, so that no list of all pairs is needed:
//! 198.18.0.0/16 people's sites, 198.19.0.0/18 services, 198.19.64.0/18 strangers, 198.19.128.0/17
//! controllers. All of it is reserved for benchmarks (RFC 2544).

mod fleet;
mod office;

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::net::Ipv4Addr;
use std::path::Path;

use serde_json::{Value, json};

use crate::Error;
use crate::random::Random;

/// What to write.
#[derive(Clone, PartialEq, Debug)]
pub struct FlowScenario {
    /// The same seed gives the same bytes.
    pub seed: u64,
    /// People's computers; 400 have about 38,000 pairs of four flows and more.
    pub people: u32,
    /// Planted beacons.
    pub beacons: u32,
    /// Devices of the fleet.
    pub devices: u32,
    /// Of these, members with a published and with an unlisted controller, so many each.
    pub members: u32,
    /// Days, each in a file of its own.
    pub days: u32,
}

/// 2026-06-02, a Tuesday, in microseconds.
const BEGIN: u64 = 1_780_358_400_000_000;
pub(crate) const SECOND: u64 = 1_000_000;
pub(crate) const HOUR: u64 = 3600 * SECOND;
pub(crate) const DAY: u64 = 24 * HOUR;

pub(crate) const SITES: u32 = 0xc612_0000;
pub(crate) const SERVICES: u32 = 0xc613_0000;
pub(crate) const STRANGERS: u32 = 0xc613_4000;
pub(crate) const CONTROLLERS: u32 = 0xc613_8000;
pub(crate) const DESKS: u32 = 0x0a14_0000;
pub(crate) const FLEET: u32 = 0x0a40_0000;

/// One flow.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Flow {
    /// Microseconds since the Unix epoch.
    pub(crate) time: u64,
    pub(crate) source: u32,
    pub(crate) target: u32,
    pub(crate) port: u16,
    pub(crate) source_port: u16,
    pub(crate) udp: bool,
    pub(crate) state: &'static str,
    pub(crate) sent: u32,
    pub(crate) got: u32,
}

/// Flows of one day, and what is true of them.
pub(crate) struct Day {
    pub(crate) seed: u64,
    pub(crate) number: u64,
    /// Its first microsecond.
    pub(crate) begin: u64,
    pub(crate) flows: Vec<Flow>,
}

impl Day {
    pub(crate) fn random(&self, name: &str, numbers: &[u64]) -> Random {
        let mut all = vec![self.number];
        all.extend_from_slice(numbers);
        Random::of(self.seed, name, &all)
    }

    /// An ordinary connection over TCP; `at` counts from the day's beginning.
    pub(crate) fn tcp(
        &mut self,
        random: &mut Random,
        at: u64,
        ends: (u32, u32, u16),
        sizes: (u32, u32),
    ) {
        self.push(random, at, ends, false, "SF", sizes);
    }

    pub(crate) fn push(
        &mut self,
        random: &mut Random,
        at: u64,
        (source, target, port): (u32, u32, u16),
        udp: bool,
        state: &'static str,
        (sent, got): (u32, u32),
    ) {
        if at >= DAY {
            return;
        }
        let source_port = 32_768 + u16::try_from(random.below(28_000)).unwrap_or(0);
        let time = self.begin + at;
        self.flows.push(Flow { time, source, target, port, source_port, udp, state, sent, got });
    }
}

/// Draws from distributions that the generator's own does not have.
pub(crate) trait Draw {
    fn normal(&mut self) -> f64;
    fn lognormal(&mut self, median: f64, sigma: f64) -> f64;
    fn exponential(&mut self, mean: f64) -> f64;
}

impl Draw for Random {
    fn normal(&mut self) -> f64 {
        let (a, b) = (self.unit().max(1e-12), self.unit());
        (-2.0 * a.ln()).sqrt() * (std::f64::consts::TAU * b).cos()
    }

    fn lognormal(&mut self, median: f64, sigma: f64) -> f64 {
        median * (sigma * self.normal()).exp()
    }

    fn exponential(&mut self, mean: f64) -> f64 {
        -mean * self.unit().max(1e-12).ln()
    }
}

/// Microseconds of seconds.
pub(crate) fn micros(seconds: f64) -> u64 {
    (seconds.max(0.0) * SECOND as f64) as u64
}

/// A size with this median.
pub(crate) fn size(random: &mut Random, median: f64) -> u32 {
    random.lognormal(median, 0.9).clamp(40.0, 4e9) as u32
}

/// Writes `conn-N.log` for each day, `controllers.csv` (the published ones) and `truth.json`;
/// returns the count of flows.
///
/// # Errors
/// If a file cannot be written.
pub fn simulate_flows(scenario: &FlowScenario, out: &Path) -> Result<u64, Error> {
    std::fs::create_dir_all(out).map_err(Error::file("create folder", out))?;
    let mut count = 0;
    let mut truth = json!({});
    for number in 0..u64::from(scenario.days) {
        let begin = BEGIN + number * DAY;
        let mut day = Day { seed: scenario.seed, number, begin, flows: Vec::new() };
        let beacons = office::fill(scenario, &mut day);
        let members = fleet::fill(scenario, &mut day);
        day.flows.sort_unstable();
        count += day.flows.len() as u64;
        let path = out.join(format!("conn-{number:02}.log"));
        write_log(&day, &path).map_err(Error::file("write", &path))?;
        if number == 0 {
            truth = json!({ "beacons": beacons, "fleet": members.truth, "flows": 0 });
            let path = out.join("controllers.csv");
            std::fs::write(&path, members.published).map_err(Error::file("write", &path))?;
        }
    }
    if let Some(place) = truth.get_mut("flows") {
        *place = Value::from(count);
    }
    let path = out.join("truth.json");
    std::fs::write(&path, format!("{truth:#}\n")).map_err(Error::file("write", &path))?;
    Ok(count)
}

const FIELDS: &str = "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n\
    #path\tconn\n#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tservice\t\
    duration\torig_bytes\tresp_bytes\tconn_state\tlocal_orig\tlocal_resp\tmissed_bytes\thistory\t\
    orig_pkts\torig_ip_bytes\tresp_pkts\tresp_ip_bytes\n";

fn write_log(day: &Day, path: &Path) -> std::io::Result<()> {
    let mut to = BufWriter::with_capacity(1 << 20, File::create(path)?);
    to.write_all(FIELDS.as_bytes())?;
    for (number, flow) in day.flows.iter().enumerate() {
        let (source, target) = (Ipv4Addr::from_bits(flow.source), Ipv4Addr::from_bits(flow.target));
        let packets = |bytes: u32| bytes / 900 + 3;
        let is_answered = flow.state == "SF";
        let back = if is_answered { packets(flow.got) } else { 0 };
        let got = if is_answered { flow.got } else { 0 };
        writeln!(
            to,
            "{}.{:06}\tC{:x}{number:09x}\t{source}\t{}\t{target}\t{}\t{}\t-\t{}\t{}\t{got}\t{}\tT\tF\t0\t{}\t{}\t{}\t{back}\t{}",
            flow.time / SECOND,
            flow.time % SECOND,
            day.number,
            flow.source_port,
            flow.port,
            if flow.udp { "udp" } else { "tcp" },
            if is_answered { "0.213417" } else { "-" },
            flow.sent,
            flow.state,
            if is_answered { "ShADadFf" } else { "S" },
            packets(flow.sent),
            u64::from(flow.sent) + 40 * u64::from(packets(flow.sent)),
            u64::from(got) + 40 * u64::from(back),
        )?;
    }
    to.flush()
}
