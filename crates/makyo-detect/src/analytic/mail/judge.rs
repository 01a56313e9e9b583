//! One message against its sender's past, its recipients and its content.

use std::collections::{BTreeMap, BTreeSet};

use super::message::MailMessage;
use super::model::{DriftModel, HISTORY_MIN};
use super::profile::{Distance, Profile};
use super::scale::MailScale;

/// Harmless mail and its lure, the lure and what follows: within so many days.
pub(crate) const CAMPAIGN_NS: i64 = 30 * DAY_NS;
const DAY_NS: i64 = 24 * HOUR_NS;
const HOUR_NS: i64 = 3_600_000_000_000;

/// What belongs together and counts together.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Family {
    Delivery,
    Drift,
    Relation,
    Lure,
    Wave,
    Outcome,
}

impl Family {
    fn word(self) -> &'static str {
        match self {
            Family::Delivery => "delivery",
            Family::Drift => "drift",
            Family::Relation => "relation",
            Family::Lure => "lure",
            Family::Wave => "wave",
            Family::Outcome => "outcome",
        }
    }
}

/// What was found about one message.
#[derive(Clone, PartialEq, Debug, Default)]
pub(crate) struct Judgement {
    items: Vec<(Family, f64, String)>,
    /// How its writer differs from its sender's past: names of features.
    pub(crate) changes: Vec<&'static str>,
    /// Whether the sender has a past of some length.
    pub(crate) is_known: bool,
    pub(crate) drifts: bool,
    /// How much the signs of mass mail weigh.
    pub(crate) mass: f64,
}

/// How bad it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Verdict {
    Clean,
    Suspicious,
    Malicious,
}

impl Judgement {
    pub(crate) fn add(&mut self, family: Family, weight: f64, says: String) {
        if weight > 0.0 && !self.items.iter().any(|item| item.2 == says) {
            self.items.push((family, weight, says));
        }
    }

    /// What a family weighs: its strongest item whole, the others a third each, up to its most.
    fn family(&self, family: Family, scale: &MailScale) -> f64 {
        let own = || self.items.iter().filter(|item| item.0 == family).map(|item| item.1);
        let first = own().fold(0.0, f64::max);
        // Delivery's content facts say one thing in many ways; items of other families differ.
        let share = if family == Family::Delivery { 0.5 } else { 1.0 };
        (first + share * (own().sum::<f64>() - first)).min(scale.most(family.word()))
    }

    pub(crate) fn weight(&self, scale: &MailScale) -> f64 {
        let all =
            [Family::Delivery, Family::Drift, Family::Relation, Family::Wave, Family::Outcome];
        let sum: f64 = all.iter().map(|family| self.family(*family, scale)).sum();
        if sum >= scale.bound("lure_counts_from") {
            sum + self.family(Family::Lure, scale)
        } else {
            sum
        }
    }

    pub(crate) fn verdict(&self, scale: &MailScale) -> Verdict {
        let weight = self.weight(scale);
        let family = |family| self.family(family, scale);
        let least = scale.bound("least_of_family");
        let witnesses =
            [Family::Delivery, Family::Drift, Family::Relation, Family::Wave, Family::Outcome]
                .into_iter()
                .filter(|one| family(*one) >= least)
                .count();
        // How a message is written and who it is from accuse nobody without something to open,
        // or the company of what does.
        let brings =
            family(Family::Delivery).max(family(Family::Wave)).max(family(Family::Outcome));
        // Of the lure's company only what shares its object is a lure itself.
        let shares = self
            .items
            .iter()
            .any(|item| item.0 == Family::Wave && item.1 >= scale.item("same_object"));
        let malice = family(Family::Delivery).max(family(Family::Outcome)).max(if shares {
            family(Family::Wave)
        } else {
            0.0
        });
        // Alone convicts only what was seen in an object, not that a sender sends one.
        let seen = self
            .items
            .iter()
            .filter(|item| item.2.starts_with("fact:"))
            .map(|item| item.1)
            .fold(0.0, f64::max);
        let alone = seen.max(family(Family::Wave)).max(family(Family::Outcome));
        if seen >= scale.bound("malicious_alone")
            || witnesses >= 2 && weight >= scale.bound("malicious_together") && malice >= 12.0
        {
            Verdict::Malicious
        } else if alone >= scale.bound("suspicious_alone")
            || witnesses >= 2 && weight >= scale.bound("suspicious_together") && brings >= least
            || self.mass >= scale.bound("mass_suspicious")
        {
            Verdict::Suspicious
        } else {
            Verdict::Clean
        }
    }

    /// The reasons, the weightiest first.
    pub(crate) fn reasons(&self) -> Vec<String> {
        let mut items: Vec<&(Family, f64, String)> = self.items.iter().collect();
        items.sort_by(|a, b| {
            b.1.total_cmp(&a.1).then_with(|| a.0.cmp(&b.0)).then_with(|| a.2.cmp(&b.2))
        });
        items.into_iter().map(|item| item.2.clone()).collect()
    }
}

/// What is known of a sender when a message comes.
#[derive(Clone, PartialEq, Debug, Default)]
pub(crate) struct Sender {
    pub(crate) profile: Profile,
    delivered: BTreeSet<&'static str>,
    shares: BTreeSet<String>,
    /// When a message last came whose writer differed, and how.
    changed: Vec<(i64, Vec<&'static str>)>,
    /// Times, recipients and texts of the last hours, for the same text to many.
    recent: Vec<(i64, String, u64)>,
}

/// What is known of all mail.
#[derive(Debug, Default)]
pub(crate) struct Mailbox {
    pub(crate) everybody: Profile,
    pub(crate) senders: BTreeMap<String, Sender>,
    /// Names of known people, with the domain that they write from.
    names: BTreeMap<String, (String, usize)>,
    domains: BTreeMap<String, usize>,
    ids: BTreeSet<String>,
    own_domains: Vec<String>,
}

impl Mailbox {
    pub(crate) fn new(own_domains: &[String], all: &[MailMessage]) -> Self {
        let mut everybody = Profile::default();
        all.iter().for_each(|message| everybody.add(message));
        let own_domains = own_domains.iter().map(|domain| domain.to_lowercase()).collect();
        Mailbox { everybody, own_domains, ..Mailbox::default() }
    }

    pub(crate) fn is_own(&self, domain: &str) -> bool {
        self.own_domains.iter().any(|own| own == domain)
    }

    /// Judges a message by what came before it.
    pub(crate) fn judge(
        &self,
        message: &MailMessage,
        model: &DriftModel,
        scale: &MailScale,
    ) -> Judgement {
        let mut made = Judgement { mass: scale.mass(message.list("mass")), ..Judgement::default() };
        let past = self.senders.get(&message.from);
        made.is_known = past.is_some_and(|past| past.profile.count > 0);
        if let Some(past) = past {
            self.drift(message, past, model, scale, &mut made);
            relation_to_past(message, past, scale, &mut made);
        }
        self.relation(message, past, scale, &mut made);
        delivery(message, past, scale, &mut made);
        if !message.list("topics").is_empty()
            && !message.list("calls").is_empty()
            && !message.is("list")
        {
            let says = "the subject and what it asks for are those of published lures; by itself that is ordinary work";
            made.add(Family::Lure, scale.item("subject"), says.to_owned());
        }
        made
    }

    /// Takes the message into the past.
    pub(crate) fn remember(&mut self, message: &MailMessage, made: &Judgement) {
        self.ids.insert(message.id.clone());
        if message.text("dmarc") != "fail" {
            let name = message.text("name").to_owned();
            if name.chars().count() >= 5 && !name.contains('@') {
                let entry = self.names.entry(name).or_insert((message.domain().to_owned(), 0));
                if entry.0 == message.domain() {
                    entry.1 += 1;
                }
            }
            *self.domains.entry(message.domain().to_owned()).or_default() += 1;
        }
        let sender = self.senders.entry(message.from.clone()).or_default();
        // What a stranger wrote teaches nothing of the owner's habits; what goes on for more than
        // a week is the owner's new machine.
        let since = sender.changed.iter().map(|one| one.0).min().unwrap_or(message.at);
        let lasts = sender.changed.len() >= 3 && message.at - since > 7 * DAY_NS;
        if !made.drifts || lasts {
            sender.profile.add(message);
            sender.delivered.extend(delivers(message));
            sender.shares.extend(message.list("shares").iter().cloned());
        } else {
            sender.changed.push((message.at, made.changes.clone()));
        }
        sender.recent.retain(|recent| message.at - recent.0 <= HOUR_NS);
        if let Some(text) = text_hash(message) {
            sender.recent.push((message.at, message.to.join(", "), text));
        }
    }

    fn drift(
        &self,
        message: &MailMessage,
        past: &Sender,
        model: &DriftModel,
        scale: &MailScale,
        made: &mut Judgement,
    ) {
        let own = &past.profile;
        // Colleagues change machines and travel, and their accounts are judged by their own logs;
        // lists and machines write through many programs.
        if self.is_own(message.domain())
            || message.is("list")
            || message.is("automatic")
            || own.count == 0
        {
            return;
        }
        let distance = Distance::of(message, own, &self.everybody);
        made.changes = distance.new_features();
        for name in ["servers", "first_from"] {
            if !message.text(name).is_empty() && own.seen(name, message.text(name)) == 0.0 {
                made.changes.push(if name == "servers" { "servers" } else { "first_from" });
            }
        }
        if !message.hop.is_empty()
            && own.variety("hop") <= 3
            && own.seen("hop", &message.hop) == 0.0
        {
            made.changes.push("hop");
        }
        let strong: Vec<&'static str> =
            made.changes.iter().copied().filter(|change| STRONG.contains(change)).collect();
        let (item, rarity) = if own.count < HISTORY_MIN {
            if strong.len() < 2 {
                return;
            }
            ("drift_thin", format!("the history is thin: {} earlier messages", own.count))
        } else {
            let score = model.score(&distance);
            let [hundred, thousand, most] = model.quantiles;
            // The network beside the program is a mark that the model does not see.
            let beyond = strong.contains(&"hop") && strong.len() >= 3;
            match score {
                score if score > most || beyond && score > hundred => (
                    "drift_extreme",
                    "fewer than 1 in 1,000 genuine messages are as far from their sender's past"
                        .to_owned(),
                ),
                score if score > thousand => (
                    "drift_very_rare",
                    "1 in 1,000 genuine messages is as far from its sender's past".to_owned(),
                ),
                score if score > hundred && strong.len() >= 2 => (
                    "drift_rare",
                    "1 in 100 genuine messages is as far from its sender's past".to_owned(),
                ),
                _ => return,
            }
        };
        made.drifts = strong.len() >= 2;
        let says = format!(
            "it is written otherwise than this sender writes: {} ({rarity})",
            told(message, own, &made.changes)
        );
        made.add(Family::Drift, scale.item(item), says);
        let (usual, count) = own.usual("signers");
        if count == own.count && !usual.is_empty() && message.text("signers").is_empty() {
            made.add(
                Family::Drift,
                scale.item("drift_signer_missing"),
                "the signature of the sender's domain is missing, which was always there"
                    .to_owned(),
            );
        }
    }

    fn relation(
        &self,
        message: &MailMessage,
        past: Option<&Sender>,
        scale: &MailScale,
        made: &mut Judgement,
    ) {
        let domain = message.domain();
        let own = self.is_own(domain);
        let mut add = |item: &str, says: String| made.add(Family::Relation, scale.item(item), says);
        if message.is_spoofed() {
            add("spoofed", format!("the receiving server found that {domain} did not send it"));
        }
        let reply = message.text("reply_to");
        let reply_domain = reply.rsplit_once('@').map_or("", |parts| parts.1);
        if !reply_domain.is_empty()
            && !related(reply_domain, domain)
            && !message.is("list")
            && past.is_none()
            && !self.is_own(reply_domain)
        {
            add("reply_elsewhere", format!("answers would go to {reply}"));
        }
        let claims = message.is("subject_answers") && !message.is("list");
        let is_held = message.list("answers").iter().any(|id| self.ids.contains(id));
        if claims && message.list("answers").is_empty() && past.is_none() {
            add("invented_reply", "it claims to answer a message, and names none".to_owned());
        }
        if past.is_some_and(|past| past.profile.count > 0) || own || is_held {
            return;
        }
        if !message.is("list") {
            add("first_contact", "this address has not written here before".to_owned());
        }
        if let Some((known, count)) = self.names.get(message.text("name"))
            && *count >= 3
            && !related(known, domain)
        {
            add(
                "known_name_elsewhere",
                format!("it bears the name of somebody who writes from {known}"),
            );
        }
        if self.domains.contains_key(domain) {
            return;
        }
        let known = self
            .own_domains
            .iter()
            .chain(self.domains.iter().filter(|one| *one.1 >= 3).map(|one| one.0));
        for other in known.take(20_000) {
            if looks_like(domain, other) {
                add("lookalike", format!("its domain {domain} looks like {other}"));
                return;
            }
            if is_cousin(domain, other) {
                add(
                    "cousin",
                    format!("its domain {domain} has the name of {other} under another ending"),
                );
                return;
            }
        }
    }
}

/// Marks that a person's program and place leave, whatever the person writes.
const STRONG: &[&str] = &[
    "client",
    "zone",
    "hop",
    "order",
    "id_domain",
    "spelling",
    "accept_language",
    "first_from",
    "id_shape",
];

fn told(message: &MailMessage, own: &Profile, changes: &[&'static str]) -> String {
    let mut said: Vec<String> = Vec::new();
    let mut say = |name: &str, what: &str, value: &str| {
        if changes.contains(&name) {
            let (usual, count) = own.usual(name);
            let usual = if usual.is_empty() { "none" } else { usual };
            let value = if value.is_empty() { "none" } else { value };
            said.push(format!("{what} {value} instead of {usual} ({count} of {})", own.count));
        }
    };
    say("client", "mail program", message.text("client"));
    say("zone", "clock", message.text("zone"));
    say("hop", "network", &message.hop);
    say("id_domain", "machine", message.text("id_domain"));
    say("accept_language", "language of the program", message.text("accept_language"));
    say("charset", "character set", message.text("charset"));
    if !changes.contains(&"client") {
        say("version", "version", message.text("version"));
    }
    if ["order", "full_order", "spelling", "boundary", "id_shape", "coding"]
        .iter()
        .any(|one| changes.contains(one))
    {
        said.push("the form of its headers".to_owned());
    }
    if said.is_empty() {
        said.push("its hours or its way here".to_owned());
    }
    said.join(", ")
}

fn relation_to_past(message: &MailMessage, past: &Sender, scale: &MailScale, made: &mut Judgement) {
    let drifts = made.drifts;
    let mut add = |item: &str, says: String| made.add(Family::Relation, scale.item(item), says);
    let brings = !delivers(message).is_empty() || !message.list("facts").is_empty();
    let before = past
        .changed
        .iter()
        .filter(|one| message.at - one.0 <= CAMPAIGN_NS && message.at - one.0 > HOUR_NS);
    if brings && drifts && before.count() > 0 {
        add("rapport", "the same changed writer sent harmless mail shortly before".to_owned());
    }
    if let Some(text) = text_hash(message).filter(|_| !message.is("list")) {
        let to = message.to.join(", ");
        let others: BTreeSet<&str> = past
            .recent
            .iter()
            .filter(|recent| {
                message.at - recent.0 <= HOUR_NS
                    && recent.1 != to
                    && (recent.2 ^ text).count_ones() <= 5
            })
            .map(|recent| recent.1.as_str())
            .collect();
        if !others.is_empty() && brings {
            add("fan_out", "the same text went to others apart, within the hour".to_owned());
        }
    }
}

fn delivery(message: &MailMessage, past: Option<&Sender>, scale: &MailScale, made: &mut Judgement) {
    for id in message.list("facts") {
        if let Some(fact) = scale.fact(id) {
            // The sentence with its details is written when the objects are known.
            made.add(Family::Delivery, fact.weight, format!("fact:{id}"));
        }
    }
    let mut add = |item: &str, says: String| made.add(Family::Delivery, scale.item(item), says);
    let brings = delivers(message);
    let known = past.filter(|past| past.profile.count > 0);
    if brings.contains(&"container")
        && known.is_some_and(|past| !past.delivered.contains("container"))
    {
        add("first_container", "it is the first archive that this sender sends".to_owned());
    }
    let shares = message.list("shares");
    let is_new = |past: &Sender| {
        past.shares.is_empty() || shares.iter().all(|host| !past.shares.contains(host))
    };
    if let Some(share) = shares.first().filter(|_| !message.is("list")) {
        if known.is_some_and(is_new) {
            add("first_share", format!("it is the first link of this sender to a file at {share}"));
        }
        if let Some(link) = message.list("file_links").first() {
            add("file_link", format!("a link leads straight to a file: {}", defanged(link)));
            if message.is("password") {
                add(
                    "password_beside_link",
                    "the password for it stands beside the link".to_owned(),
                );
            }
        }
    }
    if message.is("unread") {
        add(
            "unread",
            "part of what it brings could not be opened, and is not known to be harmless"
                .to_owned(),
        );
    }
}

/// A link that nobody follows by accident.
fn defanged(link: &str) -> String {
    link.replacen("http", "hxxp", 1)
}

/// The kinds of things to open or follow that a message brings.
fn delivers(message: &MailMessage) -> Vec<&'static str> {
    let mut found = Vec::new();
    if message.is("container") {
        found.push("container");
    }
    if !message.list("shares").is_empty() {
        found.push("share");
    }
    if !message.list("kinds").is_empty() {
        found.push("attachment");
    }
    found
}

pub(crate) fn text_hash(message: &MailMessage) -> Option<u64> {
    u64::from_str_radix(message.text("text"), 16).ok()
}

/// One domain within the other, or of the same registered name.
fn related(a: &str, b: &str) -> bool {
    let end = |domain: &str| domain.rsplit('.').take(2).collect::<Vec<_>>().join(".");
    a == b
        || a.ends_with(&format!(".{b}"))
        || b.ends_with(&format!(".{a}"))
        || end(a) == end(b) && end(a).len() > 7
}

/// Letters that look alike as one.
fn skeleton(domain: &str) -> String {
    domain
        .replace("rn", "m")
        .replace("vv", "w")
        .chars()
        .filter(|letter| *letter != '-')
        .map(|letter| match letter {
            '0' => 'o',
            '1' | 'i' => 'l',
            '5' => 's',
            'а' => 'a',
            'е' => 'e',
            'о' => 'o',
            'р' => 'p',
            'с' => 'c',
            other => other,
        })
        .collect()
}

/// Whether a domain differs from another one by a letter, or by letters that look alike.
fn looks_like(domain: &str, other: &str) -> bool {
    if domain == other || other.len() < 8 || related(domain, other) {
        return false;
    }
    skeleton(domain) == skeleton(other) || is_one_away(domain, other)
}

fn is_one_away(a: &str, b: &str) -> bool {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    if a.len().abs_diff(b.len()) > 1 {
        return false;
    }
    let front = a.iter().zip(&b).take_while(|(x, y)| x == y).count();
    let back = a.iter().rev().zip(b.iter().rev()).take_while(|(x, y)| x == y).count();
    front + back + 1 >= a.len().max(b.len())
}

/// The registered name of one domain under another ending or with a word added.
fn is_cousin(domain: &str, other: &str) -> bool {
    let name = |domain: &str| {
        let labels: Vec<&str> = domain.split('.').collect();
        let place = labels.len().saturating_sub(
            if labels.len() > 2 && labels[labels.len() - 2].len() <= 3 { 3 } else { 2 },
        );
        labels.get(place).copied().unwrap_or_default().to_owned()
    };
    let (a, b) = (name(domain), name(other));
    if domain == other || b.len() < 7 || related(domain, other) {
        return false;
    }
    a == b || a.starts_with(&format!("{b}-")) || a.ends_with(&format!("-{b}"))
}
