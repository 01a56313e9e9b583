//! From host to host: what the intruder's account did, and what is its service's own.

use makyo_base::{
    DAY_NS, Entity, EntityKind, Finding, HOUR_NS, MINUTE_NS, Network, Object, Organisation, Query,
    QueryError, RecordRef, Role, Rows, SqlValue, Value,
};

use super::{finding, posing, second_factor, texts};
use crate::{Answers, Inputs, answer};

const LEASE: &str = "10.99.0.5";
const APPLICATIONS: &str = "10.20.3.20";
const READER: &str = "10.20.10.53";
/// When the tunnel opens.
const START: i64 = 5 * DAY_NS;

/// A case's events, as the aggregates give them.
#[derive(Default)]
struct Case {
    logons: Vec<Vec<SqlValue>>,
    becomes: Vec<Vec<SqlValue>>,
    addresses: Vec<Vec<SqlValue>>,
    sign_ins: Vec<Vec<SqlValue>>,
    uses: Vec<Vec<SqlValue>>,
}

fn text(value: &str) -> SqlValue {
    SqlValue::Text(value.to_owned())
}

impl Query for Case {
    fn query(&self, sql: &str) -> Result<Rows, QueryError> {
        let (columns, rows): (&[&str], _) = if sql.contains("logon_type AS kind") {
            (
                &[
                    "account",
                    "address",
                    "from_host",
                    "host",
                    "kind",
                    "first",
                    "times",
                    "least_record",
                ],
                self.logons.clone(),
            )
        } else if sql.contains("explicit_credentials") {
            (&["host", "account", "other", "first"], self.becomes.clone())
        } else if sql.contains("AS is_own") {
            (&["address", "host", "is_own", "first", "last"], self.addresses.clone())
        } else if sql.contains("AS is_cloud") {
            let names = &[
                "account",
                "address",
                "status",
                "is_cloud",
                "is_managed",
                "first",
                "last",
                "least_record",
            ];
            (names, self.sign_ins.clone())
        } else if sql.contains("AS throttled") {
            let names = &[
                "account",
                "address",
                "session",
                "access",
                "first",
                "last",
                "operation",
                "kind",
                "stretch",
                "place",
                "owner",
                "records",
                "throttled",
                "least_record",
            ];
            (names, self.uses.clone())
        } else {
            (&[], Vec::new())
        };
        let columns = columns.iter().map(|name| (*name).to_owned()).collect();
        Ok(Rows { columns, rows })
    }
}

impl Case {
    /// A network logon, or with `screen` a session at the host's screen.
    fn logon(mut self, account: &str, address: &str, host: &str, times: &[i64]) -> Self {
        let list = times.iter().map(ToString::to_string).collect();
        self.logons.push(vec![
            text(account),
            text(address),
            text(""),
            text(host),
            text("network"),
            SqlValue::Integer(times.iter().copied().min().unwrap_or_default()),
            SqlValue::TextList(list),
            text("security.evtx#7"),
        ]);
        self
    }

    fn becomes(mut self, host: &str, account: &str, other: &str, at: i64) -> Self {
        let time = SqlValue::Integer(at);
        self.becomes.push(vec![text(host), text(account), text(other), time]);
        self
    }

    fn at(mut self, address: &str, host: &str) -> Self {
        let (from, to) = (SqlValue::Integer(0), SqlValue::Integer(20 * DAY_NS));
        self.addresses.push(vec![
            text(address),
            text(&format!("agency\\{host}$")),
            SqlValue::Boolean(true),
            from,
            to,
        ]);
        self
    }

    fn signs_in(self, account: &str, address: &str) -> Self {
        self.signs_in_at(account, address, START, false)
    }

    fn signs_in_at(mut self, account: &str, address: &str, at: i64, is_managed: bool) -> Self {
        let at = SqlValue::Integer(at);
        self.sign_ins.push(vec![
            text(account),
            text(address),
            text("Success"),
            SqlValue::Boolean(true),
            SqlValue::Boolean(is_managed),
            at.clone(),
            at,
            text("signins.json#1"),
        ]);
        self
    }

    fn uses(mut self, account: &str, address: &str, session: &str, times: (i64, i64)) -> Self {
        let (first, last) = (SqlValue::Integer(times.0), SqlValue::Integer(times.1));
        self.uses.push(vec![
            text(account),
            text(address),
            text(session),
            text("bind"),
            first,
            last,
            text("MailItemsAccessed"),
            text("mailbox"),
            SqlValue::Integer(0),
            text("\\Inbox"),
            text(""),
            SqlValue::Integer(1),
            SqlValue::Boolean(false),
            text("audit.jsonl#3"),
        ]);
        self
    }

    fn answers(&self, findings: &[Finding]) -> Answers {
        let pools = vec!["10.99.0.0/16".parse().expect("network")];
        let network = Network { vpn_pools: pools, ..Network::default() };
        let organisation = Organisation { network, ..Organisation::default() };
        let mut findings = findings.to_vec();
        findings.sort_by(|a, b| (a.time, &a.id).cmp(&(b.time, &b.id)));
        answer(&Inputs {
            query: self,
            organisation: &organisation,
            findings: &findings,
            unread: &[],
            incident_least: 20.0,
            incident_strong: 14.0,
        })
        .expect("answered")
    }
}

fn entity(role: Role, kind: EntityKind, value: &str) -> Entity {
    Entity { role, kind, value: value.into() }
}

/// A tunnel that nobody's login explains.
fn tunnel() -> Finding {
    let mut tunnel = finding("tunnel", 30.0, 0, "gw1", 1);
    tunnel.rule.id = "tunnel_without_authentication".into();
    tunnel.time = Some(START);
    tunnel.tactics = vec!["initial-access".into()];
    tunnel.records = vec![RecordRef { file: "vpn.log".into(), record: 1 }];
    tunnel.entities.push(entity(Role::Origin, EntityKind::Address, "192.0.2.9"));
    tunnel.entities.push(entity(Role::Object, EntityKind::Address, LEASE));
    tunnel
}

/// Servers on the way of the intruder, who came to the first with a service's account.
fn entered() -> Case {
    Case::default().at(APPLICATIONS, "srv-app01").at("10.20.0.12", "fs01").logon(
        "agency\\svc-ldap",
        LEASE,
        "srv-app01",
        &[START + 10 * MINUTE_NS],
    )
}

fn movements(answers: &Answers) -> Vec<(String, String)> {
    let rows: Vec<Object<'static>> = answers
        .table("path")
        .iter()
        .filter(|row| row.get("tactic").and_then(Value::as_str) == Some("lateral-movement"))
        .cloned()
        .collect();
    texts(&rows, "from").into_iter().zip(texts(&rows, "to")).collect()
}

fn pairs(all: &[(&str, &str)]) -> Vec<(String, String)> {
    all.iter().map(|one| (one.0.to_owned(), one.1.to_owned())).collect()
}

#[test]
fn the_path_goes_on_from_host_to_host_and_with_the_accounts_that_were_taken_on_the_way() {
    let case = entered()
        .becomes("srv-app01", "agency\\svc-ldap", "agency\\adm-ito", START + 20 * MINUTE_NS)
        .logon("agency\\adm-ito", APPLICATIONS, "fs01", &[START + 21 * MINUTE_NS])
        .logon("agency\\adm-ito", "10.20.0.12", "dc01", &[START + 40 * MINUTE_NS]);
    let wanted = pairs(&[(LEASE, "srv-app01"), ("srv-app01", "fs01"), ("fs01", "dc01")]);
    assert_eq!(movements(&case.answers(&[tunnel()])), wanted);
}

/// A hole in the log makes one tunnel less sure; in the same name another one is sure.
#[test]
fn a_tunnel_beside_a_hole_in_the_log_is_whose_the_others_of_its_name_are() {
    let name = entity(Role::Target, EntityKind::Account, "sslguest");
    let mut sure = tunnel();
    sure.entities.push(name.clone());
    let mut later = sure.clone();
    (later.id, later.weight_db, later.time) = ("later".into(), 13.0, Some(START + 2 * DAY_NS));
    let at = START + 2 * DAY_NS + HOUR_NS;
    let case = entered().logon("agency\\svc-ldap", LEASE, "fs01", &[at]);
    let wanted = pairs(&[(LEASE, "srv-app01"), (LEASE, "fs01")]);
    assert_eq!(movements(&case.answers(&[sure.clone(), later.clone()])), wanted);
    later.entities.retain(|one| *one != name);
    assert_eq!(movements(&case.answers(&[sure, later])), wanted[..1]);
}

#[test]
fn what_a_service_did_from_there_before_is_no_step() {
    let habit: Vec<i64> = (0..200).map(|turn| turn * HOUR_NS).collect();
    let case = entered().logon("agency\\svc-ldap", APPLICATIONS, "dc01", &habit);
    assert_eq!(movements(&case.answers(&[tunnel()])), pairs(&[(LEASE, "srv-app01")]));
}

#[test]
fn what_a_service_did_from_there_before_under_another_address_is_no_step_either() {
    let case = entered()
        .at("10.20.3.21", "srv-app01")
        .logon("agency\\svc-ldap", "10.20.3.21", "dc01", &[DAY_NS, 2 * DAY_NS])
        .logon("agency\\svc-ldap", APPLICATIONS, "dc01", &[START + HOUR_NS]);
    assert_eq!(movements(&case.answers(&[tunnel()])), pairs(&[(LEASE, "srv-app01")]));
}

#[test]
fn another_accounts_logons_from_there_and_those_after_the_tunnel_are_no_steps() {
    let case = entered()
        .logon("agency\\svc-backup", APPLICATIONS, "fs01", &[START + HOUR_NS])
        .logon("agency\\svc-ldap", APPLICATIONS, "dc01", &[START + 2 * DAY_NS]);
    assert_eq!(movements(&case.answers(&[tunnel()])), pairs(&[(LEASE, "srv-app01")]));
}

/// A host of the incident onto which no logon of the intruder's leads.
#[test]
fn where_no_record_shows_the_way_the_ways_that_there_were_are_named() {
    let mut later = finding("later", 22.0, 0, "dc01", 3);
    later.time = Some(START + 6 * HOUR_NS);
    later.entities.push(entity(Role::Actor, EntityKind::Account, "agency\\svc-x"));
    let mut there = finding("there", 22.0, 0, "srv-app01", 4);
    there.time = Some(START + HOUR_NS);
    there.entities.push(entity(Role::Actor, EntityKind::Account, "agency\\svc-x"));
    let case = entered()
        .logon("agency\\svc-x", APPLICATIONS, "dc01", &[START + 5 * HOUR_NS])
        .logon("agency\\mori", "10.20.10.9", "dc01", &[START + 5 * HOUR_NS]);
    let found = case.answers(&[tunnel(), there, later]);
    assert_eq!(movements(&found), pairs(&[(LEASE, "srv-app01"), ("", "dc01")]));
    let ways = found.table("path").iter().flat_map(|row| match row.get("alternatives") {
        Some(Value::List(list)) => list.clone(),
        _ => Vec::new(),
    });
    let ways: Vec<String> = ways.filter_map(|one| one.as_str().map(str::to_owned)).collect();
    assert_eq!(ways, ["agency\\svc-x @ srv-app01, 1970-01-06T05:00:00Z"]);
}

fn calls_home(day: i64) -> Finding {
    let mut calls = finding("calls", 7.0, day, "", 9);
    calls.rule.id = "beacon".into();
    calls.entities = vec![
        entity(Role::Origin, EntityKind::Address, READER),
        entity(Role::Destination, EntityKind::Address, "192.0.2.177"),
    ];
    calls
}

fn members(answers: &Answers) -> usize {
    let [incident] = answers.table("incidents") else { panic!("one incident") };
    match incident.get("findings") {
        Some(Value::List(list)) => list.len(),
        _ => 0,
    }
}

#[test]
fn calls_of_a_taken_computer_belong_to_it_and_those_before_do_not() {
    let case = Case::default().at(READER, "pc-7");
    let taken = finding("taken", 22.0, 5, "pc-7", 1);
    assert_eq!(members(&case.answers(&[taken.clone(), calls_home(6)])), 2);
    assert_eq!(members(&case.answers(&[taken.clone(), calls_home(2)])), 1);
    let unknown = Case::default();
    assert_eq!(members(&unknown.answers(&[taken, calls_home(6)])), 1);
}

#[test]
fn what_calls_the_same_place_belongs_to_it_however_common_it_is() {
    let case = Case::default().at(READER, "pc-7");
    let mut odd = calls_home(7);
    (odd.id, odd.rule.id, odd.weight_db) = ("odd".into(), "port 443 without tls".into(), 3.0);
    odd.techniques = vec!["T1095".into()];
    let mut elsewhere = odd.clone();
    elsewhere.id = "elsewhere".into();
    elsewhere.entities = vec![entity(Role::Destination, EntityKind::Address, "192.0.2.178")];
    let taken = finding("taken", 22.0, 5, "pc-7", 1);
    let found = case.answers(&[taken, calls_home(6), odd, elsewhere]);
    let told = texts(found.table("path"), "finding");
    assert_eq!(told, ["taken", "calls", "odd"]);
}

#[test]
fn logon_numbers_of_windows_join_no_two_hosts() {
    let on = |id: &str, host: &str, record| {
        let mut one = finding(id, 22.0, 5, host, record);
        one.entities.push(entity(Role::Object, EntityKind::Session, "0x3e7"));
        one
    };
    let found = Case::default().answers(&[on("a", "pc-7", 1), on("b", "pc-8", 2)]);
    assert_eq!(found.table("incidents").len(), 2);
}

/// Two accounts are entered from two addresses of one network, by nobody else used.
fn two_strangers() -> [Finding; 2] {
    let first = posing();
    let mut second = posing();
    second.id = "q".into();
    second.records = vec![RecordRef { file: "f".into(), record: 8 }];
    second.entities = vec![
        entity(Role::Actor, EntityKind::Account, "baba@agency.example"),
        entity(Role::Object, EntityKind::Session, "stolen-session-0002"),
        entity(Role::Origin, EntityKind::Address, "192.0.2.151"),
    ];
    [first, second]
}

/// The directory's audit often has neither address nor session.
#[test]
fn what_is_recorded_without_a_place_is_theirs_while_their_session_is_on() {
    let at = 3 * DAY_NS;
    let times = (at, at + 10 * MINUTE_NS);
    let case =
        Case::default().uses("ando@agency.example", "192.0.2.150", "stolen-session-0001", times);
    let factor = |id: &str, account: &str, time: i64| {
        let mut made = second_factor(id, account, "");
        made.entities.retain(|one| one.kind == EntityKind::Account);
        made.time = Some(time);
        made
    };
    let all = [
        posing(),
        factor("theirs", "ando@agency.example", at + 9 * MINUTE_NS),
        factor("later", "ando@agency.example", at + HOUR_NS),
        factor("before", "ando@agency.example", at - HOUR_NS),
        factor("another", "baba@agency.example", at + 9 * MINUTE_NS),
    ];
    let found = case.answers(&all);
    let told = texts(found.table("path"), "finding");
    assert!(told.contains(&"theirs".to_owned()), "{told:?}");
    assert!(!told.iter().any(|one| ["later", "before", "another"].contains(&one.as_str())));
    assert_eq!(texts(found.table("accounts"), "rung"), Vec::<String>::new());
}

#[test]
fn who_lives_where_the_intruders_tunnel_comes_from_is_not_the_intruder() {
    let during = (START + HOUR_NS, START + HOUR_NS);
    let case = Case::default()
        .signs_in_at("ando@agency.example", "192.0.2.9", DAY_NS, false)
        .signs_in_at("doi@agency.example", "192.0.2.9", START + 2 * DAY_NS, true)
        .signs_in_at("eda@agency.example", "192.0.2.9", START + HOUR_NS, false)
        .uses("ando@agency.example", "192.0.2.9", "session-of-ando-0001", during)
        .uses("doi@agency.example", "192.0.2.9", "session-of-doi-00001", during)
        .uses("eda@agency.example", "192.0.2.9", "session-of-eda-00001", during);
    let answers = case.answers(&[tunnel()]);
    let is_collection =
        |row: &&Object<'_>| row.get("tactic").and_then(Value::as_str) == Some("collection");
    let read: Vec<_> = answers.table("path").iter().filter(is_collection).cloned().collect();
    assert_eq!(texts(&read, "to"), ["eda@agency.example"]);
}

#[test]
fn strangers_from_a_network_that_nobody_else_uses_are_one_intrusion() {
    let elsewhere = Case::default().signs_in("mori@agency.example", "198.51.100.9");
    assert_eq!(elsewhere.answers(&two_strangers()).table("incidents").len(), 1);
    let unknown = Case::default();
    assert_eq!(unknown.answers(&two_strangers()).table("incidents").len(), 2, "no sign-ins");
}

#[test]
fn a_suspicion_joins_by_its_network_only_where_its_account_is_known_to_be_taken() {
    let [first, mut second] = two_strangers();
    second.rule.id = "suspected_posing".into();
    let case = Case::default().signs_in("mori@agency.example", "198.51.100.9");
    let alone = case.answers(&[first.clone(), second.clone()]);
    let ids = |answers: &Answers| match answers.table("incidents") {
        [one] => match one.get("findings") {
            Some(Value::List(list)) => list.len(),
            _ => 0,
        },
        other => panic!("{other:?}"),
    };
    assert_eq!(ids(&alone), 1);
    let mut taken = finding("taken", 22.0, 2, "pc-8", 11);
    taken.entities.push(entity(Role::Actor, EntityKind::Account, "baba@agency.example"));
    let all = [first, second, taken];
    assert_eq!(ids(&case.answers(&all)), 3);
    // Two travellers come from there; the taken account is no third.
    let case = case
        .signs_in("user0@agency.example", "192.0.2.10")
        .signs_in("user1@agency.example", "192.0.2.11")
        .signs_in("baba@agency.example", "192.0.2.12");
    assert_eq!(ids(&case.answers(&all)), 3);
}

#[test]
fn strangers_in_a_network_that_staff_use_too_are_not_joined_by_it() {
    let mut case = Case::default();
    for who in 0..3 {
        case = case.signs_in(&format!("user{who}@agency.example"), &format!("192.0.2.{who}"));
    }
    assert_eq!(case.answers(&two_strangers()).table("incidents").len(), 2);
}

#[test]
fn what_goes_on_for_days_is_one_step_with_its_beginning() {
    let runs = (1..6).map(|day| {
        let mut run = finding(&format!("run{day}"), 14.0, day, "pc-7", u64::try_from(day).unwrap());
        run.rule.id = "task runs".into();
        run
    });
    let mut all: Vec<Finding> = runs.collect();
    all.push(finding("first", 22.0, 1, "pc-7", 77));
    let found = Case::default().answers(&all);
    assert_eq!(found.table("path").len(), 2);
}
