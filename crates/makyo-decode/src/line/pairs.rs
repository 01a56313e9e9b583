//! `key=value` text in the ways that products write it: bare, quoted, with commas between.

use std::borrow::Cow;

use makyo_base::{Object, Value};

/// Puts every `key=value` of the text into `record`; fields that are there already stay.
pub(crate) fn pairs<'a>(text: &'a str, record: &mut Object<'a>) {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(found) = memchr::memchr(b'=', bytes.get(at..).unwrap_or_default()) {
        let equals = at + found;
        let start = key_start(bytes, at, equals);
        let Some(key) = text.get(start..equals).filter(|key| !key.is_empty()) else {
            at = equals + 1;
            continue;
        };
        let (value, end) = value(text, equals + 1);
        record.push_new(key, Value::Str(value));
        at = end;
    }
}

/// `[key:"value"; key:"value"]`, as log exporters write it. Puts nothing if the text is no such list.
pub(crate) fn colon_pairs<'a>(text: &'a str, record: &mut Object<'a>) {
    let Some(mut rest) = text.strip_prefix('[') else { return };
    while let Some((key, after)) = rest.split_once(":\"") {
        let key = key.trim_start_matches([';', ' ']);
        let is_key = !key.is_empty() && key.bytes().all(is_key_byte);
        let Some(end) = closing(after, '"').filter(|_| is_key) else { return };
        let raw = after.get(..end).unwrap_or_default();
        let clean = if raw.contains('\\') { Cow::Owned(unescape(raw)) } else { Cow::Borrowed(raw) };
        record.push_new(key, Value::Str(clean));
        rest = after.get(end + 1..).unwrap_or_default();
    }
}

fn is_key_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'/') || byte >= 0x80
}

/// The key is the unbroken run of key bytes before the equals sign.
fn key_start(bytes: &[u8], from: usize, equals: usize) -> usize {
    let before = bytes.get(from..equals).unwrap_or_default();
    let length = before.iter().rev().take_while(|byte| is_key_byte(**byte)).count();
    equals - length
}

fn value(text: &str, start: usize) -> (Cow<'_, str>, usize) {
    let rest = text.get(start..).unwrap_or_default();
    for quote in ['"', '\''] {
        if let Some(inside) = rest.strip_prefix(quote) {
            // A quote that is never closed is an ordinary letter.
            if let Some(end) = closing(inside, quote) {
                let raw = inside.get(..end).unwrap_or_default();
                let clean =
                    if raw.contains('\\') { Cow::Owned(unescape(raw)) } else { Cow::Borrowed(raw) };
                return (clean, start + end + 2);
            }
        }
    }
    let end = bare_end(rest);
    let raw = rest.get(..end).unwrap_or_default();
    (Cow::Borrowed(raw.trim_end_matches([',', ';'])), start + end)
}

fn closing(text: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    for (at, letter) in text.char_indices() {
        match letter {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if letter == quote => return Some(at),
            _ => {}
        }
    }
    None
}

/// Only quotes and backslashes lose their backslash; `C:\temp` stays a path.
fn unescape(text: &str) -> String {
    text.replace("\\\"", "\"").replace("\\\\", "\\")
}

/// A bare value ends at a blank; where commas divide the pairs (`a=b c,d=e`), at the comma before
/// the next key.
fn bare_end(text: &str) -> usize {
    let blank = text.find([' ', '\t']).unwrap_or(text.len());
    let word = text.get(..blank).unwrap_or_default();
    match word.find(',') {
        Some(comma) => {
            let after = word.get(comma + 1..).unwrap_or_default();
            let next_is_key = after.bytes().take_while(|byte| is_key_byte(*byte)).count();
            let is_pair = next_is_key > 0 && after.as_bytes().get(next_is_key) == Some(&b'=');
            if is_pair || after.is_empty() { comma } else { blank }
        }
        None => blank,
    }
}
