//! What a report for people shows under each question: one model, which HTML and Markdown write
//! down in their own ways.

use makyo_base::{Object, Value, to_json};

use crate::derived;
use crate::judgement::notes;
use crate::lang::Phrases;
use crate::nine::{Nine, Tables, to_the_second};

/// One question with its answer and tables.
pub(crate) struct Section {
    pub(crate) one: Nine,
    /// How to read the answer; from our own texts and the judgement.
    pub(crate) notes: Vec<String>,
    pub(crate) tables: Vec<Shown>,
}

pub(crate) struct Shown {
    pub(crate) caption: String,
    pub(crate) columns: Vec<String>,
    pub(crate) rows: Vec<Vec<Cell>>,
}

/// A cell: one or several lines.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Cell {
    pub(crate) lines: Vec<String>,
    /// A verdict's word, by which it is coloured, or how it is set.
    pub(crate) class: &'static str,
}

impl Cell {
    /// Several sentences are set as a list.
    pub(crate) fn is_list(&self) -> bool {
        self.class == "long" && self.lines.len() > 1
    }

    fn is_empty(&self) -> bool {
        self.lines.iter().all(|line| line == NOTHING)
    }
}

const NOTHING: &str = "\u{2013}";

/// A table of a question: its name, which is also the name of its caption, and its columns. Two
/// columns with a bar between them stand in one.
type Wanted = (&'static str, &'static [&'static str]);

/// The tables of the nine questions, and after them the timeline.
pub(crate) const SECTIONS: [&[Wanted]; 10] = [
    &[
        (
            "entry",
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
        ("messages", &["received", "from", "subject", "verdict", "sender", "reasons"]),
    ],
    &[
        (
            "accounts_held",
            &["account", "verdict", "rung", "first_seen|last_seen", "addresses", "reason"],
        ),
        ("accounts_other", &["verdict", "rung", "count", "reason", "accounts"]),
    ],
    &[("hosts", &["host", "verdict", "first_seen", "reached_from", "techniques", "reason"])],
    &[
        ("incidents", &["incident", "start|end", "weight_db", "summary"]),
        (
            "path",
            &["incident", "time", "tactic", "technique", "what", "from", "to", "alternatives"],
        ),
    ],
    &[
        (
            "access_by_account",
            &["account", "first|last", "mails", "folders", "files", "shares", "bytes"],
        ),
        (
            "access",
            &["first|last", "account", "kind", "operation", "subject", "count", "certainty"],
        ),
    ],
    &[
        ("assets", &["asset", "verdict", "first|last", "accounts", "reason"]),
        ("coverage", &["source", "scope", "from|to", "records", "gaps"]),
    ],
    &[
        ("persistence", &["time", "kind", "account", "host", "detail", "present"]),
        ("containment", &["order", "action", "target", "because", "before"]),
    ],
    &[
        ("links", &["words", "a", "b", "through", "weight_db", "evidence", "breaks"]),
        ("related", &["words", "a", "b", "evidence"]),
    ],
    // Rival explanations in rows, classes of evidence in columns, so that a reader is less drawn to
    // what confirms the first.
    &[
        (
            "hypotheses",
            &[
                "name",
                "probability",
                "low",
                "high",
                "words",
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
            &["hypothesis", "class", "item", "weight_db", "source", "independence_group"],
        ),
        ("sensitivity", &["drop", "leader", "probability"]),
    ],
    &[("timeline", &["time", "kind", "text", "records"])],
];

/// Columns of words from a closed vocabulary of ours, with the name of that vocabulary.
pub(crate) const VOCABULARIES: &[(&str, &str)] = &[
    ("action", "action"),
    ("alternatives", "vector"),
    ("because", "because"),
    ("before", "before"),
    ("certainty", "certainty"),
    ("class", "class"),
    ("kind", "kind"),
    ("operation", "operation"),
    ("present", "present"),
    ("rung", "rung"),
    ("sender", "sender"),
    ("tactic", "tactic"),
    ("through", "through"),
    ("vector", "vector"),
    ("verdict", "verdict"),
    ("words", "words"),
];

/// Columns whose sentences, parted by semicolons, stand on lines of their own.
const SENTENCES: [&str; 4] = ["reason", "reasons", "evidence", "breaks"];

/// The sections of all nine questions.
pub(crate) fn sections(nine: &[Nine], tables: &Tables<'_>, phrases: &Phrases) -> Vec<Section> {
    let section = |(one, wanted): (&Nine, &[Wanted])| Section {
        one: one.clone(),
        notes: notes(tables, one.number, phrases),
        tables: wanted.iter().filter_map(|table| shown(tables, table, phrases)).collect(),
    };
    nine.iter().zip(SECTIONS).map(section).collect()
}

/// The timeline, which stands at the end: it is long, and for looking things up.
pub(crate) fn timeline(tables: &Tables<'_>, phrases: &Phrases) -> Option<Shown> {
    SECTIONS.last().and_then(|wanted| wanted.first()).and_then(|one| shown(tables, one, phrases))
}

fn shown(tables: &Tables<'_>, wanted: &Wanted, phrases: &Phrases) -> Option<Shown> {
    let (name, columns) = wanted;
    let rows = derived::rows(name, tables, phrases);
    let cells: Vec<Vec<Cell>> = rows
        .iter()
        .map(|row| columns.iter().map(|column| cell(name, row, column, phrases)).collect())
        .collect();
    // A column that says nothing takes the room of one that does.
    let said: Vec<usize> = (0..columns.len())
        .filter(|at| cells.iter().any(|row| row.get(*at).is_some_and(|cell| !cell.is_empty())))
        .collect();
    let heading = |column: &str| {
        let parts = column.split('|').map(|part| {
            // The same column may mean something else in one table.
            let own = format!("{name}/{part}");
            match phrases.word("column", &own) {
                same if same == own => phrases.word("column", part).to_owned(),
                found => found.to_owned(),
            }
        });
        parts.collect::<Vec<_>>().join(" / ")
    };
    (!cells.is_empty()).then(|| Shown {
        caption: phrases.word("caption", name).to_owned(),
        columns: said.iter().filter_map(|at| columns.get(*at)).map(|one| heading(one)).collect(),
        rows: cells
            .iter()
            .map(|row| said.iter().filter_map(|at| row.get(*at)).cloned().collect())
            .collect(),
    })
}

fn cell(table: &str, row: &Object<'static>, column: &str, phrases: &Phrases) -> Cell {
    if let Some((first, second)) = column.split_once('|') {
        let parts = [first, second].map(|part| cell(table, row, part, phrases).lines);
        let mut lines = parts.concat();
        lines.dedup();
        return Cell { lines, class: "time" };
    }
    let value = row.get(column).unwrap_or(&Value::Null);
    let vocabulary = match (table, column) {
        // Which way back in it is, a rule's title or the product says.
        ("persistence", "kind") => None,
        ("links", "through") => Some("link"),
        // From where else it may have been.
        ("path", "alternatives") => None,
        _ => VOCABULARIES.iter().find(|entry| entry.0 == column).map(|entry| entry.1),
    };
    let written = |value: &Value<'_>| match (vocabulary, value.as_str()) {
        (Some(vocabulary), Some(word)) => phrases.word(vocabulary, word).to_owned(),
        _ => plain_in(value, phrases),
    };
    let lines = match value {
        // Names are many and short; a way back in has commas of its own.
        Value::List(list) if !list.is_empty() && matches!(column, "accounts" | "target") => {
            vec![list.iter().map(written).collect::<Vec<_>>().join("; ")]
        }
        Value::List(list) if !list.is_empty() => list.iter().map(written).collect(),
        Value::Str(text) if SENTENCES.contains(&column) => sentences(text),
        value => vec![written(value)],
    };
    Cell { class: class(column, value), lines }
}

/// Parts at semicolons, but not within backticks, where values of evidence stand.
fn sentences(text: &str) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    let mut is_quoted = false;
    for part in text.split("; ") {
        match out.last_mut() {
            Some(last) if is_quoted => last.push_str(&format!("; {part}")),
            _ => out.push(part.to_owned()),
        }
        is_quoted ^= part.matches('`').count() % 2 == 1;
    }
    out
}

fn class(column: &str, value: &Value<'_>) -> &'static str {
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
    match (column, value) {
        ("verdict" | "certainty", Value::Str(word)) => {
            VERDICTS.into_iter().find(|one| one == word).unwrap_or_default()
        }
        ("time" | "received" | "first_seen" | "order", _) => "time",
        (_, Value::Int(_) | Value::Float(_)) => "number",
        ("records", _) => "records",
        ("action" | "asset" | "kind" | "what" | "subject", _) => "middle",
        (
            "reason" | "reasons" | "text" | "detail" | "because" | "summary" | "accounts"
            | "target",
            _,
        ) => "long",
        _ => "",
    }
}

/// A value as people read it, without words of ours.
pub(crate) fn plain(value: &Value<'_>) -> String {
    match value {
        Value::Null => NOTHING.to_owned(),
        Value::List(list) if list.is_empty() => NOTHING.to_owned(),
        Value::List(list) => list.iter().map(plain).collect::<Vec<_>>().join("; "),
        Value::Object(object) => match (object.get("file"), object.get("record")) {
            (Some(file), Some(record)) => format!("{} #{}", plain(file), plain(record)),
            _ => to_json(value),
        },
        Value::Str(text) if text.is_empty() => NOTHING.to_owned(),
        Value::Str(text) => to_the_second(text),
        scalar => scalar.as_text().map(|text| text.into_owned()).unwrap_or_default(),
    }
}

fn plain_in(value: &Value<'_>, phrases: &Phrases) -> String {
    match value {
        Value::Bool(flag) => phrases.say(if *flag { "page.yes" } else { "page.no" }).to_owned(),
        Value::Object(gap) if gap.get("kind").is_some() && gap.get("file").is_none() => {
            let part = |name| gap.get(name).unwrap_or(&Value::Null);
            let kind = plain(part("kind"));
            let kind = phrases.word("gap", &kind);
            match (part("from"), part("to")) {
                (Value::Null, Value::Null) => kind.to_owned(),
                (from, to) => format!("{kind} {} \u{2013} {}", plain(from), plain(to)),
            }
        }
        value => plain(value),
    }
}
