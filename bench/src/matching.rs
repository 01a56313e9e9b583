//! Makyo's own way from a file to the rules that its records meet.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use makyo_base::{Artifact, ArtifactId, Decoded, Defect, Outline, RecordSink, Stop};
use makyo_decode::{DecodeOptions, Sources, decode};
use makyo_detect::{DetectState, RuleSet, Served};
use makyo_sigma::{Rule, load_rules};

/// The project's folder.
#[must_use]
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// All files below a folder with this ending, sorted, with their texts.
///
/// # Errors
/// What cannot be read.
pub fn texts(folder: &Path, ending: &str) -> anyhow::Result<Vec<(String, String)>> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(next) = open.pop() {
        for entry in
            std::fs::read_dir(&next).with_context(|| format!("cannot read `{}`", next.display()))?
        {
            let path = entry?.path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|own| own == ending) {
                found.push((path.display().to_string(), std::fs::read_to_string(&path)?));
            }
        }
    }
    found.sort();
    Ok(found)
}

/// The built-in source descriptions.
///
/// # Errors
/// Mistakes in them.
pub fn sources() -> anyhow::Result<Sources> {
    let mut files = texts(&root().join("sources"), "yml")?;
    files.retain(|file| !file.0.contains("fixtures"));
    Sources::load(&files).map_err(|problems| anyhow::anyhow!("{problems:?}"))
}

/// The rules below folders; what cannot be loaded is left out.
///
/// # Errors
/// What cannot be read.
pub fn rules(folders: &[PathBuf]) -> anyhow::Result<Vec<Rule>> {
    let mut rules = Vec::new();
    for folder in folders {
        for (path, text) in texts(folder, "yml")? {
            rules.extend(load_rules(&path, &text).0);
        }
    }
    if rules.is_empty() {
        bail!("no rule was found");
    }
    Ok(rules)
}

/// Compiles rules for the sources.
#[must_use]
pub fn rule_set(rules: Vec<Rule>, sources: &Sources) -> RuleSet {
    let served: Vec<Served<'_>> = sources
        .all
        .iter()
        .map(|source| Served { logsources: &source.logsources, deciding: &source.deciding })
        .collect();
    RuleSet::compile(rules, &served)
}

/// Which rules which records met.
#[derive(Debug)]
pub struct Matches<'r> {
    rules: &'r RuleSet,
    state: DetectState,
    way: Way,
    /// Records that were handed over or passed by.
    pub records: u64,
    /// Of these, the ones that were told from their text alone.
    pub screened: u64,
    /// A record's number and a rule's place among the sorted rules.
    pub found: Vec<(u64, usize)>,
    /// What could not be read.
    pub defects: Vec<Defect>,
}

/// How records are matched.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Way {
    /// From their text where that is possible; records that match are not read.
    TextAlone,
    /// From their text, and records that match are read: what `makyo detect` does.
    TextThenRecord,
    /// Every record is read.
    Record,
}

impl<'r> Matches<'r> {
    /// Nothing yet.
    #[must_use]
    pub fn new(rules: &'r RuleSet, way: Way) -> Self {
        Matches {
            rules,
            state: DetectState::default(),
            way,
            records: 0,
            screened: 0,
            found: Vec::new(),
            defects: Vec::new(),
        }
    }
}

impl RecordSink for Matches<'_> {
    fn record(&mut self, record: Decoded<'_>) -> Result<(), Stop> {
        self.records += 1;
        let number = self.records;
        let found = &mut self.found;
        self.rules.matches(&mut self.state, &record, &mut |hit| found.push((number, hit.index)));
        Ok(())
    }

    fn screens(&self) -> bool {
        self.way != Way::Record
    }

    fn wants(&mut self, outline: &Outline<'_>) -> bool {
        let number = self.records + 1;
        let before = self.found.len();
        let found = &mut self.found;
        let was_told =
            self.rules.screen(&mut self.state, outline, &mut |hit| found.push((number, hit.index)));
        if self.way == Way::TextThenRecord && self.found.len() > before {
            self.found.truncate(before);
            return true;
        }
        self.records += u64::from(was_told);
        self.screened += u64::from(was_told);
        !was_told
    }

    fn defect(&mut self, defect: Defect) {
        self.defects.push(defect);
    }
}

/// Puts a file to the rules.
///
/// # Errors
/// A file that cannot be read.
pub fn match_file<'r>(
    path: &Path,
    sources: &Sources,
    rules: &'r RuleSet,
    way: Way,
) -> anyhow::Result<Matches<'r>> {
    let mut start = Vec::new();
    std::io::Read::read_to_end(
        &mut std::io::Read::take(std::fs::File::open(path)?, 65_536),
        &mut start,
    )?;
    let artifact = Artifact {
        id: ArtifactId([0; 32]),
        path: path.display().to_string(),
        size_bytes: path.metadata()?.len(),
        kind: makyo_collect::recognise(&start),
    };
    let mut matches = Matches::new(rules, way);
    // This receiver never stops.
    let _ = decode(&artifact, path, sources, &DecodeOptions::default(), &mut matches);
    Ok(matches)
}
