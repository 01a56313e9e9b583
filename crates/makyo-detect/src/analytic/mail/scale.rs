//! The weights of mail: `mail` in `knowledge/weights.yml`.

use std::collections::BTreeMap;

use makyo_sigma::{Diagnostic, Node};

/// A fact's weight, and the sentence for it.
#[derive(Clone, PartialEq, Debug, Default)]
pub(crate) struct FactWeight {
    /// Decibans.
    pub(crate) weight: f64,
    says: String,
}

impl FactWeight {
    /// The sentence, with what exactly was seen.
    pub(crate) fn says(&self, detail: &str) -> String {
        self.says.replace("{}", detail).trim_end().to_owned()
    }
}

/// All weights of mail.
#[derive(Clone, PartialEq, Debug, Default)]
pub(crate) struct MailScale {
    most: BTreeMap<String, f64>,
    verdict: BTreeMap<String, f64>,
    facts: BTreeMap<String, FactWeight>,
    items: BTreeMap<String, f64>,
    mass: BTreeMap<String, f64>,
}

impl MailScale {
    /// Reads the section.
    ///
    /// # Errors
    /// The first mistake.
    pub(crate) fn load(node: Option<&Node>, line: usize) -> Result<Self, Diagnostic> {
        let node = node.ok_or_else(|| Diagnostic::at(line, "weight is missing: `mail`"))?;
        let numbers = |name: &str| -> Result<BTreeMap<String, f64>, Diagnostic> {
            let entries = node.get(name).map(Node::entries).unwrap_or_default();
            entries
                .iter()
                .map(|(key, value)| {
                    let key = key.text().unwrap_or_default().to_owned();
                    let number = value.text().and_then(|text| text.parse().ok());
                    let problem = || Diagnostic::at(value.line, format!("no number: `{key}`"));
                    number.ok_or_else(problem).map(|number| (key.clone(), number))
                })
                .collect()
        };
        let mut facts = BTreeMap::new();
        for (key, value) in node.get("facts").map(Node::entries).unwrap_or_default() {
            let weight = value.get_text("weight").and_then(|text| text.parse().ok());
            let weight = weight.ok_or_else(|| Diagnostic::at(value.line, "weight is no number"))?;
            let says = value.get_text("says").unwrap_or_default().to_owned();
            facts.insert(key.text().unwrap_or_default().to_owned(), FactWeight { weight, says });
        }
        Ok(MailScale {
            most: numbers("most")?,
            verdict: numbers("verdict")?,
            items: numbers("items")?,
            mass: numbers("mass")?,
            facts,
        })
    }

    /// The most that a family counts.
    pub(crate) fn most(&self, family: &str) -> f64 {
        self.most.get(family).copied().unwrap_or(f64::MAX)
    }

    /// A bound of the verdict.
    pub(crate) fn bound(&self, name: &str) -> f64 {
        let found = self.verdict.get(name).copied();
        debug_assert!(found.is_some(), "no bound for {name}");
        found.unwrap_or(f64::MAX)
    }

    /// The weight of an item.
    pub(crate) fn item(&self, name: &str) -> f64 {
        let found = self.items.get(name).copied();
        debug_assert!(found.is_some(), "no weight for {name}");
        found.unwrap_or_default()
    }

    /// The weight of a fact and its sentence; none for a fact that is not known.
    pub(crate) fn fact(&self, name: &str) -> Option<&FactWeight> {
        self.facts.get(name)
    }

    /// What the signs of mass mail weigh together.
    pub(crate) fn mass(&self, signs: &[String]) -> f64 {
        signs.iter().filter_map(|sign| self.mass.get(sign)).sum()
    }
}
