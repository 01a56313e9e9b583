//! One cloud session used from two places by two programs at a time: a stolen token.

use std::collections::BTreeMap;

use makyo_base::{
    EntityKind, Finding, HOUR_NS, Level, Organisation, Query, QueryError, RecordRef, Role,
};

use super::{Analytic, entity};
use crate::weights::Weights;

pub(super) const ANALYTIC: Analytic = Analytic {
    id: "session_split",
    title: "One session used from two places by two programs",
    level: Level::High,
    techniques: &["T1550.001"],
    tactics: &["lateral-movement"],
    run,
};

/// Contexts of a session: address and program, with when they were used. A change of network alone
/// (telephone to wireless) or of program alone is what people do.
const SQL: &str = "
    WITH contexts AS (
        SELECT actor_session_uid AS session, account, src_endpoint_ip AS address,
               http_request_user_agent AS agent, CAST(min(time) AS BIGINT) AS first,
               CAST(max(time) AS BIGINT) AS last, min(file) AS file, min(record) AS record
        FROM events
        WHERE actor_session_uid IS NOT NULL AND account LIKE '%@%' AND src_endpoint_ip IS NOT NULL
          AND http_request_user_agent IS NOT NULL AND time IS NOT NULL
          AND source IN ('entra-sign-in', 'm365-unified-audit')
          AND length(actor_session_uid) >= 16
        GROUP BY actor_session_uid, account, src_endpoint_ip, http_request_user_agent
    ),
    split AS (
        SELECT session FROM contexts GROUP BY session
        HAVING count(DISTINCT address) >= 2 AND count(DISTINCT agent) >= 2
    )
    SELECT c.* FROM contexts c JOIN split s ON c.session = s.session
    ORDER BY c.session, c.first, c.address, c.agent";

struct Context {
    account: String,
    address: String,
    agent: String,
    first: i64,
    last: i64,
    record: RecordRef,
}

fn run(
    analytic: &Analytic,
    query: &dyn Query,
    _organisation: &Organisation,
    weights: &Weights,
) -> Result<Vec<Finding>, QueryError> {
    let rows = query.query(SQL)?;
    let mut sessions: BTreeMap<String, Vec<Context>> = BTreeMap::new();
    for row in rows.iter() {
        sessions.entry(row.string("session")).or_default().push(Context {
            account: row.string("account"),
            address: row.string("address"),
            agent: row.string("agent"),
            first: row.integer("first").unwrap_or_default(),
            last: row.integer("last").unwrap_or_default(),
            record: super::reference(row),
        });
    }
    let mut found = Vec::new();
    for (session, contexts) in &sessions {
        let pair = contexts.iter().enumerate().find_map(|(index, a)| {
            let b = contexts.iter().skip(index + 1).find(|b| is_split(a, b))?;
            Some((a, b))
        });
        let Some((a, b)) = pair else { continue };
        let entities = [
            entity(Role::Actor, EntityKind::Account, &a.account),
            entity(Role::Object, EntityKind::Session, session),
            entity(Role::Origin, EntityKind::Address, &a.address),
            entity(Role::Origin, EntityKind::Address, &b.address),
        ];
        let text = format!(
            "session {session} of {} is used from {} ({}) and, in the same hours, from {} ({})",
            a.account, a.address, a.agent, b.address, b.agent
        );
        let records = vec![a.record.clone(), b.record.clone()];
        let weight = weights.analytic(analytic.id);
        found.push(analytic.finding(
            Some(a.first.max(b.first)),
            weight,
            entities.into_iter().flatten().collect(),
            records,
            text,
        ));
    }
    Ok(found)
}

/// Both differ, and the times overlap: each is used after the other began.
fn is_split(a: &Context, b: &Context) -> bool {
    a.address != b.address
        && family(&a.agent) != family(&b.agent)
        && a.first <= b.last + HOUR_NS
        && b.first <= a.last + HOUR_NS
        && a.last > b.first
        && b.last > a.first
}

/// The client without its versions: an update in mid-session is no second client.
fn family(agent: &str) -> String {
    agent.chars().filter(|letter| letter.is_alphabetic()).collect()
}
