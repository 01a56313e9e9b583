//! The documents of rule files: rules, filters and correlations.

use std::collections::BTreeMap;

use crate::correlation::{Correlation, correlation};
use crate::diagnostic::Diagnostic;
use crate::filter::{Filter, filter};
use crate::placeholder::Placeholders;
use crate::rule::{Rule, rule};
use crate::yaml::load_yaml;

/// What rule files hold.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Documents {
    /// Rules, which look at one record.
    pub rules: Vec<Rule>,
    /// Filters, which narrow rules.
    pub filters: Vec<Filter>,
    /// Correlations, which look at matches of rules.
    pub correlations: Vec<Correlation>,
}

/// One rule's name in another document: its `id` or its `name`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Reference {
    /// Line, counted from 1.
    pub line: usize,
    /// Id or name.
    pub name: String,
}

impl Reference {
    /// Whether a document of this id and name is meant.
    #[must_use]
    pub fn means(&self, id: &str, name: Option<&str>) -> bool {
        self.name == id || Some(self.name.as_str()) == name
    }
}

/// Reads every document of one file. Documents without mistakes are not lost: they come beside the
/// diagnostics of the others.
#[must_use]
pub fn load_documents(
    file: &str,
    text: &str,
    placeholders: &Placeholders,
) -> (Documents, Vec<Diagnostic>) {
    let mut found = Documents::default();
    let nodes = match load_yaml(text) {
        Ok(nodes) => nodes,
        Err(problem) => return (found, vec![problem.in_file(file)]),
    };
    let mut problems = Vec::new();
    for node in &nodes {
        let read = if node.get("correlation").is_some() {
            correlation(file, node).map(|one| found.correlations.push(one))
        } else if node.get("filter").is_some() {
            filter(file, node, placeholders).map(|one| found.filters.push(one))
        } else {
            rule(file, node, placeholders).map(|one| found.rules.push(one))
        };
        if let Err(wrong) = read {
            problems.extend(wrong.into_iter().map(|problem| problem.in_file(file)));
        }
    }
    (found, problems)
}

/// Reads the rules of one file, with the values of placeholders. Its filters and correlations are
/// refused: they have a meaning only beside the rules of all files.
#[must_use]
pub fn load_rules_with(
    file: &str,
    text: &str,
    placeholders: &Placeholders,
) -> (Vec<Rule>, Vec<Diagnostic>) {
    let (documents, mut problems) = load_documents(file, text, placeholders);
    let refused = |line, message: &str| Diagnostic::at(line, message).in_file(file);
    problems.extend(documents.correlations.iter().map(|one| {
        refused(one.line, "correlation is not evaluated here, where rules are read alone")
    }));
    problems.extend(
        documents
            .filters
            .iter()
            .map(|one| refused(one.line, "filter is not applied here, where rules are read alone")),
    );
    (documents.rules, problems)
}

/// Reads the rules of one file without placeholders, as [`load_rules_with`] does.
#[must_use]
pub fn load_rules(file: &str, text: &str) -> (Vec<Rule>, Vec<Diagnostic>) {
    load_rules_with(file, text, &Placeholders::default())
}

impl Documents {
    /// Takes in the documents of a further file.
    pub fn append(&mut self, mut more: Documents) {
        self.rules.append(&mut more.rules);
        self.filters.append(&mut more.filters);
        self.correlations.append(&mut more.correlations);
    }

    /// Sorts the documents by file and line, and keeps the first of each id. Copies say nothing;
    /// another text under the same id is told with both places (Sigma Rules Specification,
    /// Identification: an id is unique).
    pub fn drop_duplicates(&mut self) -> Vec<Diagnostic> {
        let mut seen = Seen::default();
        keep_first(&mut self.rules, &mut seen, |one| Head {
            id: (one.id != one.title).then_some(&one.id),
            file: &one.file,
            line: one.line,
            digest: one.digest,
        });
        keep_first(&mut self.filters, &mut seen, |one| Head {
            id: (one.id != one.title).then_some(&one.id),
            file: &one.file,
            line: one.line,
            digest: one.digest,
        });
        keep_first(&mut self.correlations, &mut seen, |one| Head {
            id: (one.id != one.title).then_some(&one.id),
            file: &one.file,
            line: one.line,
            digest: one.digest,
        });
        seen.problems
    }
}

#[derive(Default)]
struct Seen {
    /// By id: file, line and content of the first document.
    first: BTreeMap<String, (String, usize, [u8; 32])>,
    problems: Vec<Diagnostic>,
}

/// What tells documents apart.
struct Head<'a> {
    /// None where the title stands in: titles need not be unique.
    id: Option<&'a str>,
    file: &'a str,
    line: usize,
    digest: [u8; 32],
}

fn keep_first<T>(list: &mut Vec<T>, seen: &mut Seen, head: impl Fn(&T) -> Head<'_>) {
    list.sort_by(|a, b| (head(a).file, head(a).line).cmp(&(head(b).file, head(b).line)));
    list.retain(|one| {
        let own = head(one);
        let Some(id) = own.id else { return true };
        let Some((file, line, digest)) = seen.first.get(id) else {
            seen.first.insert(id.to_owned(), (own.file.to_owned(), own.line, own.digest));
            return true;
        };
        if *digest != own.digest {
            let message = format!("id belongs to another document: `{id}` in {file}:{line}");
            seen.problems.push(Diagnostic::at(own.line, message).in_file(own.file));
        }
        false
    });
}
