//! One outside address that signs in to many accounts which never used it before.
//!
//! Benign look-alikes are taken out first: the organisation's own egress, managed devices, and
//! addresses that the accounts have used on earlier days.

use std::collections::{BTreeMap, BTreeSet};

use makyo_base::{
    DAY_NS, EntityKind, Finding, Level, Organisation, Query, QueryError, RecordRef, Role,
};

use super::{Analytic, entity, reference};
use crate::weights::Weights;

pub(crate) const ANALYTIC: Analytic = Analytic {
    id: "sign_in_fan_in",
    title: "One new address signs in to many accounts",
    level: Level::High,
    techniques: &["T1078.004"],
    tactics: &["initial-access"],
    run,
};

/// Accounts that make a fan-in.
const ACCOUNTS_MIN: usize = 3;

const SQL: &str = "
    WITH logons AS (
        SELECT account, src_endpoint_ip AS address, coalesce(http_request_user_agent, '') AS agent,
               coalesce(actor_session_uid, '') AS session, status,
               coalesce(device_is_managed, false) AS managed,
               CAST(time AS BIGINT) AS at, file, record
        FROM events
        WHERE class_uid = 3002 AND account LIKE '%@%' AND src_endpoint_ip IS NOT NULL
          AND time IS NOT NULL AND status IN ('Success', 'Failure')
          AND source IN ('entra-sign-in', 'm365-unified-audit', 'google-workspace')
    ),
    wide AS (
        SELECT address FROM logons WHERE status = 'Success'
        GROUP BY address HAVING count(DISTINCT account) >= 3
    )
    SELECT l.* FROM logons l JOIN wide w ON l.address = w.address
    ORDER BY l.address, l.at, l.account, l.file, l.record";

struct Logon {
    account: String,
    session: String,
    is_success: bool,
    managed: bool,
    at: i64,
    record: RecordRef,
}

fn run(
    analytic: &Analytic,
    query: &dyn Query,
    organisation: &Organisation,
    weights: &Weights,
) -> Result<Vec<Finding>, QueryError> {
    let rows = query.query(SQL)?;
    let mut addresses: BTreeMap<String, Vec<Logon>> = BTreeMap::new();
    for row in rows.iter() {
        let Some(address) = row.address("address") else { continue };
        // Many accounts behind the organisation's own address is what an office looks like.
        if organisation.network.is_egress(address) || organisation.network.is_internal(address) {
            continue;
        }
        addresses.entry(address.to_string()).or_default().push(Logon {
            account: row.string("account"),
            session: row.string("session"),
            is_success: row.text("status") == Some("Success"),
            managed: row.boolean("managed").unwrap_or_default(),
            at: row.integer("at").unwrap_or_default(),
            record: reference(row),
        });
    }
    Ok(addresses
        .iter()
        .filter_map(|(address, logons)| judge(analytic, address, logons, weights))
        .collect())
}

fn judge(
    analytic: &Analytic,
    address: &str,
    logons: &[Logon],
    weights: &Weights,
) -> Option<Finding> {
    // An office without an entry in org.toml shows as an address used on many days; an intruder's
    // burst does not.
    let days: BTreeSet<i64> = logons.iter().map(|logon| logon.at.div_euclid(DAY_NS)).collect();
    let managed = logons.iter().filter(|logon| logon.managed).count();
    if days.len() > 5 || managed * 4 > logons.len() {
        return None;
    }
    let accounts = |is_success: bool| -> BTreeSet<&str> {
        logons
            .iter()
            .filter(|logon| logon.is_success == is_success)
            .map(|logon| logon.account.as_str())
            .collect()
    };
    let entered = accounts(true);
    let tried: BTreeSet<&str> = accounts(false).difference(&entered).copied().collect();
    if entered.len() < ACCOUNTS_MIN {
        return None;
    }
    #[allow(clippy::cast_precision_loss, reason = "accounts of one address")]
    let further = (entered.len() - ACCOUNTS_MIN) as f64;
    let weight = (weights.analytic(analytic.id)
        + further * weights.analytic("sign_in_fan_in_step"))
    .min(weights.analytic("sign_in_fan_in_most"));
    let mut entities = vec![entity(Role::Origin, EntityKind::Address, address)];
    entities
        .extend(entered.iter().map(|account| entity(Role::Actor, EntityKind::Account, account)));
    entities.extend(tried.iter().map(|account| entity(Role::Target, EntityKind::Account, account)));
    entities.extend(
        logons
            .iter()
            .filter(|logon| logon.is_success)
            .map(|logon| entity(Role::Object, EntityKind::Session, &logon.session)),
    );
    let text = format!(
        "{} accounts were entered from {address}, which none of them used on other days, by devices that nobody manages{}",
        entered.len(),
        if tried.is_empty() {
            String::new()
        } else {
            format!("; {} more were tried without success", tried.len())
        },
    );
    let records =
        logons.iter().map(|logon| logon.record.clone()).take(crate::FINDING_RECORDS_MAX).collect();
    let first = logons.iter().map(|logon| logon.at).min();
    Some(analytic.finding(first, weight, entities.into_iter().flatten().collect(), records, text))
}
