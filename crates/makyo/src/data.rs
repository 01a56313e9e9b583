//! Sources, rules and weights: built in, and from paths that the user names.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use include_dir::{Dir, DirEntry, include_dir};
use makyo_decode::Sources;
use makyo_detect::{RuleSet, Served, Weights};
use makyo_sigma::{Diagnostic, Rule, load_rules};

use crate::output::tell;

static SOURCES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../sources");
static RULES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../rules");
static WEIGHTS: &str = include_str!("../../../knowledge/weights.yml");

/// A file of data: its path and its text.
pub(crate) type DataFile = (String, String);

fn embedded(folder: &'static Dir<'static>, out: &mut Vec<DataFile>) {
    for entry in folder.entries() {
        match entry {
            DirEntry::Dir(folder) => embedded(folder, out),
            DirEntry::File(file) => {
                if let Some(text) = file.contents_utf8() {
                    out.push((file.path().display().to_string(), text.to_owned()));
                }
            }
        }
    }
}

/// All files of a kind below a path, sorted.
pub(crate) fn files(path: &Path, endings: &[&str]) -> anyhow::Result<Vec<DataFile>> {
    let mut found = Vec::new();
    let mut open: Vec<PathBuf> = vec![path.to_owned()];
    while let Some(next) = open.pop() {
        if next.is_dir() {
            for entry in fs::read_dir(&next)
                .with_context(|| format!("cannot read folder `{}`", next.display()))?
            {
                let entry = entry?;
                if !entry.file_type()?.is_symlink() {
                    open.push(entry.path());
                }
            }
        } else if next == path
            || endings.iter().any(|end| next.extension().is_some_and(|own| own == *end))
        {
            let text =
                fs::read(&next).with_context(|| format!("cannot read `{}`", next.display()))?;
            found.push((next.display().to_string(), String::from_utf8_lossy(&text).into_owned()));
        }
    }
    found.sort();
    Ok(found)
}

/// Built-in source files and those below the given folders.
pub(crate) fn source_files(folders: &[PathBuf]) -> anyhow::Result<Vec<DataFile>> {
    let mut all = Vec::new();
    embedded(&SOURCES, &mut all);
    all.retain(|file| file.0.ends_with(".yml"));
    for folder in folders {
        if !folder.is_dir() {
            bail!("sources are a folder of NAME/source.yml: `{}` is none", folder.display());
        }
        let own = files(folder, &["yml"])?;
        // A description of the user's stands in for the built-in one of the same name.
        let tail = |path: &str| path.rsplit('/').take(2).map(str::to_owned).collect::<Vec<_>>();
        all.retain(|known| !own.iter().any(|file| tail(&file.0) == tail(&known.0)));
        all.extend(own);
    }
    all.sort();
    Ok(all)
}

/// Loads sources; mistakes are told all at once.
pub(crate) fn sources(folders: &[PathBuf]) -> anyhow::Result<Sources> {
    Sources::load(&source_files(folders)?)
        .map_err(|problems| failed("source descriptions", &problems))
}

/// Files of built-in fixtures.
pub(crate) fn source_fixtures() -> Vec<DataFile> {
    let mut all = Vec::new();
    embedded(&SOURCES, &mut all);
    all.retain(|file| file.0.contains("fixtures/"));
    all.sort();
    all
}

/// Built-in rule files, YAML and Markdown.
pub(crate) fn built_in_rules() -> Vec<DataFile> {
    let mut all = Vec::new();
    embedded(&RULES, &mut all);
    all.sort();
    all
}

/// Files of rules and tests below paths; the built-in ones where there are no paths.
pub(crate) fn rule_files(paths: &[PathBuf]) -> anyhow::Result<Vec<DataFile>> {
    if paths.is_empty() {
        return Ok(built_in_rules());
    }
    let mut all = Vec::new();
    for path in paths {
        all.extend(files(path, &["yml", "yaml", "md"])?);
    }
    all.sort();
    all.dedup();
    Ok(all)
}

/// Reads the rules of files; what cannot be loaded comes beside them.
pub(crate) fn read_rules(files: &[DataFile]) -> (Vec<Rule>, Vec<Diagnostic>) {
    let mut rules = Vec::new();
    let mut problems = Vec::new();
    for (path, text) in
        files.iter().filter(|file| file.0.ends_with(".yml") || file.0.ends_with(".yaml"))
    {
        let (mut found, mut wrong) = load_rules(path, text);
        rules.append(&mut found);
        problems.append(&mut wrong);
    }
    (rules, problems)
}

/// Compiles rules for the loaded sources.
pub(crate) fn rule_set(rules: Vec<Rule>, sources: &Sources) -> RuleSet {
    let served: Vec<Served<'_>> = sources
        .all
        .iter()
        .map(|source| Served { logsources: &source.logsources, deciding: &source.deciding })
        .collect();
    RuleSet::compile(rules, &served)
}

/// Names rules that were not loaded; the run goes on without them.
pub(crate) fn tell_refused(problems: &[Diagnostic]) {
    for problem in problems {
        tell(&format!("rule not loaded: {problem}"));
    }
}

/// The weights of evidence.
pub(crate) fn weights() -> anyhow::Result<Weights> {
    Weights::load(WEIGHTS)
        .map_err(|problem| anyhow::Error::new(problem.in_file("knowledge/weights.yml")))
}

/// The text of the weights, for the manifest.
pub(crate) fn weights_text() -> &'static str {
    WEIGHTS
}

pub(crate) fn failed(what: &str, problems: &[Diagnostic]) -> anyhow::Error {
    let lines: Vec<String> = problems.iter().map(|problem| format!("  {problem}")).collect();
    anyhow::anyhow!("{what} have {} mistakes:\n{}", problems.len(), lines.join("\n"))
}
