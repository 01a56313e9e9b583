//! Parts of a point in time: Sigma's `minute`, `hour`, `day`, `week`, `month` and `year`.

use std::ops::RangeInclusive;

use makyo_base::{DAY_NS, HOUR_NS, MINUTE_NS};

/// A part of a time that a rule compares (Sigma Modifiers Appendix, Time Modifiers), taken in UTC
/// as every time here is: the specification knows no conversion of zones.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum TimePart {
    /// 0 to 59.
    Minute,
    /// 0 to 23.
    Hour,
    /// Day of the month, 1 to 31.
    Day,
    /// Week of the year by ISO 8601, 1 to 53: the first one holds the year's first Thursday.
    Week,
    /// 1 to 12.
    Month,
    /// The year.
    Year,
}

impl TimePart {
    /// Reads Sigma's word.
    pub(crate) fn from_word(word: &str) -> Option<Self> {
        Some(match word {
            "minute" => TimePart::Minute,
            "hour" => TimePart::Hour,
            "day" => TimePart::Day,
            "week" => TimePart::Week,
            "month" => TimePart::Month,
            "year" => TimePart::Year,
            _ => return None,
        })
    }

    /// The numbers that it can have; nanoseconds since 1970 in 64 bits end in 2262.
    pub(crate) fn range(self) -> RangeInclusive<i64> {
        match self {
            TimePart::Minute => 0..=59,
            TimePart::Hour => 0..=23,
            TimePart::Day => 1..=31,
            TimePart::Week => 1..=53,
            TimePart::Month => 1..=12,
            TimePart::Year => 1677..=2262,
        }
    }

    /// This part of a time in nanoseconds since 1970.
    pub(crate) fn of(self, time: i64) -> i64 {
        let day = time.div_euclid(DAY_NS);
        match self {
            TimePart::Minute => time.rem_euclid(HOUR_NS) / MINUTE_NS,
            TimePart::Hour => time.rem_euclid(DAY_NS) / HOUR_NS,
            TimePart::Day => civil(day).2,
            TimePart::Week => week(day),
            TimePart::Month => civil(day).1,
            TimePart::Year => civil(day).0,
        }
    }
}

/// Year, month and day of a day since 1970 in the Gregorian calendar. Years are counted from March,
/// so that the leap day is a year's last and months have lengths that a line through 153/5 gives.
fn civil(day: i64) -> (i64, i64, i64) {
    let from_era = day + 719_468;
    let era = from_era.div_euclid(146_097);
    let day_of_era = from_era.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day_of_month = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day_of_month)
}

fn week(day: i64) -> i64 {
    // 1970 began on a Thursday; the week's Thursday decides which year the week belongs to.
    let from_monday = (day + 3).rem_euclid(7);
    let thursday = day - from_monday + 3;
    let year = civil(thursday).0;
    let mut weeks = 1;
    while civil(thursday - 7 * weeks).0 == year {
        weeks += 1;
    }
    weeks
}
