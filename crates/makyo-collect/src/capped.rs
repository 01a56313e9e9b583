//! Reading with an end: nothing hostile may fill the memory or the disk.

use std::io::{self, Read};

/// Reads at most `max` bytes of a stream; the flag says whether there were more. To know that, one
/// byte more is taken from the stream and lost: whoever goes on reading must seek back first.
///
/// # Errors
/// As the stream fails.
pub fn read_capped(from: &mut dyn Read, max: usize) -> io::Result<(Vec<u8>, bool)> {
    let mut bytes = Vec::new();
    from.take(max as u64 + 1).read_to_end(&mut bytes)?;
    let more = bytes.len() > max;
    bytes.truncate(max);
    Ok((bytes, more))
}

/// A stream that fails once it has given more than it may: absolutely, or in proportion to what
/// went in.
#[derive(Debug)]
pub struct Capped<R> {
    inner: R,
    given: u64,
    /// Bytes that may come out in all.
    pub bytes_max: u64,
}

impl<R: Read> Capped<R> {
    /// Limits a stream to `bytes_max`.
    pub fn new(inner: R, bytes_max: u64) -> Self {
        Capped { inner, given: 0, bytes_max }
    }

    /// Whether the limit was passed.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.given > self.bytes_max
    }
}

impl<R: Read> Read for Capped<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.given += count as u64;
        if self.is_over() {
            return Err(io::Error::other("expands beyond the limit"));
        }
        Ok(count)
    }
}
