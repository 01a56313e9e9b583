//! What stands behind a field's name: `Field|contains|all`.

use crate::diagnostic::Diagnostic;
use crate::pattern::Anchor;
use crate::predicate::Order;
use crate::time_part::TimePart;

/// The modifiers of one field (Sigma Modifiers Appendix).
#[derive(Default)]
#[allow(clippy::struct_excessive_bools, reason = "each is a modifier of the language")]
pub(crate) struct Modifiers {
    pub(crate) anchor: Option<Anchor>,
    pub(crate) all: bool,
    pub(crate) cased: bool,
    pub(crate) negated: bool,
    pub(crate) windash: bool,
    pub(crate) expand: bool,
    /// The flags `i`, `m`, `s` of a regular expression.
    pub(crate) regex: Option<String>,
    pub(crate) cidr: bool,
    pub(crate) exists: bool,
    pub(crate) fieldref: bool,
    pub(crate) order: Option<Order>,
    pub(crate) part: Option<TimePart>,
    pub(crate) utf16: Option<Utf16>,
    pub(crate) base64: Option<Base64>,
}

/// A form of UTF-16.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Utf16 {
    Little,
    Big,
    /// Little end first behind a byte order mark.
    Marked,
}

/// A form of Base64.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Base64 {
    Whole,
    /// Anywhere in a longer text: three forms, by the place modulo three.
    Offset,
}

const ANCHORS: &[&str] = &["contains", "startswith", "endswith"];
const UTF16: &[&str] = &["wide", "utf16le", "utf16be", "utf16"];
const BASE64: &[&str] = &["base64", "base64offset"];
const FLAGS: &[&str] = &["i", "m", "s"];
const ORDERS: &[&str] = &["gt", "gte", "lt", "lte"];
const PARTS: &[&str] = &["minute", "hour", "day", "week", "month", "year"];

/// Of each of these at most one.
const ALTERNATIVES: &[&[&str]] = &[ANCHORS, UTF16, BASE64, ORDERS, PARTS];

/// Modifiers that give the value another meaning than text, with those that may stand beside them.
const MEANINGS: &[(&[&str], &[&[&str]])] = &[
    (&["re"], &[FLAGS, &["all", "neq", "expand"]]),
    (FLAGS, &[FLAGS, &["re", "all", "neq", "expand"]]),
    (&["cidr"], &[&["all", "neq", "expand"]]),
    (&["exists"], &[]),
    (&["fieldref"], &[ANCHORS, &["all", "neq"]]),
    (ORDERS, &[PARTS, &["all", "expand"]]),
    (PARTS, &[ORDERS, &["all", "neq", "expand"]]),
];

/// Whether two modifiers contradict each other, or the one takes the sense from the other.
fn clash(one: &str, other: &str) -> bool {
    one == other
        || ALTERNATIVES.iter().any(|list| list.contains(&one) && list.contains(&other))
        || MEANINGS.iter().any(|(own, beside)| {
            own.contains(&one) && !beside.iter().any(|list| list.contains(&other))
        })
}

/// Reads modifiers and refuses those that do not go together.
pub(crate) fn modifiers(words: &[&str], line: usize) -> Result<Modifiers, Diagnostic> {
    let mut found = Modifiers::default();
    for word in words {
        found.take(word, line)?;
    }
    for (index, one) in words.iter().enumerate() {
        for other in words.iter().skip(index + 1) {
            if clash(one, other) || clash(other, one) {
                let message = format!("modifiers do not go together: `{one}` and `{other}`");
                return Err(Diagnostic::at(line, message));
            }
        }
    }
    Ok(found)
}

impl Modifiers {
    fn take(&mut self, word: &str, line: usize) -> Result<(), Diagnostic> {
        match word {
            "contains" => self.anchor = Some(Anchor::Contains),
            "startswith" => self.anchor = Some(Anchor::Start),
            "endswith" => self.anchor = Some(Anchor::End),
            "all" => self.all = true,
            "cased" => self.cased = true,
            "neq" => self.negated = true,
            "windash" => self.windash = true,
            "expand" => self.expand = true,
            "re" => self.regex = Some(String::new()),
            "i" | "m" | "s" => match &mut self.regex {
                Some(flags) => flags.push_str(word),
                None => {
                    let message = format!("modifier stands behind `re` only: `{word}`");
                    return Err(Diagnostic::at(line, message));
                }
            },
            "cidr" => self.cidr = true,
            "exists" => self.exists = true,
            "fieldref" => self.fieldref = true,
            "gt" => self.order = Some(Order::Greater),
            "gte" => self.order = Some(Order::GreaterEqual),
            "lt" => self.order = Some(Order::Less),
            "lte" => self.order = Some(Order::LessEqual),
            _ => return self.take_encoding(word, line),
        }
        Ok(())
    }

    fn take_encoding(&mut self, word: &str, line: usize) -> Result<(), Diagnostic> {
        let utf16 = match word {
            "wide" | "utf16le" => Some(Utf16::Little),
            "utf16be" => Some(Utf16::Big),
            "utf16" => Some(Utf16::Marked),
            "base64" => {
                self.base64 = Some(Base64::Whole);
                return Ok(());
            }
            "base64offset" => {
                self.base64 = Some(Base64::Offset);
                return Ok(());
            }
            other => {
                self.part = TimePart::from_word(other);
                let message = format!("modifier is not supported: `{other}`");
                return self.part.map(|_| ()).ok_or_else(|| Diagnostic::at(line, message));
            }
        };
        if self.base64.is_some() {
            let message = format!("modifier stands before Base64 only: `{word}`");
            return Err(Diagnostic::at(line, message));
        }
        self.utf16 = utf16;
        Ok(())
    }

    /// The modifier that makes no sense without a field, if there is one.
    pub(crate) fn needs_field(&self) -> bool {
        self.exists || self.fieldref || self.order.is_some() || self.part.is_some()
    }

    /// Whether a null can stand as a value.
    pub(crate) fn takes_null(&self) -> bool {
        self.anchor.is_none()
            && !self.needs_field()
            && !self.cidr
            && self.regex.is_none()
            && self.utf16.is_none()
            && self.base64.is_none()
    }
}
