//! Selections: the maps and lists of a `detection` block, read into a tree of predicates.

use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ipnet::IpNet;
use regex::RegexBuilder;

use crate::condition::Condition;
use crate::diagnostic::Diagnostic;
use crate::pattern::{Anchor, Pattern, Piece, pieces};
use crate::predicate::{Anchoring, Order, Predicate, Test, number};
use crate::yaml::{Node, NodeData};

/// What must hold, as a tree over predicates.
#[derive(Clone, PartialEq, Debug)]
pub enum Selection {
    /// One predicate.
    Leaf(Predicate),
    /// All; none at all always holds.
    And(Vec<Selection>),
    /// One of them; none at all never holds.
    Or(Vec<Selection>),
    /// The contrary.
    Not(Box<Selection>),
}

/// A compiled regular expression may take this much memory.
const REGEX_BYTES_MAX: usize = 16 << 20;

/// Reads a whole `detection` block: named selections under a condition.
///
/// # Errors
/// All mistakes of the block at once.
pub fn detection_expression(detection: &Node) -> Result<Selection, Vec<Diagnostic>> {
    let mut named = Vec::new();
    let mut conditions = Vec::new();
    let mut problems = Vec::new();
    for (key, node) in detection.entries() {
        match key.text().unwrap_or_default() {
            "condition" => {
                for item in node.items() {
                    match Condition::parse(item.text().unwrap_or_default(), item.line) {
                        Ok(condition) => conditions.push((item.line, condition)),
                        Err(problem) => problems.push(problem),
                    }
                }
            }
            "timeframe" => problems.push(Diagnostic::at(
                key.line,
                "`timeframe` was replaced by correlations in Sigma 2",
            )),
            name => match Selection::parse(node) {
                Ok(selection) => named.push((name.to_owned(), selection)),
                Err(mut more) => problems.append(&mut more),
            },
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    if conditions.is_empty() {
        let all = named.iter().map(|entry| entry.1.clone()).collect();
        return Ok(Selection::And(all));
    }
    let mut alternatives = Vec::new();
    for (line, condition) in &conditions {
        match resolve(condition, &named, *line) {
            Ok(selection) => alternatives.push(selection),
            Err(problem) => problems.push(problem),
        }
    }
    match alternatives.pop() {
        _ if !problems.is_empty() => Err(problems),
        Some(only) if alternatives.is_empty() => Ok(only),
        Some(last) => {
            alternatives.push(last);
            Ok(Selection::Or(alternatives))
        }
        None => Err(vec![Diagnostic::at(detection.line, "detection has no condition")]),
    }
}

fn resolve(
    condition: &Condition,
    named: &[(String, Selection)],
    line: usize,
) -> Result<Selection, Diagnostic> {
    let list = |conditions: &[Condition]| {
        conditions.iter().map(|inner| resolve(inner, named, line)).collect::<Result<Vec<_>, _>>()
    };
    match condition {
        Condition::Name(name) => {
            named.iter().find(|entry| entry.0 == *name).map(|entry| entry.1.clone()).ok_or_else(
                || {
                    Diagnostic::at(
                        line,
                        format!("condition names a selection that is not there: `{name}`"),
                    )
                },
            )
        }
        Condition::And(conditions) => Ok(Selection::And(list(conditions)?)),
        Condition::Or(conditions) => Ok(Selection::Or(list(conditions)?)),
        Condition::Not(inner) => Ok(Selection::Not(Box::new(resolve(inner, named, line)?))),
        Condition::Of(count, names) => {
            let chosen: Vec<Selection> = named
                .iter()
                .filter(|entry| name_fits(names, &entry.0))
                .map(|entry| entry.1.clone())
                .collect();
            if chosen.is_empty() {
                return Err(Diagnostic::at(
                    line,
                    format!("condition names selections that are not there: `{names}`"),
                ));
            }
            Ok(match count {
                None => Selection::And(chosen),
                Some(1) => Selection::Or(chosen),
                Some(count) => at_least(*count, &chosen),
            })
        }
    }
}

fn name_fits(names: &str, name: &str) -> bool {
    if names.eq_ignore_ascii_case("them") {
        return !name.starts_with('_');
    }
    Pattern::new(pieces(names), Anchor::Whole, true).fits(name)
}

/// `count` of these: the first holds and `count - 1` of the rest, or `count` of the rest.
fn at_least(count: usize, list: &[Selection]) -> Selection {
    match list.split_first() {
        _ if count == 0 => Selection::And(Vec::new()),
        _ if count > list.len() => Selection::Or(Vec::new()),
        None => Selection::Or(Vec::new()),
        Some((first, rest)) => Selection::Or(vec![
            Selection::And(vec![first.clone(), at_least(count - 1, rest)]),
            at_least(count, rest),
        ]),
    }
}

impl Selection {
    /// The selection that never holds.
    #[must_use]
    pub fn never() -> Self {
        Selection::Or(Vec::new())
    }

    /// What is left of the selection when the values of some fields are known: `known` gives a
    /// field's value, `Some(None)` if the record does not have it, `None` if nothing is known.
    #[must_use]
    pub fn assume<'k>(&self, known: &dyn Fn(&str) -> Option<Option<&'k str>>) -> Self {
        let always = Selection::And(Vec::new());
        match self {
            Selection::Leaf(predicate) => match predicate.decided(known) {
                Some(true) => always,
                Some(false) => Selection::never(),
                None => self.clone(),
            },
            Selection::Not(inner) => match inner.assume(known) {
                left if left == always => Selection::never(),
                left if left == Selection::never() => always,
                left => Selection::Not(Box::new(left)),
            },
            Selection::And(list) => {
                let left: Vec<Selection> = list
                    .iter()
                    .map(|part| part.assume(known))
                    .filter(|part| *part != always)
                    .collect();
                if left.contains(&Selection::never()) {
                    Selection::never()
                } else {
                    Selection::And(left)
                }
            }
            Selection::Or(list) => {
                let left: Vec<Selection> = list
                    .iter()
                    .map(|part| part.assume(known))
                    .filter(|part| *part != Selection::never())
                    .collect();
                if left.contains(&always) { always } else { Selection::Or(left) }
            }
        }
    }

    /// Visits all predicates.
    pub fn each_leaf(&self, visit: &mut dyn FnMut(&Predicate)) {
        match self {
            Selection::Leaf(predicate) => visit(predicate),
            Selection::And(list) | Selection::Or(list) => {
                list.iter().for_each(|part| part.each_leaf(visit));
            }
            Selection::Not(inner) => inner.each_leaf(visit),
        }
    }

    /// Reads one selection: a map of fields (all must hold), a list of maps (one must hold), or
    /// keywords.
    ///
    /// # Errors
    /// All mistakes at once.
    pub fn parse(node: &Node) -> Result<Self, Vec<Diagnostic>> {
        match &node.data {
            NodeData::Map(entries) => {
                let mut all = Vec::new();
                let mut problems = Vec::new();
                for (key, value) in entries {
                    match field_selection(key, value) {
                        Ok(selection) => all.push(selection),
                        Err(problem) => problems.push(problem),
                    }
                }
                if problems.is_empty() { Ok(Selection::And(all)) } else { Err(problems) }
            }
            NodeData::List(items) => {
                let parsed: Result<Vec<_>, _> = items.iter().map(Selection::parse).collect();
                Ok(Selection::Or(parsed?))
            }
            NodeData::Scalar { text, .. } => Ok(keyword(text)),
        }
    }
}

fn keyword(text: &str) -> Selection {
    let pattern = Pattern::new(pieces(text), Anchor::Contains, false);
    Selection::Leaf(Predicate { field: None, test: Test::Text(pattern, false) })
}

#[derive(Default)]
#[allow(clippy::struct_excessive_bools, reason = "each is a modifier of the language")]
struct Modifiers {
    anchor: Option<Anchor>,
    all: bool,
    cased: bool,
    negated: bool,
    windash: bool,
    regex: Option<String>,
    cidr: bool,
    exists: bool,
    fieldref: bool,
    order: Option<Order>,
    encodings: Vec<Encoding>,
}

#[derive(Clone, Copy, PartialEq)]
enum Encoding {
    Utf16Le,
    Utf16Be,
    Base64,
    Base64Offset,
}

fn modifiers(words: &[&str], line: usize) -> Result<Modifiers, Diagnostic> {
    let mut found = Modifiers::default();
    for word in words {
        match *word {
            "contains" => found.anchor = Some(Anchor::Contains),
            "startswith" => found.anchor = Some(Anchor::Start),
            "endswith" => found.anchor = Some(Anchor::End),
            "all" => found.all = true,
            "cased" => found.cased = true,
            "neq" => found.negated = true,
            "windash" => found.windash = true,
            "re" => found.regex = Some(String::new()),
            "i" | "m" | "s" if found.regex.is_some() => {
                if let Some(flags) = &mut found.regex {
                    flags.push_str(word);
                }
            }
            "cidr" => found.cidr = true,
            "exists" => found.exists = true,
            "fieldref" => found.fieldref = true,
            "gt" => found.order = Some(Order::Greater),
            "gte" => found.order = Some(Order::GreaterEqual),
            "lt" => found.order = Some(Order::Less),
            "lte" => found.order = Some(Order::LessEqual),
            "wide" | "utf16le" => found.encodings.push(Encoding::Utf16Le),
            "utf16be" => found.encodings.push(Encoding::Utf16Be),
            "base64" => found.encodings.push(Encoding::Base64),
            "base64offset" => found.encodings.push(Encoding::Base64Offset),
            other => {
                let message = format!("modifier is not supported: `{other}`");
                return Err(Diagnostic::at(line, message));
            }
        }
    }
    Ok(found)
}

fn field_selection(key: &Node, value: &Node) -> Result<Selection, Diagnostic> {
    let name = key.text().ok_or_else(|| Diagnostic::at(key.line, "a field name must be a text"))?;
    let mut words = name.split('|');
    let field = words.next().filter(|field| !field.is_empty()).map(str::to_owned);
    let words: Vec<&str> = words.collect();
    let modifiers = modifiers(&words, key.line)?;
    let mut choices = Vec::new();
    for item in value.items() {
        choices.push(value_selection(field.as_deref(), &modifiers, item)?);
    }
    let joined = if modifiers.all { Selection::And(choices) } else { Selection::Or(choices) };
    Ok(if modifiers.negated { Selection::Not(Box::new(joined)) } else { joined })
}

fn value_selection(
    field: Option<&str>,
    modifiers: &Modifiers,
    item: &Node,
) -> Result<Selection, Diagnostic> {
    let leaf = |test| Selection::Leaf(Predicate { field: field.map(str::to_owned), test });
    let wrong = |message: String| Diagnostic::at(item.line, message);
    if item.is_null() {
        return Ok(leaf(Test::Null));
    }
    let text = item.text().ok_or_else(|| wrong("a value must be a scalar".into()))?;
    if modifiers.exists {
        let wanted = item
            .boolean()
            .ok_or_else(|| wrong(format!("`exists` takes true or false: `{text}`")))?;
        return Ok(leaf(Test::Exists(wanted)));
    }
    if let Some(flags) = &modifiers.regex {
        return regex(text, flags).map(&leaf).map_err(wrong);
    }
    if modifiers.cidr {
        return cidr(text)
            .map(|net| leaf(Test::Cidr(net)))
            .ok_or_else(|| wrong(format!("not a network: `{text}`")));
    }
    if let Some(order) = modifiers.order {
        let bound = number(text).ok_or_else(|| wrong(format!("not a number: `{text}`")))?;
        return Ok(leaf(Test::Number(order, bound.to_bits())));
    }
    if modifiers.fieldref {
        let how = match modifiers.anchor {
            None | Some(Anchor::Whole) => Anchoring::Equals,
            Some(Anchor::Contains) => Anchoring::Contains,
            Some(Anchor::Start) => Anchoring::StartsWith,
            Some(Anchor::End) => Anchoring::EndsWith,
        };
        return Ok(leaf(Test::FieldRef(text.to_owned(), how)));
    }
    let anchor = match (modifiers.anchor, field) {
        (Some(anchor), _) => anchor,
        // A value without a field is searched for anywhere in the record.
        (None, None) => Anchor::Contains,
        (None, Some(_)) => Anchor::Whole,
    };
    let mut values = vec![pieces(text)];
    if modifiers.windash {
        values = values.iter().flat_map(|value| dash_variants(value)).collect();
    }
    for encoding in &modifiers.encodings {
        values = values
            .iter()
            .map(|value| encode(value, *encoding))
            .collect::<Result<Vec<_>, _>>()
            .map_err(wrong)?
            .concat();
    }
    // Base64 keeps the case of its letters apart, so an encoded value is compared with it.
    let cased = modifiers.cased
        || modifiers
            .encodings
            .iter()
            .any(|e| matches!(e, Encoding::Base64 | Encoding::Base64Offset));
    let mut leaves: Vec<Selection> = values
        .into_iter()
        .map(|value| leaf(Test::Text(Pattern::new(value, anchor, cased), cased)))
        .collect();
    Ok(if leaves.len() == 1 { leaves.remove(0) } else { Selection::Or(leaves) })
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

/// A dash that starts a word may be written in any of the forms that Windows programs accept.
fn dash_variants(value: &[Piece]) -> Vec<Vec<Piece>> {
    const DASHES: [char; 5] = ['-', '/', '\u{2013}', '\u{2014}', '\u{2015}'];
    let replace = |text: &str, first: bool, dash: char| {
        let mut start = first;
        text.chars()
            .map(|letter| {
                let starts_word = start;
                start = letter.is_whitespace() || letter == '"' || letter == '\'';
                if starts_word && (letter == '-' || letter == '/') { dash } else { letter }
            })
            .collect::<String>()
    };
    let mut variants: Vec<Vec<Piece>> = Vec::new();
    for dash in DASHES {
        let variant: Vec<Piece> = value
            .iter()
            .enumerate()
            .map(|(index, piece)| match piece {
                Piece::Literal(text) => Piece::Literal(replace(text, index == 0, dash)),
                other => other.clone(),
            })
            .collect();
        if !variants.contains(&variant) {
            variants.push(variant);
        }
    }
    variants
}

fn encode(value: &[Piece], encoding: Encoding) -> Result<Vec<Vec<Piece>>, String> {
    let [Piece::Literal(text)] = value else {
        return Err("a value with wildcards cannot be encoded".into());
    };
    // Latin-1 carries arbitrary bytes through a text between two encodings.
    let bytes: Vec<u8> = if text.chars().any(|c| u32::from(c) > 0xff)
        || encoding == Encoding::Utf16Le
        || encoding == Encoding::Utf16Be
    {
        Vec::new()
    } else {
        text.bytes().collect()
    };
    let literal = |text: String| vec![Piece::Literal(text)];
    Ok(match encoding {
        Encoding::Utf16Le => {
            vec![literal(text.encode_utf16().flat_map(u16::to_le_bytes).map(char::from).collect())]
        }
        Encoding::Utf16Be => {
            vec![literal(text.encode_utf16().flat_map(u16::to_be_bytes).map(char::from).collect())]
        }
        Encoding::Base64 => vec![literal(STANDARD.encode(as_bytes(text, bytes)))],
        Encoding::Base64Offset => (0..3_usize)
            .map(|offset| literal(base64_at(&as_bytes(text, bytes.clone()), offset)))
            .collect(),
    })
}

fn as_bytes(text: &str, latin: Vec<u8>) -> Vec<u8> {
    // After a UTF-16 step every letter is one byte; otherwise the text's own UTF-8 counts.
    if text.contains('\0') {
        text.chars().map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?')).collect()
    } else if latin.is_empty() {
        text.as_bytes().to_vec()
    } else {
        latin
    }
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
