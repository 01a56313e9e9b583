//! gzip files and tar archives.

use flate2::read::MultiGzDecoder;

use super::{Cut, ENTRIES_MAX, read_within};
use crate::bytes::{name_text, slice, until_zero};
use crate::tree::Walker;

pub(crate) fn open_gzip(walker: &mut Walker<'_>, index: usize, bytes: &[u8]) {
    match read_within(walker, bytes.len(), &mut MultiGzDecoder::new(bytes)) {
        Ok(content) => {
            let is_tar = content.get(257..262) == Some(b"ustar");
            walker.child(index, if is_tar { "archive.tar" } else { "content" }, content);
        }
        Err(Cut::Limit(reason) | Cut::Broken(reason)) => walker.unread(index, &reason),
    }
}

pub(crate) fn open(walker: &mut Walker<'_>, index: usize, bytes: &[u8]) {
    let mut at = 0;
    for _ in 0..ENTRIES_MAX {
        let Some(header) = slice(bytes, at, 512) else {
            if at < bytes.len() {
                walker.unread(index, "it breaks off");
            }
            return;
        };
        if header.iter().all(|byte| *byte == 0) {
            return;
        }
        let field = |at, len| slice(header, at, len).map(until_zero).unwrap_or_default();
        let octal = String::from_utf8_lossy(field(124, 12)).trim().to_owned();
        let Ok(size) = usize::from_str_radix(&octal, 8) else {
            return walker.unread(index, "an entry has no size");
        };
        let prefix = name_text(field(345, 155));
        let name = name_text(field(0, 100));
        let name = if prefix.is_empty() { name } else { format!("{prefix}/{name}") };
        let kind = header.get(156).copied().unwrap_or_default();
        at += 512;
        let Some(content) = slice(bytes, at, size) else {
            return walker.unread(index, "it breaks off");
        };
        // Plain files; links and folders hold nothing.
        if matches!(kind, b'0' | 0 | b'7') {
            walker.child(index, &name, content.to_vec());
        }
        at = at.saturating_add(size.div_ceil(512).saturating_mul(512));
    }
    walker.unread(index, &format!("it has more than {ENTRIES_MAX} entries"));
}
