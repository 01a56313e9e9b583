//! What of the engine's results is strong enough to be a finding. The rest is in the tables.

use std::net::IpAddr;

use makyo_base::{
    AddressClass, Entity, EntityKind, Finding, FindingSource, RecordRef, Role, RuleRef,
    format_time, short_id,
};
use makyo_detect::Weights;
use makyo_flow::{
    Beacon, Bulk, DnsTunnel, LateralPath, Member, MemberReason, Results, Rhythm, Scan,
};

/// So many findings of one kind are made, the strongest first; a hundred of one kind are no news.
const EACH_MAX: usize = 30;

/// A channel is told to be a beacon from this regularity on.
const BEACON_NLP: f64 = 6.0;
/// And from this suspicion on: rarely called, lasting, of no benign kind.
const BEACON_SUSPICION: f64 = 0.6;
/// In a network of few computers every third one may call the same controller.
const SMALL_SUSPICION: f64 = 0.2;
const SMALL_NETWORK: u32 = 50;

pub(crate) fn findings(results: &Results, weights: &Weights) -> Vec<Finding> {
    let mut all = Vec::new();
    let beacons = results.beacons.iter().filter(|one| is_strong_beacon(one));
    all.extend(beacons.take(EACH_MAX).map(|one| beacon(one, weights)));
    all.extend(results.scans.iter().take(EACH_MAX).map(|one| scan(one, weights)));
    let bulk_rows = results.bulk.iter().filter(|one| is_strong_bulk(one));
    all.extend(bulk_rows.take(EACH_MAX).map(|one| bulk(one, weights)));
    all.extend(results.tunnels.iter().take(EACH_MAX).map(|one| tunnel(one, weights)));
    let paths = results.paths.iter().filter(|one| is_strong_path(one));
    all.extend(paths.take(EACH_MAX).filter_map(|one| path(one, weights)));
    let members = results.members.iter().filter(|one| one.is_member);
    all.extend(members.map(|one| member(one, weights)));
    // A device with two controllers is told twice; with two ports of one controller, once.
    all.sort_by(|a, b| (a.time, &a.id).cmp(&(b.time, &b.id)));
    all.dedup_by(|a, b| a.id == b.id);
    all
}

struct Draft {
    id: &'static str,
    title: &'static str,
    time: i64,
    weight_db: f64,
    techniques: &'static [&'static str],
    tactics: &'static [&'static str],
    entities: Vec<Entity>,
    records: Vec<RecordRef>,
    text: String,
}

fn address(role: Role, address: IpAddr) -> Entity {
    Entity { role, kind: EntityKind::Address, value: address.to_string() }
}

impl Draft {
    fn finding(mut self, weights: &Weights) -> Finding {
        self.entities.sort();
        self.entities.dedup();
        let mut parts = vec![self.id.to_owned(), self.time.to_string()];
        parts.extend(
            self.entities.iter().map(|entity| format!("{}:{}", entity.role.word(), entity.value)),
        );
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        Finding {
            id: short_id("finding", &parts),
            time: Some(self.time),
            source: FindingSource::Analytic,
            rule: RuleRef {
                id: self.id.to_owned(),
                title: self.title.to_owned(),
                level: weights.level_of(self.weight_db),
            },
            techniques: self.techniques.iter().map(|one| (*one).to_owned()).collect(),
            tactics: self.tactics.iter().map(|one| (*one).to_owned()).collect(),
            entities: self.entities,
            weight_db: self.weight_db,
            explained_by: None,
            records: self.records,
            text: self.text,
        }
    }
}

/// Seconds as people say them.
fn span(seconds: f64) -> String {
    if seconds < 10.0 {
        format!("{seconds:.1} seconds")
    } else if seconds < 180.0 {
        format!("{seconds:.0} seconds")
    } else if seconds < 3.0 * 3600.0 {
        format!("{:.0} minutes", seconds / 60.0)
    } else {
        format!("{:.1} hours", seconds / 3600.0)
    }
}

/// Bytes as people say them.
fn volume(bytes: u64) -> String {
    match bytes {
        0..=9_999 => format!("{bytes} bytes"),
        10_000..=9_999_999 => format!("{:.0} kB", bytes as f64 / 1e3),
        10_000_000..=9_999_999_999 => format!("{:.0} MB", bytes as f64 / 1e6),
        _ => format!("{:.1} GB", bytes as f64 / 1e9),
    }
}

fn place(class: Option<AddressClass>, network: Option<&str>) -> String {
    let class = class.map(|class| format!("listed as {}", class.word()));
    let told: Vec<String> = network.map(str::to_owned).into_iter().chain(class).collect();
    if told.is_empty() { String::new() } else { format!(" ({})", told.join("; ")) }
}

fn is_strong_beacon(one: &Beacon) -> bool {
    let least = if one.sources_in_all < SMALL_NETWORK { SMALL_SUSPICION } else { BEACON_SUSPICION };
    one.nlp >= BEACON_NLP && one.benign.is_none() && one.suspicion >= least
}

fn beacon(one: &Beacon, weights: &Weights) -> Finding {
    let rhythm = match one.rhythm {
        Rhythm::Beat => format!("every {}", span(one.period_s)),
        Rhythm::Several => format!("again and again, in the middle after {}", span(one.period_s)),
        Rhythm::Growing => "after gaps that grow by one and the same step".to_owned(),
    };
    let text = format!(
        "{} called {}{} on port {} {} times, {rhythm} from {} to {}; {} of {} inside addresses reach it. Programs that mean no harm call like this too.",
        one.source,
        one.target,
        place(one.class, one.network.as_deref()),
        one.port,
        one.flows,
        format_time(one.first),
        format_time(one.last),
        one.sources,
        one.sources_in_all,
    );
    Draft {
        id: "beacon",
        title: "Regular calls to a destination that hardly anybody else reaches",
        time: one.first,
        weight_db: weights.analytic("beacon") + if one.class.is_some() { 2.0 } else { 0.0 },
        techniques: &["T1071"],
        tactics: &["command-and-control"],
        entities: vec![address(Role::Origin, one.source), address(Role::Destination, one.target)],
        records: one.records.clone(),
        text,
    }
    .finding(weights)
}

fn scan(one: &Scan, weights: &Weights) -> Finding {
    let what = if one.hosts_at_once >= one.ports_of_one {
        format!("{} hosts on port {} within ten minutes", one.hosts_at_once, one.port)
    } else {
        format!("{} ports of {}", one.ports_of_one, one.one)
    };
    let text = format!(
        "{} tried {what} in vain; of its first contacts {} failed and {} succeeded.",
        one.source, one.failed, one.succeeded
    );
    let weight = weights.analytic("port_scan");
    Draft {
        id: "port_scan",
        title: "Many first contacts that fail",
        time: one.first,
        weight_db: if one.is_inside { weight } else { weight - 2.0 },
        techniques: &["T1046"],
        tactics: &["discovery"],
        entities: vec![address(Role::Origin, one.source)],
        records: one.records.clone(),
        text,
    }
    .finding(weights)
}

fn is_strong_bulk(one: &Bulk) -> bool {
    one.sources <= 2 && (one.deviations >= 4.0 || (one.is_staged && one.deviations >= 2.5))
}

fn bulk(one: &Bulk, weights: &Weights) -> Finding {
    let staged = if one.is_staged {
        format!(", after it had collected {} from inside", volume(one.collected))
    } else {
        String::new()
    };
    let text = format!(
        "{} sent {} to {}{} and got {} back between {} and {}{staged}; {} inside addresses reach that destination.",
        one.source,
        volume(one.bytes_out),
        one.target,
        place(one.class, one.network.as_deref()),
        volume(one.bytes_in),
        format_time(one.first),
        format_time(one.last),
        one.sources,
    );
    Draft {
        id: "bulk_to_outside",
        title: "Much sent to a destination that hardly anybody else reaches",
        time: one.first,
        weight_db: weights.analytic("bulk_to_outside") + if one.is_staged { 3.0 } else { 0.0 },
        techniques: if one.is_staged { &["T1048", "T1074"] } else { &["T1048"] },
        tactics: &["exfiltration"],
        entities: vec![address(Role::Origin, one.source), address(Role::Destination, one.target)],
        records: one.records.clone(),
        text,
    }
    .finding(weights)
}

fn tunnel(one: &DnsTunnel, weights: &Weights) -> Finding {
    let text = format!(
        "{} asked for {} different names below {}, {:.0} characters each in the middle ({:.1} bits a character): room for {} of data; {} clients ask there.",
        one.client,
        one.names,
        one.domain,
        one.mean_length,
        one.entropy,
        volume(one.payload),
        one.clients,
    );
    Draft {
        id: "dns_tunnel",
        title: "Questions to the DNS that carry data",
        time: one.first,
        weight_db: weights.analytic("dns_tunnel"),
        techniques: &["T1071.004", "T1048"],
        tactics: &["command-and-control"],
        entities: vec![
            address(Role::Origin, one.client),
            Entity { role: Role::Destination, kind: EntityKind::Domain, value: one.domain.clone() },
        ],
        records: one.records.clone(),
        text,
    }
    .finding(weights)
}

fn is_strong_path(one: &LateralPath) -> bool {
    one.weight_db >= 20.0 || (one.hops.len() >= 3 && one.weight_db >= 14.0)
}

fn path(one: &LateralPath, weights: &Weights) -> Option<Finding> {
    let (begin, end) = (one.hops.first()?, one.hops.last()?);
    let mut steps = vec![begin.source.to_string()];
    steps.extend(
        one.hops
            .iter()
            .map(|hop| format!("{}:{} ({})", hop.target, hop.port, format_time(hop.time))),
    );
    let text = format!(
        "From {} a way of new connections on ports of administration leads on: {}.",
        begin.source,
        steps.join(" to ")
    );
    let mut entities: Vec<Entity> =
        one.hops.iter().map(|hop| address(Role::Target, hop.target)).collect();
    entities.push(address(Role::Origin, begin.source));
    entities.push(address(Role::Destination, end.target));
    Some(
        Draft {
            id: "lateral_path",
            title: "New connections from host to host, beginning at the edge",
            time: begin.time,
            weight_db: weights.analytic("lateral_path"),
            techniques: &["T1021"],
            tactics: &["lateral-movement"],
            entities,
            records: one.hops.iter().map(|hop| hop.record.clone()).collect(),
            text,
        }
        .finding(weights),
    )
}

fn member(one: &Member, weights: &Weights) -> Finding {
    let entered = one.entered_from.map_or_else(String::new, |(from, at)| {
        let fetched = one
            .fetched_from
            .map_or_else(String::new, |store| format!(" and it fetched something from {store}"));
        format!("; {from} had entered it at {}{fetched}", format_time(at))
    });
    let regular =
        one.period_s.map_or_else(String::new, |period| format!(", about every {}", span(period)));
    let controller = match (one.why, &one.listed_as) {
        (MemberReason::Listed, Some(name)) => {
            format!("the published controller {} ({name})", one.controller)
        }
        _ => format!("{}, which its callers give away as a controller", one.controller),
    };
    let text = format!(
        "{} called {controller} on port {} {} times{regular}, from {} to {}{entered}{}.",
        one.device,
        one.port,
        one.flows,
        format_time(one.first),
        format_time(one.last),
        if one.scans { "; it scans" } else { "" },
    );
    let mut entities =
        vec![address(Role::Place, one.device), address(Role::Destination, one.controller)];
    entities.extend(one.entered_from.map(|(from, _)| address(Role::Origin, from)));
    let weight = weights.analytic("botnet_member");
    Draft {
        id: "botnet_member",
        title: "Own device that serves a botnet",
        time: one.first,
        weight_db: (weight + one.weight_db - 18.0).clamp(weight - 4.0, weight + 6.0),
        techniques: &["T1584.005", "T1071"],
        tactics: &["command-and-control"],
        entities,
        records: one.records.clone(),
        text,
    }
    .finding(weights)
}
