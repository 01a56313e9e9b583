//! The print that a writer's program, place and habit leave in a message's headers.

use mail_parser::Message;
use makyo_base::{Object, Value, hex, sha256};

use super::links::org;

/// Headers that the writer's program writes; what servers and lists add does not count.
const CLIENT: &[&str] = &[
    "from",
    "to",
    "cc",
    "subject",
    "date",
    "message-id",
    "mime-version",
    "content-type",
    "content-transfer-encoding",
    "content-language",
    "content-disposition",
    "in-reply-to",
    "references",
    "reply-to",
    "thread-index",
    "thread-topic",
    "x-mailer",
    "user-agent",
    "accept-language",
    "x-priority",
    "x-msmail-priority",
    "importance",
    "x-ms-has-attach",
    "x-ms-tnef-correlator",
    "organization",
    "autocrypt",
    "x-mimeole",
    "x-originating-ip",
];
/// Those that are in every message of a program, whatever it says to whom.
const CORE: &[&str] = &[
    "from",
    "to",
    "subject",
    "date",
    "message-id",
    "mime-version",
    "content-type",
    "x-mailer",
    "user-agent",
];

/// Puts the print's features.
pub(crate) fn put(message: &Message<'_>, date: &str, out: &mut Object<'_>) {
    let headers: Vec<(&str, &str)> = message.headers_raw().collect();
    let first = |name: &str| {
        let found = headers.iter().find(|header| header.0.eq_ignore_ascii_case(name));
        found.map(|header| header.1.trim()).unwrap_or_default()
    };
    let mut add = |name: &'static str, value: String| {
        if !value.is_empty() {
            out.push(name, Value::text(value.chars().take(120).collect::<String>()));
        }
    };
    let mailer = [first("x-mailer"), first("user-agent")].into_iter().find(|text| !text.is_empty());
    let mailer = mailer.unwrap_or_default();
    add("client", family(mailer));
    add("version", mailer.to_owned());
    let named = |list: &[&str]| -> Vec<String> {
        let own = headers.iter().map(|header| header.0.trim());
        own.filter(|name| list.contains(&name.to_lowercase().as_str())).map(str::to_owned).collect()
    };
    add("order", short(&named(CORE).join(",").to_lowercase()));
    add("full_order", short(&named(CLIENT).join(",").to_lowercase()));
    let mut spelling = named(CLIENT);
    spelling.retain(|name| !CORE.contains(&name.to_lowercase().as_str()) || name.len() > 4);
    let spelled: String = spelling.iter().map(|name| spelling_of(name)).collect();
    add("spelling", letters_of(&spelled));
    add("zone", zone(date));
    let id = message.message_id().unwrap_or_default();
    let (left, right) = id.split_once('@').unwrap_or((id, ""));
    add("id_shape", id_shape(left));
    add("id_domain", id_domain(right));
    let kind = first("content-type").to_lowercase();
    add("type", kind.split(';').next().unwrap_or_default().trim().to_owned());
    add("charset", parameter(&kind, "charset"));
    add("boundary", boundary_shape(&parameter(first("content-type"), "boundary")));
    add("coding", first("content-transfer-encoding").to_lowercase());
    add("content_language", first("content-language").to_lowercase());
    add("accept_language", first("accept-language").to_lowercase());
    path(&headers, &mut add);
}

/// The way from the writer's machine to the first servers.
fn path(headers: &[(&str, &str)], add: &mut dyn FnMut(&'static str, String)) {
    let received: Vec<&str> = headers
        .iter()
        .filter(|header| header.0.eq_ignore_ascii_case("received"))
        .map(|header| header.1)
        .collect();
    let word_behind = |line: &str, word: &str| {
        let mut words = line.split_whitespace();
        words.find(|one| one.eq_ignore_ascii_case(word)).and_then(|_| words.next()).map(host_word)
    };
    let Some(bottom) = received.last() else { return };
    add("first_from", word_behind(bottom, "from").map(|host| place(&host)).unwrap_or_default());
    let mut by: Vec<String> = Vec::new();
    for line in received.iter().rev().take(8) {
        if let Some(host) = word_behind(line, "by").map(|host| place(&host))
            && !by.contains(&host)
            && by.len() < 3
        {
            by.push(host);
        }
    }
    add("servers", by.join(" "));
    let signer = |line: &str| {
        let value = |name: &str| {
            let parts = line.split(';').map(str::trim);
            parts
                .filter_map(|part| part.strip_prefix(name))
                .next()
                .unwrap_or_default()
                .trim()
                .to_owned()
        };
        format!("{}/{}", value("d=").to_lowercase(), value("s=").to_lowercase())
    };
    let mut signers: Vec<String> = headers
        .iter()
        .filter(|header| header.0.eq_ignore_ascii_case("dkim-signature"))
        .map(|header| signer(header.1))
        .collect();
    signers.sort();
    signers.dedup();
    signers.truncate(4);
    add("signers", signers.join(" "));
}

fn host_word(word: &str) -> String {
    word.trim_matches(|letter: char| "()[];,".contains(letter)).to_lowercase()
}

/// A server's organisation; an address or a bare name is a kind of its own.
fn place(host: &str) -> String {
    if host.parse::<std::net::IpAddr>().is_ok() || host.starts_with("ipv6:") {
        "(address)".to_owned()
    } else if host.contains('.') {
        org(host)
    } else {
        "(bare name)".to_owned()
    }
}

fn short(text: &str) -> String {
    let mut digest = hex(&sha256(text.as_bytes()));
    digest.truncate(8);
    digest
}

/// Upper and lower case letters of a header's name.
fn spelling_of(name: &str) -> String {
    let usual = name.split('-').all(|word| {
        let mut letters = word.chars();
        letters.next().is_some_and(char::is_uppercase)
            && letters.all(|letter| !letter.is_uppercase())
    });
    if usual { String::new() } else { format!("{name},") }
}

fn letters_of(text: &str) -> String {
    if text.is_empty() { "usual".to_owned() } else { text.to_owned() }
}

/// A program's name without its version.
fn family(mailer: &str) -> String {
    mailer
        .split(|letter: char| letter.is_ascii_digit() || "/([".contains(letter))
        .next()
        .unwrap_or_default()
        .trim()
        .to_lowercase()
}

/// The offset of a Date header.
pub(crate) fn zone(date: &str) -> String {
    let is_zone = |word: &&str| {
        word.len() == 5
            && word.starts_with(['+', '-'])
            && word.chars().skip(1).all(|letter| letter.is_ascii_digit())
    };
    let found = date.split_whitespace().rev().find(is_zone);
    found
        .map(str::to_owned)
        .or_else(|| {
            ["GMT", "UTC", "Z"]
                .iter()
                .any(|zone| date.trim_end().ends_with(zone))
                .then(|| "+0000".to_owned())
        })
        .unwrap_or_default()
}

/// What kind of program makes such an id: by its alphabet, its dividers and about its length.
fn id_shape(left: &str) -> String {
    if left.starts_with("CA") && left.len() > 40 {
        return "gmail".to_owned();
    }
    if left.len() > 30 && left.contains("PR") && left.contains("MB") {
        return "exchange online".to_owned();
    }
    let parts: Vec<&str> =
        left.split(['.', '-', '_', '$', '+']).filter(|part| !part.is_empty()).collect();
    let dividers: String = {
        let mut found: Vec<char> =
            left.chars().filter(|letter| ".-_$+".contains(*letter)).collect();
        found.sort_unstable();
        found.dedup();
        found.into_iter().collect()
    };
    let class = |part: &str| {
        if part.chars().all(|letter| letter.is_ascii_digit()) {
            if part.starts_with("20") && part.len() >= 8 { 't' } else { 'd' }
        } else if part.chars().all(|letter| letter.is_ascii_hexdigit()) {
            'h'
        } else {
            'w'
        }
    };
    if parts.len() == 5 && dividers == "-" && left.len() == 36 {
        return "uuid".to_owned();
    }
    // Random hexadecimal digits are sometimes all decimal: within one id they are one class.
    let mut classes: Vec<char> = parts.iter().map(|part| class(part)).collect();
    if classes.contains(&'h') {
        classes.iter_mut().filter(|class| **class == 'd').for_each(|class| *class = 'h');
    }
    if parts.len() > 6 {
        return format!("many{dividers}");
    }
    classes.dedup();
    let classes: String = classes.into_iter().collect();
    format!("{classes}{dividers}{}", left.len() / 12)
}

/// Behind the `@`: the sender's own domain, a machine, a provider.
fn id_domain(right: &str) -> String {
    let right = right.trim_end_matches('>').to_lowercase();
    if right.ends_with("prod.outlook.com") {
        "prod.outlook.com".to_owned()
    } else if right.contains('.') {
        org(&right)
    } else if right.is_empty() {
        String::new()
    } else {
        "(machine)".to_owned()
    }
}

fn parameter(header: &str, name: &str) -> String {
    let lower = header.to_lowercase();
    let Some(at) = lower.find(&format!("{name}=")) else { return String::new() };
    let value = header.get(at + name.len() + 1..).unwrap_or_default().trim_start();
    let value = match value.strip_prefix('"') {
        Some(quoted) => quoted.split('"').next().unwrap_or_default(),
        None => value.split([';', ' ', '\t', '\r', '\n']).next().unwrap_or_default(),
    };
    value.to_owned()
}

/// A boundary with runs of digits and of letters each as one sign: programs differ in the rest.
fn boundary_shape(boundary: &str) -> String {
    let mut out = String::new();
    let mut last = ' ';
    let prefix: String =
        boundary.chars().take_while(|letter| !letter.is_ascii_digit()).take(12).collect();
    let known =
        ["----=_Part", "----=_NextPart", "------------", "_00", "Apple-Mail", "=_", "--=_", "----"]
            .iter()
            .find(|known| prefix.starts_with(*known) || boundary.starts_with(*known));
    if let Some(known) = known {
        return (*known).to_owned();
    }
    for letter in boundary.chars() {
        let sign = if letter.is_ascii_alphanumeric() { 'a' } else { letter };
        if sign != last {
            out.push(sign);
            last = sign;
        }
    }
    if out.len() > 6 { "mixed".to_owned() } else { format!("{out}{}", boundary.len() / 8) }
}
