//! Records of fixed size in partitions by hash, in memory up to a budget and in temporary files
//! beyond it.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

/// A record that is as many bytes on disk as any other of its kind.
pub(crate) trait Fixed: Copy {
    /// Bytes on disk.
    const BYTES: usize;
    fn put(&self, to: &mut Vec<u8>);
    fn take(from: &[u8]) -> Option<Self>;
}

pub(crate) const PARTITIONS: usize = 256;

/// Records a chunk holds; chunks of one size are used again by the allocator.
const CHUNK: usize = 1024;

#[derive(Debug)]
struct Partition<T> {
    /// The chunk that is being filled.
    open: Vec<T>,
    chunks: Vec<Vec<T>>,
    spilled: Option<File>,
    spilled_count: usize,
}

/// Partitions of records.
#[derive(Debug)]
pub(crate) struct Partitions<T> {
    parts: Vec<Partition<T>>,
    held: usize,
    budget: usize,
    folder: PathBuf,
}

/// A 64-bit hash of one number (the finaliser of SplitMix64).
pub(crate) fn mix(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

impl<T: Fixed> Partitions<T> {
    /// Empty partitions that hold `budget` bytes in memory and the rest in `folder`.
    pub(crate) fn new(folder: &Path, budget: usize) -> Self {
        let parts = (0..PARTITIONS)
            .map(|_| Partition {
                open: Vec::new(),
                chunks: Vec::new(),
                spilled: None,
                spilled_count: 0,
            })
            .collect();
        Partitions { parts, held: 0, budget: budget / size_of::<T>(), folder: folder.to_owned() }
    }

    pub(crate) fn push(&mut self, hash: u64, record: T) -> io::Result<()> {
        // The topmost eight bits are an index below 256.
        let Some(part) = self.parts.get_mut((hash >> 56) as usize) else { return Ok(()) };
        if part.open.len() == part.open.capacity() {
            let full = std::mem::replace(&mut part.open, Vec::with_capacity(CHUNK));
            if !full.is_empty() {
                part.chunks.push(full);
            }
        }
        part.open.push(record);
        self.held += 1;
        if self.held > self.budget { self.spill() } else { Ok(()) }
    }

    /// Moves everything to temporary files.
    fn spill(&mut self) -> io::Result<()> {
        let mut bytes = Vec::with_capacity(CHUNK * T::BYTES);
        for part in &mut self.parts {
            part.chunks.push(std::mem::take(&mut part.open));
            let mut file = match part.spilled.take() {
                Some(file) => file,
                None => tempfile::tempfile_in(&self.folder)?,
            };
            for chunk in part.chunks.drain(..) {
                bytes.clear();
                chunk.iter().for_each(|record| record.put(&mut bytes));
                file.write_all(&bytes)?;
                part.spilled_count += chunk.len();
            }
            part.spilled = Some(file);
        }
        self.held = 0;
        Ok(())
    }

    /// All records of a partition, which is empty afterwards.
    pub(crate) fn take(&mut self, index: usize) -> io::Result<Vec<T>> {
        let Some(part) = self.parts.get_mut(index) else { return Ok(Vec::new()) };
        part.chunks.push(std::mem::take(&mut part.open));
        let in_memory: usize = part.chunks.iter().map(Vec::len).sum();
        self.held = self.held.saturating_sub(in_memory);
        let mut all = Vec::with_capacity(in_memory + part.spilled_count);
        if let Some(mut file) = part.spilled.take() {
            file.seek(SeekFrom::Start(0))?;
            let mut from = BufReader::with_capacity(1 << 18, file);
            let mut bytes = vec![0; T::BYTES];
            for _ in 0..part.spilled_count {
                from.read_exact(&mut bytes)?;
                all.extend(T::take(&bytes));
            }
            part.spilled_count = 0;
        }
        for chunk in part.chunks.drain(..) {
            all.extend_from_slice(&chunk);
        }
        Ok(all)
    }
}
