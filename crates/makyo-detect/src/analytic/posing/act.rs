//! What was done in a unit: reading, taking, and ways back in.

use std::collections::{BTreeMap, BTreeSet};

use makyo_base::{HOUR_NS, Query, QueryError};

use super::habit::{Feature, Habits};
use super::scale::Scale;
use super::unit::Unit;
use super::weigh::Evidence;

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

/// Entra's own audit log names no session; where it says from which address somebody acted, that
/// tells in which unit. The unified audit log has the same acts without an address.
const DIRECTORY_SQL: &str = "
    SELECT account, src_endpoint_ip AS address, CAST(time AS BIGINT) AS at,
           concat(metadata_event_code, ' ', coalesce(resource_name, '')) AS change
    FROM events
    WHERE source = 'entra-audit' AND account LIKE '%@%' AND src_endpoint_ip IS NOT NULL
      AND time IS NOT NULL AND metadata_event_code IS NOT NULL
    ORDER BY account, address, at, change";

/// So long after the last record of a unit its account still acts in it.
const AFTER_NS: i64 = HOUR_NS;

/// Items of mail a unit must read to be a burst, and how much more than ever before.
const BURST_MIN: i64 = 50;
const BURST_TIMES: i64 = 3;
const DOWNLOADS_MIN: i64 = 20;

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
    /// Changes to the directory, by account and address, in the order of time.
    in_directory: BTreeMap<(String, String), Vec<(i64, String)>>,
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
        for act in acts.values_mut() {
            act.others.sort();
            act.changes.sort();
        }
        let mut in_directory: BTreeMap<_, Vec<(i64, String)>> = BTreeMap::new();
        for row in query.query(DIRECTORY_SQL)?.iter() {
            let Some((address, at)) = row.address("address").zip(row.integer("at")) else {
                continue;
            };
            let of_account = in_directory.entry((row.string("account"), address.to_string()));
            of_account.or_default().push((at, row.string("change")));
        }
        Ok(Acts { acts, in_directory })
    }

    /// What the account changed in the directory from a unit's address, while the unit was on.
    fn in_directory(&self, unit: &Unit) -> impl Iterator<Item = &String> {
        let times = unit.first..=unit.last.saturating_add(AFTER_NS);
        let own = self.in_directory.get(&(unit.account.clone(), unit.address.clone()));
        let own = own.into_iter().flatten();
        own.filter(move |one| times.contains(&one.0)).map(|one| &one.1)
    }

    fn of(&self, unit: &Unit) -> Option<&Act> {
        let day = if unit.session.is_empty() {
            unit.days.first().copied().map(i64::from).unwrap_or_default()
        } else {
            0
        };
        self.acts.get(&(unit.account.clone(), unit.session.clone(), unit.address.clone(), day))
    }

    /// What accounts do in clean units: mail and files, and whose mailboxes they read.
    pub(super) fn usual(&self, units: &[Unit], clean: impl Fn(usize) -> bool) -> Usual {
        let mut usual = Usual::default();
        for (_, unit) in units.iter().enumerate().filter(|one| clean(one.0)) {
            let Some(act) = self.of(unit) else { continue };
            let days = i64::try_from(unit.days.len().max(1)).unwrap_or(1);
            let others = usual.others.entry(unit.account.clone()).or_default();
            for other in &act.others {
                others.entry(other.clone()).or_default().insert(unit.session.clone());
            }
            let most = usual.most.entry(unit.account.clone()).or_default();
            most.mail.add(act.binds / days, session(unit));
            most.files.add(act.downloads / days, session(unit));
        }
        usual
    }

    pub(super) fn weigh(
        &self,
        unit: &Unit,
        habits: &Habits,
        usual: &Usual,
        scale: &Scale,
    ) -> Vec<Evidence> {
        let act = self.of(unit);
        let mut found =
            act.map(|act| collected(act, unit, habits, usual, scale)).unwrap_or_default();
        let changes: Vec<&String> =
            act.iter().flat_map(|act| &act.changes).chain(self.in_directory(unit)).collect();
        let mut said = BTreeSet::new();
        for known in &scale.changes {
            let is_it = |change: &&&String| change.to_lowercase().starts_with(&known.operation);
            // Making a rule and mending it, or the lines that one new device writes, are one act.
            let kind = known.says.split(' ').next_back().unwrap_or_default();
            if let Some(change) = changes.iter().find(is_it)
                && said.insert(kind.trim_end_matches('s').to_owned())
            {
                found.push(scale.change(known, change.trim()));
            }
        }
        found
    }
}

/// What was read and taken.
fn collected(
    act: &Act,
    unit: &Unit,
    habits: &Habits,
    usual: &Usual,
    scale: &Scale,
) -> Vec<Evidence> {
    let mut found = Vec::new();
    let most = usual.most.get(&unit.account);
    let binds = most.map_or(0, |most| most.mail.besides(&session(unit)));
    let downloads = most.map_or(0, |most| most.files.besides(&session(unit)));
    let days = i64::try_from(unit.days.len().max(1)).unwrap_or(1);
    let past = habits.past(unit);
    let mut collected = |sign, text: String| found.push(scale.sign(sign, text));
    if act.syncs > 0 && past.days_of(Feature::Network, &unit.network) == 0 {
        collected("synced", format!("{} mail folders were copied whole", act.syncs));
    }
    if act.binds >= BURST_MIN && act.binds / days > binds * BURST_TIMES {
        let text = format!(
            "{} messages were read, where the account reads {binds} a session at most",
            act.binds
        );
        collected("read_much", text);
    }
    if act.downloads >= DOWNLOADS_MIN && act.downloads / days > downloads * BURST_TIMES {
        let text = format!(
            "{} files were taken, where the account takes {downloads} a session at most",
            act.downloads
        );
        collected("took_much", text);
    }
    let is_new = |other: &&String| !usual.reads_others(&unit.account, other);
    if let Some(other) = act.others.iter().find(is_new) {
        collected("read_others", format!("read the mailbox of {other}"));
    }
    found
}

/// The most that an account read or took in one unit, and in which session that was (by day, if it
/// has no id). A session is no measure of itself, or nothing would ever be much that was not
/// suspected before.
#[derive(Default)]
struct Most {
    number: i64,
    session: SessionKey,
    /// The most of all other sessions.
    of_others: i64,
}

type SessionKey = (String, i32);

fn session(unit: &Unit) -> SessionKey {
    let day = unit.days.first().copied().filter(|_| unit.session.is_empty());
    (unit.session.clone(), day.unwrap_or_default())
}

impl Most {
    fn add(&mut self, number: i64, session: SessionKey) {
        if self.session == session {
            self.number = self.number.max(number);
        } else if number > self.number {
            self.of_others = self.number;
            (self.number, self.session) = (number, session);
        } else {
            self.of_others = self.of_others.max(number);
        }
    }

    /// In other sessions than this one.
    fn besides(&self, session: &SessionKey) -> i64 {
        if self.session == *session { self.of_others } else { self.number }
    }
}

#[derive(Default)]
struct Collected {
    mail: Most,
    files: Most,
}

/// What an account does in clean sessions: the most mail and files it takes, and whose mailboxes it
/// reads in which sessions.
#[derive(Default)]
pub(super) struct Usual {
    most: BTreeMap<String, Collected>,
    others: BTreeMap<String, BTreeMap<String, BTreeSet<String>>>,
}

impl Usual {
    /// Whether an account reads somebody's mailbox in several clean sessions.
    fn reads_others(&self, account: &str, other: &str) -> bool {
        let sessions = self.others.get(account).and_then(|others| others.get(other));
        sessions.is_some_and(|sessions| sessions.len() >= 2)
    }
}

#[cfg(test)]
mod tests {
    use super::Most;

    #[test]
    fn a_session_is_no_measure_of_itself() {
        let session = |name: &str| (name.to_owned(), 0);
        let mut most = Most::default();
        for (number, name) in [(3, "monday"), (2000, "night"), (5, "tuesday"), (1000, "night")] {
            most.add(number, session(name));
        }
        assert_eq!(most.besides(&session("night")), 5);
        assert_eq!(most.besides(&session("tuesday")), 2000);
        assert_eq!(Most::default().besides(&session("night")), 0);
    }
}
