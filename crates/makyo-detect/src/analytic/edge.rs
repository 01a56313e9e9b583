//! The edge: what an appliance, its VPN pool and its gate do that no logged authentication explains.
//!
//! Each analytic asks for an effect and not for a product or a flaw: the appliance reaches inside,
//! an address of the pool acts while nobody holds it, much goes through the gate without a session,
//! a session moves, logging is cut off. None of them names an account as a thief; they say where
//! access is not explained by any logged authentication.

pub(crate) mod administration;
pub(crate) mod appliance;
pub(crate) mod gate;
pub(crate) mod hosting;
pub(crate) mod moved;
pub(crate) mod outward;
pub(crate) mod parallel;
pub(crate) mod pool;
pub(crate) mod scale;
pub(crate) mod silence;
pub(crate) mod third_party;
pub(crate) mod travel;
pub(crate) mod visits;

use std::collections::BTreeSet;

use makyo_base::{AddressScope, DAY_NS, Organisation, Query, QueryError, address_scope, sql_text};

/// Ports by which hosts are administered, file shares and directories served.
pub(crate) const ADMIN_PORTS: &[i64] =
    &[22, 23, 135, 139, 445, 1433, 3306, 3389, 5432, 5900, 5985, 5986, 8006];

/// Addresses of a list as SQL literals; an address that no flow names costs nothing.
pub(crate) fn sql_list<'a>(values: impl IntoIterator<Item = &'a String>) -> String {
    let mut texts: Vec<String> = values.into_iter().map(|value| sql_text(value)).collect();
    if texts.is_empty() {
        texts.push(sql_text(""));
    }
    texts.join(", ")
}

/// So many addresses of appliances are asked for; an estate has some dozens.
const ADDRESSES_MAX: usize = 4_096;

const SPEAKERS: &str = "
    SELECT DISTINCT src_endpoint_ip AS address FROM events
    WHERE class_uid IN (3002, 4001) AND src_endpoint_ip IS NOT NULL ORDER BY 1";

/// Addresses of own appliances that flows or logons come from.
pub(super) fn speaking_appliances(
    query: &dyn Query,
    organisation: &Organisation,
) -> Result<BTreeSet<String>, QueryError> {
    if organisation.network.appliances.is_empty() {
        return Ok(BTreeSet::new());
    }
    let rows = query.query(SPEAKERS)?;
    let is_own = |address: &std::net::IpAddr| organisation.network.is_appliance(*address);
    let own = rows.iter().filter_map(|row| row.address("address")).filter(is_own);
    Ok(own.map(|address| address.to_string()).take(ADDRESSES_MAX).collect())
}

/// The network of an address, as wide as providers give them to one place.
pub(crate) fn wide_network(address: &str) -> String {
    let mut parts = address.split('.');
    match (parts.next(), parts.next(), parts.next()) {
        (Some(first), Some(second), Some(_)) => format!("{first}.{second}"),
        _ => address.split(':').take(2).collect::<Vec<_>>().join(":"),
    }
}

/// From the first record on, how long a log teaches what is usual: a third of it, no less than
/// three days and no more than two weeks.
pub(super) fn learning(first: i64, last: i64) -> i64 {
    let third = (last - first) / 3;
    first + third.clamp(3 * DAY_NS, 14 * DAY_NS)
}

/// Whether an address is outside and not one of the organisation's own.
pub(super) fn is_foreign(address: &str, organisation: &Organisation) -> bool {
    address.parse().is_ok_and(|address| {
        address_scope(address) == AddressScope::External
            && !organisation.network.is_egress(address)
            && !organisation.network.is_internal(address)
    })
}
