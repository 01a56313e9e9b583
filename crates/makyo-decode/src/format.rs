//! One module per format: bytes to records.

pub(crate) mod csv;
pub(crate) mod detail;
pub(crate) mod evtx;
pub(crate) mod json;
pub(crate) mod lines;
pub(crate) mod mail;
pub(crate) mod text;
pub(crate) mod w3c;
pub(crate) mod zeek;

use makyo_base::{DefectKind, Object, Position, Stop};

/// A record longer than this is not read but named: no product writes such a one, and a hostile
/// file must not fill the memory.
pub(crate) const RECORD_BYTES_MAX: usize = 8 << 20;

/// Receives what a format splits off.
pub(crate) trait RawSink {
    /// Offers a record's JSON text before it is parsed; whether that was enough.
    fn text(&mut self, text: &str) -> bool {
        let _ = text;
        false
    }
    /// The same for a line that may be a record: it is one only if it is written like a record
    /// before it.
    fn line(&mut self, line: &str) -> bool {
        let _ = line;
        false
    }
    /// One record with the field names of the file.
    fn raw(&mut self, position: u64, record: Object<'_>) -> Result<(), Stop>;
    /// Bytes that lie inside the record before, under a name.
    fn content(&mut self, position: u64, name: &str, bytes: &[u8]) -> Result<(), Stop>;
    /// Passwords that other mails of a sender give near a time.
    fn passwords(&self, sender: &str, time: Option<i64>) -> Vec<String> {
        let _ = (sender, time);
        Vec::new()
    }
    /// A stretch that could not be read.
    fn defect(&mut self, position: Position, kind: DefectKind, detail: String);
    /// A record whose bytes are not valid in the file's encoding; it was read with replacements.
    fn replaced(&mut self, position: u64);
}
