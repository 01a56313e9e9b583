//! Sources, rules and weights: built in, and from paths that the user names.

use std::fs;
use std::path::{Path, PathBuf};

use std::io::Read as _;

use anyhow::{Context as _, bail};
use include_dir::{Dir, DirEntry, include_dir};
use makyo_base::{AddressClass, hex, sha256};
use makyo_decode::Sources;
use makyo_detect::{Guards, INTEL_BYTES_MAX, Indicator, RuleSet, Served, Weights, read_indicators};
use makyo_flow::AddressLists;
use makyo_sigma::{
    Correlation, Diagnostic, Documents, Placeholders, Rule, apply_filters, load_documents,
};

use crate::output::tell;

static SOURCES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../sources");
static RULES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../rules");
static SHARED_PARENTS: &str = include_str!("../../../knowledge/shared-parents.yml");
static ALLOW_LIST: &str = include_str!("../../../knowledge/allow-list.yml");
static JUDGEMENT: &str = include_str!("../../../knowledge/judgement.yml");
static WEIGHTS: &str = include_str!("../../../knowledge/weights.yml");

/// The numbers of linking and judging.
pub(crate) fn judgement() -> anyhow::Result<makyo_link::weights::Weights> {
    makyo_link::weights::Weights::load(JUDGEMENT)
        .map_err(|problem| failed("knowledge/judgement.yml", &[problem]))
}

/// What strangers share and is therefore no evidence of one hand.
pub(crate) fn shared_endpoints() -> anyhow::Result<makyo_link::read::Shared> {
    makyo_link::read::Shared::load(SHARED_PARENTS)
        .map_err(|problem| failed("knowledge/shared-parents.yml", &[problem]))
}

/// JSON files below a folder, also gzipped, sorted.
pub(crate) fn json_files(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = all_files(&[folder.to_owned()])?;
    found.retain(|path| {
        let name = path.to_string_lossy().to_lowercase();
        [".json", ".stix", ".json.gz"].iter().any(|ending| name.ends_with(ending))
    });
    Ok(found)
}

/// The text of a file, plain or gzip; the inner error says why its content is no text.
pub(crate) fn text_or_gzip(path: &Path) -> anyhow::Result<Result<String, String>> {
    let bytes = fs::read(path).with_context(|| format!("cannot read `{}`", path.display()))?;
    Ok(makyo_link::read::text_of(&bytes))
}

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
        all.extend(files(path, &["yml", "yaml", "yar", "yara", "md"])?);
    }
    all.sort();
    all.dedup();
    Ok(all)
}

/// What is wrong with the rules that the user gave, and what it costs.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Problem {
    pub(crate) file: String,
    pub(crate) line: usize,
    pub(crate) cost: Cost,
    pub(crate) reason: String,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Cost {
    /// Rules of YARA or Sigma that do not run.
    Rule,
    /// A filter that narrows nothing, or not all that it names.
    Filter,
    Correlation,
}

impl Cost {
    pub(crate) fn words(self) -> &'static str {
        match self {
            Cost::Rule => "rule not loaded",
            Cost::Filter => "filter without effect",
            Cost::Correlation => "correlation not loaded",
        }
    }
}

impl Problem {
    pub(crate) fn of(cost: Cost, found: Diagnostic) -> Self {
        Problem { file: found.file, line: found.line, cost, reason: found.message }
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(to, "{}:{}: {}", self.file, self.line, self.reason)
    }
}

/// Rules as they are run: duplicates dropped, filters applied.
#[derive(Debug, Default)]
pub(crate) struct Rules {
    pub(crate) rules: Vec<Rule>,
    pub(crate) correlations: Vec<Correlation>,
    /// Files of YARA rules, not yet compiled.
    pub(crate) yara: Vec<DataFile>,
    pub(crate) problems: Vec<Problem>,
}

/// Reads the rules of files; what cannot be loaded comes beside them.
pub(crate) fn read_rules(files: &[DataFile], placeholders: &Placeholders) -> Rules {
    let mut all = Documents::default();
    let mut rules = Rules::default();
    for (path, text) in files {
        if path.ends_with(".yml") || path.ends_with(".yaml") {
            let (found, wrong) = load_documents(path, text, placeholders);
            all.append(found);
            rules.problems.extend(wrong.into_iter().map(|one| Problem::of(Cost::Rule, one)));
        } else if path.ends_with(".yar") || path.ends_with(".yara") {
            rules.yara.push((path.clone(), text.clone()));
        }
    }
    let duplicates = all.drop_duplicates();
    rules.problems.extend(duplicates.into_iter().map(|one| Problem::of(Cost::Rule, one)));
    let idle = apply_filters(&mut all.rules, &all.filters);
    rules.problems.extend(idle.into_iter().map(|one| Problem::of(Cost::Filter, one)));
    rules.rules = all.rules;
    rules.correlations = all.correlations;
    rules
}

/// The values of placeholders, and the text that they were read from.
pub(crate) fn placeholders(file: Option<&Path>) -> anyhow::Result<(Placeholders, String)> {
    let Some(file) = file else { return Ok((Placeholders::default(), String::new())) };
    let text =
        fs::read_to_string(file).with_context(|| format!("cannot read `{}`", file.display()))?;
    let found = Placeholders::load(&file.display().to_string(), &text)
        .map_err(|problems| failed("placeholders", &problems))?;
    Ok((found, text))
}

/// Indicators of the user's lists.
#[derive(Debug, Default)]
pub(crate) struct IntelFiles {
    pub(crate) indicators: Vec<Indicator>,
    pub(crate) problems: Vec<Diagnostic>,
    /// Lists of networks that say what kind of place an address is, and nothing bad of it.
    pub(crate) lists: AddressLists,
    /// Over the content of all files.
    pub(crate) hash: String,
}

/// Reads lists of indicators; a folder stands for all files in it but hidden ones.
pub(crate) fn intel(paths: &[PathBuf]) -> anyhow::Result<IntelFiles> {
    let guards = Guards::load(SHARED_PARENTS, ALLOW_LIST)
        .map_err(|problems| failed("guards of indicators", &problems))?;
    let mut found = IntelFiles::default();
    let mut hashes = Vec::new();
    for path in all_files(paths)? {
        let file = fs::File::open(&path);
        let mut bytes = Vec::new();
        // One byte more, so that what is too large is seen to be.
        file.and_then(|file| file.take(INTEL_BYTES_MAX as u64 + 1).read_to_end(&mut bytes))
            .with_context(|| format!("cannot read `{}`", path.display()))?;
        hashes.push(hex(&sha256(&bytes)));
        if let Some(class) = AddressClass::of_list(&path.display().to_string())
            && let Ok(Ok(text)) = text_or_gzip(&path)
            && is_networks(&text)
        {
            found.lists.add(class, &text);
            continue;
        }
        if path.extension().is_some_and(|end| end.eq_ignore_ascii_case("mmdb")) {
            let name = path.display().to_string();
            if let Err(reason) = found.lists.add_database(bytes) {
                let message = format!("is no database of networks (MMDB): {reason}");
                found.problems.push(Diagnostic { file: name, ..Diagnostic::at(0, message) });
            }
            continue;
        }
        let mut intel = read_indicators(&path.display().to_string(), &bytes, &guards);
        found.indicators.append(&mut intel.indicators);
        found.problems.append(&mut intel.problems);
    }
    hashes.sort();
    found.hash = hex(&sha256(hashes.join("\0").as_bytes()));
    Ok(found)
}

/// Whether nearly all lines of a text are addresses or networks.
fn is_networks(text: &str) -> bool {
    let mut list = AddressLists::default();
    let wrong = list.add(AddressClass::Hosting, text);
    !list.is_empty() && wrong * 20 <= text.lines().count()
}

fn all_files(paths: &[PathBuf]) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut open = paths.to_vec();
    while let Some(next) = open.pop() {
        if !next.is_dir() {
            found.push(next);
            continue;
        }
        let entries = fs::read_dir(&next)
            .with_context(|| format!("cannot read folder `{}`", next.display()))?;
        for entry in entries {
            let entry = entry?;
            let is_hidden = entry.file_name().to_string_lossy().starts_with('.');
            if !is_hidden && !entry.file_type()?.is_symlink() {
                open.push(entry.path());
            }
        }
    }
    found.sort();
    found.dedup();
    Ok(found)
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
pub(crate) fn tell_refused(problems: &[Problem]) {
    for problem in problems {
        tell(&format!("{}: {problem}", problem.cost.words()));
    }
}

/// So many refused indicators are named; published lists hold thousands.
const INTEL_SHOWN: usize = 20;

/// Names indicators that are not used.
pub(crate) fn tell_refused_indicators(problems: &[Diagnostic]) {
    for problem in problems.iter().take(INTEL_SHOWN) {
        tell(&format!("indicator not used: {problem}"));
    }
    if problems.len() > INTEL_SHOWN {
        tell(&format!("... and {} more indicators not used", problems.len() - INTEL_SHOWN));
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
