//! Small helpers to build the contract's rows.

use makyo_base::{Object, Value, format_time};

pub(crate) fn text(text: impl Into<String>) -> Value<'static> {
    Value::text(text.into())
}

pub(crate) fn maybe(text: Option<&str>) -> Value<'static> {
    text.filter(|text| !text.is_empty()).map_or(Value::Null, |text| Value::text(text.to_owned()))
}

pub(crate) fn time(time: Option<i64>) -> Value<'static> {
    time.map_or(Value::Null, |time| Value::text(format_time(time)))
}

pub(crate) fn count(count: usize) -> Value<'static> {
    Value::Int(count as i128)
}

pub(crate) fn texts<'a>(list: impl IntoIterator<Item = &'a String>) -> Value<'static> {
    Value::List(list.into_iter().map(|one| Value::text(one.clone())).collect())
}

pub(crate) fn object(fields: Vec<(&'static str, Value<'static>)>) -> Object<'static> {
    Object(fields.into_iter().map(|(name, value)| (name.into(), value)).collect())
}

pub(crate) fn record(file: &str, record: u64) -> Value<'static> {
    Value::Object(object(vec![("file", text(file)), ("record", Value::Int(record.into()))]))
}
