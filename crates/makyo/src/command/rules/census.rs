//! What a folder of evidence holds, as rules see it.

use std::path::PathBuf;

use makyo_base::{Content, Decoded, Defect, Outline, RecordSink, Stop};
use makyo_decode::{DecodeOptions, Sources, decode};
use makyo_detect::{Census, DetectState, RuleSet};

use crate::cli::Reading;
use crate::command::events::{collect_evidence, tell_defect};

/// What was counted.
pub(super) struct Counted {
    pub(super) census: Census,
    pub(super) records: u64,
    pub(super) defects: u64,
}

struct CensusSink<'a> {
    rules: &'a RuleSet,
    state: DetectState,
    counted: Counted,
}

impl RecordSink for CensusSink<'_> {
    fn record(&mut self, record: Decoded<'_>) -> Result<(), Stop> {
        self.counted.records += 1;
        self.counted.census.note(self.rules, &mut self.state, &record);
        Ok(())
    }

    fn screens(&self) -> bool {
        true
    }

    fn wants(&mut self, outline: &Outline<'_>) -> bool {
        let layout = outline.layout;
        if layout.prepared.get().is_none() {
            self.counted.census.note_layout(self.rules, &mut self.state, layout);
        }
        let was_told = self.rules.screen(&mut self.state, outline, &mut |_| ());
        if was_told {
            self.counted.records += 1;
            self.counted.census.count(layout.source);
        }
        !was_told
    }

    fn content(&mut self, _: Content<'_>) -> Result<(), Stop> {
        Ok(())
    }

    fn defect(&mut self, defect: Defect) {
        self.counted.defects += 1;
        tell_defect(&defect);
    }
}

/// Reads evidence and notes which records and fields there are.
pub(super) fn census(
    rules: &RuleSet,
    sources: &Sources,
    evidence: &[PathBuf],
) -> anyhow::Result<Counted> {
    let reading = Reading { evidence: evidence.to_vec(), org: None, sources: Vec::new() };
    let found = collect_evidence(&reading)?;
    let counted = Counted { census: Census::default(), records: 0, defects: 0 };
    let mut sink = CensusSink { rules, state: DetectState::default(), counted };
    for defect in found.collection.defects.iter().cloned() {
        sink.defect(defect);
    }
    let options = DecodeOptions::default();
    for one in &found.collection.artifacts {
        // A census never stops the reading.
        let _ = decode(&one.artifact, &one.location, sources, &options, &mut sink);
    }
    Ok(sink.counted)
}
