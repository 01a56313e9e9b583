//! The report as one HTML file: no script, nothing loaded, every text escaped by the template.

use askama::Template;

use crate::lang::{Language, Phrases};
use crate::nine::{Tables, nine_in};
use crate::picture::{Picture, timeline};
use crate::section::{Section, Shown, sections};

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
    /// The language of the frame; formats for other programs have none.
    pub language: Language,
}

impl std::fmt::Debug for ReportInputs<'_> {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(to, "ReportInputs({})", self.organisation)
    }
}

impl ReportInputs<'_> {
    /// The title of the report.
    pub(crate) fn title(&self, phrases: &Phrases) -> String {
        match self.organisation {
            "" => phrases.say("page.title").to_owned(),
            name => phrases.fill("page.title_at", &[("name", name)]),
        }
    }

    /// What it was made from.
    pub(crate) fn made(&self, phrases: &Phrases) -> String {
        let values = [
            ("version", self.version),
            ("evidence", &self.counts.0.to_string()),
            ("records", &self.counts.1.to_string()),
            ("events", &self.counts.2.to_string()),
        ];
        phrases.fill("page.made", &values)
    }
}

#[derive(Template)]
#[template(path = "report.html")]
struct Page<'a> {
    phrases: &'a Phrases,
    title: String,
    made: String,
    picture: Option<Picture>,
    sections: Vec<Section>,
    timeline: Option<Shown>,
    unread: &'a [(String, String, String)],
}

/// Rows of one table that are printed; the rest is in the case.
const ROWS_MAX: usize = 500;

impl Page<'_> {
    fn more(&self, table: &Shown) -> Option<String> {
        let more = table.rows.len().checked_sub(ROWS_MAX).filter(|more| *more > 0)?;
        Some(self.phrases.fill("page.more_rows", &[("count", &more.to_string())]))
    }
}

/// Renders the report.
///
/// # Errors
/// If the template engine fails, which is a mistake of ours.
pub fn html(inputs: &ReportInputs<'_>) -> Result<String, String> {
    let phrases = Phrases::of(inputs.language);
    let nine = nine_in(inputs.tables, inputs.accounts_in_all, &phrases);
    let page = Page {
        title: inputs.title(&phrases),
        made: inputs.made(&phrases),
        picture: timeline((inputs.tables)("path"), &phrases),
        sections: sections(&nine, inputs.tables, &phrases),
        timeline: crate::section::timeline(inputs.tables, &phrases),
        unread: inputs.unread,
        phrases: &phrases,
    };
    page.render().map_err(|error| error.to_string())
}
