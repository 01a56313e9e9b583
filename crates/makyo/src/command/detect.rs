//! `makyo detect`: rules over evidence, a JSON line a match.
//!
//! Artifacts are worked on side by side; lines of an artifact whose turn has not come wait in a
//! spool, so that the output is the same for any number of threads.

mod only;
mod silence;

use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use makyo_base::{
    Content, Decoded, Defect, Entity, Finding, Level, Object, Outline, RecordRef, RecordSink, Stop,
    Value, format_time, to_json,
};
use makyo_collect::Collected;
use makyo_decode::{DecodeOptions, PasswordBook, Sources, decode, gather_passwords};
use makyo_detect::{
    Census, CorrelationError, CorrelationMatch, CorrelationState, CorrelationTally, Match,
    entities_of, reference,
};
use makyo_detect_yara::YaraMatch;
use makyo_sigma::{Held, explain};
use tempfile::SpooledTempFile;

use self::only::Chosen;
use super::events::{collect_evidence, defect_line, tell_defect};
use crate::cli::{Detect, FailOn};
use crate::detection::{Detection, Detector};
use crate::exit::Exit;
use crate::output::{Output, tell};
use crate::{data, organisation};

/// Lines are handed on in pieces of this size.
const PIECE_BYTES: usize = 64 << 10;
/// So many pieces wait for the printer; workers wait beyond it.
const PIECES_MAX: usize = 64;
/// So many bytes of an artifact whose turn has not come stay in memory.
const SPOOL_BYTES: usize = 4 << 20;

pub(crate) fn level(fail_on: FailOn) -> Level {
    match fail_on {
        FailOn::Informational => Level::Informational,
        FailOn::Low => Level::Low,
        FailOn::Medium => Level::Medium,
        FailOn::High => Level::High,
        FailOn::Critical => Level::Critical,
    }
}

/// What all workers share.
struct Run<'a> {
    detection: &'a Detection,
    chosen: &'a Chosen,
    fail_on: Option<Level>,
    explains: bool,
    sources: &'a Sources,
    options: DecodeOptions,
}

/// What a worker says of an artifact.
enum Said {
    Lines(Vec<u8>),
    Complaint(String),
    Done,
}

/// What was counted.
#[derive(Default)]
struct Counts {
    records: u64,
    /// Records that `--from`, `--to` and `--host` leave out.
    outside: u64,
    /// Of these, those that have no time.
    undated: u64,
    matches: u64,
    defects: u64,
    expired: u64,
    untimed: u64,
    met: bool,
    census: Census,
}

impl Counts {
    fn merge(&mut self, other: Counts) {
        self.records += other.records;
        self.outside += other.outside;
        self.undated += other.undated;
        self.matches += other.matches;
        self.defects += other.defects;
        self.expired += other.expired;
        self.untimed += other.untimed;
        self.met |= other.met;
        self.census.merge(other.census);
    }
}

/// One line of the output.
struct Line<'l> {
    time: Option<i64>,
    id: &'l str,
    title: &'l str,
    level: Level,
    tags: &'l [String],
    records: &'l [RecordRef],
    /// Whether all records are listed, or the first one is all there is.
    lists_records: bool,
    entities: Vec<Entity>,
    explained: Option<Vec<Held>>,
}

struct LineSink<'a> {
    run: &'a Run<'a>,
    detector: Detector<'a>,
    state: CorrelationState,
    failed: Option<CorrelationError>,
    counts: Counts,
    artifact: usize,
    piece: Vec<u8>,
    to: SyncSender<(usize, Said)>,
}

impl LineSink<'_> {
    fn say(&mut self, said: Said) -> Result<(), Stop> {
        // Nobody listens any more: the reader of our output has gone.
        self.to.send((self.artifact, said)).map_err(|_| Stop)
    }

    fn flush(&mut self) -> Result<(), Stop> {
        let piece = std::mem::take(&mut self.piece);
        if piece.is_empty() { Ok(()) } else { self.say(Said::Lines(piece)) }
    }

    fn line(&mut self, line: Line<'_>) -> Result<(), Stop> {
        if !self.run.chosen.takes(line.id, line.title, line.level) {
            return Ok(());
        }
        self.counts.matches += 1;
        self.counts.met |= self.run.fail_on.is_some_and(|least| line.level >= least);
        self.piece.extend_from_slice(json(line).as_bytes());
        self.piece.push(b'\n');
        if self.piece.len() >= PIECE_BYTES { self.flush() } else { Ok(()) }
    }

    fn rule(&mut self, found: &Match<'_>, record: &Decoded<'_>) -> Result<(), Stop> {
        for hit in self.detector.hits(found, record) {
            if let Err(error) = self.state.push(hit) {
                self.failed = Some(error);
                return Err(Stop);
            }
        }
        if self.run.detection.correlations.is_silent(found.index) {
            return Ok(());
        }
        let rule = found.rule;
        let explained = self.run.explains.then(|| {
            let views =
                self.run.detection.rules.views(&mut self.detector.state, found.index, record);
            views.iter().find_map(|view| explain(&rule.selection, view)).unwrap_or_default()
        });
        self.line(Line {
            time: record.event.time(),
            id: &rule.id,
            title: &rule.title,
            level: rule.level,
            tags: &rule.tags,
            records: &[reference(record)],
            lists_records: false,
            entities: entities_of(&record.event),
            explained,
        })
    }

    fn finding(&mut self, finding: Finding, tags: &[String]) -> Result<(), Stop> {
        self.line(Line {
            time: finding.time,
            id: &finding.rule.id,
            title: &finding.rule.title,
            level: finding.rule.level,
            tags,
            records: &finding.records,
            lists_records: false,
            entities: finding.entities,
            explained: None,
        })
    }

    fn scanned(
        &mut self,
        (found, defects): (Vec<(Finding, YaraMatch)>, Vec<Defect>),
    ) -> Result<(), Stop> {
        for (finding, of) in found {
            self.finding(finding, &of.rule.tags)?;
        }
        defects.into_iter().for_each(|defect| self.defect(defect));
        Ok(())
    }

    fn artifact(&mut self, number: usize, one: &Collected) -> Result<(), Stop> {
        self.artifact = number;
        let run = self.run;
        decode(&one.artifact, &one.location, run.sources, &run.options, self)?;
        if !run.chosen.is_narrow() {
            let scanned = self.detector.file(&one.artifact, &one.location);
            self.scanned(scanned)?;
        }
        self.flush()?;
        self.say(Said::Done)
    }
}

impl RecordSink for LineSink<'_> {
    fn record(&mut self, record: Decoded<'_>) -> Result<(), Stop> {
        self.counts.records += 1;
        let run = self.run;
        if !run.chosen.holds(&record.event) {
            self.counts.outside += 1;
            self.counts.undated += u64::from(record.event.time().is_none());
            return Ok(());
        }
        self.counts.census.note(&run.detection.rules, &mut self.detector.state, &record);
        for found in self.detector.matches(&record) {
            self.rule(&found, &record)?;
        }
        for (finding, labels) in self.detector.indicators(&record) {
            self.finding(finding, labels)?;
        }
        Ok(())
    }

    fn screens(&self) -> bool {
        // Indicators look at events, and the filters too.
        self.run.detection.indicators.is_empty() && !self.run.chosen.is_narrow()
    }

    fn wants(&mut self, outline: &Outline<'_>) -> bool {
        let mut is_hit = false;
        let rules = &self.run.detection.rules;
        let layout = outline.layout;
        if layout.prepared.get().is_none() {
            self.counts.census.note_layout(rules, &mut self.detector.state, layout);
        }
        let was_told = rules.screen(&mut self.detector.state, outline, &mut |_| is_hit = true);
        let is_wanted = is_hit || !was_told;
        if !is_wanted {
            self.counts.records += 1;
            self.counts.census.count(layout.source);
        }
        is_wanted
    }

    fn content(&mut self, content: Content<'_>) -> Result<(), Stop> {
        let (time, host) = (content.holder.time, None);
        if !self.run.chosen.holds_place(time, host) {
            return Ok(());
        }
        let scanned = self.detector.content(&content);
        self.scanned(scanned)
    }

    fn defect(&mut self, defect: Defect) {
        self.counts.defects += 1;
        // If nobody listens any more, the next line is where the work stops.
        let _ = self.say(Said::Complaint(defect_line(&defect)));
    }
}

fn json(line: Line<'_>) -> String {
    let text = |text: &str| Value::text(text.to_owned());
    let mut of_rule = Object::default();
    of_rule.push("id", text(line.id));
    of_rule.push("title", text(line.title));
    of_rule.push("level", text(line.level.word()));
    of_rule.push("tags", Value::List(line.tags.iter().map(|tag| text(tag)).collect()));
    let place = |record: &RecordRef| {
        let mut evidence = Object::default();
        evidence.push("file", text(&record.file));
        evidence.push("record", Value::Int(record.record.into()));
        Value::Object(evidence)
    };
    let entities = line.entities.into_iter().map(|entity| {
        let mut one = Object::default();
        one.push("role", text(entity.role.word()));
        one.push("kind", text(entity.kind.word()));
        one.push("value", Value::text(entity.value));
        Value::Object(one)
    });
    let mut object = Object::default();
    object.push("time", line.time.map_or(Value::Null, |time| Value::text(format_time(time))));
    object.push("rule", Value::Object(of_rule));
    object.push("evidence", line.records.first().map_or(Value::Null, place));
    if line.lists_records {
        object.push("records", Value::List(line.records.iter().map(place).collect()));
    }
    object.push("entities", Value::List(entities.collect()));
    if let Some(held) = line.explained {
        let rows = held.into_iter().map(|one| {
            let mut row = Object::default();
            row.push("field", one.field.map_or(Value::Null, Value::text));
            row.push("test", Value::text(one.test));
            row.push("value", one.value.map_or(Value::Null, Value::text));
            Value::Object(row)
        });
        object.push("explain", Value::List(rows.collect()));
    }
    to_json(&Value::Object(object))
}

/// Prints what workers say, artifact after artifact.
fn print(from: &Receiver<(usize, Said)>, count: usize, output: &mut Output) -> anyhow::Result<()> {
    struct Waiting {
        lines: SpooledTempFile,
        complaints: Vec<String>,
        is_done: bool,
    }
    let new = || Waiting {
        lines: SpooledTempFile::new(SPOOL_BYTES),
        complaints: Vec::new(),
        is_done: false,
    };
    let mut waiting: std::collections::BTreeMap<usize, Waiting> = std::collections::BTreeMap::new();
    let mut turn = 0;
    while turn < count {
        // All workers have gone before their time: one of them failed, and says so itself.
        let Ok((artifact, said)) = from.recv() else { return Ok(()) };
        if artifact != turn {
            let of = waiting.entry(artifact).or_insert_with(new);
            match said {
                Said::Lines(piece) => of.lines.write_all(&piece)?,
                Said::Complaint(text) => of.complaints.push(text),
                Said::Done => of.is_done = true,
            }
            continue;
        }
        match said {
            Said::Lines(piece) => output.raw(&piece)?,
            Said::Complaint(text) => tell(&text),
            Said::Done => turn += 1,
        }
        while let Some(mut next) = waiting.remove(&turn) {
            next.complaints.iter().for_each(|text| tell(text));
            next.lines.seek(SeekFrom::Start(0))?;
            let mut piece = vec![0; PIECE_BYTES];
            loop {
                let size = next.lines.read(&mut piece)?;
                if size == 0 {
                    break;
                }
                output.raw(piece.get(..size).unwrap_or_default())?;
            }
            if !next.is_done {
                break;
            }
            turn += 1;
        }
    }
    Ok(())
}

/// What correlations could not take into account, and indicators whose time had passed.
pub(crate) fn tell_left_out(tally: &CorrelationTally, expired: i128) {
    for (count, what) in [
        (tally.untimed, "matches stand in records without a time, so no correlation sees them"),
        (tally.ungrouped, "matches have none of the fields that a correlation groups by"),
        (tally.valueless, "matches have no value for what a correlation counts or measures"),
        (tally.cut, "matches left the window of a correlation early because it was full"),
    ] {
        if count > 0 {
            tell(&format!("{count} {what}"));
        }
    }
    if expired > 0 {
        tell(&format!(
            "{expired} times an indicator was met outside of the time in which it holds"
        ));
    }
}

/// Works on all artifacts; the lines are printed on the way.
fn work(
    run: &Run<'_>,
    artifacts: &[Collected],
    threads: usize,
    spool: &std::path::Path,
    output: &mut Output,
) -> anyhow::Result<(Counts, CorrelationState)> {
    let (to, from) = sync_channel(PIECES_MAX);
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads.min(artifacts.len()))
            .map(|_| {
                let (to, next) = (to.clone(), &next);
                scope.spawn(move || {
                    let mut sink = LineSink {
                        run,
                        detector: Detector::new(run.detection),
                        state: CorrelationState::new(spool),
                        failed: None,
                        counts: Counts::default(),
                        artifact: 0,
                        piece: Vec::new(),
                        to,
                    };
                    loop {
                        let number = next.fetch_add(1, Ordering::Relaxed);
                        let Some(one) = artifacts.get(number) else { break };
                        if sink.artifact(number, one).is_err() {
                            break;
                        }
                    }
                    sink.counts.expired = sink.detector.expired;
                    sink.counts.untimed = sink.detector.untimed;
                    (sink.counts, sink.state, sink.failed)
                })
            })
            .collect();
        drop(to);
        let printed = print(&from, artifacts.len(), output);
        // Workers that still have something to say stop here.
        drop(from);
        let mut counts = Counts::default();
        let mut state = CorrelationState::new(spool);
        for worker in workers {
            let Ok((own, hits, failed)) = worker.join() else {
                anyhow::bail!("a thread failed; please report")
            };
            if let Some(error) = failed {
                return Err(error.into());
            }
            counts.merge(own);
            state.merge(hits)?;
        }
        printed?;
        Ok((counts, state))
    })
}

fn correlate(
    run: &Run<'_>,
    mut state: CorrelationState,
    counts: &mut Counts,
    output: &mut Output,
) -> anyhow::Result<()> {
    let correlations = &run.detection.correlations;
    (0..counts.untimed).for_each(|_| state.push_untimed());
    let mut found: Vec<CorrelationMatch> = Vec::new();
    let tally = state.finish(correlations, &mut |one| found.push(one))?;
    for one in found {
        let Some(correlation) = correlations.get(one.correlation) else { continue };
        let finding = one.finding(correlation, &run.detection.weights);
        if !run.chosen.takes(&correlation.id, &correlation.title, finding.rule.level) {
            continue;
        }
        counts.matches += 1;
        counts.met |= run.fail_on.is_some_and(|least| finding.rule.level >= least);
        output.line(&json(Line {
            time: finding.time,
            id: &correlation.id,
            title: &correlation.title,
            level: finding.rule.level,
            tags: &correlation.tags,
            records: &one.records,
            lists_records: true,
            entities: finding.entities,
            explained: None,
        }))?;
    }
    tell_left_out(&tally, counts.expired.into());
    Ok(())
}

pub(crate) fn run(options: &Detect, output: &mut Output) -> anyhow::Result<Exit> {
    let sources = data::sources(&options.reading.sources)?;
    let (organisation, _) = organisation::load(options.reading.org.as_deref())?;
    let (placeholders, _) = data::placeholders(options.placeholders.as_deref())?;
    let rules = data::read_rules(&data::rule_files(&options.rules)?, &placeholders);
    let intel = data::intel(&options.intel)?;
    let detection = Detection::load(rules, !options.rules.is_empty(), intel, &sources)?;
    data::tell_refused(&detection.problems);
    if detection.is_empty() {
        anyhow::bail!("no rule could be loaded");
    }
    let chosen = Chosen::read(&options.only, &detection)?;
    let directory = organisation::directory(&organisation);
    let found = collect_evidence(&options.reading)?;
    let mut passwords = PasswordBook::default();
    for one in &found.collection.artifacts {
        gather_passwords(&one.artifact, &one.location, &mut passwords);
    }
    let run = Run {
        detection: &detection,
        chosen: &chosen,
        fail_on: options.fail_on.map(level),
        explains: options.explain,
        sources: &sources,
        options: DecodeOptions { directory, passwords },
    };
    found.collection.defects.iter().for_each(tell_defect);
    let spool = tempfile::tempdir()?;
    let artifacts = &found.collection.artifacts;
    let (mut counts, state) =
        work(&run, artifacts, usize::from(options.threads), spool.path(), output)?;
    counts.defects += found.collection.defects.len() as u64;
    correlate(&run, state, &mut counts, output)?;
    output.finish()?;
    tell(&format!(
        "{} matches in {} records; {} rules loaded, {} not loaded, {} of a log source that no source description serves",
        counts.matches,
        counts.records,
        detection.rules.rules().len(),
        detection.problems.len(),
        detection.rules.unrouted().len(),
    ));
    if counts.outside > 0 {
        tell(&format!(
            "{} records left out by --from, --to and --host, of which {} have no time",
            counts.outside, counts.undated
        ));
    }
    if counts.matches == 0 || options.explain {
        silence::tell_why(&detection, &counts, &sources);
    }
    Ok(Exit::of(counts.met, counts.defects > 0))
}
