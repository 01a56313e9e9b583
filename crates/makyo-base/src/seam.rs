//! The seams between decoding, detecting and keeping.

use crate::artifact::{Artifact, Defect, Position};
use crate::event::{Column, Event};
use crate::outline::Outline;
use crate::value::Object;

/// One record on its way: as it stands, and as an event.
#[derive(Debug)]
pub struct Decoded<'a> {
    /// The artifact that it lies in.
    pub artifact: &'a Artifact,
    /// Where in it.
    pub position: Position,
    /// Index of its source description among the loaded ones.
    pub source: usize,
    /// Native field names: what Sigma rules speak of.
    pub native: &'a Object<'a>,
    /// OCSF terms.
    pub event: Event<'a>,
}

/// Bytes that lie inside a record, such as an attachment of a message, decoded. They come after
/// their record, and only once: who wants to keep them copies them.
#[derive(Clone, Copy, Debug)]
pub struct Content<'a> {
    /// The artifact that the record lies in.
    pub artifact: &'a Artifact,
    /// Where the record is in it.
    pub position: Position,
    /// The name that the record gives the bytes; what lies inside a message inside follows `!`.
    pub name: &'a str,
    /// The bytes.
    pub bytes: &'a [u8],
    /// The record that they came in.
    pub holder: &'a Holder,
}

/// What a finding over [`Content`] must know of the record around it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Holder {
    /// Identity of the record.
    pub identity: [u8; 16],
    /// When, nanoseconds since the Unix epoch.
    pub time: Option<i64>,
    /// Message-ID, without brackets; empty where there is none.
    pub message_uid: String,
    /// The sender's address; empty where there is none.
    pub sender: String,
    /// The recipients' addresses.
    pub recipients: Vec<String>,
}

impl Holder {
    /// What an event says of itself.
    #[must_use]
    pub fn of(event: &Event<'_>) -> Self {
        let text = |column| event.text(column).unwrap_or_default().to_owned();
        Holder {
            identity: event.identity,
            time: event.time(),
            message_uid: text(Column::EmailMessageUid),
            sender: text(Column::EmailFrom),
            recipients: text(Column::EmailTo)
                .split(", ")
                .filter(|recipient| !recipient.is_empty())
                .map(str::to_owned)
                .collect(),
        }
    }
}

/// The receiver cannot go on (its disk is full, its pipe is closed); decoding stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stop;

/// Receives what a decoder reads. The receiver owns batching and back-pressure.
pub trait RecordSink {
    /// One record.
    ///
    /// # Errors
    /// [`Stop`] if the receiver cannot go on.
    fn record(&mut self, record: Decoded<'_>) -> Result<(), Stop>;

    /// Whether [`RecordSink::wants`] should be asked.
    fn screens(&self) -> bool {
        false
    }

    /// Whether the record is wanted; asked while it is still text, where its layout is known. A
    /// record that is not wanted was read, but is not handed over. Of a record that is wanted the
    /// question may be asked twice.
    fn wants(&mut self, outline: &Outline<'_>) -> bool {
        let _ = outline;
        true
    }

    /// Bytes inside the record before; who looks at records alone need not care.
    ///
    /// # Errors
    /// [`Stop`] if the receiver cannot go on.
    fn content(&mut self, _content: Content<'_>) -> Result<(), Stop> {
        Ok(())
    }

    /// Something that could not be read.
    fn defect(&mut self, defect: Defect);
}
