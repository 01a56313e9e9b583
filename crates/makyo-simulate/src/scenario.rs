//! From the options to the folder.

use std::fs;
use std::path::PathBuf;

use serde_json::json;

use crate::act::Scene;
use crate::evidence::{Evidence, Log, gap};
use crate::intrusion::{self, Plan, cleared_at};
use crate::mail::{Desk, Mail};
use crate::moment::{HOUR, START, at};
use crate::people::people;
use crate::random::Random;
use crate::truth::Truth;
use crate::{Error, Gap, decoy, habit, organisation, staff};

/// What can be simulated.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scenario {
    /// VPN appliance, servers, directory, then cloud accounts in many ways.
    Agency,
    /// The same, but every cloud account is entered from inside, like staff.
    AgencyInside,
    /// The same organisation with all look-alikes and no intruder.
    Benign,
}

impl Scenario {
    /// All, by name.
    pub const ALL: &[(&str, Scenario)] = &[
        ("agency", Scenario::Agency),
        ("agency-inside", Scenario::AgencyInside),
        ("benign", Scenario::Benign),
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
}

/// What to write, and where.
#[derive(Clone, PartialEq, Debug)]
pub struct Options {
    /// What happens.
    pub scenario: Scenario,
    /// Another seed, another organisation.
    pub seed: u64,
    /// 1 is 1,600 accounts.
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
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "small and positive"
    )]
    let accounts = ((1_600.0 * options.scale).round() as usize).max(ACCOUNTS_MIN);
    let mut scene = scene(options, accounts);
    let plan = match options.scenario {
        Scenario::Agency => Some(Plan::new(&scene, false)),
        Scenario::AgencyInside => Some(Plan::new(&scene, true)),
        Scenario::Benign => None,
    };
    for day in 0..options.days {
        scene.leases = 0;
        for index in 0..scene.people.len() {
            staff::live(&mut scene, day, index);
        }
        decoy::happen(&mut scene, day);
        if let Some(plan) = &plan {
            intrusion::happen(&mut scene, plan, day);
        }
        scene.evidence.finish_day(day, day + 1 == options.days)?;
    }
    finish(options, &mut scene, plan.is_some())?;
    Ok(Summary { accounts, records: scene.evidence.records() })
}

fn scene(options: &Options, accounts: usize) -> Scene {
    let people = people(options.seed, accounts);
    let mut truth = Truth::default();
    habit::declare(&people, &mut truth);
    let (holes, gaps) = gaps(options.scenario);
    truth.gaps = gaps;
    for person in &people {
        truth.accounts.entry(person.upn.clone()).or_default();
    }
    Scene {
        seed: options.seed,
        desks: people.iter().map(|person| desk(options.seed, person.index)).collect(),
        people,
        evidence: Evidence::new(&options.out.join("evidence"), holes, 18),
        truth,
        leases: 0,
        tunnels: 0,
        throttled: Vec::new(),
    }
}

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
fn gaps(scenario: Scenario) -> (Vec<(Log, i64, i64)>, Vec<Gap>) {
    let audit = (at(16, 14, 0), at(17, 18, 0));
    let silent = (at(11, 14, 0), at(11, 15, 0));
    let mut holes =
        vec![(Log::UnifiedAudit, audit.0, audit.1), (Log::Vpn("vpn-gw1"), silent.0, silent.1)];
    let mut told = vec![
        gap("m365-unified-audit", "tenant", audit.0, audit.1, "silence"),
        gap("fortigate", "vpn-gw1", silent.0, silent.1, "silence"),
    ];
    if scenario != Scenario::Benign {
        let cleared = cleared_at();
        holes.push((Log::Windows("srv-app01".into()), START - 24 * HOUR, cleared));
        told.push(gap("windows-security", "srv-app01", START, cleared, "cleared"));
    }
    (holes, told)
}

fn finish(options: &Options, scene: &mut Scene, is_attacked: bool) -> Result<(), Error> {
    let truth = &mut scene.truth;
    truth.incidents = u32::from(is_attacked);
    if is_attacked {
        truth.assets.insert(
            "board mail".into(),
            json!({"verdict": "accessed", "accounts": ["president@agency.example"]}),
        );
        truth.assets.insert(
            "satellite operations".into(),
            json!({"verdict": "unknown", "reason": "the audit log has a hole of 28 hours"}),
        );
        truth.assets.insert(
            "bids".into(),
            json!({"verdict": "unknown", "reason": "no log of fs02 was collected"}),
        );
        truth.assets.insert("medical files of crews".into(), json!({"verdict": "not_accessed"}));
    }
    let text = serde_json::to_string_pretty(&truth.to_json(
        options.scenario.name(),
        options.seed,
        options.scale,
    ))
    .unwrap_or_default();
    let readme = format!(
        "SYNTHETIC. No organisation, person, account or address in this folder exists.\n\nWritten by makyo simulate {} --seed {} --scale {}.\nevidence/   log records in the products' own forms\norg.toml    the organisation's own facts, for --org\ntruth.json  what really happened, for makyo simulate --score\n",
        options.scenario.name(),
        options.seed,
        options.scale,
    );
    for (name, text) in [
        ("org.toml", organisation::org_toml(&scene.people)),
        ("truth.json", text + "\n"),
        ("README.txt", readme),
    ] {
        let path = options.out.join(name);
        fs::write(&path, text).map_err(Error::file("write", &path))?;
    }
    Ok(())
}
