//! JSON in every arrangement that people produce: arrays, lines, objects one after another,
//! arrays one after another, and envelopes like `{"value": [..]}`.
//!
//! All of these are one grammar: outside of records, brackets, commas and white space mean
//! nothing. So the splitter looks for objects, and only inside an object does it count braces. It
//! never holds more than one record, and it finds its way again after a damaged one: a line break
//! inside a string, or an object where a field name belongs, cannot be JSON.

use std::io::{self, BufRead};

use makyo_base::{DefectKind, Object, Position, Stop, Value, parse_json};

use super::text::lossy;
use super::{RECORD_BYTES_MAX, RawSink};

/// Names under which exports put their list of records.
const ENVELOPES: &[&str] = &[
    "value",
    "records",
    "Records",
    "activities",
    "events",
    "logs",
    "items",
    "results",
    "data",
    "auditLogs",
];

/// Lists in lists without a record.
const BRACKETS_MAX: usize = 64;

/// An envelope's other fields come first and are few.
const ENVELOPE_BYTES_MAX: usize = 4096;

/// Splits a stream into records.
pub(crate) fn read(from: &mut dyn BufRead, out: &mut dyn RawSink) -> io::Result<Result<(), Stop>> {
    let mut splitter = Splitter::default();
    loop {
        let ready = match from.fill_buf() {
            Ok(ready) => ready,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        if ready.is_empty() {
            return Ok(splitter.finish(out));
        }
        let used = ready.len();
        if let Err(stop) = splitter.feed(ready, out) {
            return Ok(Err(stop));
        }
        from.consume(used);
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
enum State {
    /// Between records.
    #[default]
    Outside,
    /// Garbage between records, until the line ends.
    Garbage,
    /// In a record, outside of strings.
    Inside,
    /// In a string of a record.
    Text,
    /// After a backslash in a string.
    Escape,
}

#[derive(Default)]
#[allow(clippy::struct_excessive_bools, reason = "each is one fact about the place in the text")]
struct Splitter {
    state: State,
    record: Vec<u8>,
    length: usize,
    number: u64,
    /// Open braces (`true`) and brackets (`false`).
    open: Vec<bool>,
    /// The last byte that was not white space and not in a string; a string counts as `"`.
    last: u8,
    /// Whether the record has had an object or list inside.
    nested: bool,
    /// A list that may be an envelope's has just begun.
    maybe_envelope: bool,
    /// Envelopes that are open.
    envelopes: usize,
    /// In what follows an envelope's list: nothing there is a record.
    tail: bool,
    /// Objects that are open around an envelope's list.
    closing: usize,
    /// Brackets opened between records, one after another.
    brackets: usize,
    /// The export said that there are more pages.
    more_pages: bool,
    /// This line is not one record alone.
    is_mixed: bool,
}

impl Splitter {
    fn feed(&mut self, bytes: &[u8], out: &mut dyn RawSink) -> Result<(), Stop> {
        let mut at = 0;
        while let Some(byte) = bytes.get(at).copied() {
            if self.state == State::Text {
                // Skips to the next byte that can matter inside a string.
                let rest = bytes.get(at..).unwrap_or_default();
                let skip = memchr::memchr3(b'"', b'\\', b'\n', rest).unwrap_or(rest.len());
                self.keep(rest.get(..skip).unwrap_or_default());
                at += skip;
                let Some(byte) = bytes.get(at).copied() else { break };
                self.in_text(byte, out);
                at += 1;
                continue;
            }
            if self.state == State::Outside && byte == b'{' && self.envelopes == 0 {
                let rest = bytes.get(at..).unwrap_or_default();
                if let Some(used) = self.line(rest, out)? {
                    at += used;
                    continue;
                }
            }
            match self.state {
                State::Outside => self.outside(byte, out),
                State::Garbage => {
                    if byte == b'\n' {
                        self.is_mixed = false;
                        self.state = State::Outside;
                    }
                }
                State::Inside => self.inside(byte, out)?,
                State::Escape => {
                    self.keep(&[byte]);
                    self.state = State::Text;
                }
                State::Text => {}
            }
            at += 1;
        }
        Ok(())
    }

    /// Passes a whole line on if it is one record; how many bytes it took. What is anything else is
    /// left to be counted through.
    fn line(&mut self, bytes: &[u8], out: &mut dyn RawSink) -> Result<Option<usize>, Stop> {
        if self.is_mixed {
            return Ok(None);
        }
        self.is_mixed = true;
        let Some(end) = memchr::memchr(b'\n', bytes) else { return Ok(None) };
        let line = bytes.get(..end).unwrap_or_default();
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        // Between the records of a list stand commas.
        let line = line.strip_suffix(b",").unwrap_or(line);
        if line.len() > RECORD_BYTES_MAX || line.last() != Some(&b'}') {
            return Ok(None);
        }
        let Ok(line) = std::str::from_utf8(line) else { return Ok(None) };
        if !out.line(line) {
            let Ok(Value::Object(object)) = parse_json(line) else { return Ok(None) };
            if may_be_envelope(&object) {
                return Ok(None);
            }
            if !out.text(line) {
                out.raw(self.number + 1, inner(object))?;
            }
        }
        self.number += 1;
        self.brackets = 0;
        self.is_mixed = false;
        Ok(Some(end + 1))
    }

    fn keep(&mut self, bytes: &[u8]) {
        self.length += bytes.len();
        let max = if self.tail { ENVELOPE_BYTES_MAX } else { RECORD_BYTES_MAX };
        if self.length <= max {
            self.record.extend_from_slice(bytes);
        }
    }

    fn outside(&mut self, byte: u8, out: &mut dyn RawSink) {
        self.is_mixed &= byte != b'\n';
        self.brackets = if byte == b'[' { self.brackets + 1 } else { 0 };
        if self.brackets == BRACKETS_MAX {
            let detail =
                format!("lists nested deeper than {BRACKETS_MAX}; no record is looked for there");
            out.defect(Position::Record(self.number + 1), DefectKind::Limit, detail);
        }
        match byte {
            b'{' => self.begin(),
            b']' if self.envelopes > 0 => {
                // The list is over; the rest of the envelope is passed over.
                self.envelopes -= 1;
                self.begin();
                self.tail = true;
                self.open = vec![true; self.closing.max(1)];
                self.last = b']';
            }
            b'[' | b']' | b',' | b' ' | b'\t' | b'\r' | b'\n' | 0x1e | 0xef | 0xbb | 0xbf | 0 => {}
            _ => {
                self.number += 1;
                let detail = "not JSON between two records; passed over to the end of the line";
                out.defect(Position::Record(self.number), DefectKind::Malformed, detail.into());
                self.state = State::Garbage;
            }
        }
    }

    fn begin(&mut self) {
        self.record.clear();
        self.length = 0;
        self.open.clear();
        self.open.push(true);
        self.nested = false;
        self.maybe_envelope = false;
        self.tail = false;
        self.state = State::Inside;
        self.last = b'{';
        self.keep(b"{");
    }

    fn in_text(&mut self, byte: u8, out: &mut dyn RawSink) {
        match byte {
            b'"' => {
                self.keep(b"\"");
                self.last = b'"';
                self.state = State::Inside;
            }
            b'\\' => {
                self.keep(b"\\");
                self.state = State::Escape;
            }
            _ => {
                self.broken(out, "line ends inside a text: the record is cut");
                self.state = State::Outside;
            }
        }
    }

    fn broken(&mut self, out: &mut dyn RawSink, detail: &str) {
        self.number += 1;
        out.defect(Position::Record(self.number), DefectKind::Malformed, detail.into());
    }

    fn inside(&mut self, byte: u8, out: &mut dyn RawSink) -> Result<(), Stop> {
        if byte.is_ascii_whitespace() {
            self.keep(&[byte]);
            return Ok(());
        }
        if self.maybe_envelope {
            self.maybe_envelope = false;
            if byte == b'{' {
                self.more_pages |= memchr::memmem::find(&self.record, b"nextLink").is_some();
                self.closing = self.open.len().saturating_sub(1);
                self.envelopes += 1;
                self.begin();
                return Ok(());
            }
        }
        match byte {
            b'"' => self.state = State::Text,
            b'{' => {
                let in_object = self.open.last() == Some(&true);
                if in_object && self.last != b':' {
                    self.broken(out, "a record begins inside another one: the first is cut");
                    self.begin();
                    return Ok(());
                }
                self.open.push(true);
                self.nested = true;
            }
            b'[' => {
                let is_envelope = self.may_be_envelope();
                self.maybe_envelope = is_envelope;
                self.nested |= !is_envelope;
                self.open.push(false);
            }
            b'}' | b']' => {
                self.open.pop();
                if self.open.is_empty() {
                    self.keep(&[byte]);
                    self.state = State::Outside;
                    return self.emit(out);
                }
            }
            _ => {}
        }
        self.keep(&[byte]);
        self.last = byte;
        Ok(())
    }

    /// Whether the list that begins here is a list of records: its name is one of the known ones
    /// and nothing but scalars stood before it.
    fn may_be_envelope(&self) -> bool {
        if self.tail || self.length > ENVELOPE_BYTES_MAX || self.last != b':' {
            return false;
        }
        // Elasticsearch answers with `{"hits": {"total": {..}, "hits": [..]}}`.
        let is_answer = self.open == [true, true] && self.record.ends_with(b"\"hits\":");
        if is_answer {
            return true;
        }
        if self.nested || self.open.len() != 1 {
            return false;
        }
        let text = String::from_utf8_lossy(&self.record);
        let before = text.trim_end().trim_end_matches(':').trim_end();
        let name = before.strip_suffix('"').and_then(|rest| rest.rsplit('"').next());
        name.is_some_and(|name| ENVELOPES.contains(&name))
    }

    fn emit(&mut self, out: &mut dyn RawSink) -> Result<(), Stop> {
        if self.tail {
            self.tail = false;
            self.more_pages |= memchr::memmem::find(&self.record, b"nextLink").is_some();
            return Ok(());
        }
        self.number += 1;
        let number = self.number;
        if self.length > RECORD_BYTES_MAX {
            let detail = format!(
                "record of {} bytes is longer than {RECORD_BYTES_MAX}; not read",
                self.length
            );
            out.defect(Position::Record(number), DefectKind::Limit, detail);
            return Ok(());
        }
        let record = std::mem::take(&mut self.record);
        let (text, replaced) = lossy(&record);
        if replaced {
            out.replaced(number);
        }
        let result = match (!out.text(&text)).then(|| parse_json(&text)) {
            None => Ok(()),
            Some(Ok(Value::Object(object))) => out.raw(number, inner(object)),
            Some(Ok(_)) => Ok(()),
            Some(Err(reason)) => {
                out.defect(
                    Position::Record(number),
                    DefectKind::Malformed,
                    format!("not valid JSON: {reason}"),
                );
                Ok(())
            }
        };
        self.record = record;
        result
    }

    fn finish(&mut self, out: &mut dyn RawSink) -> Result<(), Stop> {
        if self.more_pages {
            let detail = "a page of this export names a next page (nextLink); whether that one is here the file does not say";
            out.defect(Position::Whole, DefectKind::Truncated, detail.into());
        }
        let cut = !matches!(self.state, State::Outside | State::Garbage);
        if (cut && !self.tail) || self.envelopes > 0 {
            self.number += 1;
            let detail = "file ends inside a record or list: it is cut".to_owned();
            out.defect(Position::Record(self.number), DefectKind::Truncated, detail);
        }
        Ok(())
    }
}

/// Whether an object that was parsed may hold a list of records, so that it must be looked at as
/// text; see [`Splitter::may_be_envelope`].
fn may_be_envelope(object: &Object<'_>) -> bool {
    object.0.iter().any(|(name, value)| match value {
        Value::List(list) => {
            matches!(list.first(), Some(Value::Object(_))) && ENVELOPES.contains(&name.as_ref())
        }
        Value::Object(_) => name == "hits",
        _ => false,
    })
}

/// The record inside of what a search engine puts around each of its answers: `_source`
/// (Elasticsearch), `result` (Splunk).
fn inner(mut object: Object<'_>) -> Object<'_> {
    let is_answer = |name: &str| match name {
        "_source" => object.contains("_index") || object.contains("_id"),
        "result" => object.contains("preview") || object.contains("offset"),
        _ => false,
    };
    let place = object
        .0
        .iter()
        .position(|(name, value)| matches!(value, Value::Object(_)) && is_answer(name.as_ref()));
    match place.map(|place| object.0.swap_remove(place).1) {
        Some(Value::Object(record)) => record,
        _ => object,
    }
}
