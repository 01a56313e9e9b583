//! A record seen from outside: what it is and where its values stand, before any of it is read.
//!
//! Most records meet no rule. Where a record's layout was seen before, a receiver can be asked
//! whether it wants the record at all while the record is still text.

use std::any::Any;
use std::borrow::Cow;
use std::cell::OnceCell;
use std::fmt;

use crate::json::parse_json;
use crate::value::{Object, Value};

/// What a leaf of a record's text is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LeafKind {
    /// A text without escapes; the place is what stands between the quotes.
    Text,
    /// A text with escapes.
    Escaped,
    /// A whole number in its shortest form.
    Number,
    /// `true` or `false`.
    Bool,
    /// `null`.
    Null,
    /// A list with everything in it.
    List,
}

/// One scalar or list of a record's text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Leaf {
    /// Where it begins, in bytes.
    pub start: u32,
    /// Where it ends.
    pub end: u32,
    /// What it is.
    pub kind: LeafKind,
}

/// What all records of one layout have in common.
pub struct Layout {
    /// Index of their source description among the loaded ones.
    pub source: usize,
    /// The native record with the number of a leaf in the place of each value.
    pub native: Object<'static>,
    /// The same with the values that decided what the records are, which all of them share.
    pub sample: Object<'static>,
    /// Which leaves are lists.
    pub lists: Vec<bool>,
    /// What the receiver made of the layout.
    pub prepared: OnceCell<Box<dyn Any>>,
}

impl fmt::Debug for Layout {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.debug_struct("Layout").field("source", &self.source).finish_non_exhaustive()
    }
}

/// A record whose layout is known.
#[derive(Clone, Copy, Debug)]
pub struct Outline<'a> {
    /// Its layout.
    pub layout: &'a Layout,
    /// Its text.
    pub text: &'a str,
    /// Its leaves, in the order of the text.
    pub leaves: &'a [Leaf],
}

impl Outline<'_> {
    /// Visits the texts of a leaf: one of a scalar, all inside of a list, none of `null`.
    pub fn texts(&self, leaf: usize, visit: &mut dyn FnMut(&str)) {
        let Some(leaf) = self.leaves.get(leaf) else { return };
        let text = self.text.get(leaf.start as usize..leaf.end as usize).unwrap_or_default();
        match leaf.kind {
            LeafKind::Text | LeafKind::Number | LeafKind::Bool => visit(text),
            LeafKind::Escaped => visit(&unescape(text)),
            LeafKind::Null => {}
            LeafKind::List => {
                if let Ok(list) = parse_json(text) {
                    each_text(&list, visit);
                }
            }
        }
    }

    /// Appends the text of a scalar leaf; nothing for `null`.
    #[inline]
    pub fn write(&self, leaf: usize, to: &mut String) {
        let Some(leaf) = self.leaves.get(leaf) else { return };
        let text = self.text.get(leaf.start as usize..leaf.end as usize).unwrap_or_default();
        match leaf.kind {
            LeafKind::Escaped => unescape_into(text, to),
            LeafKind::Null | LeafKind::List => {}
            LeafKind::Text | LeafKind::Number | LeafKind::Bool => to.push_str(text),
        }
    }

    /// Whether the leaf is `null`.
    #[must_use]
    pub fn is_null(&self, leaf: usize) -> bool {
        self.leaves.get(leaf).is_some_and(|leaf| leaf.kind == LeafKind::Null)
    }
}

fn each_text(value: &Value<'_>, visit: &mut dyn FnMut(&str)) {
    match value {
        Value::List(list) => list.iter().for_each(|item| each_text(item, visit)),
        Value::Object(object) => object.0.iter().for_each(|field| each_text(&field.1, visit)),
        scalar => {
            if let Some(text) = scalar.as_text() {
                visit(&text);
            }
        }
    }
}

/// A JSON text without its escapes. What is not an escape of JSON is left as it stands; the
/// outline of a record has only valid ones.
#[must_use]
pub fn unescape(text: &str) -> Cow<'_, str> {
    if !text.contains('\\') {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len());
    unescape_into(text, &mut plain);
    Cow::Owned(plain)
}

/// The same, appended.
#[inline]
pub fn unescape_into(text: &str, plain: &mut String) {
    let mut rest = text;
    while let Some(at) = memchr::memchr(b'\\', rest.as_bytes()) {
        plain.push_str(rest.get(..at).unwrap_or_default());
        let mut letters = rest.get(at + 1..).unwrap_or_default().chars();
        let letter = letters.next().unwrap_or('\\');
        rest = letters.as_str();
        match letter {
            'n' => plain.push('\n'),
            't' => plain.push('\t'),
            'r' => plain.push('\r'),
            'b' => plain.push('\u{8}'),
            'f' => plain.push('\u{c}'),
            'u' => {
                let code = rest.get(..4).and_then(|digits| u32::from_str_radix(digits, 16).ok());
                plain.push(code.and_then(char::from_u32).unwrap_or(char::REPLACEMENT_CHARACTER));
                rest = rest.get(4..).unwrap_or_default();
            }
            other => plain.push(other),
        }
    }
    plain.push_str(rest);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::unescape;
    use crate::json::parse_json;
    use crate::value::Value;

    proptest! {
        #[test]
        fn unescaping_reads_what_the_parser_reads(text in "\\PC{0,12}", tail in "[\\\\\"/bfnrtu]{0,6}") {
            for value in [text.clone(), format!("{text}{tail}")] {
                let json = serde_json::to_string(&value).expect("a text is JSON");
                let inside = json.trim_start_matches('"');
                let inside = inside.strip_suffix('"').unwrap_or(inside);
                let Ok(Value::Str(parsed)) = parse_json(&json) else { panic!("not a text") };
                if !json.starts_with("\"\\\"") {
                    prop_assert_eq!(unescape(inside), parsed);
                }
            }
        }
    }
}
