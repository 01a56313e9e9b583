//! What `org.toml` says: the organisation's own facts. Everything is optional.

use std::net::IpAddr;

use ipnet::IpNet;

/// The organisation's own facts.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Organisation {
    /// Its name.
    pub name: String,
    /// Own mail and sign-in domains, lower case.
    pub domains: Vec<String>,
    /// Own Windows domains, lower case.
    pub ad_domains: Vec<String>,
    /// How many accounts there are.
    pub accounts: Option<u64>,
    /// IANA time zone name.
    pub timezone: Option<String>,
    /// `HH:MM-HH:MM`.
    pub working_hours: Option<String>,
    /// `Mon` to `Sun`.
    pub working_days: Vec<String>,
    /// Accounts whose breach is reported first.
    pub very_important: Vec<String>,
    /// Networks.
    pub network: Network,
    /// Who else may come in.
    pub third_parties: Vec<ThirdParty>,
    /// Planned work.
    pub changes: Vec<Change>,
    /// What must not leak.
    pub assets: Vec<Asset>,
}

/// The organisation's networks.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Network {
    /// Own addresses as the Internet sees them.
    pub egress: Vec<IpNet>,
    /// Inside networks beyond the private ranges.
    pub internal: Vec<IpNet>,
    /// Addresses that VPN sessions are given.
    pub vpn_pools: Vec<IpNet>,
    /// VPN and edge devices.
    pub appliances: Vec<IpNet>,
    /// Own vulnerability scanners.
    pub scanners: Vec<IpNet>,
}

/// Somebody else who may come in, and how.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct ThirdParty {
    /// Name.
    pub name: String,
    /// Kind of access, free text.
    pub access: String,
    /// Application id.
    pub app_id: Option<String>,
    /// Addresses they come from.
    pub addresses: Vec<IpNet>,
    /// Accounts they use.
    pub accounts: Vec<String>,
    /// `HH:MM-HH:MM`.
    pub hours: Option<String>,
    /// From when, nanoseconds.
    pub from: Option<i64>,
    /// Until when, nanoseconds.
    pub to: Option<i64>,
}

/// Planned work that explains odd records.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Change {
    /// Ticket number.
    pub ticket: String,
    /// What was done.
    pub what: String,
    /// From when, nanoseconds.
    pub from: i64,
    /// Until when, nanoseconds.
    pub to: i64,
}

/// What must not leak, by where it lies.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Asset {
    /// Name.
    pub name: String,
    /// Patterns: `sharepoint:`, `smb:` or `mailbox:` and a path with `*` and `**`.
    pub matches: Vec<String>,
}

impl Organisation {
    /// Whether a Windows domain, by its short name in lower case, is one that the organisation names.
    #[must_use]
    pub fn has_directory(&self, domain: &str) -> bool {
        self.ad_domains.iter().any(|own| own.split('.').next() == Some(domain))
    }
}

impl Network {
    /// Whether the address is one of the organisation's as the Internet sees it.
    #[must_use]
    pub fn is_egress(&self, address: IpAddr) -> bool {
        within(&self.egress, address)
    }

    /// Whether the address is inside: listed, private or unique-local.
    #[must_use]
    pub fn is_internal(&self, address: IpAddr) -> bool {
        within(&self.internal, address)
            || crate::net::address_scope(address) == crate::net::AddressScope::Internal
    }

    /// Whether the address is of a VPN pool.
    #[must_use]
    pub fn is_vpn_pool(&self, address: IpAddr) -> bool {
        within(&self.vpn_pools, address)
    }

    /// Whether the address is a VPN or edge device.
    #[must_use]
    pub fn is_appliance(&self, address: IpAddr) -> bool {
        within(&self.appliances, address)
    }

    /// Whether the address is an own vulnerability scanner.
    #[must_use]
    pub fn is_scanner(&self, address: IpAddr) -> bool {
        within(&self.scanners, address)
    }
}

fn within(nets: &[IpNet], address: IpAddr) -> bool {
    nets.iter().any(|net| net.contains(&address))
}
