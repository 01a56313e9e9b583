//! Lines to remote-access sessions.

use makyo_base::{HOUR_NS, MINUTE_NS, RecordRef};

use crate::sessions::{Began, Line, RemoteSessions, Step, link};

fn line(step: Step, account: &str, minute: i64) -> Line {
    Line {
        source: "ivanti-pulse".into(),
        device: "gw".into(),
        account: account.into(),
        session: String::new(),
        outside: "198.51.100.7".into(),
        inside: String::new(),
        step,
        at: minute * MINUTE_NS,
        duration: 0,
        bytes: (0, 0),
        records: 1,
        record: RecordRef { file: "vpn.log".into(), record: minute.unsigned_abs() },
    }
}

fn with(mut line: Line, session: &str, inside: &str) -> Line {
    line.session = session.into();
    line.inside = inside.into();
    line
}

fn shape(found: &RemoteSessions) -> Vec<(String, Began, bool, i64)> {
    let of =
        |one: &crate::RemoteSession| (one.account.clone(), one.began, one.is_closed, one.records);
    found.sessions.iter().map(of).collect()
}

#[test]
fn login_tunnel_and_end_are_one_session() {
    let found = link(vec![
        with(line(Step::Login, "hanako", 0), "a1", ""),
        with(line(Step::Open, "hanako", 1), "", "10.99.0.3"),
        line(Step::Alive, "hanako", 30),
        with(line(Step::Close, "hanako", 60), "", "10.99.0.3"),
        with(line(Step::Logoff, "hanako", 60), "a1", ""),
    ]);
    assert_eq!(shape(&found), [("hanako".to_owned(), Began::Login, true, 5)]);
    assert_eq!((found.ends, found.ends_linked), (2, 2));
}

/// Products name one person with and without the domain.
#[test]
fn a_session_is_the_persons() {
    let found = link(vec![
        line(Step::Login, "agency\\hanako", 0),
        with(line(Step::Open, "hanako@agency.example", 1), "", "10.99.0.3"),
        with(line(Step::Close, "hanako", 60), "", "10.99.0.3"),
    ]);
    assert_eq!(found.sessions.len(), 1);
}

#[test]
fn two_sessions_side_by_side_stay_two() {
    let mut elsewhere = with(line(Step::Open, "hanako", 20), "", "10.99.0.4");
    elsewhere.outside = "192.0.2.40".into();
    let found = link(vec![
        with(line(Step::Open, "hanako", 0), "", "10.99.0.3"),
        elsewhere,
        with(line(Step::Close, "hanako", 40), "", "10.99.0.3"),
        with(line(Step::Close, "hanako", 50), "", "10.99.0.4"),
    ]);
    assert_eq!(found.sessions.len(), 2, "{found:?}");
    assert!(found.sessions.iter().all(|one| one.is_closed && one.records == 2));
}

#[test]
fn what_was_open_before_the_log_begins_earlier() {
    let mut end = line(Step::Close, "hanako", 30);
    end.duration = 2 * HOUR_NS;
    let found = link(vec![line(Step::Alive, "hanako", 0), end]);
    assert_eq!(shape(&found), [("hanako".to_owned(), Began::Unseen, true, 2)]);
    assert_eq!(found.sessions[0].start, 30 * MINUTE_NS - 2 * HOUR_NS);
    assert_eq!((found.ends, found.ends_linked), (1, 1));
}

#[test]
fn an_end_without_anything_before_is_not_linked() {
    let found = link(vec![line(Step::Close, "hanako", 30)]);
    assert_eq!((found.sessions.len(), found.ends, found.ends_linked), (1, 1, 0));
}

/// A failed login puts nobody inside.
#[test]
fn refused_logins_are_no_sessions() {
    assert!(link(vec![line(Step::Refused, "hanako", 0)]).sessions.is_empty());
}

#[test]
fn the_order_of_lines_changes_nothing() {
    let lines = vec![
        with(line(Step::Login, "hanako", 0), "a1", ""),
        with(line(Step::Open, "hanako", 1), "", "10.99.0.3"),
        with(line(Step::Login, "sato", 2), "b2", ""),
        with(line(Step::Close, "hanako", 60), "", "10.99.0.3"),
        with(line(Step::Logoff, "sato", 61), "b2", ""),
    ];
    let mut turned = lines.clone();
    turned.reverse();
    assert_eq!(link(lines), link(turned));
}
