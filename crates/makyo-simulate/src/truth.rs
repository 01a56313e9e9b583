//! The truth behind the evidence: what really happened, and what the logs can prove of it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use crate::moment::{Moment, utc};

/// How far the intruder got with an account or host.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Debug)]
pub enum Rung {
    /// Not at all.
    #[default]
    None,
    /// Its credential was in something stolen.
    Exposed,
    /// Tried.
    Attempted,
    /// Signed in.
    Authenticated,
    /// Read.
    Accessed,
    /// Took away.
    ExfilLikely,
    /// Changed something.
    Modified,
}

impl Rung {
    /// The word in the answers.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Rung::None => "none",
            Rung::Exposed => "exposed",
            Rung::Attempted => "attempted",
            Rung::Authenticated => "authenticated",
            Rung::Accessed => "accessed",
            Rung::ExfilLikely => "exfil_likely",
            Rung::Modified => "modified",
        }
    }

    /// The verdict that follows from it.
    #[must_use]
    pub fn verdict(self) -> &'static str {
        match self {
            Rung::None => "clear",
            Rung::Exposed | Rung::Attempted => "targeted",
            _ => "breached",
        }
    }
}

/// A time that the logs do not cover.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Gap {
    /// The source, by the name of its description.
    pub source: String,
    /// The device, host or mailbox; `tenant` for all of the cloud.
    pub scope: String,
    /// From when, milliseconds.
    pub from: i64,
    /// Until when, milliseconds.
    pub to: i64,
    /// Why.
    pub kind: &'static str,
    /// How many records are missing, where that can be counted.
    pub records_lost: Option<u64>,
}

/// What is true of one account.
#[derive(Clone, Default, Debug)]
pub(crate) struct AccountTruth {
    pub(crate) rung: Rung,
    pub(crate) first: Option<Moment>,
    pub(crate) last: Option<Moment>,
    pub(crate) vector: &'static str,
    pub(crate) way: &'static str,
    /// Mails whose reading is in the logs.
    pub(crate) mails: BTreeSet<String>,
    /// Mails that were read while the logs were silent.
    pub(crate) mails_unlogged: BTreeSet<String>,
    pub(crate) folders: BTreeSet<String>,
    pub(crate) viewed: BTreeSet<String>,
    pub(crate) downloaded: BTreeSet<String>,
    pub(crate) uploaded: BTreeSet<String>,
    pub(crate) persistence: Vec<(&'static str, Moment, String)>,
    pub(crate) sessions: BTreeSet<String>,
}

/// Something harmless that looks bad.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Decoy {
    pub(crate) kind: &'static str,
    pub(crate) value: String,
    pub(crate) why: &'static str,
}

/// Everything that is true.
#[derive(Clone, Default, Debug)]
pub(crate) struct Truth {
    pub(crate) accounts: BTreeMap<String, AccountTruth>,
    pub(crate) hosts: BTreeMap<String, (Rung, Option<Moment>)>,
    pub(crate) assets: BTreeMap<String, Value>,
    pub(crate) entry: Vec<Value>,
    pub(crate) path: Vec<(Moment, &'static str, &'static str)>,
    pub(crate) gaps: Vec<Gap>,
    pub(crate) decoys: Vec<Decoy>,
    pub(crate) incidents: u32,
    /// Mails of the intruder: verdict and time, by id.
    pub(crate) messages: BTreeMap<String, (&'static str, Moment)>,
    /// Own devices that serve a botnet.
    pub(crate) botnet_members: Vec<String>,
    /// Accounts whose name changed: the old name by the new one.
    pub(crate) renamed: BTreeMap<String, String>,
}

impl Truth {
    /// The intruder got this far with an account at a time; `is_logged` says whether the logs
    /// show it. Only what they show counts for the rung.
    pub(crate) fn reached(
        &mut self,
        account: &str,
        rung: Rung,
        moment: Moment,
        is_logged: bool,
    ) -> &mut AccountTruth {
        let account = self.renamed.get(account).map_or(account, String::as_str).to_owned();
        let truth = self.accounts.entry(account).or_default();
        if is_logged {
            // Being exposed is older than the first act, but is not an act.
            if truth.rung <= Rung::Exposed || truth.first.is_none() {
                truth.first = Some(moment);
            }
            let is_new = truth.rung < Rung::Authenticated && rung >= Rung::Authenticated;
            if is_new || (rung >= Rung::Authenticated && truth.first > Some(moment)) {
                truth.first = Some(moment);
            }
            truth.last = truth.last.max(Some(moment));
            truth.rung = truth.rung.max(rung);
        }
        truth
    }

    pub(crate) fn host(&mut self, host: &str, rung: Rung, moment: Moment) {
        let known = self.hosts.entry(host.to_owned()).or_default();
        known.0 = known.0.max(rung);
        known.1 = Some(known.1.map_or(moment, |first| first.min(moment)));
    }

    /// A step of the path that a log holds; its first time counts.
    pub(crate) fn stage(&mut self, moment: Moment, tactic: &'static str, technique: &'static str) {
        match self.path.iter_mut().find(|stage| (stage.1, stage.2) == (tactic, technique)) {
            Some(stage) => stage.0 = stage.0.min(moment),
            None => self.path.push((moment, tactic, technique)),
        }
    }

    pub(crate) fn decoy(&mut self, kind: &'static str, value: &str, why: &'static str) {
        let decoy = Decoy { kind, value: value.to_owned(), why };
        if !self.decoys.contains(&decoy) {
            self.decoys.push(decoy);
        }
    }

    /// As `truth.json`.
    pub(crate) fn to_json(&self, scenario: &str, seed: u64, scale: f64) -> Value {
        let accounts: Map<String, Value> =
            self.accounts.iter().map(|(name, truth)| (name.clone(), account(truth))).collect();
        let hosts: Map<String, Value> = self
            .hosts
            .iter()
            .map(|(name, (rung, first))| {
                let verdict = if *rung == Rung::None { "unknown" } else { rung.verdict() };
                (
                    name.clone(),
                    json!({"verdict": verdict, "rung": rung.word(), "first_seen": first.map(utc)}),
                )
            })
            .collect();
        let mut path = self.path.clone();
        path.sort_unstable();
        let path: Vec<Value> = path
            .iter()
            .map(|(time, tactic, technique)| {
                json!({"time": utc(*time), "tactic": tactic, "technique": technique})
            })
            .collect();
        let gaps: Vec<Value> = self
            .gaps
            .iter()
            .map(|gap| {
                json!({"source": gap.source, "scope": gap.scope, "from": utc(gap.from), "to": utc(gap.to), "kind": gap.kind, "records_lost": gap.records_lost})
            })
            .collect();
        let decoys: Vec<Value> = self
            .decoys
            .iter()
            .map(|decoy| json!({"kind": decoy.kind, "value": decoy.value, "why": decoy.why}))
            .collect();
        let messages: Map<String, Value> = self
            .messages
            .iter()
            .map(|(id, (verdict, time))| {
                (id.clone(), json!({"verdict": verdict, "received": utc(*time)}))
            })
            .collect();
        json!({
            "synthetic": true, "scenario": scenario, "seed": seed, "scale": scale,
            "incidents": self.incidents, "entry": self.entry, "accounts": accounts, "hosts": hosts,
            "renamed": self.renamed, "path": path, "assets": self.assets, "gaps": gaps, "benign": decoys, "messages": messages,
            "botnet_members": self.botnet_members,
        })
    }
}

fn account(truth: &AccountTruth) -> Value {
    let persistence: Vec<Value> = truth
        .persistence
        .iter()
        .map(|(kind, time, detail)| json!({"kind": kind, "time": utc(*time), "detail": detail}))
        .collect();
    let unlogged = truth.mails_unlogged.difference(&truth.mails).count();
    let mut row = json!({
        "verdict": truth.rung.verdict(), "rung": truth.rung.word(),
        "first_seen": truth.first.map(utc), "last_seen": truth.last.map(utc),
    });
    if truth.rung >= Rung::Attempted {
        row["vector"] = truth.vector.into();
        row["way"] = truth.way.into();
    }
    if truth.rung >= Rung::Authenticated {
        row["mail_items"] = truth.mails.len().into();
        row["mail_items_unlogged"] = unlogged.into();
        row["mail_folders_synced"] = truth.folders.len().into();
        row["files_viewed"] = truth.viewed.len().into();
        row["files_downloaded"] = truth.downloaded.len().into();
        row["files_uploaded"] = truth.uploaded.len().into();
        row["persistence"] = persistence.into();
        row["sessions"] = truth.sessions.iter().cloned().collect();
    }
    row
}
