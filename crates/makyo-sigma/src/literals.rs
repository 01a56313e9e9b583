//! All literals that rules look for in one field, found in one pass over its value.
//!
//! Whole values are looked up by hash. Endings that begin with their only backslash or dot
//! (`\cmd.exe`, `.dll`) are looked up by the value's last component. Everything else is looked for in
//! one pass, and where a literal must stand is checked when it is found.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use crate::grams::Grams;
use crate::predicate::Anchoring;

/// Collects the literals of one field.
#[derive(Debug, Default)]
pub(crate) struct LiteralsBuilder {
    /// Literal and where it must stand, for the questions that ask for it.
    wanted: BTreeMap<(Anchoring, String), Vec<u32>>,
}

/// The literals of one field.
#[derive(Debug, Default)]
pub(crate) struct Literals {
    whole: FxHashMap<Box<str>, Box<[u32]>>,
    after_backslash: FxHashMap<Box<str>, Box<[u32]>>,
    after_dot: FxHashMap<Box<str>, Box<[u32]>>,
    rest: Grams,
    /// By literal of the rest: where it must stand for which question.
    standing: Vec<Box<[(Anchoring, u32)]>>,
    /// Predicates that any text meets.
    any: Box<[u32]>,
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
        built.rest = Grams::new(rest.keys().map(String::as_str).collect());
        built.standing = rest.into_values().map(Vec::into_boxed_slice).collect();
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
    /// `hits` is room to work in.
    pub(crate) fn scan(&self, folded: &str, hits: &mut Vec<usize>, found: &mut dyn FnMut(u32)) {
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
        if self.rest.is_empty() {
            return;
        }
        self.rest.scan(folded.as_bytes(), hits, &mut |literal, start, end| {
            for (anchoring, question) in self.standing.get(literal).into_iter().flatten() {
                let stands = match anchoring {
                    Anchoring::Contains => true,
                    Anchoring::StartsWith => start == 0,
                    Anchoring::EndsWith => end == folded.len(),
                    Anchoring::Equals => start == 0 && end == folded.len(),
                };
                if stands {
                    found(*question);
                }
            }
        });
    }
}
