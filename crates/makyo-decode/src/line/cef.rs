//! ArcSight CEF and IBM LEEF.

use std::borrow::Cow;

use makyo_base::{Object, Value};

/// `CEF:0|vendor|product|version|class|name|severity|key=value ..`
pub(super) fn cef<'a>(text: &'a str, record: &mut Object<'a>) {
    let Some(start) = text.find("CEF:") else { return };
    let header = text.get(start + 4..).unwrap_or_default();
    const NAMES: [&str; 7] = [
        "cef.format",
        "cef.vendor",
        "cef.product",
        "cef.version",
        "cef.class",
        "cef.name",
        "cef.severity",
    ];
    let mut rest = header;
    for name in NAMES {
        let end = unescaped_bar(rest).unwrap_or(rest.len());
        let field = rest.get(..end).unwrap_or_default();
        record.push(name, Value::Str(unescape(field)));
        rest = rest.get(end + 1..).unwrap_or_default();
    }
    extension(rest, record);
}

fn unescaped_bar(text: &str) -> Option<usize> {
    let mut escaped = false;
    for (at, letter) in text.char_indices() {
        match letter {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '|' => return Some(at),
            _ => {}
        }
    }
    None
}

fn unescape(text: &str) -> Cow<'_, str> {
    if text.contains('\\') {
        Cow::Owned(
            text.replace("\\=", "=").replace("\\|", "|").replace("\\n", "\n").replace("\\\\", "\\"),
        )
    } else {
        Cow::Borrowed(text)
    }
}

/// Values run to the blank before the next `key=`; they hold blanks themselves. `cs1Label` names
/// `cs1`.
fn extension<'a>(text: &'a str, record: &mut Object<'a>) {
    let starts = key_starts(text);
    let mut found: Vec<(&'a str, Cow<'a, str>)> = Vec::new();
    for (index, (start, equals)) in starts.iter().enumerate() {
        let end = starts.get(index + 1).map_or(text.len(), |next| next.0);
        let key = text.get(*start..*equals).unwrap_or_default();
        let value = text.get(equals + 1..end).unwrap_or_default().trim();
        found.push((key, unescape(value)));
    }
    let labels: Vec<(&str, String)> = found
        .iter()
        .filter_map(|(key, value)| key.strip_suffix("Label").map(|of| (of, value.to_string())))
        .collect();
    for (key, value) in found {
        if let Some((_, label)) = labels.iter().find(|label| label.0 == key) {
            record.push_new(label.clone(), Value::Str(value.clone()));
        }
        record.push_new(key, Value::Str(value));
    }
}

fn key_starts(text: &str) -> Vec<(usize, usize)> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    for equals in memchr::memchr_iter(b'=', bytes) {
        if equals > 0 && bytes.get(equals - 1) == Some(&b'\\') {
            continue;
        }
        let before = bytes.get(..equals).unwrap_or_default();
        let length = before
            .iter()
            .rev()
            .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-'))
            .count();
        let start = equals - length;
        let at_word = start == 0 || bytes.get(start - 1) == Some(&b' ');
        if length > 0 && at_word {
            found.push((start, equals));
        }
    }
    found
}

/// `LEEF:2.0|vendor|product|version|class|delimiter|key=value<delimiter>..`
pub(super) fn leef<'a>(text: &'a str, record: &mut Object<'a>) {
    let header = text.strip_prefix("LEEF:").unwrap_or(text);
    let mut parts = header.splitn(6, '|');
    let version = parts.next().unwrap_or_default();
    for name in ["leef.vendor", "leef.product", "leef.version", "leef.class"] {
        record.push(name, Value::text(parts.next().unwrap_or_default()));
    }
    let rest = parts.next().unwrap_or_default();
    let (delimiter, body) = match rest.split_once('|') {
        Some((mark, body)) if version.starts_with('2') => (delimiter(mark), body),
        _ => ('\t', rest),
    };
    for pair in body.split(delimiter) {
        if let Some((key, value)) = pair.split_once('=') {
            record.push_new(key.trim(), Value::text(value.trim()));
        }
    }
}

fn delimiter(text: &str) -> char {
    let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix('x'));
    digits
        .and_then(|digits| u32::from_str_radix(digits, 16).ok())
        .and_then(char::from_u32)
        .or_else(|| text.chars().next())
        .unwrap_or('\t')
}
