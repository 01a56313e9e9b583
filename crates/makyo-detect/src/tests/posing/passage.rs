//! An intruder who comes out of the organisation's own network, among colleagues who do too.

use makyo_base::{DAY_NS, EntityKind, Finding, HOUR_NS, MINUTE_NS, SECOND_NS, SqlValue};

use super::{EDGE, OFFICE, SignIn, Tenant, text, user};

/// What the intruder's tunnel leases.
const LEASED: &str = "10.99.0.9";
const CLOUD: &str = "198.18.7.4";
const STAFF: usize = 40;
/// Up from three to four in the night, when nobody else is.
const NIGHT: i64 = 20 * DAY_NS + 3 * HOUR_NS;

fn lease(who: usize) -> String {
    format!("10.99.1.{who}")
}

/// Forty people who work over tunnels for twenty days, with browsers of their own, and a tunnel
/// that nobody logged in to.
fn estate() -> Tenant {
    let mut tenant = Tenant::default();
    for day in 0..20_usize {
        for who in 0..STAFF {
            let midnight = i64::try_from(day).expect("few") * DAY_NS;
            // Two hours each, somewhere between eight and eighteen; some in the night.
            let hour = if (who + day) % 20 == 0 { 2 } else { 8 + (who + day) % 9 };
            let at = midnight + i64::try_from(hour).expect("few") * HOUR_NS;
            let home = format!("198.51.100.{}", 10 + who);
            let account = user(who);
            let local = account.split('@').next().expect("account");
            tenant.tunnel(local, &home, at, true);
            if let Some(row) = tenant.tunnels.last_mut() {
                row[4] = text(&format!("own-{who}-{day}"));
                row[3] = text(&lease(who));
            }
            tenant.enter(who, at + 20 * MINUTE_NS, &format!("owner-session-{who:02}-{day:02}"));
            tenant.connect(&lease(who), at + 20 * MINUTE_NS - 2 * SECOND_NS);
        }
    }
    tenant.tunnel("monitor", "192.0.2.101", NIGHT, false);
    tenant
}

impl Tenant {
    /// Somebody signs in from inside with the browser that all use.
    fn enter(&mut self, who: usize, at: i64, session: &str) {
        let account = &user(who);
        self.sign_in(&SignIn { account, session, address: OFFICE, agent: EDGE, device: "", at });
    }

    /// An inside address connects to the cloud.
    fn connect(&mut self, inside: &str, at: i64) {
        self.connections.push(vec![text(inside), text(CLOUD), SqlValue::Integer(at)]);
    }

    /// Everything, over tunnels in the order of the case.
    fn find_over_tunnels(&mut self) -> Vec<Finding> {
        self.tunnels.sort_by_key(|row| {
            let SqlValue::Integer(at) = row[5] else { unreachable!("a time") };
            (format!("{:?}", row[0]), at)
        });
        self.find()
    }

    fn posing(mut self) -> Vec<String> {
        let names = |one: &Finding| (one.rule.id == "posing_as_user").then(|| one.text.clone());
        let found = self.find_over_tunnels();
        let mut names: Vec<String> = found.iter().filter_map(names).collect();
        names.sort();
        names
            .iter()
            .filter_map(|text| Some(text.split_once(" as ")?.1.get(..6)?.to_owned()))
            .collect()
    }
}

fn enter_in_turn(tenant: &mut Tenant, victims: &[usize]) {
    for (turn, who) in (0_i64..).zip(victims) {
        let at = NIGHT + 5 * MINUTE_NS + turn * 4 * MINUTE_NS;
        tenant.enter(*who, at, &format!("stolen-session-{who:04}"));
        tenant.connect(LEASED, at - SECOND_NS);
    }
}

#[test]
fn whose_tunnel_reached_the_cloud_just_then_is_who_signed_in() {
    let mut tenant = estate();
    let victims: Vec<usize> = (0..12).collect();
    enter_in_turn(&mut tenant, &victims);
    // Somebody who cannot sleep signs in meanwhile, and the tunnel does nothing.
    tenant.enter(30, NIGHT + 7 * MINUTE_NS, "sleepless-session-30");
    let names: Vec<String> = victims.iter().map(|who| format!("user{who:02}")).collect();
    assert_eq!(tenant.posing(), names);
}

#[test]
fn without_a_sensor_the_hour_alone_accuses_nobody() {
    let mut tenant = estate();
    enter_in_turn(&mut tenant, &(0..12).collect::<Vec<_>>());
    tenant.connections.clear();
    assert_eq!(tenant.posing(), Vec::<String>::new());
}

#[test]
fn colleagues_who_come_while_a_quiet_tunnel_is_up_are_not_accused() {
    let mut tenant = estate();
    for turn in 0..12 {
        let at = NIGHT + 5 * MINUTE_NS + turn * 4 * MINUTE_NS;
        let who = usize::try_from(turn).expect("few");
        tenant.enter(who, at, &format!("night-session-{who:04}"));
        tenant.connect(&lease(who), at - SECOND_NS);
        // The tunnel is busy, but never when they come.
        tenant.connect(LEASED, at + 2 * MINUTE_NS);
    }
    assert_eq!(tenant.posing(), Vec::<String>::new());
}

/// Accounts whose sign-ins out of the tunnel were refused, as the findings name them.
fn tried(tenant: &mut Tenant) -> Vec<String> {
    let found = tenant.find_over_tunnels();
    let attempts = found.iter().filter(|one| one.rule.id == "attempts_from_tunnel");
    let mut names: Vec<String> = attempts
        .flat_map(|one| &one.entities)
        .filter(|one| one.kind == EntityKind::Account)
        .map(|one| one.value.clone())
        .collect();
    names.sort();
    names
}

impl Tenant {
    fn refuse(&mut self, who: usize, at: i64, kind: &str) {
        self.enter(who, at, "");
        if let Some(row) = self.contexts.last_mut() {
            row[9] = text(kind);
        }
    }
}

#[test]
fn who_was_tried_out_of_the_tunnel_in_vain_is_told_and_a_mistyped_password_is_not() {
    let mut tenant = estate();
    for (turn, who) in (0..8).enumerate() {
        let at = NIGHT + 5 * MINUTE_NS + i64::try_from(turn).expect("few") * 4 * MINUTE_NS;
        // One knows the password, and is asked for more.
        tenant.refuse(who, at, if who == 3 { "interrupt" } else { "failure" });
        tenant.connect(LEASED, at - SECOND_NS);
    }
    // Others mistype theirs at any hour, and one of them now.
    for day in 0..20 {
        tenant.refuse(20, day * DAY_NS + 3 * HOUR_NS, "failure");
        tenant.refuse(21, day * DAY_NS + 3 * HOUR_NS + MINUTE_NS, "interrupt");
    }
    tenant.refuse(30, NIGHT + 7 * MINUTE_NS, "failure");
    let names: Vec<String> = (0..8).map(user).collect();
    assert_eq!(tried(&mut tenant), names);
}

#[test]
fn the_sleepless_of_clean_weeks_are_replayed_into_the_tunnel() {
    let mut tenant = estate();
    enter_in_turn(&mut tenant, &(0..12).collect::<Vec<_>>());
    // A week before the tunnel, at its hour, three people are awake; a day later one more.
    for (who, minutes) in [(30, 11), (31, 27), (32, 43)] {
        let at = NIGHT - 7 * DAY_NS + minutes * MINUTE_NS;
        tenant.enter(who, at, &format!("sleepless-session-{who:02}"));
    }
    tenant.enter(33, NIGHT - 6 * DAY_NS + 11 * MINUTE_NS, "sleepless-session-33");
    let found = tenant.find_over_tunnels();
    let replay = found.iter().find(|one| one.rule.id == "posing_replay").expect("replayed");
    for says in
        ["of 3 honest sign-ins", " 0 would have been called somebody else's and 0 suspected"]
    {
        assert!(replay.text.contains(says), "{}", replay.text);
    }
    assert_eq!(replay.weight_db, 0.0);
}

#[test]
fn where_nobody_intrudes_there_is_nothing_to_replay() {
    let mut tenant = estate();
    tenant.tunnels.pop();
    assert!(tenant.find().is_empty());
}

/// Who is accused, and whether the replay of a sign-in a week before accuses somebody.
fn replayed(minutes: i64, prepare: impl Fn(&mut Tenant)) -> (usize, bool) {
    let mut tenant = estate();
    enter_in_turn(&mut tenant, &(0..12).collect::<Vec<_>>());
    tenant.enter(31, NIGHT - 7 * DAY_NS + minutes * MINUTE_NS, "sleepless-session-31");
    prepare(&mut tenant);
    let found = tenant.find_over_tunnels();
    let replay = found.iter().find(|one| one.rule.id == "posing_replay").expect("replayed");
    let accused = found.iter().filter(|one| one.rule.id == "posing_as_user").count();
    (accused, replay.text.contains("less of an accident"))
}

#[test]
fn where_the_replay_accuses_only_what_is_stranger_is_confirmed() {
    // One more signs in over the tunnel, in hours that are their own.
    let late = |tenant: &mut Tenant| {
        for night in 1..13 {
            let at = NIGHT - night * DAY_NS - 30 * MINUTE_NS;
            tenant.enter(32, at, &format!("sleepless-session-{night:04}"));
        }
        tenant.enter(32, NIGHT + 51 * MINUTE_NS, "late-session-32");
        tenant.connect(LEASED, NIGHT + 51 * MINUTE_NS - SECOND_NS);
    };
    assert_eq!(replayed(27, late), (13, false));
    // Moved by a week, a sign-in falls on the very second of a connection that is nobody's.
    let unlucky = |tenant: &mut Tenant| {
        late(tenant);
        tenant.connect(LEASED, NIGHT + 27 * MINUTE_NS);
    };
    let (accused, is_tightened) = replayed(27, unlucky);
    assert_eq!((accused, is_tightened), (12, true));
}

#[test]
fn a_connection_is_only_one_sign_ins() {
    // Moved by a week, it falls on the very second of a connection that was a victim's.
    assert_eq!(replayed(25, |_| ()), (12, false));
    // And so does somebody who is there in earnest, whose connection the sensor sees elsewhere.
    let mut tenant = estate();
    enter_in_turn(&mut tenant, &(0..12).collect::<Vec<_>>());
    tenant.enter(31, NIGHT + 25 * MINUTE_NS, "sleepless-session-31");
    let names = tenant.posing();
    assert!(!names.contains(&"user31".to_owned()), "{names:?}");
    // Nothing tells the two apart, and neither is accused.
    let names_of_others: Vec<String> =
        (0..12).filter(|who| *who != 5).map(|who| format!("user{who:02}")).collect();
    assert_eq!(names, names_of_others);
}

/// A tunnel in somebody's name, from a place that nobody else comes from, with what it leased.
fn estate_with_tunnel_of(name: &str) -> Tenant {
    let mut tenant = estate();
    // Nobody else's.
    tenant.tunnels.pop();
    tenant.lines.truncate(tenant.lines.len() - 2);
    tenant.tunnel(name, "192.0.2.77", NIGHT, true);
    if let Some(row) = tenant.tunnels.last_mut() {
        row[3] = text(LEASED);
        row[4] = text("from-elsewhere");
    }
    tenant
}

fn over_vpn(found: &[Finding]) -> usize {
    found.iter().filter(|one| one.rule.id == "posing_over_vpn").count()
}

#[test]
fn over_whose_connections_others_are_entered_is_the_intruders_tunnel() {
    let mut tenant = estate_with_tunnel_of("user39");
    enter_in_turn(&mut tenant, &(0..12).collect::<Vec<_>>());
    let found = tenant.find_over_tunnels();
    assert_eq!(over_vpn(&found), 1);
    assert_eq!(found.iter().filter(|one| one.rule.id == "posing_as_user").count(), 12);
}

#[test]
fn whoever_is_on_the_way_while_others_sign_in_is_not_accused() {
    let mut tenant = estate_with_tunnel_of("user39");
    for who in 0..12 {
        let at = NIGHT + i64::from(who) * 4 * MINUTE_NS;
        let number = usize::try_from(who).expect("few");
        tenant.enter(number, at, &format!("night-session-{number:04}"));
        // The tunnel is as busy, but never when they come.
        tenant.connect(LEASED, at + 2 * MINUTE_NS);
    }
    assert_eq!(over_vpn(&tenant.find_over_tunnels()), 0);
}
