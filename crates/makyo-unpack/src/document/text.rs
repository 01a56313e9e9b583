//! Texts that Windows acts upon, and texts that pose as certificates.

use base64::Engine as _;

use super::html::LENIENT;
use super::{interpreter, is_remote};
use crate::bytes::searchable;
use crate::name::extension;
use crate::tree::Walker;

const TEXT_BYTES_MAX: usize = 1 << 20;

/// A text between the marks of a certificate that is none: certutil decodes anything.
pub(crate) fn certificate(walker: &mut Walker<'_>, index: usize, bytes: &[u8]) {
    let body: Vec<u8> = bytes
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.starts_with(b"-----"))
        .flatten()
        .copied()
        .filter(|byte| !byte.is_ascii_whitespace())
        .collect();
    match LENIENT.decode(body) {
        // A certificate is an ASN.1 sequence.
        Ok(content) if content.first() != Some(&0x30) => {
            walker.fact(index, "certificate_is_none", "");
            walker.child(index, "decoded", content);
        }
        Ok(_) => {}
        Err(error) => walker.unread(index, &format!("its text does not decode: {error}")),
    }
}

/// Files by which Windows mounts, connects, searches or starts.
pub(crate) fn settings(walker: &mut Walker<'_>, index: usize, bytes: &[u8]) {
    let text = searchable(bytes, TEXT_BYTES_MAX);
    let value = |name: &str| {
        let (_, rest) = text.split_once(name)?;
        let value: String = rest.chars().take_while(|letter| !"\r\n<".contains(*letter)).collect();
        Some(value.trim().to_owned()).filter(|value| !value.is_empty())
    };
    let name = walker.name_of(index);
    match extension(&name).as_str() {
        "wsb" => {
            let command = value("<command>").unwrap_or_default();
            walker.fact(index, "sandbox_settings", &command);
        }
        "rdp" => {
            let host = value("full address:s:").unwrap_or_default();
            walker.fact(index, "remote_desktop_settings", &host);
        }
        "url" | "website" => {
            let target = value("url=").unwrap_or_default();
            let is_page = target.starts_with("http");
            walker.link(index, &target);
            if !is_page && (is_remote(&target) || interpreter(&target).is_some()) {
                walker.fact(index, "link_file_to_share", &target);
            } else {
                walker.fact(index, "link_file", &target);
            }
        }
        "library-ms" | "search-ms" | "searchconnector-ms" => {
            let target = value("<url>").or_else(|| value("<simplelocation>")).unwrap_or_default();
            walker.fact(index, "link_file_to_share", &target);
        }
        "iqy" | "slk" => walker.fact(index, "sheet_that_fetches", ""),
        other => walker.fact(index, "link_file_to_share", other),
    }
}
