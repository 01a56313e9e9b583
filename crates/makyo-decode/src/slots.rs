//! Where a record has what the descriptions ask for.
//!
//! Every name and path that any description mentions has a number. The fields of a record are
//! looked at once: each name is turned into the numbers that it answers, and from then on a
//! question for a field is a look into a table, above all where the record does not have it.
//! Records of one kind have the same names in the same places, so that a name is most often
//! known by comparing it with the one that stood there in the record before.

use std::borrow::Cow;

use makyo_base::{Object, Value};
use makyo_sigma::Numbered;
use rustc_hash::FxHashMap;

/// Names of records that are remembered for one artifact; the rest is looked up each time.
const NAMES_MAX: usize = 8192;

/// The paths that descriptions name.
#[derive(Debug, Default)]
pub(crate) struct Paths {
    list: Vec<Path>,
    numbers: FxHashMap<String, usize>,
    /// By name in lower case: the paths that it answers.
    lower: FxHashMap<String, Vec<usize>>,
}

#[derive(Debug)]
struct Path {
    text: String,
    /// For each dot, shortest head first: the head's number, and the tail.
    splits: Vec<(usize, String)>,
}

impl Paths {
    /// The number of a path.
    pub(crate) fn number(&mut self, path: &str) -> usize {
        if let Some(number) = self.numbers.get(path) {
            return *number;
        }
        let splits = path
            .match_indices('.')
            .filter_map(|(dot, _)| Some((path.get(..dot)?, path.get(dot + 1..)?)))
            .map(|(head, tail)| (self.number(head), tail.to_owned()))
            .collect();
        let number = self.list.len();
        self.list.push(Path { text: path.to_owned(), splits });
        self.numbers.insert(path.to_owned(), number);
        self.lower.entry(path.to_ascii_lowercase()).or_default().push(number);
        number
    }

    /// How many there are.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.list.len()
    }

    /// The path with this number.
    pub(crate) fn text(&self, number: usize) -> Option<&str> {
        self.list.get(number).map(|path| path.text.as_str())
    }

    /// The numbers that a name answers, and whether it is written exactly so.
    fn answers(&self, name: &str) -> Box<[(usize, bool)]> {
        let found = self.lower.get(&name.to_ascii_lowercase());
        let exact = |number: &usize| self.list.get(*number).is_some_and(|path| path.text == name);
        found.into_iter().flatten().map(|number| (*number, exact(number))).collect()
    }
}

/// Where one record has what.
#[derive(Debug, Default)]
pub(crate) struct Slots {
    /// By path.
    slots: Vec<Slot>,
    generation: u64,
    /// Whether a field holds fields of its own.
    is_nested: bool,
    /// Whether two fields have one name that is asked for.
    has_twins: bool,
    /// Names that were met, by name and by place.
    places: FxHashMap<Box<str>, usize>,
    names: Vec<Name>,
    /// By place in the record before: the place of the name.
    memo: Vec<usize>,
}

#[derive(Debug)]
struct Name {
    text: Box<str>,
    answers: Box<[(usize, bool)]>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Slot {
    generation: u64,
    index: usize,
    is_exact: bool,
}

impl Slots {
    /// Looks at all fields of a record.
    pub(crate) fn fill(&mut self, paths: &Paths, object: &Object<'_>) {
        self.generation += 1;
        self.slots.resize(paths.list.len(), Slot::default());
        self.is_nested = false;
        self.has_twins = false;
        for (index, (name, value)) in object.0.iter().enumerate() {
            self.add(paths, index, name, value);
        }
    }

    /// Looks at one more field.
    fn add(&mut self, paths: &Paths, index: usize, name: &str, value: &Value<'_>) {
        self.is_nested |= matches!(value, Value::Object(_) | Value::List(_));
        let known = self.memo.get(index).copied();
        let known = known.filter(|place| self.names.get(*place).is_some_and(|n| *n.text == *name));
        let place = known.or_else(|| self.learn(paths, index, name));
        let unkept;
        let answers = match place.and_then(|place| self.names.get(place)) {
            Some(known) => &*known.answers,
            None => {
                unkept = paths.answers(name);
                &*unkept
            }
        };
        for (number, is_exact) in answers {
            let Some(slot) = self.slots.get_mut(*number) else { continue };
            let is_taken = slot.generation == self.generation;
            self.has_twins |= is_taken && slot.is_exact && *is_exact;
            if !is_taken || *is_exact && !slot.is_exact {
                *slot = Slot { generation: self.generation, index, is_exact: *is_exact };
            }
        }
    }

    fn learn(&mut self, paths: &Paths, index: usize, name: &str) -> Option<usize> {
        let place = match self.places.get(name) {
            Some(place) => *place,
            None if self.names.len() >= NAMES_MAX => return None,
            None => {
                let place = self.names.len();
                self.names.push(Name { text: name.into(), answers: paths.answers(name) });
                self.places.insert(name.into(), place);
                place
            }
        };
        if self.memo.len() == index && index < NAMES_MAX {
            self.memo.push(place);
        } else if let Some(known) = self.memo.get_mut(index) {
            *known = place;
        }
        Some(place)
    }

    fn slot(&self, path: usize) -> Option<&Slot> {
        self.slots.get(path).filter(|slot| slot.generation == self.generation)
    }

    /// Appends a field unless one of this name is there.
    pub(crate) fn push_new<'a>(
        &mut self,
        paths: &Paths,
        object: &mut Object<'a>,
        (path, name): (usize, &'a str),
        value: Cow<'a, str>,
    ) {
        if self.slot(path).is_none_or(|slot| !slot.is_exact) {
            let value = Value::Str(value);
            self.add(paths, object.0.len(), name, &value);
            object.0.push((Cow::Borrowed(name), value));
        }
    }

    /// The place of the field whose whole name is this path; none if there are two.
    pub(crate) fn only_field(&self, path: usize) -> Option<usize> {
        self.slot(path).filter(|slot| slot.is_exact && !self.has_twins).map(|slot| slot.index)
    }

    /// Whether a field has exactly this name.
    pub(crate) fn has_field(&self, path: usize) -> bool {
        self.slot(path).is_some_and(|slot| slot.is_exact)
    }
}

/// A record and where it has what.
#[derive(Clone, Copy, Debug)]
pub(crate) struct View<'r, 'a> {
    pub(crate) object: &'r Object<'a>,
    pub(crate) slots: &'r Slots,
    pub(crate) paths: &'r Paths,
}

impl<'r, 'a> View<'r, 'a> {
    /// What [`Object::path`] gives for the path with this number.
    pub(crate) fn get(&self, path: usize) -> Option<&'r Value<'a>> {
        if let Some(slot) = self.slots.slot(path) {
            return self.object.0.get(slot.index).map(|field| &field.1);
        }
        if !self.slots.is_nested {
            return None;
        }
        self.paths.list.get(path)?.splits.iter().find_map(|(head, tail)| {
            let slot = self.slots.slot(*head)?;
            self.object.0.get(slot.index)?.1.enter(tail)
        })
    }

    /// The same, if it says something.
    pub(crate) fn get_filled(&self, path: usize) -> Option<&'r Value<'a>> {
        self.get(path).filter(|value| !value.is_blank())
    }
}

impl Numbered for View<'_, '_> {
    fn value(&self, field: usize) -> Option<&Value<'_>> {
        self.get(field)
    }

    fn whole(&self) -> &Object<'_> {
        self.object
    }
}
