//! The intruder's context: what findings name as theirs, and what it leads to.
//!
//! An anchor is an address or session that a strong finding names. From an anchor the context
//! spreads by records only: a logon from the anchored address while it was theirs, an action in the
//! anchored session. An account never supports the anchor that convicts it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use makyo_base::{EntityKind, Finding, MINUTE_NS, Organisation, RecordRef, Role};

use crate::facts::{Facts, Logon};

/// An address that was the intruder's between two times.
#[derive(Debug, Clone)]
pub(crate) struct Address {
    pub(crate) value: String,
    pub(crate) from: i64,
    pub(crate) to: i64,
    /// Place of the finding that anchors it.
    pub(crate) finding: usize,
}

/// A host that was entered from another place by an account.
#[derive(Debug, Clone)]
pub(crate) struct Step {
    pub(crate) time: i64,
    pub(crate) account: String,
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) finding: usize,
    pub(crate) record: RecordRef,
}

#[derive(Debug, Default)]
pub(crate) struct Intruder {
    /// Outside addresses.
    pub(crate) outside: Vec<Address>,
    /// Inside addresses while they were leased to the intruder.
    pub(crate) leases: Vec<Address>,
    /// Cloud sessions.
    pub(crate) sessions: BTreeMap<String, usize>,
    /// Windows logons from the intruder's places, in order.
    pub(crate) steps: Vec<Step>,
}

impl Intruder {
    pub(crate) fn trace(
        findings: &[Finding],
        facts: &Facts,
        organisation: &Organisation,
        strong: f64,
    ) -> Self {
        let mut intruder = Intruder::default();
        for (index, finding) in findings.iter().enumerate() {
            if finding.weight_db < strong {
                continue;
            }
            match finding.rule.id.as_str() {
                "tunnel_without_authentication" => intruder.tunnel(index, finding, facts),
                "sign_in_fan_in" => intruder.fan_in(index, finding, facts),
                _ => {}
            }
        }
        intruder.outside.retain(|one| is_foreign(&one.value, organisation));
        intruder.follow_logons(facts);
        intruder
    }

    fn tunnel(&mut self, index: usize, finding: &Finding, facts: &Facts) {
        let Some(start) = finding.time else { return };
        let value = |role, kind| {
            finding
                .entities
                .iter()
                .find(|e| e.role == role && e.kind == kind)
                .map(|e| e.value.clone())
        };
        let tunnel = facts
            .tunnels
            .iter()
            .find(|tunnel| tunnel.start == start && finding.records.contains(&tunnel.record));
        let until_next = || {
            let inside = value(Role::Object, EntityKind::Address)?;
            facts
                .tunnels
                .iter()
                .find(|other| other.inside == inside && other.start > start)
                .map(|other| other.start)
        };
        // Without an end in the log the lease lasts until the address is given to somebody else,
        // and never longer than a day.
        let end = tunnel
            .and_then(|tunnel| tunnel.end)
            .or_else(until_next)
            .unwrap_or(i64::MAX)
            .min(start + makyo_base::DAY_NS);
        let from = start - MINUTE_NS;
        if let Some(value) = value(Role::Origin, EntityKind::Address) {
            self.outside.push(Address { value, from, to: end, finding: index });
        }
        if let Some(value) = value(Role::Object, EntityKind::Address) {
            self.leases.push(Address { value, from, to: end + 5 * MINUTE_NS, finding: index });
        }
    }

    fn fan_in(&mut self, index: usize, finding: &Finding, facts: &Facts) {
        for entity in &finding.entities {
            if entity.role == Role::Origin && entity.kind == EntityKind::Address {
                let of_address = || facts.sign_ins.iter().filter(|one| one.address == entity.value);
                let from =
                    of_address().map(|one| one.first).min().or(finding.time).unwrap_or_default();
                let to = of_address().map(|one| one.last).max().unwrap_or(from);
                let to = to + 24 * 60 * MINUTE_NS;
                self.outside.push(Address {
                    value: entity.value.clone(),
                    from,
                    to,
                    finding: index,
                });
            }
            if entity.kind == EntityKind::Session {
                self.sessions.insert(entity.value.clone(), index);
            }
        }
    }

    /// Logons from leased addresses, then logons with the same accounts from the hosts so reached.
    fn follow_logons(&mut self, facts: &Facts) {
        let mut taken: BTreeSet<(i64, String, String)> = BTreeSet::new();
        for lease in &self.leases {
            for logon in facts.logons.iter().filter(|logon| logon.address == lease.value) {
                let within = logon
                    .times
                    .iter()
                    .copied()
                    .find(|time| lease.from <= *time && *time <= lease.to);
                if let Some(time) = within
                    && taken.insert((time, logon.account.clone(), logon.host.clone()))
                {
                    self.steps.push(step(logon, time, &lease.value, lease.finding));
                }
            }
        }
        let first = self.steps.clone();
        for step_before in &first {
            let lease = self.leases.iter().find(|lease| lease.finding == step_before.finding);
            let Some(lease) = lease else { continue };
            for logon in facts.logons.iter().filter(|logon| {
                logon.account == step_before.account && logon.host != step_before.to
            }) {
                let comes_from = logon.from_host == step_before.to
                    || facts
                        .hosts
                        .get(&step_before.to)
                        .is_some_and(|host| host.addresses.contains(&logon.address));
                let within = logon
                    .times
                    .iter()
                    .copied()
                    .find(|time| step_before.time <= *time && *time <= lease.to);
                if let (true, Some(time)) = (comes_from, within)
                    && taken.insert((time, logon.account.clone(), logon.host.clone()))
                {
                    self.steps.push(step(logon, time, &step_before.to, lease.finding));
                }
            }
        }
        self.steps.sort_by(|a, b| (a.time, &a.to, &a.account).cmp(&(b.time, &b.to, &b.account)));
    }

    /// All addresses and sessions that were the intruder's at some time.
    pub(crate) fn places(&self) -> (BTreeSet<&str>, BTreeSet<&str>) {
        let addresses = self.outside.iter().chain(&self.leases).map(|one| one.value.as_str());
        (addresses.collect(), self.sessions.keys().map(String::as_str).collect())
    }

    /// The finding that ties an action to the intruder, and by what: its session, or its address at
    /// that time.
    pub(crate) fn tie(
        &self,
        session: &str,
        address: &str,
        time: i64,
    ) -> Option<(usize, &'static str)> {
        if let Some(finding) = self.sessions.get(session) {
            return Some((*finding, "session"));
        }
        let within = |one: &&Address| one.value == address && one.from <= time && time <= one.to;
        self.outside.iter().chain(&self.leases).find(within).map(|one| (one.finding, "address"))
    }
}

fn step(logon: &Logon, time: i64, from: &str, finding: usize) -> Step {
    Step {
        time,
        account: logon.account.clone(),
        from: from.to_owned(),
        to: logon.host.clone(),
        finding,
        record: logon.record.clone(),
    }
}

/// Whether an address is outside and not one of the organisation's own.
pub(crate) fn is_foreign(address: &str, organisation: &Organisation) -> bool {
    address.parse::<IpAddr>().is_ok_and(|address| {
        makyo_base::address_scope(address) == makyo_base::AddressScope::External
            && !organisation.network.is_egress(address)
            && !organisation.network.is_internal(address)
    })
}
