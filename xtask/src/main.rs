//! The project's own chores: `cargo xtask ci` is what a contributor and what CI run.

#![allow(clippy::print_stdout, reason = "a program for people")]

mod tidy;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Instant;

use anyhow::{Context as _, bail};

const HELP: &str = "cargo xtask ci      everything below, in this order
cargo xtask fmt     formatting as it should be
cargo xtask tidy    structure, layout and data files
cargo xtask lint    clippy over the workspace, warnings are errors
cargo xtask test    all tests
cargo xtask bless   rewrites the events beside the sources' fixtures and inline snapshots";

fn main() -> ExitCode {
    let task = std::env::args().nth(1).unwrap_or_default();
    let result = match task.as_str() {
        "ci" => ["fmt", "tidy", "lint", "test"].iter().try_for_each(|step| run(step)),
        "fmt" | "tidy" | "lint" | "test" | "bless" => run(&task),
        _ => {
            println!("{HELP}");
            return if task.is_empty() || task == "help" {
                ExitCode::SUCCESS
            } else {
                ExitCode::from(2)
            };
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(step: &str) -> anyhow::Result<()> {
    let start = Instant::now();
    println!("== {step}");
    match step {
        "fmt" => cargo(&["fmt", "--all", "--", "--check"], &[])?,
        "tidy" => {
            let problems = tidy::check(&root())?;
            for problem in &problems {
                println!("{problem}");
            }
            if !problems.is_empty() {
                bail!("{} untidy places", problems.len());
            }
        }
        "lint" => {
            cargo(
                &["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"],
                &[],
            )?;
        }
        "test" => cargo(&["test", "--workspace", "--locked", "--no-fail-fast"], &[])?,
        _ => {
            let bless = [("MAKYO_BLESS", "1"), ("UPDATE_EXPECT", "1")];
            cargo(&["test", "--workspace", "--locked", "--no-fail-fast"], &bless)?;
        }
    }
    println!("== {step} took {} s", start.elapsed().as_secs());
    Ok(())
}

/// The repository that the command was given in. Clones share build output, so that the path that
/// was compiled in may be another clone's.
fn root() -> PathBuf {
    let here = std::env::current_dir().unwrap_or_default();
    let found = here.ancestors().find(|folder| folder.join("xtask/Cargo.toml").is_file());
    found.map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join(".."), Path::to_owned)
}

fn cargo(arguments: &[&str], environment: &[(&str, &str)]) -> anyhow::Result<()> {
    let program = env!("CARGO");
    let status = Command::new(program)
        .args(arguments)
        .envs(environment.iter().copied())
        .current_dir(root())
        .status()
        .with_context(|| format!("cannot start `{program}`"))?;
    if !status.success() {
        bail!("`cargo {}` failed", arguments.join(" "));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{root, tidy};

    #[test]
    fn the_project_is_tidy() {
        let problems = tidy::check(&root()).expect("readable");
        assert!(problems.is_empty(), "{}", problems.join("\n"));
    }
}
