//! Windows shortcuts (MS-SHLLINK): what they start, with what, and on which machine they were made.

use super::{carve, interpreter};
use crate::bytes::{searchable, slice, u16_at, u32_at, until_zero, utf16_le};
use crate::tree::Walker;

const ARGUMENTS_LONG: usize = 260;
const OVERLAY_LARGE: usize = 4096;

#[derive(Default)]
struct Shortcut {
    target: String,
    arguments: String,
    icon: String,
    machine: String,
    hardware: String,
    end: usize,
}

pub(crate) fn open(walker: &mut Walker<'_>, index: usize, bytes: &[u8]) {
    let mut shortcut = Shortcut::default();
    if read(bytes, &mut shortcut).is_none() {
        walker.unread(index, "the shortcut is broken");
    }
    let command = format!("{} {}", shortcut.target, shortcut.arguments);
    walker.fact(index, "shortcut_command", command.trim());
    if let Some(program) = interpreter(&command.to_lowercase()) {
        walker.fact(
            index,
            "shortcut_starts_interpreter",
            &format!("{program}: {}", command.trim()),
        );
    }
    let blanks = shortcut.arguments.chars().filter(|letter| letter.is_whitespace()).count();
    if shortcut.arguments.chars().count() > ARGUMENTS_LONG || blanks >= 50 {
        let length = shortcut.arguments.chars().count();
        walker.fact(index, "shortcut_hides_command", &format!("{length} characters"));
    }
    if !shortcut.icon.is_empty() {
        walker.fact(index, "shortcut_icon", &shortcut.icon);
    }
    if !shortcut.machine.is_empty() {
        let maker = format!("machine {}, hardware address {}", shortcut.machine, shortcut.hardware);
        walker.fact(index, "shortcut_maker", &maker);
    }
    let behind = bytes.len().saturating_sub(shortcut.end);
    if carve(walker, index, bytes, shortcut.end) || behind > OVERLAY_LARGE {
        walker.fact(index, "shortcut_carries_file", &format!("{behind} bytes behind its end"));
    }
}

fn read(bytes: &[u8], out: &mut Shortcut) -> Option<()> {
    let flags = u32_at(bytes, 0x14)?;
    let mut at = 0x4c_usize;
    if flags & 1 != 0 {
        let size = usize::from(u16_at(bytes, at)?);
        let list = slice(bytes, at + 2, size)?;
        out.target = program_in(list);
        at = at.checked_add(2 + size)?;
    }
    if flags & 2 != 0 {
        let size = u32_at(bytes, at)? as usize;
        let info = slice(bytes, at, size)?;
        let place = u32_at(info, 16)? as usize;
        if u32_at(info, 8)? & 1 != 0 && place > 0 {
            let path = until_zero(info.get(place..)?);
            out.target = crate::bytes::name_text(path);
        }
        at = at.checked_add(size)?;
    }
    let is_wide = flags & 0x80 != 0;
    for bit in 2..7 {
        if flags >> bit & 1 == 0 {
            continue;
        }
        let count = usize::from(u16_at(bytes, at)?);
        let size = if is_wide { count * 2 } else { count };
        let text = slice(bytes, at + 2, size)?;
        let text = if is_wide { utf16_le(text) } else { crate::bytes::name_text(text) };
        match bit {
            3 if out.target.is_empty() => out.target = text,
            5 => out.arguments = text,
            6 => out.icon = text,
            _ => {}
        }
        at = at.checked_add(2 + size)?;
    }
    out.end = at;
    extra(bytes, at, out)
}

/// The blocks behind the texts, until one that is shorter than a block.
fn extra(bytes: &[u8], mut at: usize, out: &mut Shortcut) -> Option<()> {
    for _ in 0..64 {
        let size = u32_at(bytes, at)? as usize;
        if size < 4 {
            out.end = at + 4;
            return Some(());
        }
        let block = slice(bytes, at, size)?;
        match u32_at(block, 4)? {
            0xa000_0001 => {
                let wide = utf16_le(block.get(8 + 260..).unwrap_or_default());
                let narrow = crate::bytes::name_text(until_zero(slice(block, 8, 260)?));
                out.target = if wide.is_empty() { narrow } else { wide };
            }
            0xa000_0003 => {
                out.machine = crate::bytes::name_text(until_zero(slice(block, 16, 16)?));
                // The last six bytes of the file's birth id are the maker's network card.
                let card = slice(block, 32 + 16 + 10, 6)?;
                out.hardware =
                    card.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(":");
            }
            _ => {}
        }
        at = at.checked_add(size)?;
        out.end = at;
    }
    Some(())
}

/// A program's name in a list of shell items, which are of many forms.
fn program_in(list: &[u8]) -> String {
    let text = searchable(list, list.len());
    let end = text.match_indices(".exe").last().map(|(at, word)| at + word.len());
    let Some(end) = end else { return String::new() };
    let before = text.get(..end).unwrap_or_default();
    let name: Vec<char> = before
        .chars()
        .rev()
        .take_while(|letter| letter.is_ascii_alphanumeric() || "._-\\:%".contains(*letter))
        .collect();
    name.into_iter().rev().collect()
}
