//! Matches, and the findings that they are.

use makyo_base::{
    Artifact, Content, Entity, EntityKind, Finding, FindingSource, Holder, Position, RecordRef,
    Role, RuleRef, hex, sha256, short_id,
};

use crate::rules::RuleInfo;

/// A rule that fits the content.
#[derive(Clone, PartialEq, Debug)]
pub struct YaraMatch {
    /// The rule.
    pub rule: RuleInfo,
    /// Where its strings stand, the first places of each.
    pub strings: Vec<YaraString>,
}

/// One place of one string.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct YaraString {
    /// The string's name in the rule, `$a`.
    pub name: String,
    /// Where it begins.
    pub offset: u64,
    /// How many bytes it has.
    pub size: u64,
}

impl YaraMatch {
    /// The finding over an attachment. The weight is that of the rule's level.
    #[must_use]
    pub fn finding(&self, content: &Content<'_>, weight_db: f64) -> Finding {
        let record = match content.position {
            Position::Record(number) | Position::Byte(number) => number,
            Position::Whole => 0,
        };
        let holder = content.holder;
        let mut text = format!("{}: in attachment `{}`", self.rule.title, content.name);
        if !holder.sender.is_empty() {
            text = format!("{text} from {}", holder.sender);
        }
        if let Some(first) = holder.recipients.first() {
            text = format!("{text} to {first}");
            if holder.recipients.len() > 1 {
                text = format!("{text} and {} more", holder.recipients.len() - 1);
            }
        }
        let digest = hex(&sha256(content.bytes));
        self.build(content.artifact, record, holder, content.name, digest, weight_db, text)
    }

    /// The finding over an evidence file as a whole; the artifact's id is its hash.
    #[must_use]
    pub fn file_finding(&self, artifact: &Artifact, weight_db: f64) -> Finding {
        let text = format!("{}: in file `{}`", self.rule.title, artifact.path);
        let digest = artifact.id.to_string();
        self.build(artifact, 0, &Holder::default(), &artifact.path, digest, weight_db, text)
    }

    #[allow(clippy::too_many_arguments, reason = "the two kinds of findings differ in just these")]
    fn build(
        &self,
        artifact: &Artifact,
        record: u64,
        holder: &Holder,
        name: &str,
        digest: String,
        weight_db: f64,
        text: String,
    ) -> Finding {
        let mut entities = Vec::new();
        let mut add = |role, kind, value: &str| {
            if !value.is_empty() {
                entities.push(Entity { role, kind, value: value.to_owned() });
            }
        };
        add(Role::Object, EntityKind::File, name);
        add(Role::Object, EntityKind::Hash, &digest);
        add(Role::Object, EntityKind::Message, &holder.message_uid);
        add(Role::Origin, EntityKind::Account, &holder.sender);
        for recipient in &holder.recipients {
            add(Role::Target, EntityKind::Account, recipient);
        }
        entities.sort();
        entities.dedup();
        Finding {
            id: short_id("finding", &[&self.rule.id, &digest, &hex(&holder.identity)]),
            time: holder.time,
            source: FindingSource::Yara,
            rule: RuleRef {
                id: self.rule.id.clone(),
                title: self.rule.title.clone(),
                level: self.rule.level,
            },
            techniques: self.rule.techniques.clone(),
            tactics: Vec::new(),
            entities,
            weight_db,
            explained_by: None,
            records: vec![RecordRef { file: artifact.path.clone(), record }],
            text,
        }
    }
}
