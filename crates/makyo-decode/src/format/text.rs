//! Text files as UTF-8 bytes, and their lines, with a limit on length.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek as _, SeekFrom};

use encoding_rs::{CoderResult, Decoder};
use makyo_collect::{SNIFF_BYTES, TextEncoding, read_capped, text_encoding};

const BUFFER_BYTES: usize = 256 * 1024;

/// Opens a text file as a stream of UTF-8, without byte order mark. UTF-8 itself passes
/// unchanged, so that damaged bytes can be blamed on their record.
pub(crate) fn open_text(mut file: File, size_bytes: u64) -> io::Result<Box<dyn BufRead>> {
    let (head, _) = read_capped(&mut file, SNIFF_BYTES)?;
    // Looking ahead consumes one byte more than it gives, so the file is read anew.
    file.seek(SeekFrom::Start(0))?;
    // What was appended since the file was hashed is not of this artifact.
    let file = file.take(size_bytes);
    let encoding = text_encoding(&head);
    if encoding == TextEncoding::Utf8 {
        let mut plain = BufReader::with_capacity(BUFFER_BYTES, file);
        if head.starts_with(&[0xef, 0xbb, 0xbf]) {
            plain.read_exact(&mut [0; 3])?;
        }
        let ends = |mark: u8| memchr::memchr(mark, &head).is_some();
        if ends(b'\r') && !ends(b'\n') {
            return Ok(Box::new(BufReader::with_capacity(BUFFER_BYTES, CarriageReturns(plain))));
        }
        return Ok(Box::new(plain));
    }
    let decoder = encoding.encoding().new_decoder_with_bom_removal();
    let recoded = Recoded {
        inner: file,
        decoder,
        input: Vec::new(),
        output: Vec::new(),
        at: 0,
        ended: false,
    };
    Ok(Box::new(BufReader::with_capacity(BUFFER_BYTES, recoded)))
}

/// Lines that end with a carriage return alone, as old Macintosh programs write them.
struct CarriageReturns<R>(R);

impl<R: Read> Read for CarriageReturns<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.0.read(buffer)?;
        for byte in buffer.iter_mut().take(count).filter(|byte| **byte == b'\r') {
            *byte = b'\n';
        }
        Ok(count)
    }
}

/// UTF-16 to UTF-8 as a stream.
struct Recoded<R> {
    inner: R,
    decoder: Decoder,
    input: Vec<u8>,
    output: Vec<u8>,
    at: usize,
    ended: bool,
}

impl<R: Read> Read for Recoded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.at == self.output.len() && !self.ended {
            self.refill()?;
        }
        let ready = self.output.get(self.at..).unwrap_or_default();
        let count = ready.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..count), ready.get(..count)) {
            to.copy_from_slice(from);
        }
        self.at += count;
        Ok(count)
    }
}

impl<R: Read> Recoded<R> {
    fn refill(&mut self) -> io::Result<()> {
        let mut chunk = vec![0; BUFFER_BYTES];
        let count = self.inner.read(&mut chunk)?;
        self.ended = count == 0;
        chunk.truncate(count);
        self.input.append(&mut chunk);
        self.output.resize(self.input.len() * 3 + 16, 0);
        let (result, read, written, _) =
            self.decoder.decode_to_utf8(&self.input, &mut self.output, self.ended);
        debug_assert_eq!(result, CoderResult::InputEmpty, "the buffer holds the longest output");
        self.input.drain(..read);
        self.output.truncate(written);
        self.at = 0;
        Ok(())
    }
}

/// One line, or what of it fits.
pub(crate) struct Line {
    /// Counted from 1.
    pub(crate) number: u64,
    /// Whether the line was longer than allowed; then only its length is known.
    pub(crate) over: Option<u64>,
    /// Whether the file ends without ending the line.
    pub(crate) unended: bool,
}

/// Lines of a stream, none longer than `max` bytes kept.
pub(crate) struct Lines<'r> {
    from: &'r mut dyn BufRead,
    number: u64,
    max: usize,
}

impl<'r> Lines<'r> {
    pub(crate) fn new(from: &'r mut dyn BufRead, max: usize) -> Self {
        Lines { from, number: 0, max }
    }

    /// Reads the next line into `bytes`, without its line end.
    pub(crate) fn next_into(&mut self, bytes: &mut Vec<u8>) -> io::Result<Option<Line>> {
        bytes.clear();
        let mut length = 0_u64;
        let mut ended = false;
        while !ended {
            let ready = match self.from.fill_buf() {
                Ok(ready) => ready,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if ready.is_empty() {
                break;
            }
            let (part, used) = match memchr::memchr(b'\n', ready) {
                Some(at) => {
                    ended = true;
                    (ready.get(..at), at + 1)
                }
                None => (Some(ready), ready.len()),
            };
            let part = part.unwrap_or_default();
            length += part.len() as u64;
            if length <= self.max as u64 {
                bytes.extend_from_slice(part);
            }
            self.from.consume(used);
        }
        if length == 0 && !ended {
            return Ok(None);
        }
        self.number += 1;
        if bytes.last() == Some(&b'\r') {
            bytes.pop();
        }
        let over = (length > self.max as u64).then_some(length);
        Ok(Some(Line { number: self.number, over, unended: !ended }))
    }
}

/// Text with replacement characters where bytes are not UTF-8; the flag says whether there are.
pub(crate) fn lossy(bytes: &[u8]) -> (Cow<'_, str>, bool) {
    match std::str::from_utf8(bytes) {
        Ok(text) => (Cow::Borrowed(text), false),
        Err(_) => {
            // Japanese appliances and mail gateways write Shift_JIS; where it decodes without a
            // single error it is that rather than damaged UTF-8.
            let (text, _, failed) = encoding_rs::SHIFT_JIS.decode(bytes);
            if failed { (String::from_utf8_lossy(bytes), true) } else { (text, false) }
        }
    }
}
