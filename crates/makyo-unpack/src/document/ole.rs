//! Compound files: older Office documents, macros, packed objects, Outlook messages, Ichitaro.

use std::io::{Cursor, Read as _};

use super::macros;
use crate::bytes::{name_text, slice, u16_at, u32_at, until_zero, utf16_le};
use crate::kind::Kind;
use crate::tree::Walker;

const STREAMS_MAX: usize = 2_000;
/// Of a stream that is only searched.
const STREAM_BYTES_MAX: u64 = 32 << 20;

type File<'a> = cfb::CompoundFile<Cursor<&'a [u8]>>;

pub(crate) fn open(walker: &mut Walker<'_>, index: usize, bytes: &[u8]) {
    let mut file = match cfb::CompoundFile::open(Cursor::new(bytes)) {
        Ok(file) => file,
        Err(error) => return walker.unread(index, &format!("its folders are broken: {error}")),
    };
    let paths: Vec<String> = file
        .walk()
        .filter(|entry| entry.is_stream())
        .take(STREAMS_MAX + 1)
        .map(|entry| entry.path().to_string_lossy().into_owned())
        .collect();
    if paths.len() > STREAMS_MAX {
        walker.unread(index, &format!("it has more than {STREAMS_MAX} streams"));
    }
    if paths.iter().any(|path| path.ends_with("/EncryptedPackage")) {
        walker.fact(index, "encrypted_document", "");
        walker.unread(index, "the document is encrypted");
    }
    if paths.iter().any(|path| path.contains("__properties_version1.0")) {
        walker.set_kind(index, Kind::Msg);
        return attachments(walker, index, &mut file, &paths);
    }
    let mut code = macros::Code::default();
    for path in paths.iter().take(STREAMS_MAX) {
        let name = path.rsplit('/').next().unwrap_or_default();
        match stream(&mut file, path) {
            Some(content) => look(walker, index, path, name, &content, &mut code),
            None => walker.unread(index, &format!("stream `{path}` in it is broken")),
        }
    }
    code.tell(walker, index);
}

fn stream(file: &mut File<'_>, path: &str) -> Option<Vec<u8>> {
    let mut content = Vec::new();
    let from = file.open_stream(path).ok()?;
    from.take(STREAM_BYTES_MAX).read_to_end(&mut content).ok()?;
    Some(content)
}

fn look(
    walker: &mut Walker<'_>,
    index: usize,
    path: &str,
    name: &str,
    content: &[u8],
    code: &mut macros::Code,
) {
    match name {
        "\u{1}Ole10Native" => package(walker, index, content),
        "Equation Native" => walker.fact(index, "equation_object", ""),
        "Workbook" | "Book" => hidden_sheets(walker, index, content),
        "Package" | "CONTENTS" | "OleObject" if content.len() > 64 => {
            walker.child(index, path, content.to_vec());
        }
        "\u{3}LinkInfo" => {}
        _ if path.to_lowercase().contains("vba/") || path.contains("Macros/") => {
            code.add(name, content);
        }
        _ => {}
    }
}

/// The file that somebody dropped into a document: size, label, path, and the bytes.
pub(crate) fn package(walker: &mut Walker<'_>, index: usize, content: &[u8]) {
    let read = || {
        let mut at = 6_usize;
        let label = until_zero(content.get(at..)?);
        at += label.len() + 1;
        let file = until_zero(content.get(at..)?);
        at += file.len() + 1 + 4;
        let length = u32_at(content, at)? as usize;
        at = at.checked_add(4)?.checked_add(length)?;
        let size = u32_at(content, at)? as usize;
        let data = content.get(at.checked_add(4)?..)?;
        Some((name_text(label), data.get(..size.min(data.len()))?.to_vec()))
    };
    match read() {
        Some((label, data)) => {
            let runs =
                crate::name::is_dangerous(&label) || crate::kind::kind_of(&label, &data).runs();
            walker.fact(index, if runs { "packed_program" } else { "packed_file" }, &label);
            walker.child(index, &label, data);
        }
        None => walker.unread(index, "an object that is packed into it is broken"),
    }
}

/// Sheets of the old macro language, and whether they are hidden.
fn hidden_sheets(walker: &mut Walker<'_>, index: usize, content: &[u8]) {
    let mut at = 0;
    for _ in 0..100_000 {
        let (Some(kind), Some(size)) = (u16_at(content, at), u16_at(content, at + 2)) else {
            return;
        };
        if kind == 0x85
            && let Some([hidden, 1]) = slice(content, at + 8, 2)
        {
            walker.fact(index, "macro_sheet", if hidden & 3 == 0 { "" } else { "hidden" });
        }
        if kind == 0x2f {
            walker.fact(index, "encrypted_document", "");
            return walker.unread(index, "the workbook is encrypted");
        }
        at += 4 + usize::from(size);
    }
}

/// What is attached to an Outlook message.
fn attachments(walker: &mut Walker<'_>, index: usize, file: &mut File<'_>, paths: &[String]) {
    for path in paths.iter().filter(|path| path.ends_with("__substg1.0_37010102")) {
        let Some(folder) = path.rsplit_once('/').map(|(folder, _)| folder.to_owned()) else {
            continue;
        };
        let mut name = String::new();
        for property in ["3707001F", "3704001F", "3001001F"] {
            if name.is_empty()
                && let Some(text) = stream(file, &format!("{folder}/__substg1.0_{property}"))
            {
                name = utf16_le(&text);
            }
        }
        for property in ["3707001E", "3704001E"] {
            if name.is_empty()
                && let Some(text) = stream(file, &format!("{folder}/__substg1.0_{property}"))
            {
                name = name_text(until_zero(&text));
            }
        }
        match stream(file, path) {
            Some(content) => {
                walker.child(index, &name, content);
            }
            None => walker.unread(index, &format!("attachment `{name}` in it is broken")),
        }
    }
}
