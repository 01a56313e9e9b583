//! Bombs stop at their limits and say so; damaged containers are never silently clean.

use proptest::prelude::{ProptestConfig, any, proptest};

use super::build::{
    Lock, cabinet, compound, disk, image, module, program, seven_zip, shortcut, tree,
    with_passwords, zip,
};
use crate::{Limits, Part, unpack};

#[test]
fn a_bomb_stops_at_the_ratio() {
    let bomb = zip(&[("zeros.bin", &vec![0_u8; 30 << 20])], Lock::None);
    let found = tree("a.zip", &bomb);
    assert!(found.objects[0].unread.as_deref().is_some_and(|why| why.contains("times its size")));
    assert!(found.objects.iter().map(|object| object.bytes.len()).sum::<usize>() < 16 << 20);
}

#[test]
fn depth_number_and_size_are_bounded() {
    let mut bytes = zip(&[("a.txt", b"inert")], Lock::None);
    for _ in 0..30 {
        bytes = zip(&[("deeper.zip", &bytes)], Lock::None);
    }
    let found = tree("a.zip", &bytes);
    assert_eq!(found.objects.len(), 9);
    assert!(found.objects[8].unread.as_deref().is_some_and(|why| why.contains("levels")));

    let many: Vec<(String, Vec<u8>)> =
        (0..2000_u32).map(|at| (format!("{at}.txt"), at.to_le_bytes().to_vec())).collect();
    let many: Vec<(&str, &[u8])> =
        many.iter().map(|one| (one.0.as_str(), one.1.as_slice())).collect();
    let found = tree("a.zip", &zip(&many, Lock::None));
    assert_eq!(found.objects.len(), 500);
    assert!(found.objects[0].unread.is_some());

    let limits = Limits { object_bytes_max: 100, ..Limits::default() };
    let part = Part { name: "a.bin", declared: "", bytes: &[1; 200] };
    assert!(unpack(&[part], &[], &limits).objects[0].unread.is_some());
}

#[test]
fn what_repeats_is_opened_once() {
    let inner = zip(&[("a.txt", b"inert")], Lock::None);
    let found = tree("a.zip", &zip(&[("b.zip", &inner), ("c.zip", &inner)], Lock::None));
    assert_eq!(found.objects.len(), 4, "{:?}", super::build::paths(&found));
}

fn seeds() -> Vec<(&'static str, Vec<u8>)> {
    let lure = shortcut("cmd.exe", "/c nothing.invalid", b"PK\x03\x04");
    let mut vhd = disk(b"LIST    LNK", &lure);
    vhd.drain(512 * 64..512 * 5000);
    vec![
        ("a.zip", zip(&[("a.lnk", &lure), ("b.txt", b"inert")], Lock::None)),
        ("b.zip", zip(&[("a.lnk", &lure)], Lock::Old("word"))),
        ("c.zip", zip(&[("a.lnk", &lure)], Lock::Aes("word"))),
        ("a.lnk", lure.clone()),
        ("a.iso", image("a.lnk", &lure, false)),
        ("a.vhd", vhd),
        ("a.exe", program(&zip(&[("a.txt", b"inert")], Lock::None))),
        ("a.doc", compound(&[("/Macros/VBA/a", module("Sub AutoOpen()\r\nShell 1\r\n").as_slice()), ("/Workbook", &[0x85, 0, 10, 0, 0, 0, 0, 0, 1, 1, 1, 0, 0, 65])])),
        ("a.docx", zip(&[("[Content_Types].xml", b"<Types/>"), ("word/_rels/a.rels", b"<Relationship Type=\"a/attachedTemplate\" Target=\"http://a.invalid\" TargetMode=\"External\"/>")], Lock::None)),
        ("a.rtf", b"{\\rtf1{\\object{\\*\\objdata 0105000002000000080000005061636b616765000000000000000000040000000102030405}}{\\*\\template http://a.invalid}}".to_vec()),
        ("a.pdf", b"%PDF-1.4\n1 0 obj\n<< /Type /ObjStm /Filter /FlateDecode /OpenAction /JS (a) >>\nstream\n\x78\x9c\x03\x00\x00\x00\x00\x01\nendstream\nendobj\n".to_vec()),
        ("a.tar", { let mut tar = vec![0_u8; 1024]; tar[..5].copy_from_slice(b"a.txt"); tar[124..135].copy_from_slice(b"00000000005"); tar[156] = b'0'; tar[257..262].copy_from_slice(b"ustar"); tar[512..517].copy_from_slice(b"inert"); tar }),
        ("a.rar", b"Rar!\x1a\x07\x01\0\0\0\0\0\x03\x01\0\0\0\0\0\0\x0d\x02\0\0\x05\x20\0\0\x05a.lnk".to_vec()),
        ("b.rar", b"Rar!\x1a\x07\0\xcf\x90\x73\0\0\x0d\0\0\0\0\0\0\0\0\0\x74\x20\x90\x2d\0\0\0\0\0\x05\0\0\0\0\0\0\0\0\0\0\0\0\x14\x30\x05\0\x20\0\0\0a.lnk".to_vec()),
        ("a.html", format!("<html><script>createObjectURL('{}')</script>", "UEsDBBQA".repeat(200)).into_bytes()),
        ("a.one", { let mut notes = crate::kind::ONENOTE.to_vec(); notes.extend_from_slice(&[0xe7, 0x16, 0xe3, 0xbd, 0x65, 0x26, 0x11, 0x45, 0xa4, 0xc4, 0x8d, 0x4d, 0x0b, 0x7a, 0x9e, 0xac, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5]); notes }),
        ("winmail.dat", b"\x78\x9f\x3e\x22\x01\0\x02\x02\x90\x06\0\0\0\0\0\0\0\x02\x10\x80\x01\0\x02\0\0\0a\0\0\0\x02\x0f\x80\x06\0\x03\0\0\0abc\0\0".to_vec()),
        ("a.7z", seven_zip("a.lnk", &lure, "")),
        ("a.cab", cabinet("a.lnk", &lure)),
        ("a.eml", b"From: a@example.org\r\nTo: b@example.org\r\nSubject: s\r\nContent-Type: application/zip; name=a.zip\r\nContent-Disposition: attachment\r\nContent-Transfer-Encoding: base64\r\n\r\nUEsFBgAAAAA=".to_vec()),
    ]
}

/// What a seed's changed copy must still keep: no panic (it would be told as our failure), a
/// bounded tree, and a reason for whatever has no bytes.
fn holds(name: &str, bytes: &[u8]) {
    let found = with_passwords(name, bytes, &["no", "word"]);
    assert!(found.objects.len() <= 500);
    for object in &found.objects {
        let why = object.unread.as_deref().unwrap_or_default();
        assert!(!why.contains("makyo failed"), "{name}: {}: {bytes:02x?}", object.path);
        assert!(!object.sha256.is_empty() || object.unread.is_some(), "{}", object.path);
    }
}

#[test]
fn four_thousand_changed_copies_of_each_container() {
    let mut state = 20_261_123_u64;
    let mut next = |below: usize| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below.max(1)
    };
    for (name, seed) in seeds() {
        holds(name, &seed);
        // A virtual disk is large; every copy costs as much as a hundred others.
        let copies = if seed.len() > 1 << 16 { 400 } else { 4_000 };
        for turn in 0..copies {
            let mut bytes = seed.clone();
            if turn % 4 == 0 {
                bytes.truncate(next(seed.len()));
            }
            for _ in 0..=next(24) {
                let at = next(bytes.len().min(4096));
                let value = [0, 0xff, 0x7f, 0x80, next(256) as u8][next(5)];
                if let Some(byte) = bytes.get_mut(at) {
                    *byte = value;
                }
            }
            holds(name, &bytes);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn noise_is_survived(bytes in proptest::collection::vec(any::<u8>(), 0..2000), seed in 0_usize..20) {
        let mut with = seeds().get(seed).map(|one| one.1.iter().copied().take(16).collect::<Vec<u8>>()).unwrap_or_default();
        with.extend(&bytes);
        holds("a.bin", &with);
        holds("a.bin", &bytes);
    }
}
