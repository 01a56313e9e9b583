//! `makyo report`: the shareable results of a case.

mod judged;

use makyo_base::{Object, Value};
use makyo_case::Case;
use makyo_report::{Language, ReportInputs, html, markdown, misp, navigator, stix, timesketch};

use super::show::answer;
use crate::cli::{Lang, Report, ReportAs};
use crate::exit::Exit;
use crate::output::Output;

/// Answers that a report shows.
const TABLES: &[&str] = &[
    "entry",
    "accounts",
    "hosts",
    "path",
    "access",
    "assets",
    "coverage",
    "persistence",
    "containment",
    "messages",
    "findings",
    "incidents",
    "timeline",
    "defects",
    "summary",
    "flow_notes",
];

/// An answer that cases of older versions do not have.
const LATER: &str = "flow_notes";

pub(crate) fn run(options: &Report, output: &mut Output) -> anyhow::Result<Exit> {
    let form = match options.form {
        ReportAs::Html => "html",
        ReportAs::Markdown => "markdown",
        ReportAs::Stix => "stix",
        ReportAs::Misp => "misp",
        ReportAs::Navigator => "navigator",
        ReportAs::Timesketch => "timesketch",
    };
    let language = match options.lang {
        Lang::En => Language::English,
        Lang::Ja => Language::Japanese,
    };
    let case = Case::open(&options.case, 2)?;
    let judged = judged::tables(options)?;
    output.raw(render(&case, form, language, judged)?.as_bytes())?;
    Ok(Exit::Done)
}

/// Renders a report from the answers that the case keeps, and from what was judged about it.
pub(crate) fn render(
    case: &Case,
    form: &str,
    language: Language,
    judged: Vec<(&'static str, Vec<Object<'static>>)>,
) -> anyhow::Result<String> {
    let mut tables = TABLES
        .iter()
        .map(|name| match answer(case, name) {
            Err(_) if *name == LATER => Ok((*name, Vec::new())),
            rows => Ok((*name, rows?)),
        })
        .collect::<anyhow::Result<Vec<_>>>()?;
    tables.extend(judged);
    let look_up = |name: &str| {
        tables
            .iter()
            .find(|table| table.0 == name)
            .map(|table| table.1.as_slice())
            .unwrap_or_default()
    };
    let summary = look_up("summary").first().cloned().unwrap_or_default();
    let number = |name: &str| match summary.get(name) {
        Some(Value::Int(number)) => u64::try_from(*number).ok(),
        _ => None,
    };
    let text = |row: &Object<'_>, name: &str| {
        row.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let unread: Vec<(String, String, String)> = look_up("defects")
        .iter()
        .map(|row| (text(row, "file"), text(row, "kind"), text(row, "detail")))
        .collect();
    let organisation = text(&summary, "organisation");
    let inputs = ReportInputs {
        tables: &look_up,
        organisation: &organisation,
        accounts_in_all: number("accounts_in_all"),
        version: env!("CARGO_PKG_VERSION"),
        counts: (
            number("evidence").and_then(|count| usize::try_from(count).ok()).unwrap_or_default(),
            number("records").unwrap_or_default(),
            number("events").unwrap_or_default(),
        ),
        unread: &unread,
        language,
    };
    match form {
        "markdown" => Ok(markdown(&inputs)),
        "stix" => Ok(stix(&inputs)),
        "timesketch" => Ok(timesketch(&inputs)),
        "navigator" => Ok(navigator(&inputs)),
        "misp" => Ok(misp(&inputs)),
        _ => html(&inputs).map_err(|reason| anyhow::anyhow!("report cannot be written: {reason}")),
    }
}
