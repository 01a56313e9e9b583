//! Indicators: what others publish of an intruder, against the columns of events.
//!
//! Published lists hold traps: addresses that have had three tenants since, parents of dynamic DNS
//! names that thousands share, the hash of the empty file, dates that cannot be. So every value
//! goes through [`Guards`] before it is used, and what is refused comes back as a diagnostic: an
//! indicator is read whole or not at all.

mod draft;
mod guards;
mod list;
mod misp;
mod pattern;
mod separated;
mod set;
mod stix;
mod table;
mod value;

use std::io::Read as _;

use makyo_base::{DAY_NS, parse_json};
use makyo_sigma::Diagnostic;

pub use guards::Guards;
pub use set::{IndicatorMatch, IndicatorSet, Standing};
pub use value::{IndicatorKind, IndicatorValue, Observed};

use draft::Reading;

/// A list larger than this, also after decompression, is refused: a million indicators of one
/// line each fit.
pub const INTEL_BYTES_MAX: usize = 128 << 20;

/// Somebody saw the thing a little before or after the days that they published: infrastructure is
/// rented by the month.
pub const WINDOW_MARGIN_NS: i64 = 30 * DAY_NS;

/// One indicator: the values that must all stand in one event, and when they mean anything.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Indicator {
    /// The publisher's id, or one derived from the content.
    pub id: String,
    /// What must be there, most telling first; never empty.
    pub values: Vec<IndicatorValue>,
    /// The port of one end, where the indicator names one.
    pub port: Option<u16>,
    /// The publisher's words for it.
    pub title: String,
    /// Who says so: the publisher where the file names one, else the file.
    pub source: String,
    /// From when it holds, nanoseconds since the Unix epoch.
    pub from: Option<i64>,
    /// Until when it holds.
    pub until: Option<i64>,
    /// How sure the publisher is, 0 to 100.
    pub confidence: Option<u8>,
    /// The publisher's labels.
    pub labels: Vec<String>,
    /// ATT&CK techniques that labels and phases name.
    pub techniques: Vec<String>,
    /// ATT&CK tactics that labels and phases name.
    pub tactics: Vec<String>,
    /// Whether its most telling value is one that many owners share.
    pub shared: bool,
    /// The file that it was read from.
    pub file: String,
    /// Its line there; 0 where the format has none.
    pub line: usize,
}

impl Indicator {
    /// The kind of its most telling value.
    #[must_use]
    pub fn kind(&self) -> IndicatorKind {
        self.values.first().map_or(IndicatorKind::UserAgent, IndicatorValue::kind)
    }

    /// Whether it names something that changes hands, and does not say when it held.
    #[must_use]
    pub fn is_undated(&self) -> bool {
        self.kind().changes_hands() && self.from.is_none() && self.until.is_none()
    }
}

/// What one file of indicators gives.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Intel {
    /// The indicators that are used.
    pub indicators: Vec<Indicator>,
    /// What is refused or not used, and why; with line, or with the object's id in the message.
    pub problems: Vec<Diagnostic>,
}

/// Reads indicators in any format that is told by content: STIX 2 bundle, MISP event, separated
/// values with a header, or a list with one value a line; plain or gzip.
#[must_use]
pub fn read_indicators(file: &str, bytes: &[u8], guards: &Guards) -> Intel {
    let mut reading = Reading::new(file, guards);
    match plain_text(bytes) {
        Ok(text) => read_text(&text, &mut reading),
        Err(reason) => reading.refuse(0, reason),
    }
    reading.finish()
}

/// Indicators that begin only after the last event of the evidence: a date is wrong, or they say
/// nothing about this evidence. They stay loaded; the clock is not asked.
#[must_use]
pub fn later_than_evidence(indicators: &[Indicator], last_event: i64) -> Vec<Diagnostic> {
    indicators
        .iter()
        .filter(|one| one.kind().expires())
        .filter(|one| {
            one.from.is_some_and(|from| from.saturating_sub(WINDOW_MARGIN_NS) > last_event)
        })
        .map(|one| {
            let message =
                format!("indicator begins after the last event of the evidence: `{}`", one.id);
            Diagnostic::at(one.line, message).in_file(&one.file)
        })
        .collect()
}

fn plain_text(bytes: &[u8]) -> Result<String, String> {
    let too_large = || format!("list is larger than {INTEL_BYTES_MAX} bytes; not read");
    let mut unpacked = Vec::new();
    let bytes = if bytes.starts_with(&[0x1f, 0x8b]) {
        flate2::read::MultiGzDecoder::new(bytes)
            .take(INTEL_BYTES_MAX as u64 + 1)
            .read_to_end(&mut unpacked)
            .map_err(|reason| format!("gzip cannot be unpacked: {reason}"))?;
        unpacked.as_slice()
    } else {
        bytes
    };
    if bytes.len() > INTEL_BYTES_MAX {
        return Err(too_large());
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    std::str::from_utf8(bytes)
        .map(str::to_owned)
        .map_err(|reason| format!("list is not UTF-8 text: byte {}", reason.valid_up_to()))
}

fn read_text(text: &str, reading: &mut Reading<'_>) {
    if text.trim_start().starts_with(['{', '[']) && !looks_defanged(text) {
        match parse_json(text) {
            Ok(root) if stix::is_stix(&root) => stix::read(&root, reading),
            Ok(root) if misp::is_misp(&root) => misp::read(&root, reading),
            Ok(_) => reading.refuse(0, "JSON is neither a STIX bundle nor a MISP event".into()),
            Err(reason) => reading.refuse(0, format!("not valid JSON: {reason}")),
        }
    } else if separated::delimiter(text).is_some() {
        separated::read(text, reading);
    } else {
        list::read(text, reading);
    }
}

/// A list may begin with `[.]`-style brackets only inside a value, but a bracketed IPv6 address
/// begins a line with one.
fn looks_defanged(text: &str) -> bool {
    text.trim_start().strip_prefix('[').is_some_and(|rest| {
        let inside = rest.split(']').next().unwrap_or_default();
        inside.parse::<std::net::Ipv6Addr>().is_ok()
    })
}
