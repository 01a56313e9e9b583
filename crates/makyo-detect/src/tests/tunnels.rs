use makyo_base::{Finding, MINUTE_NS, NoPlaces, Organisation, Rows, SqlValue};

use super::{Canned, text, weights};
use crate::analytic::tunnel_without_authentication;

enum Line {
    Login,
    Tunnel,
    End,
}

/// Lines of one appliance: what, account, outside address, session, minute.
fn find(lines: &[(Line, &str, &str, &str, i64)]) -> Vec<Finding> {
    find_in("vpn", lines)
}

fn find_in(source: &str, lines: &[(Line, &str, &str, &str, i64)]) -> Vec<Finding> {
    let columns = [
        "source",
        "host",
        "account",
        "address",
        "inside",
        "session",
        "class_uid",
        "activity_id",
        "status",
        "at",
        "file",
        "record",
    ];
    let rows =
        lines.iter().enumerate().map(|(number, (what, account, address, session, minute))| {
            let (class, activity, status) = match what {
                Line::Login => (3002, 1, "Success"),
                Line::Tunnel => (4014, 1, "Success"),
                Line::End => (4014, 2, ""),
            };
            vec![
                text(source),
                text("gw"),
                text(account),
                text(address),
                text("10.99.0.9"),
                text(session),
                SqlValue::Integer(class),
                SqlValue::Integer(activity),
                text(status),
                SqlValue::Integer(minute * MINUTE_NS),
                text("vpn.log"),
                SqlValue::Integer(number as i64 + 1),
            ]
        });
    let rows = Rows { columns: columns.map(str::to_owned).to_vec(), rows: rows.collect() };
    let analytic = tunnel_without_authentication::ANALYTIC;
    let given = (Organisation::default(), weights());
    analytic.run(&Canned(rows), &given.0, &given.1, &NoPlaces, &[]).expect("canned")
}

fn ordinary() -> Vec<(Line, &'static str, &'static str, &'static str, i64)> {
    (0..5)
        .flat_map(|day| {
            let start = day * 1440;
            let session = ["a", "b", "c", "d", "e"][usize::try_from(day).expect("small")];
            [
                (Line::Login, "mori", "192.0.2.1", "", start),
                (Line::Tunnel, "mori", "192.0.2.1", session, start + 1),
                (Line::End, "mori", "192.0.2.1", session, start + 60),
            ]
        })
        .collect()
}

#[test]
fn a_tunnel_without_a_login_is_found() {
    let mut lines = ordinary();
    lines.push((Line::Tunnel, "svc", "198.51.100.7", "x", 9000));
    lines.push((Line::End, "svc", "198.51.100.7", "x", 9100));
    let found = find(&lines);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].records.len(), 2, "the tunnel and its end");
    assert!(found[0].text.contains("5 other tunnels in this log have one"), "{}", found[0].text);
}

#[test]
fn ordinary_days_are_quiet() {
    assert_eq!(find(&ordinary()), vec![]);
}

#[test]
fn taking_a_session_up_again_is_no_finding() {
    let mut lines = ordinary();
    // The same session after a fail-over, and the same client a minute after its tunnel broke.
    lines.push((Line::Tunnel, "mori", "192.0.2.1", "e", 5900));
    lines.push((Line::End, "mori", "192.0.2.1", "e", 5960));
    lines.push((Line::Tunnel, "mori", "192.0.2.1", "f", 5961));
    assert_eq!(find(&lines), vec![]);
}

#[test]
fn a_tunnel_at_the_start_of_the_log_proves_nothing() {
    let mut lines = vec![(Line::Tunnel, "tanaka", "192.0.2.9", "x", -30)];
    lines.extend(ordinary());
    assert_eq!(find(&lines), vec![]);
}

#[test]
fn a_log_without_logins_proves_nothing() {
    let lines: Vec<_> =
        (0..9).map(|day| (Line::Tunnel, "mori", "192.0.2.1", "", day * 1440)).collect();
    assert_eq!(find(&lines), vec![]);
}

#[test]
fn several_lines_of_one_tunnel_are_one_finding() {
    let mut lines = ordinary();
    lines.push((Line::Tunnel, "svc", "198.51.100.7", "x", 9000));
    lines.push((Line::Tunnel, "svc", "198.51.100.7", "y", 9000));
    assert_eq!(find(&lines).len(), 1);
}

/// Of a log whose words are inferred a form of login may not be understood.
#[test]
fn an_inferred_log_must_show_nearly_every_login() {
    let lines = || {
        let mut lines = ordinary();
        lines.push((Line::Tunnel, "svc", "198.51.100.7", "x", 9000));
        lines
    };
    assert_eq!(find_in("vpn", &lines()).len(), 1, "five of six tunnels have a login");
    assert_eq!(find_in("generic", &lines()).len(), 0);
}
