use std::path::{Path, PathBuf};

use makyo_base::{Decoded, Defect, DefectKind, RecordSink, Stop};
use makyo_collect::{Limits, collect};

use super::{root, sources};
use crate::{DecodeOptions, decode};

/// Real samples that lie beside a checkout; tests that need them say that they were skipped.
fn samples(folder: &str) -> Option<PathBuf> {
    let path = root().join("../shared/data").join(folder);
    if path.is_dir() {
        return Some(path);
    }
    println!("skipped: no real samples at {}", path.display());
    None
}

#[derive(Default)]
struct Count {
    records: usize,
    known: usize,
    untimed: usize,
    defects: Vec<Defect>,
}

impl RecordSink for Count {
    fn record(&mut self, record: Decoded<'_>) -> Result<(), Stop> {
        self.records += 1;
        self.known += usize::from(record.source != usize::MAX);
        self.untimed += usize::from(record.event.time().is_none());
        Ok(())
    }

    fn defect(&mut self, defect: Defect) {
        self.defects.push(defect);
    }
}

fn count(path: &Path) -> Count {
    let spool = tempfile::tempdir().expect("spool");
    let found = collect(&[path.to_owned()], spool.path(), &Limits::default(), &mut |_, _| {})
        .expect("collected");
    let sources = sources();
    let mut out = Count { defects: found.defects.clone(), ..Count::default() };
    for one in &found.artifacts {
        decode(&one.artifact, &one.location, sources, &DecodeOptions::default(), &mut out)
            .expect("never stops");
    }
    out
}

#[test]
fn audit_records_are_read_without_a_defect() {
    let Some(path) = samples("m365/det-eng-samples/dataset") else { return };
    let found = count(&path);
    assert!(found.records > 100, "{}", found.records);
    assert_eq!(found.known, found.records);
    assert_eq!(found.defects, vec![]);
}

#[test]
fn pulse_lines_are_all_recognised() {
    let Some(path) = samples("vpn/azure-sentinel") else { return };
    let found = count(&path.join("PulseConnectSecure.json"));
    assert_eq!((found.records, found.known, found.untimed), (896, 896, 0));
}

#[test]
fn every_vpn_sample_is_read_without_a_defect() {
    let Some(path) = samples("vpn") else { return };
    let found = count(&path);
    let foreign: Vec<&Defect> =
        found.defects.iter().filter(|defect| !defect.file.ends_with("LICENSE")).collect();
    assert_eq!(foreign, Vec::<&Defect>::new());
}

#[test]
fn event_logs_are_read_and_no_defect_is_ours() {
    let Some(path) = samples("evtx/attack-samples") else { return };
    let found = count(&path.join("Lateral Movement"));
    assert!(found.records > 1000, "{}", found.records);
    assert_eq!(found.known, found.records);
    assert!(
        found.defects.iter().all(|defect| defect.kind != DefectKind::OurBug),
        "{:?}",
        found.defects
    );
}

#[test]
fn zeek_logs_are_read_in_both_forms() {
    let Some(path) = samples("zeek/zat") else { return };
    let found = count(&path);
    assert!(found.records > 500, "{}", found.records);
    let kinds: Vec<DefectKind> = found.defects.iter().map(|defect| defect.kind).collect();
    assert!(
        kinds.contains(&DefectKind::Truncated) || kinds.contains(&DefectKind::Malformed),
        "{:?}",
        found.defects
    );
    assert!(!kinds.contains(&DefectKind::OurBug));
}
