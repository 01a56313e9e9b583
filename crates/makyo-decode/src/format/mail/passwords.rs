//! Passwords that stand in other mails of the same sender, as is the habit in Japan.

use std::collections::BTreeMap;

use makyo_unpack::{PASSWORDS_MAX, password_candidates, speaks_of_password};

/// Mails with passwords remembered in all.
const MAILS_MAX: usize = 100_000;
/// So far apart, either way, the archive and its password are sent.
const WITHIN_NS: i64 = 72 * 3_600 * 1_000_000_000;

/// Passwords by sender and time, gathered before the mails are opened.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct PasswordBook {
    senders: BTreeMap<String, Vec<(i64, Vec<String>)>>,
    mails: usize,
}

impl PasswordBook {
    /// Notes what a mail may give, if it speaks of a password.
    pub(crate) fn note(&mut self, sender: &str, time: Option<i64>, subject: &str, text: &str) {
        let Some(time) = time else { return };
        if self.mails >= MAILS_MAX || !(speaks_of_password(text) || speaks_of_password(subject)) {
            return;
        }
        let found = password_candidates(&format!("{subject}\n{text}"));
        let list = self.senders.entry(sender.to_owned()).or_default();
        if !found.is_empty() && !list.contains(&(time, found.clone())) {
            self.mails += 1;
            list.push((time, found));
        }
    }

    /// All that it holds, as a text by which two books can be told apart.
    #[must_use]
    pub fn content(&self) -> String {
        format!("{:?}", self.senders)
    }

    /// What may open an archive of a sender: words of the nearest mails first. The order in which
    /// mails were gathered does not matter.
    pub(crate) fn near(&self, sender: &str, time: Option<i64>) -> Vec<String> {
        let Some(list) = self.senders.get(sender) else { return Vec::new() };
        let apart = |other: i64| time.map_or(0, |time| (time - other).abs());
        let mut near: Vec<(i64, i64, &Vec<String>)> = list
            .iter()
            .map(|(at, words)| (apart(*at), *at, words))
            .filter(|mail| mail.0 <= WITHIN_NS)
            .collect();
        near.sort();
        let mut found: Vec<String> = Vec::new();
        for word in near.into_iter().flat_map(|mail| mail.2) {
            if found.len() < PASSWORDS_MAX && !found.contains(word) {
                found.push(word.clone());
            }
        }
        found
    }
}
