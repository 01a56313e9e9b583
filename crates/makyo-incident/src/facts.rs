//! What the answers rest on besides findings: aggregates of the case, as large as the number of
//! accounts, hosts, sessions and pairs of them.

use std::collections::{BTreeMap, BTreeSet};

use makyo_base::{Organisation, Query, QueryError, RecordRef, Row};

use crate::addresses::Addresses;
use crate::intruder::Places;
use crate::names::{Known, Names};

/// Everything that the SQL below gives.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    pub(crate) names: Names,
    /// Which computer an inside address was.
    pub(crate) addresses: Addresses,
    pub(crate) accounts: BTreeMap<String, AccountSeen>,
    pub(crate) hosts: BTreeMap<String, HostSeen>,
    pub(crate) logons: Vec<Logon>,
    pub(crate) tunnels: Vec<Tunnel>,
    pub(crate) uses: Vec<CloudUse>,
    pub(crate) sign_ins: Vec<SignIn>,
    pub(crate) shares: Vec<ShareUse>,
    pub(crate) becomes: Vec<Becomes>,
}

#[derive(Debug, Default)]
pub(crate) struct AccountSeen {
    pub(crate) first: Option<i64>,
    pub(crate) last: Option<i64>,
    pub(crate) sources: BTreeSet<String>,
    /// Windows domains under which the account was seen.
    pub(crate) domains: BTreeSet<String>,
}

#[derive(Debug, Default)]
pub(crate) struct HostSeen {
    pub(crate) addresses: BTreeSet<String>,
    pub(crate) sources: BTreeSet<String>,
}

/// Successful Windows logons of one account from one place on one host.
#[derive(Debug)]
pub(crate) struct Logon {
    pub(crate) account: String,
    pub(crate) address: String,
    pub(crate) from_host: String,
    pub(crate) host: String,
    /// `network`, `remote_interactive` or `network_cleartext`.
    pub(crate) kind: String,
    pub(crate) first: i64,
    pub(crate) times: Vec<i64>,
    pub(crate) record: RecordRef,
}

/// On a host an account gave the credential of another one.
#[derive(Debug)]
pub(crate) struct Becomes {
    pub(crate) host: String,
    pub(crate) account: String,
    pub(crate) other: String,
    pub(crate) time: i64,
}

/// One VPN tunnel.
#[derive(Debug)]
pub(crate) struct Tunnel {
    pub(crate) account: String,
    pub(crate) inside: String,
    pub(crate) session: String,
    pub(crate) product: String,
    pub(crate) start: i64,
    pub(crate) end: Option<i64>,
    /// Bytes towards the client.
    pub(crate) taken: i64,
    pub(crate) record: RecordRef,
}

/// One account's use of one thing in the cloud in one session from one address.
#[derive(Debug)]
pub(crate) struct CloudUse {
    pub(crate) account: String,
    pub(crate) address: String,
    pub(crate) session: String,
    pub(crate) access: String,
    pub(crate) operation: String,
    pub(crate) kind: String,
    /// Tens of minutes since the epoch; 0 where a session holds it together.
    stretch: i64,
    /// Site, mailbox or other place.
    pub(crate) place: String,
    pub(crate) owner: String,
    pub(crate) first: i64,
    pub(crate) last: i64,
    pub(crate) records: i64,
    /// Distinct files or messages; known for the intruder's uses only.
    pub(crate) items: BTreeSet<String>,
    pub(crate) throttled: bool,
    pub(crate) record: RecordRef,
}

/// One account's sign-ins from one address, by outcome.
#[derive(Debug)]
pub(crate) struct SignIn {
    pub(crate) account: String,
    pub(crate) address: String,
    pub(crate) is_success: bool,
    /// Into the cloud, not into an appliance.
    pub(crate) is_cloud: bool,
    /// With a device that the organisation manages.
    pub(crate) is_managed: bool,
    pub(crate) first: i64,
    pub(crate) last: i64,
    pub(crate) record: RecordRef,
}

/// One account's use of one share on one host from one address.
#[derive(Debug)]
pub(crate) struct ShareUse {
    pub(crate) account: String,
    pub(crate) address: String,
    pub(crate) host: String,
    pub(crate) share: String,
    pub(crate) first: i64,
    pub(crate) last: i64,
    /// When this account used this share from there for the first time of all.
    pub(crate) since: i64,
    pub(crate) records: i64,
    pub(crate) files: BTreeSet<String>,
    pub(crate) record: RecordRef,
}

impl ShareUse {
    /// Whether files are kept there: over the others machines are run.
    pub(crate) fn holds_files(&self) -> bool {
        let share = self.share.to_lowercase();
        !share.ends_with("admin$") && !share.ends_with("ipc$")
    }

    /// `\\\\host\\share`, whatever form the record has.
    pub(crate) fn name(&self) -> String {
        format!("\\\\{}\\{}", self.host, self.share.trim_start_matches("\\\\*\\"))
    }
}

const ACCOUNTS: &str = "
    SELECT account, CAST(min(time) AS BIGINT) AS first, CAST(max(time) AS BIGINT) AS last,
           array_agg(DISTINCT source) AS sources,
           bool_or(class_uid <> 3002 OR coalesce(status, '') <> 'Failure') AS exists
    FROM (SELECT account, time, source, class_uid, status FROM events WHERE account IS NOT NULL
          UNION ALL
          SELECT user_account, time, source, class_uid, status FROM events
          WHERE user_account IS NOT NULL)
    GROUP BY account ORDER BY account";

/// Under which names each object of the cloud's directory acted.
const KNOWN_NAMES: &str = "
    SELECT account, lower(actor_user_uid) AS uid, CAST(max(time) AS BIGINT) AS last
    FROM events
    WHERE account LIKE '%@%' AND actor_user_uid IS NOT NULL AND time IS NOT NULL
      AND source IN ('entra-sign-in', 'm365-unified-audit')
    GROUP BY account, lower(actor_user_uid) ORDER BY account, uid";

/// Names under which VPN tunnels were opened.
const TUNNELLED: &str = "
    SELECT DISTINCT account FROM events WHERE class_uid = 4014 AND account IS NOT NULL ORDER BY 1";

const HOSTS: &str = "
    SELECT host, array_agg(DISTINCT device_ip) AS addresses, array_agg(DISTINCT source) AS sources
    FROM events
    WHERE host IS NOT NULL
      AND source NOT IN ('generic', 'entra-sign-in', 'entra-audit', 'm365-unified-audit', 'email')
    GROUP BY host ORDER BY host";

const LOGONS: &str = "
    SELECT account, coalesce(src_endpoint_ip, '') AS address,
           lower(coalesce(src_endpoint_hostname, '')) AS from_host, host, logon_type AS kind,
           CAST(min(time) AS BIGINT) AS first,
           array_agg(DISTINCT CAST(time AS BIGINT)) AS times,
           min(concat(file, '#', lpad(CAST(record AS VARCHAR), 20, '0'))) AS least_record
    FROM events
    WHERE class_uid = 3002 AND activity_id = 1 AND status = 'Success' AND account IS NOT NULL
      AND host IS NOT NULL AND time IS NOT NULL AND source LIKE 'windows-%'
      AND logon_type IN ('network', 'remote_interactive', 'network_cleartext')
      AND (src_endpoint_ip IS NOT NULL OR src_endpoint_hostname IS NOT NULL)
    GROUP BY account, src_endpoint_ip, src_endpoint_hostname, host, logon_type
    ORDER BY first, account, address, from_host, host, kind";

/// Credentials that were typed or kept for another account (Windows event 4648), minute by minute.
/// The account of such a record is the one whose credential it is.
const BECOMES: &str = "
    SELECT host, account AS other,
           concat(lower(coalesce(actor_user_domain, '')), '\\', lower(actor_user_name)) AS account,
           CAST(min(time) AS BIGINT) AS first
    FROM events
    WHERE logon_type = 'explicit_credentials' AND host IS NOT NULL AND account IS NOT NULL
      AND actor_user_name IS NOT NULL AND actor_user_name NOT LIKE '%$' AND time IS NOT NULL
    GROUP BY host, account, actor_user_domain, actor_user_name, date_trunc('minute', time)
    ORDER BY first, host, account, other";

const TUNNELS: &str = "
    WITH lines AS (
      SELECT account, host, coalesce(src_endpoint_ip, '') AS outside,
             coalesce(tunnel_interface_ip, '') AS inside,
             coalesce(actor_session_uid, '') AS session,
             concat(coalesce(metadata_product_vendor_name, ''), ' ', coalesce(metadata_product_name, '')) AS product,
             CAST(time AS BIGINT) AS start, activity_id, file, record,
             min(CASE WHEN activity_id = 2 THEN CAST(time AS BIGINT) END) OVER after AS finish,
             coalesce(first_value(CASE WHEN activity_id = 2 THEN coalesce(traffic_bytes_in, 0) END)
                      IGNORE NULLS OVER after, 0) AS taken
      FROM events
      WHERE class_uid = 4014 AND activity_id IN (1, 2) AND time IS NOT NULL
      WINDOW after AS (PARTITION BY source, host, account, coalesce(actor_session_uid, '')
                       ORDER BY time, file, record
                       ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING))
    SELECT account, host, outside, inside, session, product, start, finish, taken, file, record
    FROM lines WHERE activity_id = 1 ORDER BY start, file, record";

/// What has no session is taken ten minutes by ten minutes: an address is not one person's for ever.
const USES: &str = "
    SELECT account, coalesce(src_endpoint_ip, '') AS address,
           coalesce(actor_session_uid, '') AS session, coalesce(makyo_access, '') AS access,
           coalesce(metadata_event_code, '') AS operation, coalesce(resource_type, '') AS kind,
           coalesce(resource_name, '') AS place, lower(coalesce(resource_owner_name, '')) AS owner,
           CASE WHEN actor_session_uid IS NULL THEN CAST(time AS BIGINT) / 600000000000
                ELSE 0 END AS stretch,
           CAST(min(time) AS BIGINT) AS first, CAST(max(time) AS BIGINT) AS last,
           count(*) AS records,
           bool_or(coalesce(makyo_is_throttled, false)) AS throttled,
           min(concat(file, '#', lpad(CAST(record AS VARCHAR), 20, '0'))) AS least_record
    FROM events
    WHERE source = 'm365-unified-audit' AND account IS NOT NULL AND makyo_access IS NOT NULL
      AND time IS NOT NULL
      AND (src_endpoint_ip IN ({addresses}) OR actor_session_uid IN ({sessions})
           OR concat(account, ' ', src_endpoint_ip) IN ({pairs})
           OR resource_type = 'inbox rule')
    GROUP BY account, src_endpoint_ip, actor_session_uid, makyo_access, metadata_event_code,
             resource_type, resource_name, resource_owner_name, 9
    ORDER BY first, account, address, session, access, operation, kind, place, owner";

/// What was read, file by file and message by message; asked of the intruder's uses only, because
/// everybody's would be as large as the evidence.
const USE_ITEMS: &str = "
    SELECT e.account, coalesce(e.src_endpoint_ip, '') AS address,
           coalesce(e.actor_session_uid, '') AS session, coalesce(e.makyo_access, '') AS access,
           coalesce(e.resource_name, '') AS place,
           CASE WHEN e.actor_session_uid IS NULL THEN CAST(e.time AS BIGINT) / 600000000000
                ELSE 0 END AS stretch,
           array_agg(DISTINCT coalesce(i.uid, e.file_path, e.email_message_uid)) AS items
    FROM events e LEFT JOIN items i ON e.identity = i.identity
    WHERE e.source = 'm365-unified-audit' AND e.account IS NOT NULL
      AND e.makyo_access IS NOT NULL
      AND (e.src_endpoint_ip IN ({addresses}) OR e.actor_session_uid IN ({sessions})
           OR concat(e.account, ' ', e.src_endpoint_ip) IN ({pairs}))
    GROUP BY e.account, e.src_endpoint_ip, e.actor_session_uid, e.makyo_access, e.resource_name, 6
    ORDER BY account, address, session, access, place, stretch";

const SIGN_INS: &str = "
    SELECT account, src_endpoint_ip AS address, status,
           source IN ('entra-sign-in', 'm365-unified-audit', 'google-workspace') AS is_cloud,
           bool_or(coalesce(device_is_managed, false)) AS is_managed,
           CAST(min(time) AS BIGINT) AS first, CAST(max(time) AS BIGINT) AS last,
           min(concat(file, '#', lpad(CAST(record AS VARCHAR), 20, '0'))) AS least_record
    FROM events
    WHERE class_uid = 3002 AND account IS NOT NULL AND src_endpoint_ip IS NOT NULL
      AND time IS NOT NULL AND status IN ('Success', 'Failure') AND source NOT LIKE 'windows-%'
    GROUP BY account, src_endpoint_ip, status, 4
    ORDER BY first, account, address, status, is_cloud";

/// Hour by hour, because an inside address is the intruder's for an hour and somebody else's before
/// and after.
const SHARES: &str = "
    SELECT account, coalesce(src_endpoint_ip, '') AS address, host,
           coalesce(resource_name, '') AS share,
           CAST(min(time) AS BIGINT) AS first, CAST(max(time) AS BIGINT) AS last,
           count(*) AS records, array_agg(DISTINCT file_path) AS files,
           min(concat(file, '#', lpad(CAST(record AS VARCHAR), 20, '0'))) AS least_record
    FROM events
    WHERE resource_type = 'share' AND account IS NOT NULL AND host IS NOT NULL AND time IS NOT NULL
    GROUP BY account, src_endpoint_ip, host, resource_name, date_trunc('hour', time)
    ORDER BY first, account, address, host, share";

impl Facts {
    /// Reads all aggregates.
    pub(crate) fn read(query: &dyn Query, organisation: &Organisation) -> Result<Self, QueryError> {
        let mut facts = Facts::default();
        let accounts = query.query(ACCOUNTS)?;
        let seen: BTreeSet<String> = accounts.iter().map(|row| row.string("account")).collect();
        let known: Vec<Known> = query
            .query(KNOWN_NAMES)?
            .iter()
            .map(|row| Known {
                id: row.string("uid"),
                name: row.string("account"),
                last: row.integer("last").unwrap_or_default(),
            })
            .collect();
        let tunnelled = query.query(TUNNELLED)?;
        let tunnelled = tunnelled.iter().map(|row| row.string("account")).collect();
        facts.names = Names::learn(&seen, &known, &tunnelled, organisation);
        for row in accounts.iter() {
            let name = row.string("account");
            // A bare name that never did anything but fail to sign in was guessed.
            if !name.contains(['@', '\\']) && row.boolean("exists") == Some(false) {
                continue;
            }
            let entry = facts.accounts.entry(facts.names.resolve(&name)).or_default();
            entry.first = earliest(entry.first, row.integer("first"));
            entry.last = entry.last.max(row.integer("last"));
            entry.sources.extend(row.list("sources").iter().cloned());
            if makyo_base::is_directory_account(&name)
                && let Some((domain, _)) = name.split_once('\\')
            {
                entry.domains.insert(domain.to_owned());
            }
        }
        for row in query.query(HOSTS)?.iter() {
            let host = HostSeen {
                addresses: row.list("addresses").iter().cloned().collect(),
                sources: row.list("sources").iter().cloned().collect(),
            };
            facts.hosts.insert(row.string("host"), host);
        }
        facts.addresses = Addresses::read(query, facts.hosts.keys(), organisation)?;
        for (host, address) in facts.addresses.of_hosts() {
            if let Some(seen) = facts.hosts.get_mut(host) {
                seen.addresses.insert(address.to_owned());
            }
        }
        facts.read_logons(query)?;
        facts.read_cloud(query)?;
        Ok(facts)
    }

    fn account(&self, row: Row<'_>) -> String {
        self.names.resolve(row.text("account").unwrap_or_default())
    }

    fn read_logons(&mut self, query: &dyn Query) -> Result<(), QueryError> {
        for row in query.query(LOGONS)?.iter() {
            let mut times: Vec<i64> =
                row.list("times").iter().filter_map(|time| time.parse().ok()).collect();
            times.sort_unstable();
            let (host, kind) = (row.string("host"), row.string("kind"));
            // A session at a screen names the computer whose screen it is.
            let from = makyo_base::canonical_host(&row.string("from_host"));
            let from = from.filter(|from| *from != host && kind != "remote_interactive");
            self.logons.push(Logon {
                account: self.account(row),
                address: row.string("address"),
                from_host: from.unwrap_or_default(),
                host,
                kind,
                first: row.integer("first").unwrap_or_default(),
                times,
                record: row.reference(),
            });
        }
        for row in query.query(BECOMES)?.iter() {
            let (account, other) = (self.account(row), self.names.resolve(&row.string("other")));
            if account != other {
                let time = row.integer("first").unwrap_or_default();
                self.becomes.push(Becomes { host: row.string("host"), account, other, time });
            }
        }
        for row in query.query(TUNNELS)?.iter() {
            self.tunnels.push(Tunnel {
                account: self.account(row),
                inside: row.string("inside"),
                session: row.string("session"),
                product: row.string("product").trim().to_owned(),
                start: row.integer("start").unwrap_or_default(),
                end: row.integer("finish"),
                taken: row.integer("taken").unwrap_or_default(),
                record: row.reference(),
            });
        }
        let mut since: BTreeMap<[String; 4], i64> = BTreeMap::new();
        for row in query.query(SHARES)?.iter() {
            let first = row.integer("first").unwrap_or_default();
            let [address, host, share] = ["address", "host", "share"].map(|name| row.string(name));
            // Rows come in the order of time.
            let use_of = [self.account(row), address, host, share];
            self.shares.push(ShareUse {
                since: *since.entry(use_of).or_insert(first),
                account: self.account(row),
                address: row.string("address"),
                host: row.string("host"),
                share: row.string("share"),
                first: row.integer("first").unwrap_or_default(),
                last: row.integer("last").unwrap_or_default(),
                records: row.integer("records").unwrap_or_default(),
                files: row.list("files").iter().cloned().collect(),
                record: row.reference(),
            });
        }
        Ok(())
    }

    /// Reads what was done in the cloud at these places, and every inbox
    /// rule. Everybody's uses would be as large as the evidence.
    pub(crate) fn read_uses(
        &mut self,
        query: &dyn Query,
        places: &Places<'_>,
    ) -> Result<(), QueryError> {
        let list = |values: &BTreeSet<&str>| {
            // An empty list is no SQL.
            let texts = values.iter().copied().chain([""]).map(makyo_base::sql_text);
            texts.collect::<Vec<_>>().join(", ")
        };
        let tied = |sql: &str| {
            let pairs: BTreeSet<&str> = places.pairs.iter().map(String::as_str).collect();
            sql.replace("{addresses}", &list(&places.addresses))
                .replace("{sessions}", &list(&places.sessions))
                .replace("{pairs}", &list(&pairs))
        };
        for row in query.query(&tied(USES))?.iter() {
            self.uses.push(CloudUse {
                account: self.account(row),
                address: row.string("address"),
                session: row.string("session"),
                access: row.string("access"),
                operation: row.string("operation"),
                kind: row.string("kind"),
                stretch: row.integer("stretch").unwrap_or_default(),
                place: row.string("place"),
                owner: row.string("owner"),
                first: row.integer("first").unwrap_or_default(),
                last: row.integer("last").unwrap_or_default(),
                records: row.integer("records").unwrap_or_default(),
                items: BTreeSet::new(),
                throttled: row.boolean("throttled").unwrap_or_default(),
                record: row.reference(),
            });
        }
        let mut by_key: BTreeMap<([String; 5], i64), Vec<usize>> = BTreeMap::new();
        for (place, used) in self.uses.iter().enumerate() {
            let key = [&used.account, &used.address, &used.session, &used.access, &used.place];
            by_key.entry((key.map(String::clone), used.stretch)).or_default().push(place);
        }
        let key_of = |account: &str, row: Row<'_>| {
            let [address, session, access, place] =
                ["address", "session", "access", "place"].map(|name| row.string(name));
            let stretch = row.integer("stretch").unwrap_or_default();
            ([account.to_owned(), address, session, access, place], stretch)
        };
        for row in query.query(&tied(USE_ITEMS))?.iter() {
            let account = self.account(row);
            let key = key_of(&account, row);
            for place in by_key.get(&key).into_iter().flatten() {
                if let Some(used) = self.uses.get_mut(*place) {
                    used.items.extend(row.list("items").iter().cloned());
                }
            }
        }
        Ok(())
    }

    fn read_cloud(&mut self, query: &dyn Query) -> Result<(), QueryError> {
        for row in query.query(SIGN_INS)?.iter() {
            self.sign_ins.push(SignIn {
                account: self.account(row),
                address: row.string("address"),
                is_success: row.text("status") == Some("Success"),
                is_cloud: row.boolean("is_cloud").unwrap_or_default(),
                is_managed: row.boolean("is_managed").unwrap_or_default(),
                first: row.integer("first").unwrap_or_default(),
                last: row.integer("last").unwrap_or_default(),
                record: row.reference(),
            });
        }
        Ok(())
    }
}

/// The earlier of two times that may be missing.
pub(crate) fn earliest(a: Option<i64>, b: Option<i64>) -> Option<i64> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}
