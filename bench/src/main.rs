//! `makyo-bench rules`: rules over event logs, against the floor and a rival.

#![allow(clippy::print_stdout, reason = "a program for people")]

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use makyo_bench::cpu::{median, peak_mb};
use makyo_bench::dense::{render, write_dense};
use makyo_bench::matching::{Way, match_file, rule_set, rules, sources, texts};
use makyo_bench::rival::Rival;
use makyo_sigma::Rule;

const HELP: &str = "makyo-bench rules --evtx DIR --rules DIR [--rules DIR]... [--repeat N] [--runs N] [--only matching] [--keep FILE]

Makes one dense event log of the well filled chunks below --evtx (--repeat times over) and
measures, in processor time of one thread, medians of --runs: the evtx crate alone, makyo from the
file to the matches, the same from JSON Lines, rsigma's evaluator behind the same parser, and
makyo with half of the rules. With --only matching it measures the second alone, for profilers; --keep leaves the dense log
in a file, for other programs.";

struct Options {
    evtx: PathBuf,
    rules: Vec<PathBuf>,
    repeat: usize,
    runs: usize,
    only_matching: bool,
    keep: Option<PathBuf>,
}

fn options() -> anyhow::Result<Options> {
    let mut arguments = std::env::args().skip(1);
    if arguments.next().as_deref() != Some("rules") {
        bail!("{HELP}");
    }
    let (mut evtx, mut keep) = (None, None);
    let (mut rules, mut repeat, mut runs, mut only_matching) = (Vec::new(), 1, 5, false);
    while let Some(name) = arguments.next() {
        let value = arguments.next().with_context(|| format!("{name} needs a value\n{HELP}"))?;
        match name.as_str() {
            "--evtx" => evtx = Some(PathBuf::from(value)),
            "--rules" => rules.push(PathBuf::from(value)),
            "--repeat" => repeat = value.parse()?,
            "--runs" => runs = value.parse()?,
            "--keep" => keep = Some(PathBuf::from(value)),
            "--only" if value == "matching" => only_matching = true,
            _ => bail!("{HELP}"),
        }
    }
    Ok(Options { evtx: evtx.context(HELP)?, rules, repeat, runs, only_matching, keep })
}

/// The input, and what the figures are compared with.
struct Measure {
    options: Options,
    log: PathBuf,
    lines: PathBuf,
    records: usize,
    floor: f64,
}

impl Measure {
    fn print(&self, name: &str, us: f64) {
        let per = us / self.records as f64;
        println!("{name:<44} {per:>7.2} us an event  {:>6.2} x floor", us / self.floor);
    }

    fn time<T>(&self, work: impl FnMut() -> anyhow::Result<T>) -> anyhow::Result<(f64, T)> {
        median(self.options.runs, work)
    }
}

fn main() -> anyhow::Result<()> {
    let options = options()?;
    let folder = tempfile::tempdir()?;
    let measure = input(options, folder.path())?;
    let (load_us, own) = measure.time(|| rules(&measure.options.rules))?;
    println!("{} rules read and parsed in {:.0} ms of CPU", own.len(), load_us / 1000.0);
    measure.print("evtx crate alone (floor)", measure.floor);
    let text = own_ways(&measure, &own)?;
    if !measure.options.only_matching {
        rival(&measure, text)?;
    }
    Ok(())
}

/// Makes the dense log and its JSON Lines, and times the floor.
fn input(options: Options, folder: &Path) -> anyhow::Result<Measure> {
    let log = folder.join("dense.evtx");
    let lines = folder.join("dense.jsonl");
    let chunks = write_dense(&options.evtx, options.repeat, &log)?;
    if let Some(keep) = &options.keep {
        fs::copy(&log, keep).with_context(|| format!("cannot write `{}`", keep.display()))?;
    }
    let mut out = std::io::BufWriter::new(fs::File::create(&lines)?);
    let (records, bytes) = render(&log, &mut |chunk| {
        // The disk is ours; a full one shows in the records that are read back.
        let _ = out.write_all(chunk);
    })?;
    drop(out);
    println!(
        "{chunks} chunks, {records} records, {:.1} MB, {:.1} MB as JSON Lines",
        log.metadata()?.len() as f64 / 1e6,
        bytes as f64 / 1e6
    );
    let (floor, _) = median(options.runs, || render(&log, &mut |_| {}))?;
    Ok(Measure { options, log, lines, records, floor })
}

/// Makyo's ways; the time of the shortest.
fn own_ways(measure: &Measure, own: &[Rule]) -> anyhow::Result<f64> {
    let sources = sources()?;
    let set = rule_set(own.to_vec(), &sources);
    let on = |path: &Path, way| match_file(path, &sources, &set, way);
    let (cold, _) = median(1, || on(&measure.log, Way::TextAlone))?;
    let (text, found) = measure.time(|| on(&measure.log, Way::TextAlone))?;
    println!(
        "{} matches, {} of {} records told from their text, first pass {:.0} ms more, peak {:.0} MB",
        found.found.len(),
        found.screened,
        found.records,
        (cold - text) / 1000.0,
        peak_mb()?
    );
    measure.print("makyo, file to matches", text);
    if measure.options.only_matching {
        return Ok(text);
    }
    let (full, _) = measure.time(|| on(&measure.log, Way::TextThenRecord))?;
    measure.print("makyo, matching records read whole", full);
    let (slow, _) = measure.time(|| on(&measure.log, Way::Record))?;
    measure.print("makyo, every record read whole", slow);
    let (json, from_json) = measure.time(|| on(&measure.lines, Way::TextAlone))?;
    measure.print("makyo, JSON Lines to matches", json);
    if from_json.found.len() != found.found.len() {
        println!("JSON Lines gave {} matches", from_json.found.len());
    }
    let half = rule_set(own.iter().step_by(2).cloned().collect(), &sources);
    match_file(&measure.log, &sources, &half, Way::TextAlone)?;
    let (fewer, _) = measure.time(|| match_file(&measure.log, &sources, &half, Way::TextAlone))?;
    measure.print("makyo, every second rule", fewer);
    println!("twice the rules cost {:.0} % more", (text / fewer - 1.0) * 100.0);
    Ok(text)
}

fn rival(measure: &Measure, text: f64) -> anyhow::Result<()> {
    let mut rival = Rival::default();
    let mut rule_texts = Vec::new();
    for folder in &measure.options.rules {
        rule_texts.extend(texts(folder, "yml")?);
    }
    let loaded = rival.load(&rule_texts);
    let (theirs, hits) = measure.time(|| {
        let mut hits = 0;
        render(&measure.log, &mut |chunk| {
            for text in chunk.split(|byte| *byte == b'\n').filter(|text| !text.is_empty()) {
                hits += rival.matches(text);
            }
        })?;
        Ok(hits)
    })?;
    measure.print("rsigma-eval 0.23, whole pipeline", theirs);
    println!("rsigma-eval: {loaded} Windows rules, {hits} matches; {:.1} x makyo", theirs / text);
    Ok(())
}
