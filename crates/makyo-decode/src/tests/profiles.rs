//! How often source address and user are right on public samples, read with the descriptions. The
//! collector's own columns are the truth; the descriptions see the raw line only.

use std::fs;

use makyo_base::{Object, Value, parse_json};

use super::{events, root, sources};

fn at<'e>(row: &'e Object<'_>, path: &str) -> &'e str {
    row.path(path).and_then(Value::as_str).unwrap_or_default()
}

/// Right ones and all.
type Share = (usize, usize);

fn measure(file: &str, source_column: &str, user_column: &str) -> (Share, Share) {
    let path = root().join("../shared/data/vpn/azure-sentinel").join(file);
    let text = fs::read_to_string(path).expect("sample");
    let Ok(Value::List(rows)) = parse_json(text.trim_start_matches('\u{feff}')) else {
        panic!("{file} is a list");
    };
    let (mut source, mut user) = ((0, 0), (0, 0));
    for row in &rows {
        let Value::Object(row) = row else { continue };
        // What a syslog server would have written: time, host, program and the line.
        let app = at(row, "ProcessName");
        let app = if app.contains('=') { "" } else { app };
        let line = at(row, "SyslogMessage");
        if line.is_empty() || line.contains('\n') {
            continue;
        }
        let head = if app.is_empty() { String::new() } else { format!("{app}: ") };
        let found = events(sources(), &format!("2020-11-01T00:00:00Z gw {head}{line}\n"));
        let event = found.lines.first().and_then(|line| match parse_json(line) {
            Ok(Value::Object(event)) => Some(event.into_owned()),
            _ => None,
        });
        let Some(event) = event else { continue };
        let count = |share: &mut Share, truth: &str, path: &str| {
            let is_right = at(&event, path).eq_ignore_ascii_case(truth);
            share.1 += 1;
            share.0 += usize::from(is_right);
            if !is_right && (share.1 - share.0) % 10 == 1 {
                println!("   {truth} / {} : {line}", at(&event, path));
            }
        };
        if let Ok(truth) = at(row, source_column).parse::<std::net::IpAddr>() {
            count(&mut source, &truth.to_string(), "src_endpoint.ip");
        }
        let truth = at(row, user_column);
        if !["", "System", "null", "N/A"].contains(&truth) {
            count(&mut user, truth, "actor.user.name");
        }
    }
    println!("{file}: source {source:?}, user {user:?} of {} records", rows.len());
    (source, user)
}

#[test]
fn public_samples_with_descriptions() {
    if !root().join("../shared/data/vpn/azure-sentinel").is_dir() {
        println!("skipped: no public samples here");
        return;
    }
    let (mut source, mut user): (Share, Share) = ((0, 0), (0, 0));
    for (file, source_column, user_column) in [
        ("PulseConnectSecure.json", "Source_IP", "User"),
        ("JuniperSRX.json", "SrcIpAddr", "UserName"),
        ("SophosXGFirewall.json", "Src_IP", "User_Name"),
        ("CiscoMeraki.json", "SrcIpAddr", ""),
    ] {
        let (own_source, own_user) = measure(file, source_column, user_column);
        source = (source.0 + own_source.0, source.1 + own_source.1);
        user = (user.0 + own_user.0, user.1 + own_user.1);
    }
    println!("all: source {source:?}, user {user:?}");
    assert!(source.0 * 100 >= source.1 * 95, "source addresses right: {source:?}");
    assert!(user.0 * 100 >= user.1 * 94, "users right: {user:?}");
}
