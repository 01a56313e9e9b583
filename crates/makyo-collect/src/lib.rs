//! Paths, folders and archives to artifacts: hashed, recognised by content, bombs contained.
//!
//! Evidence is only ever opened for reading. Archive members are copied to a spool folder of the
//! caller's choice under names of our own, so that a member's name can never choose a path.

mod archive;
mod capped;
mod collection;
mod recognise;

pub use capped::{Capped, read_capped};
pub use collection::{CollectError, Collected, Collection, Limits, collect};
pub use recognise::{SNIFF_BYTES, TextEncoding, recognise, text_encoding};

#[cfg(test)]
mod tests;
