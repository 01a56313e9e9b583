//! Selections: the maps and lists of a `detection` block, read into a tree of predicates.

use crate::condition::Condition;
use crate::diagnostic::Diagnostic;
use crate::pattern::{Anchor, Pattern, pieces};
use crate::placeholder::Placeholders;
use crate::predicate::{Predicate, Test};
use crate::value::field_selection;
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

/// `N of NAMES` is written out as its combinations, so a rule may ask for so many only.
const COMBINATIONS_MAX: usize = 10_000;

/// Reads a whole `detection` block: named selections under a condition.
///
/// # Errors
/// All mistakes of the block at once.
pub fn detection_expression(detection: &Node) -> Result<Selection, Vec<Diagnostic>> {
    expression(detection, &[], &Placeholders::default())
}

/// Reads a block of named selections under a condition; `beside` are keys that are neither.
pub(crate) fn expression(
    detection: &Node,
    beside: &[&str],
    placeholders: &Placeholders,
) -> Result<Selection, Vec<Diagnostic>> {
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
            name if beside.contains(&name) => {}
            name => match Selection::parse_with(node, placeholders) {
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
                Some(count) if combinations(*count, chosen.len()) > COMBINATIONS_MAX => {
                    let message =
                        format!("condition asks for too many combinations: `{count} of {names}`");
                    return Err(Diagnostic::at(line, message));
                }
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

/// In how many ways `count` can be chosen of so many.
fn combinations(count: usize, of: usize) -> usize {
    (0..count.min(of)).fold(1, |ways: usize, step| ways.saturating_mul(of - step) / (step + 1))
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
        Selection::parse_with(node, &Placeholders::default())
    }

    fn parse_with(node: &Node, placeholders: &Placeholders) -> Result<Self, Vec<Diagnostic>> {
        match &node.data {
            NodeData::Map(entries) => {
                let mut all = Vec::new();
                let mut problems = Vec::new();
                for (key, value) in entries {
                    match field_selection(key, value, placeholders) {
                        Ok(selection) => all.push(selection),
                        Err(problem) => problems.push(problem),
                    }
                }
                if problems.is_empty() { Ok(Selection::And(all)) } else { Err(problems) }
            }
            NodeData::List(items) => {
                let parsed: Result<Vec<_>, _> =
                    items.iter().map(|item| Selection::parse_with(item, placeholders)).collect();
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
