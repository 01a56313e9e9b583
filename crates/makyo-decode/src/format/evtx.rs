//! Windows event log files, through the `evtx` crate, as the JSON that `evtx_dump` writes.

use std::fs::File;

use ::evtx::{EvtxParser, ParserSettings, RenderedChunkItem};
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
    // A chunk is rendered into one buffer: half the work of rendering record by record.
    for chunk in parser.chunks_json_bytes(false) {
        let mut from = 0;
        for item in &chunk.items {
            match item {
                RenderedChunkItem::Record { event_record_id, end } => {
                    last = *event_record_id;
                    // Each record ends with a line break.
                    let text = chunk.data.get(from..end.saturating_sub(1)).unwrap_or_default();
                    from = *end;
                    record(last, text, out)?;
                }
                RenderedChunkItem::Failed(reason) => {
                    let detail = format!("after record {last}: {}", one_line(reason));
                    let kind =
                        if is_cut(&detail) { DefectKind::Truncated } else { DefectKind::Malformed };
                    out.defect(Position::Record(last), kind, detail);
                }
            }
        }
    }
    Ok(())
}

fn record(number: u64, text: &[u8], out: &mut dyn RawSink) -> Result<(), Stop> {
    let (text, replaced) = lossy(text);
    if replaced {
        out.replaced(number);
    }
    if out.text(&text) {
        return Ok(());
    }
    match parse_json(&text) {
        Ok(Value::Object(object)) => out.raw(number, object)?,
        Ok(_) => {}
        Err(reason) => out.defect(Position::Record(number), DefectKind::Malformed, reason),
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
