//! `makyo investigate`: everything up to the answers.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use makyo_base::{
    ArtifactId, ArtifactKind, Defect, Finding, Object, Organisation, Places as _, Position, Value,
    hex, sha256,
};
use makyo_case::{ArtifactCounts, Case, CaseError, EvidenceFile, Manifest};
use makyo_collect::{Collected, Collection, Limits, collect};
use makyo_decode::{DecodeOptions, PasswordBook, Sources, decode, gather_passwords};
use makyo_detect::{
    CorrelationState, SESSION_COLUMNS, finding_from_object, finding_object, hit_from_object,
    merge_findings, remote_sessions, run_analytics, session_rows,
};
use makyo_flow::AddressLists;
use makyo_incident::{Inputs, Unread, answer};
use makyo_report::{Language, Nine, nine};

use super::detect::level;
use super::report::render;
use crate::cli::{Cli, Format, Inquiry, Investigate};
use crate::detection::{Detection, Detector};
use crate::exit::Exit;
use crate::flows::{Flows, Steering, TABLES};
use crate::output::{Output, tell};
use crate::sink::CaseSink;
use crate::{clock, data, organisation, progress};

/// What steers a run.
struct Setup {
    sources: Sources,
    detection: Detection,
    lists: AddressLists,
    organisation: Organisation,
    options: DecodeOptions,
    inputs: BTreeMap<String, String>,
}

pub(crate) fn run(options: &Investigate, cli: &Cli, output: &mut Output) -> anyhow::Result<Exit> {
    let inquiry = &options.inquiry;
    let pass = Investigation::begin(inquiry, cli)?.pass(After::ClearWork)?;
    summary(options, &pass, output)?;
    Ok(pass.exit(inquiry))
}

/// What happens to the readings of artifacts when a pass is done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum After {
    /// They have served their purpose.
    ClearWork,
    /// The next pass takes them where nothing has changed.
    KeepWork,
}

/// An investigation that is set up, for one pass over the evidence or several.
pub(crate) struct Investigation<'a> {
    inquiry: &'a Inquiry,
    cli: &'a Cli,
    setup: Setup,
}

/// What one pass made.
pub(crate) struct Pass {
    pub(crate) case: Case,
    pub(crate) manifest: Manifest,
    /// Artifacts that were read in this pass and not taken over from an earlier one.
    pub(crate) read: usize,
    pub(crate) records: u64,
    pub(crate) events: u64,
    pub(crate) findings: Vec<Finding>,
    pub(crate) defects: Vec<Object<'static>>,
    /// How many accounts the organisation has, if it said so.
    pub(crate) accounts_in_all: Option<u64>,
    rules: usize,
    refused: usize,
}

impl Pass {
    /// The exit status that it asks for.
    pub(crate) fn exit(&self, inquiry: &Inquiry) -> Exit {
        let found = inquiry
            .fail_on
            .map(level)
            .is_some_and(|least| self.findings.iter().any(|one| one.rule.level >= least));
        Exit::of(found, !self.defects.is_empty())
    }
}

impl<'a> Investigation<'a> {
    pub(crate) fn begin(inquiry: &'a Inquiry, cli: &'a Cli) -> anyhow::Result<Self> {
        keep_apart(inquiry)?;
        Ok(Investigation { inquiry, cli, setup: setup(inquiry)? })
    }

    /// Everything from the evidence, as it lies there now, to the answers and the report.
    pub(crate) fn pass(&mut self, after: After) -> anyhow::Result<Pass> {
        let (inquiry, cli, setup) = (self.inquiry, self.cli, &mut self.setup);
        let threads = usize::from(inquiry.threads);
        let mut case = Case::create(&inquiry.case, threads)?;
        let mut custody = case.custody()?;
        let collection = collect_into(&case, inquiry, cli)?;
        setup.options.passwords = PasswordBook::default();
        for one in &collection.artifacts {
            gather_passwords(&one.artifact, &one.location, &mut setup.options.passwords);
        }
        let setup = &*setup;
        let mut manifest = manifest(setup, &collection);
        case.depend(readings(&collection, &setup.options.passwords));
        if after == After::KeepWork {
            case.keep_work();
        }
        case.begin(&manifest)?;
        let files = [
            ("files", collection.artifacts.len().to_string()),
            ("version", manifest.version.clone()),
        ];
        custody.append(&clock::now(), "evidence collected", detail(&files))?;
        let is_new = |one: &&Collected| case.done_before(&manifest, one.artifact.id).is_none();
        let read = collection.artifacts.iter().filter(is_new).count();
        let counts = read_all(&case, &manifest, &collection, setup, threads, cli)?;
        let records: u64 = counts.values().map(|count| count.records).sum();
        for file in &mut manifest.evidence {
            file.records = counts.get(&file.sha256).map_or(0, |count| count.records);
        }
        let told = detail(&[("records", records.to_string())]);
        custody.append(&clock::now(), "evidence read", told)?;
        let bar = progress::stage(cli.no_progress);
        bar.set_message("consolidating events");
        let ids: Vec<ArtifactId> = collection.artifacts.iter().map(|one| one.artifact.id).collect();
        let done = case.consolidate(&manifest, &ids, records)?;
        // What weighs asks what could not be read.
        let defects = defects(&case, &manifest, &ids, &collection)?;
        case.put_answer("defects", &["file", "record", "kind", "detail"], &defects)?;
        bar.set_message("following flows");
        let flows = flows(&case, &collection, setup, threads)?;
        bar.set_message("weighing");
        let findings = findings(&case, &manifest, &ids, setup, &flows)?;
        keep_tables(&case, setup, &flows)?;
        bar.set_message("answering");
        conclude(&case, setup, &findings, &defects, &manifest, records, done.events)?;
        let nine = nine_of(&case, setup.organisation.accounts)?;
        case.put_answer("nine", NINE, &nine_rows(&nine))?;
        let report = render(&case, "html", Language::English, Vec::new())?;
        case.put_file("report.html", report.as_bytes())?;
        let told = [("events", done.events.to_string()), ("findings", findings.len().to_string())];
        custody.append(&clock::now(), "case completed", detail(&told))?;
        case.complete(&manifest)?;
        bar.finish_and_clear();
        Ok(Pass {
            case,
            manifest,
            read,
            records,
            events: done.events,
            findings,
            defects,
            accounts_in_all: setup.organisation.accounts,
            rules: setup.detection.rules.rules().len(),
            refused: setup.detection.problems.len(),
        })
    }
}

/// Tables of flows and of remote-access sessions.
fn keep_tables(case: &Case, setup: &Setup, flows: &Flows) -> anyhow::Result<()> {
    for (name, columns) in TABLES {
        case.put_answer(name, columns, &flows.rows(name))?;
    }
    let sessions = remote_sessions(case)?;
    case.put_answer("sessions", SESSION_COLUMNS, &session_rows(&sessions))?;
    if !sessions.sessions.is_empty() && !setup.lists.has_classes() {
        tell(NO_CLASSES);
    }
    Ok(())
}

/// What the reading of each artifact depends on beside its bytes and what steers the run: its path,
/// which its events carry, and for mails the passwords that other mails give.
fn readings(collection: &Collection, passwords: &PasswordBook) -> BTreeMap<ArtifactId, String> {
    let book = passwords.content();
    let of = |one: &Collected| {
        let is_mail = matches!(one.artifact.kind, ArtifactKind::Message | ArtifactKind::Mbox);
        format!("{}\0{}", one.artifact.path, if is_mail { book.as_str() } else { "" })
    };
    collection.artifacts.iter().map(|one| (one.artifact.id, of(one))).collect()
}

/// Evidence is never written to, and a case inside of it would be read as evidence next time.
fn keep_apart(options: &Inquiry) -> anyhow::Result<()> {
    let real = |path: &Path| {
        // The case may not be there yet; the folder that it will lie in is.
        let there = path.ancestors().find_map(|folder| std::fs::canonicalize(folder).ok());
        there.or_else(|| std::fs::canonicalize(".").ok())
    };
    let Some(case) = real(&options.case) else { return Ok(()) };
    for evidence in options.reading.evidence.iter().filter(|path| path.is_dir()) {
        if std::fs::canonicalize(evidence).is_ok_and(|folder| case.starts_with(&folder)) {
            anyhow::bail!(
                "the case folder lies inside the evidence: `{}` in `{}`; choose a folder outside",
                options.case.display(),
                evidence.display()
            );
        }
    }
    Ok(())
}

fn detail(fields: &[(&'static str, String)]) -> Object<'static> {
    Object(
        fields.iter().map(|(name, value)| ((*name).into(), Value::text(value.clone()))).collect(),
    )
}

fn setup(options: &Inquiry) -> anyhow::Result<Setup> {
    let source_files = data::source_files(&options.reading.sources)?;
    let sources = data::sources(&options.reading.sources)?;
    let mut rule_files = data::built_in_rules();
    if !options.rules.is_empty() {
        rule_files.extend(data::rule_files(&options.rules)?);
    }
    let (placeholders, placeholders_text) = data::placeholders(options.placeholders.as_deref())?;
    let rules = data::read_rules(&rule_files, &placeholders);
    let intel = data::intel(&options.intel)?;
    let intel_hash = intel.hash.clone();
    let lists = intel.lists.clone();
    let detection = Detection::load(rules, !options.rules.is_empty(), intel, &sources)?;
    data::tell_refused(&detection.problems);
    let (organisation, organisation_text) = organisation::load(options.reading.org.as_deref())?;
    let hash = |files: &[data::DataFile]| {
        // The paths of rules differ between machines; what they say does not.
        let mut texts: Vec<&str> = files.iter().map(|file| file.1.as_str()).collect();
        texts.sort_unstable();
        hex(&sha256(texts.join("\0").as_bytes()))
    };
    // With a list of indicators or values of placeholders other findings are made, with none the
    // inputs are as they were.
    let mut inputs = BTreeMap::from([
        ("sources".to_owned(), hash(&source_files)),
        ("rules".to_owned(), hash(&rule_files)),
        ("weights".to_owned(), hex(&sha256(data::weights_text().as_bytes()))),
        ("organisation".to_owned(), hex(&sha256(organisation_text.as_bytes()))),
    ]);
    if !options.intel.is_empty() {
        inputs.insert("intel".to_owned(), intel_hash);
    }
    if options.placeholders.is_some() {
        inputs.insert("placeholders".to_owned(), hex(&sha256(placeholders_text.as_bytes())));
    }
    Ok(Setup {
        detection,
        lists,
        options: DecodeOptions {
            directory: organisation::directory(&organisation),
            ..DecodeOptions::default()
        },
        sources,
        organisation,
        inputs,
    })
}

fn collect_into(case: &Case, options: &Inquiry, cli: &Cli) -> anyhow::Result<Collection> {
    let bar = progress::stage(cli.no_progress);
    let mut files = 0_u64;
    let mut bytes = 0_u64;
    let collection = collect(
        &options.reading.evidence,
        &case.spool()?,
        &Limits::default(),
        &mut |path, size| {
            files += 1;
            bytes += size;
            bar.set_message(format!("collecting: {files} files, {} MB, {path}", bytes >> 20));
            bar.tick();
        },
    )?;
    bar.finish_and_clear();
    Ok(collection)
}

fn manifest(setup: &Setup, collection: &Collection) -> Manifest {
    let mut evidence: Vec<EvidenceFile> = Vec::new();
    for one in &collection.artifacts {
        for path in std::iter::once(&one.artifact.path).chain(&one.also) {
            evidence.push(EvidenceFile {
                path: path.clone(),
                sha256: one.artifact.id.to_string(),
                size_bytes: one.artifact.size_bytes,
                kind: one.artifact.kind.word().to_owned(),
                records: 0,
            });
        }
    }
    for one in &collection.containers {
        evidence.push(EvidenceFile {
            path: one.path.clone(),
            sha256: one.id.to_string(),
            size_bytes: one.size_bytes,
            kind: one.kind.word().to_owned(),
            records: 0,
        });
    }
    evidence.sort();
    evidence.dedup();
    let mut inputs = setup.inputs.clone();
    let list: Vec<String> =
        evidence.iter().map(|file| format!("{} {}", file.sha256, file.path)).collect();
    inputs.insert("evidence".to_owned(), hex(&sha256(list.join("\n").as_bytes())));
    Manifest { version: env!("CARGO_PKG_VERSION").to_owned(), inputs, evidence }
}

/// Reads all artifacts, the largest first, on several threads. Each artifact is committed as a
/// whole, so that a run that was killed goes on with the next one.
fn read_all(
    case: &Case,
    manifest: &Manifest,
    collection: &Collection,
    setup: &Setup,
    threads: usize,
    cli: &Cli,
) -> anyhow::Result<BTreeMap<String, ArtifactCounts>> {
    let mut queue: Vec<&Collected> = collection.artifacts.iter().collect();
    queue.sort_by_key(|one| (std::cmp::Reverse(one.artifact.size_bytes), one.artifact.id));
    let total = queue.iter().map(|one| one.artifact.size_bytes).sum();
    let bar = progress::bytes(total, cli.no_progress);
    bar.set_message("reading");
    let next = AtomicUsize::new(0);
    let counts = Mutex::new(BTreeMap::new());
    let failed: Mutex<Option<CaseError>> = Mutex::new(None);
    let work = || {
        while let Some(one) = queue.get(next.fetch_add(1, Ordering::Relaxed)) {
            let id = one.artifact.id;
            let result = match case.done_before(manifest, id) {
                Some(count) => Ok(count),
                None => read_one(case, manifest, one, setup),
            };
            bar.inc(one.artifact.size_bytes);
            match result {
                Ok(count) => {
                    counts
                        .lock()
                        .unwrap_or_else(|poisoned| poisoned.into_inner())
                        .insert(id.to_string(), count);
                }
                Err(error) => {
                    *failed.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = Some(error);
                    next.store(queue.len(), Ordering::Relaxed);
                }
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(work);
        }
    });
    bar.finish_and_clear();
    match failed.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner()) {
        Some(error) => Err(error.into()),
        None => Ok(counts.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner())),
    }
}

fn read_one(
    case: &Case,
    manifest: &Manifest,
    one: &Collected,
    setup: &Setup,
) -> Result<ArtifactCounts, CaseError> {
    let writer = case.artifact(manifest, one.artifact.id)?;
    let mut sink = CaseSink { writer, detector: Detector::new(&setup.detection), error: None };
    // That the sink stopped is in its error.
    let _ = decode(&one.artifact, &one.location, &setup.sources, &setup.options, &mut sink);
    sink.finish(one)
}

/// Flow logs are read a second time, by the engine that needs all of a channel at once.
fn flows(
    case: &Case,
    collection: &Collection,
    setup: &Setup,
    threads: usize,
) -> anyhow::Result<Flows> {
    let spool = tempfile::tempdir_in(case.folder().join("work"))?;
    let steering = Steering {
        organisation: &setup.organisation,
        indicators: setup.detection.indicators.indicators(),
        lists: &setup.lists,
        threads,
    };
    Flows::of(case, collection, &steering, spool.path())
}

fn findings(
    case: &Case,
    manifest: &Manifest,
    ids: &[ArtifactId],
    setup: &Setup,
    flows: &Flows,
) -> anyhow::Result<Vec<Finding>> {
    let weights = &setup.detection.weights;
    let mut from_rules = Vec::new();
    case.artifact_lines(manifest, ids, "findings.jsonl", &mut |object| {
        from_rules.extend(finding_from_object(&object))
    })?;
    let mut all = merge_findings(from_rules.into_iter());
    all.extend(correlated(case, manifest, ids, setup)?);
    for finding in &mut all {
        weights.explain(finding, &setup.organisation);
    }
    let mut more = run_analytics(case, &setup.organisation, weights, &setup.lists, &all)?;
    let mut of_flows = flows.findings(weights);
    for finding in &mut of_flows {
        weights.explain(finding, &setup.organisation);
    }
    more.append(&mut of_flows);
    all.append(&mut more);
    all.sort_by(|a, b| (a.time, &a.id).cmp(&(b.time, &b.id)));
    Ok(all)
}

/// Findings of correlations, over the hits of all artifacts, of this run or an earlier one.
fn correlated(
    case: &Case,
    manifest: &Manifest,
    ids: &[ArtifactId],
    setup: &Setup,
) -> anyhow::Result<Vec<Finding>> {
    let correlations = &setup.detection.correlations;
    let spool = tempfile::tempdir_in(case.folder().join("work"))?;
    let mut state = CorrelationState::new(spool.path());
    let mut failed = None;
    let mut expired = 0;
    case.artifact_lines(manifest, ids, "hits.jsonl", &mut |object| {
        if let Some(hit) = hit_from_object(&object) {
            if let Err(error) = state.push(hit) {
                failed.get_or_insert(error);
            }
            return;
        }
        let number = |name: &str| match object.get(name) {
            Some(Value::Int(number)) => *number,
            _ => 0,
        };
        (0..number("untimed")).for_each(|_| state.push_untimed());
        expired += number("expired");
    })?;
    if let Some(error) = failed {
        return Err(error.into());
    }
    let mut found = Vec::new();
    let tally = state.finish(correlations, &mut |one| {
        if let Some(correlation) = correlations.get(one.correlation) {
            found.push(one.finding(correlation, &setup.detection.weights));
        }
    })?;
    super::detect::tell_left_out(&tally, expired);
    Ok(found)
}

fn defects(
    case: &Case,
    manifest: &Manifest,
    ids: &[ArtifactId],
    collection: &Collection,
) -> anyhow::Result<Vec<Object<'static>>> {
    let mut all: Vec<Object<'static>> = collection.defects.iter().map(defect_row).collect();
    case.artifact_lines(manifest, ids, "defects.jsonl", &mut |object| {
        all.push(object.into_owned())
    })?;
    all.sort_by_key(|row| makyo_base::to_json(&Value::Object(row.clone())));
    all.dedup();
    Ok(all)
}

fn defect_row(defect: &Defect) -> Object<'static> {
    let mut row = Object::default();
    row.push("file", Value::text(defect.file.clone()));
    let record = match defect.position {
        Position::Record(record) => Value::Int(record.into()),
        _ => Value::Null,
    };
    row.push("record", record);
    row.push("kind", Value::text(defect.kind.word()));
    row.push("detail", Value::text(defect.detail.clone()));
    row
}

fn text(row: &Object<'_>, name: &str) -> String {
    row.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn conclude(
    case: &Case,
    setup: &Setup,
    findings: &[Finding],
    defects: &[Object<'static>],
    manifest: &Manifest,
    records: u64,
    events: u64,
) -> anyhow::Result<()> {
    let rows: Vec<Object<'static>> = findings.iter().map(finding_object).collect();
    case.put_answer(
        "findings",
        &[
            "id",
            "time",
            "source",
            "rule",
            "techniques",
            "tactics",
            "entities",
            "weight_db",
            "explained_by",
            "records",
            "text",
        ],
        &rows,
    )?;
    let unread: Vec<Unread> = defects
        .iter()
        .map(|row| Unread {
            file: text(row, "file"),
            kind: text(row, "kind"),
            detail: text(row, "detail"),
        })
        .collect();
    let answers = answer(&Inputs {
        query: case,
        organisation: &setup.organisation,
        findings,
        unread: &unread,
        incident_least: setup.detection.weights.incident_least,
        incident_strong: setup.detection.weights.incident_strong,
    })?;
    for table in &answers.tables {
        case.put_answer(table.name, table.columns, &table.rows)?;
    }
    let mut summary = Object::default();
    summary.push("organisation", Value::text(setup.organisation.name.clone()));
    summary.push(
        "accounts_in_all",
        setup.organisation.accounts.map_or(Value::Null, |count| Value::Int(count.into())),
    );
    summary.push("evidence", Value::Int(manifest.evidence.len() as i128));
    summary.push("records", Value::Int(records.into()));
    summary.push("events", Value::Int(events.into()));
    case.put_answer(
        "summary",
        &["organisation", "accounts_in_all", "evidence", "records", "events"],
        &[summary],
    )?;
    Ok(())
}

const NINE: &[&str] = &["number", "question", "answered", "answer"];

fn nine_rows(answers: &[Nine]) -> Vec<Object<'static>> {
    let row = |one: &Nine| {
        let mut row = Object::default();
        row.push("number", Value::Int(one.number as i128));
        row.push("question", Value::text(one.heading.clone()));
        row.push("answered", Value::Bool(one.is_answered));
        row.push("answer", Value::text(one.answer.clone()));
        row
    };
    answers.iter().map(row).collect()
}

/// The nine answers of a case in short.
pub(crate) fn nine_of(case: &Case, accounts_in_all: Option<u64>) -> anyhow::Result<Vec<Nine>> {
    let names = [
        "entry",
        "accounts",
        "hosts",
        "path",
        "access",
        "assets",
        "persistence",
        "containment",
        "incidents",
        "flow_notes",
        "findings",
    ];
    let tables = names
        .iter()
        .map(|name| Ok((*name, super::show::answer(case, name)?)))
        .collect::<anyhow::Result<Vec<_>>>()?;
    let look_up = |name: &str| {
        tables
            .iter()
            .find(|table| table.0 == name)
            .map(|table| table.1.as_slice())
            .unwrap_or_default()
    };
    Ok(nine(&look_up, accounts_in_all, Language::English))
}

fn summary(options: &Investigate, pass: &Pass, output: &mut Output) -> anyhow::Result<()> {
    let answers = nine_of(&pass.case, pass.accounts_in_all)?;
    if options.format != Format::Table {
        let columns: Vec<String> = NINE.iter().map(|column| (*column).to_owned()).collect();
        return output.rows(options.format, &columns, &nine_rows(&answers));
    }
    for one in &answers {
        output.heading(&format!("{}. {}", one.number, one.heading))?;
        output.line(&format!("   {}", one.answer))?;
    }
    output.line("")?;
    output.line(&format!(
        "{} pieces of evidence, {} records, {} distinct events; {} rules{}",
        pass.manifest.evidence.len(),
        pass.records,
        pass.events,
        pass.rules,
        match pass.refused {
            0 => String::new(),
            refused => format!(", {refused} not loaded"),
        },
    ))?;
    unread_summary(&pass.defects, output)?;
    output.line(&format!("report: {}", options.inquiry.case.join("report.html").display()))
}

/// What was not asked, and what it would take.
const NO_CLASSES: &str = "\
not asked: whether VPN logins come from rented machines or VPN services
hint: `--intel` takes lists of such networks, by names such as `hosting_v4.txt` and `vpn.txt`";

/// So many places are named on the terminal; `show coverage` and the report have all.
const UNREAD_SHOWN: usize = 12;

fn unread_summary(defects: &[Object<'static>], output: &mut Output) -> anyhow::Result<()> {
    if defects.is_empty() {
        return output.line("everything that was given was read");
    }
    output.line(&format!("not read, in whole or in part ({} places):", defects.len()))?;
    for row in defects.iter().take(UNREAD_SHOWN) {
        output.line(&format!(
            "   {}: {}: {}",
            text(row, "file"),
            text(row, "kind"),
            text(row, "detail")
        ))?;
    }
    if defects.len() > UNREAD_SHOWN {
        tell("hint: `makyo sql \"SELECT * FROM defects\"` lists all of them");
        output.line(&format!("   ... and {} more", defects.len() - UNREAD_SHOWN))?;
    }
    Ok(())
}
