//! Links of a message, and what gateways made of them undone.

use makyo_base::{Object, Value};

/// Links kept of one message.
const LINKS_MAX: usize = 512;
/// Gateways wrap what gateways wrapped.
const WRAPPINGS_MAX: usize = 4;

#[derive(Default)]
pub(crate) struct Links {
    pub(crate) all: Vec<String>,
    /// A link's visible text names another host than the link.
    pub(crate) text_elsewhere: bool,
}

impl Links {
    /// Collects `http` and `https` links from plain or HTML text.
    pub(crate) fn find(&mut self, text: &str) {
        for at in memchr::memmem::find_iter(text.as_bytes(), b"http") {
            let Some(rest) = text.get(at..) else { continue };
            if !(rest.starts_with("http://") || rest.starts_with("https://")) {
                continue;
            }
            let end = rest
                .find(|letter: char| {
                    letter.is_whitespace() || "\"'<>()[]{}|\\^`」』】".contains(letter)
                })
                .unwrap_or(rest.len());
            let link = rest
                .get(..end)
                .unwrap_or_default()
                .trim_end_matches(['.', ',', ';'])
                .replace("&amp;", "&");
            self.add(unwrap(&link));
        }
    }

    fn add(&mut self, link: String) {
        if self.all.len() < LINKS_MAX && !self.all.contains(&link) {
            self.all.push(link);
        }
    }

    /// Compares what links show with where they lead.
    pub(crate) fn compare(&mut self, html: &str) {
        for piece in html.split("<a ").skip(1).take(200) {
            let Some((tag, rest)) = piece.split_once('>') else { continue };
            let Some((_, target)) = tag.split_once("href=") else { continue };
            let target = target.trim_start_matches(['"', '\'']);
            let shown = rest.split('<').next().unwrap_or_default().trim();
            if !(shown.starts_with("http") || shown.starts_with("www.")) {
                continue;
            }
            let shown = shown.trim_start_matches("https://").trim_start_matches("http://");
            let (shown, led) = (host_of(&format!("http://{shown}")), host_of(&unwrap(target)));
            if shown.contains('.') && led.contains('.') && org(&shown) != org(&led) {
                self.text_elsewhere = true;
            }
        }
    }

    pub(crate) fn hosts(&self) -> Vec<String> {
        let mut hosts: Vec<String> = self.all.iter().map(|link| host_of(link)).collect();
        hosts.sort();
        hosts.dedup();
        hosts
    }

    pub(crate) fn put(&self, record: &mut Object<'_>) {
        if !self.all.is_empty() {
            let hosts = self.all.iter().map(|link| Value::text(host_of(link))).collect();
            record.push("url.host", Value::List(hosts));
            record.push("url", Value::List(self.all.iter().cloned().map(Value::text).collect()));
        }
    }
}

/// The host of a link, lower case.
pub(crate) fn host_of(link: &str) -> String {
    let rest = link.split_once("//").map_or(link, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#', '"', '\'', ' ', '>']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    host.split(':').next().unwrap_or_default().to_lowercase()
}

/// The part of a host's name that one organisation registers, by the usual second levels.
pub(crate) fn org(host: &str) -> String {
    const SECOND: &[&str] = &[
        "co", "ac", "go", "or", "ne", "gr", "lg", "ed", "com", "gov", "edu", "org", "net", "gob",
        "gouv",
    ];
    let labels: Vec<&str> = host.trim_end_matches('.').rsplit('.').collect();
    let wide = labels.len() > 2
        && labels.first().is_some_and(|top| top.len() == 2)
        && labels.get(1).is_some_and(|second| SECOND.contains(second));
    let count = if wide { 3 } else { 2 };
    let mut kept: Vec<&str> = labels.into_iter().take(count).collect();
    kept.reverse();
    kept.join(".")
}

/// The link that a gateway wrapped, as far as it can be read out of the wrapping.
pub(crate) fn unwrap(link: &str) -> String {
    let mut link = link.to_owned();
    for _ in 0..WRAPPINGS_MAX {
        match unwrap_once(&link) {
            Some(inner) => link = inner,
            None => break,
        }
    }
    link
}

fn unwrap_once(link: &str) -> Option<String> {
    let host = host_of(link);
    let parameter = |name: &str| {
        let (_, query) = link.split_once('?')?;
        let value = query.split(['&', '#']).find_map(|pair| pair.strip_prefix(name))?;
        Some(decode(value)).filter(|inner| inner.starts_with("http"))
    };
    if host.ends_with("safelinks.protection.outlook.com") {
        return parameter("url=");
    }
    if host == "www.google.com" && link.contains("/url?") {
        return parameter("q=").or_else(|| parameter("url="));
    }
    if host.ends_with("facebook.com") && link.contains("/l.php?") {
        return parameter("u=");
    }
    if host.starts_with("urldefense") {
        if let Some((_, rest)) = link.split_once("/v3/__") {
            let inner = rest.split("__;").next()?;
            return inner.starts_with("http").then(|| inner.to_owned());
        }
        // The second version writes `-` for `%` and `_` for `/`.
        let (_, query) = link.split_once('?')?;
        let value = query.split('&').find_map(|pair| pair.strip_prefix("u="))?;
        let inner = decode(&value.replace('-', "%").replace('_', "/"));
        return inner.starts_with("http").then_some(inner);
    }
    None
}

fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let digit = |at: usize| bytes.get(at).and_then(|byte| char::from(*byte).to_digit(16));
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        if *byte == b'%'
            && let (Some(high), Some(low)) = (digit(at + 1), digit(at + 2))
        {
            out.push((high * 16 + low) as u8);
            at += 3;
        } else {
            out.push(*byte);
            at += 1;
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}
