//! Letters in either case are equal: one way of folding for rules and records.

use std::borrow::Cow;

/// The text in lower case, letter by letter: what a letter becomes does not depend on its
/// neighbours, so that a part of a text folds to a part of the folded text.
#[must_use]
pub(crate) fn fold(text: &str) -> Cow<'_, str> {
    if !text.bytes().any(|byte| byte.is_ascii_uppercase() || byte >= 0x80) {
        return Cow::Borrowed(text);
    }
    let mut folded = String::with_capacity(text.len());
    fold_into(text, &mut folded);
    Cow::Owned(folded)
}

/// Appends the text in lower case.
#[inline]
pub(crate) fn fold_into(text: &str, to: &mut String) {
    let start = to.len();
    to.push_str(text);
    if text.is_ascii() {
        if let Some(tail) = to.get_mut(start..) {
            tail.make_ascii_lowercase();
        }
    } else {
        to.truncate(start);
        to.extend(text.chars().flat_map(char::to_lowercase));
    }
}
