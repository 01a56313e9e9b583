//! Planted facts of a VPN estate, found or not, and people who are named for nothing.

use std::collections::{BTreeMap, BTreeSet};

use makyo_base::{HOUR_NS, parse_time};
use serde_json::{Value, json};

use super::{list, text};

/// By which findings a kind of fact shows.
const SHOWN_BY: &[(&str, &[&str])] = &[
    ("session_without_login", &["tunnel_without_authentication"]),
    ("session_moved", &["vpn_session_moved"]),
    ("impossible_travel", &["vpn_impossible_travel", "posing_over_vpn"]),
    ("hosting_login", &["posing_over_vpn", "vpn_from_hosting", "suspected_posing"]),
    ("concurrent_sessions", &["posing_over_vpn", "vpn_parallel_sessions", "suspected_posing"]),
    ("admin_outside", &["edge_admin_from_outside"]),
    ("logging_removed", &["edge_logging_cut"]),
    ("appliance_inside", &["appliance_reaches_inside"]),
    ("ghost_pool", &["ghost_pool_address"]),
    ("portal_bulk", &["bulk_through_gate"]),
    ("scan", &["port_scan"]),
    ("appliance_beacon", &["beacon", "appliance_calls_out"]),
];

/// Findings that name a person.
const ACCUSING: &[&str] = &[
    "tunnel_without_authentication",
    "vpn_session_moved",
    "vpn_impossible_travel",
    "vpn_from_hosting",
    "vpn_parallel_sessions",
    "posing_over_vpn",
    "posing_as_user",
    "suspected_posing",
];

/// A finding belongs to a fact that is so near.
const NEAR_NS: i64 = 26 * HOUR_NS;

pub(super) fn facts(truth: &Value, findings: &[Value], coverage: &[Value]) -> Value {
    let mut kinds: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    let mut missed = Vec::new();
    for fact in list(truth, "facts") {
        let kind = text(fact, "kind");
        let is_found = if kind == "log_gap" {
            coverage.iter().any(|row| has_gap(row, fact))
        } else {
            findings.iter().any(|finding| shows(finding, fact))
        };
        let counts = kinds.entry(kind).or_default();
        counts.0 += usize::from(is_found);
        counts.1 += 1;
        if !is_found {
            missed.push(format!("{kind} {} {}", text(fact, "subject"), text(fact, "time")));
        }
    }
    let victims: BTreeSet<&str> = list(truth, "victims").iter().filter_map(Value::as_str).collect();
    let mut wrong: BTreeSet<String> = BTreeSet::new();
    for finding in findings.iter().filter(|finding| ACCUSING.contains(&rule(finding))) {
        for entity in list(finding, "entities") {
            let name = local(text(entity, "value"));
            if text(entity, "kind") == "account" && !victims.contains(name) {
                wrong.insert(format!("{name} {}", rule(finding)));
            }
        }
    }
    let by_kind: Vec<String> =
        kinds.iter().map(|(kind, (found, all))| format!("{kind} {found}/{all}")).collect();
    json!({
        "kinds": kinds.len(),
        "kinds_found": kinds.values().filter(|counts| counts.0 > 0).count(),
        "kinds_found_whole": kinds.values().filter(|counts| counts.0 == counts.1).count(),
        "facts": kinds.values().map(|counts| counts.1).sum::<usize>(),
        "found": kinds.values().map(|counts| counts.0).sum::<usize>(),
        "by_kind": by_kind.join(", "),
        "missed": missed,
        "people_named_for_nothing": wrong.len(),
        "wrong": wrong,
    })
}

fn rule(finding: &Value) -> &str {
    finding.get("rule").map(|rule| text(rule, "id")).unwrap_or_default()
}

/// A name without its domain.
fn local(name: &str) -> &str {
    let name = name.split('@').next().unwrap_or(name);
    name.rsplit('\\').next().unwrap_or(name)
}

fn shows(finding: &Value, fact: &Value) -> bool {
    let rules = SHOWN_BY.iter().find(|row| row.0 == text(fact, "kind"));
    let is_kind = rules.is_some_and(|row| row.1.contains(&rule(finding)));
    let subject = text(fact, "subject");
    let names = list(finding, "entities").iter().any(|one| local(text(one, "value")) == subject);
    let near = match (parse_time(text(finding, "time")), parse_time(text(fact, "time"))) {
        // A beacon goes on for weeks.
        (Some(found), Some(planted)) => {
            (found - planted).abs() <= NEAR_NS || text(fact, "kind") == "appliance_beacon"
        }
        _ => false,
    };
    is_kind && names && near
}

fn has_gap(row: &Value, fact: &Value) -> bool {
    let planted = parse_time(text(fact, "time"));
    text(row, "scope") == text(fact, "subject")
        && list(row, "gaps").iter().any(|gap| match (parse_time(text(gap, "from")), planted) {
            (Some(from), Some(planted)) => (from - planted).abs() <= 2 * HOUR_NS,
            _ => false,
        })
}
