//! What came before a sign-in: guessing, spraying, pestering for a second factor, legacy protocols.

use std::collections::{BTreeMap, BTreeSet};

use makyo_base::{DAY_NS, HOUR_NS, MINUTE_NS, Query, QueryError, RecordRef};

use super::habit::{Feature, Habits};
use super::own::Origin;
use super::scale::Scale;
use super::unit::Unit;
use super::weigh::Evidence;

/// Failures by account, address and code.
const SQL: &str = "
    SELECT account, src_endpoint_ip AS address, coalesce(status_code, '') AS code,
           CAST(min(time) AS BIGINT) AS first, CAST(max(time) AS BIGINT) AS last,
           CAST(CAST(time AS BIGINT) / 86400000000000 AS BIGINT) AS day, count(*) AS count, min(concat(file, '#', lpad(CAST(record AS VARCHAR), 20, '0'))) AS least_record
    FROM events
    WHERE class_uid = 3002 AND account LIKE '%@%' AND src_endpoint_ip IS NOT NULL
      AND time IS NOT NULL AND status = 'Failure'
      AND source IN ('entra-sign-in', 'm365-unified-audit', 'google-workspace')
    GROUP BY account, src_endpoint_ip, status_code, 6
    ORDER BY account, address, code, day";

/// Codes of a wrong or locked password.
const PASSWORD_CODES: &[&str] = &["50126", "50034", "50053", "50056"];
/// Codes of a second factor that was denied or not answered.
const FACTOR_CODES: &[&str] = &["500121"];

/// A source that fails with so many accounts is guessing over the tenant.
const SPRAY_ACCOUNTS_MIN: usize = 10;
/// So many failures of one account from one place are guessing.
const GUESSES_MIN: i64 = 10;
/// So many second factors denied and then one granted.
const PESTERED_MIN: i64 = 5;

/// Failed sign-ins of one account from one address with one code.
#[derive(Clone, Debug)]
pub(super) struct Failure {
    pub(super) account: String,
    pub(super) address: String,
    code: String,
    pub(super) first: i64,
    last: i64,
    count: i64,
    pub(super) record: RecordRef,
}

pub(super) fn read(query: &dyn Query) -> Result<Vec<Failure>, QueryError> {
    let rows = query.query(SQL)?;
    let failure = |row: makyo_base::Row<'_>| Failure {
        account: row.string("account"),
        address: row.string("address"),
        code: row.string("code"),
        first: row.integer("first").unwrap_or_default(),
        last: row.integer("last").unwrap_or_default(),
        count: row.integer("count").unwrap_or_default(),
        record: row.reference(),
    };
    Ok(rows.iter().map(failure).collect())
}

/// Failures by address, for quick asking.
pub(super) struct Precursors<'a> {
    by_address: BTreeMap<&'a str, Vec<&'a Failure>>,
}

impl<'a> Precursors<'a> {
    pub(super) fn new(failures: &'a [Failure]) -> Self {
        let mut by_address: BTreeMap<&str, Vec<&Failure>> = BTreeMap::new();
        for failure in failures {
            by_address.entry(&failure.address).or_default().push(failure);
        }
        Precursors { by_address }
    }

    pub(super) fn weigh(&self, unit: &Unit, habits: &Habits, scale: &Scale) -> Vec<Evidence> {
        let mut found = legacy(unit, habits, scale).into_iter().collect::<Vec<_>>();
        let Some(entered) = unit.entered else { return found };
        if unit.origin == Origin::Own {
            return found;
        }
        let here = self.by_address.get(unit.address.as_str()).into_iter().flatten();
        let before = |failure: &&&Failure| {
            failure.last <= entered && entered <= failure.last.saturating_add(DAY_NS)
        };
        let password = || {
            here.clone().filter(before).filter(|one| PASSWORD_CODES.contains(&one.code.as_str()))
        };
        let sprayed: BTreeSet<&str> = password().map(|one| one.account.as_str()).collect();
        if sprayed.len() >= SPRAY_ACCOUNTS_MIN {
            let text = format!(
                "{} failed with the passwords of {} accounts before it succeeded with this one",
                unit.address,
                sprayed.len()
            );
            found.push(scale.sign("sprayed", text));
        }
        for one in password().filter(|one| one.account == unit.account && one.count >= GUESSES_MIN)
        {
            let text = format!("{} wrong passwords from {} before", one.count, one.address);
            found.push(scale.sign("guessed", text).at(&one.record));
        }
        let pestered = here.filter(|one| {
            one.account == unit.account
                && FACTOR_CODES.contains(&one.code.as_str())
                && one.count >= PESTERED_MIN
                && one.first <= entered
                && entered <= one.last.saturating_add(HOUR_NS / 2 + MINUTE_NS)
        });
        for one in pestered {
            let text = format!("the second factor was denied {} times and then granted", one.count);
            found.push(scale.sign("pestered", text).at(&one.record));
        }
        found
    }
}

fn legacy(unit: &Unit, habits: &Habits, scale: &Scale) -> Option<Evidence> {
    const LEGACY: &[&str] = &[
        "imap4",
        "imap",
        "pop3",
        "pop",
        "smtp",
        "authenticated smtp",
        "exchange activesync",
        "exchange web services",
        "other clients",
        "ropc",
        "mapi over http",
        "autodiscover",
    ];
    let past = habits.past(unit);
    let used = unit.clients.iter().chain(&unit.protocols);
    let mut legacy = used.filter(|one| LEGACY.contains(&one.to_lowercase().as_str()));
    let is_new = |one: &&String| past.days() > 0 && past.days_of(Feature::Protocol, one) == 0;
    let one = legacy.find(is_new).filter(|_| unit.signs_in && unit.origin == Origin::Outside)?;
    let text = format!("{one}, which asks for a password only, for the first time");
    Some(scale.sign("legacy_protocol", text))
}
