//! `makyo rules list|check|test`.

mod census;
mod check;
mod page;
mod regression;

use makyo_base::{Level, Object, Value};
use makyo_decode::Sources;

use crate::cli::{RulePaths, Rules};
use crate::data;
use crate::detection::Detection;
use crate::exit::Exit;
use crate::output::Output;

pub(crate) fn run(options: &Rules, output: &mut Output) -> anyhow::Result<Exit> {
    match options {
        Rules::List(paths) => list(paths, output),
        Rules::Check(options) => check::run(options, output),
        Rules::Test(options) => match &options.regression {
            Some(folder) => regression::test(options, folder, output),
            None => page::test(&options.rules, output),
        },
    }
}

fn load(paths: &RulePaths, sources: &Sources) -> anyhow::Result<Detection> {
    let (placeholders, _) = data::placeholders(paths.placeholders.as_deref())?;
    let rules = data::read_rules(&data::rule_files(&paths.paths)?, &placeholders);
    Detection::load(rules, !paths.paths.is_empty(), data::IntelFiles::default(), sources)
}

/// A rule, correlation or YARA rule as `rules list` tells it.
struct Listed<'a> {
    id: &'a str,
    level: Option<Level>,
    logsource: String,
    title: &'a str,
    techniques: Vec<String>,
    can_fire: bool,
    file: &'a str,
}

fn list(paths: &RulePaths, output: &mut Output) -> anyhow::Result<Exit> {
    let sources = data::sources(&[])?;
    let detection = load(paths, &sources)?;
    data::tell_refused(&detection.problems);
    let set = &detection.rules;
    let unrouted: Vec<&str> = set.unrouted().into_iter().map(|rule| rule.id.as_str()).collect();
    let text = |text: &str| Value::text(text.to_owned());
    let row = |one: Listed<'_>| {
        let mut row = Object::default();
        row.push("id", text(one.id));
        row.push("level", one.level.map_or(Value::Null, |level| text(level.word())));
        row.push("logsource", text(&one.logsource));
        row.push("title", text(one.title));
        let techniques = one.techniques.iter().map(|one| text(one)).collect();
        row.push("techniques", Value::List(techniques));
        row.push("can_fire", Value::Bool(one.can_fire));
        row.push("file", text(one.file));
        row
    };
    let rules = set.rules().iter().map(|rule| Listed {
        id: &rule.id,
        level: Some(rule.level),
        logsource: rule.logsource.words(),
        title: &rule.title,
        techniques: rule.techniques(),
        can_fire: !unrouted.contains(&rule.id.as_str()),
        file: &rule.file,
    });
    let correlations = (0..detection.correlations.len())
        .filter_map(|place| detection.correlations.get(place))
        .map(|one| Listed {
            id: &one.id,
            level: one.level,
            logsource: "correlation".to_owned(),
            title: &one.title,
            techniques: makyo_sigma::techniques(&one.tags),
            can_fire: true,
            file: &one.file,
        });
    let yara = detection.yara_rules().list().iter().map(|one| Listed {
        id: &one.id,
        level: Some(one.level),
        logsource: "yara".to_owned(),
        title: &one.title,
        techniques: one.techniques.clone(),
        can_fire: true,
        file: &one.file,
    });
    let rows: Vec<Object<'static>> = rules.chain(correlations).chain(yara).map(row).collect();
    let columns =
        ["level", "logsource", "title", "techniques", "can_fire", "id"].map(str::to_owned);
    output.rows(paths.format, &columns, &rows)?;
    Ok(Exit::Done)
}
