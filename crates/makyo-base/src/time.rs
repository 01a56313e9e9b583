//! Times as products write them, to nanoseconds since the Unix epoch, UTC, and back.

mod fixed;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{Offset, TimeZone};

pub use self::fixed::FixedTime;

/// Nanoseconds of one second.
pub const SECOND_NS: i64 = 1_000_000_000;
/// Nanoseconds of one minute.
pub const MINUTE_NS: i64 = 60 * SECOND_NS;
/// Nanoseconds of one hour.
pub const HOUR_NS: i64 = 60 * MINUTE_NS;
/// Nanoseconds of one day.
pub const DAY_NS: i64 = 24 * HOUR_NS;

/// What is known besides the text.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ZoneHint {
    /// Offset from UTC in seconds, east positive, where the source knows it.
    pub offset_seconds: Option<i32>,
    /// A time close to this one, for texts that leave out the year.
    pub near: Option<i64>,
}

/// Writes a time as RFC 3339 in UTC, without a fraction where there is none.
#[must_use]
pub fn format_time(time: i64) -> String {
    Timestamp::from_nanosecond(i128::from(time)).map_or_else(|_| String::new(), |t| t.to_string())
}

/// Reads a time in any form that [`parse_time_with`] lists, without hints.
#[must_use]
pub fn parse_time(text: &str) -> Option<i64> {
    parse_time_with(text, ZoneHint::default()).map(|found| found.0)
}

/// Reads a time; the flag says whether UTC was assumed for want of a zone.
///
/// Understood: RFC 3339 and ISO 8601 with or without zone, `YYYY-MM-DD HH:MM:SS`,
/// `YYYY/MM/DD HH:MM:SS`, `M/D/YYYY H:MM:SS AM`, epoch in seconds to nanoseconds (by magnitude,
/// fractions allowed), `Oct 19 [2021] 09:10:35`, RFC 2822, `/Date(ms)/`.
#[must_use]
pub fn parse_time_with(text: &str, hint: ZoneHint) -> Option<(i64, bool)> {
    let text = text.trim().trim_matches('"').trim();
    let first = *text.as_bytes().first()?;
    let fixed = match first {
        b'0'..=b'9' => fixed::iso(text, hint),
        _ => fixed::month_first(text, hint),
    };
    fixed.or_else(|| any_form(text, first, hint))
}

/// Reads a time that is not written with all its digits in their places.
pub(crate) fn any_form(text: &str, first: u8, hint: ZoneHint) -> Option<(i64, bool)> {
    if let Some(time) = epoch(text) {
        return Some((time, false));
    }
    if first.is_ascii_digit() {
        if let Ok(time) = text.parse::<Timestamp>() {
            return in_range(time);
        }
        return iso(text, hint).or_else(|| slashed(text, hint));
    }
    if let Some(rest) = text.strip_prefix("/Date(") {
        let digits = rest.trim_end_matches(['/', ')']);
        // `/Date(1685363451000+0000)/`: the offset is for display, the number is UTC.
        let number = digits.split(['+', '-']).next()?;
        return number.parse::<i64>().ok()?.checked_mul(1_000_000).map(|time| (time, false));
    }
    jiff::fmt::rfc2822::DateTimeParser::new()
        .relaxed_weekday(true)
        .parse_timestamp(text)
        .ok()
        .and_then(in_range)
        .or_else(|| month_first(text, hint))
}

fn in_range(time: Timestamp) -> Option<(i64, bool)> {
    i64::try_from(time.as_nanosecond()).ok().map(|time| (time, false))
}

/// 1970 in Windows' count of 100 ns since 1601 (Microsoft, `FILETIME`).
const FILETIME_OF_1970: i64 = 116_444_736_000_000_000;

/// Seconds, milliseconds, microseconds or nanoseconds since 1970, told by magnitude: a number of
/// 9 or 10 digits before the point is seconds (1973 to 2286), of 12 or 13 milliseconds, and so on.
fn epoch(text: &str) -> Option<i64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = whole.len();
    let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if !(9..=19).contains(&digits) || !all_digits(whole) || !all_digits(fraction) {
        return None;
    }
    let unit: i64 = match digits {
        9 | 10 => SECOND_NS,
        12 | 13 => 1_000_000,
        15 | 16 => 1_000,
        // Windows counts 100 ns since 1601; as nanoseconds since 1970 such a number would lie before
        // 2001, when none of the products that write those existed.
        18 => return whole.parse::<i64>().ok()?.checked_sub(FILETIME_OF_1970)?.checked_mul(100),
        19 => 1,
        _ => return None,
    };
    let whole = whole.parse::<i64>().ok()?.checked_mul(unit)?;
    if unit == 1 || fraction.is_empty() {
        return Some(whole);
    }
    let padded: String = fraction.chars().chain("000000000".chars()).take(9).collect();
    whole.checked_add(padded.parse::<i64>().ok()? / (SECOND_NS / unit))
}

fn iso(text: &str, hint: ZoneHint) -> Option<(i64, bool)> {
    let normal = text.replacen('/', "-", 2);
    let normal = normal.trim_end_matches(" UTC").trim_end_matches(" GMT");
    let is_utc = normal.len() != text.len();
    // `2020-05-01 08:34:42 +0900`
    if let Some((date, offset)) = normal.rsplit_once(' ')
        && let Some(seconds) = offset_seconds(offset)
    {
        return civil(date.parse::<DateTime>().ok()?, Some(seconds));
    }
    if let Some(at) = normal.rfind(['+', '-']).filter(|at| *at > 10)
        && let (Some(date), Some(offset)) = (normal.get(..at), normal.get(at..))
        && let Some(seconds) = offset_seconds(offset)
    {
        return civil(date.parse::<DateTime>().ok()?, Some(seconds));
    }
    let date = normal.parse::<DateTime>().ok().or_else(|| loose_iso(normal))?;
    civil(date, if is_utc { Some(0) } else { hint.offset_seconds })
}

/// `2019-1-1 08:35:05`, as some appliances leave the zeros out.
fn loose_iso(text: &str) -> Option<DateTime> {
    let (date, time) = text.split_once([' ', 'T'])?;
    let mut parts = date.split('-');
    let date = date_of(parts.next()?, parts.next()?, parts.next()?)?;
    Some(DateTime::from_parts(date, time.trim().parse::<Time>().ok()?))
}

fn date_of(year: &str, month: &str, day: &str) -> Option<Date> {
    Date::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?).ok()
}

fn civil(date: DateTime, offset: Option<i32>) -> Option<(i64, bool)> {
    let zone = Offset::from_seconds(offset.unwrap_or(0)).ok()?;
    let time = date.to_zoned(TimeZone::fixed(zone)).ok()?.timestamp();
    Some((i64::try_from(time.as_nanosecond()).ok()?, offset.is_none()))
}

/// `+0900`, `-05:00`, `Z`.
fn offset_seconds(text: &str) -> Option<i32> {
    if matches!(text, "Z" | "UTC" | "GMT") {
        return Some(0);
    }
    let (sign, digits) = match text.split_at_checked(1)? {
        ("+", digits) => (1, digits),
        ("-", digits) => (-1, digits),
        _ => return None,
    };
    let digits = digits.replace(':', "");
    if digits.len() != 4 {
        return None;
    }
    let hours = digits.get(..2)?.parse::<i32>().ok()?;
    let minutes = digits.get(2..)?.parse::<i32>().ok()?;
    (hours <= 14 && minutes < 60).then_some(sign * (hours * 3600 + minutes * 60))
}

impl ZoneHint {
    /// A hint from a zone as a product writes it: `+0900`, `-05:00`, `Z`, `CST(+0800)`.
    #[must_use]
    pub fn from_zone(text: &str) -> Self {
        let inner = text.split_once('(').map_or(text, |(_, rest)| rest.trim_end_matches(')'));
        ZoneHint { offset_seconds: offset_seconds(inner.trim()), near: None }
    }
}

/// `6/13/2022 1:49:50 PM`, `11/27/2020, 10:09:35.587 PM`, `27/11/2020 22:09:35`: month first
/// unless that cannot be.
fn slashed(text: &str, hint: ZoneHint) -> Option<(i64, bool)> {
    let (date, time) = text.split_once([' ', ','])?;
    let mut parts = date.split('/');
    let (first, second, year) = (parts.next()?, parts.next()?, parts.next()?);
    let date = date_of(year, first, second).or_else(|| date_of(year, second, first))?;
    let time = time.trim_start_matches([',', ' ']);
    let (clock, half) = match time.split_once(' ') {
        Some((clock, half)) => (clock, Some(half.trim())),
        None => (time, None),
    };
    let mut fields = clock.split(':');
    let hour = fields.next()?.parse::<i8>().ok()?;
    let minute = fields.next()?.parse::<i8>().ok()?;
    let (second, fraction) = match fields.next() {
        Some(text) => text.split_once('.').unwrap_or((text, "")),
        None => ("0", ""),
    };
    let hour = match half {
        Some("PM" | "pm") if hour < 12 => hour + 12,
        Some("AM" | "am") if hour == 12 => 0,
        _ => hour,
    };
    let nanos: String = fraction.chars().chain("000000000".chars()).take(9).collect();
    let time = Time::new(hour, minute, second.parse().ok()?, nanos.parse().ok()?).ok()?;
    civil(DateTime::from_parts(date, time), hint.offset_seconds)
}

/// `Oct 19 09:10:35`, `Oct 19 2021 09:10:35`, `Nov 19, 2014 18:21:13`, with or without fraction.
fn month_first(text: &str, hint: ZoneHint) -> Option<(i64, bool)> {
    const MONTHS: [&str; 12] =
        ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    let mut words = text.split_whitespace();
    let name = words.next()?.to_lowercase();
    let month = MONTHS.iter().position(|month| name.get(..3) == Some(month))? + 1;
    let month = i8::try_from(month).ok()?;
    let day = words.next()?.trim_end_matches(',').parse::<i8>().ok()?;
    let third = words.next()?;
    let (year, clock) = match third.parse::<i16>() {
        Ok(year) => (Some(year), words.next()?),
        Err(_) => (None, third),
    };
    let time = clock.trim_end_matches(':').parse::<Time>().ok()?;
    let offset = words.next().and_then(offset_seconds).or(hint.offset_seconds);
    match year {
        Some(year) => civil(DateTime::from_parts(Date::new(year, month, day).ok()?, time), offset),
        None => nearest_year(month, day, time, offset, hint.near?),
    }
}

/// The year that brings the time closest to `near`: lines of late December after lines of early
/// January belong to the year before.
fn nearest_year(
    month: i8,
    day: i8,
    time: Time,
    offset: Option<i32>,
    near: i64,
) -> Option<(i64, bool)> {
    let year = Timestamp::from_nanosecond(i128::from(near)).ok()?.to_zoned(TimeZone::UTC).year();
    (year - 1..=year + 1)
        .filter_map(|year| {
            civil(DateTime::from_parts(Date::new(year, month, day).ok()?, time), offset)
        })
        .min_by_key(|found| found.0.abs_diff(near))
}

/// `09:00-18:00` as minutes of the day.
#[must_use]
pub fn minutes_of_day(text: &str) -> Option<(i64, i64)> {
    let minutes = |text: &str| {
        let (hour, minute) = text.trim().split_once(':')?;
        Some(hour.parse::<i64>().ok()? * 60 + minute.parse::<i64>().ok()?)
    };
    let (from, to) = text.split_once('-')?;
    Some((minutes(from)?, minutes(to)?))
}

/// The minute of the day that a clock shows at a time (nanoseconds) in an IANA time zone, UTC without
/// one; nothing if the zone is not known here.
#[must_use]
pub fn local_minute(time: i64, zone: Option<&str>) -> Option<i64> {
    let zone = match zone {
        Some(name) => TimeZone::get(name).ok()?,
        None => TimeZone::UTC,
    };
    let local = Timestamp::from_nanosecond(time.into()).ok()?.to_zoned(zone);
    Some(i64::from(local.hour()) * 60 + i64::from(local.minute()))
}
