//! Separated values with a header line; columns are found by name.

use super::draft::{Draft, Reading, kind_of_word};
use super::value::{IndicatorKind, IndicatorValue};

const VALUE: &[&str] = &[
    "indicator",
    "value",
    "ioc",
    "indicatorvalue",
    "iocvalue",
    "observable",
    "data",
    "indicators",
];
const KIND: &[&str] =
    &["type", "kind", "indicatortype", "ioctype", "category", "datatype", "observabletype"];
const FROM: &[&str] =
    &["firstseen", "validfrom", "firstseenutc", "from", "start", "firstseendate", "first"];
const UNTIL: &[&str] =
    &["lastseen", "validuntil", "lastseenutc", "until", "to", "end", "expires", "last"];
const TITLE: &[&str] =
    &["description", "title", "name", "comment", "note", "notes", "context", "malware"];
const SOURCE: &[&str] = &["source", "reference", "publisher", "author", "references", "provider"];
const CONFIDENCE: &[&str] = &["confidence", "confidencelevel", "certainty"];
const ID: &[&str] = &["id", "uuid", "indicatorid"];
const LABELS: &[&str] = &["tags", "labels", "tag", "label", "technique", "techniques"];

fn fold(name: &str) -> String {
    name.chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|letter| letter.to_ascii_lowercase())
        .collect()
}

/// The byte between columns, if the first line is a header that names a column of values.
pub(super) fn delimiter(text: &str) -> Option<u8> {
    let header = header(text)?;
    [b',', b';', b'\t', b'|'].into_iter().find(|byte| {
        let columns: Vec<String> = header.split(char::from(*byte)).map(fold).collect();
        columns.len() > 1 && columns.iter().any(|name| VALUE.contains(&name.as_str()))
    })
}

/// The first line that is no comment; a header itself may stand behind `#`.
fn header(text: &str) -> Option<&str> {
    text.lines().find(|line| !line.trim().is_empty())
}

struct Columns {
    value: usize,
    kind: Option<usize>,
    from: Option<usize>,
    until: Option<usize>,
    title: Option<usize>,
    source: Option<usize>,
    confidence: Option<usize>,
    id: Option<usize>,
    labels: Option<usize>,
}

pub(super) fn read(text: &str, reading: &mut Reading<'_>) {
    let Some(delimiter) = delimiter(text) else { return };
    let mut rows = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .has_headers(false)
        .flexible(true)
        .from_reader(text.as_bytes());
    let mut columns = None;
    for row in rows.records() {
        let row = match row {
            Ok(row) => row,
            Err(reason) => {
                reading.refuse(0, format!("row cannot be read: {reason}"));
                continue;
            }
        };
        let line = row
            .position()
            .and_then(|position| usize::try_from(position.line()).ok())
            .unwrap_or_default();
        match &columns {
            None => columns = find_columns(&row),
            Some(columns) => keep(&row, columns, line, reading),
        }
    }
}

fn find_columns(row: &csv::StringRecord) -> Option<Columns> {
    let names: Vec<String> = row.iter().map(fold).collect();
    // The first word of the list that is there: `first_seen` counts before `start`.
    let find =
        |words: &[&str]| words.iter().find_map(|word| names.iter().position(|name| name == word));
    Some(Columns {
        value: find(VALUE)?,
        kind: find(KIND),
        from: find(FROM),
        until: find(UNTIL),
        title: find(TITLE),
        source: find(SOURCE),
        confidence: find(CONFIDENCE),
        id: find(ID),
        labels: find(LABELS),
    })
}

fn keep(row: &csv::StringRecord, columns: &Columns, line: usize, reading: &mut Reading<'_>) {
    let text = |column: Option<usize>| {
        column.and_then(|column| row.get(column)).unwrap_or_default().trim().to_owned()
    };
    let value = text(Some(columns.value));
    if value.is_empty() || row.get(0).is_some_and(|first| first.trim_start().starts_with('#')) {
        return;
    }
    let word = text(columns.kind);
    let found = match (word.is_empty(), kind_of_word(&word)) {
        (true, _) => IndicatorValue::guess(&value),
        // `hash` and `file hash` do not say which one; the digits do.
        (false, None) if fold(&word).contains("hash") => IndicatorValue::guess(&value),
        (false, Some(IndicatorKind::Address)) => match IndicatorValue::guess(&value) {
            Ok((found @ (IndicatorValue::Address(_) | IndicatorValue::Network(_)), port)) => {
                Ok((found, port))
            }
            _ => Err(format!("not a value of kind address: `{value}`")),
        },
        (false, Some(kind)) => IndicatorValue::of_kind(kind, &value).map(|found| (found, None)),
        (false, None) => Err(format!("kind of indicator is not used: `{word}`")),
    };
    let confidence = match text(columns.confidence) {
        empty if empty.is_empty() => None,
        word => match confidence(&word) {
            Some(number) => Some(number),
            None => {
                reading.refuse(
                    line,
                    format!("confidence is not used, it is no number of 0 to 100: `{word}`"),
                );
                None
            }
        },
    };
    match found {
        Ok((found, port)) => reading.keep(Draft {
            id: text(columns.id),
            title: text(columns.title),
            source: text(columns.source),
            alternatives: vec![(vec![found], port)],
            from: text(columns.from),
            until: text(columns.until),
            confidence,
            labels: text(columns.labels)
                .split([',', ';', '|', ' '])
                .filter(|label| !label.is_empty())
                .map(str::to_owned)
                .collect(),
            line,
            ..Draft::default()
        }),
        Err(reason) => reading.refuse(line, reason),
    }
}

/// STIX's own scale for the words (STIX 2.1, appendix A, low-medium-high).
fn confidence(word: &str) -> Option<u8> {
    match word.to_ascii_lowercase().as_str() {
        "low" => Some(15),
        "medium" | "moderate" => Some(50),
        "high" => Some(85),
        other => other.trim_end_matches('%').parse().ok().filter(|number| *number <= 100),
    }
}
