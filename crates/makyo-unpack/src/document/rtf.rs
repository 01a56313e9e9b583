//! RTF: objects that are packed into it, and templates that it fetches.

use super::{is_remote, ole};
use crate::bytes::{searchable, slice, u32_at};
use crate::tree::Walker;

const OBJECTS_MAX: usize = 64;
const TEXT_BYTES_MAX: usize = 32 << 20;

pub(crate) fn open(walker: &mut Walker<'_>, index: usize, bytes: &[u8]) {
    let text = searchable(bytes, TEXT_BYTES_MAX);
    for (at, word) in text.match_indices("\\*\\template").take(8) {
        let rest = text.get(at + word.len()..).unwrap_or_default();
        let target: String =
            rest.trim_start().chars().take_while(|letter| *letter != '}').collect();
        if is_remote(&target) {
            walker.fact(index, "external_template", target.trim());
            walker.link(index, target.trim());
        }
    }
    if text.contains("\\objupdate") {
        walker.fact(index, "object_updates_itself", "");
    }
    for (count, (at, word)) in text.match_indices("\\objdata").enumerate() {
        if count >= OBJECTS_MAX {
            return walker.unread(index, &format!("it has more than {OBJECTS_MAX} objects"));
        }
        let data = digits(bytes_from(&text, at + word.len()));
        object(walker, index, &data);
    }
}

fn bytes_from(text: &str, at: usize) -> &str {
    text.get(at..).unwrap_or_default()
}

/// The hexadecimal digits of an object until its group ends; control words between them, which
/// others put there to hide it, do not count.
fn digits(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut high = None;
    let mut depth = 0_i32;
    let mut in_word = false;
    for letter in text.chars() {
        match letter {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            '\\' => in_word = true,
            letter if letter.is_whitespace() => in_word = false,
            letter if !in_word && letter.is_ascii_hexdigit() => {
                let digit = letter.to_digit(16).unwrap_or_default() as u8;
                match high.take() {
                    None => high = Some(digit),
                    Some(first) => out.push(first << 4 | digit),
                }
            }
            _ => {}
        }
        if out.len() > TEXT_BYTES_MAX {
            break;
        }
    }
    out
}

/// An object of the first kind: version, format, class, two names, size, and its bytes.
fn object(walker: &mut Walker<'_>, index: usize, data: &[u8]) {
    let read = || {
        let length = u32_at(data, 8)? as usize;
        let class = slice(data, 12, length)?;
        let class: String =
            class.iter().take_while(|byte| **byte != 0).map(|byte| char::from(*byte)).collect();
        let mut at = 12_usize.checked_add(length)?;
        for _ in 0..2 {
            at = at.checked_add(4)?.checked_add(u32_at(data, at)? as usize)?;
        }
        let size = u32_at(data, at)? as usize;
        let content = data.get(at.checked_add(4)?..)?;
        Some((class, content.get(..size.min(content.len()))?.to_vec()))
    };
    let Some((class, content)) = read() else {
        if !super::carve(walker, index, data, 0) {
            walker.unread(index, "an object in it is broken");
        }
        return;
    };
    let lower = class.to_lowercase();
    match lower.as_str() {
        "package" => ole::package(walker, index, &content),
        _ if lower.starts_with("equation") => {
            walker.fact(index, "equation_object", &class);
            walker.child(index, "equation", content);
        }
        "ole2link" | "htmlfile" | "scriptletfile" => {
            walker.fact(index, "linked_object", &class);
            walker.child(index, &lower, content);
        }
        _ => {
            walker.child(index, if lower.is_empty() { "object" } else { &lower }, content);
        }
    }
}
