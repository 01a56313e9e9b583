mod binding;
mod evaluation;
mod properties;

use makyo_base::{Entity, EntityKind, RecordRef, Role, SECOND_NS};
use makyo_sigma::{Placeholders, Rule, load_documents};

use crate::{CorrelationHit, CorrelationMatch, CorrelationState, CorrelationTally, Correlations};

const RULES: &str = "title: A\nid: id-a\nname: a\nlevel: low\ntags: [attack.t1110]
logsource: {product: p}\ndetection: {s: {A: 1}, condition: s}
---
title: B\nid: id-b\nname: b\nlevel: high\ntags: [attack.t1078]
logsource: {product: p}\ndetection: {s: {A: 2}, condition: s}
---
title: C\nid: id-c\nname: c
logsource: {product: p}\ndetection: {s: {A: 3}, condition: s}
";

/// Rules `a`, `b`, `c` and the correlations of a text.
fn compile(text: &str) -> (Vec<Rule>, Correlations, Vec<String>) {
    let text = format!("{RULES}---\n{text}");
    let (documents, problems) = load_documents("c.yml", &text, &Placeholders::default());
    assert_eq!(problems, vec![], "{text}");
    let (correlations, problems) = Correlations::compile(&documents.rules, documents.correlations);
    (documents.rules, correlations, problems.iter().map(|one| one.message.clone()).collect())
}

fn in_order(text: &str) -> Correlations {
    let (_, correlations, problems) = compile(text);
    assert_eq!(problems, Vec::<String>::new());
    correlations
}

/// One correlation over the rules `a`, `b` and `c`, grouped by `G`.
fn one(body: &str) -> Correlations {
    in_order(&format!(
        "title: t\nid: id-t\ncorrelation: {{rules: [a, b, c], group-by: [G], {body}}}\n"
    ))
}

/// A hit of the first correlation in its own record.
fn hit(second: i64, place: usize, group: &str, value: &str, number: u64) -> CorrelationHit {
    let mut identity = [0; 16];
    identity[..8].copy_from_slice(&number.to_be_bytes());
    let host = Entity { role: Role::Place, kind: EntityKind::Host, value: group.into() };
    let account = Entity { role: Role::Actor, kind: EntityKind::Account, value: value.into() };
    CorrelationHit {
        correlation: 0,
        group: vec![group.into()],
        time: second * SECOND_NS,
        place,
        identity,
        records: vec![RecordRef { file: "f".into(), record: number }],
        values: vec![value.into()],
        entities: vec![host, account],
    }
}

fn run_limited(
    correlations: &Correlations,
    parts: Vec<Vec<CorrelationHit>>,
    limit: usize,
) -> (Vec<CorrelationMatch>, CorrelationTally) {
    let folder = tempfile::tempdir().expect("folder");
    let mut whole = CorrelationState::with_limit(folder.path(), limit);
    for part in parts {
        let mut state = CorrelationState::with_limit(folder.path(), limit);
        for hit in part {
            state.push(hit).expect("spooled");
        }
        whole.merge(state).expect("merged");
    }
    let mut found = Vec::new();
    let tally = whole.finish(correlations, &mut |one| found.push(one)).expect("read");
    let left = std::fs::read_dir(folder.path()).expect("folder").count();
    assert_eq!(left, 0, "runs are removed");
    (found, tally)
}

fn run(correlations: &Correlations, hits: Vec<CorrelationHit>) -> Vec<CorrelationMatch> {
    run_limited(correlations, vec![hits], 1_000).0
}

/// First and last second, how many hits and the value of each match.
fn seconds(found: &[CorrelationMatch]) -> Vec<(i64, i64, u64, String)> {
    found
        .iter()
        .map(|one| (one.first / SECOND_NS, one.last / SECOND_NS, one.hits, one.value.to_string()))
        .collect()
}
