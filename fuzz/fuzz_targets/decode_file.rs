//! Any bytes as a file, binary formats among them: no panic of ours, no hang.
#![no_main]

use libfuzzer_sys::fuzz_target;
use makyo_base::{Artifact, ArtifactId, DefectKind};
use makyo_collect::recognise;
use makyo_decode::{DecodeOptions, Sources, TextEvents, decode};

fuzz_target!(|bytes: &[u8]| {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("file");
    std::fs::write(&path, bytes).expect("written");
    let artifact = Artifact {
        id: ArtifactId([0; 32]),
        path: "fuzz".into(),
        size_bytes: bytes.len() as u64,
        kind: recognise(bytes),
    };
    let mut out = TextEvents::default();
    let _ = decode(&artifact, &path, &Sources::default(), &DecodeOptions::default(), &mut out);
    assert!(out.defects.iter().all(|defect| defect.kind != DefectKind::OurBug));
});
