//! STIX 2: the indicator objects of a bundle, an envelope, a list, or one alone.

use std::collections::BTreeMap;

use makyo_base::{Object, Value};

use super::draft::{Draft, Reading};
use super::pattern;

pub(super) fn is_stix(root: &Value<'_>) -> bool {
    !objects(root).is_empty()
}

/// The objects of any wrapping; none if it is not STIX.
fn objects<'v, 'a>(root: &'v Value<'a>) -> Vec<&'v Object<'a>> {
    let has_type = |object: &&Object<'_>| object.contains("type") && object.contains("id");
    let from_list = |list: &'v [Value<'a>]| -> Vec<&'v Object<'a>> {
        list.iter().filter_map(Value::as_object).filter(has_type).collect()
    };
    match root {
        Value::Object(object) => match object.get("objects") {
            Some(Value::List(list)) => from_list(list),
            _ if text(object, "type") == "indicator" => vec![object],
            _ => Vec::new(),
        },
        Value::List(list) => {
            let found = from_list(list);
            let is_stix = found.iter().any(|object| text(object, "id").contains("--"));
            if is_stix { found } else { Vec::new() }
        }
        _ => Vec::new(),
    }
}

fn text(object: &Object<'_>, name: &str) -> String {
    object.get(name).and_then(Value::as_text).map(|text| text.into_owned()).unwrap_or_default()
}

fn texts(object: &Object<'_>, name: &str) -> Vec<String> {
    match object.get(name) {
        Some(Value::List(list)) => {
            list.iter().filter_map(Value::as_str).map(str::to_owned).collect()
        }
        _ => Vec::new(),
    }
}

pub(super) fn read(root: &Value<'_>, reading: &mut Reading<'_>) {
    let objects = objects(root);
    let names: BTreeMap<String, String> = objects
        .iter()
        .filter(|object| text(object, "type") == "identity")
        .map(|object| (text(object, "id"), text(object, "name")))
        .collect();
    // Feeds carry every version of an object; the last one counts.
    let mut latest: BTreeMap<String, (String, &Object<'_>)> = BTreeMap::new();
    for object in objects.iter().filter(|object| text(object, "type") == "indicator") {
        let modified = text(object, "modified");
        let entry = latest.entry(text(object, "id")).or_insert_with(|| (modified.clone(), object));
        if entry.0 < modified {
            *entry = (modified, object);
        }
    }
    for (id, (_, object)) in latest {
        keep(id, object, &names, reading);
    }
}

fn keep(
    id: String,
    object: &Object<'_>,
    names: &BTreeMap<String, String>,
    reading: &mut Reading<'_>,
) {
    if matches!(object.get("revoked"), Some(Value::Bool(true))) {
        reading.refuse(0, format!("indicator `{id}` is revoked and not used"));
        return;
    }
    let language = text(object, "pattern_type");
    // STIX 2.0 has no `pattern_type`, and one language only.
    if !matches!(language.as_str(), "" | "stix") {
        reading.refuse(
            0,
            format!("indicator `{id}` is refused: its pattern type is not read: `{language}`"),
        );
        return;
    }
    let alternatives = match pattern::parse(&text(object, "pattern")) {
        Ok(alternatives) => alternatives,
        Err(reason) => {
            reading.refuse(0, format!("indicator `{id}` is refused: {reason}"));
            return;
        }
    };
    let mut labels = texts(object, "labels");
    labels.extend(texts(object, "indicator_types"));
    let mut tactics = Vec::new();
    if let Some(Value::List(phases)) = object.get("kill_chain_phases") {
        for phase in phases.iter().filter_map(Value::as_object) {
            if text(phase, "kill_chain_name") == "mitre-attack" {
                tactics.push(text(phase, "phase_name"));
            }
        }
    }
    let title = text(object, "name");
    let publisher = text(object, "created_by_ref");
    reading.keep(Draft {
        title: if title.is_empty() { text(object, "description") } else { title },
        source: names.get(&publisher).cloned().unwrap_or(publisher),
        alternatives,
        from: text(object, "valid_from"),
        until: text(object, "valid_until"),
        confidence: text(object, "confidence").parse().ok().filter(|number| *number <= 100),
        labels,
        tactics,
        id,
        line: 0,
    });
}
