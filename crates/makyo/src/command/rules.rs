//! `makyo rules list|check|test`.

use makyo_base::{Object, Value};
use makyo_decode::{DecodeOptions, Sources, TextEvents, decode_text};
use makyo_detect::{DetectState, RuleSet};
use makyo_sigma::Rule;

use crate::cli::{Format, RulePaths, Rules};
use crate::data::{self, DataFile};
use crate::detection::Detection;
use crate::exit::Exit;
use crate::output::Output;

pub(crate) fn run(options: &Rules, output: &mut Output) -> anyhow::Result<Exit> {
    match options {
        Rules::List(paths) => list(paths, output),
        Rules::Check(paths) => check(paths, output),
        Rules::Test(paths) => test(paths, output),
    }
}

fn load(paths: &RulePaths, sources: &Sources) -> anyhow::Result<Detection> {
    let (placeholders, _) = data::placeholders(paths.placeholders.as_deref())?;
    let rules = data::read_rules(&data::rule_files(&paths.paths)?, &placeholders);
    Detection::load(rules, !paths.paths.is_empty(), data::IntelFiles::default(), sources)
}

fn list(paths: &RulePaths, output: &mut Output) -> anyhow::Result<Exit> {
    let sources = data::sources(&[])?;
    let detection = load(paths, &sources)?;
    data::tell_refused(&detection.problems);
    let set = &detection.rules;
    let unrouted: Vec<&str> = set.unrouted().into_iter().map(|rule| rule.id.as_str()).collect();
    let text = |text: &str| Value::text(text.to_owned());
    let rows: Vec<Object<'static>> = set
        .rules()
        .iter()
        .map(|rule| {
            let mut row = Object::default();
            row.push("id", text(&rule.id));
            row.push("level", text(rule.level.word()));
            row.push("logsource", text(&rule.logsource.words()));
            row.push("title", text(&rule.title));
            row.push(
                "techniques",
                Value::List(rule.techniques().iter().map(|one| text(one)).collect()),
            );
            row.push("can_fire", Value::Bool(!unrouted.contains(&rule.id.as_str())));
            row.push("file", text(&rule.file));
            row
        })
        .collect();
    let columns =
        ["level", "logsource", "title", "techniques", "can_fire", "id"].map(str::to_owned);
    output.rows(paths.format, &columns, &rows)?;
    Ok(Exit::Done)
}

fn check(paths: &RulePaths, output: &mut Output) -> anyhow::Result<Exit> {
    let sources = data::sources(&[])?;
    let detection = load(paths, &sources)?;
    let (set, problems) = (&detection.rules, &detection.problems);
    if paths.format == Format::Table {
        for problem in problems {
            output.line(&problem.to_string())?;
        }
        for rule in set.unrouted() {
            output.line(&format!("{}: {}", rule.file, unserved(rule)))?;
        }
        output.line(&format!(
            "{} rules loaded, {} not loaded, {} cannot fire",
            set.rules().len(),
            problems.len(),
            set.unrouted().len()
        ))?;
    } else {
        output.rows(
            paths.format,
            &CHECK_COLUMNS.map(str::to_owned),
            &check_rows(&detection, &sources),
        )?;
    }
    if problems.is_empty() { Ok(Exit::Done) } else { Ok(Exit::CouldNotRun) }
}

const CHECK_COLUMNS: [&str; 10] =
    ["file", "line", "reason", "kind", "id", "level", "logsource", "sources", "can_fire", "fields"];

fn unserved(rule: &Rule) -> String {
    format!("no source description serves its log source: {}", rule.logsource.words())
}

/// A row for each problem, then one for each rule that was loaded; its reason says why it cannot
/// fire, and is null where it can.
fn check_rows(detection: &Detection, sources: &Sources) -> Vec<Object<'static>> {
    let text = |text: &str| Value::text(text.to_owned());
    let problems = detection.problems.iter().map(|problem| {
        let mut row = Object::default();
        row.push("file", text(&problem.file));
        row.push("line", Value::Int(problem.line as i128));
        row.push("reason", text(&problem.reason));
        row.push("kind", text("problem"));
        row
    });
    let rules = detection.rules.rules().iter().enumerate().map(|(index, rule)| {
        let served = detection.rules.served_by(index);
        let mut fields = std::collections::BTreeSet::new();
        rule.selection.each_leaf(&mut |leaf| fields.extend(leaf.field.clone()));
        let names = served.iter().filter_map(|place| sources.get(*place));
        let mut row = Object::default();
        row.push("file", text(&rule.file));
        row.push("line", Value::Int(rule.line as i128));
        let reason = if served.is_empty() { text(&unserved(rule)) } else { Value::Null };
        row.push("reason", reason);
        row.push("kind", text("rule"));
        row.push("id", text(&rule.id));
        row.push("level", text(rule.level.word()));
        row.push("logsource", text(&rule.logsource.words()));
        row.push("sources", Value::List(names.map(|source| text(&source.id)).collect()));
        row.push("can_fire", Value::Bool(!served.is_empty()));
        row.push("fields", Value::List(fields.iter().map(|field| text(field)).collect()));
        row
    });
    problems.chain(rules).collect()
}

/// One fenced sample of a rule's test page.
struct Sample {
    line: usize,
    source: String,
    fires: bool,
    text: String,
}

fn samples(page: &str) -> Vec<Sample> {
    let mut found = Vec::new();
    let mut fires: Option<bool> = None;
    let mut open: Option<Sample> = None;
    for (number, line) in page.lines().enumerate() {
        match (&mut open, line.strip_prefix("```")) {
            (Some(_), Some(_)) => found.extend(open.take()),
            (Some(sample), None) => {
                sample.text.push_str(line);
                sample.text.push('\n');
            }
            (None, Some(source)) => {
                open = fires.map(|fires| Sample {
                    line: number + 1,
                    source: source.trim().to_owned(),
                    fires,
                    text: String::new(),
                });
            }
            (None, None) => {
                if let Some(title) = line.strip_prefix("## ") {
                    fires = if title.starts_with("Fires") {
                        Some(true)
                    } else if title.starts_with("Stays quiet") {
                        Some(false)
                    } else {
                        None
                    };
                }
            }
        }
    }
    found
}

fn test(paths: &RulePaths, output: &mut Output) -> anyhow::Result<Exit> {
    let sources = data::sources(&[])?;
    let files = data::rule_files(&paths.paths)?;
    let (placeholders, _) = data::placeholders(paths.placeholders.as_deref())?;
    let data::Rules { rules, problems, .. } = data::read_rules(&files, &placeholders);
    let mut failures: Vec<String> = problems.iter().map(ToString::to_string).collect();
    let mut passed = 0;
    for rule in &rules {
        let page_name = rule.file.replace(".yaml", ".md").replace(".yml", ".md");
        let Some((_, page)) = files.iter().find(|file: &&DataFile| file.0 == page_name) else {
            failures.push(format!("{}: has no test page `{page_name}`", rule.file));
            continue;
        };
        let samples = samples(page);
        for (fires, word) in [(true, "## Fires"), (false, "## Stays quiet")] {
            if !samples.iter().any(|sample| sample.fires == fires) {
                failures.push(format!("{page_name}: has no sample under `{word}`"));
            }
        }
        for sample in &samples {
            match try_sample(rule, sample, &sources) {
                Ok(()) => passed += 1,
                Err(reason) => failures.push(format!("{page_name}:{}: {reason}", sample.line)),
            }
        }
    }
    for failure in &failures {
        output.line(failure)?;
    }
    output.line(&format!(
        "{} rules, {passed} samples as expected, {} failures",
        rules.len(),
        failures.len()
    ))?;
    if failures.is_empty() { Ok(Exit::Done) } else { Ok(Exit::CouldNotRun) }
}

fn try_sample(rule: &Rule, sample: &Sample, sources: &Sources) -> Result<(), String> {
    let set = data::rule_set(vec![rule.clone()], sources);
    let mut events = TextEvents::default();
    // A text in memory is never stopped.
    let _ = decode_text("sample", &sample.text, sources, &DecodeOptions::default(), &mut events);
    // Attachments of samples are stand-ins, which need not open.
    let is_stand_in = |defect: &&makyo_base::Defect| defect.detail.starts_with("attachment `");
    if let Some(defect) = events.defects.iter().find(|defect| !is_stand_in(defect)) {
        return Err(format!("sample cannot be read: {} {}", defect.position, defect.detail));
    }
    for index in &events.sources {
        let id = sources.get(*index).map_or("generic", |source| source.id.as_str());
        if id != sample.source {
            return Err(format!("a record is read as `{id}`, the block says `{}`", sample.source));
        }
    }
    let hits = count_hits(&set, sample, sources);
    match (sample.fires, hits) {
        (true, 0) => Err("does not fire".to_owned()),
        (false, hits) if hits > 0 => Err("fires, but should stay quiet".to_owned()),
        _ if events.sources.is_empty() => Err("sample holds no record".to_owned()),
        _ => Ok(()),
    }
}

struct Hits<'a> {
    set: &'a RuleSet,
    state: DetectState,
    hits: usize,
}

impl makyo_base::RecordSink for Hits<'_> {
    fn record(&mut self, record: makyo_base::Decoded<'_>) -> Result<(), makyo_base::Stop> {
        let hits = &mut self.hits;
        self.set.matches(&mut self.state, &record, &mut |_| *hits += 1);
        Ok(())
    }

    fn defect(&mut self, _defect: makyo_base::Defect) {}
}

fn count_hits(set: &RuleSet, sample: &Sample, sources: &Sources) -> usize {
    let mut hits = Hits { set, state: DetectState::default(), hits: 0 };
    // A text in memory is never stopped.
    let _ = decode_text("sample", &sample.text, sources, &DecodeOptions::default(), &mut hits);
    hits.hits
}
