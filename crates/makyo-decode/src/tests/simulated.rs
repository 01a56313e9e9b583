//! What is simulated is read whole: no defect, no record without time, none of an unknown source.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use makyo_base::{Artifact, ArtifactId, Decoded, Defect, RecordSink, Stop};
use makyo_simulate::{Options, Scenario, simulate};

use crate::{DecodeOptions, decode};

use super::sources;

#[derive(Default)]
struct Reads {
    sources: BTreeSet<usize>,
    records: usize,
    untimed: usize,
    defects: Vec<String>,
}

impl RecordSink for Reads {
    fn record(&mut self, record: Decoded<'_>) -> Result<(), Stop> {
        self.sources.insert(record.source);
        self.records += 1;
        self.untimed += usize::from(record.event.time().is_none());
        Ok(())
    }

    fn defect(&mut self, defect: Defect) {
        self.defects.push(format!("{}: {:?}: {}", defect.file, defect.kind, defect.detail));
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(next) = open.pop() {
        for entry in std::fs::read_dir(&next).expect("folder").flatten() {
            let path = entry.path();
            if path.is_dir() {
                open.push(path);
            } else {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// Reads everything that a scenario's first days leave, and names the sources.
fn read(scenario: Scenario, days: i64) -> (Reads, Vec<&'static str>) {
    let folder = tempfile::tempdir().expect("folder");
    let out = folder.path().to_owned();
    let written =
        simulate(&Options { scenario, seed: 1, scale: 0.05, days, out }).expect("written");
    let mut reads = Reads::default();
    let options =
        DecodeOptions { directory: vec!["agency".into(), "ad".into()], ..DecodeOptions::default() };
    for path in files(&folder.path().join("evidence")) {
        let bytes = std::fs::read(&path).expect("bytes");
        let start = bytes.get(..makyo_collect::SNIFF_BYTES).unwrap_or(&bytes);
        let artifact = Artifact {
            id: ArtifactId([0; 32]),
            path: path.display().to_string(),
            size_bytes: bytes.len() as u64,
            kind: makyo_collect::recognise(start),
        };
        decode(&artifact, &path, sources(), &options, &mut reads).expect("never stops");
    }
    assert!(reads.records as u64 >= written.records, "{} of {}", reads.records, written.records);
    let all = reads.sources.iter().filter_map(|index| sources().get(*index));
    let names = all.map(|source| source.id.as_str()).collect();
    (reads, names)
}

#[test]
fn other_organisations_are_read_without_defect() {
    for scenario in [Scenario::ThinkTank, Scenario::ChipMaker] {
        let (reads, _) = read(scenario, 2);
        assert!(reads.defects.is_empty(), "{:?}", reads.defects.first());
        assert_eq!(reads.untimed, 0);
    }
}

#[test]
fn agency_is_read_whole() {
    let (reads, names) = read(Scenario::Agency, 14);
    assert!(reads.defects.is_empty(), "{:?}", reads.defects.first());
    assert_eq!(reads.untimed, 0);
    let expected = [
        "entra-audit",
        "entra-sign-in",
        "fortigate",
        "m365-unified-audit",
        "windows-esent",
        "windows-security",
    ];
    assert!(expected.iter().all(|source| names.contains(source)), "{names:?}");
}
