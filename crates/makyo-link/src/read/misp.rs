//! MISP events (the core format of misp-standard.org): attributes, objects, galaxies and tags.

use makyo_base::{Object, Value};

use super::canonical::item;
use super::{Reading, Shared, list, text, time};
use crate::incident::{Incident, Source};

/// Types of attributes, and the kind of evidence that they are.
const TYPES: &[(&str, &str)] = &[
    ("ip-src", "endpoint"),
    ("ip-dst", "endpoint"),
    ("ip-dst|port", "endpoint"),
    ("ip-src|port", "endpoint"),
    ("domain", "endpoint"),
    ("domain|ip", "endpoint"),
    ("hostname", "endpoint"),
    ("url", "endpoint"),
    ("email-src", "sender"),
    ("email", "sender"),
    ("email-subject", "lure"),
    ("md5", "sample"),
    ("sha1", "sample"),
    ("sha256", "sample"),
    ("filename|md5", "sample"),
    ("filename|sha1", "sample"),
    ("filename|sha256", "sample"),
    ("malware-sample", "sample"),
    ("mutex", "configuration"),
    ("pdb", "configuration"),
    ("imphash", "configuration"),
    ("x509-fingerprint-sha1", "certificate"),
    ("x509-fingerprint-sha256", "certificate"),
    ("ssh-fingerprint", "certificate"),
    ("vulnerability", "flaw"),
];

/// Galaxies, and the kind of evidence that their clusters are. Threat actors are left out: they
/// are somebody's answer to the question.
const GALAXIES: &[(&str, &str)] = &[
    ("mitre-attack-pattern", "technique"),
    ("mitre-malware", "family"),
    ("malpedia", "family"),
    ("mitre-tool", "tool"),
    ("tool", "tool"),
    ("sector", "sector"),
    ("country", "country"),
];

pub(super) fn event(file: &str, event: &Object<'_>, shared: &Shared, to: &mut Reading) {
    let Some(id) = text(event, "uuid").or_else(|| text(event, "id")) else {
        return to.unread(file, "MISP event has neither `uuid` nor `id`");
    };
    let maker = match event.get("Orgc") {
        Some(Value::Object(maker)) => text(maker, "name"),
        _ => None,
    };
    let mut source = Source::reported(maker.unwrap_or(file));
    rate(event, &mut source);
    let day = time(event, "date").or_else(|| {
        makyo_base::parse_time(&format!("{}T00:00:00Z", text(event, "date").unwrap_or_default()))
    });
    let mut incident =
        Incident { id: id.to_owned(), time: day.map(|day| (day, day)), ..Incident::default() };
    for attribute in list(event, "Attribute") {
        attribute_items(file, attribute, "", &source, shared, &mut incident, to);
    }
    for object in list(event, "Object").iter().filter_map(Value::as_object) {
        let root = text(object, "uuid").unwrap_or_default();
        for attribute in list(object, "Attribute") {
            attribute_items(file, attribute, root, &source, shared, &mut incident, to);
        }
    }
    galaxies(file, event, &source, shared, &mut incident, to);
    if incident.items.is_empty() {
        to.left_out(file, format!("MISP event without evidence that can be weighed: `{id}`"));
    }
    to.incidents.push(incident);
}

fn attribute_items(
    file: &str,
    attribute: &Value<'_>,
    root: &str,
    source: &Source,
    shared: &Shared,
    incident: &mut Incident,
    to: &mut Reading,
) {
    let Value::Object(attribute) = attribute else {
        return to.unread(file, "attribute is no object");
    };
    if matches!(attribute.get("deleted"), Some(Value::Bool(true))) {
        return;
    }
    let (Some(name), Some(value)) = (text(attribute, "type"), text(attribute, "value")) else {
        return to.unread(file, "attribute has no `type` or no `value`");
    };
    let mut source = source.clone();
    rate(attribute, &mut source);
    galaxies(file, attribute, &source, shared, incident, to);
    let Some((_, kind)) = TYPES.iter().find(|entry| entry.0 == name) else { return };
    for own in ["first_seen", "last_seen"] {
        if let Some(seen) = time(attribute, own) {
            let (start, end) = incident.time.unwrap_or((seen, seen));
            incident.time = Some((start.min(seen), end.max(seen)));
        }
    }
    // `filename|sha256`, `domain|ip`, `ip-dst|port`: two facts of one observation.
    let parts: Vec<&str> = match name {
        _ if name.starts_with("filename|") || name == "malware-sample" => {
            value.rsplit('|').take(1).collect()
        }
        "ip-dst|port" | "ip-src|port" => value.split('|').take(1).collect(),
        _ if name.contains('|') => value.split('|').collect(),
        _ => vec![value],
    };
    let root = if root.is_empty() && parts.len() > 1 { value } else { root };
    for part in parts {
        match item(kind, part, root, &source, shared) {
            Ok(item) => incident.items.push(item),
            Err(reason) => to.left_out(file, reason),
        }
    }
}

fn galaxies(
    file: &str,
    holder: &Object<'_>,
    source: &Source,
    shared: &Shared,
    incident: &mut Incident,
    to: &mut Reading,
) {
    let mut named: Vec<(&str, String)> = Vec::new();
    for galaxy in list(holder, "Galaxy").iter().filter_map(Value::as_object) {
        for cluster in list(galaxy, "GalaxyCluster").iter().filter_map(Value::as_object) {
            if let (Some(kind), Some(value)) = (text(cluster, "type"), text(cluster, "value")) {
                named.push((kind, value.to_owned()));
            }
        }
    }
    for tag in list(holder, "Tag").iter().filter_map(Value::as_object) {
        let name = text(tag, "name").unwrap_or_default();
        if let Some((kind, value)) =
            name.strip_prefix("misp-galaxy:").and_then(|rest| rest.split_once('='))
        {
            named.push((kind, value.trim_matches('"').to_owned()));
        }
    }
    for (galaxy, value) in named {
        let Some((_, kind)) = GALAXIES.iter().find(|entry| entry.0 == galaxy) else { continue };
        // `PowerShell - T1059.001`, `Name - S0154`: the id where it is a technique, else the name.
        let (name, id) = value.rsplit_once(" - ").unwrap_or((&value, &value));
        let value = if *kind == "technique" { id } else { name };
        match item(kind, value, "", source, shared) {
            Ok(item) => incident.items.push(item),
            Err(reason) => to.left_out(file, reason),
        }
    }
}

/// Tags of the `admiralty-scale` taxonomy.
fn rate(holder: &Object<'_>, source: &mut Source) {
    for tag in list(holder, "Tag").iter().filter_map(Value::as_object) {
        let name = text(tag, "name").unwrap_or_default();
        let value = name.rsplit_once('=').map_or("", |(_, value)| value.trim_matches('"'));
        if name.starts_with("admiralty-scale:source-reliability")
            && let Some(letter @ 'A'..='F') = value.to_uppercase().chars().next()
        {
            source.reliability = letter;
        } else if name.starts_with("admiralty-scale:information-credibility")
            && let Ok(number @ 1..=6) = value.parse()
        {
            source.credibility = number;
        }
    }
}
