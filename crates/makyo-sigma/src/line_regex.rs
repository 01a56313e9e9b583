//! Regular expressions over short texts of a log, most of which are fixed words with values
//! between them.
//!
//! The regex crate is made for long texts and for whatever people write. For a line of a log most
//! of its time goes into getting started. Here the expression is also compiled for texts that
//! are ASCII into steps over bytes, which are tried with backtracking. Backtracking can take
//! exponential time, so that its steps are counted: what needs too many, or is not ASCII, goes to
//! the regex crate. Both give the same groups (`tests/line_regexes.rs`).

mod compile;
mod run;

use std::cell::RefCell;

use regex::Regex;

use self::compile::Program;
use self::run::Room;

/// An expression compiled twice.
#[derive(Debug)]
pub struct LineRegex {
    regex: Regex,
    program: Option<Program>,
}

thread_local! {
    static ROOM: RefCell<Room> = const { RefCell::new(Room::new()) };
}

impl LineRegex {
    /// Compiles an expression.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn new(text: &str) -> Result<Self, regex::Error> {
        Regex::new(text).map(LineRegex::from)
    }

    /// The names of its groups, by place.
    pub fn names(&self) -> impl Iterator<Item = Option<&str>> {
        self.regex.capture_names()
    }

    /// Whether it matches somewhere in the text.
    #[must_use]
    pub fn is_match(&self, text: &str) -> bool {
        let found = self.quickly(text, |_| ());
        found.unwrap_or_else(|| self.regex.is_match(text))
    }

    /// Visits the groups of the leftmost match that took part in it; whether there is one.
    pub fn groups<'t>(&self, text: &'t str, visit: &mut dyn FnMut(usize, &'t str)) -> bool {
        let found = self.quickly(text, |slots| {
            for (group, ends) in slots.chunks_exact(2).enumerate() {
                if let [from, to] = ends
                    && let Some(part) = text.get(*from..*to)
                {
                    visit(group, part);
                }
            }
        });
        if let Some(found) = found {
            return found;
        }
        let Some(captures) = self.regex.captures(text) else { return false };
        for (group, part) in captures.iter().enumerate() {
            if let Some(part) = part {
                visit(group, part.as_str());
            }
        }
        true
    }

    /// Whether it matches, if the short way can tell; `tell` is given the ends of the groups.
    fn quickly(&self, text: &str, tell: impl FnOnce(&[usize])) -> Option<bool> {
        let program = self.program.as_ref().filter(|_| text.is_ascii())?;
        ROOM.with(|room| {
            let mut room = room.try_borrow_mut().ok()?;
            let found = program.search(text.as_bytes(), &mut room).ok()?;
            if found {
                tell(room.slots());
            }
            Some(found)
        })
    }

    /// Whether it was compiled for ASCII too.
    #[cfg(test)]
    pub(crate) fn is_quick(&self) -> bool {
        self.program.is_some()
    }
}

impl From<Regex> for LineRegex {
    fn from(regex: Regex) -> Self {
        LineRegex { program: Program::new(regex.as_str()), regex }
    }
}
