//! Makyo against itself and against rsigma: two ways to the same answer must agree.

#![allow(clippy::print_stderr, reason = "a test says what it skipped")]
#![allow(clippy::expect_used, reason = "a failed expectation is a failed test")]
#![allow(clippy::panic, reason = "so is a panic")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use makyo_base::{
    Artifact, ArtifactId, ArtifactKind, Decoded, Defect, Object, RecordSink, Stop, Value,
    parse_json, to_json,
};
use makyo_bench::dense::{event_logs, render};
use makyo_bench::matching::{Way, match_file, root, rule_set, rules, sources, texts};
use makyo_bench::rival::{self, RivalEngine};
use makyo_decode::{DecodeOptions, Sources, decode};
use makyo_detect::{DetectState, RuleSet};
use makyo_sigma::{Matcher, Rule, Scratch, load_rules};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

fn shared(path: &str) -> Option<PathBuf> {
    let found = root().join("../shared/data").join(path);
    if !found.exists() {
        eprintln!("skipped: no public samples at `{}`", found.display());
        return None;
    }
    Some(found)
}

fn public_rules() -> Option<Vec<PathBuf>> {
    ["sigma/rules", "sigma/rules-emerging-threats", "sigma/rules-threat-hunting"]
        .iter()
        .map(|folder| shared(folder))
        .collect()
}

/// The short way of a record (its text alone) and the long one (parsed, mapped) give the same
/// matches, in the same order.
fn assert_short_way_agrees(files: &[PathBuf], sources: &Sources, set: &RuleSet) -> (u64, usize) {
    let (mut screened, mut matches) = (0, 0);
    for file in files {
        let short = match_file(file, sources, set, Way::TextAlone).expect("readable");
        let long = match_file(file, sources, set, Way::Record).expect("readable");
        assert_eq!(short.found, long.found, "{}", file.display());
        assert_eq!(short.records, long.records, "{}", file.display());
        assert_eq!(short.defects, long.defects, "{}", file.display());
        screened += short.screened;
        matches += short.found.len();
    }
    (screened, matches)
}

#[test]
fn fixtures_match_alike_from_text_and_from_records() {
    let sources = sources().expect("own sources");
    let set = rule_set(rules(&[root().join("rules/sigma")]).expect("own rules"), &sources);
    let mut files = Vec::new();
    for ending in ["json", "jsonl", "csv", "log", "txt"] {
        let found = texts(&root().join("sources"), ending).expect("readable");
        files.extend(found.into_iter().map(|file| PathBuf::from(file.0)));
    }
    let found = texts(&root().join("stories"), "jsonl").expect("readable");
    files.extend(found.into_iter().map(|file| PathBuf::from(file.0)));
    let (screened, _) = assert_short_way_agrees(&files, &sources, &set);
    assert!(screened > 0, "no record took the short way");
}

#[test]
fn public_samples_match_alike_from_text_and_from_records() {
    let (Some(logs), Some(folders)) = (shared("evtx"), public_rules()) else { return };
    let sources = sources().expect("own sources");
    let set = rule_set(rules(&folders).expect("public rules"), &sources);
    let files = event_logs(&logs).expect("readable");
    let (screened, matches) = assert_short_way_agrees(&files, &sources, &set);
    assert!(screened > 5_000, "only {screened} records took the short way");
    assert!(matches > 1_000, "only {matches} matches");
}

/// Damages a text in ways that depend on the seed alone.
fn damaged(text: &str, seed: u64) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut next = |below: usize| {
        // Marsaglia's xorshift: enough to choose places.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state >> 33).unwrap_or(0) % below.max(1)
    };
    for _ in 0..=next(4) {
        let at = next(bytes.len());
        let odd = [b'"', b'\\', b'{', b'}', b'[', b',', b':', b' ', b'\n', b'0', b'-', 0xff, 0];
        match next(4) {
            0 => bytes.truncate(at),
            1 => bytes.insert(at, odd[next(odd.len())]),
            2 if at < bytes.len() => bytes[at] = odd[next(odd.len())],
            _ => {
                let end = (at + next(40)).min(bytes.len());
                let part = bytes[at.min(end)..end].to_vec();
                bytes.extend(part);
            }
        }
    }
    bytes
}

#[test]
fn damaged_records_match_alike_from_text_and_from_records() {
    let sources = sources().expect("own sources");
    let set = rule_set(rules(&[root().join("rules/sigma")]).expect("own rules"), &sources);
    let folder = tempfile::tempdir().expect("temporary folder");
    let mut files = Vec::new();
    let mut fixtures = texts(&root().join("sources"), "json").expect("readable");
    fixtures.retain(|file| file.0.contains("windows-"));
    for (number, (_, text)) in fixtures.into_iter().enumerate() {
        // The same lines again and again, each time otherwise damaged, behind whole ones.
        let mut all = text.clone().into_bytes();
        for seed in 0..24 {
            all.push(b'\n');
            all.extend(damaged(&text, seed));
            all.push(b'\n');
            all.extend(text.as_bytes());
        }
        let file = folder.path().join(format!("{number}.jsonl"));
        std::fs::write(&file, all).expect("written");
        files.push(file);
    }
    assert!(!files.is_empty(), "no fixture to damage");
    let (screened, _) = assert_short_way_agrees(&files, &sources, &set);
    assert!(screened > 0, "no record took the short way");
}

#[test]
fn json_lines_of_event_logs_match_like_the_logs() {
    let (Some(logs), Some(folders)) = (shared("evtx"), public_rules()) else { return };
    let sources = sources().expect("own sources");
    let set = rule_set(rules(&folders).expect("public rules"), &sources);
    let folder = tempfile::tempdir().expect("temporary folder");
    let lines = folder.path().join("all.jsonl");
    let (mut all, mut found) = (Vec::new(), Vec::new());
    for log in event_logs(&logs).expect("readable") {
        render(&log, &mut |chunk| all.extend_from_slice(chunk)).expect("event log");
        let own = match_file(&log, &sources, &set, Way::Record).expect("readable").found;
        found.extend(own.into_iter().map(|hit| hit.1));
    }
    std::fs::write(&lines, all).expect("written");
    assert_short_way_agrees(std::slice::from_ref(&lines), &sources, &set);
    let from_lines = match_file(&lines, &sources, &set, Way::TextAlone).expect("readable").found;
    let from_lines: Vec<usize> = from_lines.into_iter().map(|hit| hit.1).collect();
    assert_eq!(from_lines, found);
}

/// A rule and a record over few letters, so that matches are frequent.
#[derive(Clone, Debug)]
struct Case {
    rule: String,
    record: String,
}

fn value() -> impl Strategy<Value = String> {
    // No blanks at the end: makyo takes them off, see `trailing_blanks_do_not_count`.
    "[abA1. -]{0,4}[abAB12]"
}

fn selection() -> impl Strategy<Value = String> {
    let field = prop_oneof!["A", "B", "C"];
    let list = prop::collection::vec(value(), 1..4);
    let word = prop_oneof![
        Just(""),
        Just("|contains"),
        Just("|startswith"),
        Just("|endswith"),
        Just("|contains|all"),
        Just("|contains|cased"),
        Just("|cased"),
    ];
    let texts = (field, word, list).prop_map(|(field, word, values)| {
        let mut values = values;
        if word.ends_with("all") && values.len() == 1 {
            values.push("a".to_owned());
        }
        let quoted: Vec<String> = values.iter().map(|value| format!("'{value}'")).collect();
        format!("{field}{word}: [{}]", quoted.join(", "))
    });
    let field = || prop_oneof!["A", "B", "C"];
    let glob = (field(), "[ab]{0,2}[*?][ab]{0,2}").prop_map(|(f, glob)| format!("{f}: '{glob}'"));
    let regex = (field(), "[ab.]{1,3}[*+]?").prop_map(|(f, regex)| format!("{f}|re: '{regex}'"));
    let number = (field(), prop_oneof!["gt", "gte", "lt", "lte"], 0..20_i32)
        .prop_map(|(field, word, bound)| format!("{field}|{word}: {bound}"));
    let there = (field(), any::<bool>()).prop_map(|(f, wanted)| format!("{f}|exists: {wanted}"));
    let other = (field(), field()).prop_map(|(left, right)| format!("{left}|fieldref: {right}"));
    let nothing = field().prop_map(|field| format!("{field}: null"));
    prop_oneof![8 => texts, 2 => glob, 2 => regex, 2 => number, 1 => there, 1 => other, 1 => nothing]
}

fn case() -> impl Strategy<Value = Case> {
    let condition = prop_oneof![
        Just("one and two"),
        Just("one or two"),
        Just("one and not two"),
        Just("not one"),
        Just("1 of them"),
        Just("all of them"),
        Just("not 1 of them"),
        Just("(one or not two) and three"),
        Just("2 of them or three"),
    ];
    let part = || prop::collection::vec(selection(), 1..3);
    let data = prop_oneof![
        4 => value().prop_map(|text| format!("\"{text}\"")),
        2 => (0..20_i32).prop_map(|number| number.to_string()),
        1 => Just("null".to_owned()),
        1 => Just("\"\"".to_owned()),
    ];
    let record = prop::collection::vec((prop_oneof!["A", "B", "C"], data), 0..4);
    (part(), part(), part(), condition, record).prop_map(|(one, two, three, condition, record)| {
        let mut rule = String::from(
            "title: t\nid: 00000000-0000-4000-8000-000000000000\nlogsource: {product: p}\nlevel: low\ndetection:\n",
        );
        for (name, lines) in [("one", one), ("two", two), ("three", three)] {
            rule.push_str(&format!("  {name}:\n"));
            let mut keys = BTreeSet::new();
            for line in lines.iter().filter(|line| keys.insert(line.split(':').next())) {
                rule.push_str(&format!("    {line}\n"));
            }
        }
        rule.push_str(&format!("  condition: {condition}\n"));
        let mut names = BTreeSet::new();
        let fields: Vec<String> = record
            .into_iter()
            .filter(|field| names.insert(field.0.clone()))
            .map(|(name, value)| format!("\"{name}\":{value}"))
            .collect();
        Case { rule, record: format!("{{{}}}", fields.join(",")) }
    })
}

fn makyo_holds(rule: &str, record: &str) -> bool {
    let (rules, problems) = load_rules("generated.yml", rule);
    assert_eq!(problems, vec![], "{rule}");
    let Ok(Value::Object(object)) = parse_json(record) else { panic!("not an object: {record}") };
    let rule = rules.first().expect("one rule");
    Matcher::new(&rule.selection).is_match(&mut Scratch::default(), &object)
}

/// Whether the two may differ on a case; each reason is a test of its own below.
fn explained(case: &Case) -> bool {
    let has = |word: &str| case.rule.contains(word);
    let has_null = case.record.contains("null");
    let compares = ["|gt:", "|gte:", "|lt:", "|lte:"].iter().any(|word| has(word));
    (has_null && (has("|exists") || has("|fieldref"))) || (compares && case.record.contains(":\" "))
}

#[test]
fn a_field_that_is_null_is_there() {
    let rule =
        "title: t\nlogsource: {product: p}\ndetection: {s: {A|exists: true}, condition: s}\n";
    assert!(makyo_holds(rule, "{\"A\":null}"));
    let theirs = rival::holds(rule, &serde_json::json!({"A": null}));
    assert_eq!(theirs, Ok(false), "rsigma changed its mind: take the reason out of `explained`");
}

#[test]
fn blanks_around_a_number_do_not_count() {
    let rule = "title: t\nlogsource: {product: p}\ndetection: {s: {A|lt: 3}, condition: s}\n";
    assert!(makyo_holds(rule, "{\"A\":\" 1\"}"));
    let theirs = rival::holds(rule, &serde_json::json!({"A": " 1"}));
    assert_eq!(theirs, Ok(false), "rsigma changed its mind: take the reason out of `explained`");
}

/// The specification converts `-` and `/` alike, as pySigma does; rsigma converts `-` alone.
const WINDASH_FROM_SLASH: &[&str] = &["4a0b2c7e-7cb2-495d-8b63-5f268e7bfd67"];

#[test]
fn windash_converts_slashes_too() {
    let rule = "title: t\nlogsource: {product: p}\ndetection: {s: {A|contains|windash: ' /x'}, condition: s}\n";
    assert!(makyo_holds(rule, "{\"A\":\"a -x\"}"));
    let theirs = rival::holds(rule, &serde_json::json!({"A": "a -x"}));
    assert_eq!(theirs, Ok(false), "rsigma changed its mind: empty `WINDASH_FROM_SLASH`");
}

#[test]
fn trailing_blanks_do_not_count() {
    let rule = "title: t\nlogsource: {product: p}\ndetection: {s: {A: NtLmSsp}, condition: s}\n";
    assert!(makyo_holds(rule, "{\"A\":\"NtLmSsp \"}"));
    let theirs = rival::holds(rule, &serde_json::json!({"A": "NtLmSsp "}));
    assert_eq!(theirs, Ok(false), "rsigma changed its mind: compare without trimming");
}

#[test]
fn generated_rules_mean_the_same_to_rsigma() {
    let config = Config { cases: 10_000, failure_persistence: None, ..Config::default() };
    let mut runner =
        TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let counts = std::cell::Cell::new((0_u32, 0_u32));
    let result = runner.run(&case(), |case| {
        let record = serde_json::from_str(&case.record).expect("generated JSON");
        let theirs = rival::holds(&case.rule, &record).map_err(TestCaseError::reject)?;
        let ours = makyo_holds(&case.rule, &case.record);
        let (held, differ) = counts.get();
        if ours != theirs && explained(&case) {
            counts.set((held, differ + 1));
            return Ok(());
        }
        counts.set((held + u32::from(ours), differ));
        prop_assert_eq!(ours, theirs, "{}\n{}", case.rule, case.record);
        Ok(())
    });
    if let Err(reason) = result {
        panic!("{reason}");
    }
    let (held, differ) = counts.get();
    eprintln!("{held} of 10,000 generated cases hold; {differ} differ for a named reason");
    assert!(held > 1_000, "only {held} cases hold");
}

/// Keeps all records as they stand, with the rules that they met.
struct Collector<'r> {
    set: &'r RuleSet,
    state: DetectState,
    records: Vec<(usize, Object<'static>, BTreeSet<String>)>,
}

impl RecordSink for Collector<'_> {
    fn record(&mut self, record: Decoded<'_>) -> Result<(), Stop> {
        let mut ids = BTreeSet::new();
        self.set.matches(&mut self.state, &record, &mut |hit| {
            ids.insert(hit.rule.id.clone());
        });
        self.records.push((record.source, record.native.clone().into_owned(), ids));
        Ok(())
    }

    fn defect(&mut self, _defect: Defect) {}
}

/// rsigma's engine for each log source that a source serves, made when it is first asked for.
#[derive(Default)]
struct Engines(BTreeMap<(usize, usize), RivalEngine>);

impl Engines {
    fn ids(
        &mut self,
        record: &(usize, Object<'static>, BTreeSet<String>),
        sources: &Sources,
        rules: &[(Rule, String)],
    ) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        let Some(source) = sources.get(record.0) else { return found };
        for (place, served) in source.logsources.iter().enumerate() {
            let fits = served.when.as_ref();
            if fits.is_some_and(|when| !when.is_match(&mut Scratch::default(), &record.1)) {
                continue;
            }
            let engine = self.0.entry((record.0, place)).or_insert_with(|| {
                let texts = rules
                    .iter()
                    .filter(|rule| rule.0.logsource.is_served_by(&served.logsource))
                    .map(|rule| rule.1.as_str());
                RivalEngine::new(texts)
            });
            let mut native = record.1.clone();
            for (name, path) in &served.fields {
                if let Some(value) = record.1.path(path) {
                    native.0.retain(|field| field.0 != *name);
                    native.push(name.clone(), value.clone());
                }
            }
            let json = serde_json::from_str(&to_json(&Value::Object(native))).expect("own JSON");
            found.extend(engine.ids(&json));
        }
        found
    }
}

/// The record as makyo compares it: see `trailing_blanks_do_not_count`.
fn without_trailing_blanks(record: &Object<'static>) -> Object<'static> {
    let fields = record.0.iter().map(|(name, value)| {
        let value = match value {
            Value::Str(text) => Value::text(text.trim_end().to_owned()),
            other => other.clone(),
        };
        (name.clone(), value)
    });
    Object(fields.collect())
}

#[test]
fn public_samples_mean_the_same_to_rsigma() {
    let (Some(logs), Some(folders)) = (shared("evtx"), public_rules()) else { return };
    let sources = sources().expect("own sources");
    let mut rules = Vec::new();
    for folder in &folders {
        for (path, text) in texts(folder, "yml").expect("readable") {
            rules.extend(load_rules(&path, &text).0.into_iter().map(|rule| (rule, text.clone())));
        }
    }
    let set = rule_set(rules.iter().map(|rule| rule.0.clone()).collect(), &sources);
    let mut engines = Engines::default();
    let (mut agreed, mut explained) = (0, 0);
    let mut differences: BTreeMap<(String, bool), usize> = BTreeMap::new();
    for file in event_logs(&logs).expect("readable") {
        let artifact = Artifact {
            id: ArtifactId([0; 32]),
            path: file.display().to_string(),
            size_bytes: 0,
            kind: ArtifactKind::Evtx,
        };
        let mut collector =
            Collector { set: &set, state: DetectState::default(), records: Vec::new() };
        // This receiver never stops.
        let _ = decode(&artifact, &file, &sources, &DecodeOptions::default(), &mut collector);
        for record in &collector.records {
            let mut theirs = engines.ids(record, &sources, &rules);
            if theirs != record.2 {
                let trimmed = (record.0, without_trailing_blanks(&record.1), BTreeSet::new());
                let again = engines.ids(&trimmed, &sources, &rules);
                explained += again.symmetric_difference(&theirs).count();
                theirs = again;
            }
            agreed += record.2.intersection(&theirs).count();
            let unexplained = record
                .2
                .symmetric_difference(&theirs)
                .filter(|id| !WINDASH_FROM_SLASH.contains(&id.as_str()));
            for id in unexplained {
                *differences.entry((id.clone(), record.2.contains(id))).or_default() += 1;
            }
        }
    }
    eprintln!("{agreed} matches in common, {explained} differ by trailing blanks");
    assert!(agreed > 1_000, "only {agreed} matches in common");
    assert!(differences.is_empty(), "{differences:#?}");
}
