//! What a text must contain for a regular expression to match it.

use regex_syntax::Parser;
use regex_syntax::hir::{Class, Hir, HirKind};

use crate::fold::fold;

/// Sets of literals larger than this say too little.
const SET_MAX: usize = 32;
/// Literals shorter than this are in nearly every text.
const LENGTH_MIN: usize = 3;

/// Folded literals one of which is in the folded form of every text that the expression matches.
/// None if no such set is known.
pub(crate) fn required_literals(expression: &str) -> Option<Vec<String>> {
    let hir = Parser::new().parse(expression).ok()?;
    let mut set = of(&hir)?;
    set.sort_unstable();
    set.dedup();
    set.iter().all(|literal| literal.len() >= LENGTH_MIN).then_some(set)
}

fn of(hir: &Hir) -> Option<Vec<String>> {
    match hir.kind() {
        HirKind::Literal(literal) => {
            std::str::from_utf8(&literal.0).ok().map(|text| vec![fold(text).into_owned()])
        }
        HirKind::Capture(capture) => of(&capture.sub),
        HirKind::Repetition(repetition) if repetition.min > 0 => of(&repetition.sub),
        HirKind::Concat(parts) => best_of(parts),
        HirKind::Alternation(parts) => {
            let mut all = Vec::new();
            for part in parts {
                all.extend(of(part)?);
                if all.len() > SET_MAX {
                    return None;
                }
            }
            Some(all)
        }
        HirKind::Class(class) => one_letter(class).map(|letter| vec![letter]),
        _ => None,
    }
}

/// Of the parts that all must match, the one that asks for most; neighbouring letters are read as
/// one literal.
fn best_of(parts: &[Hir]) -> Option<Vec<String>> {
    let mut sets: Vec<Vec<String>> = Vec::new();
    let mut run = String::new();
    for part in parts {
        let letter = match part.kind() {
            HirKind::Literal(literal) => {
                std::str::from_utf8(&literal.0).ok().map(|text| fold(text).into_owned())
            }
            HirKind::Class(class) => one_letter(class),
            _ => None,
        };
        match letter {
            Some(text) => run.push_str(&text),
            None => {
                sets.push(vec![std::mem::take(&mut run)]);
                sets.extend(of(part));
            }
        }
    }
    sets.push(vec![run]);
    let worth = |set: &Vec<String>| set.iter().map(String::len).min().unwrap_or(0);
    sets.into_iter().filter(|set| worth(set) > 0).max_by_key(worth)
}

/// The letter of a class that holds one letter in both cases: `[aA]`, as `(?i)a` is read.
fn one_letter(class: &Class) -> Option<String> {
    let Class::Unicode(class) = class else { return None };
    let mut folded: Option<String> = None;
    let mut count = 0;
    for range in class.ranges() {
        for letter in range.start()..=range.end() {
            count += 1;
            let own: String = letter.to_lowercase().collect();
            if count > 4 || folded.as_ref().is_some_and(|known| *known != own) {
                return None;
            }
            folded = Some(own);
        }
    }
    folded
}
