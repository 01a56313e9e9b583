//! Writes a synthetic organisation without the whole program:
//! `simulate SCENARIO --seed N --scale S --days D --out DIR`.
#![allow(clippy::print_stdout, reason = "an example tells on the terminal what it did")]

use std::path::PathBuf;
use std::process::ExitCode;

use makyo_simulate::{Options, Scenario, simulate};

fn options() -> Option<Options> {
    let mut words = std::env::args().skip(1);
    let scenario = Scenario::named(&words.next()?)?;
    let mut options = Options { scenario, seed: 1, scale: 1.0, days: 30, out: PathBuf::new() };
    while let Some(word) = words.next() {
        let value = words.next()?;
        match word.as_str() {
            "--seed" => options.seed = value.parse().ok()?,
            "--scale" => options.scale = value.parse().ok()?,
            "--days" => options.days = value.parse().ok()?,
            "--out" => options.out = PathBuf::from(value),
            _ => return None,
        }
    }
    (!options.out.as_os_str().is_empty()).then_some(options)
}

fn main() -> ExitCode {
    let Some(options) = options() else {
        println!("usage: simulate SCENARIO [--seed N] [--scale S] [--days D] --out DIR");
        for (name, _) in Scenario::ALL {
            println!("  {name}");
        }
        return ExitCode::from(2);
    };
    match simulate(&options) {
        Ok(summary) => {
            println!("{} accounts, {} records", summary.accounts, summary.records);
            ExitCode::SUCCESS
        }
        Err(error) => {
            println!("{error}");
            ExitCode::from(2)
        }
    }
}
