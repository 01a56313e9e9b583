//! What is started from afar: intruders', administrators' and deployment's.

use makyo_base::{
    DAY_NS, Finding, MINUTE_NS, Network, NoPlaces, Organisation, Query, QueryError, Rows, SqlValue,
};

use super::{text, weights};
use crate::analytic::host::remote_execution::ANALYTIC;

const VPN: &str = "10.99.0.5";
const DEPLOYMENT: &str = "10.20.3.35";

/// What was started, as the case would give it.
#[derive(Default)]
struct Started(Vec<Vec<SqlValue>>);

impl Query for Started {
    fn query(&self, sql: &str) -> Result<Rows, QueryError> {
        let (columns, rows): (&[&str], _) = if sql.contains("WITH runs") {
            let columns = &[
                "kind", "host", "account", "address", "name", "command", "came", "at", "by_logon",
                "file", "record",
            ];
            (columns, self.0.clone())
        } else {
            (&["address"], Vec::new())
        };
        let columns = columns.iter().map(|name| (*name).to_owned()).collect();
        Ok(Rows { columns, rows })
    }
}

impl Started {
    fn then(mut self, kind: &str, who: (&str, &str), host: &str, name: &str, at: i64) -> Self {
        let number = SqlValue::Integer(i64::try_from(self.0.len()).expect("few"));
        self.0.push(vec![
            text(kind),
            text(host),
            text(who.0),
            text(who.1),
            text(name),
            text("C:\\ProgramData\\oem\\sync.exe"),
            SqlValue::Integer(at - 8 * MINUTE_NS),
            SqlValue::Integer(at),
            SqlValue::Boolean(true),
            text("security.evtx"),
            number,
        ]);
        self
    }

    /// Makes the last one the same record as the one before it, or a tie by a pipe only.
    fn but(mut self, change: impl Fn(&mut [SqlValue], &[SqlValue])) -> Self {
        if let Some((last, before)) = self.0.split_last_mut() {
            change(last, before.last().map(Vec::as_slice).unwrap_or_default());
        }
        self
    }

    fn find(&self) -> Vec<Finding> {
        let pools = vec!["10.99.0.0/16".parse().expect("network")];
        let network = Network { vpn_pools: pools, ..Network::default() };
        let organisation = Organisation { network, ..Organisation::default() };
        ANALYTIC.run(self, &organisation, &weights(), &NoPlaces, &[]).expect("canned")
    }
}

#[test]
fn a_service_out_of_the_vpn_by_who_never_did_so_is_a_sign() {
    let who = ("agency\\svc-ldap", VPN);
    let found = Started::default().then("service", who, "fs01", "OemSync", 9 * DAY_NS).find();
    let [one] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!((one.weight_db, one.rule.id.as_str()), (14.0, "remote_execution"));
    assert_eq!(
        one.text,
        "agency\\svc-ldap from 10.99.0.5 (out of the VPN) installed the service `OemSync`, which starts `C:\\ProgramData\\oem\\sync.exe`, on fs01, 8 minutes after its logon there over the network"
    );
}

#[test]
fn tasks_and_programs_through_wmi_are_told_as_what_they_are() {
    let who = ("agency\\svc-ldap", VPN);
    let started = Started::default().then("task", who, "fs01", "\\Sync", 9 * DAY_NS);
    let found = started.then("wmi", who, "dc01", "cmd.exe", 9 * DAY_NS).find();
    let mut told: Vec<&str> =
        found.iter().flat_map(|one| &one.techniques).map(String::as_str).collect();
    told.sort_unstable();
    assert_eq!(told, ["T1047", "T1053.005"]);
}

#[test]
fn deployment_and_administrators_weigh_nothing_and_their_work_is_not_told() {
    let mut started = Started::default();
    for week in 0..4 {
        for host in ["fs01", "srv-app01"] {
            let who = ("agency\\svc-deploy", DEPLOYMENT);
            started = started.then("service", who, host, "DeployAgent", week * 7 * DAY_NS);
        }
    }
    let found = started.find();
    assert_eq!(found.len(), 4, "the first two weeks, of which nothing was known before");
    assert!(found.iter().all(|one| one.weight_db < 7.0), "{found:?}");
}

#[test]
fn who_administers_over_the_vpn_every_day_is_at_work() {
    let mut started = Started::default();
    for day in 0..9 {
        let address = format!("10.99.0.{}", 10 + day);
        let who = ("agency\\adm-ito", address.as_str());
        started = started.then("service", who, "fs01", "PSEXESVC", day * DAY_NS);
    }
    assert_eq!(started.find().len(), 2);
}

/// The last one by a pipe.
fn by_pipe(last: &mut [SqlValue], _: &[SqlValue]) {
    last[8] = SqlValue::Boolean(false);
}

/// The last one by a pipe, of the record before it.
fn of_same_record(last: &mut [SqlValue], before: &[SqlValue]) {
    by_pipe(last, before);
    last[10] = before[10].clone();
}

#[test]
fn the_logons_number_tells_who_did_it_and_not_who_opened_a_pipe() {
    let at = 9 * DAY_NS;
    let started = Started::default()
        .then("service", ("agency\\zed", VPN), "fs01", "OemSync", at)
        .then("service", ("agency\\aaa-monitor", "10.20.3.50"), "fs01", "OemSync", at)
        .but(by_pipe);
    let found = started.find();
    let [one] = found.as_slice() else { panic!("{found:?}") };
    assert!(one.text.starts_with("agency\\zed from"), "{}", one.text);
}

#[test]
fn of_two_who_opened_a_pipe_neither_is_named() {
    let at = 9 * DAY_NS;
    let started = Started::default()
        .then("service", ("agency\\zed", VPN), "fs01", "OemSync", at)
        .but(by_pipe)
        .then("service", ("agency\\aaa-monitor", "10.20.3.50"), "fs01", "OemSync", at)
        .but(of_same_record);
    assert!(started.find().is_empty());
}

#[test]
fn in_the_first_week_of_the_logs_nobody_is_new() {
    let who = ("agency\\adm-hana", VPN);
    let found = Started::default().then("service", who, "fs01", "BackupAgent", 2 * DAY_NS).find();
    assert!(found.iter().all(|one| one.weight_db < 7.0), "{found:?}");
}

#[test]
fn one_service_in_two_logs_is_told_once_with_both_records() {
    let who = ("agency\\svc-ldap", VPN);
    let at = 9 * DAY_NS;
    let started = Started::default().then("service", who, "fs01", "OemSync", at);
    let found = started.then("service", who, "fs01", "OemSync", at + MINUTE_NS / 60).find();
    let [one] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!(one.records.len(), 2);
}
