//! One event log file out of many: only chunks that are well filled, as in the log of a busy
//! machine. Sample collections are mostly files with one record in an empty chunk, which measure
//! the opening of files.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

const HEADER_BYTES: usize = 4096;
const CHUNK_BYTES: usize = 65_536;
/// Where a chunk's header says where its free space begins.
const FREE_SPACE_OFFSET: usize = 48;
/// Chunks with less than this in them are left out.
const FILLED_MIN: usize = CHUNK_BYTES * 6 / 10;
/// Where a file's header says how many chunks it has.
const CHUNK_COUNT_OFFSET: usize = 42;

/// All `.evtx` files below a folder, sorted.
///
/// # Errors
/// A folder that cannot be read.
pub fn event_logs(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(next) = open.pop() {
        for entry in
            fs::read_dir(&next).with_context(|| format!("cannot read `{}`", next.display()))?
        {
            let path = entry?.path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|end| end == "evtx") {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Writes one event log with the well filled chunks of all logs below a folder, `repeat` times
/// over; the number of chunks.
///
/// # Errors
/// Files that cannot be read or written, or a folder without a well filled chunk.
pub fn write_dense(folder: &Path, repeat: usize, to: &Path) -> anyhow::Result<usize> {
    let mut header: Option<Vec<u8>> = None;
    let mut chunks: Vec<Vec<u8>> = Vec::new();
    for path in event_logs(folder)? {
        let bytes = fs::read(&path).with_context(|| format!("cannot read `{}`", path.display()))?;
        for chunk in bytes.get(HEADER_BYTES..).unwrap_or_default().chunks_exact(CHUNK_BYTES) {
            if chunk.starts_with(b"ElfChnk\0") && filled(chunk) >= FILLED_MIN {
                chunks.push(chunk.to_vec());
                header = header.or_else(|| bytes.get(..HEADER_BYTES).map(<[u8]>::to_vec));
            }
        }
    }
    let mut file = header
        .with_context(|| format!("no well filled event log chunk below `{}`", folder.display()))?;
    let count = chunks.len() * repeat;
    let said = u16::try_from(count).unwrap_or(u16::MAX).to_le_bytes();
    for (place, byte) in said.into_iter().enumerate() {
        if let Some(into) = file.get_mut(CHUNK_COUNT_OFFSET + place) {
            *into = byte;
        }
    }
    for _ in 0..repeat {
        chunks.iter().for_each(|chunk| file.extend_from_slice(chunk));
    }
    fs::write(to, file).with_context(|| format!("cannot write `{}`", to.display()))?;
    Ok(count)
}

fn filled(chunk: &[u8]) -> usize {
    let bytes = chunk.get(FREE_SPACE_OFFSET..FREE_SPACE_OFFSET + 4);
    let bytes: Option<[u8; 4]> = bytes.and_then(|bytes| bytes.try_into().ok());
    bytes.map_or(0, |bytes| u32::from_le_bytes(bytes) as usize)
}

/// Reads an event log with the `evtx` crate alone, as its own fastest program does; how many
/// records it rendered and how many bytes of JSON. `keep` gets each chunk's JSON lines.
///
/// # Errors
/// A file that is no event log.
pub fn render(path: &Path, keep: &mut dyn FnMut(&[u8])) -> anyhow::Result<(usize, usize)> {
    let settings = evtx::ParserSettings::default().num_threads(1);
    let mut parser = evtx::EvtxParser::from_path(path)?.with_configuration(settings);
    let (mut records, mut bytes) = (0, 0);
    for chunk in parser.chunks_json_bytes(false) {
        records += chunk.records().count();
        bytes += chunk.data.len();
        keep(&chunk.data);
    }
    Ok((records, bytes))
}
