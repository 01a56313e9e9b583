//! An event as nested JSON, OCSF names nested as OCSF nests them.

use std::borrow::Cow;

use crate::event::{Cell, Event};
use crate::finding::Level;
use crate::time::format_time;
use crate::value::{Object, Value};

/// Puts a value at a dotted path, making the objects on the way.
pub fn nest<'a>(object: &mut Object<'a>, path: &'static str, value: Value<'a>) {
    let Some((head, tail)) = path.split_once('.') else {
        object.push(path, value);
        return;
    };
    if let Some((_, Value::Object(inner))) = object.0.iter_mut().find(|field| field.0 == head) {
        nest(inner, tail, value);
        return;
    }
    let mut inner = Object::default();
    nest(&mut inner, tail, value);
    object.push(head, Value::Object(inner));
}

/// The event as a nested object: its columns by path, then `evidence`, `unmapped` and items.
#[must_use]
pub fn event_object<'a>(event: &'a Event<'_>, file: &'a str, record: u64) -> Object<'a> {
    let mut object = Object::default();
    for (column, cell) in &event.cells {
        let value = match cell {
            Cell::Text(text) => Value::text(text.as_ref()),
            Cell::Integer(number) => Value::Int((*number).into()),
            Cell::Boolean(flag) => Value::Bool(*flag),
            Cell::Time(time) => Value::text(format_time(*time)),
        };
        nest(&mut object, column.info().path, value);
    }
    for (name, flag) in
        [("inferred", event.inferred), ("time_zone_assumed", event.time_zone_assumed)]
    {
        if flag {
            nest_flag(&mut object, name);
        }
    }
    if !event.items.is_empty() {
        object.push("items", Value::List(event.items.iter().map(item).collect()));
    }
    let mut evidence = Object::default();
    evidence.push("file", Value::text(file));
    evidence.push("record", Value::Int(record.into()));
    object.push("evidence", Value::Object(evidence));
    if !event.unmapped.is_empty() {
        let unmapped = event
            .unmapped
            .iter()
            .map(|(name, value)| (Cow::Borrowed(name.as_ref()), value.clone()));
        object.push("unmapped", Value::Object(Object(unmapped.collect())));
    }
    object
}

fn nest_flag(object: &mut Object<'_>, name: &'static str) {
    match object.0.iter_mut().find(|field| field.0 == "makyo") {
        Some((_, Value::Object(inner))) => inner.push(name, Value::Bool(true)),
        _ => {
            let mut inner = Object::default();
            inner.push(name, Value::Bool(true));
            object.push("makyo", Value::Object(inner));
        }
    }
}

fn item<'a>(item: &'a crate::event::Item<'_>) -> Value<'a> {
    let mut object = Object::default();
    for (name, text) in
        [("kind", &item.kind), ("uid", &item.uid), ("name", &item.name), ("parent", &item.parent)]
    {
        if !text.is_empty() {
            object.push(name, Value::text(text.as_ref()));
        }
    }
    if let Some(size) = item.size {
        object.push("size", Value::Int(size.into()));
    }
    Value::Object(object)
}

impl Level {
    /// OCSF `severity_id` of the level.
    #[must_use]
    pub fn severity_id(self) -> i64 {
        match self {
            Level::Informational => 1,
            Level::Low => 2,
            Level::Medium => 3,
            Level::High => 4,
            Level::Critical => 5,
        }
    }
}

/// OCSF paths of all columns are distinct and none is a prefix of another; tested.
#[cfg(test)]
pub(crate) fn clashes() -> Vec<(&'static str, &'static str)> {
    let paths = || crate::event::ALL_COLUMNS.iter().map(|column| column.info().path);
    let is_inside = |a: &str, b: &str| b.strip_prefix(a).is_some_and(|rest| rest.starts_with('.'));
    paths().flat_map(|a| paths().filter(move |b| is_inside(a, b)).map(move |b| (a, b))).collect()
}
