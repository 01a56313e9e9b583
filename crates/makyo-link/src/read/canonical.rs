//! One spelling for one thing, and what is refused as evidence.

use makyo_base::{AddressScope, address_scope, parse_address};

use super::Shared;
use crate::incident::{Item, Source};

/// Longer values are not evidence that a person could check.
const VALUE_CHARS_MAX: usize = 512;

/// An item, or why it is none.
pub(super) fn item(
    kind: &str,
    value: &str,
    root: &str,
    source: &Source,
    shared: &Shared,
) -> Result<Item, String> {
    let plain = undefanged(value);
    let short = plain.chars().count() <= VALUE_CHARS_MAX;
    if plain.is_empty() || !short {
        return Err(format!("{kind} is empty or too long"));
    }
    let value = match kind {
        "endpoint" => endpoint(&plain, shared)?,
        "technique" => technique(&plain).ok_or_else(|| format!("no technique id: `{plain}`"))?,
        "flaw" => flaw(&plain).ok_or_else(|| format!("no CVE id: `{plain}`"))?,
        "sample" => sample(&plain).ok_or_else(|| format!("no hash of a file: `{plain}`"))?,
        "configuration" => plain,
        _ => plain.to_lowercase(),
    };
    Ok(Item { kind: kind.to_owned(), value, root: root.to_owned(), source: source.clone() })
}

/// `hxxp://a[.]example` as people write it so that nobody follows it.
fn undefanged(value: &str) -> String {
    value.trim().replace("[.]", ".").replace("(.)", ".").replace("hxxp", "http").replace("[:]", ":")
}

fn endpoint(value: &str, shared: &Shared) -> Result<String, String> {
    let lower = value.to_lowercase();
    let host = lower.split_once("://").map_or(lower.as_str(), |(_, rest)| rest);
    let host = host.split(['/', '?', '#']).next().unwrap_or_default();
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    if let Some(address) = parse_address(host) {
        return match address_scope(address) {
            AddressScope::External if shared.holds(&address.to_string()) => {
                Err(format!("shared by strangers: `{address}`"))
            }
            AddressScope::External => Ok(address.to_string()),
            _ => Err(format!("private or special address: `{address}`")),
        };
    }
    let name = host.split(':').next().unwrap_or_default().trim_end_matches('.');
    let labels_are_plain = name.split('.').all(|label| {
        !label.is_empty() && label.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '_')
    });
    if !name.contains('.') || !labels_are_plain {
        return Err(format!("neither an address nor a domain: `{value}`"));
    }
    if shared.holds(name) {
        return Err(format!("shared by strangers: `{name}`"));
    }
    Ok(name.to_owned())
}

/// `T1059.001`.
pub(crate) fn technique(value: &str) -> Option<String> {
    let upper = value.to_uppercase();
    let digits = upper.strip_prefix('T')?;
    let (main, sub) = digits.split_once('.').unwrap_or((digits, "000"));
    let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    (main.len() == 4 && sub.len() == 3 && all_digits(main) && all_digits(sub)).then_some(upper)
}

fn flaw(value: &str) -> Option<String> {
    let upper = value.to_uppercase();
    let rest = upper.strip_prefix("CVE-")?;
    rest.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-').then(|| upper.clone())
}

fn sample(value: &str) -> Option<String> {
    let lower = value.to_lowercase();
    let is_hash = matches!(lower.len(), 32 | 40 | 64 | 128)
        && lower.bytes().all(|byte| byte.is_ascii_hexdigit());
    // The hash of nothing is in every case.
    let is_empty_file = matches!(
        lower.as_str(),
        "d41d8cd98f00b204e9800998ecf8427e"
            | "da39a3ee5e6b4b0d3255bfef95601890afd80709"
            | "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    );
    (is_hash && !is_empty_file).then_some(lower)
}
