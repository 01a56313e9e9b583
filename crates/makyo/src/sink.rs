//! What happens to a record that was read: the event is kept, rules are tried.

use makyo_base::{Decoded, Defect, RecordSink, Stop};
use makyo_case::{ArtifactWriter, CaseError};
use makyo_detect::{DetectState, RuleSet, Weights, finding_object};

/// Writes events and findings of one artifact into the case.
pub(crate) struct CaseSink<'a> {
    pub(crate) writer: ArtifactWriter,
    pub(crate) rules: &'a RuleSet,
    pub(crate) weights: &'a Weights,
    pub(crate) state: DetectState,
    pub(crate) error: Option<CaseError>,
}

impl CaseSink<'_> {
    fn keep(&mut self, record: &Decoded<'_>) -> Result<(), CaseError> {
        self.writer.event(record)?;
        let mut found = Vec::new();
        let weights = self.weights;
        self.rules
            .matches(&mut self.state, record, &mut |hit| found.push(hit.finding(record, weights)));
        found.iter().try_for_each(|finding| self.writer.finding(&finding_object(finding)))
    }
}

impl RecordSink for CaseSink<'_> {
    fn record(&mut self, record: Decoded<'_>) -> Result<(), Stop> {
        self.keep(&record).map_err(|error| {
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
