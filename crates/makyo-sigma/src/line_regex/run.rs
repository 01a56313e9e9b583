//! Trying the steps, with what was left to try kept on a stack.

use super::compile::{Program, Run, Step};

/// So many steps are tried in one search; then the expression is left to the regex crate.
const STEPS_MAX: usize = 1 << 14;

/// The search took too long.
#[derive(Debug)]
pub(super) struct TooLong;

/// What a search works in.
#[derive(Debug)]
pub(super) struct Room {
    slots: Vec<usize>,
    stack: Vec<Left>,
    steps: usize,
}

/// What is left to try.
#[derive(Clone, Copy, Debug)]
enum Left {
    /// From this step at this place.
    Branch(usize, usize),
    /// The run of this step, which began to be optional here, up to here.
    Shorter(usize, usize, usize),
    /// The run of this step, from here on, so many bytes at most.
    Longer(usize, usize, usize),
    /// Nothing: the slot was this before.
    Slot(usize, usize),
}

const NONE: usize = usize::MAX;

impl Room {
    pub(super) const fn new() -> Self {
        Room { slots: Vec::new(), stack: Vec::new(), steps: 0 }
    }

    /// The ends of the groups of the match that was found; of those that have no part in it,
    /// places outside of the text.
    pub(super) fn slots(&self) -> &[usize] {
        &self.slots
    }
}

impl Program {
    /// Looks for the leftmost match.
    pub(super) fn search(&self, text: &[u8], room: &mut Room) -> Result<bool, TooLong> {
        room.steps = 0;
        if self.inside.as_ref().is_some_and(|finder| finder.find(text).is_none()) {
            return Ok(false);
        }
        if self.is_anchored {
            return self.try_at(text, 0, room);
        }
        let mut from = 0;
        loop {
            let rest = text.get(from..).unwrap_or_default();
            let skipped = match (&self.prefix, &self.first) {
                (Some(finder), _) => finder.find(rest),
                (None, Some(set)) => {
                    rest.iter().position(|byte| set.get(usize::from(*byte)) == Some(&true))
                }
                (None, None) => Some(0),
            };
            let Some(skipped) = skipped else { return Ok(false) };
            from += skipped;
            if self.try_at(text, from, room)? {
                return Ok(true);
            }
            from += 1;
            if from > text.len() {
                return Ok(false);
            }
        }
    }

    fn try_at(&self, text: &[u8], start: usize, room: &mut Room) -> Result<bool, TooLong> {
        room.slots.clear();
        room.slots.resize(self.slots, NONE);
        room.stack.clear();
        let (mut at, mut place) = (0, start);
        loop {
            room.steps += 1;
            if room.steps > STEPS_MAX {
                return Err(TooLong);
            }
            let next = match self.steps.get(at) {
                Some(Step::Match) => {
                    if let Some([from, to, ..]) = room.slots.get_mut(..2).map(|ends| &mut *ends) {
                        (*from, *to) = (start, place);
                    }
                    return Ok(true);
                }
                Some(step) => advance(step, text, at, place, room),
                None => None,
            };
            match next.or_else(|| self.again(text, room)) {
                Some(next) => (at, place) = next,
                None => return Ok(false),
            }
        }
    }

    /// The last thing that was left to try.
    fn again(&self, text: &[u8], room: &mut Room) -> Option<(usize, usize)> {
        loop {
            match room.stack.pop()? {
                Left::Branch(at, place) => return Some((at, place)),
                Left::Slot(slot, before) => {
                    if let Some(now) = room.slots.get_mut(slot) {
                        *now = before;
                    }
                }
                Left::Shorter(at, from, to) => {
                    let Some(Step::Run(run)) = self.steps.get(at) else { continue };
                    let before = text.get(from..to).unwrap_or_default();
                    let place = match run.next {
                        Some(next) => before.iter().rposition(|byte| *byte == next),
                        None => before.len().checked_sub(1),
                    };
                    let Some(place) = place else { continue };
                    room.steps += before.len() - place;
                    if place > 0 {
                        room.stack.push(Left::Shorter(at, from, from + place));
                    }
                    return Some((at + 1, from + place));
                }
                Left::Longer(at, from, left) => {
                    let Some(Step::Run(run)) = self.steps.get(at) else { continue };
                    if let Some((place, left)) = run.longer(text, from, left, room) {
                        room.stack.push(Left::Longer(at, place, left));
                        return Some((at + 1, place));
                    }
                }
            }
        }
    }
}

impl Run {
    fn has(&self, byte: u8) -> bool {
        self.set.get(usize::from(byte)) == Some(&true)
    }

    /// The next place, at least one byte on, at which a lazy run may end.
    fn longer(
        &self,
        text: &[u8],
        from: usize,
        left: usize,
        room: &mut Room,
    ) -> Option<(usize, usize)> {
        let rest = text.get(from..)?;
        for (count, byte) in rest.iter().take(left).enumerate() {
            if !self.has(*byte) {
                return None;
            }
            let after = rest.get(count + 1);
            if self.next.is_none() || after.copied() == self.next {
                room.steps += count;
                return Some((from + count + 1, left - count - 1));
            }
        }
        None
    }
}

/// Does one step: where to go on, if it holds.
fn advance(
    step: &Step,
    text: &[u8],
    at: usize,
    place: usize,
    room: &mut Room,
) -> Option<(usize, usize)> {
    let rest = text.get(place..).unwrap_or_default();
    match step {
        Step::Bytes(bytes) => rest.starts_with(bytes).then(|| (at + 1, place + bytes.len())),
        Step::Set(set) => {
            let byte = usize::from(*rest.first()?);
            (set.get(byte) == Some(&true)).then_some((at + 1, place + 1))
        }
        Step::Run(run) => {
            if run.is_greedy {
                let count = rest.iter().take(run.max).take_while(|byte| run.has(**byte)).count();
                let optional = count.checked_sub(run.min)?;
                room.steps += count / 8;
                if optional > 0 && !run.is_final {
                    room.stack.push(Left::Shorter(at, place + run.min, place + count));
                }
                return Some((at + 1, place + count));
            }
            let needed = rest.get(..run.min)?;
            if !needed.iter().all(|byte| run.has(*byte)) {
                return None;
            }
            room.stack.push(Left::Longer(at, place + run.min, run.max - run.min));
            Some((at + 1, place + run.min))
        }
        Step::Split(first, second) => {
            room.stack.push(Left::Branch(*second, place));
            Some((*first, place))
        }
        Step::Jump(to) => Some((*to, place)),
        Step::Save(slot) => {
            let now = room.slots.get_mut(*slot)?;
            room.stack.push(Left::Slot(*slot, *now));
            *now = place;
            Some((at + 1, place))
        }
        Step::Start => (place == 0).then_some((at + 1, place)),
        Step::End => rest.is_empty().then_some((at + 1, place)),
        Step::Boundary(wanted) => {
            let is_word = |byte: Option<&u8>| {
                byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
            };
            let before = place.checked_sub(1).and_then(|before| text.get(before));
            ((is_word(before) != is_word(rest.first())) == *wanted).then_some((at + 1, place))
        }
        Step::Match => None,
    }
}
