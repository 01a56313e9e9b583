//! The leaves of a rule: one test of one field.

use std::hash::{Hash, Hasher};
use std::net::IpAddr;

use ipnet::IpNet;
use makyo_base::{parse_address, parse_time};
use regex::Regex;

use crate::fold::fold;
use crate::pattern::Pattern;
use crate::time_part::TimePart;

/// How two numbers are compared.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Order {
    /// Greater.
    Greater,
    /// Greater or equal.
    GreaterEqual,
    /// Less.
    Less,
    /// Less or equal.
    LessEqual,
}

impl Order {
    fn holds<T: PartialOrd>(self, value: &T, bound: &T) -> bool {
        match self {
            Order::Greater => value > bound,
            Order::GreaterEqual => value >= bound,
            Order::Less => value < bound,
            Order::LessEqual => value <= bound,
        }
    }
}

/// One test of one field.
#[derive(Clone, Debug)]
pub enum Test {
    /// The field is there (or is not).
    Exists(bool),
    /// The field is absent or null.
    Null,
    /// Text comparison; the flag says whether case counts.
    Text(Pattern, bool),
    /// Regular expression.
    Regex(Box<Regex>),
    /// Address within a network.
    Cidr(IpNet),
    /// Number comparison; the number's bits, so that equal tests are equal.
    Number(Order, u64),
    /// A part of a time; equal where no order is named.
    TimePart(TimePart, Option<Order>, i64),
    /// Equal to another field of the record.
    FieldRef(String, Anchoring),
}

/// How a field reference compares.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Anchoring {
    /// The whole text.
    Equals,
    /// The other field's text is contained.
    Contains,
    /// At the start.
    StartsWith,
    /// At the end.
    EndsWith,
}

impl Anchoring {
    /// Whether the other text stands so in a text; both are folded where case does not count.
    pub(crate) fn holds(self, text: &str, other: &str) -> bool {
        match self {
            Anchoring::Equals => text == other,
            Anchoring::Contains => text.contains(other),
            Anchoring::StartsWith => text.starts_with(other),
            Anchoring::EndsWith => text.ends_with(other),
        }
    }
}

impl PartialEq for Test {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Test::Exists(a), Test::Exists(b)) => a == b,
            (Test::Null, Test::Null) => true,
            (Test::Text(a, x), Test::Text(b, y)) => a == b && x == y,
            (Test::Regex(a), Test::Regex(b)) => a.as_str() == b.as_str(),
            (Test::Cidr(a), Test::Cidr(b)) => a == b,
            (Test::Number(a, x), Test::Number(b, y)) => a == b && x == y,
            (Test::TimePart(a, x, m), Test::TimePart(b, y, n)) => (a, x, m) == (b, y, n),
            (Test::FieldRef(a, x), Test::FieldRef(b, y)) => a == b && x == y,
            _ => false,
        }
    }
}

impl Eq for Test {}

impl Hash for Test {
    fn hash<H: Hasher>(&self, state: &mut H) {
        std::mem::discriminant(self).hash(state);
        match self {
            Test::Exists(flag) => flag.hash(state),
            Test::Null => {}
            Test::Text(pattern, cased) => (pattern, cased).hash(state),
            Test::Regex(regex) => regex.as_str().hash(state),
            Test::Cidr(net) => net.hash(state),
            Test::Number(order, bits) => (order, bits).hash(state),
            Test::TimePart(part, order, bound) => (part, order, bound).hash(state),
            Test::FieldRef(field, how) => (field, how).hash(state),
        }
    }
}

/// A test of a field; without a field, of every text of the record (Sigma keywords).
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Predicate {
    /// The field's name in the rule.
    pub field: Option<String>,
    /// The test.
    pub test: Test,
}

impl Predicate {
    /// The answer, if the field's value is known (see [`crate::Selection::assume`]).
    pub(crate) fn decided<'k>(
        &self,
        known: &dyn Fn(&str) -> Option<Option<&'k str>>,
    ) -> Option<bool> {
        let value = known(self.field.as_deref()?)?;
        match (&self.test, value) {
            (Test::FieldRef(..), _) => None,
            (Test::Exists(wanted), value) => Some(value.is_some() == *wanted),
            (Test::Null, value) => Some(value.is_none()),
            (_, None) => Some(false),
            (test, Some(text)) => {
                let text = text.trim_end();
                Some(test.passes(text, &fold(text)))
            }
        }
    }
}

impl Test {
    /// Whether one value of the field passes. `folded` is the text in lower case.
    pub(crate) fn passes(&self, text: &str, folded: &str) -> bool {
        match self {
            Test::Exists(wanted) => *wanted,
            Test::Null => false,
            Test::Text(pattern, cased) => pattern.fits(if *cased { text } else { folded }),
            Test::Regex(regex) => regex.is_match(text),
            Test::Cidr(net) => {
                parse_address(text).is_some_and(|address: IpAddr| net.contains(&address))
            }
            Test::Number(order, bits) => {
                number(text).is_some_and(|value| order.holds(&value, &f64::from_bits(*bits)))
            }
            Test::TimePart(part, order, bound) => parse_time(text).is_some_and(|time| {
                let value = part.of(time);
                order.map_or(value == *bound, |order| order.holds(&value, bound))
            }),
            Test::FieldRef(..) => false,
        }
    }
}

pub(crate) fn number(text: &str) -> Option<f64> {
    let text = text.trim();
    match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        // Above 2^53 a hexadecimal number loses its last digits in the comparison; no log field
        // that rules compare is that large.
        #[allow(clippy::cast_precision_loss, reason = "compared with a bound, not kept")]
        Some(digits) => u64::from_str_radix(digits, 16).ok().map(|value| value as f64),
        None => text.parse().ok().filter(|value: &f64| value.is_finite()),
    }
}
