//! Sigma rules, read from YAML with all mistakes named.

use std::sync::Arc;

use makyo_base::Level;

use crate::diagnostic::Diagnostic;
use crate::placeholder::Placeholders;
use crate::plan::Matcher;
use crate::selection::{Selection, expression};
use crate::yaml::Node;

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

/// One Sigma rule (Sigma Rules Specification).
#[derive(Clone, PartialEq, Debug)]
pub struct Rule {
    /// File that it was read from.
    pub file: String,
    /// Line on which it begins.
    pub line: usize,
    /// Its id; the title's where it has none.
    pub id: String,
    /// Its `name`, by which correlations and filters may speak of it.
    pub name: Option<String>,
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
    /// SHA-256 of its content.
    pub(crate) digest: [u8; 32],
}

impl Rule {
    /// ATT&CK technique ids of the tags, upper case: `T1059.001`.
    #[must_use]
    pub fn techniques(&self) -> Vec<String> {
        techniques(&self.tags)
    }

    /// ATT&CK tactics of the tags, with dashes: `initial-access`.
    #[must_use]
    pub fn tactics(&self) -> Vec<String> {
        tactics(&self.tags)
    }
}

/// Reads a rule's document.
pub(crate) fn rule(
    file: &str,
    document: &Node,
    placeholders: &Placeholders,
) -> Result<Rule, Vec<Diagnostic>> {
    let missing = |key: &str| vec![Diagnostic::at(document.line, format!("rule has no `{key}`"))];
    let title = document.get_text("title").ok_or_else(|| missing("title"))?;
    let logsource = document.get("logsource").ok_or_else(|| missing("logsource"))?;
    let detection = document.get("detection").ok_or_else(|| missing("detection"))?;
    let level = level(document).map_err(|problem| vec![problem])?.unwrap_or(Level::Medium);
    Ok(Rule {
        file: file.to_owned(),
        line: document.line,
        id: document.get_text("id").unwrap_or(title).to_owned(),
        name: document.get_text("name").map(str::to_owned),
        title: title.to_owned(),
        level,
        status: document.get_text("status").unwrap_or_default().to_owned(),
        description: document.get_text("description").unwrap_or_default().trim().to_owned(),
        tags: document.get_texts("tags"),
        logsource: Logsource::from_node(logsource),
        selection: expression(detection, &[], placeholders)?,
        false_positives: document.get_texts("falsepositives"),
        digest: document.digest(),
    })
}

/// The level that a document names.
pub(crate) fn level(document: &Node) -> Result<Option<Level>, Diagnostic> {
    let Some(word) = document.get_text("level") else { return Ok(None) };
    let message = || format!("level is none of Sigma's: `{word}`");
    Level::from_word(word).map(Some).ok_or_else(|| Diagnostic::at(document.line, message()))
}

/// ATT&CK technique ids of tags, upper case: `T1059.001`.
#[must_use]
pub fn techniques(tags: &[String]) -> Vec<String> {
    tags.iter()
        .filter_map(|tag| tag.to_lowercase().strip_prefix("attack.t").map(str::to_owned))
        .filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
        .map(|rest| format!("T{rest}"))
        .collect()
}

/// ATT&CK tactics of tags, with dashes: `initial-access`.
#[must_use]
pub fn tactics(tags: &[String]) -> Vec<String> {
    tags.iter()
        .filter_map(|tag| tag.to_lowercase().strip_prefix("attack.").map(str::to_owned))
        .filter(|rest| {
            !rest.starts_with(['t', 'g', 's', 'c'])
                || !rest.chars().skip(1).all(|c| c.is_ascii_digit() || c == '.')
        })
        .map(|rest| rest.replace('_', "-"))
        .collect()
}
