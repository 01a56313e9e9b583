//! One person, two computers: the owner's own in use elsewhere, and a session that is on another.

use makyo_base::{DAY_NS, HOUR_NS, MINUTE_NS, SqlValue};

use super::{EDGE, FIREFOX, OFFICE, SignIn, Tenant, on_a_computer, text, user};

const SINGAPORE: &str = "198.51.100.7";

impl Tenant {
    /// The last sign-in names its system.
    fn on(&mut self, system: &str) {
        if let Some(os) = self.contexts.last_mut().and_then(|row| row.get_mut(4)) {
            *os = text(system);
        }
    }

    /// A registered computer at the office signs in at a time and three hours later.
    fn desk(&mut self, account: &str, at: i64) {
        let slots = [at, at + 3 * HOUR_NS].map(|at| at.div_euclid(5 * MINUTE_NS).to_string());
        let name = text(&format!("device-of-{account}"));
        let row = [text(account), text(OFFICE), name, text("Windows11")];
        self.desks.push(row.into_iter().chain([SqlValue::TextList(slots.to_vec())]).collect());
    }

    /// The findings where user 12's computer showed what a lure brought.
    fn ids_of_taken(&mut self) -> Vec<String> {
        let mut taken = on_a_computer();
        taken.rule.id = "mail_reached_host".into();
        self.found = vec![taken];
        self.ids()
    }

    /// Everybody but user 12 at a private computer at home on the seventh day, at an hour at which
    /// the computer at work is in use on all other days.
    fn days_at_home(&mut self) {
        for who in (0..30).filter(|who| *who != 12) {
            let (account, session) = (&user(who), &format!("home-session-{who:02}"));
            let (address, at) = (&format!("192.0.{who}.9"), 6 * DAY_NS + 12 * HOUR_NS);
            self.sign_in(&SignIn { account, session, address, agent: EDGE, device: "", at });
            for day in (0..10).filter(|day| *day != 6) {
                self.desk(account, day * DAY_NS + 12 * HOUR_NS - 8 * MINUTE_NS);
            }
        }
    }
}

/// User 12's computer showed what a lure brought, and at eleven o'clock somebody signs in abroad
/// in that name; so many minutes before, and three hours after that, as every day, the computer at
/// work is in use.
fn abroad(minutes: i64, prepare: impl Fn(&mut Tenant)) -> Vec<String> {
    let mut tenant = Tenant::staff(30, true);
    let (account, at) = (&user(12), 9 * DAY_NS + 11 * HOUR_NS);
    let session = "the-session-of-user-12";
    tenant.sign_in(&SignIn {
        account,
        session,
        address: SINGAPORE,
        agent: FIREFOX,
        device: "",
        at,
    });
    for day in 0..10 {
        tenant.desk(account, day * DAY_NS + 11 * HOUR_NS - minutes * MINUTE_NS);
    }
    tenant.days_at_home();
    prepare(&mut tenant);
    tenant.ids_of_taken()
}

#[test]
fn who_is_abroad_while_the_owners_computer_is_in_use_is_not_the_owner() {
    assert_eq!(abroad(7, |_| ()), ["posing_as_user"]);
    assert_eq!(abroad(95, |_| ()), Vec::<String>::new(), "a journey");
    assert_eq!(abroad(187, |_| ()), Vec::<String>::new(), "from the computer at work to another");
}

#[test]
fn where_computers_at_work_are_left_running_nobody_is_accused_by_them() {
    let left_on = |tenant: &mut Tenant| {
        for who in (0..30).filter(|who| *who != 12) {
            tenant.desk(&user(who), 6 * DAY_NS + 12 * HOUR_NS - 3 * MINUTE_NS);
        }
    };
    assert_eq!(abroad(7, left_on), Vec::<String>::new());
}

#[test]
fn whose_browser_at_work_often_comes_out_abroad_is_not_accused() {
    let often = |tenant: &mut Tenant| {
        for day in [2, 4, 5] {
            let (account, at) = (&user(12), day * DAY_NS + 11 * HOUR_NS);
            let (session, address) =
                (&format!("the-session-{day}-of-12"), &format!("192.0.9{day}.7"));
            tenant.sign_in(&SignIn { account, session, address, agent: FIREFOX, device: "", at });
        }
    };
    assert_eq!(abroad(7, often), Vec::<String>::new());
}

#[test]
fn what_a_session_says_of_two_machines_the_computer_at_work_does_not_say_again() {
    let mut tenant = Tenant::staff(30, true);
    let (account, session, at) = (&user(12), "the-session-of-user-12", 9 * DAY_NS + 11 * HOUR_NS);
    for (address, agent, device, at) in
        [(OFFICE, EDGE, "device-12", at), ("192.0.2.9", FIREFOX, "", at + 30 * MINUTE_NS)]
    {
        tenant.sign_in(&SignIn { account, session, address, agent, device, at });
    }
    for day in 0..10 {
        tenant.desk(account, day * DAY_NS + 11 * HOUR_NS + 20 * MINUTE_NS);
    }
    tenant.days_at_home();
    assert_eq!(tenant.ids(), ["suspected_posing"], "one observation, told twice");
}

/// A session of user 12, whose computer showed what a lure brought, is renewed on three days: at the
/// office, in Singapore and at the office; each time on a system.
fn renewed_on(systems: [&str; 3], prepare: impl Fn(&mut Tenant)) -> Vec<String> {
    let mut tenant = Tenant::staff(30, false);
    let places = [(OFFICE, 7), (SINGAPORE, 8), (OFFICE, 9)];
    for ((address, day), system) in places.into_iter().zip(systems) {
        let (account, at) = (&user(12), day * DAY_NS + 2 * HOUR_NS);
        let session = "the-session-of-user-12";
        tenant.sign_in(&SignIn { account, session, address, agent: EDGE, device: "", at });
        tenant.on(system);
        if day > 7 {
            tenant.renewed();
        }
    }
    for who in (0..30).filter(|who| *who != 12) {
        for (address, day) in [(OFFICE, 3), (&*format!("192.0.{who}.9"), 4), (OFFICE, 5)] {
            let (account, session) = (&user(who), &format!("roaming-session-{who:02}"));
            let at = day * DAY_NS + 2 * HOUR_NS;
            tenant.sign_in(&SignIn { account, session, address, agent: EDGE, device: "", at });
            tenant.on("Windows11");
        }
    }
    prepare(&mut tenant);
    tenant.ids_of_taken()
}

#[test]
fn a_session_on_another_version_for_a_while_is_on_another_computer() {
    let changes = ["Windows11", "Windows10", "Windows11"];
    assert_eq!(renewed_on(changes, |_| ()), ["suspected_posing"]);
    assert_eq!(renewed_on(["Windows11"; 3], |_| ()), Vec::<String>::new());
    let updated = ["Windows10", "Windows11", "Windows11"];
    assert_eq!(renewed_on(updated, |_| ()), Vec::<String>::new(), "brought up to date");
}

#[test]
fn one_persons_browser_that_tells_versions_by_chance_accuses_nobody() {
    let unsure = |tenant: &mut Tenant| {
        for (number, system) in ["Windows11", "Windows10", "Windows11"].into_iter().enumerate() {
            let (account, session) = (&user(12), "another-session-of-12");
            let address = if number == 1 { "198.51.101.7" } else { OFFICE };
            let at = (2 + number as i64) * DAY_NS + 2 * HOUR_NS;
            tenant.sign_in(&SignIn { account, session, address, agent: EDGE, device: "", at });
            tenant.on(system);
        }
    };
    let changes = ["Windows11", "Windows10", "Windows11"];
    assert_eq!(renewed_on(changes, unsure), Vec::<String>::new());
    assert_eq!(renewed_on(["Windows 11", "Windows11", "Windows"], |_| ()), Vec::<String>::new());
}

#[test]
fn where_the_log_tells_versions_by_chance_nobody_is_accused_by_them() {
    let by_chance = |tenant: &mut Tenant| {
        let elsewhere = |row: &&mut Vec<SqlValue>| row.get(2) != Some(&text(OFFICE));
        for row in tenant.contexts.iter_mut().filter(elsewhere) {
            if let (Some(SqlValue::Text(name)), Some(os)) = (row.first().cloned(), row.get(4))
                && name != user(12)
                && os == &text("Windows11")
            {
                row[4] = text("Windows10");
            }
        }
    };
    let changes = ["Windows11", "Windows10", "Windows11"];
    assert_eq!(renewed_on(changes, by_chance), Vec::<String>::new());
}

/// User 12 signs in abroad, and three others at another address on the days around; so many further
/// colleagues live in user 12's network there.
fn beside_three_at(address: &str, residents: usize) -> bool {
    let mut tenant = Tenant::staff(30, true);
    let mut enter = |who: usize, address: &str, session: &str, at: i64| {
        let account = &user(who);
        tenant.sign_in(&SignIn { account, session, address, agent: FIREFOX, device: "", at });
    };
    for (who, address) in [(12, SINGAPORE), (3, address), (4, address), (5, address)] {
        let session = format!("the-session-of-user-{who:02}");
        enter(who, address, &session, 9 * DAY_NS + who as i64 * HOUR_NS);
    }
    for who in 20..20 + residents {
        for day in 1..8 {
            let (session, home) =
                (format!("home-{who}-of-{day}-of-many"), format!("198.51.100.{who}"));
            enter(who, &home, &session, day * DAY_NS + 12 * HOUR_NS);
        }
    }
    tenant.found = vec![on_a_computer()];
    let found = tenant.find();
    found.iter().any(|one| one.text.contains("accounts were entered from 198.51.100.0/24"))
}

#[test]
fn several_from_one_network_that_is_new_to_each_of_them_are_a_sign() {
    assert!(beside_three_at("198.51.100.9", 0));
    assert!(beside_three_at("198.51.100.9", 2));
    assert!(!beside_three_at("198.51.100.9", 3), "a provider's network that others use too");
    assert!(!beside_three_at("192.0.2.9", 0));
}
