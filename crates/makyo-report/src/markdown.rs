//! The report as Markdown: the nine answers and the main tables.

use makyo_base::{Object, Value};

use crate::html::{JUDGEMENT, LINKS, ReportInputs, plain};
use crate::judgement::notes;
use crate::nine::nine;

/// Renders the report as Markdown.
#[must_use]
pub fn markdown(inputs: &ReportInputs<'_>) -> String {
    let mut out = format!(
        "# What happened{}\n\n",
        if inputs.organisation.is_empty() {
            String::new()
        } else {
            format!(" at {}", escape(inputs.organisation))
        }
    );
    for one in nine(inputs.tables, inputs.accounts_in_all) {
        out.push_str(&format!("## {}. {}\n\n{}\n\n", one.number, one.heading, escape(&one.answer)));
        let wanted: &[(&str, &[&str])] = match one.number {
            1 => &[("entry", &["time", "vector", "through", "account", "address"])],
            2 => &[("accounts", &["account", "verdict", "rung", "reason"])],
            3 => &[("hosts", &["host", "verdict", "reached_from", "reason"])],
            4 => &[("path", &["time", "tactic", "technique", "from", "to"])],
            5 => &[("access", &["first", "account", "operation", "subject", "count", "certainty"])],
            6 => &[
                ("assets", &["asset", "verdict", "reason"]),
                ("coverage", &["source", "scope", "from", "to", "gaps"]),
            ],
            7 => &[
                ("persistence", &["time", "kind", "account", "host"]),
                ("containment", &["order", "action", "target", "because"]),
            ],
            _ => &[],
        };
        for (name, columns) in wanted {
            table(&mut out, (inputs.tables)(name), columns);
        }
        for note in notes(inputs.tables, one.number) {
            out.push_str(&format!("{}\n\n", escape(&note)));
        }
        let judged = match one.number {
            8 => LINKS,
            9 => JUDGEMENT,
            _ => &[],
        };
        for (name, caption, columns) in judged {
            let rows = (inputs.tables)(name);
            if !rows.is_empty() {
                out.push_str(&format!("### {caption}\n\n"));
                table(&mut out, rows, columns);
            }
        }
    }
    out
}

fn table(out: &mut String, rows: &[Object<'static>], columns: &[&str]) {
    if rows.is_empty() {
        return;
    }
    out.push_str(&format!("| {} |\n|{}\n", columns.join(" | "), " --- |".repeat(columns.len())));
    for row in rows {
        let cells: Vec<String> = columns
            .iter()
            .map(|column| escape(&plain(row.get(column).unwrap_or(&Value::Null))))
            .collect();
        out.push_str(&format!("| {} |\n", cells.join(" | ")));
    }
    out.push('\n');
}

/// Takes the meaning from everything that Markdown or HTML inside it could understand.
fn escape(text: &str) -> String {
    let mut out = String::new();
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '#' | '|' | '!' => {
                out.push('\\');
                out.push(letter);
            }
            '\n' | '\r' => out.push(' '),
            other => out.push(other),
        }
    }
    out
}
