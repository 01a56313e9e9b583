//! Progress on stderr, only on a terminal.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A bar that counts bytes.
pub(crate) fn bytes(total: u64, hidden: bool) -> ProgressBar {
    bar(total, hidden, "{msg:12} [{bar:30}] {bytes}/{total_bytes} {binary_bytes_per_sec} eta {eta}")
}

/// A bar that only says what is going on.
pub(crate) fn stage(hidden: bool) -> ProgressBar {
    bar(0, hidden, "{spinner} {msg}")
}

fn bar(total: u64, hidden: bool, template: &str) -> ProgressBar {
    let target = if hidden { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
    let bar = ProgressBar::with_draw_target(Some(total), target);
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style.progress_chars("=> "));
    }
    bar
}
