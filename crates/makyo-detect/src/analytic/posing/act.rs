//! What was done in a unit: reading, taking, and ways back in.

use std::collections::BTreeMap;

use makyo_base::{Query, QueryError};

use super::habit::{Feature, Habits};
use super::unit::Unit;
use super::weigh::{Evidence, Family};

/// One row per account, session and address; sessions without an id day by day.
const SQL: &str = "
    SELECT account, coalesce(actor_session_uid, '') AS session, src_endpoint_ip AS address,
           CASE WHEN actor_session_uid IS NULL
                THEN CAST(CAST(time AS BIGINT) / 86400000000000 AS BIGINT) ELSE 0 END AS day,
           sum(CASE WHEN makyo_access = 'bind' THEN coalesce(item_count, 1) ELSE 0 END) AS binds,
           sum(CASE WHEN makyo_access = 'sync' THEN 1 ELSE 0 END) AS syncs,
           sum(CASE WHEN makyo_access = 'download' THEN 1 ELSE 0 END) AS downloads,
           array_agg(DISTINCT CASE WHEN makyo_access IN ('bind', 'sync')
                                    AND lower(resource_owner_name) <> account
                                   THEN lower(resource_owner_name) END) AS others,
           array_agg(DISTINCT CASE WHEN makyo_access = 'modify'
                                   THEN concat(metadata_event_code, ' ',
                                               coalesce(resource_name, '')) END) AS changes
    FROM events
    WHERE source = 'm365-unified-audit' AND account LIKE '%@%' AND src_endpoint_ip IS NOT NULL
      AND time IS NOT NULL AND makyo_access IS NOT NULL
      AND coalesce(makyo_client_info, '') NOT LIKE '%RESTSystem%'
      AND coalesce(actor_user_type, '') NOT IN ('system', 'application', 'service_principal')
    GROUP BY account, actor_session_uid, src_endpoint_ip, 4
    ORDER BY account, session, address, day";

/// Ways back in, by the beginning of the operation, with what making one in a strange session
/// weighs. Weights: makyo's, from how rarely people do it themselves.
const CHANGES: &[(&str, f64, &str)] = &[
    ("new-inboxrule", 12.0, "made an inbox rule"),
    ("set-inboxrule", 12.0, "changed an inbox rule"),
    ("updateinboxrules", 12.0, "changed inbox rules"),
    ("set-mailbox ", 14.0, "changed forwarding or another setting of a mailbox"),
    ("add-mailboxpermission", 12.0, "gave rights to a mailbox"),
    ("add-recipientpermission", 12.0, "gave the right to send in somebody's name"),
    ("add-mailboxfolderpermission", 10.0, "gave rights to a mail folder"),
    ("modifyfolderpermissions", 10.0, "changed rights to a mail folder"),
    ("new-transportrule", 18.0, "made a transport rule"),
    ("set-casmailbox", 12.0, "switched mail protocols"),
    ("consent to application", 18.0, "gave an application rights"),
    ("add delegated permission grant", 15.0, "gave an application rights"),
    ("add oauth2permissiongrant", 15.0, "gave an application rights"),
    ("add app role assignment", 15.0, "gave an application a role"),
    ("add service principal credentials", 18.0, "added a key to an application"),
    ("update application", 12.0, "changed an application"),
    ("user registered security info", 12.0, "added a second factor"),
    ("update user", 8.0, "changed an account's settings"),
    ("disable strong authentication", 12.0, "switched a second factor off"),
    ("register device", 15.0, "registered a device"),
    ("add device", 15.0, "registered a device"),
    ("add registered", 12.0, "registered a device"),
    ("add member to role", 15.0, "gave a directory role"),
];

/// Items of mail a unit must read to be a burst, and how much more than ever before.
const BURST_MIN: i64 = 50;
const BURST_TIMES: i64 = 3;
const BURST_DB: f64 = 8.0;
const SYNC_DB: f64 = 12.0;
const DOWNLOADS_MIN: i64 = 20;
const DOWNLOADS_DB: f64 = 8.0;
const OTHERS_DB: f64 = 8.0;

/// What was done in one unit.
#[derive(Clone, Debug, Default)]
struct Act {
    binds: i64,
    syncs: i64,
    downloads: i64,
    others: Vec<String>,
    changes: Vec<String>,
}

/// What was done in all units, and what is usual for each account.
pub(super) struct Acts {
    acts: BTreeMap<(String, String, String, i64), Act>,
}

impl Acts {
    pub(super) fn read(query: &dyn Query) -> Result<Self, QueryError> {
        let mut acts = BTreeMap::new();
        for row in query.query(SQL)?.iter() {
            let session = row.text("session").filter(|id| id.len() >= 16).unwrap_or_default();
            let address = row.address("address").map(|one| one.to_string()).unwrap_or_default();
            let day = if session.is_empty() { row.integer("day").unwrap_or_default() } else { 0 };
            let act: &mut Act =
                acts.entry((row.string("account"), session.to_owned(), address, day)).or_default();
            act.binds += row.integer("binds").unwrap_or_default();
            act.syncs += row.integer("syncs").unwrap_or_default();
            act.downloads += row.integer("downloads").unwrap_or_default();
            act.others.extend(row.list("others").iter().cloned());
            act.changes.extend(row.list("changes").iter().cloned());
        }
        Ok(Acts { acts })
    }

    fn of(&self, unit: &Unit) -> Option<&Act> {
        let day = if unit.session.is_empty() {
            unit.days.first().copied().map(i64::from).unwrap_or_default()
        } else {
            0
        };
        self.acts.get(&(unit.account.clone(), unit.session.clone(), unit.address.clone(), day))
    }

    /// The most that an account read and took in one clean unit: mail and files.
    pub(super) fn usual(&self, units: &[Unit], clean: impl Fn(usize) -> bool) -> Usual {
        let mut usual: BTreeMap<String, (i64, i64)> = BTreeMap::new();
        for (_, unit) in units.iter().enumerate().filter(|one| clean(one.0)) {
            let Some(act) = self.of(unit) else { continue };
            let days = i64::try_from(unit.days.len().max(1)).unwrap_or(1);
            let entry = usual.entry(unit.account.clone()).or_default();
            entry.0 = entry.0.max(act.binds / days);
            entry.1 = entry.1.max(act.downloads / days);
        }
        Usual(usual)
    }

    pub(super) fn weigh(&self, unit: &Unit, habits: &Habits, usual: &Usual) -> Vec<Evidence> {
        let Some(act) = self.of(unit) else { return Vec::new() };
        let mut found = Vec::new();
        let (binds, downloads) = usual.0.get(&unit.account).copied().unwrap_or_default();
        let days = i64::try_from(unit.days.len().max(1)).unwrap_or(1);
        let past = habits.past(unit);
        let mut collected = |weight, text: String| {
            found.push(Evidence::new(Family::Collection, weight, text));
        };
        if act.syncs > 0 && past.days_of(Feature::Network, &unit.network) == 0 {
            collected(SYNC_DB, format!("{} mail folders were copied whole", act.syncs));
        }
        if act.binds >= BURST_MIN && act.binds / days > binds * BURST_TIMES {
            let text = format!(
                "{} messages were read, where the account reads {binds} a session at most",
                act.binds
            );
            collected(BURST_DB, text);
        }
        if act.downloads >= DOWNLOADS_MIN && act.downloads / days > downloads * BURST_TIMES {
            let text = format!(
                "{} files were taken, where the account takes {downloads} a session at most",
                act.downloads
            );
            collected(DOWNLOADS_DB, text);
        }
        if let Some(other) = act.others.first() {
            collected(OTHERS_DB, format!("read the mailbox of {other}"));
        }
        for (prefix, weight, text) in CHANGES {
            let is_it = |change: &&String| change.to_lowercase().starts_with(prefix);
            if let Some(change) = act.changes.iter().find(is_it) {
                let text = format!("{text} ({})", change.trim());
                found.push(Evidence::new(Family::Persistence, *weight, text));
            }
        }
        found
    }
}

/// The most mail and files an account takes in a clean session.
pub(super) struct Usual(BTreeMap<String, (i64, i64)>);
