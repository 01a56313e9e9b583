//! `makyo show`: one answer of a case.

use makyo_base::{Object, Value, parse_json};
use makyo_case::Case;

use crate::cli::{Show, What};
use crate::exit::Exit;
use crate::output::Output;

pub(crate) fn run(options: &Show, output: &mut Output) -> anyhow::Result<Exit> {
    let case = Case::open(&options.case.case, 2)?;
    let (name, columns) = columns(options.what);
    let rows = answer(&case, name)?;
    let columns: Vec<String> = columns.iter().map(|column| (*column).to_owned()).collect();
    output.rows(options.case.format, &columns, &rows)?;
    Ok(Exit::Done)
}

/// The rows of an answer.
pub(crate) fn answer(case: &Case, name: &str) -> anyhow::Result<Vec<Object<'static>>> {
    let text = case.answer(name)?;
    match parse_json(&text) {
        Ok(Value::List(list)) => Ok(list
            .into_iter()
            .filter_map(|row| match row.into_owned() {
                Value::Object(object) => Some(object),
                _ => None,
            })
            .collect()),
        Ok(_) => anyhow::bail!("answer `{name}` of the case is not a list"),
        Err(reason) => anyhow::bail!("answer `{name}` of the case is damaged: {reason}"),
    }
}

const BEACONS: &[&str] = &[
    "source",
    "target",
    "port",
    "suspicion",
    "regularity",
    "rhythm",
    "period_s",
    "flows",
    "sources",
    "first",
    "last",
    "score",
    "benign",
];

/// The answer's name and the columns that a table and CSV show.
fn columns(what: What) -> (&'static str, &'static [&'static str]) {
    match what {
        What::Entry => (
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
                "incident",
            ],
        ),
        What::Accounts => (
            "accounts",
            &[
                "account",
                "verdict",
                "rung",
                "probability",
                "first_seen",
                "last_seen",
                "ties",
                "reason",
            ],
        ),
        What::Hosts => (
            "hosts",
            &[
                "host",
                "verdict",
                "rung",
                "first_seen",
                "last_seen",
                "reached_from",
                "techniques",
                "reason",
            ],
        ),
        What::Path => {
            ("path", &["time", "tactic", "technique", "from", "to", "alternatives", "incident"])
        }
        What::Access => (
            "access",
            &["first", "last", "account", "kind", "operation", "subject", "count", "certainty"],
        ),
        What::Assets => {
            ("assets", &["asset", "verdict", "first", "last", "operations", "accounts", "reason"])
        }
        What::Beacons => ("beacons", BEACONS),
        What::Coverage => ("coverage", &["source", "scope", "from", "to", "records", "gaps"]),
        What::Persistence => {
            ("persistence", &["time", "kind", "account", "host", "detail", "present"])
        }
        What::Containment => ("containment", &["order", "action", "target", "because", "before"]),
        What::Messages => {
            ("messages", &["received", "from", "subject", "verdict", "score", "sender", "reasons"])
        }
        What::Findings => {
            ("findings", &["time", "weight_db", "rule", "techniques", "text", "explained_by", "id"])
        }
        What::Incidents => ("incidents", &["id", "start", "end", "weight_db", "summary"]),
        What::Timeline => ("timeline", &["time", "kind", "text", "records"]),
    }
}
