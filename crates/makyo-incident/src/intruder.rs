//! The intruder's context: what findings name as theirs, and what it leads to.
//!
//! An anchor is an address or session that a strong finding names. From an anchor the context
//! spreads by records only: a logon from the anchored address while it was theirs, an action in the
//! anchored session. An account never supports the anchor that convicts it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use makyo_base::{EntityKind, Finding, MINUTE_NS, Organisation, RecordRef, Role};

use crate::facts::{CloudUse, Facts, Logon};
use crate::incident::MEMBER_DB;

/// An address that was the intruder's between two times.
#[derive(Debug, Clone)]
pub(crate) struct Address {
    pub(crate) value: String,
    pub(crate) from: i64,
    pub(crate) to: i64,
    /// Place of the finding that anchors it.
    pub(crate) finding: usize,
    /// An appliance's own address, which has ordinary logons too: only those that never were
    /// before are the intruder's.
    is_appliance: bool,
}

/// An account's use from one address, judged to be somebody else's.
#[derive(Debug, Clone)]
pub(crate) struct Posed {
    account: String,
    address: String,
    session: String,
    /// The owner's session that they used too.
    split: String,
    from: i64,
    to: i64,
    finding: usize,
}

/// A host that was entered from another place by an account.
#[derive(Debug, Clone)]
pub(crate) struct Step {
    pub(crate) time: i64,
    pub(crate) account: String,
    pub(crate) from: String,
    pub(crate) to: String,
    /// By a session at the host's screen from afar.
    pub(crate) is_remote_desktop: bool,
    pub(crate) finding: usize,
    pub(crate) record: RecordRef,
}

#[derive(Debug, Default)]
pub(crate) struct Intruder {
    /// Outside addresses.
    pub(crate) outside: Vec<Address>,
    /// Accounts, and those outside addresses that are their owners' own: an intruder may come over
    /// the line of somebody's home.
    homes: BTreeSet<(String, String)>,
    /// Inside addresses while they were leased to the intruder.
    pub(crate) leases: Vec<Address>,
    /// Cloud sessions that are the intruder's as a whole.
    pub(crate) sessions: BTreeMap<String, usize>,
    /// Sessions that the owner uses too: the intruder's are those records of them that come from
    /// this address.
    pub(crate) split: BTreeMap<(String, String), usize>,
    /// What was done from an address in the name of one account, in records without a session.
    pub(crate) posed: Vec<Posed>,
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
        let tunnels = unauthenticated(findings, strong);
        for (index, finding) in findings.iter().enumerate() {
            if finding.weight_db < strong && !tunnels.contains(&index) {
                continue;
            }
            match finding.rule.id.as_str() {
                "tunnel_without_authentication"
                | "posing_over_vpn"
                | "ghost_pool_address"
                | "third_party_outside_terms" => {
                    intruder.tunnel(index, finding, facts);
                }
                "appliance_reaches_inside" if finding.explained_by.is_none() => {
                    intruder.appliance(index, finding);
                }
                // What a third party or planned work explains spreads no further.
                id if (is_posing(id) || id == "suspected_posing")
                    && finding.explained_by.is_none() =>
                {
                    intruder.posing(index, finding);
                }
                _ => {}
            }
        }
        intruder.posed.sort_by(|a, b| {
            (&a.account, &a.address, a.from).cmp(&(&b.account, &b.address, b.from))
        });
        intruder.outside.retain(|one| is_foreign(&one.value, organisation));
        intruder.homes = intruder.homes(facts);
        intruder.follow_logons(facts);
        intruder
    }

    /// Who signed in from an intruder's address before the intruder came to any, or does with a
    /// computer that the organisation manages, is at home there.
    fn homes(&self, facts: &Facts) -> BTreeSet<(String, String)> {
        let values: BTreeSet<&str> = self.outside.iter().map(|one| one.value.as_str()).collect();
        let came = self.outside.iter().map(|one| one.from).min().unwrap_or(i64::MIN);
        let clean = came.saturating_sub(makyo_base::DAY_NS);
        let signed_in = facts.sign_ins.iter().filter(|one| one.is_success);
        signed_in
            .filter(|one| values.contains(one.address.as_str()))
            .filter(|one| one.is_managed || one.first < clean)
            .map(|one| (one.account.clone(), one.address.clone()))
            .collect()
    }

    /// From the organisation's own address the owner works too: of what comes from there without a
    /// session, the intruder's is only what falls into the time of their own session.
    pub(crate) fn leave_to_owners(&mut self, facts: &Facts, organisation: &Organisation) {
        let mut ends: BTreeMap<&str, i64> = BTreeMap::new();
        for used in facts.uses.iter().filter(|used| !used.session.is_empty()) {
            let end = ends.entry(&used.session).or_insert(used.last);
            *end = used.last.max(*end);
        }
        self.posed.retain_mut(|one| {
            if is_foreign(&one.address, organisation) {
                return true;
            }
            let end = ends.get(one.session.as_str());
            one.to = one.to.min(end.copied().unwrap_or(i64::MIN));
            one.from <= one.to
        });
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
        // A finding has the time of the login, and the tunnel opens a moment later.
        let tunnel = facts
            .tunnels
            .iter()
            .filter(|tunnel| finding.records.contains(&tunnel.record) && tunnel.start >= start)
            .min_by_key(|tunnel| tunnel.start);
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
            self.outside.push(Address {
                value,
                from,
                to: end,
                finding: index,
                is_appliance: false,
            });
        }
        if let Some(value) = value(Role::Object, EntityKind::Address) {
            let to = end + 5 * MINUTE_NS;
            self.leases.push(Address { value, from, to, finding: index, is_appliance: false });
        }
    }

    fn appliance(&mut self, index: usize, finding: &Finding) {
        let Some(time) = finding.time else { return };
        let is_own =
            |e: &&makyo_base::Entity| e.role == Role::Origin && e.kind == EntityKind::Address;
        if let Some(own) = finding.entities.iter().find(is_own) {
            self.leases.push(Address {
                value: own.value.clone(),
                from: time - MINUTE_NS,
                to: time + makyo_base::DAY_NS,
                finding: index,
                is_appliance: true,
            });
        }
    }

    fn posing(&mut self, index: usize, finding: &Finding) {
        let value = |role, kind| {
            let mut all = finding.entities.iter();
            all.find(|e| e.role == role && e.kind == kind).map(|e| e.value.clone())
        };
        let address = value(Role::Origin, EntityKind::Address).unwrap_or_default();
        let session = value(Role::Object, EntityKind::Session);
        if let Some(session) = &session {
            self.sessions.entry(session.clone()).or_insert(index);
        }
        let split = value(Role::Target, EntityKind::Session).unwrap_or_default();
        if !split.is_empty() {
            self.split.entry((split.clone(), address.clone())).or_insert(index);
        }
        if let (Some(account), Some(time)) = (value(Role::Actor, EntityKind::Account), finding.time)
        {
            let to = time.saturating_add(makyo_base::DAY_NS);
            let session = session.unwrap_or_default();
            let finding = index;
            self.posed.push(Posed { account, address, session, split, from: time, to, finding });
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
                    .find(|time| lease.from <= *time && *time <= lease.to)
                    .filter(|_| !lease.is_appliance || logon.first >= lease.from);
                if let Some(time) = within
                    && taken.insert((time, logon.account.clone(), logon.host.clone()))
                {
                    self.steps.push(step(logon, time, &lease.value, lease.finding));
                }
            }
        }
        self.follow_hosts(facts, &mut taken);
        self.follow_screens(facts, &mut taken);
        self.steps.sort_by(|a, b| (a.time, &a.to, &a.account).cmp(&(b.time, &b.to, &b.account)));
    }

    /// From host to host, as far as it goes while the tunnel is up: with the account that came, and
    /// with those whose credentials it gave on the way. What that account did from there before the
    /// intruder had it, such as a service's own logons, is none of their steps.
    fn follow_hosts(&mut self, facts: &Facts, taken: &mut BTreeSet<(i64, String, String)>) {
        let mut at = 0;
        while let Some(before) = self.steps.get(at).cloned() {
            at += 1;
            let up = |one: &&Address| {
                one.finding == before.finding && (one.from..=one.to).contains(&before.time)
            };
            let Some(until) = self.leases.iter().find(up).map(|lease| lease.to) else { continue };
            let became = facts.becomes.iter().filter(|one| {
                one.host == before.to
                    && one.account == before.account
                    && (before.time..=until).contains(&one.time)
            });
            let held: Vec<(&str, i64)> = became
                .map(|one| (one.other.as_str(), one.time))
                .chain([(before.account.as_str(), before.time)])
                .collect();
            let may_come = |logon: &&Logon| {
                logon.host != before.to
                    && (logon.from_host == before.to
                        || facts.addresses.had(&before.to, &logon.address))
            };
            for logon in facts.logons.iter().filter(may_come) {
                let Some((_, since)) = held.iter().find(|one| one.0 == logon.account) else {
                    continue;
                };
                let from = logon.times.partition_point(|time| time < since);
                let later = logon.times.get(from..).into_iter().flatten();
                let mut within = later.take_while(|time| **time <= until).copied();
                let came = within.find(|time| is_from(logon, &before.to, *time, facts));
                if let Some(time) = came.filter(|_| !came_before(logon, &before, facts))
                    && taken.insert((time, logon.account.clone(), logon.host.clone()))
                {
                    self.steps.push(step(logon, time, &before.to, before.finding));
                }
            }
        }
    }

    /// Sessions at a host's screen that an account which the intruder holds has for the first time
    /// while their tunnel is up: the host in between may have lost its log.
    fn follow_screens(&mut self, facts: &Facts, taken: &mut BTreeSet<(i64, String, String)>) {
        let mut held: BTreeMap<String, i64> = BTreeMap::new();
        for step in &self.steps {
            let since = held.entry(step.account.clone()).or_insert(step.time);
            *since = step.time.min(*since);
        }
        for logon in facts.logons.iter().filter(|logon| is_screen(logon)) {
            let at = logon.first;
            let is_held = held.get(&logon.account).is_some_and(|since| *since < at);
            let up = |lease: &&Address| !lease.is_appliance && lease.from <= at && at <= lease.to;
            let lease = self.leases.iter().filter(|_| is_held).find(up);
            if let Some(finding) = lease.map(|lease| lease.finding)
                && taken.insert((at, logon.account.clone(), logon.host.clone()))
            {
                let from = facts.addresses.host(&logon.address, at).unwrap_or(&logon.address);
                self.steps.push(step(logon, at, from, finding));
            }
        }
    }

    /// All addresses and sessions that were the intruder's at some time, and the addresses from
    /// which they acted in one account's name only.
    pub(crate) fn places(&self) -> Places<'_> {
        let addresses = self.outside.iter().chain(&self.leases).map(|one| one.value.as_str());
        let sessions = self.sessions.keys().chain(self.split.keys().map(|key| &key.0));
        let pairs = self.posed.iter().map(|one| format!("{} {}", one.account, one.address));
        Places {
            addresses: addresses.collect(),
            sessions: sessions.map(String::as_str).collect(),
            pairs: pairs.collect(),
        }
    }

    /// The finding that says that the intruder's own session in this account's name was on at a time:
    /// what is recorded then without an address and a session is theirs.
    pub(crate) fn during(&self, account: &str, time: i64, facts: &Facts) -> Option<usize> {
        let within = |one: &&Posed| one.account == account && one.from <= time && time <= one.to;
        let own = self.posed.iter().filter(within);
        let is_theirs = |used: &&CloudUse, one: &Posed| {
            !used.session.is_empty()
                && (used.session == one.session
                    || used.session == one.split && used.address == one.address)
        };
        let is_on = |one: &&Posed| {
            let uses = facts.uses.iter().filter(|used| is_theirs(used, one));
            let last = uses.map(|used| used.last).max();
            last.is_some_and(|last| time <= last + SESSION_END_NS)
        };
        own.filter(|one| is_on(one)).map(|one| one.finding).next()
    }

    /// The finding that ties an action to the intruder, and by what: its session, its address in
    /// this account's name, or the intruder's own address at that time.
    pub(crate) fn tie(
        &self,
        account: &str,
        session: &str,
        address: &str,
        time: i64,
    ) -> Option<(usize, &'static str)> {
        if let Some(finding) = self.sessions.get(session) {
            return Some((*finding, "session"));
        }
        if !session.is_empty()
            && let Some(finding) = self.split.get(&(session.to_owned(), address.to_owned()))
        {
            return Some((*finding, "session"));
        }
        if session.is_empty() {
            let from = self.posed.partition_point(|one| one.account.as_str() < account);
            let own = self.posed.get(from..).into_iter().flatten();
            let mut own = own.take_while(|one| one.account == account);
            let is_it = |one: &&Posed| one.address == address && one.from <= time && time <= one.to;
            if let Some(one) = own.find(is_it) {
                return Some((one.finding, "address_agent_device"));
            }
        }
        let within = |one: &&Address| {
            one.value == address && one.from <= time && time <= one.to && !one.is_appliance
        };
        let is_home = || self.homes.contains(&(account.to_owned(), address.to_owned()));
        let found = self.outside.iter().chain(&self.leases).find(within);
        found.filter(|_| !is_home()).map(|one| (one.finding, "address"))
    }
}

/// A session is on for so long after the last thing that was done in it.
const SESSION_END_NS: i64 = 2 * MINUTE_NS;

/// Where the intruder was, for asking the case.
pub(crate) struct Places<'a> {
    pub(crate) addresses: BTreeSet<&'a str>,
    pub(crate) sessions: BTreeSet<&'a str>,
    /// Account and address, divided by a blank.
    pub(crate) pairs: BTreeSet<String>,
}

/// Tunnels without a login in a name in which one surely came up without: where the log has a hole
/// nearby, one of them alone says less.
fn unauthenticated(findings: &[Finding], strong: f64) -> BTreeSet<usize> {
    let is_tunnel = |finding: &Finding| {
        finding.rule.id == "tunnel_without_authentication" && finding.weight_db >= MEMBER_DB
    };
    let account = |finding: &Finding| {
        let mut all = finding.entities.iter();
        all.find(|one| one.kind == EntityKind::Account).map(|one| one.value.clone())
    };
    let sure = findings.iter().filter(|one| is_tunnel(one) && one.weight_db >= strong);
    let names: BTreeSet<String> = sure.filter_map(account).collect();
    let is_theirs = |finding: &Finding| account(finding).is_some_and(|name| names.contains(&name));
    let all = findings.iter().enumerate();
    all.filter(|one| is_tunnel(one.1) && is_theirs(one.1)).map(|one| one.0).collect()
}

/// Analytics that say that somebody else acted as an account's owner.
pub(crate) fn is_posing(rule: &str) -> bool {
    matches!(rule, "posing_as_user" | "posing_with_stolen_token" | "posing_by_phishing")
}

/// Whether the account came from that host in this way before the intruder was there, under whatever
/// address or name: what it always did is its owner's.
fn came_before(logon: &Logon, before: &Step, facts: &Facts) -> bool {
    let is_same = |other: &&Logon| {
        other.account == logon.account && other.host == logon.host && other.kind == logon.kind
    };
    facts.logons.iter().filter(is_same).any(|other| {
        let mut earlier = other.times.iter().take_while(|time| **time < before.time);
        earlier.any(|time| is_from(other, &before.to, *time, facts))
    })
}

/// Whether a logon came from a host: by the name that it gave, or by the host's address then.
pub(crate) fn is_from(logon: &Logon, host: &str, at: i64, facts: &Facts) -> bool {
    logon.from_host == host || facts.addresses.host(&logon.address, at) == Some(host)
}

/// Whether it is a session at the host's screen from afar.
fn is_screen(logon: &Logon) -> bool {
    logon.kind == "remote_interactive"
}

fn step(logon: &Logon, time: i64, from: &str, finding: usize) -> Step {
    Step {
        time,
        account: logon.account.clone(),
        from: from.to_owned(),
        to: logon.host.clone(),
        is_remote_desktop: is_screen(logon),
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
