//! FreeRADIUS `detail` files: a line with the time, then one line for each attribute, indented by a
//! tab, then a blank line. They lie in text files like any other line; the block is one record.

use makyo_base::{DefectKind, Object, Position, Stop, Value};

use super::RawSink;
use crate::line::line_record;

/// More attributes no packet of 4096 bytes can hold.
const ATTRIBUTES_MAX: usize = 2048;

/// A block that is being read.
#[derive(Debug)]
pub(crate) struct Block {
    number: u64,
    head: String,
    attributes: Vec<(String, String)>,
    dropped: usize,
}

impl Block {
    /// Begins a block, if the line is one that begins blocks: `Mon Mar  3 09:12:01 2025`.
    pub(crate) fn begin(number: u64, text: &str) -> Option<Self> {
        is_head(text.as_bytes()).then(|| Block {
            number,
            head: text.to_owned(),
            attributes: Vec::new(),
            dropped: 0,
        })
    }

    /// Takes a line in, if it is one of the block's.
    pub(crate) fn take(&mut self, text: &str) -> bool {
        let Some((name, value)) = text.strip_prefix('\t').and_then(attribute) else {
            return false;
        };
        if self.attributes.len() < ATTRIBUTES_MAX {
            self.attributes.push((name.to_owned(), value));
        } else {
            self.dropped += 1;
        }
        true
    }

    /// Hands the block over; a time without attributes is a line like any other.
    pub(crate) fn end(self, out: &mut dyn RawSink) -> Result<(), Stop> {
        if self.attributes.is_empty() {
            return out.raw(self.number, line_record(&self.head));
        }
        if self.dropped > 0 {
            let detail = format!(
                "packet with more than {ATTRIBUTES_MAX} attributes; {} of them not read",
                self.dropped
            );
            out.defect(Position::Record(self.number), DefectKind::Limit, detail);
        }
        let mut record = Object::default();
        record.push("detail_time", Value::text(self.head));
        for (name, value) in self.attributes {
            record.push_new(name, Value::text(value));
        }
        out.raw(self.number, record)
    }
}

fn is_head(text: &[u8]) -> bool {
    const FORM: &[u8; 24] = b"Aaa Aaa _9 99:99:99 9999";
    text.len() == FORM.len()
        && text.iter().zip(FORM).all(|(byte, form)| match form {
            b'A' => byte.is_ascii_uppercase(),
            b'a' => byte.is_ascii_lowercase(),
            b'9' => byte.is_ascii_digit(),
            b'_' => byte.is_ascii_digit() || *byte == b' ',
            other => byte == other,
        })
}

/// `Name = value`, `Name:1 += "value"`.
fn attribute(text: &str) -> Option<(&str, String)> {
    let (name, value) = text.split_once(" = ").or_else(|| text.split_once(" += "))?;
    let is_name =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b':');
    if name.is_empty() || !name.bytes().all(is_name) {
        return None;
    }
    let inside = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    let value = match inside {
        Some(inside) => inside.replace("\\\"", "\"").replace("\\\\", "\\"),
        None => value.to_owned(),
    };
    // The tag behind the colon groups attributes of tunnels.
    Some((name.split(':').next().unwrap_or(name), value))
}
