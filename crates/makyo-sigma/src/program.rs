//! Rules as short programs: a question, and where to go on with either answer.

use crate::normal_form::{NormalForm, Question};
use crate::predicate::Test;

/// The rule holds.
const HOLDS: u32 = u32::MAX;
/// The rule does not hold.
const FAILS: u32 = u32::MAX - 1;

#[derive(Clone, Copy, Debug)]
struct Step {
    question: u32,
    yes: u32,
    no: u32,
}

/// One rule's steps; places are counted from its own first step.
#[derive(Debug, Default)]
pub(crate) struct Program {
    steps: Vec<Step>,
    entry: u32,
}

/// The programs of a plan, one after another.
#[derive(Debug, Default)]
pub(crate) struct Programs {
    steps: Vec<Step>,
    /// By rule: where its steps begin, and its entry among them.
    starts: Vec<(usize, u32)>,
}

impl Program {
    pub(crate) fn compile(
        expression: &NormalForm,
        number: &mut dyn FnMut(&Question) -> u32,
    ) -> Self {
        let mut program = Program::default();
        program.entry = program.emit(expression, HOLDS, FAILS, number);
        program
    }

    /// Writes the steps of an expression from its end to its beginning; the place where it begins.
    fn emit(
        &mut self,
        expression: &NormalForm,
        yes: u32,
        no: u32,
        number: &mut dyn FnMut(&Question) -> u32,
    ) -> u32 {
        match expression {
            NormalForm::Leaf(question, wanted) => {
                let (yes, no) = if *wanted { (yes, no) } else { (no, yes) };
                self.steps.push(Step { question: number(question), yes, no });
                u32::try_from(self.steps.len() - 1).unwrap_or(FAILS)
            }
            NormalForm::And(list) => by_cost(list)
                .into_iter()
                .rev()
                .fold(yes, |next, part| self.emit(part, next, no, number)),
            NormalForm::Or(list) => by_cost(list)
                .into_iter()
                .rev()
                .fold(no, |next, part| self.emit(part, yes, next, number)),
        }
    }
}

/// Cheap questions first: their answers are there already.
fn by_cost(list: &[NormalForm]) -> Vec<&NormalForm> {
    let mut sorted: Vec<&NormalForm> = list.iter().collect();
    sorted.sort_by_key(|part| cost(part));
    sorted
}

fn cost(expression: &NormalForm) -> u32 {
    match expression {
        NormalForm::Leaf(Question::Literals(..), _) => 0,
        NormalForm::Leaf(Question::Other(predicate), _) => match predicate.test {
            Test::Exists(_) | Test::Null => 0,
            Test::Regex(_) => 10,
            _ => 3,
        },
        NormalForm::And(list) | NormalForm::Or(list) => {
            list.iter().map(cost).max().unwrap_or(0) + 1
        }
    }
}

impl Programs {
    pub(crate) fn push(&mut self, program: Program) {
        self.starts.push((self.steps.len(), program.entry));
        self.steps.extend(program.steps);
    }

    pub(crate) fn len(&self) -> usize {
        self.starts.len()
    }

    /// Runs a rule's program. Steps only lead to steps written before them, so that it ends.
    pub(crate) fn run(&self, rule: u32, ask: &mut dyn FnMut(u32) -> bool) -> bool {
        let Some((start, mut at)) = self.starts.get(rule as usize).copied() else { return false };
        while at < FAILS {
            let Some(step) = self.steps.get(start + at as usize) else { return false };
            at = if ask(step.question) { step.yes } else { step.no };
        }
        at == HOLDS
    }
}
