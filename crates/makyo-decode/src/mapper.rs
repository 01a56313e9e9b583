//! Records to events: which source it is, and what that source says of it.

use std::borrow::Cow;
use std::collections::BTreeMap;

use makyo_base::{
    Artifact, Cell, Column, Content, Decoded, Defect, DefectKind, Event, Holder, Item, Object,
    Position, RecordSink, Stop, Value, canonical_account, canonical_host, sha256, to_json,
    write_json,
};
use makyo_sigma::{Diagnostic, Scratch};
use rustc_hash::FxHashMap;

use crate::carry::Carried;
use crate::decoder::DecodeOptions;
use crate::format::{RawSink, csv};
use crate::generic::{self, Dialect};
use crate::lane::{Guide, Lane};
use crate::shape::{DEFECT_FIELD, Shape};
use crate::slots::{Paths, Slots, View};
use crate::source::{Extract, IdentityField, Items, Source};

/// Child items of one record beyond this number are counted, not kept.
const ITEMS_MAX: usize = 10_000;
/// So many defects of one kind are told one by one for one artifact; the rest is counted.
const DEFECTS_MAX: u64 = 20;

/// All source descriptions, ready for use.
#[derive(Debug, Default)]
pub struct Sources {
    /// The descriptions, sorted by id; records name theirs by its place here.
    pub all: Vec<Source>,
    shapes: Vec<Shape>,
    /// Places in `all`, highest priority first.
    order: Vec<usize>,
    /// The paths that they name.
    pub(crate) paths: Paths,
    /// The number of [`DEFECT_FIELD`].
    defect_path: usize,
}

impl Sources {
    /// Reads descriptions and shapes: pairs of path and text, `NAME/source.yml` and
    /// `shapes/NAME.yml`.
    ///
    /// # Errors
    /// All mistakes of all files.
    pub fn load(files: &[(String, String)]) -> Result<Self, Vec<Diagnostic>> {
        let mut sources = Sources::default();
        let mut paths = Paths::default();
        let mut problems = Vec::new();
        for (path, text) in files {
            let mut keep = |found: Vec<Diagnostic>| {
                problems.extend(found.into_iter().map(|problem| problem.in_file(path)));
            };
            if path.contains("shapes/") {
                match Shape::load(text, &mut paths) {
                    Ok(shape) => sources.shapes.push(shape),
                    Err(found) => keep(found),
                }
            } else {
                match Source::load(text, &mut paths) {
                    Ok(source) => sources.all.push(source),
                    Err(found) => keep(found),
                }
            }
        }
        sources.all.sort_by(|a, b| a.id.cmp(&b.id));
        sources.defect_path = paths.number(DEFECT_FIELD);
        sources.paths = paths;
        for source in &mut sources.all {
            let Some(id) = source.shape.as_deref() else { continue };
            source.shape_place = sources.shapes.iter().position(|shape| shape.id == id);
            if source.shape_place.is_none() {
                let message =
                    format!("source `{}` names a shape that is not there: `{id}`", source.id);
                problems
                    .push(Diagnostic::at(0, message).in_file(&format!("{}/source.yml", source.id)));
            }
        }
        sources.order = (0..sources.all.len()).collect();
        sources.order.sort_by_key(|index| {
            sources.all.get(*index).map(|source| (-source.priority, source.id.clone()))
        });
        if problems.is_empty() { Ok(sources) } else { Err(problems) }
    }

    /// The shape that a source's records come in.
    pub(crate) fn shape_of(&self, source: &Source) -> Option<&Shape> {
        self.shapes.get(source.shape_place?)
    }

    /// The description at a place that a record named.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<&Source> {
        self.all.get(index)
    }
}

/// Takes raw records of one artifact and passes events on.
pub(crate) struct Mapper<'m> {
    sources: &'m Sources,
    options: &'m DecodeOptions,
    artifact: &'m Artifact,
    format: &'static str,
    out: &'m mut dyn RecordSink,
    scratch: Scratch,
    /// Where the record at hand has what: as it stands in the file, and in each shape.
    slots: Vec<Slots>,
    /// The places in `sources.all` of those that such a file can hold, highest priority first.
    order: Vec<usize>,
    room: Room,
    /// The short way, for receivers that need not have every record.
    lane: Option<Box<Lane>>,
    /// The source of the record before: most likely this one's too.
    last: Option<usize>,
    /// The last time with a year, for lines that leave it out.
    near: Option<i64>,
    counts: BTreeMap<DefectKind, u64>,
    replaced: Option<(u64, u64)>,
    unrecognised: Option<(u64, u64)>,
    untimed: Option<(u64, u64)>,
    /// The message before, whose attachments follow it.
    holder: Holder,
    /// How an unknown product speaks, once enough of its records were seen.
    dialect: Option<Dialect>,
    /// Records of an unknown product that wait for it, and their bytes.
    held: Vec<Held>,
    held_bytes: usize,
    /// What earlier lines of open sessions named.
    carried: Carried,
}

/// So many orders of fields are remembered.
const ORDERS_MAX: usize = 1024;

/// What identities are written in, from record to record.
#[derive(Debug, Default)]
struct Room {
    text: String,
    /// By a mark of their names: the order of the fields of earlier records.
    orders: FxHashMap<u64, Vec<usize>>,
}

/// A record of an unknown product, and the last time before it.
struct Held {
    position: u64,
    native: Object<'static>,
    near: Option<i64>,
}

/// So many records and bytes of an unknown product are held back to learn how it speaks.
const HELD_MAX: usize = 20_000;
const HELD_BYTES_MAX: usize = 16 << 20;

impl<'m> Mapper<'m> {
    pub(crate) fn new(
        sources: &'m Sources,
        options: &'m DecodeOptions,
        artifact: &'m Artifact,
        format: &'static str,
        out: &'m mut dyn RecordSink,
    ) -> Self {
        let is_held = |index: &usize| {
            let source = sources.all.get(*index);
            source.is_some_and(|source| source.formats.iter().any(|own| own == format))
        };
        let slots = (0..=sources.shapes.len()).map(|_| Slots::default());
        Mapper {
            slots: slots.collect(),
            order: sources.order.iter().copied().filter(is_held).collect(),
            room: Room::default(),
            sources,
            options,
            artifact,
            format,
            out,
            scratch: Scratch::default(),
            lane: Some(Box::default()),
            last: None,
            near: None,
            counts: BTreeMap::new(),
            replaced: None,
            unrecognised: None,
            untimed: None,
            holder: Holder::default(),
            dialect: None,
            held: Vec::new(),
            held_bytes: 0,
            carried: Carried::default(),
        }
    }

    /// Passes on what was held back, and says what was only counted while reading.
    ///
    /// # Errors
    /// [`Stop`] if the receiver cannot go on.
    pub(crate) fn finish(&mut self) -> Result<(), Stop> {
        let done = self.release();
        self.tell_counted();
        done
    }

    /// Learns how the unknown product speaks, and passes its records on.
    fn release(&mut self) -> Result<(), Stop> {
        let held = std::mem::take(&mut self.held);
        self.held_bytes = 0;
        if self.dialect.is_none() {
            let records: Vec<&Object<'_>> = held.iter().map(|one| &one.native).collect();
            self.dialect = Some(Dialect::learn(&records));
        }
        for one in held {
            self.near = one.near.or(self.near);
            self.unknown(one.position, one.native)?;
        }
        Ok(())
    }

    /// Keeps a record of an unknown product until its dialect is known.
    fn hold(&mut self, position: u64, native: Object<'_>) -> Result<(), Stop> {
        let native = native.into_owned();
        self.held_bytes += native
            .0
            .iter()
            .map(|(name, value)| name.len() + value.as_str().map_or(16, str::len) + 64)
            .sum::<usize>();
        self.held.push(Held { position, native, near: self.near });
        if self.held.len() >= HELD_MAX || self.held_bytes >= HELD_BYTES_MAX {
            self.release()?;
        }
        Ok(())
    }

    /// A record that no source describes.
    fn unknown(&mut self, position: u64, native: Object<'_>) -> Result<(), Stop> {
        let dialect = self.dialect.take().unwrap_or_default();
        let event = generic::infer(&native, self.format, self.near, &dialect);
        self.dialect = Some(dialect);
        match event {
            Some(mut event) => {
                event.identity = identity_of_all(&mut self.room, "generic", &native);
                self.pass_on(position, usize::MAX, &native, event)
            }
            None => {
                let (first, count) = self.unrecognised.unwrap_or((position, 0));
                self.unrecognised = Some((first, count + 1));
                Ok(())
            }
        }
    }

    fn pass_on<'n>(
        &mut self,
        position: u64,
        source: usize,
        native: &'n Object<'n>,
        mut event: Event<'n>,
    ) -> Result<(), Stop> {
        self.complete(&mut event);
        if event.time().is_none() {
            let (first, count) = self.untimed.unwrap_or((position, 0));
            self.untimed = Some((first, count + 1));
        }
        self.near = event.time().or(self.near);
        if self.format == "mail" {
            self.holder = Holder::of(&event);
        }
        self.out.record(Decoded {
            artifact: self.artifact,
            position: Position::Record(position),
            source,
            native,
            event,
        })
    }

    fn tell_counted(&mut self) {
        if let Some((first, count)) = self.replaced.take() {
            let detail = format!(
                "{count} records hold bytes that are not valid text; read with replacement characters, the first is record {first}"
            );
            self.tell(Position::Record(first), DefectKind::Encoding, detail);
        }
        if let Some((first, count)) = self.unrecognised.take() {
            let detail = format!(
                "{count} lines have neither a time nor fields that a log would have; the first is line {first}"
            );
            self.tell(Position::Record(first), DefectKind::Unrecognised, detail);
        }
        if let Some((first, count)) = self.untimed.take() {
            let detail = format!(
                "{count} records have no time that can be read (a year or the whole time is missing), the first is record {first}; they are kept, and no answer that asks when can use them"
            );
            self.tell(Position::Record(first), DefectKind::Malformed, detail);
        }
        for (kind, count) in std::mem::take(&mut self.counts) {
            if count > DEFECTS_MAX {
                let detail = format!("{} more of the same kind in this file", count - DEFECTS_MAX);
                self.tell(Position::Whole, kind, detail);
            }
        }
    }

    fn tell(&mut self, position: Position, kind: DefectKind, detail: String) {
        let file = self.artifact.path.clone();
        self.out.defect(Defect { file, position, kind, detail });
    }

    /// The source of a record, its native form, and whose slots tell where it has what.
    fn recognise<'a>(
        &mut self,
        sources: &'a Sources,
        mut raw: Object<'a>,
    ) -> (Option<usize>, Object<'a>, usize) {
        let mut slots = std::mem::take(&mut self.slots);
        let found = self.recognise_with(sources, &mut raw, &mut slots);
        let (index, native, place) = match found {
            Some((index, native, place)) => (Some(index), native, place),
            None => {
                // A raw log line inside a wrapping is inferred from the line, not from the wrapping.
                let scratch = &mut self.scratch;
                let inside = sources.shapes.iter();
                (None, inside.clone().find_map(|shape| shape.unwrap_text(scratch, &raw)), 0)
            }
        };
        self.slots = slots;
        (index, native.unwrap_or(raw), place)
    }

    /// The source, the native form if it is not the record itself, and whose slots.
    fn recognise_with<'a>(
        &self,
        sources: &'a Sources,
        raw: &mut Object<'a>,
        slots: &mut [Slots],
    ) -> Option<(usize, Option<Object<'a>>, usize)> {
        let paths = &sources.paths;
        let (outer, inner) = slots.split_first_mut()?;
        outer.fill(paths, raw);
        let mut unwrapped: Vec<Option<Option<Object<'a>>>> = Vec::new();
        unwrapped.resize_with(sources.shapes.len(), || None);
        for index in self.candidates(sources) {
            let Some(source) = sources.all.get(index) else { continue };
            let mut native: Option<&mut Object<'a>> = None;
            let mut own: &mut Slots = outer;
            let mut place = 0;
            if let Some(at) = source.shape_place
                && let (Some(slot), Some(shape), Some(inside)) =
                    (unwrapped.get_mut(at), sources.shapes.get(at), inner.get_mut(at))
            {
                if slot.is_none() {
                    let found = shape.unwrap(&View { object: raw, slots: own, paths });
                    if let Some(found) = &found {
                        inside.fill(paths, found);
                    }
                    *slot = Some(found);
                }
                if let Some(Some(found)) = slot {
                    native = Some(found);
                    own = inside;
                    place = at + 1;
                }
            }
            let native: &mut Object<'a> = match native {
                Some(native) => native,
                None => raw,
            };
            let fields = native.0.len();
            prepare(source, native, own, paths);
            if source.recognise.holds(&View { object: native, slots: own, paths }) {
                let native =
                    place.checked_sub(1).and_then(|at| unwrapped.get_mut(at)?.take().flatten());
                return Some((index, native, place));
            }
            if native.0.len() > fields {
                native.0.truncate(fields);
                own.fill(paths, native);
            }
        }
        None
    }

    /// The sources that the record may be of, in the order in which they are asked: by priority,
    /// and that of the record before first among its equals.
    fn candidates<'s>(&self, sources: &'s Sources) -> impl Iterator<Item = usize> + use<'_, 's> {
        let priority = |index: usize| sources.all.get(index).map(|source| source.priority);
        let last = self.last;
        let last_priority = last.and_then(priority);
        let mut first = last;
        self.order.iter().flat_map(move |index| {
            let is_equal = last.is_some() && priority(*index) == last_priority;
            let before = if is_equal { first.take() } else { None };
            before.into_iter().chain((!is_equal || last != Some(*index)).then_some(*index))
        })
    }

    fn known<'n>(
        &mut self,
        source: &'n Source,
        view: &View<'n, 'n>,
        used: &mut Vec<usize>,
    ) -> Event<'n> {
        let mut event = Event::default();
        event.cells.reserve(32);
        source.map.apply(&mut event, view, used);
        if let Some(case) = source.cases.iter().find(|case| case.when.holds(view)) {
            case.map.apply(&mut event, view, used);
        }
        for spec in &source.time {
            if let Some((time, assumed)) = spec.find(view, self.near) {
                event.put(Column::Time, Cell::Time(time));
                event.time_zone_assumed = assumed;
                break;
            }
        }
        let mut put_new = |column, text: &'n str| {
            if event.cell(column).is_none() && !text.is_empty() {
                event.put(column, Cell::Text(Cow::Borrowed(text)));
            }
        };
        put_new(Column::Source, &source.id);
        put_new(Column::Vendor, &source.vendor);
        put_new(Column::Product, &source.product);
        for items in &source.items {
            collect_items(&mut event.items, items, view.object);
        }
        if !event.items.is_empty() && event.cell(Column::ItemCount).is_none() {
            event.put(Column::ItemCount, Cell::Integer(event.items.len() as i64));
        }
        event.unmapped = left_over(view, used);
        event
    }

    fn complete(&self, event: &mut Event<'_>) {
        if event.cell(Column::ClassUid).is_none() {
            event.put(Column::ClassUid, Cell::Integer(0));
            event.put(Column::ClassName, Cell::Text(Cow::Borrowed("Base Event")));
        }
        let actor = self.account(event, Column::ActorUserName, Column::ActorUserDomain);
        let user = self.account(event, Column::UserName, Column::UserDomain);
        let is_authentication = event.cell(Column::ClassUid) == Some(&Cell::Integer(3002));
        // In an authentication record the account is the one that signed in, whoever asked for it.
        let account =
            if is_authentication { user.clone().or(actor) } else { actor.or_else(|| user.clone()) };
        let host = event.text(Column::DeviceHostname).and_then(canonical_host);
        for (column, value) in
            [(Column::Account, account), (Column::UserAccount, user), (Column::Host, host)]
        {
            if let Some(value) = value {
                event.put(column, Cell::Text(Cow::Owned(value)));
            }
        }
    }

    fn account(&self, event: &Event<'_>, name: Column, domain: Column) -> Option<String> {
        let account = canonical_account(event.text(name)?, event.text(domain))?;
        // One directory has a DNS name and a short name; its accounts have one.
        let Some((domain, user)) = account.split_once('\\') else { return Some(account) };
        let is_own = self.options.directory.iter().any(|known| known == domain);
        match self.options.directory.first() {
            Some(first) if is_own => Some(format!("{first}\\{user}")),
            _ => Some(account),
        }
    }
}

impl Mapper<'_> {
    /// Whether the receiver can do without the record.
    fn is_passed_by(&mut self, text: &str, may_learn: bool) -> bool {
        if !self.out.screens() {
            return false;
        }
        let Some(mut lane) = self.lane.take() else { return false };
        let (format, sources) = (self.format, self.sources);
        let outline = if may_learn {
            lane.outline(text, format, sources, self)
        } else {
            lane.known_outline(text)
        };
        let is_enough = outline.is_some_and(|outline| !self.out.wants(&outline));
        self.lane = Some(lane);
        is_enough
    }
}

impl Guide for Mapper<'_> {
    fn recognise_form(&mut self, raw: &Object<'_>) -> Option<(usize, Option<usize>)> {
        let sources = self.sources;
        let (index, _, _) = self.recognise(sources, raw.clone());
        let index = index?;
        let shape = sources.all.get(index).and_then(|source| sources.shape_of(source));
        Some((index, shape.and_then(|shape| shape.form(&mut self.scratch, raw))))
    }
}

impl RawSink for Mapper<'_> {
    fn text(&mut self, text: &str) -> bool {
        self.is_passed_by(text, true)
    }

    fn line(&mut self, line: &str) -> bool {
        self.is_passed_by(line, false)
    }

    fn raw(&mut self, position: u64, record: Object<'_>) -> Result<(), Stop> {
        self.holder = Holder::default();
        let sources = self.sources;
        let (index, mut native, place) = self.recognise(sources, record);
        let source = index.and_then(|index| sources.all.get(index).map(|source| (index, source)));
        let Some((index, source)) = source else {
            return match self.dialect {
                Some(_) => self.unknown(position, native),
                None => self.hold(position, native),
            };
        };
        self.last = Some(index);
        let Some(mut slots) = self.slots.get_mut(place).map(std::mem::take) else { return Ok(()) };
        let paths = &sources.paths;
        if let Some(ignore) = &source.ignore
            && ignore.holds(&View { object: &native, slots: &slots, paths })
        {
            return Ok(());
        }
        extract(source, &mut native, &mut slots, paths, false);
        if slots.has_field(sources.defect_path) {
            let at = native.0.iter().position(|field| field.0 == DEFECT_FIELD);
            if let Some((_, Value::Str(detail))) = at.map(|at| native.0.remove(at)) {
                let detail = detail.into_owned();
                self.defect(Position::Record(position), DefectKind::Malformed, detail);
            }
            slots.fill(paths, &native);
        }
        // What a record is does not depend on how much of its session an export holds.
        let alone = source.carry.as_ref().map(|_| native.clone());
        if let Some(carry) = &source.carry {
            self.carried.complete(carry, &mut native);
            slots.fill(paths, &native);
        }
        let mut used = Vec::new();
        let view = View { object: &native, slots: &slots, paths };
        let mut event = self.known(source, &view, &mut used);
        let mut room = std::mem::take(&mut self.room);
        event.identity = match &alone {
            None => identity(&mut room, source, &view, event.time()),
            Some(alone) => {
                let mut slots = Slots::default();
                slots.fill(paths, alone);
                let view = View { object: alone, slots: &slots, paths };
                identity(&mut room, source, &view, event.time())
            }
        };
        self.room = room;
        let done = self.pass_on(position, index, &native, event);
        if let Some(own) = self.slots.get_mut(place) {
            *own = slots;
        }
        done
    }

    fn content(&mut self, position: u64, name: &str, bytes: &[u8]) -> Result<(), Stop> {
        self.out.content(Content {
            artifact: self.artifact,
            position: Position::Record(position),
            name,
            bytes,
            holder: &self.holder,
        })
    }

    fn passwords(&self, sender: &str, time: Option<i64>) -> Vec<String> {
        self.options.passwords.near(sender, time)
    }

    fn defect(&mut self, position: Position, kind: DefectKind, detail: String) {
        let count = self.counts.entry(kind).or_default();
        *count += 1;
        if *count <= DEFECTS_MAX {
            self.tell(position, kind, detail);
        }
    }

    fn replaced(&mut self, position: u64) {
        let (first, count) = self.replaced.unwrap_or((position, 0));
        self.replaced = Some((first, count + 1));
    }
}

/// Headerless columns and early extractions, before recognition.
fn prepare<'a>(source: &'a Source, native: &mut Object<'a>, slots: &mut Slots, paths: &Paths) {
    for columns in &source.columns {
        let view = View { object: native, slots, paths };
        if columns.when.as_ref().is_some_and(|when| !when.holds(&view)) {
            continue;
        }
        let Some(text) = text_of(&view, columns.path) else { continue };
        let fields: Vec<Cow<'a, str>> = match &text {
            Cow::Borrowed(text) => csv::fields(text, ','),
            Cow::Owned(text) => {
                let fields = csv::fields(text, ',').into_iter();
                fields.map(|field| Cow::Owned(field.into_owned())).collect()
            }
        };
        if fields.len() * 2 < columns.names.len() {
            continue;
        }
        for ((path, name), value) in columns.names.iter().zip(fields) {
            slots.push_new(paths, native, (*path, name), value);
        }
    }
    extract(source, native, slots, paths, true);
}

/// Puts what the source's regular expressions find into fields of their own.
fn extract<'a>(
    source: &'a Source,
    native: &mut Object<'a>,
    slots: &mut Slots,
    paths: &Paths,
    early: bool,
) {
    for extract in source.extract.iter().filter(|extract| extract.early == early) {
        let view = View { object: native, slots, paths };
        if extract.when.as_ref().is_some_and(|when| !when.holds(&view)) {
            continue;
        }
        match text_of(&view, extract.path) {
            Some(Cow::Borrowed(text)) => {
                let mut push = |path, name, found: &'a str| {
                    slots.push_new(paths, native, (path, name), Cow::Borrowed(found));
                };
                capture(extract, text, &mut push);
            }
            Some(Cow::Owned(text)) => {
                let mut push = |path, name, found: &str| {
                    slots.push_new(paths, native, (path, name), Cow::Owned(found.to_owned()));
                };
                capture(extract, &text, &mut push);
            }
            None => {}
        }
    }
}

fn capture<'a, 't>(
    extract: &'a Extract,
    text: &'t str,
    push: &mut dyn FnMut(usize, &'a str, &'t str),
) {
    extract.regex.groups(text, &mut |group, found| {
        if let Some((_, path, name)) = extract.groups.iter().find(|entry| entry.0 == group) {
            push(*path, name, found);
        }
    });
}

/// The text of a field that is a text; of what the record borrows a copy of the loan.
fn text_of<'a>(view: &View<'_, 'a>, path: usize) -> Option<Cow<'a, str>> {
    match view.get(path)? {
        Value::Str(text) => Some(text.clone()),
        _ => None,
    }
}

/// 128 bits of SHA-256 over the fields that identify a record wherever it was exported; over the
/// whole record where it has none. `@time` stands for the event's time to the millisecond, which
/// all exports of one record share, however they write it.
fn identity(
    room: &mut Room,
    source: &Source,
    native: &View<'_, '_>,
    time: Option<i64>,
) -> [u8; 16] {
    let text = &mut room.text;
    text.clear();
    text.push_str(&source.id);
    for field in &source.identity {
        let value = match field {
            IdentityField::Time => time.map(|time| Cow::Owned((time / 1_000_000).to_string())),
            IdentityField::Path(path) => native.get_filled(*path).and_then(Value::as_text),
        };
        let Some(value) = value else {
            return identity_of_all(room, &source.id, native.object);
        };
        text.push('\0');
        text.push_str(&value);
    }
    if source.identity.is_empty() {
        return identity_of_all(room, &source.id, native.object);
    }
    half_digest(text)
}

fn identity_of_all(room: &mut Room, source: &str, native: &Object<'_>) -> [u8; 16] {
    let Room { text, orders } = room;
    text.clear();
    text.push_str(source);
    // Exports differ in the order of fields, not in the fields.
    let fields = &native.0;
    let name = |at: &usize| fields.get(*at).map(|field| &field.0);
    if orders.len() >= ORDERS_MAX {
        orders.clear();
    }
    let order = orders.entry(mark_of(native)).or_default();
    // Names with one mark may be others.
    let is_sorted = order.len() == fields.len()
        && order.windows(2).all(|pair| pair.first().map(name) < pair.last().map(name));
    if !is_sorted {
        let json = |at: &usize| fields.get(*at).map(|field| to_json(&field.1));
        order.clear();
        order.extend(0..fields.len());
        order.sort_unstable_by(|a, b| {
            name(a).cmp(&name(b)).then_with(|| json(a).cmp(&json(b))).then(a.cmp(b))
        });
    }
    for (at, (name, value)) in order.iter().filter_map(|at| fields.get(*at)).enumerate() {
        if at > 0 {
            text.push('\0');
        }
        text.push_str(name);
        text.push('\0');
        write_json(text, value);
    }
    half_digest(text)
}

/// A number that records with the same names share, and others seldom.
fn mark_of(native: &Object<'_>) -> u64 {
    native.0.iter().fold(0, |mark: u64, (name, _)| {
        let bytes = name.as_bytes();
        let end = |byte: Option<&u8>| u64::from(byte.copied().unwrap_or_default());
        let own = bytes.len() as u64 | end(bytes.first()) << 16 | end(bytes.last()) << 32;
        (mark.rotate_left(5) ^ own).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    })
}

fn half_digest(text: &str) -> [u8; 16] {
    let digest = sha256(text.as_bytes());
    let mut identity = [0; 16];
    identity.copy_from_slice(digest.split_at(16).0);
    identity
}

/// The fields that no column holds unchanged.
fn left_over<'n>(view: &View<'n, 'n>, used: &[usize]) -> Vec<(Cow<'n, str>, Value<'n>)> {
    let mut mark = 0_u128;
    let mut named: Vec<&str> = Vec::new();
    for path in used {
        match view.slots.only_field(*path).filter(|index| *index < 128) {
            Some(index) => mark |= 1 << index,
            None => named.extend(view.paths.text(*path)),
        }
    }
    let is_used =
        |index: usize, name: &str| index < 128 && mark >> index & 1 == 1 || named.contains(&name);
    let mut left = Vec::with_capacity(view.object.0.len());
    for (index, (name, value)) in view.object.0.iter().enumerate() {
        if *value != Value::Null && !is_used(index, name) {
            left.push((Cow::Borrowed(name.as_ref()), value.reborrow()));
        }
    }
    left
}

fn collect_items<'n>(out: &mut Vec<Item<'n>>, items: &'n Items, native: &'n Object<'_>) {
    let Some((first, rest)) = items.each.split_first() else { return };
    if let Some(value) = native.path(first) {
        descend(out, items, value, rest, native);
    }
}

fn descend<'n>(
    out: &mut Vec<Item<'n>>,
    items: &'n Items,
    value: &'n Value<'_>,
    path: &[String],
    holder: &'n Object<'_>,
) {
    match (value, path.split_first()) {
        (Value::List(list), _) => {
            for element in list {
                descend(out, items, element, path, holder);
            }
        }
        (Value::Object(object), Some((first, rest))) => {
            if let Some(value) = object.path(first) {
                descend(out, items, value, rest, object);
            }
        }
        (Value::Object(object), None) if out.len() < ITEMS_MAX => {
            let text = |from: &'n Object<'_>, path: &Option<String>| -> Cow<'n, str> {
                let value = path.as_deref().and_then(|path| from.path(path));
                value.and_then(Value::as_text).unwrap_or_default()
            };
            out.push(Item {
                kind: Cow::Borrowed(&items.kind),
                uid: text(object, &items.uid),
                name: text(object, &items.name),
                parent: text(holder, &items.parent),
                size: text(object, &items.size)
                    .split('.')
                    .next()
                    .and_then(|text| text.parse().ok()),
            });
        }
        _ => {}
    }
}
