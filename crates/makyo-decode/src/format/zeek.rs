//! Zeek's tab-separated logs: `#fields` names the columns, and may come again in mid-file.

use std::borrow::Cow;
use std::io::{self, BufRead};

use makyo_base::{DefectKind, Object, Position, Stop, Value};

use super::text::{Lines, lossy};
use super::{RECORD_BYTES_MAX, RawSink};

/// Splits a stream into records numbered by line. The log's path (`conn`, `dns`) becomes the
/// field `_path`, as in Zeek's own JSON.
pub(crate) fn read(from: &mut dyn BufRead, out: &mut dyn RawSink) -> io::Result<Result<(), Stop>> {
    let mut header = Header::default();
    let mut lines = Lines::new(from, RECORD_BYTES_MAX);
    let mut bytes = Vec::new();
    while let Some(line) = lines.next_into(&mut bytes)? {
        if let Some(length) = line.over {
            let detail =
                format!("line of {length} bytes is longer than {RECORD_BYTES_MAX}; not read");
            out.defect(Position::Record(line.number), DefectKind::Limit, detail);
            continue;
        }
        let (text, replaced) = lossy(&bytes);
        if replaced {
            out.replaced(line.number);
        }
        if text.is_empty() || header.directive(&text) {
            continue;
        }
        if let Err(stop) = header.row(line.number, &text, line.unended, out) {
            return Ok(Err(stop));
        }
    }
    Ok(Ok(()))
}

struct Header {
    separator: String,
    unset: String,
    empty: String,
    path: String,
    names: Vec<String>,
}

impl Default for Header {
    fn default() -> Self {
        Header {
            separator: "\t".into(),
            unset: "-".into(),
            empty: "(empty)".into(),
            path: String::new(),
            names: Vec::new(),
        }
    }
}

impl Header {
    /// Takes in a `#` line; other lines are left.
    fn directive(&mut self, text: &str) -> bool {
        let Some(rest) = text.strip_prefix('#') else { return false };
        let (key, value) = rest.split_once([' ', '\t']).unwrap_or((rest, ""));
        match key {
            "separator" => self.separator = unescape(value.trim()),
            "unset_field" => value.trim().clone_into(&mut self.unset),
            "empty_field" => value.trim().clone_into(&mut self.empty),
            "path" => value.trim().clone_into(&mut self.path),
            "fields" => {
                self.names = value.split(self.separator.as_str()).map(str::to_owned).collect();
            }
            _ => {}
        }
        true
    }

    fn row(
        &self,
        number: u64,
        text: &str,
        unended: bool,
        out: &mut dyn RawSink,
    ) -> Result<(), Stop> {
        if self.names.is_empty() {
            let detail = "row before the `#fields` line that names its columns; not read";
            out.defect(Position::Record(number), DefectKind::Malformed, detail.into());
            return Ok(());
        }
        let values: Vec<&str> = text.split(self.separator.as_str()).collect();
        if values.len() != self.names.len() {
            let kind = if unended { DefectKind::Truncated } else { DefectKind::Malformed };
            let detail = format!(
                "row has {} fields where `#fields` names {}; read as far as it goes",
                values.len(),
                self.names.len()
            );
            out.defect(Position::Record(number), kind, detail);
        }
        let mut record = Object::default();
        if !self.path.is_empty() {
            record.push("_path", Value::text(self.path.as_str()));
        }
        for (name, value) in self.names.iter().zip(values) {
            if value != self.unset {
                let value = if value == self.empty { "" } else { value };
                record.push(name.as_str(), Value::Str(Cow::Borrowed(value)));
            }
        }
        out.raw(number, record)
    }
}

/// `\x09` and the like.
fn unescape(text: &str) -> String {
    match text.strip_prefix("\\x").and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
        Some(byte) => char::from(byte).to_string(),
        None if text.is_empty() => "\t".to_owned(),
        None => text.to_owned(),
    }
}
