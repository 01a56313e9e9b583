//! Many literals in one pass over a text: a table of the four-letter groups they contain.
//!
//! For every literal one group of four bytes is chosen, the one that the fewest other literals
//! have. While the text is passed over, each of its groups is looked up in a bit table that
//! nearly all of them miss; only for a hit are the literals of the group compared. Shorter
//! literals are found by their first one or two bytes.
//! After the multi-pattern search of Wu and Manber (A Fast Algorithm for Multi-Pattern
//! Searching, TR 94-17, 1994), without its skips: log values are shorter than they are worth.

use rustc_hash::FxHashMap;

const GROUP: usize = 4;
/// Bits of table for each group, so that few others fall on a set one.
const BITS_PER_GROUP: usize = 64;
const TABLE_BITS_MIN: u32 = 9;
const TABLE_BITS_MAX: u32 = 18;

/// Literals by the groups that they are found by.
#[derive(Debug, Default)]
pub(crate) struct Grams {
    literals: Vec<Box<[u8]>>,
    table: Vec<u64>,
    shift: u32,
    /// Group to a stretch of `entries`.
    groups: FxHashMap<u32, (u32, u32)>,
    /// Literal, and where in it the group stands.
    entries: Vec<(u32, u32)>,
    /// By first byte: whether a literal of one to three bytes begins with it.
    short: Option<Box<Short>>,
}

#[derive(Debug)]
struct Short {
    first: [bool; 256],
    /// By first byte.
    literals: FxHashMap<u8, Vec<u32>>,
}

fn group_at(bytes: &[u8], at: usize) -> Option<u32> {
    let group: [u8; GROUP] = bytes.get(at..at + GROUP)?.try_into().ok()?;
    Some(u32::from_le_bytes(group))
}

/// Multiplicative hashing (Knuth, The Art of Computer Programming 3, 6.4): the upper bits of the
/// product depend on all bytes of the group.
fn place(group: u32, shift: u32) -> usize {
    (group.wrapping_mul(0x9E37_79B1) >> shift) as usize
}

impl Grams {
    /// Takes distinct literals, none of them empty; they are told by their places here.
    pub(crate) fn new(literals: Vec<&str>) -> Self {
        let mut shared: FxHashMap<u32, u32> = FxHashMap::default();
        for literal in &literals {
            let bytes = literal.as_bytes();
            let mut own: Vec<u32> = (0..bytes.len()).filter_map(|at| group_at(bytes, at)).collect();
            own.sort_unstable();
            own.dedup();
            for group in own {
                *shared.entry(group).or_default() += 1;
            }
        }
        let mut chosen: Vec<(u32, u32, u32)> = Vec::new();
        let mut short: Option<Box<Short>> = None;
        for (number, literal) in literals.iter().enumerate() {
            let bytes = literal.as_bytes();
            let number = u32::try_from(number).unwrap_or(u32::MAX);
            let best = (0..bytes.len())
                .filter_map(|at| group_at(bytes, at).map(|group| (at, group)))
                .min_by_key(|(at, group)| {
                    (shared.get(group).copied().unwrap_or(0), commonness(bytes, *at), *at)
                });
            match (best, bytes.first()) {
                (Some((at, group)), _) => {
                    chosen.push((group, number, u32::try_from(at).unwrap_or(u32::MAX)));
                }
                (None, Some(first)) => short.get_or_insert_default().add(*first, number),
                (None, None) => {}
            }
        }
        chosen.sort_unstable();
        let mut grams = Grams { short, ..Grams::default() };
        grams.tabulate(&chosen);
        grams.literals = literals.into_iter().map(|text| text.as_bytes().into()).collect();
        grams
    }

    fn tabulate(&mut self, chosen: &[(u32, u32, u32)]) {
        let wanted = (chosen.len() * BITS_PER_GROUP).next_power_of_two().trailing_zeros();
        let bits = wanted.clamp(TABLE_BITS_MIN, TABLE_BITS_MAX);
        self.shift = 32 - bits;
        self.table = vec![0; (1 << bits) / 64];
        for (group, literal, at) in chosen {
            let place = place(*group, self.shift);
            if let Some(word) = self.table.get_mut(place / 64) {
                *word |= 1 << (place % 64);
            }
            let end = u32::try_from(self.entries.len()).unwrap_or(u32::MAX);
            self.groups.entry(*group).or_insert((end, end)).1 += 1;
            self.entries.push((*literal, *at));
        }
    }

    /// Whether there is nothing to look for.
    pub(crate) fn is_empty(&self) -> bool {
        self.literals.is_empty()
    }

    /// Tells every occurrence of a literal: its place, where it begins and where it ends.
    pub(crate) fn scan(&self, text: &[u8], tell: &mut dyn FnMut(usize, usize, usize)) {
        if !self.entries.is_empty() {
            for (at, window) in text.windows(GROUP).enumerate() {
                let Ok(group) = <[u8; GROUP]>::try_from(window).map(u32::from_le_bytes) else {
                    continue;
                };
                let place = place(group, self.shift);
                if self.table.get(place / 64).is_some_and(|word| word >> (place % 64) & 1 == 1) {
                    self.compare(text, at, group, tell);
                }
            }
        }
        if let Some(short) = &self.short {
            for (at, byte) in text.iter().enumerate() {
                if short.first.get(usize::from(*byte)) == Some(&true) {
                    for literal in short.literals.get(byte).into_iter().flatten() {
                        self.verify(text, at, *literal, tell);
                    }
                }
            }
        }
    }

    fn compare(
        &self,
        text: &[u8],
        at: usize,
        group: u32,
        tell: &mut dyn FnMut(usize, usize, usize),
    ) {
        let Some((first, last)) = self.groups.get(&group) else { return };
        let entries = self.entries.get(*first as usize..*last as usize).unwrap_or_default();
        for (literal, within) in entries {
            if let Some(start) = at.checked_sub(*within as usize) {
                self.verify(text, start, *literal, tell);
            }
        }
    }

    fn verify(
        &self,
        text: &[u8],
        start: usize,
        literal: u32,
        tell: &mut dyn FnMut(usize, usize, usize),
    ) {
        let number = literal as usize;
        let Some(literal) = self.literals.get(number) else { return };
        if text.get(start..).is_some_and(|rest| rest.starts_with(literal)) {
            tell(number, start, start + literal.len());
        }
    }
}

impl Default for Short {
    fn default() -> Self {
        Short { first: [false; 256], literals: FxHashMap::default() }
    }
}

impl Short {
    fn add(&mut self, first: u8, literal: u32) {
        if let Some(flag) = self.first.get_mut(usize::from(first)) {
            *flag = true;
        }
        self.literals.entry(first).or_default().push(literal);
    }
}

/// How common the bytes of a group are in log values, roughly: paths, extensions and vowels are
/// everywhere, capitals were folded away, rare letters and signs tell values apart.
fn commonness(bytes: &[u8], at: usize) -> u32 {
    let group = bytes.get(at..at + GROUP).unwrap_or_default();
    let of = |byte: &u8| match byte {
        b'\\' | b' ' | b'.' | b'e' | b's' | b'i' | b'n' | b't' | b'o' | b'r' | b'0' => 4,
        b'a' | b'c' | b'd' | b'l' | b'm' | b'w' | b'x' | b'3' | b'2' | b'1' => 3,
        byte if byte.is_ascii_alphanumeric() => 2,
        _ => 1,
    };
    group.iter().map(of).sum()
}
