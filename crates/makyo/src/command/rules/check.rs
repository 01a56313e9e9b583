//! `makyo rules check`: which rules were loaded, what they ask for, and whether they can fire, at all
//! or on some evidence.

use std::collections::BTreeSet;

use makyo_base::{Level, Object, Value};
use makyo_decode::Sources;
use makyo_detect::{Census, Reach};
use makyo_sigma::{Correlation, Rule};

use super::census::census;
use super::load;
use crate::cli::{Format, RuleCheck};
use crate::data;
use crate::detection::Detection;
use crate::exit::Exit;
use crate::output::{Output, tell};

const COLUMNS: [&str; 10] =
    ["file", "line", "reason", "kind", "id", "level", "logsource", "sources", "can_fire", "fields"];

pub(super) fn run(options: &RuleCheck, output: &mut Output) -> anyhow::Result<Exit> {
    let sources = data::sources(&[])?;
    let detection = load(&options.rules, &sources)?;
    let mut census_of_all = None;
    let mut defects = 0;
    if !options.evidence.is_empty() {
        let counted = census(&detection.rules, &sources, &options.evidence)?;
        tell(&format!("{} records were looked at", counted.records));
        defects = counted.defects;
        census_of_all = Some(counted.census);
    }
    let check = Check { detection: &detection, sources: &sources, census: census_of_all };
    let format = options.rules.format;
    if format == Format::Table {
        check.tell(output)?;
    } else {
        output.rows(format, &COLUMNS.map(str::to_owned), &check.rows())?;
    }
    if detection.problems.is_empty() {
        Ok(Exit::of(false, defects > 0))
    } else {
        Ok(Exit::CouldNotRun)
    }
}

/// What is known of the rules.
struct Check<'a> {
    detection: &'a Detection,
    sources: &'a Sources,
    /// What the evidence holds, if any was given.
    census: Option<Census>,
}

impl Check<'_> {
    fn rules(&self) -> &[Rule] {
        self.detection.rules.rules()
    }

    /// Why a rule cannot fire, if it cannot.
    fn silence(&self, index: usize, rule: &Rule) -> Option<String> {
        let set = &self.detection.rules;
        let words = rule.logsource.words();
        let unserved = format!("no source description serves its log source: {words}");
        let Some(census) = &self.census else {
            return set.served_by(index).is_empty().then_some(unserved);
        };
        match set.reach(index, census) {
            Reach::Applied => None,
            Reach::NotServed => Some(unserved),
            Reach::NoRecords => Some(format!("no record of its log source is there: {words}")),
            Reach::NoFields(fields) => {
                let fields = fields.join(", ");
                Some(format!("no record of its log source has what it asks for: {fields}"))
            }
        }
    }

    /// A correlation is silent if all rules that it names are; other correlations may fire.
    fn silence_of_all(&self, correlation: &Correlation) -> Option<String> {
        let is_silent = |name: &makyo_sigma::Reference| {
            let mut named = self.rules().iter().enumerate();
            let rule = named.find(|one| name.means(&one.1.id, one.1.name.as_deref()));
            rule.is_some_and(|(index, rule)| self.silence(index, rule).is_some())
        };
        let all = correlation.rules.iter().all(is_silent);
        all.then(|| "none of the rules that it names can fire".to_owned())
    }

    fn correlations(&self) -> impl Iterator<Item = &Correlation> {
        let correlations = &self.detection.correlations;
        (0..correlations.len()).filter_map(|place| correlations.get(place))
    }

    /// Mistakes, what cannot fire, and counts, for people.
    fn tell(&self, output: &mut Output) -> anyhow::Result<()> {
        for problem in &self.detection.problems {
            output.line(&problem.to_string())?;
        }
        let mut silent = 0;
        for (index, rule) in self.rules().iter().enumerate() {
            if let Some(reason) = self.silence(index, rule) {
                output.line(&format!("{}: {}: {reason}", rule.file, rule.title))?;
                silent += 1;
            }
        }
        for correlation in self.correlations() {
            if let Some(reason) = self.silence_of_all(correlation) {
                output.line(&format!("{}: {}: {reason}", correlation.file, correlation.title))?;
                silent += 1;
            }
        }
        output.line(&format!(
            "{} rules loaded, {} correlations, {} YARA rules, {} not loaded, {silent} cannot fire{}",
            self.rules().len(),
            self.detection.correlations.len(),
            self.detection.yara_rules().list().len(),
            self.detection.problems.len(),
            if self.census.is_some() { " on this evidence" } else { "" }
        ))
    }

    /// A row for each problem, then one for each rule, correlation and YARA rule that was loaded;
    /// its reason says why it cannot fire, and is null where it can.
    fn rows(&self) -> Vec<Object<'static>> {
        let problems = self.detection.problems.iter().map(|problem| {
            let mut row = Object::default();
            row.push("file", text(&problem.file));
            row.push("line", Value::Int(problem.line as i128));
            row.push("reason", text(&problem.reason));
            row.push("kind", text("problem"));
            row
        });
        let rules = self.rules().iter().enumerate().map(|(index, rule)| {
            let served = self.detection.rules.served_by(index);
            let mut fields = BTreeSet::new();
            rule.selection.each_leaf(&mut |leaf| fields.extend(leaf.field.clone()));
            let names = served.iter().filter_map(|place| self.sources.get(*place));
            loaded(Loaded {
                file: &rule.file,
                line: Some(rule.line),
                reason: self.silence(index, rule),
                kind: "rule",
                id: &rule.id,
                level: Some(rule.level),
                logsource: rule.logsource.words(),
                sources: names.map(|source| source.id.clone()).collect(),
                fields: fields.into_iter().collect(),
            })
        });
        let correlations = self.correlations().map(|one| {
            loaded(Loaded {
                file: &one.file,
                line: Some(one.line),
                reason: self.silence_of_all(one),
                kind: "correlation",
                id: &one.id,
                level: one.level,
                logsource: "correlation".to_owned(),
                sources: Vec::new(),
                fields: one.group_by.clone(),
            })
        });
        let yara = self.detection.yara_rules().list().iter().map(|one| {
            loaded(Loaded {
                file: &one.file,
                line: None,
                reason: None,
                kind: "yara",
                id: &one.id,
                level: Some(one.level),
                logsource: "yara".to_owned(),
                sources: Vec::new(),
                fields: Vec::new(),
            })
        });
        problems.chain(rules).chain(correlations).chain(yara).collect()
    }
}

/// Something that was loaded.
struct Loaded<'a> {
    file: &'a str,
    line: Option<usize>,
    /// Why it cannot fire, if it cannot.
    reason: Option<String>,
    kind: &'static str,
    id: &'a str,
    level: Option<Level>,
    logsource: String,
    sources: Vec<String>,
    fields: Vec<String>,
}

fn loaded(one: Loaded<'_>) -> Object<'static> {
    let mut row = Object::default();
    row.push("file", text(one.file));
    row.push("line", one.line.map_or(Value::Null, |line| Value::Int(line as i128)));
    let can_fire = one.reason.is_none();
    row.push("reason", one.reason.map_or(Value::Null, |reason| text(&reason)));
    row.push("kind", text(one.kind));
    row.push("id", text(one.id));
    row.push("level", one.level.map_or(Value::Null, |level| text(level.word())));
    row.push("logsource", text(&one.logsource));
    row.push("sources", Value::List(one.sources.iter().map(|one| text(one)).collect()));
    row.push("can_fire", Value::Bool(can_fire));
    row.push("fields", Value::List(one.fields.iter().map(|one| text(one)).collect()));
    row
}

fn text(text: &str) -> Value<'static> {
    Value::text(text.to_owned())
}
