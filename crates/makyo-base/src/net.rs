//! Addresses in every form that products write.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Reads an address with or without brackets, port, zone and IPv4-in-IPv6 prefix. Text that only
/// looks like one (`15.20.4129.032`, host names) gives nothing.
///
/// Forms after the fixtures that broke other readers: `1.2.3.4:443`, `[1.2.3.4]:443`,
/// `::ffff:1.2.3.4`, `[::ffff:1.2.3.4]:443`, `[2001:db8::1]:443`, `fe80::1%eth0`.
#[must_use]
pub fn parse_address(text: &str) -> Option<IpAddr> {
    split_port(text.trim()).0
}

/// The port of an address text that has one.
#[must_use]
pub fn parse_port(text: &str) -> Option<u16> {
    split_port(text.trim()).1
}

fn split_port(text: &str) -> (Option<IpAddr>, Option<u16>) {
    if let Some(rest) = text.strip_prefix('[') {
        let Some((inside, after)) = rest.split_once(']') else { return (None, None) };
        let port = after.strip_prefix(':').and_then(|port| port.parse().ok());
        return (bare(inside), port);
    }
    if let Some(address) = bare(text) {
        return (Some(address), None);
    }
    // A single colon divides an IPv4 address from its port; more than one is IPv6.
    match text.split_once(':') {
        Some((host, port)) if !port.contains(':') => {
            let port = port.parse::<u16>().ok();
            (host.parse::<Ipv4Addr>().ok().filter(|_| port.is_some()).map(IpAddr::V4), port)
        }
        _ => (None, None),
    }
}

fn bare(text: &str) -> Option<IpAddr> {
    let text = text.split('%').next().unwrap_or_default();
    match text.parse::<IpAddr>().ok()? {
        IpAddr::V6(address) => Some(unmap(address)),
        v4 => Some(v4),
    }
}

fn unmap(address: Ipv6Addr) -> IpAddr {
    address.to_ipv4_mapped().map_or(IpAddr::V6(address), IpAddr::V4)
}

/// Where an address can lie.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AddressScope {
    /// Routed on the Internet, or reserved for documentation and treated so.
    External,
    /// Private, shared (100.64/10) or unique-local.
    Internal,
    /// Loopback, link-local, multicast, unspecified: names no host.
    Special,
}

/// The /24 or /48 that an address lies in: what stays when a provider gives a new one.
#[must_use]
pub fn address_network(address: IpAddr) -> String {
    match address {
        IpAddr::V4(v4) => {
            let [a, b, c, _] = v4.octets();
            format!("{a}.{b}.{c}.0/24")
        }
        IpAddr::V6(v6) => {
            let [a, b, c, ..] = v6.segments();
            format!("{a:x}:{b:x}:{c:x}::/48")
        }
    }
}

/// The scope of an address, by RFC 1918, 6598, 4193, 3927 and 4291.
#[must_use]
pub fn address_scope(address: IpAddr) -> AddressScope {
    match address {
        IpAddr::V4(v4) => {
            let [first, second, ..] = v4.octets();
            if v4.is_loopback()
                || v4.is_link_local()
                || v4.is_multicast()
                || v4.is_unspecified()
                || v4.is_broadcast()
            {
                AddressScope::Special
            } else if v4.is_private() || (first == 100 && (64..128).contains(&second)) {
                AddressScope::Internal
            } else {
                AddressScope::External
            }
        }
        IpAddr::V6(v6) => {
            let first = v6.segments()[0];
            if v6.is_loopback()
                || v6.is_multicast()
                || v6.is_unspecified()
                || (first & 0xffc0) == 0xfe80
            {
                AddressScope::Special
            } else if (first & 0xfe00) == 0xfc00 {
                AddressScope::Internal
            } else {
                AddressScope::External
            }
        }
    }
}
