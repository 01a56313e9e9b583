//! Whose address it is: the organisation's own, a service's, or anybody's outside.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use makyo_base::Organisation;

use super::context::{Context, Kind};

/// Where a context comes from.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Origin {
    /// The organisation's own egress, given or learned, or an inside address.
    Own,
    /// A service that acts in people's names.
    Service,
    /// Anywhere else.
    Outside,
}

/// Addresses that are not what they seem.
#[derive(Debug, Default)]
pub(super) struct Own {
    egress: BTreeSet<String>,
    services: BTreeSet<String>,
}

/// An address with so many users, on so many days, is an own office even if nobody said so.
const OFFICE_USERS_MIN: usize = 20;
const OFFICE_USERS_SHARE: f64 = 0.05;
const OFFICE_DAYS_MIN: usize = 10;
/// Of those users' sign-ins there, so many come from registered devices, where the tenant
/// registers devices at all.
const OFFICE_BOUND_SHARE: f64 = 0.3;
/// An address that acts for so many people and where none of them ever signs in is a service.
const SERVICE_USERS_MIN: usize = 5;
const SERVICE_DAYS_MIN: usize = 5;

#[derive(Default)]
struct Seen<'a> {
    users: BTreeSet<&'a str>,
    days: BTreeSet<i32>,
    sign_ins: i64,
    bound: i64,
}

/// Private addresses; those that carriers share among their customers are nobody's own.
fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_private(),
        IpAddr::V6(v6) => v6.is_unique_local(),
    }
}

impl Own {
    /// Learns from all contexts.
    pub(super) fn learn(contexts: &[Context], organisation: &Organisation) -> Self {
        let mut seen: BTreeMap<&str, Seen<'_>> = BTreeMap::new();
        let mut everybody: BTreeSet<&str> = BTreeSet::new();
        for context in contexts.iter().filter(|one| !one.kind.is_refused()) {
            everybody.insert(&context.account);
            let entry = seen.entry(&context.address).or_default();
            entry.users.insert(&context.account);
            entry.days.extend(&context.days);
            if context.kind == Kind::Activity {
                continue;
            }
            entry.sign_ins += context.count;
            if context.is_managed || !context.device.is_empty() {
                entry.bound += context.count;
            }
        }
        let registers = seen.values().any(|one| one.bound > 0);
        #[allow(clippy::cast_precision_loss, reason = "accounts and sign-ins of one tenant")]
        let many = (everybody.len() as f64 * OFFICE_USERS_SHARE).max(OFFICE_USERS_MIN as f64);
        let mut own = Own::default();
        for (address, one) in &seen {
            let parsed = address.parse().ok();
            let given = parsed.is_some_and(|address| {
                organisation.network.is_egress(address)
                    || is_private(address)
                    || organisation.network.is_vpn_pool(address)
                    || organisation.network.internal.iter().any(|net| net.contains(&address))
            });
            #[allow(clippy::cast_precision_loss, reason = "accounts and sign-ins of one tenant")]
            let learned = organisation.network.egress.is_empty()
                && one.users.len() as f64 >= many
                && one.days.len() >= OFFICE_DAYS_MIN
                && (!registers || one.bound as f64 >= one.sign_ins as f64 * OFFICE_BOUND_SHARE);
            if given || learned {
                own.egress.insert((*address).to_owned());
            } else if one.sign_ins == 0
                && one.users.len() >= SERVICE_USERS_MIN
                && one.days.len() >= SERVICE_DAYS_MIN
            {
                own.services.insert((*address).to_owned());
            }
        }
        own
    }

    /// Where an address lies.
    pub(super) fn origin(&self, address: &str) -> Origin {
        if self.egress.contains(address) {
            Origin::Own
        } else if self.services.contains(address) {
            Origin::Service
        } else {
            Origin::Outside
        }
    }
}
