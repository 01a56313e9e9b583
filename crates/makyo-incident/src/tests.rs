use std::cell::RefCell;

use makyo_base::{
    DAY_NS, Entity, EntityKind, Finding, FindingSource, Level, Object, Organisation, Query,
    QueryError, RecordRef, Role, Rows, RuleRef, Value,
};

use crate::{Answers, Inputs, Unread, answer};

mod coverage;
mod hosts;

/// A case without events; it remembers what it was asked.
#[derive(Default)]
struct Empty(RefCell<Vec<String>>);

impl Query for Empty {
    fn query(&self, sql: &str) -> Result<Rows, QueryError> {
        self.0.borrow_mut().push(sql.to_owned());
        Ok(Rows::default())
    }
}

fn finding(id: &str, weight_db: f64, day: i64, host: &str, record: u64) -> Finding {
    Finding {
        id: id.into(),
        time: Some(day * DAY_NS),
        source: FindingSource::Sigma,
        rule: RuleRef {
            id: format!("rule-{id}"),
            title: format!("title {id}"),
            level: Level::High,
        },
        techniques: vec!["T1059".into()],
        tactics: vec![format!("tactic-{id}")],
        entities: vec![Entity { role: Role::Place, kind: EntityKind::Host, value: host.into() }],
        weight_db,
        explained_by: None,
        records: vec![RecordRef { file: "f".into(), record }],
        text: id.into(),
    }
}

fn answers(findings: &[Finding]) -> Answers {
    let organisation = Organisation::default();
    answer(&Inputs {
        query: &Empty::default(),
        organisation: &organisation,
        findings,
        unread: &[Unread { file: "x".into(), kind: "malformed".into(), detail: "y".into() }],
        incident_least: 20.0,
        incident_strong: 14.0,
    })
    .expect("answered")
}

fn texts(rows: &[Object<'static>], name: &str) -> Vec<String> {
    rows.iter()
        .map(|row| row.get(name).and_then(Value::as_str).unwrap_or_default().to_owned())
        .collect()
}

#[test]
fn nothing_found_accuses_nobody_and_every_answer_is_there() {
    let found = answers(&[]);
    let names: Vec<&str> = found.tables.iter().map(|table| table.name).collect();
    for name in [
        "entry",
        "accounts",
        "hosts",
        "path",
        "access",
        "assets",
        "coverage",
        "persistence",
        "containment",
        "messages",
        "incidents",
        "timeline",
        "graph",
    ] {
        assert!(names.contains(&name), "{name}");
    }
    assert!(found.table("incidents").is_empty() && found.table("accounts").is_empty());
    assert_eq!(texts(found.table("coverage"), "source"), ["(not read)"]);
}

#[test]
fn one_finding_is_no_incident_and_two_on_one_record_are_one_witness() {
    assert!(answers(&[finding("a", 14.0, 1, "h", 1)]).table("incidents").is_empty());
    let same_record = [finding("a", 14.0, 1, "h", 1), finding("b", 14.0, 1, "h", 1)];
    assert!(answers(&same_record).table("incidents").is_empty());
    let two_records = [finding("a", 14.0, 1, "h", 1), finding("b", 14.0, 1, "h", 2)];
    assert_eq!(answers(&two_records).table("incidents").len(), 1);
}

#[test]
fn weak_findings_alone_are_no_incident() {
    let weak: Vec<Finding> = (0..6)
        .map(|n| finding(&format!("w{n}"), 7.0, n, "h", u64::try_from(n).expect("small")))
        .collect();
    assert!(answers(&weak).table("incidents").is_empty());
}

#[test]
fn unrelated_intrusions_stay_apart_and_the_same_host_much_later_too() {
    let mut all = vec![finding("a", 14.0, 1, "h", 1), finding("b", 14.0, 2, "h", 2)];
    all.extend([finding("c", 14.0, 1, "g", 3), finding("d", 14.0, 2, "g", 4)]);
    all.extend([finding("e", 14.0, 200, "h", 5), finding("f", 14.0, 201, "h", 6)]);
    let found = answers(&all);
    assert_eq!(found.table("incidents").len(), 3);
    assert_eq!(texts(found.table("hosts"), "verdict"), ["breached", "breached"]);
}

#[test]
fn the_order_of_findings_does_not_matter() {
    let mut all = vec![
        finding("a", 14.0, 1, "h", 1),
        finding("b", 14.0, 2, "h", 2),
        finding("c", 22.0, 3, "g", 3),
    ];
    let ids = |answers: &Answers| texts(answers.table("incidents"), "id");
    let forward = ids(&answers(&all));
    all.reverse();
    assert_eq!(ids(&answers(&all)), forward);
}

fn posing() -> Finding {
    let entity = |role, kind, value: &str| Entity { role, kind, value: value.into() };
    let mut posing = finding("p", 50.0, 3, "", 7);
    posing.rule.id = "posing_as_user".into();
    posing.entities = vec![
        entity(Role::Actor, EntityKind::Account, "ando@agency.example"),
        entity(Role::Object, EntityKind::Session, "stolen-session-0001"),
        entity(Role::Origin, EntityKind::Address, "192.0.2.150"),
    ];
    posing
}

/// A new second factor: on any other day nobody would look twice.
fn second_factor(id: &str, account: &str, address: &str) -> Finding {
    let entity = |role, kind, value: &str| Entity { role, kind, value: value.into() };
    let mut minor = finding(id, 3.0, 3, "", 8);
    minor.techniques = vec!["T1098.005".into()];
    minor.tactics = vec!["persistence".into()];
    minor.entities = vec![
        entity(Role::Actor, EntityKind::Account, account),
        entity(Role::Origin, EntityKind::Address, address),
    ];
    minor
}

#[test]
fn what_the_intruder_did_belongs_to_the_incident_however_common_it_is() {
    let theirs = second_factor("m", "ando@agency.example", "192.0.2.150");
    let owners = second_factor("n", "baba@agency.example", "198.51.100.7");
    let found = answers(&[posing(), theirs, owners]);
    assert_eq!(found.table("incidents").len(), 1);
    let told = texts(found.table("path"), "technique");
    assert_eq!(told.iter().filter(|one| *one == "T1098.005").count(), 1, "{told:?}");
    assert_eq!(texts(found.table("persistence"), "account"), ["ando@agency.example"]);
    assert_eq!(texts(found.table("timeline"), "what").iter().filter(|one| *one == "n").count(), 0);
}

#[test]
fn minor_findings_make_an_incident_neither_heavier_nor_another() {
    let alone = answers(&[posing()]);
    let theirs = second_factor("m", "ando@agency.example", "192.0.2.150");
    let beside = answers(&[posing(), theirs]);
    let of = |answers: &Answers, name| texts(answers.table("incidents"), name);
    assert_eq!(of(&alone, "id"), of(&beside, "id"));
}

#[test]
fn a_habit_is_one_witness_however_often_its_rule_fires() {
    let again = |id: &str, account: &str, day| {
        let mut finding = finding(id, 14.0, day, "", u64::try_from(day).expect("small"));
        finding.rule.id = "inbox rule that hides".into();
        finding.tactics = vec!["stealth".into()];
        finding.entities =
            vec![Entity { role: Role::Actor, kind: EntityKind::Account, value: account.into() }];
        finding
    };
    let habit: Vec<Finding> =
        (1..9).map(|day| again(&format!("h{day}"), "baba@agency.example", day)).collect();
    assert!(answers(&habit).table("incidents").is_empty());
}

/// Somebody posed as ando later; the rule of ando's own making from the office is no step of theirs.
#[test]
fn what_an_owner_did_before_is_no_step_of_who_poses_as_them() {
    let rule = |id: &str, address: &str, session: &str, day| {
        let mut made = second_factor(id, "ando@agency.example", address);
        made.time = Some(day * DAY_NS);
        made.weight_db = 14.0;
        made.techniques = vec!["T1564.008".into()];
        let (role, kind) = (Role::Object, EntityKind::Session);
        made.entities.push(Entity { role, kind, value: session.into() });
        made
    };
    let own = rule("own", "203.0.113.20", "owners-session-0001", 1);
    let theirs = rule("theirs", "192.0.2.150", "stolen-session-0001", 3);
    let mut over_vpn = posing();
    over_vpn.rule.id = "posing_over_vpn".into();
    over_vpn.entities.retain(|one| one.kind != EntityKind::Session);
    let found = answers(&[over_vpn, own.clone()]);
    assert_eq!(texts(found.table("path"), "finding"), ["p"], "who uses the VPN in ando's name");
    let found = answers(&[posing(), own, theirs]);
    let told = texts(found.table("path"), "technique");
    assert_eq!(told.iter().filter(|one| *one == "T1564.008").count(), 1, "{told:?}");
    assert_eq!(
        texts(found.table("timeline"), "what").iter().filter(|one| *one == "own").count(),
        0
    );
}
