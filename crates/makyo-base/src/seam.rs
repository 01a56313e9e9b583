//! The seams between decoding, detecting and keeping.

use crate::artifact::{Artifact, Defect, Position};
use crate::event::Event;
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
    /// record that is not wanted was read, but is not handed over.
    fn wants(&mut self, outline: &Outline<'_>) -> bool {
        let _ = outline;
        true
    }

    /// Something that could not be read.
    fn defect(&mut self, defect: Defect);
}
