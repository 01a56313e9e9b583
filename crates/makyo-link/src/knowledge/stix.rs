//! ATT&CK and other knowledge as a STIX bundle.

use std::collections::{BTreeMap, BTreeSet};

use makyo_base::{Object, Value};

use super::{Group, Knowledge, Software, Use, citation_key};
use crate::read::{list, text};

struct Reader<'a> {
    file: &'a str,
    objects: BTreeMap<&'a str, &'a Object<'a>>,
    /// Campaigns and the groups to which their owner attributes them.
    operators: BTreeMap<&'a str, BTreeSet<&'a str>>,
}

pub(super) fn read(to: &mut Knowledge, file: &str, root: &Object<'_>) {
    let mut objects: BTreeMap<&str, &Object<'_>> = BTreeMap::new();
    let mut relations: Vec<&Object<'_>> = Vec::new();
    for value in list(root, "objects") {
        let Value::Object(object) = value else {
            to.unread(file, "holds something that is no object");
            continue;
        };
        match (text(object, "id"), text(object, "type")) {
            (Some(_), Some("relationship")) => relations.push(object),
            (Some(id), Some(_)) => {
                objects.insert(id, object);
            }
            _ => to.unread(file, "object has no `id` or no `type`"),
        }
    }
    relations.sort_by_key(|relation| text(relation, "id"));
    let mut reader = Reader { file, objects, operators: BTreeMap::new() };
    let named = to.versions.len();
    reader.objects_into(to);
    if to.versions.len() == named {
        to.versions.push(reader.version());
    }
    for relation in relations.iter().filter(|one| is_live(one)) {
        let (Some(from), Some(at)) = (text(relation, "source_ref"), text(relation, "target_ref"))
        else {
            continue;
        };
        match text(relation, "relationship_type") {
            Some("attributed-to") => {
                reader.operators.entry(from).or_default().insert(at);
            }
            Some("revoked-by") => {
                if let (Some(old), Some(new)) = (reader.number(from), reader.number(at)) {
                    to.renumbered.insert(old, new);
                }
            }
            _ => {}
        }
    }
    for relation in relations.iter().filter(|one| is_live(one)) {
        reader.relation_into(relation, to);
    }
}

fn is_live(object: &Object<'_>) -> bool {
    let is_true = |name: &str| matches!(object.get(name), Some(Value::Bool(true)));
    !is_true("revoked") && !is_true("x_mitre_deprecated")
}

impl<'a> Reader<'a> {
    fn objects_into(&self, to: &mut Knowledge) {
        for (id, object) in &self.objects {
            match text(object, "type") {
                Some("x-mitre-collection") => {
                    let version = text(object, "x_mitre_version").unwrap_or("?");
                    let name = text(object, "name").unwrap_or("ATT&CK");
                    to.versions.push(format!("{name} {version}"));
                }
                Some("intrusion-set") if is_live(object) => {
                    let group = self.group(id, object);
                    to.groups.insert(group.id.clone(), group);
                }
                Some(kind @ ("malware" | "tool")) if is_live(object) => {
                    let own = external(object).unwrap_or_else(|| (*id).to_owned());
                    let mut names: Vec<String> = ["aliases", "x_mitre_aliases"]
                        .iter()
                        .flat_map(|name| list(object, name))
                        .filter_map(Value::as_str)
                        .chain(text(object, "name"))
                        .map(str::to_lowercase)
                        .collect();
                    names.push(own.to_lowercase());
                    names.sort();
                    names.dedup();
                    to.software.insert(own, Software { kind: kind.to_owned(), names });
                }
                _ => {}
            }
        }
    }

    /// What to call a bundle that does not name itself: its file, and how old its newest group is.
    fn version(&self) -> String {
        let groups = self.objects.values().filter(|one| text(one, "type") == Some("intrusion-set"));
        let newest = groups.clone().filter_map(|one| text(one, "modified")).max();
        let file = self.file.rsplit(['/', '\\']).next().unwrap_or(self.file);
        format!(
            "{file}, {} groups, last changed {}",
            groups.count(),
            newest.map_or_else(|| "at an unknown time".to_owned(), day)
        )
    }

    fn group(&self, id: &str, object: &Object<'_>) -> Group {
        let maker = text(object, "created_by_ref").and_then(|id| self.objects.get(id));
        let is_attack = external(object).is_some();
        let name = text(object, "name").unwrap_or(id).to_owned();
        let mut aliases: Vec<String> = list(object, "aliases")
            .iter()
            .filter_map(Value::as_str)
            .filter(|alias| *alias != name)
            .map(str::to_owned)
            .collect();
        aliases.sort();
        let owner = maker.and_then(|maker| text(maker, "name")).map(str::to_owned);
        Group {
            id: external(object).unwrap_or_else(|| id.to_owned()),
            name,
            aliases,
            owner: owner.unwrap_or_else(|| {
                if is_attack { "MITRE ATT&CK".to_owned() } else { self.file.to_owned() }
            }),
            date: text(object, "modified").map(day).unwrap_or_default(),
        }
    }

    fn number(&self, id: &str) -> Option<String> {
        let object = self.objects.get(id)?;
        (text(object, "type") == Some("attack-pattern")).then(|| external(object)).flatten()
    }

    fn relation_into(&self, relation: &Object<'_>, to: &mut Knowledge) {
        let (Some(from), Some(at)) = (text(relation, "source_ref"), text(relation, "target_ref"))
        else {
            return to.unread(self.file, "relation without both ends");
        };
        let kind = text(relation, "relationship_type").unwrap_or_default();
        let citations = self.citations(relation, to);
        let (from, at) = if kind == "indicates" { (at, from) } else { (from, at) };
        if !matches!(kind, "uses" | "targets" | "indicates") {
            return;
        }
        let Some(source) = self.objects.get(from).filter(|source| is_live(source)) else { return };
        let (groups, campaign): (Vec<&str>, Option<String>) = match text(source, "type") {
            Some("intrusion-set") => (vec![from], None),
            Some("campaign") => (
                self.operators.get(from).into_iter().flatten().copied().collect(),
                external(source).or_else(|| Some(from.to_owned())),
            ),
            Some("malware" | "tool") => (vec![from], None),
            _ => return,
        };
        let is_software = matches!(text(source, "type"), Some("malware" | "tool"));
        let Some(target) = self.objects.get(at).filter(|target| is_live(target)) else { return };
        for feature in features(target) {
            for group in &groups {
                let Some(object) = self.objects.get(group).filter(|group| is_live(group)) else {
                    continue;
                };
                let list = if is_software { &mut to.software_uses } else { &mut to.uses };
                list.push(Use {
                    group: external(object).unwrap_or_else(|| (*group).to_owned()),
                    feature: feature.clone(),
                    citations: citations.clone(),
                    created: text(relation, "created").map(day).unwrap_or_default(),
                    campaign: campaign.clone(),
                    text: text(relation, "description").unwrap_or_default().to_owned(),
                });
            }
        }
    }

    fn citations(&self, relation: &Object<'_>, to: &mut Knowledge) -> BTreeSet<String> {
        let mut keys = BTreeSet::new();
        for reference in list(relation, "external_references").iter().filter_map(Value::as_object) {
            let name = text(reference, "source_name").unwrap_or_default();
            let key = citation_key(text(reference, "url").unwrap_or_default(), name);
            if let Some(date) = text(reference, "description").and_then(published) {
                to.published.insert(key.clone(), date);
            }
            keys.insert(key);
        }
        keys
    }
}

/// What a group uses, as items of incidents have it.
fn features(target: &Object<'_>) -> Vec<(String, String)> {
    let own = external(target);
    let name = text(target, "name").map(str::to_lowercase);
    let one = |kind: &str, value: Option<String>| {
        value.map(|value| (kind.to_owned(), value)).into_iter().collect::<Vec<_>>()
    };
    match text(target, "type") {
        Some("attack-pattern") => one("technique", own),
        Some("malware") => one("family", own.or(name)),
        Some("tool") => one("tool", own.or(name)),
        Some("vulnerability") => one("flaw", name.map(|name| name.to_uppercase())),
        Some("location") => one("country", text(target, "country").map(str::to_lowercase)),
        Some("identity") => list(target, "sectors")
            .iter()
            .filter_map(Value::as_str)
            .map(|sector| ("sector".to_owned(), sector.to_lowercase()))
            .collect(),
        Some("indicator") => {
            text(target, "pattern").map(crate::read::pattern_items).unwrap_or_default()
        }
        _ => Vec::new(),
    }
}

/// The id that the owner gives it, such as `G0134`, `S0115` or `T1059.001`.
fn external(object: &Object<'_>) -> Option<String> {
    list(object, "external_references")
        .iter()
        .filter_map(Value::as_object)
        .filter(|one| {
            text(one, "source_name").is_some_and(|name| {
                matches!(name, "mitre-attack" | "mitre-mobile-attack" | "mitre-ics-attack")
            })
        })
        .find_map(|one| text(one, "external_id"))
        .map(str::to_owned)
}

fn day(time: &str) -> String {
    time.chars().take(10).collect()
}

/// `(2015, March 30)` in the description of a publication.
fn published(description: &str) -> Option<String> {
    const MONTHS: [&str; 12] = [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ];
    for part in description.split('(').skip(1) {
        let inner = part.split(')').next().unwrap_or_default();
        let mut words = inner.split([',', ' ', '.']).filter(|word| !word.is_empty());
        let year = words.next().filter(|year| year.len() == 4 && year.parse::<u16>().is_ok());
        let Some(year) = year else { continue };
        let month = words.next().unwrap_or_default().to_lowercase();
        let month = MONTHS
            .iter()
            .position(|name| month.len() >= 3 && name.starts_with(month.as_str()))
            .map_or(1, |at| at + 1);
        let day = words.next().and_then(|day| day.parse::<u8>().ok()).unwrap_or(1);
        return Some(format!("{year}-{month:02}-{day:02}"));
    }
    None
}
