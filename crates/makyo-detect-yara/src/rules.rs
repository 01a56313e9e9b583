//! Rules from text.

use std::fmt;

use makyo_base::Level;
use yara_x::errors::CompileError;
use yara_x::{Compiler, IgnoredRuleReason, MetaValue, Rule, Rules, SourceCode};

use crate::error::YaraProblem;

/// Modules of the engine that are not built in. Rules that use them are left out one by one; the
/// rest of their file is used.
const MODULES_LEFT_OUT: &[&str] = &[
    "androguard",
    "console",
    "crx",
    "cuckoo",
    "dex",
    "macho",
    "magic",
    "msi",
    "olecf",
    "time",
    "vba",
    "vt",
    "zip",
];
/// Names that public rules expect from the scanner around them.
pub(crate) const GLOBALS: &[&str] = &["extension", "filename", "filepath", "filetype", "owner"];

/// The level of a rule that names none. Public rules name a malware family; their authors run them
/// over everything and would not publish what fires on ordinary files.
const LEVEL_UNSTATED: Level = Level::High;

/// Compiled rules.
pub struct YaraRules {
    pub(crate) rules: Rules,
    list: Vec<RuleInfo>,
}

/// What a rule says of itself.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct RuleInfo {
    /// `meta: id` or `uuid`, else file and name.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The file that it was read from, which is also its namespace.
    pub file: String,
    /// `meta: title`, else `description`, else its name.
    pub title: String,
    /// `meta: description`.
    pub description: String,
    /// `meta: level`, `severity` or `score`; high where none is stated.
    pub level: Level,
    /// ATT&CK techniques in `meta` and tags.
    pub techniques: Vec<String>,
    /// Its tags.
    pub tags: Vec<String>,
}

impl fmt::Debug for YaraRules {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.debug_struct("YaraRules").field("list", &self.list).finish_non_exhaustive()
    }
}

fn compiler() -> Compiler<'static> {
    let mut compiler = Compiler::new();
    // Public rules are written for the older engine, which is laxer.
    compiler.relaxed_re_syntax(true);
    // A rule must not read other files of this machine.
    compiler.enable_includes(false);
    for module in MODULES_LEFT_OUT {
        compiler.ignore_module(*module);
    }
    for name in GLOBALS {
        // The names are valid and the values are text, so this cannot fail.
        let is_defined = compiler.define_global(name, "").is_ok();
        debug_assert!(is_defined, "{name}");
    }
    compiler
}

impl YaraRules {
    /// Compiles files of rules, given as path and text. A file with a mistake is left out as a
    /// whole, because a rule of it may be meant to narrow the others; a rule that needs a module
    /// that is not built in is left out alone. Both are told.
    #[must_use]
    pub fn compile(files: &[(String, String)]) -> (Self, Vec<YaraProblem>) {
        let mut sorted: Vec<&(String, String)> = files.iter().collect();
        sorted.sort();
        sorted.dedup();
        let mut all = compiler();
        let mut problems = Vec::new();
        for (path, text) in sorted {
            let found = check(path, text);
            let is_whole = found.iter().all(|problem| !problem.costs_file);
            problems.extend(found.into_iter().map(|found| found.problem));
            if !is_whole {
                continue;
            }
            all.new_namespace(path);
            if let Err(error) = all.add_source(text.as_str()) {
                // It went well alone, so this is the engine's limit over all files.
                problems.push(problem(path, text, &error));
            }
        }
        let rules = all.build();
        let mut list: Vec<RuleInfo> = rules.iter().map(|rule| info(&rule)).collect();
        list.sort();
        problems.sort();
        (YaraRules { rules, list }, problems)
    }

    /// The rules, sorted by id.
    #[must_use]
    pub fn list(&self) -> &[RuleInfo] {
        &self.list
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }
}

struct Found {
    problem: YaraProblem,
    costs_file: bool,
}

/// Tries a file alone.
fn check(path: &str, text: &str) -> Vec<Found> {
    let mut alone = compiler();
    let _ = alone.add_source(SourceCode::from(text).with_origin(path));
    let mut found: Vec<Found> = alone
        .errors()
        .iter()
        .map(|error| Found { problem: problem(path, text, error), costs_file: true })
        .collect();
    for (rule, reason) in alone.ignored_rules() {
        let (line, is_global) = declaration(text, rule);
        let reason = match reason {
            IgnoredRuleReason::IgnoredModule(module) => {
                format!("rule `{rule}` is left out: module is not built in: `{module}`")
            }
            IgnoredRuleReason::IgnoredRule(other) => {
                format!("rule `{rule}` is left out: it needs a rule that is left out: `{other}`")
            }
            // Told as an error already.
            IgnoredRuleReason::CompileError(_) => continue,
        };
        let reason = if is_global {
            format!("{reason}; it narrows all rules of its file, so the file is left out")
        } else {
            reason
        };
        let problem = YaraProblem { file: path.to_owned(), line, reason };
        found.push(Found { problem, costs_file: is_global });
    }
    found
}

fn problem(path: &str, text: &str, error: &CompileError) -> YaraProblem {
    let label = error.labels().next();
    let line = label.as_ref().map_or(0, |label| line_of(text, label.span().start()));
    let mut reason = error.title().to_owned();
    if let Some(label) = label.filter(|label| !label.text().is_empty()) {
        reason = format!("{reason}: {}", label.text());
    }
    YaraProblem { file: path.to_owned(), line, reason }
}

fn line_of(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
}

/// The line on which a rule is declared, and whether it is a global one. Words in comments may
/// look like a declaration; then global is assumed, which costs a file and not a false match.
fn declaration(text: &str, name: &str) -> (usize, bool) {
    let words: Vec<(usize, &str)> = (1..)
        .zip(text.lines())
        .flat_map(|(number, line)| {
            line.split(|letter: char| !letter.is_alphanumeric() && letter != '_')
                .filter(|word| !word.is_empty())
                .map(move |word| (number, word))
        })
        .collect();
    let mut line = 0;
    let mut is_global = false;
    for (at, pair) in words.windows(2).enumerate() {
        if let [(number, "rule"), (_, found)] = pair
            && *found == name
        {
            line = *number;
            // `global` and `private` stand in front, in either order.
            let before = words.get(at.saturating_sub(2)..at).unwrap_or_default();
            is_global |= before.iter().any(|word| word.1 == "global");
        }
    }
    (line, is_global)
}

pub(crate) fn info(rule: &Rule<'_, '_>) -> RuleInfo {
    let mut info = RuleInfo {
        id: String::new(),
        name: rule.identifier().to_owned(),
        file: rule.namespace().to_owned(),
        title: String::new(),
        description: String::new(),
        level: LEVEL_UNSTATED,
        techniques: Vec::new(),
        tags: rule.tags().map(|tag| tag.identifier().to_owned()).collect(),
    };
    for (name, value) in rule.metadata() {
        let text = match value {
            MetaValue::String(text) => text.to_owned(),
            MetaValue::Integer(number) => number.to_string(),
            MetaValue::Float(number) => number.to_string(),
            MetaValue::Bool(flag) => flag.to_string(),
            MetaValue::Bytes(bytes) => bytes.to_string(),
        };
        let place = match name.to_ascii_lowercase().as_str() {
            "id" | "uuid" => &mut info.id,
            "title" => &mut info.title,
            "description" | "desc" => &mut info.description,
            "level" | "severity" | "score" => {
                info.level = level(&text).unwrap_or(LEVEL_UNSTATED);
                continue;
            }
            name if ["technique", "mitre", "attack"].iter().any(|word| name.contains(word)) => {
                info.techniques.extend(techniques(&text));
                continue;
            }
            _ => continue,
        };
        if place.is_empty() {
            *place = text;
        }
    }
    info.techniques.extend(info.tags.iter().flat_map(|tag| techniques(&tag.replace('_', "."))));
    info.techniques.sort();
    info.techniques.dedup();
    if info.id.is_empty() {
        info.id = format!("{}:{}", info.file, info.name);
    }
    if info.title.is_empty() {
        info.title =
            if info.description.is_empty() { info.name.clone() } else { info.description.clone() };
    }
    info
}

/// Sigma's word, or a score of 0 to 100 as public collections give it.
fn level(text: &str) -> Option<Level> {
    let word = text.trim();
    if word.eq_ignore_ascii_case("info") {
        return Some(Level::Informational);
    }
    Level::from_word(word).or_else(|| {
        let score = word.parse::<u32>().ok().filter(|score| *score <= 100)?;
        Some(match score {
            0..40 => Level::Informational,
            40..60 => Level::Low,
            60..75 => Level::Medium,
            _ => Level::High,
        })
    })
}

/// ATT&CK techniques that a text names: `T1566.001`.
fn techniques(text: &str) -> Vec<String> {
    text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '.')
        .map(str::to_ascii_uppercase)
        .filter(|word| {
            let Some(number) = word.strip_prefix('T') else { return false };
            let (main, sub) = number.split_once('.').unwrap_or((number, "000"));
            let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
            main.len() == 4 && sub.len() == 3 && digits(main) && digits(sub)
        })
        .collect()
}
