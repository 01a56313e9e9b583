//! A killed run: the case says that it is incomplete, and the same command again gives the same
//! case as an unbroken run.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::{assert_same_case, makyo, stderr};

fn evidence(folder: &Path) {
    fs::create_dir_all(folder.join("evidence")).expect("folder");
    for file in 0..12 {
        let lines: String = (0..2500)
            .map(|n| format!("{{\"time\":\"2025-01-{:02}T{:02}:{:02}:00Z\",\"user\":\"u{}\",\"src\":\"192.0.2.{}\",\"n\":{}}}\n", file + 1, n / 60 % 24, n % 60, n % 7, n % 250, n * 13 + file))
            .collect();
        fs::write(folder.join(format!("evidence/{file}.jsonl")), lines).expect("written");
    }
}

fn committed(case: &Path) -> usize {
    let Ok(work) = fs::read_dir(case.join("work")) else { return 0 };
    work.flatten()
        .filter(|entry| entry.file_name().to_string_lossy().starts_with("decode-"))
        .filter_map(|entry| fs::read_dir(entry.path()).ok())
        .flat_map(|folder| folder.flatten())
        .filter(|entry| !entry.file_name().to_string_lossy().ends_with(".part"))
        .count()
}

#[test]
fn a_killed_run_goes_on_and_gives_the_same_case() {
    let folder = tempfile::tempdir().expect("folder");
    evidence(folder.path());
    let arguments = ["investigate", "evidence", "--threads", "1", "--case"];
    let whole = makyo(folder.path(), &[&arguments[..], &["whole"]].concat());
    assert_eq!(whole.status.code(), Some(0), "{}", stderr(&whole));

    let case = folder.path().join("killed");
    let mut run = Command::new(env!("CARGO_BIN_EXE_makyo"))
        .args(arguments)
        .arg("killed")
        .current_dir(folder.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts");
    let start = Instant::now();
    while committed(&case) < 3 && start.elapsed() < Duration::from_secs(60) {
        std::thread::yield_now();
    }
    run.kill().expect("killed");
    run.wait().expect("gone");
    let done = committed(&case);
    assert!((3..12).contains(&done), "killed in the middle: {done} of 12 files were done");

    let early = makyo(folder.path(), &["show", "accounts", "--case", "killed"]);
    assert_eq!(early.status.code(), Some(2));
    assert!(stderr(&early).contains("case is incomplete"), "{}", stderr(&early));
    let verified = makyo(folder.path(), &["verify", "--case", "killed"]);
    assert_eq!(verified.status.code(), Some(2));

    let again = makyo(folder.path(), &[&arguments[..], &["killed"]].concat());
    assert_eq!(again.status.code(), Some(0), "{}", stderr(&again));
    assert_same_case(&folder.path().join("whole"), &case);
    let verified = makyo(folder.path(), &["verify", "--case", "killed"]);
    assert_eq!(verified.status.code(), Some(0));
}
