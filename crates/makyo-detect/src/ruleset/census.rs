//! What the evidence held, as the rules see it: why rules were silent.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{Hash, Hasher};

use makyo_base::{Decoded, Layout, Object, Value};
use rustc_hash::{FxHashSet, FxHasher};

use super::{DetectState, RuleSet};

/// So many field names are noted of one source. Records with invented names must not fill the
/// memory; beyond it nobody claims that a field is not there.
const FIELDS_MAX: usize = 4096;
/// So many kinds and forms of records are told apart before the noting begins anew.
const FORMS_MAX: usize = 16_384;
/// Fields are noted so deep.
const DEPTH_MAX: usize = 4;

/// Records by source, which of their log sources occurred, and the names of their fields.
#[derive(Clone, Debug, Default)]
pub struct Census {
    records: BTreeMap<usize, u64>,
    /// Source and route.
    routes: BTreeSet<(usize, usize)>,
    fields: BTreeMap<usize, BTreeSet<String>>,
    forms: FxHashSet<u64>,
}

/// What became of a rule.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Reach {
    /// No source serves its log source.
    NotServed,
    /// No record of its log source was there.
    NoRecords,
    /// Records of its log source were there, but none has these fields, without which it cannot
    /// hold.
    NoFields(Vec<String>),
    /// It was put to records that have its fields.
    Applied,
}

impl Census {
    /// Counts a record that was not opened; its layout was noted.
    pub fn count(&mut self, source: usize) {
        *self.records.entry(source).or_default() += 1;
    }

    /// Notes a record.
    pub fn note(&mut self, rules: &RuleSet, state: &mut DetectState, record: &Decoded<'_>) {
        self.count(record.source);
        let mut form = FxHasher::default();
        record.source.hash(&mut form);
        shape(record.native, 0, &mut form);
        let source = rules.sources.get(record.source);
        for field in source.map(|source| source.deciding.as_slice()).unwrap_or_default() {
            record.native.path(field).and_then(Value::as_text).hash(&mut form);
        }
        if self.forms.len() >= FORMS_MAX {
            self.forms.clear();
        }
        if !self.forms.insert(form.finish()) {
            return;
        }
        self.note_routes(rules, state, record.source, record.native);
        self.note_fields(record.source, record.native, &[]);
    }

    /// Notes a layout, once for all records that have it; they are counted by [`Census::count`].
    pub fn note_layout(&mut self, rules: &RuleSet, state: &mut DetectState, layout: &Layout) {
        self.note_routes(rules, state, layout.source, &layout.sample);
        self.note_fields(layout.source, &layout.native, &layout.lists);
    }

    fn note_routes(
        &mut self,
        rules: &RuleSet,
        state: &mut DetectState,
        source: usize,
        native: &Object<'_>,
    ) {
        let Some(of_source) = rules.sources.get(source) else { return };
        for (place, route) in of_source.routes.iter().enumerate() {
            let when = route.when.as_ref();
            if when.is_none_or(|when| when.is_match(&mut state.scratch, native)) {
                self.routes.insert((source, place));
            }
        }
    }

    fn note_fields(&mut self, source: usize, native: &Object<'_>, lists: &[bool]) {
        let fields = self.fields.entry(source).or_default();
        names(native, lists, "", 0, &mut |name| {
            if fields.len() < FIELDS_MAX {
                fields.insert(name.to_owned());
            }
        });
    }

    /// Takes in another one.
    pub fn merge(&mut self, other: Census) {
        for (source, count) in other.records {
            *self.records.entry(source).or_default() += count;
        }
        self.routes.extend(other.routes);
        for (source, names) in other.fields {
            self.fields.entry(source).or_default().extend(names);
        }
    }

    /// How many records each source gave, by its place; what no source describes comes last.
    #[must_use]
    pub fn records(&self) -> &BTreeMap<usize, u64> {
        &self.records
    }

    /// Whether a field may be there: it was seen, or too many were there to note them all.
    #[must_use]
    pub fn may_have(&self, source: usize, name: &str) -> bool {
        self.fields.get(&source).is_some_and(|fields| {
            fields.len() >= FIELDS_MAX
                || fields.contains(name)
                // Lists are entered by what they hold, which is not noted.
                || name.match_indices('.').any(|(dot, _)| {
                    name.get(..dot).is_some_and(|head| fields.contains(&format!("{head}.*")))
                })
        })
    }
}

fn shape(object: &Object<'_>, depth: usize, to: &mut FxHasher) {
    for (name, value) in &object.0 {
        name.hash(to);
        match value {
            Value::Object(inner) if depth < DEPTH_MAX => shape(inner, depth + 1, to),
            Value::List(_) => 1_u8.hash(to),
            _ => 0_u8.hash(to),
        }
    }
    u8::MAX.hash(to);
}

/// Names with their paths. `lists` says which leaves of a layout stand for lists.
fn names(
    object: &Object<'_>,
    lists: &[bool],
    before: &str,
    depth: usize,
    tell: &mut dyn FnMut(&str),
) {
    for (name, value) in &object.0 {
        let name = if before.is_empty() { name.to_string() } else { format!("{before}.{name}") };
        tell(&name);
        let is_list = match value {
            Value::Int(leaf) => {
                usize::try_from(*leaf).is_ok_and(|leaf| lists.get(leaf) == Some(&true))
            }
            Value::List(_) => true,
            _ => false,
        };
        match value {
            Value::Object(inner) if depth < DEPTH_MAX => {
                names(inner, lists, &name, depth + 1, tell);
            }
            Value::Object(_) => tell(&format!("{name}.*")),
            _ if is_list => tell(&format!("{name}.*")),
            _ => {}
        }
    }
}

impl RuleSet {
    /// The sources that serve the rule of this index, by their places.
    #[must_use]
    pub fn served_by(&self, index: usize) -> Vec<usize> {
        let serves = |source: &super::OfSource| {
            source.routes.iter().any(|route| route.rules.binary_search(&index).is_ok())
        };
        (0..self.sources.len())
            .filter(|place| self.sources.get(*place).is_some_and(serves))
            .collect()
    }

    /// Whether any rule asks for records of a source.
    #[must_use]
    pub fn asks_for(&self, source: usize) -> bool {
        self.sources.get(source).is_some_and(|source| !source.routes.is_empty())
    }

    /// What became of the rule of this index in evidence of this kind.
    #[must_use]
    pub fn reach(&self, index: usize, census: &Census) -> Reach {
        let Some(rule) = self.rules.get(index) else { return Reach::NotServed };
        if self.served_by(index).is_empty() {
            return Reach::NotServed;
        }
        let mut reach = Reach::NoRecords;
        for (source, place) in &census.routes {
            let route = self.sources.get(*source).and_then(|source| source.routes.get(*place));
            let Some(route) = route.filter(|route| route.rules.binary_search(&index).is_ok())
            else {
                continue;
            };
            let is_there = |field: &str| {
                let alias = route.fields.iter().find(|pair| pair.0 == field);
                census.may_have(*source, field)
                    || alias.is_some_and(|pair| census.may_have(*source, &pair.1))
            };
            let left = rule.selection.assume(&|field| (!is_there(field)).then_some(None));
            if left != makyo_sigma::Selection::never() {
                return Reach::Applied;
            }
            let mut missing = BTreeSet::new();
            rule.selection.each_leaf(&mut |leaf| {
                missing.extend(leaf.field.clone().filter(|field| !is_there(field)));
            });
            reach = Reach::NoFields(missing.into_iter().collect());
        }
        reach
    }
}
