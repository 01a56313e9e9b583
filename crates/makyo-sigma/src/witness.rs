//! What must come up in a record before it is worth trying a rule.

use crate::normal_form::{NormalForm, Question, gate};
use crate::predicate::{Anchoring, Test};

/// One of the things that must come up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Witness<'e> {
    /// A literal of this question, or of its gate.
    Question(&'e Question),
    /// The field itself.
    Field(Option<&'e str>),
}

/// A set of witnesses without any of which the expression cannot hold; the set that is expected
/// to come up least often. None if it may hold whatever the record says.
pub(crate) fn witnesses(expression: &NormalForm) -> Option<Vec<Witness<'_>>> {
    best(expression).map(|found| found.1)
}

/// The expected frequency of a set, in parts of no unit, and the set.
type Found<'e> = (u64, Vec<Witness<'e>>);

/// A field is there far more often than any literal in it.
const FIELD_FREQUENCY: u64 = 100_000;

fn best(expression: &NormalForm) -> Option<Found<'_>> {
    match expression {
        NormalForm::Leaf(question, true) => leaf(question),
        NormalForm::Leaf(_, false) => None,
        NormalForm::And(list) => list.iter().filter_map(best).min_by_key(|found| found.0),
        NormalForm::Or(list) => {
            let mut all = (0, Vec::new());
            for part in list {
                let (frequency, witnesses) = best(part)?;
                all.0 += frequency;
                all.1.extend(witnesses);
            }
            Some(all)
        }
    }
}

fn leaf(question: &Question) -> Option<Found<'_>> {
    let frequency = match question {
        Question::Literals(_, literals) => literals.iter().map(frequency).sum(),
        Question::Other(predicate) => match (&predicate.test, gate(&predicate.test)) {
            (Test::Exists(false) | Test::Null, _) => return None,
            (_, Some(literals)) => literals.iter().map(|text| contained(text)).sum(),
            (_, None) => {
                let field = predicate.field.as_deref();
                return Some((FIELD_FREQUENCY, vec![Witness::Field(field)]));
            }
        },
    };
    Some((frequency, vec![Witness::Question(question)]))
}

fn frequency((anchoring, literal): &(Anchoring, String)) -> u64 {
    match anchoring {
        Anchoring::Equals => 10,
        Anchoring::StartsWith | Anchoring::EndsWith if literal.len() >= 4 => 20,
        _ => contained(literal),
    }
}

/// How often a literal of this length is expected in a text.
fn contained(literal: &str) -> u64 {
    match literal.len() {
        0 => FIELD_FREQUENCY,
        1..=2 => 5_000,
        3 => 1_000,
        4 => 200,
        5..=6 => 50,
        _ => 10,
    }
}
