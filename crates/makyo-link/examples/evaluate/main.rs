//! Measures linking and judging on the public judgement benchmark, and the speed of linking.
//!
//! `evaluate link DATA`: the simulated incidents, seed 1 (fitted on) and 2 (reported).
//! `evaluate known DATA`: naming known and unknown actors among the simulated incidents.
//! `evaluate attribute DATA ATTACK`: published reports and campaigns; also fits the coefficients.
//! `link` and `attribute` also write what they predicted into a folder `OUT` that is named last.
//! `evaluate speed COUNT`: links that many incidents of a generator.
//! Other numbers than the built-in ones are taken from a file `NUMBERS.yml` that is named too.

#![allow(clippy::print_stdout, reason = "a program for people")]

mod attribution;
mod known;
mod linking;
mod measure;
mod simulated;
mod speed;

use anyhow::{Context as _, bail};
use makyo_link::weights::Weights;

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (files, words): (Vec<&str>, Vec<&str>) =
        arguments.iter().map(String::as_str).partition(|word| word.ends_with(".yml"));
    let text = match files.first() {
        Some(file) => simulated::read(file)?,
        None => include_str!("../../../../knowledge/judgement.yml").to_owned(),
    };
    let weights = Weights::load(&text).map_err(|problem| anyhow::anyhow!("{problem}"))?;
    match words.as_slice() {
        ["link", data] => linking::run(data, None, &weights),
        ["link", data, out] => linking::run(data, Some(out), &weights),
        ["known", data] => known::run(data, &weights),
        ["attribute", data, attack] => attribution::run(data, attack, None, &weights),
        ["attribute", data, attack, out] => attribution::run(data, attack, Some(out), &weights),
        ["speed", count] => {
            speed::run(count.parse().context("COUNT is no number")?, &weights);
            Ok(())
        }
        _ => bail!(
            "usage: evaluate link DATA [OUT] | known DATA | attribute DATA ATTACK [OUT] | speed COUNT"
        ),
    }
}
