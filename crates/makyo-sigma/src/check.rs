//! One selection asked of one record, part by part: the conditions of source descriptions.
//!
//! A plan is for thousands of rules over one record. A description has a few dozen conditions, and
//! most of them end at a field that the record does not have; those are cheapest asked one by one,
//! with the fields found beforehand. What holds is the same (`tests/checking.rs`).

use makyo_base::{Object, Value};

use crate::fold::fold;
use crate::line_regex::LineRegex;
use crate::pattern::Pattern;
use crate::predicate::{Anchoring, Test};
use crate::selection::Selection;
use crate::values::texts_of;

/// A record's fields by the numbers that were given to their names.
pub trait Numbered {
    /// The value of the field with this number.
    fn value(&self, field: usize) -> Option<&Value<'_>>;
    /// The whole record, for keywords.
    fn whole(&self) -> &Object<'_>;
}

/// A selection whose fields have numbers.
#[derive(Debug)]
pub struct Check {
    root: Part,
}

#[derive(Debug)]
enum Part {
    And(Vec<Part>),
    Or(Vec<Part>),
    Not(Box<Part>),
    Field(usize, Test),
    Regex(usize, Box<LineRegex>),
    /// The field equals one of these folded texts.
    OneOf(usize, Vec<String>),
    Refer(usize, usize, Anchoring),
    Keyword(Test),
}

impl Check {
    /// Compiles a selection; `number` gives each field's name its number.
    pub fn new(selection: &Selection, number: &mut dyn FnMut(&str) -> usize) -> Self {
        Check { root: Part::new(selection, number) }
    }

    /// Whether the record meets it.
    pub fn holds<N: Numbered>(&self, record: &N) -> bool {
        self.root.holds(record)
    }
}

impl Part {
    fn new(selection: &Selection, number: &mut dyn FnMut(&str) -> usize) -> Self {
        match selection {
            Selection::And(list) => Part::And(parts(list, number)),
            Selection::Or(list) => match one_of(list) {
                Some((field, texts)) => Part::OneOf(number(field), texts),
                None => Part::Or(parts(list, number)),
            },
            Selection::Not(inner) => Part::Not(Box::new(Part::new(inner, number))),
            Selection::Leaf(predicate) => match (&predicate.field, &predicate.test) {
                (None, test) => Part::Keyword(test.clone()),
                (Some(field), Test::FieldRef(other, how)) => {
                    Part::Refer(number(field), number(other), *how)
                }
                (Some(field), Test::Regex(regex)) => {
                    Part::Regex(number(field), Box::new(LineRegex::from((**regex).clone())))
                }
                (Some(field), test) => Part::Field(number(field), test.clone()),
            },
        }
    }

    /// What is asked first: presence before texts, texts before regular expressions.
    fn cost(&self) -> u32 {
        match self {
            Part::Field(_, Test::Exists(_) | Test::Null) => 0,
            Part::Regex(..) => 10,
            Part::OneOf(..) => 1,
            Part::Field(..) => 2,
            Part::Refer(..) => 5,
            Part::Keyword(_) => 20,
            Part::Not(inner) => inner.cost(),
            Part::And(list) | Part::Or(list) => {
                list.iter().map(Part::cost).max().unwrap_or_default() + 1
            }
        }
    }

    fn holds<N: Numbered>(&self, record: &N) -> bool {
        match self {
            Part::And(list) => list.iter().all(|part| part.holds(record)),
            Part::Or(list) => list.iter().any(|part| part.holds(record)),
            Part::Not(inner) => !inner.holds(record),
            Part::Field(field, Test::Exists(wanted)) => record.value(*field).is_some() == *wanted,
            Part::Field(field, Test::Null) => {
                record.value(*field).is_none_or(|value| *value == Value::Null)
            }
            Part::Field(field, test) => {
                record.value(*field).is_some_and(|value| any(value, &|text| passes(test, text)))
            }
            Part::Regex(field, expression) => record
                .value(*field)
                .is_some_and(|value| any(value, &|text| expression.is_match(text))),
            Part::OneOf(field, texts) => record.value(*field).is_some_and(|value| {
                any(value, &|text| texts.iter().any(|one| is_equal(text, one)))
            }),
            Part::Refer(field, other, how) => {
                let (Some(value), Some(other)) = (record.value(*field), record.value(*other))
                else {
                    return false;
                };
                any(value, &|text| any(other, &|other| how.holds(&fold(text), &fold(other))))
            }
            Part::Keyword(Test::Exists(wanted)) => *wanted,
            Part::Keyword(test) => {
                record.whole().0.iter().any(|(_, value)| any(value, &|text| passes(test, text)))
            }
        }
    }
}

fn parts(list: &[Selection], number: &mut dyn FnMut(&str) -> usize) -> Vec<Part> {
    let mut parts: Vec<Part> = list.iter().map(|part| Part::new(part, number)).collect();
    parts.sort_by_key(Part::cost);
    parts
}

/// Alternatives that are all whole texts of one field.
fn one_of(list: &[Selection]) -> Option<(&str, Vec<String>)> {
    let mut field = None;
    let mut texts = Vec::new();
    for selection in list {
        let Selection::Leaf(predicate) = selection else { return None };
        let Test::Text(Pattern::Equals(text), false) = &predicate.test else { return None };
        let own = predicate.field.as_deref()?;
        if *field.get_or_insert(own) != own {
            return None;
        }
        texts.push(text.clone());
    }
    Some((field?, texts))
}

/// Whether a text of the value is as asked, without the blanks at its end.
#[inline]
fn any(value: &Value<'_>, is: &dyn Fn(&str) -> bool) -> bool {
    if let Value::Str(text) = value {
        return is(text.trim_end());
    }
    let mut found = false;
    texts_of(value, &mut |text| found |= is(text.trim_end()));
    found
}

/// Whether the text in lower case is this one, which is in lower case.
fn is_equal(text: &str, folded: &str) -> bool {
    if text.is_ascii() {
        text.len() == folded.len() && text.eq_ignore_ascii_case(folded)
    } else {
        fold(text) == folded
    }
}

fn passes(test: &Test, text: &str) -> bool {
    match test {
        Test::Text(Pattern::Equals(literal), false) => is_equal(text, literal),
        Test::Text(Pattern::StartsWith(literal), false) if text.is_ascii() => text
            .as_bytes()
            .get(..literal.len())
            .is_some_and(|head| head.eq_ignore_ascii_case(literal.as_bytes())),
        Test::Text(Pattern::EndsWith(literal), false) if text.is_ascii() => text
            .len()
            .checked_sub(literal.len())
            .and_then(|at| text.as_bytes().get(at..))
            .is_some_and(|tail| tail.eq_ignore_ascii_case(literal.as_bytes())),
        // Only these look at the folded text.
        Test::Text(_, false) => test.passes(text, &fold(text)),
        test => test.passes(text, ""),
    }
}
