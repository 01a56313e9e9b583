//! An expression as steps over ASCII.

use memchr::memmem::Finder;
use regex_syntax::ParserBuilder;
use regex_syntax::hir::{Class, Hir, HirKind, Look, Repetition};

/// Longer programs are left to the regex crate.
const STEPS_MAX: usize = 512;

/// Which bytes.
pub(super) type Set = Box<[bool; 256]>;

/// One step.
#[derive(Debug)]
pub(super) enum Step {
    /// These bytes.
    Bytes(Box<[u8]>),
    /// One byte of a set.
    Set(Set),
    /// As many bytes of a set as there are, or as few as will do.
    Run(Run),
    /// Goes on at the first place and, if that fails, at the second.
    Split(usize, usize),
    Jump(usize),
    /// Keeps the place in the text.
    Save(usize),
    /// At the start of the text.
    Start,
    /// At its end.
    End,
    /// Between a letter, digit or underscore and something else; or not.
    Boundary(bool),
    Match,
}

#[derive(Debug)]
pub(super) struct Run {
    pub(super) set: Set,
    pub(super) min: usize,
    pub(super) max: usize,
    pub(super) is_greedy: bool,
    /// What follows cannot begin inside the run, so that nothing is to be given back.
    pub(super) is_final: bool,
    /// What follows begins with this byte.
    pub(super) next: Option<u8>,
}

/// A compiled expression.
#[derive(Debug)]
pub(super) struct Program {
    pub(super) steps: Vec<Step>,
    pub(super) slots: usize,
    /// Matches begin at the start of the text.
    pub(super) is_anchored: bool,
    /// Matches begin with this text.
    pub(super) prefix: Option<Finder<'static>>,
    /// Matches begin with one of these bytes.
    pub(super) first: Option<Set>,
    /// Matches hold this text.
    pub(super) inside: Option<Finder<'static>>,
}

impl Program {
    /// Compiles an expression for ASCII, if it is made of what is known here.
    pub(super) fn new(text: &str) -> Option<Self> {
        // On ASCII the classes of bytes mean what those of letters mean.
        let hir = ParserBuilder::new().unicode(false).utf8(false).build().parse(text).ok()?;
        let mut steps = Vec::new();
        emit(&hir, &mut steps)?;
        steps.push(Step::Match);
        look_ahead(&mut steps);
        let mut after_saves = steps.iter().filter(|step| !matches!(step, Step::Save(_)));
        let head = after_saves.next();
        let prefix = match head {
            Some(Step::Bytes(bytes)) => Some(Finder::new(bytes).into_owned()),
            _ => None,
        };
        let mut first: Set = Box::new([false; 256]);
        let has_first = prefix.is_none() && !first_bytes(&hir, &mut first)?;
        let inside = inside(&hir).filter(|bytes| prefix.is_none() && bytes.len() >= 3);
        Some(Program {
            is_anchored: matches!(head, Some(Step::Start)),
            slots: 2 * (hir.properties().explicit_captures_len() + 1),
            prefix,
            first: has_first.then_some(first),
            inside: inside.map(|bytes| Finder::new(bytes).into_owned()),
            steps,
        })
    }
}

/// The longest text that every match holds, of those that stand in the outermost sequence.
fn inside(hir: &Hir) -> Option<&[u8]> {
    match hir.kind() {
        HirKind::Literal(literal) => Some(&literal.0),
        HirKind::Capture(capture) => inside(&capture.sub),
        HirKind::Concat(parts) => parts.iter().filter_map(inside).max_by_key(|found| found.len()),
        _ => None,
    }
}

/// Adds the bytes with which a match can begin; whether it can be empty.
fn first_bytes(hir: &Hir, set: &mut Set) -> Option<bool> {
    Some(match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => true,
        HirKind::Literal(literal) => {
            *set.get_mut(usize::from(*literal.0.first()?))? = true;
            false
        }
        HirKind::Class(class) => {
            let own = set_of(class)?;
            set.iter_mut().zip(own.iter()).for_each(|(to, from)| *to |= *from);
            false
        }
        HirKind::Repetition(repetition) => {
            first_bytes(&repetition.sub, set)? || repetition.min == 0
        }
        HirKind::Capture(capture) => first_bytes(&capture.sub, set)?,
        HirKind::Concat(parts) => {
            for part in parts {
                if !first_bytes(part, set)? {
                    return Some(false);
                }
            }
            true
        }
        HirKind::Alternation(parts) => {
            let mut is_empty = false;
            for part in parts {
                is_empty |= first_bytes(part, set)?;
            }
            is_empty
        }
    })
}

fn set_of(class: &Class) -> Option<Set> {
    let mut set: Set = Box::new([false; 256]);
    let mut add = |from: u32, to: u32| {
        for byte in from..=to.min(255) {
            if let Some(place) = set.get_mut(byte as usize) {
                *place = true;
            }
        }
    };
    match class {
        Class::Bytes(bytes) => {
            bytes.ranges().iter().for_each(|range| add(range.start().into(), range.end().into()));
        }
        // Beyond ASCII there is nothing to be met.
        Class::Unicode(letters) => letters
            .ranges()
            .iter()
            .for_each(|range| add(range.start().into(), u32::from(range.end()).min(127))),
    }
    Some(set)
}

/// The set of a part that is always one byte.
fn single(hir: &Hir) -> Option<Set> {
    match hir.kind() {
        HirKind::Class(class) => set_of(class),
        HirKind::Literal(literal) => match *literal.0 {
            [byte] => {
                let mut set: Set = Box::new([false; 256]);
                *set.get_mut(usize::from(byte))? = true;
                Some(set)
            }
            _ => None,
        },
        _ => None,
    }
}

fn emit(hir: &Hir, steps: &mut Vec<Step>) -> Option<()> {
    if steps.len() > STEPS_MAX {
        return None;
    }
    match hir.kind() {
        HirKind::Empty => {}
        HirKind::Literal(literal) => steps.push(Step::Bytes(literal.0.clone())),
        HirKind::Class(class) => steps.push(Step::Set(set_of(class)?)),
        HirKind::Look(look) => steps.push(match look {
            Look::Start => Step::Start,
            Look::End => Step::End,
            Look::WordAscii => Step::Boundary(true),
            Look::WordAsciiNegate => Step::Boundary(false),
            _ => return None,
        }),
        HirKind::Capture(capture) => {
            let slot = 2 * usize::try_from(capture.index).ok()?;
            steps.push(Step::Save(slot));
            emit(&capture.sub, steps)?;
            steps.push(Step::Save(slot + 1));
        }
        HirKind::Concat(parts) => parts.iter().try_for_each(|part| emit(part, steps))?,
        HirKind::Alternation(parts) => {
            let (last, others) = parts.split_last()?;
            let mut jumps = Vec::new();
            for part in others {
                let split = steps.len();
                steps.push(Step::Split(split + 1, 0));
                emit(part, steps)?;
                jumps.push(steps.len());
                steps.push(Step::Jump(0));
                let next = steps.len();
                *steps.get_mut(split)? = Step::Split(split + 1, next);
            }
            emit(last, steps)?;
            let end = steps.len();
            for jump in jumps {
                *steps.get_mut(jump)? = Step::Jump(end);
            }
        }
        HirKind::Repetition(repetition) => repeat(repetition, steps)?,
    }
    Some(())
}

fn repeat(repetition: &Repetition, steps: &mut Vec<Step>) -> Option<()> {
    let is_greedy = repetition.greedy;
    let min = usize::try_from(repetition.min).ok()?;
    if let Some(set) = single(&repetition.sub) {
        let max = repetition.max.map_or(usize::MAX, |max| max as usize);
        steps.push(Step::Run(Run { set, min, max, is_greedy, is_final: false, next: None }));
        return Some(());
    }
    // A part that may be empty could be repeated for ever.
    if repetition.sub.properties().minimum_len().unwrap_or(0) == 0 {
        return None;
    }
    for _ in 0..min {
        emit(&repetition.sub, steps)?;
    }
    let order = |inside: usize, outside: usize| {
        if is_greedy { Step::Split(inside, outside) } else { Step::Split(outside, inside) }
    };
    match repetition.max {
        None => {
            let split = steps.len();
            steps.push(Step::Match);
            emit(&repetition.sub, steps)?;
            steps.push(Step::Jump(split));
            let end = steps.len();
            *steps.get_mut(split)? = order(split + 1, end);
        }
        Some(max) => {
            let mut splits = Vec::new();
            for _ in min..max as usize {
                splits.push(steps.len());
                steps.push(Step::Match);
                emit(&repetition.sub, steps)?;
            }
            let end = steps.len();
            for split in splits {
                *steps.get_mut(split)? = order(split + 1, end);
            }
        }
    }
    Some(())
}

/// Tells each run what follows it.
fn look_ahead(steps: &mut [Step]) {
    for at in 0..steps.len() {
        let Some((head, tail)) = steps.split_at_mut_checked(at + 1) else { continue };
        let Some(Step::Run(run)) = head.last_mut() else { continue };
        let next = tail.iter().find(|step| !matches!(step, Step::Save(_)));
        let is_apart = |set: &Set| !run.set.iter().zip(set.iter()).any(|(a, b)| *a && *b);
        run.is_final = run.is_greedy
            && match next {
                Some(Step::Bytes(bytes)) => bytes
                    .first()
                    .is_some_and(|byte| run.set.get(usize::from(*byte)) == Some(&false)),
                Some(Step::Set(set)) => is_apart(set),
                Some(Step::Run(other)) => other.min > 0 && is_apart(&other.set),
                Some(Step::End | Step::Match) => true,
                _ => false,
            };
        run.next = match next {
            Some(Step::Bytes(bytes)) => bytes.first().copied(),
            _ => None,
        };
    }
}
