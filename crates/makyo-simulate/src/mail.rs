//! Mailboxes: which mails lie in whose inbox, so that reads and sends name the same messages.

use std::collections::VecDeque;

use crate::moment::Moment;
use crate::people::DOMAIN;
use crate::random::Random;

/// How many mails of an inbox are remembered.
const INBOX_MAX: usize = 150;

const PARTNERS: &[&str] =
    &["institute.example", "astro-society.example", "rocketworks.example", "ministry.example"];

/// A mail.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Mail {
    pub(crate) id: String,
    pub(crate) size: u64,
    pub(crate) received: Moment,
}

impl Mail {
    /// One from a partner.
    pub(crate) fn from_outside(received: Moment, random: &mut Random) -> Self {
        let partner = *random.pick(PARTNERS);
        Mail {
            id: format!("<{}@{partner}>", random.word(14)),
            size: 2_000 + random.below(90_000),
            received,
        }
    }

    /// One written inside.
    pub(crate) fn from_inside(received: Moment, random: &mut Random) -> Self {
        Mail {
            id: format!("<TYXPR01MB{}.{}@{DOMAIN}>", random.below(10_000), random.word(12)),
            size: 3_000 + random.below(60_000),
            received,
        }
    }
}

/// What somebody has on the desk: the inbox and the sessions that are signed in.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(crate) struct Desk {
    inbox: VecDeque<Mail>,
    /// Session of the browser; empty if signed out.
    pub(crate) web: String,
    /// Session of the computer's programs.
    pub(crate) desktop: String,
    /// Session of the telephone.
    pub(crate) telephone: String,
}

impl Desk {
    pub(crate) fn receive(&mut self, mail: Mail) {
        self.inbox.push_back(mail);
        if self.inbox.len() > INBOX_MAX {
            self.inbox.pop_front();
        }
    }

    /// Up to `count` mails that were there at a time, mostly the newest.
    pub(crate) fn some(&self, count: usize, before: Moment, random: &mut Random) -> Vec<Mail> {
        let there: Vec<&Mail> = self.inbox.iter().filter(|mail| mail.received <= before).collect();
        let mut chosen: Vec<usize> = Vec::new();
        for _ in 0..count.min(there.len()) {
            let back = random.index(there.len()).min(random.index(there.len()));
            let position = there.len() - 1 - back;
            if !chosen.contains(&position) {
                chosen.push(position);
            }
        }
        chosen.sort_unstable();
        chosen.into_iter().map(|position| there[position].clone()).collect()
    }
}
