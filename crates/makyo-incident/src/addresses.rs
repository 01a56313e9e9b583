//! Which computer an inside address belonged to, and when.
//!
//! Computers say it themselves: with the tickets and logons of their own account (`PC-7$`), with
//! the name that they give when they log on elsewhere over the network or are lent an address
//! (DHCP), and in their own logs. (A session at a screen names the computer whose screen it is, and
//! the address of another one.)
//! Addresses go from one computer to another, so that each is known for the days on which it was
//! seen, in between, and shortly before and after; those that the VPN leases are nobody's.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use makyo_base::{AddressScope, DAY_NS, Organisation, Query, QueryError};

/// Days on which a computer showed at an address. A name that only others give for it counts where
/// the computer exists: an own log or an own account in the directory.
const SQL: &str = "
    SELECT address, host, bool_or(is_own) AS is_own,
           CAST(min(time) AS BIGINT) AS first, CAST(max(time) AS BIGINT) AS last
    FROM (SELECT src_endpoint_ip AS address, account AS host, true AS is_own, time FROM events
          WHERE class_uid = 3002 AND status = 'Success' AND (account LIKE '%$' OR account LIKE '%$@%')
            AND source LIKE 'windows-%'
          UNION ALL
          SELECT src_endpoint_ip, lower(src_endpoint_hostname), false, time FROM events
          WHERE class_uid = 3002 AND status = 'Success' AND source LIKE 'windows-%'
            AND logon_type = 'network' AND src_endpoint_hostname IS NOT NULL
            AND host IS NOT NULL AND lower(src_endpoint_hostname) <> host
          UNION ALL
          SELECT src_endpoint_ip, lower(src_endpoint_hostname), false, time FROM events
          WHERE class_uid = 4004 AND activity_id = 5 AND status = 'Success'
          UNION ALL
          SELECT device_ip, host, true, time FROM events
          WHERE device_ip IS NOT NULL
            AND source NOT IN ('generic', 'entra-sign-in', 'entra-audit', 'm365-unified-audit',
                               'email'))
    WHERE address NOT IN (SELECT tunnel_interface_ip FROM events
                          WHERE tunnel_interface_ip IS NOT NULL)
      AND address IS NOT NULL AND host IS NOT NULL AND time IS NOT NULL
    GROUP BY address, host, date_trunc('day', time)
    ORDER BY address, first, host";

/// Before and after it was seen, a computer is taken to have had an address for so long.
const AROUND_NS: i64 = DAY_NS;
/// And for so long between two times at which it was seen there, and no other one was.
const BETWEEN_NS: i64 = 14 * DAY_NS;
/// The same where no other one ever was, and it was nowhere else.
const FIXED_NS: i64 = 30 * DAY_NS;
/// And around the days on which it was seen, where those are several.
const FIXED_AROUND_NS: i64 = 7 * DAY_NS;
const FIXED_DAYS_MIN: usize = 3;

#[derive(Debug)]
struct Held {
    host: String,
    /// Whether the host has logs of its own: an account ending in `$` may be a service's too.
    has_logs: bool,
    from: i64,
    to: i64,
}

/// Inside addresses by the computers that had them.
#[derive(Debug, Default)]
pub(crate) struct Addresses {
    held: BTreeMap<String, Vec<Held>>,
    /// Those of one computer that has no other.
    fixed: BTreeSet<String>,
}

impl Addresses {
    /// Reads them; `known` are hosts with logs of their own.
    pub(crate) fn read<'a>(
        query: &dyn Query,
        known: impl Iterator<Item = &'a String>,
        organisation: &Organisation,
    ) -> Result<Self, QueryError> {
        let rows = query.query(SQL)?;
        let with_logs: BTreeSet<String> = known.cloned().collect();
        let mut own = with_logs.clone();
        let named = |host: &str| {
            let bare = host.rsplit_once('\\').map_or(host, |parts| parts.1);
            makyo_base::canonical_host(bare.split('@').next()?.trim_end_matches('$'))
        };
        let is_own = |row: &makyo_base::Row<'_>| row.boolean("is_own") == Some(true);
        own.extend(rows.iter().filter(is_own).filter_map(|row| named(row.text("host")?)));
        let mut held: BTreeMap<String, Vec<Held>> = BTreeMap::new();
        for row in rows.iter() {
            let address = row.string("address");
            let host = row.text("host").and_then(named).filter(|host| own.contains(host));
            let (Some(host), true) = (host, is_inside(&address, organisation)) else { continue };
            let from = row.integer("first").unwrap_or_default();
            let to = row.integer("last").unwrap_or_default();
            let has_logs = with_logs.contains(&host);
            held.entry(address).or_default().push(Held { host, has_logs, from, to });
        }
        let fixed = fixed(&held);
        Ok(Addresses { held, fixed })
    }

    /// The computer that had an address at a time: the one that was seen there before and after.
    /// Nothing if that is not known, or if it may have been one of two.
    pub(crate) fn host(&self, address: &str, at: i64) -> Option<&str> {
        let all = self.held.get(address)?;
        let is_fixed = self.fixed.contains(address);
        let most = if is_fixed { FIXED_NS } else { BETWEEN_NS };
        let days = || all.iter().map(|one| one.from.div_euclid(DAY_NS)).collect::<BTreeSet<_>>();
        let is_often = is_fixed && days().len() >= FIXED_DAYS_MIN;
        let around = if is_often { FIXED_AROUND_NS } else { AROUND_NS };
        let near = |one: &&Held| (one.from - around..=one.to + around).contains(&at);
        let before = all.iter().rev().find(|one| one.from <= at);
        let after = all.iter().find(|one| one.from > at);
        let between = before
            .zip(after)
            .filter(|(before, after)| before.host == after.host && after.from - before.to <= most);
        let mut seen: Vec<&Held> =
            all.iter().filter(near).chain(between.map(|one| one.0)).collect();
        if seen.iter().any(|one| one.has_logs) {
            seen.retain(|one| one.has_logs);
        }
        let first = seen.first()?.host.as_str();
        seen.iter().all(|other| other.host == first).then_some(first)
    }

    /// Whether a computer had an address at any time.
    pub(crate) fn had(&self, host: &str, address: &str) -> bool {
        self.held.get(address).is_some_and(|all| all.iter().any(|one| one.host == host))
    }

    /// All addresses of each computer.
    pub(crate) fn of_hosts(&self) -> impl Iterator<Item = (&str, &str)> {
        self.held
            .iter()
            .flat_map(|(address, all)| all.iter().map(|one| (one.host.as_str(), address.as_str())))
    }
}

/// Addresses at which only one computer was ever seen, which was seen nowhere else.
fn fixed(held: &BTreeMap<String, Vec<Held>>) -> BTreeSet<String> {
    let mut places: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (address, all) in held {
        for one in all {
            places.entry(&one.host).or_default().insert(address);
        }
    }
    let hosts = |all: &[Held]| all.iter().map(|one| one.host.clone()).collect::<BTreeSet<_>>();
    let is_fixed = |one: &(&String, &Vec<Held>)| {
        let hosts = hosts(one.1);
        hosts.len() == 1
            && hosts.iter().all(|host| places.get(host.as_str()).is_some_and(|of| of.len() == 1))
    };
    held.iter().filter(is_fixed).map(|one| one.0.clone()).collect()
}

fn is_inside(address: &str, organisation: &Organisation) -> bool {
    let Ok(address) = address.parse::<IpAddr>() else { return false };
    if organisation.network.is_vpn_pool(address) {
        return false;
    }
    organisation.network.is_internal(address)
        || makyo_base::address_scope(address) == AddressScope::Internal
}

#[cfg(test)]
mod tests {
    use makyo_base::{DAY_NS, Organisation, Query, QueryError, Rows, SqlValue};

    use super::Addresses;

    struct Seen(Vec<(&'static str, &'static str, bool, i64)>);

    impl Query for Seen {
        fn query(&self, _: &str) -> Result<Rows, QueryError> {
            let columns = ["address", "host", "is_own", "first", "last"];
            let row = |one: &(&str, &str, bool, i64)| {
                let at = SqlValue::Integer(one.3 * DAY_NS);
                let (address, host) = (one.0.to_owned(), one.1.to_owned());
                let own = SqlValue::Boolean(one.2);
                vec![SqlValue::Text(address), SqlValue::Text(host), own, at.clone(), at]
            };
            let columns = columns.iter().map(|name| (*name).to_owned()).collect();
            Ok(Rows { columns, rows: self.0.iter().map(row).collect() })
        }
    }

    fn host(seen: &[(&'static str, &'static str, bool, i64)], day: i64) -> Option<String> {
        let known = ["srv1".to_owned()];
        let all = Addresses::read(&Seen(seen.to_vec()), known.iter(), &Organisation::default());
        all.expect("canned").host("10.20.10.53", day * DAY_NS).map(str::to_owned)
    }

    #[test]
    fn a_computers_own_account_says_where_it_is() {
        let seen = [("10.20.10.53", "agency\\pc-7$", true, 5)];
        assert_eq!(host(&seen, 5).as_deref(), Some("pc-7"));
        assert_eq!(host(&seen, 9), None, "days later it may be another's");
    }

    #[test]
    fn a_name_that_no_computer_here_has_is_nobodys() {
        assert_eq!(host(&[("10.20.10.53", "desktop-3vq81kd", false, 5)], 5), None);
        assert_eq!(host(&[("10.20.10.53", "srv1", false, 5)], 5).as_deref(), Some("srv1"));
    }

    #[test]
    fn an_address_that_changes_hands_is_each_ones_in_its_time() {
        let seen =
            [("10.20.10.53", "agency\\pc-7$", true, 1), ("10.20.10.53", "agency\\pc-8$", true, 8)];
        assert_eq!(host(&seen, 1).as_deref(), Some("pc-7"));
        assert_eq!(host(&seen, 8).as_deref(), Some("pc-8"));
        let same_day =
            [("10.20.10.53", "agency\\pc-7$", true, 1), ("10.20.10.53", "agency\\pc-8$", true, 2)];
        assert_eq!(host(&same_day, 1), None, "one of two is not named");
    }

    #[test]
    fn a_computer_that_has_one_address_and_alone_has_it_for_longer() {
        let at = |address, host, day| (address, host, true, day);
        let own = [1, 24].map(|day| at("10.20.10.53", "agency\\pc-7$", day));
        assert_eq!(host(&own, 12).as_deref(), Some("pc-7"));
        let elsewhere = [own[0], own[1], at("10.20.10.99", "agency\\pc-7$", 9)];
        assert_eq!(host(&elsewhere, 12), None);
        let shared = [own[0], own[1], at("10.20.10.53", "agency\\pc-8$", 30)];
        assert_eq!(host(&shared, 12), None);
        let often = [19, 21, 23].map(|day| at("10.20.10.53", "agency\\pc-7$", day));
        assert_eq!(host(&often, 14).as_deref(), Some("pc-7"));
        assert_eq!(host(&often, 9), None);
        assert_eq!(host(&often[..2], 14), None, "seen on two days only");
        let twice = [often[0], often[0], often[1]];
        assert_eq!(host(&twice, 14), None, "and named twice on one of them");
        let late = [own[0], at("10.20.10.53", "agency\\pc-7$", 60)];
        assert_eq!(host(&late, 12), None);
    }

    #[test]
    fn between_two_days_on_which_it_was_seen_there_the_address_is_its_own() {
        let seen = |other| {
            [
                ("10.20.10.53", "agency\\pc-7$", true, 1),
                ("10.20.10.53", "agency\\pc-7$", true, 4),
                ("10.20.10.53", other, true, 10),
            ]
        };
        let own = seen("agency\\pc-7$");
        assert_eq!(host(&own, 2).as_deref(), Some("pc-7"));
        assert_eq!(host(&own, 7).as_deref(), Some("pc-7"));
        assert_eq!(host(&seen("agency\\pc-8$"), 7), None, "it changed hands at some time");
    }
}
