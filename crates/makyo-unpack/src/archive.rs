//! Containers of files.

pub(crate) mod cabinet;
mod fat;
pub(crate) mod iso;
pub(crate) mod rar;
pub(crate) mod seven_zip;
pub(crate) mod tar;
pub(crate) mod vhd;
pub(crate) mod zip;

use std::io::Read;

use crate::tree::Walker;

/// Entries listed of one container.
pub(crate) const ENTRIES_MAX: usize = 10_000;

/// Why a stream was not read to its end.
pub(crate) enum Cut {
    /// The limit, as a sentence.
    Limit(String),
    /// The stream is broken, or the password is wrong.
    Broken(String),
}

/// Reads a stream as far as the budget allows.
pub(crate) fn read_within(
    walker: &Walker<'_>,
    packed: usize,
    from: &mut dyn Read,
) -> Result<Vec<u8>, Cut> {
    let (room, reason) = walker.room(packed);
    let mut bytes = Vec::new();
    match from.take(room as u64 + 1).read_to_end(&mut bytes) {
        Ok(_) if bytes.len() > room => Err(Cut::Limit(reason)),
        Ok(_) => Ok(bytes),
        Err(error) => Err(Cut::Broken(error.to_string())),
    }
}
