//! The tree of objects, and the budget under which it grows.

use std::panic::{AssertUnwindSafe, catch_unwind};

use makyo_base::{hex, sha256};

use crate::kind::{Kind, kind_of};
use crate::{archive, document, name};

/// How much of a message's attachments is opened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Containers within containers.
    pub depth_max: usize,
    /// Objects of one message.
    pub objects_max: usize,
    /// Bytes of one object.
    pub object_bytes_max: usize,
    /// Unpacked bytes of one message.
    pub total_bytes_max: usize,
    /// Unpacked bytes for each packed one, beyond the first MiB.
    pub ratio_max: usize,
    /// Passwords tried on one message's containers.
    pub tries_max: usize,
    /// Bytes looked at in all readers, an object as often as it is looked at.
    pub work_bytes_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            depth_max: 8,
            objects_max: 500,
            object_bytes_max: 64 << 20,
            total_bytes_max: 128 << 20,
            ratio_max: 200,
            tries_max: 512,
            work_bytes_max: 1 << 30,
        }
    }
}

/// One attachment as the message gives it.
#[derive(Clone, Copy, Debug)]
pub struct Part<'a> {
    /// Its name.
    pub name: &'a str,
    /// The media type that the message declares; empty where it declares none.
    pub declared: &'a str,
    /// Its bytes, decoded.
    pub bytes: &'a [u8],
}

/// Something that was seen in an object.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Fact {
    /// The word for it, as `knowledge/weights.yml` knows it.
    pub id: &'static str,
    /// What exactly; may be empty.
    pub detail: String,
}

/// An attachment, or what lies inside one.
#[derive(Clone, PartialEq, Debug)]
pub struct Object {
    /// Which object it lies in; none for the attachments themselves.
    pub parent: Option<usize>,
    /// Its own name.
    pub name: String,
    /// Its name behind those of the objects around it, divided by `!`.
    pub path: String,
    /// What it is, by its content.
    pub kind: Kind,
    /// SHA-256 in hexadecimal; empty if its bytes were not reached.
    pub sha256: String,
    /// Its size, or what a closed container claims.
    pub size_bytes: u64,
    /// What was seen in it, sorted.
    pub facts: Vec<Fact>,
    /// Why it could not be opened to its end; none if it could.
    pub unread: Option<String>,
    /// The password that opened it.
    pub opened_with: Option<String>,
    /// Links that it leads to.
    pub links: Vec<String>,
    /// The bytes of what lies inside; the caller has those of the attachments.
    pub bytes: Vec<u8>,
}

/// The objects of one message: parents before their children.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Tree {
    /// The objects; the attachments stand first, in their order.
    pub objects: Vec<Object>,
}

/// Links kept of one object.
const LINKS_MAX: usize = 64;
const DETAIL_CHARS_MAX: usize = 300;

/// Opens the attachments of a message. `passwords` are tried in their order.
#[must_use]
pub fn unpack(parts: &[Part<'_>], passwords: &[String], limits: &Limits) -> Tree {
    let mut walker = Walker {
        objects: Vec::new(),
        depths: Vec::new(),
        passwords,
        limits,
        total_bytes: 0,
        tries: 0,
        work_bytes: 0,
    };
    for part in parts {
        walker.root(part);
    }
    for (index, part) in parts.iter().enumerate().take(limits.objects_max) {
        walker.look(index, part.bytes);
    }
    let mut next = parts.len().min(limits.objects_max);
    while next < walker.objects.len() {
        let bytes = walker
            .objects
            .get_mut(next)
            .map(|one| std::mem::take(&mut one.bytes))
            .unwrap_or_default();
        walker.look(next, &bytes);
        if let Some(object) = walker.objects.get_mut(next) {
            object.bytes = bytes;
        }
        next += 1;
    }
    walker.side_by_side();
    for object in &mut walker.objects {
        object.facts.sort();
        object.facts.dedup();
    }
    Tree { objects: walker.objects }
}

pub(crate) struct Walker<'a> {
    objects: Vec<Object>,
    depths: Vec<usize>,
    passwords: &'a [String],
    limits: &'a Limits,
    total_bytes: usize,
    tries: usize,
    work_bytes: usize,
}

impl Walker<'_> {
    fn root(&mut self, part: &Part<'_>) {
        if self.objects.len() >= self.limits.objects_max {
            let most = self.limits.objects_max;
            self.unread(0, &format!("the message has more than {most} objects"));
            return;
        }
        let name = name::tidy(part.name);
        self.push(None, name, part.bytes);
        let index = self.objects.len() - 1;
        self.promises(index, part.declared);
    }

    fn push(&mut self, parent: Option<usize>, name: String, bytes: &[u8]) {
        let above = parent.and_then(|index| self.objects.get(index));
        let path = above.map_or_else(|| name.clone(), |above| format!("{}!{name}", above.path));
        let path = path.chars().take(2048).collect();
        let depth = parent.and_then(|index| self.depths.get(index)).map_or(0, |depth| depth + 1);
        self.depths.push(depth);
        self.objects.push(Object {
            parent,
            kind: kind_of(&name, bytes),
            name,
            path,
            sha256: hex(&sha256(bytes)),
            size_bytes: bytes.len() as u64,
            facts: Vec::new(),
            unread: None,
            opened_with: None,
            links: Vec::new(),
            bytes: Vec::new(),
        });
    }

    /// An object inside another one; whether there was room for it.
    pub(crate) fn child(&mut self, parent: usize, name: &str, bytes: Vec<u8>) -> Option<usize> {
        let limits = self.limits;
        if self.objects.len() >= limits.objects_max {
            self.unread(
                parent,
                &format!("the message has more than {} objects", limits.objects_max),
            );
            return None;
        }
        if self.total_bytes.saturating_add(bytes.len()) > limits.total_bytes_max {
            self.unread(
                parent,
                &format!("it unpacks to more than {} bytes", limits.total_bytes_max),
            );
            return None;
        }
        self.total_bytes += bytes.len();
        self.push(Some(parent), name::tidy(name), &bytes);
        let index = self.objects.len() - 1;
        if let Some(object) = self.objects.get_mut(index) {
            object.bytes = bytes;
        }
        self.promises(index, "");
        Some(index)
    }

    /// Something that is listed and not opened: its name is known, and its size is a claim.
    pub(crate) fn closed(&mut self, parent: usize, name: &str, size_bytes: u64, reason: &str) {
        if self.objects.len() >= self.limits.objects_max {
            let most = self.limits.objects_max;
            return self.unread(parent, &format!("the message has more than {most} objects"));
        }
        self.push(Some(parent), name::tidy(name), &[]);
        let index = self.objects.len() - 1;
        if let Some(object) = self.objects.get_mut(index) {
            object.kind = Kind::Unknown;
            object.sha256 = String::new();
            object.size_bytes = size_bytes;
            object.unread = Some(reason.to_owned());
        }
        self.name_facts(index);
        if name::is_dangerous(name) {
            self.fact(parent, "closed_with_dangerous_name", name);
        }
    }

    pub(crate) fn fact(&mut self, index: usize, id: &'static str, detail: &str) {
        let detail: String =
            detail.chars().filter(|letter| !letter.is_control()).take(DETAIL_CHARS_MAX).collect();
        if let Some(object) = self.objects.get_mut(index)
            && object.facts.len() < 64
        {
            object.facts.push(Fact { id, detail });
        }
    }

    pub(crate) fn link(&mut self, index: usize, link: &str) {
        if let Some(object) = self.objects.get_mut(index)
            && object.links.len() < LINKS_MAX
            && !object.links.iter().any(|known| known == link)
        {
            object.links.push(link.chars().take(2048).collect());
        }
    }

    /// Says that an object was not opened to its end; the first reason stays.
    pub(crate) fn unread(&mut self, index: usize, reason: &str) {
        if let Some(object) = self.objects.get_mut(index) {
            object.unread.get_or_insert_with(|| reason.chars().take(DETAIL_CHARS_MAX).collect());
        }
    }

    pub(crate) fn opened_with(&mut self, index: usize, password: &str) {
        if let Some(object) = self.objects.get_mut(index) {
            object.opened_with = Some(password.to_owned());
        }
        self.fact(index, "opened_with_password", password);
    }

    pub(crate) fn set_kind(&mut self, index: usize, kind: Kind) {
        if let Some(object) = self.objects.get_mut(index) {
            object.kind = kind;
        }
    }

    pub(crate) fn kind(&self, index: usize) -> Kind {
        self.objects.get(index).map_or(Kind::Unknown, |object| object.kind)
    }

    pub(crate) fn name_of(&self, index: usize) -> String {
        self.objects.get(index).map(|object| object.name.clone()).unwrap_or_default()
    }

    pub(crate) fn limits(&self) -> &Limits {
        self.limits
    }

    /// The passwords that may still be tried; each costs one of the message's tries.
    pub(crate) fn passwords(&mut self, most: usize) -> Vec<String> {
        let left = self.limits.tries_max.saturating_sub(self.tries).min(most);
        let chosen: Vec<String> = self.passwords.iter().take(left).cloned().collect();
        self.tries += chosen.len();
        chosen
    }

    /// How many bytes one packed stream of a size may become, and why no more.
    pub(crate) fn room(&self, packed: usize) -> (usize, String) {
        let limits = self.limits;
        let by_ratio = (1 << 20) + packed.saturating_mul(limits.ratio_max);
        let by_total = limits.total_bytes_max.saturating_sub(self.total_bytes);
        let room = by_ratio.min(limits.object_bytes_max).min(by_total);
        let reason = if room == by_ratio {
            format!("it unpacks to more than {} times its size", limits.ratio_max)
        } else {
            format!("it unpacks to more than {room} bytes")
        };
        (room, reason)
    }

    fn look(&mut self, index: usize, bytes: &[u8]) {
        let limits = self.limits;
        let Some(object) = self.objects.get(index) else { return };
        if bytes.is_empty() {
            return;
        }
        if bytes.len() > limits.object_bytes_max {
            return self.unread(index, &format!("larger than {} bytes", limits.object_bytes_max));
        }
        let (kind, hash) = (object.kind, object.sha256.clone());
        if self.objects.iter().take(index).any(|earlier| earlier.sha256 == hash) {
            // The same bytes again, or a container that holds itself: what it holds is known.
            self.fact(index, "repeated", "");
            return;
        }
        if self.depths.get(index).copied().unwrap_or_default() >= limits.depth_max {
            if kind.is_container() || matches!(kind, Kind::Message | Kind::Ole | Kind::Ooxml) {
                self.unread(index, &format!("it lies deeper than {} levels", limits.depth_max));
            }
            return;
        }
        self.work_bytes = self.work_bytes.saturating_add(bytes.len());
        if self.work_bytes > limits.work_bytes_max {
            return self.unread(index, "the message costs more work than is given to one");
        }
        let done = catch_unwind(AssertUnwindSafe(|| self.open(index, kind, bytes)));
        if done.is_err() {
            self.unread(index, "makyo failed on it; please report");
        }
    }

    fn open(&mut self, index: usize, kind: Kind, bytes: &[u8]) {
        match kind {
            Kind::Zip | Kind::Ooxml | Kind::Odf => archive::zip::open(self, index, bytes),
            Kind::SevenZip => archive::seven_zip::open(self, index, bytes),
            Kind::Rar => archive::rar::list(self, index, bytes),
            Kind::Cab => archive::cabinet::open(self, index, bytes),
            Kind::Gzip => archive::tar::open_gzip(self, index, bytes),
            Kind::Tar => archive::tar::open(self, index, bytes),
            Kind::Iso => archive::iso::open(self, index, bytes),
            Kind::Vhd => archive::vhd::open(self, index, bytes),
            Kind::Bzip2 | Kind::Xz | Kind::Udf | Kind::Vhdx | Kind::Chm => {
                self.unread(index, &format!("a {} of this kind is not opened", kind.says()));
            }
            Kind::Ole => document::ole::open(self, index, bytes),
            Kind::Tnef => document::mail::open_tnef(self, index, bytes),
            Kind::Message => document::mail::open(self, index, bytes),
            Kind::Rtf => document::rtf::open(self, index, bytes),
            Kind::Pdf => document::pdf::open(self, index, bytes),
            Kind::OneNote => document::onenote::open(self, index, bytes),
            Kind::Lnk => document::lnk::open(self, index, bytes),
            Kind::Html => document::html::open(self, index, bytes),
            Kind::Pe => document::program::open(self, index, bytes),
            Kind::Certificate => document::text::certificate(self, index, bytes),
            Kind::Settings => document::text::settings(self, index, bytes),
            _ => {}
        }
        if kind.is_disk() {
            self.fact(index, "disk_image", "");
        }
    }

    /// What a name and a declared type promise, against what the content is.
    fn promises(&mut self, index: usize, declared: &str) {
        self.name_facts(index);
        let Some(object) = self.objects.get(index) else { return };
        let (kind, own) = (object.kind, object.name.clone());
        let above = object.parent.map(|parent| self.kind(parent));
        let in_container = above.is_some_and(|above| above.is_container());
        let extension = name::extension(&own);
        match kind {
            Kind::Lnk => {
                self.fact(
                    index,
                    if in_container { "shortcut_in_container" } else { "shortcut" },
                    "",
                );
            }
            Kind::Pe if extension != "dll" => {
                self.fact(index, if in_container { "program_in_container" } else { "program" }, "");
            }
            Kind::Pe => self.fact(index, "library", ""),
            Kind::Script => {
                let id = if in_container { "script_in_container" } else { "script" };
                self.fact(index, id, &extension);
            }
            Kind::Chm => self.fact(index, "script", "chm"),
            // Windows goes by the name, whatever the content is.
            _ if extension == "lnk" => self.fact(index, "named_shortcut", ""),
            _ if name::runs(&extension) => self.fact(index, "named_program", &extension),
            _ => {}
        }
        let promised = name::promised_by_name(&own);
        let by_type = name::promised_by_type(declared);
        let breaks = |promised: &[Kind]| !promised.is_empty() && !promised.contains(&kind);
        let says_something = kind.runs()
            || kind.is_container()
            || matches!(kind, Kind::Html | Kind::Ole | Kind::Ooxml | Kind::OneNote | Kind::Elf);
        if says_something && (breaks(promised) || breaks(by_type)) {
            let declared = if declared.is_empty() { "nothing" } else { declared };
            self.fact(
                index,
                "type_mismatch",
                &format!("{own}; declared {declared}; {}", kind.says()),
            );
        }
    }

    fn name_facts(&mut self, index: usize) {
        let Some(name) = self.objects.get(index).map(|object| object.name.clone()) else { return };
        for trick in name::tricks(&name) {
            self.fact(index, trick, &name);
        }
    }

    /// A program beside a library that it would load: the way of the signed viewer.
    fn side_by_side(&mut self) {
        let mut parents: Vec<usize> = Vec::new();
        for parent in 0..self.objects.len() {
            if !self.kind(parent).is_container() {
                continue;
            }
            let has = |ends: &str| {
                self.objects
                    .iter()
                    .any(|one| one.parent == Some(parent) && name::extension(&one.name) == ends)
            };
            if has("dll") && (has("exe") || has("lnk")) {
                parents.push(parent);
            }
        }
        for parent in parents {
            self.fact(parent, "library_beside_program", "");
        }
    }
}
