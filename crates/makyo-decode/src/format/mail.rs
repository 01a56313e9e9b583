//! Mail: one RFC 5322 message, or an mbox of them, as records with decoded headers, links and the
//! attachments' names, kinds and hashes.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::io::{self, BufRead, Cursor};

use mail_parser::{Address, HeaderValue, Message, MessageParser, MimeHeaders};
use makyo_base::{DefectKind, Object, Position, Stop, Value, hex, sha256};
use makyo_collect::{SNIFF_BYTES, read_capped, recognise};

use super::RawSink;
use super::text::Lines;

/// A message larger than this is not read but named.
const MESSAGE_BYTES_MAX: usize = 128 << 20;
/// Lines of an mbox are unbounded in theory; a base64 body on one line is the longest seen.
const MBOX_LINE_BYTES_MAX: usize = 64 << 20;
/// So much of the body is kept for rules.
const BODY_CHARS_MAX: usize = 32 * 1024;
/// Distinct header names kept of one message.
const HEADERS_MAX: usize = 500;
/// Links and archive members listed for one message.
const LISTED_MAX: usize = 512;
/// The content of a larger attachment is not handed on: lures are small, and a disk image of this
/// size is named by its kind already.
const CONTENT_BYTES_MAX: usize = 64 << 20;
/// Messages attached to messages attached to messages, as a reported phish is forwarded.
const CONTENT_DEPTH_MAX: usize = 4;

/// Reads one message.
pub(crate) fn read_message(
    from: &mut dyn BufRead,
    out: &mut dyn RawSink,
) -> io::Result<Result<(), Stop>> {
    let (bytes, more) = read_capped(from, MESSAGE_BYTES_MAX)?;
    if more {
        let detail = format!("message is larger than {MESSAGE_BYTES_MAX} bytes; not read");
        out.defect(Position::Record(1), DefectKind::Limit, detail);
        return Ok(Ok(()));
    }
    Ok(message(1, &bytes, out))
}

/// Reads the messages of an mbox; a `From ` line after an empty line begins the next one.
pub(crate) fn read_mbox(
    from: &mut dyn BufRead,
    out: &mut dyn RawSink,
) -> io::Result<Result<(), Stop>> {
    let mut lines = Lines::new(from, MBOX_LINE_BYTES_MAX);
    let mut line = Vec::new();
    let mut bytes = Vec::new();
    let mut number = 0;
    let mut after_empty = true;
    while let Some(read) = lines.next_into(&mut line)? {
        if after_empty && is_from_line(&line) {
            if number > 0
                && let Err(stop) = whole(number, &bytes, out)
            {
                return Ok(Err(stop));
            }
            bytes.clear();
            number += 1;
            after_empty = false;
            continue;
        }
        number = number.max(1);
        after_empty = line.is_empty() && read.over.is_none();
        let stuffed = line.iter().take_while(|byte| **byte == b'>').count();
        let unstuffed =
            stuffed > 0 && line.get(stuffed..).is_some_and(|rest| rest.starts_with(b"From "));
        if bytes.len() <= MESSAGE_BYTES_MAX {
            bytes.extend_from_slice(line.get(usize::from(unstuffed)..).unwrap_or_default());
            bytes.extend_from_slice(b"\r\n");
        }
    }
    if number == 0 { Ok(Ok(())) } else { Ok(whole(number, &bytes, out)) }
}

fn whole(number: u64, bytes: &[u8], out: &mut dyn RawSink) -> Result<(), Stop> {
    if bytes.len() > MESSAGE_BYTES_MAX {
        let detail = format!("message is larger than {MESSAGE_BYTES_MAX} bytes; not read");
        out.defect(Position::Record(number), DefectKind::Limit, detail);
        return Ok(());
    }
    message(number, bytes, out)
}

fn is_from_line(line: &[u8]) -> bool {
    line.starts_with(b"From ") && recognise(line) == makyo_base::ArtifactKind::Mbox
}

fn message(number: u64, bytes: &[u8], out: &mut dyn RawSink) -> Result<(), Stop> {
    let Some(message) = MessageParser::default().parse(bytes) else {
        let detail = "no message headers are found".to_owned();
        out.defect(Position::Record(number), DefectKind::Malformed, detail);
        return Ok(());
    };
    let mut record = Object::default();
    headers(&message, &mut record);
    let mut links = Links::default();
    body(&message, &mut record, &mut links);
    attachments(number, &message, &mut record, out);
    links.put(&mut record);
    out.raw(number, record)?;
    contents(number, &message, "", &mut Room { left: LISTED_MAX, depth: 0 }, out)
}

/// What may still be handed on of one message.
struct Room {
    left: usize,
    depth: usize,
}

/// Hands on the bytes of attachments, those of attached messages too. Archives stay closed.
fn contents(
    number: u64,
    message: &Message<'_>,
    within: &str,
    room: &mut Room,
    out: &mut dyn RawSink,
) -> Result<(), Stop> {
    if room.depth > CONTENT_DEPTH_MAX {
        let detail =
            format!("messages are attached deeper than {CONTENT_DEPTH_MAX} levels; not looked at");
        out.defect(Position::Record(number), DefectKind::Limit, detail);
        return Ok(());
    }
    for part in message.attachments() {
        let mut limit = |detail| out.defect(Position::Record(number), DefectKind::Limit, detail);
        if room.left == 0 {
            limit(format!(
                "message has more than {LISTED_MAX} attachments; the rest is not looked at"
            ));
            return Ok(());
        }
        room.left -= 1;
        let name = format!("{within}{}", part.attachment_name().unwrap_or("(unnamed)"));
        let bytes = part.contents();
        if bytes.len() > CONTENT_BYTES_MAX {
            limit(format!(
                "attachment `{name}` is larger than {CONTENT_BYTES_MAX} bytes; its content is not looked at"
            ));
            continue;
        }
        out.content(number, &name, bytes)?;
        if let Some(inner) = part.message() {
            room.depth += 1;
            contents(number, inner, &format!("{name}!"), room, out)?;
            room.depth -= 1;
        }
    }
    Ok(())
}

fn headers(message: &Message<'_>, record: &mut Object<'_>) {
    let text = |value: Option<&str>| value.map(|text| Value::text(text.to_owned()));
    for (name, address) in
        [("from", message.from()), ("sender", message.sender()), ("reply_to", message.reply_to())]
    {
        if let Some(first) = address.and_then(Address::first) {
            let address = first.address().unwrap_or_default().to_lowercase();
            record.push(format!("{name}.address"), Value::text(address));
            record.push(
                format!("{name}.name"),
                Value::text(first.name().unwrap_or_default().to_owned()),
            );
        }
    }
    for (name, address) in [("to", message.to()), ("cc", message.cc()), ("bcc", message.bcc())] {
        let list: Vec<Value<'static>> = address
            .into_iter()
            .flat_map(|address| address.iter())
            .filter_map(|one| one.address().map(|text| Value::text(text.to_lowercase())))
            .collect();
        if !list.is_empty() {
            record.push(format!("{name}.address"), Value::List(list));
        }
    }
    for (name, value) in [
        ("subject", text(message.subject())),
        ("message_id", text(message.message_id())),
        ("return_path", text(message.return_address())),
    ] {
        if let Some(value) = value {
            record.push(name, value);
        }
    }
    if let Some(date) = message.date() {
        record.push("date", Value::text(date.to_rfc3339()));
    }
    for (name, value) in
        [("in_reply_to", message.in_reply_to()), ("references", message.references())]
    {
        let list = text_list(value);
        if !list.is_empty() {
            record.push(name, Value::List(list));
        }
    }
    let received: Vec<&str> = message
        .headers_raw()
        .filter(|(name, _)| name.eq_ignore_ascii_case("received"))
        .map(|(_, value)| value)
        .collect();
    // The time of the topmost hop is when the own server took the message in.
    if let Some((_, time)) = received.first().and_then(|line| line.rsplit_once(';')) {
        record.push("received.time", Value::text(squeeze(time)));
    }
    if let Some(first_hop) = received.last() {
        record.push("received.first", Value::text(squeeze(first_hop)));
    }
    record.push("received.count", Value::Int(received.len() as i128));
    let mut seen = BTreeSet::new();
    for (name, value) in message.headers_raw() {
        let name = name.to_lowercase();
        if seen.len() < HEADERS_MAX && seen.insert(name.clone()) {
            record.push(format!("header.{name}"), Value::text(squeeze(value)));
        }
    }
}

fn squeeze(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn text_list(value: &HeaderValue<'_>) -> Vec<Value<'static>> {
    match value {
        HeaderValue::Text(text) => vec![Value::text(text.to_string())],
        HeaderValue::TextList(list) => {
            list.iter().map(|text| Value::text(text.to_string())).collect()
        }
        _ => Vec::new(),
    }
}

fn body(message: &Message<'_>, record: &mut Object<'_>, links: &mut Links) {
    let mut text = String::new();
    for part in 0..message.text_body_count() {
        if let Some(content) = message.body_text(part) {
            text.push_str(&content);
            text.push('\n');
        }
    }
    links.find(&text);
    for part in message.html_bodies().take(8) {
        if let Some(html) = part.text_contents() {
            links.find(html);
        }
    }
    let kept: String = text.chars().take(BODY_CHARS_MAX).collect();
    record.push("body.text", Value::text(kept));
}

#[derive(Default)]
struct Links(Vec<String>);

impl Links {
    /// Collects `http` and `https` links from plain or HTML text.
    fn find(&mut self, text: &str) {
        for (at, _) in text.match_indices("http") {
            let Some(rest) = text.get(at..) else { continue };
            if !(rest.starts_with("http://") || rest.starts_with("https://")) {
                continue;
            }
            let end = rest
                .find(|letter: char| letter.is_whitespace() || "\"'<>()[]{}|\\^`".contains(letter))
                .unwrap_or(rest.len());
            let link = rest
                .get(..end)
                .unwrap_or_default()
                .trim_end_matches(['.', ',', ';'])
                .replace("&amp;", "&");
            if self.0.len() < LISTED_MAX && !self.0.contains(&link) {
                self.0.push(link);
            }
        }
    }

    fn put(self, record: &mut Object<'_>) {
        let host = |link: &String| {
            let rest = link.split_once("//").map_or(link.as_str(), |(_, rest)| rest);
            let host = rest.split(['/', '?', '#', ':']).next().unwrap_or_default();
            Value::text(host.to_lowercase())
        };
        if !self.0.is_empty() {
            record.push("url.host", Value::List(self.0.iter().map(host).collect()));
            record.push("url", Value::List(self.0.into_iter().map(Value::text).collect()));
        }
    }
}

fn attachments(number: u64, message: &Message<'_>, record: &mut Object<'_>, out: &mut dyn RawSink) {
    let mut found = Listed::default();
    for part in message.attachments() {
        let name = part.attachment_name().unwrap_or("(unnamed)").to_owned();
        let bytes = part.contents();
        let kind = object_kind(bytes);
        let mut members = Vec::new();
        let mut encrypted = false;
        if kind == "zip" {
            match zip_members(bytes) {
                Ok((names, locked)) => (members, encrypted) = (names, locked),
                Err(reason) => {
                    let detail = format!("attachment `{name}` cannot be opened: {reason}");
                    out.defect(Position::Record(number), DefectKind::Malformed, detail);
                }
            }
        }
        found.add(&name, kind, bytes, members, encrypted);
    }
    found.put(record);
}

/// Attachments as parallel lists, which is how rules see them (any element may match).
#[derive(Default)]
struct Listed {
    names: Vec<Value<'static>>,
    kinds: Vec<Value<'static>>,
    hashes: Vec<Value<'static>>,
    sizes: Vec<Value<'static>>,
    members: Vec<Value<'static>>,
    encrypted: Vec<Value<'static>>,
}

impl Listed {
    fn add(
        &mut self,
        name: &str,
        kind: &'static str,
        bytes: &[u8],
        members: Vec<String>,
        encrypted: bool,
    ) {
        if self.names.len() >= LISTED_MAX {
            return;
        }
        self.names.push(Value::text(name.to_owned()));
        self.kinds.push(Value::text(kind));
        self.hashes.push(Value::text(hex(&sha256(bytes))));
        self.sizes.push(Value::Int(bytes.len() as i128));
        self.encrypted.push(Value::Bool(encrypted));
        let room = LISTED_MAX.saturating_sub(self.members.len());
        self.members.extend(members.into_iter().take(room).map(Value::text));
    }

    fn put(self, record: &mut Object<'_>) {
        if self.names.is_empty() {
            return;
        }
        for (name, list) in [
            ("attachment.name", self.names),
            ("attachment.kind", self.kinds),
            ("attachment.sha256", self.hashes),
            ("attachment.size", self.sizes),
            ("attachment.encrypted", self.encrypted),
            ("attachment.member", self.members),
        ] {
            record.push(name, Value::List(list));
        }
    }
}

fn zip_members(bytes: &[u8]) -> Result<(Vec<String>, bool), String> {
    let mut archive =
        zip::ZipArchive::new(Cursor::new(bytes)).map_err(|error| error.to_string())?;
    let mut names = Vec::new();
    let mut encrypted = false;
    for index in 0..archive.len().min(LISTED_MAX) {
        let entry = archive.by_index_raw(index).map_err(|error| error.to_string())?;
        encrypted |= entry.encrypted();
        let name = entry.name().map_or_else(
            |_| String::from_utf8_lossy(entry.name_raw()).into_owned(),
            Cow::into_owned,
        );
        names.push(name);
    }
    Ok((names, encrypted))
}

/// What an attachment is, by its first bytes.
fn object_kind(bytes: &[u8]) -> &'static str {
    let head = bytes.get(..bytes.len().min(SNIFF_BYTES)).unwrap_or_default();
    let has = |needle: &[u8]| memchr::memmem::find(head, needle).is_some();
    match head {
        _ if head.starts_with(b"PK\x03\x04") => {
            if has(b"[Content_Types].xml") {
                "ooxml"
            } else {
                "zip"
            }
        }
        _ if head.starts_with(b"\x4c\0\0\0\x01\x14\x02\0") => "lnk",
        _ if head.starts_with(&[0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1]) => "ole",
        _ if head.starts_with(b"%PDF") => "pdf",
        _ if head.starts_with(b"{\\rt") => "rtf",
        _ if head.starts_with(b"MZ") => "pe",
        _ if head.starts_with(b"7z\xbc\xaf\x27\x1c") => "7z",
        _ if head.starts_with(b"Rar!\x1a\x07") => "rar",
        _ if head.starts_with(b"MSCF") => "cab",
        _ if head.starts_with(&[0x1f, 0x8b]) => "gzip",
        _ if head.get(0x8001..0x8006) == Some(b"CD001") => "iso",
        _ if head.starts_with(&[0xff, 0xd8, 0xff])
            || head.starts_with(b"\x89PNG")
            || head.starts_with(b"GIF8") =>
        {
            "image"
        }
        _ if std::str::from_utf8(head).is_ok() || head.iter().all(|byte| *byte >= 9) => {
            let lower = String::from_utf8_lossy(head).to_lowercase();
            if lower.contains("<html") || lower.contains("<script") { "html" } else { "text" }
        }
        _ => "unknown",
    }
}
