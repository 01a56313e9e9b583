//! `makyo-bench-mail`: what the mail analytic finds in real mail, and how fast mail is read.

#![allow(clippy::print_stdout, reason = "a program for people")]

mod bulk;
mod drift;
mod read;
mod speed;
mod targeted;

use std::path::PathBuf;

use anyhow::{Context as _, bail};
use makyo_detect::Weights;

const HELP: &str = "makyo-bench-mail drift --list DIR [--fit FILE]
makyo-bench-mail targeted --list DIR [--ham DIR]...
makyo-bench-mail bulk --phish DIR --ham DIR [--ham DIR]... [--fit yes]
makyo-bench-mail speed DIR...

drift: known senders' genuine mail of a public list against the same mail with other people's
programs and habits; the model is fitted on the first half of the time and tested on the second.
With --fit the model is written, as knowledge/mail-model.yml has it.
targeted: lures made of the list's second half, and what of genuine mail is called suspicious.
bulk: mass phishing against ham; speed: messages a second of processor time, from file to features.";

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let command = arguments.next().context(HELP)?;
    let rest: Vec<String> = arguments.collect();
    let values = |name: &str| -> Vec<PathBuf> {
        rest.windows(2).filter(|pair| pair[0] == name).map(|pair| PathBuf::from(&pair[1])).collect()
    };
    match command.as_str() {
        "drift" => {
            let list = values("--list").into_iter().next().context(HELP)?;
            drift::run(&list, values("--fit").first().map(PathBuf::as_path))
        }
        "targeted" => {
            let list = values("--list").into_iter().next().context(HELP)?;
            targeted::run(&list, &values("--ham"), &weights()?)
        }
        "bulk" => {
            let phish = values("--phish").into_iter().next().context(HELP)?;
            let weights = weights()?;
            let mass = |signs: &[String]| weights.mass_of_mail(signs);
            bulk::run(&phish, &values("--ham"), &mass, !values("--fit").is_empty())
        }
        "speed" => speed::run(&rest.iter().map(PathBuf::from).collect::<Vec<_>>()),
        _ => bail!("{HELP}"),
    }
}

fn weights() -> anyhow::Result<Weights> {
    Weights::load(include_str!("../../../knowledge/weights.yml"))
        .map_err(|problem| anyhow::anyhow!("{problem:?}"))
}
