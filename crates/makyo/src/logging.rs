//! Log lines, on stderr.

use tracing_subscriber::EnvFilter;

use crate::cli::LogFormat;

/// Starts logging; each `-v` tells more.
pub(crate) fn start(verbose: u8, format: LogFormat) {
    let level = match verbose {
        0 => "warn",
        1 => "info",
        2 => "debug",
        _ => "trace",
    };
    let filter = EnvFilter::new(format!("off,makyo={level}"));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .without_time();
    let result = match format {
        LogFormat::Text => builder.with_target(false).try_init(),
        LogFormat::Json => builder.json().try_init(),
    };
    // A second start in one process (tests) keeps the first.
    drop(result);
}
