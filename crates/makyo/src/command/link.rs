//! `makyo link`: incidents become campaigns.

use std::path::{Path, PathBuf};

use anyhow::bail;
use makyo_base::{Object, Value, to_json};
use makyo_case::Case;
use makyo_link::answer::linkage_object;
use makyo_link::incident::Incident;
use makyo_link::link::link;
use makyo_link::read::{Reading, Shared, Unread, case_incidents, read_incidents};

use super::show::answer;
use crate::cli::{Format, Link};
use crate::data;
use crate::exit::Exit;
use crate::output::{Output, tell};

pub(crate) fn run(options: &Link, output: &mut Output) -> anyhow::Result<Exit> {
    let reading = read(&options.incidents)?;
    let weights = data::judgement()?;
    let linkage = link(&reading.incidents, &weights, usize::from(options.threads));
    let found = linkage_object(&linkage);
    match options.format {
        Format::Json => output.line(&to_json(&Value::Object(found)))?,
        Format::Jsonl => rows(&found, "campaigns")
            .iter()
            .try_for_each(|row| output.line(&to_json(&Value::Object(row.clone()))))?,
        Format::Csv => output.rows(Format::Csv, &columns(), &pair_rows(&found))?,
        Format::Table => table(&found, output)?,
    }
    Ok(Exit::of(false, !reading.unread.is_empty()))
}

/// Incidents of cases and files; complaints go to stderr.
pub(crate) fn read(paths: &[PathBuf]) -> anyhow::Result<Reading> {
    let shared = data::shared_endpoints()?;
    let mut all = Reading::default();
    for path in paths {
        let mut one = if path.join("case.json").is_file() {
            read_case(path, &shared)?
        } else if path.is_dir() {
            let mut files = Reading::default();
            for file in data::json_files(path)? {
                append(&mut files, read_file(&file, &shared)?);
            }
            files
        } else {
            read_file(path, &shared)?
        };
        one.left_out.sort();
        append(&mut all, one);
    }
    for unread in &all.unread {
        tell(&format!("not read: {}: {}", unread.file, unread.reason));
    }
    for left_out in &all.left_out {
        tracing::info!(file = %left_out.file, reason = %left_out.reason, "left out");
    }
    if !all.left_out.is_empty() {
        tell(&format!("{} items were left out as no evidence; -v names them", all.left_out.len()));
    }
    if all.incidents.is_empty() && all.unread.is_empty() {
        bail!("nothing given holds an incident with evidence");
    }
    Ok(all)
}

fn append(all: &mut Reading, mut more: Reading) {
    all.incidents.append(&mut more.incidents);
    all.unread.append(&mut more.unread);
    all.left_out.append(&mut more.left_out);
}

fn read_case(path: &Path, shared: &Shared) -> anyhow::Result<Reading> {
    let case = Case::open(path, 2)?;
    let name = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let name = name.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let tables = ["incidents", "findings", "messages"]
        .iter()
        .map(|table| Ok((*table, answer(&case, table)?)))
        .collect::<anyhow::Result<Vec<_>>>()?;
    let look_up = |name: &str| {
        let found = tables.iter().find(|table| table.0 == name);
        found.map(|table| table.1.as_slice()).unwrap_or_default()
    };
    Ok(case_incidents(&name, &look_up, shared))
}

fn read_file(path: &Path, shared: &Shared) -> anyhow::Result<Reading> {
    let file = path.display().to_string();
    Ok(match data::text_or_gzip(path)? {
        Ok(text) => read_incidents(&file, &text, shared),
        Err(reason) => Reading { unread: vec![Unread { file, reason }], ..Reading::default() },
    })
}

/// One incident out of several: a campaign is judged as a whole.
pub(crate) fn together(incidents: &[Incident]) -> Incident {
    let ids: Vec<&str> = incidents.iter().map(|one| one.id.as_str()).collect();
    let times = incidents.iter().filter_map(|one| one.time);
    let start = times.clone().map(|time| time.0).min();
    Incident {
        id: ids.join(", "),
        time: start.zip(times.map(|time| time.1).max()),
        items: incidents.iter().flat_map(|one| one.items.iter().cloned()).collect(),
        working_hour: None,
    }
    .normal()
}

pub(crate) fn rows(found: &Object<'static>, name: &str) -> Vec<Object<'static>> {
    match found.get(name) {
        Some(Value::List(list)) => list.iter().filter_map(Value::as_object).cloned().collect(),
        _ => Vec::new(),
    }
}

fn columns() -> Vec<String> {
    ["words", "campaign", "a", "b", "through", "weight_db", "evidence"].map(str::to_owned).to_vec()
}

/// A row for each link and each pair that is related and not linked.
fn pair_rows(found: &Object<'static>) -> Vec<Object<'static>> {
    let mut all = Vec::new();
    let mut row = |campaign: Value<'static>, pair: &Object<'static>| {
        let mut row = Object::default();
        row.push("campaign", campaign);
        for name in ["words", "a", "b", "through", "weight_db"] {
            row.push(name, pair.get(name).cloned().unwrap_or_default());
        }
        let evidence = rows(pair, "evidence")
            .iter()
            .map(|one| {
                let text = |name: &str| {
                    one.get(name).and_then(Value::as_text).unwrap_or_default().into_owned()
                };
                Value::text(format!("{} ({} dB)", text("item"), text("weight_db")))
            })
            .collect();
        row.push("evidence", Value::List(evidence));
        all.push(row);
    };
    for campaign in rows(found, "campaigns") {
        let id = campaign.get("id").cloned().unwrap_or_default();
        rows(&campaign, "links").iter().for_each(|link| row(id.clone(), link));
    }
    rows(found, "related").iter().for_each(|pair| row(Value::Null, pair));
    all
}

fn table(found: &Object<'static>, output: &mut Output) -> anyhow::Result<()> {
    let campaigns = rows(found, "campaigns");
    let count = |row: &Object<'static>, name: &str| match row.get(name) {
        Some(Value::List(list)) => list.len(),
        _ => 0,
    };
    output.heading(&format!(
        "{} campaigns, {} incidents in none",
        campaigns.len(),
        count(found, "unlinked")
    ))?;
    let names = ["id", "first", "last", "incidents", "bridges"].map(str::to_owned);
    output.rows(Format::Table, &names, &campaigns)?;
    output.line("")?;
    output.rows(Format::Table, &columns(), &pair_rows(found))
}
