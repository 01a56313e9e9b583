//! `makyo sources list|check|test`.

use std::path::Path;

use makyo_base::{Object, Value};
use makyo_decode::{DecodeOptions, Sources as Loaded, TextEvents, decode_text};

use crate::cli::{SourcePaths, Sources};
use crate::data::{self, DataFile};
use crate::exit::Exit;
use crate::output::Output;

pub(crate) fn run(options: &Sources, output: &mut Output) -> anyhow::Result<Exit> {
    match options {
        Sources::List(paths) => list(paths, output),
        Sources::Check(paths) => check(paths, output),
        Sources::Test(paths) => test(paths, output),
    }
}

fn list(paths: &SourcePaths, output: &mut Output) -> anyhow::Result<Exit> {
    let folders: Vec<_> = paths.path.iter().cloned().collect();
    let sources = data::sources(&folders)?;
    let text = |text: &str| Value::text(text.to_owned());
    let rows: Vec<Object<'static>> = sources
        .all
        .iter()
        .map(|source| {
            let mut row = Object::default();
            row.push("id", text(&source.id));
            row.push("title", text(&source.title));
            row.push("formats", Value::List(source.formats.iter().map(|one| text(one)).collect()));
            row.push("vendor", text(&source.vendor));
            row.push("product", text(&source.product));
            row.push("export", text(&source.export));
            row
        })
        .collect();
    let columns = ["id", "title", "formats", "export"].map(str::to_owned);
    output.rows(paths.format, &columns, &rows)?;
    Ok(Exit::Done)
}

fn check(paths: &SourcePaths, output: &mut Output) -> anyhow::Result<Exit> {
    let folders: Vec<_> = paths.path.iter().cloned().collect();
    match Loaded::load(&data::source_files(&folders)?) {
        Ok(sources) => {
            output.line(&format!("{} source descriptions are in order", sources.all.len()))?;
            Ok(Exit::Done)
        }
        Err(problems) => {
            for problem in &problems {
                output.line(&problem.to_string())?;
            }
            output.line(&format!("{} mistakes", problems.len()))?;
            Ok(Exit::CouldNotRun)
        }
    }
}

/// Fixtures: each file that has its events beside it.
fn fixtures(paths: &SourcePaths) -> anyhow::Result<Vec<DataFile>> {
    match &paths.path {
        None => Ok(data::source_fixtures()),
        Some(path) => {
            let mut all =
                data::files(path, &["log", "json", "jsonl", "csv", "txt", "eml", "mbox", "xml"])?;
            all.retain(|file| file.0.contains("fixtures"));
            Ok(all)
        }
    }
}

fn test(paths: &SourcePaths, output: &mut Output) -> anyhow::Result<Exit> {
    let folders: Vec<_> = paths.path.iter().cloned().collect();
    let sources = data::sources(&folders)?;
    let files = fixtures(paths)?;
    let mut failures = Vec::new();
    let mut passed = 0;
    for (path, text) in files.iter().filter(|file| !file.0.ends_with(".events.jsonl")) {
        let golden = format!("{path}.events.jsonl");
        let expected = files.iter().find(|file| file.0 == golden);
        match try_fixture(path, text, expected.map(|file| file.1.as_str()), &sources) {
            Ok(()) => passed += 1,
            Err(reason) => failures.push(format!("{path}: {reason}")),
        }
    }
    for failure in &failures {
        output.line(failure)?;
    }
    output.line(&format!("{passed} fixtures as expected, {} failures", failures.len()))?;
    if failures.is_empty() { Ok(Exit::Done) } else { Ok(Exit::CouldNotRun) }
}

fn try_fixture(
    path: &str,
    text: &str,
    expected: Option<&str>,
    sources: &Loaded,
) -> Result<(), String> {
    let folder = Path::new(path).ancestors().nth(2).and_then(Path::file_name);
    let own = folder.map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let options =
        DecodeOptions { directory: vec!["agency".into(), "ad".into()], ..DecodeOptions::default() };
    let mut events = TextEvents::default();
    // A text in memory is never stopped.
    let _ = decode_text(path, text, sources, &options, &mut events);
    if let Some(defect) = events.defects.first() {
        return Err(format!("{} {}", defect.position, defect.detail));
    }
    if events.lines.is_empty() {
        return Err("gives no event".to_owned());
    }
    for index in &events.sources {
        let id = sources.get(*index).map_or("generic", |source| source.id.as_str());
        if id != own {
            return Err(format!("a record is read as `{id}`"));
        }
    }
    let Some(expected) = expected else { return Err("has no .events.jsonl beside it".to_owned()) };
    let wanted: Vec<&str> = expected.lines().collect();
    let differing = events.lines.iter().zip(&wanted).position(|(found, wanted)| found != wanted);
    match differing {
        Some(at) => Err(format!(
            "event {} differs\n  expected {}\n  found    {}",
            at + 1,
            wanted.get(at).unwrap_or(&""),
            events.lines.get(at).map(String::as_str).unwrap_or_default()
        )),
        None if wanted.len() != events.lines.len() => {
            Err(format!("{} events expected, {} found", wanted.len(), events.lines.len()))
        }
        None => Ok(()),
    }
}
