//! FAT12, FAT16 and FAT32 on a virtual disk.

use std::collections::BTreeSet;

use super::ENTRIES_MAX;
use super::vhd::Disk;
use crate::bytes::{name_text, u16_at, u32_at};
use crate::tree::Walker;

/// Whether a boot sector is that of a FAT volume.
pub(crate) fn is_volume(boot: &[u8]) -> bool {
    let sector = u16_at(boot, 11).unwrap_or_default();
    let named = |at: usize| boot.get(at..at + 3) == Some(b"FAT");
    boot.get(510..512) == Some(&[0x55, 0xaa])
        && matches!(sector, 512 | 1024 | 2048 | 4096)
        && boot.get(13).is_some_and(|cluster| cluster.is_power_of_two())
        && (named(54) || named(82))
}

struct Volume<'a> {
    disk: &'a Disk<'a>,
    table: Vec<u8>,
    bits: usize,
    data: usize,
    cluster: usize,
    entries: usize,
    seen: BTreeSet<usize>,
}

pub(crate) fn open(walker: &mut Walker<'_>, index: usize, disk: &Disk<'_>, start: usize) {
    if walk(walker, index, disk, start).is_none() {
        walker.unread(index, "its file system is broken");
    }
}

fn walk(walker: &mut Walker<'_>, index: usize, disk: &Disk<'_>, start: usize) -> Option<()> {
    let boot = disk.read(start, 512)?;
    let sector = usize::from(u16_at(&boot, 11)?);
    let cluster = usize::from(*boot.get(13)?) * sector;
    let reserved = usize::from(u16_at(&boot, 14)?) * sector;
    let tables = usize::from(*boot.get(16)?);
    let root_bytes = usize::from(u16_at(&boot, 17)?) * 32;
    let short = usize::from(u16_at(&boot, 22)?);
    let table = if short > 0 { short } else { u32_at(&boot, 36)? as usize }.checked_mul(sector)?;
    let sectors = match usize::from(u16_at(&boot, 19)?) {
        0 => u32_at(&boot, 32)? as usize,
        sectors => sectors,
    };
    let root = reserved.checked_add(tables.checked_mul(table)?)?;
    let data = root.checked_add(root_bytes)?;
    let clusters = sectors.checked_mul(sector)?.checked_sub(data)? / cluster;
    let bits = match clusters {
        ..4085 => 12,
        4085..65525 => 16,
        _ => 32,
    };
    let mut volume = Volume {
        disk,
        table: disk.read(start.checked_add(reserved)?, table.min(16 << 20))?,
        bits,
        data: start.checked_add(data)?,
        cluster,
        entries: 0,
        seen: BTreeSet::new(),
    };
    let first = if bits == 32 {
        volume.chain(u32_at(&boot, 44)? as usize, walker.limits().object_bytes_max)?
    } else {
        disk.read(start.checked_add(root)?, root_bytes)?
    };
    volume.folder(walker, index, &first, "", 0);
    Some(())
}

impl Volume<'_> {
    fn next(&self, cluster: usize) -> Option<usize> {
        let next = match self.bits {
            12 => {
                let pair = u16_at(&self.table, cluster + cluster / 2)?;
                usize::from(if cluster.is_multiple_of(2) { pair & 0xfff } else { pair >> 4 })
            }
            16 => usize::from(u16_at(&self.table, cluster * 2)?),
            _ => (u32_at(&self.table, cluster * 4)? & 0x0fff_ffff) as usize,
        };
        let end = match self.bits {
            12 => 0xff0,
            16 => 0xfff0,
            _ => 0x0fff_fff0,
        };
        (2..end).contains(&next).then_some(next)
    }

    fn chain(&self, first: usize, bytes_max: usize) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        let mut cluster = first;
        while cluster >= 2 && out.len() < bytes_max {
            let at = self.data.checked_add((cluster - 2).checked_mul(self.cluster)?)?;
            out.extend(self.disk.read(at, self.cluster)?);
            match self.next(cluster) {
                Some(next) => cluster = next,
                None => break,
            }
        }
        Some(out)
    }

    fn folder(
        &mut self,
        walker: &mut Walker<'_>,
        index: usize,
        folder: &[u8],
        within: &str,
        depth: usize,
    ) {
        if depth > 16 {
            return walker.unread(index, "its folders run too deep");
        }
        let mut long: Vec<u16> = Vec::new();
        for entry in folder.chunks_exact(32) {
            let first = entry[0];
            if first == 0 {
                return;
            }
            self.entries += 1;
            if self.entries > ENTRIES_MAX {
                return walker.unread(index, &format!("it has more than {ENTRIES_MAX} entries"));
            }
            let attributes = entry[11];
            if first == 0xe5 || first == b'.' {
                long.clear();
            } else if attributes == 0x0f {
                let mut part: Vec<u16> = Vec::new();
                for (from, count) in [(1, 5), (14, 6), (28, 2)] {
                    part.extend((0..count).filter_map(|unit| u16_at(entry, from + unit * 2)));
                }
                part.append(&mut long);
                long = part;
                long.truncate(256);
            } else if attributes & 8 != 0 {
                long.clear();
            } else {
                let name = file_name(entry, &long);
                long.clear();
                self.entry(walker, index, entry, &format!("{within}{name}"), depth);
            }
        }
    }

    fn entry(
        &mut self,
        walker: &mut Walker<'_>,
        index: usize,
        entry: &[u8],
        path: &str,
        depth: usize,
    ) {
        let high = usize::from(u16_at(entry, 20).unwrap_or_default());
        let low = usize::from(u16_at(entry, 26).unwrap_or_default());
        let first = if self.bits == 32 { high << 16 | low } else { low };
        let size = u32_at(entry, 28).unwrap_or_default() as usize;
        let attributes = entry.get(11).copied().unwrap_or_default();
        if attributes & 0x10 != 0 {
            if self.seen.insert(first)
                && let Some(folder) = self.chain(first, 4 << 20)
            {
                self.folder(walker, index, &folder, &format!("{path}/"), depth + 1);
            } else {
                walker.unread(index, &format!("folder `{path}` in it is broken"));
            }
            return;
        }
        if attributes & 2 != 0 {
            walker.fact(index, "hidden_member", path);
        }
        let most = walker.limits().object_bytes_max;
        match self.chain(first, size.min(most)).filter(|content| content.len() >= size) {
            Some(mut content) => {
                content.truncate(size);
                walker.child(index, path, content);
            }
            None => {
                let reason = "its clusters are broken or too many";
                walker.unread(index, &format!("`{path}` in it: {reason}"));
                walker.closed(index, path, size as u64, reason);
            }
        }
    }
}

fn file_name(entry: &[u8], long: &[u16]) -> String {
    if !long.is_empty() {
        let units: Vec<u16> =
            long.iter().copied().take_while(|unit| *unit != 0 && *unit != 0xffff).collect();
        return String::from_utf16_lossy(&units);
    }
    let part = |from: usize, to: usize| {
        name_text(entry.get(from..to).unwrap_or_default()).trim_end().to_owned()
    };
    let (stem, end) = (part(0, 8), part(8, 11));
    if end.is_empty() { stem } else { format!("{stem}.{end}") }
}
