//! What lists say of an address: hosting, VPN service, relay. Lists are the user's; without them
//! everything works and says what it lacked.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use ipnet::IpNet;
use makyo_base::{AddressClass, Places};
use maxminddb::Reader;
use serde_json::Value;

use crate::address::Ranges;

/// Lists of classes. Looking up is a binary search over merged ranges.
#[derive(Clone, Debug, Default)]
pub struct AddressLists {
    lists: Vec<(AddressClass, Ranges)>,
    networks: usize,
    databases: Vec<Database>,
}

/// A database of networks in MaxMind's format.
#[derive(Clone)]
struct Database(Arc<Reader<Vec<u8>>>);

impl fmt::Debug for Database {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "Database({})", self.0.metadata().database_type)
    }
}

impl AddressLists {
    /// Adds a text list of addresses and networks, one a line; `#` and `;` begin a comment.
    /// Returns how many lines were neither: a list of something else has many.
    pub fn add(&mut self, class: AddressClass, text: &str) -> usize {
        let mut wrong = 0;
        let mut nets = Vec::new();
        for line in text.lines() {
            let entry = line.split(['#', ';']).next().unwrap_or_default().trim();
            let entry = entry.split([',', ' ', '\t']).next().unwrap_or_default();
            if entry.is_empty() {
                continue;
            }
            let net = entry
                .parse::<IpNet>()
                .ok()
                .or_else(|| entry.parse::<IpAddr>().ok().map(IpNet::from));
            match net {
                // A network of half the Internet is a mistake.
                Some(net) if net.prefix_len() >= 6 => nets.push(net),
                _ => wrong += 1,
            }
        }
        self.networks += nets.len();
        self.lists.push((class, Ranges::new(&nets)));
        self.lists.sort_by_key(|list| std::cmp::Reverse(list.0));
        wrong
    }

    /// Adds a database of networks in MaxMind's format (MMDB), whatever its schema.
    ///
    /// # Errors
    /// Why it is none.
    pub fn add_database(&mut self, bytes: Vec<u8>) -> Result<(), String> {
        let reader = Reader::from_source(bytes).map_err(|error| error.to_string())?;
        self.databases.push(Database(Arc::new(reader)));
        Ok(())
    }

    /// Whether there is nothing to look up in.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.networks == 0 && self.databases.is_empty()
    }
}

impl Places for AddressLists {
    fn has_classes(&self) -> bool {
        self.networks > 0
    }

    /// What databases say of an address. What they do not say, or cannot because they are damaged,
    /// is left out.
    fn network(&self, address: IpAddr) -> Option<String> {
        let (mut number, mut owner, mut country) = (None, None, None);
        for database in &self.databases {
            let found = database.0.lookup(address).ok().and_then(|found| found.decode().ok()?);
            let Some(found): Option<Value> = found else { continue };
            let text = |path: &str| {
                let value = found.pointer(path)?;
                let text = value.as_str().map(str::to_owned);
                text.or_else(|| value.as_u64().map(|number| number.to_string()))
            };
            let first = |paths: &[&str]| paths.iter().find_map(|path| text(path));
            number = number.or_else(|| first(&["/autonomous_system_number", "/asn"]));
            owner = owner.or_else(|| {
                first(&["/autonomous_system_organization", "/as_name", "/organization"])
            });
            country =
                country.or_else(|| first(&["/country/iso_code", "/country_code", "/country"]));
        }
        let number = number.map(|number| format!("AS{}", number.trim_start_matches("AS")));
        let network: Vec<String> = number.into_iter().chain(owner).collect();
        let parts = [network.join(" "), country.unwrap_or_default()];
        let told: Vec<&str> =
            parts.iter().map(String::as_str).filter(|part| !part.is_empty()).collect();
        (!told.is_empty()).then(|| told.join(", "))
    }

    fn class(&self, address: IpAddr) -> Option<AddressClass> {
        self.lists.iter().find(|list| list.1.contains(address)).map(|list| list.0)
    }
}
