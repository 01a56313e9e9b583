//! MISP galaxies of threat actors: names, synonyms, and whom they are said to target.

use makyo_base::{Object, Value};

use super::{Group, Knowledge, Use, citation_key};
use crate::read::{list, text};

pub(super) fn read(to: &mut Knowledge, file: &str, root: &Object<'_>) {
    let owner = text(root, "name").unwrap_or(file);
    let version = root.get("version").and_then(Value::as_text).unwrap_or_default();
    to.versions.push(format!("MISP galaxy {owner} {version}"));
    let kind = text(root, "type").unwrap_or_default();
    if !matches!(kind, "threat-actor" | "mitre-intrusion-set" | "microsoft-activity-group") {
        return to.unread(file, "galaxy names no actors");
    }
    for value in list(root, "values") {
        let Value::Object(value) = value else {
            to.unread(file, "galaxy holds something that is no object");
            continue;
        };
        let Some(name) = text(value, "value") else {
            to.unread(file, "cluster has no `value`");
            continue;
        };
        cluster(to, owner, &version, name, value);
    }
}

fn cluster(to: &mut Knowledge, owner: &str, version: &str, name: &str, value: &Object<'_>) {
    let empty = Object::default();
    let meta = value.get("meta").and_then(Value::as_object).unwrap_or(&empty);
    let strings = |field: &str| list(meta, field).iter().filter_map(Value::as_str);
    // `APT1 - G0006`: the same entry of ATT&CK, which is not another group.
    let own = text(meta, "external_id").map(str::to_owned);
    let id = own.unwrap_or_else(|| format!("{owner}: {name}"));
    let mut aliases: Vec<String> = strings("synonyms").map(str::to_owned).collect();
    aliases.sort();
    let short = name.rsplit_once(" - ").map_or(name, |(short, _)| short);
    to.groups.entry(id.clone()).or_insert_with(|| Group {
        id: id.clone(),
        name: short.to_owned(),
        aliases,
        owner: format!("MISP galaxy {owner}"),
        date: format!("version {version}"),
    });
    let citations = strings("refs").map(|url| citation_key(url, url)).collect();
    let wanted = strings("cfr-suspected-victims")
        .map(|one| ("country", one))
        .chain(strings("cfr-target-category").map(|one| ("sector", one)))
        .chain(strings("targeted-sector").map(|one| ("sector", one)));
    for (kind, what) in wanted {
        to.uses.push(Use {
            group: id.clone(),
            feature: (kind.to_owned(), what.to_lowercase()),
            citations: std::collections::BTreeSet::clone(&citations),
            created: String::new(),
            campaign: None,
            text: String::new(),
        });
    }
}
