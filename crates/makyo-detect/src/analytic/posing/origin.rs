//! Unusual place, device and client, against what the account's owner has used before; and what
//! speaks for the owner.

use super::habit::{Feature, Habits, clients};
use super::own::Origin;
use super::unit::Unit;
use super::weigh::{Evidence, Family};

/// Decibans at most for each thing that is new.
const NEW_NETWORK_DB: f64 = 4.0;
const NEW_ASN_DB: f64 = 4.0;
const NEW_COUNTRY_DB: f64 = 5.0;
const NEW_CLIENT_DB: f64 = 3.0;
const UNBOUND_DB: f64 = 10.0;
/// What speaks for the owner.
const OWN_DEVICE_DB: f64 = -20.0;
const OWN_NETWORK_DB: f64 = -12.0;
/// Days on which a device or network was used before it is the owner's.
const DEVICE_DAYS_MIN: usize = 2;
const NETWORK_DAYS_MIN: usize = 7;

pub(super) fn weigh(unit: &Unit, habits: &Habits) -> Vec<Evidence> {
    let past = habits.past(unit);
    let mut found = Vec::new();
    let mut new = |feature, value: &str, most: f64, what: &str| {
        if let Some(surprise) = past.surprise(feature, value) {
            let text = format!("{what} {value} was never used by this account before");
            found.push(Evidence::new(Family::Origin, surprise.min(most), text));
        }
    };
    if unit.origin == Origin::Outside {
        new(Feature::Network, &unit.network, NEW_NETWORK_DB, "network");
        new(Feature::Country, &unit.country, NEW_COUNTRY_DB, "country");
        if unit.asn != 0 {
            new(Feature::Asn, &unit.asn.to_string(), NEW_ASN_DB, "network operator AS");
        }
    }
    let named = clients(unit);
    let all_new = named.iter().all(|one| past.surprise(Feature::Client, one).is_some());
    if let (true, Some(one)) = (all_new, named.first()) {
        new(Feature::Client, one, NEW_CLIENT_DB, "client");
    }
    found.extend(unbound(unit, habits));
    found.extend(for_the_owner(unit, habits));
    found
}

/// The owner signs in with registered devices and this sign-in has none.
fn unbound(unit: &Unit, habits: &Habits) -> Option<Evidence> {
    if !unit.signs_in || unit.is_bound() {
        return None;
    }
    let (bound, unbound) = habits.past(unit).devices();
    let count = |number: usize| f64::from(u32::try_from(number).unwrap_or(u32::MAX));
    let rate = (count(unbound) + 0.5) / (count(bound + unbound) + 1.0);
    let surprise = (-10.0 * rate.log10()).min(UNBOUND_DB);
    (bound > 0 && surprise >= 3.0).then(|| {
        let text = format!(
            "no registered device, while {bound} of the account's {} other sign-ins had one",
            bound + unbound
        );
        Evidence::new(Family::Origin, surprise, text)
    })
}

fn for_the_owner(unit: &Unit, habits: &Habits) -> Vec<Evidence> {
    let past = habits.past(unit);
    let mut found = Vec::new();
    let same_client =
        clients(unit).iter().any(|one| past.days_of(Feature::Client, one) >= DEVICE_DAYS_MIN);
    let days = past.days_of(Feature::Device, &unit.device);
    if unit.is_bound() && (days >= DEVICE_DAYS_MIN && same_client || unit.is_managed) {
        let text = if unit.is_managed {
            "the device is managed by the organisation".to_owned()
        } else {
            format!("the device was the account's on {days} other days")
        };
        found.push(Evidence::new(Family::Origin, OWN_DEVICE_DB, text));
    }
    let days = past.days_of(Feature::Network, &unit.network);
    if unit.origin == Origin::Outside && days >= NETWORK_DAYS_MIN {
        let text = format!("the account used this network on {days} other days");
        found.push(Evidence::new(Family::Origin, OWN_NETWORK_DB, text));
    }
    found
}
