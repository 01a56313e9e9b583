//! Something is started on a host from another one: a service is installed, a task is planned or a
//! program is started through WMI in a logon that came over the network.
//!
//! That is how administrators work and software is deployed, so that it says little by itself: an
//! account that does it on several days is at its work. Out of the VPN, where nobody deploys
//! software, by an account that did not do so before, it is a sign. Everything else is told only
//! where the intruder was who did it.
//!
//! The tie is the logon's number: Windows writes the number of the caller's logon beside what was
//! installed or planned (events 4697, 4698 and Sysmon 1), and beside the logon itself (4624). Event
//! 7045 has none; the pipe to the service manager that was opened just before stands for it (5145).

use std::collections::{BTreeMap, BTreeSet};

use makyo_base::{
    DAY_NS, EntityKind, Finding, Level, MINUTE_NS, Organisation, Places, Query, QueryError,
    RecordRef, Role,
};

use crate::analytic::{Analytic, entity};
use crate::weights::Weights;

pub(crate) const ANALYTIC: Analytic = Analytic {
    id: "remote_execution",
    title: "Service installed from another host",
    level: Level::Medium,
    techniques: &["T1569.002", "T1021.002"],
    tactics: &["execution", "lateral-movement"],
    run,
};

const TASK: Analytic = Analytic {
    title: "Task planned from another host",
    techniques: &["T1053.005"],
    tactics: &["execution"],
    ..ANALYTIC
};

const WMI: Analytic = Analytic {
    title: "Program started through WMI from another host",
    techniques: &["T1047"],
    tactics: &["execution"],
    ..ANALYTIC
};

/// A logon over the network stays for so long at most.
const LOGON_NS: i64 = DAY_NS;
/// From the pipe to the service manager to the service.
const PIPE_NS: i64 = 2 * MINUTE_NS;
/// An account that did it on so many days before is at its work.
const DAYS_OF_WORK: usize = 2;
/// Before that much of the logs nobody is known not to have done so before.
const SETTLED_NS: i64 = 7 * DAY_NS;
/// Letters of a command that a sentence holds.
const COMMAND_MAX: usize = 160;

fn sql() -> String {
    format!(
        "
    WITH runs AS (
      SELECT host, actor_session_uid AS session, source, time,
             CASE WHEN class_uid = 201004 THEN 'service'
                  WHEN class_uid = 1006 THEN 'task' ELSE 'wmi' END AS kind,
             coalesce(service_name, job_name, process_path, '') AS name,
             coalesce(job_cmd_line, process_cmd_line, '') AS command, file, record
      FROM events
      WHERE host IS NOT NULL AND time IS NOT NULL AND source LIKE 'windows-%' AND activity_id = 1
        AND (class_uid IN (201004, 1006)
             OR class_uid = 1007 AND lower(actor_process_path) LIKE '%wmiprvse.exe')),
    logons AS (
      SELECT host, actor_session_uid AS session, account, src_endpoint_ip AS address, time
      FROM events
      WHERE class_uid = 3002 AND activity_id = 1 AND status = 'Success'
        AND logon_type = 'network' AND source LIKE 'windows-%' AND time IS NOT NULL
        AND actor_session_uid IS NOT NULL),
    pipes AS (
      SELECT host, account, src_endpoint_ip AS address, time FROM events
      WHERE class_uid = 4006 AND resource_name LIKE '%IPC$' AND lower(file_path) = 'svcctl'
        AND time IS NOT NULL),
    tied AS (
      SELECT runs.*, logons.account, logons.address, logons.time AS came, true AS by_logon
      FROM runs JOIN logons ON runs.host = logons.host AND runs.session = logons.session
      WHERE CAST(runs.time AS BIGINT) - CAST(logons.time AS BIGINT) BETWEEN 0 AND {LOGON_NS}
      UNION ALL
      SELECT runs.*, pipes.account, pipes.address, pipes.time AS came, false AS by_logon
      FROM runs JOIN pipes ON runs.host = pipes.host
      WHERE runs.source = 'windows-system'
        AND CAST(runs.time AS BIGINT) - CAST(pipes.time AS BIGINT) BETWEEN 0 AND {PIPE_NS})
    SELECT DISTINCT kind, host, account, address, name, command, CAST(came AS BIGINT) AS came,
           CAST(time AS BIGINT) AS at, by_logon, file, record
    FROM tied
    WHERE account IS NOT NULL AND account NOT LIKE '%$' AND address IS NOT NULL
      AND address NOT IN ('127.0.0.1', '::1')
    ORDER BY at, host, kind, name, account, address, came, file, record"
    )
}

const BEGAN: &str = "
    SELECT CAST(min(time) AS BIGINT) AS began FROM events WHERE source LIKE 'windows-%'";

const LEASED: &str = "
    SELECT DISTINCT tunnel_interface_ip AS address FROM events
    WHERE tunnel_interface_ip IS NOT NULL ORDER BY 1";

/// One thing that was started from afar.
#[derive(Debug)]
struct Run {
    kind: String,
    host: String,
    account: String,
    address: String,
    name: String,
    command: String,
    came: i64,
    at: i64,
    /// The number of the logon ties it; else the pipe that was opened just before.
    by_logon: bool,
    record: RecordRef,
}

fn run(
    _: &Analytic,
    query: &dyn Query,
    organisation: &Organisation,
    weights: &Weights,
    _places: &dyn Places,
    _found: &[Finding],
) -> Result<Vec<Finding>, QueryError> {
    let runs: Vec<Run> = query
        .query(&sql())?
        .iter()
        .map(|row| Run {
            kind: row.string("kind"),
            host: row.string("host"),
            account: row.string("account"),
            address: row.string("address"),
            name: row.string("name"),
            command: row.string("command"),
            came: row.integer("came").unwrap_or_default(),
            at: row.integer("at").unwrap_or_default(),
            by_logon: row.boolean("by_logon") == Some(true),
            record: row.reference(),
        })
        .collect();
    let runs = certain(runs);
    if runs.is_empty() {
        return Ok(Vec::new());
    }
    let began = query.query(BEGAN)?.iter().find_map(|row| row.integer("began"));
    let settled = began.unwrap_or_default() + SETTLED_NS;
    let leased: BTreeSet<String> =
        query.query(LEASED)?.iter().map(|row| row.string("address")).collect();
    let is_vpn = |address: &str| {
        leased.contains(address)
            || address.parse().is_ok_and(|one| organisation.network.is_vpn_pool(one))
    };
    Ok(judge(&runs, settled, &is_vpn, weights))
}

/// Each record with who did it: by the latest logon that has its number, else by the pipe, if only
/// one account opened one. Those that a logon ties come first.
fn certain(mut runs: Vec<Run>) -> Vec<Run> {
    runs.sort_by(|a, b| {
        (&a.record.file, a.record.record, !a.by_logon, -a.came, &a.account).cmp(&(
            &b.record.file,
            b.record.record,
            !b.by_logon,
            -b.came,
            &b.account,
        ))
    });
    let mut is_kept: Vec<bool> = Vec::with_capacity(runs.len());
    for all in runs.chunk_by(|a, b| a.record == b.record) {
        let mut rest = all.iter();
        let is_rival = |best: &Run, other: &Run| {
            other.account != best.account
                && other.by_logon == best.by_logon
                && (!best.by_logon || other.came == best.came)
        };
        let best = rest.next().filter(|best| !all.iter().any(|other| is_rival(best, other)));
        is_kept.push(best.is_some());
        is_kept.extend(rest.map(|_| false));
    }
    let mut is_kept = is_kept.into_iter();
    runs.retain(|_| is_kept.next() == Some(true));
    runs.sort_by(|a, b| {
        (!a.by_logon, a.at, &a.host, &a.kind, &a.name, &a.record).cmp(&(
            !b.by_logon,
            b.at,
            &b.host,
            &b.kind,
            &b.name,
            &b.record,
        ))
    });
    runs
}

/// A service is told by the System log and the Security log.
fn judge(
    runs: &[Run],
    settled: i64,
    is_vpn: &dyn Fn(&str) -> bool,
    weights: &Weights,
) -> Vec<Finding> {
    let place = |run: &Run| {
        let address = if is_vpn(&run.address) { "VPN" } else { run.address.as_str() };
        (run.account.clone(), address.to_owned())
    };
    let mut days: BTreeMap<(String, String), BTreeSet<i64>> = BTreeMap::new();
    for run in runs {
        days.entry(place(run)).or_default().insert(run.at.div_euclid(DAY_NS));
    }
    let mut told: BTreeMap<(&str, &str, &str, i64), usize> = BTreeMap::new();
    let mut found: Vec<Finding> = Vec::new();
    for run in runs {
        let key = |window: i64| {
            let window = run.at.div_euclid(PIPE_NS) + window;
            (run.kind.as_str(), run.host.as_str(), run.name.as_str(), window)
        };
        if let Some(at) = [0, -1, 1].iter().find_map(|window| told.get(&key(*window))) {
            if let Some(finding) = found.get_mut(*at) {
                finding.records.push(run.record.clone());
                finding.records.sort();
                finding.records.dedup();
            }
            continue;
        }
        let today = run.at.div_euclid(DAY_NS);
        let before = days.get(&place(run)).map_or(0, |all| all.range(..today).count());
        if before >= DAYS_OF_WORK {
            continue;
        }
        told.insert(key(0), found.len());
        found.push(finding(run, settled <= run.at, is_vpn(&run.address), weights));
    }
    found
}

fn finding(run: &Run, is_settled: bool, is_vpn: bool, weights: &Weights) -> Finding {
    let (analytic, did) = match run.kind.as_str() {
        "service" => (&ANALYTIC, "installed the service"),
        "task" => (&TASK, "planned the task"),
        _ => (&WMI, "started through WMI the program"),
    };
    let command: String = run.command.chars().take(COMMAND_MAX).collect();
    let command = if command.is_empty() { command } else { format!(", which starts `{command}`,") };
    let whose = if is_vpn { "out of the VPN" } else { "inside" };
    let tie = if run.by_logon {
        let minutes = (run.at - run.came) / MINUTE_NS;
        format!("{minutes} minutes after its logon there over the network")
    } else {
        "just after it opened the pipe to the service manager there".to_owned()
    };
    let text = format!(
        "{} from {} ({whose}) {did} `{}`{command} on {}, {tie}",
        run.account, run.address, run.name, run.host,
    );
    let entities = [
        entity(Role::Actor, EntityKind::Account, &run.account),
        entity(Role::Place, EntityKind::Host, &run.host),
        entity(Role::Origin, EntityKind::Address, &run.address),
    ];
    let weight = weights.analytic(if is_vpn && is_settled {
        "remote_execution_by_vpn"
    } else {
        "remote_execution"
    });
    let entities = entities.into_iter().flatten().collect();
    analytic.finding(Some(run.at), weight, entities, vec![run.record.clone()], text)
}
