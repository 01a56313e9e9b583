//! What the formats for other programs have in common: the intrusions, ids, times and texts.

use std::collections::BTreeSet;
use std::net::IpAddr;

use makyo_base::{
    Object, SECOND_NS, Value, format_time, hex, parse_address, parse_time, sha256, to_json,
};

use crate::nine::{Tables, text};

/// An incident with the rows of the other answers that belong to it.
pub(crate) struct Intrusion<'a> {
    pub(crate) id: &'a str,
    /// As the evidence gives it; the first instant of 1970 if it gives none.
    pub(crate) start: &'a str,
    pub(crate) end: &'a str,
    pub(crate) vector: &'a str,
    pub(crate) findings: Vec<&'a Object<'static>>,
    /// Accounts with this verdict and no other.
    pub(crate) breached: Vec<&'a Object<'static>>,
    pub(crate) suspected: Vec<&'a Object<'static>>,
    /// Names of breached hosts.
    pub(crate) hosts: Vec<&'a str>,
    /// Foreign addresses.
    pub(crate) addresses: BTreeSet<IpAddr>,
    /// SHA-256 of files.
    pub(crate) hashes: BTreeSet<&'a str>,
    pub(crate) messages: Vec<&'a Object<'static>>,
    /// Technique and tactic of the path's steps, with the finding.
    pub(crate) steps: Vec<Step<'a>>,
}

/// A step of the path that names a technique.
pub(crate) struct Step<'a> {
    pub(crate) technique: &'a str,
    pub(crate) tactic: &'a str,
    pub(crate) finding: &'a str,
}

impl Intrusion<'_> {
    /// One sentence of counts.
    pub(crate) fn summary(&self) -> String {
        let vector = if self.vector.is_empty() { "unknown" } else { self.vector };
        format!(
            "From {} to {}; first way in: {vector}; findings: {}; accounts breached: {}, suspected: {}; hosts breached: {}.",
            self.start,
            self.end,
            self.findings.len(),
            self.breached.len(),
            self.suspected.len(),
            self.hosts.len()
        )
    }

    /// First and last finding that names this value.
    pub(crate) fn seen(&self, value: &str) -> Option<(i64, i64)> {
        let times = || {
            self.findings
                .iter()
                .filter(|finding| entities(finding).any(|entity| entity.1 == value))
                .filter_map(|finding| parse_time(text(finding, "time")))
        };
        times().min().zip(times().max())
    }
}

/// The incidents of a case, in the order of the answer.
pub(crate) fn intrusions<'a>(tables: &'a Tables<'a>) -> Vec<Intrusion<'a>> {
    tables("incidents").iter().map(|row| intrusion(row, tables)).collect()
}

fn intrusion<'a>(row: &'a Object<'static>, tables: &'a Tables<'a>) -> Intrusion<'a> {
    let own: BTreeSet<&str> = texts(row, "findings").collect();
    let named = |name: &str| texts(row, name).collect::<BTreeSet<&str>>();
    let (accounts, hosts, messages) = (named("accounts"), named("hosts"), named("messages"));
    let with = |verdict: &str| -> Vec<&'a Object<'static>> {
        tables("accounts")
            .iter()
            .filter(|account| text(account, "verdict") == verdict)
            .filter(|account| {
                accounts.contains(text(account, "account"))
                    || texts(account, "findings").any(|finding| own.contains(finding))
            })
            .collect()
    };
    let time = |name: &str| match text(row, name) {
        given if parse_time(given).is_some() => given,
        _ => "1970-01-01T00:00:00Z",
    };
    let entry = row.get("entry").and_then(Value::as_object);
    Intrusion {
        id: text(row, "id"),
        start: time("start"),
        end: time("end"),
        vector: entry.map_or("", |entry| text(entry, "vector")),
        findings: rows_of(tables("findings"), |finding| own.contains(text(finding, "id"))),
        breached: with("breached"),
        suspected: with("suspected"),
        hosts: rows_of(tables("hosts"), |host| {
            text(host, "verdict") == "breached" && hosts.contains(text(host, "host"))
        })
        .into_iter()
        .map(|host| text(host, "host"))
        .collect(),
        addresses: texts(row, "addresses").filter_map(parse_address).collect(),
        hashes: texts(row, "indicators").filter(|value| is_sha256(value)).collect(),
        messages: rows_of(tables("messages"), |message| {
            messages.contains(text(message, "message_id"))
        }),
        steps: rows_of(tables("path"), |step| {
            text(step, "incident") == text(row, "id") && is_technique(text(step, "technique"))
        })
        .into_iter()
        .map(|step| Step {
            technique: text(step, "technique"),
            tactic: text(step, "tactic"),
            finding: text(step, "finding"),
        })
        .collect(),
    }
}

fn rows_of<'a>(
    rows: &'a [Object<'static>],
    keep: impl Fn(&Object<'static>) -> bool,
) -> Vec<&'a Object<'static>> {
    rows.iter().filter(|row| keep(row)).collect()
}

/// The texts of a list.
pub(crate) fn texts<'a>(row: &'a Object<'_>, name: &str) -> impl Iterator<Item = &'a str> {
    let list = match row.get(name) {
        Some(Value::List(list)) => list.as_slice(),
        _ => &[],
    };
    list.iter().filter_map(Value::as_str)
}

/// Kind and value of what a finding names.
pub(crate) fn entities<'a>(finding: &'a Object<'_>) -> impl Iterator<Item = (&'a str, &'a str)> {
    let list = match finding.get("entities") {
        Some(Value::List(list)) => list.as_slice(),
        _ => &[],
    };
    list.iter().filter_map(Value::as_object).map(|one| (text(one, "kind"), text(one, "value")))
}

/// `T1566` or `T1566.001`; whatever else a rule calls a technique is left out.
pub(crate) fn is_technique(text: &str) -> bool {
    let digits =
        |text: &str, count| text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    text.strip_prefix('T').is_some_and(|rest| match rest.split_once('.') {
        Some((main, sub)) => digits(main, 4) && digits(sub, 3),
        None => digits(rest, 4),
    })
}

fn is_sha256(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// A mail address that needs no quoting and that no spreadsheet takes for a formula.
pub(crate) fn is_mail_address(text: &str) -> bool {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "._%+-=~'@".contains(letter);
    text.starts_with(|first: char| first.is_ascii_alphanumeric())
        && text.chars().all(is_plain)
        && text.split_once('@').is_some_and(|(name, domain)| {
            !name.is_empty() && domain.contains('.') && !domain.contains('@')
        })
}

/// An object from its fields.
pub(crate) fn object(fields: Vec<(&'static str, Value<'static>)>) -> Object<'static> {
    Object(fields.into_iter().map(|(name, value)| (name.into(), value)).collect())
}

/// A text value of its own.
pub(crate) fn owned(text: &str) -> Value<'static> {
    Value::text(text.to_owned())
}

/// A list of texts.
pub(crate) fn list<T: AsRef<str>>(items: impl IntoIterator<Item = T>) -> Value<'static> {
    Value::List(items.into_iter().map(|item| owned(item.as_ref())).collect())
}

/// Text from evidence for people to read: no control or direction characters, and nothing that
/// HTML, Markdown or a spreadsheet would act on. Look-alikes stand for what is taken away.
pub(crate) fn prose(text: &str) -> String {
    let mut out = String::new();
    if text.trim_start().starts_with(['=', '+', '-', '@']) {
        out.push('\'');
    }
    for letter in text.chars() {
        match letter {
            '<' => out.push('\u{2039}'),
            '>' => out.push('\u{203a}'),
            '[' => out.push('\u{2045}'),
            ']' => out.push('\u{2046}'),
            '`' => out.push('\''),
            '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {}
            letter if letter.is_control() => out.push(' '),
            letter => out.push(letter),
        }
    }
    out
}

/// One line of JSON. Its texts keep their value, but hold no `<`, `>` or `&` that a page around
/// them could take for its own.
pub(crate) fn json_line(object: Object<'static>) -> String {
    // Outside texts, JSON has none of the three.
    let mut line = to_json(&Value::Object(object))
        .replace('&', "\\u0026")
        .replace('<', "\\u003c")
        .replace('>', "\\u003e");
    line.push('\n');
    line
}

/// A time with exactly three digits after the point, as STIX asks for `created` and `modified`.
pub(crate) fn milliseconds(time: i64) -> String {
    let whole = time.div_euclid(SECOND_NS) * SECOND_NS;
    let part = time.rem_euclid(SECOND_NS) / 1_000_000;
    format!("{}.{part:03}Z", format_time(whole).trim_end_matches('Z'))
}

/// A UUID that follows from the content, in the form of version 4: readers expect no other.
pub(crate) fn content_uuid(parts: &[&str]) -> String {
    let mut content = String::from("makyo");
    for part in parts {
        // The length in front keeps `ab`,`c` apart from `a`,`bc`.
        content.push_str(&format!(" {}:{part}", part.len()));
    }
    uuid(&sha256(content.as_bytes()), 0x40)
}

/// The first 16 bytes as a UUID with these version bits.
pub(crate) fn uuid(digest: &[u8], version: u8) -> String {
    let mut out = String::new();
    for (at, byte) in digest.iter().take(16).enumerate() {
        if matches!(at, 4 | 6 | 8 | 10) {
            out.push('-');
        }
        let byte = match at {
            6 => (byte & 0x0f) | version,
            8 => (byte & 0x3f) | 0x80,
            _ => *byte,
        };
        out.push_str(&hex(&[byte]));
    }
    out
}
