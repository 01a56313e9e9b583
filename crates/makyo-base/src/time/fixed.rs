//! Times that are written with all their digits in their places, which nearly all are: read
//! without looking for other forms. Whatever is unusual is left to the reader of all forms; what
//! is read here it would read alike (`tests/times.rs`).

use super::{SECOND_NS, ZoneHint, offset_seconds};

/// Days from 1970-01-01 to a date of the Gregorian calendar; none if there is no such date. Years
/// 1700 to 2250, whose nanoseconds fit into 64 bits.
fn days(year: i64, month: i64, day: i64) -> Option<i64> {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let last = match month {
        2 if is_leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        _ => return None,
    };
    if !(1700..=2250).contains(&year) || !(1..=last).contains(&day) {
        return None;
    }
    // Years begin in March, so that the leap day is the last.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let century = year / 100;
    let of_year = (153 * month + 2) / 5 + day - 1;
    // 719,468 days lie between 0000-03-01 and 1970-01-01.
    Some(year * 365 + year / 4 - century + century / 4 + of_year - 719_468)
}

/// The year of a time in UTC, from 1970 on.
fn year_of(time: i64) -> Option<i64> {
    let day = u64::try_from(time).ok()? / (86_400 * SECOND_NS.unsigned_abs());
    let day = i64::try_from(day).ok()?;
    let mut year = 1970 + day / 366;
    while days(year + 1, 1, 1).is_some_and(|first| first <= day) {
        year += 1;
    }
    Some(year)
}

/// Date and clock.
#[derive(Clone, Copy, Default)]
struct Civil {
    year: i64,
    month: i64,
    day: i64,
    hour: i64,
    minute: i64,
    second: i64,
    nanos: i64,
}

impl Civil {
    /// Nanoseconds since 1970 if the clock is so far east of UTC.
    fn time(self, offset_seconds: i64) -> Option<i64> {
        if self.hour > 23 || self.minute > 59 || self.second > 59 {
            return None;
        }
        let day = days(self.year, self.month, self.day)?;
        let clock = self.hour * 3600 + self.minute * 60 + self.second;
        Some((day * 86_400 + clock - offset_seconds) * SECOND_NS + self.nanos)
    }

    fn with(self, hint: ZoneHint) -> Option<(i64, bool)> {
        let time = self.time(hint.offset_seconds.unwrap_or_default().into())?;
        Some((time, hint.offset_seconds.is_none()))
    }

    /// In the year that brings it closest.
    fn near(mut self, near: i64, hint: ZoneHint) -> Option<(i64, bool)> {
        let year = year_of(near)?;
        let mut best: Option<(i64, bool)> = None;
        for candidate in year - 1..=year + 1 {
            self.year = candidate;
            let Some(found) = self.with(hint) else { continue };
            if best.is_none_or(|best| found.0.abs_diff(near) < best.0.abs_diff(near)) {
                best = Some(found);
            }
        }
        best
    }
}

/// A text that is read from its start.
struct Reader<'t> {
    rest: &'t [u8],
}

impl Reader<'_> {
    fn byte(&mut self, wanted: u8) -> Option<()> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        (*first == wanted).then_some(())
    }

    /// A number of exactly so many digits.
    fn digits(&mut self, count: usize) -> Option<i64> {
        let (digits, rest) = self.rest.split_at_checked(count)?;
        self.rest = rest;
        let mut sum = 0;
        for digit in digits {
            if !digit.is_ascii_digit() {
                return None;
            }
            sum = sum * 10 + i64::from(digit - b'0');
        }
        Some(sum)
    }

    /// `Mar`, in any case.
    fn month(&mut self) -> Option<i64> {
        const MONTHS: [&[u8; 3]; 12] = [
            b"jan", b"feb", b"mar", b"apr", b"may", b"jun", b"jul", b"aug", b"sep", b"oct", b"nov",
            b"dec",
        ];
        let (name, rest) = self.rest.split_at_checked(3)?;
        self.rest = rest;
        let place = MONTHS.iter().position(|month| month.eq_ignore_ascii_case(name))?;
        i64::try_from(place + 1).ok()
    }

    fn blanks(&mut self) -> Option<()> {
        let count = self.rest.iter().take_while(|byte| **byte == b' ').count();
        self.rest = self.rest.get(count..)?;
        (count > 0).then_some(())
    }

    /// `09:10:35` and up to nine digits of a fraction.
    fn clock(&mut self, civil: &mut Civil) -> Option<()> {
        civil.hour = self.digits(2)?;
        self.byte(b':')?;
        civil.minute = self.digits(2)?;
        self.byte(b':')?;
        civil.second = self.digits(2)?;
        self.fraction(civil)
    }

    fn fraction(&mut self, civil: &mut Civil) -> Option<()> {
        let Some(after) = self.rest.strip_prefix(b".") else { return Some(()) };
        let count = after.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if !(1..=9).contains(&count) {
            return None;
        }
        self.rest = after;
        civil.nanos = self.digits(count)?;
        for _ in count..9 {
            civil.nanos *= 10;
        }
        Some(())
    }
}

/// `2025-03-03T10:00:01`, with a blank in the place of `T`, slashes in the place of dashes, a
/// fraction, and `Z` or an offset.
pub(super) fn iso(text: &str, hint: ZoneHint) -> Option<(i64, bool)> {
    let mut reader = Reader { rest: text.as_bytes() };
    let mut civil = Civil { year: reader.digits(4)?, ..Civil::default() };
    let dash = *reader.rest.first().filter(|byte| matches!(byte, b'-' | b'/'))?;
    reader.byte(dash)?;
    civil.month = reader.digits(2)?;
    reader.byte(dash)?;
    civil.day = reader.digits(2)?;
    let between = *reader.rest.first().filter(|byte| matches!(byte, b'T' | b' '))?;
    reader.byte(between)?;
    reader.clock(&mut civil)?;
    match reader.rest {
        [] => civil.with(hint),
        [b'Z'] if dash == b'-' => Some((civil.time(0)?, false)),
        [b'+' | b'-', ..] if between == b'T' => {
            let offset = offset_seconds(std::str::from_utf8(reader.rest).ok()?)?;
            Some((civil.time(offset.into())?, false))
        }
        _ => None,
    }
}

/// `Mar  3 10:00:01`, with or without year and fraction.
pub(super) fn month_first(text: &str, hint: ZoneHint) -> Option<(i64, bool)> {
    let mut reader = Reader { rest: text.as_bytes() };
    let mut civil = Civil { month: reader.month()?, ..Civil::default() };
    reader.blanks()?;
    let two = reader.rest.get(1).is_some_and(u8::is_ascii_digit);
    civil.day = reader.digits(if two { 2 } else { 1 })?;
    reader.blanks()?;
    let has_year = reader.rest.get(2).is_some_and(u8::is_ascii_digit);
    if has_year {
        civil.year = reader.digits(4)?;
        reader.blanks()?;
    }
    reader.clock(&mut civil)?;
    match reader.rest {
        [] if has_year => civil.with(hint),
        [] => civil.near(hint.near?, hint),
        _ => None,
    }
}

/// A form of times in the words of `strptime`, for texts that give every part all its digits.
#[derive(Debug)]
pub struct FixedTime(Vec<Part>);

#[derive(Debug)]
enum Part {
    Year,
    Month,
    MonthName,
    Day,
    Hour,
    Minute,
    Second,
    Fraction,
    Byte(u8),
}

impl FixedTime {
    /// Reads a form; none if it has parts that are not known here.
    #[must_use]
    pub fn new(form: &str) -> Option<Self> {
        let mut parts = Vec::new();
        let mut bytes = form.bytes();
        while let Some(byte) = bytes.next() {
            parts.push(match byte {
                b'%' => match bytes.next()? {
                    b'Y' => Part::Year,
                    b'm' => Part::Month,
                    b'b' => Part::MonthName,
                    b'd' => Part::Day,
                    b'H' => Part::Hour,
                    b'M' => Part::Minute,
                    b'S' => Part::Second,
                    b'.' if bytes.next()? == b'f' => Part::Fraction,
                    _ => return None,
                },
                byte => Part::Byte(byte),
            });
        }
        let has = |wanted: fn(&Part) -> bool| parts.iter().filter(|part| wanted(part)).count() == 1;
        let is_whole = has(|part| matches!(part, Part::Year))
            && has(|part| matches!(part, Part::Month | Part::MonthName))
            && has(|part| matches!(part, Part::Day))
            && has(|part| matches!(part, Part::Hour))
            && has(|part| matches!(part, Part::Minute))
            && has(|part| matches!(part, Part::Second));
        is_whole.then_some(FixedTime(parts))
    }

    /// Reads a text; none if it is not written with all digits, which does not mean that it
    /// cannot be read.
    #[must_use]
    pub fn read(&self, text: &str, hint: ZoneHint) -> Option<(i64, bool)> {
        let mut reader = Reader { rest: text.as_bytes() };
        let mut civil = Civil::default();
        for part in &self.0 {
            match part {
                Part::Year => civil.year = reader.digits(4)?,
                Part::Month => civil.month = reader.digits(2)?,
                Part::MonthName => civil.month = reader.month()?,
                Part::Day => civil.day = reader.digits(2)?,
                Part::Hour => civil.hour = reader.digits(2)?,
                Part::Minute => civil.minute = reader.digits(2)?,
                // A leap second is the last of its minute once more.
                Part::Second => {
                    civil.second = reader.digits(2)?;
                    civil.second -= i64::from(civil.second == 60);
                }
                Part::Fraction => reader.fraction(&mut civil)?,
                Part::Byte(byte) => reader.byte(*byte)?,
            }
        }
        if reader.rest.is_empty() { civil.with(hint) } else { None }
    }
}
