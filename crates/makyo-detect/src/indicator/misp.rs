//! MISP events as JSON: their attributes, and those of their objects.

use makyo_base::{Object, Value};

use super::draft::{Alternatives, Draft, Reading};
use super::value::{IndicatorKind, IndicatorValue};

/// Events, objects and lists are nested only so deep.
const DEPTH_MAX: usize = 6;

pub(super) fn is_misp(root: &Value<'_>) -> bool {
    match root {
        Value::Object(object) => {
            object.contains("Event") || object.contains("response") || object.contains("Attribute")
        }
        Value::List(list) => list.iter().any(is_misp),
        _ => false,
    }
}

pub(super) fn read(root: &Value<'_>, reading: &mut Reading<'_>) {
    enter(root, "", &[], 0, reading);
}

fn text(object: &Object<'_>, name: &str) -> String {
    object.get(name).and_then(Value::as_text).map(|text| text.into_owned()).unwrap_or_default()
}

fn tags(object: &Object<'_>) -> Vec<String> {
    match object.get("Tag") {
        Some(Value::List(list)) => list
            .iter()
            .filter_map(Value::as_object)
            .map(|tag| text(tag, "name"))
            .filter(|name| !name.is_empty())
            .collect(),
        _ => Vec::new(),
    }
}

fn enter(
    value: &Value<'_>,
    publisher: &str,
    labels: &[String],
    depth: usize,
    reading: &mut Reading<'_>,
) {
    if depth > DEPTH_MAX {
        return;
    }
    match value {
        Value::List(list) => {
            for one in list {
                enter(one, publisher, labels, depth + 1, reading);
            }
        }
        Value::Object(object) => {
            let mut publisher = publisher.to_owned();
            let mut labels = labels.to_vec();
            if let Some(Value::Object(who)) = object.get("Orgc") {
                publisher = text(who, "name");
            }
            let title = text(object, "info");
            if !title.is_empty() {
                publisher =
                    if publisher.is_empty() { title } else { format!("{publisher}: {title}") };
            }
            labels.extend(tags(object));
            if is_yes(object, "deleted") == Some(true) && !object.contains("Event") {
                reading.refuse(
                    0,
                    format!("object is deleted and not used: `{}`", text(object, "uuid")),
                );
                return;
            }
            for name in ["response", "Event", "Object"] {
                if let Some(inner) = object.get(name) {
                    enter(inner, &publisher, &labels, depth + 1, reading);
                }
            }
            if let Some(Value::List(attributes)) = object.get("Attribute") {
                for attribute in attributes.iter().filter_map(Value::as_object) {
                    keep(attribute, &publisher, &labels, reading);
                }
            }
        }
        _ => {}
    }
}

fn is_yes(object: &Object<'_>, name: &str) -> Option<bool> {
    match object.get(name)? {
        Value::Bool(flag) => Some(*flag),
        Value::Int(number) => Some(*number != 0),
        Value::Str(text) => Some(matches!(text.as_ref(), "1" | "true")),
        _ => None,
    }
}

fn keep(attribute: &Object<'_>, publisher: &str, labels: &[String], reading: &mut Reading<'_>) {
    let (id, kind, value) =
        (text(attribute, "uuid"), text(attribute, "type"), text(attribute, "value"));
    let named = if id.is_empty() { format!("`{value}`") } else { format!("`{id}`") };
    if is_yes(attribute, "deleted") == Some(true) {
        reading.refuse(0, format!("attribute is deleted and not used: {named}"));
        return;
    }
    // Without the mark an attribute is context; its publisher did not mean it for detection.
    if is_yes(attribute, "to_ids") != Some(true) {
        reading.refuse(0, format!("attribute is not marked `to_ids` and not used: {named}"));
        return;
    }
    match values(&kind, &value) {
        Ok(alternatives) => {
            let mut labels = labels.to_vec();
            labels.extend(tags(attribute));
            reading.keep(Draft {
                id,
                title: text(attribute, "comment"),
                source: publisher.to_owned(),
                alternatives,
                from: text(attribute, "first_seen"),
                until: text(attribute, "last_seen"),
                labels,
                ..Draft::default()
            });
        }
        Err(reason) => reading.refuse(0, format!("attribute {named} is refused: {reason}")),
    }
}

/// The values of an attribute; a composite one holds two, with `|` between.
fn values(kind: &str, value: &str) -> Result<Alternatives, String> {
    let of = |kind, text: &str| IndicatorValue::of_kind(kind, text);
    let one = |value: IndicatorValue| Ok(vec![(vec![value], None)]);
    let pair = || value.split_once('|').ok_or_else(|| format!("`|` is missing: `{value}`"));
    match kind {
        "ip-src" | "ip-dst" => one(of(IndicatorKind::Address, value)?),
        "ip-src|port" | "ip-dst|port" => {
            let (address, port) = pair()?;
            let port = port.trim().parse().map_err(|_| format!("not a port: `{port}`"))?;
            Ok(vec![(vec![of(IndicatorKind::Address, address)?], Some(port))])
        }
        "domain" | "hostname" => one(of(IndicatorKind::Domain, value)?),
        "hostname|port" => {
            let (host, port) = pair()?;
            let port = port.trim().parse().map_err(|_| format!("not a port: `{port}`"))?;
            Ok(vec![(vec![of(IndicatorKind::Domain, host)?], Some(port))])
        }
        // The publisher saw the name on that address: either alone is what was seen.
        "domain|ip" => {
            let (name, address) = pair()?;
            Ok(vec![
                (vec![of(IndicatorKind::Domain, name)?], None),
                (vec![of(IndicatorKind::Address, address)?], None),
            ])
        }
        "url" | "uri" | "link" => one(of(IndicatorKind::Url, value)?),
        "md5" => one(of(IndicatorKind::Md5, value)?),
        "sha1" => one(of(IndicatorKind::Sha1, value)?),
        "sha256" => one(of(IndicatorKind::Sha256, value)?),
        // The hash names the file; under which name it lies is the intruder's choice.
        "filename|md5" => one(of(IndicatorKind::Md5, pair()?.1)?),
        "filename|sha1" => one(of(IndicatorKind::Sha1, pair()?.1)?),
        "filename|sha256" => one(of(IndicatorKind::Sha256, pair()?.1)?),
        "malware-sample" => one(of(IndicatorKind::Md5, pair()?.1)?),
        "filename" | "email-attachment" => one(of(IndicatorKind::FileName, value)?),
        "email" | "email-src" | "email-dst" | "email-reply-to" => {
            one(of(IndicatorKind::EmailAddress, value)?)
        }
        "email-subject" => one(of(IndicatorKind::EmailSubject, value)?),
        "user-agent" => one(of(IndicatorKind::UserAgent, value)?),
        other => Err(format!("its type is not used: `{other}`")),
    }
}
