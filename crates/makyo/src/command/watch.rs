//! `makyo watch`: investigates again whenever evidence grows, and tells what changed.

mod change;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use makyo_base::{Object, Value, to_json};
use makyo_case::{Case, CaseError};

use self::change::{Answers, Change, changes};
use super::investigate::{After, Investigation, Pass};
use crate::cli::{ChangeFormat, Cli, Watch};
use crate::clock;
use crate::exit::Exit;
use crate::output::Output;

pub(crate) fn run(options: &Watch, cli: &Cli, output: &mut Output) -> anyhow::Result<Exit> {
    let mut investigation = Investigation::begin(&options.inquiry, cli)?;
    let mut before = answered(&options.inquiry.case)?;
    let mut seen = None;
    for number in 1_u64.. {
        // Looked at before it is read: what comes in between is seen next time.
        let now = stamps(&options.inquiry.reading.evidence);
        if seen.as_ref() != Some(&now) {
            seen = Some(now);
            let pass = investigation.pass(After::KeepWork)?;
            let after = Answers::of(&pass.case, pass.accounts_in_all)?;
            tell(options.format, number, &pass, &changes(&before, &after), output)?;
            before = after;
            let exit = pass.exit(&options.inquiry);
            if options.once || exit == Exit::Found {
                return Ok(exit);
            }
        }
        clock::wait(Duration::from_secs(options.every));
    }
    Ok(Exit::Done)
}

/// The answers of the case as an earlier run left them; none where there is no whole case.
fn answered(folder: &Path) -> anyhow::Result<Answers> {
    match Case::open(folder, 1) {
        Ok(case) => {
            let summary = super::show::answer(&case, "summary")?;
            let in_all = match summary.first().and_then(|row| row.get("accounts_in_all")) {
                Some(Value::Int(count)) => u64::try_from(*count).ok(),
                _ => None,
            };
            Answers::of(&case, in_all)
        }
        Err(CaseError::Missing(_) | CaseError::Incomplete(_)) => Ok(Answers::default()),
        Err(error) => Err(error.into()),
    }
}

type Stamps = BTreeMap<PathBuf, (u64, Option<SystemTime>)>;

/// Size and time of change of every file. They only say whether it is worth to look closer: what
/// is read is decided by content.
fn stamps(paths: &[PathBuf]) -> Stamps {
    let mut found = Stamps::new();
    let mut open = paths.to_vec();
    while let Some(next) = open.pop() {
        let Ok(known) = fs::metadata(&next) else { continue };
        if !known.is_dir() {
            found.insert(next, (known.len(), known.modified().ok()));
            continue;
        }
        let entries = fs::read_dir(&next).into_iter().flatten().flatten();
        let is_own = |entry: &fs::DirEntry| entry.file_type().is_ok_and(|kind| !kind.is_symlink());
        open.extend(entries.filter(is_own).map(|entry| entry.path()));
    }
    found
}

/// So many changes of one kind are told for people; JSON has all of them.
const TOLD_MAX: usize = 20;

fn tell(
    format: ChangeFormat,
    number: u64,
    pass: &Pass,
    changes: &[Change],
    output: &mut Output,
) -> anyhow::Result<()> {
    match format {
        ChangeFormat::Jsonl => {
            for change in changes {
                let object = Value::Object(change.object(number));
                output.line(&to_json(&object))?;
            }
            output.line(&to_json(&Value::Object(pass_object(number, pass, changes.len()))))?;
        }
        ChangeFormat::Text => {
            let mut told = BTreeMap::new();
            for change in changes {
                let count: &mut usize = told.entry((change.kind, change.change)).or_default();
                *count += 1;
                if *count <= TOLD_MAX {
                    output.line(&change.line())?;
                }
            }
            for ((kind, change), count) in told.iter().filter(|entry| *entry.1 > TOLD_MAX) {
                output.line(&format!("{kind} {change}: ... and {} more", count - TOLD_MAX))?;
            }
            output.line(&format!(
                "pass {number}: {} pieces of evidence, {} read, {} records, {} distinct events, {} not read in whole; {} changes",
                pass.manifest.evidence.len(),
                pass.read,
                pass.records,
                pass.events,
                pass.defects.len(),
                changes.len()
            ))?;
        }
    }
    output.flush()
}

fn pass_object(number: u64, pass: &Pass, changes: usize) -> Object<'static> {
    let mut row = Object::default();
    let count = |count: usize| Value::Int(count as i128);
    row.push("pass", Value::Int(number.into()));
    row.push("kind", Value::text("pass"));
    row.push("evidence", count(pass.manifest.evidence.len()));
    row.push("read", count(pass.read));
    row.push("records", Value::Int(pass.records.into()));
    row.push("events", Value::Int(pass.events.into()));
    row.push("unread", count(pass.defects.len()));
    row.push("changes", count(changes));
    row
}
