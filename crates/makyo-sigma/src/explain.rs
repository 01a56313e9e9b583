//! Which tests of a rule held for a record, and with which values: asked after a match, for people.
//!
//! This is a second evaluator, without plans and without sharing: it walks the rule as it stands.
//! A property test holds it to the answers of the first.

use std::fmt;

use crate::pattern::{Pattern, Piece};
use crate::plan::Fields;
use crate::predicate::{Anchoring, Order, Predicate, Test};
use crate::selection::Selection;
use crate::time_part::TimePart;
use crate::values::Values;

/// One test that held.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Held {
    /// The field's name in the rule; none for a keyword.
    pub field: Option<String>,
    /// The test, in words.
    pub test: String,
    /// The value that passed; none where the test is about absence.
    pub value: Option<String>,
}

/// The tests by which a selection holds for a record, in the order of the rule, each once; none if
/// it does not hold. What holds because something else does not is left out: a `not` shows no
/// value.
#[must_use]
pub fn explain(selection: &Selection, record: &dyn Fields) -> Option<Vec<Held>> {
    let mut held = Vec::new();
    walk(selection, record, &mut held).then(|| {
        let mut seen = Vec::new();
        held.retain(|one| {
            !seen.contains(one) && {
                seen.push(one.clone());
                true
            }
        });
        held
    })
}

fn walk(selection: &Selection, record: &dyn Fields, held: &mut Vec<Held>) -> bool {
    let before = held.len();
    let holds = match selection {
        Selection::Leaf(predicate) => match leaf(predicate, record) {
            Some(value) => {
                held.push(Held {
                    field: predicate.field.clone(),
                    test: Words(&predicate.test).to_string(),
                    value,
                });
                true
            }
            None => false,
        },
        Selection::And(list) => list.iter().all(|part| walk(part, record, held)),
        // Every alternative that holds is shown, not only the first.
        Selection::Or(list) => {
            let mut holds = false;
            for part in list {
                holds |= walk(part, record, held);
            }
            holds
        }
        Selection::Not(inner) => {
            let holds = !walk(inner, record, held);
            held.truncate(before);
            holds
        }
    };
    if !holds {
        held.truncate(before);
    }
    holds
}

/// The value that passes; `Some(None)` if the test holds by absence.
fn leaf(predicate: &Predicate, record: &dyn Fields) -> Option<Option<String>> {
    let mut values = Values::default();
    values.begin(2);
    let mut is_null = false;
    match &predicate.field {
        None => values.fill_whole(0, record.whole()),
        Some(name) => {
            if let Some(value) = record.field(name) {
                is_null = *value == makyo_base::Value::Null;
                values.fill(0, value);
            }
        }
    }
    let is_there = values.is_there(0);
    let first = |values: &Values| values.texts(0).next().map(|text| text.0.to_owned());
    match &predicate.test {
        Test::Exists(wanted) => (is_there == *wanted).then(|| first(&values)),
        Test::Null => (!is_there || is_null).then_some(None),
        Test::FieldRef(other, how) => {
            if let Some(value) = record.field(other) {
                values.fill(1, value);
            }
            values
                .texts(0)
                .find(|(_, text)| values.texts(1).any(|(_, other)| how.holds(text, other)))
                .map(|(text, _)| Some(text.to_owned()))
        }
        test => values
            .texts(0)
            .find(|(text, folded)| test.passes(text, folded))
            .map(|(text, _)| Some(text.to_owned())),
    }
}

/// A test in words, as `contains "mimikatz"`.
struct Words<'a>(&'a Test);

impl fmt::Display for Words<'_> {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Test::Exists(true) => to.write_str("is there"),
            Test::Exists(false) => to.write_str("is not there"),
            Test::Null => to.write_str("is absent or null"),
            Test::Text(pattern, cased) => {
                text_words(pattern, to)?;
                to.write_str(if *cased { ", in this case of letters" } else { "" })
            }
            Test::Regex(regex) => write!(to, "matches /{}/", regex.as_str()),
            Test::Cidr(network) => write!(to, "is in {network}"),
            Test::Number(order, bits) => {
                write!(to, "{} {}", order_words(*order), f64::from_bits(*bits))
            }
            Test::TimePart(part, order, bound) => {
                let order = order.map_or("is", order_words);
                write!(to, "{} {order} {bound}", part_words(*part))
            }
            Test::FieldRef(field, how) => {
                let how = match how {
                    Anchoring::Equals => "is",
                    Anchoring::Contains => "contains",
                    Anchoring::StartsWith => "starts with",
                    Anchoring::EndsWith => "ends with",
                };
                write!(to, "{how} the value of {field}")
            }
        }
    }
}

fn text_words(pattern: &Pattern, to: &mut fmt::Formatter<'_>) -> fmt::Result {
    match pattern {
        Pattern::Equals(text) => write!(to, "is \"{text}\""),
        Pattern::Contains(text) => write!(to, "contains \"{text}\""),
        Pattern::StartsWith(text) => write!(to, "starts with \"{text}\""),
        Pattern::EndsWith(text) => write!(to, "ends with \"{text}\""),
        Pattern::Glob(glob) => {
            to.write_str("fits \"")?;
            for piece in &glob.0 {
                match piece {
                    Piece::Literal(text) => to.write_str(text)?,
                    Piece::Any => to.write_str("*")?,
                    Piece::One => to.write_str("?")?,
                }
            }
            to.write_str("\"")
        }
    }
}

fn order_words(order: Order) -> &'static str {
    match order {
        Order::Greater => "is greater than",
        Order::GreaterEqual => "is at least",
        Order::Less => "is less than",
        Order::LessEqual => "is at most",
    }
}

fn part_words(part: TimePart) -> &'static str {
    match part {
        TimePart::Minute => "minute",
        TimePart::Hour => "hour",
        TimePart::Day => "day",
        TimePart::Week => "week",
        TimePart::Month => "month",
        TimePart::Year => "year",
    }
}
