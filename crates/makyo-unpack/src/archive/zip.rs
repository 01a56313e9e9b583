//! ZIP archives, and the documents that are ZIP archives.

use std::io::Cursor;

use zip::ZipArchive;

use super::{Cut, ENTRIES_MAX, read_within};
use crate::bytes::{name_text, u32_at};
use crate::document::ooxml;
use crate::kind::Kind;
use crate::tree::Walker;

type Archive<'a> = ZipArchive<Cursor<&'a [u8]>>;

/// Passwords tried on one archive.
const TRIES_MAX: usize = 64;

struct Entry {
    name: String,
    size_bytes: u64,
    packed: usize,
    is_locked: bool,
    is_folder: bool,
}

pub(crate) fn open(walker: &mut Walker<'_>, index: usize, bytes: &[u8]) {
    let mut archive = match ZipArchive::new(Cursor::new(bytes)) {
        Ok(archive) => archive,
        Err(error) => return walker.unread(index, &format!("its list is broken: {error}")),
    };
    let entries = list(walker, index, &mut archive);
    let is_office = entries.iter().any(|entry| entry.name == "[Content_Types].xml");
    if is_office {
        walker.set_kind(index, Kind::Ooxml);
    } else if walker.kind(index) == Kind::Zip {
        lies(walker, index, &mut archive, bytes);
    }
    let password = entries
        .iter()
        .position(|entry| entry.is_locked)
        .and_then(|first| unlock(walker, index, &mut archive, first));
    for (at, entry) in entries.iter().enumerate().filter(|entry| !entry.1.is_folder) {
        if is_office && !ooxml::wants(&entry.name) {
            continue;
        }
        let read = if entry.is_locked {
            let Some(password) = &password else {
                let reason = "it is encrypted, and no password in the mails opens it";
                walker.unread(index, reason);
                walker.closed(index, &entry.name, entry.size_bytes, reason);
                continue;
            };
            decrypt(walker, &mut archive, at, entry.packed, password)
        } else {
            plain(walker, &mut archive, at, entry.packed)
        };
        match read {
            Ok(content) if is_office => ooxml::part(walker, index, &entry.name, content),
            Ok(content) => {
                walker.child(index, &entry.name, content);
            }
            Err(Cut::Limit(reason) | Cut::Broken(reason)) => {
                walker.unread(index, &format!("`{}` in it: {reason}", entry.name));
                walker.closed(index, &entry.name, entry.size_bytes, &reason);
            }
        }
    }
}

fn list(walker: &mut Walker<'_>, index: usize, archive: &mut Archive<'_>) -> Vec<Entry> {
    if archive.len() > ENTRIES_MAX {
        walker.unread(index, &format!("it has more than {ENTRIES_MAX} entries"));
    }
    let mut entries = Vec::new();
    for at in 0..archive.len().min(ENTRIES_MAX) {
        match archive.by_index_raw(at) {
            Ok(entry) => entries.push(Entry {
                name: name_text(entry.name_raw()),
                size_bytes: entry.size(),
                packed: usize::try_from(entry.compressed_size()).unwrap_or(usize::MAX),
                is_locked: entry.encrypted(),
                is_folder: entry.is_dir(),
            }),
            Err(error) => {
                walker.unread(index, &format!("entry {at} of its list is broken: {error}"));
                // The place is kept, so that numbers stay those of the archive.
                let name = String::new();
                entries.push(Entry {
                    name,
                    size_bytes: 0,
                    packed: 0,
                    is_locked: false,
                    is_folder: true,
                });
            }
        }
    }
    if entries.iter().any(|entry| entry.is_locked) {
        walker.fact(index, "encrypted", "");
    }
    entries
}

fn plain(
    walker: &Walker<'_>,
    archive: &mut Archive<'_>,
    at: usize,
    packed: usize,
) -> Result<Vec<u8>, Cut> {
    let mut entry = archive.by_index(at).map_err(|error| Cut::Broken(error.to_string()))?;
    read_within(walker, packed, &mut entry)
}

fn decrypt(
    walker: &Walker<'_>,
    archive: &mut Archive<'_>,
    at: usize,
    packed: usize,
    password: &str,
) -> Result<Vec<u8>, Cut> {
    let mut entry = archive
        .by_index_decrypt(at, password.as_bytes())
        .map_err(|error| Cut::Broken(error.to_string()))?;
    read_within(walker, packed, &mut entry)
}

/// The first password that opens an entry to its checksum.
fn unlock(
    walker: &mut Walker<'_>,
    index: usize,
    archive: &mut Archive<'_>,
    first: usize,
) -> Option<String> {
    let packed = archive.by_index_raw(first).ok()?.compressed_size();
    let packed = usize::try_from(packed).unwrap_or(usize::MAX);
    for password in walker.passwords(TRIES_MAX) {
        // A limit is reached behind a password that fits; a wrong one breaks the stream.
        if !matches!(decrypt(walker, archive, first, packed, &password), Err(Cut::Broken(_))) {
            walker.opened_with(index, &password);
            return Some(password);
        }
    }
    None
}

/// Where the list at the end and the entries themselves disagree, programs disagree on what the
/// archive holds.
fn lies(walker: &mut Walker<'_>, index: usize, archive: &mut Archive<'_>, bytes: &[u8]) {
    if archive.has_overlapping_entries().unwrap_or(false) {
        walker.fact(index, "archive_lies", "entries lie on one another");
    }
    if archive.offset() > 0 && u32_at(bytes, 0) == Some(0x0403_4b50) {
        walker.fact(index, "archive_lies", "another archive stands before its list");
    }
    for at in 0..archive.len().min(64) {
        let Ok(entry) = archive.by_index_raw(at) else { continue };
        let start = usize::try_from(entry.header_start()).unwrap_or(usize::MAX);
        let Some(length) = crate::bytes::u16_at(bytes, start.saturating_add(26)) else { continue };
        let local = crate::bytes::slice(bytes, start.saturating_add(30), usize::from(length));
        if local.is_some_and(|local| local != entry.name_raw()) {
            let detail = format!("one entry has two names: {}", name_text(entry.name_raw()));
            walker.fact(index, "archive_lies", &detail);
            return;
        }
    }
}
