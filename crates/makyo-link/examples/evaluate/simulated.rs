//! The simulated incidents and the truth about them.

use std::collections::BTreeMap;

use anyhow::{Context as _, bail};
use makyo_base::{Object, Value, parse_json};
use makyo_link::incident::{Incident, Item, Source};

/// The scenarios.
pub(crate) const SCENARIOS: [&str; 6] =
    ["S1_base", "S2_hubs", "S3_ff", "S4_sparse", "S5_orb", "S6_hard"];

/// Fields of an incident and the kinds of evidence that they are.
const FIELDS: &[(&str, &str)] = &[
    ("infra", "endpoint"),
    ("hash", "sample"),
    ("cfg", "configuration"),
    ("fam", "family"),
    ("habit", "habit"),
    ("tech", "technique"),
    ("lure", "lure"),
    ("sector", "sector"),
    ("country", "country"),
];

/// What is true of an incident.
#[derive(Clone, Debug)]
pub(crate) struct Truth {
    pub(crate) group: String,
    pub(crate) framed: Option<String>,
}

/// A scenario: incidents by id with their day, and the truth.
#[derive(Debug)]
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    pub(crate) incidents: Vec<Incident>,
    pub(crate) days: BTreeMap<String, f64>,
    pub(crate) truth: BTreeMap<String, Truth>,
}

pub(crate) fn scenario(data: &str, name: &'static str, seed: u32) -> anyhow::Result<Scenario> {
    let path = |what: &str| format!("{data}/linksim/{name}.{seed}.{what}.json");
    let given = read(&path("incidents"))?;
    let root = parse_json(&given).map_err(anyhow::Error::msg)?;
    let Some(Value::List(list)) = root.as_object().and_then(|root| root.get("incidents")) else {
        bail!("no incidents: {}", path("incidents"));
    };
    let mut scenario =
        Scenario { name, incidents: Vec::new(), days: BTreeMap::new(), truth: BTreeMap::new() };
    for row in list.iter().filter_map(Value::as_object) {
        let incident = incident(row);
        scenario.days.insert(incident.id.clone(), number(row, "t").unwrap_or_default());
        scenario.incidents.push(incident);
    }
    let given = read(&path("truth"))?;
    let root = parse_json(&given).map_err(anyhow::Error::msg)?;
    for (id, row) in root.as_object().into_iter().flat_map(|root| &root.0) {
        let Some(row) = row.as_object() else { continue };
        let truth = Truth {
            group: text(row, "group").unwrap_or_default(),
            framed: text(row, "false_flag"),
        };
        scenario.truth.insert(id.to_string(), truth);
    }
    Ok(scenario)
}

pub(crate) fn read(path: &str) -> anyhow::Result<String> {
    let bytes = std::fs::read(path).with_context(|| format!("cannot read `{path}`"))?;
    makyo_link::read::text_of(&bytes).map_err(anyhow::Error::msg)
}

pub(crate) fn number(row: &Object<'_>, name: &str) -> Option<f64> {
    row.get(name).and_then(Value::as_text).and_then(|text| text.parse().ok())
}

pub(crate) fn text(row: &Object<'_>, name: &str) -> Option<String> {
    let value = row.get(name).filter(|value| **value != Value::Null)?;
    value.as_text().map(std::borrow::Cow::into_owned)
}

pub(crate) fn texts(row: &Object<'_>, name: &str) -> Vec<String> {
    match row.get(name) {
        Some(Value::List(list)) => {
            list.iter().filter_map(Value::as_text).map(std::borrow::Cow::into_owned).collect()
        }
        _ => text(row, name).into_iter().collect(),
    }
}

fn incident(row: &Object<'_>) -> Incident {
    let source = Source::own("simulation");
    let mut items = Vec::new();
    for (field, kind) in FIELDS {
        for value in texts(row, field) {
            let item = Item {
                kind: (*kind).to_owned(),
                value,
                root: String::new(),
                source: source.clone(),
            };
            items.push(item);
        }
    }
    let id = text(row, "id").unwrap_or_default();
    Incident { id, time: None, items, working_hour: number(row, "tz") }.normal()
}
