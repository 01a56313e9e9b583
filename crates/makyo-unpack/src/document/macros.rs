//! Macros: their text out of its compression, and what it would do.

use crate::bytes::u16_at;
use crate::tree::Walker;

const CODE_BYTES_MAX: usize = 4 << 20;

/// Names that Office calls by itself.
const STARTS: &[&str] = &[
    "autoopen",
    "auto_open",
    "autoexec",
    "autoexit",
    "autoclose",
    "auto_close",
    "autonew",
    "document_open",
    "document_close",
    "documentopen",
    "documentchange",
    "document_new",
    "workbook_open",
    "workbook_activate",
    "workbook_beforeclose",
    "worksheet_change",
    "_layout",
    "_resize",
    "_gotfocus",
    "_mousehover",
    "inkpicture",
];
/// Words by which a macro starts programs or writes files.
const ACTS: &[&str] = &[
    "shell",
    "wscript.shell",
    "shell.application",
    "winmgmts",
    "createobject",
    "getobject",
    "callbyname",
    "urldownloadtofile",
    "msxml2",
    "winhttp",
    "adodb.stream",
    "savetofile",
    "filecopy",
    "kill ",
    "declare ptrsafe",
    "declare function",
    "virtualalloc",
    "createthread",
    "rtlmovememory",
    "powershell",
    "environ",
    "open for binary",
    "createtextfile",
    "execute",
    "shellexecute",
    "schtasks",
    "regwrite",
];

/// The code of one document.
#[derive(Default)]
pub(crate) struct Code {
    text: String,
    modules: usize,
    stomped: Option<String>,
}

impl Code {
    pub(crate) fn add(&mut self, name: &str, content: &[u8]) {
        if matches!(name, "dir" | "PROJECT" | "PROJECTwm" | "_VBA_PROJECT")
            || name.starts_with("__SRP")
        {
            return;
        }
        // Compressed text begins three bytes before this word, which all modules begin with.
        let place = memchr::memmem::find(content, b"\0Attribut");
        match place.and_then(|at| at.checked_sub(3)).and_then(|at| content.get(at..)) {
            Some(packed) => {
                self.modules += 1;
                let room = CODE_BYTES_MAX.saturating_sub(self.text.len());
                let text = decompress(packed, room);
                self.text.extend(
                    text.iter().map(|byte| char::from(byte.to_ascii_lowercase())).chain(['\n']),
                );
            }
            None if content.len() > 4096 => self.stomped = Some(name.to_owned()),
            None => {}
        }
    }

    pub(crate) fn tell(&self, walker: &mut Walker<'_>, index: usize) {
        if let Some(name) = &self.stomped {
            walker.fact(index, "macro_without_text", name);
        }
        if self.modules == 0 {
            return;
        }
        // Every module has a header of attributes; code is what comes beside them.
        let has_code = self
            .text
            .lines()
            .any(|line| !line.trim().is_empty() && !line.trim_start().starts_with("attribute "));
        if !has_code {
            return;
        }
        let starts = STARTS.iter().find(|word| self.text.contains(*word));
        let acts: Vec<&str> =
            ACTS.iter().copied().filter(|word| self.text.contains(*word)).take(6).collect();
        match starts {
            Some(start) if !acts.is_empty() => {
                walker.fact(index, "macro_acts_alone", &format!("{start}; {}", acts.join(", ")));
            }
            Some(start) => walker.fact(index, "macro_starts_alone", start),
            None => walker.fact(index, "macro", &acts.join(", ")),
        }
    }
}

/// The run-length form in which macros are kept (MS-OVBA 2.4.1): chunks of up to 4,096 bytes, in
/// which a bit tells letters from copies of what stands before.
fn decompress(packed: &[u8], bytes_max: usize) -> Vec<u8> {
    let mut out = Vec::new();
    if packed.first() != Some(&1) {
        return out;
    }
    let mut at = 1;
    while let Some(header) = u16_at(packed, at) {
        let end = at + usize::from(header & 0xfff) + 3;
        let is_packed = header & 0x8000 != 0;
        at += 2;
        let chunk = packed.get(at..end.min(packed.len())).unwrap_or_default();
        if header & 0x7000 != 0x3000 || chunk.is_empty() || out.len() > bytes_max {
            return out;
        }
        if is_packed {
            chunk_out(chunk, &mut out);
        } else {
            out.extend_from_slice(chunk);
        }
        at = end;
    }
    out
}

fn chunk_out(chunk: &[u8], out: &mut Vec<u8>) {
    let start = out.len();
    let mut at = 0;
    while let Some(flags) = chunk.get(at).copied() {
        at += 1;
        for bit in 0..8 {
            if flags >> bit & 1 == 0 {
                let Some(byte) = chunk.get(at) else { return };
                out.push(*byte);
                at += 1;
                continue;
            }
            let Some(token) = u16_at(chunk, at) else { return };
            at += 2;
            let written = out.len() - start;
            // The more is written, the more bits of a copy tell how far back it begins.
            let mut bits = 4_u32;
            while (1_usize << bits) < written && bits < 12 {
                bits += 1;
            }
            let length = usize::from(token & (0xffff >> bits)) + 3;
            let back = usize::from(token >> (16 - bits)) + 1;
            if back > written || written + length > 1 << 13 {
                return;
            }
            for _ in 0..length {
                let Some(byte) = out.get(out.len() - back).copied() else { return };
                out.push(byte);
            }
        }
    }
}
