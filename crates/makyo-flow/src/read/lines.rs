//! Lines of a stream, read in large blocks.

use std::io::{self, Read};

/// A longer line is counted and not read; as in decoding.
pub(crate) const LINE_BYTES_MAX: usize = 8 << 20;

/// Small enough to stay in the processor's second cache until its last line is read.
const BLOCK: usize = 1 << 17;

/// One line without its end.
pub(crate) struct Line<'a> {
    /// Counted from 1.
    pub(crate) number: u64,
    /// Empty if the line is too long.
    pub(crate) bytes: &'a [u8],
    pub(crate) is_over: bool,
    /// The file ends without ending the line.
    pub(crate) unended: bool,
}

/// Hands over all lines.
pub(crate) fn each_line(
    from: &mut dyn Read,
    mut each: impl FnMut(Line<'_>) -> io::Result<bool>,
) -> io::Result<()> {
    let mut buffer = vec![0_u8; BLOCK];
    let mut held = 0;
    let mut number = 0;
    let mut is_over = false;
    let mut is_start = true;
    loop {
        if held == buffer.len() {
            if buffer.len() >= LINE_BYTES_MAX {
                // Its beginning is of no use without its end.
                is_over = true;
                held = 0;
            } else {
                buffer.resize(buffer.len() * 2, 0);
            }
        }
        let count = match from.read(buffer.get_mut(held..).unwrap_or_default()) {
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        if count == 0 {
            break;
        }
        let mut ready = buffer.get(..held + count).unwrap_or_default();
        if is_start {
            if ready.len() < 3 {
                held += count;
                continue;
            }
            is_start = false;
            ready = ready.strip_prefix(b"\xef\xbb\xbf").unwrap_or(ready);
        }
        while let Some(end) = memchr::memchr(b'\n', ready) {
            let line = ready.get(..end).unwrap_or_default();
            ready = ready.get(end + 1..).unwrap_or_default();
            number += 1;
            let bytes = if is_over { &[] } else { line.strip_suffix(b"\r").unwrap_or(line) };
            if !each(Line { number, bytes, is_over, unended: false })? {
                return Ok(());
            }
            is_over = false;
        }
        let rest = ready.len();
        let begin = held + count - rest;
        buffer.copy_within(begin..held + count, 0);
        held = rest;
    }
    if held > 0 || is_over {
        let bytes = if is_over { &[] } else { buffer.get(..held).unwrap_or_default() };
        each(Line { number: number + 1, bytes, is_over, unended: true })?;
    }
    Ok(())
}
