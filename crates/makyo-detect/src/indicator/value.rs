//! What an indicator names, and what an event shows: one canonical form for both.

use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;
use makyo_base::{hex, parse_address, parse_port};

/// Kinds of indicator values, most telling first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum IndicatorKind {
    /// SHA-256 of a file.
    Sha256,
    /// SHA-1 of a file.
    Sha1,
    /// MD5 of a file.
    Md5,
    /// URL, without its scheme.
    Url,
    /// Domain name.
    Domain,
    /// One address.
    Address,
    /// Sender or recipient of mail.
    EmailAddress,
    /// Subject of mail.
    EmailSubject,
    /// Name of a file, without folder.
    FileName,
    /// Addresses with one prefix.
    Network,
    /// What a client calls itself.
    UserAgent,
}

impl IndicatorKind {
    /// All kinds, most telling first.
    pub const ALL: [IndicatorKind; 11] = [
        IndicatorKind::Sha256,
        IndicatorKind::Sha1,
        IndicatorKind::Md5,
        IndicatorKind::Url,
        IndicatorKind::Domain,
        IndicatorKind::Address,
        IndicatorKind::EmailAddress,
        IndicatorKind::EmailSubject,
        IndicatorKind::FileName,
        IndicatorKind::Network,
        IndicatorKind::UserAgent,
    ];

    /// The word in `knowledge/weights.yml` and in CSV.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            IndicatorKind::Sha256 => "sha256",
            IndicatorKind::Sha1 => "sha1",
            IndicatorKind::Md5 => "md5",
            IndicatorKind::Url => "url",
            IndicatorKind::Domain => "domain",
            IndicatorKind::Address => "address",
            IndicatorKind::EmailAddress => "email_address",
            IndicatorKind::EmailSubject => "email_subject",
            IndicatorKind::FileName => "file_name",
            IndicatorKind::Network => "network",
            IndicatorKind::UserAgent => "user_agent",
        }
    }

    /// Whether another owner may have it next month.
    #[must_use]
    pub fn changes_hands(self) -> bool {
        use IndicatorKind::{Address, Domain, EmailAddress, Network, Url};
        matches!(self, Address | Network | Domain | Url | EmailAddress)
    }

    /// Whether a validity window limits it. A hash names the same bytes for ever, so a window on
    /// it says only how long its publisher keeps it on a block list.
    #[must_use]
    pub fn expires(self) -> bool {
        !matches!(self, IndicatorKind::Sha256 | IndicatorKind::Sha1 | IndicatorKind::Md5)
    }
}

/// One value, canonical.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum IndicatorValue {
    /// SHA-256 of a file.
    Sha256([u8; 32]),
    /// SHA-1 of a file.
    Sha1([u8; 20]),
    /// MD5 of a file.
    Md5([u8; 16]),
    /// URL without scheme, its host in lower case.
    Url(String),
    /// A domain and all names below it.
    Domain(String),
    /// Exactly this name, because strangers share the names below it.
    Host(String),
    /// One address.
    Address(IpAddr),
    /// Mail address, lower case.
    EmailAddress(String),
    /// Subject, lower case.
    EmailSubject(String),
    /// File name without folder, lower case.
    FileName(String),
    /// A network.
    Network(IpNet),
    /// User agent, lower case.
    UserAgent(String),
}

/// One value as an event shows it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Observed<'a> {
    /// An address.
    Address(IpAddr),
    /// The name of a host.
    Host(&'a str),
    /// The domain of a mail address: everybody at a mail provider has the same.
    MailDomain(&'a str),
    /// A URL, with or without scheme.
    Url(&'a str),
    /// The bytes of a hash: 32, 20 or 16 of them.
    Hash(&'a [u8]),
    /// A file name without folder.
    FileName(&'a str),
    /// A mail address.
    EmailAddress(&'a str),
    /// A subject.
    EmailSubject(&'a str),
    /// A user agent.
    UserAgent(&'a str),
}

/// Names longer than the DNS allows are none.
const DOMAIN_CHARS_MAX: usize = 253;
/// A shorter client name tells no client from another.
const USER_AGENT_CHARS_MIN: usize = 8;
/// A shorter name or subject is in every organisation.
const NAME_CHARS_MIN: usize = 4;
/// Endings that no top-level domain has: a dotted word with one of them is a file's name.
const FILE_ENDINGS: &[&str] = &[
    "7z", "asp", "aspx", "bat", "bin", "cab", "cmd", "dat", "db", "dll", "doc", "docm", "docx",
    "exe", "hta", "img", "iso", "jar", "js", "jse", "jtd", "lnk", "msi", "pdf", "php", "png",
    "ps1", "rar", "rdp", "rtf", "scr", "sys", "tmp", "txt", "vbs", "vbe", "wsb", "wsf", "xls",
    "xlsm", "xlsx", "xml", "json",
];

impl IndicatorValue {
    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> IndicatorKind {
        match self {
            IndicatorValue::Sha256(_) => IndicatorKind::Sha256,
            IndicatorValue::Sha1(_) => IndicatorKind::Sha1,
            IndicatorValue::Md5(_) => IndicatorKind::Md5,
            IndicatorValue::Url(_) => IndicatorKind::Url,
            IndicatorValue::Domain(_) | IndicatorValue::Host(_) => IndicatorKind::Domain,
            IndicatorValue::Address(_) => IndicatorKind::Address,
            IndicatorValue::EmailAddress(_) => IndicatorKind::EmailAddress,
            IndicatorValue::EmailSubject(_) => IndicatorKind::EmailSubject,
            IndicatorValue::FileName(_) => IndicatorKind::FileName,
            IndicatorValue::Network(_) => IndicatorKind::Network,
            IndicatorValue::UserAgent(_) => IndicatorKind::UserAgent,
        }
    }

    /// The value of a kind that the publisher states.
    ///
    /// # Errors
    /// Why the text is no such value.
    pub fn of_kind(kind: IndicatorKind, text: &str) -> Result<Self, String> {
        let text = refang(text.trim());
        let not = || format!("not a value of kind {}: `{text}`", kind.word());
        let folded = |min: usize| {
            let folded = text.trim().to_lowercase();
            if folded.chars().count() < min {
                return Err(format!(
                    "shorter than {min} characters, so it is everywhere: `{text}`"
                ));
            }
            Ok(folded)
        };
        match kind {
            IndicatorKind::Sha256 | IndicatorKind::Sha1 | IndicatorKind::Md5 => {
                hash(&text).filter(|value| value.kind() == kind).ok_or_else(not)
            }
            IndicatorKind::Url => url_key(&text).map(IndicatorValue::Url).ok_or_else(not),
            IndicatorKind::Domain => domain(&text).map(IndicatorValue::Domain).ok_or_else(not),
            IndicatorKind::Address | IndicatorKind::Network => address(&text).ok_or_else(not),
            IndicatorKind::EmailAddress => {
                email_address(&text).map(IndicatorValue::EmailAddress).ok_or_else(not)
            }
            IndicatorKind::EmailSubject => folded(NAME_CHARS_MIN).map(IndicatorValue::EmailSubject),
            IndicatorKind::FileName => {
                let name = base_name(&text).to_lowercase();
                if name.chars().count() < NAME_CHARS_MIN {
                    return Err(not());
                }
                Ok(IndicatorValue::FileName(name))
            }
            IndicatorKind::UserAgent => folded(USER_AGENT_CHARS_MIN).map(IndicatorValue::UserAgent),
        }
    }

    /// The value that a text of unstated kind can only be, and the port of `address:port`.
    ///
    /// # Errors
    /// If it is no value of any kind.
    pub fn guess(text: &str) -> Result<(Self, Option<u16>), String> {
        let text = refang(text.trim());
        let plain = |value| Ok((value, None));
        if let Some(value) = hash(&text) {
            return plain(value);
        }
        if let Some(value) = address(&text) {
            return Ok((value, parse_port(&text)));
        }
        if text.contains("://") {
            return match url_key(&text) {
                Some(key) => plain(IndicatorValue::Url(key)),
                None => Err(format!("not a URL that can be read: `{text}`")),
            };
        }
        if text.contains('@')
            && let Some(mail) = email_address(&text)
        {
            return plain(IndicatorValue::EmailAddress(mail));
        }
        let ending = text.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase());
        let is_file = ending.is_some_and(|ending| FILE_ENDINGS.contains(&ending.as_str()));
        if is_file && !text.contains(['/', '\\', ' ']) {
            return plain(IndicatorValue::FileName(text.to_lowercase()));
        }
        match domain(&text) {
            Some(name) => plain(IndicatorValue::Domain(name)),
            // A link whose scheme was left out.
            None if text.contains('/') && !text.contains(' ') => match url_key(&text) {
                Some(key) => plain(IndicatorValue::Url(key)),
                None => Err(format!("no kind of indicator: `{text}`")),
            },
            None => Err(format!("no kind of indicator: `{text}`")),
        }
    }

    /// Whether what an event shows is this value. The tables give the same answer faster.
    #[must_use]
    pub fn covers(&self, observed: Observed<'_>) -> bool {
        match (self, observed) {
            (IndicatorValue::Sha256(own), Observed::Hash(bytes)) => own == bytes,
            (IndicatorValue::Sha1(own), Observed::Hash(bytes)) => own == bytes,
            (IndicatorValue::Md5(own), Observed::Hash(bytes)) => own == bytes,
            (IndicatorValue::Url(own), Observed::Url(url)) => {
                url_key(url).is_some_and(|key| key == *own)
            }
            (IndicatorValue::Domain(own), Observed::Host(host) | Observed::MailDomain(host)) => {
                is_below(host, own)
            }
            (IndicatorValue::Host(own), Observed::Host(host)) => {
                bare_host(host).eq_ignore_ascii_case(own)
            }
            (IndicatorValue::Address(own), Observed::Address(address)) => *own == address,
            (IndicatorValue::Network(own), Observed::Address(address)) => own.contains(&address),
            (IndicatorValue::EmailAddress(own), Observed::EmailAddress(text))
            | (IndicatorValue::EmailSubject(own), Observed::EmailSubject(text))
            | (IndicatorValue::FileName(own), Observed::FileName(text))
            | (IndicatorValue::UserAgent(own), Observed::UserAgent(text)) => is_folded(own, text),
            _ => false,
        }
    }
}

impl fmt::Display for IndicatorValue {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            IndicatorValue::Sha256(bytes) => to.write_str(&hex(bytes)),
            IndicatorValue::Sha1(bytes) => to.write_str(&hex(bytes)),
            IndicatorValue::Md5(bytes) => to.write_str(&hex(bytes)),
            IndicatorValue::Address(address) => address.fmt(to),
            IndicatorValue::Network(network) => network.fmt(to),
            IndicatorValue::Url(text)
            | IndicatorValue::Domain(text)
            | IndicatorValue::Host(text)
            | IndicatorValue::EmailAddress(text)
            | IndicatorValue::EmailSubject(text)
            | IndicatorValue::FileName(text)
            | IndicatorValue::UserAgent(text) => to.write_str(text),
        }
    }
}

/// Undoes what publishers do so that nobody clicks: `hxxp`, `[.]`, `(dot)`, `[:]`, `[@]`.
pub(crate) fn refang(text: &str) -> Cow<'_, str> {
    let is_hxxp = text.get(..4).is_some_and(|head| head.eq_ignore_ascii_case("hxxp"));
    if !is_hxxp && !text.contains(['[', '(', '{']) {
        return Cow::Borrowed(text);
    }
    let mut plain = text.to_owned();
    for (fanged, point) in [
        ("[.]", "."),
        ("(.)", "."),
        ("{.}", "."),
        ("[dot]", "."),
        ("(dot)", "."),
        ("[:]", ":"),
        ("[://]", "://"),
        ("[/]", "/"),
        ("[@]", "@"),
        ("[at]", "@"),
        ("(at)", "@"),
    ] {
        plain = plain.replace(fanged, point);
    }
    if is_hxxp {
        plain = format!("http{}", plain.get(4..).unwrap_or_default());
    }
    Cow::Owned(plain)
}

/// A hash by its number of hexadecimal digits.
pub(crate) fn hash(text: &str) -> Option<IndicatorValue> {
    match text.len() {
        64 => unhex(text).map(IndicatorValue::Sha256),
        40 => unhex(text).map(IndicatorValue::Sha1),
        32 => unhex(text).map(IndicatorValue::Md5),
        _ => None,
    }
}

pub(crate) fn unhex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    if text.len() != N * 2 {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        let digit = |at: usize| char::from(*pair.get(at)?).to_digit(16);
        *byte = u8::try_from(digit(0)? * 16 + digit(1)?).ok()?;
    }
    Some(bytes)
}

fn address(text: &str) -> Option<IndicatorValue> {
    if let Some(address) = parse_address(text) {
        return Some(IndicatorValue::Address(address));
    }
    let network = text.parse::<IpNet>().ok()?;
    // A network of one address is that address.
    if network.prefix_len() == network.max_prefix_len() {
        return Some(IndicatorValue::Address(network.addr()));
    }
    Some(IndicatorValue::Network(network.trunc()))
}

/// A domain in lower case, without wildcard and final dot; at least two labels.
fn domain(text: &str) -> Option<String> {
    let name = bare_host(text.strip_prefix("*.").unwrap_or(text)).to_ascii_lowercase();
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    let (_, last) = name.rsplit_once('.')?;
    let is_name = name.len() <= DOMAIN_CHARS_MAX
        && name.split('.').all(is_label)
        && last.bytes().any(|byte| byte.is_ascii_alphabetic());
    is_name.then_some(name)
}

fn email_address(text: &str) -> Option<String> {
    let (local, at) = text.rsplit_once('@')?;
    if local.is_empty() || local.contains(char::is_whitespace) {
        return None;
    }
    Some(format!("{}@{}", local.to_lowercase(), domain(at)?))
}

/// The host part of a name as logs write it.
pub(crate) fn bare_host(text: &str) -> &str {
    text.trim().trim_end_matches('.')
}

fn is_below(host: &str, domain: &str) -> bool {
    let host = bare_host(host);
    if host.len() == domain.len() {
        return host.eq_ignore_ascii_case(domain);
    }
    let Some(at) = host.len().checked_sub(domain.len() + 1) else { return false };
    host.as_bytes().get(at) == Some(&b'.')
        && host.get(at + 1..).is_some_and(|tail| tail.eq_ignore_ascii_case(domain))
}

pub(crate) fn is_folded(folded: &str, text: &str) -> bool {
    if text.is_ascii() { folded.eq_ignore_ascii_case(text) } else { text.to_lowercase() == folded }
}

/// The last part of a path of either kind.
pub(crate) fn base_name(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

/// The parts of a URL that its scheme does not decide.
pub(crate) struct UrlParts<'a> {
    pub(crate) host: &'a str,
    /// Unless it is the scheme's own.
    pub(crate) port: Option<u16>,
    /// Path and query.
    pub(crate) rest: &'a str,
}

pub(crate) fn url_parts(text: &str) -> Option<UrlParts<'_>> {
    let text = text.trim();
    let (scheme, after) = match text.split_once("://") {
        Some((scheme, after)) => (scheme, after),
        None => ("", text),
    };
    let after = after.split('#').next().unwrap_or_default();
    let end = after.bytes().position(|byte| byte == b'/' || byte == b'?').unwrap_or(after.len());
    let (authority, rest) = after.split_at_checked(end)?;
    let authority = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let (host, port) = match authority.strip_prefix('[').and_then(|inner| inner.split_once(']')) {
        Some((host, after)) => (host, after.strip_prefix(':')),
        None => match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        },
    };
    let default = if scheme.eq_ignore_ascii_case("https") { 443 } else { 80 };
    let port = port.and_then(|port| port.parse().ok()).filter(|port| *port != default);
    (!host.is_empty() && !host.contains(char::is_whitespace)).then_some(UrlParts {
        host,
        port,
        rest,
    })
}

/// A URL without scheme and default port, its host in lower case: proxies and publishers differ in
/// those, and a path does not mean another thing by them.
pub(crate) fn url_key(text: &str) -> Option<String> {
    let parts = url_parts(text)?;
    let mut key = bare_host(parts.host).to_ascii_lowercase();
    if let Some(port) = parts.port {
        key.push(':');
        key.push_str(&port.to_string());
    }
    if !parts.rest.starts_with('/') {
        key.push('/');
    }
    key.push_str(parts.rest);
    Some(key)
}
