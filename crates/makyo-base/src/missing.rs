//! Records that a Windows log had and its export has not.
//!
//! Each log of a host numbers its records one by one (`EventRecordID`). In a log that otherwise has
//! all of them, a number that is skipped is a record that somebody took out, that was not exported,
//! or that could not be read.

use crate::{Query, QueryError, RecordRef, Row};

/// A stretch of numbers that a log lacks.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Missing {
    /// The source's id.
    pub source: String,
    /// The host's canonical name.
    pub host: String,
    /// How many records are missing.
    pub count: i64,
    /// How often the log skips numbers in all.
    pub skips: i64,
    /// Times of the records before and after, nanoseconds since the Unix epoch.
    pub from: i64,
    /// See `from`.
    pub to: i64,
    /// The last record before.
    pub before: RecordRef,
    /// The first record after.
    pub after: RecordRef,
    /// Whether both stand in one file, all of which could be read.
    pub is_within_file: bool,
    /// Whether the log was cleared at that time, by its own account.
    pub is_cleared: bool,
}

/// Of so many records, one missing stretch is the exception and no filter's work.
const RECORDS_MIN: i64 = 100;
/// One step in so many may skip numbers; where more do, the export was filtered.
const STEPS_MIN: i64 = 200;

/// Logs of one channel each; the sources of others would mix their numbers.
const SQL: &str = "
    WITH numbered AS (
      SELECT host, source, file, record, CAST(time AS BIGINT) AS at,
             class_uid = 1008 AND activity_id = 1 AS clears,
             CASE WHEN source = 'windows-esent' THEN 'windows-application' ELSE source END AS log,
             TRY_CAST(metadata_uid AS BIGINT) AS id
      FROM events
      WHERE host IS NOT NULL AND time IS NOT NULL
        AND source IN ('windows-security', 'windows-system', 'windows-application',
                       'windows-esent', 'windows-sysmon', 'windows-task-scheduler',
                       'windows-defender')),
    steps AS (
      SELECT host, log, source, file, record, at, id, clears,
             lag(id) OVER own AS id_before, lag(at) OVER own AS at_before,
             lag(file) OVER own AS file_before, lag(record) OVER own AS record_before,
             lag(clears) OVER own AS clears_before
      FROM numbered WHERE id IS NOT NULL
      WINDOW own AS (PARTITION BY host, log ORDER BY id, at, file, record)),
    logs AS (
      SELECT host, log, count(*) AS records,
             sum(CASE WHEN id - id_before > 1 THEN 1 ELSE 0 END) AS skips
      FROM steps GROUP BY host, log)
    SELECT steps.host, steps.source, steps.id - steps.id_before - 1 AS missing,
           least(steps.at_before, steps.at) AS at_before, greatest(steps.at_before, steps.at) AS at,
           logs.skips, steps.file_before, steps.record_before, steps.file, steps.record,
           steps.file = steps.file_before AND damaged.file IS NULL AS is_within,
           coalesce(steps.clears, false) OR coalesce(steps.clears_before, false) AS is_cleared
    FROM steps JOIN logs ON steps.host = logs.host AND steps.log = logs.log
      LEFT JOIN (SELECT DISTINCT file FROM defects) damaged ON steps.file = damaged.file
    WHERE steps.id - steps.id_before > 1
      AND logs.records >= {records} AND logs.skips * {steps} <= logs.records
    ORDER BY steps.host, steps.source, 4, steps.file, steps.record";

/// Finds what is missing.
///
/// # Errors
/// If the query fails.
pub fn missing_records(query: &dyn Query) -> Result<Vec<Missing>, QueryError> {
    let sql = SQL
        .replace("{records}", &RECORDS_MIN.to_string())
        .replace("{steps}", &STEPS_MIN.to_string());
    let at = |row: Row<'_>, file: &str, record: &str| RecordRef {
        file: row.string(file),
        record: row.integer(record).and_then(|one| u64::try_from(one).ok()).unwrap_or_default(),
    };
    let rows = query.query(&sql)?;
    let missing = rows.iter().map(|row| Missing {
        source: row.string("source"),
        host: row.string("host"),
        count: row.integer("missing").unwrap_or_default(),
        skips: row.integer("skips").unwrap_or_default(),
        from: row.integer("at_before").unwrap_or_default(),
        to: row.integer("at").unwrap_or_default(),
        before: at(row, "file_before", "record_before"),
        after: at(row, "file", "record"),
        is_within_file: row.boolean("is_within") == Some(true),
        is_cleared: row.boolean("is_cleared") == Some(true),
    });
    Ok(missing.collect())
}
