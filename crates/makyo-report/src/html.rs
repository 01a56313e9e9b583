//! The report as one HTML file: no script, nothing loaded, every text escaped by the template.

use askama::Template;
use makyo_base::{Object, Value, to_json};

use crate::judgement::notes;
use crate::nine::{Nine, Tables, nine};
use crate::picture::{Picture, timeline};

/// What the report is made from.
#[derive(Clone, Copy)]
pub struct ReportInputs<'a> {
    /// The answer tables by name.
    pub tables: &'a Tables<'a>,
    /// The organisation's name, empty if not given.
    pub organisation: &'a str,
    /// How many accounts it has, if it said so.
    pub accounts_in_all: Option<u64>,
    /// Version of makyo.
    pub version: &'a str,
    /// Pieces of evidence, records read, events kept.
    pub counts: (usize, u64, u64),
    /// Places that could not be read: file, kind, detail.
    pub unread: &'a [(String, String, String)],
}

impl std::fmt::Debug for ReportInputs<'_> {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(to, "ReportInputs({})", self.organisation)
    }
}

#[derive(Template)]
#[template(path = "report.html")]
struct Page<'a> {
    organisation: &'a str,
    version: &'a str,
    evidence: usize,
    records: u64,
    events: u64,
    nine: Vec<Nine>,
    picture: Option<Picture>,
    sections: Vec<Section>,
    unread: &'a [(String, String, String)],
}

struct Section {
    number: usize,
    heading: &'static str,
    answer: String,
    /// How to read the answer; from our own texts and the judgement.
    notes: Vec<String>,
    tables: Vec<Shown>,
}

struct Shown {
    caption: &'static str,
    columns: Vec<String>,
    rows: Vec<Vec<Cell>>,
    more: usize,
}

struct Cell {
    text: String,
    verdict: &'static str,
}

/// Rows of one table that are printed; the rest is in the case.
const ROWS_MAX: usize = 500;

/// Tables of each question: name, caption, columns.
pub(crate) type Wanted = (&'static str, &'static str, &'static [&'static str]);

const SECTIONS: [&[Wanted]; 9] = [
    &[
        (
            "entry",
            "Ways in",
            &[
                "time",
                "vector",
                "through",
                "account",
                "address",
                "product",
                "explained_by_authentication",
                "alternatives",
            ],
        ),
        (
            "messages",
            "Messages that are not clean",
            &["received", "from", "subject", "verdict", "sender", "reasons"],
        ),
    ],
    &[(
        "accounts",
        "Accounts",
        &[
            "account",
            "verdict",
            "rung",
            "probability",
            "first_seen",
            "last_seen",
            "addresses",
            "reason",
        ],
    )],
    &[(
        "hosts",
        "Hosts",
        &["host", "verdict", "first_seen", "reached_from", "techniques", "reason"],
    )],
    &[
        ("path", "Path", &["time", "tactic", "technique", "from", "to"]),
        ("timeline", "Timeline", &["time", "kind", "text", "records"]),
    ],
    &[(
        "access",
        "What was read, taken or sent",
        &["first", "last", "account", "kind", "operation", "subject", "count", "certainty"],
    )],
    &[
        ("assets", "Assets", &["asset", "verdict", "first", "last", "accounts", "reason"]),
        ("coverage", "What the logs cover", &["source", "scope", "from", "to", "records", "gaps"]),
    ],
    &[
        ("persistence", "Ways back in", &["time", "kind", "account", "host", "detail", "present"]),
        (
            "containment",
            "What to do, in this order",
            &["order", "action", "target", "because", "before"],
        ),
    ],
    LINKS,
    JUDGEMENT,
];

/// What `makyo link` found about this case.
pub(crate) const LINKS: &[Wanted] = &[
    (
        "links",
        "Links, and what would break each",
        &["words", "a", "b", "through", "weight_db", "evidence", "breaks"],
    ),
    ("related", "Related and not linked", &["words", "a", "b", "evidence"]),
];

/// What `makyo attribute` judged: rival explanations in rows, classes of evidence in columns, so
/// that a reader is less drawn to what confirms the first.
pub(crate) const JUDGEMENT: &[Wanted] = &[
    (
        "hypotheses",
        "Rival explanations, with decibans for each by class of evidence",
        &[
            "name",
            "probability",
            "low",
            "high",
            "words",
            "words_ja",
            "targets",
            "methods",
            "infrastructure",
            "code",
            "behaviour",
            "other",
            "owner",
        ],
    ),
    (
        "judgement_items",
        "What each rests on: items by class, with their source and what they share with others",
        &["hypothesis", "class", "item", "weight_db", "source", "independence_group"],
    ),
    (
        "sensitivity",
        "What would change it: the answer if one thing were false",
        &["drop", "leader", "probability"],
    ),
];

/// Renders the report.
///
/// # Errors
/// If the template engine fails, which is a mistake of ours.
pub fn html(inputs: &ReportInputs<'_>) -> Result<String, String> {
    let nine = nine(inputs.tables, inputs.accounts_in_all);
    let sections = nine
        .iter()
        .zip(SECTIONS)
        .map(|(one, wanted)| Section {
            number: one.number,
            heading: one.heading,
            answer: one.answer.clone(),
            notes: notes(inputs.tables, one.number),
            tables: wanted.iter().filter_map(|table| shown(inputs.tables, table)).collect(),
        })
        .collect();
    let page = Page {
        organisation: inputs.organisation,
        version: inputs.version,
        evidence: inputs.counts.0,
        records: inputs.counts.1,
        events: inputs.counts.2,
        nine,
        picture: timeline((inputs.tables)("path")),
        sections,
        unread: inputs.unread,
    };
    page.render().map_err(|error| error.to_string())
}

fn shown(tables: &Tables<'_>, wanted: &Wanted) -> Option<Shown> {
    let (name, caption, columns) = wanted;
    let rows: Vec<&Object<'static>> = tables(name)
        .iter()
        .filter(|row| {
            *name != "messages" || row.get("verdict").and_then(Value::as_str) != Some("clean")
        })
        .collect();
    if rows.is_empty() {
        return None;
    }
    Some(Shown {
        caption,
        columns: columns.iter().map(|column| column.replace('_', " ")).collect(),
        more: rows.len().saturating_sub(ROWS_MAX),
        rows: rows
            .into_iter()
            .take(ROWS_MAX)
            .map(|row| columns.iter().map(|column| cell(row.get(column))).collect())
            .collect(),
    })
}

fn cell(value: Option<&Value<'_>>) -> Cell {
    let text = plain(value.unwrap_or(&Value::Null));
    const VERDICTS: [&str; 11] = [
        "breached",
        "suspected",
        "targeted",
        "clear",
        "unknown",
        "accessed",
        "not_accessed",
        "malicious",
        "suspicious",
        "presumed",
        "possible",
    ];
    let verdict = VERDICTS.into_iter().find(|word| *word == text).unwrap_or_default();
    Cell { text, verdict }
}

/// A value as people read it.
pub(crate) fn plain(value: &Value<'_>) -> String {
    match value {
        Value::Null => "\u{2013}".to_owned(),
        Value::List(list) if list.is_empty() => "\u{2013}".to_owned(),
        Value::List(list) => list.iter().map(plain).collect::<Vec<_>>().join("; "),
        Value::Object(object) => {
            match (object.get("file"), object.get("record"), object.get("kind")) {
                (Some(file), Some(record), _) => format!("{} #{}", plain(file), plain(record)),
                (_, _, Some(kind)) => {
                    let part = |name| object.get(name).map(plain).unwrap_or_default();
                    format!("{} {} \u{2013} {}", plain(kind), part("from"), part("to"))
                }
                _ => to_json(value),
            }
        }
        Value::Bool(flag) => if *flag { "yes" } else { "no" }.to_owned(),
        Value::Str(text) => to_the_second(text),
        scalar => scalar.as_text().map(|text| text.into_owned()).unwrap_or_default(),
    }
}

/// Fractions of a second help nobody who reads a table; the JSON has them.
fn to_the_second(text: &str) -> String {
    match text.split_once('.') {
        Some((head, rest)) if head.len() == 19 && head.contains('T') && rest.ends_with('Z') => {
            format!("{head}Z")
        }
        _ => text.to_owned(),
    }
}
