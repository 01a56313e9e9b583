//! What lists and databases of the user say of addresses.

use std::net::IpAddr;

/// What kind of network an address lies in.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum AddressClass {
    /// Rented machines.
    Hosting,
    /// A VPN service.
    Vpn,
    /// A relay or anonymiser.
    Relay,
}

impl AddressClass {
    /// The word in tables.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            AddressClass::Hosting => "hosting",
            AddressClass::Vpn => "vpn",
            AddressClass::Relay => "relay",
        }
    }

    /// The class that a list's name gives away: `x4b_datacenter_v4.txt`, `vpn.netset`,
    /// `tor-exits.txt`. None for all other names: their networks are indicators.
    #[must_use]
    pub fn of_list(file: &str) -> Option<Self> {
        let name = file.rsplit(['/', '\\']).next().unwrap_or(file).to_ascii_lowercase();
        let words: Vec<&str> = name.split(|letter: char| !letter.is_ascii_alphanumeric()).collect();
        let has = |known: &[&str]| words.iter().any(|word| known.contains(word));
        if has(&["tor", "proxy", "proxies", "relay", "relays", "anonymizer", "anonymiser"]) {
            Some(AddressClass::Relay)
        } else if has(&["vpn", "vpns"]) {
            Some(AddressClass::Vpn)
        } else if has(&["hosting", "datacenter", "datacentre", "datacenters", "cloud", "vps"]) {
            Some(AddressClass::Hosting)
        } else {
            None
        }
    }
}

/// The seam to what the user's lists and databases say of addresses. Nothing is ever fetched.
pub trait Places {
    /// Whether there is a list of classes at all; without one no address has a class.
    fn has_classes(&self) -> bool;

    /// The most telling class of an address.
    fn class(&self, address: IpAddr) -> Option<AddressClass>;

    /// Operator and country of an address in words, `AS64500 Example Hosting, NL`.
    fn network(&self, address: IpAddr) -> Option<String>;
}

/// No list and no database.
#[derive(Clone, Copy, Debug)]
pub struct NoPlaces;

impl Places for NoPlaces {
    fn has_classes(&self) -> bool {
        false
    }

    fn class(&self, _address: IpAddr) -> Option<AddressClass> {
        None
    }

    fn network(&self, _address: IpAddr) -> Option<String> {
        None
    }
}
