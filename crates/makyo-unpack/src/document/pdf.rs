//! PDF: actions, attached files and links, without laying a page out.

use flate2::read::ZlibDecoder;

use crate::archive::{Cut, read_within};
use crate::bytes::has;
use crate::tree::Walker;

const STREAMS_MAX: usize = 2_000;
/// So far back from a stream its description may begin.
const HEAD_BYTES: usize = 1024;

pub(crate) fn open(walker: &mut Walker<'_>, index: usize, bytes: &[u8]) {
    scan(walker, index, bytes);
    if has(bytes, b"/Encrypt") {
        walker.fact(index, "encrypted_document", "");
        walker.unread(index, "the document is encrypted: its streams are not readable");
        return;
    }
    let mut count = 0;
    let mut spent = 0;
    for at in memchr::memmem::find_iter(bytes, b"stream") {
        if at >= 3 && bytes.get(at - 3..at) == Some(b"end") {
            continue;
        }
        count += 1;
        if count > STREAMS_MAX {
            return walker.unread(index, &format!("it has more than {STREAMS_MAX} streams"));
        }
        let head = bytes.get(at.saturating_sub(HEAD_BYTES)..at).unwrap_or_default();
        let from = memchr::memmem::rfind(head, b"obj").unwrap_or_default();
        let head = head.get(from..).unwrap_or_default();
        let holds_objects = has(head, b"/ObjStm");
        let is_file = has(head, b"/EmbeddedFile");
        if !holds_objects && !is_file {
            continue;
        }
        let Some(content) = content(walker, index, bytes, at, head) else { continue };
        spent += content.len();
        if spent > walker.limits().total_bytes_max {
            return walker.unread(index, "its streams unpack to too much");
        }
        if is_file {
            walker.fact(index, "attached_to_document", "");
            walker.child(index, "embedded", content);
        } else {
            scan(walker, index, &content);
        }
    }
}

fn content(
    walker: &mut Walker<'_>,
    index: usize,
    bytes: &[u8],
    at: usize,
    head: &[u8],
) -> Option<Vec<u8>> {
    let mut start = at + 6;
    start += usize::from(bytes.get(start) == Some(&b'\r'));
    start += usize::from(bytes.get(start) == Some(&b'\n'));
    let rest = bytes.get(start..)?;
    let end = memchr::memmem::find(rest, b"endstream").unwrap_or(rest.len());
    let packed = rest.get(..end)?;
    if !has(head, b"/FlateDecode") && !has(head, b"/Fl ") {
        if has(head, b"/Filter") {
            walker.unread(index, "a stream in it has a filter that is not read");
        }
        return Some(packed.to_vec());
    }
    match read_within(walker, packed.len(), &mut ZlibDecoder::new(packed)) {
        Ok(content) => Some(content),
        Err(Cut::Limit(reason) | Cut::Broken(reason)) => {
            walker.unread(index, &format!("a stream in it: {reason}"));
            None
        }
    }
}

fn scan(walker: &mut Walker<'_>, index: usize, bytes: &[u8]) {
    // Names may be written with `#` and digits; those of actions are too short to be by chance.
    let plain = unescape(bytes);
    let bytes = plain.as_slice();
    if has(bytes, b"/Launch") {
        walker.fact(index, "document_starts_program", "");
    }
    if has(bytes, b"/JavaScript") || has(bytes, b"/JS ") || has(bytes, b"/JS(") {
        let alone = has(bytes, b"/OpenAction") || has(bytes, b"/AA");
        walker.fact(index, if alone { "document_script_alone" } else { "document_script" }, "");
    }
    for at in memchr::memmem::find_iter(bytes, b"/URI").take(256) {
        let rest = bytes.get(at + 4..(at + 2048).min(bytes.len())).unwrap_or_default();
        let Some(open) = memchr::memchr(b'(', rest).filter(|open| *open < 4) else { continue };
        let link = rest.get(open + 1..).unwrap_or_default();
        let end = memchr::memchr(b')', link).unwrap_or(link.len());
        let link = String::from_utf8_lossy(link.get(..end).unwrap_or_default()).into_owned();
        if link.starts_with("http") {
            walker.link(index, &link);
        }
    }
}

fn unescape(bytes: &[u8]) -> Vec<u8> {
    let digit = |byte: Option<&u8>| byte.and_then(|byte| char::from(*byte).to_digit(16));
    if memchr::memchr(b'#', bytes).is_none() {
        return bytes.to_vec();
    }
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        if *byte == b'#'
            && let (Some(high), Some(low)) = (digit(bytes.get(at + 1)), digit(bytes.get(at + 2)))
            && (0x20..0x7f).contains(&(high * 16 + low))
        {
            out.push((high * 16 + low) as u8);
            at += 3;
        } else {
            out.push(*byte);
            at += 1;
        }
    }
    out
}
