//! One artifact from its file to its events.

use std::fs::File;
use std::io::{self, BufRead, Cursor};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use makyo_base::{
    Artifact, ArtifactId, ArtifactKind, Decoded, Defect, DefectKind, Position, RecordSink, Stop,
    Value, event_object, sha256, to_json,
};
use makyo_collect::{SNIFF_BYTES, recognise};

use crate::format::mail::PasswordBook;
use crate::format::{RawSink as _, csv, evtx, json, lines, mail, text, w3c, zeek};
use crate::mapper::{Mapper, Sources};

/// What decoding must know of the organisation.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct DecodeOptions {
    /// Short names of the own Windows directory, lower case; accounts get the first.
    pub directory: Vec<String>,
    /// Passwords that mails give for the archives of other mails; see [`gather_passwords`].
    pub passwords: PasswordBook,
}

/// Notes the passwords that the mails of an artifact give. Archives are often sent in one mail and
/// their passwords in the next, so all mails are looked through before any is opened. What cannot
/// be read is told when it is decoded.
pub fn gather_passwords(artifact: &Artifact, file: &Path, book: &mut PasswordBook) {
    if !matches!(artifact.kind, ArtifactKind::Message | ArtifactKind::Mbox) {
        return;
    }
    let gather = || {
        let opened = File::open(file)?;
        mail::gather(artifact.kind, &mut *text::open_text(opened, artifact.size_bytes)?, &mut *book)
    };
    let _ = catch_unwind(AssertUnwindSafe(gather));
}

/// Reads all records of an artifact whose bytes lie in `file`. What cannot be read is a defect;
/// a panic of ours is caught, told as one, and the run goes on.
///
/// # Errors
/// [`Stop`] if the receiver cannot go on.
pub fn decode(
    artifact: &Artifact,
    file: &Path,
    sources: &Sources,
    options: &DecodeOptions,
    out: &mut dyn RecordSink,
) -> Result<(), Stop> {
    let opened = match File::open(file) {
        Ok(opened) => opened,
        Err(reason) => {
            let detail = format!("file cannot be opened: {reason}");
            out.defect(whole(artifact, DefectKind::Unreadable, detail));
            return Ok(());
        }
    };
    let result =
        catch_unwind(AssertUnwindSafe(|| read(artifact, opened, sources, options, &mut *out)));
    match result {
        Ok(Ok(done)) => done,
        Ok(Err(reason)) => {
            let detail = format!("reading stopped: {reason}");
            out.defect(whole(artifact, DefectKind::Unreadable, detail));
            Ok(())
        }
        Err(panic) => {
            let text = panic
                .downcast_ref::<String>()
                .cloned()
                .or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
                .unwrap_or_default();
            let detail = format!(
                "makyo failed on this file, what follows in it was not read; please report: {text}"
            );
            out.defect(whole(artifact, DefectKind::OurBug, detail));
            Ok(())
        }
    }
}

fn whole(artifact: &Artifact, kind: DefectKind, detail: String) -> Defect {
    Defect { file: artifact.path.clone(), position: Position::Whole, kind, detail }
}

fn read(
    artifact: &Artifact,
    file: File,
    sources: &Sources,
    options: &DecodeOptions,
    out: &mut dyn RecordSink,
) -> io::Result<Result<(), Stop>> {
    let mut mapper = Mapper::new(sources, options, artifact, format_word(artifact.kind), out);
    let done = if artifact.kind == ArtifactKind::Evtx {
        Ok(evtx::read(file, &mut mapper))
    } else {
        let mut text = text::open_text(file, artifact.size_bytes)?;
        read_text(artifact.kind, &mut *text, &mut mapper)
    };
    if let Err(reason) = &done {
        let detail = format!("reading stopped: {reason}");
        mapper.defect(Position::Whole, DefectKind::Unreadable, detail);
    }
    let finished = mapper.finish();
    Ok(done.unwrap_or(Ok(())).and(finished))
}

fn read_text(
    kind: ArtifactKind,
    text: &mut dyn BufRead,
    mapper: &mut Mapper<'_>,
) -> io::Result<Result<(), Stop>> {
    match kind {
        ArtifactKind::Json => json::read(text, mapper),
        ArtifactKind::Csv => csv::read(text, mapper),
        ArtifactKind::Zeek => zeek::read(text, mapper),
        ArtifactKind::W3c => w3c::read(text, mapper),
        ArtifactKind::Lines => lines::read(text, mapper),
        ArtifactKind::Message => mail::read_message(text, mapper),
        ArtifactKind::Mbox => mail::read_mbox(text, mapper),
        // Containers were unpacked and the rest was named when it was collected.
        _ => Ok(Ok(())),
    }
}

fn format_word(kind: ArtifactKind) -> &'static str {
    match kind {
        ArtifactKind::Message | ArtifactKind::Mbox => "mail",
        other => other.word(),
    }
}

/// Reads records that stand in a text: the samples of rule tests and fixtures.
///
/// # Errors
/// [`Stop`] if the receiver cannot go on.
pub fn decode_text(
    name: &str,
    content: &str,
    sources: &Sources,
    options: &DecodeOptions,
    out: &mut dyn RecordSink,
) -> Result<(), Stop> {
    let bytes = content.as_bytes();
    let artifact = Artifact {
        id: ArtifactId(sha256(bytes)),
        path: name.to_owned(),
        size_bytes: bytes.len() as u64,
        kind: recognise(bytes.get(..SNIFF_BYTES).unwrap_or(bytes)),
    };
    let mut mapper = Mapper::new(sources, options, &artifact, format_word(artifact.kind), out);
    let done = read_text(artifact.kind, &mut Cursor::new(bytes), &mut mapper);
    let finished = mapper.finish();
    // A text in memory does not fail to be read.
    done.unwrap_or(Ok(())).and(finished)
}

/// What the records of a text give: the fixtures of `makyo sources test`.
#[derive(Debug, Default)]
pub struct TextEvents {
    /// One line of JSON an event, without the file's name.
    pub lines: Vec<String>,
    /// The source of each.
    pub sources: Vec<usize>,
    /// What could not be read.
    pub defects: Vec<Defect>,
}

impl RecordSink for TextEvents {
    fn record(&mut self, record: Decoded<'_>) -> Result<(), Stop> {
        let number = match record.position {
            Position::Record(number) => number,
            _ => 0,
        };
        let mut object = event_object(&record.event, "", number);
        object.0.retain(|field| field.0 != "evidence");
        self.lines.push(to_json(&Value::Object(object)));
        self.sources.push(record.source);
        Ok(())
    }

    fn defect(&mut self, defect: Defect) {
        self.defects.push(defect);
    }
}
