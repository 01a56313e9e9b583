//! Damaged and hostile evidence: named, kept as a defect, exit status 3, and nothing else is lost.

use std::fs;
use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::{makyo, rows, show, stderr, stdout, text};

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).expect("in memory");
    encoder.finish().expect("in memory")
}

fn zip_bomb() -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    writer.start_file("big.log", zip::write::SimpleFileOptions::default()).expect("in memory");
    let block = vec![b'0'; 1 << 20];
    for _ in 0..64 {
        writer.write_all(&block).expect("in memory");
    }
    writer.finish().expect("in memory").into_inner()
}

fn line(number: usize) -> String {
    format!(
        "{{\"time\":\"2025-01-01T00:00:{:02}Z\",\"user\":\"u{number}\",\"src\":\"192.0.2.1\",\"n\":{number}}}\n",
        number % 60
    )
}

#[test]
fn every_kind_of_damage_is_named_and_the_rest_is_read() {
    let folder = tempfile::tempdir().expect("folder");
    let evidence = folder.path().join("evidence");
    fs::create_dir_all(&evidence).expect("folder");
    let put = |name: &str, bytes: &[u8]| fs::write(evidence.join(name), bytes).expect("written");
    let good: String = (0..50).map(line).collect();
    put("good.jsonl", good.as_bytes());
    let long: String = (50..8000).map(line).collect();
    let packed = gzip(long.as_bytes());
    put("cut.jsonl.gz", &packed[..packed.len() / 2]);
    let table = "time,user,src\r\n2025-01-01T00:00:00Z,x,192.0.2.1\r\n";
    let utf16: Vec<u8> =
        std::iter::once(0xfeff).chain(table.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    put("utf16.csv", &utf16);
    put("empty.log", b"");
    put(
        "long.jsonl",
        format!(
            "{}{{\"a\":\"{}\"}}
{}",
            line(9001),
            "x".repeat(10 << 20),
            line(9002)
        )
        .as_bytes(),
    );
    put("bomb.zip", &zip_bomb());
    let mut evtx = b"ElfFile\0".to_vec();
    evtx.extend([7; 300]);
    put("cut.evtx", &evtx);
    put("noise.bin", &[0x7f, 0, 1, 2, 3, 0, 0, 0, 0, 9]);
    #[cfg(unix)]
    std::os::unix::fs::symlink("..", evidence.join("loop")).expect("link");

    let run = makyo(folder.path(), &["investigate", "evidence", "--case", "case"]);
    assert_eq!(run.status.code(), Some(3), "{}", stderr(&run));
    let defects = makyo(
        folder.path(),
        &["sql", "SELECT file, kind, detail FROM defects", "--case", "case", "--format", "json"],
    );
    let defects = rows(&stdout(&defects));
    let mut wanted = vec![
        ("cut.jsonl.gz", "truncated"),
        ("empty.log", "empty"),
        ("long.jsonl", "limit"),
        ("bomb.zip", "limit"),
        ("cut.evtx", "malformed"),
        ("noise.bin", "unrecognised"),
    ];
    if cfg!(unix) {
        wanted.push(("loop", "not_followed"));
    }
    for (file, kind) in wanted {
        let found =
            defects.iter().any(|row| text(row, "file").contains(file) && text(row, "kind") == kind);
        assert!(found, "{file}: no defect {kind} in {defects:?}");
        assert!(stdout(&run).contains(file), "{file} is not named to the user: {}", stdout(&run));
    }
    let counts = makyo(
        folder.path(),
        &[
            "sql",
            "SELECT file, count(*) AS n FROM events GROUP BY file ORDER BY file",
            "--case",
            "case",
            "--format",
            "csv",
        ],
    );
    let counts = stdout(&counts);
    for (file, count) in [("good.jsonl", "50"), ("utf16.csv", "1"), ("long.jsonl", "2")] {
        let is_there =
            counts.lines().any(|row| row.contains(file) && row.ends_with(&format!(",{count}")));
        assert!(is_there, "{file}: {counts}");
    }
    let before_the_cut =
        counts.lines().find(|row| row.contains("cut.jsonl.gz")).expect("read up to the cut");
    let number: usize = before_the_cut.rsplit(',').next().expect("count").parse().expect("number");
    assert!(number > 1000, "{before_the_cut}");
    assert!(
        show(folder.path(), "coverage", "case")
            .iter()
            .any(|row| text(row, "source") == "(not read)")
    );
    let verified = makyo(folder.path(), &["verify", "--case", "case"]);
    assert_eq!(verified.status.code(), Some(0), "{}", stdout(&verified));
}

#[test]
fn evidence_is_not_written_to_and_tampering_is_seen() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("a.jsonl");
    fs::write(&path, line(1)).expect("written");
    let before = fs::metadata(&path).and_then(|metadata| metadata.modified()).expect("time");
    let run = makyo(folder.path(), &["investigate", "a.jsonl", "--case", "case"]);
    assert_eq!(run.status.code(), Some(0), "{}", stderr(&run));
    assert_eq!(fs::metadata(&path).and_then(|metadata| metadata.modified()).expect("time"), before);

    fs::write(&path, line(2)).expect("written");
    let verified = makyo(folder.path(), &["verify", "--case", "case"]);
    assert_eq!(verified.status.code(), Some(2));
    assert!(stdout(&verified).contains("a.jsonl: content has changed"), "{}", stdout(&verified));

    fs::write(&path, line(1)).expect("written");
    let custody = folder.path().join("case/custody.jsonl");
    let text = fs::read_to_string(&custody).expect("log");
    fs::write(&custody, text.replacen("evidence", "Evidence", 1)).expect("written");
    fs::write(folder.path().join("case/answers/findings.json"), "[]").expect("written");
    let verified = makyo(folder.path(), &["verify", "--case", "case"]);
    assert_eq!(verified.status.code(), Some(2));
    assert!(stdout(&verified).contains("chain is broken at line 1"), "{}", stdout(&verified));
}
