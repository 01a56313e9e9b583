//! Writes a day of flows with its truth: `simulate_flows DIR [NAME=NUMBER]...`.
#![allow(clippy::print_stdout, reason = "an example tells on the terminal what it wrote")]

use std::path::PathBuf;
use std::process::ExitCode;

use makyo_simulate::{FlowScenario, simulate_flows};

const HELP: &str = "usage: simulate_flows DIR [seed=1] [people=400] [beacons=578] [devices=0] [members=0] [days=1]";

fn main() -> ExitCode {
    let mut scenario =
        FlowScenario { seed: 1, people: 400, beacons: 578, devices: 0, members: 0, days: 1 };
    let mut folder = None;
    for word in std::env::args().skip(1) {
        let Some((name, number)) = word.split_once('=') else {
            folder = Some(PathBuf::from(word));
            continue;
        };
        let Ok(number) = number.parse::<u32>() else {
            println!("{HELP}");
            return ExitCode::from(2);
        };
        match name {
            "seed" => scenario.seed = u64::from(number),
            "people" => scenario.people = number,
            "beacons" => scenario.beacons = number,
            "devices" => scenario.devices = number,
            "members" => scenario.members = number,
            "days" => scenario.days = number,
            _ => {
                println!("{HELP}");
                return ExitCode::from(2);
            }
        }
    }
    let Some(folder) = folder else {
        println!("{HELP}");
        return ExitCode::from(2);
    };
    match simulate_flows(&scenario, &folder) {
        Ok(count) => {
            println!("{count} flows in {}", folder.display());
            ExitCode::SUCCESS
        }
        Err(error) => {
            println!("{error}");
            ExitCode::from(2)
        }
    }
}
