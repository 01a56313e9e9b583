//! Filters: what an organisation takes off the rules of others, kept apart from their texts.

use crate::diagnostic::Diagnostic;
use crate::document::Reference;
use crate::placeholder::Placeholders;
use crate::rule::{Logsource, Rule};
use crate::selection::{Selection, expression};
use crate::yaml::{Node, NodeData};

/// Which rules a filter narrows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum FilterRules {
    /// Every rule of its log source.
    Any,
    /// These.
    Named(Vec<Reference>),
}

/// A filter (Sigma Filters Specification).
#[derive(Clone, PartialEq, Debug)]
pub struct Filter {
    /// File that it was read from.
    pub file: String,
    /// Line on which it begins.
    pub line: usize,
    /// Its id; the title's where it has none.
    pub id: String,
    /// Its title.
    pub title: String,
    /// Which rules' log sources it fits.
    pub logsource: Logsource,
    /// Which rules it narrows.
    pub rules: FilterRules,
    /// What must hold besides the rule's own condition. A filter that takes something away says
    /// `condition: not selection`.
    pub selection: Selection,
    /// SHA-256 of its content.
    pub(crate) digest: [u8; 32],
}

/// Reads a filter's document.
pub(crate) fn filter(
    file: &str,
    document: &Node,
    placeholders: &Placeholders,
) -> Result<Filter, Vec<Diagnostic>> {
    let mut problems = Vec::new();
    let title = document.get_text("title").unwrap_or_default();
    if title.is_empty() {
        problems.push(Diagnostic::at(document.line, "filter has no `title`"));
    }
    let logsource = document.get("logsource").map(Logsource::from_node).unwrap_or_default();
    if logsource == Logsource::default() {
        problems
            .push(Diagnostic::at(document.line, "filter has no `logsource`, and so fits no rule"));
    }
    let missing = Node { line: document.line, data: NodeData::Map(Vec::new()) };
    let block = document.get("filter").unwrap_or(&missing);
    if block.get("condition").is_none() {
        problems.push(Diagnostic::at(block.line, "filter has no `condition`"));
    }
    let rules = rules(block).map_err(|problem| problems.push(problem));
    let selection = expression(block, &["rules"], placeholders)
        .map_err(|mut wrong| problems.append(&mut wrong));
    match (rules, selection) {
        (Ok(rules), Ok(selection)) if problems.is_empty() => Ok(Filter {
            file: file.to_owned(),
            line: document.line,
            id: document.get_text("id").unwrap_or(title).to_owned(),
            title: title.to_owned(),
            logsource,
            rules,
            selection,
            digest: document.digest(),
        }),
        _ => Err(problems),
    }
}

fn rules(block: &Node) -> Result<FilterRules, Diagnostic> {
    let node = block.get("rules").filter(|node| !node.is_null());
    let node = node.ok_or_else(|| Diagnostic::at(block.line, "filter has no `rules`"))?;
    if node.text().is_some_and(|text| text.eq_ignore_ascii_case("any")) {
        return Ok(FilterRules::Any);
    }
    references(node).map(FilterRules::Named)
}

/// The ids and names of a list.
pub(crate) fn references(node: &Node) -> Result<Vec<Reference>, Diagnostic> {
    let mut found = Vec::new();
    for item in node.items() {
        let name = item.text().filter(|name| !name.is_empty());
        let name =
            name.ok_or_else(|| Diagnostic::at(item.line, "a rule's id or name is a text"))?;
        found.push(Reference { line: item.line, name: name.to_owned() });
    }
    if found.is_empty() {
        return Err(Diagnostic::at(node.line, "`rules` names no rule"));
    }
    Ok(found)
}

/// Narrows rules by filters: a rule holds where its own condition and the filter's hold. A filter
/// reaches a rule only if every key of the filter's log source stands in the rule's with the same
/// word; what it names and does not reach is told, because a filter that silently does nothing, or
/// a rule that is silently narrowed, both lead to wrong conclusions.
#[must_use]
pub fn apply_filters(rules: &mut [Rule], filters: &[Filter]) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    for filter in filters {
        let mut tell = |line, message: String| {
            problems.push(Diagnostic::at(line, message).in_file(&filter.file));
        };
        match &filter.rules {
            FilterRules::Any => {
                let mut count = 0_usize;
                for rule in rules.iter_mut().filter(|rule| filter.fits(rule)) {
                    filter.narrow(rule);
                    count += 1;
                }
                if count == 0 {
                    tell(filter.line, format!("filter fits no rule: `{}`", filter.id));
                }
            }
            FilterRules::Named(references) => {
                for reference in references {
                    let mut named = rules
                        .iter_mut()
                        .filter(|rule| reference.means(&rule.id, rule.name.as_deref()))
                        .peekable();
                    if named.peek().is_none() {
                        let message =
                            format!("filter names a rule that is not there: `{}`", reference.name);
                        tell(reference.line, message);
                    }
                    for rule in named {
                        if filter.fits(rule) {
                            filter.narrow(rule);
                        } else {
                            tell(
                                reference.line,
                                format!(
                                    "filter is for another log source than the rule: `{}`, `{}`",
                                    filter.logsource.words(),
                                    rule.logsource.words()
                                ),
                            );
                        }
                    }
                }
            }
        }
    }
    problems
}

impl Filter {
    fn fits(&self, rule: &Rule) -> bool {
        self.logsource.is_served_by(&rule.logsource)
    }

    fn narrow(&self, rule: &mut Rule) {
        let old = std::mem::replace(&mut rule.selection, Selection::And(Vec::new()));
        rule.selection = Selection::And(vec![old, self.selection.clone()]);
    }
}
