//! Artifacts to records to events.
//!
//! A *format* splits bytes into records with their own field names; a *shape* unwraps what a
//! collector put around them; a *source* says what the record means in OCSF terms. Formats are
//! Rust, one file each; shapes and sources are data (see `docs/reference/source-format.md`).
//!
//! **Invariant**: no input makes a decoder panic, and nothing is dropped in silence: what cannot
//! be read becomes a defect with file and record.

mod carry;
mod decoder;
mod format;
mod generic;
mod lane;
mod line;
mod mapper;
mod mapping;
mod scan;
mod shape;
mod skeleton;
mod slots;
mod source;

pub use decoder::{DecodeOptions, TextEvents, decode, decode_text, gather_passwords};
pub use format::mail::PasswordBook;
pub use mapper::Sources;
pub use source::Source;

#[cfg(test)]
mod tests;
