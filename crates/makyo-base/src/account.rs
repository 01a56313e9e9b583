//! One name for one account and for one host.

/// The canonical form of an account: the user principal name in lower case, else
/// `domain\name` in lower case. Names that denote no account (`-`, `ANONYMOUS LOGON`, computer
/// accounts' own local service names) give nothing.
#[must_use]
pub fn canonical_account(name: &str, domain: Option<&str>) -> Option<String> {
    let name = name.trim().trim_matches('"');
    if name.is_empty() || is_no_account(name) {
        return None;
    }
    if let Some((domain, user)) = name.split_once('\\') {
        return canonical_account(user, Some(domain));
    }
    let name = name.to_lowercase();
    if name.contains('@') {
        return Some(name);
    }
    match domain.map(str::trim).filter(|domain| !domain.is_empty() && *domain != "-") {
        Some(domain) if is_no_domain(domain) => None,
        // A domain given by its DNS name and by its short name is one domain.
        Some(domain) => {
            let short = domain.split('.').next().unwrap_or(domain).to_lowercase();
            Some(format!("{short}\\{name}"))
        }
        None => Some(name),
    }
}

fn is_no_account(name: &str) -> bool {
    const NONE: &[&str] = &[
        "-",
        "n/a",
        "null",
        "(null)",
        "none",
        "unknown",
        "not available",
        "not-found",
        "anonymous logon",
        "anonymous",
        "system",
        "local service",
        "network service",
        "system()",
        "iusr",
    ];
    if name.is_ascii() {
        let begins = |start: &str| {
            let head = name.as_bytes().get(..start.len());
            head.is_some_and(|head| head.eq_ignore_ascii_case(start.as_bytes()))
        };
        return NONE.iter().any(|none| none.eq_ignore_ascii_case(name))
            || begins("dwm-")
            || begins("umfd-")
            || begins("s-1-5-18");
    }
    let lower = name.to_lowercase();
    NONE.contains(&lower.as_str())
        || lower.starts_with("dwm-")
        || lower.starts_with("umfd-")
        || lower.starts_with("s-1-5-18")
}

fn is_no_domain(domain: &str) -> bool {
    const NONE: &[&str] = &[
        "nt authority",
        "nt service",
        "window manager",
        "font driver host",
        "builtin",
        "iis apppool",
    ];
    NONE.contains(&domain.to_lowercase().as_str())
}

/// Whether a canonical account is one of a Windows directory and not a computer's.
#[must_use]
pub fn is_directory_account(account: &str) -> bool {
    account.contains('\\') && !account.ends_with('$')
}

/// The short name of a host in lower case; an address stays as it is.
#[must_use]
pub fn canonical_host(name: &str) -> Option<String> {
    let name = name.trim().trim_start_matches('\\').trim_end_matches('.');
    if name.is_empty() || name == "-" {
        return None;
    }
    if let Some(address) = crate::net::parse_address(name) {
        return Some(address.to_string());
    }
    name.split('.').next().map(str::to_lowercase).filter(|short| !short.is_empty())
}
