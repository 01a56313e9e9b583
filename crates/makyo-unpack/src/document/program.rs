//! Windows programs: whether an archive stands behind them that they unpack.

use super::carve;
use crate::bytes::{has, slice, u16_at, u32_at};
use crate::tree::Walker;

pub(crate) fn open(walker: &mut Walker<'_>, index: usize, bytes: &[u8]) {
    let Some(end) = end_of_sections(bytes) else { return };
    let behind = bytes.get(end..).unwrap_or_default();
    if behind.len() < 64 {
        return;
    }
    if carve(walker, index, bytes, end) {
        let script =
            has(behind, b";!@Install@!") || has(behind, b"Setup=") || has(behind, b"Silent=");
        let says = if script { "with instructions to start what it unpacks" } else { "" };
        walker.fact(index, "self_extracting", says);
    }
}

/// Where the last section of the program ends.
fn end_of_sections(bytes: &[u8]) -> Option<usize> {
    let header = u32_at(bytes, 0x3c)? as usize;
    if slice(bytes, header, 4)? != b"PE\0\0" {
        return None;
    }
    let count = usize::from(u16_at(bytes, header + 6)?).min(96);
    let optional = usize::from(u16_at(bytes, header + 20)?);
    let table = header.checked_add(24 + optional)?;
    let end = (0..count)
        .filter_map(|section| {
            let at = table + section * 40;
            let size = u32_at(bytes, at + 16)? as usize;
            let start = u32_at(bytes, at + 20)? as usize;
            start.checked_add(size)
        })
        .max()?;
    (end > 0 && end < bytes.len()).then_some(end)
}
