//! Documents, and other files that carry more than they show.

pub(crate) mod html;
pub(crate) mod lnk;
mod macros;
pub(crate) mod mail;
pub(crate) mod ole;
pub(crate) mod onenote;
pub(crate) mod ooxml;
pub(crate) mod pdf;
pub(crate) mod program;
pub(crate) mod rtf;
pub(crate) mod text;

use crate::tree::Walker;

/// Programs that lures have others start for them.
const INTERPRETERS: &[&str] = &[
    "powershell",
    "pwsh",
    "cmd.exe",
    "mshta",
    "wscript",
    "cscript",
    "rundll32",
    "regsvr32",
    "msiexec",
    "certutil",
    "forfiles",
    "conhost",
    "msbuild",
    "installutil",
    "bitsadmin",
    "curl",
    "expand",
    "explorer.exe",
    "ftp.exe",
    "ssh.exe",
    "%comspec%",
];

/// The interpreter that a command names.
fn interpreter(command: &str) -> Option<&'static str> {
    INTERPRETERS.iter().copied().find(|name| command.contains(name))
}

/// Whether a link leads to another machine.
fn is_remote(target: &str) -> bool {
    let target = target.trim().to_ascii_lowercase();
    ["http://", "https://", "ftp://", "file://", "\\\\", "//", "mhtml:"]
        .iter()
        .any(|begin| target.starts_with(begin))
}

/// A file that stands somewhere inside of bytes, from its magic on.
fn carve(walker: &mut Walker<'_>, index: usize, bytes: &[u8], from: usize) -> bool {
    const MAGICS: &[(&[u8], &str)] = &[
        (b"PK\x03\x04", "behind.zip"),
        (b"Rar!\x1a\x07", "behind.rar"),
        (b"7z\xbc\xaf\x27\x1c", "behind.7z"),
        (b"MSCF\0\0\0\0", "behind.cab"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "behind.doc"),
        (b"%PDF-", "behind.pdf"),
    ];
    let rest = bytes.get(from..).unwrap_or_default();
    let found = MAGICS
        .iter()
        .filter_map(|(magic, name)| Some((memchr::memmem::find(rest, magic)?, *name)))
        .min();
    let program = rest.starts_with(b"MZ").then_some((0, "behind.exe"));
    let Some((at, name)) = program.or(found) else { return false };
    let part = rest.get(at..).unwrap_or_default().to_vec();
    walker.child(index, name, part).is_some()
}
