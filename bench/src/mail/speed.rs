//! Messages a second, from file to features, containers opened.

use std::path::PathBuf;

use makyo_bench::cpu::thread_us;

use crate::read::mails;

pub(crate) fn run(folders: &[PathBuf]) -> anyhow::Result<()> {
    for folder in folders {
        let before = thread_us()?;
        let read = mails(folder)?;
        let spent = (thread_us()? - before) / 1e6;
        println!(
            "{}: {} messages in {spent:.2} s of processor time, {:.0} a second; {} defects",
            folder.display(),
            read.all.len(),
            read.all.len() as f64 / spent.max(0.001),
            read.defects
        );
    }
    Ok(())
}
