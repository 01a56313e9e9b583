//! What others published about groups: ATT&CK as STIX, and MISP galaxies of threat actors.
//!
//! A name is a hypothesis with an owner and a date. Names of different owners are kept apart:
//! aliases are shown with the group and never merged transitively, because vendors' clusters
//! overlap without being equal.

mod galaxy;
mod stix;

use std::collections::{BTreeMap, BTreeSet};

use makyo_base::{Value, parse_json};

use crate::attribute::Sort;
use crate::incident::{Incident, Source};
use crate::read::Unread;

/// A group, as its owner describes it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Group {
    /// `G0134`, or the owner's own id.
    pub id: String,
    /// The owner's name for it.
    pub name: String,
    /// Names that the owner lists as the same or overlapping.
    pub aliases: Vec<String>,
    /// Who says so.
    pub owner: String,
    /// When that was last changed.
    pub date: String,
}

/// A thing that a group is known to use or to want, and by which publications.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Use {
    /// The group's id.
    pub group: String,
    /// Kind and value, as items of incidents have them; software by the owner's id.
    pub feature: (String, String),
    /// Keys of the publications that say so.
    pub citations: BTreeSet<String>,
    /// When the owner wrote it down.
    pub created: String,
    /// The campaign through which it is known, if through one.
    pub campaign: Option<String>,
    /// The owner's sentence.
    pub text: String,
}

/// A software and the names that incidents may call it by.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Software {
    /// `malware` or `tool`.
    pub kind: String,
    /// Names in lower case.
    pub names: Vec<String>,
}

/// A feature of an incident in the knowledge's terms.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Told {
    /// Kind and value.
    pub key: (String, String),
    /// What it shares with others that are the same witness.
    pub root: String,
    /// Who says so.
    pub source: Source,
}

/// All that was given.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Knowledge {
    /// By id.
    pub groups: BTreeMap<String, Group>,
    /// Sorted.
    pub uses: Vec<Use>,
    /// What software is known to do, with the software's id in place of the group's. Sorted.
    pub software_uses: Vec<Use>,
    /// By the owner's id.
    pub software: BTreeMap<String, Software>,
    /// Techniques whose number changed: from the old to the new.
    pub renumbered: BTreeMap<String, String>,
    /// When publications appeared, where the owner says.
    pub published: BTreeMap<String, String>,
    /// `ATT&CK 18.1`, and so on.
    pub versions: Vec<String>,
    /// What could not be read.
    pub unread: Vec<Unread>,
}

impl Knowledge {
    /// Adds a file of knowledge.
    pub fn read(&mut self, file: &str, text: &str) {
        match parse_json(text.trim_start_matches('\u{feff}')) {
            Ok(Value::Object(root)) if root.contains("objects") => stix::read(self, file, &root),
            Ok(Value::Object(root)) if root.contains("values") => galaxy::read(self, file, &root),
            Ok(_) => self.unread(file, "is neither a STIX bundle nor a MISP galaxy"),
            Err(reason) => self.unread(file, &format!("is no JSON: {reason}")),
        }
        self.uses.sort();
        self.uses.dedup();
        self.software_uses.sort();
        self.software_uses.dedup();
    }

    /// Brings all techniques to the newest number that is known, by this knowledge's own notes of
    /// what was renumbered and by others. To be called when all files are read.
    pub fn renumber(&mut self, more: &BTreeMap<String, String>) {
        for (old, new) in more {
            self.renumbered.entry(old.clone()).or_insert_with(|| new.clone());
        }
        let mut uses = std::mem::take(&mut self.uses);
        let mut software_uses = std::mem::take(&mut self.software_uses);
        for one in uses.iter_mut().chain(&mut software_uses) {
            if one.feature.0 == "technique" {
                one.feature.1 = self.current(&one.feature.1).to_owned();
            }
        }
        self.join_by_name(&mut uses);
        uses.sort();
        software_uses.sort();
        self.uses = uses;
        self.software_uses = software_uses;
    }

    /// What one owner says about targets goes to the group that another owner knows by the very same
    /// name and that is known for more than targets. One step, own names only: aliases are not
    /// followed, because they would chain groups together that nobody holds for one.
    fn join_by_name(&self, uses: &mut [Use]) {
        let known: BTreeSet<String> = known_groups(uses).into_iter().map(str::to_owned).collect();
        let mut by_name: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
        for group in self.groups.values().filter(|group| known.contains(&group.id)) {
            by_name.entry(group.name.to_lowercase()).or_default().insert(&group.id);
        }
        for one in uses.iter_mut().filter(|one| !known.contains(&one.group)) {
            let Some(group) = self.groups.get(&one.group) else { continue };
            let same = by_name.get(&group.name.to_lowercase()).filter(|ids| ids.len() == 1);
            if let Some(id) = same.and_then(|ids| ids.first()) {
                one.group = (*id).to_owned();
            }
        }
    }

    fn unread(&mut self, file: &str, reason: &str) {
        self.unread.push(Unread { file: file.to_owned(), reason: reason.to_owned() });
    }

    /// The number that the newest version that was given has for a technique. Numbers are followed
    /// through several versions, and no further than there are any.
    #[must_use]
    pub fn current<'a>(&'a self, technique: &'a str) -> &'a str {
        let mut at = technique;
        for _ in 0..8 {
            match self.renumbered.get(at) {
                Some(next) if next != at => at = next,
                _ => break,
            }
        }
        at
    }

    /// The features of an incident in the knowledge's terms: techniques by their current number,
    /// software by the owner's id where a name is known.
    #[must_use]
    pub fn features(&self, incident: &Incident) -> Vec<Told> {
        let mut names: BTreeMap<&str, &str> = BTreeMap::new();
        for (id, software) in &self.software {
            for name in &software.names {
                names.entry(name).or_insert(id);
            }
        }
        let mut found: Vec<Told> = incident
            .items
            .iter()
            .map(|item| {
                let (kind, value) = match item.kind.as_str() {
                    "technique" => ("technique".into(), self.current(&item.value).to_owned()),
                    "family" | "tool" => {
                        let id = names.get(item.value.as_str()).copied();
                        let kind = id
                            .and_then(|id| self.software.get(id))
                            .map_or(item.kind.as_str(), |software| software.evidence_kind());
                        (kind.to_owned(), id.unwrap_or(&item.value).to_owned())
                    }
                    _ => (item.kind.clone(), item.value.clone()),
                };
                // A software and a technique are each one witness; what shares a root is one.
                let root = if item.root.is_empty() {
                    format!("{kind} {value}")
                } else {
                    item.root.clone()
                };
                Told { key: (kind, value), root, source: item.source.clone() }
            })
            .collect();
        found.sort();
        found.dedup_by(|later, first| later.key == first.key);
        found
    }
}

/// Groups of which more is known than whom they target: the others are names and no hypotheses.
#[must_use]
pub fn known_groups(uses: &[Use]) -> BTreeSet<&str> {
    let more = uses.iter().filter(|one| Sort::of(&one.feature.0) != Sort::Target);
    more.map(|one| one.group.as_str()).collect()
}

impl Software {
    /// What finding it is evidence of: malware is compiled by somebody, a tool can be had by all.
    #[must_use]
    pub fn evidence_kind(&self) -> &'static str {
        if self.kind == "tool" { "tool" } else { "family" }
    }
}

/// One key for one publication: the address without scheme, `www` and the web archive's prefix, in
/// lower case; else the owner's name for it.
#[must_use]
pub fn citation_key(url: &str, name: &str) -> String {
    let lower = url.trim().to_lowercase();
    let mut rest = lower.as_str();
    if let Some((_, archived)) = rest.split_once("web.archive.org/web/") {
        rest = archived.split_once('/').map_or(archived, |(_, original)| original);
    }
    for prefix in ["https://", "http://"] {
        rest = rest.strip_prefix(prefix).unwrap_or(rest);
    }
    rest = rest.strip_prefix("www.").unwrap_or(rest);
    let key = rest.trim_end_matches('/');
    if key.is_empty() { name.trim().to_lowercase() } else { key.to_owned() }
}
