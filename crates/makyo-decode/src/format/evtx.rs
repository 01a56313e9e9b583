//! Windows event log files, through the `evtx` crate, as the JSON that `evtx_dump` writes.

use std::fs::File;

use ::evtx::{EvtxParser, ParserSettings};
use makyo_base::{DefectKind, Position, Stop, Value, parse_json};

use super::RawSink;
use super::text::lossy;

/// Reads the records of one file; records are numbered by their `EventRecordID`.
pub(crate) fn read(file: File, out: &mut dyn RawSink) -> Result<(), Stop> {
    let settings = ParserSettings::default().num_threads(1);
    let mut parser = match EvtxParser::from_read_seek(file) {
        Ok(parser) => parser.with_configuration(settings),
        Err(reason) => {
            let detail = format!("event log header cannot be read: {}", one_line(&reason));
            out.defect(Position::Whole, DefectKind::Malformed, detail);
            return Ok(());
        }
    };
    let mut last = 0;
    for record in parser.records_json_bytes() {
        let record = match record {
            Ok(record) => record,
            Err(reason) => {
                let detail = format!("after record {last}: {}", one_line(&reason));
                let kind =
                    if is_cut(&detail) { DefectKind::Truncated } else { DefectKind::Malformed };
                out.defect(Position::Record(last), kind, detail);
                continue;
            }
        };
        last = record.event_record_id;
        let (text, replaced) = lossy(&record.data);
        if replaced {
            out.replaced(last);
        }
        match parse_json(&text) {
            Ok(Value::Object(object)) => out.raw(last, object)?,
            Ok(_) => {}
            Err(reason) => {
                out.defect(Position::Record(last), DefectKind::Malformed, reason);
            }
        }
    }
    Ok(())
}

fn is_cut(detail: &str) -> bool {
    ["end of file", "unexpected end", "failed to fill", "UnexpectedEof"]
        .iter()
        .any(|word| detail.contains(word))
}

/// The whole chain of reasons on one line.
fn one_line(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
