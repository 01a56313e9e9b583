//! All literals that rules look for in one field, found in one pass over its value.
//!
//! Whole values are looked up by hash. Endings that begin with their only backslash or dot
//! (`\cmd.exe`, `.dll`) are looked up by the value's last component. Everything else is one
//! automaton, and where a literal must stand is checked when it is found.

use std::collections::BTreeMap;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use rustc_hash::FxHashMap;

use crate::predicate::Anchoring;

/// Automata of so few patterns are built as tables: faster, and small enough.
const TABLE_PATTERNS_MAX: usize = 400;

/// Collects the literals of one field.
#[derive(Debug, Default)]
pub(crate) struct LiteralsBuilder {
    /// Literal and where it must stand, for the predicates that ask for it.
    wanted: BTreeMap<(Anchoring, String), Vec<u32>>,
}

/// The literals of one field.
#[derive(Debug, Default)]
pub(crate) struct Literals {
    whole: FxHashMap<Box<str>, Box<[u32]>>,
    after_backslash: FxHashMap<Box<str>, Box<[u32]>>,
    after_dot: FxHashMap<Box<str>, Box<[u32]>>,
    automata: Vec<Automaton>,
    /// Predicates that any text meets.
    any: Box<[u32]>,
}

#[derive(Debug)]
struct Automaton {
    search: AhoCorasick,
    /// By pattern: where it must stand for which predicate.
    patterns: Vec<Box<[(Anchoring, u32)]>>,
}

type Pattern = (String, Vec<(Anchoring, u32)>);

/// Builds automata over the patterns: one, unless it would pass the limits of an automaton. A
/// single pattern that passes them is longer than any record can be.
fn automata(patterns: &[Pattern], out: &mut Vec<Automaton>) {
    let kind = if patterns.len() <= TABLE_PATTERNS_MAX {
        AhoCorasickKind::DFA
    } else {
        AhoCorasickKind::ContiguousNFA
    };
    let built = AhoCorasick::builder()
        .match_kind(MatchKind::Standard)
        .kind(Some(kind))
        .build(patterns.iter().map(|pattern| pattern.0.as_bytes()));
    match built {
        Ok(search) => {
            let patterns =
                patterns.iter().map(|pattern| pattern.1.clone().into_boxed_slice()).collect();
            out.push(Automaton { search, patterns });
        }
        Err(_) if patterns.len() > 1 => {
            let (left, right) = patterns.split_at(patterns.len() / 2);
            automata(left, out);
            automata(right, out);
        }
        Err(_) => {}
    }
}

impl LiteralsBuilder {
    pub(crate) fn add(&mut self, anchoring: Anchoring, literal: &str, predicate: u32) {
        let list = self.wanted.entry((anchoring, literal.to_owned())).or_default();
        if !list.contains(&predicate) {
            list.push(predicate);
        }
    }

    pub(crate) fn finish(self) -> Literals {
        let mut built = Literals::default();
        let mut rest: BTreeMap<String, Vec<(Anchoring, u32)>> = BTreeMap::new();
        let mut any = Vec::new();
        for ((anchoring, literal), predicates) in self.wanted {
            let boxed = |list: Vec<u32>| list.into_boxed_slice();
            match (anchoring, component(&literal)) {
                (Anchoring::Equals, _) => {
                    built.whole.insert(literal.into(), boxed(predicates));
                }
                _ if literal.is_empty() => any.extend(predicates),
                (Anchoring::EndsWith, Some(('\\', name))) => {
                    built.after_backslash.insert(name.into(), boxed(predicates));
                }
                (Anchoring::EndsWith, Some((_, name))) => {
                    built.after_dot.insert(name.into(), boxed(predicates));
                }
                _ => {
                    let entries = predicates.into_iter().map(|predicate| (anchoring, predicate));
                    rest.entry(literal).or_default().extend(entries);
                }
            }
        }
        built.any = any.into_boxed_slice();
        let rest: Vec<Pattern> = rest.into_iter().collect();
        if !rest.is_empty() {
            automata(&rest, &mut built.automata);
        }
        built
    }
}

/// `\cmd.exe` as `('\\', "cmd.exe")` and `.dll` as `('.', "dll")`.
fn component(literal: &str) -> Option<(char, &str)> {
    ['\\', '.'].into_iter().find_map(|separator| {
        let name = literal.strip_prefix(separator)?;
        (!name.contains(separator)).then_some((separator, name))
    })
}

impl Literals {
    /// Tells the predicates that a literal of the folded text belongs to; one may be told twice.
    pub(crate) fn scan(&self, folded: &str, found: &mut dyn FnMut(u32)) {
        let mut tell = |list: Option<&Box<[u32]>>| {
            for predicate in list.into_iter().flatten() {
                found(*predicate);
            }
        };
        if !self.whole.is_empty() {
            tell(self.whole.get(folded));
        }
        if !self.after_backslash.is_empty()
            && let Some((_, name)) = folded.rsplit_once('\\')
        {
            tell(self.after_backslash.get(name));
        }
        if !self.after_dot.is_empty()
            && let Some((_, name)) = folded.rsplit_once('.')
        {
            tell(self.after_dot.get(name));
        }
        tell(Some(&self.any));
        for automaton in &self.automata {
            automaton.scan(folded, found);
        }
    }
}

impl Automaton {
    fn scan(&self, folded: &str, found: &mut dyn FnMut(u32)) {
        for hit in self.search.find_overlapping_iter(folded) {
            let entries = self.patterns.get(hit.pattern().as_usize());
            for (anchoring, predicate) in entries.into_iter().flatten() {
                let stands = match anchoring {
                    Anchoring::Contains => true,
                    Anchoring::StartsWith => hit.start() == 0,
                    Anchoring::EndsWith => hit.end() == folded.len(),
                    Anchoring::Equals => hit.start() == 0 && hit.end() == folded.len(),
                };
                if stands {
                    found(*predicate);
                }
            }
        }
    }
}
