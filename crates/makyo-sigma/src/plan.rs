//! Many rules over one kind of record: predicates shared, fields resolved once.
//!
//! A plan keeps each distinct predicate once, however many rules use it, and each distinct field
//! once; a record's fields are looked up and folded to lower case at most once, a predicate is
//! evaluated at most once. Rules are small programs over predicate numbers.

use makyo_base::{Object, Value};
use rustc_hash::FxHashMap;

use crate::predicate::{Anchoring, Predicate, Test};
use crate::selection::Selection;

/// A record's fields by the names that rules use.
pub trait Fields {
    /// The value of a field; names may be dotted paths.
    fn field(&self, name: &str) -> Option<&Value<'_>>;
    /// The whole record, for keywords.
    fn whole(&self) -> &Object<'_>;
}

impl Fields for Object<'_> {
    fn field(&self, name: &str) -> Option<&Value<'_>> {
        self.path(name)
    }

    fn whole(&self) -> &Object<'_> {
        self
    }
}

#[derive(Clone, Debug)]
enum Program {
    Predicate(usize),
    And(Vec<Program>),
    Or(Vec<Program>),
    Not(Box<Program>),
}

#[derive(Debug)]
struct Slotted {
    /// The field's slot; none for keywords.
    slot: Option<usize>,
    /// The other field's slot, for references.
    other: Option<usize>,
    test: Test,
}

/// Rules compiled together.
#[derive(Debug, Default)]
pub struct Plan {
    fields: Vec<String>,
    predicates: Vec<Slotted>,
    programs: Vec<Program>,
}

/// Collects selections into a plan.
#[derive(Debug, Default)]
pub struct PlanBuilder {
    plan: Plan,
    slots: FxHashMap<String, usize>,
    known: FxHashMap<Predicate, usize>,
}

impl PlanBuilder {
    /// Adds a selection; its number is its place in [`Plan::matches`].
    pub fn add(&mut self, selection: &Selection) -> usize {
        let program = self.compile(selection);
        self.plan.programs.push(program);
        self.plan.programs.len() - 1
    }

    /// The finished plan.
    #[must_use]
    pub fn finish(self) -> Plan {
        self.plan
    }

    fn compile(&mut self, selection: &Selection) -> Program {
        match selection {
            Selection::Leaf(predicate) => Program::Predicate(self.intern(predicate)),
            Selection::And(list) => {
                Program::And(list.iter().map(|one| self.compile(one)).collect())
            }
            Selection::Or(list) => Program::Or(list.iter().map(|one| self.compile(one)).collect()),
            Selection::Not(inner) => Program::Not(Box::new(self.compile(inner))),
        }
    }

    fn intern(&mut self, predicate: &Predicate) -> usize {
        if let Some(index) = self.known.get(predicate) {
            return *index;
        }
        let slot = predicate.field.as_deref().map(|field| self.slot(field));
        let other = match &predicate.test {
            Test::FieldRef(field, _) => Some(self.slot(field)),
            _ => None,
        };
        self.plan.predicates.push(Slotted { slot, other, test: predicate.test.clone() });
        let index = self.plan.predicates.len() - 1;
        self.known.insert(predicate.clone(), index);
        index
    }

    fn slot(&mut self, field: &str) -> usize {
        if let Some(slot) = self.slots.get(field) {
            return *slot;
        }
        self.plan.fields.push(field.to_owned());
        let slot = self.plan.fields.len() - 1;
        self.slots.insert(field.to_owned(), slot);
        slot
    }
}

/// What evaluation keeps between records so as not to allocate anew; one per thread.
#[derive(Debug, Default)]
pub struct Scratch {
    verdicts: Vec<Option<bool>>,
    slots: Vec<Option<Slot>>,
}

#[derive(Debug, Default)]
struct Slot {
    is_there: bool,
    is_null: bool,
    /// The field's texts, without trailing blanks, as they are and in lower case.
    texts: Vec<(String, String)>,
}

impl Plan {
    /// How many rules it holds.
    #[must_use]
    pub fn len(&self) -> usize {
        self.programs.len()
    }

    /// Whether it holds no rule.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.programs.is_empty()
    }

    /// How many distinct predicates its rules share.
    #[must_use]
    pub fn predicate_count(&self) -> usize {
        self.predicates.len()
    }

    /// Calls `hit` with the number of every rule that the record meets, in order.
    pub fn matches(&self, scratch: &mut Scratch, record: &dyn Fields, hit: &mut dyn FnMut(usize)) {
        scratch.verdicts.clear();
        scratch.verdicts.resize(self.predicates.len(), None);
        scratch.slots.clear();
        scratch.slots.resize_with(self.fields.len(), || None);
        for (number, program) in self.programs.iter().enumerate() {
            if self.run(program, scratch, record) {
                hit(number);
            }
        }
    }

    fn run(&self, program: &Program, scratch: &mut Scratch, record: &dyn Fields) -> bool {
        match program {
            Program::And(list) => list.iter().all(|one| self.run(one, scratch, record)),
            Program::Or(list) => list.iter().any(|one| self.run(one, scratch, record)),
            Program::Not(inner) => !self.run(inner, scratch, record),
            Program::Predicate(index) => {
                if let Some(Some(verdict)) = scratch.verdicts.get(*index) {
                    return *verdict;
                }
                let verdict =
                    self.predicates.get(*index).is_some_and(|one| self.test(one, scratch, record));
                if let Some(place) = scratch.verdicts.get_mut(*index) {
                    *place = Some(verdict);
                }
                verdict
            }
        }
    }

    fn test(&self, predicate: &Slotted, scratch: &mut Scratch, record: &dyn Fields) -> bool {
        let Some(slot) = predicate.slot else {
            return any_text(record.whole(), &mut |text| {
                let text = text.trim_end();
                predicate.test.passes(text, &text.to_lowercase())
            });
        };
        self.fill(slot, scratch, record);
        if let Some(other) = predicate.other {
            self.fill(other, scratch, record);
        }
        let Some(Some(values)) = scratch.slots.get(slot) else { return false };
        match &predicate.test {
            Test::Exists(wanted) => values.is_there == *wanted,
            Test::Null => !values.is_there || values.is_null,
            Test::FieldRef(_, how) => {
                let Some(Some(others)) = predicate.other.and_then(|slot| scratch.slots.get(slot))
                else {
                    return false;
                };
                values.texts.iter().any(|(_, text)| {
                    others.texts.iter().any(|(_, other)| refers(*how, text, other))
                })
            }
            test => values.texts.iter().any(|(text, folded)| test.passes(text, folded)),
        }
    }

    fn fill(&self, slot: usize, scratch: &mut Scratch, record: &dyn Fields) {
        let Some(place @ None) = scratch.slots.get_mut(slot) else { return };
        let mut filled = Slot::default();
        if let Some(value) = self.fields.get(slot).and_then(|name| record.field(name)) {
            filled.is_there = true;
            filled.is_null = *value == Value::Null;
            texts_of(value, &mut |text| {
                // Windows pads some fields with blanks (`NtLmSsp `); rules are written without.
                let text = text.trim_end();
                filled.texts.push((text.to_owned(), text.to_lowercase()));
                false
            });
        }
        *place = Some(filled);
    }
}

fn refers(how: Anchoring, text: &str, other: &str) -> bool {
    match how {
        Anchoring::Equals => text == other,
        Anchoring::Contains => text.contains(other),
        Anchoring::StartsWith => text.starts_with(other),
        Anchoring::EndsWith => text.ends_with(other),
    }
}

/// Visits the scalars of a value until one answers `true`. An object as a field's value counts by
/// its texts, so that a rule sees what a nested record says.
fn texts_of(value: &Value<'_>, visit: &mut dyn FnMut(&str) -> bool) -> bool {
    match value {
        Value::List(list) => list.iter().any(|item| texts_of(item, visit)),
        Value::Object(object) => any_text(object, visit),
        scalar => scalar.as_text().is_some_and(|text| visit(&text)),
    }
}

fn any_text(object: &Object<'_>, visit: &mut dyn FnMut(&str) -> bool) -> bool {
    object.0.iter().any(|(_, value)| texts_of(value, visit))
}

/// One selection compiled alone: the conditions of source descriptions.
#[derive(Debug)]
pub struct Matcher(Plan);

impl Matcher {
    /// Compiles a selection.
    #[must_use]
    pub fn new(selection: &Selection) -> Self {
        let mut builder = PlanBuilder::default();
        builder.add(selection);
        Matcher(builder.finish())
    }

    /// Whether the record meets it.
    pub fn is_match(&self, scratch: &mut Scratch, record: &dyn Fields) -> bool {
        let mut found = false;
        self.0.matches(scratch, record, &mut |_| found = true);
        found
    }
}
