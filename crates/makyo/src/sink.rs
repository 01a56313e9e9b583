//! What happens to a record that was read: the event is kept, everything that detects is put to it.

use makyo_base::{Content, Decoded, Defect, Finding, Object, RecordSink, Stop, Value};
use makyo_case::{ArtifactCounts, ArtifactWriter, CaseError};
use makyo_collect::Collected;
use makyo_detect::{finding_object, hit_object};

use crate::detection::Detector;

/// Writes events, findings and hits of one artifact into the case.
pub(crate) struct CaseSink<'a> {
    pub(crate) writer: ArtifactWriter,
    pub(crate) detector: Detector<'a>,
    pub(crate) error: Option<CaseError>,
}

impl CaseSink<'_> {
    fn keep(&mut self, record: &Decoded<'_>) -> Result<(), CaseError> {
        self.writer.event(record)?;
        let with = self.detector.with;
        for found in self.detector.matches(record) {
            for hit in self.detector.hits(&found, record) {
                self.writer.hit(&hit_object(&hit))?;
            }
            if !with.correlations.is_silent(found.index) {
                self.writer.finding(&finding_object(&found.finding(record, &with.weights)))?;
            }
        }
        for (finding, _) in self.detector.indicators(record) {
            self.writer.finding(&finding_object(&finding))?;
        }
        Ok(())
    }

    fn keep_scanned(
        &mut self,
        findings: impl Iterator<Item = Finding>,
        defects: &[Defect],
    ) -> Result<(), CaseError> {
        for finding in findings {
            self.writer.finding(&finding_object(&finding))?;
        }
        defects.iter().try_for_each(|defect| self.writer.defect(defect))
    }

    /// Looks at the file as a whole, notes what was counted, and commits.
    pub(crate) fn finish(mut self, one: &Collected) -> Result<ArtifactCounts, CaseError> {
        if let Some(error) = self.error {
            return Err(error);
        }
        let (found, defects) = self.detector.file(&one.artifact, &one.location);
        self.keep_scanned(found.into_iter().map(|one| one.0), &defects)?;
        let mut tally = Object::default();
        tally.push("untimed", Value::Int(self.detector.untimed.into()));
        tally.push("expired", Value::Int(self.detector.expired.into()));
        self.writer.hit(&tally)?;
        self.writer.commit()
    }
}

impl RecordSink for CaseSink<'_> {
    fn record(&mut self, record: Decoded<'_>) -> Result<(), Stop> {
        self.keep(&record).map_err(|error| {
            self.error = Some(error);
            Stop
        })
    }

    fn content(&mut self, content: Content<'_>) -> Result<(), Stop> {
        let (found, defects) = self.detector.content(&content);
        self.keep_scanned(found.into_iter().map(|one| one.0), &defects).map_err(|error| {
            self.error = Some(error);
            Stop
        })
    }

    fn defect(&mut self, defect: Defect) {
        if let Err(error) = self.writer.defect(&defect) {
            self.error = Some(error);
        }
    }
}
