//! What lists say of an address: hosting, VPN service, relay. Lists are the user's; without them
//! everything works and says what it lacked.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::address::Ranges;

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

/// Lists of classes. Looking up is a binary search over merged ranges.
#[derive(Clone, Debug, Default)]
pub struct AddressLists {
    lists: Vec<(AddressClass, Ranges)>,
    networks: usize,
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

    /// Whether there is nothing to look up in.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.networks == 0
    }

    /// The most telling class of an address.
    #[must_use]
    pub fn class(&self, address: IpAddr) -> Option<AddressClass> {
        self.lists.iter().find(|list| list.1.contains(address)).map(|list| list.0)
    }
}
