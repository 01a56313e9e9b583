//! Selections as the engine wants them: literals of one field together, negations at the leaves.

use std::collections::BTreeMap;

use crate::pattern::{Pattern, Piece};
use crate::predicate::{Anchoring, Predicate, Test};
use crate::required::required_literals;
use crate::selection::Selection;

/// One distinct question about a record.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Question {
    /// Whether one of these literals stands in the field (in any text, without a field); folded,
    /// sorted.
    Literals(Option<String>, Vec<(Anchoring, String)>),
    /// Anything else: tried only when a rule comes to ask for it.
    Other(Predicate),
}

/// A rule's condition.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum NormalForm {
    /// All; none at all always holds.
    And(Vec<NormalForm>),
    /// One of them; none at all never holds.
    Or(Vec<NormalForm>),
    /// A question and the answer that is wanted.
    Leaf(Question, bool),
}

impl NormalForm {
    pub(crate) fn new(selection: &Selection) -> Self {
        lower(selection, true)
    }
}

fn lower(selection: &Selection, wanted: bool) -> NormalForm {
    match selection {
        Selection::Not(inner) => lower(inner, !wanted),
        Selection::Leaf(predicate) => NormalForm::Leaf(question(predicate), wanted),
        Selection::And(list) => join(list, wanted, wanted),
        Selection::Or(list) => {
            let (grouped, rest) = group(list);
            let mut parts: Vec<NormalForm> =
                grouped.into_iter().map(|question| NormalForm::Leaf(question, wanted)).collect();
            match join(&rest, wanted, !wanted) {
                NormalForm::And(more) | NormalForm::Or(more) => parts.extend(more),
                leaf @ NormalForm::Leaf(..) => parts.push(leaf),
            }
            single(parts, !wanted)
        }
    }
}

fn join<S: std::borrow::Borrow<Selection>>(list: &[S], wanted: bool, all: bool) -> NormalForm {
    let mut parts = Vec::new();
    for selection in list {
        match (lower(selection.borrow(), wanted), all) {
            (NormalForm::And(more), true) | (NormalForm::Or(more), false) => parts.extend(more),
            (other, _) => parts.push(other),
        }
    }
    if all { NormalForm::And(parts) } else { NormalForm::Or(parts) }
}

fn single(mut parts: Vec<NormalForm>, all: bool) -> NormalForm {
    if parts.len() == 1 {
        return parts.remove(0);
    }
    if all { NormalForm::And(parts) } else { NormalForm::Or(parts) }
}

/// The literals of an alternative, one question a field, and what is left.
fn group(list: &[Selection]) -> (Vec<Question>, Vec<&Selection>) {
    let mut grouped: BTreeMap<Option<&str>, Vec<(Anchoring, String)>> = BTreeMap::new();
    let mut rest = Vec::new();
    for selection in list {
        match selection {
            Selection::Leaf(Predicate { field, test }) => match literal(test) {
                Some(found) => grouped.entry(field.as_deref()).or_default().push(found),
                None => rest.push(selection),
            },
            other => rest.push(other),
        }
    }
    let questions = grouped.into_iter().map(|(field, mut literals)| {
        literals.sort_unstable();
        literals.dedup();
        Question::Literals(field.map(str::to_owned), literals)
    });
    (questions.collect(), rest)
}

fn question(predicate: &Predicate) -> Question {
    match literal(&predicate.test) {
        Some(found) => Question::Literals(predicate.field.clone(), vec![found]),
        None => Question::Other(predicate.clone()),
    }
}

/// A comparison with one folded literal.
fn literal(test: &Test) -> Option<(Anchoring, String)> {
    let Test::Text(pattern, false) = test else { return None };
    Some(match pattern {
        Pattern::Equals(text) => (Anchoring::Equals, text.clone()),
        Pattern::Contains(text) => (Anchoring::Contains, text.clone()),
        Pattern::StartsWith(text) => (Anchoring::StartsWith, text.clone()),
        Pattern::EndsWith(text) => (Anchoring::EndsWith, text.clone()),
        Pattern::Glob(_) => return None,
    })
}

/// Literals one of which stands in every folded text that passes the test: worth looking for
/// before the test itself is tried. None if there is no such set.
pub(crate) fn gate(test: &Test) -> Option<Vec<String>> {
    match test {
        Test::Text(Pattern::Glob(glob), _) => {
            let literals = glob.0.iter().filter_map(|piece| match piece {
                Piece::Literal(text) => Some(crate::fold::fold(text).into_owned()),
                Piece::Any | Piece::One => None,
            });
            literals.max_by_key(String::len).map(|longest| vec![longest])
        }
        Test::Text(
            Pattern::Equals(text)
            | Pattern::Contains(text)
            | Pattern::StartsWith(text)
            | Pattern::EndsWith(text),
            _,
        ) => (!text.is_empty()).then(|| vec![crate::fold::fold(text).into_owned()]),
        Test::Regex(regex) => required_literals(regex.as_str()),
        _ => None,
    }
}
