//! The same options give the same bytes, and makyo's own readers read them all.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use makyo_base::{Artifact, ArtifactId, Decoded, Defect, RecordSink, Stop};
use makyo_decode::{DecodeOptions, Sources, decode};

use crate::people::people;
use crate::{Options, Scenario, simulate};

fn written(scenario: Scenario, seed: u64, days: i64) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("folder");
    let out = folder.path().to_owned();
    simulate(&Options { scenario, seed, scale: 0.05, days, out }).expect("simulated");
    folder
}

fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut open = vec![folder.to_owned()];
    while let Some(next) = open.pop() {
        for entry in fs::read_dir(&next).expect("folder").flatten() {
            let path = entry.path();
            if path.is_dir() {
                open.push(path);
            } else {
                let name = path.strip_prefix(folder).expect("inside").to_owned();
                found.insert(name, fs::read(&path).expect("bytes"));
            }
        }
    }
    found
}

#[test]
fn two_runs_give_the_same_bytes_and_another_seed_others() {
    let (first, second) = (written(Scenario::Agency, 3, 20), written(Scenario::Agency, 3, 20));
    let other = written(Scenario::Agency, 4, 20);
    assert!(files(first.path()) == files(second.path()));
    assert!(files(first.path()) != files(other.path()));
}

#[test]
fn names_of_accounts_are_not_used_twice() {
    let all = people(1, 6_000);
    let names: std::collections::BTreeSet<&str> =
        all.iter().map(|person| person.upn.as_str()).collect();
    assert_eq!(names.len(), all.len());
}

#[derive(Default)]
struct Reads {
    by_source: BTreeMap<usize, usize>,
    untimed: usize,
    defects: Vec<String>,
}

impl RecordSink for Reads {
    fn record(&mut self, record: Decoded<'_>) -> Result<(), Stop> {
        *self.by_source.entry(record.source).or_default() += 1;
        self.untimed += usize::from(record.event.time().is_none());
        Ok(())
    }

    fn defect(&mut self, defect: Defect) {
        self.defects.push(format!("{}: {:?}: {}", defect.file, defect.kind, defect.detail));
    }
}

fn sources() -> Sources {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../sources");
    let mut files = Vec::new();
    for folder in fs::read_dir(&root).expect("sources").flatten() {
        for file in fs::read_dir(folder.path()).expect("folder").flatten() {
            let path = file.path();
            if path.extension().is_some_and(|end| end == "yml") {
                let name = path.strip_prefix(&root).expect("inside");
                files.push((name.display().to_string(), fs::read_to_string(&path).expect("text")));
            }
        }
    }
    files.sort();
    Sources::load(&files).expect("sound sources")
}

fn read_all(folder: &Path, sources: &Sources) -> Reads {
    let mut reads = Reads::default();
    let options = DecodeOptions { directory: vec!["agency".into(), "ad".into()] };
    for (name, bytes) in files(&folder.join("evidence")) {
        let start = bytes.get(..makyo_collect::SNIFF_BYTES).unwrap_or(&bytes);
        let artifact = Artifact {
            id: ArtifactId([0; 32]),
            path: name.display().to_string(),
            size_bytes: bytes.len() as u64,
            kind: makyo_collect::recognise(start),
        };
        let path = folder.join("evidence").join(&name);
        decode(&artifact, &path, sources, &options, &mut reads).expect("never stops");
    }
    reads
}

const SOURCES: &[&str] = &[
    "entra-audit",
    "entra-sign-in",
    "fortigate",
    "m365-unified-audit",
    "windows-esent",
    "windows-security",
];

#[test]
fn own_readers_read_everything() {
    for scenario in [Scenario::Agency] {
        let folder = written(scenario, 1, 14);
        let sources = sources();
        let reads = read_all(folder.path(), &sources);
        assert!(reads.defects.is_empty(), "{:?}", reads.defects.first());
        assert_eq!(reads.untimed, 0);
        let named: Vec<&str> = reads
            .by_source
            .keys()
            .filter_map(|index| sources.get(*index))
            .map(|source| source.id.as_str())
            .collect();
        for source in SOURCES {
            assert!(named.contains(source), "{source}: {named:?}");
        }
    }
}
