//! Incidents from what others hand over: STIX 2.1 bundles, MISP events, cases of makyo.
//!
//! What somebody concluded about who it was (intrusion sets, threat actors, `attributed-to`) is left
//! out on purpose: a judgement that is fed back as evidence would support itself.

mod canonical;
mod case;
mod misp;
mod stix;

use std::io::Read as _;

use makyo_base::{Object, Value, parse_json};
use makyo_sigma::{Diagnostic, Node, load_yaml};

use crate::incident::Incident;

pub use case::case_incidents;

/// Something that was given and could not be used, and why.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Unread {
    /// The file.
    pub file: String,
    /// What and why.
    pub reason: String,
}

/// What a file held.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Reading {
    /// Incidents, with their items sorted.
    pub incidents: Vec<Incident>,
    /// What could not be read. Whatever is here makes the result one of partial evidence.
    pub unread: Vec<Unread>,
    /// What was left out on purpose: expired, private, shared by strangers.
    pub left_out: Vec<Unread>,
}

impl Reading {
    fn unread(&mut self, file: &str, reason: impl Into<String>) {
        self.unread.push(Unread { file: file.to_owned(), reason: reason.into() });
    }

    fn left_out(&mut self, file: &str, reason: impl Into<String>) {
        self.left_out.push(Unread { file: file.to_owned(), reason: reason.into() });
    }
}

/// What everybody's incident may touch: it is context and never evidence of one hand.
#[derive(Clone, Debug, Default)]
pub struct Shared {
    /// Domains and addresses that strangers share, in lower case, sorted.
    pub endpoints: Vec<String>,
}

impl Shared {
    /// Reads `knowledge/shared-parents.yml`: lists of names, by reason.
    ///
    /// # Errors
    /// The first mistake.
    pub fn load(text: &str) -> Result<Self, Diagnostic> {
        let documents = load_yaml(text)?;
        let root = documents.first().ok_or_else(|| Diagnostic::at(1, "file is empty"))?;
        let mut endpoints: Vec<String> = root
            .entries()
            .iter()
            .flat_map(|(_, names)| names.items())
            .filter_map(Node::text)
            .map(str::to_lowercase)
            .collect();
        endpoints.sort();
        Ok(Shared { endpoints })
    }

    fn holds(&self, value: &str) -> bool {
        self.endpoints.binary_search_by(|one| one.as_str().cmp(value)).is_ok()
    }
}

/// A file larger than this, unpacked, is refused. ATT&CK for enterprises is about 50 MB.
const TEXT_BYTES_MAX: u64 = 1 << 30;

/// The text of a file, plain or gzip.
///
/// # Errors
/// Why it is no text.
pub fn text_of(bytes: &[u8]) -> Result<String, String> {
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        let text = std::str::from_utf8(bytes).map_err(|reason| format!("is no text: {reason}"))?;
        return Ok(text.to_owned());
    }
    let mut text = String::new();
    let unpacked = flate2::read::MultiGzDecoder::new(bytes);
    unpacked
        .take(TEXT_BYTES_MAX + 1)
        .read_to_string(&mut text)
        .map_err(|reason| format!("gzip cannot be unpacked: {reason}"))?;
    if text.len() as u64 > TEXT_BYTES_MAX {
        return Err("is larger than 1 GiB, unpacked".to_owned());
    }
    Ok(text)
}

/// Reads a JSON file of incidents, told apart by content.
#[must_use]
pub fn read_incidents(file: &str, text: &str, shared: &Shared) -> Reading {
    let mut reading = Reading::default();
    match parse_json(text.trim_start_matches('\u{feff}')) {
        Ok(Value::Object(root)) => one(file, &root, shared, &mut reading),
        Ok(Value::List(list)) => many(file, &list, shared, &mut reading),
        Ok(_) => reading.unread(file, "is neither a STIX bundle nor a MISP event"),
        Err(reason) => reading.unread(file, format!("is no JSON: {reason}")),
    }
    for incident in &mut reading.incidents {
        *incident = std::mem::take(incident).normal();
    }
    reading.incidents.retain(|incident| !incident.items.is_empty());
    reading
}

fn one(file: &str, root: &Object<'_>, shared: &Shared, to: &mut Reading) {
    if root.get("type").and_then(Value::as_str) == Some("bundle") {
        match root.get("objects") {
            Some(Value::List(objects)) => stix::bundle(file, objects, shared, to),
            _ => to.unread(file, "STIX bundle has no `objects`"),
        }
    } else if let Some(Value::Object(event)) = root.get("Event") {
        misp::event(file, event, shared, to);
    } else if let Some(Value::List(list)) = root.get("response") {
        many(file, list, shared, to);
    } else if root.contains("Attribute") && root.contains("info") {
        misp::event(file, root, shared, to);
    } else {
        to.unread(file, "is neither a STIX bundle nor a MISP event");
    }
}

fn many(file: &str, list: &[Value<'_>], shared: &Shared, to: &mut Reading) {
    let objects = list.iter().filter_map(Value::as_object);
    if objects.clone().any(|object| object.contains("spec_version")) {
        return stix::bundle(file, list, shared, to);
    }
    for value in list {
        match value {
            Value::Object(object) => one(file, object, shared, to),
            _ => to.unread(file, "list holds something that is no object"),
        }
    }
}

pub(crate) fn text<'a>(object: &'a Object<'_>, name: &str) -> Option<&'a str> {
    object.get(name).and_then(Value::as_str).map(str::trim).filter(|text| !text.is_empty())
}

pub(crate) fn list<'a, 'b>(object: &'a Object<'b>, name: &str) -> &'a [Value<'b>] {
    match object.get(name) {
        Some(Value::List(list)) => list,
        _ => &[],
    }
}

fn time(object: &Object<'_>, name: &str) -> Option<i64> {
    object.get(name).and_then(Value::as_text).and_then(|text| makyo_base::parse_time(&text))
}

/// Items of a STIX pattern, as kind and canonical value.
pub(crate) fn pattern_items(pattern: &str) -> Vec<(String, String)> {
    let source = crate::incident::Source::reported("");
    stix::comparisons(pattern)
        .into_iter()
        .filter_map(|(kind, value)| {
            let found = canonical::item(kind, &value, "", &source, &Shared::default()).ok()?;
            Some((found.kind, found.value))
        })
        .collect()
}
