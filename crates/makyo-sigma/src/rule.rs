//! Sigma rules, read from YAML with all mistakes named.

use std::sync::Arc;

use makyo_base::Level;

use crate::diagnostic::Diagnostic;
use crate::plan::Matcher;
use crate::selection::{Selection, detection_expression};
use crate::yaml::{Node, load_yaml};

/// Which records a rule speaks of.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Logsource {
    /// `product`, lower case.
    pub product: Option<String>,
    /// `category`, lower case.
    pub category: Option<String>,
    /// `service`, lower case.
    pub service: Option<String>,
}

impl Logsource {
    /// Reads the three keys of a mapping.
    #[must_use]
    pub fn from_node(node: &Node) -> Self {
        let word = |key| node.get_text(key).map(str::to_lowercase);
        Logsource { product: word("product"), category: word("category"), service: word("service") }
    }

    /// Whether records of log source `served` may be put to a rule of this one: every key that the
    /// rule names must be named by the record's source with the same word. A rule that names none
    /// fits nothing, so that it cannot fire on everything by oversight.
    #[must_use]
    pub fn is_served_by(&self, served: &Logsource) -> bool {
        let fits = |wanted: &Option<String>, given: &Option<String>| {
            wanted.as_ref().is_none_or(|wanted| given.as_ref() == Some(wanted))
        };
        *self != Logsource::default()
            && fits(&self.product, &served.product)
            && fits(&self.category, &served.category)
            && fits(&self.service, &served.service)
    }

    /// `windows/process_creation`, for people.
    #[must_use]
    pub fn words(&self) -> String {
        [&self.product, &self.category, &self.service]
            .into_iter()
            .flatten()
            .map(String::as_str)
            .collect::<Vec<_>>()
            .join("/")
    }
}

/// A log source that some records of a source serve, and how those records name what rules ask
/// for.
#[derive(Clone, Debug)]
pub struct ServedLogsource {
    /// The log source.
    pub logsource: Logsource,
    /// Which records; all if there is none.
    pub when: Option<Arc<Matcher>>,
    /// The rule's field names for the record's own: `(Image, NewProcessName)`.
    pub fields: Vec<(String, String)>,
}

/// One Sigma rule.
#[derive(Clone, PartialEq, Debug)]
pub struct Rule {
    /// File that it was read from.
    pub file: String,
    /// Its id; the title's where it has none.
    pub id: String,
    /// Its title.
    pub title: String,
    /// Its level; `medium` where it names none.
    pub level: Level,
    /// Its status.
    pub status: String,
    /// Its description.
    pub description: String,
    /// Its tags.
    pub tags: Vec<String>,
    /// What it speaks of.
    pub logsource: Logsource,
    /// What must hold.
    pub selection: Selection,
    /// Benign explanations that its author names.
    pub false_positives: Vec<String>,
}

impl Rule {
    /// ATT&CK technique ids of the tags, upper case: `T1059.001`.
    #[must_use]
    pub fn techniques(&self) -> Vec<String> {
        self.tags
            .iter()
            .filter_map(|tag| tag.to_lowercase().strip_prefix("attack.t").map(str::to_owned))
            .filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
            .map(|rest| format!("T{rest}"))
            .collect()
    }

    /// ATT&CK tactics of the tags, with dashes: `initial-access`.
    #[must_use]
    pub fn tactics(&self) -> Vec<String> {
        self.tags
            .iter()
            .filter_map(|tag| tag.to_lowercase().strip_prefix("attack.").map(str::to_owned))
            .filter(|rest| {
                !rest.starts_with(['t', 'g', 's', 'c'])
                    || !rest.chars().skip(1).all(|c| c.is_ascii_digit() || c == '.')
            })
            .map(|rest| rest.replace('_', "-"))
            .collect()
    }
}

/// Reads the rules of one file.
///
/// # Errors
/// Every mistake, with its line. Rules of the file without mistakes are not lost: they come with
/// the error.
pub fn load_rules(file: &str, text: &str) -> (Vec<Rule>, Vec<Diagnostic>) {
    let documents = match load_yaml(text) {
        Ok(documents) => documents,
        Err(problem) => return (Vec::new(), vec![problem.in_file(file)]),
    };
    let mut rules = Vec::new();
    let mut problems = Vec::new();
    for document in &documents {
        match rule(file, document) {
            Ok(rule) => rules.push(rule),
            Err(found) => problems.extend(found.into_iter().map(|problem| problem.in_file(file))),
        }
    }
    (rules, problems)
}

fn rule(file: &str, document: &Node) -> Result<Rule, Vec<Diagnostic>> {
    let missing = |key: &str| vec![Diagnostic::at(document.line, format!("rule has no `{key}`"))];
    if document.get("correlation").is_some() {
        return Err(vec![Diagnostic::at(document.line, "correlation rules are not evaluated yet")]);
    }
    if document.get("filter").is_some() {
        return Err(vec![Diagnostic::at(document.line, "filters are not evaluated yet")]);
    }
    let title = document.get_text("title").ok_or_else(|| missing("title"))?;
    let logsource = document.get("logsource").ok_or_else(|| missing("logsource"))?;
    let detection = document.get("detection").ok_or_else(|| missing("detection"))?;
    let level = match document.get_text("level") {
        None => Level::Medium,
        Some(word) => Level::from_word(word).ok_or_else(|| {
            vec![Diagnostic::at(document.line, format!("level is none of Sigma's: `{word}`"))]
        })?,
    };
    Ok(Rule {
        file: file.to_owned(),
        id: document.get_text("id").unwrap_or(title).to_owned(),
        title: title.to_owned(),
        level,
        status: document.get_text("status").unwrap_or_default().to_owned(),
        description: document.get_text("description").unwrap_or_default().trim().to_owned(),
        tags: document.get_texts("tags"),
        logsource: Logsource::from_node(logsource),
        selection: detection_expression(detection)?,
        false_positives: document.get_texts("falsepositives"),
    })
}
