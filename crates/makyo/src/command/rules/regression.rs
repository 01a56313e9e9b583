//! `makyo rules test --regression`: rules are put to the logs that SigmaHQ keeps for them.
//!
//! A case is a folder with an `info.yml`: `rule_metadata` names rules by their id, and
//! `regression_tests_info` names files in the same folder with how often the rule matches there at
//! least, once where it does not say.

use std::path::{Path, PathBuf};

use makyo_collect::{Limits, collect};
use makyo_decode::{DecodeOptions, Sources, decode};
use makyo_sigma::{Node, Rule, load_yaml};

use super::page::Matches;
use crate::cli::RuleTest;
use crate::data::{self, IntelFiles, Rules};
use crate::detection::Detection;
use crate::exit::Exit;
use crate::output::Output;

/// A log and a rule that must match in it.
struct Case {
    /// File of the case, for people.
    info: String,
    rule: String,
    log: PathBuf,
    matches: usize,
}

/// The cases that a file describes, or what is wrong with it.
fn cases(info: &str, text: &str) -> Result<Vec<Case>, String> {
    let documents = load_yaml(text).map_err(|problem| problem.to_string())?;
    let document = documents.first().ok_or("is empty")?;
    let list = |name: &str| document.get(name).map(Node::items).unwrap_or_default();
    let rules: Vec<&str> =
        list("rule_metadata").into_iter().filter_map(|rule| rule.get_text("id")).collect();
    let tests = list("regression_tests_info");
    if rules.is_empty() {
        return Err("names no rule in `rule_metadata`".into());
    }
    let folder = Path::new(info).parent().unwrap_or(Path::new(""));
    let mut found = Vec::new();
    for test in tests {
        let path = test.get_text("path").ok_or("a test has no `path`")?;
        let name = Path::new(path).file_name().ok_or("a test's `path` names no file")?;
        let count = test.get_text("match_count").and_then(|count| count.parse().ok());
        found.extend(rules.iter().map(|rule| Case {
            info: info.to_owned(),
            rule: (*rule).to_owned(),
            log: folder.join(name),
            matches: count.unwrap_or(1),
        }));
    }
    Ok(found)
}

pub(super) fn test(options: &RuleTest, folder: &Path, output: &mut Output) -> anyhow::Result<Exit> {
    let sources = data::sources(&[])?;
    let (placeholders, _) = data::placeholders(options.rules.placeholders.as_deref())?;
    let read = data::read_rules(&data::rule_files(&options.rules.paths)?, &placeholders);
    let files = data::files(folder, &["yml"])?;
    let infos = files.iter().filter(|file| Path::new(&file.0).ends_with("info.yml"));
    let mut failures: Vec<String> = Vec::new();
    let (mut held, mut all, mut empty) = (0, 0, 0);
    for (info, text) in infos {
        let cases = match cases(info, text) {
            Ok(cases) => cases,
            Err(reason) => {
                failures.push(format!("{info}: {reason}"));
                continue;
            }
        };
        empty += usize::from(cases.is_empty());
        for case in cases {
            all += 1;
            let named = read.rules.iter().find(|rule| rule.id == case.rule);
            let result = named
                .ok_or_else(|| "no such rule was loaded".to_owned())
                .and_then(|rule| case.holds(rule, &sources));
            match result {
                Ok(()) => held += 1,
                Err(reason) => failures.push(format!("{}: {}: {reason}", case.info, case.rule)),
            }
        }
    }
    for failure in &failures {
        output.line(failure)?;
    }
    output.line(&format!(
        "{held} of {all} regression cases hold, {empty} `info.yml` without a test, {} failures",
        failures.len()
    ))?;
    if all == 0 {
        anyhow::bail!("no `info.yml` of a regression case below `{}`", folder.display());
    }
    if failures.is_empty() { Ok(Exit::Done) } else { Ok(Exit::CouldNotRun) }
}

impl Case {
    fn holds(&self, rule: &Rule, sources: &Sources) -> Result<(), String> {
        let alone = Rules { rules: vec![rule.clone()], ..Rules::default() };
        let alone = Detection::load(alone, false, IntelFiles::default(), sources)
            .map_err(|error| error.to_string())?;
        if alone.rules.served_by(0).is_empty() {
            let words = rule.logsource.words();
            return Err(format!("no source description serves its log source: {words}"));
        }
        let spool = tempfile::tempdir().map_err(|error| error.to_string())?;
        let log = std::slice::from_ref(&self.log);
        let found = collect(log, spool.path(), &Limits::default(), &mut |_, _| {})
            .map_err(|error| error.to_string())?;
        let mut matches = Matches::new(&alone);
        for one in &found.artifacts {
            // Counting never stops the reading.
            let _ = decode(
                &one.artifact,
                &one.location,
                sources,
                &DecodeOptions::default(),
                &mut matches,
            );
        }
        let count = matches.count;
        (count >= self.matches).then_some(()).ok_or_else(|| {
            format!("matches {count} times, not {}, in {}", self.matches, self.log.display())
        })
    }
}
