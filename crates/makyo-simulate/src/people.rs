//! Who works there: people with their habits, devices, homes and telephones.

use crate::place::{self, Place};
use crate::random::{Guid, Random};

/// The organisation's mail and sign-in domain.
pub(crate) const DOMAIN: &str = "agency.example";
/// The short name of its Windows domain.
pub(crate) const AD: &str = "AGENCY";
const SID: &str = "S-1-5-21-2046118302-1193370447-771204913";

/// Department, its site, its share.
pub(crate) const DEPARTMENTS: &[(&str, &str)] = &[
    ("Launch Vehicles", "launch"),
    ("Satellite Operations", "satops"),
    ("Space Science", "science"),
    ("Crewed Flight", "crewed"),
    ("Finance", "finance"),
    ("Human Resources", "hr"),
    ("Information Systems", "it"),
    ("Legal", "legal"),
    ("Public Relations", "pr"),
    ("Planning", "planning"),
    ("Procurement", "procurement"),
    ("Board", "board"),
];

const FAMILIES: &[&str] = &[
    "abe",
    "ando",
    "aoki",
    "arai",
    "baba",
    "chiba",
    "doi",
    "endo",
    "fujii",
    "fukuda",
    "goto",
    "hara",
    "hirano",
    "honda",
    "ikeda",
    "imai",
    "inoue",
    "ishii",
    "ito",
    "iwata",
    "kato",
    "kikuchi",
    "kimura",
    "kinoshita",
    "kojima",
    "kondo",
    "kubo",
    "kudo",
    "maeda",
    "maruyama",
    "masuda",
    "matsui",
    "mizuno",
    "mori",
    "murata",
    "nagai",
    "nakano",
    "noguchi",
    "nomura",
    "ogawa",
    "oka",
    "ono",
    "ota",
    "otsuka",
    "saito",
    "sakai",
    "sano",
    "sasaki",
    "sato",
    "shibata",
    "shimizu",
    "sugiura",
    "tanaka",
    "taniguchi",
    "uchida",
    "ueda",
    "wada",
    "watanabe",
    "yamada",
    "yokoyama",
];
const GIVEN: &[&str] = &[
    "akira", "aoi", "ayumi", "chika", "daichi", "eiji", "emi", "haruka", "haruto", "hina",
    "hiroshi", "jun", "kana", "kaori", "kazuki", "kei", "kenta", "mai", "makoto", "mana", "mei",
    "minato", "misaki", "naoki", "nao", "ren", "riko", "rina", "ryo", "sakura", "satoshi", "shin",
    "shiori", "sora", "takumi", "tomoko", "tsubasa", "yui", "yuka", "yuto",
];

/// What somebody is beside a member of a department.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Role {
    Staff,
    President,
    Director,
    Assistant,
    Administrator,
    /// An account that lives in the cloud only: a room, a shared mailbox, a consultant.
    CloudOnly,
    /// Nobody has used it for months.
    Dormant,
}

/// A computer or telephone as the directory knows it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Device {
    /// Empty if it is not registered.
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) system: &'static str,
    /// How the directory trusts it; empty if not.
    pub(crate) trust: &'static str,
}

impl Device {
    /// One that the directory does not know.
    pub(crate) fn unknown(system: &'static str) -> Self {
        Device { id: String::new(), name: String::new(), system, trust: "" }
    }
}

/// A browser's make; its version moves on with the weeks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Browser {
    Edge,
    Chrome,
    Firefox,
}

/// A member of the organisation.
#[derive(Clone, Debug)]
pub(crate) struct Person {
    pub(crate) index: usize,
    pub(crate) name: String,
    /// The name in the Windows domain.
    pub(crate) sam: String,
    pub(crate) upn: String,
    pub(crate) object: Guid,
    pub(crate) puid: String,
    pub(crate) sid: String,
    pub(crate) mailbox: Guid,
    pub(crate) role: Role,
    pub(crate) department: usize,
    /// 0 Tokyo, 1 Tsukuba, 2 Bonn.
    pub(crate) office: u8,
    pub(crate) computer: Device,
    pub(crate) inside: String,
    pub(crate) browser: Browser,
    /// The day on which its new version arrives; some are always a version behind.
    pub(crate) update_day: i64,
    pub(crate) version: i64,
    /// Whether sign-ins outside the offices need more than a password.
    pub(crate) has_second_factor: bool,
    pub(crate) telephone: Option<Device>,
    pub(crate) carrier: u8,
    pub(crate) home: Place,
    /// The IPv6 prefix of the home, if it has one.
    pub(crate) prefix: Option<i64>,
    /// Uses an own computer at home, in the browser.
    pub(crate) has_own_computer: bool,
    /// Minutes after midnight, local.
    pub(crate) begins: i64,
    pub(crate) ends: i64,
    pub(crate) remote: f64,
    pub(crate) weekend: f64,
    pub(crate) activity: f64,
    /// Days away.
    pub(crate) away: (i64, i64),
}

impl Person {
    pub(crate) fn is_active(&self) -> bool {
        !matches!(self.role, Role::CloudOnly | Role::Dormant)
    }

    /// Whether the Windows domain knows the account.
    pub(crate) fn is_in_directory(&self) -> bool {
        self.role != Role::CloudOnly
    }

    pub(crate) fn egress(&self) -> &'static str {
        match self.office {
            1 => place::EGRESS_TSUKUBA,
            2 => place::EGRESS_BONN,
            _ if self.index % 3 == 2 => place::EGRESS_TOKYO_SECOND,
            _ => place::EGRESS_TOKYO,
        }
    }

    /// The browser's version in words and its user agent.
    pub(crate) fn browser_on(&self, day: i64) -> (String, String) {
        agent(self.browser, self.computer.system, self.version_on(day))
    }

    pub(crate) fn version_on(&self, day: i64) -> i64 {
        self.version + i64::from(day >= self.update_day)
    }
}

/// A browser's name with version, and its user agent.
pub(crate) fn agent(browser: Browser, system: &str, version: i64) -> (String, String) {
    let platform = match system {
        "MacOs" => "Macintosh; Intel Mac OS X 10_15_7",
        "Ios 18.6" => "iPhone; CPU iPhone OS 18_6 like Mac OS X",
        "Android 15" => "Linux; Android 10; K",
        _ => "Windows NT 10.0; Win64; x64",
    };
    let chrome = format!(
        "Mozilla/5.0 ({platform}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{version}.0.0.0"
    );
    match browser {
        Browser::Edge => {
            (format!("Edge {version}.0.0"), format!("{chrome} Safari/537.36 Edg/{version}.0.0.0"))
        }
        Browser::Chrome => (format!("Chrome {version}.0.0"), format!("{chrome} Safari/537.36")),
        Browser::Firefox => (
            format!("Firefox {}.0", version + 2),
            format!("Mozilla/5.0 ({platform}; rv:{0}.0) Gecko/20100101 Firefox/{0}.0", version + 2),
        ),
    }
}

/// All accounts of the organisation.
pub(crate) fn people(seed: u64, accounts: usize) -> Vec<Person> {
    (0..accounts).map(|index| person(seed, index, accounts)).collect()
}

fn role(index: usize, accounts: usize) -> Role {
    match index {
        0 => Role::President,
        1..=5 => Role::Director,
        6..=8 => Role::Assistant,
        9..=12 => Role::Administrator,
        // The last tenth: a part in the cloud only, a part asleep.
        _ if index >= accounts - accounts / 25 => Role::Dormant,
        _ if index >= accounts - accounts / 12 => Role::CloudOnly,
        _ => Role::Staff,
    }
}

fn local_part(index: usize) -> (String, String) {
    let (round, rest) = (index / (FAMILIES.len() * GIVEN.len()), index % FAMILIES.len());
    let family = FAMILIES[rest];
    let given = GIVEN[(index / FAMILIES.len() + rest * 7) % GIVEN.len()];
    let number = if round == 0 { String::new() } else { format!("{}", round + 1) };
    (format!("{family}.{given}{number}"), format!("{} {}", family.to_uppercase(), given))
}

fn person(seed: u64, index: usize, accounts: usize) -> Person {
    let random = &mut Random::of(seed, "person", &[index as u64]);
    let role = role(index, accounts);
    let (sam, name) = match role {
        Role::President => ("president".to_owned(), "PRESIDENT".to_owned()),
        Role::CloudOnly => (format!("shared-{index:04}"), format!("Shared mailbox {index}")),
        _ => local_part(index),
    };
    let department = match role {
        Role::President | Role::Director => 11,
        Role::Administrator => 6,
        _ => random.index(DEPARTMENTS.len()),
    };
    let office = [0, 0, 0, 0, 0, 1, 1, 1, 1, 2][random.index(10)];
    // Bonn is a small liaison office.
    let office = if office == 2 && !index.is_multiple_of(3) { 0 } else { office };
    let country = if office == 2 { "DE" } else { "JP" };
    let is_windows = random.chance(0.93);
    let system = match (is_windows, random.chance(0.6)) {
        (true, true) => "Windows11",
        (true, false) => "Windows10",
        (false, _) => "MacOs",
    };
    let browsers = [Browser::Edge, Browser::Edge, Browser::Edge, Browser::Chrome, Browser::Firefox];
    let telephone = random.chance(0.7).then(|| telephone(random));
    let begins = random.within(7 * 60 + 20, 10 * 60 + 10);
    Person {
        index,
        name,
        upn: format!("{sam}@{DOMAIN}"),
        object: random.guid(),
        puid: format!("10032002{:08X}", random.below(1 << 32)),
        sid: format!("{SID}-{}", 1_600 + index),
        mailbox: random.guid(),
        role,
        department,
        office,
        computer: Device {
            id: random.guid().to_string(),
            name: format!("PC-{:04}", 1_000 + index),
            system,
            trust: if is_windows { "Hybrid Azure AD joined" } else { "Azure AD registered" },
        },
        inside: place::inside(office, index),
        browser: *random.pick(&browsers),
        update_day: random.within(5, 16),
        version: if random.chance(0.1) { 139 } else { 140 },
        has_second_factor: random.chance(0.7),
        telephone,
        carrier: u8::from(random.chance(0.4)),
        home: place::home(random, country),
        prefix: random.chance(0.25).then(|| random.within(0x100, 0xfff)),
        has_own_computer: random.chance(0.22),
        begins,
        ends: begins + random.within(7 * 60 + 45, 11 * 60),
        remote: [0.0, 0.1, 0.2, 0.4, 0.6][random.index(5)],
        weekend: if random.chance(0.2) { 0.25 } else { 0.02 },
        activity: 0.4 + 1.2 * random.unit() * random.unit() * 2.0,
        away: if random.chance(0.3) {
            let from = random.within(0, 28);
            (from, from + random.within(1, 6))
        } else {
            (-1, -1)
        },
        sam,
    }
}

fn telephone(random: &mut Random) -> Device {
    let is_known = random.chance(0.6);
    Device {
        id: if is_known { random.guid().to_string() } else { String::new() },
        name: if is_known { format!("PHONE-{}", random.word(5)) } else { String::new() },
        system: if random.chance(0.65) { "Ios 18.6" } else { "Android 15" },
        trust: if is_known { "Azure AD registered" } else { "" },
    }
}
