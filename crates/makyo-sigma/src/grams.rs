//! Many literals in one pass over a text: tables of the groups of letters that they contain.
//!
//! Of every literal one group of four bytes is chosen, or of two or one if it is shorter: the
//! group that the fewest other literals have. While a text is passed over, each of its groups is
//! looked up in a bit table that nearly all of them miss; only for a hit are the literals of the
//! group compared.
//! After the multi-pattern search of Wu and Manber (A Fast Algorithm for Multi-Pattern Searching,
//! TR 94-17, 1994), without its skips: log values are shorter than they are worth.

use rustc_hash::FxHashMap;

/// Bits of table for each group, so that few others fall on a set one.
const BITS_PER_GROUP: usize = 32;
const TABLE_BITS_MIN: u32 = 9;
/// Larger tables would push each other out of the processor's nearest cache.
const TABLE_BITS_MAX: u32 = 17;

/// Literals by the groups that they are found by.
#[derive(Debug, Default)]
pub(crate) struct Grams {
    literals: Vec<Box<[u8]>>,
    tables: Vec<Table>,
}

/// Groups of one length.
#[derive(Debug)]
struct Table {
    length: usize,
    bits: Vec<u64>,
    shift: u32,
    /// Group to a stretch of `entries`.
    groups: FxHashMap<u32, (u32, u32)>,
    entries: Vec<Entry>,
}

/// A literal, where in it the group stands, and a second group to compare before the literal is
/// looked at: where it stands, seen from the first, and what it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Entry {
    literal: u32,
    within: u32,
    second: Option<(i32, u32)>,
}

fn group_at(bytes: &[u8], at: usize, length: usize) -> Option<u32> {
    let own = bytes.get(at..at.checked_add(length)?)?;
    // As a register holds it that the bytes were shifted into from above.
    Some(own.iter().fold(0, |group, byte| group >> 8 | u32::from(*byte) << 24))
}

/// Multiplicative hashing (Knuth, The Art of Computer Programming 3, 6.4): the upper bits of the
/// product depend on all bytes of the group.
fn place(group: u32, shift: u32) -> usize {
    (group.wrapping_mul(0x9E37_79B1) >> shift) as usize
}

impl Grams {
    /// Takes distinct literals, none of them empty; they are told by their places here.
    pub(crate) fn new(literals: Vec<&str>) -> Self {
        let mut tables = Vec::new();
        for (length, least, most) in [(4, 4, usize::MAX), (2, 2, 3), (1, 1, 1)] {
            let own: Vec<(u32, &[u8])> = (0_u32..)
                .zip(&literals)
                .map(|(number, literal)| (number, literal.as_bytes()))
                .filter(|(_, bytes)| (least..=most).contains(&bytes.len()))
                .collect();
            if !own.is_empty() {
                tables.push(Table::new(length, &choose(&own, length)));
            }
        }
        let literals = literals.into_iter().map(|text| text.as_bytes().into()).collect();
        Grams { literals, tables }
    }

    /// Whether there is nothing to look for.
    pub(crate) fn is_empty(&self) -> bool {
        self.literals.is_empty()
    }

    /// Tells every occurrence of a literal: its place, where it begins and where it ends. `hits`
    /// is room to work in.
    pub(crate) fn scan(
        &self,
        text: &[u8],
        hits: &mut Vec<usize>,
        tell: &mut dyn FnMut(usize, usize, usize),
    ) {
        for table in &self.tables {
            table.hits(text, hits);
            for last in hits.iter() {
                let Some(at) = (last + 1).checked_sub(table.length) else { continue };
                for entry in table.entries_at(text, at) {
                    let Some(start) = entry.start(text, at) else { continue };
                    let number = entry.literal as usize;
                    let Some(literal) = self.literals.get(number) else { continue };
                    if text.get(start..).is_some_and(|rest| rest.starts_with(literal)) {
                        tell(number, start, start + literal.len());
                    }
                }
            }
        }
    }
}

impl Entry {
    /// Where the literal would begin, if what can be seen at a glance fits.
    fn start(&self, text: &[u8], at: usize) -> Option<usize> {
        if let Some((offset, group)) = self.second {
            let at = at.checked_add_signed(isize::try_from(offset).ok()?)?;
            if group_at(text, at, 4) != Some(group) {
                return None;
            }
        }
        at.checked_sub(self.within as usize)
    }
}

/// For every literal the group that the fewest literals share.
fn choose(literals: &[(u32, &[u8])], length: usize) -> Vec<(u32, Entry)> {
    let groups = |bytes: &[u8]| -> Vec<(u32, usize)> {
        (0..bytes.len()).filter_map(|at| Some((group_at(bytes, at, length)?, at))).collect()
    };
    let mut shared: FxHashMap<u32, u32> = FxHashMap::default();
    for (_, bytes) in literals {
        let mut own = groups(bytes);
        own.sort_unstable();
        own.dedup_by_key(|group| group.0);
        for (group, _) in own {
            *shared.entry(group).or_default() += 1;
        }
    }
    let mut chosen: Vec<(u32, Entry)> = literals
        .iter()
        .filter_map(|(number, bytes)| {
            let (group, at) = groups(bytes).into_iter().min_by_key(|(group, at)| {
                let own = bytes.get(*at..at + length).unwrap_or_default();
                (shared.get(group).copied().unwrap_or(0), commonness(own), *at)
            })?;
            let second = group_at(bytes, at + 4, 4)
                .map(|group| (4, group))
                .or_else(|| Some((-4, group_at(bytes, at.checked_sub(4)?, 4)?)));
            let within = u32::try_from(at).ok()?;
            Some((group, Entry { literal: *number, within, second }))
        })
        .collect();
    chosen.sort_unstable();
    chosen
}

impl Table {
    fn new(length: usize, chosen: &[(u32, Entry)]) -> Self {
        let wanted = (chosen.len() * BITS_PER_GROUP).next_power_of_two().trailing_zeros();
        let bits = wanted.clamp(TABLE_BITS_MIN, TABLE_BITS_MAX);
        let mut table = Table {
            length,
            bits: vec![0; (1 << bits) / 64],
            shift: 32 - bits,
            groups: FxHashMap::default(),
            entries: Vec::with_capacity(chosen.len()),
        };
        for (group, entry) in chosen {
            let place = place(*group, table.shift);
            if let Some(word) = table.bits.get_mut(place / 64) {
                *word |= 1 << (place % 64);
            }
            let end = u32::try_from(table.entries.len()).unwrap_or(u32::MAX);
            table.groups.entry(*group).or_insert((end, end)).1 += 1;
            table.entries.push(*entry);
        }
        table
    }

    /// Where groups end whose bit is set.
    #[inline(never)]
    fn hits(&self, text: &[u8], hits: &mut Vec<usize>) {
        hits.clear();
        let (bits, shift) = (self.bits.as_slice(), self.shift);
        // Bytes are shifted in from above; what is older than the group's length is masked off.
        let mask = u32::MAX << (8 * (4 - self.length));
        let mut register = 0_u32;
        for (end, byte) in text.iter().enumerate() {
            register = register >> 8 | u32::from(*byte) << 24;
            let place = place(register & mask, shift);
            if bits.get(place / 64).is_some_and(|word| word >> (place % 64) & 1 == 1) {
                hits.push(end);
            }
        }
    }

    fn entries_at(&self, text: &[u8], at: usize) -> &[Entry] {
        group_at(text, at, self.length)
            .and_then(|group| self.groups.get(&group))
            .and_then(|(first, last)| self.entries.get(*first as usize..*last as usize))
            .unwrap_or_default()
    }
}

/// How common the bytes of a group are in log values, roughly: paths, extensions and vowels are
/// everywhere, capitals were folded away, rare letters and signs tell values apart.
fn commonness(group: &[u8]) -> u32 {
    let of = |byte: &u8| match byte {
        b'\\' | b' ' | b'.' | b'e' | b's' | b'i' | b'n' | b't' | b'o' | b'r' | b'0' => 4,
        b'a' | b'c' | b'd' | b'l' | b'm' | b'w' | b'x' | b'3' | b'2' | b'1' => 3,
        byte if byte.is_ascii_alphanumeric() => 2,
        _ => 1,
    };
    group.iter().map(of).sum()
}
