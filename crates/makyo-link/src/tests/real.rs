//! The benchmark's simulated incidents beside the checkout, where they exist: figures that may only
//! rise. `examples/evaluate` measures all of them.

use std::collections::BTreeMap;
use std::path::Path;

use makyo_base::{Object, Value, parse_json};

use super::{incident, weights};
use crate::cluster::cluster;
use crate::corpus::Corpus;
use crate::incident::Incident;

const FIELDS: [(&str, &str); 9] = [
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

fn given(name: &str) -> Option<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/judgement");
    let path = folder.join("linksim").join(name);
    let text = std::fs::read_to_string(&path).ok();
    if text.is_none() {
        println!("skipped: no simulated incidents at {}", path.display());
    }
    text
}

fn simulated(row: &Object<'_>) -> Incident {
    let mut values: Vec<(&str, String)> = Vec::new();
    for (field, kind) in FIELDS {
        match row.get(field) {
            Some(Value::List(list)) => {
                let texts = list.iter().filter_map(Value::as_text);
                values.extend(texts.map(|text| (kind, text.into_owned())));
            }
            Some(one) => values.extend(one.as_text().map(|text| (kind, text.into_owned()))),
            None => {}
        }
    }
    let borrowed: Vec<(&str, &str)> = values.iter().map(|(k, v)| (*k, v.as_str())).collect();
    let id = row.get("id").and_then(Value::as_str).unwrap_or_default();
    let hour = row.get("tz").and_then(Value::as_text).and_then(|text| text.parse().ok());
    Incident { working_hour: hour, ..incident(id, &borrowed) }
}

#[test]
fn false_flags_do_not_move_the_partition() {
    let (Some(text), Some(truth)) = (given("S3_ff.2.incidents.json"), given("S3_ff.2.truth.json"))
    else {
        return;
    };
    let root = parse_json(&text).expect("JSON");
    let Some(Value::List(rows)) = root.as_object().and_then(|root| root.get("incidents")) else {
        panic!("no incidents");
    };
    let incidents: Vec<Incident> =
        rows.iter().filter_map(Value::as_object).map(simulated).collect();
    let truth = parse_json(&truth).expect("JSON");
    let group = |id: &str| {
        let row = truth.as_object().and_then(|all| all.get(id)).and_then(Value::as_object);
        row.and_then(|row| row.get("group")).and_then(Value::as_text).expect("group").into_owned()
    };
    let weights = weights();
    let sets = cluster(&Corpus::new(&incidents, &weights), &weights, 2).set_of;
    let groups: Vec<String> = incidents.iter().map(|one| group(&one.id)).collect();
    let count = |is_same: &dyn Fn(usize, usize) -> bool, at: usize| {
        (0..incidents.len()).filter(|other| is_same(at, *other)).count() as f64
    };
    let same_set = |a: usize, b: usize| sets[a] == sets[b];
    let same_group = |a: usize, b: usize| groups[a] == groups[b];
    let both = |a: usize, b: usize| same_set(a, b) && same_group(a, b);
    let mean = |all: &dyn Fn(usize, usize) -> bool| {
        let shares = (0..incidents.len()).map(|at| count(&both, at) / count(all, at));
        shares.sum::<f64>() / incidents.len() as f64
    };
    let (precision, recall) = (mean(&same_set), mean(&same_group));
    let b3 = 2.0 * precision * recall / (precision + recall);
    assert!(b3 >= 0.985, "{b3}");
    let mut sizes: BTreeMap<usize, usize> = BTreeMap::new();
    sets.iter().for_each(|set| *sizes.entry(*set).or_default() += 1);
    assert!(sizes.len() < 60, "{}", sizes.len());
}
