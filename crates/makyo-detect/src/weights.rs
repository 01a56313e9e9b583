//! Weights of evidence: `knowledge/weights.yml`.

use std::collections::BTreeMap;

use makyo_base::{Finding, Level, Organisation, Role};
use makyo_sigma::{Diagnostic, Node, load_yaml};

use crate::analytic::edge::scale::EdgeScale;
use crate::analytic::mail::scale::MailScale;
use crate::analytic::posing::scale::Scale;
use crate::indicator::IndicatorKind;

/// Decibans by level, by analytic and by kind of indicator.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Weights {
    levels: BTreeMap<Level, f64>,
    analytics: BTreeMap<String, f64>,
    indicators: BTreeMap<String, f64>,
    /// The least total of an incident.
    pub incident_least: f64,
    /// The least weight of its strongest finding.
    pub incident_strong: f64,
    explained: f64,
    posing: Scale,
    mail: MailScale,
    edge: EdgeScale,
}

impl Weights {
    /// Reads the file.
    ///
    /// # Errors
    /// The first mistake.
    pub fn load(text: &str) -> Result<Self, Diagnostic> {
        let documents = load_yaml(text)?;
        let root = documents.first().ok_or_else(|| Diagnostic::at(1, "file is empty"))?;
        let number = |node: Option<&Node>, name: &str| {
            node.and_then(Node::text).and_then(|text| text.parse::<f64>().ok()).ok_or_else(|| {
                Diagnostic::at(root.line, format!("weight is missing or no number: `{name}`"))
            })
        };
        let mut weights = Weights::default();
        for level in Level::ALL {
            let node = root.get("levels").and_then(|levels| levels.get(level.word()));
            weights.levels.insert(level, number(node, level.word())?);
        }
        for (name, value) in root.get("analytics").map(Node::entries).unwrap_or_default() {
            let name = name.text().unwrap_or_default();
            weights.analytics.insert(name.to_owned(), number(Some(value), name)?);
        }
        let kinds = IndicatorKind::ALL.iter().map(|kind| kind.word());
        for name in kinds.chain(["undated", "shared", "unsure"]) {
            let node = root.get("indicator").and_then(|indicator| indicator.get(name));
            weights.indicators.insert(name.to_owned(), number(node, name)?);
        }
        let incident = |key| number(root.get("incident").and_then(|node| node.get(key)), key);
        weights.incident_least = incident("least")?;
        weights.incident_strong = incident("strong")?;
        weights.explained = number(root.get("explained"), "explained")?;
        weights.posing = Scale::load(root.get("posing"), root.line)?;
        weights.mail = MailScale::load(root.get("mail"), root.line)?;
        weights.edge = EdgeScale::load(root.get("edge"), root.line)?;
        Ok(weights)
    }

    /// The thresholds of the edge.
    pub(crate) fn edge(&self) -> &EdgeScale {
        &self.edge
    }

    /// The scale by which mail is weighed.
    pub(crate) fn mail(&self) -> &MailScale {
        &self.mail
    }

    /// What signs of mass mail weigh together.
    #[must_use]
    pub fn mass_of_mail(&self, signs: &[String]) -> f64 {
        self.mail.mass(signs)
    }

    /// The scale by which posing is weighed.
    pub(crate) fn posing(&self) -> &Scale {
        &self.posing
    }

    /// The weight of a rule's level.
    #[must_use]
    pub fn level(&self, level: Level) -> f64 {
        self.levels.get(&level).copied().unwrap_or_default()
    }

    /// The weight of an analytic.
    #[must_use]
    pub fn analytic(&self, name: &str) -> f64 {
        let found = self.analytics.get(name).copied();
        debug_assert!(found.is_some(), "no weight for {name}");
        found.unwrap_or_default()
    }

    /// The weight of a kind of indicator, or what `undated`, `shared` and `unsure` take off it.
    #[must_use]
    pub fn indicator(&self, name: &str) -> f64 {
        let found = self.indicators.get(name).copied();
        debug_assert!(found.is_some(), "no weight for {name}");
        found.unwrap_or_default()
    }

    /// The level whose weight comes nearest below.
    #[must_use]
    pub fn level_of(&self, weight_db: f64) -> Level {
        let below = Level::ALL.into_iter().rev().find(|level| self.level(*level) <= weight_db);
        below.unwrap_or(Level::Informational)
    }

    /// Names the change, third party or own scanner that explains a finding, and takes its share
    /// off the weight. Explained is not hidden: what remains still counts.
    pub fn explain(&self, finding: &mut Finding, organisation: &Organisation) {
        if let Some(by) = explanation(finding, organisation) {
            finding.weight_db = (finding.weight_db - self.explained).max(0.0);
            finding.explained_by = Some(by);
        }
    }
}

fn explanation(finding: &Finding, organisation: &Organisation) -> Option<String> {
    let time = finding.time?;
    // What an agreement does not cover is not explained by it.
    if finding.rule.id.starts_with("third_party_") {
        return None;
    }
    let names = |value: &str| {
        organisation.changes.iter().find(|change| {
            change.from <= time
                && time <= change.to
                && change.what.to_lowercase().contains(&value.to_lowercase())
        })
    };
    for entity in &finding.entities {
        if let Some(change) = names(&entity.value) {
            return Some(format!("change {}: {}", change.ticket, change.what));
        }
    }
    for party in &organisation.third_parties {
        let within =
            party.from.is_none_or(|from| from <= time) && party.to.is_none_or(|to| time <= to);
        // Their account from an address that is not theirs is not what was agreed.
        let is_elsewhere = !party.addresses.is_empty()
            && finding.entities.iter().filter(|entity| entity.role == Role::Origin).any(|entity| {
                entity.value.parse().is_ok_and(|address| {
                    !party.addresses.iter().any(|net| net.contains(&address))
                        && !organisation.network.is_internal(address)
                        && !organisation.network.is_egress(address)
                })
            });
        let is_theirs = !is_elsewhere
            && finding.entities.iter().any(|entity| {
                party.accounts.iter().any(|account| account.eq_ignore_ascii_case(&entity.value))
                    || entity.value.parse::<std::net::IpAddr>().is_ok_and(|address| {
                        party.addresses.iter().any(|net| net.contains(&address))
                    })
            });
        if within && is_theirs {
            return Some(format!("third party {}: {}", party.name, party.access));
        }
    }
    let is_scanner = finding.entities.iter().any(|entity| {
        entity.role == Role::Origin
            && entity.value.parse().is_ok_and(|address| organisation.network.is_scanner(address))
    });
    is_scanner.then(|| "own vulnerability scanner".to_owned())
}
