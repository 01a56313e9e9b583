//! `makyo rules test`: rules are put to the samples on their pages.

use makyo_base::{Decoded, Defect, RecordSink, Stop};
use makyo_decode::{DecodeOptions, Sources, TextEvents, decode_text};
use makyo_detect::CorrelationState;

use crate::cli::RulePaths;
use crate::data::{self, DataFile, IntelFiles, Rules};
use crate::detection::{Detection, Detector};
use crate::exit::Exit;
use crate::output::Output;

/// One fenced block of a rule's test page.
struct Block {
    line: usize,
    /// Which of the page's headings it stands under.
    section: usize,
    source: String,
    fires: bool,
    text: String,
}

fn blocks(page: &str) -> Vec<Block> {
    let mut found = Vec::new();
    let mut fires: Option<bool> = None;
    let mut section = 0;
    let mut open: Option<Block> = None;
    for (number, line) in page.lines().enumerate() {
        match (&mut open, line.strip_prefix("```")) {
            (Some(_), Some(_)) => found.extend(open.take()),
            (Some(block), None) => {
                block.text.push_str(line);
                block.text.push('\n');
            }
            (None, Some(source)) => {
                open = fires.map(|fires| Block {
                    line: number + 1,
                    section,
                    source: source.trim().to_owned(),
                    fires,
                    text: String::new(),
                });
            }
            (None, None) => {
                if let Some(title) = line.strip_prefix("## ") {
                    section += 1;
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

pub(super) fn test(paths: &RulePaths, output: &mut Output) -> anyhow::Result<Exit> {
    let sources = data::sources(&[])?;
    let files = data::rule_files(&paths.paths)?;
    let (placeholders, _) = data::placeholders(paths.placeholders.as_deref())?;
    let read = data::read_rules(&files, &placeholders);
    let mut tests = Tests { files: &files, sources: &sources, passed: 0, failures: Vec::new() };
    tests.failures.extend(read.problems.iter().map(ToString::to_string));
    for rule in &read.rules {
        let alone = Rules { rules: vec![rule.clone()], ..Rules::default() };
        let alone = Detection::load(alone, false, IntelFiles::default(), &sources)?;
        tests.page(&rule.file, false, &|samples| Ok(fires_alone(&alone, samples)));
    }
    let of_rules = read.rules.len();
    let together = Rules { rules: read.rules, correlations: read.correlations, ..Rules::default() };
    let together = Detection::load(together, false, IntelFiles::default(), &sources)?;
    tests.failures.extend(together.problems.iter().map(ToString::to_string));
    let spool = tempfile::tempdir()?;
    let correlations = (0..together.correlations.len())
        .filter_map(|place| Some((place, together.correlations.get(place)?)));
    for (place, correlation) in correlations {
        tests.page(&correlation.file, true, &|samples| {
            let state = CorrelationState::new(spool.path());
            fires_together(&together, place, samples, state)
        });
    }
    for failure in &tests.failures {
        output.line(failure)?;
    }
    output.line(&format!(
        "{} rules, {} samples as expected, {} failures",
        of_rules + together.correlations.len(),
        tests.passed,
        tests.failures.len()
    ))?;
    if tests.failures.is_empty() { Ok(Exit::Done) } else { Ok(Exit::CouldNotRun) }
}

struct Tests<'a> {
    files: &'a [DataFile],
    sources: &'a Sources,
    passed: usize,
    failures: Vec<String>,
}

/// Whether something fires on samples, or why they cannot be put to it.
type Fires<'a> = &'a dyn Fn(&[Sample<'_>]) -> Result<bool, String>;

/// A block with what reads it.
struct Sample<'a> {
    block: &'a Block,
    sources: &'a Sources,
}

impl Tests<'_> {
    /// Puts the samples of a rule's page to it: one by one, or those under one heading together.
    fn page(&mut self, file: &str, is_together: bool, fires: Fires<'_>) {
        let name = file.replace(".yaml", ".md").replace(".yml", ".md");
        let Some((_, page)) = self.files.iter().find(|file: &&DataFile| file.0 == name) else {
            self.failures.push(format!("{file}: has no test page `{name}`"));
            return;
        };
        let blocks = blocks(page);
        for (fires, word) in [(true, "## Fires"), (false, "## Stays quiet")] {
            if !blocks.iter().any(|block| block.fires == fires) {
                self.failures.push(format!("{name}: has no sample under `{word}`"));
            }
        }
        for section in blocks.chunk_by(|a, b| is_together && a.section == b.section) {
            let samples: Vec<Sample<'_>> =
                section.iter().map(|block| Sample { block, sources: self.sources }).collect();
            let Some(first) = section.first() else { continue };
            let result = samples.iter().try_for_each(Sample::check).and_then(|()| fires(&samples));
            match (result, first.fires) {
                (Ok(fired), wanted) if fired == wanted => self.passed += samples.len(),
                (Ok(true), _) => self.fail(&name, first, "fires, but should stay quiet"),
                (Ok(false), _) => self.fail(&name, first, "does not fire"),
                (Err(reason), _) => self.fail(&name, first, &reason),
            }
        }
    }

    fn fail(&mut self, name: &str, block: &Block, reason: &str) {
        self.failures.push(format!("{name}:{}: {reason}", block.line));
    }
}

impl Sample<'_> {
    /// Gives its records to `sink`.
    fn read(&self, sink: &mut dyn RecordSink) {
        // A text in memory is never stopped.
        let _ =
            decode_text("sample", &self.block.text, self.sources, &DecodeOptions::default(), sink);
    }

    /// Whether it is read as its page says.
    fn check(&self) -> Result<(), String> {
        let mut events = TextEvents::default();
        self.read(&mut events);
        // Attachments of samples are stand-ins, which need not open.
        let is_stand_in = |defect: &&Defect| defect.detail.starts_with("attachment `");
        if let Some(defect) = events.defects.iter().find(|defect| !is_stand_in(defect)) {
            return Err(format!("sample cannot be read: {} {}", defect.position, defect.detail));
        }
        let wanted = &self.block.source;
        for index in &events.sources {
            let id = self.sources.get(*index).map_or("generic", |source| source.id.as_str());
            if id != wanted {
                return Err(format!("a record is read as `{id}`, the block says `{wanted}`"));
            }
        }
        if events.sources.is_empty() { Err("sample holds no record".to_owned()) } else { Ok(()) }
    }
}

/// Whether a rule fires on samples.
fn fires_alone(with: &Detection, samples: &[Sample<'_>]) -> bool {
    let mut matches = Matches::new(with);
    samples.iter().for_each(|sample| sample.read(&mut matches));
    matches.count > 0
}

/// Whether a correlation fires on samples as one body of evidence.
fn fires_together(
    with: &Detection,
    place: usize,
    samples: &[Sample<'_>],
    state: CorrelationState,
) -> Result<bool, String> {
    let mut matches = Matches { detector: Detector::new(with), count: 0, hits: Some(Ok(state)) };
    for sample in samples {
        sample.read(&mut matches);
    }
    let mut fires = false;
    if let Some(state) = matches.hits {
        let finished = state.and_then(|state| {
            state.finish(&with.correlations, &mut |found| fires |= found.correlation == place)
        });
        finished.map_err(|error| error.to_string())?;
    }
    Ok(fires)
}

/// Counts matches, and gathers what correlations see of them where that is wanted.
pub(super) struct Matches<'a> {
    detector: Detector<'a>,
    pub(super) count: usize,
    hits: Option<Result<CorrelationState, makyo_detect::CorrelationError>>,
}

impl<'a> Matches<'a> {
    pub(super) fn new(with: &'a Detection) -> Self {
        Matches { detector: Detector::new(with), count: 0, hits: None }
    }
}

impl RecordSink for Matches<'_> {
    fn record(&mut self, record: Decoded<'_>) -> Result<(), Stop> {
        for found in self.detector.matches(&record) {
            self.count += 1;
            for hit in self.detector.hits(&found, &record) {
                if let Some(Ok(state)) = &mut self.hits
                    && let Err(error) = state.push(hit)
                {
                    self.hits = Some(Err(error));
                }
            }
        }
        Ok(())
    }

    fn defect(&mut self, _defect: Defect) {}
}
