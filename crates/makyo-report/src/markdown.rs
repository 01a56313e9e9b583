//! The report as Markdown: the same questions, notes and tables as the page.

use crate::html::ReportInputs;
use crate::lang::Phrases;
use crate::nine::nine_in;
use crate::section::{Shown, sections, timeline};

/// Renders the report as Markdown.
#[must_use]
pub fn markdown(inputs: &ReportInputs<'_>) -> String {
    let phrases = Phrases::of(inputs.language);
    let mut out = format!("# {}\n\n", escape(inputs.title(&phrases)));
    paragraph(&mut out, &inputs.made(&phrases));
    if !phrases.say("page.language").is_empty() {
        paragraph(&mut out, phrases.say("page.language"));
    }
    let nine = nine_in(inputs.tables, inputs.accounts_in_all, &phrases);
    for section in sections(&nine, inputs.tables, &phrases) {
        out.push_str(&format!("## {}. {}\n\n", section.one.number, section.one.heading));
        paragraph(&mut out, &section.one.answer);
        for note in &section.notes {
            paragraph(&mut out, note);
        }
        for shown in &section.tables {
            table(&mut out, shown);
        }
    }
    if let Some(shown) = timeline(inputs.tables, &phrases) {
        out.push_str(&format!("## {}\n\n", phrases.say("page.timeline")));
        paragraph(&mut out, phrases.say("page.timeline_note"));
        table(&mut out, &shown);
    }
    unread(&mut out, inputs, &phrases);
    out
}

fn unread(out: &mut String, inputs: &ReportInputs<'_>, phrases: &Phrases) {
    out.push_str(&format!("## {}\n\n", phrases.say("page.unread")));
    if inputs.unread.is_empty() {
        paragraph(out, phrases.say("page.all_read"));
        return;
    }
    let columns = ["file", "kind", "detail"].map(|name| phrases.word("column", name));
    head(out, &columns);
    for (file, kind, detail) in inputs.unread {
        let cells = [file, phrases.word("kind", kind), detail].map(escape);
        out.push_str(&format!("| {} |\n", cells.join(" | ")));
    }
}

fn paragraph(out: &mut String, text: &str) {
    out.push_str(&format!("{}\n\n", escape(text)));
}

fn head<T: AsRef<str>>(out: &mut String, columns: &[T]) {
    let names: Vec<&str> = columns.iter().map(AsRef::as_ref).collect();
    out.push_str(&format!("| {} |\n|{}\n", names.join(" | "), " --- |".repeat(columns.len())));
}

fn table(out: &mut String, shown: &Shown) {
    out.push_str(&format!("### {}\n\n", shown.caption));
    head(out, &shown.columns);
    for row in &shown.rows {
        let cells: Vec<String> = row.iter().map(|cell| escape(cell.lines.join("; "))).collect();
        out.push_str(&format!("| {} |\n", cells.join(" | ")));
    }
    out.push('\n');
}

/// Takes the meaning from everything that Markdown or HTML inside it could understand.
fn escape<T: AsRef<str>>(text: T) -> String {
    let mut out = String::new();
    for letter in text.as_ref().chars() {
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
