//! The table of weights for posing: `posing` in `knowledge/weights.yml`.

use std::collections::BTreeMap;

use makyo_sigma::{Diagnostic, Node};

use super::weigh::{Evidence, Family};

/// An operation that leaves a way back in.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Change {
    /// How the operation's name begins, lower case.
    pub(crate) operation: String,
    pub(crate) weight_db: f64,
    /// What it is in words.
    pub(crate) says: String,
}

/// Weights of signs, caps of families, and what makes a verdict.
#[derive(Clone, PartialEq, Debug, Default)]
pub(crate) struct Scale {
    families: BTreeMap<Family, (f64, bool)>,
    signs: BTreeMap<String, (Family, f64)>,
    pub(crate) changes: Vec<Change>,
    /// Decibans against the prior at which a unit is confirmed, probable, and left out of habits.
    pub(crate) confirmed: f64,
    pub(crate) probable: f64,
    pub(crate) suspected: f64,
    /// Decibans that suffice where three families are witnesses.
    pub(crate) three: f64,
    /// Decibans that suffice where the source is one of a confirmed unit.
    pub(crate) tied: f64,
    /// Decibans that suffice from inside while an intruder's tunnel is up into which hardly
    /// anybody's sign-ins fall by accident.
    pub(crate) tied_inside: f64,
    /// From inside, the part of units like one that may be there by accident: at most, if it is to
    /// be confirmed, and if it is to be suspected.
    pub(crate) accidents: f64,
    pub(crate) accidents_suspected: f64,
    /// The same where the tunnel's own connection to the cloud is seen: how probable it may be that
    /// it was another's, or no sign-in's.
    /// `claimed_probable` for a unit that is probable by its weight besides.
    pub(crate) claimed: f64,
    pub(crate) claimed_probable: f64,
    pub(crate) claimed_suspected: f64,
    /// Decibans that a family needs to count as a witness of its own.
    pub(crate) witness: f64,
}

impl Scale {
    /// Reads the section.
    pub(crate) fn load(section: Option<&Node>, line: usize) -> Result<Self, Diagnostic> {
        let missing = |name: &str| {
            Diagnostic::at(line, format!("weight is missing or no number: `posing.{name}`"))
        };
        let section = section.ok_or_else(|| missing("families"))?;
        let number = |node: Option<&Node>, name: &str| {
            let text = node.and_then(Node::text);
            text.and_then(|text| text.parse::<f64>().ok()).ok_or_else(|| missing(name))
        };
        let mut scale = Scale::default();
        for family in Family::ALL {
            let node = section.get("families").and_then(|families| families.get(family.word()));
            let most = number(node.and_then(|node| node.get("most")), family.word())?;
            let convicts = node.and_then(|node| node.get("convicts")).and_then(Node::text);
            scale.families.insert(*family, (most, convicts == Some("true")));
        }
        for (name, node) in section.get("signs").map(Node::entries).unwrap_or_default() {
            let name = name.text().unwrap_or_default();
            let family = node.get("family").and_then(Node::text);
            let family = Family::ALL.iter().find(|one| Some(one.word()) == family);
            let family = *family.ok_or_else(|| missing(name))?;
            let weight = number(node.get("weight"), name)?;
            scale.signs.insert(name.to_owned(), (family, weight));
        }
        for node in section.get("changes").map(Node::items).unwrap_or_default() {
            let text = |name| node.get(name).and_then(Node::text).unwrap_or_default();
            scale.changes.push(Change {
                operation: text("operation").to_lowercase(),
                weight_db: number(node.get("weight"), text("operation"))?,
                says: text("says").to_owned(),
            });
        }
        let verdict = |name| number(section.get("verdict").and_then(|node| node.get(name)), name);
        scale.confirmed = verdict("confirmed")?;
        scale.probable = verdict("probable")?;
        scale.suspected = verdict("suspected")?;
        scale.three = verdict("three")?;
        scale.tied = verdict("tied")?;
        scale.tied_inside = verdict("tied_inside")?;
        scale.accidents = verdict("accidents")?;
        scale.accidents_suspected = verdict("accidents_suspected")?;
        scale.claimed = verdict("claimed")?;
        scale.claimed_probable = verdict("claimed_probable")?;
        scale.claimed_suspected = verdict("claimed_suspected")?;
        scale.witness = verdict("witness")?;
        Ok(scale)
    }

    /// Decibans of a family at most.
    pub(crate) fn most(&self, family: Family) -> f64 {
        self.families.get(&family).map_or(0.0, |one| one.0)
    }

    /// Whether a family can convict: the others are found with honest people too.
    pub(crate) fn convicts(&self, family: Family) -> bool {
        self.families.get(&family).is_some_and(|one| one.1)
    }

    /// A sign with its full weight.
    pub(super) fn sign(&self, sign: &'static str, text: impl Into<String>) -> Evidence {
        self.graded(sign, f64::INFINITY, text)
    }

    /// A sign as strong as it was measured, up to its weight.
    pub(super) fn graded(
        &self,
        sign: &'static str,
        measured_db: f64,
        text: impl Into<String>,
    ) -> Evidence {
        let known = self.signs.get(sign).copied();
        debug_assert!(known.is_some(), "no weight for {sign}");
        let (family, weight) = known.unwrap_or((Family::Origin, 0.0));
        Evidence {
            sign,
            family,
            weight_db: measured_db.min(weight),
            text: text.into(),
            record: None,
        }
    }

    /// A sign that speaks for the owner, as strong as it was measured, down to its weight.
    pub(super) fn graded_against(
        &self,
        sign: &'static str,
        measured_db: f64,
        text: impl Into<String>,
    ) -> Evidence {
        let full = self.sign(sign, text);
        Evidence { weight_db: measured_db.max(full.weight_db), ..full }
    }

    /// A change that leaves a way back in.
    pub(super) fn change(&self, change: &Change, what: &str) -> Evidence {
        let text = format!("{} ({what})", change.says);
        Evidence {
            sign: "change",
            family: Family::Persistence,
            weight_db: change.weight_db,
            text,
            record: None,
        }
    }
}
