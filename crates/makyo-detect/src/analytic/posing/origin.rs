//! Unusual place, device and client, against what the account's owner has used before; and what
//! speaks for the owner.

use super::habit::{Feature, Habits, clients};
use super::hours::Hours;
use super::own::Origin;
use super::scale::Scale;
use super::unit::Unit;
use super::weigh::Evidence;

/// Below this it is no surprise that a sign-in has no device.
const UNBOUND_LEAST_DB: f64 = 3.0;
/// Below this an hour is not odd.
const ODD_HOUR_LEAST_DB: f64 = 6.0;
/// Days on which a device or network was used before it is the owner's.
const DEVICE_DAYS_MIN: usize = 2;
const NETWORK_DAYS_MIN: usize = 7;

pub(super) fn weigh(unit: &Unit, habits: &Habits, hours: &Hours, scale: &Scale) -> Vec<Evidence> {
    let past = habits.past(unit);
    let mut found = Vec::new();
    let mut new = |sign, feature, value: &str, what: &str| {
        if let Some(surprise) = past.surprise(feature, value) {
            let text = format!("{what} {value} was never used by this account before");
            found.push(scale.graded(sign, surprise, text));
        }
    };
    if unit.origin == Origin::Outside {
        new("new_network", Feature::Network, &unit.network, "network");
        new("new_country", Feature::Country, &unit.country, "country");
        if unit.asn != 0 {
            new("new_operator", Feature::Asn, &unit.asn.to_string(), "network operator AS");
        }
    }
    let named = clients(unit);
    let all_new = named.iter().all(|one| past.surprise(Feature::Client, one).is_some());
    if let (true, Some(one)) = (all_new, named.first()) {
        new("new_client", Feature::Client, one, "client");
    }
    let odd = unit.entered.map_or(0.0, |at| hours.surprise(&unit.account, at));
    if odd >= ODD_HOUR_LEAST_DB && !unit.is_bound() {
        let text = "at an hour at which the account is hardly ever used";
        found.push(scale.graded("odd_hour", odd - ODD_HOUR_LEAST_DB, text));
    }
    found.extend(unbound(unit, habits, scale));
    found.extend(for_the_owner(unit, habits, scale));
    found
}

/// The owner signs in with registered devices and this sign-in has none.
fn unbound(unit: &Unit, habits: &Habits, scale: &Scale) -> Option<Evidence> {
    if !unit.signs_in || unit.is_bound() {
        return None;
    }
    let (bound, unbound) = habits.past(unit).devices();
    let count = |number: usize| f64::from(u32::try_from(number).unwrap_or(u32::MAX));
    let rate = (count(unbound) + 0.5) / (count(bound + unbound) + 1.0);
    let surprise = -10.0 * rate.log10() / if habits.past(unit).is_thin { 2.0 } else { 1.0 };
    (bound > 0 && surprise >= UNBOUND_LEAST_DB).then(|| {
        let text = format!(
            "no registered device, while {bound} of the account's {} other sign-ins had one",
            bound + unbound
        );
        scale.graded("no_device", surprise, text)
    })
}

fn for_the_owner(unit: &Unit, habits: &Habits, scale: &Scale) -> Vec<Evidence> {
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
        found.push(scale.sign("own_device", text));
    }
    let days = past.days_of(Feature::Network, &unit.network);
    if unit.origin == Origin::Outside && days >= NETWORK_DAYS_MIN {
        let text = format!("the account used this network on {days} other days");
        found.push(scale.sign("own_network", text));
    }
    found
}
