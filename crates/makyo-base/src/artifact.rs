//! Evidence as files: what was given, and what of it could not be read.

use std::fmt;

use crate::digest::hex;

/// SHA-256 of the artifact's bytes: the same file is the same artifact in every case.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ArtifactId(pub [u8; 32]);

impl fmt::Display for ArtifactId {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(&hex(&self.0))
    }
}

impl fmt::Debug for ArtifactId {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "ArtifactId({self})")
    }
}

/// What an artifact holds, told by its content.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum ArtifactKind {
    /// Windows event log file.
    Evtx,
    /// JSON in any arrangement.
    Json,
    /// Separated values with a header line.
    Csv,
    /// Zeek log, tab separated with `#fields`.
    Zeek,
    /// W3C extended log.
    W3c,
    /// Lines of text, syslog among them.
    Lines,
    /// One RFC 5322 message.
    Message,
    /// Messages one after another, `From ` lines between.
    Mbox,
    /// ZIP archive.
    Zip,
    /// Tape archive.
    Tar,
    /// Gzip stream.
    Gzip,
    /// Zstandard stream.
    Zstd,
    /// Nothing at all.
    Empty,
    /// Recognised as none of the above; the bytes are listed, not read.
    Unknown,
}

impl ArtifactKind {
    /// The word that people see.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            ArtifactKind::Evtx => "evtx",
            ArtifactKind::Json => "json",
            ArtifactKind::Csv => "csv",
            ArtifactKind::Zeek => "zeek",
            ArtifactKind::W3c => "w3c",
            ArtifactKind::Lines => "lines",
            ArtifactKind::Message => "message",
            ArtifactKind::Mbox => "mbox",
            ArtifactKind::Zip => "zip",
            ArtifactKind::Tar => "tar",
            ArtifactKind::Gzip => "gzip",
            ArtifactKind::Zstd => "zstd",
            ArtifactKind::Empty => "empty",
            ArtifactKind::Unknown => "unknown",
        }
    }

    /// Whether it holds other artifacts rather than records.
    #[must_use]
    pub fn is_container(self) -> bool {
        matches!(
            self,
            ArtifactKind::Zip | ArtifactKind::Tar | ArtifactKind::Gzip | ArtifactKind::Zstd
        )
    }
}

/// One evidence file, or one member of an archive.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Artifact {
    /// Hash of its bytes.
    pub id: ArtifactId,
    /// Where it was found, as the user named it; archive members after `!`.
    pub path: String,
    /// Size in bytes.
    pub size_bytes: u64,
    /// What it holds.
    pub kind: ArtifactKind,
}

/// A place inside an artifact.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Position {
    /// The artifact as a whole.
    Whole,
    /// A byte offset.
    Byte(u64),
    /// A record: a line number, a message's or an element's place counted from 1, or the number
    /// that the format itself gives (`EventRecordID`).
    Record(u64),
}

impl fmt::Display for Position {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Position::Whole => to.write_str("whole file"),
            Position::Byte(offset) => write!(to, "byte {offset}"),
            Position::Record(record) => write!(to, "record {record}"),
        }
    }
}

/// The file and record that a statement rests on.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct RecordRef {
    /// The artifact's path.
    pub file: String,
    /// The record's number in it.
    pub record: u64,
}

/// Why something could not be read.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum DefectKind {
    /// Bytes end before the format says they may.
    Truncated,
    /// Bytes do not follow the format.
    Malformed,
    /// A limit was reached: the record or archive is larger or deeper than what is read.
    Limit,
    /// Text is not valid in its encoding; it was read with replacement characters.
    Encoding,
    /// The file is of no format that is read.
    Unrecognised,
    /// The file has no bytes.
    Empty,
    /// A link or path that is not followed.
    NotFollowed,
    /// The system did not let us read it.
    Unreadable,
    /// The container is locked with a password.
    Encrypted,
    /// A mistake of makyo; the rest of the run went on.
    OurBug,
}

impl DefectKind {
    /// The word in tables and JSON.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            DefectKind::Truncated => "truncated",
            DefectKind::Malformed => "malformed",
            DefectKind::Limit => "limit",
            DefectKind::Encoding => "encoding",
            DefectKind::Unrecognised => "unrecognised",
            DefectKind::Empty => "empty",
            DefectKind::NotFollowed => "not_followed",
            DefectKind::Unreadable => "unreadable",
            DefectKind::Encrypted => "encrypted",
            DefectKind::OurBug => "our_bug",
        }
    }
}

/// Something that could not be read. It is data, kept with the case; it is not an error.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Defect {
    /// The artifact's path.
    pub file: String,
    /// Where in it.
    pub position: Position,
    /// Why.
    pub kind: DefectKind,
    /// One plain sentence.
    pub detail: String,
}
