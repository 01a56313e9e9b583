//! Messages of the same lure: the same object, nearly the same text, the same changed writer.

use std::collections::{BTreeMap, BTreeSet};

use super::judge::{CAMPAIGN_NS, Family, Judgement, Verdict, text_hash};
use super::message::MailMessage;
use super::scale::MailScale;

/// Texts of 64 bits that differ in no more bits are nearly the same.
const BITS_MAX: u32 = 5;
/// Something that more messages hold is nobody's mark.
const HOLDERS_MAX: usize = 200;

/// Adds to each message what ties it to malicious ones.
pub(crate) fn join(all: &[MailMessage], made: &mut [Judgement], scale: &MailScale) {
    let malicious: Vec<usize> =
        (0..made.len()).filter(|at| is_malicious(made, *at, scale)).collect();
    if malicious.is_empty() {
        return;
    }
    let mut holders: BTreeMap<&str, BTreeSet<usize>> = BTreeMap::new();
    for (at, message) in all.iter().enumerate() {
        let marks =
            message.list("hashes").iter().map(String::as_str).chain([message.text("maker")]);
        for mark in marks.filter(|mark| !mark.is_empty()) {
            holders.entry(mark).or_default().insert(at);
        }
    }
    let mut ties: Vec<(usize, &str, f64, String)> = Vec::new();
    for bad in &malicious {
        let Some(lure) = all.get(*bad) else { continue };
        let marks = lure.list("hashes").iter().map(String::as_str).chain([lure.text("maker")]);
        for mark in marks.filter(|mark| !mark.is_empty()) {
            let with = holders.get(mark).filter(|with| with.len() <= HOLDERS_MAX);
            for at in with.into_iter().flatten().filter(|at| *at != bad) {
                let says =
                    format!("it brings an object of the malicious message “{}”", lure.subject);
                ties.push((*at, "same_object", scale.item("same_object"), says));
            }
        }
        for (at, message) in all.iter().enumerate().filter(|other| other.0 != *bad) {
            if (message.at - lure.at).abs() > CAMPAIGN_NS {
                continue;
            }
            if is_same_writer(message, lure, made.get(at), made.get(*bad)) {
                let says = format!(
                    "the same changed writer sent the malicious message “{}”",
                    lure.subject
                );
                ties.push((at, "same_writer", scale.item("same_writer"), says));
            }
            let near = text_hash(message).zip(text_hash(lure));
            let is_near = near.is_some_and(|(a, b)| (a ^ b).count_ones() <= BITS_MAX);
            if is_near && !message.is("list") && message.from != lure.from {
                let says = format!(
                    "its text is nearly that of the malicious message “{}” of {}",
                    lure.subject, lure.from
                );
                ties.push((at, "same_text", scale.item("same_text"), says));
            }
        }
    }
    for (at, _, weight, says) in ties {
        if let Some(one) = made.get_mut(at) {
            one.add(Family::Wave, weight, says);
        }
    }
}

fn is_malicious(made: &[Judgement], at: usize, scale: &MailScale) -> bool {
    made.get(at).is_some_and(|one| one.verdict(scale) == Verdict::Malicious)
}

/// Whether both differ from the sender's past and agree with each other.
fn is_same_writer(
    message: &MailMessage,
    lure: &MailMessage,
    made: Option<&Judgement>,
    of_lure: Option<&Judgement>,
) -> bool {
    let (Some(made), Some(of_lure)) = (made, of_lure) else { return false };
    let agree =
        ["client", "zone", "order"].iter().all(|name| message.text(name) == lure.text(name));
    message.from == lure.from && made.drifts && of_lure.drifts && agree
}
