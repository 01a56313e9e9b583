//! Values that an organisation sets for `%name%` in rules.

use std::collections::BTreeMap;

use crate::diagnostic::Diagnostic;
use crate::yaml::load_yaml;

/// One value with placeholders may become so many; a product of long lists would fill the memory.
const EXPANSIONS_MAX: usize = 10_000;

/// The values of placeholders (Sigma Modifiers Appendix, `expand`; Sigma Rules Specification,
/// Placeholders).
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Placeholders(BTreeMap<String, Vec<String>>);

/// A piece of a value.
enum Part<'a> {
    Text(&'a str),
    Name(&'a str),
}

impl Placeholders {
    /// Reads `placeholders: {NAME: [VALUES]}`.
    ///
    /// # Errors
    /// Every mistake, with its line.
    pub fn load(file: &str, text: &str) -> Result<Self, Vec<Diagnostic>> {
        let wrong =
            |line, message: &str| vec![Diagnostic::at(line, message.to_owned()).in_file(file)];
        let documents = load_yaml(text).map_err(|problem| vec![problem.in_file(file)])?;
        let [document] = documents.as_slice() else {
            return Err(wrong(1, "file must hold one document with the key `placeholders`"));
        };
        let names = document
            .get("placeholders")
            .filter(|names| names.is_map())
            .ok_or_else(|| wrong(document.line, "file has no mapping `placeholders`"))?;
        let mut problems = document.unknown_keys(&["placeholders"]);
        let mut found = BTreeMap::new();
        for (key, node) in names.entries() {
            let name = key.text().unwrap_or_default();
            if name.is_empty() || !name.chars().all(is_name_letter) {
                let message = format!("name of a placeholder has other than letters: `{name}`");
                problems.push(Diagnostic::at(key.line, message));
            }
            let items = if node.is_null() { Vec::new() } else { node.items() };
            let values: Option<Vec<String>> =
                items.iter().map(|item| item.text().map(str::to_owned)).collect();
            match values.filter(|values| !values.is_empty()) {
                Some(values) => {
                    found.insert(name.to_owned(), values);
                }
                None => problems
                    .push(Diagnostic::at(key.line, format!("placeholder has no values: `{name}`"))),
            }
        }
        if problems.is_empty() {
            Ok(Placeholders(found))
        } else {
            Err(problems.into_iter().map(|problem| problem.in_file(file)).collect())
        }
    }

    /// All texts that a value stands for. `write` says how a placeholder's value is written in it.
    pub(crate) fn expand(
        &self,
        text: &str,
        write: impl Fn(&str) -> String,
    ) -> Result<Vec<String>, String> {
        let mut expanded = vec![String::new()];
        for part in parts(text) {
            let values: Vec<String> = match part {
                Part::Text(text) => vec![text.to_owned()],
                Part::Name(name) => self
                    .0
                    .get(name)
                    .ok_or_else(|| format!("placeholder has no values: `{name}`"))?
                    .iter()
                    .map(|value| write(value))
                    .collect(),
            };
            if expanded.len().saturating_mul(values.len()) > EXPANSIONS_MAX {
                return Err(format!("value becomes more than {EXPANSIONS_MAX} values: `{text}`"));
            }
            expanded = expanded
                .iter()
                .flat_map(|start| values.iter().map(move |value| format!("{start}{value}")))
                .collect();
        }
        Ok(expanded)
    }
}

fn is_name_letter(letter: char) -> bool {
    letter.is_alphanumeric() || matches!(letter, '_' | '-' | '.')
}

/// Splits a value at its `%name%`; a percent sign that begins none stands for itself.
fn parts(text: &str) -> Vec<Part<'_>> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('%') {
        let Some((name, tail)) = after
            .split_once('%')
            .filter(|(name, _)| !name.is_empty() && name.chars().all(is_name_letter))
        else {
            let length = rest.len() - after.len();
            found.extend(rest.get(..length).map(Part::Text));
            rest = after;
            continue;
        };
        found.push(Part::Text(before));
        found.push(Part::Name(name));
        rest = tail;
    }
    found.push(Part::Text(rest));
    found
}
