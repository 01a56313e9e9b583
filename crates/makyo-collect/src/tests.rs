use std::fs;
use std::io::Write as _;
use std::path::PathBuf;

use flate2::Compression;
use flate2::write::GzEncoder;
use makyo_base::{ArtifactKind, DefectKind};
use proptest::prelude::*;

use crate::*;

fn kind(text: &str) -> ArtifactKind {
    recognise(text.as_bytes())
}

#[test]
fn content_tells_the_kind() {
    for (text, expected) in [
        ("", ArtifactKind::Empty),
        ("  \n", ArtifactKind::Empty),
        ("{\"a\":1}", ArtifactKind::Json),
        ("\u{feff}[\n {\"a\":1}]", ArtifactKind::Json),
        ("[]", ArtifactKind::Json),
        ("[2020-01-01] text", ArtifactKind::Lines),
        ("#separator \\x09\n#fields\tts", ArtifactKind::Zeek),
        ("#Software: x\n#Fields: date time", ArtifactKind::W3c),
        ("From a@example.org Mon Jan  1 00:00:00 2024\nFrom: a", ArtifactKind::Mbox),
        ("Received: x\nFrom: a\nTo: b\nSubject: c\n\nbody", ArtifactKind::Message),
        ("RecordType,CreationDate,AuditData\nx,y,z", ArtifactKind::Csv),
        ("#TYPE Deserialized\n\"PSComputerName\",\"RunspaceId\"\n", ArtifactKind::Csv),
        ("Date (UTC);Request ID\n1;2", ArtifactKind::Csv),
        ("1,google.com\n2,example.com", ArtifactKind::Lines),
        ("<134>Jan  1 00:00:00 gw a=b,c=d", ArtifactKind::Lines),
        ("date=2025-01-01 time=00:00:00 a=b, c=d", ArtifactKind::Lines),
    ] {
        assert_eq!(kind(text), expected, "{text:?}");
    }
    assert_eq!(recognise(b"ElfFile\0rest"), ArtifactKind::Evtx);
    assert_eq!(recognise(&[0x7f, b'E', b'L', b'F', 2, 1, 1, 0, 0, 0, 0, 0]), ArtifactKind::Unknown);
    let utf16: Vec<u8> = "A,B\r\n1,2\r\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(recognise(&utf16), ArtifactKind::Csv);
}

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("temporary folder");
        fs::create_dir_all(dir.path().join("evidence")).expect("folder");
        fs::create_dir_all(dir.path().join("spool")).expect("folder");
        Folder(dir)
    }

    fn put(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.0.path().join("evidence").join(name);
        fs::write(&path, bytes).expect("written");
        path
    }

    fn collect(&self) -> Collection {
        let limits = Limits { ratio_floor_bytes: 1 << 16, ..Limits::default() };
        let evidence = self.0.path().join("evidence");
        collect(&[evidence], &self.0.path().join("spool"), &limits, &mut |_, _| {})
            .expect("collected")
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).expect("in memory");
    encoder.finish().expect("in memory")
}

fn zip(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in members {
        writer.start_file(*name, zip::write::SimpleFileOptions::default()).expect("in memory");
        writer.write_all(bytes).expect("in memory");
    }
    writer.finish().expect("in memory").into_inner()
}

fn defects(collection: &Collection) -> Vec<(DefectKind, String)> {
    collection.defects.iter().map(|defect| (defect.kind, defect.detail.clone())).collect()
}

#[test]
fn nested_archives_give_their_members_and_names_never_choose_a_path() {
    let folder = Folder::new();
    let inner = zip(&[("../../escape.json", b"{\"a\":1}")]);
    folder.put("x.zip", &zip(&[("inner.bin", &inner), ("log.gz", &gzip(b"{\"b\":2}"))]));
    let found = folder.collect();
    let mut names: Vec<&str> = found
        .artifacts
        .iter()
        .map(|one| one.artifact.path.rsplit("evidence/").next().expect("name"))
        .collect();
    names.sort_unstable();
    assert_eq!(names, ["x.zip!inner.bin!../../escape.json", "x.zip!log.gz!log"]);
    assert_eq!(defects(&found), vec![]);
    assert!(!folder.0.path().join("escape.json").exists());
}

#[test]
fn a_bomb_is_not_unpacked() {
    let folder = Folder::new();
    folder.put("bomb.zip", &zip(&[("zeros.json", &vec![b' '; 40 << 20])]));
    folder.put("bomb.gz", &gzip(&vec![0; 40 << 20]));
    let found = folder.collect();
    assert_eq!(found.artifacts, vec![]);
    let kinds: Vec<DefectKind> = found.defects.iter().map(|defect| defect.kind).collect();
    assert_eq!(kinds, [DefectKind::Limit, DefectKind::Limit]);
}

#[test]
fn what_came_before_a_cut_is_kept() {
    let folder = Folder::new();
    let text: String =
        (0..5000).map(|n| format!("{{\"n\":{n},\"x\":\"{}\"}}\n", n * 7919 % 1009)).collect();
    let whole = gzip(text.as_bytes());
    folder.put("cut.json.gz", &whole[..whole.len() / 2]);
    let found = folder.collect();
    assert_eq!(found.artifacts.len(), 1);
    assert!(found.artifacts[0].artifact.size_bytes > 1000);
    assert_eq!(found.defects[0].kind, DefectKind::Truncated);
}

#[test]
fn the_same_bytes_are_one_artifact() {
    let folder = Folder::new();
    folder.put("b.json", b"{}");
    folder.put("a.json", b"{}");
    let found = folder.collect();
    assert_eq!(found.artifacts.len(), 1);
    assert!(found.artifacts[0].artifact.path.ends_with("a.json"));
    assert!(found.artifacts[0].also[0].ends_with("b.json"));
}

#[cfg(unix)]
#[test]
fn links_are_named_and_not_followed() {
    let folder = Folder::new();
    folder.put("a.json", b"{}");
    std::os::unix::fs::symlink("..", folder.0.path().join("evidence/loop")).expect("link");
    let found = folder.collect();
    assert_eq!(found.artifacts.len(), 1);
    assert_eq!(found.defects[0].kind, DefectKind::NotFollowed);
    assert!(found.defects[0].detail.contains("a loop"), "{}", found.defects[0].detail);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), magic in 0usize..5) {
        let starts: [&[u8]; 5] = [b"", b"PK\x03\x04", &[0x1f, 0x8b, 8], &[0x28, 0xb5, 0x2f, 0xfd], b"ElfFile\0"];
        let folder = Folder::new();
        let all = [starts[magic], &bytes].concat();
        folder.put("x", &all);
        let _ = folder.collect();
    }
}
