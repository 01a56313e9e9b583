//! The engine's results as tables of the case.

use makyo_base::{Object, RecordRef, Value, format_time};
use makyo_flow::Results;

/// Names and columns.
pub(crate) const TABLES: &[(&str, &[&str])] = &[
    (
        "beacons",
        &[
            "source",
            "target",
            "port",
            "protocol",
            "suspicion",
            "regularity",
            "rhythm",
            "period_s",
            "spread",
            "beats",
            "flows",
            "failed",
            "pauses",
            "active_s",
            "first",
            "last",
            "sources",
            "sources_in_all",
            "bytes_out",
            "bytes_in",
            "same_size",
            "score",
            "ts_score",
            "ds_score",
            "hist_score",
            "dur_score",
            "target_class",
            "target_network",
            "benign",
            "records",
        ],
    ),
    (
        "scans",
        &[
            "source",
            "failed",
            "succeeded",
            "hosts_at_once",
            "port",
            "ports_of_one",
            "one",
            "hosts_in_a_day",
            "log_odds",
            "inside",
            "own_scanner",
            "first",
            "last",
            "records",
        ],
    ),
    (
        "botnet_members",
        &[
            "device",
            "controller",
            "port",
            "why",
            "listed_as",
            "member",
            "weight_db",
            "flows",
            "period_s",
            "entered_from",
            "entered",
            "fetched_from",
            "scans",
            "first",
            "last",
            "records",
        ],
    ),
    (
        "controllers",
        &[
            "target",
            "port",
            "protocol",
            "accused",
            "reason",
            "devices",
            "regular",
            "novel",
            "chains",
            "chains_by_chance",
            "scanners",
            "nlp",
            "first",
            "last",
        ],
    ),
    (
        "bulk",
        &[
            "source",
            "target",
            "bytes_out",
            "bytes_in",
            "sources",
            "deviations",
            "collected",
            "staged",
            "target_class",
            "target_network",
            "first",
            "last",
            "records",
        ],
    ),
    (
        "dns_tunnels",
        &[
            "domain",
            "client",
            "clients",
            "questions",
            "names",
            "mean_length",
            "entropy",
            "payload",
            "first",
            "last",
            "records",
        ],
    ),
    ("lateral_paths", &["path", "step", "source", "target", "port", "time", "weight_db", "record"]),
    ("reach", &["source", "hour", "new_hosts", "new_ports", "admin_ports", "record"]),
    ("pool_spans", &["address", "first", "last", "flows", "records"]),
    ("flow_notes", &["kind", "text"]),
];

type Fields = Vec<(&'static str, Value<'static>)>;

fn object(fields: Fields) -> Object<'static> {
    Object(fields.into_iter().map(|(name, value)| (name.into(), value)).collect())
}

fn text(text: impl ToString) -> Value<'static> {
    Value::text(text.to_string())
}

fn maybe(value: Option<impl ToString>) -> Value<'static> {
    value.map_or(Value::Null, text)
}

fn time(time: i64) -> Value<'static> {
    Value::text(format_time(time))
}

fn whole(number: impl Into<i128>) -> Value<'static> {
    Value::Int(number.into())
}

/// Three digits after the point: what is measured here is not known better.
fn number(number: f64) -> Value<'static> {
    Value::Float((number * 1000.0).round() / 1000.0)
}

fn record(one: &RecordRef) -> Value<'static> {
    Value::Object(object(vec![("file", text(&one.file)), ("record", whole(one.record))]))
}

fn records(all: &[RecordRef]) -> Value<'static> {
    Value::List(all.iter().map(record).collect())
}

pub(crate) fn rows(results: &Results, name: &str) -> Vec<Object<'static>> {
    match name {
        "beacons" => beacons(results),
        "scans" => scans(results),
        "botnet_members" => members(results),
        "controllers" => controllers(results),
        "bulk" => bulk(results),
        "dns_tunnels" => tunnels(results),
        "lateral_paths" => paths(results),
        "reach" => reach(results),
        "pool_spans" => spans(results),
        _ => notes(results),
    }
}

fn beacons(results: &Results) -> Vec<Object<'static>> {
    let row = |one: &makyo_flow::Beacon| {
        object(vec![
            ("source", text(one.source)),
            ("target", text(one.target)),
            ("port", whole(one.port)),
            ("protocol", whole(one.protocol)),
            ("suspicion", number(one.suspicion)),
            ("regularity", number(one.nlp)),
            ("rhythm", text(one.rhythm.word())),
            ("period_s", number(one.period_s)),
            ("spread", number(one.spread)),
            ("beats", whole(one.beats)),
            ("flows", whole(one.flows)),
            ("failed", whole(one.failed)),
            ("pauses", whole(one.pauses)),
            ("active_s", number(one.active_s)),
            ("first", time(one.first)),
            ("last", time(one.last)),
            ("sources", whole(one.sources)),
            ("sources_in_all", whole(one.sources_in_all)),
            ("bytes_out", whole(one.bytes_out)),
            ("bytes_in", whole(one.bytes_in)),
            ("same_size", number(one.same_size)),
            ("score", number(one.rita.score)),
            ("ts_score", number(one.rita.timestamp)),
            ("ds_score", number(one.rita.data_size)),
            ("hist_score", number(one.rita.histogram)),
            ("dur_score", number(one.rita.duration)),
            ("target_class", maybe(one.class.map(makyo_base::AddressClass::word))),
            ("target_network", maybe(one.network.as_ref())),
            ("benign", maybe(one.benign)),
            ("records", records(&one.records)),
        ])
    };
    results.beacons.iter().map(row).collect()
}

fn scans(results: &Results) -> Vec<Object<'static>> {
    let row = |one: &makyo_flow::Scan| {
        object(vec![
            ("source", text(one.source)),
            ("failed", whole(one.failed)),
            ("succeeded", whole(one.succeeded)),
            ("hosts_at_once", whole(one.hosts_at_once)),
            ("port", whole(one.port)),
            ("ports_of_one", whole(one.ports_of_one)),
            ("one", text(one.one)),
            ("hosts_in_a_day", whole(one.hosts_in_a_day)),
            ("log_odds", number(one.log_odds)),
            ("inside", Value::Bool(one.is_inside)),
            ("own_scanner", Value::Bool(one.is_own_scanner)),
            ("first", time(one.first)),
            ("last", time(one.last)),
            ("records", records(&one.records)),
        ])
    };
    results.scans.iter().map(row).collect()
}

fn members(results: &Results) -> Vec<Object<'static>> {
    let row = |one: &makyo_flow::Member| {
        object(vec![
            ("device", text(one.device)),
            ("controller", text(one.controller)),
            ("port", whole(one.port)),
            ("why", text(one.why.word())),
            ("listed_as", maybe(one.listed_as.as_ref())),
            ("member", Value::Bool(one.is_member)),
            ("weight_db", number(one.weight_db)),
            ("flows", whole(one.flows)),
            ("period_s", one.period_s.map_or(Value::Null, number)),
            ("entered_from", maybe(one.entered_from.map(|entry| entry.0))),
            ("entered", one.entered_from.map_or(Value::Null, |entry| time(entry.1))),
            ("fetched_from", maybe(one.fetched_from)),
            ("scans", Value::Bool(one.scans)),
            ("first", time(one.first)),
            ("last", time(one.last)),
            ("records", records(&one.records)),
        ])
    };
    results.members.iter().map(row).collect()
}

fn controllers(results: &Results) -> Vec<Object<'static>> {
    let row = |one: &makyo_flow::Controller| {
        object(vec![
            ("target", text(one.target)),
            ("port", whole(one.port)),
            ("protocol", whole(one.protocol)),
            ("accused", Value::Bool(one.is_accused)),
            ("reason", text(&one.reason)),
            ("devices", whole(one.devices)),
            ("regular", whole(one.regular)),
            ("novel", whole(one.novel)),
            ("chains", whole(one.chains)),
            ("chains_by_chance", number(one.chains_by_chance)),
            ("scanners", whole(one.scanners)),
            ("nlp", number(one.nlp)),
            ("first", time(one.first)),
            ("last", time(one.last)),
        ])
    };
    results.controllers.iter().map(row).collect()
}

fn bulk(results: &Results) -> Vec<Object<'static>> {
    let row = |one: &makyo_flow::Bulk| {
        object(vec![
            ("source", text(one.source)),
            ("target", text(one.target)),
            ("bytes_out", whole(one.bytes_out)),
            ("bytes_in", whole(one.bytes_in)),
            ("sources", whole(one.sources)),
            ("deviations", number(one.deviations)),
            ("collected", whole(one.collected)),
            ("staged", Value::Bool(one.is_staged)),
            ("target_class", maybe(one.class.map(makyo_base::AddressClass::word))),
            ("target_network", maybe(one.network.as_ref())),
            ("first", time(one.first)),
            ("last", time(one.last)),
            ("records", records(&one.records)),
        ])
    };
    results.bulk.iter().map(row).collect()
}

fn tunnels(results: &Results) -> Vec<Object<'static>> {
    let row = |one: &makyo_flow::DnsTunnel| {
        object(vec![
            ("domain", text(&one.domain)),
            ("client", text(one.client)),
            ("clients", whole(one.clients)),
            ("questions", whole(one.questions)),
            ("names", whole(one.names)),
            ("mean_length", number(one.mean_length)),
            ("entropy", number(one.entropy)),
            ("payload", whole(one.payload)),
            ("first", time(one.first)),
            ("last", time(one.last)),
            ("records", records(&one.records)),
        ])
    };
    results.tunnels.iter().map(row).collect()
}

fn paths(results: &Results) -> Vec<Object<'static>> {
    let mut rows = Vec::new();
    for (path, one) in results.paths.iter().enumerate() {
        for (step, hop) in one.hops.iter().enumerate() {
            rows.push(object(vec![
                ("path", Value::Int(path as i128 + 1)),
                ("step", Value::Int(step as i128 + 1)),
                ("source", text(hop.source)),
                ("target", text(hop.target)),
                ("port", whole(hop.port)),
                ("time", time(hop.time)),
                ("weight_db", number(one.weight_db)),
                ("record", record(&hop.record)),
            ]));
        }
    }
    rows
}

fn reach(results: &Results) -> Vec<Object<'static>> {
    let row = |one: &makyo_flow::HourOfReach| {
        object(vec![
            ("source", text(one.source)),
            ("hour", time(one.hour)),
            ("new_hosts", whole(one.new_hosts)),
            ("new_ports", whole(one.new_ports)),
            ("admin_ports", whole(one.admin_ports)),
            ("record", record(&one.record)),
        ])
    };
    results.reach.iter().map(row).collect()
}

fn spans(results: &Results) -> Vec<Object<'static>> {
    let row = |one: &makyo_flow::PoolSpan| {
        object(vec![
            ("address", text(one.address)),
            ("first", time(one.first)),
            ("last", time(one.last)),
            ("flows", whole(one.flows)),
            ("records", records(&one.records)),
        ])
    };
    results.pool_spans.iter().map(row).collect()
}

/// What was read, and what the results lack.
fn notes(results: &Results) -> Vec<Object<'static>> {
    if results.flows == 0 && results.questions == 0 {
        return Vec::new();
    }
    let mut all = vec![(
        "read",
        format!(
            "{} flows in {} channels of {} inside sources ({} flows were there twice), {} questions to the DNS; {} channels are regular in some degree",
            results.flows,
            results.channels,
            results.devices,
            results.duplicates,
            results.questions,
            results.beacons_in_all,
        ),
    )];
    all.extend(results.lacks.iter().map(|lack| ("lacks", lack.0.clone())));
    all.extend(results.unread.iter().map(|one| {
        let text = format!(
            "{}: record {} and {} more: {}",
            one.file,
            one.record,
            one.count.saturating_sub(1),
            one.detail
        );
        ("unread", text)
    }));
    all.into_iter()
        .map(|(kind, note)| object(vec![("kind", text(kind)), ("text", text(note))]))
        .collect()
}
