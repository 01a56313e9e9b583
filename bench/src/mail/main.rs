//! `makyo-bench-mail`: what the mail analytic finds in real mail, and how fast mail is read.

#![allow(clippy::print_stdout, reason = "a program for people")]

mod drift;
mod read;

use std::path::PathBuf;

use anyhow::{Context as _, bail};

const HELP: &str = "makyo-bench-mail drift --list DIR [--fit FILE]
makyo-bench-mail bulk --phish DIR --ham DIR [--ham DIR]...
makyo-bench-mail speed DIR...

drift: known senders' genuine mail of a public list against the same mail with other people's
programs and habits; the model is fitted on the first half of the time and tested on the second.
With --fit the model is written, as knowledge/mail-model.yml has it.
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
        _ => bail!("{HELP}"),
    }
}
