//! The result of linking as the JSON that `makyo link` prints.

use makyo_base::{Object, Value, format_time};

use crate::link::{Campaign, Link, LinkEvidence, Linkage, Related};

/// `{campaigns: [{id, incidents, links: [{a, b, weight_db, evidence}]}], unlinked}`, and what only
/// people need: words, times, what would break a link, and pairs that are not linked.
#[must_use]
pub fn linkage_object(linkage: &Linkage) -> Object<'static> {
    object(vec![
        ("campaigns", list(&linkage.campaigns, campaign)),
        ("unlinked", texts(&linkage.unlinked)),
        ("related", list(&linkage.related, related)),
    ])
}

fn campaign(campaign: &Campaign) -> Value<'static> {
    let time = |time: Option<i64>| time.map_or(Value::Null, |time| Value::text(format_time(time)));
    Value::Object(object(vec![
        ("id", Value::text(campaign.id.clone())),
        ("incidents", texts(&campaign.incidents)),
        ("links", list(&campaign.links, link)),
        ("first", time(campaign.time.map(|time| time.0))),
        ("last", time(campaign.time.map(|time| time.1))),
        ("bridges", texts(&campaign.bridges)),
    ]))
}

fn link(link: &Link) -> Value<'static> {
    Value::Object(object(vec![
        ("a", Value::text(link.pair.0.clone())),
        ("b", Value::text(link.pair.1.clone())),
        ("weight_db", Value::Float(link.weight_db)),
        ("evidence", list(&link.evidence, evidence)),
        ("words", Value::text("same campaign")),
        ("breaks", texts(&link.breaks)),
    ]))
}

fn related(related: &Related) -> Value<'static> {
    Value::Object(object(vec![
        ("a", Value::text(related.pair.0.clone())),
        ("b", Value::text(related.pair.1.clone())),
        ("words", Value::text(related.relation.words())),
        ("evidence", list(&related.evidence, evidence)),
    ]))
}

fn evidence(one: &LinkEvidence) -> Value<'static> {
    Value::Object(object(vec![
        ("class", Value::text(one.class.word())),
        ("item", Value::text(one.item.clone())),
        ("weight_db", Value::Float(one.weight_db)),
    ]))
}

pub(crate) fn object(fields: Vec<(&'static str, Value<'static>)>) -> Object<'static> {
    Object(fields.into_iter().map(|(name, value)| (name.into(), value)).collect())
}

pub(crate) fn list<T>(items: &[T], one: impl Fn(&T) -> Value<'static>) -> Value<'static> {
    Value::List(items.iter().map(one).collect())
}

pub(crate) fn texts(items: &[String]) -> Value<'static> {
    list(items, |item| Value::text(item.clone()))
}
