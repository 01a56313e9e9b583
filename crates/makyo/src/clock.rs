//! The only place that asks what time it is, and lets it pass; nothing but the custody log records it.

/// Now, as RFC 3339 to the second.
pub(crate) fn now() -> String {
    jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Lets time pass.
pub(crate) fn wait(span: std::time::Duration) {
    let start = std::time::Instant::now();
    // To be woken early is allowed, and no reason to go on early.
    while let Some(rest) = span.checked_sub(start.elapsed()).filter(|rest| !rest.is_zero()) {
        std::thread::park_timeout(rest);
    }
}
