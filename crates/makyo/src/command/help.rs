//! Completions and the man page, from the one declaration of the command line.

use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::cli::Cli;
use crate::exit::Exit;
use crate::output::Output;

pub(crate) fn completions(shell: Shell, output: &mut Output) -> anyhow::Result<Exit> {
    let mut bytes = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "makyo", &mut bytes);
    output.raw(&bytes)?;
    Ok(Exit::Done)
}

pub(crate) fn man(output: &mut Output) -> anyhow::Result<Exit> {
    let mut bytes = Vec::new();
    clap_mangen::Man::new(Cli::command()).render(&mut bytes)?;
    output.raw(&bytes)?;
    Ok(Exit::Done)
}
