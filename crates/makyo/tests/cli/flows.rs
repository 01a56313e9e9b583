//! Flow logs to beacons, scanners and members of botnets, as a user meets them.

use std::fs;
use std::path::Path;

use makyo_base::{Object, Value};

use crate::real::samples;
use crate::{makyo, show, stdout, text};

const BEGIN: f64 = 1_740_960_000.0;

/// A conn.log that is put together line by line.
struct Log(Vec<(f64, String)>);

impl Log {
    fn add(&mut self, at: f64, ends: (&str, &str, u16), state: &str, bytes: (u64, u64)) {
        let (source, target, port) = ends;
        let (sent, got) = bytes;
        let line = format!(
            "{:.6}\tC{}\t{source}\t40001\t{target}\t{port}\ttcp\t{sent}\t{got}\t{state}\n",
            BEGIN + at,
            self.0.len()
        );
        self.0.push((at, line));
    }

    fn calls(&mut self, from: f64, period: f64, ends: (&str, &str, u16)) {
        let (mut at, mut turn) = (from, 0.0);
        while at < 86_400.0 {
            self.add(at, ends, "SF", (500, 300));
            turn = (turn + 0.618_034) % 1.0;
            at += period * (0.9 + 0.2 * turn);
        }
    }

    fn write(mut self, path: &Path) {
        self.0.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut all = "#separator \\x09\n#path\tconn\n#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\torig_bytes\tresp_bytes\tconn_state\n".to_owned();
        for (_, line) in &self.0 {
            all.push_str(line);
        }
        fs::create_dir_all(path.parent().expect("a folder")).expect("folder");
        fs::write(path, all).expect("written");
    }
}

/// Seventy cameras that call their maker, of which five were entered and call somebody else; an
/// office computer that reaches the same address once; the own scanner.
fn network(folder: &Path) {
    let mut log = Log(Vec::new());
    for n in 1..=70 {
        log.calls(f64::from(n) * 7.0, 2700.0, (&format!("10.5.0.{n}"), "203.0.113.5", 443));
    }
    for n in 1..=5 {
        let (device, at) = (format!("10.5.0.{}", n * 9), 20_000.0 + f64::from(n) * 3000.0);
        log.add(at, (&format!("198.51.100.{n}"), &device, 23), "SF", (900, 1500));
        log.add(at + 60.0, (&device, "198.51.100.99", 80), "SF", (200, 250_000));
        log.calls(at + 100.0, 600.0, (&device, "192.0.2.66", 8443));
    }
    log.add(50_000.0, ("10.5.7.7", "192.0.2.66", 8443), "SF", (400, 400));
    for n in 1..=60 {
        log.add(30_000.0 + f64::from(n), ("10.5.9.9", &format!("10.5.1.{n}"), 22), "S0", (40, 0));
    }
    log.write(&folder.join("evidence/conn.log"));
    fs::write(folder.join("org.toml"), "[network]\nscanners = [\"10.5.9.9\"]\n").expect("org");
}

fn investigate(folder: &Path, case: &str, more: &[&str]) {
    let mut arguments =
        vec!["investigate", "evidence", "--org", "org.toml", "--case", case, "--no-progress"];
    arguments.extend_from_slice(more);
    let output = makyo(folder, &arguments);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
}

#[test]
fn members_stand_among_the_hosts_and_drag_nobody_along() {
    let folder = tempfile::tempdir().expect("folder");
    network(folder.path());
    investigate(folder.path(), "case", &[]);
    let hosts = show(folder.path(), "hosts", "case");
    let mut members: Vec<String> = hosts
        .iter()
        .filter(|row| text(row, "verdict") == "botnet_member")
        .map(|row| text(row, "host"))
        .collect();
    members.sort();
    assert_eq!(members, ["10.5.0.18", "10.5.0.27", "10.5.0.36", "10.5.0.45", "10.5.0.9"]);
    assert!(show(folder.path(), "incidents", "case").is_empty());
    assert!(!hosts.iter().any(|row| text(row, "host") == "10.5.7.7"));
    let findings = show(folder.path(), "findings", "case");
    let is_scan = |row: &&Object<'_>| {
        row.get("rule")
            .and_then(Value::as_object)
            .is_some_and(|rule| text(rule, "id") == "port_scan")
    };
    let scan = findings.iter().find(is_scan).expect("the scan is told");
    assert_eq!(text(scan, "explained_by"), "own vulnerability scanner");
}

#[test]
fn a_beacons_records_are_the_records_of_its_events() {
    let folder = tempfile::tempdir().expect("folder");
    network(folder.path());
    investigate(folder.path(), "case", &["--threads", "2"]);
    let beacons = show(folder.path(), "beacons", "case");
    let first = beacons.first().expect("beacons");
    assert_eq!(text(first, "target"), "192.0.2.66");
    let Some(Value::List(records)) = first.get("records") else { panic!("{first:?}") };
    for record in records {
        let number = record.as_object().and_then(|one| one.get("record")).expect("a number");
        let number = number.as_text().expect("a number").into_owned();
        let sql = format!(
            "SELECT dst_endpoint_ip FROM events WHERE record = {number} AND src_endpoint_ip = '{}'",
            text(first, "source")
        );
        let output = makyo(folder.path(), &["sql", &sql, "--case", "case", "--format", "csv"]);
        assert!(stdout(&output).contains("192.0.2.66"), "{number}");
    }
}

#[test]
fn the_channels_of_the_evaluation_come_first() {
    let Some(samples) = samples("zeek") else { return };
    let folder = tempfile::tempdir().expect("folder");
    let case = folder.path().join("case");
    let case = case.to_str().expect("a path of text");
    let evidence = samples.to_str().expect("a path of text");
    makyo(folder.path(), &["investigate", evidence, "--case", case, "--no-progress"]);
    let beacons = show(folder.path(), "beacons", case);
    let ends: Vec<String> = beacons
        .iter()
        .take(2)
        .map(|row| {
            let port = row.get("port").and_then(Value::as_text).expect("a port").into_owned();
            format!("{} {}:{port}", text(row, "source"), text(row, "target"))
        })
        .collect();
    assert_eq!(ends, ["10.0.1.5 192.168.0.4:443", "10.0.1.6 192.168.0.4:8443"]);
}
