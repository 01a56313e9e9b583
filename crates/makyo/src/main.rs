//! `makyo`: from a folder of evidence to the nine answers.

mod cli;
mod clock;
mod command;
mod data;
mod detection;
mod exit;
mod flows;
mod glob;
mod logging;
mod organisation;
mod output;
mod progress;
mod sink;

use std::process::ExitCode;

use clap::Parser as _;

use crate::cli::{Cli, Command};
use crate::exit::Exit;
use crate::output::Output;

fn main() -> ExitCode {
    let cli = Cli::parse();
    logging::start(cli.verbose, cli.log_format);
    let mut output = Output::stdout();
    let result = run(&cli, &mut output).and_then(|exit| {
        output.finish()?;
        Ok(exit)
    });
    match result {
        Ok(exit) => exit.into(),
        // Whoever reads our output has had enough of it.
        Err(error) if output::is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            output::complain(&error);
            Exit::CouldNotRun.into()
        }
    }
}

fn run(cli: &Cli, output: &mut Output) -> anyhow::Result<Exit> {
    match &cli.command {
        Command::Investigate(options) => command::investigate::run(options, cli, output),
        Command::Events(options) => command::events::run(options, output),
        Command::Detect(options) => command::detect::run(options, output),
        Command::Show(options) => command::show::run(options, output),
        Command::Sql(options) => command::sql::run(options, output),
        Command::Report(options) => command::report::run(options, output),
        Command::Verify(options) => command::verify::run(options, output),
        Command::Rules(options) => command::rules::run(options, output),
        Command::Sources(options) => command::sources::run(options, output),
        Command::Simulate(options) => command::simulate::run(options, output),
        Command::Completions { shell } => command::help::completions(*shell, output),
        Command::Man => command::help::man(output),
        Command::Link(options) => command::link::run(options, output),
        Command::Attribute(options) => command::attribute::run(options, output),
        Command::Serve(_) => Err(command::later("serve")),
        Command::Watch(options) => command::watch::run(options, cli, output),
    }
}
