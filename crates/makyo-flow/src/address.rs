//! Addresses as numbers of 32 bits, and which of them are inside.

use std::net::{IpAddr, Ipv4Addr};

use ipnet::IpNet;
use makyo_base::{AddressScope, address_scope};
use rustc_hash::FxHashMap;

use crate::options::Scope;

/// IPv4 addresses stand for themselves. Reserved class E, which nobody uses, numbers IPv6.
const FIRST_OTHER: u32 = 0xf000_0000;

/// Addresses by their numbers.
#[derive(Debug, Default)]
pub(crate) struct Addresses {
    ids: FxHashMap<IpAddr, u32>,
    others: Vec<IpAddr>,
}

impl Addresses {
    pub(crate) fn id(&mut self, address: IpAddr) -> u32 {
        if let IpAddr::V4(v4) = address
            && v4.to_bits() < FIRST_OTHER
        {
            return v4.to_bits();
        }
        self.other(address.to_canonical())
    }

    fn other(&mut self, address: IpAddr) -> u32 {
        if let IpAddr::V4(v4) = address
            && v4.to_bits() < FIRST_OTHER
        {
            return v4.to_bits();
        }
        if let Some(id) = self.ids.get(&address) {
            return *id;
        }
        let next = FIRST_OTHER.saturating_add(u32::try_from(self.others.len()).unwrap_or(u32::MAX));
        self.others.push(address);
        self.ids.insert(address, next);
        next
    }

    pub(crate) fn get(&self, id: u32) -> IpAddr {
        match id.checked_sub(FIRST_OTHER) {
            None => IpAddr::V4(Ipv4Addr::from_bits(id)),
            Some(index) => {
                let unknown = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
                self.others.get(index as usize).copied().unwrap_or(unknown)
            }
        }
    }
}

/// Where an address lies, for one organisation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Side {
    Inside,
    Outside,
    /// Multicast, broadcast, link-local: no host.
    Nobody,
}

/// Networks as ranges of numbers, for looking up millions of addresses.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ranges {
    v4: Vec<(u32, u32)>,
    v6: Vec<IpNet>,
}

impl Ranges {
    pub(crate) fn new(nets: &[IpNet]) -> Self {
        let mut ranges = Ranges::default();
        for net in nets {
            match net {
                IpNet::V4(v4) => {
                    ranges.v4.push((v4.network().to_bits(), v4.broadcast().to_bits()));
                }
                IpNet::V6(_) => ranges.v6.push(*net),
            }
        }
        ranges.v4.sort_unstable();
        // Nested and touching ranges become one, so that one search decides.
        let mut merged: Vec<(u32, u32)> = Vec::with_capacity(ranges.v4.len());
        for (from, to) in ranges.v4.drain(..) {
            match merged.last_mut() {
                Some(last) if from <= last.1.saturating_add(1) => last.1 = last.1.max(to),
                _ => merged.push((from, to)),
            }
        }
        ranges.v4 = merged;
        ranges
    }

    pub(crate) fn contains(&self, address: IpAddr) -> bool {
        match address {
            IpAddr::V4(v4) => {
                let bits = v4.to_bits();
                let after = self.v4.partition_point(|range| range.0 <= bits);
                after.checked_sub(1).and_then(|at| self.v4.get(at)).is_some_and(|r| bits <= r.1)
            }
            IpAddr::V6(_) => self.v6.iter().any(|net| net.contains(&address)),
        }
    }
}

/// The organisation's networks, ready to be asked.
#[derive(Clone, Debug, Default)]
pub(crate) struct Own {
    inside: Ranges,
    pub(crate) pools: Ranges,
    pub(crate) appliances: Ranges,
    pub(crate) scanners: Ranges,
}

impl Own {
    pub(crate) fn new(scope: &Scope) -> Self {
        let inside: Vec<IpNet> = scope.internal.iter().chain(&scope.egress).copied().collect();
        Own {
            inside: Ranges::new(&inside),
            pools: Ranges::new(&scope.pools),
            appliances: Ranges::new(&scope.appliances),
            scanners: Ranges::new(&scope.scanners),
        }
    }

    pub(crate) fn side(&self, address: IpAddr) -> Side {
        match address_scope(address) {
            AddressScope::Special => Side::Nobody,
            AddressScope::Internal => Side::Inside,
            AddressScope::External => {
                if self.inside.contains(address) {
                    Side::Inside
                } else {
                    Side::Outside
                }
            }
        }
    }

    /// Whether an address's every new contact is worth keeping.
    pub(crate) fn is_watched(&self, address: IpAddr) -> bool {
        self.pools.contains(address) || self.appliances.contains(address)
    }
}
