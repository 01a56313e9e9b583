//! Records to events: which source it is, and what that source says of it.

use std::borrow::Cow;
use std::collections::BTreeMap;

use makyo_base::{
    Artifact, Cell, Column, Content, Decoded, Defect, DefectKind, Event, Holder, Item, Object,
    Position, RecordSink, Stop, Value, canonical_account, canonical_host, sha256, to_json,
    write_json,
};
use makyo_sigma::{Diagnostic, Scratch};

use crate::carry::Carried;
use crate::decoder::DecodeOptions;
use crate::format::RawSink;
use crate::generic::{self, Dialect};
use crate::lane::{Guide, Lane};
use crate::shape::{DEFECT_FIELD, Shape};
use crate::source::{Items, Source};

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
}

impl Sources {
    /// Reads descriptions and shapes: pairs of path and text, `NAME/source.yml` and
    /// `shapes/NAME.yml`.
    ///
    /// # Errors
    /// All mistakes of all files.
    pub fn load(files: &[(String, String)]) -> Result<Self, Vec<Diagnostic>> {
        let mut sources = Sources::default();
        let mut problems = Vec::new();
        for (path, text) in files {
            let mut keep = |found: Vec<Diagnostic>| {
                problems.extend(found.into_iter().map(|problem| problem.in_file(path)));
            };
            if path.contains("shapes/") {
                match Shape::load(text) {
                    Ok(shape) => sources.shapes.push(shape),
                    Err(found) => keep(found),
                }
            } else {
                match Source::load(text) {
                    Ok(source) => sources.all.push(source),
                    Err(found) => keep(found),
                }
            }
        }
        sources.all.sort_by(|a, b| a.id.cmp(&b.id));
        for source in &sources.all {
            let shape = source.shape.as_deref();
            if let Some(id) =
                shape.filter(|id| !sources.shapes.iter().any(|shape| shape.id == **id))
            {
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
        let id = source.shape.as_ref()?;
        self.shapes.iter().find(|shape| shape.id == *id)
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
        Mapper {
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
                event.identity = identity("generic", &[], &native, None);
                self.pass_on(position, usize::MAX, &native, event)
            }
            None => {
                let (first, count) = self.unrecognised.unwrap_or((position, 0));
                self.unrecognised = Some((first, count + 1));
                Ok(())
            }
        }
    }

    fn pass_on(
        &mut self,
        position: u64,
        source: usize,
        native: &Object<'_>,
        mut event: Event<'static>,
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

    /// The source of a record and its native form.
    fn recognise<'a>(&mut self, raw: Object<'a>) -> (Option<usize>, Object<'a>) {
        let sources = self.sources;
        let mut unwrapped: Vec<Option<Option<Object<'a>>>> =
            sources.shapes.iter().map(|_| None).collect();
        let last_priority =
            self.last.and_then(|index| sources.all.get(index)).map(|source| source.priority);
        // The last record's source goes first among its equals.
        let mut first = self.last;
        let candidates = sources.order.iter().flat_map(|index| {
            let priority = sources.all.get(*index).map(|source| source.priority);
            let last = if priority == last_priority { first.take() } else { None };
            let is_again = priority == last_priority && self.last == Some(*index);
            last.into_iter().chain((!is_again).then_some(*index))
        });
        let candidates: Vec<usize> = candidates.collect();
        for index in candidates {
            let Some(source) = sources.all.get(index) else { continue };
            if !source.formats.iter().any(|format| format == self.format) {
                continue;
            }
            let place = source
                .shape
                .as_ref()
                .and_then(|id| sources.shapes.iter().position(|shape| shape.id == *id));
            let native: &Object<'a> = match place {
                None => &raw,
                Some(place) => {
                    let scratch = &mut self.scratch;
                    let slot = unwrapped.get_mut(place);
                    let shape = sources.shapes.get(place);
                    let found = slot.zip(shape).and_then(|(slot, shape)| {
                        slot.get_or_insert_with(|| shape.unwrap(scratch, &raw)).as_ref()
                    });
                    found.unwrap_or(&raw)
                }
            };
            if source.columns.is_empty() && source.extract.iter().all(|extract| !extract.early) {
                if source.recognise.is_match(&mut self.scratch, native) {
                    let native = place
                        .and_then(|place| unwrapped.get_mut(place).and_then(Option::take).flatten())
                        .unwrap_or(raw);
                    return (Some(index), native);
                }
            } else if let Some(prepared) = self.prepare(source, native)
                && source.recognise.is_match(&mut self.scratch, &prepared)
            {
                return (Some(index), prepared);
            }
        }
        // A raw log line inside a wrapping is inferred from the line, not from the wrapping.
        let scratch = &mut self.scratch;
        let text = sources.shapes.iter().find_map(|shape| shape.unwrap_text(scratch, &raw));
        (None, text.unwrap_or(raw))
    }

    /// Headerless columns and early extractions, before recognition.
    fn prepare<'a>(&mut self, source: &Source, native: &Object<'a>) -> Option<Object<'a>> {
        let mut prepared: Option<Object<'a>> = None;
        for columns in &source.columns {
            if columns.when.as_ref().is_some_and(|when| !when.is_match(&mut self.scratch, native)) {
                continue;
            }
            let Some(text) = native.path(&columns.field).and_then(Value::as_str) else { continue };
            let values = crate::format::csv::fields(text, ',');
            if values.len() * 2 < columns.names.len() {
                continue;
            }
            let into = prepared.get_or_insert_with(|| native.clone());
            for (name, value) in columns.names.iter().zip(values) {
                into.push_new(name.clone(), Value::text(value.into_owned()));
            }
        }
        let prepared = prepared.unwrap_or_else(|| native.clone());
        Some(self.extract(source, prepared, true))
    }

    fn extract<'a>(&mut self, source: &Source, mut native: Object<'a>, early: bool) -> Object<'a> {
        for extract in source.extract.iter().filter(|extract| extract.early == early) {
            if extract.when.as_ref().is_some_and(|when| !when.is_match(&mut self.scratch, &native))
            {
                continue;
            }
            let Some(text) = native.path(&extract.field).and_then(Value::as_str) else { continue };
            let Some(captures) = extract.regex.captures(text) else { continue };
            let found: Vec<(String, String)> = extract
                .regex
                .capture_names()
                .flatten()
                .filter_map(|name| {
                    captures.name(name).map(|value| (name.to_owned(), value.as_str().to_owned()))
                })
                .collect();
            for (name, value) in found {
                native.push_new(name, Value::text(value));
            }
        }
        native
    }

    fn known(&mut self, source: &Source, native: &Object<'_>) -> Event<'static> {
        let mut event = Event::default();
        let mut used = Vec::new();
        source.map.apply(&mut event, native, &mut used);
        if let Some(case) =
            source.cases.iter().find(|case| case.when.is_match(&mut self.scratch, native))
        {
            case.map.apply(&mut event, native, &mut used);
        }
        for spec in &source.time {
            if let Some((time, assumed)) = spec.find(native, self.near) {
                event.put(Column::Time, Cell::Time(time));
                event.time_zone_assumed = assumed;
                break;
            }
        }
        let mut put_new = |column, text: &str| {
            if event.cell(column).is_none() && !text.is_empty() {
                event.put(column, Cell::Text(Cow::Owned(text.to_owned())));
            }
        };
        put_new(Column::Source, &source.id);
        put_new(Column::Vendor, &source.vendor);
        put_new(Column::Product, &source.product);
        for items in &source.items {
            collect_items(&mut event.items, items, native);
        }
        if !event.items.is_empty() && event.cell(Column::ItemCount).is_none() {
            event.put(Column::ItemCount, Cell::Integer(event.items.len() as i64));
        }
        event.identity = identity(&source.id, &source.identity, native, event.time());
        event.unmapped = left_over(native, &used);
        event
    }

    fn complete(&self, event: &mut Event<'static>) {
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
        let (index, _) = self.recognise(raw.clone());
        let (sources, index) = (self.sources, index?);
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
        let (index, native) = self.recognise(record);
        let sources = self.sources;
        let source = index.and_then(|index| sources.all.get(index).map(|source| (index, source)));
        let Some((index, source)) = source else {
            return match self.dialect {
                Some(_) => self.unknown(position, native),
                None => self.hold(position, native),
            };
        };
        self.last = Some(index);
        let mut native =
            if source.extract.is_empty() { native } else { self.extract(source, native, false) };
        let place = native.0.iter().position(|field| field.0 == DEFECT_FIELD);
        if let Some((_, Value::Str(detail))) = place.map(|place| native.0.remove(place)) {
            self.defect(Position::Record(position), DefectKind::Malformed, detail.into_owned());
        }
        let Some(carry) = &source.carry else {
            let event = self.known(source, &native);
            return self.pass_on(position, index, &native, event);
        };
        // What a record is does not depend on how much of its session an export holds.
        let alone = native.clone();
        self.carried.complete(carry, &mut native);
        let mut event = self.known(source, &native);
        event.identity = identity(&source.id, &source.identity, &alone, event.time());
        self.pass_on(position, index, &native, event)
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

/// 128 bits of SHA-256 over the fields that identify a record wherever it was exported; over the
/// whole record where it has none. `@time` stands for the event's time to the millisecond, which
/// all exports of one record share, however they write it.
fn identity(source: &str, fields: &[String], native: &Object<'_>, time: Option<i64>) -> [u8; 16] {
    let mut text = source.to_owned();
    let value = |field: &String| match field.as_str() {
        "@time" => time.map(|time| Cow::Owned((time / 1_000_000).to_string())),
        path => native.path(path).filter(|value| !value.is_blank()).and_then(Value::as_text),
    };
    let values: Option<Vec<Cow<'_, str>>> = fields.iter().map(value).collect();
    match values.filter(|values| !values.is_empty()) {
        Some(values) => {
            for value in values {
                text.push('\0');
                text.push_str(&value);
            }
        }
        None => {
            // Exports differ in the order of fields, not in the fields.
            let mut fields: Vec<&(Cow<'_, str>, Value<'_>)> = native.0.iter().collect();
            fields.sort_by(|a, b| a.0.cmp(&b.0).then_with(|| to_json(&a.1).cmp(&to_json(&b.1))));
            for (at, (name, value)) in fields.into_iter().enumerate() {
                if at > 0 {
                    text.push('\0');
                }
                text.push_str(name);
                text.push('\0');
                write_json(&mut text, value);
            }
        }
    }
    let digest = sha256(text.as_bytes());
    let mut identity = [0; 16];
    identity.copy_from_slice(digest.split_at(16).0);
    identity
}

fn left_over(native: &Object<'_>, used: &[&str]) -> Vec<(Cow<'static, str>, Value<'static>)> {
    native
        .0
        .iter()
        .filter(|(name, value)| *value != Value::Null && !used.iter().any(|one| *one == name))
        .map(|(name, value)| (Cow::Owned(name.clone().into_owned()), value.clone().into_owned()))
        .collect()
}

fn collect_items(out: &mut Vec<Item<'static>>, items: &Items, native: &Object<'_>) {
    let Some((first, rest)) = items.each.split_first() else { return };
    if let Some(value) = native.path(first) {
        descend(out, items, value, rest, native);
    }
}

fn descend(
    out: &mut Vec<Item<'static>>,
    items: &Items,
    value: &Value<'_>,
    path: &[String],
    holder: &Object<'_>,
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
            let text = |from: &Object<'_>, path: &Option<String>| -> Cow<'static, str> {
                let value =
                    path.as_deref().and_then(|path| from.path(path)).and_then(Value::as_text);
                Cow::Owned(value.map(Cow::into_owned).unwrap_or_default())
            };
            out.push(Item {
                kind: Cow::Owned(items.kind.clone()),
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
