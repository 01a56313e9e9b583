//! The frame of a report in two languages: every word that is not from evidence.
//!
//! A phrase is data: `lang/en.json` and `lang/ja.json` hold the same keys, and a test says so.
//! What fills a phrase is put in as it is; escaping is the business of the form.

use std::collections::BTreeMap;

use makyo_base::{Value, parse_json};

static ENGLISH: &str = include_str!("lang/en.json");
static JAPANESE: &str = include_str!("lang/ja.json");

/// The language of a report's frame.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum Language {
    /// English.
    #[default]
    English,
    /// Japanese.
    Japanese,
}

impl Language {
    /// The tag of RFC 5646.
    #[must_use]
    pub fn tag(self) -> &'static str {
        match self {
            Language::English => "en",
            Language::Japanese => "ja",
        }
    }
}

/// The phrases of one language.
pub(crate) struct Phrases {
    pub(crate) language: Language,
    texts: BTreeMap<String, String>,
}

impl Phrases {
    /// Reads the built-in file; a test proves that it is whole.
    pub(crate) fn of(language: Language) -> Self {
        let file = match language {
            Language::English => ENGLISH,
            Language::Japanese => JAPANESE,
        };
        let mut texts = BTreeMap::new();
        if let Ok(Value::Object(groups)) = parse_json(file) {
            for (group, members) in &groups.0 {
                for (key, text) in members.as_object().into_iter().flat_map(|found| &found.0) {
                    let text = text.as_str().unwrap_or_default();
                    texts.insert(format!("{group}.{key}"), text.to_owned());
                }
            }
        }
        Phrases { language, texts }
    }

    /// A phrase; its own key where there is none, so that a mistake of ours is seen.
    pub(crate) fn say<'a>(&'a self, key: &'a str) -> &'a str {
        self.texts.get(key).map_or(key, String::as_str)
    }

    /// A phrase with `{name}` replaced, once, from left to right: a value that looks like a name
    /// stays what it is.
    pub(crate) fn fill(&self, key: &str, values: &[(&str, &str)]) -> String {
        let mut out = String::new();
        let mut rest = self.say(key);
        while let Some((before, after)) = rest.split_once('{') {
            out.push_str(before);
            let Some((name, tail)) = after.split_once('}') else {
                out.push('{');
                rest = after;
                continue;
            };
            match values.iter().find(|value| value.0 == name) {
                Some((_, value)) => out.push_str(value),
                None => out.push_str(&format!("{{{name}}}")),
            }
            rest = tail;
        }
        out.push_str(rest);
        out
    }

    /// A word of a closed vocabulary, such as a verdict; what is not in it stays as it is.
    pub(crate) fn word<'a>(&'a self, vocabulary: &str, word: &'a str) -> &'a str {
        self.texts.get(&format!("{vocabulary}.{word}")).map_or(word, String::as_str)
    }

    /// Every key, for the test that both languages have the same.
    #[cfg(test)]
    pub(crate) fn texts(&self) -> &BTreeMap<String, String> {
        &self.texts
    }
}
