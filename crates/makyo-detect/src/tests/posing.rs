//! Who posed as whom, and everybody who did not: each look-alike stays quiet.

use makyo_base::{
    DAY_NS, Entity, EntityKind, Finding, HOUR_NS, MINUTE_NS, Network, Organisation, Query,
    QueryError, Role, Rows, SqlValue,
};

use super::{by_rule, text, weights};
use crate::ANALYTICS;

mod computers;
mod passage;

const OFFICE: &str = "203.0.113.10";
const EDGE: &str = "Mozilla/5.0 (Windows NT 10.0) Chrome/141.0 Safari/537.36 Edg/141.0";
const FIREFOX: &str = "Mozilla/5.0 (Windows NT 10.0; rv:143.0) Gecko/20100101 Firefox/143.0";
const PHONE: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Safari/604.1";

/// Sign-ins and tunnels of a small tenant, as the case would give them.
#[derive(Default)]
struct Tenant {
    contexts: Vec<Vec<SqlValue>>,
    tunnels: Vec<Vec<SqlValue>>,
    lines: Vec<Vec<SqlValue>>,
    connections: Vec<Vec<SqlValue>>,
    directory: Vec<Vec<SqlValue>>,
    hops: Vec<Vec<SqlValue>>,
    desks: Vec<Vec<SqlValue>>,
    /// What rules and mail found before.
    found: Vec<Finding>,
}

const CONTEXT: &[&str] = &[
    "account", "session", "address", "agent", "os", "device", "managed", "country", "asn", "kind",
    "client", "protocol", "day", "first", "last", "count", "days", "file", "record",
];
const TUNNEL: &[&str] =
    &["account", "outside", "host", "inside", "session", "start", "finish", "file", "record"];
const LINE: &[&str] = &[
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

impl Query for Tenant {
    fn query(&self, sql: &str) -> Result<Rows, QueryError> {
        let (columns, rows) = if sql.contains("AS kind") {
            (CONTEXT, self.contexts.clone())
        } else if sql.contains("AS finish") {
            (TUNNEL, self.tunnels.clone())
        } else if sql.contains("class_uid, activity_id") {
            (LINE, self.lines.clone())
        } else if sql.contains("AS outside, CAST(time") {
            (&["inside", "outside", "at"][..], self.connections.clone())
        } else if sql.contains("AS before") {
            (&["account", "session", "address", "before", "gap"][..], self.hops.clone())
        } else if sql.contains("AS slots") {
            (&["account", "address", "device", "os", "slots"][..], self.desks.clone())
        } else if sql.contains("source = 'entra-audit'") {
            (&["account", "address", "at", "change"][..], self.directory.clone())
        } else {
            (CONTEXT, Vec::new())
        };
        let columns = columns.iter().map(|name| (*name).to_owned()).collect();
        Ok(Rows { columns, rows })
    }
}

/// One sign-in; what is not said is the owner's at the office.
struct SignIn<'a> {
    account: &'a str,
    session: &'a str,
    address: &'a str,
    agent: &'a str,
    device: &'a str,
    at: i64,
}

impl Tenant {
    fn sign_in(&mut self, one: &SignIn<'_>) {
        let record = self.contexts.len() as i64;
        self.contexts.push(vec![
            text(one.account),
            text(one.session),
            text(one.address),
            text(one.agent),
            text(""),
            text(one.device),
            SqlValue::Boolean(false),
            text(if one.address == OFFICE { "JP" } else { "SG" }),
            SqlValue::Integer(0),
            text("interactive"),
            text("Browser"),
            text(""),
            SqlValue::Null,
            SqlValue::Integer(one.at),
            SqlValue::Integer(one.at + HOUR_NS),
            SqlValue::Integer(1),
            SqlValue::TextList(vec![one.at.div_euclid(DAY_NS).to_string()]),
            text("signins.json"),
            SqlValue::Integer(record),
        ]);
    }

    /// Makes the last record the renewal of a session that was begun elsewhere.
    fn renewed(&mut self) {
        if let Some(kind) = self.contexts.last_mut().and_then(|row| row.get_mut(9)) {
            *kind = text("renewal");
        }
    }

    /// Ten days of everybody at the office, with a registered device or with their own browser.
    fn staff(count: usize, has_device: bool) -> Self {
        let mut tenant = Tenant::default();
        for who in 0..count {
            for day in 0..10 {
                tenant.sign_in(&SignIn {
                    account: &user(who),
                    session: &format!("owner-session-{who:02}-{day:02}"),
                    address: OFFICE,
                    agent: EDGE,
                    device: &if has_device { format!("device-{who}") } else { String::new() },
                    at: day * DAY_NS + HOUR_NS,
                });
            }
        }
        tenant
    }

    fn find(&mut self) -> Vec<Finding> {
        let key = |row: &Vec<SqlValue>| format!("{:?}", row.iter().take(2).collect::<Vec<_>>());
        self.contexts.sort_by_key(key);
        let posing = ANALYTICS.iter().find(|one| one.id == "posing_as_user").expect("analytic");
        let found = self.found.clone();
        posing
            .run(self, &organisation(), &weights(), &makyo_base::NoPlaces, &found)
            .expect("canned")
    }

    fn ids(&mut self) -> Vec<String> {
        let mut ids: Vec<String> = self.find().into_iter().map(|one| one.rule.id).collect();
        ids.sort();
        ids
    }
}

fn organisation() -> Organisation {
    let egress = vec![format!("{OFFICE}/32").parse().expect("network")];
    Organisation { network: Network { egress, ..Network::default() }, ..Organisation::default() }
}

fn user(who: usize) -> String {
    format!("user{who:02}@agency.example")
}

#[test]
fn one_source_that_enters_many_accounts_is_told_of_each_of_them_and_once_for_all() {
    let mut tenant = Tenant::staff(20, true);
    for who in 0..6 {
        tenant.sign_in(&SignIn {
            account: &user(who),
            session: &format!("stranger-session-{who:02}"),
            address: "192.0.2.150",
            agent: FIREFOX,
            device: "",
            at: 11 * DAY_NS + who as i64 * MINUTE_NS,
        });
    }
    let ids = tenant.ids();
    assert_eq!(ids.iter().filter(|id| *id == "posing_as_user").count(), 6, "{ids:?}");
    assert_eq!(ids.iter().filter(|id| *id == "sign_in_fan_in").count(), 1, "{ids:?}");
    assert_eq!(ids.len(), 7);
}

/// Whom four colleagues at one new address are, beside six who were entered from another.
fn four_beside_six(address: &str) -> Vec<String> {
    let mut tenant = Tenant::staff(60, true);
    for (who, address) in
        (0..6).map(|who| (who, "192.0.2.150")).chain((6..10).map(|who| (who, address)))
    {
        tenant.sign_in(&SignIn {
            account: &user(who),
            session: &format!("stranger-session-{who:02}"),
            address,
            // The four have a browser of their own that day, and no registered device.
            agent: if who < 6 { FIREFOX } else { EDGE },
            device: "",
            at: 11 * DAY_NS + who as i64 * HOUR_NS,
        });
    }
    tenant.ids().into_iter().filter(|id| id == "posing_as_user").collect()
}

#[test]
fn another_address_of_the_strangers_network_is_theirs_where_it_enters_several() {
    assert_eq!(four_beside_six("192.0.2.77").len(), 10);
}

#[test]
fn one_colleague_at_another_address_of_the_strangers_network_is_not_accused() {
    let mut tenant = Tenant::staff(60, true);
    for who in 0..7 {
        tenant.sign_in(&SignIn {
            account: &user(who),
            session: &format!("session-of-somebody-{who:02}"),
            // The seventh has bought a way out of the same company's machines.
            address: if who < 6 { "192.0.2.150" } else { "192.0.2.77" },
            agent: if who < 6 { FIREFOX } else { EDGE },
            device: "",
            at: 11 * DAY_NS + who as i64 * HOUR_NS,
        });
    }
    let ids = tenant.ids();
    assert_eq!(ids.iter().filter(|id| *id == "posing_as_user").count(), 6, "{ids:?}");
}

#[test]
fn several_at_a_new_address_of_another_network_are_not_drawn_in() {
    assert_eq!(four_beside_six("198.51.100.77").len(), 6);
}

#[test]
fn staff_who_share_a_hotels_address_are_not_accused() {
    for has_device in [true, false] {
        let mut tenant = Tenant::staff(20, has_device);
        for who in 0..8 {
            tenant.sign_in(&SignIn {
                account: &user(who),
                session: &format!("hotel-session-{who:02}-00"),
                address: "192.0.2.150",
                agent: EDGE,
                device: &if has_device { format!("device-{who}") } else { String::new() },
                at: 11 * DAY_NS + who as i64 * HOUR_NS,
            });
        }
        assert_eq!(tenant.ids(), Vec::<String>::new(), "devices: {has_device}");
    }
}

#[test]
fn a_journey_a_new_telephone_and_a_new_provider_accuse_nobody() {
    let cases = [
        ("journey with the own device", "192.0.2.77", EDGE, "device-0"),
        ("journey with a borrowed machine", "192.0.2.77", FIREFOX, ""),
        ("new telephone at the office", OFFICE, PHONE, ""),
        ("new telephone at a new place", "192.0.2.78", PHONE, "device-new"),
    ];
    for (what, address, agent, device) in cases {
        let mut tenant = Tenant::staff(20, true);
        let session = "one-new-session-0000";
        let at = 11 * DAY_NS;
        tenant.sign_in(&SignIn { account: &user(0), session, address, agent, device, at });
        assert_eq!(tenant.ids(), Vec::<String>::new(), "{what}");
    }
}

#[test]
fn colleagues_telephones_at_one_hotel_accuse_nobody() {
    let mut tenant = Tenant::staff(20, true);
    for who in 0..8 {
        tenant.sign_in(&SignIn {
            account: &user(who),
            session: &format!("telephone-session-{who:02}"),
            address: "192.0.2.150",
            agent: PHONE,
            device: "",
            at: 11 * DAY_NS + who as i64 * HOUR_NS,
        });
    }
    assert_eq!(tenant.ids(), Vec::<String>::new());
}

#[test]
fn a_row_that_names_no_client_is_no_second_machine() {
    let mut tenant = Tenant::staff(20, true);
    for (agent, device) in [(EDGE, "device-3"), ("", "")] {
        tenant.sign_in(&SignIn {
            account: &user(3),
            session: "the-session-of-user-03",
            address: OFFICE,
            agent,
            device,
            at: 11 * DAY_NS,
        });
    }
    assert_eq!(tenant.ids(), Vec::<String>::new());
}

#[test]
fn replayed_tokens_of_many_accounts_are_no_service() {
    let mut tenant = Tenant::staff(20, true);
    for who in 0..8 {
        tenant.sign_in(&SignIn {
            account: &user(who),
            session: &format!("owner-session-{who:02}-09"),
            address: "192.0.2.150",
            agent: FIREFOX,
            device: "",
            at: 9 * DAY_NS + 2 * HOUR_NS,
        });
        if let Some(kind) = tenant.contexts.last_mut().and_then(|row| row.get_mut(9)) {
            *kind = text("renewal");
        }
    }
    let ids = tenant.ids();
    let stolen = ids.iter().filter(|id| *id == "posing_with_stolen_token").count();
    assert_eq!(stolen, 8, "{ids:?}");
}

/// What is told of a fifth account, whose session is renewed from the address that entered four;
/// `others` more sessions of that kind are there besides.
fn renewed_beside_four(others: usize) -> String {
    let mut tenant = Tenant::staff(30, true);
    let at = 9 * DAY_NS + 2 * HOUR_NS;
    let mut enter = |who: usize, session: &str, address: &str, is_renewal: bool| {
        let account = user(who);
        let (agent, device) = (FIREFOX, "");
        tenant.sign_in(&SignIn { account: &account, session, address, agent, device, at });
        if is_renewal {
            tenant.renewed();
        }
    };
    for who in 0..4 {
        enter(who, &format!("stranger-session-{who:02}"), "198.51.100.7", false);
    }
    for who in 20..20 + others {
        enter(who, &format!("renewed-session-{who:02}"), OFFICE, true);
    }
    enter(12, "renewed-session-12", "198.51.100.7", true);
    let of_it = |one: &Finding| one.text.contains(&format!("acted as {}", user(12)));
    tenant.find().into_iter().find(of_it).map(|one| one.text).expect("a finding")
}

#[test]
fn a_session_that_nobody_signed_in_to_is_a_sign_where_that_is_rare() {
    let text = renewed_beside_four(0);
    assert!(text.contains("nobody signed in to while the log was kept (+10 dB)"), "{text}");
}

#[test]
fn where_sign_ins_are_missing_from_the_log_a_renewal_says_little() {
    let text = renewed_beside_four(200);
    let weight = text.split_once("while the log was kept (+").expect("the sign").1;
    assert!(weight.starts_with("2 dB"), "{text}");
}

#[test]
fn a_session_that_leaves_its_device_is_a_stolen_one() {
    let mut tenant = Tenant::staff(20, true);
    let (account, session, at) = (user(3), "the-session-of-user-03", 11 * DAY_NS);
    for (address, agent, device, at) in
        [(OFFICE, EDGE, "device-3", at), ("192.0.2.9", FIREFOX, "", at + 30 * MINUTE_NS)]
    {
        tenant.sign_in(&SignIn { account: &account, session, address, agent, device, at });
    }
    let found = tenant.find();
    let ids: Vec<&str> = found.iter().map(|one| one.rule.id.as_str()).collect();
    // One account and no other sign: twenty to one, and said to be no more.
    assert_eq!(ids, ["suspected_posing"]);
    let text = &found[0].text;
    assert!(text.contains("goes on without one from 192.0.2.9"), "{text}");
    assert!(found[0].entities.iter().all(|entity| entity.value != OFFICE), "owner's own place");
}

/// Two who are named by nothing but the address of a third lean on the third, not on each other.
#[test]
fn who_shares_a_source_is_held_against_whom_it_is_proved_of() {
    let mut tenant = Tenant::staff(20, true);
    let (session, at, there) = ("the-session-of-user-05", 11 * DAY_NS, "192.0.2.9");
    for (address, agent, device, at) in
        [(OFFICE, EDGE, "device-5", at), (there, FIREFOX, "", at + 30 * MINUTE_NS)]
    {
        tenant.sign_in(&SignIn { account: &user(5), session, address, agent, device, at });
    }
    tenant.directory.push(vec![
        text(&user(5)),
        text(there),
        SqlValue::Integer(at + HOUR_NS),
        text("Consent to application"),
    ]);
    for (who, hours) in [(3, 3), (4, 5)] {
        let (account, at) = (&user(who), at + hours * HOUR_NS);
        let session = &format!("stolen-session-{who:05}");
        tenant.sign_in(&SignIn {
            account,
            session,
            address: there,
            agent: FIREFOX,
            device: "",
            at,
        });
    }
    let found = tenant.find();
    let reason = |who| {
        let name = format!("somebody else acted as {} ", user(who));
        let of = found.iter().find(|one| one.text.starts_with(&name)).map(|one| one.text.clone());
        of.unwrap_or_default()
    };
    let leans = format!("is where somebody posed as {}", user(5));
    assert!(reason(3).contains(&leans) && reason(4).contains(&leans), "{found:?}");
    assert!(reason(5).contains("goes on without one"), "{found:?}");
}

/// Everybody's own computer; user 12's session goes on from Singapore an hour after the office.
fn gone_to_singapore(agent: &str) -> Vec<Finding> {
    let mut tenant = Tenant::staff(30, false);
    let at = 9 * DAY_NS + 2 * HOUR_NS;
    let (account, session, device) = (user(12), "the-session-of-user-12", "");
    for (address, agent, at) in [(OFFICE, EDGE, at), ("198.51.100.7", agent, at + 2 * HOUR_NS)] {
        tenant.sign_in(&SignIn { account: &account, session, address, agent, device, at });
    }
    tenant.find()
}

#[test]
fn a_session_that_is_faster_than_travel_accuses_nobody_by_itself() {
    assert!(gone_to_singapore(EDGE).is_empty(), "a service that hides where its user is");
}

#[test]
fn a_session_that_is_faster_than_travel_weighs_beside_another_browser() {
    let found = gone_to_singapore(FIREFOX);
    let [one] = found.as_slice() else { panic!("{found:?}") };
    assert!(one.text.contains("goes from JP to SG in 60 minutes, at least 4"), "{}", one.text);
}

/// A rule found something on a computer in user 12's name, on the seventh day.
fn on_a_computer() -> Finding {
    let entity = |role, kind, value: &str| Entity { role, kind, value: value.into() };
    let entities = vec![
        entity(Role::Actor, EntityKind::Account, "agency\\user12"),
        entity(Role::Place, EntityKind::Host, "pc-12"),
    ];
    Finding { entities, ..by_rule("finding-task", 7 * DAY_NS, 1) }
}

/// A session of user 7 is renewed with another browser from a new place, and an application is given
/// rights in that name: from that address after so many hours, or from elsewhere.
fn gives_rights(address: &str, hours: i64) -> Vec<String> {
    let mut tenant = Tenant::staff(30, true);
    let (account, at) = (&user(7), 9 * DAY_NS + 5 * HOUR_NS);
    let (session, from) = ("stolen-session-0007", "192.0.2.78");
    tenant.sign_in(&SignIn { account, session, address: from, agent: FIREFOX, device: "", at });
    tenant.renewed();
    tenant.directory.push(vec![
        text(account),
        text(address),
        SqlValue::Integer(at + hours * HOUR_NS),
        text("Consent to application Mail Helper"),
    ]);
    tenant.ids()
}

#[test]
fn what_entra_records_of_a_units_address_is_done_in_it() {
    assert_eq!(gives_rights("192.0.2.78", 1), ["posing_as_user"]);
    assert_eq!(gives_rights("192.0.2.78", 30), Vec::<String>::new());
    assert_eq!(gives_rights(OFFICE, 1), Vec::<String>::new());
}

/// A session at the office is used from Singapore so many minutes after that, where an application
/// is given rights, and at the office again. Whether the way is told.
fn in_singapore_and_back(agent: &str, minutes: i64) -> bool {
    let mut tenant = Tenant::staff(30, false);
    let (account, session, device) = (user(12), "the-session-of-user-12", "");
    let office = [(OFFICE, 8 * DAY_NS), (OFFICE, 10 * DAY_NS)];
    let there = ("198.51.100.7", 9 * DAY_NS);
    for (address, at) in office.into_iter().chain([there]) {
        tenant.sign_in(&SignIn { account: &account, session, address, agent, device, at });
    }
    tenant.renewed();
    let consent = [text(&account), text(there.0), SqlValue::Integer(there.1)];
    tenant.directory.push(consent.into_iter().chain([text("Consent to application")]).collect());
    let names = [&*account, session, there.0, OFFICE].map(text);
    let gap = SqlValue::Integer(minutes * MINUTE_NS);
    tenant.hops.push(names.into_iter().chain([gap]).collect());
    tenant.found = vec![on_a_computer()];
    tenant.find().iter().any(|one| one.text.contains("goes from JP to SG in 53 minutes"))
}

#[test]
fn a_session_that_is_used_far_away_for_an_hour_and_then_at_the_desk_again_is_seen() {
    assert!(in_singapore_and_back(EDGE, 53));
    assert!(!in_singapore_and_back(EDGE, 20 * 60), "a journey");
    assert!(!in_singapore_and_back(PHONE, 53), "its carrier's way out is at home");
}

/// User 12 appears in Singapore without a device, on the ninth day.
fn in_singapore(is_renewal: bool, found: &[Finding]) -> Vec<String> {
    in_singapore_with(FIREFOX, is_renewal, found)
}

fn in_singapore_with(agent: &str, is_renewal: bool, found: &[Finding]) -> Vec<String> {
    let mut tenant = Tenant::staff(30, true);
    tenant.sign_in(&SignIn {
        account: &user(12),
        session: "the-session-of-user-12",
        address: "198.51.100.7",
        agent,
        device: "",
        at: 9 * DAY_NS + 2 * HOUR_NS,
    });
    if is_renewal {
        tenant.renewed();
    }
    tenant.found = found.to_vec();
    tenant.ids()
}

#[test]
fn whose_computer_was_reached_is_sooner_suspected() {
    assert!(in_singapore(true, &[]).is_empty());
    assert_eq!(in_singapore(true, &[on_a_computer()]), ["suspected_posing"]);
    let mut explained = on_a_computer();
    explained.explained_by = Some("CHG1".into());
    assert!(in_singapore(true, &[explained]).is_empty());
    let mut later = on_a_computer();
    later.time = Some(10 * DAY_NS);
    assert!(in_singapore(true, &[later]).is_empty());
}

#[test]
fn whose_computer_was_taken_is_proved_by_less() {
    let mut taken = on_a_computer();
    taken.rule.id = "mail_reached_host".into();
    assert_eq!(in_singapore(true, &[taken.clone()]), ["posing_as_user"]);
    let mut work = on_a_computer();
    work.weight_db = 22.0;
    assert_eq!(in_singapore(true, &[work]), ["suspected_posing"], "an administrator's own work");
    let phone = in_singapore_with(PHONE, true, &[taken]);
    assert!(phone.is_empty(), "a telephone's session was not on that computer: {phone:?}");
}

#[test]
fn whose_computer_was_reached_or_taken_may_travel_all_the_same() {
    assert!(in_singapore(false, &[on_a_computer()]).is_empty());
    let mut taken = on_a_computer();
    taken.rule.id = "mail_reached_host".into();
    assert!(in_singapore(false, &[taken]).is_empty());
}

#[test]
fn a_session_that_roams_with_its_device_is_its_owners() {
    let mut tenant = Tenant::staff(20, true);
    for (number, address) in [OFFICE, "192.0.2.9", "198.51.100.20", OFFICE].iter().enumerate() {
        tenant.sign_in(&SignIn {
            account: &user(3),
            session: "the-session-of-user-03",
            address,
            agent: EDGE,
            device: "device-3",
            at: 11 * DAY_NS + number as i64 * HOUR_NS,
        });
    }
    assert_eq!(tenant.ids(), Vec::<String>::new());
}

impl Tenant {
    fn tunnel(&mut self, account: &str, address: &str, at: i64, has_login: bool) {
        let record = self.lines.len() as i64;
        let session = format!("tunnel-{record}");
        self.tunnels.push(vec![
            text(account),
            text(address),
            text("vpn-gw1"),
            text(&format!("10.99.0.{}", record % 250)),
            text(&session),
            SqlValue::Integer(at),
            SqlValue::Integer(at + HOUR_NS),
            text("vpn.log"),
            SqlValue::Integer(record),
        ]);
        let mut line = |class, activity, status: &str, at| {
            self.lines.push(vec![
                text("fortigate"),
                text("vpn-gw1"),
                text(account),
                text(address),
                text("10.99.0.9"),
                text(&session),
                SqlValue::Integer(class),
                SqlValue::Integer(activity),
                text(status),
                SqlValue::Integer(at),
                text("vpn.log"),
                SqlValue::Integer(record),
            ]);
        };
        if has_login {
            line(3002, 1, "Success", at - MINUTE_NS);
        }
        line(4014, 1, "", at);
        line(4014, 2, "", at + HOUR_NS);
    }

    fn vpn_weeks(&mut self) {
        for day in 0..10 {
            for who in 0..6 {
                let at = day * DAY_NS + (10 + who) * HOUR_NS;
                let home = format!("198.51.100.{}", 10 + who);
                self.tunnel(&format!("user{who:02}"), &home, at, true);
            }
        }
    }
}

#[test]
fn a_login_from_where_a_tunnel_without_login_came_is_the_intruders() {
    let mut tenant = Tenant::staff(20, true);
    tenant.vpn_weeks();
    tenant.tunnel("monitor", "192.0.2.101", 10 * DAY_NS + 3 * HOUR_NS, false);
    tenant.tunnel("user02", "192.0.2.101", 11 * DAY_NS + 3 * HOUR_NS, true);
    tenant.tunnels.sort_by_key(|row| format!("{row:?}"));
    let found = tenant.find();
    let names: Vec<&str> = found.iter().map(|one| one.rule.id.as_str()).collect();
    // The tunnel without a login is another analytic's finding, and no witness of itself.
    assert_eq!(names, ["posing_over_vpn"]);
    assert!(found[0].text.contains("`user02`"), "{}", found[0].text);
}

#[test]
fn an_intruder_who_comes_often_does_not_make_a_place_the_owners() {
    let mut tenant = Tenant::staff(20, true);
    tenant.vpn_weeks();
    tenant.tunnel("seldom", "198.51.100.30", 3 * DAY_NS + 3 * HOUR_NS, true);
    tenant.tunnel("monitor", "192.0.2.101", 10 * DAY_NS + 3 * HOUR_NS, false);
    tenant.tunnel("seldom", "192.0.2.101", 11 * DAY_NS + 3 * HOUR_NS, true);
    // A rented line near the owner's home, again and again; and the owner from home.
    for day in 12..16 {
        tenant.tunnel("seldom", "198.51.100.77", day * DAY_NS + 3 * HOUR_NS, true);
    }
    tenant.tunnel("seldom", "198.51.100.30", 16 * DAY_NS + 3 * HOUR_NS, true);
    tenant.tunnels.sort_by_key(|row| format!("{row:?}"));
    let found = tenant.find();
    assert_eq!(found.len(), 5, "{found:?}");
    let at_home =
        found.iter().flat_map(|one| &one.entities).filter(|one| one.value == "198.51.100.30");
    assert_eq!(at_home.count(), 0);
}

/// Who has no tunnel before the intruder's works at home, with a registered device or without; the
/// intruder comes in that name from elsewhere, and over a line of a neighbour's.
fn beside_home(has_device: bool) -> Vec<String> {
    let mut tenant = Tenant::staff(20, true);
    tenant.vpn_weeks();
    tenant.tunnel("monitor", "192.0.2.101", 10 * DAY_NS + 3 * HOUR_NS, false);
    let (address, account) = ("198.51.100.30", &user(9));
    for day in [11, 12, 13, 15] {
        let at = day * DAY_NS + 10 * HOUR_NS;
        tenant.tunnel("user09", address, at, true);
        let device = if has_device { "device-9" } else { "" };
        let session = &format!("home-session-{day:02}-09");
        tenant.sign_in(&SignIn { account, session, address, agent: EDGE, device, at });
    }
    tenant.tunnel("user09", "192.0.2.101", 12 * DAY_NS + 3 * HOUR_NS, true);
    tenant.tunnel("user09", "198.51.100.77", 14 * DAY_NS + 3 * HOUR_NS, true);
    tenant.tunnels.sort_by_key(|row| format!("{row:?}"));
    let found = tenant.find();
    let outside = found.iter().flat_map(|one| &one.entities).map(|one| one.value.clone());
    let mut outside: Vec<String> = outside.filter(|one| one.contains(".100.")).collect();
    outside.extend(found.iter().map(|one| one.rule.id.clone()));
    outside
}

#[test]
fn a_neighbours_line_is_not_the_owners_home() {
    for has_device in [true, false] {
        let told = beside_home(has_device);
        assert_eq!(told, ["198.51.100.77", "posing_over_vpn", "posing_over_vpn"], "{has_device}");
    }
}

#[test]
fn where_a_tunnel_without_login_came_from_is_nobodys_home() {
    let mut tenant = Tenant::staff(20, true);
    tenant.vpn_weeks();
    tenant.tunnel("monitor", "192.0.2.101", 10 * DAY_NS + 3 * HOUR_NS, false);
    // An account that never had a tunnel: often from the intruder's address, once from another.
    for (day, address) in
        [(11, "192.0.2.101"), (12, "192.0.2.101"), (13, "203.0.113.77"), (14, "192.0.2.101")]
    {
        tenant.tunnel("newcomer", address, day * DAY_NS + 3 * HOUR_NS, true);
    }
    tenant.tunnels.sort_by_key(|row| format!("{row:?}"));
    assert_eq!(tenant.ids(), ["posing_over_vpn"; 4]);
}

/// The intruder's tunnel comes over the home line of user02; then user02 works from there.
#[test]
fn whose_home_line_serves_an_intruder_as_a_relay_is_not_accused() {
    let mut tenant = Tenant::staff(20, true);
    tenant.vpn_weeks();
    tenant.tunnel("monitor", "198.51.100.12", 10 * DAY_NS + 3 * HOUR_NS, false);
    tenant.tunnel("user02", "198.51.100.12", 11 * DAY_NS + 10 * HOUR_NS, true);
    // The account of somebody who lives elsewhere is used from there too.
    tenant.tunnel("user04", "198.51.100.12", 12 * DAY_NS + 3 * HOUR_NS, true);
    tenant.tunnels.sort_by_key(|row| format!("{row:?}"));
    let found = tenant.find();
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].text.contains("`user04`"), "{}", found[0].text);
}

/// Who has no tunnel before the intruder's, and comes from its address, with that device there.
fn from_a_relay_with(device: &str) -> Vec<String> {
    let mut tenant = Tenant::staff(20, true);
    tenant.vpn_weeks();
    let (address, account) = ("198.51.100.50", &user(9));
    tenant.tunnel("monitor", address, 10 * DAY_NS + 3 * HOUR_NS, false);
    for day in 11..14 {
        let at = day * DAY_NS + 10 * HOUR_NS;
        tenant.tunnel("user09", address, at, true);
        let session = &format!("home-session-{day:02}-09");
        tenant.sign_in(&SignIn { account, session, address, agent: EDGE, device, at });
    }
    tenant.tunnels.sort_by_key(|row| format!("{row:?}"));
    let ids = tenant.ids().into_iter().filter(|id| id == "posing_over_vpn");
    ids.collect()
}

#[test]
fn a_device_that_the_owner_always_had_is_at_its_owners_home() {
    assert_eq!(from_a_relay_with("device-9"), Vec::<String>::new());
    assert_eq!(from_a_relay_with("device-of-november"), ["posing_over_vpn"; 3]);
}

#[test]
fn a_tunnel_from_a_new_place_is_a_journey() {
    let mut tenant = Tenant::staff(20, true);
    tenant.vpn_weeks();
    tenant.tunnel("user02", "192.0.2.101", 11 * DAY_NS + 3 * HOUR_NS, true);
    tenant.tunnels.sort_by_key(|row| format!("{row:?}"));
    assert_eq!(tenant.ids(), Vec::<String>::new());
}

/// A carrier gives one address to many: the intruder's neighbours are no intruders.
#[test]
fn neighbours_behind_a_carriers_address_are_not_accused() {
    let mut tenant = Tenant::staff(20, true);
    tenant.vpn_weeks();
    for day in 0..10 {
        for who in [0, 1, 3, 4, 5] {
            let address = format!("192.0.2.{}", 100 + (day + who) % 7);
            let at = day * DAY_NS + (20 + who % 3) * HOUR_NS;
            tenant.tunnel(&format!("user{who:02}"), &address, at, true);
        }
    }
    tenant.tunnel("monitor", "192.0.2.101", 10 * DAY_NS + 3 * HOUR_NS, false);
    tenant.tunnel("user02", "192.0.2.101", 11 * DAY_NS + 3 * HOUR_NS, true);
    tenant.tunnels.sort_by_key(|row| format!("{row:?}"));
    assert_eq!(tenant.ids(), Vec::<String>::new());
}

/// Whoever is abroad while an intruder works has accounts entered meanwhile too.
#[test]
fn who_travels_while_the_intruder_works_is_not_accused() {
    let named = |has_intruder: bool| {
        let mut tenant = Tenant::staff(40, true);
        tenant.vpn_weeks();
        let night = 11 * DAY_NS + 3 * HOUR_NS;
        if has_intruder {
            tenant.tunnel("monitor", "192.0.2.101", 10 * DAY_NS + 3 * HOUR_NS, false);
            tenant.tunnel("user02", "192.0.2.101", night, true);
        }
        tenant.tunnel("user04", "198.18.5.9", night, true);
        // The owners come by day, out of their tunnels too.
        tenant.tunnel("user00", "198.51.100.10", 11 * DAY_NS + 9 * HOUR_NS - MINUTE_NS, true);
        for who in 0..40 {
            let (account, session) = (&user(who), &format!("owner-session-{who:02}"));
            let (device, at) = (&format!("device-{who}"), 11 * DAY_NS + 9 * HOUR_NS);
            tenant.sign_in(&SignIn { account, session, address: OFFICE, agent: EDGE, device, at });
        }
        for who in 10..22 {
            let at = night + (who - 5) * MINUTE_NS;
            let account = &user(usize::try_from(who).expect("few"));
            let session = &format!("stolen-session-{who:05}");
            tenant.sign_in(&SignIn {
                account,
                session,
                address: OFFICE,
                agent: FIREFOX,
                device: "",
                at,
            });
        }
        tenant.tunnels.sort_by_key(|row| format!("{row:?}"));
        let found = tenant.find();
        let over_vpn = found.iter().filter(|one| one.rule.id == "posing_over_vpn");
        let values = over_vpn.flat_map(|one| &one.entities).map(|one| one.value.clone());
        values.filter(|one| one.starts_with("user")).collect::<Vec<_>>()
    };
    assert_eq!(named(true), ["user02"]);
    // Where nothing else explains them, they speak against whose tunnel was up.
    assert_eq!(named(false), ["user04"]);
}
