//! `makyo-bench rules`: rules over event logs, against the floor and a rival.

#![allow(clippy::print_stdout, reason = "a program for people")]

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use makyo_bench::cpu::{median, peak_mb};
use makyo_bench::dense::{render, write_dense};
use makyo_bench::matching::{Way, match_file, rule_set, rules, sources, texts};
use makyo_bench::rival::Rival;

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

fn main() -> anyhow::Result<()> {
    let options = options()?;
    let folder = tempfile::tempdir()?;
    let log = folder.path().join("dense.evtx");
    let lines = folder.path().join("dense.jsonl");
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
    let per = |us: f64| us / records as f64;

    let (load_us, own) = median(options.runs, || rules(&options.rules))?;
    println!("{} rules read and parsed in {:.0} ms of CPU", own.len(), load_us / 1000.0);
    let sources = sources()?;
    let set = rule_set(own.clone(), &sources);
    let (cold_us, _) = median(1, || match_file(&log, &sources, &set, Way::TextAlone))?;

    let (floor, _) = median(options.runs, || render(&log, &mut |_| {}))?;
    let (text, found) = median(options.runs, || match_file(&log, &sources, &set, Way::TextAlone))?;
    let peak = peak_mb()?;
    let line = |name: &str, us: f64| {
        println!("{name:<44} {:>7.2} us an event  {:>6.2} x floor", per(us), us / floor);
    };
    println!(
        "{} matches, {} of {} records told from their text, first pass {:.0} ms more, peak {peak:.0} MB",
        found.found.len(),
        found.screened,
        found.records,
        (cold_us - text) / 1000.0
    );
    line("evtx crate alone (floor)", floor);
    line("makyo, file to matches", text);
    if options.only_matching {
        return Ok(());
    }
    let (full, _) = median(options.runs, || match_file(&log, &sources, &set, Way::TextThenRecord))?;
    line("makyo, matching records read whole", full);
    let (slow, _) = median(options.runs, || match_file(&log, &sources, &set, Way::Record))?;
    line("makyo, every record read whole", slow);
    let (json, from_json) =
        median(options.runs, || match_file(&lines, &sources, &set, Way::TextAlone))?;
    line("makyo, JSON Lines to matches", json);
    if from_json.found.len() != found.found.len() {
        println!("JSON Lines gave {} matches", from_json.found.len());
    }

    let half: Vec<_> = own.iter().step_by(2).cloned().collect();
    let half = rule_set(half, &sources);
    match_file(&log, &sources, &half, Way::TextAlone)?;
    let (fewer, _) = median(options.runs, || match_file(&log, &sources, &half, Way::TextAlone))?;
    line("makyo, every second rule", fewer);
    println!("twice the rules cost {:.0} % more", (text / fewer - 1.0) * 100.0);

    let mut rival = Rival::default();
    let mut rule_texts = Vec::new();
    for folder in &options.rules {
        rule_texts.extend(texts(folder, "yml")?);
    }
    let loaded = rival.load(&rule_texts);
    let (theirs, hits) = median(options.runs, || {
        let mut hits = 0;
        render(&log, &mut |chunk| {
            for text in chunk.split(|byte| *byte == b'\n').filter(|text| !text.is_empty()) {
                hits += rival.matches(text);
            }
        })?;
        Ok(hits)
    })?;
    line("rsigma-eval 0.23, whole pipeline", theirs);
    println!("rsigma-eval: {loaded} Windows rules, {hits} matches; {:.1} x makyo", theirs / text);
    Ok(())
}
