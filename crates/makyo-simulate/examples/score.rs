//! Compares the answers of a case with a truth without the whole program: `score CASE TRUTH [--json]`.
#![allow(clippy::print_stdout, reason = "an example tells on the terminal what it found")]

use std::path::PathBuf;
use std::process::ExitCode;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [case, truth, rest @ ..] = words.as_slice() else {
        println!("usage: score CASE TRUTH [--json]");
        return ExitCode::from(2);
    };
    match makyo_simulate::score(&PathBuf::from(case), &PathBuf::from(truth)) {
        Ok(score) if rest.iter().any(|word| word == "--json") => {
            println!("{:#}", score.figures);
            ExitCode::SUCCESS
        }
        Ok(score) => {
            for (section, name, value) in score.lines() {
                println!("{section:10} {name:28} {value}");
            }
            ExitCode::SUCCESS
        }
        Err(error) => {
            println!("{error}");
            ExitCode::from(2)
        }
    }
}
