//! What is attached, opened to a tree, and as fields of the message's record.

use mail_parser::{Message, MimeHeaders as _};
use makyo_base::{DefectKind, Object, Position, Stop, Value};
use makyo_unpack::{Limits, Part, Tree, unpack};

use crate::format::RawSink;

/// Attachments and objects listed for one message.
const LISTED_MAX: usize = 500;

/// The attachments of one message.
pub(crate) struct Attached<'a> {
    parts: Vec<(String, String, &'a [u8])>,
    pub(crate) tree: Tree,
}

impl<'a> Attached<'a> {
    /// Opens them; passwords come from the message and its neighbours.
    pub(crate) fn open(
        number: u64,
        message: &'a Message<'_>,
        passwords: &dyn Fn() -> Vec<String>,
        out: &mut dyn RawSink,
    ) -> Self {
        let mut parts: Vec<(String, String, &[u8])> = Vec::new();
        for part in message.attachments() {
            if parts.len() >= LISTED_MAX {
                let detail = format!(
                    "message has more than {LISTED_MAX} attachments; the rest is not looked at"
                );
                out.defect(Position::Record(number), DefectKind::Limit, detail);
                break;
            }
            let name = part.attachment_name().unwrap_or("(unnamed)").to_owned();
            let declared = part.content_type().map_or(String::new(), |kind| {
                format!("{}/{}", kind.ctype(), kind.subtype().unwrap_or_default())
            });
            // A message inside is opened as one, whatever its text looks like.
            parts.push((name, declared, part.contents()));
        }
        let views: Vec<Part<'_>> =
            parts.iter().map(|(name, declared, bytes)| Part { name, declared, bytes }).collect();
        let plain = unpack(&views, &[], &Limits::default());
        let is_locked = plain
            .objects
            .iter()
            .any(|object| object.facts.iter().any(|fact| fact.id == "encrypted"));
        let passwords = if is_locked { passwords() } else { Vec::new() };
        let tree = if passwords.is_empty() {
            plain
        } else {
            unpack(&views, &passwords, &Limits::default())
        };
        Attached { parts, tree }
    }

    /// Says of each object that was not opened to its end that it was not.
    pub(crate) fn defects(&self, number: u64, out: &mut dyn RawSink) {
        for object in &self.tree.objects {
            // What is closed with its container is said of the container.
            let is_within = object.sha256.is_empty() && object.parent.is_some();
            if let Some(reason) = object.unread.as_ref().filter(|_| !is_within) {
                let kind = if reason.contains("more than")
                    || reason.contains("deeper")
                    || reason.contains("larger")
                {
                    DefectKind::Limit
                } else {
                    DefectKind::Malformed
                };
                let detail =
                    format!("attachment `{}` is not opened to its end: {reason}", object.path);
                out.defect(Position::Record(number), kind, detail);
            }
        }
    }

    /// Attachments as parallel lists, which is how rules see them (any element may match), and the
    /// objects as a list of their own where there is more to say.
    pub(crate) fn put(&self, record: &mut Object<'_>) {
        let objects = &self.tree.objects;
        if objects.is_empty() {
            return;
        }
        let roots = || objects.iter().filter(|object| object.parent.is_none()).take(LISTED_MAX);
        let text = |text: &str| Value::text(text.to_owned());
        let has =
            |object: &makyo_unpack::Object, id: &str| object.facts.iter().any(|fact| fact.id == id);
        record.push("attachment.name", Value::List(roots().map(|one| text(&one.name)).collect()));
        record.push(
            "attachment.kind",
            Value::List(roots().map(|one| text(one.kind.word())).collect()),
        );
        record
            .push("attachment.sha256", Value::List(roots().map(|one| text(&one.sha256)).collect()));
        let sizes = roots().map(|one| Value::Int(one.size_bytes.into())).collect();
        record.push("attachment.size", Value::List(sizes));
        let locked = roots().map(|one| Value::Bool(has(one, "encrypted"))).collect();
        record.push("attachment.encrypted", Value::List(locked));
        let inner = objects.iter().filter(|object| object.parent.is_some()).take(LISTED_MAX);
        record.push("attachment.member", Value::List(inner.map(|one| text(&one.name)).collect()));
        let facts = self.fact_ids();
        if !facts.is_empty() {
            record.push("attachment.fact", Value::List(facts.iter().map(|id| text(id)).collect()));
        }
        if objects
            .iter()
            .any(|one| one.parent.is_some() || !one.facts.is_empty() || one.unread.is_some())
        {
            let listed = objects.iter().take(LISTED_MAX).map(|one| Value::Object(described(one)));
            record.push("objects", Value::List(listed.collect()));
        }
    }

    pub(crate) fn fact_ids(&self) -> Vec<&'static str> {
        let mut ids: Vec<&'static str> =
            self.tree.objects.iter().flat_map(|one| &one.facts).map(|fact| fact.id).collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    /// Hands on the bytes, parents before what lies inside them.
    pub(crate) fn contents(&self, number: u64, out: &mut dyn RawSink) -> Result<(), Stop> {
        for (index, object) in self.tree.objects.iter().enumerate() {
            let bytes = match self.parts.get(index) {
                Some(part) if object.parent.is_none() => part.2,
                _ => object.bytes.as_slice(),
            };
            let is_whole = object.size_bytes as usize == bytes.len() && !object.sha256.is_empty();
            if is_whole && bytes.len() <= Limits::default().object_bytes_max {
                out.content(number, &object.path, bytes)?;
            }
        }
        Ok(())
    }
}

fn described(object: &makyo_unpack::Object) -> Object<'static> {
    let mut out = Object::default();
    let text = |text: &str| Value::text(text.to_owned());
    out.push("name", text(&object.path));
    out.push("kind", text(object.kind.word()));
    out.push("sha256", text(&object.sha256));
    out.push("size", Value::Int(object.size_bytes.into()));
    if let Some(parent) = object.parent {
        out.push("parent", Value::Int(parent as i128));
    }
    if !object.facts.is_empty() {
        let facts = object.facts.iter().map(|fact| {
            let mut pair = Object::default();
            pair.push("fact", text(fact.id));
            pair.push("detail", text(&fact.detail));
            Value::Object(pair)
        });
        out.push("facts", Value::List(facts.collect()));
    }
    if let Some(reason) = &object.unread {
        out.push("unread", text(reason));
    }
    if let Some(password) = &object.opened_with {
        out.push("opened_with", text(password));
    }
    if !object.links.is_empty() {
        out.push("links", Value::List(object.links.iter().map(|link| text(link)).collect()));
    }
    out
}
