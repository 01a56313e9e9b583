//! The judgement as STIX 2.1.
//!
//! One `campaign` for what was judged, an `intrusion-set` for each group that is a hypothesis, and
//! an `attributed-to` for each, whose `confidence` is the reported probability in percent: the
//! producer's confidence in the statement. The reasoning is a `note` on each relation, and an
//! `opinion` says how far it is held, because rival explanations stand side by side. The word of
//! likelihood stands in the text only, because the scales of STIX and of ICD 203 differ.

use makyo_base::{Object, SECOND_NS, Value, format_time, hex, sha256};

use crate::answer::{list, object, texts};
use crate::incident::Incident;
use crate::judge::{Hypothesis, Judgement};

/// The bundle. Its ids follow from the content, its times from the incident.
#[must_use]
pub fn judgement_bundle(judgement: &Judgement, incident: &Incident) -> Object<'static> {
    let time = milliseconds(incident.time.map_or(0, |time| time.1));
    let campaign = id("campaign", &judgement.incidents);
    let mut first = common("campaign", &campaign, &time);
    first.push("name", Value::text(judgement.incidents.clone()));
    if let Some((start, end)) = incident.time {
        first.push("first_seen", Value::text(milliseconds(start)));
        first.push("last_seen", Value::text(milliseconds(end)));
    }
    let mut objects = vec![first];
    for one in judgement.hypotheses.iter().filter(|one| one.owner.is_some()) {
        objects.extend(hypothesis(one, judgement, &campaign, &time));
    }
    let about = id("note", &format!("judgement {campaign}"));
    let mut note = common("note", &about, &time);
    note.push("abstract", Value::text("Judgement"));
    note.push("content", Value::text(format!("{}\n\n{}", judgement.en, judgement.ja)));
    note.push("object_refs", texts(&[campaign]));
    objects.push(note);
    let bundle = id("bundle", &judgement.en);
    object(vec![
        ("type", Value::text("bundle")),
        ("id", Value::text(bundle)),
        ("objects", list(&objects, |one| Value::Object(one.clone()))),
    ])
}

fn hypothesis(
    one: &Hypothesis,
    judgement: &Judgement,
    campaign: &str,
    time: &str,
) -> Vec<Object<'static>> {
    let group = id("intrusion-set", &one.name);
    let mut set = common("intrusion-set", &group, time);
    set.push("name", Value::text(one.name.clone()));
    set.push("description", Value::text(one.owner.clone().unwrap_or_default()));
    let relation = id("relationship", &format!("{campaign} {group}"));
    let mut tie = common("relationship", &relation, time);
    tie.push("relationship_type", Value::text("attributed-to"));
    tie.push("source_ref", Value::text(campaign.to_owned()));
    tie.push("target_ref", Value::text(group));
    tie.push("confidence", Value::Int((one.probability * 100.0).round() as i128));
    tie.push(
        "description",
        Value::text(format!(
            "{} ({} to {}); {}: {}",
            one.words,
            one.low,
            one.high,
            if judgement.cap.applied { "capped" } else { "not capped" },
            judgement.cap.reason
        )),
    );
    let mut note = common("note", &id("note", &relation), time);
    note.push("abstract", Value::text("What this rests on"));
    let lines: Vec<String> = one
        .evidence
        .iter()
        .map(|item| {
            format!(
                "{}: {} ({:+.1} dB; {})",
                item.class.word(),
                item.item,
                item.weight_db,
                item.source
            )
        })
        .collect();
    let content = if lines.is_empty() { "no evidence".to_owned() } else { lines.join("\n") };
    note.push("content", Value::text(content));
    note.push("object_refs", texts(std::slice::from_ref(&relation)));
    // Rival explanations are relations of the same type: the opinion says which of them is held.
    let mut opinion = common("opinion", &id("opinion", &relation), time);
    opinion.push("opinion", Value::text(held(one.probability)));
    opinion.push("explanation", Value::text(format!("It is held to be {}.", one.words)));
    opinion.push("object_refs", texts(&[relation]));
    vec![set, tie, note, opinion]
}

/// The scale of STIX opinions, for a reported probability.
fn held(probability: f64) -> &'static str {
    match probability {
        p if p < 0.05 => "strongly-disagree",
        p if p < 0.2 => "disagree",
        p if p <= 0.55 => "neutral",
        p if p < 0.95 => "agree",
        _ => "strongly-agree",
    }
}

fn common(kind: &'static str, id: &str, time: &str) -> Object<'static> {
    object(vec![
        ("type", Value::text(kind)),
        ("spec_version", Value::text("2.1")),
        ("id", Value::text(id.to_owned())),
        ("created", Value::text(time.to_owned())),
        ("modified", Value::text(time.to_owned())),
    ])
}

/// A time with exactly three digits after the point, as STIX asks for.
fn milliseconds(time: i64) -> String {
    let whole = time.div_euclid(SECOND_NS) * SECOND_NS;
    let part = time.rem_euclid(SECOND_NS) / 1_000_000;
    format!("{}.{part:03}Z", format_time(whole).trim_end_matches('Z'))
}

/// An id whose UUID follows from the content, in the form of version 4: readers expect no other.
fn id(kind: &str, content: &str) -> String {
    let mut digest = sha256(format!("makyo {kind} {content}").as_bytes());
    if let Some(byte) = digest.get_mut(6) {
        *byte = (*byte & 0x0f) | 0x40;
    }
    if let Some(byte) = digest.get_mut(8) {
        *byte = (*byte & 0x3f) | 0x80;
    }
    let mut text = String::new();
    for (at, letter) in hex(&digest).chars().take(32).enumerate() {
        if matches!(at, 8 | 12 | 16 | 20) {
            text.push('-');
        }
        text.push(letter);
    }
    format!("{kind}--{text}")
}
