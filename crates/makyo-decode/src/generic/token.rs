//! A sentence of an unknown product, taken apart: words that say what happens, and slots that hold
//! what it happens to.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use makyo_base::parse_address;
use regex::Regex;

/// So many tokens of one sentence are looked at.
const TOKENS_MAX: usize = 96;
/// Words before a slot that may say what it holds.
const CUES_MAX: usize = 3;

/// What a value looks like.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(super) enum Shape {
    /// An address of an end point, with or without a port.
    Address,
    /// Digits only.
    Number,
    /// Eight or more letters of hexadecimal, or a UUID.
    Hex,
    /// A word, an address of mail, `DOMAIN\name`.
    Word,
    /// Anything else, as `lasted 40s` or a path.
    Other,
}

/// A place of a sentence that holds a value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Slot<'t> {
    /// The words that introduce it, the nearest first, in lower case.
    pub(super) cues: Vec<String>,
    /// Whether the cues are a key of `key=value`, which binds harder than a word before.
    pub(super) is_keyed: bool,
    pub(super) value: &'t str,
    pub(super) shape: Shape,
}

/// A sentence taken apart.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Sentence<'t> {
    /// Its words in their order, lower case, without the values.
    pub(super) words: Vec<String>,
    /// The same with `vendor-fab` in one piece, because names have hyphens too.
    pub(super) whole_words: Vec<String>,
    pub(super) slots: Vec<Slot<'t>>,
}

impl Sentence<'_> {
    /// What all sentences of this form share.
    pub(super) fn template(&self) -> String {
        let mut text = self.words.join(" ");
        for slot in self.slots.iter().filter(|slot| slot.is_keyed) {
            text.push('|');
            text.extend(slot.cues.iter().map(String::as_str));
        }
        text
    }
}

static TOKEN: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r#"(?x)
        (?P<key>[\p{L}_][\p{L}\p{N}_.\-]*) = (?: "(?P<kq>[^"]*)" | '(?P<ks>[^']*)' | (?P<kv>[^\s,;"']*) )
        | "(?P<quoted>[^"]{1,200})"
        | (?:^|[\s(\[=:,])' (?P<single>[^'\s]{1,128}) '
        | <(?P<angle>[^<>\s]{1,128})>
        | (?P<word>/?[\p{L}\p{N}_@\\$%+][\p{L}\p{N}_.@\\$%+\-:/]*)
        "#,
    )
    .ok()
});

/// Takes a sentence apart. `variable` are words that stand where other sentences of the same form
/// have other words.
pub(super) fn sentence<'t>(text: &'t str, variable: &BTreeSet<String>) -> Sentence<'t> {
    let mut sentence = Sentence::default();
    let Some(regex) = TOKEN.as_ref() else { return sentence };
    let mut before: Vec<String> = Vec::new();
    for found in regex.captures_iter(text).take(TOKENS_MAX) {
        let part = |name: &str| found.name(name).map(|part| part.as_str());
        if let Some(key) = part("key") {
            let value = part("kq").or(part("ks")).or(part("kv")).unwrap_or_default();
            push(&mut sentence, key_words(key), true, value);
            continue;
        }
        let quoted = part("quoted").or(part("single")).or(part("angle"));
        if let Some(value) = quoted {
            push(&mut sentence, cues(&before), false, value);
            continue;
        }
        let Some(word) = part("word") else { continue };
        let word = word.trim_end_matches(['.', ':', '/', '-', ',']);
        let shape = shape(word);
        let folded = word.to_lowercase();
        let is_variable = shape == Shape::Word && variable.contains(&folded);
        let is_name = word.contains(['@', '\\']) || shape == Shape::Word && has_digit(word);
        if shape != Shape::Word || is_variable || is_name {
            push(&mut sentence, cues(&before), false, word);
        } else if !word.is_empty() {
            // `ssl-login-fail` and `tnl/auth` are several words.
            for part in parts(&folded) {
                before.push(part.to_owned());
                sentence.words.push(part.to_owned());
            }
            sentence.whole_words.push(folded);
        }
    }
    sentence
}

/// The words that a word is put together of.
pub(super) fn parts(word: &str) -> impl Iterator<Item = &str> {
    word.split(['-', '_', '/', '.', ':', '\\']).filter(|one| !one.is_empty())
}

fn push<'t>(sentence: &mut Sentence<'t>, cues: Vec<String>, is_keyed: bool, value: &'t str) {
    let value = value.trim();
    sentence.slots.push(Slot { cues, is_keyed, value, shape: shape(value) });
}

fn cues(before: &[String]) -> Vec<String> {
    before.iter().rev().take(CUES_MAX).cloned().collect()
}

/// `remoteAddress` and `remote_addr` are two words each, the last first.
pub(super) fn key_words(key: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut word = String::new();
    let mut was_lower = false;
    for letter in key.chars() {
        let is_edge = !letter.is_alphanumeric() || letter.is_uppercase() && was_lower;
        if is_edge && !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        was_lower = letter.is_lowercase();
        if letter.is_alphanumeric() {
            word.extend(letter.to_lowercase());
        }
    }
    words.extend((!word.is_empty()).then_some(word));
    words.reverse();
    words
}

fn has_digit(text: &str) -> bool {
    text.bytes().any(|byte| byte.is_ascii_digit())
}

/// An address, which a port may follow: `192.0.2.1:443`, `192.0.2.1/52011`.
pub(super) fn address(text: &str) -> Option<String> {
    let text = text.split('/').next().unwrap_or(text);
    let found = parse_address(text).or_else(|| {
        let (host, port) = text.rsplit_once(':')?;
        port.parse::<u16>().ok().and(parse_address(host))
    })?;
    (!found.is_unspecified()).then(|| found.to_string())
}

pub(super) fn shape(text: &str) -> Shape {
    let bytes = text.as_bytes();
    let is_hex = |least: usize| {
        bytes.len() >= least
            && has_digit(text)
            && bytes.iter().all(|byte| byte.is_ascii_hexdigit() || *byte == b'-')
    };
    if !bytes.is_empty() && bytes.iter().all(u8::is_ascii_digit) {
        Shape::Number
    } else if address(text).is_some() {
        Shape::Address
    } else if is_hex(8) {
        Shape::Hex
    } else if is_word(text) {
        Shape::Word
    } else {
        Shape::Other
    }
}

fn is_word(text: &str) -> bool {
    let first = text.chars().next();
    first.is_some_and(|letter| letter.is_alphanumeric() || letter == '_')
        && text.chars().count() <= 128
        && text.chars().all(|letter| letter.is_alphanumeric() || "_.@\\$+-/:".contains(letter))
        && text.chars().any(char::is_alphabetic)
}
