//! Cabinet archives.

use std::io::Cursor;

use cab::Cabinet;

use super::{Cut, ENTRIES_MAX, read_within};
use crate::bytes::{u16_at, u32_at};
use crate::tree::Walker;

pub(crate) fn open(walker: &mut Walker<'_>, index: usize, bytes: &[u8]) {
    if !points_inside(bytes).unwrap_or(false) {
        return walker.unread(index, "its list points outside of its data");
    }
    let mut cabinet = match Cabinet::new(Cursor::new(bytes)) {
        Ok(cabinet) => cabinet,
        Err(error) => return walker.unread(index, &format!("its list is broken: {error}")),
    };
    let names: Vec<(String, u64)> = cabinet
        .folder_entries()
        .flat_map(|folder| folder.file_entries())
        .take(ENTRIES_MAX)
        .map(|file| (file.name().to_owned(), u64::from(file.uncompressed_size())))
        .collect();
    for (name, size) in names {
        let read = match cabinet.read_file(&name) {
            Ok(mut file) => read_within(walker, bytes.len(), &mut file),
            Err(error) => Err(Cut::Broken(error.to_string())),
        };
        match read {
            Ok(content) => {
                walker.child(index, &name, content);
            }
            Err(Cut::Limit(reason) | Cut::Broken(reason)) => {
                walker.unread(index, &format!("`{name}` in it: {reason}"));
                walker.closed(index, &name, size, &reason);
            }
        }
    }
}

/// Whether every file begins inside of its folder's data; the reader relies on it.
fn points_inside(bytes: &[u8]) -> Option<bool> {
    let flags = u16_at(bytes, 30)?;
    let (mut folder_reserve, mut data_reserve, mut at) = (0, 0, 36_usize);
    if flags & 4 != 0 {
        folder_reserve = usize::from(*bytes.get(38)?);
        data_reserve = usize::from(*bytes.get(39)?);
        at += 4 + usize::from(u16_at(bytes, 36)?);
    }
    // The names of the cabinets before and behind, each two texts.
    for _ in 0..2 * (flags & 3).count_ones() {
        at += memchr::memchr(0, bytes.get(at..)?)? + 1;
    }
    let mut sizes = Vec::new();
    for _ in 0..u16_at(bytes, 26)? {
        let mut block = u32_at(bytes, at)? as usize;
        let mut size = 0_u64;
        for _ in 0..u16_at(bytes, at + 4)? {
            size += u64::from(u16_at(bytes, block.checked_add(6)?)?);
            let packed = usize::from(u16_at(bytes, block + 4)?);
            block = block.checked_add(8 + data_reserve + packed)?;
        }
        sizes.push(size);
        at += 8 + folder_reserve;
    }
    let mut at = u32_at(bytes, 16)? as usize;
    for _ in 0..u16_at(bytes, 28)? {
        let start = u64::from(u32_at(bytes, at.checked_add(4)?)?);
        let folder = usize::from(u16_at(bytes, at + 8)?);
        // Higher numbers say that the folder goes on in another cabinet.
        let size = sizes.get(folder).copied().unwrap_or_default();
        if start >= size {
            return Some(false);
        }
        at = at.checked_add(16)?;
        at = at.checked_add(memchr::memchr(0, bytes.get(at..)?)? + 1)?;
    }
    Some(true)
}
