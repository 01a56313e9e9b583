//! Many rules over one kind of record: questions shared, fields by slot, one pass a field.
//!
//! A plan keeps each distinct question once, however many rules ask it, and each distinct field
//! once. One pass over a field's value answers all questions for literals in it. A rule is tried
//! only if an answer without which it cannot hold has come up; it then runs as a short program
//! over answers, and only there regular expressions, numbers and networks are compared.

use makyo_base::{Object, Value};
use rustc_hash::FxHashMap;

use crate::literals::{Literals, LiteralsBuilder};
use crate::normal_form::{NormalForm, Question, gate};
use crate::predicate::{Anchoring, Test};
use crate::program::{Program, Programs};
use crate::selection::Selection;
use crate::values::{Marks, Scratch, Values};
use crate::witness::{Witness, witnesses};

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

/// Rules compiled together.
#[derive(Debug, Default)]
pub struct Plan {
    /// By slot: the field's name; none for the whole record.
    fields: Vec<Option<String>>,
    /// By slot.
    literals: Vec<Literals>,
    questions: Vec<Asked>,
    programs: Programs,
    /// By question: the rules that may hold once it is answered by a literal.
    waiting: Vec<Box<[u32]>>,
    /// By slot: the rules that may hold once the field is there.
    waiting_for_field: Vec<Vec<u32>>,
    /// Rules that may hold whatever the record says.
    always: Vec<u32>,
}

/// A question, compiled.
#[derive(Debug)]
enum Asked {
    /// Answered while the field is scanned.
    Literals,
    /// Tried when it is asked, if its gate (another question) was answered.
    Test { slot: usize, other: Option<usize>, gate: Option<u32>, test: Test },
}

/// Collects selections into a plan.
#[derive(Debug, Default)]
pub struct PlanBuilder {
    plan: Plan,
    slots: FxHashMap<Option<String>, usize>,
    known: FxHashMap<Question, u32>,
    literals: Vec<LiteralsBuilder>,
    waiting: Vec<Vec<u32>>,
}

impl PlanBuilder {
    /// Adds a selection; its number is its place in [`Plan::matches`].
    pub fn add(&mut self, selection: &Selection) -> usize {
        let expression = NormalForm::new(selection);
        let rule = self.plan.programs.len();
        let number = u32::try_from(rule).unwrap_or(u32::MAX);
        let mut known = |question: &Question| self.intern(question);
        let program = Program::compile(&expression, &mut known);
        self.plan.programs.push(program);
        match witnesses(&expression) {
            None => self.plan.always.push(number),
            Some(found) => found.into_iter().for_each(|witness| self.wait(witness, number)),
        }
        rule
    }

    fn wait(&mut self, witness: Witness<'_>, rule: u32) {
        match witness {
            Witness::Question(question) => {
                let question = self.intern(question) as usize;
                let gate = match self.plan.questions.get(question) {
                    Some(Asked::Test { gate: Some(gate), .. }) => *gate as usize,
                    _ => question,
                };
                if let Some(list) = self.waiting.get_mut(gate) {
                    list.push(rule);
                }
            }
            Witness::Field(name) => {
                let slot = self.slot(name);
                if let Some(list) = self.plan.waiting_for_field.get_mut(slot) {
                    list.push(rule);
                }
            }
        }
    }

    /// The finished plan.
    #[must_use]
    pub fn finish(mut self) -> Plan {
        self.plan.literals = self.literals.into_iter().map(LiteralsBuilder::finish).collect();
        self.plan.waiting = self
            .waiting
            .into_iter()
            .map(|mut rules| {
                rules.sort_unstable();
                rules.dedup();
                rules.into_boxed_slice()
            })
            .collect();
        self.plan
    }

    fn intern(&mut self, question: &Question) -> u32 {
        if let Some(number) = self.known.get(question) {
            return *number;
        }
        let asked = match question {
            Question::Literals(..) => Asked::Literals,
            Question::Other(predicate) => {
                let slot = self.slot(predicate.field.as_deref());
                let other = match &predicate.test {
                    Test::FieldRef(field, _) => Some(self.slot(Some(field))),
                    _ => None,
                };
                let gate = gate(&predicate.test).map(|literals| {
                    let literals =
                        literals.into_iter().map(|text| (Anchoring::Contains, text)).collect();
                    self.intern(&Question::Literals(predicate.field.clone(), literals))
                });
                Asked::Test { slot, other, gate, test: predicate.test.clone() }
            }
        };
        self.plan.questions.push(asked);
        self.waiting.push(Vec::new());
        let number = u32::try_from(self.plan.questions.len() - 1).unwrap_or(u32::MAX);
        if let Question::Literals(field, literals) = question {
            let slot = self.slot(field.as_deref());
            for (anchoring, literal) in literals {
                if let Some(builder) = self.literals.get_mut(slot) {
                    builder.add(*anchoring, literal, number);
                }
            }
        }
        self.known.insert(question.clone(), number);
        number
    }

    fn slot(&mut self, field: Option<&str>) -> usize {
        let field = field.map(str::to_owned);
        if let Some(slot) = self.slots.get(&field) {
            return *slot;
        }
        self.plan.fields.push(field.clone());
        self.plan.waiting_for_field.push(Vec::new());
        self.literals.push(LiteralsBuilder::default());
        let slot = self.plan.fields.len() - 1;
        self.slots.insert(field, slot);
        slot
    }
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
        self.programs.len() == 0
    }

    /// How many distinct questions its rules share.
    #[must_use]
    pub fn question_count(&self) -> usize {
        self.questions.len()
    }

    /// How many slots it has.
    #[must_use]
    pub fn slot_count(&self) -> usize {
        self.fields.len()
    }

    /// The fields that its rules look at, by slot; none stands for the whole record.
    pub fn fields(&self) -> impl Iterator<Item = Option<&str>> {
        self.fields.iter().map(Option::as_deref)
    }

    /// Calls `hit` with the number of every rule that the record meets, in order.
    pub fn matches(&self, scratch: &mut Scratch, record: &dyn Fields, hit: &mut dyn FnMut(usize)) {
        let values = &mut scratch.values;
        values.begin(self.fields.len());
        for (slot, field) in self.fields.iter().enumerate() {
            match field {
                None => values.fill_whole(slot, record.whole()),
                Some(name) => {
                    if let Some(value) = record.field(name) {
                        values.fill(slot, value);
                    }
                }
            }
        }
        self.matches_values(scratch, hit);
    }

    /// The same for a record whose values the caller has laid out by slot:
    /// [`Scratch::values`], [`Plan::fields`].
    pub fn matches_values(&self, scratch: &mut Scratch, hit: &mut dyn FnMut(usize)) {
        let Scratch { values, marks, hits } = scratch;
        marks.begin(self.questions.len(), self.programs.len());
        for (slot, literals) in self.literals.iter().enumerate() {
            if !values.is_there(slot) {
                continue;
            }
            if let Some(rules) = self.waiting_for_field.get(slot) {
                marks.propose(rules);
            }
            for (_, folded) in values.texts(slot) {
                literals.scan(folded, hits, &mut |question| {
                    if marks.find(question)
                        && let Some(rules) = self.waiting.get(question as usize)
                    {
                        marks.propose(rules);
                    }
                });
            }
        }
        marks.propose(&self.always);
        let mut candidates = std::mem::take(&mut marks.candidates);
        candidates.sort_unstable();
        for rule in &candidates {
            let mut ask = |question| self.ask(question, values, marks);
            if self.programs.run(*rule, &mut ask) {
                hit(*rule as usize);
            }
        }
        marks.candidates = candidates;
    }

    fn ask(&self, question: u32, values: &Values, marks: &mut Marks) -> bool {
        match self.questions.get(question as usize) {
            Some(Asked::Literals) => marks.is_found(question),
            Some(Asked::Test { slot, other, gate, test }) => {
                if gate.is_some_and(|gate| !marks.is_found(gate)) {
                    return false;
                }
                if let Some(verdict) = marks.tried(question) {
                    return verdict;
                }
                let verdict = holds(test, *slot, *other, values);
                marks.keep(question, verdict);
                verdict
            }
            None => false,
        }
    }
}

/// Whether a test holds for the values of a slot.
fn holds(test: &Test, slot: usize, other: Option<usize>, values: &Values) -> bool {
    match test {
        Test::Exists(wanted) => values.is_there(slot) == *wanted,
        Test::Null => !values.is_there(slot) || values.is_null(slot),
        Test::FieldRef(_, how) => other.is_some_and(|other| {
            values
                .texts(slot)
                .any(|(_, text)| values.texts(other).any(|(_, other)| how.holds(text, other)))
        }),
        test => values.texts(slot).any(|(text, folded)| test.passes(text, folded)),
    }
}

/// One selection compiled alone: the conditions of source descriptions.
#[derive(Debug)]
pub struct Matcher {
    plan: Plan,
    /// The fields that it compares with values; fields whose presence alone counts are not here.
    compared: Vec<String>,
    has_keywords: bool,
}

impl Matcher {
    /// Compiles a selection.
    #[must_use]
    pub fn new(selection: &Selection) -> Self {
        let mut builder = PlanBuilder::default();
        builder.add(selection);
        let mut matcher =
            Matcher { plan: builder.finish(), compared: Vec::new(), has_keywords: false };
        selection.each_leaf(&mut |predicate| match (&predicate.field, &predicate.test) {
            (None, _) => matcher.has_keywords = true,
            (_, Test::Exists(_) | Test::Null) => {}
            (Some(field), test) => {
                matcher.compared.push(field.clone());
                if let Test::FieldRef(other, _) = test {
                    matcher.compared.push(other.clone());
                }
            }
        });
        matcher.compared.sort_unstable();
        matcher.compared.dedup();
        matcher
    }

    /// Whether the record meets it.
    pub fn is_match(&self, scratch: &mut Scratch, record: &dyn Fields) -> bool {
        let mut found = false;
        self.plan.matches(scratch, record, &mut |_| found = true);
        found
    }

    /// The fields that it looks at, whether for their values or for their presence.
    pub fn fields(&self) -> impl Iterator<Item = &str> {
        self.plan.fields().flatten()
    }

    /// The fields whose values decide; none if the whole record does (keywords).
    #[must_use]
    pub fn compared_fields(&self) -> Option<&[String]> {
        (!self.has_keywords).then_some(self.compared.as_slice())
    }
}
