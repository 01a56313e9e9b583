//! A VPN estate of four makes: four hundred people, thirty days, the flows beside them, and facts of
//! thirteen kinds planted among trips, telephones, failovers and gaps.

mod planted;
mod words;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write as _;

use serde_json::{Value, json};

use self::words::{APPLIANCES, Fact, Make, Session, lines};
use crate::moment::{HOUR, MINUTE, Moment, SECOND, at, is_working_day, midnight, utc};
use crate::place::{self, Place};
use crate::random::Random;
use crate::record::zeek::{self, Flow};
use crate::{Error, Options, Summary};

/// People at scale 1.
const PEOPLE: f64 = 400.0;
/// Fewer, and the planted facts would be everybody's.
const PEOPLE_MIN: usize = 60;

/// One who works from home.
struct Person {
    user: String,
    appliance: usize,
    home: Place,
    carrier: u8,
    /// Days abroad, and where.
    trip: Option<(i64, i64, &'static str)>,
    way: Way,
}

/// By what way somebody comes to the gateway from home.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Way {
    Home,
    /// A rented desktop: a machine in a hosting range.
    RentedDesktop,
    /// A security service, which lies in a hosting range and shares out its addresses.
    SecurityService,
    /// The computer at home stays connected while its owner is away.
    TwoMachines,
}

/// A line or a flow that is yet to be written.
struct Estate {
    seed: u64,
    days: i64,
    lines: Vec<(Moment, usize, String)>,
    flows: Vec<(Moment, String)>,
    leases: [u64; 4],
    sessions: u64,
    facts: Vec<Value>,
    victims: BTreeSet<String>,
    gaps: Vec<(usize, Moment, Moment)>,
}

/// Writes the estate.
///
/// # Errors
/// If the disk refuses.
pub(crate) fn simulate(options: &Options) -> Result<Summary, Error> {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small, positive")]
    let count = ((PEOPLE * options.scale).round() as usize).max(PEOPLE_MIN);
    let people: Vec<Person> = (0..count).map(|index| person(options.seed, index)).collect();
    let mut estate = Estate {
        seed: options.seed,
        days: options.days,
        lines: Vec::new(),
        flows: Vec::new(),
        leases: [0; 4],
        sessions: 0,
        facts: Vec::new(),
        victims: BTreeSet::new(),
        gaps: Vec::new(),
    };
    for day in 0..options.days {
        for (index, person) in people.iter().enumerate() {
            estate.live(person, index, day);
        }
        estate.appliances(day);
    }
    planted::plant(&mut estate, &people);
    estate.write(options, &people)
}

fn person(seed: u64, index: usize) -> Person {
    const FAMILY: &[&str] =
        &["mori", "sato", "tanaka", "abe", "ueda", "kondo", "ito", "kato", "ono", "hara"];
    let random = &mut Random::of(seed, "estate person", &[index as u64]);
    let abroad = ["US", "DE"][random.index(2)];
    let start = random.within(2, 20);
    let habits = &mut Random::of(seed, "estate way", &[index as u64]);
    let way = match habits.within(0, 99) {
        0..2 => Way::RentedDesktop,
        2..6 => Way::SecurityService,
        6..11 => Way::TwoMachines,
        _ => Way::Home,
    };
    let home = match way {
        Way::RentedDesktop => rented_desktop(habits),
        _ => place::home(random, "JP"),
    };
    Person {
        user: format!(
            "{}.{}{index:03}",
            random.pick(FAMILY),
            char::from(b'a' + (index % 26) as u8)
        ),
        appliance: index % 4,
        home,
        way,
        carrier: u8::from(random.chance(0.5)),
        trip: random.chance(0.08).then(|| (start, start + random.within(3, 6), abroad)),
    }
}

impl Estate {
    fn tell(&mut self, appliance: usize, moment: Moment, fact: Fact<'_>) {
        for line in lines(&APPLIANCES[appliance], moment, fact) {
            self.lines.push((moment, appliance, line));
        }
    }

    fn flow(&mut self, flow: &Flow<'_>, moment: Moment, random: &mut Random) {
        self.flows.push((moment, zeek::connection(flow, moment, random)));
    }

    /// A session with an address of the pool.
    fn session(&mut self, appliance: usize, user: &str, client: Place) -> Session {
        self.leases[appliance] += 1;
        self.sessions += 1;
        let last = 10 + self.leases[appliance] % 230;
        Session {
            user: user.to_owned(),
            client,
            assigned: format!("{}.{last}", APPLIANCES[appliance].pool),
            id: self.sessions + self.seed % 97 * 100_000,
        }
    }

    /// One day of one person.
    fn live(&mut self, person: &Person, index: usize, day: i64) {
        let random = &mut Random::of(self.seed, "estate day", &[index as u64, day.unsigned_abs()]);
        let trip = person.trip.filter(|trip| trip.0 <= day && day <= trip.1);
        // The days of the flights there and back.
        let flies = person.trip.is_some_and(|trip| day == trip.0 || day == trip.1);
        if !is_working_day(day) && !random.chance(0.06) || !random.chance(0.75) || flies {
            return;
        }
        let hour = if trip.is_some() { random.within(9, 15) } else { 0 };
        let start = at(day, 7, 40) + hour * HOUR + random.minutes(0, 170);
        let client = match trip {
            Some((.., country)) => hotel(random, country),
            None if person.way == Way::SecurityService => place::security_service(random),
            None => person.home.clone(),
        };
        if trip.is_some() && person.way == Way::TwoMachines {
            let machine = self.session(person.appliance, &person.user, person.home.clone());
            self.run(person.appliance, &machine, at(day, 6, 30), 17 * HOUR, true, random);
        }
        let session = self.session(person.appliance, &person.user, client);
        let mut lasts = random.minutes(90, 540);
        // The line breaks: the gateway keeps the session for a while, and its owner logs in again
        // over the telephone.
        let breaks = trip.is_none() && random.chance(0.03);
        if breaks {
            lasts /= 3;
            let mobile = place::mobile(person.carrier, random);
            let again = self.session(person.appliance, &person.user, mobile);
            let start = start + lasts + 2 * MINUTE;
            self.run(person.appliance, &again, start, 2 * lasts, true, random);
        }
        if random.chance(0.05) {
            self.tell(person.appliance, start - 20 * SECOND, Fact::Failed(&session));
        }
        let kept = if breaks { random.minutes(20, 50) } else { 0 };
        self.run_kept(person.appliance, &session, start, (lasts, kept), true, random);
        // On the train home the telephone takes over.
        if trip.is_none() && !breaks && random.chance(0.04) {
            let mobile = place::mobile(person.carrier, random);
            self.tell(person.appliance, start + lasts / 2, Fact::Moved(&session, &mobile));
        }
        if trip.is_none() && random.chance(0.15) {
            let mobile = place::mobile(person.carrier, random);
            let session = self.session(person.appliance, &person.user, mobile);
            let start = at(day, 19, 0) + random.minutes(0, 200);
            let lasts = random.minutes(5, 60);
            self.run(person.appliance, &session, start, lasts, true, random);
        }
        // A laptop wakes: the session is taken up again without a login.
        if !breaks && random.chance(0.05) {
            let again = start + lasts + random.minutes(1, 9);
            self.run(person.appliance, &session, again, 20 * MINUTE, false, random);
        }
    }

    /// The lines and the flows of one session.
    fn run(
        &mut self,
        appliance: usize,
        session: &Session,
        start: Moment,
        lasts: i64,
        logs_in: bool,
        random: &mut Random,
    ) {
        self.run_kept(appliance, session, start, (lasts, 0), logs_in, random);
    }

    /// The same, with the time for which the gateway keeps the session after its last sign of life.
    fn run_kept(
        &mut self,
        appliance: usize,
        session: &Session,
        start: Moment,
        (lasts, kept): (i64, i64),
        logs_in: bool,
        random: &mut Random,
    ) {
        if logs_in {
            self.tell(appliance, start, Fact::Login(session));
        }
        let open = start + random.within(2, 6) * SECOND;
        self.tell(appliance, open, Fact::Open(session));
        let (sent, received) =
            (2_000_000 + random.below(300_000_000), 1_000_000 + random.below(60_000_000));
        let close = Fact::Close(session, lasts + kept, sent, received);
        self.tell(appliance, start + lasts + kept, close);
        let through = Flow {
            from: &session.client.address,
            to: APPLIANCES[appliance].outside,
            port: 443,
            service: "ssl",
            lasts,
            sent: received,
            received: sent,
        };
        self.flow(&through, start - SECOND, random);
        if logs_in {
            self.appliance_flow(appliance, "10.20.1.5", 389, start, random);
        }
        for _ in 0..random.within(4, 9) {
            let server = format!("10.20.3.{}", 10 + random.below(12));
            let port = *random.pick(&[443_u16, 443, 445, 80, 3389]);
            let flow = Flow {
                from: &session.assigned,
                to: &server,
                port,
                service: "-",
                lasts: 20_000,
                sent: 900 + random.below(40_000),
                received: 2_000 + random.below(900_000),
            };
            self.flow(&flow, open + 5 * SECOND + random.within(0, (lasts - MINUTE).max(1)), random);
        }
    }

    fn appliance_flow(
        &mut self,
        appliance: usize,
        to: &str,
        port: u16,
        moment: Moment,
        random: &mut Random,
    ) {
        let flow = Flow {
            from: APPLIANCES[appliance].inside,
            to,
            port,
            service: "-",
            lasts: 300,
            sent: 400,
            received: 700,
        };
        self.flow(&flow, moment, random);
    }

    /// What the appliances do by themselves.
    fn appliances(&mut self, day: i64) {
        for (index, appliance) in APPLIANCES.iter().enumerate() {
            let random = &mut Random::of(self.seed, appliance.name, &[day.unsigned_abs()]);
            for turn in 0..288 {
                let moment = midnight(day) + turn * 5 * MINUTE + random.within(0, 9) * SECOND;
                self.tell(index, moment, Fact::Alive(random.next()));
            }
            for hour in 0..24 {
                let moment = midnight(day) + hour * HOUR + random.minutes(0, 50);
                self.appliance_flow(index, "10.20.0.50", 514, moment, random);
                self.appliance_flow(index, "10.20.0.53", 53, moment + MINUTE, random);
                self.appliance_flow(index, "10.20.0.12", 123, moment + 2 * MINUTE, random);
            }
            let update = Flow {
                from: appliance.outside,
                to: "198.51.100.201",
                port: 443,
                service: "ssl",
                lasts: 4_000,
                sent: 3_000,
                received: 800_000,
            };
            self.flow(&update, at(day, 3, 10) + random.minutes(0, 20), random);
            if is_working_day(day) && random.chance(0.5) {
                self.tell(
                    index,
                    at(day, 10, 0) + random.minutes(0, 300),
                    Fact::Admin("admin", "10.20.0.9"),
                );
            }
            // The Internet knocks.
            for _ in 0..40 {
                let from = place::home(random, "DE").address;
                let flow = Flow {
                    from: &from,
                    to: appliance.outside,
                    port: 443,
                    service: "-",
                    lasts: 900,
                    sent: 600,
                    received: 3_000,
                };
                self.flow(&flow, midnight(day) + random.minutes(0, 1430), random);
            }
        }
        // One pair fails over: its sessions come back without a login.
        if day == 12 {
            let pool = APPLIANCES[0].pool;
            let moment = at(day, 13, 0);
            let reopened: Vec<(Moment, usize, String)> = self
                .lines
                .iter()
                .filter(|(time, appliance, line)| {
                    *appliance == 0
                        && *time > at(day, 7, 0)
                        && *time < moment
                        && line.contains("action=\"tunnel-up\"")
                        && line.contains(pool)
                })
                .take(40)
                .map(|(time, appliance, line)| {
                    let again = moment + (*time % 60_000);
                    (again, *appliance, retimed(line, again))
                })
                .collect();
            self.lines.extend(reopened);
        }
    }

    fn fact(&mut self, kind: &str, subject: &str, moment: Moment) {
        self.facts.push(json!({"kind": kind, "subject": subject, "time": utc(moment)}));
    }

    fn write(mut self, options: &Options, people: &[Person]) -> Result<Summary, Error> {
        let folder = options.out.join("evidence");
        fs::create_dir_all(&folder).map_err(Error::file("create", &folder))?;
        let gaps = std::mem::take(&mut self.gaps);
        self.lines.retain(|(time, appliance, _)| {
            !gaps.iter().any(|gap| gap.0 == *appliance && gap.1 <= *time && *time < gap.2)
        });
        self.lines.sort();
        self.flows.sort();
        let mut files: BTreeMap<&str, Vec<u8>> = BTreeMap::new();
        for (_, appliance, line) in &self.lines {
            let file = files.entry(APPLIANCES[*appliance].file).or_default();
            file.extend_from_slice(line.as_bytes());
            file.push(b'\n');
        }
        let flows = files.entry("conn.log").or_default();
        flows.extend_from_slice(zeek::CONN.as_bytes());
        for (_, line) in &self.flows {
            flows.extend_from_slice(line.as_bytes());
            flows.push(b'\n');
        }
        for (name, bytes) in &files {
            let path = folder.join(name);
            let mut file = fs::File::create(&path).map_err(Error::file("create", &path))?;
            file.write_all(bytes).map_err(Error::file("write", &path))?;
        }
        let truth = json!({
            "synthetic": true,
            "scenario": "vpn-estate",
            "seed": options.seed,
            "facts": self.facts,
            "victims": self.victims,
            "people": people.len(),
        });
        let truth = serde_json::to_string_pretty(&truth).unwrap_or_default() + "\n";
        let readme = format!(
            "SYNTHETIC. No organisation, person, account or address in this folder exists.\n\nWritten by makyo simulate vpn-estate --seed {} --scale {}.\n",
            options.seed, options.scale
        );
        for (name, text) in
            [("org.toml", ORG.to_owned()), ("truth.json", truth), ("README.txt", readme)]
        {
            let path = options.out.join(name);
            fs::write(&path, text).map_err(Error::file("write", &path))?;
        }
        let lists = options.out.join("intel");
        fs::create_dir_all(&lists).map_err(Error::file("create", &lists))?;
        let path = lists.join("hosting_v4.txt");
        fs::write(&path, HOSTING).map_err(Error::file("write", &path))?;
        let records = u64::try_from(self.lines.len() + self.flows.len()).unwrap_or(u64::MAX);
        Ok(Summary { accounts: people.len(), records })
    }
}

const ORG: &str = "\
[organisation]
name = \"Example Estate\"
domains = [\"estate.example\"]
timezone = \"Asia/Tokyo\"

[network]
egress = [\"203.0.113.0/27\"]
internal = [\"10.0.0.0/8\"]
vpn_pools = [\"10.96.0.0/14\"]
appliances = [\"203.0.113.1\", \"203.0.113.2\", \"203.0.113.3\", \"203.0.113.4\", \"10.20.0.1\", \"10.20.0.2\", \"10.20.0.3\", \"10.20.0.4\"]
";

/// The hosting ranges of the estate's world: rented machines, desktops and a security service.
const HOSTING: &str = "\
# SYNTHETIC: hosting ranges
192.0.2.0/24
198.51.100.0/24
198.19.200.0/24
198.19.240.0/24
";

/// A desktop that is rented by the month.
fn rented_desktop(random: &mut Random) -> Place {
    let address = format!("198.19.240.{}", random.within(2, 250));
    Place { address, network: 64_598, country: "JP", city: "" }
}

/// A hotel, a new network for everybody.
fn hotel(random: &mut Random, country: &'static str) -> Place {
    let address = format!("198.19.{}.{}", random.within(0, 120), random.within(2, 250));
    Place { address, network: 64_590, country, city: "" }
}

/// The same line at another time.
fn retimed(line: &str, moment: Moment) -> String {
    let rest = line.split(" devname=").nth(1).unwrap_or_default();
    let rest = rest.split(" eventtime=").next().unwrap_or_default().to_owned()
        + &format!(" eventtime={} tz=", moment * 1_000_000)
        + rest.split(" tz=").nth(1).unwrap_or_default();
    let clock = crate::moment::local(moment, crate::moment::TOKYO, "date=%Y-%m-%d time=%H:%M:%S");
    format!("{clock} devname={rest}")
}
