//! `makyo simulate`: synthetic organisations with their truth, and the scorer.

use std::path::Path;

use makyo_base::{Object, Value};
use makyo_simulate::{Options, Scenario, score, simulate};

use crate::cli::{Format, Simulate};
use crate::exit::Exit;
use crate::output::{Output, tell};

pub(crate) fn run(options: &Simulate, output: &mut Output) -> anyhow::Result<Exit> {
    if let [case, truth] = options.score.as_slice() {
        return compare(case, truth, options.format, output);
    }
    let names: Vec<&str> = Scenario::ALL.iter().map(|entry| entry.0).collect();
    let names = names.join(", ");
    let Some(name) = &options.scenario else {
        anyhow::bail!("no scenario was named: {names}");
    };
    let Some(scenario) = Scenario::named(name) else {
        anyhow::bail!("no such scenario: `{name}`\nhint: there are {names}");
    };
    let Some(out) = &options.out else {
        anyhow::bail!("no folder was named\nhint: --out DIR");
    };
    anyhow::ensure!(
        options.scale > 0.0 && options.scale <= 100.0,
        "the scale is not within 0 to 100: {}",
        options.scale
    );
    let summary = simulate(&Options {
        scenario,
        seed: options.seed,
        scale: options.scale,
        days: i64::from(options.days),
        out: out.clone(),
    })?;
    tell(&format!("{} accounts, {} records", summary.accounts, summary.records));
    Ok(Exit::Done)
}

/// The figures of a case beside a truth.
fn compare(case: &Path, truth: &Path, format: Format, output: &mut Output) -> anyhow::Result<Exit> {
    let score = score(case, truth)?;
    if matches!(format, Format::Json | Format::Jsonl) {
        output.line(&score.figures.to_string())?;
        return Ok(Exit::Done);
    }
    let columns = ["section", "figure", "value"].map(str::to_owned);
    let rows: Vec<Object<'static>> = score
        .lines()
        .into_iter()
        .map(|(section, figure, value)| {
            let mut row = Object::default();
            row.push("section", Value::text(section));
            row.push("figure", Value::text(figure));
            row.push("value", Value::text(value));
            row
        })
        .collect();
    output.rows(format, &columns, &rows)?;
    Ok(Exit::Done)
}
