//! ISO 9660 images, with Joliet's names where they are there.

use std::collections::BTreeSet;

use super::ENTRIES_MAX;
use crate::bytes::{name_text, slice, u32_at, utf16_be};
use crate::tree::Walker;

const SECTOR: usize = 2048;

pub(crate) fn open(walker: &mut Walker<'_>, index: usize, bytes: &[u8]) {
    let mut plain = None;
    let mut joliet = None;
    for sector in 16..64 {
        let Some(volume) = slice(bytes, sector * SECTOR, SECTOR) else { break };
        match volume.first() {
            Some(1) => plain = plain.or(Some(volume)),
            Some(2) if volume.get(88..90) == Some(b"%/") => joliet = joliet.or(Some(volume)),
            Some(255) => break,
            _ => {}
        }
    }
    let Some(volume) = joliet.or(plain) else {
        return walker.unread(index, "it has no description of its volume");
    };
    let Some(root) = volume.get(156..190).and_then(Extent::of) else {
        return walker.unread(index, "its root folder is broken");
    };
    let mut walk = Walk { bytes, is_joliet: joliet.is_some(), seen: BTreeSet::new(), entries: 0 };
    walk.folder(walker, index, &root, "", 0);
}

struct Extent {
    start: usize,
    size: usize,
}

impl Extent {
    fn of(record: &[u8]) -> Option<Self> {
        let start = usize::try_from(u32_at(record, 2)?).ok()?.checked_mul(SECTOR)?;
        Some(Extent { start, size: usize::try_from(u32_at(record, 10)?).ok()? })
    }
}

struct Walk<'a> {
    bytes: &'a [u8],
    is_joliet: bool,
    seen: BTreeSet<usize>,
    entries: usize,
}

impl Walk<'_> {
    fn folder(
        &mut self,
        walker: &mut Walker<'_>,
        index: usize,
        extent: &Extent,
        within: &str,
        depth: usize,
    ) {
        if depth > 16 || !self.seen.insert(extent.start) {
            return walker.unread(index, "its folders run in a circle or too deep");
        }
        let Some(folder) = slice(self.bytes, extent.start, extent.size) else {
            return walker.unread(index, "a folder lies outside of it");
        };
        let mut at = 0;
        while at < folder.len() {
            let size = folder.get(at).copied().map_or(0, usize::from);
            if size == 0 {
                // Records do not cross sectors; the rest of one is empty.
                at = (at / SECTOR + 1) * SECTOR;
                continue;
            }
            let Some(record) = slice(folder, at, size) else { return };
            at += size;
            self.entries += 1;
            if self.entries > ENTRIES_MAX {
                return walker.unread(index, &format!("it has more than {ENTRIES_MAX} entries"));
            }
            self.record(walker, index, record, within, depth);
        }
    }

    fn record(
        &mut self,
        walker: &mut Walker<'_>,
        index: usize,
        record: &[u8],
        within: &str,
        depth: usize,
    ) {
        let length = record.get(32).copied().map_or(0, usize::from);
        let Some(raw) = slice(record, 33, length) else { return };
        if matches!(raw, [0] | [1] | []) {
            return;
        }
        let name = if self.is_joliet { utf16_be(raw) } else { name_text(raw) };
        let name = name.split(';').next().unwrap_or_default().trim_end_matches('.').to_owned();
        let path = format!("{within}{name}");
        let Some(extent) = Extent::of(record) else { return };
        let flags = record.get(25).copied().unwrap_or_default();
        if flags & 2 != 0 {
            return self.folder(walker, index, &extent, &format!("{path}/"), depth + 1);
        }
        if flags & 1 != 0 {
            walker.fact(index, "hidden_member", &path);
        }
        match slice(self.bytes, extent.start, extent.size) {
            Some(content) => {
                walker.child(index, &path, content.to_vec());
            }
            None => {
                let reason = "it lies outside of the image";
                walker.unread(index, &format!("`{path}` in it: {reason}"));
                walker.closed(index, &path, extent.size as u64, reason);
            }
        }
    }
}
