//! `makyo events`: a Unix filter from evidence to events.

use makyo_base::{Decoded, Defect, Position, RecordSink, Stop, Value, event_object, to_json};
use makyo_collect::{Collection, Limits, collect};
use makyo_decode::{DecodeOptions, decode, gather_passwords};

use crate::cli::{Events, Reading};
use crate::exit::Exit;
use crate::output::{Output, tell};
use crate::{data, organisation};

/// Evidence collected for a run without a case.
pub(crate) struct Collected {
    pub(crate) collection: Collection,
    /// Spooled archive members, gone with this.
    _spool: tempfile::TempDir,
}

pub(crate) fn collect_evidence(reading: &Reading) -> anyhow::Result<Collected> {
    let spool = tempfile::tempdir()?;
    let collection = collect(&reading.evidence, spool.path(), &Limits::default(), &mut |_, _| {})?;
    Ok(Collected { collection, _spool: spool })
}

pub(crate) fn tell_defect(defect: &Defect) {
    tell(&defect_line(defect));
}

pub(crate) fn defect_line(defect: &Defect) -> String {
    format!(
        "not read: {}: {}: {}: {}",
        defect.file,
        defect.position,
        defect.kind.word(),
        defect.detail
    )
}

struct Printer<'a> {
    output: &'a mut Output,
    error: Option<anyhow::Error>,
    defects: usize,
}

impl RecordSink for Printer<'_> {
    fn record(&mut self, record: Decoded<'_>) -> Result<(), Stop> {
        let number = match record.position {
            Position::Record(number) | Position::Byte(number) => number,
            Position::Whole => 0,
        };
        let object = event_object(&record.event, &record.artifact.path, number);
        self.output.line(&to_json(&Value::Object(object))).map_err(|error| {
            self.error = Some(error);
            Stop
        })
    }

    fn defect(&mut self, defect: Defect) {
        self.defects += 1;
        tell_defect(&defect);
    }
}

pub(crate) fn run(options: &Events, output: &mut Output) -> anyhow::Result<Exit> {
    let sources = data::sources(&options.reading.sources)?;
    let (organisation, _) = organisation::load(options.reading.org.as_deref())?;
    let directory = organisation::directory(&organisation);
    let mut decode_options = DecodeOptions { directory, ..DecodeOptions::default() };
    let found = collect_evidence(&options.reading)?;
    found.collection.defects.iter().for_each(tell_defect);
    for one in &found.collection.artifacts {
        gather_passwords(&one.artifact, &one.location, &mut decode_options.passwords);
    }
    let mut printer = Printer { output, error: None, defects: found.collection.defects.len() };
    for one in &found.collection.artifacts {
        let done = decode(&one.artifact, &one.location, &sources, &decode_options, &mut printer);
        if done.is_err() {
            break;
        }
    }
    match printer.error {
        Some(error) => Err(error),
        None => Ok(Exit::of(false, printer.defects > 0)),
    }
}
