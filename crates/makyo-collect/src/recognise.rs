//! What a file holds, told by its first bytes and never by its name.

use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};
use makyo_base::ArtifactKind;

/// How many bytes are looked at.
pub const SNIFF_BYTES: usize = 64 * 1024;

/// How a text file is encoded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TextEncoding {
    /// UTF-8 or plain ASCII, with or without a byte order mark.
    Utf8,
    /// UTF-16, little end first.
    Utf16Le,
    /// UTF-16, big end first.
    Utf16Be,
}

impl TextEncoding {
    /// The decoder for it.
    #[must_use]
    pub fn encoding(self) -> &'static Encoding {
        match self {
            TextEncoding::Utf8 => UTF_8,
            TextEncoding::Utf16Le => UTF_16LE,
            TextEncoding::Utf16Be => UTF_16BE,
        }
    }
}

/// Tells the encoding by the byte order mark, else by where the zero bytes stand.
#[must_use]
pub fn text_encoding(head: &[u8]) -> TextEncoding {
    match head {
        [0xff, 0xfe, ..] => return TextEncoding::Utf16Le,
        [0xfe, 0xff, ..] => return TextEncoding::Utf16Be,
        _ => {}
    }
    let zeros = |parity: usize| {
        head.iter().enumerate().filter(|(at, byte)| at % 2 == parity && **byte == 0).count()
    };
    let half = head.len() / 2;
    // Latin text in UTF-16 has a zero in nearly every second byte and hardly any elsewhere.
    if half >= 4 && zeros(1) * 10 > half * 7 && zeros(0) * 10 < half {
        TextEncoding::Utf16Le
    } else if half >= 4 && zeros(0) * 10 > half * 7 && zeros(1) * 10 < half {
        TextEncoding::Utf16Be
    } else {
        TextEncoding::Utf8
    }
}

/// Tells what a file holds by its first [`SNIFF_BYTES`].
#[must_use]
pub fn recognise(head: &[u8]) -> ArtifactKind {
    if head.is_empty() {
        return ArtifactKind::Empty;
    }
    if let Some(kind) = by_magic(head) {
        return kind;
    }
    let encoding = text_encoding(head);
    let (text, _, _) = encoding.encoding().decode(head);
    if encoding == TextEncoding::Utf8 && !is_text(head) {
        return ArtifactKind::Unknown;
    }
    by_text(text)
}

fn by_magic(head: &[u8]) -> Option<ArtifactKind> {
    match head {
        _ if head.starts_with(b"ElfFile\0") => Some(ArtifactKind::Evtx),
        // A chunk without the file header: carved or cut at the front.
        _ if head.starts_with(b"ElfChnk\0") => Some(ArtifactKind::Evtx),
        _ if head.starts_with(b"PK\x03\x04") || head.starts_with(b"PK\x05\x06") => {
            Some(ArtifactKind::Zip)
        }
        [0x1f, 0x8b, 8, ..] => Some(ArtifactKind::Gzip),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Some(ArtifactKind::Zstd),
        _ if head.get(257..262) == Some(b"ustar") => Some(ArtifactKind::Tar),
        _ => None,
    }
}

/// Text may hold a few stray control bytes (terminal codes, NULs of a damaged disk block), not
/// many.
fn is_text(head: &[u8]) -> bool {
    // What a crash leaves at the end of a log that was being written says nothing about its start.
    let end = head.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    let head = head.get(..end).unwrap_or_default();
    let strange =
        head.iter().filter(|byte| matches!(byte, 0..=8 | 11 | 14..=26 | 28..=31 | 127)).count();
    strange * 50 <= head.len()
}

fn by_text(text: Cow<'_, str>) -> ArtifactKind {
    let text = text.trim_start_matches('\u{feff}').trim_start();
    let first_line = text.lines().next().unwrap_or_default();
    if text.is_empty() {
        return ArtifactKind::Empty;
    }
    if is_json(text) {
        return ArtifactKind::Json;
    }
    if first_line.starts_with("#separator") || first_line.starts_with("#fields\t") {
        return ArtifactKind::Zeek;
    }
    if text.lines().take(5).any(|line| line.starts_with("#Fields:")) {
        return ArtifactKind::W3c;
    }
    if is_mbox_line(first_line) {
        return ArtifactKind::Mbox;
    }
    if is_message(text) {
        return ArtifactKind::Message;
    }
    let table = if first_line.starts_with("#TYPE") { skip_line(text) } else { text };
    if is_table(table) {
        return ArtifactKind::Csv;
    }
    ArtifactKind::Lines
}

fn skip_line(text: &str) -> &str {
    text.split_once('\n').map_or("", |(_, rest)| rest)
}

fn is_json(text: &str) -> bool {
    let rest = text.get(1..).unwrap_or_default().trim_start();
    match text.as_bytes().first() {
        Some(b'{') => rest.starts_with('"') || rest.starts_with('}'),
        Some(b'[') => rest.is_empty() || rest.starts_with(['{', '[', ']']),
        _ => false,
    }
}

/// `From sender date`, as mbox files divide their messages.
pub(crate) fn is_mbox_line(line: &str) -> bool {
    let Some(rest) = line.strip_prefix("From ") else { return false };
    let rest = rest.trim_end();
    let year = rest.split_whitespace().rev().find(|word| word.len() == 4);
    rest.split_whitespace().count() >= 4
        && year.is_some_and(|year| year.bytes().all(|byte| byte.is_ascii_digit()))
}

fn is_message(text: &str) -> bool {
    const KNOWN: &[&str] = &[
        "received",
        "from",
        "to",
        "cc",
        "subject",
        "date",
        "message-id",
        "return-path",
        "mime-version",
        "content-type",
        "delivered-to",
        "reply-to",
        "dkim-signature",
        "authentication-results",
        "x-mailer",
        "user-agent",
        "list-id",
        "sender",
    ];
    let mut known = 0;
    let mut wanted = 3;
    let mut ended = false;
    for (number, line) in text.lines().enumerate() {
        if line.is_empty() {
            ended = true;
            break;
        }
        if line.starts_with([' ', '\t']) && number > 0 {
            continue;
        }
        let Some((name, _)) = line.split_once(':') else { break };
        if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_graphic()) {
            break;
        }
        known += usize::from(KNOWN.contains(&name.to_ascii_lowercase().as_str()));
    }
    // A header longer than what is looked at shows fewer of its lines.
    if !ended && text.len() >= SNIFF_BYTES / 2 {
        wanted = 2;
    }
    known >= wanted
}

/// A header line of names over lines with as many fields.
fn is_table(text: &str) -> bool {
    let Some(first) = text.lines().next() else { return false };
    let Some(delimiter) = delimiter(first) else { return false };
    let names = split_fields(first, delimiter);
    let mut sorted: Vec<&str> = names.iter().map(String::as_str).collect();
    sorted.sort_unstable();
    sorted.dedup();
    names.len() >= 2
        && sorted.len() * 10 >= names.len() * 9
        && names.iter().all(|name| is_column_name(name))
}

/// The character that divides the fields of a header line.
#[must_use]
pub(crate) fn delimiter(line: &str) -> Option<char> {
    [',', ';', '\t', '|']
        .into_iter()
        .map(|mark| (line.matches(mark).count(), mark))
        .filter(|found| found.0 > 0)
        .max_by_key(|found| found.0)
        .map(|found| found.1)
}

fn split_fields(line: &str, delimiter: char) -> Vec<String> {
    line.trim_end()
        .split(delimiter)
        .map(|field| field.trim().trim_matches('"').to_owned())
        .collect()
}

fn is_column_name(name: &str) -> bool {
    name.len() <= 80
        && name
            .starts_with(|letter: char| letter.is_alphabetic() || matches!(letter, '_' | '@' | '#'))
        && name
            .chars()
            .all(|letter| letter.is_alphanumeric() || " _-.()[]/@#:%&*+'\u{2013}".contains(letter))
        && !name.contains(": ")
}
