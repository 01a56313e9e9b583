//! Units: one account in one session at one place with one device. A session that is split between
//! two people is two units.

use std::collections::{BTreeMap, BTreeSet};

use makyo_base::RecordRef;

use super::agent::is_computer;
use super::context::{Context, Kind};
use super::own::{Origin, Own};

/// What is judged: was this the account's owner?
#[derive(Clone, Debug)]
pub(super) struct Unit {
    pub(super) account: String,
    /// Session id; empty where the records have none.
    pub(super) session: String,
    pub(super) address: String,
    pub(super) network: String,
    pub(super) origin: Origin,
    pub(super) country: String,
    pub(super) asn: i64,
    pub(super) device: String,
    pub(super) os: &'static str,
    pub(super) is_managed: bool,
    /// Whether it has sign-ins of its own, which would name a device if there were one.
    pub(super) signs_in: bool,
    /// First interactive sign-in.
    pub(super) entered: Option<i64>,
    pub(super) browsers: BTreeSet<&'static str>,
    /// Clients of sign-ins in full.
    pub(super) agents: BTreeSet<String>,
    /// Systems of sign-ins with their versions.
    pub(super) systems: BTreeSet<String>,
    pub(super) outcome: Outcome,
    /// Sign-in protocols.
    pub(super) protocols: BTreeSet<String>,
    /// Client applications: of sign-ins, and as services see them.
    pub(super) clients: BTreeSet<String>,
    pub(super) first: i64,
    pub(super) last: i64,
    pub(super) days: BTreeSet<i32>,
    pub(super) records: Vec<RecordRef>,
}

/// What became of a sign-in.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Outcome {
    Entered,
    Refused,
    /// Something more was asked for, and nothing followed that the record tells.
    BrokenOff,
}

impl Outcome {
    pub(super) const ALL: [Outcome; 3] = [Outcome::Entered, Outcome::Refused, Outcome::BrokenOff];

    /// What was done to a sign-in, for people.
    pub(super) fn word(self) -> &'static str {
        match self {
            Outcome::Entered => "was granted",
            Outcome::Refused => "was refused",
            Outcome::BrokenOff => "was asked for more",
        }
    }
}

/// So many records stand behind a unit in a finding.
const RECORDS_MAX: usize = 8;

impl Unit {
    /// Whether a registered device stands behind it.
    pub(super) fn is_bound(&self) -> bool {
        self.is_managed || !self.device.is_empty()
    }

    pub(super) fn is_phone(&self) -> bool {
        matches!(self.os, "ios" | "android")
    }

    /// Whether it names a system that people sit at; programs and telephones do not.
    pub(super) fn is_computer(&self) -> bool {
        is_computer(self.os)
    }

    /// System and browser in words, for people.
    pub(super) fn persona(&self) -> String {
        let browsers = self.browsers.iter().copied().filter(|one| !one.is_empty());
        let client = browsers.collect::<Vec<_>>().join("+");
        let client = if client.is_empty() { "unnamed client".to_owned() } else { client };
        let os = if self.os.is_empty() { "unnamed system" } else { self.os };
        let device = if self.is_bound() { "registered device" } else { "no registered device" };
        format!("{client} on {os}, {device}")
    }

    fn new(context: &Context, own: &Own) -> Self {
        Unit {
            account: context.account.clone(),
            session: context.session.clone(),
            address: context.address.clone(),
            network: context.network.clone(),
            origin: own.origin(&context.address),
            country: String::new(),
            asn: 0,
            device: context.device.clone(),
            os: context.os,
            is_managed: false,
            signs_in: false,
            entered: None,
            browsers: BTreeSet::new(),
            agents: BTreeSet::new(),
            systems: BTreeSet::new(),
            outcome: Outcome::Entered,
            protocols: BTreeSet::new(),
            clients: BTreeSet::new(),
            first: context.first,
            last: context.last,
            days: BTreeSet::new(),
            records: Vec::new(),
        }
    }

    /// A sign-in that failed, as if it had not.
    pub(super) fn refused(context: &Context, own: &Own) -> Self {
        let mut unit = Unit::new(context, own);
        unit.add(context);
        unit.entered = Some(context.first);
        unit.outcome = match context.kind {
            Kind::Interrupt => Outcome::BrokenOff,
            _ => Outcome::Refused,
        };
        unit
    }

    fn add(&mut self, context: &Context) {
        self.first = self.first.min(context.first);
        self.last = self.last.max(context.last);
        self.days.extend(&context.days);
        self.is_managed |= context.is_managed;
        if self.country.is_empty() {
            self.country.clone_from(&context.country);
        }
        self.asn = self.asn.max(context.asn);
        if self.os.is_empty() {
            self.os = context.os;
        }
        if self.records.len() < RECORDS_MAX {
            self.records.push(context.record.clone());
        }
        if !context.client.is_empty() {
            self.clients.insert(context.client.clone());
        }
        if context.kind == Kind::Activity {
            return;
        }
        self.signs_in = true;
        if context.kind == Kind::Interactive {
            let entered = self.entered.map_or(context.first, |known| known.min(context.first));
            self.entered = Some(entered);
        }
        self.browsers.insert(context.browser);
        if !context.agent.is_empty() {
            self.agents.insert(context.agent.clone());
        }
        // Logs spell the same version in several ways, and sometimes name none.
        if context.system.contains(|letter: char| letter.is_ascii_digit()) {
            let system = context.system.chars().filter(|letter| !letter.is_whitespace());
            self.systems.insert(system.collect());
        }
        if !context.protocol.is_empty() {
            self.protocols.insert(context.protocol.clone());
        }
    }
}

type Key<'a> = (&'a str, &'a str, &'a str, i32);

/// Puts contexts together. Sign-ins name the device; what was done later joins the sign-ins of its
/// session from the same address, or is a unit of its own.
pub(super) fn units(contexts: &[Context], own: &Own) -> Vec<Unit> {
    let mut places: BTreeMap<Key<'_>, Vec<Unit>> = BTreeMap::new();
    let signs_in = |one: &&Context| matches!(one.kind, Kind::Interactive | Kind::Renewal);
    let does = |one: &&Context| one.kind == Kind::Activity;
    let names =
        |one: &&Context| !one.device.is_empty() || !one.os.is_empty() || !one.browser.is_empty();
    let named = contexts.iter().filter(signs_in).filter(names);
    let unnamed = contexts.iter().filter(signs_in).filter(|one| !names(one));
    for context in named.chain(unnamed) {
        let units = places.entry(key(context)).or_default();
        // A row that names nothing is no second machine beside one that has a name.
        let names_nothing =
            context.device.is_empty() && context.os.is_empty() && context.browser.is_empty();
        let same = units.iter_mut().find(|unit| {
            unit.device == context.device && (unit.os == context.os || context.os.is_empty())
                || names_nothing
        });
        match same {
            Some(unit) => unit.add(context),
            None => {
                let mut unit = Unit::new(context, own);
                unit.add(context);
                units.push(unit);
            }
        }
    }
    for context in contexts.iter().filter(does) {
        let units = places.entry(key(context)).or_default();
        let fits = |unit: &Unit| {
            (context.device.is_empty() || unit.device == context.device)
                && (context.os.is_empty() || unit.os.is_empty() || unit.os == context.os)
        };
        let at = units.iter().position(fits).or((!units.is_empty()).then_some(0));
        match at.and_then(|at| units.get_mut(at)) {
            Some(unit) => unit.add(context),
            None => {
                let mut unit = Unit::new(context, own);
                unit.add(context);
                units.push(unit);
            }
        }
    }
    places.into_values().flatten().collect()
}

/// Sessions without an id are taken day by day.
fn key(context: &Context) -> Key<'_> {
    let day = if context.session.is_empty() {
        context.days.first().copied().unwrap_or_default()
    } else {
        0
    };
    (&context.account, &context.session, &context.address, day)
}
