//! A field, its modifiers and its values, read into predicates.

use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ipnet::IpNet;
use regex::RegexBuilder;

use crate::diagnostic::Diagnostic;
use crate::modifier::{Base64, Modifiers, Utf16, modifiers};
use crate::pattern::{Anchor, Pattern, Piece, pieces};
use crate::placeholder::Placeholders;
use crate::predicate::{Anchoring, Order, Predicate, Test, number};
use crate::selection::Selection;
use crate::time_part::TimePart;
use crate::yaml::Node;

/// A compiled regular expression may take this much memory.
const REGEX_BYTES_MAX: usize = 16 << 20;

/// A value may have so many forms with other dashes: five places for a dash, five dashes each.
const DASH_VARIANTS_MAX: usize = 3_125;

/// Reads one entry of a selection: `Field|modifiers: values`.
pub(crate) fn field_selection(
    key: &Node,
    value: &Node,
    placeholders: &Placeholders,
) -> Result<Selection, Diagnostic> {
    let name = key.text().ok_or_else(|| Diagnostic::at(key.line, "a field name must be a text"))?;
    let mut words = name.split('|');
    let field = words.next().filter(|field| !field.is_empty());
    let words: Vec<&str> = words.collect();
    let modifiers = modifiers(&words, key.line)?;
    let items = value.items();
    if field.is_none() && modifiers.needs_field() {
        return Err(Diagnostic::at(key.line, format!("modifier needs a field: `{name}`")));
    }
    if modifiers.all && items.len() < 2 {
        return Err(Diagnostic::at(key.line, format!("`all` takes two values or more: `{name}`")));
    }
    if modifiers.exists && items.len() != 1 {
        return Err(Diagnostic::at(key.line, "`exists` takes one truth value"));
    }
    let mut choices = Vec::new();
    for item in items {
        choices.push(item_selection(field, &modifiers, item, placeholders)?);
    }
    let joined = if modifiers.all { Selection::And(choices) } else { Selection::Or(choices) };
    Ok(if modifiers.negated { Selection::Not(Box::new(joined)) } else { joined })
}

fn item_selection(
    field: Option<&str>,
    modifiers: &Modifiers,
    item: &Node,
    placeholders: &Placeholders,
) -> Result<Selection, Diagnostic> {
    let leaf = |test| Selection::Leaf(Predicate { field: field.map(str::to_owned), test });
    let wrong = |message: String| Diagnostic::at(item.line, message);
    if item.is_null() {
        return if modifiers.takes_null() {
            Ok(leaf(Test::Null))
        } else {
            Err(wrong("a null has nothing that the modifiers could compare".into()))
        };
    }
    let text = item.text().ok_or_else(|| wrong("a value must be a scalar".into()))?;
    if modifiers.exists {
        let wanted = item
            .boolean()
            .ok_or_else(|| wrong(format!("`exists` takes true or false: `{text}`")))?;
        return Ok(leaf(Test::Exists(wanted)));
    }
    let texts = if !modifiers.expand {
        vec![text.to_owned()]
    } else if modifiers.regex.is_some() {
        placeholders.expand(text, regex::escape).map_err(wrong)?
    } else {
        placeholders.expand(text, str::to_owned).map_err(wrong)?
    };
    let mut leaves = Vec::new();
    for text in &texts {
        leaves.extend(tests(text, field, modifiers).map_err(wrong)?.into_iter().map(leaf));
    }
    Ok(if leaves.len() == 1 { leaves.remove(0) } else { Selection::Or(leaves) })
}

/// The tests that a value stands for, one of which must pass.
fn tests(text: &str, field: Option<&str>, modifiers: &Modifiers) -> Result<Vec<Test>, String> {
    let test = if let Some(flags) = &modifiers.regex {
        regex(text, flags)?
    } else if modifiers.cidr {
        Test::Cidr(cidr(text).ok_or_else(|| format!("not a network: `{text}`"))?)
    } else if let Some(part) = modifiers.part {
        time_part(text, part, modifiers.order)?
    } else if let Some(order) = modifiers.order {
        let bound = number(text).ok_or_else(|| format!("not a number: `{text}`"))?;
        Test::Number(order, bound.to_bits())
    } else if modifiers.fieldref {
        let how = match modifiers.anchor {
            None | Some(Anchor::Whole) => Anchoring::Equals,
            Some(Anchor::Contains) => Anchoring::Contains,
            Some(Anchor::Start) => Anchoring::StartsWith,
            Some(Anchor::End) => Anchoring::EndsWith,
        };
        Test::FieldRef(text.to_owned(), how)
    } else {
        return texts(text, field, modifiers);
    };
    Ok(vec![test])
}

fn texts(text: &str, field: Option<&str>, modifiers: &Modifiers) -> Result<Vec<Test>, String> {
    let anchor = match (modifiers.anchor, field) {
        (Some(anchor), _) => anchor,
        // A value without a field is searched for anywhere in the record.
        (None, None) => Anchor::Contains,
        (None, Some(_)) => Anchor::Whole,
    };
    let mut values = vec![pieces(text)];
    if modifiers.windash {
        values = dash_variants(&pieces(text))?;
    }
    if modifiers.utf16.is_some() || modifiers.base64.is_some() {
        let encoded: Result<Vec<_>, _> =
            values.iter().map(|value| encode(value, modifiers)).collect();
        values = encoded?.concat();
    }
    // Base64 keeps the case of its letters apart, so an encoded value is compared with it.
    let cased = modifiers.cased || modifiers.base64.is_some();
    Ok(values
        .into_iter()
        .map(|value| Test::Text(Pattern::new(value, anchor, cased), cased))
        .collect())
}

fn regex(text: &str, flags: &str) -> Result<Test, String> {
    // Flags become a part of the expression, so that two expressions are equal only if theirs are.
    let text = if flags.is_empty() { text.to_owned() } else { format!("(?{flags}){text}") };
    RegexBuilder::new(&text)
        .size_limit(REGEX_BYTES_MAX)
        .build()
        .map(|regex| Test::Regex(Box::new(regex)))
        .map_err(|error| {
            format!("regular expression cannot be used: {}", error.to_string().replace('\n', " "))
        })
}

fn cidr(text: &str) -> Option<IpNet> {
    text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
}

fn time_part(text: &str, part: TimePart, order: Option<Order>) -> Result<Test, String> {
    let bound: i64 = text.trim().parse().map_err(|_| format!("not a whole number: `{text}`"))?;
    let range = part.range();
    if !range.contains(&bound) {
        let (first, last) = range.into_inner();
        return Err(format!("part of a time is {first} to {last}: `{text}`"));
    }
    Ok(Test::TimePart(part, order, bound))
}

/// The value with each dash that starts a word in every form that Windows programs accept.
fn dash_variants(value: &[Piece]) -> Result<Vec<Vec<Piece>>, String> {
    const DASHES: [char; 5] = ['-', '/', '\u{2013}', '\u{2014}', '\u{2015}'];
    let mut variants: Vec<Vec<Piece>> = vec![Vec::new()];
    for (index, piece) in value.iter().enumerate() {
        let Piece::Literal(text) = piece else {
            variants.iter_mut().for_each(|variant| variant.push(piece.clone()));
            continue;
        };
        variants.iter_mut().for_each(|variant| variant.push(Piece::Literal(String::new())));
        let mut starts_word = index == 0;
        for letter in text.chars() {
            let own = [letter];
            let forms = if starts_word && DASHES.contains(&letter) { &DASHES[..] } else { &own };
            starts_word = letter.is_whitespace() || letter == '"' || letter == '\'';
            if variants.len().saturating_mul(forms.len()) > DASH_VARIANTS_MAX {
                return Err("`windash` meets more than five dashes in one value".into());
            }
            variants = variants
                .iter()
                .flat_map(|variant| forms.iter().map(|form| with_letter(variant, *form)))
                .collect();
        }
    }
    Ok(variants)
}

fn with_letter(variant: &[Piece], letter: char) -> Vec<Piece> {
    let mut longer = variant.to_vec();
    if let Some(Piece::Literal(text)) = longer.last_mut() {
        text.push(letter);
    }
    longer
}

/// The forms of an encoded value. UTF-16 comes before Base64, as text is encoded before it is
/// carried.
fn encode(value: &[Piece], modifiers: &Modifiers) -> Result<Vec<Vec<Piece>>, String> {
    let [Piece::Literal(text)] = value else {
        return Err("a value with wildcards cannot be encoded".into());
    };
    let bytes: Vec<u8> = match modifiers.utf16 {
        None => text.as_bytes().to_vec(),
        Some(Utf16::Little) => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        Some(Utf16::Big) => text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
        Some(Utf16::Marked) => {
            let mark = [0xff, 0xfe].into_iter();
            mark.chain(text.encode_utf16().flat_map(u16::to_le_bytes)).collect()
        }
    };
    let texts = match modifiers.base64 {
        // A log that keeps such bytes shows each as one letter.
        None => vec![bytes.into_iter().map(char::from).collect()],
        Some(Base64::Whole) => vec![STANDARD.encode(&bytes)],
        Some(Base64::Offset) => (0..3).map(|offset| base64_at(&bytes, offset)).collect(),
    };
    Ok(texts.into_iter().map(|text| vec![Piece::Literal(text)]).collect())
}

/// The part of the Base64 text that does not depend on what stands before or after, if the value
/// starts at this offset modulo three.
fn base64_at(bytes: &[u8], offset: usize) -> String {
    const START: [usize; 3] = [0, 2, 3];
    const END: [usize; 3] = [0, 3, 2];
    let mut padded = vec![b' '; offset];
    padded.extend_from_slice(bytes);
    let encoded = STANDARD.encode(&padded);
    let end = encoded.len() - END[padded.len() % 3];
    encoded.get(START[offset]..end).unwrap_or_default().to_owned()
}
