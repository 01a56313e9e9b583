//! Any bytes as an archive: no panic, and nothing outside of the spool.
#![no_main]

use libfuzzer_sys::fuzz_target;
use makyo_collect::{Limits, collect};

fuzz_target!(|bytes: &[u8]| {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (evidence, spool) = (folder.path().join("evidence"), folder.path().join("spool"));
    std::fs::create_dir_all(&spool).expect("a folder");
    std::fs::write(&evidence, bytes).expect("written");
    let limits = Limits { expanded_bytes_max: 1 << 24, ..Limits::default() };
    let _ = collect(&[evidence], &spool, &limits, &mut |_, _| {});
    let here = std::fs::read_dir(folder.path()).expect("readable").count();
    assert_eq!(here, 2, "a member chose its own path");
});
