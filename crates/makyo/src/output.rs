//! Everything that is printed: data on stdout, complaints on stderr.

use std::io::{self, BufWriter, IsTerminal as _, Write};

use makyo_base::{Object, Value, to_json};
use unicode_width::UnicodeWidthStr as _;

use crate::cli::Format;

/// Standard output, buffered.
pub(crate) struct Output {
    to: BufWriter<io::Stdout>,
    is_terminal: bool,
}

/// Columns wider than this are cut in tables; the other formats give them whole.
const CELL_WIDTH_MAX: usize = 60;

impl Output {
    pub(crate) fn stdout() -> Self {
        let stdout = io::stdout();
        Output { is_terminal: stdout.is_terminal(), to: BufWriter::new(stdout) }
    }

    pub(crate) fn line(&mut self, text: &str) -> anyhow::Result<()> {
        writeln!(self.to, "{text}")?;
        Ok(())
    }

    pub(crate) fn raw(&mut self, bytes: &[u8]) -> anyhow::Result<()> {
        self.to.write_all(bytes)?;
        Ok(())
    }

    /// Hands on what was printed so far, to a reader who waits for it.
    pub(crate) fn flush(&mut self) -> anyhow::Result<()> {
        self.to.flush()?;
        Ok(())
    }

    pub(crate) fn finish(&mut self) -> anyhow::Result<()> {
        self.to.flush()?;
        Ok(())
    }

    /// A heading, bold on a terminal.
    pub(crate) fn heading(&mut self, text: &str) -> anyhow::Result<()> {
        if self.is_terminal {
            self.line(&format!("\u{1b}[1m{text}\u{1b}[0m"))
        } else {
            self.line(text)
        }
    }

    /// Rows in the format that was asked for.
    pub(crate) fn rows(
        &mut self,
        format: Format,
        columns: &[String],
        rows: &[Object<'_>],
    ) -> anyhow::Result<()> {
        match format {
            Format::Json => {
                let lines: Vec<String> =
                    rows.iter().map(|row| to_json(&Value::Object(row.clone()))).collect();
                let text = if lines.is_empty() {
                    "[]".to_owned()
                } else {
                    format!("[\n{}\n]", lines.join(",\n"))
                };
                self.line(&text)
            }
            Format::Jsonl => {
                rows.iter().try_for_each(|row| self.line(&to_json(&Value::Object(row.clone()))))
            }
            Format::Csv => {
                self.line(
                    &columns.iter().map(|column| csv_cell(column)).collect::<Vec<_>>().join(","),
                )?;
                rows.iter().try_for_each(|row| {
                    let cells: Vec<String> =
                        columns.iter().map(|column| csv_cell(&flat(row.get(column)))).collect();
                    self.line(&cells.join(","))
                })
            }
            Format::Table => {
                let cells = rows
                    .iter()
                    .map(|row| columns.iter().map(|column| flat(row.get(column))).collect());
                self.table(columns, cells.collect())
            }
        }
    }

    /// Aligned columns; columns without any content are left out.
    pub(crate) fn table(
        &mut self,
        columns: &[String],
        rows: Vec<Vec<String>>,
    ) -> anyhow::Result<()> {
        if rows.is_empty() {
            return self.line("(nothing)");
        }
        let shown: Vec<usize> = (0..columns.len())
            .filter(|at| rows.iter().any(|row| row.get(*at).is_some_and(|cell| !cell.is_empty())))
            .collect();
        let cut: Vec<Vec<String>> = std::iter::once(columns.to_vec())
            .chain(rows)
            .map(|row| {
                shown
                    .iter()
                    .map(|at| {
                        shorten(&to_the_second(
                            row.get(*at).map(String::as_str).unwrap_or_default(),
                        ))
                    })
                    .collect()
            })
            .collect();
        let widths: Vec<usize> = (0..shown.len())
            .map(|at| {
                cut.iter()
                    .filter_map(|row| row.get(at))
                    .map(|cell| cell.width())
                    .max()
                    .unwrap_or_default()
            })
            .collect();
        for (number, row) in cut.iter().enumerate() {
            let padded: Vec<String> = row
                .iter()
                .zip(&widths)
                .map(|(cell, width)| format!("{cell}{}", " ".repeat(width - cell.width())))
                .collect();
            let line = padded.join("  ");
            if number == 0 { self.heading(line.trim_end())? } else { self.line(line.trim_end())? }
        }
        Ok(())
    }
}

/// Fractions of a second help nobody who reads a table.
fn to_the_second(text: &str) -> String {
    match text.split_once('.') {
        Some((head, rest))
            if head.len() == 19
                && head.as_bytes().get(10) == Some(&b'T')
                && rest.ends_with('Z') =>
        {
            format!("{head}Z")
        }
        _ => text.to_owned(),
    }
}

fn shorten(text: &str) -> String {
    let mut out = String::new();
    let mut width = 0;
    for letter in text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }) {
        width += letter.to_string().width();
        if width >= CELL_WIDTH_MAX {
            out.push('\u{2026}');
            break;
        }
        out.push(letter);
    }
    out
}

fn flat(value: Option<&Value<'_>>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::List(list)) => {
            list.iter().map(|one| flat(Some(one))).collect::<Vec<_>>().join("; ")
        }
        Some(Value::Object(object)) if object.contains("kind") && object.contains("from") => {
            format!(
                "{} {} to {}",
                flat(object.get("kind")),
                flat(object.get("from")),
                flat(object.get("to"))
            )
        }
        Some(value @ Value::Object(object)) => {
            match (object.get("title"), object.get("file"), object.get("value")) {
                (Some(title), _, _) => flat(Some(title)),
                (_, Some(file), _) => {
                    format!("{}#{}", flat(Some(file)), flat(object.get("record")))
                }
                (_, _, Some(inner)) => flat(Some(inner)),
                _ => to_json(value),
            }
        }
        Some(value) => value.as_text().map(|text| text.into_owned()).unwrap_or_default(),
    }
}

/// A cell of CSV; what a spreadsheet would take for a formula is kept text by an apostrophe.
pub(crate) fn csv_cell(text: &str) -> String {
    let is_formula =
        text.starts_with(['=', '+', '-', '@', '\t', '\r']) && text.parse::<f64>().is_err();
    let text = if is_formula { format!("'{text}") } else { text.to_owned() };
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text
    }
}

/// Whether an error is only that the reader of our output has gone.
pub(crate) fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause
            .downcast_ref::<io::Error>()
            .is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
    })
}

/// Tells an error with its causes on stderr.
pub(crate) fn complain(error: &anyhow::Error) {
    let mut text = format!("error: {error}");
    for cause in error.chain().skip(1) {
        text.push_str(&format!("\n  because: {cause}"));
    }
    tell(&text);
}

/// A line on stderr.
pub(crate) fn tell(text: &str) {
    // If even stderr is gone there is nobody left to tell.
    drop(writeln!(io::stderr(), "{text}"));
}
