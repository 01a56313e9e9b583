//! The results as the JSON that `makyo link` and `makyo attribute` print.

use makyo_base::{Object, Value, format_time};

use crate::judge::{Hypothesis, HypothesisEvidence, Judgement, Sensitivity};
use crate::knowledge::Knowledge;
use crate::link::{Campaign, Link, LinkEvidence, Linkage, Related};
use crate::words::japanese;

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

/// `{hypotheses, cap, sensitivity, judgement}`, and what only people need.
#[must_use]
pub fn judgement_object(judgement: &Judgement, knowledge: &Knowledge) -> Object<'static> {
    let cap = object(vec![
        ("applied", Value::Bool(judgement.cap.applied)),
        ("reason", Value::text(judgement.cap.reason.clone())),
        ("limit", Value::Float(judgement.cap.limit)),
    ]);
    let text = object(vec![
        ("en", Value::text(judgement.en.clone())),
        ("ja", Value::text(judgement.ja.clone())),
    ]);
    object(vec![
        ("hypotheses", list(&judgement.hypotheses, hypothesis)),
        ("cap", Value::Object(cap)),
        ("sensitivity", list(&judgement.sensitivity, sensitivity)),
        ("judgement", Value::Object(text)),
        ("confidence", Value::text(judgement.confidence.words().en)),
        ("incidents", Value::text(judgement.incidents.clone())),
        ("knowledge", texts(&knowledge.versions)),
        ("state_responsibility", Value::Null),
    ])
}

fn hypothesis(one: &Hypothesis) -> Value<'static> {
    let classes = one
        .classes
        .iter()
        .map(|(class, weight)| (class.word().into(), Value::Float(*weight)))
        .collect();
    Value::Object(object(vec![
        ("name", Value::text(one.name.clone())),
        ("probability", Value::Float(one.probability)),
        ("low", Value::Float(one.low)),
        ("high", Value::Float(one.high)),
        ("words", Value::text(one.words)),
        ("words_ja", Value::text(japanese(one.words))),
        ("evidence", list(&one.evidence, hypothesis_evidence)),
        ("model_probability", Value::Float(one.model_probability)),
        ("owner", one.owner.clone().map_or(Value::Null, Value::text)),
        ("classes", Value::Object(Object(classes))),
    ]))
}

fn hypothesis_evidence(one: &HypothesisEvidence) -> Value<'static> {
    Value::Object(object(vec![
        ("class", Value::text(one.class.word())),
        ("item", Value::text(one.item.clone())),
        ("weight_db", Value::Float(one.weight_db)),
        ("independence_group", Value::text(one.independence_group.clone())),
        ("source", Value::text(one.source.clone())),
    ]))
}

fn sensitivity(one: &Sensitivity) -> Value<'static> {
    Value::Object(object(vec![
        ("drop", Value::text(one.drop.clone())),
        ("leader", Value::text(one.leader.clone())),
        ("probability", Value::Float(one.probability)),
    ]))
}

fn campaign(campaign: &Campaign) -> Value<'static> {
    let time = |time: Option<i64>| time.map_or(Value::Null, |time| Value::text(format_time(time)));
    Value::Object(object(vec![
        ("id", Value::text(campaign.id.clone())),
        ("incidents", texts(&campaign.incidents)),
        ("links", list(&campaign.links, link)),
        ("possible", texts(&campaign.possible)),
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
        ("through", Value::text(if link.is_through_profile { "profile" } else { "pair" })),
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
