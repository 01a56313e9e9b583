//! Unknown products: what is inferred from how a whole log speaks.

use std::fs;

use makyo_base::{Object, Value, parse_json};

use super::{events, root};
use crate::Sources;

/// The events of a log that no source describes.
fn inferred(text: &str) -> Vec<Object<'static>> {
    let found = events(&Sources::default(), text);
    found
        .lines
        .iter()
        .filter_map(|line| match parse_json(line) {
            Ok(Value::Object(object)) => Some(object.into_owned()),
            _ => None,
        })
        .collect()
}

fn at<'e>(event: &'e Object<'_>, path: &str) -> &'e str {
    event.path(path).and_then(Value::as_str).unwrap_or_default()
}

/// One morning of an appliance with words of its own.
fn unknown_appliance() -> String {
    let people = ["mori", "sato.k", "tanaka", "abe", "ueda"];
    let mut text = String::new();
    for (number, who) in people.iter().enumerate() {
        let from = format!("198.51.100.{}", 10 + number);
        let inside = format!("10.99.0.{}", 30 + number);
        let hour = 8 + number;
        text.push_str(&format!(
            "2025-03-03T0{h}:00:01Z gw7 [door] peer {from} opened channel\n\
             2025-03-03T0{h}:00:03Z gw7 [door] peer {from} identity '{who}' accepted method=pwd realm=staff\n\
             2025-03-03T0{h}:00:04Z gw7 [road] link 77{number} established for '{who}' peer {from} lease {inside}\n\
             2025-03-03T0{h}:40:00Z gw7 [road] link 77{number} released for '{who}' peer {from} lease {inside} lasted 2396s rx 120 tx 5000 cause \"User requested it\"\n",
            h = hour % 10,
        ));
    }
    text.push_str("2025-03-03T09:59:00Z gw7 [door] peer 203.0.113.99 identity 'root' refused reason=credentials\n");
    text.push_str(
        "2025-03-03T10:00:00Z gw7 [desk] operator 'maint' signed in from 10.20.0.5 over https\n",
    );
    text.push_str(
        "2025-03-03T10:01:00Z gw7 [desk] syslog server 10.20.0.9 removed by operator 'maint'\n",
    );
    text
}

#[test]
fn an_unknown_appliance_is_understood() {
    let events = inferred(&unknown_appliance());
    let of = |part: &str| {
        events.iter().find(|event| at(event, "message").contains(part)).expect("a line")
    };
    let login = of("identity 'tanaka' accepted");
    assert_eq!(at(login, "class_name"), "Authentication");
    assert_eq!(at(login, "status"), "Success");
    assert_eq!(at(login, "logon_type"), "vpn");
    assert_eq!(at(login, "actor.user.name"), "tanaka");
    assert_eq!(at(login, "src_endpoint.ip"), "198.51.100.12");
    let tunnel = of("link 771 established");
    assert_eq!(at(tunnel, "class_name"), "Tunnel Activity");
    assert_eq!(at(tunnel, "activity_name"), "open");
    assert_eq!(at(tunnel, "actor.user.name"), "sato.k");
    assert_eq!(at(tunnel, "tunnel_interface.ip"), "10.99.0.31");
    assert_eq!(at(tunnel, "src_endpoint.ip"), "198.51.100.11");
    assert_eq!(at(tunnel, "actor.session.uid"), "771");
    assert_eq!(at(of("link 771 released"), "activity_name"), "close");
    assert_eq!(at(of("'root' refused"), "status"), "Failure");
    assert_eq!(at(of("signed in from"), "logon_type"), "admin");
    assert_eq!(at(of("syslog server"), "class_name"), "Event Log Activity");
    assert_ne!(at(of("opened channel"), "class_name"), "Tunnel Activity", "nobody is inside yet");
}

/// Logs that speak of sessions, users and logins, and are no remote access.
#[test]
fn other_logs_are_not_taken_for_remote_access() {
    let lines = "\
2025-03-03T08:00:01Z web1 sshd[812]: Accepted password for deploy from 198.51.100.9 port 50022 ssh2
2025-03-03T08:00:01Z web1 sshd[812]: pam_unix(sshd:session): session opened for user deploy by (uid=0)
2025-03-03T08:10:01Z web1 sshd[812]: pam_unix(sshd:session): session closed for user deploy
2025-03-03T08:11:00Z web1 dhcpd[77]: DHCPACK on 10.20.1.44 to 00:53:00:aa:bb:cc via eth0
2025-03-03T08:12:00Z web1 postgres[9]: connection authorized: user=app database=shop application_name=web
";
    for event in inferred(lines) {
        assert_eq!(at(&event, "class_name"), "Base Event", "{event:?}");
    }
}

/// The word that follows `user` in one sentence is a verb there: in the whole log it is constant.
#[test]
fn a_word_of_the_product_is_no_user() {
    let mut text = String::new();
    for number in 0..60 {
        text.push_str(&format!(
            "2025-03-03T08:{number:02}:01Z asa7 vpn group=staff username=p{number:02} src=198.51.100.{number} session disconnected, reason: User Requested\n"
        ));
    }
    for (number, event) in inferred(&text).iter().enumerate() {
        assert_eq!(at(event, "actor.user.name"), format!("p{number:02}"));
    }
}

/// A user in one form is a user in another, where nothing introduces it.
#[test]
fn names_are_known_from_other_sentences() {
    let mut text = String::new();
    for who in ["mori", "satok", "tanaka", "abe", "ueda", "kondo"] {
        text.push_str(&format!(
            "2025-03-03T08:00:01Z gate vpn login accepted user={who} client=198.51.100.7\n\
             2025-03-03T08:00:02Z gate vpn tunnel up ({who}) 198.51.100.7 virtual 10.99.0.7\n"
        ));
    }
    let events = inferred(&text);
    let tunnels: Vec<_> =
        events.iter().filter(|event| at(event, "activity_name") == "open").collect();
    assert_eq!(tunnels.len(), 6, "{events:?}");
    assert_eq!(at(tunnels[0], "actor.user.name"), "mori");
    assert_eq!(at(tunnels[0], "tunnel_interface.ip"), "10.99.0.7");
}

/// How often source address and user are right on public samples, with every description switched
/// off and only the raw line given: the collector's own columns are the truth.
#[test]
fn public_samples_without_any_description() {
    let folder = root().join("../shared/data/vpn/azure-sentinel");
    if !folder.is_dir() {
        println!("skipped: no public samples here");
        return;
    }
    let (mut source, mut user) = ((0, 0), (0, 0));
    for (file, source_column, user_column) in [
        ("PulseConnectSecure.json", "Source_IP", "User"),
        ("JuniperSRX.json", "SrcIpAddr", "UserName"),
        ("SophosXGFirewall.json", "Src_IP", "User_Name"),
        ("CiscoMeraki.json", "SrcIpAddr", ""),
    ] {
        let text = fs::read_to_string(folder.join(file)).expect("sample");
        let Ok(Value::List(rows)) = parse_json(text.trim_start_matches('\u{feff}')) else {
            panic!("{file} is a list");
        };
        let mut lines = Vec::new();
        for row in &rows {
            let Value::Object(row) = row else { continue };
            let line = at(row, "SyslogMessage");
            if !line.is_empty() && !line.contains('\n') {
                lines.push((line, at(row, source_column), at(row, user_column)));
            }
        }
        let text: String = lines.iter().map(|line| format!("{}\n", line.0)).collect();
        let found = events(&Sources::default(), &text);
        let (mut own_source, mut own_user) = ((0, 0), (0, 0));
        for event in &found.lines {
            let Ok(Value::Object(event)) = parse_json(event) else { continue };
            let record = event.path("message").and_then(Value::as_str).unwrap_or_default();
            let Some(truth) = lines.iter().find(|line| line.0.ends_with(record)) else { continue };
            if truth.1.parse::<std::net::IpAddr>().is_ok() {
                own_source.1 += 1;
                own_source.0 += i32::from(at(&event, "src_endpoint.ip") == truth.1);
            }
            if !["", "System", "null", "N/A"].contains(&truth.2) {
                own_user.1 += 1;
                own_user.0 += i32::from(at(&event, "actor.user.name") == truth.2);
                if at(&event, "actor.user.name") != truth.2 && own_user.1 % 40 == 0 {
                    println!("   {} / {} : {}", truth.2, at(&event, "actor.user.name"), truth.0);
                }
            }
        }
        println!("{file}: source {own_source:?}, user {own_user:?} of {} lines", lines.len());
        source = (source.0 + own_source.0, source.1 + own_source.1);
        user = (user.0 + own_user.0, user.1 + own_user.1);
    }
    println!("all: source {source:?}, user {user:?}");
    assert!(source.0 * 100 >= source.1 * 93, "source addresses right: {source:?}");
    assert!(user.0 * 100 >= user.1 * 70, "users right: {user:?}");
}
