//! A record's values, laid out by slot, and the marks that evaluation leaves on them.

use makyo_base::{Object, Value};

use crate::fold::fold_into;

/// What evaluation keeps between records so as not to allocate anew; one per thread.
#[derive(Debug, Default)]
pub struct Scratch {
    pub(crate) values: Values,
    pub(crate) marks: Marks,
    pub(crate) hits: Vec<usize>,
}

impl Scratch {
    /// The values of the record at hand, to be laid out by the slots of a plan.
    #[inline]
    pub fn values(&mut self) -> &mut Values {
        &mut self.values
    }
}

/// The values that a record has in the slots of a plan.
#[derive(Debug, Default)]
pub struct Values {
    texts: String,
    folded: String,
    spans: Vec<Span>,
    slots: Vec<Slot>,
    /// Texts that several slots, or the slots of several plans, share.
    shared: Vec<Span>,
}

#[derive(Clone, Copy, Debug)]
struct Span {
    text: (usize, usize),
    folded: (usize, usize),
}

#[derive(Clone, Copy, Debug, Default)]
struct Slot {
    is_there: bool,
    is_null: bool,
    first: usize,
    last: usize,
}

impl Values {
    /// Makes room for a record of a plan with so many slots.
    pub fn begin(&mut self, slots: usize) {
        self.forget_shared();
        self.begin_again(slots);
    }

    /// Forgets the record before, with the texts that were shared.
    #[inline]
    pub fn forget_shared(&mut self) {
        self.texts.clear();
        self.folded.clear();
        self.shared.clear();
    }

    /// Keeps the text that `write` appends; it is named by the order in which it was kept.
    #[inline]
    pub fn share(&mut self, write: impl FnOnce(&mut String)) {
        let span = self.lay_down(write);
        self.shared.push(span);
    }

    /// Adds a shared text to the slot that was opened last.
    #[inline]
    pub fn add_shared(&mut self, slot: usize, number: usize) {
        if let Some(span) = self.shared.get(number) {
            self.spans.push(*span);
            if let Some(place) = self.slots.get_mut(slot) {
                place.last = self.spans.len();
            }
        }
    }

    /// Makes room for the same record under another plan.
    #[inline]
    pub fn begin_again(&mut self, slots: usize) {
        self.spans.clear();
        self.slots.clear();
        self.slots.resize(slots, Slot::default());
    }

    /// Fills a slot from a field's value; slots without a value are not filled.
    pub fn fill(&mut self, slot: usize, value: &Value<'_>) {
        self.open(slot, *value == Value::Null);
        texts_of(value, &mut |text| self.add(slot, text));
    }

    /// Fills a slot with all texts of a record.
    pub fn fill_whole(&mut self, slot: usize, record: &Object<'_>) {
        self.open(slot, false);
        for (_, value) in &record.0 {
            texts_of(value, &mut |text| self.add(slot, text));
        }
    }

    /// Says that the slot's field is there; its texts follow by [`Values::add`].
    #[inline]
    pub fn open(&mut self, slot: usize, is_null: bool) {
        let at = self.spans.len();
        if let Some(place) = self.slots.get_mut(slot) {
            *place = Slot { is_there: true, is_null, first: at, last: at };
        }
    }

    /// Adds a text to the slot that was opened last.
    pub fn add(&mut self, slot: usize, text: &str) {
        let span = self.lay_down(|to| to.push_str(text));
        self.spans.push(span);
        if let Some(place) = self.slots.get_mut(slot) {
            place.last = self.spans.len();
        }
    }

    #[inline]
    fn lay_down(&mut self, write: impl FnOnce(&mut String)) -> Span {
        let (from, folded_from) = (self.texts.len(), self.folded.len());
        write(&mut self.texts);
        let added = self.texts.get(from..).unwrap_or_default();
        // Windows pads some fields with blanks (`NtLmSsp `); rules are written without.
        let text = added.trim_end();
        let end = from + text.len();
        fold_into(text, &mut self.folded);
        self.texts.truncate(end);
        Span { text: (from, end), folded: (folded_from, self.folded.len()) }
    }

    pub(crate) fn is_there(&self, slot: usize) -> bool {
        self.slots.get(slot).is_some_and(|slot| slot.is_there)
    }

    pub(crate) fn is_null(&self, slot: usize) -> bool {
        self.slots.get(slot).is_some_and(|slot| slot.is_null)
    }

    /// The slot's texts, without trailing blanks: as they are, and in lower case.
    pub(crate) fn texts(&self, slot: usize) -> impl Iterator<Item = (&str, &str)> {
        let slot = self.slots.get(slot).copied().unwrap_or_default();
        let spans = self.spans.get(slot.first..slot.last).unwrap_or_default();
        spans.iter().map(|span| {
            (
                self.texts.get(span.text.0..span.text.1).unwrap_or_default(),
                self.folded.get(span.folded.0..span.folded.1).unwrap_or_default(),
            )
        })
    }
}

/// Visits the scalars of a value. An object as a field's value counts by its texts, so that a
/// rule sees what a nested record says.
pub(crate) fn texts_of(value: &Value<'_>, visit: &mut dyn FnMut(&str)) {
    match value {
        Value::List(list) => list.iter().for_each(|item| texts_of(item, visit)),
        Value::Object(object) => object.0.iter().for_each(|(_, inner)| texts_of(inner, visit)),
        scalar => {
            if let Some(text) = scalar.as_text() {
                visit(&text);
            }
        }
    }
}

/// What is known of a record so far. Marks of earlier records are told apart by their
/// generation, so that nothing has to be wiped between records.
#[derive(Debug, Default)]
pub(crate) struct Marks {
    generation: u32,
    /// By predicate: the generation in which a literal of it was found.
    found: Vec<u32>,
    /// By predicate: the generation in which it was tried, and with which outcome.
    tried: Vec<(u32, bool)>,
    /// By rule: the generation in which it became a candidate.
    candidate: Vec<u32>,
    pub(crate) candidates: Vec<u32>,
}

impl Marks {
    pub(crate) fn begin(&mut self, predicates: usize, rules: usize) {
        if self.generation == u32::MAX {
            *self = Marks::default();
        }
        self.generation += 1;
        if self.found.len() < predicates {
            self.found.resize(predicates, 0);
            self.tried.resize(predicates, (0, false));
        }
        if self.candidate.len() < rules {
            self.candidate.resize(rules, 0);
        }
        self.candidates.clear();
    }

    /// Marks the predicate; whether it was not marked before.
    #[inline]
    pub(crate) fn find(&mut self, predicate: u32) -> bool {
        match self.found.get_mut(predicate as usize) {
            Some(mark) if *mark != self.generation => {
                *mark = self.generation;
                true
            }
            _ => false,
        }
    }

    #[inline]
    pub(crate) fn is_found(&self, predicate: u32) -> bool {
        self.found.get(predicate as usize) == Some(&self.generation)
    }

    pub(crate) fn tried(&self, predicate: u32) -> Option<bool> {
        let (generation, verdict) = self.tried.get(predicate as usize)?;
        (*generation == self.generation).then_some(*verdict)
    }

    pub(crate) fn keep(&mut self, predicate: u32, verdict: bool) {
        if let Some(place) = self.tried.get_mut(predicate as usize) {
            *place = (self.generation, verdict);
        }
    }

    #[inline]
    pub(crate) fn propose(&mut self, rules: &[u32]) {
        for rule in rules {
            if let Some(mark) = self.candidate.get_mut(*rule as usize)
                && *mark != self.generation
            {
                *mark = self.generation;
                self.candidates.push(*rule);
            }
        }
    }
}
