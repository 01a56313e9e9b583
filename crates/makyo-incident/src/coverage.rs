//! What the logs cover, and where they are silent, cleared or could not be read.

use std::collections::{BTreeMap, BTreeSet};

use makyo_base::{DAY_NS, HOUR_NS, Query, QueryError, Value, format_time};

use crate::answers::{Table, Unread};
use crate::rows::{object, text, time};

/// One source on one host, or of a whole tenant.
#[derive(Debug, Default)]
pub(crate) struct Stretch {
    from: i64,
    to: i64,
    records: i64,
    hours: BTreeMap<i64, i64>,
    pub(crate) gaps: Vec<Gap>,
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Gap {
    pub(crate) from: i64,
    pub(crate) to: i64,
    pub(crate) kind: &'static str,
}

#[derive(Debug, Default)]
pub(crate) struct Coverage {
    /// By source and scope.
    pub(crate) stretches: BTreeMap<(String, String), Stretch>,
    /// Files that could not be read in whole or part, by source where it is known.
    unread: BTreeMap<String, BTreeSet<String>>,
}

const HOURS: &str = "
    SELECT source, CASE WHEN source IN ('m365-unified-audit', 'entra-sign-in', 'entra-audit', 'email')
                        THEN 'tenant' ELSE coalesce(host, 'all') END AS scope,
           CAST(date_trunc('hour', time) AS BIGINT) AS hour,
           CAST(min(time) AS BIGINT) AS first, CAST(max(time) AS BIGINT) AS last, count(*) AS records
    FROM events WHERE time IS NOT NULL
    GROUP BY 1, 2, 3 ORDER BY 1, 2, 3";

const CLEARED: &str = "
    SELECT source, coalesce(host, 'all') AS scope, CAST(time AS BIGINT) AS at
    FROM events WHERE class_uid = 1008 AND activity_id = 1 AND time IS NOT NULL
    ORDER BY 1, 2, 3";

const THROTTLED: &str = "
    SELECT coalesce(resource_owner_name, account) AS mailbox, CAST(time AS BIGINT) AS at
    FROM events WHERE makyo_is_throttled AND time IS NOT NULL ORDER BY 1, 2";

const FILES: &str = "SELECT file, min(source) AS source FROM events GROUP BY file ORDER BY file";

/// Below this chance that a stretch without records is an accident, it is a gap.
const SILENCE_CHANCE: f64 = 1e-6;

impl Coverage {
    pub(crate) fn read(query: &dyn Query, unread: &[Unread]) -> Result<Self, QueryError> {
        let mut coverage = Coverage::default();
        for row in query.query(HOURS)?.iter() {
            let stretch =
                coverage.stretches.entry((row.string("source"), row.string("scope"))).or_default();
            let (first, last) =
                (row.integer("first").unwrap_or_default(), row.integer("last").unwrap_or_default());
            stretch.from = if stretch.records == 0 { first } else { stretch.from.min(first) };
            stretch.to = stretch.to.max(last);
            stretch.records += row.integer("records").unwrap_or_default();
            *stretch.hours.entry(row.integer("hour").unwrap_or_default()).or_default() +=
                row.integer("records").unwrap_or_default();
        }
        for stretch in coverage.stretches.values_mut() {
            stretch.gaps = silences(stretch);
        }
        for row in query.query(CLEARED)?.iter() {
            let at = row.integer("at").unwrap_or_default();
            if let Some(stretch) =
                coverage.stretches.get_mut(&(row.string("source"), row.string("scope")))
            {
                // Whatever stood before the clearing and is not in another copy of the log is gone.
                let before =
                    stretch.hours.keys().copied().filter(|hour| *hour + HOUR_NS <= at).max();
                stretch.gaps.push(Gap {
                    from: before.map_or(stretch.from.min(at), |hour| hour + HOUR_NS),
                    to: at,
                    kind: "cleared",
                });
            }
        }
        for row in query.query(THROTTLED)?.iter() {
            let at = row.integer("at").unwrap_or_default();
            let key = ("m365-unified-audit".to_owned(), row.string("mailbox"));
            let stretch = coverage.stretches.entry(key).or_default();
            stretch.from = at;
            stretch.to = at + DAY_NS;
            stretch.gaps.push(Gap { from: at, to: at + DAY_NS, kind: "throttled" });
        }
        let sources: BTreeMap<String, String> = query
            .query(FILES)?
            .iter()
            .map(|row| (row.string("file"), row.string("source")))
            .collect();
        for one in unread {
            let source = sources.get(&one.file).cloned().unwrap_or_default();
            coverage
                .unread
                .entry(source)
                .or_default()
                .insert(format!("{}: {}", one.file, one.kind));
        }
        for stretch in coverage.stretches.values_mut() {
            stretch.gaps.sort();
            stretch.gaps.dedup();
        }
        Ok(coverage)
    }

    /// From the first to the last record of all.
    pub(crate) fn span(&self) -> Option<(i64, i64)> {
        let from = self.stretches.values().map(|one| one.from).min()?;
        Some((from, self.stretches.values().map(|one| one.to).max()?))
    }

    /// Whether a source is there and whole for a time; if not, why in words. Files of unknown kind
    /// that could not be read may have been of any source, so they stand in the way of every proof.
    pub(crate) fn proves(&self, source: &str, window: (i64, i64)) -> Result<(), String> {
        let own: Vec<_> = self.stretches.iter().filter(|entry| entry.0.0 == source).collect();
        if own.is_empty() {
            return Err(format!("there are no records of {source}"));
        }
        own.iter().try_for_each(|(key, stretch)| proves(key, stretch, window))?;
        self.is_read(source)
    }

    /// The same for one host.
    pub(crate) fn proves_host(
        &self,
        source: &str,
        host: &str,
        window: (i64, i64),
    ) -> Result<(), String> {
        let key = (source.to_owned(), host.to_owned());
        let Some(stretch) = self.stretches.get(&key) else {
            return Err(format!("there are no records of {source} on {host}"));
        };
        proves(&key, stretch, window)?;
        self.is_read(source)
    }

    fn is_read(&self, source: &str) -> Result<(), String> {
        match self.unread.get(source).or_else(|| self.unread.get("")).and_then(BTreeSet::first) {
            Some(what) => Err(format!("some evidence could not be read ({what})")),
            None => Ok(()),
        }
    }

    pub(crate) fn table(&self) -> Table {
        let mut rows = Vec::new();
        for ((source, scope), stretch) in &self.stretches {
            let mut gaps: Vec<Value<'static>> = stretch
                .gaps
                .iter()
                .map(|gap| {
                    Value::Object(object(vec![
                        ("from", time(Some(gap.from))),
                        ("to", time(Some(gap.to))),
                        ("kind", text(gap.kind)),
                    ]))
                })
                .collect();
            for _ in self.unread.get(source).into_iter().flatten() {
                gaps.push(Value::Object(object(vec![
                    ("from", Value::Null),
                    ("to", Value::Null),
                    ("kind", text("unreadable")),
                ])));
            }
            rows.push(object(vec![
                ("source", text(source.clone())),
                ("scope", text(scope.clone())),
                ("from", time(Some(stretch.from))),
                ("to", time(Some(stretch.to))),
                ("records", Value::Int(stretch.records.into())),
                ("gaps", Value::List(gaps)),
            ]));
        }
        for what in self.unread.get("").into_iter().flatten() {
            let gap = object(vec![
                ("from", Value::Null),
                ("to", Value::Null),
                ("kind", text("unreadable")),
            ]);
            rows.push(object(vec![
                ("source", text("(not read)")),
                ("scope", text(what.clone())),
                ("from", Value::Null),
                ("to", Value::Null),
                ("records", Value::Int(0)),
                ("gaps", Value::List(vec![Value::Object(gap)])),
            ]));
        }
        Table {
            name: "coverage",
            columns: &["source", "scope", "from", "to", "records", "gaps"],
            rows,
        }
    }
}

/// A log so thin that a missing day would not show proves nothing: with fewer than this many
/// records a day the chance of an empty day by accident is above [`SILENCE_CHANCE`].
const RECORDS_A_DAY_MIN: i64 = 14;

/// The source of records that no description knows.
const GENERIC: &str = "generic";

fn proves(key: &(String, String), stretch: &Stretch, window: (i64, i64)) -> Result<(), String> {
    // What a product tells in sentences that are not understood is not seen, so that its silence
    // about somebody means nothing.
    if key.0 == GENERIC {
        return Err(format!("the log of {} is of an unknown make and may hold more", key.1));
    }
    let days = ((stretch.to - stretch.from) / DAY_NS).max(1);
    if stretch.records / days < RECORDS_A_DAY_MIN {
        return Err(format!(
            "{} on {} has {} records a day, too few to show a hole in it",
            key.0,
            key.1,
            stretch.records / days
        ));
    }
    if stretch.from > window.0 || stretch.to < window.1 {
        return Err(format!(
            "{} on {} covers only {} to {}",
            key.0,
            key.1,
            format_time(stretch.from),
            format_time(stretch.to)
        ));
    }
    match stretch.gaps.iter().find(|gap| gap.from < window.1 && gap.to > window.0) {
        Some(gap) => Err(format!(
            "{} on {} is {} from {} to {}",
            key.0,
            key.1,
            if gap.kind == "silence" { "silent" } else { gap.kind },
            format_time(gap.from),
            format_time(gap.to)
        )),
        None => Ok(()),
    }
}

/// Stretches without a record where the same hours of other weeks (of other days, if there is no
/// other week) let one expect records. With an expectation of n, silence has the chance e^-n.
fn silences(stretch: &Stretch) -> Vec<Gap> {
    let hours: Vec<i64> = stretch.hours.keys().copied().collect();
    hours
        .windows(2)
        .filter_map(|pair| {
            let [before, after] = pair else { return None };
            let (from, to) = (before + HOUR_NS, *after);
            if to - from < HOUR_NS {
                return None;
            }
            let expected = expected(stretch, from, to, 7 * DAY_NS)
                .or_else(|| expected(stretch, from, to, DAY_NS))?;
            (-expected <= SILENCE_CHANCE.ln()).then_some(Gap { from, to, kind: "silence" })
        })
        .collect()
}

/// Records in the same stretch, shifted by whole periods, on average; nothing if no shifted
/// stretch lies within the log.
fn expected(stretch: &Stretch, from: i64, to: i64, period: i64) -> Option<f64> {
    let mut total = 0_i64;
    let mut places = 0_u32;
    for shift in (-8..=8_i64).filter(|shift| *shift != 0) {
        let (from, to) = (from + shift * period, to + shift * period);
        if from < stretch.from || to > stretch.to {
            continue;
        }
        places += 1;
        total += stretch.hours.range(from..to).map(|hour| *hour.1).sum::<i64>();
    }
    #[allow(clippy::cast_precision_loss, reason = "counts of records in hours")]
    let mean = |total: i64| total as f64 / f64::from(places);
    (places > 0).then(|| mean(total))
}
