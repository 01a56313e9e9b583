//! A table for values that are almost never in it.
//!
//! Evidence asks for millions of values, and nearly none is an indicator. So a field of bits stands
//! in front: most questions end at one bit, and only the rest reach the buckets behind.

/// Bits of the front for each entry: one foreign value in so many passes it.
const BITS_PER_ENTRY: usize = 32;
/// The front is never smaller than one page.
const FRONT_BITS_MIN: usize = 1 << 15;

/// Numbers by 64-bit hash. The asker compares the value itself, so equal hashes do no harm.
#[derive(Clone, Debug, Default)]
pub(super) struct Table {
    front: Vec<u64>,
    front_shift: u32,
    /// Where each bucket begins in `entries`, and one more for the end.
    starts: Vec<u32>,
    bucket_shift: u32,
    entries: Vec<(u64, u32)>,
}

impl Table {
    pub(super) fn build(mut entries: Vec<(u64, u32)>) -> Self {
        if entries.is_empty() {
            return Table::default();
        }
        entries.sort_unstable();
        let front_bits = (entries.len() * BITS_PER_ENTRY).next_power_of_two().max(FRONT_BITS_MIN);
        let front_shift = 64 - front_bits.trailing_zeros();
        let mut front = vec![0_u64; front_bits / 64];
        for (hash, _) in &entries {
            let bit = low(hash >> front_shift);
            if let Some(word) = front.get_mut(bit / 64) {
                *word |= 1 << (bit % 64);
            }
        }
        let buckets = entries.len().next_power_of_two().max(2);
        let bucket_shift = 64 - buckets.trailing_zeros();
        let mut starts = vec![0_u32; buckets + 1];
        for (hash, _) in &entries {
            if let Some(count) = starts.get_mut(low(hash >> bucket_shift) + 1) {
                *count += 1;
            }
        }
        let mut sum = 0;
        for start in &mut starts {
            sum += *start;
            *start = sum;
        }
        Table { front, front_shift, starts, bucket_shift, entries }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The numbers under a hash.
    #[inline]
    pub(super) fn find(&self, hash: u64) -> impl Iterator<Item = u32> + '_ {
        let entries = if self.may_hold(hash) { self.bucket(hash) } else { &[] };
        entries.iter().filter(move |entry| entry.0 == hash).map(|entry| entry.1)
    }

    /// Whether the hash passes the front: for nearly all it does not.
    #[inline]
    pub(super) fn may_hold(&self, hash: u64) -> bool {
        if self.front.is_empty() {
            return false;
        }
        let bit = low(hash >> self.front_shift);
        self.front.get(bit / 64).is_some_and(|word| word >> (bit % 64) & 1 == 1)
    }

    fn bucket(&self, hash: u64) -> &[(u64, u32)] {
        let bucket = low(hash >> self.bucket_shift);
        let start = self.starts.get(bucket).copied().unwrap_or_default() as usize;
        let end = self.starts.get(bucket + 1).copied().unwrap_or_default() as usize;
        self.entries.get(start..end).unwrap_or_default()
    }
}

#[allow(clippy::cast_possible_truncation, reason = "shifted to fewer bits than a table has")]
fn low(number: u64) -> usize {
    number as usize
}

/// Spreads a number over 64 bits (the finishing steps of `SplitMix64`).
#[inline]
pub(super) fn mix(mut number: u64) -> u64 {
    number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

/// The hash of a 128-bit number: its halves multiplied, and the halves of the product folded.
#[inline]
pub(super) fn wide(number: u128) -> u64 {
    #[allow(clippy::cast_possible_truncation, reason = "both halves are used")]
    let (high, low) = ((number >> 64) as u64, number as u64);
    let product =
        u128::from(low ^ 0x9e37_79b9_7f4a_7c15) * u128::from(high ^ 0xbf58_476d_1ce4_e5b9);
    #[allow(clippy::cast_possible_truncation, reason = "both halves are used")]
    let folded = (product >> 64) as u64 ^ product as u64;
    folded.wrapping_mul(0x94d0_49bb_1331_11eb)
}

/// A hash of ASCII-folded bytes that grows from the end, so that one pass over a name gives the
/// hash of every name above it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Backwards(u64);

impl Backwards {
    pub(super) fn new() -> Self {
        Backwards(0x9e37_79b9_7f4a_7c15)
    }

    #[inline]
    pub(super) fn push(&mut self, byte: u8) {
        self.0 = (self.0 ^ u64::from(byte.to_ascii_lowercase())).wrapping_mul(0x0100_0000_01b3);
    }

    #[inline]
    pub(super) fn value(self) -> u64 {
        mix(self.0)
    }
}

/// The hash of a whole text, folded.
pub(super) fn folded(text: &str) -> u64 {
    let mut hash = Backwards::new();
    for byte in text.bytes().rev() {
        hash.push(byte);
    }
    hash.value()
}
