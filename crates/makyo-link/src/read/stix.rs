//! STIX 2.1 bundles (OASIS, 2021).
//!
//! Each `incident` gets what relations and object references lead to from it, but not through
//! another incident, and never through somebody's attribution. A bundle without an incident is one
//! incident.

use std::collections::{BTreeMap, BTreeSet};

use makyo_base::{Object, Value};

use super::canonical::item;
use super::{Reading, Shared, list, text, time};
use crate::incident::{Incident, Source};

/// Objects that are somebody's answer to the question, or lead from one incident to all others.
const NOT_FOLLOWED: &[&str] = &["intrusion-set", "threat-actor", "campaign", "opinion", "note"];

struct Bundle<'a> {
    file: &'a str,
    shared: &'a Shared,
    objects: BTreeMap<&'a str, &'a Object<'a>>,
    /// What each object leads to, both ways.
    next: BTreeMap<&'a str, BTreeSet<&'a str>>,
}

pub(super) fn bundle(file: &str, values: &[Value<'_>], shared: &Shared, to: &mut Reading) {
    let mut objects: BTreeMap<&str, &Object<'_>> = BTreeMap::new();
    for value in values {
        let Value::Object(object) = value else {
            to.unread(file, "STIX bundle holds something that is no object");
            continue;
        };
        match (text(object, "id"), text(object, "type")) {
            (Some(id), Some(_)) => keep_newest(&mut objects, id, object),
            _ => to.unread(file, "STIX object has no `id` or no `type`"),
        }
    }
    objects.retain(|_, object| !matches!(object.get("revoked"), Some(Value::Bool(true))));
    let next = neighbours(&objects);
    let bundle = Bundle { file, shared, objects, next };
    let starts: Vec<&str> = bundle.of_type("incident").collect();
    if starts.is_empty() {
        let id = bundle.of_type("report").next().unwrap_or(file);
        let all: BTreeSet<&str> = bundle.objects.keys().copied().collect();
        bundle.incident(id, &all, to);
    }
    for start in &starts {
        let reached = bundle.reached(start, starts.len() == 1);
        bundle.incident(start, &reached, to);
    }
}

/// A bundle may hold several versions of one object.
fn keep_newest<'a>(
    objects: &mut BTreeMap<&'a str, &'a Object<'a>>,
    id: &'a str,
    object: &'a Object<'a>,
) {
    let modified = |object: &Object<'_>| time(object, "modified").unwrap_or(i64::MIN);
    let is_newer = objects.get(id).is_none_or(|old| {
        (modified(old), makyo_base::to_json(&Value::Object((*old).clone())))
            < (modified(object), makyo_base::to_json(&Value::Object(object.clone())))
    });
    if is_newer {
        objects.insert(id, object);
    }
}

fn neighbours<'a>(
    objects: &BTreeMap<&'a str, &'a Object<'a>>,
) -> BTreeMap<&'a str, BTreeSet<&'a str>> {
    let mut next: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let mut tie = |a: &'a str, b: &'a str| {
        next.entry(a).or_default().insert(b);
        next.entry(b).or_default().insert(a);
    };
    for (id, object) in objects {
        let is_attribution = text(object, "relationship_type") == Some("attributed-to");
        if is_attribution {
            continue;
        }
        for name in ["source_ref", "target_ref", "sighting_of_ref", "object_ref", "from_ref"] {
            if let Some(other) = text(object, name) {
                tie(id, other);
            }
        }
        for name in ["object_refs", "observed_data_refs", "where_sighted_refs", "sample_refs"] {
            for other in list(object, name).iter().filter_map(Value::as_str) {
                tie(id, other);
            }
        }
    }
    next
}

impl<'a> Bundle<'a> {
    fn of_type(&self, name: &str) -> impl Iterator<Item = &'a str> {
        self.objects
            .iter()
            .filter(move |entry| text(entry.1, "type") == Some(name))
            .map(|entry| *entry.0)
    }

    /// What belongs to an incident: all of the bundle where it is the only one.
    fn reached(&self, start: &'a str, is_only: bool) -> BTreeSet<&'a str> {
        if is_only {
            return self.objects.keys().copied().collect();
        }
        let mut seen = BTreeSet::from([start]);
        let mut open = vec![start];
        while let Some(id) = open.pop() {
            for other in self.next.get(id).into_iter().flatten() {
                let kind = self.objects.get(other).and_then(|object| text(object, "type"));
                // What several incidents share is told of each, and leads no further.
                let is_end = matches!(kind, None | Some("incident"))
                    || kind.is_some_and(|kind| NOT_FOLLOWED.contains(&kind));
                if is_end || !seen.insert(other) {
                    continue;
                }
                let leads_on =
                    matches!(
                        kind,
                        Some("relationship" | "sighting" | "observed-data" | "report" | "grouping")
                    ) || self.objects.get(other).is_some_and(|o| o.contains("sample_refs"));
                if leads_on {
                    open.push(other);
                }
            }
        }
        seen
    }

    fn incident(&self, id: &str, reached: &BTreeSet<&str>, to: &mut Reading) {
        let mut incident = Incident { id: id.to_owned(), ..Incident::default() };
        let own = self.objects.get(id);
        let mut times: Vec<i64> = Vec::new();
        let names = ["first_seen", "last_seen", "first_observed", "last_observed"];
        for object in reached.iter().filter_map(|id| self.objects.get(id)) {
            if matches!(text(object, "type"), Some("observed-data" | "sighting" | "incident")) {
                times.extend(names.iter().filter_map(|name| time(object, name)));
            }
        }
        if times.is_empty() {
            times.extend(own.and_then(|own| time(own, "created")));
        }
        incident.time = times.iter().min().copied().zip(times.iter().max().copied());
        incident.working_hour = own
            .and_then(|own| own.get("x_makyo_working_hour"))
            .and_then(Value::as_text)
            .and_then(|text| text.parse::<f64>().ok())
            .filter(|hour| (0.0..24.0).contains(hour));
        let victims = self.victims(reached);
        for object in reached.iter().filter_map(|id| self.objects.get(id)) {
            self.items(object, &victims, &mut incident, to);
        }
        if incident.items.is_empty() {
            to.left_out(self.file, format!("STIX incident without evidence to weigh: `{id}`"));
        }
        to.incidents.push(incident);
    }

    /// Identities and places that something is said to target; who wrote the bundle is no victim.
    fn victims(&self, reached: &BTreeSet<&str>) -> BTreeSet<&'a str> {
        self.objects
            .values()
            .filter(|object| text(object, "relationship_type") == Some("targets"))
            .filter(|object| text(object, "id").is_some_and(|id| reached.contains(id)))
            .filter_map(|object| text(object, "target_ref"))
            .collect()
    }

    fn source(&self, object: &Object<'_>) -> Source {
        let maker = text(object, "created_by_ref").and_then(|id| self.objects.get(id));
        let mut source =
            Source::reported(maker.and_then(|maker| text(maker, "name")).unwrap_or(self.file));
        // The Admiralty scale of STIX 2.1, appendix A.
        if let Some(Value::Int(confidence)) = object.get("confidence") {
            source.credibility = match confidence {
                81..=100 => 1,
                61..=80 => 2,
                41..=60 => 3,
                21..=40 => 4,
                _ => 5,
            };
        }
        source
    }

    fn items(
        &self,
        object: &Object<'_>,
        victims: &BTreeSet<&str>,
        incident: &mut Incident,
        to: &mut Reading,
    ) {
        let id = text(object, "id").unwrap_or_default();
        let name = text(object, "name");
        let mut found: Vec<(&str, String)> = Vec::new();
        match text(object, "type").unwrap_or_default() {
            "attack-pattern" => found.extend(external_id(object).map(|id| ("technique", id))),
            "malware" => found.extend(name.map(|name| ("family", name.to_owned()))),
            "tool" => found.extend(name.map(|name| ("tool", name.to_owned()))),
            "vulnerability" => found.extend(name.map(|name| ("flaw", name.to_owned()))),
            "indicator" => {
                if let Some(reason) = expired(object, incident.time) {
                    return to.left_out(self.file, format!("{reason}: `{id}`"));
                }
                match text(object, "pattern") {
                    Some(pattern) => found.extend(comparisons(pattern)),
                    None => to.unread(self.file, format!("indicator has no pattern: `{id}`")),
                }
            }
            "identity" if victims.contains(id) => found.extend(
                list(object, "sectors")
                    .iter()
                    .filter_map(Value::as_str)
                    .map(|sector| ("sector", sector.to_owned())),
            ),
            "location" if victims.contains(id) => {
                found.extend(text(object, "country").map(|one| ("country", one.to_owned())));
            }
            other => found.extend(observable(other, object)),
        }
        let source = self.source(object);
        for (kind, value) in found {
            match item(kind, &value, id, &source, self.shared) {
                Ok(item) => incident.items.push(item),
                Err(reason) => to.left_out(self.file, reason),
            }
        }
    }
}

/// The ATT&CK id of a technique.
fn external_id(object: &Object<'_>) -> Option<String> {
    list(object, "external_references")
        .iter()
        .filter_map(Value::as_object)
        .filter(|reference| {
            text(reference, "source_name").is_some_and(|name| name.starts_with("mitre-attack"))
        })
        .find_map(|reference| text(reference, "external_id"))
        .map(str::to_owned)
}

/// An indicator outside its window says nothing about this incident.
fn expired(indicator: &Object<'_>, incident: Option<(i64, i64)>) -> Option<&'static str> {
    let (start, end) = incident?;
    if time(indicator, "valid_from").is_some_and(|from| from > end) {
        return Some("indicator not valid until after the incident");
    }
    let is_over = time(indicator, "valid_until").is_some_and(|until| until <= start);
    is_over.then_some("indicator not valid any more when the incident began")
}

/// Equality comparisons of a pattern: `[domain-name:value = 'a.example']`. Others are no evidence
/// of a value that was seen.
pub(super) fn comparisons(pattern: &str) -> Vec<(&'static str, String)> {
    let mut found = Vec::new();
    let mut rest = pattern;
    while let Some((before, after)) = rest.split_once('=') {
        let is_plain = !before.ends_with(['!', '<', '>']);
        let path = before.rsplit(['[', '(', ' ']).find(|word| word.contains(':'));
        let Some((_, quoted)) = after.split_once('\'') else { break };
        let Some((value, tail)) = quoted.split_once('\'') else { break };
        if let Some(kind) = path.filter(|_| is_plain).and_then(kind_of_path) {
            found.push((kind, value.to_owned()));
        }
        rest = tail;
    }
    found
}

fn kind_of_path(path: &str) -> Option<&'static str> {
    let (object, property) = path.split_once(':')?;
    match object {
        "ipv4-addr" | "ipv6-addr" | "domain-name" | "url" if property == "value" => {
            Some("endpoint")
        }
        "file" if property.starts_with("hashes") => Some("sample"),
        "x509-certificate" if property.starts_with("hashes") || property == "serial_number" => {
            Some("certificate")
        }
        "email-addr" if property == "value" => Some("sender"),
        "email-message" if property == "subject" => Some("lure"),
        "email-message" if property.starts_with("from_ref") => Some("sender"),
        "mutex" if property == "name" => Some("configuration"),
        _ => None,
    }
}

/// Cyber-observable objects. Of several hashes of one file the strongest is taken.
fn observable(kind: &str, object: &Object<'_>) -> Vec<(&'static str, String)> {
    let one = |kind, name| text(object, name).map(|value| (kind, value.to_owned()));
    let hash = || {
        let Some(Value::Object(hashes)) = object.get("hashes") else { return None };
        ["SHA-256", "SHA-1", "MD5"].iter().find_map(|name| text(hashes, name)).map(str::to_owned)
    };
    match kind {
        "ipv4-addr" | "ipv6-addr" | "domain-name" | "url" => one("endpoint", "value"),
        "file" | "artifact" => hash().map(|hash| ("sample", hash)),
        "x509-certificate" => {
            hash().map(|hash| ("certificate", hash)).or_else(|| one("certificate", "serial_number"))
        }
        "email-addr" => one("sender", "value"),
        "email-message" => one("lure", "subject"),
        "mutex" => one("configuration", "name"),
        "x-makyo-habit" => one("habit", "value"),
        _ => None,
    }
    .into_iter()
    .collect()
}
