//! What the logs cover, and where they are silent, cleared, lack records or could not be read.

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

impl Gap {
    /// What to do about it, for a reader.
    fn remedy(&self) -> &'static str {
        match self.kind {
            "throttled" => "count the mailbox as read for that day",
            "not_licensed" => "reading is not logged there; ask for the licence's history",
            "retention" => "older records are gone unless somebody kept a copy",
            "cleared" => "look for copies that were forwarded or backed up",
            _ => "export that time again, or bring a copy that was forwarded",
        }
    }
}

/// Why something cannot be proved by a source.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Lack {
    pub(crate) source: String,
    pub(crate) from: Option<i64>,
    pub(crate) to: Option<i64>,
    pub(crate) reason: String,
}

impl Lack {
    pub(crate) fn new(source: &str, reason: impl Into<String>) -> Self {
        Lack { source: source.to_owned(), reason: reason.into(), ..Lack::default() }
    }
}

impl std::fmt::Display for Lack {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        to.write_str(&self.reason)
    }
}

const UNIFIED: &str = "m365-unified-audit";

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

const FILES: &str = "
    SELECT file, min(source) AS source, count(*) AS records
    FROM events GROUP BY file ORDER BY file";

/// Logs that were switched off and on again, of the tenant or of one mailbox.
const SWITCHED: &str = "
    SELECT source, lower(coalesce(resource_owner_name, '')) AS mailbox,
           CAST(time AS BIGINT) AS at, activity_id = 10 AS is_off
    FROM events
    WHERE class_uid = 1008 AND activity_id IN (9, 10) AND time IS NOT NULL
      AND coalesce(status, '') <> 'Failure'
    ORDER BY source, mailbox, at, is_off";

/// Mailboxes by what was done in them, and whether reading shows.
const MAILBOXES: &str = "
    SELECT lower(coalesce(resource_owner_name, account)) AS mailbox,
           CAST(min(time) AS BIGINT) AS first, CAST(max(time) AS BIGINT) AS last,
           bool_or(metadata_event_code = 'MailItemsAccessed') AS shows_reading,
           count(DISTINCT date_trunc('day', time)) AS days
    FROM events
    WHERE source = 'm365-unified-audit' AND resource_type = 'mailbox' AND time IS NOT NULL
      AND coalesce(resource_owner_name, account) LIKE '%@%'
    GROUP BY 1 ORDER BY 1";

/// On so many days something was done in a mailbox, and nobody read in it: reading is not logged.
const UNREAD_DAYS_MIN: i64 = 5;
/// Exports of the unified audit log end at these counts, whatever there is.
const CUT_AT: [i64; 3] = [5_000, 50_000, 50_001];

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
        for one in makyo_base::missing_records(query)?.into_iter().filter(|one| !one.is_cleared) {
            if let Some(stretch) = coverage.stretches.get_mut(&(one.source, one.host)) {
                stretch.gaps.push(Gap { from: one.from, to: one.to, kind: "silence" });
            }
        }
        for row in query.query(THROTTLED)?.iter() {
            let at = row.integer("at").unwrap_or_default();
            let gap = Gap { from: at, to: at + DAY_NS, kind: "throttled" };
            coverage.of_mailbox(row.string("mailbox").to_lowercase(), gap);
        }
        coverage.read_switches(query)?;
        coverage.read_licences(query)?;
        coverage.tell_retention();
        let mut sources: BTreeMap<String, String> = BTreeMap::new();
        for row in query.query(FILES)?.iter() {
            let (file, source) = (row.string("file"), row.string("source"));
            let count = row.integer("records").unwrap_or_default();
            if source == UNIFIED && CUT_AT.contains(&count) {
                let what = format!("{file}: exactly {count} records, where exports are cut off");
                coverage.unread.entry(source.clone()).or_default().insert(what);
            }
            sources.insert(file, source);
        }
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

    fn of_mailbox(&mut self, mailbox: String, gap: Gap) {
        let stretch = self.stretches.entry((UNIFIED.to_owned(), mailbox)).or_default();
        stretch.from = if stretch.gaps.is_empty() { gap.from } else { stretch.from.min(gap.from) };
        stretch.to = stretch.to.max(gap.to);
        stretch.gaps.push(gap);
    }

    fn read_switches(&mut self, query: &dyn Query) -> Result<(), QueryError> {
        let ends: BTreeMap<String, i64> = self
            .stretches
            .iter()
            .filter(|entry| entry.0.1 == "tenant")
            .map(|entry| (entry.0.0.clone(), entry.1.to))
            .collect();
        let mut off: BTreeMap<(String, String), i64> = BTreeMap::new();
        let mut gaps: Vec<(String, String, Gap)> = Vec::new();
        for row in query.query(SWITCHED)?.iter() {
            let key = (row.string("source"), row.string("mailbox"));
            let at = row.integer("at").unwrap_or_default();
            if row.boolean("is_off") == Some(true) {
                off.entry(key).or_insert(at);
            } else if let Some(from) = off.remove(&key) {
                gaps.push((key.0, key.1, Gap { from, to: at, kind: "silence" }));
            }
        }
        for ((source, mailbox), from) in off {
            let to = ends.get(&source).copied().unwrap_or(from).max(from);
            gaps.push((source, mailbox, Gap { from, to, kind: "silence" }));
        }
        for (source, mailbox, gap) in gaps {
            if !mailbox.is_empty() {
                self.of_mailbox(mailbox, gap);
            } else if let Some(stretch) = self.stretches.get_mut(&(source, "tenant".to_owned())) {
                stretch.gaps.push(gap);
            }
        }
        Ok(())
    }

    /// Mailboxes in which things are done and nobody ever reads: their reading is not logged.
    fn read_licences(&mut self, query: &dyn Query) -> Result<(), QueryError> {
        for row in query.query(MAILBOXES)?.iter() {
            let days = row.integer("days").unwrap_or_default();
            if row.boolean("shows_reading") != Some(false) || days < UNREAD_DAYS_MIN {
                continue;
            }
            let (from, to) =
                (row.integer("first").unwrap_or_default(), row.integer("last").unwrap_or_default());
            self.of_mailbox(row.string("mailbox"), Gap { from, to, kind: "not_licensed" });
        }
        Ok(())
    }

    /// A log of the cloud that begins a day and more after other evidence does was kept for less
    /// time, or was exported for less.
    fn tell_retention(&mut self) {
        let Some((first, _)) = self.span() else { return };
        for ((_, scope), stretch) in &mut self.stretches {
            let is_dense = stretch.records / stretch.days() >= RECORDS_A_DAY_MIN;
            if scope == "tenant" && is_dense && stretch.from > first + DAY_NS {
                stretch.gaps.push(Gap { from: first, to: stretch.from, kind: "retention" });
            }
        }
    }

    /// From the first to the last record of all.
    pub(crate) fn span(&self) -> Option<(i64, i64)> {
        let from = self.stretches.values().map(|one| one.from).min()?;
        Some((from, self.stretches.values().map(|one| one.to).max()?))
    }

    /// Whether a source is there and whole for a time; if not, why in words. Files of unknown kind
    /// that could not be read may have been of any source, so they stand in the way of every proof.
    pub(crate) fn proves(&self, source: &str, window: (i64, i64)) -> Result<(), Lack> {
        // What one mailbox lacks says nothing of others.
        let own = self.stretches.iter().filter(|entry| entry.0.0 == source);
        let is_whole = |scope: &str| source != UNIFIED || scope == "tenant";
        let own: Vec<_> = own.filter(|entry| is_whole(&entry.0.1)).collect();
        if own.is_empty() {
            return Err(Lack::new(source, format!("there are no records of {source}")));
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
    ) -> Result<(), Lack> {
        let key = (source.to_owned(), host.to_owned());
        let Some(stretch) = self.stretches.get(&key) else {
            return Err(Lack::new(source, format!("there are no records of {source} on {host}")));
        };
        proves(&key, stretch, window)?;
        self.is_read(source)
    }

    /// Whether nothing is missing of one mailbox in a time.
    pub(crate) fn proves_mailbox(&self, mailbox: &str, window: (i64, i64)) -> Result<(), Lack> {
        let mailbox = mailbox.to_lowercase();
        // Switches name it as administrators type it, often without its domain.
        let alias = mailbox.split('@').next().unwrap_or_default();
        [mailbox.as_str(), alias].into_iter().try_for_each(|name| {
            let key = (UNIFIED.to_owned(), name.to_owned());
            self.stretches.get(&key).map_or(Ok(()), |stretch| has_no_gap(&key, stretch, window))
        })
    }

    fn is_read(&self, source: &str) -> Result<(), Lack> {
        match self.unread.get(source).or_else(|| self.unread.get("")).and_then(BTreeSet::first) {
            Some(what) => {
                Err(Lack::new(source, format!("some evidence could not be read ({what})")))
            }
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

impl Stretch {
    fn days(&self) -> i64 {
        ((self.to - self.from) / DAY_NS).max(1)
    }
}

fn proves(key: &(String, String), stretch: &Stretch, window: (i64, i64)) -> Result<(), Lack> {
    // What a product tells in sentences that are not understood is not seen, so that its silence
    // about somebody means nothing.
    if key.0 == GENERIC {
        let reason = format!("the log of {} is of an unknown make and may hold more", key.1);
        return Err(Lack::new(&key.0, reason));
    }
    let a_day = stretch.records / stretch.days();
    let name = format!("{} on {}", key.0, key.1);
    if a_day < RECORDS_A_DAY_MIN {
        let reason = format!("{name} has {a_day} records a day, too few to show a hole in it");
        return Err(Lack::new(&key.0, reason));
    }
    has_no_gap(key, stretch, window)?;
    if stretch.from > window.0 || stretch.to < window.1 {
        let (from, to) = (format_time(stretch.from), format_time(stretch.to));
        return Err(Lack::new(&key.0, format!("{name} covers only {from} to {to}")));
    }
    Ok(())
}

fn has_no_gap(key: &(String, String), stretch: &Stretch, window: (i64, i64)) -> Result<(), Lack> {
    let gap = stretch.gaps.iter().find(|gap| gap.from < window.1 && gap.to > window.0);
    let Some(gap) = gap else { return Ok(()) };
    let word = match gap.kind {
        "silence" => "silent",
        "retention" => "not kept",
        "not_licensed" => "without records of reading",
        other => other,
    };
    Err(Lack {
        source: key.0.clone(),
        from: Some(gap.from),
        to: Some(gap.to),
        reason: format!(
            "{} on {} is {word} from {} to {}; {}",
            key.0,
            key.1,
            format_time(gap.from),
            format_time(gap.to),
            gap.remedy()
        ),
    })
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
