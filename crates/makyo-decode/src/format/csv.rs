//! Separated values with a header line; fields may hold line breaks and JSON inside quotes.

use std::borrow::Cow;
use std::io::{self, BufRead};

use makyo_base::{DefectKind, Object, Position, Stop, Value};

use super::text::{Lines, lossy};
use super::{RECORD_BYTES_MAX, RawSink};

/// Splits a stream into rows; records are numbered by the line on which the row begins.
pub(crate) fn read(from: &mut dyn BufRead, out: &mut dyn RawSink) -> io::Result<Result<(), Stop>> {
    let mut lines = Lines::new(from, RECORD_BYTES_MAX);
    let mut line = Vec::new();
    let mut row: Vec<u8> = Vec::new();
    let mut first_line = 0;
    let mut header: Option<Header> = None;
    while let Some(read) = lines.next_into(&mut line)? {
        if row.is_empty() {
            first_line = read.number;
            if line.is_empty() && read.over.is_none() || line.starts_with(b"#TYPE") {
                continue;
            }
        } else {
            row.push(b'\n');
        }
        let length = read.over.unwrap_or(0).max((row.len() + line.len()) as u64);
        if length > RECORD_BYTES_MAX as u64 {
            let detail = format!(
                "row of more than {RECORD_BYTES_MAX} bytes (or a quote that is never closed); not read"
            );
            out.defect(Position::Record(first_line), DefectKind::Limit, detail);
            row.clear();
            continue;
        }
        row.extend_from_slice(&line);
        // A row is whole when its quotes come in pairs; doubled quotes inside fields do too.
        if memchr::memchr_iter(b'"', &row).count() % 2 == 1 {
            continue;
        }
        let (text, replaced) = lossy(&row);
        if replaced {
            out.replaced(first_line);
        }
        match &header {
            None => header = Some(Header::read(&text)),
            Some(header) => {
                if let Err(stop) = header.row(first_line, &text, out) {
                    return Ok(Err(stop));
                }
            }
        }
        row.clear();
    }
    if !row.is_empty() {
        let detail = "file ends inside a quoted field: the last row is cut";
        out.defect(Position::Record(first_line), DefectKind::Truncated, detail.into());
    }
    Ok(Ok(()))
}

struct Header {
    delimiter: char,
    names: Vec<String>,
}

impl Header {
    fn read(text: &str) -> Self {
        let delimiter = [',', ';', '\t', '|']
            .into_iter()
            .max_by_key(|mark| text.matches(*mark).count())
            .unwrap_or(',');
        let mut names: Vec<String> = Vec::new();
        for field in fields(text, delimiter) {
            let mut name = field.trim().to_owned();
            while names.contains(&name) {
                name.push('_');
            }
            names.push(name);
        }
        Header { delimiter, names }
    }

    fn row(&self, line: u64, text: &str, out: &mut dyn RawSink) -> Result<(), Stop> {
        let values = fields(text, self.delimiter);
        // Exports are sometimes joined with their header lines left in.
        if values.len() == self.names.len()
            && values.iter().zip(&self.names).all(|(value, name)| value.trim() == name)
        {
            return Ok(());
        }
        if values.len() != self.names.len() {
            let detail = format!(
                "row has {} fields where the header names {}; read as far as it goes",
                values.len(),
                self.names.len()
            );
            out.defect(Position::Record(line), DefectKind::Malformed, detail);
        }
        let mut record = Object::default();
        let mut values = values.into_iter();
        for (name, value) in self.names.iter().zip(values.by_ref()) {
            record.push(name.as_str(), Value::Str(value));
        }
        let extra: Vec<Value<'_>> = values.map(Value::Str).collect();
        if !extra.is_empty() {
            record.push("_extra", Value::List(extra));
        }
        out.raw(line, record)
    }
}

/// The fields of one row, quotes undone.
pub(crate) fn fields(row: &str, delimiter: char) -> Vec<Cow<'_, str>> {
    let mut found = Vec::new();
    let mut rest = row;
    loop {
        if let Some(quoted) = rest.trim_start_matches(' ').strip_prefix('"') {
            let end = closing_quote(quoted);
            let inner = quoted.get(..end).unwrap_or(quoted);
            let value = if inner.contains("\"\"") {
                Cow::Owned(inner.replace("\"\"", "\""))
            } else {
                Cow::Borrowed(inner)
            };
            found.push(value);
            let after = quoted.get(end + 1..).unwrap_or_default();
            match after.find(delimiter) {
                Some(at) => rest = after.get(at + delimiter.len_utf8()..).unwrap_or_default(),
                None => return found,
            }
        } else {
            match rest.find(delimiter) {
                Some(at) => {
                    found.push(Cow::Borrowed(rest.get(..at).unwrap_or_default()));
                    rest = rest.get(at + delimiter.len_utf8()..).unwrap_or_default();
                }
                None => {
                    found.push(Cow::Borrowed(rest));
                    return found;
                }
            }
        }
    }
}

fn closing_quote(text: &str) -> usize {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(found) = memchr::memchr(b'"', bytes.get(at..).unwrap_or_default()) {
        let quote = at + found;
        if bytes.get(quote + 1) == Some(&b'"') {
            at = quote + 2;
        } else {
            return quote;
        }
    }
    text.len()
}
