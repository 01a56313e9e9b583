//! The seam through which analytics reach the case: SQL text in, small rows out.
//!
//! An analytic keeps its group-by as SQL beside the Rust that reads the rows, so that the same
//! text runs on one machine and on a cluster, and no analytic depends on the engine.

use std::net::IpAddr;

use thiserror::Error;

use crate::artifact::RecordRef;

/// One value of a result row.
#[derive(Clone, PartialEq, Debug)]
pub enum SqlValue {
    /// SQL `NULL`.
    Null,
    /// Text.
    Text(String),
    /// Whole number; times are nanoseconds since the Unix epoch.
    Integer(i64),
    /// Number with a fraction.
    Float(f64),
    /// Truth value.
    Boolean(bool),
    /// Array of texts, as `array_agg` gives them.
    TextList(Vec<String>),
}

/// A result: column names and rows.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Rows {
    /// Column names.
    pub columns: Vec<String>,
    /// The rows.
    pub rows: Vec<Vec<SqlValue>>,
}

/// One row, by column name.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    columns: &'a [String],
    values: &'a [SqlValue],
}

impl Rows {
    /// The rows by name.
    pub fn iter(&self) -> impl Iterator<Item = Row<'_>> {
        self.rows.iter().map(|values| Row { columns: &self.columns, values })
    }
}

impl<'a> Row<'a> {
    /// The value of a column; a column that the query does not give is a mistake of ours and
    /// reads as `NULL`.
    #[must_use]
    pub fn get(self, column: &str) -> &'a SqlValue {
        const NULL: &SqlValue = &SqlValue::Null;
        let index = self.columns.iter().position(|name| name == column);
        debug_assert!(index.is_some(), "no column {column} in {:?}", self.columns);
        index.and_then(|index| self.values.get(index)).unwrap_or(NULL)
    }

    /// Text, if it is text.
    #[must_use]
    pub fn text(self, column: &str) -> Option<&'a str> {
        match self.get(column) {
            SqlValue::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Owned text, empty if there is none.
    #[must_use]
    pub fn string(self, column: &str) -> String {
        self.text(column).unwrap_or_default().to_owned()
    }

    /// Whole number.
    #[must_use]
    pub fn integer(self, column: &str) -> Option<i64> {
        match self.get(column) {
            SqlValue::Integer(number) => Some(*number),
            _ => None,
        }
    }

    /// Truth value.
    #[must_use]
    pub fn boolean(self, column: &str) -> Option<bool> {
        match self.get(column) {
            SqlValue::Boolean(flag) => Some(*flag),
            _ => None,
        }
    }

    /// Array of texts.
    #[must_use]
    pub fn list(self, column: &str) -> &'a [String] {
        match self.get(column) {
            SqlValue::TextList(list) => list,
            _ => &[],
        }
    }

    /// The record that a row leads back to: its columns `file` and `record`, or, where the row sums
    /// up several records, `least_record`, the least of them as `file#record` with the number in twenty
    /// digits. (The least file and the least number apart would be no record.)
    #[must_use]
    pub fn reference(self) -> RecordRef {
        let is_sum = self.columns.iter().any(|name| name == "least_record");
        if is_sum {
            let (file, record) = self
                .text("least_record")
                .and_then(|place| place.rsplit_once('#'))
                .unwrap_or_default();
            let record = record.trim_start_matches('0').parse().unwrap_or_default();
            return RecordRef { file: file.to_owned(), record };
        }
        let record = self.integer("record").and_then(|number| u64::try_from(number).ok());
        RecordRef { file: self.string("file"), record: record.unwrap_or_default() }
    }

    /// An address.
    #[must_use]
    pub fn address(self, column: &str) -> Option<IpAddr> {
        self.text(column)?.parse().ok()
    }
}

/// A query that failed: our text or the case is wrong.
#[derive(Debug, Error)]
#[error("query failed: {message}\n{sql}")]
pub struct QueryError {
    /// The SQL text.
    pub sql: String,
    /// The engine's message.
    pub message: String,
}

/// Something that answers SQL over the tables of a case.
pub trait Query {
    /// Runs one statement and gives all its rows.
    ///
    /// # Errors
    /// If the engine refuses the text or cannot read the case.
    fn query(&self, sql: &str) -> Result<Rows, QueryError>;
}

/// A text as an SQL literal.
#[must_use]
pub fn sql_text(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
