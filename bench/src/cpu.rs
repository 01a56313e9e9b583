//! Time and memory of this process, as the kernel counts them.

use std::fs;

use anyhow::Context as _;

/// Processor time of the calling thread, in microseconds. On a busy machine it varies far less
/// than the time on the wall.
///
/// # Errors
/// Where the system does not tell (`/proc/thread-self/schedstat`, Linux).
pub fn thread_us() -> anyhow::Result<f64> {
    let text = fs::read_to_string("/proc/thread-self/schedstat").context("no schedstat")?;
    let first = text.split_whitespace().next().context("schedstat is empty")?;
    let nanoseconds: f64 = first.parse().context("schedstat is not a number")?;
    Ok(nanoseconds / 1000.0)
}

/// The most memory that this process has had resident so far, in megabytes.
///
/// # Errors
/// Where the system does not tell (`/proc/self/status`, Linux).
pub fn peak_mb() -> anyhow::Result<f64> {
    let text = fs::read_to_string("/proc/self/status").context("no status")?;
    let line = text.lines().find(|line| line.starts_with("VmHWM:")).context("no VmHWM")?;
    let kilobytes: f64 =
        line.split_whitespace().nth(1).context("VmHWM is empty")?.parse().context("VmHWM")?;
    Ok(kilobytes / 1024.0)
}

/// Runs `work` so many times; the median of its processor time in microseconds, and what it gave.
///
/// # Errors
/// Whatever `work` says.
pub fn median<T>(
    runs: usize,
    mut work: impl FnMut() -> anyhow::Result<T>,
) -> anyhow::Result<(f64, T)> {
    let mut times = Vec::new();
    let mut last = None;
    for _ in 0..runs.max(1) {
        let start = thread_us()?;
        last = Some(work()?);
        times.push(thread_us()? - start);
    }
    times.sort_by(f64::total_cmp);
    let middle = times.get(times.len() / 2).copied().unwrap_or_default();
    Ok((middle, last.context("nothing was run")?))
}
