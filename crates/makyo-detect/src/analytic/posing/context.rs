//! Contexts: from where, with what device and by what client an account was used, and when.
//!
//! One row per account, session, address, client and device, whatever the number of records, so
//! that everything after this is as large as the sessions.

use makyo_base::{Query, QueryError, RecordRef, Row};

use super::agent::{browser_family, os_family};

/// What kind of records a context sums up.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Kind {
    /// Somebody proved who they are, by typing or tapping.
    Interactive,
    /// A program renewed its tokens.
    Renewal,
    /// A sign-in that failed.
    Failure,
    /// A sign-in that was asked for something more; where it went on, another record says so.
    Interrupt,
    /// Something was done.
    Activity,
}

impl Kind {
    /// Whether nobody got in by it.
    pub(super) fn is_refused(self) -> bool {
        matches!(self, Kind::Failure | Kind::Interrupt)
    }
}

/// One context.
#[derive(Clone, Debug)]
pub(super) struct Context {
    pub(super) account: String,
    pub(super) session: String,
    pub(super) address: String,
    /// The network that the address lies in: /24 or /48.
    pub(super) network: String,
    /// The client as it names itself, in full.
    pub(super) agent: String,
    pub(super) browser: &'static str,
    pub(super) os: &'static str,
    /// The system as the record names it, with its version; empty where it names none.
    pub(super) system: String,
    /// Id of a registered device; empty for others and where records name none.
    pub(super) device: String,
    pub(super) is_managed: bool,
    pub(super) country: String,
    pub(super) asn: i64,
    pub(super) kind: Kind,
    /// Sign-in protocol or client application.
    pub(super) client: String,
    pub(super) protocol: String,
    pub(super) first: i64,
    pub(super) last: i64,
    pub(super) count: i64,
    /// Days on which it was used, as days since the epoch, sorted.
    pub(super) days: Vec<i32>,
    pub(super) record: RecordRef,
}

/// Everything that people did or that was done in their name; what services do by themselves is
/// nobody's origin. Sessions without an id are taken day by day, and what was refused
/// minute by minute: most of it is nobody's but the owner's.
const SQL: &str = "
    SELECT account, coalesce(actor_session_uid, '') AS session, src_endpoint_ip AS address,
           coalesce(http_request_user_agent, '') AS agent,
           coalesce(device_os_name, '') AS os, coalesce(device_uid, '') AS device,
           bool_or(coalesce(device_is_managed, false)) AS managed,
           coalesce(min(src_endpoint_country), '') AS country,
           coalesce(min(src_endpoint_asn), 0) AS asn,
           CASE WHEN class_uid <> 3002 THEN 'activity'
                WHEN status = 'Failure' THEN 'failure'
                WHEN status = 'Unknown' THEN 'interrupt'
                WHEN logon_type = 'non-interactive' THEN 'renewal'
                ELSE 'interactive' END AS kind,
           coalesce(makyo_client_info, '') AS client, coalesce(auth_protocol, '') AS protocol,
           CASE WHEN class_uid = 3002 AND status <> 'Success'
                THEN date_trunc('minute', time)
                WHEN actor_session_uid IS NULL THEN date_trunc('day', time) END AS day,
           CAST(min(time) AS BIGINT) AS first, CAST(max(time) AS BIGINT) AS last,
           count(*) AS count,
           array_agg(DISTINCT CAST(CAST(time AS BIGINT) / 86400000000000 AS BIGINT)) AS days,
           min(concat(file, '#', lpad(CAST(record AS VARCHAR), 20, '0'))) AS least_record
    FROM events
    WHERE account LIKE '%@%' AND src_endpoint_ip IS NOT NULL AND time IS NOT NULL
      AND source IN ('entra-sign-in', 'm365-unified-audit', 'google-workspace')
      AND coalesce(makyo_client_info, '') NOT LIKE '%RESTSystem%'
      AND coalesce(actor_user_type, '') NOT IN ('system', 'application', 'service_principal')
      AND (class_uid <> 3002 OR status IN ('Success', 'Failure', 'Unknown'))
    GROUP BY account, actor_session_uid, src_endpoint_ip, http_request_user_agent, device_os_name,
             device_uid, 10, makyo_client_info, auth_protocol, 13
    ORDER BY account, session, first, address, agent, os, device, kind, client, protocol, last";

/// Reads all contexts.
pub(super) fn read(query: &dyn Query) -> Result<Vec<Context>, QueryError> {
    Ok(query.query(SQL)?.iter().filter_map(context).collect())
}

fn context(row: Row<'_>) -> Option<Context> {
    let address = row.address("address")?;
    if makyo_base::address_scope(address) == makyo_base::AddressScope::Special {
        return None;
    }
    let agent = row.string("agent");
    let system = row.string("os");
    let os = Some(os_family(&system)).filter(|os| !os.is_empty());
    let mut days: Vec<i32> = row.list("days").iter().filter_map(|day| day.parse().ok()).collect();
    days.sort_unstable();
    Some(Context {
        account: row.string("account"),
        // Shorter ones are counters that repeat.
        session: row.text("session").filter(|id| id.len() >= 16).unwrap_or_default().to_owned(),
        address: address.to_string(),
        network: makyo_base::address_network(address),
        browser: browser_family(&agent),
        os: os.unwrap_or_else(|| os_family(&agent)),
        agent,
        system,
        device: row.string("device"),
        is_managed: row.boolean("managed").unwrap_or_default(),
        country: row.string("country"),
        asn: row.integer("asn").unwrap_or_default(),
        kind: match row.text("kind") {
            Some("failure") => Kind::Failure,
            Some("interrupt") => Kind::Interrupt,
            Some("renewal") => Kind::Renewal,
            Some("activity") => Kind::Activity,
            _ => Kind::Interactive,
        },
        client: row.string("client"),
        protocol: row.string("protocol"),
        first: row.integer("first")?,
        last: row.integer("last")?,
        count: row.integer("count").unwrap_or_default(),
        days,
        record: row.reference(),
    })
}
