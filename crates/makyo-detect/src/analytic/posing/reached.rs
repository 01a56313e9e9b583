//! What was found elsewhere before: whose computer somebody else ran something on, and who was sent
//! a malicious message. What such a computer held, passwords and tokens, is somebody else's too.

use std::collections::{BTreeMap, BTreeSet};

use makyo_base::{DAY_NS, Entity, EntityKind, Finding, Organisation, Role};

use super::habit::{Feature, Habits};
use super::own::Origin;
use super::scale::Scale;
use super::unit::Unit;
use super::vpn::local;
use super::weigh::Evidence;
use crate::analytic::host::remote_execution;
use crate::analytic::mail;

/// What was taken from a computer is used for so long.
const COMPUTER_NS: i64 = 30 * DAY_NS;
/// What a page asked for is used for so long.
const MESSAGE_NS: i64 = 14 * DAY_NS;
/// Decibans from which a finding on a host says that somebody else was there.
const STRONG_DB: f64 = 14.0;
/// Decibans from which a message is malicious.
const MALICIOUS_DB: f64 = 20.0;
/// Tactics of who runs something on a host.
const TACTICS: &[&str] = &["execution", "persistence", "credential-access", "command-and-control"];

/// What was run in an account's name on a computer.
#[derive(PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Run {
    /// Whether the computer is somebody else's beyond doubt: it shows that a lure was opened. What
    /// else is found in an account's name may be its owner's work, on a host that is not theirs.
    is_taken: bool,
    at: i64,
    /// In words.
    what: String,
}

/// By the account's bare name.
#[derive(Debug, Default)]
pub(super) struct Reached {
    /// The clearest last, and of those the last.
    computers: BTreeMap<String, Vec<Run>>,
    messages: BTreeMap<String, Vec<i64>>,
    /// Sessions of telephones, whose mail service acts from addresses of its own.
    of_phones: BTreeSet<String>,
}

impl Reached {
    /// Another domain's or a computer's own account of the same name is somebody else; and that work
    /// was done from afar says by itself nothing of who did it.
    pub(super) fn by(found: &[Finding], organisation: &Organisation, units: &[Unit]) -> Self {
        let is_own = |account: &str| match account.split_once('\\') {
            Some((domain, _)) => {
                organisation.ad_domains.is_empty() || organisation.has_directory(domain)
            }
            None => true,
        };
        let phones = units.iter().filter(|unit| unit.is_phone() && !unit.session.is_empty());
        let of_phones = phones.map(|unit| unit.session.clone()).collect();
        let mut reached = Reached { of_phones, ..Reached::default() };
        let counts = |one: &&Finding| {
            one.explained_by.is_none() && one.rule.id != remote_execution::ANALYTIC.id
        };
        for finding in found.iter().filter(counts) {
            let Some(at) = finding.time else { continue };
            let of = |kind, role| {
                let is_it = move |one: &&Entity| one.kind == kind && one.role == role;
                finding.entities.iter().filter(is_it).map(|one| one.value.as_str())
            };
            let is_strong = finding.weight_db >= STRONG_DB
                && finding.tactics.iter().any(|one| TACTICS.contains(&one.as_str()));
            if let (true, Some(host)) = (is_strong, of(EntityKind::Host, Role::Place).next()) {
                let own = of(EntityKind::Account, Role::Actor).filter(|one| is_own(one));
                for account in own {
                    let what = format!("on {host}: {}", finding.rule.title);
                    let is_taken = finding.rule.id == mail::OPENED.id;
                    let runs = reached.computers.entry(local(account).to_owned()).or_default();
                    runs.push(Run { is_taken, at, what });
                }
            }
            let is_lure = finding.weight_db >= MALICIOUS_DB
                && of(EntityKind::Message, Role::Object).next().is_some();
            if is_lure {
                for account in of(EntityKind::Account, Role::Target) {
                    reached.messages.entry(local(account).to_owned()).or_default().push(at);
                }
            }
        }
        reached.computers.values_mut().for_each(|all| all.sort());
        reached.messages.values_mut().for_each(|all| all.sort_unstable());
        reached
    }

    /// Where the owner is used to be, they act themselves.
    pub(super) fn weigh(&self, unit: &Unit, habits: &Habits, scale: &Scale) -> Vec<Evidence> {
        let mut found = Vec::new();
        let is_new = unit.origin == Origin::Outside
            && !unit.is_bound()
            && habits.past(unit).days_of(Feature::Network, &unit.network) == 0;
        if !is_new {
            return found;
        }
        let days = |at: i64| (unit.first - at) / DAY_NS;
        let name = local(&unit.account);
        // A session that goes on on a telephone was not on that computer; a password may have been.
        let may_be_its = unit.entered.is_some() || !self.of_phones.contains(&unit.session);
        let computers = self.computers.get(name).filter(|_| may_be_its).into_iter().flatten();
        let before = |at: i64, most: i64| (0..=most).contains(&(unit.first - at));
        if let Some(run) = computers.rev().find(|one| before(one.at, COMPUTER_NS)) {
            let (days, what) = (days(run.at), &run.what);
            let text = format!("{days} days after something was run in its name {what}");
            let is_taken = run.is_taken && unit.signs_in && !unit.is_phone();
            let sign = if is_taken { "computer_taken" } else { "computer_reached" };
            found.push(scale.sign(sign, text));
        }
        let mut messages = self.messages.get(name).into_iter().flatten();
        if let Some(at) = messages.rfind(|at| before(**at, MESSAGE_NS)) {
            let text = format!("{} days after a malicious message came to it", days(*at));
            found.push(scale.sign("message_came", text));
        }
        found
    }
}
