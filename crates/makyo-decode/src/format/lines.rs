//! Lines of text: each one a record, taken apart by [`crate::line`], but for blocks of lines that
//! are one record, see [`super::detail`].

use std::io::{self, BufRead};

use makyo_base::{DefectKind, Position, Stop};

use super::detail::Block;
use super::text::{Lines, lossy};
use super::{RECORD_BYTES_MAX, RawSink};
use crate::line::line_record;

/// Splits a stream into records numbered by line.
pub(crate) fn read(from: &mut dyn BufRead, out: &mut dyn RawSink) -> io::Result<Result<(), Stop>> {
    let mut lines = Lines::new(from, RECORD_BYTES_MAX);
    let mut bytes = Vec::new();
    let mut open: Option<Block> = None;
    while let Some(line) = lines.next_into(&mut bytes)? {
        if let Some(length) = line.over {
            let detail =
                format!("line of {length} bytes is longer than {RECORD_BYTES_MAX}; not read");
            out.defect(Position::Record(line.number), DefectKind::Limit, detail);
            continue;
        }
        // Blocks of NULs are what a crash leaves in a log that was being written.
        let without_nul = bytes.iter().all(|byte| *byte == 0);
        if without_nul {
            if !bytes.is_empty() {
                let detail = format!("{} zero bytes where a line should be", bytes.len());
                out.defect(Position::Record(line.number), DefectKind::Malformed, detail);
            }
            continue;
        }
        let (text, replaced) = lossy(&bytes);
        if replaced {
            out.replaced(line.number);
        }
        let text = text.trim_matches('\0').trim_end();
        if open.as_mut().is_some_and(|block| block.take(text)) {
            continue;
        }
        if let Some(block) = open.take()
            && let Err(stop) = block.end(out)
        {
            return Ok(Err(stop));
        }
        if text.trim().is_empty() {
            continue;
        }
        open = Block::begin(line.number, text);
        if open.is_none()
            && let Err(stop) = out.raw(line.number, line_record(text))
        {
            return Ok(Err(stop));
        }
    }
    Ok(open.map_or(Ok(()), |block| block.end(out)))
}
