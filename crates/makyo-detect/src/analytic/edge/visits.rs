//! From where people log in to the VPN, day by day: what is new for somebody, and where people are.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use makyo_base::{AddressClass, DAY_NS, Query, QueryError, RecordRef};

use super::moved::{Networks, others_in, others_there};
use super::wide_network;
use makyo_base::address_network as network;

/// Logins of one account from one address on one day.
const SQL: &str = "
    SELECT account, src_endpoint_ip AS address, CAST(min(time) AS BIGINT) AS first,
           coalesce(min(host), '') AS host,
           coalesce(min(src_endpoint_country), '') AS country,
           min(concat(file, '#', lpad(CAST(record AS VARCHAR), 20, '0'))) AS least_record
    FROM events
    WHERE account IS NOT NULL AND src_endpoint_ip IS NOT NULL AND time IS NOT NULL
      AND (class_uid = 4014 AND activity_id = 1
           OR class_uid = 3002 AND coalesce(logon_type, '') = 'vpn' AND activity_id = 1
              AND coalesce(status, '') = 'Success')
    GROUP BY account, src_endpoint_ip, date_trunc('day', time)
    ORDER BY account, first, address";

/// A day on which an account came from an address.
#[derive(Clone, Debug)]
pub(crate) struct Visit {
    pub(crate) account: String,
    pub(crate) address: IpAddr,
    pub(crate) first: i64,
    pub(crate) host: String,
    /// As the device says it; empty where it says none.
    pub(crate) country: String,
    pub(crate) record: RecordRef,
}

impl Visit {
    pub(crate) fn day(&self) -> i64 {
        self.first.div_euclid(DAY_NS)
    }

    pub(crate) fn network(&self) -> String {
        wide_network(&self.address.to_string())
    }
}

/// All visits, by account and time, and who comes from which network.
#[derive(Clone, Debug, Default)]
pub(crate) struct Visits {
    visits: Vec<Visit>,
    networks: Networks,
    /// The same by narrow networks: what lies beside a rented machine is another's.
    narrow: Networks,
    accounts: usize,
}

/// So many other people again and again make a network a place where people are; in a small
/// organisation a tenth of its people.
const PEOPLE_MAX: usize = 5;
const PEOPLE_MIN: usize = 2;

impl Visits {
    pub(super) fn read(query: &dyn Query) -> Result<Self, QueryError> {
        let visit = |row: makyo_base::Row<'_>| {
            Some(Visit {
                account: row.string("account"),
                address: row.address("address")?,
                first: row.integer("first")?,
                host: row.string("host"),
                country: row.string("country"),
                record: row.reference(),
            })
        };
        Ok(Visits::of(query.query(SQL)?.iter().filter_map(visit).collect()))
    }

    /// Visits in any order.
    pub(crate) fn of(mut visits: Vec<Visit>) -> Self {
        visits.sort_by(|a, b| {
            (&a.account, a.first, a.address).cmp(&(&b.account, b.first, b.address))
        });
        let (mut networks, mut narrow) = (Networks::new(), Networks::new());
        for visit in &visits {
            for people in [
                networks.entry(visit.network()).or_default(),
                narrow.entry(network(visit.address)).or_default(),
            ] {
                people.entry(visit.account.clone()).or_default().insert(visit.day());
            }
        }
        let accounts = visits.chunk_by(|a, b| a.account == b.account).count();
        Visits { visits, networks, narrow, accounts }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Visit> {
        self.visits.iter()
    }

    /// Addresses abroad, seen from where most logins come from, in networks from which many people
    /// come again and again: a security service's or an office's, where nobody travels to.
    pub(crate) fn services_abroad(&self) -> BTreeSet<String> {
        let mut countries: BTreeMap<&str, usize> = BTreeMap::new();
        for visit in self.visits.iter().filter(|visit| !visit.country.is_empty()) {
            *countries.entry(&visit.country).or_default() += 1;
        }
        let Some(main) = countries.into_iter().max_by_key(|one| one.1).map(|one| one.0) else {
            return BTreeSet::new();
        };
        let is_abroad = |visit: &&Visit| {
            let people = others_in(&self.narrow, "", &network(visit.address));
            !visit.country.is_empty() && visit.country != main && people >= PEOPLE_MAX
        };
        self.visits.iter().filter(is_abroad).map(|visit| visit.address.to_string()).collect()
    }

    /// Each account's visits, in the order of time.
    pub(super) fn by_account(&self) -> impl Iterator<Item = &[Visit]> {
        self.visits.chunk_by(|a, b| a.account == b.account)
    }

    /// One account's visits before a time.
    pub(super) fn before(&self, account: &str, at: i64) -> &[Visit] {
        let from = self.visits.partition_point(|one| one.account.as_str() < account);
        let to =
            self.visits.partition_point(|one| (one.account.as_str(), one.first) < (account, at));
        self.visits.get(from..to.max(from)).unwrap_or_default()
    }

    /// Whether other people log in from there again and again; among rented machines from quite
    /// near.
    pub(super) fn is_peopled(
        &self,
        account: &str,
        address: IpAddr,
        class: Option<AddressClass>,
    ) -> bool {
        let enough = (self.accounts / 10).clamp(PEOPLE_MIN, PEOPLE_MAX);
        let others = match class {
            Some(_) => others_in(&self.narrow, account, &network(address)),
            None => others_there(&self.networks, account, &address.to_string()),
        };
        others >= enough
    }
}

/// What an account's past says of a place.
#[derive(Clone, PartialEq, Debug, Default)]
pub(super) struct Past {
    /// Days on which it logged in.
    pub(super) days: usize,
    /// Days on which it logged in from each network.
    pub(super) networks: BTreeMap<String, usize>,
}

impl Past {
    pub(super) fn of(visits: &[Visit]) -> Self {
        let mut days: BTreeSet<i64> = BTreeSet::new();
        let mut networks: BTreeMap<String, BTreeSet<i64>> = BTreeMap::new();
        for visit in visits {
            days.insert(visit.day());
            networks.entry(visit.network()).or_default().insert(visit.day());
        }
        let networks = networks.into_iter().map(|(name, days)| (name, days.len())).collect();
        Past { days: days.len(), networks }
    }

    /// Days on which it came from a network.
    pub(super) fn days_from(&self, network: &str) -> usize {
        self.networks.get(network).copied().unwrap_or_default()
    }

    /// How likely its next network is a new one, by Pitman and Yor with a concentration of 1 and a
    /// discount of one half: who changed often will change again.
    pub(super) fn chance_of_new(&self) -> f64 {
        let count = |number: usize| f64::from(u32::try_from(number).unwrap_or(u32::MAX));
        (1.0 + 0.5 * count(self.networks.len())) / (1.0 + count(self.days))
    }
}
