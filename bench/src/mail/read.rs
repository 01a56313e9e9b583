//! Mail files to messages, the way that the program reads them.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use makyo_base::{
    Artifact, ArtifactId, Column, Decoded, Defect, Position, RecordSink, Stop, sha256,
};
use makyo_bench::matching::sources;
use makyo_collect::{SNIFF_BYTES, recognise};
use makyo_decode::{DecodeOptions, Sources, decode};
use makyo_detect::mail::MailMessage;

/// All files below a folder, sorted.
pub(crate) fn files(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(next) = open.pop() {
        let entries = fs::read_dir(&next).with_context(|| format!("cannot read {next:?}"))?;
        for entry in entries {
            let path = entry?.path();
            if path.is_dir() { open.push(path) } else { found.push(path) }
        }
    }
    found.sort();
    Ok(found)
}

#[derive(Default)]
pub(crate) struct Mails {
    pub(crate) all: Vec<MailMessage>,
    pub(crate) defects: usize,
}

impl RecordSink for Mails {
    fn record(&mut self, record: Decoded<'_>) -> Result<(), Stop> {
        let text = |column| record.event.text(column).unwrap_or_default().to_owned();
        let message = MailMessage::new(
            &text(Column::EmailMessageUid),
            &text(Column::EmailFrom),
            &text(Column::EmailTo),
            &text(Column::EmailSubject),
            record.event.time().unwrap_or_default(),
        );
        let number = match record.position {
            Position::Record(number) => number,
            _ => 1,
        };
        let mut message = message.placed(&record.artifact.path, number, "");
        message.take_features(&text(Column::Features));
        self.all.push(message);
        Ok(())
    }

    fn defect(&mut self, _defect: Defect) {
        self.defects += 1;
    }
}

/// Reads all mails below a folder.
pub(crate) fn mails(folder: &Path) -> anyhow::Result<Mails> {
    let sources: Sources = sources()?;
    let mut mails = Mails::default();
    for path in files(folder)? {
        let bytes = fs::read(&path)?;
        let artifact = Artifact {
            id: ArtifactId(sha256(&bytes)),
            path: path.display().to_string(),
            size_bytes: bytes.len() as u64,
            kind: recognise(bytes.get(..bytes.len().min(SNIFF_BYTES)).unwrap_or_default()),
        };
        let _ = decode(&artifact, &path, &sources, &DecodeOptions::default(), &mut mails);
    }
    Ok(mails)
}
