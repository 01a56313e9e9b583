//! One line of a log: the syslog header off, then whatever structure the body has.

mod cef;
mod pairs;
mod syslog;

use makyo_base::{Object, Value, parse_json};

/// Takes a line apart into fields; `message` is what remained after the syslog header.
pub(crate) fn line_record(text: &str) -> Object<'_> {
    let mut record = Object::default();
    let body = syslog::header(text, &mut record);
    record.push("message", Value::text(body));
    let trimmed = body.trim_start();
    if trimmed.starts_with("CEF:") || trimmed.contains(" CEF:0|") || trimmed.contains(" CEF:1|") {
        cef::cef(trimmed, &mut record);
    } else if trimmed.starts_with("LEEF:") {
        cef::leef(trimmed, &mut record);
    } else if let Some(fields) = json_object(trimmed) {
        for (name, value) in fields.0 {
            record.push_new(name, value);
        }
    } else if trimmed.starts_with('[') && trimmed.contains(":\"") {
        pairs::colon_pairs(trimmed, &mut record);
    } else {
        pairs::pairs(trimmed, &mut record);
    }
    record
}

fn json_object(text: &str) -> Option<Object<'_>> {
    if !text.starts_with('{') || !text.ends_with('}') {
        return None;
    }
    match parse_json(text) {
        Ok(Value::Object(object)) => Some(object),
        _ => None,
    }
}
