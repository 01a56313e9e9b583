//! Where somebody is on the Internet: an address with its network's number and country.
//!
//! All addresses are from ranges that nobody owns: documentation, benchmarking (standing in for
//! home and foreign providers) and carrier NAT (standing in for mobile carriers).

use crate::random::Random;

/// A point on the Internet.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Place {
    pub(crate) address: String,
    pub(crate) network: u32,
    pub(crate) country: &'static str,
    pub(crate) city: &'static str,
}

/// The organisation's own addresses as the Internet sees them.
pub(crate) const EGRESS_TOKYO: &str = "203.0.113.10";
pub(crate) const EGRESS_TOKYO_SECOND: &str = "203.0.113.11";
pub(crate) const EGRESS_TSUKUBA: &str = "203.0.113.20";
pub(crate) const EGRESS_BONN: &str = "203.0.113.40";
/// Its VPN gateways.
pub(crate) const GATEWAY_TOKYO: &str = "203.0.113.1";
pub(crate) const GATEWAY_BONN: &str = "203.0.113.41";

/// The number of the cloud provider's own network, which is public knowledge.
const CLOUD: u32 = 8075;
const OWN: u32 = 64_500;

fn place(address: String, network: u32, country: &'static str, city: &'static str) -> Place {
    Place { address, network, country, city }
}

/// Behind one of the organisation's own addresses.
pub(crate) fn office(address: &str) -> Place {
    let (country, city) = match address {
        EGRESS_BONN => ("DE", "Bonn"),
        EGRESS_TSUKUBA => ("JP", "Tsukuba"),
        _ => ("JP", "Chiyoda-ku"),
    };
    place(address.to_owned(), OWN, country, city)
}

/// A home of a provider that gives one IPv4 address for weeks.
pub(crate) fn home(random: &mut Random, country: &'static str) -> Place {
    let cities: &[&'static str] = &["Tsukuba", "Yokohama", "Setagaya-ku", "Kashiwa", "Kawasaki"];
    let (third, fourth) = (random.within(0, 127), random.within(2, 250));
    if country == "DE" {
        return place(format!("198.18.{}.{fourth}", 192 + third / 8), 64_503, "DE", "Cologne");
    }
    let network = if third < 64 { 64_501 } else { 64_502 };
    place(format!("198.18.{third}.{fourth}"), network, "JP", cities[random.index(cities.len())])
}

/// A home of a provider with IPv6: the prefix is the home's, the rest changes daily.
pub(crate) fn home_v6(prefix: i64, random: &mut Random) -> Place {
    let parts: Vec<String> =
        (0..4).map(|_| format!("{:x}", random.within(0x1000, 0xffff))).collect();
    place(format!("2001:db8:a000:{prefix:x}:{}", parts.join(":")), 64_504, "JP", "Saitama")
}

/// A telephone in a carrier's network: the address is one of many that the carrier shares out anew.
pub(crate) fn mobile(carrier: u8, random: &mut Random) -> Place {
    let (third, fourth) = (random.within(0, 15), random.within(1, 254));
    let network = if carrier == 0 { 64_505 } else { 64_506 };
    let second = if carrier == 0 { 64 } else { 80 };
    place(format!("100.{second}.{third}.{fourth}"), network, "JP", "Tokyo")
}

/// The same telephone abroad, in a partner's network.
pub(crate) fn roaming(country: &'static str, random: &mut Random) -> Place {
    let city = if country == "US" { "Houston" } else { "Paris" };
    place(
        format!("100.112.{}.{}", random.within(0, 7), random.within(1, 254)),
        64_507,
        country,
        city,
    )
}

/// A hotel abroad; its guests share one address.
pub(crate) fn hotel(number: i64, country: &'static str) -> Place {
    let city = if country == "US" { "Houston" } else { "Paris" };
    place(format!("198.19.10.{number}"), 64_508, country, city)
}

/// A security service through which a department's traffic leaves in another country.
pub(crate) fn security_service(random: &mut Random) -> Place {
    place(format!("198.19.200.{}", random.within(1, 60)), 64_509, "SG", "Singapore")
}

/// A privacy relay of a telephone's maker.
pub(crate) fn relay(random: &mut Random) -> Place {
    place(format!("198.19.210.{}", random.within(1, 254)), 64_510, "JP", "Tokyo")
}

/// A hosting provider.
pub(crate) fn hosting(number: i64) -> Place {
    let (country, city) = match number % 4 {
        0 => ("JP", "Tokyo"),
        1 => ("SG", "Singapore"),
        2 => ("NL", "Amsterdam"),
        _ => ("US", "Ashburn"),
    };
    if number < 120 {
        place(format!("192.0.2.{}", 100 + number), 64_496, country, city)
    } else {
        place(format!("198.51.100.{}", number % 250), 64_497, country, city)
    }
}

/// Somebody else's home line that serves as a relay.
pub(crate) fn hijacked_home(number: i64) -> Place {
    place(format!("198.18.{}.{}", 100 + number % 20, 40 + number), 64_502, "JP", "Yokohama")
}

/// The cloud provider's own machines.
pub(crate) fn cloud(random: &mut Random) -> Place {
    let parts: Vec<String> = (0..2).map(|_| format!("{:x}", random.within(0x10, 0xfff))).collect();
    place(format!("2001:db8:ff00:{}::{}", parts[0], parts[1]), CLOUD, "JP", "Osaka")
}

/// An address inside.
pub(crate) fn inside(office: u8, number: usize) -> String {
    format!("10.{}.{}.{}", 20 + office, 10 + number / 250, 1 + number % 250)
}
