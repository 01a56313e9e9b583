//! Times: milliseconds since 1970 in UTC, and the days of the organisation.

use jiff::Timestamp;
use jiff::tz::Offset;

/// Milliseconds since 1970, UTC.
pub(crate) type Moment = i64;

pub(crate) const SECOND: i64 = 1_000;
pub(crate) const MINUTE: i64 = 60 * SECOND;
pub(crate) const HOUR: i64 = 60 * MINUTE;
pub(crate) const DAY: i64 = 24 * HOUR;

/// Where the organisation lives: nine hours ahead of UTC, no daylight saving.
pub(crate) const TOKYO: i64 = 9 * HOUR;

/// Monday 6 October 2025, midnight in Tokyo: the simulation's first day. The month holds two public
/// holidays in Japan and the end of daylight saving in Europe.
pub(crate) const START: Moment = 1_759_676_400_000;

/// The last Sunday of October 2025, 01:00 UTC: clocks in Europe go back.
const EUROPE_WINTER: Moment = 1_761_440_400_000;

/// Midnight in Tokyo of a day of the simulation.
pub(crate) fn midnight(day: i64) -> Moment {
    START + day * DAY
}

/// A time of day in Tokyo.
pub(crate) fn at(day: i64, hour: i64, minute: i64) -> Moment {
    midnight(day) + hour * HOUR + minute * MINUTE
}

/// Whether people are at work on this day: the first day is a Monday; 13 October and 3 November
/// are holidays.
pub(crate) fn is_working_day(day: i64) -> bool {
    day.rem_euclid(7) < 5 && day != 7 && day != 28
}

/// The offset that clocks in Germany show.
pub(crate) fn europe(moment: Moment) -> i64 {
    if moment < EUROPE_WINTER { 2 * HOUR } else { HOUR }
}

fn timestamp(moment: Moment) -> Timestamp {
    Timestamp::from_millisecond(moment).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// `2025-10-06T00:12:31Z`.
pub(crate) fn utc(moment: Moment) -> String {
    timestamp(moment).strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// `2025-10-06T00:12:31`, as the unified audit log writes it.
pub(crate) fn utc_bare(moment: Moment) -> String {
    timestamp(moment).strftime("%Y-%m-%dT%H:%M:%S").to_string()
}

/// `2025-10-06T00:12:31.125000Z`.
pub(crate) fn utc_micro(moment: Moment) -> String {
    timestamp(moment).strftime("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()
}

/// `2025-10-06` in UTC.
pub(crate) fn date(moment: Moment) -> String {
    timestamp(moment).strftime("%Y-%m-%d").to_string()
}

/// A local time in a form of `strftime`.
pub(crate) fn local(moment: Moment, offset: i64, form: &str) -> String {
    let seconds = i32::try_from(offset / SECOND).unwrap_or(0);
    let zone = Offset::from_seconds(seconds).unwrap_or(Offset::UTC).to_time_zone();
    timestamp(moment).to_zoned(zone).strftime(form).to_string()
}
