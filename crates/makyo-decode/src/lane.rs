//! The short way of a record: from its text to its outline, by what an earlier record of the same
//! layout taught.
//!
//! The first record of a layout goes the whole way: parsed, unwrapped, recognised. The same is
//! then done with a copy in which every value is replaced by the number of its leaf, except for
//! the values that recognition and routing compare; where these numbers end up is where the
//! fields of all records with the same names, nesting and deciding values are. A record whose
//! way depends on anything else is never given an outline.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::rc::Rc;

use makyo_base::{Layout, Leaf, LeafKind, Object, Outline, Value, parse_json};
use makyo_sigma::Matcher;
use rustc_hash::FxHashMap;

use crate::mapper::Sources;
use crate::scan::{Scan, is_plain};
use crate::skeleton::Skeletons;
use crate::source::Source;

/// Layouts of one artifact beyond this number are read the whole way.
const LAYOUTS_MAX: usize = 4096;

/// Layouts that were met in one artifact.
#[derive(Debug, Default)]
pub(crate) struct Lane {
    scan: Scan,
    /// By signature: the place of its structure.
    places: FxHashMap<Vec<u8>, usize>,
    /// None where records of it cannot be outlined.
    structures: Vec<Option<Structure>>,
    skeletons: Skeletons,
    leaves: Vec<Leaf>,
    key: Vec<u8>,
    known: Option<Rc<Known>>,
    count: usize,
}

#[derive(Debug)]
struct Structure {
    /// Leaves that decide what the record is.
    deciding: Vec<usize>,
    /// By their values.
    layouts: FxHashMap<Vec<u8>, Option<Rc<Known>>>,
}

impl Structure {
    /// The values of the deciding leaves, one after another.
    fn key(&self, text: &str, leaves: &[Leaf], key: &mut Vec<u8>) -> Option<()> {
        key.clear();
        for leaf in &self.deciding {
            let leaf = leaves.get(*leaf)?;
            let value = text.get(leaf.start as usize..leaf.end as usize)?;
            key.extend_from_slice(&(value.len() as u64).to_le_bytes());
            key.extend_from_slice(value.as_bytes());
        }
        Some(())
    }
}

/// A layout, and where its records' time stands.
#[derive(Debug)]
pub(crate) struct Known {
    layout: Layout,
    time: Option<usize>,
}

/// What the mapper knows and the lane asks for.
pub(crate) trait Guide {
    /// The source of a record, and which form of its shape fits.
    fn recognise_form(&mut self, raw: &Object<'_>) -> Option<(usize, Option<usize>)>;
}

impl Lane {
    /// The outline of a record's text, if its layout is known or can be learnt.
    pub(crate) fn outline<'l>(
        &'l mut self,
        text: &'l str,
        format: &str,
        sources: &Sources,
        guide: &mut dyn Guide,
    ) -> Option<Outline<'l>> {
        if !is_plain(text) {
            return None;
        }
        let place = match self.skeletons.follow(text, &mut self.leaves) {
            Some(place) => place,
            None => self.place(text, format, sources)?,
        };
        let structure = self.structures.get_mut(place)?.as_mut()?;
        structure.key(text, &self.leaves, &mut self.key)?;
        let known = match structure.layouts.get(&self.key) {
            Some(known) => known.clone(),
            None if self.count >= LAYOUTS_MAX => None,
            None => {
                self.count += 1;
                let leaves = &self.leaves;
                let learnt = learn_layout(text, leaves, &structure.deciding, sources, guide);
                let learnt = learnt.map(Rc::new);
                structure.layouts.insert(self.key.clone(), learnt.clone());
                learnt
            }
        };
        self.known = known;
        let known = self.known.as_ref()?;
        let outline = Outline { layout: &known.layout, text, leaves: &self.leaves };
        known.has_time(&outline).then_some(outline)
    }

    /// The outline of a text that is written like a record before it.
    pub(crate) fn known_outline<'l>(&'l mut self, text: &'l str) -> Option<Outline<'l>> {
        if !is_plain(text) {
            return None;
        }
        let place = self.skeletons.follow(text, &mut self.leaves)?;
        let structure = self.structures.get(place)?.as_ref()?;
        structure.key(text, &self.leaves, &mut self.key)?;
        let known = structure.layouts.get(&self.key)?.as_ref()?;
        let outline = Outline { layout: &known.layout, text, leaves: &self.leaves };
        known.has_time(&outline).then_some(outline)
    }

    /// The place of the structure of a record that is written like none before.
    fn place(&mut self, text: &str, format: &str, sources: &Sources) -> Option<usize> {
        if !self.scan.scan(text) {
            return None;
        }
        self.leaves.clone_from(&self.scan.leaves);
        let place = match self.places.get(&self.scan.signature) {
            Some(place) => *place,
            None if self.count >= LAYOUTS_MAX => return None,
            None => {
                self.count += 1;
                let learnt = learn_structure(text, &self.leaves, format, sources);
                self.structures.push(learnt);
                let place = self.structures.len() - 1;
                self.places.insert(self.scan.signature.clone(), place);
                place
            }
        };
        self.skeletons.keep(text, &self.scan, place);
        Some(place)
    }
}

impl Known {
    /// Whether the record's time is written so that every reader of times understands it.
    fn has_time(&self, outline: &Outline<'_>) -> bool {
        let mut found = false;
        if let Some(leaf) = self.time {
            outline.texts(leaf, &mut |text| found |= is_timestamp(text.as_bytes()));
        }
        found
    }
}

/// `2025-02-15T01:02:03...Z`, with digits that make a date.
fn is_timestamp(text: &[u8]) -> bool {
    let digits = |from: usize, to: usize| {
        text.get(from..to)
            .filter(|part| part.iter().all(u8::is_ascii_digit))
            .map(|part| part.iter().fold(0_u32, |sum, digit| sum * 10 + u32::from(digit - b'0')))
    };
    let between =
        |from, to, least, most| digits(from, to).is_some_and(|n| (least..=most).contains(&n));
    let fraction = text.get(19..text.len().saturating_sub(1)).unwrap_or_default();
    let is_fraction = fraction.is_empty()
        || (fraction.first() == Some(&b'.')
            && (2..=10).contains(&fraction.len())
            && fraction.iter().skip(1).all(u8::is_ascii_digit));
    let days = match digits(5, 7) {
        // A leap day is left to the reader of times.
        Some(2) => 28,
        Some(4 | 6 | 9 | 11) => 30,
        _ => 31,
    };
    between(0, 4, 1990, 2100)
        && text.get(4) == Some(&b'-')
        && between(5, 7, 1, 12)
        && text.get(7) == Some(&b'-')
        && between(8, 10, 1, days)
        && matches!(text.get(10), Some(b'T' | b' '))
        && between(11, 13, 0, 23)
        && text.get(13) == Some(&b':')
        && between(14, 16, 0, 59)
        && text.get(16) == Some(&b':')
        && between(17, 19, 0, 59)
        && text.last() == Some(&b'Z')
        && is_fraction
}

/// A copy of the record in which values are stand-ins whose place in memory tells their leaf.
struct StandIns(Vec<String>);

impl StandIns {
    /// Stand-ins are blank where the value is: some wrappings pass over such fields.
    fn new(text: &str, leaves: &[Leaf]) -> Self {
        let stand_in = |leaf: &Leaf| {
            let value = text.get(leaf.start as usize..leaf.end as usize).unwrap_or_default();
            let is_blank = leaf.kind == LeafKind::Text && Value::text(value).is_blank();
            if is_blank { "-".to_owned() } else { "x".to_owned() }
        };
        StandIns(leaves.iter().map(stand_in).collect())
    }

    fn record<'s>(&'s self, raw: &Object<'_>) -> Object<'s> {
        self.object(raw, &mut 0)
    }

    fn object<'s>(&'s self, object: &Object<'_>, next: &mut usize) -> Object<'s> {
        let fields = object.0.iter().map(|(name, value)| {
            let value = match value {
                Value::Object(inner) => Value::Object(self.object(inner, next)),
                Value::Null => {
                    *next += 1;
                    Value::Null
                }
                _ => {
                    *next += 1;
                    let text = self.0.get(*next - 1).map(String::as_str).unwrap_or_default();
                    Value::Str(Cow::Borrowed(text))
                }
            };
            (Cow::Owned(name.clone().into_owned()), value)
        });
        Object(fields.collect())
    }

    fn leaf(&self, text: &str) -> Option<usize> {
        self.0.iter().position(|own| own.as_ptr() == text.as_ptr())
    }

    /// The record with leaf numbers in the place of stand-ins; the leaves that are in it.
    fn numbered(&self, native: &Object<'_>, seen: &mut Vec<usize>) -> Object<'static> {
        let fields = native.0.iter().map(|(name, value)| {
            let value = match value {
                Value::Object(inner) => Value::Object(self.numbered(inner, seen)),
                Value::Str(text) => match self.leaf(text) {
                    Some(leaf) => {
                        seen.push(leaf);
                        Value::Int(leaf as i128)
                    }
                    None => Value::text(text.clone().into_owned()),
                },
                _ => Value::Null,
            };
            (Cow::Owned(name.clone().into_owned()), value)
        });
        Object(fields.collect())
    }

    /// The leaf that a path leads to. `Err` if it leads to, or into, something with more than one
    /// value: then what is compared there is not known from one leaf.
    fn resolve(
        &self,
        record: &Object<'_>,
        path: &str,
        lists: &[bool],
    ) -> Result<Option<usize>, ()> {
        let is_list = |value: &Value<'_>| {
            let leaf = value.as_str().and_then(|text| self.leaf(text));
            leaf.is_some_and(|leaf| lists.get(leaf) == Some(&true))
        };
        match record.path(path) {
            Some(Value::Object(_)) => Err(()),
            Some(value) if is_list(value) => Err(()),
            Some(value) => Ok(value.as_str().and_then(|text| self.leaf(text))),
            None => {
                let into_list = path
                    .match_indices('.')
                    .filter_map(|(dot, _)| record.path(path.get(..dot)?))
                    .any(is_list);
                if into_list { Err(()) } else { Ok(None) }
            }
        }
    }
}

fn lists_of(leaves: &[Leaf]) -> Vec<bool> {
    leaves.iter().map(|leaf| leaf.kind == LeafKind::List).collect()
}

/// Which leaves decide what records of this structure are, over all sources that may claim them.
fn learn_structure(
    text: &str,
    leaves: &[Leaf],
    format: &str,
    sources: &Sources,
) -> Option<Structure> {
    let Ok(Value::Object(raw)) = parse_json(text) else { return None };
    // What a search engine wraps around its answers comes off before recognition.
    if raw.contains("_source") || raw.contains("result") {
        return None;
    }
    let stand_ins = StandIns::new(text, leaves);
    let lists = lists_of(leaves);
    let record = stand_ins.record(&raw);
    let mut deciding = Vec::new();
    let mut decide = |on: &Object<'_>, matcher: &Matcher| -> Option<()> {
        for field in matcher.compared_fields()? {
            deciding.extend(stand_ins.resolve(on, field, &lists).ok()?);
        }
        Some(())
    };
    for source in sources.all.iter().filter(|source| source.formats.iter().any(|own| own == format))
    {
        let mut natives = vec![record.clone()];
        if let Some(shape) = sources.shape_of(source) {
            for form in shape.forms() {
                decide(&record, &form.when().matcher)?;
                natives.push(form.unwrap(&record));
            }
        }
        for native in &natives {
            if !source.columns.is_empty() || source.extract.iter().any(|extract| extract.early) {
                // What these add can decide too; they add nothing where their field is not.
                let fields = source.columns.iter().map(|columns| &columns.field);
                let extracted = source.extract.iter().map(|extract| &extract.field);
                if fields.chain(extracted).any(|field| native.path(field).is_some()) {
                    return None;
                }
            }
            decide(native, &source.recognise.matcher)?;
            for served in &source.logsources {
                if let Some(when) = &served.when {
                    decide(native, when)?;
                }
            }
            for case in &source.cases {
                decide(native, &case.when.matcher)?;
            }
        }
    }
    deciding.sort_unstable();
    deciding.dedup();
    Some(Structure { deciding, layouts: FxHashMap::default() })
}

fn learn_layout(
    text: &str,
    leaves: &[Leaf],
    deciding: &[usize],
    sources: &Sources,
    guide: &mut dyn Guide,
) -> Option<Known> {
    let Ok(Value::Object(raw)) = parse_json(text) else { return None };
    let (index, form) = guide.recognise_form(&raw)?;
    let source = sources.all.get(index)?;
    let stand_ins = StandIns::new(text, leaves);
    let record = stand_ins.record(&raw);
    let native = match form {
        None => record,
        Some(form) => {
            let form = sources.shape_of(source)?.forms().get(form)?;
            if !form.moves_fields_only(&record) {
                return None;
            }
            form.unwrap(&record)
        }
    };
    if source.extract.iter().any(|extract| native.path(&extract.field).is_some()) {
        return None;
    }
    let mut seen = Vec::new();
    let numbered = stand_ins.numbered(&native, &mut seen);
    let lists = lists_of(leaves);
    // A list that went elsewhere than under one name may have become fields of its own.
    if (0..lists.len()).any(|leaf| lists.get(leaf) == Some(&true) && !seen.contains(&leaf)) {
        return None;
    }
    let mut sample = numbered.clone();
    put_values(&mut sample, &|leaf| {
        deciding.contains(&leaf).then(|| leaves.get(leaf).map(|leaf| text_of(text, leaf)))?
    });
    let time = time_leaf(source, &numbered);
    let layout =
        Layout { source: index, native: numbered, sample, lists, prepared: OnceCell::new() };
    Some(Known { layout, time })
}

/// Puts values in the place of leaf numbers where they are known.
fn put_values(object: &mut Object<'static>, value_of: &dyn Fn(usize) -> Option<String>) {
    for (_, value) in &mut object.0 {
        match value {
            Value::Object(inner) => put_values(inner, value_of),
            Value::Int(leaf) => {
                if let Some(text) = usize::try_from(*leaf).ok().and_then(value_of) {
                    *value = Value::text(text);
                }
            }
            _ => {}
        }
    }
}

fn text_of(text: &str, leaf: &Leaf) -> String {
    let value = text.get(leaf.start as usize..leaf.end as usize).unwrap_or_default();
    match leaf.kind {
        LeafKind::Escaped => makyo_base::unescape(value).into_owned(),
        _ => value.to_owned(),
    }
}

/// The leaf of the first time that the source looks for and the record has.
fn time_leaf(source: &Source, numbered: &Object<'_>) -> Option<usize> {
    let leaf = source.time.iter().find_map(|spec| numbered.path(spec.only_field()?))?;
    match leaf {
        Value::Int(leaf) => usize::try_from(*leaf).ok(),
        _ => None,
    }
}
