//! All answers, in the contract's JSON.

use makyo_base::{Finding, HOUR_NS, Object, Organisation, Query, QueryError};

use crate::coverage::Coverage;
use crate::facts::{CloudUse, Facts, ShareUse, Tunnel};
use crate::incident::{Incident, incidents};
use crate::intruder::{Address, Intruder, Step};
use crate::{
    access, accounts, assets, containment, entry, graph, hosts, messages, path, persistence,
    timeline,
};

/// What the answers are made from.
#[derive(Clone, Copy)]
pub struct Inputs<'a> {
    /// The case's events.
    pub query: &'a dyn Query,
    /// The organisation's own facts.
    pub organisation: &'a Organisation,
    /// Findings, sorted by time and id.
    pub findings: &'a [Finding],
    /// Places that could not be read.
    pub unread: &'a [Unread],
    /// Decibans that an incident needs in all.
    pub incident_least: f64,
    /// Decibans that its strongest finding needs.
    pub incident_strong: f64,
}

impl std::fmt::Debug for Inputs<'_> {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(to, "Inputs({} findings)", self.findings.len())
    }
}

/// A place that could not be read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Unread {
    /// The file.
    pub file: String,
    /// Why, in a word.
    pub kind: String,
    /// Why, in a sentence.
    pub detail: String,
}

/// One answer as a table.
#[derive(Clone, PartialEq, Debug)]
pub struct Table {
    /// Its name, as `makyo show` knows it.
    pub name: &'static str,
    /// Its columns, in the contract's order.
    pub columns: &'static [&'static str],
    /// Its rows.
    pub rows: Vec<Object<'static>>,
}

/// All answers.
#[derive(Clone, PartialEq, Debug)]
pub struct Answers {
    /// The tables.
    pub tables: Vec<Table>,
}

impl Answers {
    /// A table by name.
    #[must_use]
    pub fn table(&self, name: &str) -> &[Object<'static>] {
        self.tables
            .iter()
            .find(|table| table.name == name)
            .map(|table| table.rows.as_slice())
            .unwrap_or_default()
    }
}

/// What the single answers share.
pub(crate) struct Picture<'a> {
    pub(crate) organisation: &'a Organisation,
    pub(crate) findings: &'a [Finding],
    pub(crate) facts: Facts,
    pub(crate) intruder: Intruder,
    pub(crate) incidents: Vec<Incident>,
    pub(crate) coverage: Coverage,
}

impl Picture<'_> {
    pub(crate) fn finding(&self, index: usize) -> Option<&Finding> {
        self.findings.get(index)
    }

    pub(crate) fn finding_id(&self, index: usize) -> String {
        self.finding(index).map(|finding| finding.id.clone()).unwrap_or_default()
    }

    /// Whether a finding belongs to an incident.
    pub(crate) fn in_incident(&self, index: usize) -> bool {
        self.incidents.iter().any(|incident| incident.findings.contains(&index))
    }

    /// The finding that ties a use of the cloud to an incident, and by what.
    pub(crate) fn tied_use(&self, used: &CloudUse) -> Option<(usize, &'static str)> {
        self.intruder
            .tie(&used.account, &used.session, &used.address, used.first)
            .filter(|tie| self.in_incident(tie.0))
    }

    /// The technique of a step onto a host: a remote desktop, a share that was opened there, or what
    /// no record tells.
    pub(crate) fn way_onto(&self, step: &Step) -> &'static str {
        let opened = |used: &ShareUse| {
            used.account == step.account
                && used.host == step.to
                && used.address == step.from
                && (step.time - HOUR_NS..=step.time + HOUR_NS).contains(&used.first)
        };
        if step.is_remote_desktop {
            "T1021.001"
        } else if self.facts.shares.iter().any(opened) {
            "T1021.002"
        } else {
            "T1021"
        }
    }

    /// The finding that ties a use of a share to an incident: it came from a leased address, or from
    /// a host on which the intruder was with this account, and never before.
    pub(crate) fn tied_share(&self, share: &ShareUse) -> Option<usize> {
        let overlaps = |lease: &&Address| {
            lease.value == share.address && share.last >= lease.from && share.first <= lease.to
        };
        let lease = self.intruder.leases.iter().find(overlaps).map(|lease| lease.finding);
        let finding = lease.or_else(|| {
            let from = self.facts.addresses.host(&share.address, share.first)?;
            let is_theirs = |step: &&Step| {
                let until = |lease: &Address| {
                    lease.finding == step.finding
                        && (lease.from..=lease.to).contains(&step.time)
                        && share.first <= lease.to
                };
                step.to == from
                    && step.account == share.account
                    && step.time <= share.since
                    && self.intruder.leases.iter().any(until)
            };
            self.intruder.steps.iter().find(is_theirs).map(|step| step.finding)
        });
        finding.filter(|finding| self.in_incident(*finding))
    }

    /// The finding that says a tunnel was the intruder's.
    pub(crate) fn tied_tunnel(&self, tunnel: &Tunnel) -> Option<usize> {
        let is_lease = |lease: &&Address| {
            lease.value == tunnel.inside && (lease.from..=lease.to).contains(&tunnel.start)
        };
        let lease = self.intruder.leases.iter().find(is_lease)?;
        Some(lease.finding).filter(|finding| self.in_incident(*finding))
    }

    /// From the first to the last sign of any intruder.
    pub(crate) fn window(&self) -> Option<(i64, i64)> {
        let start = self.incidents.iter().map(|incident| incident.start).min()?;
        let end = self.incidents.iter().map(|incident| incident.end).max()?;
        let used = self.facts.uses.iter().filter(|used| self.tied_use(used).is_some());
        Some((start, used.map(|one| one.last).max().unwrap_or(end).max(end)))
    }
}

/// Answers the questions that the evidence supports.
///
/// # Errors
/// If a query fails, which is a mistake of ours or damage to the case.
pub fn answer(inputs: &Inputs<'_>) -> Result<Answers, QueryError> {
    let mut facts = Facts::read(inputs.query, inputs.organisation)?;
    let mut intruder =
        Intruder::trace(inputs.findings, &facts, inputs.organisation, inputs.incident_strong);
    facts.read_uses(inputs.query, &intruder.places())?;
    intruder.leave_to_owners(&facts, inputs.organisation);
    let incidents = incidents(
        inputs.findings,
        &facts,
        &intruder,
        inputs.organisation,
        inputs.incident_least,
        inputs.incident_strong,
    );
    let coverage = Coverage::read(inputs.query, inputs.unread)?;
    let picture = Picture {
        organisation: inputs.organisation,
        findings: inputs.findings,
        facts,
        intruder,
        incidents,
        coverage,
    };
    let entries = entry::entries(&picture);
    let paths = path::paths(&picture);
    let judged = accounts::judge(&picture);
    let host_rows = hosts::hosts(&picture);
    let persistence = persistence::persistence(&picture);
    let containment = containment::containment(&picture, &judged, &host_rows, &persistence);
    let tables = vec![
        entry::table(&entries),
        accounts::table(&judged, &picture, &persistence),
        hosts::table(host_rows),
        path::table(&paths),
        access::table(&picture),
        assets::table(&picture, &judged, inputs.query)?,
        picture.coverage.table(),
        persistence::table(persistence),
        containment::table(containment),
        messages::table(&picture, inputs.query)?,
        path::incidents_table(&picture, &paths, &entries, &judged),
        timeline::table(&picture),
        graph::table(&picture),
    ];
    Ok(Answers { tables })
}
