//! What a file's name claims, and what it hides.

use crate::kind::Kind;

/// Names are kept to this length.
const NAME_CHARS_MAX: usize = 1024;
/// Names that run when they are opened.
const RUNS: &[&str] = &["exe", "scr", "pif", "com", "cpl", "msi", "msp", "appx", "msix", "jar"];
/// Names that an interpreter opens.
const SCRIPTS: &[&str] = &[
    "js",
    "jse",
    "vbs",
    "vbe",
    "wsf",
    "wsh",
    "wsc",
    "hta",
    "bat",
    "cmd",
    "ps1",
    "psm1",
    "sct",
    "reg",
    "msc",
    "chm",
    "xll",
    "application",
    "appref-ms",
    "settingcontent-ms",
];
/// Names that pose as documents before a second extension.
const DOCUMENTS: &[&str] = &[
    "doc", "docx", "docm", "xls", "xlsx", "xlsm", "ppt", "pptx", "pdf", "rtf", "jtd", "jtdc",
    "txt", "csv", "jpg", "jpeg", "png", "gif", "tif", "tiff", "htm", "html", "eml", "msg", "zip",
    "odt", "ods",
];

/// A name as it is kept: without control characters, and not longer than any product shows.
pub(crate) fn tidy(name: &str) -> String {
    let kept: String =
        name.chars().filter(|letter| !letter.is_control()).take(NAME_CHARS_MAX).collect();
    if kept.trim().is_empty() { "(unnamed)".to_owned() } else { kept }
}

/// The last part of a path.
pub(crate) fn base(name: &str) -> &str {
    name.rsplit(['/', '\\']).next().unwrap_or(name)
}

/// The extension in lower case, full-width letters as ordinary ones; empty where there is none.
pub(crate) fn extension(name: &str) -> String {
    let base: String = base(name).chars().filter_map(plain).collect();
    let trimmed = base.trim_end_matches([' ', '.']);
    trimmed.rsplit_once('.').map_or(String::new(), |(_, end)| end.trim().to_lowercase())
}

/// A letter without its width; none for letters that are not seen.
fn plain(letter: char) -> Option<char> {
    match letter {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(letter) - 0xfee0),
        '\u{3000}' => Some(' '),
        '\u{2024}' => Some('.'),
        letter if is_hidden(letter) => None,
        letter => Some(letter),
    }
}

/// Letters that turn the reading round or are not seen.
fn is_hidden(letter: char) -> bool {
    matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200b}'..='\u{200f}'
        | '\u{2800}' | '\u{3164}' | '\u{feff}' | '\u{00ad}')
}

/// Whether the name says that its file runs.
pub(crate) fn runs(extension: &str) -> bool {
    RUNS.contains(&extension)
}

/// Whether the name says that an interpreter opens it.
pub(crate) fn is_script(extension: &str) -> bool {
    SCRIPTS.contains(&extension)
}

/// Whether a member of this name is dangerous to open: seen in lists of archives that stay closed.
pub(crate) fn is_dangerous(name: &str) -> bool {
    let extension = extension(name);
    runs(&extension)
        || is_script(&extension)
        || matches!(
            extension.as_str(),
            "lnk"
                | "url"
                | "iso"
                | "img"
                | "vhd"
                | "vhdx"
                | "wsb"
                | "rdp"
                | "one"
                | "dll"
                | "library-ms"
                | "search-ms"
                | "iqy"
                | "slk"
        )
}

/// What a name does to deceive whoever reads it.
pub(crate) fn tricks(name: &str) -> Vec<&'static str> {
    let base = base(name);
    let mut found = Vec::new();
    if base
        .chars()
        .any(|letter| matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'))
    {
        found.push("turned_name");
    }
    let last = extension(name);
    if !(runs(&last) || is_script(&last) || last == "lnk" || last == "url") {
        return found;
    }
    let base: String = base.chars().filter_map(plain).collect();
    let stem = base.trim_end_matches([' ', '.']);
    let Some((stem, _)) = stem.rsplit_once('.') else { return found };
    let padding = [' ', '_', '.'];
    let bare = stem.trim_end_matches(padding);
    if stem.chars().count() - bare.chars().count() >= 5 {
        found.push("padded_name");
    }
    let before = bare.rsplit_once('.').map(|(_, end)| end.trim().to_lowercase());
    if before.is_some_and(|before| DOCUMENTS.contains(&before.as_str())) {
        found.push("double_extension");
    }
    found
}

/// The kinds that a name's extension promises; none if it promises nothing.
pub(crate) fn promised_by_name(name: &str) -> &'static [Kind] {
    use Kind::*;
    match extension(name).as_str() {
        "pdf" => &[Pdf],
        "doc" | "dot" | "xls" | "xlt" | "ppt" | "pps" => {
            &[Ole, Ooxml, Rtf, Html, Text, Xml, Message]
        }
        "docx" | "docm" | "dotx" | "dotm" | "xlsx" | "xlsm" | "xlsb" | "pptx" | "pptm" => {
            &[Ooxml, Ole]
        }
        "rtf" => &[Rtf, Ooxml, Ole, Text],
        "jtd" | "jtdc" => &[Ole],
        "jpg" | "jpeg" | "png" | "gif" | "bmp" | "tif" | "tiff" => &[Image],
        "txt" | "csv" | "log" => &[Text, Html, Xml, Script, Message, Certificate],
        "zip" => &[Zip, Ooxml],
        "msg" => &[Ole],
        _ => &[],
    }
}

/// The same for a declared media type.
pub(crate) fn promised_by_type(declared: &str) -> &'static [Kind] {
    use Kind::*;
    match declared.to_ascii_lowercase().as_str() {
        "application/pdf" => &[Pdf],
        "application/msword" | "application/vnd.ms-excel" | "application/vnd.ms-powerpoint" => {
            &[Ole, Ooxml, Rtf, Html, Text, Xml, Message]
        }
        "application/zip" | "application/x-zip-compressed" => {
            &[Zip, Ooxml, Rar, SevenZip, Gzip, Tar]
        }
        kind if kind.starts_with("image/") => &[Image, Xml, Text],
        _ => &[],
    }
}
