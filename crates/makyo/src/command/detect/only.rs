//! Which records are looked at, and which matches are printed.

use anyhow::{anyhow, bail};
use makyo_base::{Column, DAY_NS, Event, Level, parse_time};

use super::level;
use crate::cli::Only;
use crate::detection::Detection;
use crate::glob::fits;

/// The filters of the command line, read.
#[derive(Debug, Default)]
pub(super) struct Chosen {
    from: Option<i64>,
    to: Option<i64>,
    hosts: Vec<String>,
    rules: Vec<String>,
    level: Option<Level>,
}

impl Chosen {
    pub(super) fn read(only: &Only, detection: &Detection) -> anyhow::Result<Self> {
        let from = only.from.as_deref().map(|text| time("--from", text, 0)).transpose()?;
        let to = only.to.as_deref().map(|text| time("--to", text, DAY_NS - 1)).transpose()?;
        if let (Some(from), Some(to)) = (from, to)
            && to < from
        {
            bail!("`--to` lies before `--from`");
        }
        for pattern in &only.rule {
            if !is_known(pattern, detection) {
                bail!("no loaded rule has an id or title that fits `--rule`: `{pattern}`");
            }
        }
        Ok(Chosen {
            from,
            to,
            hosts: only.host.clone(),
            rules: only.rule.clone(),
            level: only.level.map(level),
        })
    }

    /// Whether some records are left out.
    pub(super) fn is_narrow(&self) -> bool {
        self.from.is_some() || self.to.is_some() || !self.hosts.is_empty()
    }

    /// Whether a record is looked at.
    pub(super) fn holds(&self, event: &Event<'_>) -> bool {
        !self.is_narrow() || self.holds_place(event.time(), event.text(Column::Host))
    }

    /// The same by time and host. What has none is in no time and on no host.
    pub(super) fn holds_place(&self, time: Option<i64>, host: Option<&str>) -> bool {
        self.from.is_none_or(|from| time.is_some_and(|time| time >= from))
            && self.to.is_none_or(|to| time.is_some_and(|time| time <= to))
            && (self.hosts.is_empty()
                || host.is_some_and(|host| self.hosts.iter().any(|pattern| fits(pattern, host))))
    }

    /// Whether a match is printed.
    pub(super) fn takes(&self, id: &str, title: &str, level: Level) -> bool {
        self.level.is_none_or(|least| level >= least)
            && (self.rules.is_empty()
                || self.rules.iter().any(|pattern| fits(pattern, id) || fits(pattern, title)))
    }
}

/// A misspelt name would give a silence that looks like an answer.
fn is_known(pattern: &str, detection: &Detection) -> bool {
    let known = |id: &str, title: &str| fits(pattern, id) || fits(pattern, title);
    let correlations = &detection.correlations;
    detection.rules.rules().iter().any(|rule| known(&rule.id, &rule.title))
        || (0..correlations.len())
            .filter_map(|place| correlations.get(place))
            .any(|one| known(&one.id, &one.title))
        || detection.indicators.indicators().iter().any(|one| known(&one.id, &one.title))
        || (detection.has_yara()
            && detection.yara_rules().list().iter().any(|rule| known(&rule.id, &rule.title)))
}

fn time(option: &str, text: &str, of_day: i64) -> anyhow::Result<i64> {
    let wrong = || anyhow!("`{option}` takes a time like 2025-01-31T08:00:00Z or a date: `{text}`");
    let is_date = text.len() == 10 && text.matches('-').count() == 2;
    if is_date {
        let start = parse_time(&format!("{text}T00:00:00Z")).ok_or_else(wrong)?;
        return Ok(start.saturating_add(of_day));
    }
    parse_time(text).ok_or_else(wrong)
}
