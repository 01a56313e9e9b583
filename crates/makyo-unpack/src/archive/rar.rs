//! RAR archives: the list of what they hold. Their compression has no free reader, so the files
//! in them stay closed and are said to be.

use crate::bytes::{name_text, slice, u16_at, u32_at};
use crate::tree::Walker;

const CLOSED: &str = "RAR archives are listed and not unpacked";
const BLOCKS_MAX: usize = 10_000;

pub(crate) fn list(walker: &mut Walker<'_>, index: usize, bytes: &[u8]) {
    walker.unread(index, CLOSED);
    if bytes.starts_with(b"Rar!\x1a\x07\x01\0") {
        list_five(walker, index, bytes);
    } else {
        list_four(walker, index, bytes);
    }
}

fn list_four(walker: &mut Walker<'_>, index: usize, bytes: &[u8]) {
    let mut at = 7_usize;
    for _ in 0..BLOCKS_MAX {
        let (Some(kind), Some(flags), Some(size)) =
            (bytes.get(at + 2).copied(), u16_at(bytes, at + 3), u16_at(bytes, at + 5))
        else {
            return;
        };
        if size < 7 {
            return;
        }
        let mut next = at.saturating_add(usize::from(size));
        if kind == 0x73 && flags & 0x80 != 0 {
            walker.fact(index, "encrypted", "");
            return walker.fact(index, "encrypted_names", "");
        }
        if flags & 0x8000 != 0 || kind == 0x74 {
            let packed = u32_at(bytes, at + 7).unwrap_or_default();
            next = next.saturating_add(packed as usize);
        }
        if kind == 0x74 {
            let length = usize::from(u16_at(bytes, at + 26).unwrap_or_default());
            let extra = if flags & 0x100 != 0 { 8 } else { 0 };
            let name = slice(bytes, at + 32 + extra, length).unwrap_or_default();
            // The plain name; behind a zero byte its packed Unicode form.
            let name = name_text(crate::bytes::until_zero(name));
            if flags & 4 != 0 {
                walker.fact(index, "encrypted", "");
            }
            if flags & 0xe0 != 0xe0 {
                let size = u64::from(u32_at(bytes, at + 11).unwrap_or_default());
                walker.closed(index, &name, size, CLOSED);
            }
        }
        if kind == 0x7b || next <= at {
            return;
        }
        at = next;
    }
}

/// A number of seven bits a byte; the number and where it ends.
fn number(bytes: &[u8], mut at: usize) -> Option<(u64, usize)> {
    let mut value = 0_u64;
    for turn in 0..10 {
        let byte = *bytes.get(at)?;
        at += 1;
        value |= u64::from(byte & 0x7f).checked_shl(turn * 7)?;
        if byte & 0x80 == 0 {
            return Some((value, at));
        }
    }
    None
}

fn list_five(walker: &mut Walker<'_>, index: usize, bytes: &[u8]) {
    let mut at = 8_usize;
    for _ in 0..BLOCKS_MAX {
        let Some(next) = block_five(walker, index, bytes, at) else { return };
        if next <= at {
            return;
        }
        at = next;
    }
}

fn block_five(walker: &mut Walker<'_>, index: usize, bytes: &[u8], at: usize) -> Option<usize> {
    let (size, start) = number(bytes, at.checked_add(4)?)?;
    let end = start.checked_add(usize::try_from(size).ok()?)?;
    let (kind, at) = number(bytes, start)?;
    let (flags, mut at) = number(bytes, at)?;
    if flags & 1 != 0 {
        at = number(bytes, at)?.1;
    }
    let mut data = 0;
    if flags & 2 != 0 {
        (data, at) = number(bytes, at)?;
    }
    match kind {
        4 => {
            walker.fact(index, "encrypted", "");
            walker.fact(index, "encrypted_names", "");
            return None;
        }
        2 => file_five(walker, index, bytes, at, end)?,
        5 => return None,
        _ => {}
    }
    end.checked_add(usize::try_from(data).ok()?)
}

fn file_five(
    walker: &mut Walker<'_>,
    index: usize,
    bytes: &[u8],
    at: usize,
    end: usize,
) -> Option<()> {
    let (flags, at) = number(bytes, at)?;
    let (size, at) = number(bytes, at)?;
    let (_, mut at) = number(bytes, at)?;
    at += if flags & 2 != 0 { 4 } else { 0 };
    at += if flags & 4 != 0 { 4 } else { 0 };
    let (_, at) = number(bytes, at)?;
    let (_, at) = number(bytes, at)?;
    let (length, at) = number(bytes, at)?;
    let name = slice(bytes, at, usize::try_from(length).ok()?)?;
    if flags & 1 == 0 {
        walker.closed(index, &name_text(name), size, CLOSED);
    }
    // The extra area begins behind the name; its records carry a size and a kind, and 1 is
    // encryption.
    let mut at = at.checked_add(name.len())?;
    while at < end {
        let (size, start) = number(bytes, at)?;
        let (kind, _) = number(bytes, start)?;
        if kind == 1 {
            walker.fact(index, "encrypted", "");
        }
        at = start.checked_add(usize::try_from(size).ok()?)?;
    }
    Some(())
}
