use makyo_base::{DAY_NS, Finding, Network, Organisation, Rows, SqlValue};

use super::{Canned, text, weights};
use crate::analytic::sign_in_fan_in;

fn find(logons: &[(&str, bool, bool, i64)], organisation: &Organisation) -> Vec<Finding> {
    let columns =
        ["account", "address", "agent", "session", "status", "managed", "at", "file", "record"];
    let rows = logons.iter().enumerate().map(|(number, (account, success, managed, day))| {
        vec![
            text(account),
            text("192.0.2.150"),
            text("agent"),
            text("s"),
            text(if *success { "Success" } else { "Failure" }),
            SqlValue::Boolean(*managed),
            SqlValue::Integer(day * DAY_NS),
            text("signins.json"),
            SqlValue::Integer(number as i64 + 1),
        ]
    });
    let rows = Rows { columns: columns.map(str::to_owned).to_vec(), rows: rows.collect() };
    sign_in_fan_in::ANALYTIC.run(&Canned(rows), organisation, &weights()).expect("canned")
}

#[test]
fn many_accounts_from_one_new_address_are_found_and_weighed_by_their_number() {
    let none = Organisation::default();
    let three = find(
        &[
            ("a@x", true, false, 0),
            ("b@x", true, false, 0),
            ("c@x", true, false, 0),
            ("d@x", false, false, 0),
        ],
        &none,
    );
    let more: Vec<_> =
        ["a@x", "b@x", "c@x", "d@x", "e@x"].into_iter().map(|who| (who, true, false, 0)).collect();
    assert_eq!(three.len(), 1);
    assert!(three[0].text.contains("1 more were tried without success"), "{}", three[0].text);
    assert!(find(&more, &none)[0].weight_db > three[0].weight_db);
    assert_eq!(find(&[("a@x", true, false, 0), ("b@x", true, false, 0)], &none), vec![]);
}

#[test]
fn offices_managed_devices_and_old_acquaintances_are_quiet() {
    let staff = ["a@x", "b@x", "c@x", "d@x"];
    let burst = |managed: bool| staff.map(|who| (who, true, managed, 0)).to_vec();
    let office = Organisation {
        network: Network {
            egress: vec!["192.0.2.150/32".parse().expect("network")],
            ..Network::default()
        },
        ..Organisation::default()
    };
    assert_eq!(find(&burst(false), &office), vec![], "own egress");
    assert_eq!(find(&burst(true), &Organisation::default()), vec![], "managed devices");
    let weeks: Vec<_> = (0..8).flat_map(|day| staff.map(|who| (who, true, false, day))).collect();
    assert_eq!(find(&weeks, &Organisation::default()), vec![], "used on many days");
}
