//! The only place that asks what time it is; nothing but the custody log records it.

/// Now, as RFC 3339 to the second.
pub(crate) fn now() -> String {
    jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
