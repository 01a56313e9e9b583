//! W3C extended logs: `#Fields:` names the columns of the lines that follow.

use std::io::{self, BufRead};

use makyo_base::{DefectKind, Object, Position, Stop, Value};

use super::text::{Lines, lossy};
use super::{RECORD_BYTES_MAX, RawSink};

/// Splits a stream into records numbered by line.
pub(crate) fn read(from: &mut dyn BufRead, out: &mut dyn RawSink) -> io::Result<Result<(), Stop>> {
    let mut names: Vec<String> = Vec::new();
    let mut software = String::new();
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
        if let Some(rest) = text.strip_prefix("#Fields:") {
            names = rest.split_whitespace().map(str::to_owned).collect();
            continue;
        }
        if let Some(rest) = text.strip_prefix("#Software:") {
            rest.trim().clone_into(&mut software);
            continue;
        }
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        let values: Vec<&str> = text.split_whitespace().collect();
        if values.len() != names.len() {
            let detail = format!(
                "line has {} fields where `#Fields` names {}; read as far as it goes",
                values.len(),
                names.len()
            );
            out.defect(Position::Record(line.number), DefectKind::Malformed, detail);
        }
        let mut record = Object::default();
        if !software.is_empty() {
            record.push("_software", Value::text(software.as_str()));
        }
        for (name, value) in names.iter().zip(values) {
            if value != "-" {
                record.push(name.as_str(), Value::text(value));
            }
        }
        if let Err(stop) = out.raw(line.number, record) {
            return Ok(Err(stop));
        }
    }
    Ok(Ok(()))
}
