//! `makyo sql`: SQL over the case.

use makyo_base::{Object, Value};
use makyo_case::Case;

use crate::cli::{Format, Sql};
use crate::exit::Exit;
use crate::output::Output;

pub(crate) fn run(options: &Sql, output: &mut Output) -> anyhow::Result<Exit> {
    let case = Case::open(&options.case.case, 2)?;
    let table = case.sql(&options.statement)?;
    let columns: Vec<String> = table.columns.iter().map(|column| column.0.clone()).collect();
    if options.case.format == Format::Table {
        let rows = table
            .rows
            .into_iter()
            .map(|row| row.into_iter().map(Option::unwrap_or_default).collect());
        output.table(&columns, rows.collect())?;
        return Ok(Exit::Done);
    }
    let value = |cell: Option<String>, numeric: bool| match cell {
        None => Value::Null,
        Some(text) if numeric => text
            .parse::<i128>()
            .map(Value::Int)
            .or_else(|_| text.parse::<f64>().map(Value::Float))
            .unwrap_or(Value::text(text)),
        Some(text) => Value::text(text),
    };
    let rows: Vec<Object<'static>> = table
        .rows
        .into_iter()
        .map(|row| {
            let cells = row.into_iter().zip(&table.columns);
            Object(
                cells
                    .map(|(cell, (name, numeric))| (name.clone().into(), value(cell, *numeric)))
                    .collect(),
            )
        })
        .collect();
    output.rows(options.case.format, &columns, &rows)?;
    Ok(Exit::Done)
}
