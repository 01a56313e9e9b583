//! The last stage: what was found, with addresses, times and records written out.

use makyo_base::Places as _;
use rustc_hash::FxHashSet;

use super::Runs;
use super::reading::Files;
use crate::channel::Channel;
use crate::device::OfDevices;
use crate::dns::Questions;
use crate::exfil::{deviations, is_staged};
use crate::flow::nanoseconds;
use crate::lateral::paths;
use crate::member::{ListedSet, RawRelay, Use, Verdict, is_listed_member, is_member, judge};
use crate::options::Options;
use crate::results::{
    Beacon, Bulk, Controller, DnsTunnel, Hop, HourOfReach, Lack, LateralPath, Member, MemberReason,
    PoolSpan, Results, Scan, Unread,
};
use crate::rita::RitaScore;
use crate::scan::RawScan;
use crate::shared::{Crowd, Found, RawBeacon, class, is_regular};

/// What all stages left.
#[derive(Clone, Copy)]
pub(crate) struct Whole<'a> {
    pub(crate) options: &'a Options,
    pub(crate) crowd: Crowd<'a>,
    pub(crate) listed: &'a ListedSet,
    pub(crate) found: &'a Found,
    pub(crate) runs: &'a Runs,
    pub(crate) devices: &'a OfDevices,
    pub(crate) files: &'a Files,
    pub(crate) questions: &'a Questions,
    pub(crate) unread: &'a [Unread],
    pub(crate) refused: &'a [String],
    pub(crate) span: (u64, u64),
}

pub(crate) fn conclude(whole: &Whole<'_>) -> Results {
    let has_flows = whole.runs.flows > 0;
    let (controllers, mut members) = unlisted(whole);
    members.extend(listed(whole));
    members.extend(whole.devices.relays.iter().map(|relay| of_relay(whole, relay)));
    members.sort_by(|a, b| {
        let key = |one: &Member| (!one.is_member, one.device, one.controller, one.port, one.why);
        key(a).cmp(&key(b))
    });
    Results {
        flows: whole.runs.flows,
        duplicates: whole.runs.duplicates,
        questions: whole.questions.count,
        channels: whole.runs.channels,
        devices: whole.runs.inside.len() as u64,
        first: has_flows.then(|| nanoseconds(whole.span.0)),
        last: has_flows.then(|| nanoseconds(whole.span.1)),
        beacons: whole.found.beacons.iter().map(|one| beacon(whole, one)).collect(),
        beacons_in_all: whole.found.beacons_in_all,
        scans: whole.devices.scans.iter().map(|one| scan(whole, one)).collect(),
        controllers,
        members,
        bulk: bulk(whole),
        tunnels: tunnels(whole),
        paths: lateral(whole),
        reach: reach(whole),
        pool_spans: pool_spans(whole),
        unread: whole.unread.to_vec(),
        refused: whole.refused.to_vec(),
        lacks: lacks(whole),
    }
}

impl Whole<'_> {
    fn address(&self, id: u32) -> std::net::IpAddr {
        self.crowd.ground.addresses.get(id)
    }
}

fn beacon(whole: &Whole<'_>, one: &RawBeacon) -> Beacon {
    let (channel, draft) = (&one.channel, &one.draft);
    let thousandth = |at: usize| f64::from(draft.rita.get(at).copied().unwrap_or(0)) / 1000.0;
    Beacon {
        source: whole.address(channel.source),
        target: whole.address(channel.target),
        port: channel.port(),
        protocol: channel.protocol(),
        suspicion: one.suspicion,
        nlp: f64::from(channel.nlp),
        period_s: f64::from(channel.period),
        rhythm: draft.rhythm,
        active_s: f64::from(draft.active_s),
        spread: f64::from(draft.spread),
        beats: draft.beats,
        flows: channel.flows,
        pauses: draft.pauses,
        failed: channel.failed,
        sources: one.sources,
        sources_in_all: u32::try_from(whole.crowd.devices).unwrap_or(u32::MAX),
        bytes_out: channel.bytes_out,
        bytes_in: channel.bytes_in,
        same_size: f64::from(draft.same_size) / 1000.0,
        rita: RitaScore {
            timestamp: thousandth(0),
            data_size: thousandth(1),
            histogram: thousandth(2),
            duration: thousandth(3),
            score: thousandth(4),
        },
        is_outside: one.is_outside,
        class: class(whole.address(channel.target), whole.crowd),
        network: whole.options.lists.network(whole.address(channel.target)),
        benign: one.benign,
        first: nanoseconds(channel.first),
        last: nanoseconds(channel.last),
        records: whole.files.records(&draft.places),
    }
}

fn scan(whole: &Whole<'_>, one: &RawScan) -> Scan {
    let source = whole.address(one.source);
    Scan {
        source,
        failed: one.failed,
        succeeded: one.succeeded,
        hosts_at_once: one.hosts_at_once,
        port: one.port,
        ports_of_one: one.ports_of_one,
        one: whole.address(one.one),
        hosts_in_a_day: one.hosts_in_a_day,
        log_odds: one.log_odds,
        is_inside: one.is_inside,
        is_own_scanner: whole.crowd.ground.own.scanners.contains(source),
        first: nanoseconds(one.first),
        last: nanoseconds(one.last),
        records: whole.files.records(&one.places),
    }
}

/// Decibans of a device that calls an accused controller, by what else it shows.
fn weight(one: &Use) -> f64 {
    let chain = one.entry.map_or(0.0, |entry| if entry.fetched.is_some() { 6.0 } else { 3.0 });
    14.0 + chain + if one.scans { 4.0 } else { 0.0 }
}

fn member(whole: &Whole<'_>, one: &Use, why: MemberReason, is_member: bool) -> Member {
    let entry = one.entry;
    let mut places = vec![one.channel.first_place, one.channel.last_place];
    places.extend(entry.map(|entry| entry.place));
    places.extend(entry.and_then(|entry| entry.fetched).map(|fetched| fetched.1));
    Member {
        device: whole.address(one.device),
        controller: whole.address(one.channel.target),
        port: one.channel.port(),
        why,
        listed_as: None,
        flows: one.channel.flows,
        period_s: is_regular(&one.channel).then(|| f64::from(one.channel.period)),
        entered_from: entry.map(|entry| (whole.address(entry.from), nanoseconds(entry.at))),
        fetched_from: entry.and_then(|entry| entry.fetched).map(|one| whole.address(one.0)),
        scans: one.scans,
        is_member,
        weight_db: weight(one),
        first: nanoseconds(one.channel.first),
        last: nanoseconds(one.channel.last),
        records: whole.files.records(&places),
    }
}

fn unlisted(whole: &Whole<'_>) -> (Vec<Controller>, Vec<Member>) {
    let mut controllers = Vec::new();
    let mut members = Vec::new();
    let uses = whole.devices.uses.iter().filter(|one| !one.is_listed);
    let uses: Vec<Use> = uses.copied().collect();
    for group in uses.chunk_by(|a, b| a.index == b.index) {
        let verdict = judge(group, whole.devices.scanning, whole.devices.devices);
        controllers.extend(controller(whole, group, &verdict));
        if verdict.is_accused {
            members.extend(
                group.iter().map(|one| member(whole, one, MemberReason::Unlisted, is_member(one))),
            );
        }
    }
    controllers.sort_by(|a, b| {
        (!a.is_accused, std::cmp::Reverse(a.devices), a.target, a.port).cmp(&(
            !b.is_accused,
            std::cmp::Reverse(b.devices),
            b.target,
            b.port,
        ))
    });
    (controllers, members)
}

fn controller(whole: &Whole<'_>, group: &[Use], verdict: &Verdict) -> Option<Controller> {
    let channels = || group.iter().map(|one| &one.channel);
    let any: &Channel = channels().next()?;
    Some(Controller {
        target: whole.address(any.target),
        port: any.port(),
        protocol: any.protocol(),
        devices: verdict.devices,
        regular: verdict.regular,
        novel: verdict.novel,
        chains: verdict.chains,
        chains_by_chance: verdict.by_chance,
        scanners: verdict.scanners,
        nlp: verdict.nlp,
        is_accused: verdict.is_accused,
        reason: verdict.reason.to_owned(),
        first: nanoseconds(channels().map(|one| one.first).min()?),
        last: nanoseconds(channels().map(|one| one.last).max()?),
    })
}

fn listed(whole: &Whole<'_>) -> Vec<Member> {
    let uses: Vec<Use> = whole.devices.uses.iter().filter(|one| one.is_listed).copied().collect();
    let mut members = Vec::new();
    let mut by_target = uses;
    by_target.sort_by_key(|one| (one.channel.target, one.device, one.channel.service));
    for group in by_target.chunk_by(|a, b| a.channel.target == b.channel.target) {
        // What one in twenty of the ordinary hosts reaches is a shared host.
        let ordinary: FxHashSet<u32> =
            group.iter().filter(|one| !one.is_small).map(|one| one.device).collect();
        let is_shared =
            ordinary.len() >= 5 && ordinary.len() * 20 >= usize::max(whole.crowd.devices, 1);
        for one in group {
            let Some(publication) = whole.listed.get(one.index) else { continue };
            let is_member = is_listed_member(one, publication.is_botnet, is_shared);
            let mut row = member(whole, one, MemberReason::Listed, is_member);
            row.listed_as = Some(publication.name.clone());
            row.weight_db = if is_member { row.weight_db + 4.0 } else { 3.0 };
            members.push(row);
        }
    }
    members
}

fn of_relay(whole: &Whole<'_>, relay: &RawRelay) -> Member {
    let places = [
        relay.inward.first_place,
        relay.inward.last_place,
        relay.outward.first_place,
        relay.outward.last_place,
    ];
    Member {
        device: whole.address(relay.device),
        controller: whole.address(relay.outward.target),
        port: relay.outward.port(),
        why: MemberReason::Relay,
        listed_as: None,
        flows: relay.outward.flows,
        period_s: None,
        entered_from: Some((whole.address(relay.inward.source), nanoseconds(relay.inward.first))),
        fetched_from: None,
        scans: false,
        // A reverse proxy or a tunnel does the same; a suspicion for the table.
        is_member: false,
        weight_db: 7.0,
        first: nanoseconds(relay.inward.first),
        last: nanoseconds(relay.outward.last),
        records: whole.files.records(&places),
    }
}

fn bulk(whole: &Whole<'_>) -> Vec<Bulk> {
    let mut all: Vec<Bulk> = whole
        .devices
        .bulk
        .iter()
        .map(|one| {
            let target = whole.address(one.target);
            Bulk {
                source: whole.address(one.source),
                target,
                bytes_out: one.bytes_out,
                bytes_in: one.bytes_in,
                sources: whole.found.sources.get(&one.target).copied().unwrap_or(1),
                deviations: deviations(one.bytes_out, &whole.devices.usual),
                collected: one.collected,
                is_staged: is_staged(one),
                class: class(target, whole.crowd),
                network: whole.options.lists.network(target),
                first: nanoseconds(one.first),
                last: nanoseconds(one.last),
                records: whole.files.records(&[one.first_place, one.last_place]),
            }
        })
        .collect();
    all.sort_by(|a, b| {
        b.deviations
            .total_cmp(&a.deviations)
            .then_with(|| (b.bytes_out, a.source, a.target).cmp(&(a.bytes_out, b.source, b.target)))
    });
    all
}

fn tunnels(whole: &Whole<'_>) -> Vec<DnsTunnel> {
    let all = whole.questions.tunnels().into_iter().map(|one| DnsTunnel {
        domain: String::from_utf8_lossy(&one.domain).into_owned(),
        client: one.client,
        clients: one.clients,
        questions: one.questions,
        names: one.names,
        mean_length: one.mean_length,
        entropy: one.entropy,
        payload: one.payload,
        first: one.first,
        last: one.last,
        records: whole.files.records(&one.places),
    });
    all.collect()
}

fn lateral(whole: &Whole<'_>) -> Vec<LateralPath> {
    let is_start = |id: u32| whole.crowd.ground.own.is_watched(whole.address(id));
    let found = paths(whole.devices.edges.clone(), is_start, whole.span.0, whole.span.1);
    let path = |(weight_db, edges): (f64, Vec<crate::lateral::Edge>)| LateralPath {
        hops: edges
            .iter()
            .map(|edge| Hop {
                source: whole.address(edge.source),
                target: whole.address(edge.target),
                port: edge.port,
                time: nanoseconds(edge.first),
                record: whole.files.record(edge.place),
            })
            .collect(),
        weight_db,
    };
    found.into_iter().map(path).collect()
}

fn reach(whole: &Whole<'_>) -> Vec<HourOfReach> {
    let hour = |one: &crate::watch::RawHour| HourOfReach {
        source: whole.address(one.source),
        hour: nanoseconds(one.hour),
        new_hosts: one.new_hosts,
        new_ports: one.new_ports,
        admin_ports: one.admin_ports,
        record: whole.files.record(one.place),
    };
    whole.devices.hours.iter().map(hour).collect()
}

fn pool_spans(whole: &Whole<'_>) -> Vec<PoolSpan> {
    let span = |one: &crate::channel::RawSpan| PoolSpan {
        address: one.address,
        first: nanoseconds(one.first),
        last: nanoseconds(one.last),
        flows: one.flows,
        records: whole.files.records(&[one.first_place, one.last_place]),
    };
    whole.runs.spans.iter().map(span).collect()
}

fn lacks(whole: &Whole<'_>) -> Vec<Lack> {
    let scope = &whole.options.scope;
    let mut all = Vec::new();
    let mut tell = |is_so: bool, text: &str| {
        if is_so {
            all.push(Lack(text.to_owned()));
        }
    };
    tell(
        scope.internal.is_empty() && scope.egress.is_empty(),
        "org.toml names no own networks: inside is what is private (RFC 1918, unique-local)",
    );
    tell(
        whole.runs.flows > 0 && whole.runs.inside.is_empty(),
        "no source of a flow lies inside: scans, members and bulk are not judged; name own networks",
    );
    tell(
        scope.pools.is_empty() && scope.appliances.is_empty(),
        "org.toml names no VPN pools and no appliances: no path inside has a beginning",
    );
    tell(whole.options.listed.is_empty(), "no list of controllers was given (--intel)");
    tell(
        whole.options.lists.is_empty(),
        "no list of hosting or VPN networks and no MMDB file was given (--intel)",
    );
    tell(whole.questions.count == 0, "no questions to the DNS are there: no tunnel is looked for");
    all
}
