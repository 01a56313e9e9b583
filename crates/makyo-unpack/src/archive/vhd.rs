//! Virtual disks: fixed and dynamic VHD, and bare disks, down to a FAT file system.

use super::fat;
use crate::bytes::{slice, u32_at, u32_be_at, u64_at};
use crate::tree::Walker;

const SECTOR: usize = 512;

/// Sectors of the disk as they lie in the file.
pub(crate) struct Disk<'a> {
    bytes: &'a [u8],
    /// For a dynamic disk: where each block's data begins, none where it was never written.
    blocks: Option<(usize, Vec<Option<usize>>)>,
}

impl Disk<'_> {
    /// So many bytes of the disk; zeros where a dynamic disk holds none.
    pub(crate) fn read(&self, at: usize, len: usize) -> Option<Vec<u8>> {
        let Some((block_bytes, blocks)) = &self.blocks else {
            return slice(self.bytes, at, len).map(<[u8]>::to_vec);
        };
        if len > self.bytes.len().saturating_add(1 << 20) {
            return None;
        }
        let mut out = Vec::with_capacity(len);
        let mut at = at;
        while out.len() < len {
            let within = at % block_bytes;
            let part = (block_bytes - within).min(len - out.len());
            match blocks.get(at / block_bytes)? {
                Some(start) => {
                    out.extend_from_slice(slice(self.bytes, start.checked_add(within)?, part)?);
                }
                None => out.resize(out.len() + part, 0),
            }
            at = at.checked_add(part)?;
        }
        Some(out)
    }
}

pub(crate) fn open(walker: &mut Walker<'_>, index: usize, bytes: &[u8]) {
    let Some(disk) = disk(bytes) else {
        return walker.unread(index, "the description of the virtual disk is broken");
    };
    let Some(boot) = disk.read(0, SECTOR) else {
        return walker.unread(index, "the disk breaks off");
    };
    if fat::is_volume(&boot) {
        return fat::open(walker, index, &disk, 0);
    }
    let mut found = false;
    for entry in 0..4 {
        let at = 446 + entry * 16;
        let kind = boot.get(at + 4).copied().unwrap_or_default();
        let start = u32_at(&boot, at + 8).unwrap_or_default() as usize;
        if kind == 0 || start == 0 {
            continue;
        }
        found = true;
        volume(walker, index, &disk, kind, start.saturating_mul(SECTOR));
    }
    if !found {
        walker.unread(index, "no file system that is known is on the disk");
    }
}

fn volume(walker: &mut Walker<'_>, index: usize, disk: &Disk<'_>, kind: u8, start: usize) {
    if kind == 0xee {
        return partition_table(walker, index, disk);
    }
    match disk.read(start, SECTOR) {
        Some(boot) if fat::is_volume(&boot) => fat::open(walker, index, disk, start),
        Some(boot) if boot.get(3..7) == Some(b"NTFS") => {
            walker.unread(index, "its file system is NTFS, which is not read in attachments");
        }
        Some(_) => walker.unread(index, "its file system is not known"),
        None => walker.unread(index, "a volume lies outside of the disk"),
    }
}

/// The newer table of partitions.
fn partition_table(walker: &mut Walker<'_>, index: usize, disk: &Disk<'_>) {
    let Some(table) = disk.read(2 * SECTOR, 128 * 16) else {
        return walker.unread(index, "the disk breaks off");
    };
    for entry in table.chunks_exact(128) {
        let start = u64_at(entry, 32).unwrap_or_default();
        if entry.iter().take(16).any(|byte| *byte != 0) && start > 0 {
            let start = usize::try_from(start).unwrap_or(usize::MAX).saturating_mul(SECTOR);
            volume(walker, index, disk, 0, start);
        }
    }
}

fn disk(bytes: &[u8]) -> Option<Disk<'_>> {
    if !bytes.starts_with(b"conectix") {
        return Some(Disk { bytes, blocks: None });
    }
    // A dynamic disk: a copy of the footer, then the header with the table of blocks.
    let header = bytes.get(512..1536)?;
    if !header.starts_with(b"cxsparse") {
        return None;
    }
    let table = usize::try_from(u32_be_at(header, 20)?).ok()?;
    let count = usize::try_from(u32_be_at(header, 28)?).ok()?.min(1 << 16);
    let block_bytes = usize::try_from(u32_be_at(header, 32)?).ok()?;
    if !(SECTOR..=64 << 20).contains(&block_bytes) {
        return None;
    }
    let bitmap = (block_bytes / SECTOR / 8).div_ceil(SECTOR) * SECTOR;
    let blocks = (0..count)
        .map_while(|at| u32_be_at(bytes, table.checked_add(at * 4)?))
        .map(|sector| (sector != u32::MAX).then(|| sector as usize * SECTOR + bitmap))
        .collect();
    Some(Disk { bytes, blocks: Some((block_bytes, blocks)) })
}
