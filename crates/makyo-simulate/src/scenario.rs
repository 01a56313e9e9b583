//! From the options to the folder.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::act::Scene;
use crate::evidence::{Evidence, Log, Wording, gap, reworded};
use crate::intrusion::{self, Plan, cleared_at, taken_out};
use crate::mail::{Desk, Mail};
use crate::moment::{HOUR, START, at};
use crate::people::people;
use crate::random::Random;
use crate::record::vpn::{Gateway, Make, gateways};
use crate::truth::Truth;
use crate::{Error, Gap, chip_maker, decoy, estate, habit, hosts, organisation, staff, think_tank};

/// What can be simulated.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scenario {
    /// VPN appliance, servers, directory, then cloud accounts in many ways.
    Agency,
    /// The same, but every cloud account is entered from inside, like staff.
    AgencyInside,
    /// The same organisation with all look-alikes and no intruder.
    Benign,
    /// A mail from a taken-over address, a laptop, then the cloud.
    ThinkTank,
    /// An appliance that nobody knows, a plant next door, a vendor's credential, a botnet.
    ChipMaker,
    /// Four makes of VPN appliances and the flows beside them; facts of thirteen kinds.
    VpnEstate,
}

impl Scenario {
    /// All, by name.
    pub const ALL: &[(&str, Scenario)] = &[
        ("agency", Scenario::Agency),
        ("agency-inside", Scenario::AgencyInside),
        ("benign", Scenario::Benign),
        ("think-tank", Scenario::ThinkTank),
        ("chip-maker", Scenario::ChipMaker),
        ("vpn-estate", Scenario::VpnEstate),
    ];

    /// The scenario of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|entry| entry.0 == name).map(|entry| entry.1)
    }

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|entry| entry.1 == self).map_or("", |entry| entry.0)
    }

    /// Accounts at scale 1.
    fn accounts(self) -> f64 {
        match self {
            Scenario::ThinkTank => 150.0,
            Scenario::ChipMaker => 600.0,
            _ => 1_600.0,
        }
    }

    fn make(self) -> Make {
        if self == Scenario::ChipMaker { Make::EdgeGate } else { Make::FortiGate }
    }

    /// What the organisation says instead of the agency's words.
    fn wording(self) -> Wording {
        match self {
            Scenario::ThinkTank => &[
                ("agency", "forum"),
                ("AGENCY", "FORUM"),
                ("launch", "asia"),
                ("satops", "energy"),
            ],
            Scenario::ChipMaker => &[
                ("agency", "chips"),
                ("AGENCY", "CHIPS"),
                ("launch", "masks"),
                ("satops", "yield"),
            ],
            _ => &[],
        }
    }
}

/// What to write, and where.
#[derive(Clone, PartialEq, Debug)]
pub struct Options {
    /// What happens.
    pub scenario: Scenario,
    /// Another seed, another organisation.
    pub seed: u64,
    /// 1 is the organisation's full size: 1,600 accounts of the agency.
    pub scale: f64,
    /// How many days; 30 unless there is a reason.
    pub days: i64,
    /// The folder; it must be empty or not exist.
    pub out: PathBuf,
}

/// What was written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Summary {
    /// Accounts.
    pub accounts: usize,
    /// Log records.
    pub records: u64,
}

/// The smallest organisation in which every look-alike has its person.
const ACCOUNTS_MIN: usize = 80;

/// Writes `evidence/`, `org.toml`, `truth.json` and `README.txt`.
///
/// # Errors
/// If the folder is not empty, or the disk refuses it.
pub fn simulate(options: &Options) -> Result<Summary, Error> {
    let out = &options.out;
    fs::create_dir_all(out).map_err(Error::file("create", out))?;
    if fs::read_dir(out).map_err(Error::file("read", out))?.next().is_some() {
        let reason = "the folder is not empty".to_owned();
        return Err(Error::Content { path: out.clone(), reason });
    }
    if options.scenario == Scenario::VpnEstate {
        return estate::simulate(options);
    }
    let full = options.scenario.accounts();
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "small and positive"
    )]
    let accounts = ((full * options.scale).round() as usize).max(ACCOUNTS_MIN);
    let mut scene = scene(options, accounts);
    let plan = match options.scenario {
        Scenario::ThinkTank => think_tank::plan(),
        scenario => Plan::new(&scene, scenario == Scenario::AgencyInside),
    };
    for day in 0..options.days {
        for index in 0..scene.people.len() {
            staff::live(&mut scene, day, index);
        }
        decoy::happen(&mut scene, day);
        hosts::happen(&mut scene, day);
        intrude(options.scenario, &mut scene, &plan, day);
        scene.evidence.finish_day(day, day + 1 == options.days)?;
    }
    finish(options, &mut scene)?;
    Ok(Summary { accounts, records: scene.evidence.records() })
}

fn intrude(scenario: Scenario, scene: &mut Scene, plan: &Plan, day: i64) {
    match scenario {
        Scenario::Benign | Scenario::VpnEstate => {}
        Scenario::Agency | Scenario::AgencyInside => {
            intrusion::on_servers(scene, plan, day);
            intrusion::in_cloud(scene, plan, day);
        }
        Scenario::ThinkTank => {
            think_tank::happen(scene, day);
            intrusion::in_cloud(scene, plan, day);
        }
        Scenario::ChipMaker => chip_maker::happen(scene, plan, day),
    }
}

fn scene(options: &Options, accounts: usize) -> Scene {
    let people = people(options.seed, accounts);
    let mut truth = Truth::default();
    habit::declare(&people, &mut truth);
    let gateways = gateways(options.scenario.make());
    let (holes, gaps) = gaps(options, gateways[0]);
    truth.gaps = gaps;
    for person in &people {
        truth.accounts.entry(person.upn.clone()).or_default();
    }
    let folder = options.out.join("evidence");
    Scene {
        seed: options.seed,
        desks: people.iter().map(|person| desk(options.seed, person.index)).collect(),
        people,
        gateways,
        evidence: Evidence::new(&folder, holes, DAY_TWICE, options.scenario.wording()),
        truth,
        leases: 0,
        tunnels: 0,
        throttled: Vec::new(),
    }
}

/// The day of which the audit log was exported twice.
const DAY_TWICE: i64 = 18;

/// A desk with the mails of the weeks before.
fn desk(seed: u64, index: usize) -> Desk {
    let random = &mut Random::of(seed, "before", &[index as u64]);
    let mut desk = Desk::default();
    let mut times: Vec<i64> =
        (0..random.within(10, 60)).map(|_| START - random.minutes(1, 20 * 1440)).collect();
    times.sort_unstable();
    for moment in times {
        desk.receive(Mail::from_outside(moment, random));
    }
    desk
}

/// What the sources lose, for the writer and for the truth.
fn gaps(options: &Options, gateway: Gateway) -> (Vec<(Log, i64, i64)>, Vec<Gap>) {
    let audit = (at(16, 14, 0), at(17, 18, 0));
    let silent = (at(11, 14, 0), at(11, 15, 0));
    let source = if gateway.make == Make::FortiGate { "fortigate" } else { "generic" };
    let mut holes =
        vec![(Log::UnifiedAudit, audit.0, audit.1), (Log::Vpn(gateway.name), silent.0, silent.1)];
    let mut told = vec![
        gap("m365-unified-audit", "tenant", audit.0, audit.1, "silence"),
        gap(source, gateway.name, silent.0, silent.1, "silence"),
    ];
    if matches!(options.scenario, Scenario::Agency | Scenario::AgencyInside) {
        let cleared = cleared_at(options.seed);
        holes.push((Log::Windows("srv-app01".into()), START - 24 * HOUR, cleared));
        told.push(gap("windows-security", "srv-app01", START, cleared, "cleared"));
        // Single records are taken out of the controller's log, and only their numbers tell.
        let (from, to) = taken_out(options.seed);
        holes.push((Log::Windows("dc01".into()), from, to));
        told.push(gap("windows-security", "dc01", from, to, "silence"));
    }
    (holes, told)
}

/// What happened to the assets, by what the logs can prove. A hole of the audit log lies in every
/// intrusion's time, so nothing in the cloud can be called untouched.
fn assets(scenario: Scenario, truth: &mut Truth) {
    let hole = || json!({"verdict": "unknown", "reason": "the audit log has a hole of 28 hours"});
    let board = match truth.accounts.get("president@agency.example") {
        Some(president) if !president.mails.is_empty() => {
            json!({"verdict": "accessed", "accounts": ["president@agency.example"]})
        }
        _ => hole(),
    };
    let launch_site = truth.accounts.iter().filter(|(_, account)| {
        let files = account.downloaded.iter().chain(&account.viewed);
        files.into_iter().any(|file| file.starts_with("launch/"))
    });
    let mut users: Vec<String> = launch_site.map(|(name, _)| name.clone()).collect();
    if let Some(share) = truth.assets.get("launch vehicle designs") {
        let by_share = share["accounts"].as_array().into_iter().flatten();
        users.extend(by_share.filter_map(Value::as_str).map(str::to_owned));
    }
    let launch =
        if users.is_empty() { hole() } else { json!({"verdict": "accessed", "accounts": users}) };
    let mut rows = vec![
        ("launch vehicle designs", launch),
        ("satellite operations", hole()),
        ("medical files of crews", json!({"verdict": "not_accessed"})),
        ("bids", json!({"verdict": "unknown", "reason": "no log of fs02 was collected"})),
        ("board mail", board),
    ];
    if scenario == Scenario::ChipMaker {
        let reason = "the intruder was on the historian, whose log holds no file access";
        rows.push(("plant", json!({"verdict": "unknown", "reason": reason})));
    }
    truth.assets = rows.into_iter().map(|(name, row)| (name.to_owned(), row)).collect();
}

fn finish(options: &Options, scene: &mut Scene) -> Result<(), Error> {
    let Options { scenario, seed, scale, .. } = options;
    scene.truth.incidents = match scenario {
        Scenario::Benign => 0,
        Scenario::ChipMaker => 2,
        _ => 1,
    };
    if *scenario != Scenario::Benign {
        assets(*scenario, &mut scene.truth);
    }
    for gap in &mut scene.truth.gaps {
        let log = match gap.source.as_str() {
            "m365-unified-audit" if gap.scope == "tenant" => Log::UnifiedAudit,
            "windows-security" => Log::Windows(gap.scope.clone()),
            "m365-unified-audit" => continue,
            _ => Log::Vpn(scene.gateways[0].name),
        };
        gap.records_lost = Some(scene.evidence.lost(&log));
    }
    let truth = scene.truth.to_json(scenario.name(), *seed, *scale);
    let truth = serde_json::to_string_pretty(&truth).unwrap_or_default() + "\n";
    let readme = format!(
        "SYNTHETIC. No organisation, person, account or address in this folder exists.\n\nWritten by makyo simulate {} --seed {seed} --scale {scale}.\nevidence/   log records in the products' own forms\norg.toml    the organisation's own facts, for --org\ntruth.json  what really happened, for makyo simulate --score\n",
        scenario.name(),
    );
    let org = organisation::org_toml(*scenario, &scene.people);
    for (name, text) in [("org.toml", org), ("truth.json", truth), ("README.txt", readme)] {
        let path = options.out.join(name);
        let words = if name == "README.txt" { &[] } else { scenario.wording() };
        fs::write(&path, reworded(&text, words).as_bytes()).map_err(Error::file("write", &path))?;
    }
    Ok(())
}
