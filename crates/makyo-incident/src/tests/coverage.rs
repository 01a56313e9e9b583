//! What a log lacks, and what can therefore not be proved.

use makyo_base::{DAY_NS, HOUR_NS, Query, QueryError, Rows, SqlValue};

use crate::Unread;
use crate::coverage::Coverage;

const AUDIT: &str = "m365-unified-audit";
const BOARD: &str = "board@agency.example";

/// A word of the question, and the columns and rows of its answer.
type Answer = (&'static str, Vec<&'static str>, Vec<Vec<SqlValue>>);

#[derive(Default)]
struct Case(Vec<Answer>);

impl Query for Case {
    fn query(&self, sql: &str) -> Result<Rows, QueryError> {
        let Some((_, columns, rows)) = self.0.iter().find(|one| sql.contains(one.0)) else {
            return Ok(Rows::default());
        };
        let columns = columns.iter().map(|one| (*one).to_owned()).collect();
        Ok(Rows { columns, rows: rows.clone() })
    }
}

fn text(value: &str) -> SqlValue {
    SqlValue::Text(value.to_owned())
}

/// Thirty days of a source with forty records an hour, from a day on.
fn hours(source: &str, scope: &str, from_day: i64) -> Vec<Vec<SqlValue>> {
    (from_day * 24..30 * 24)
        .map(|hour| {
            let at = hour * HOUR_NS;
            vec![
                text(source),
                text(scope),
                SqlValue::Integer(at),
                SqlValue::Integer(at),
                SqlValue::Integer(at + HOUR_NS - 1),
                SqlValue::Integer(40),
            ]
        })
        .collect()
}

const HOURS: [&str; 6] = ["source", "scope", "hour", "first", "last", "records"];

fn case() -> Case {
    let mut all = hours(AUDIT, "tenant", 0);
    all.extend(hours("entra-sign-in", "tenant", 0));
    Case(vec![("date_trunc('hour', time) AS BIGINT) AS hour", HOURS.to_vec(), all)])
}

fn read(case: &Case) -> Coverage {
    Coverage::read(case, &[] as &[Unread]).expect("canned")
}

const WINDOW: (i64, i64) = (5 * DAY_NS, 20 * DAY_NS);

fn switched(mailbox: &str, at: i64, is_off: bool) -> Vec<SqlValue> {
    vec![text(AUDIT), text(mailbox), SqlValue::Integer(at), SqlValue::Boolean(is_off)]
}

const SWITCHED: [&str; 4] = ["source", "mailbox", "at", "is_off"];

#[test]
fn a_whole_log_proves() {
    assert_eq!(read(&case()).proves(AUDIT, WINDOW), Ok(()));
    assert_eq!(read(&case()).proves_mailbox(BOARD, WINDOW), Ok(()));
}

#[test]
fn a_log_that_was_switched_off_proves_nothing_until_it_is_on_again() {
    let mut case = case();
    let rows = vec![switched("", 10 * DAY_NS, true), switched("", 11 * DAY_NS, false)];
    case.0.push(("AS is_off", SWITCHED.to_vec(), rows));
    let coverage = read(&case);
    let lack = coverage.proves(AUDIT, WINDOW).expect_err("a hole");
    assert_eq!((lack.from, lack.to), (Some(10 * DAY_NS), Some(11 * DAY_NS)));
    assert!(lack.reason.contains("is silent from"), "{lack}");
    assert_eq!(coverage.proves(AUDIT, (12 * DAY_NS, 20 * DAY_NS)), Ok(()));
}

#[test]
fn one_mailbox_without_audit_stands_in_the_way_of_its_own_proof_only() {
    for name in [BOARD, "board"] {
        let mut case = case();
        case.0.push(("AS is_off", SWITCHED.to_vec(), vec![switched(name, 10 * DAY_NS, true)]));
        let coverage = read(&case);
        assert!(coverage.proves_mailbox("Board@agency.example", WINDOW).is_err());
        assert_eq!(coverage.proves_mailbox("other@agency.example", WINDOW), Ok(()));
        assert_eq!(coverage.proves(AUDIT, WINDOW), Ok(()));
    }
}

#[test]
fn a_mailbox_in_which_nobody_ever_reads_is_not_licensed() {
    let row = |mailbox: &str, shows: bool, days: i64| {
        let (first, last) = (SqlValue::Integer(0), SqlValue::Integer(30 * DAY_NS));
        vec![text(mailbox), first, last, SqlValue::Boolean(shows), SqlValue::Integer(days)]
    };
    let mut case = case();
    let rows = vec![
        row(BOARD, false, 20),
        row("seldom@agency.example", false, 2),
        row("usual@agency.example", true, 20),
    ];
    let columns = vec!["mailbox", "first", "last", "shows_reading", "days"];
    case.0.push(("AS shows_reading", columns, rows));
    let coverage = read(&case);
    let lack = coverage.proves_mailbox(BOARD, WINDOW).expect_err("no reading");
    assert!(lack.reason.contains("without records of reading"), "{lack}");
    for whole in ["seldom@agency.example", "usual@agency.example"] {
        assert_eq!(coverage.proves_mailbox(whole, WINDOW), Ok(()));
    }
}

#[test]
fn a_log_that_begins_later_than_the_others_was_not_kept() {
    let mut case = case();
    if let Some(first) = case.0.first_mut() {
        first.2 = hours(AUDIT, "tenant", 0);
        first.2.extend(hours("entra-sign-in", "tenant", 8));
    }
    let lack = read(&case).proves("entra-sign-in", WINDOW).expect_err("begins late");
    assert!(lack.reason.contains("is not kept from"), "{lack}");
    assert_eq!(lack.to, Some(8 * DAY_NS));
}

#[test]
fn an_export_that_ends_where_exports_are_cut_proves_nothing() {
    for (count, is_whole) in [(50_000, false), (49_999, true)] {
        let mut case = case();
        let row = vec![text("audit.csv"), text(AUDIT), SqlValue::Integer(count)];
        case.0.push(("GROUP BY file", vec!["file", "source", "records"], vec![row]));
        assert_eq!(read(&case).proves(AUDIT, WINDOW).is_ok(), is_whole, "{count}");
    }
}
