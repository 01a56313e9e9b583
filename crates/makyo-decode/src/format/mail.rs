//! Mail: one RFC 5322 message, or an mbox of them, as records with decoded headers, links and the
//! attachments' names, kinds and hashes.

mod attached;
mod features;
mod links;
mod passwords;
mod print;
pub(crate) mod words;
mod writing;

use std::collections::BTreeSet;
use std::io::{self, BufRead};

use mail_parser::{Address, HeaderValue, Message, MessageParser, PartType};
use makyo_base::{
    ArtifactKind, DefectKind, Object, Position, Stop, Value, ZoneHint, parse_time_with,
};
use makyo_collect::{read_capped, recognise};
use makyo_unpack::password_candidates;

use self::attached::Attached;
use self::features::{Body, features};
use self::links::Links;
pub use self::passwords::PasswordBook;
use super::RawSink;
use super::text::Lines;

/// A message larger than this is not read but named.
const MESSAGE_BYTES_MAX: usize = 128 << 20;
/// Lines of an mbox are unbounded in theory; a base64 body on one line is the longest seen.
const MBOX_LINE_BYTES_MAX: usize = 64 << 20;
/// So much of the body is kept for rules.
const BODY_CHARS_MAX: usize = 32 * 1024;
/// So much of pages is searched.
const HTML_BYTES_MAX: usize = 256 * 1024;
/// Distinct header names kept of one message.
const HEADERS_MAX: usize = 500;

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

/// Reads the messages of an mbox.
pub(crate) fn read_mbox(
    from: &mut dyn BufRead,
    out: &mut dyn RawSink,
) -> io::Result<Result<(), Stop>> {
    split_mbox(from, &mut |number, bytes| whole(number, bytes, out))
}

/// Takes a message's number and bytes.
type Visit<'v> = dyn FnMut(u64, &[u8]) -> Result<(), Stop> + 'v;

/// A `From ` line after an empty line begins the next message.
fn split_mbox(from: &mut dyn BufRead, visit: &mut Visit<'_>) -> io::Result<Result<(), Stop>> {
    let mut lines = Lines::new(from, MBOX_LINE_BYTES_MAX);
    let mut line = Vec::new();
    let mut bytes = Vec::new();
    let mut number = 0;
    let mut after_empty = true;
    while let Some(read) = lines.next_into(&mut line)? {
        if after_empty && is_from_line(&line) {
            if number > 0
                && let Err(stop) = visit(number, &bytes)
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
    if number == 0 { Ok(Ok(())) } else { Ok(visit(number, &bytes)) }
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
    line.starts_with(b"From ") && recognise(line) == ArtifactKind::Mbox
}

fn message(number: u64, bytes: &[u8], out: &mut dyn RawSink) -> Result<(), Stop> {
    let Some(message) = MessageParser::default().parse(bytes) else {
        let detail = "no message headers are found".to_owned();
        out.defect(Position::Record(number), DefectKind::Malformed, detail);
        return Ok(());
    };
    let mut record = Object::default();
    headers(&message, &mut record);
    let (text, html) = body(&message);
    let mut links = Links::default();
    links.find(&text);
    links.find(&html);
    links.compare(&html);
    let (sender, time) = (sender(&message), arrival(&message));
    let near = out.passwords(&sender, time);
    let own = || {
        let mut words =
            password_candidates(&format!("{}\n{text}", message.subject().unwrap_or_default()));
        words.extend(near.iter().filter(|word| !words.contains(word)).cloned().collect::<Vec<_>>());
        words
    };
    let attached = Attached::open(number, &message, &own, out);
    attached.defects(number, out);
    let kept = text.char_indices().nth(BODY_CHARS_MAX).map_or(text.len(), |place| place.0);
    record.push("body.text", Value::text(text.get(..kept).unwrap_or_default().to_owned()));
    attached.put(&mut record);
    links.put(&mut record);
    let body = Body { text: &text, html: &html };
    record.push("features", Value::text(features(&message, &body, &links, &attached)));
    out.raw(number, record)?;
    attached.contents(number, out)
}

/// What a mail gives of passwords, for the mails near it.
pub(crate) fn gather(
    kind: ArtifactKind,
    from: &mut dyn BufRead,
    book: &mut PasswordBook,
) -> io::Result<()> {
    let mut note = |bytes: &[u8]| {
        if let Some(message) = MessageParser::default().parse(bytes) {
            let text = body(&message).0;
            let subject = message.subject().unwrap_or_default();
            book.note(&sender(&message), arrival(&message), subject, &text);
        }
    };
    if kind == ArtifactKind::Message {
        let (bytes, more) = read_capped(from, MESSAGE_BYTES_MAX)?;
        if !more {
            note(&bytes);
        }
        return Ok(());
    }
    let _ = split_mbox(from, &mut |_, bytes| {
        note(bytes);
        Ok(())
    })?;
    Ok(())
}

fn sender(message: &Message<'_>) -> String {
    let first = message.from().and_then(Address::first).and_then(|one| one.address());
    first.unwrap_or_default().to_lowercase()
}

/// When the own server took the message in, else when its writer says it was written.
fn arrival(message: &Message<'_>) -> Option<i64> {
    let mut received =
        message.headers_raw().filter(|header| header.0.eq_ignore_ascii_case("received"));
    let top =
        received.next().and_then(|header| header.1.rsplit_once(';').map(|parts| squeeze(parts.1)));
    let parse =
        |text: &str| parse_time_with(text, ZoneHint::from_zone("+00:00")).map(|found| found.0);
    top.and_then(|top| parse(&top))
        .or_else(|| message.date().and_then(|date| parse(&date.to_rfc3339())))
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

/// The body as text and as a page, each as far as it is looked at.
fn body(message: &Message<'_>) -> (String, String) {
    let mut text = String::new();
    for part in 0..message.text_body_count().min(8) {
        if let Some(content) = message.body_text(part) {
            text.push_str(&content);
            text.push('\n');
        }
    }
    let mut html = String::new();
    for part in message.html_bodies().take(8) {
        if let (true, Some(content)) = (html.len() < HTML_BYTES_MAX, part.text_contents())
            && matches!(part.body, PartType::Html(_))
        {
            let end = content.floor_char_boundary(HTML_BYTES_MAX);
            html.push_str(content.get(..end).unwrap_or_default());
        }
    }
    (text, html)
}
