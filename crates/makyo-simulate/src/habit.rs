//! The harmless things that look like an intruder: who has which habit, and what it does to where
//! and with what the person appears.

use crate::act::Context;
use crate::moment::Moment;
use crate::people::{Browser, Device, Person, agent};
use crate::place::{self, Place};
use crate::random::Random;
use crate::truth::Truth;

/// A harmless peculiarity.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Habit {
    None,
    /// Abroad with the own managed computer, for days.
    Travels,
    /// Abroad, and only the telephone works, in a partner's network.
    Roams,
    /// All traffic through a security service in another country.
    SecurityService,
    /// The telephone hides its address behind its maker's relay.
    Relay,
    /// At an event with colleagues, all in one hotel network.
    SharesHotel,
    /// A new telephone from some day on.
    NewTelephone,
    /// The computer was installed anew and has a new device id.
    Reinstalled,
    /// Another browser from some day on.
    OtherBrowser,
    /// Works at a shared computer in the hall, as others do.
    Kiosk,
    /// Uses a private VPN of a hosting provider at home.
    PrivateVpn,
    /// Leaves the computer at work running, and goes on at home with another one.
    LeftOn,
    /// The browser at work goes through a private VPN abroad now and then.
    BrowserVpn,
    /// The browser tells the version of its system at times and at times an older one.
    UnsureVersion,
    /// Married: the user principal name changes.
    Renamed,
}

/// Who has which: by position among the staff, so that the smallest organisation has all.
const HABITS: &[(usize, Habit, &str)] = &[
    (20, Habit::Travels, "abroad with the own managed computer"),
    (21, Habit::Travels, "abroad with the own managed computer"),
    (22, Habit::Roams, "telephone roams in a foreign carrier's network"),
    (23, Habit::SecurityService, "traffic leaves through a security service abroad"),
    (24, Habit::SecurityService, "traffic leaves through a security service abroad"),
    (25, Habit::SecurityService, "traffic leaves through a security service abroad"),
    (26, Habit::Relay, "telephone behind its maker's privacy relay"),
    (27, Habit::SharesHotel, "shares a hotel's address with colleagues"),
    (28, Habit::SharesHotel, "shares a hotel's address with colleagues"),
    (29, Habit::SharesHotel, "shares a hotel's address with colleagues"),
    (30, Habit::SharesHotel, "shares a hotel's address with colleagues"),
    (31, Habit::NewTelephone, "new telephone, registered anew"),
    (32, Habit::Reinstalled, "computer installed anew, new device id"),
    (33, Habit::OtherBrowser, "moved to another browser"),
    (34, Habit::Kiosk, "works at a shared computer"),
    (35, Habit::Kiosk, "works at a shared computer"),
    (36, Habit::Kiosk, "works at a shared computer"),
    (37, Habit::PrivateVpn, "private VPN at home, address of a hosting provider"),
    (38, Habit::Renamed, "user principal name changed after marriage"),
    (47, Habit::LeftOn, "computer at work left running while at home with another one"),
    (48, Habit::BrowserVpn, "private VPN abroad in the browser at work"),
    (49, Habit::UnsureVersion, "browser that tells two versions of its system"),
];

/// The habit of the person at this position.
pub(crate) fn habit(index: usize) -> Habit {
    HABITS.iter().find(|entry| entry.0 == index).map_or(Habit::None, |entry| entry.1)
}

/// Days on which those who travel are away.
pub(crate) fn is_away(day: i64) -> bool {
    (9..=13).contains(&day)
}

/// From this day on the telephone, computer, browser or name is another.
pub(crate) const CHANGE_DAY: i64 = 14;

/// Writes the habits into the truth.
pub(crate) fn declare(people: &[Person], truth: &mut Truth) {
    for (index, habit, why) in HABITS {
        let Some(person) = people.get(*index) else { continue };
        truth.decoy("account", &person.upn, why);
        if *habit == Habit::Renamed {
            truth.decoy("account", &renamed(&person.upn), why);
        }
    }
    for person in people.iter().skip(9).step_by(9).take(4) {
        truth.decoy("account", &person.upn, "a service renews tokens and shows the old address");
    }
    for person in people.iter().filter(|person| person.prefix.is_some()).take(3) {
        truth.decoy("account", &person.upn, "home with IPv6 addresses that change daily");
    }
}

/// The new name of somebody who was renamed.
pub(crate) fn renamed(upn: &str) -> String {
    match upn.split_once('.') {
        Some((_, rest)) => format!("hoshino.{rest}"),
        None => upn.to_owned(),
    }
}

/// Where the person is when not in the office.
pub(crate) fn away_place(person: &Person, day: i64, random: &mut Random) -> Place {
    match habit(person.index) {
        Habit::Travels if is_away(day) => {
            place::hotel(10 + i64::try_from(person.index).unwrap_or(0), "US")
        }
        Habit::SharesHotel if is_away(day) => place::hotel(77, "FR"),
        Habit::PrivateVpn => place::hosting(30 + random.within(0, 3)),
        _ => match person.prefix {
            Some(prefix) => place::home_v6(
                prefix,
                &mut Random::of(u64::try_from(prefix).unwrap_or(0), "day", &[day.unsigned_abs()]),
            ),
            None => person.home.clone(),
        },
    }
}

/// Whether the person is kept out of the office by a journey.
pub(crate) fn is_travelling(person: &Person, day: i64) -> bool {
    is_away(day) && matches!(habit(person.index), Habit::Travels | Habit::SharesHotel)
}

/// The person at the own computer.
pub(crate) fn at_computer(person: &Person, day: i64, place: Place, seed: u64) -> Context {
    let mut device = person.computer.clone();
    let (mut browser, mut text) = person.browser_on(day);
    match habit(person.index) {
        Habit::Reinstalled if day >= CHANGE_DAY => {
            device.id = Random::of(seed, "reinstalled", &[]).guid().to_string();
        }
        Habit::OtherBrowser if day >= CHANGE_DAY => {
            let other =
                if person.browser == Browser::Firefox { Browser::Edge } else { Browser::Firefox };
            (browser, text) = agent(other, device.system, 141);
        }
        Habit::Kiosk => {
            device = Device {
                id: Random::of(seed, "kiosk", &[]).guid().to_string(),
                name: "KIOSK-01".to_owned(),
                system: "Windows10",
                trust: "Azure AD joined",
            };
            (browser, text) = agent(Browser::Edge, "Windows10", 140);
        }
        _ => {}
    }
    Context { place, device, browser, agent: text }
}

/// The same in the browser. Firefox, and Chrome without the employer's extension, do not tell the
/// directory on which computer they run; nor does a private window.
pub(crate) fn in_browser(person: &Person, context: &Context, random: &mut Random) -> Context {
    let is_silent = match person.browser {
        Browser::Firefox => true,
        Browser::Chrome => person.index.is_multiple_of(2),
        Browser::Edge => random.chance(0.03),
    };
    let mut context = context.clone();
    if is_silent && habit(person.index) != Habit::Kiosk {
        context.device = Device::unknown(context.device.system);
    }
    context
}

/// The browser of somebody whose version is told by chance.
pub(crate) fn unsure(context: Context, random: &mut Random) -> Context {
    let system = if random.chance(0.3) { "Windows10" } else { "Windows11" };
    Context { device: Device::unknown(system), ..context }
}

/// The person with the telephone; some telephones' mail goes through the provider's machines.
pub(crate) fn at_telephone(
    person: &Person,
    telephone: &Device,
    moment: (i64, Moment),
    random: &mut Random,
) -> Context {
    let (day, _) = moment;
    let mut device = telephone.clone();
    let habit = habit(person.index);
    if habit == Habit::NewTelephone && day >= CHANGE_DAY {
        device = Device {
            id: random.guid().to_string(),
            name: "PHONE-NEW".to_owned(),
            system: "Ios 18.6",
            trust: "Azure AD registered",
        };
        device.id = format!("7c0de000-0000-4000-8000-{:012x}", person.index);
    }
    let place = match habit {
        Habit::Roams | Habit::Travels if is_away(day) => place::roaming("US", random),
        Habit::SharesHotel if is_away(day) => place::hotel(77, "FR"),
        Habit::Relay => place::relay(random),
        _ if random.chance(0.4) => place::cloud(random),
        _ if random.chance(0.2) => person.home.clone(),
        _ => place::mobile(person.carrier, random),
    };
    let system = device.system;
    let agent = if system.starts_with("Ios") {
        "Outlook-iOS/723.4026 (iOS 18.6)"
    } else {
        "Outlook-Android/2.0 (Android 15)"
    };
    Context { place, device, browser: String::new(), agent: agent.to_owned() }
}

/// The person at a computer of the family, which the directory does not know.
pub(crate) fn at_own_computer(person: &Person, day: i64, place: Place) -> Context {
    let make = if person.index.is_multiple_of(3) { Browser::Edge } else { Browser::Chrome };
    let (browser, text) = agent(make, "Windows11", person.version_on(day));
    Context { place, device: Device::unknown("Windows11"), browser, agent: text }
}
