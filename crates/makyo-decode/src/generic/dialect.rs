//! How an unknown product speaks, learnt from many of its records: a single line may put a word
//! where a user would stand, the whole log does not.

use std::collections::{BTreeMap, BTreeSet};

use makyo_base::{Object, Value};

use super::kind::{Kind, kind};
use super::role::{Role, fit, is_user, user_of};
use super::token::{Sentence, Shape, Slot, address, key_words, parts, sentence, shape};

/// Fields that hold a sentence or the words that say what happened.
const SAYING: &[&str] = &[
    "message",
    "msg",
    "action",
    "event",
    "eventname",
    "eventtype",
    "activity",
    "operation",
    "result",
    "status",
    "outcome",
    "desc",
    "description",
    "type",
    "subtype",
    "logdesc",
    "act",
    "verb",
    "what",
    "state",
];
/// Fields of the wrapping and of the header, which hold no role.
const NOT_SAID: &[&str] = &["syslog.", "log.", "agent.", "ecs.", "input.", "@"];

/// Different words in one place before they are taken for values.
const VARIABLE_MIN: usize = 4;
/// Values of one slot that are remembered to compare slots.
const VALUES_MAX: usize = 64;
/// A fit below this is no role.
const FIT_MIN: f64 = 0.5;
/// What it counts that a slot's values are known users.
const JOINED: f64 = 0.8;
/// The share of a slot's values that are known users from which on it counts in full.
const JOINED_MIN: f64 = 0.3;
/// A slot that held nothing but one value in so many sentences holds a word of the product.
const CONSTANT_MIN: u32 = 50;

/// What was learnt of one log.
#[derive(Clone, PartialEq, Debug, Default)]
pub(crate) struct Dialect {
    variable: BTreeSet<String>,
    /// Which slot is what, by the form of the sentence.
    forms: BTreeMap<String, BTreeMap<usize, Role>>,
    /// Whether it is a log of remote access: people are given inside addresses.
    is_remote_access: bool,
}

/// What a record of an unknown product says.
#[derive(Clone, PartialEq, Debug, Default)]
pub(super) struct Said {
    pub(super) kind: Option<Kind>,
    pub(super) values: BTreeMap<Role, String>,
}

#[derive(Default)]
struct Values {
    count: u32,
    sample: BTreeSet<String>,
    fits: BTreeMap<Role, f64>,
    users: u32,
    cues: String,
    /// The share of known users among its values, or among those at this place everywhere.
    shared: f64,
}

impl Dialect {
    /// Learns from records in their order.
    pub(crate) fn learn(records: &[&Object<'_>]) -> Self {
        let variable = variable_words(records);
        let mut forms: BTreeMap<String, (Vec<String>, Vec<Values>)> = BTreeMap::new();
        for record in records {
            let said = said(record, &variable);
            let (words, slots) = forms.entry(said.template()).or_default();
            if slots.len() < said.slots.len() {
                slots.resize_with(said.slots.len(), Values::default);
            }
            for (values, slot) in slots.iter_mut().zip(&said.slots) {
                values.add(slot);
            }
            if words.is_empty() {
                *words = said.words;
            }
        }
        let users = users(&mut forms);
        let mut dialect = Dialect { variable, ..Dialect::default() };
        for (template, (words, slots)) in forms {
            let form = roles(&slots, &users);
            let has = |role: Role| form.values().any(|one| *one == role);
            let says_vpn = words.iter().any(|word| {
                ["vpn", "sslvpn", "tunnel", "tunneling", "webvpn"].contains(&word.as_str())
            });
            if (has(Role::Assigned) || says_vpn) && has(Role::User) {
                dialect.is_remote_access = true;
            }
            dialect.forms.insert(template, form);
        }
        dialect
    }

    /// What a record says.
    pub(super) fn read(&self, record: &Object<'_>) -> Said {
        let sentence = said(record, &self.variable);
        let roles = match self.forms.get(&sentence.template()) {
            Some(roles) => roles.clone(),
            None => {
                let slots: Vec<Values> = sentence
                    .slots
                    .iter()
                    .map(|slot| {
                        let mut values = Values::default();
                        values.add(slot);
                        values
                    })
                    .collect();
                roles(&slots, &BTreeSet::new())
            }
        };
        let mut read = Said::default();
        for (place, role) in roles {
            let Some(slot) = sentence.slots.get(place) else { continue };
            if let Some(value) = value(slot, role) {
                read.values.entry(role).or_insert(value);
            }
        }
        if self.is_remote_access {
            read.kind = kind(&sentence.words);
            let is_somebodys =
                read.values.contains_key(&Role::User) || read.values.contains_key(&Role::Assigned);
            if matches!(read.kind, Some(Kind::TunnelOpen | Kind::TunnelClose)) && !is_somebodys {
                read.kind = None;
            }
        }
        read
    }
}

/// How often names are sought where names were found before.
const ROUNDS: usize = 3;

/// Who was introduced as a user somewhere is a user elsewhere too. What stands at the same place
/// behind the same words in different sentences, as after a header, is of one kind.
fn users(forms: &mut BTreeMap<String, (Vec<String>, Vec<Values>)>) -> BTreeSet<String> {
    let mut users: BTreeSet<String> = BTreeSet::new();
    for (_, slots) in forms.values() {
        for slot in slots.iter().filter(|slot| slot.fit(Role::User) >= 0.9 && !slot.is_constant()) {
            users.extend(slot.sample.iter().cloned());
        }
    }
    for _ in 0..ROUNDS {
        let mut headers: BTreeMap<(usize, String), Values> = BTreeMap::new();
        for (_, slots) in forms.values() {
            for (place, slot) in slots.iter().enumerate() {
                headers.entry((place, slot.cues.clone())).or_default().extend(slot);
            }
        }
        let joined: BTreeMap<(usize, String), f64> =
            headers.iter().map(|(key, values)| (key.clone(), values.joined(&users))).collect();
        let mut found = BTreeSet::new();
        for (_, slots) in forms.values_mut() {
            for (place, slot) in slots.iter_mut().enumerate() {
                let shared = joined.get(&(place, slot.cues.clone())).copied().unwrap_or_default();
                slot.shared = shared.max(slot.joined(&users));
                if slot.shared >= JOINED_MIN && !slot.is_constant() {
                    found.extend(slot.sample.iter().cloned());
                }
            }
        }
        if found.is_subset(&users) {
            break;
        }
        users.extend(found);
    }
    users
}

/// A slot's value in the form that the event's columns have.
fn value(slot: &Slot<'_>, role: Role) -> Option<String> {
    match role {
        Role::Client | Role::Assigned | Role::Server => address(slot.value),
        Role::User => is_user(slot).then(|| user_of(slot.value).to_owned()),
        Role::Duration | Role::Sent | Role::Received => {
            let digits: String = slot.value.chars().take_while(char::is_ascii_digit).collect();
            (!digits.is_empty()).then_some(digits)
        }
        Role::Session | Role::Reason => Some(slot.value.to_owned()),
    }
}

impl Values {
    fn add(&mut self, slot: &Slot<'_>) {
        self.count += 1;
        if self.count == 1 {
            self.cues = slot.cues.join(" ");
        }
        if self.sample.len() < VALUES_MAX {
            self.sample.insert(user_of(slot.value).to_lowercase());
        }
        self.users += u32::from(is_user(slot) && slot.shape != Shape::Number);
        for role in [
            Role::Client,
            Role::Assigned,
            Role::Server,
            Role::User,
            Role::Session,
            Role::Duration,
            Role::Sent,
            Role::Received,
            Role::Reason,
        ] {
            *self.fits.entry(role).or_default() += fit(slot, role);
        }
    }

    fn extend(&mut self, other: &Values) {
        self.count += other.count;
        self.users += other.users;
        self.sample.extend(other.sample.iter().cloned());
    }

    fn is_constant(&self) -> bool {
        self.count >= CONSTANT_MIN && self.sample.len() == 1
    }

    fn fit(&self, role: Role) -> f64 {
        self.fits.get(&role).copied().unwrap_or_default() / f64::from(self.count.max(1))
    }

    /// The share of values that are known users.
    fn joined(&self, users: &BTreeSet<String>) -> f64 {
        if self.users * 2 < self.count || self.sample.is_empty() {
            return 0.0;
        }
        let known = self.sample.iter().filter(|value| users.contains(*value)).count();
        let count = |number: usize| f64::from(u32::try_from(number).unwrap_or(u32::MAX));
        count(known) / count(self.sample.len())
    }
}

/// The best place for each role; each place has one.
fn roles(slots: &[Values], users: &BTreeSet<String>) -> BTreeMap<usize, Role> {
    let mut ranked: Vec<(f64, Role, usize)> = Vec::new();
    for (place, slot) in slots.iter().enumerate() {
        for role in slot.fits.keys() {
            let mut score = slot.fit(*role);
            if *role == Role::User {
                score += JOINED * (slot.shared / JOINED_MIN).min(1.0);
                if slot.is_constant() && users.is_disjoint(&slot.sample) {
                    score -= 1.0;
                }
            }
            if score >= FIT_MIN {
                ranked.push((score, *role, place));
            }
        }
    }
    // The best first; among equals the first place.
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.2.cmp(&b.2)).then(a.1.cmp(&b.1)));
    let mut roles: BTreeMap<usize, Role> = BTreeMap::new();
    for (_, role, place) in ranked {
        if !roles.contains_key(&place) && !roles.values().any(|taken| *taken == role) {
            roles.insert(place, role);
        }
    }
    // The only address of a sentence is where it came from, whatever introduces it.
    if !roles.values().any(|role| matches!(role, Role::Client | Role::Server | Role::Assigned)) {
        let is_address =
            |slot: &Values| slot.sample.iter().any(|value| shape(value) == Shape::Address);
        if let Some(place) = slots.iter().position(is_address) {
            roles.insert(place, Role::Client);
        }
    }
    roles
}

/// A record as one sentence: its text, and its fields as slots with their names as cues.
fn said<'r>(record: &'r Object<'_>, variable: &BTreeSet<String>) -> Sentence<'r> {
    let mut all = Sentence::default();
    for (name, value) in &record.0 {
        let is_header = NOT_SAID.iter().any(|start| name.starts_with(start));
        let Value::Str(text) = value else { continue };
        if is_header || text.is_empty() {
            continue;
        }
        let folded: String = name
            .chars()
            .filter(|letter| letter.is_alphanumeric())
            .flat_map(char::to_lowercase)
            .collect();
        if SAYING.contains(&folded.as_str()) {
            let part = sentence(text, variable);
            all.words.extend(part.words);
            all.whole_words.extend(part.whole_words);
            all.slots.extend(part.slots);
        } else if !record.contains("message") {
            // Of a line, the pairs stand in its message as well.
            let cues = key_words(name);
            all.slots.push(Slot {
                cues,
                is_keyed: true,
                value: text.trim(),
                shape: shape(text.trim()),
            });
        }
    }
    // A pair whose key says what happened: `action=tunnel-up`.
    let told: Vec<String> = all
        .slots
        .iter()
        .filter(|slot| slot.is_keyed && slot.shape != Shape::Address)
        .filter(|slot| {
            let key: String = slot.cues.iter().rev().map(String::as_str).collect();
            SAYING.contains(&key.as_str())
        })
        .flat_map(|slot| sentence(slot.value, variable).words)
        .collect();
    all.whole_words.extend(told.iter().cloned());
    all.words.extend(told);
    all
}

/// Words that stand where other sentences have other words: `mori logged in`, `sato logged in`.
fn variable_words(records: &[&Object<'_>]) -> BTreeSet<String> {
    let mut places: BTreeMap<(String, String), BTreeSet<String>> = BTreeMap::new();
    let nothing = BTreeSet::new();
    for record in records {
        let words = said(record, &nothing).whole_words;
        for place in 0..words.len() {
            let Some(word) = words.get(place) else { continue };
            let before = place.checked_sub(1).and_then(|place| words.get(place));
            let after = words.get(place + 1);
            let key = (before.cloned().unwrap_or_default(), after.cloned().unwrap_or_default());
            let seen = places.entry(key).or_default();
            if seen.len() < VALUES_MAX * 16 {
                seen.insert(word.clone());
            }
        }
    }
    let mut of_word: BTreeMap<&str, u32> = BTreeMap::new();
    for seen in places.values() {
        for word in seen {
            *of_word.entry(word).or_default() += 1;
        }
    }
    // A verb stands in many places; a name stands in the few places where names stand.
    let mut found = BTreeSet::new();
    for ((before, after), seen) in &places {
        if seen.len() < VARIABLE_MIN || before.is_empty() && after.is_empty() {
            continue;
        }
        found.extend(
            seen.iter()
                .filter(|word| of_word.get(word.as_str()).is_some_and(|count| *count <= 4))
                .cloned(),
        );
    }
    found.retain(|word| !parts(word).any(super::kind::is_known));
    found
}
