//! `makyo detect`: rules over evidence, a JSON line a match.

use makyo_base::{
    Decoded, Defect, Level, Object, Outline, Position, RecordSink, Stop, Value, format_time,
    to_json,
};
use makyo_decode::{DecodeOptions, decode};
use makyo_detect::{DetectState, Match, RuleSet, entities_of};

use super::events::{collect_evidence, tell_defect};
use crate::cli::{Detect, FailOn};
use crate::exit::Exit;
use crate::output::{Output, tell};
use crate::{data, organisation};

pub(crate) fn level(fail_on: FailOn) -> Level {
    match fail_on {
        FailOn::Informational => Level::Informational,
        FailOn::Low => Level::Low,
        FailOn::Medium => Level::Medium,
        FailOn::High => Level::High,
        FailOn::Critical => Level::Critical,
    }
}

struct Printer<'a> {
    output: &'a mut Output,
    rules: &'a RuleSet,
    state: DetectState,
    error: Option<anyhow::Error>,
    defects: usize,
    records: u64,
    matches: u64,
    fail_on: Option<Level>,
    met: bool,
}

impl RecordSink for Printer<'_> {
    fn record(&mut self, record: Decoded<'_>) -> Result<(), Stop> {
        self.records += 1;
        let mut lines = Vec::new();
        let fail_on = self.fail_on;
        let mut met = false;
        self.rules.matches(&mut self.state, &record, &mut |hit| {
            met |= fail_on.is_some_and(|level| hit.is_at_least(level));
            lines.push(line(&hit, &record));
        });
        self.met |= met;
        for line in lines {
            self.matches += 1;
            if let Err(error) = self.output.line(&line) {
                self.error = Some(error);
                return Err(Stop);
            }
        }
        Ok(())
    }

    fn screens(&self) -> bool {
        true
    }

    fn wants(&mut self, outline: &Outline<'_>) -> bool {
        let mut is_hit = false;
        let was_told = self.rules.screen(&mut self.state, outline, &mut |_| is_hit = true);
        let is_wanted = is_hit || !was_told;
        self.records += u64::from(!is_wanted);
        is_wanted
    }

    fn defect(&mut self, defect: Defect) {
        self.defects += 1;
        tell_defect(&defect);
    }
}

fn line(hit: &Match<'_>, record: &Decoded<'_>) -> String {
    let text = |text: &str| Value::text(text.to_owned());
    let rule = hit.rule;
    let mut of_rule = Object::default();
    of_rule.push("id", text(&rule.id));
    of_rule.push("title", text(&rule.title));
    of_rule.push("level", text(rule.level.word()));
    of_rule.push("tags", Value::List(rule.tags.iter().map(|tag| text(tag)).collect()));
    let number = match record.position {
        Position::Record(number) | Position::Byte(number) => number,
        Position::Whole => 0,
    };
    let mut evidence = Object::default();
    evidence.push("file", text(&record.artifact.path));
    evidence.push("record", Value::Int(number.into()));
    let entities = entities_of(&record.event).into_iter().map(|entity| {
        let mut one = Object::default();
        one.push("role", text(entity.role.word()));
        one.push("kind", text(entity.kind.word()));
        one.push("value", Value::text(entity.value));
        Value::Object(one)
    });
    let mut object = Object::default();
    object.push(
        "time",
        record.event.time().map_or(Value::Null, |time| Value::text(format_time(time))),
    );
    object.push("rule", Value::Object(of_rule));
    object.push("evidence", Value::Object(evidence));
    object.push("entities", Value::List(entities.collect()));
    to_json(&Value::Object(object))
}

pub(crate) fn run(options: &Detect, output: &mut Output) -> anyhow::Result<Exit> {
    let sources = data::sources(&options.reading.sources)?;
    let (organisation, _) = organisation::load(options.reading.org.as_deref())?;
    let (rules, problems) = data::read_rules(&data::rule_files(&options.rules)?);
    data::tell_refused(&problems);
    if rules.is_empty() {
        anyhow::bail!("no rule could be loaded");
    }
    let rules = data::rule_set(rules, &sources);
    let unrouted = rules.unrouted();
    let decode_options = DecodeOptions { directory: organisation::directory(&organisation) };
    let found = collect_evidence(&options.reading)?;
    found.collection.defects.iter().for_each(tell_defect);
    let mut printer = Printer {
        output,
        rules: &rules,
        state: DetectState::default(),
        error: None,
        defects: found.collection.defects.len(),
        records: 0,
        matches: 0,
        fail_on: options.fail_on.map(level),
        met: false,
    };
    for one in &found.collection.artifacts {
        let done = decode(&one.artifact, &one.location, &sources, &decode_options, &mut printer);
        if done.is_err() {
            break;
        }
    }
    if let Some(error) = printer.error {
        return Err(error);
    }
    tell(&format!(
        "{} matches in {} records; {} rules loaded, {} not loaded, {} of a log source that no source description serves",
        printer.matches,
        printer.records,
        rules.rules().len(),
        problems.len(),
        unrouted.len(),
    ));
    Ok(Exit::of(printer.met, printer.defects > 0))
}
