//! `makyo verify`: case and evidence are as the manifest says.

use makyo_case::Case;

use crate::cli::Verify;
use crate::exit::Exit;
use crate::output::Output;

pub(crate) fn run(options: &Verify, output: &mut Output) -> anyhow::Result<Exit> {
    let (checked, found) = Case::verify(&options.case, options.root.as_deref())?;
    if found.is_empty() {
        output.line(&format!("verified: {checked} files and log lines are unchanged"))?;
        return Ok(Exit::Done);
    }
    for mismatch in &found {
        output.line(&format!("{}: {}", mismatch.path, mismatch.problem))?;
    }
    anyhow::bail!("{} of {checked} checks failed", found.len())
}
