//! What an object is, told by its content.

use crate::bytes::{has, searchable, u32_at};
use crate::name::{extension, is_script};

/// So many bytes at the beginning decide.
const SNIFF_BYTES: usize = 64 * 1024;

macro_rules! kinds {
    ($($name:ident $word:literal $says:literal;)*) => {
        /// What an object is.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
        pub enum Kind {
            $(#[doc = $says] $name,)*
        }

        impl Kind {
            /// The word for it in records and rules.
            #[must_use]
            pub fn word(self) -> &'static str {
                match self { $(Kind::$name => $word,)* }
            }

            /// What people call it.
            #[must_use]
            pub fn says(self) -> &'static str {
                match self { $(Kind::$name => $says,)* }
            }

            /// The kind of a word.
            #[must_use]
            pub fn of_word(word: &str) -> Option<Self> {
                match word { $($word => Some(Kind::$name),)* _ => None }
            }
        }
    };
}

kinds! {
    Empty "empty" "empty file";
    Zip "zip" "ZIP archive";
    Ooxml "ooxml" "Office document";
    Odf "odf" "OpenDocument file";
    Ole "ole" "Office document of the older form";
    Msg "msg" "Outlook message";
    Tnef "tnef" "Outlook attachment bundle";
    SevenZip "7z" "7z archive";
    Rar "rar" "RAR archive";
    Cab "cab" "cabinet archive";
    Gzip "gzip" "gzip file";
    Bzip2 "bzip2" "bzip2 file";
    Xz "xz" "xz file";
    Tar "tar" "tar archive";
    Iso "iso" "disk image";
    Udf "udf" "disk image";
    Vhd "vhd" "virtual disk";
    Vhdx "vhdx" "virtual disk";
    Lnk "lnk" "Windows shortcut";
    Pe "pe" "Windows program";
    Elf "elf" "Linux program";
    Pdf "pdf" "PDF document";
    Rtf "rtf" "RTF document";
    OneNote "onenote" "OneNote section";
    Html "html" "web page";
    Xml "xml" "XML file";
    Script "script" "script";
    Settings "settings" "settings file that Windows acts upon";
    Certificate "certificate" "certificate text";
    Message "message" "mail message";
    Calendar "calendar" "calendar entry";
    Image "image" "image";
    Media "media" "sound or film";
    Chm "chm" "Windows help file";
    Text "text" "text";
    Unknown "unknown" "file of unknown kind";
}

impl Kind {
    /// Whether opening it runs something.
    pub(crate) fn runs(self) -> bool {
        matches!(self, Kind::Pe | Kind::Lnk | Kind::Script | Kind::Settings | Kind::Chm)
    }

    /// Whether it holds other files.
    #[must_use]
    pub fn is_container(self) -> bool {
        use Kind::*;
        matches!(
            self,
            Zip | SevenZip | Rar | Cab | Gzip | Bzip2 | Xz | Tar | Iso | Udf | Vhd | Vhdx
        )
    }

    /// Whether it is a disk that Windows mounts.
    pub(crate) fn is_disk(self) -> bool {
        matches!(self, Kind::Iso | Kind::Udf | Kind::Vhd | Kind::Vhdx)
    }
}

/// Tells what bytes are; the name helps only where text is text: a script has no other sign.
#[must_use]
pub fn kind_of(name: &str, bytes: &[u8]) -> Kind {
    if bytes.is_empty() {
        return Kind::Empty;
    }
    let head = bytes.get(..bytes.len().min(SNIFF_BYTES)).unwrap_or_default();
    by_magic(bytes, head).unwrap_or_else(|| by_text(name, head))
}

fn by_magic(bytes: &[u8], head: &[u8]) -> Option<Kind> {
    let starts = |magic: &[u8]| head.starts_with(magic);
    let kind = match head {
        _ if starts(b"PK\x03\x04") || starts(b"PK\x05\x06") => {
            if has(head, b"[Content_Types].xml") {
                Kind::Ooxml
            } else if has(head, b"mimetypeapplication/vnd.oasis") {
                Kind::Odf
            } else {
                Kind::Zip
            }
        }
        _ if starts(b"\x4c\0\0\0\x01\x14\x02\0") => Kind::Lnk,
        _ if starts(&[0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1]) => Kind::Ole,
        _ if starts(b"{\\rt") => Kind::Rtf,
        _ if starts(b"7z\xbc\xaf\x27\x1c") => Kind::SevenZip,
        _ if starts(b"Rar!\x1a\x07") => Kind::Rar,
        _ if starts(b"MSCF\0\0\0\0") => Kind::Cab,
        [0x1f, 0x8b, 8, ..] => Kind::Gzip,
        _ if starts(b"BZh") && has(head, b"1AY&SY") => Kind::Bzip2,
        _ if starts(b"\xfd7zXZ\0") => Kind::Xz,
        _ if starts(b"vhdxfile") => Kind::Vhdx,
        _ if starts(b"conectix") => Kind::Vhd,
        _ if starts(b"ITSF") => Kind::Chm,
        _ if starts(b"\x7fELF") => Kind::Elf,
        _ if starts(&ONENOTE) => Kind::OneNote,
        [0x78, 0x9f, 0x3e, 0x22, ..] => Kind::Tnef,
        _ if is_program(head) => Kind::Pe,
        [0xff, 0xd8, 0xff, ..] => Kind::Image,
        _ if starts(b"\x89PNG") || starts(b"GIF8") || starts(b"II*\0") || starts(b"MM\0*") => {
            Kind::Image
        }
        _ if starts(b"BM") && u32_at(head, 14) == Some(40) => Kind::Image,
        _ if starts(b"RIFF") || starts(b"ID3") || starts(b"OggS") => Kind::Media,
        _ if head.get(4..8) == Some(b"ftyp") => Kind::Media,
        _ if head.get(257..262) == Some(b"ustar") => Kind::Tar,
        _ if disk(bytes).is_some() => disk(bytes)?,
        // The mark may stand a little way in.
        _ if has(head.get(..head.len().min(1024)).unwrap_or_default(), b"%PDF-") => Kind::Pdf,
        _ => return None,
    };
    Some(kind)
}

pub(crate) const ONENOTE: [u8; 16] = [
    0xe4, 0x52, 0x5c, 0x7b, 0x8c, 0xd8, 0xa7, 0x4d, 0xae, 0xb1, 0x53, 0x78, 0xd0, 0x29, 0x96, 0xd3,
];

/// A DOS stub with or without the header behind it: a cut or hidden program is still one.
fn is_program(head: &[u8]) -> bool {
    if !head.starts_with(b"MZ") {
        return false;
    }
    let header = u32_at(head, 0x3c).map(|at| at as usize);
    header.is_some_and(|at| head.get(at..at.saturating_add(2)) == Some(b"PE"))
        || has(head.get(..head.len().min(512)).unwrap_or_default(), b"DOS mode")
        || head.iter().take(256).filter(|byte| **byte < 9).count() > 16
}

fn disk(bytes: &[u8]) -> Option<Kind> {
    let volume = |sector: usize| bytes.get(sector * 2048 + 1..sector * 2048 + 6);
    let marks: Vec<&[u8]> = (16..32).filter_map(volume).collect();
    if marks.contains(&b"CD001".as_slice()) {
        return Some(Kind::Iso);
    }
    if marks.contains(&b"NSR02".as_slice()) || marks.contains(&b"NSR03".as_slice()) {
        return Some(Kind::Udf);
    }
    let footer = bytes.len().checked_sub(512).and_then(|at| bytes.get(at..at + 8));
    let boots = bytes.get(510..512) == Some(&[0x55, 0xaa]);
    (footer == Some(b"conectix")).then_some(Kind::Vhd).or_else(|| {
        // A bare disk: a boot sector with the name of a file system.
        let named = |at: usize, word: &[u8]| bytes.get(at..at + word.len()) == Some(word);
        (boots && (named(3, b"NTFS    ") || named(54, b"FAT") || named(82, b"FAT32")))
            .then_some(Kind::Vhd)
    })
}

fn by_text(name: &str, head: &[u8]) -> Kind {
    if !is_text(head) {
        return Kind::Unknown;
    }
    let text = searchable(head, SNIFF_BYTES);
    let text = text.trim_start_matches(['\u{ef}', '\u{bb}', '\u{bf}', '\u{ff}', '\u{fe}']);
    let text = text.trim_start();
    let extension = extension(name);
    if is_script(&extension) {
        return Kind::Script;
    }
    if matches!(
        extension.as_str(),
        "wsb"
            | "rdp"
            | "library-ms"
            | "search-ms"
            | "searchconnector-ms"
            | "url"
            | "website"
            | "iqy"
            | "slk"
            | "theme"
            | "desktopthemepack"
    ) {
        return Kind::Settings;
    }
    if text.starts_with("-----begin certificate") {
        return Kind::Certificate;
    }
    if text.starts_with("begin:vcalendar") {
        return Kind::Calendar;
    }
    if is_page(text) {
        return Kind::Html;
    }
    if text.starts_with("<?xml") || text.starts_with("<configuration") {
        return if text.contains("<logoncommand") || text.contains("librarydescription") {
            Kind::Settings
        } else {
            Kind::Xml
        };
    }
    if is_message(text) { Kind::Message } else { Kind::Text }
}

fn is_page(text: &str) -> bool {
    let begin: String = text.chars().take(4096).collect();
    ["<html", "<!doctype html", "<script", "<svg", "<body"].iter().any(|tag| begin.contains(tag))
        && (text.starts_with('<') || begin.contains("</") || begin.contains("<script"))
}

fn is_message(text: &str) -> bool {
    let names = ["received", "from", "to", "subject", "date", "message-id", "mime-version"];
    let known = text
        .lines()
        .take(60)
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.split_once(':'))
        .filter(|line| names.contains(&line.0))
        .count();
    known >= 3
}

fn is_text(head: &[u8]) -> bool {
    let utf16 = head.starts_with(&[0xff, 0xfe]) || head.starts_with(&[0xfe, 0xff]);
    let strange =
        head.iter().filter(|byte| matches!(byte, 0..=8 | 11 | 14..=26 | 28..=31 | 127)).count();
    utf16 || strange * 50 <= head.len()
}
