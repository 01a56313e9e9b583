//! The folder of a case.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use makyo_base::{
    ArtifactId, Object, Query, QueryError, Rows, Sha256Writer, Value, hex, parse_json, to_json,
};

use crate::artifact_writer::{ArtifactCounts, ArtifactWriter, read_counts};
use crate::consolidate::{Consolidated, consolidate};
use crate::custody::{CustodyLog, write_whole};
use crate::error::CaseError;
use crate::sql::{Engine, TextTable};
use crate::table::write_table;

/// The state of a case whose run reached its end.
pub const STATE_COMPLETE: &str = "complete";
/// Digits that tell readings of one artifact apart.
const READING_DIGITS: usize = 16;
const STATE_RUNNING: &str = "incomplete";

/// One piece of evidence in the manifest.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct EvidenceFile {
    /// Where it was found; archive members after `!`.
    pub path: String,
    /// SHA-256, hexadecimal.
    pub sha256: String,
    /// Bytes.
    pub size_bytes: u64,
    /// What it holds.
    pub kind: String,
    /// Records read from it.
    pub records: u64,
}

/// What the case was made from and by what.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Manifest {
    /// Version of makyo.
    pub version: String,
    /// Hashes of what steers a run: rules, sources, organisation, options.
    pub inputs: BTreeMap<String, String>,
    /// Evidence, sorted by path.
    pub evidence: Vec<EvidenceFile>,
}

/// A difference that `makyo verify` found.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Mismatch {
    /// The file.
    pub path: String,
    /// What is wrong with it.
    pub problem: String,
}

/// A case on disk.
#[derive(Debug)]
pub struct Case {
    folder: PathBuf,
    threads: usize,
    engine: Option<Engine>,
    readings: BTreeMap<ArtifactId, String>,
    keeps_work: bool,
}

impl Case {
    /// Opens or makes a case folder for a run.
    ///
    /// # Errors
    /// If the folder cannot be written, or is not empty and not a case.
    pub fn create(folder: &Path, threads: usize) -> Result<Self, CaseError> {
        let is_new = !folder.join("case.json").exists();
        let holds_something =
            fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some());
        if is_new && holds_something {
            let reason = io::Error::other("the folder is not empty and not a case");
            return Err(CaseError::File {
                what: "make a case of",
                path: folder.to_owned(),
                reason,
            });
        }
        fs::create_dir_all(folder.join("work")).map_err(CaseError::file("create", folder))?;
        Ok(Self::at(folder, threads))
    }

    /// Opens a finished case for questions.
    ///
    /// # Errors
    /// If there is none or its run did not finish.
    pub fn open(folder: &Path, threads: usize) -> Result<Self, CaseError> {
        let manifest = read_manifest(folder)?;
        if manifest.get("state").and_then(Value::as_str) != Some(STATE_COMPLETE) {
            return Err(CaseError::Incomplete(folder.to_owned()));
        }
        let mut case = Self::at(folder, threads);
        case.start_engine()?;
        Ok(case)
    }

    fn at(folder: &Path, threads: usize) -> Self {
        Case {
            folder: folder.to_owned(),
            threads,
            engine: None,
            readings: BTreeMap::new(),
            keeps_work: false,
        }
    }

    /// Says for each artifact what beside its bytes its reading depends on, such as its path: a
    /// reading of an earlier run is taken only if this is the same. To be called before
    /// [`begin`](Self::begin).
    pub fn depend(&mut self, readings: BTreeMap<ArtifactId, String>) {
        self.readings = readings;
    }

    /// Keeps what was read of each artifact after the run is complete, for a next run over more
    /// evidence.
    pub fn keep_work(&mut self) {
        self.keeps_work = true;
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// A folder for spooled archive members.
    ///
    /// # Errors
    /// If it cannot be made.
    pub fn spool(&self) -> Result<PathBuf, CaseError> {
        let path = self.folder.join("work/spool");
        if path.exists() {
            fs::remove_dir_all(&path).map_err(CaseError::file("clear", &path))?;
        }
        fs::create_dir_all(&path).map_err(CaseError::file("create", &path))?;
        Ok(path)
    }

    /// Says on disk that a run is under way with these inputs, and throws away what earlier runs
    /// with other inputs left behind.
    ///
    /// # Errors
    /// If the disk refuses it.
    pub fn begin(&mut self, manifest: &Manifest) -> Result<(), CaseError> {
        self.engine = None;
        self.write_manifest(manifest, STATE_RUNNING)?;
        let work = self.folder.join("work");
        let own = self.decode_folder(manifest);
        for entry in fs::read_dir(&work).map_err(CaseError::file("read", &work))?.flatten() {
            let path = entry.path();
            let is_old = entry.file_name().to_string_lossy().starts_with("decode-") && path != own;
            if is_old {
                fs::remove_dir_all(&path).map_err(CaseError::file("clear", &path))?;
            }
        }
        fs::create_dir_all(&own).map_err(CaseError::file("create", &own))?;
        // What is not evidence any more, or has changed, is not read again.
        let wanted: BTreeSet<PathBuf> =
            self.readings.keys().map(|id| self.artifact_folder(manifest, *id)).collect();
        for entry in fs::read_dir(&own).map_err(CaseError::file("read", &own))?.flatten() {
            let path = entry.path();
            if !wanted.is_empty() && !wanted.contains(&path) {
                fs::remove_dir_all(&path).map_err(CaseError::file("clear", &path))?;
            }
        }
        Ok(())
    }

    /// Work in progress is kept by what steers it: other rules, another folder.
    fn decode_folder(&self, manifest: &Manifest) -> PathBuf {
        // Which files there are changes nothing in how one of them is read.
        let inputs = manifest.inputs.iter().filter(|entry| entry.0 != "evidence");
        let text: Vec<String> = inputs.map(|(key, value)| format!("{key}={value}")).collect();
        let digest =
            makyo_base::sha256(format!("{} {}", manifest.version, text.join(" ")).as_bytes());
        let mut name = format!("decode-{}", hex(&digest));
        name.truncate(23);
        self.folder.join("work").join(name)
    }

    fn artifact_folder(&self, manifest: &Manifest, id: ArtifactId) -> PathBuf {
        let name = match self.readings.get(&id) {
            Some(depends) => {
                let mut digest = hex(&makyo_base::sha256(depends.as_bytes()));
                digest.truncate(READING_DIGITS);
                format!("{id}-{digest}")
            }
            None => id.to_string(),
        };
        self.decode_folder(manifest).join(name)
    }

    /// What an artifact gave in an earlier run that was cut short.
    #[must_use]
    pub fn done_before(&self, manifest: &Manifest, id: ArtifactId) -> Option<ArtifactCounts> {
        read_counts(&self.artifact_folder(manifest, id))
    }

    /// A writer for what an artifact gives.
    ///
    /// # Errors
    /// If the disk refuses it.
    pub fn artifact(
        &self,
        manifest: &Manifest,
        id: ArtifactId,
    ) -> Result<ArtifactWriter, CaseError> {
        ArtifactWriter::new(&self.artifact_folder(manifest, id))
    }

    /// Builds the tables of events out of all artifacts.
    ///
    /// # Errors
    /// If the disk refuses it.
    pub fn consolidate(
        &mut self,
        manifest: &Manifest,
        ids: &[ArtifactId],
        records: u64,
    ) -> Result<Consolidated, CaseError> {
        let folders: Vec<PathBuf> =
            ids.iter().map(|id| self.artifact_folder(manifest, *id)).collect();
        let done = consolidate(&folders, &self.folder, records)?;
        let answers = self.folder.join("answers");
        if answers.exists() {
            fs::remove_dir_all(&answers).map_err(CaseError::file("clear", &answers))?;
        }
        fs::create_dir_all(&answers).map_err(CaseError::file("create", &answers))?;
        self.start_engine()?;
        Ok(done)
    }

    fn start_engine(&mut self) -> Result<(), CaseError> {
        self.engine = Some(Engine::open(&self.folder, self.threads)?);
        Ok(())
    }

    /// The lines that artifacts left under a name (`findings.jsonl`, `hits.jsonl`,
    /// `defects.jsonl`), in the order
    /// of the artifacts' ids.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn artifact_lines(
        &self,
        manifest: &Manifest,
        ids: &[ArtifactId],
        name: &str,
        visit: &mut dyn FnMut(Object<'_>),
    ) -> Result<(), CaseError> {
        for id in ids {
            let path = self.artifact_folder(manifest, *id).join(name);
            let file = File::open(&path).map_err(CaseError::file("open", &path))?;
            for line in io::BufRead::lines(io::BufReader::new(file)) {
                let line = line.map_err(CaseError::file("read", &path))?;
                if let Ok(Value::Object(object)) = parse_json(&line) {
                    visit(object);
                }
            }
        }
        Ok(())
    }

    /// Keeps an answer: JSON for scripts, a table for SQL.
    ///
    /// # Errors
    /// If the disk refuses it.
    pub fn put_answer(
        &self,
        name: &str,
        columns: &[&str],
        rows: &[Object<'_>],
    ) -> Result<(), CaseError> {
        let folder = self.folder.join("answers");
        write_table(&folder, name, columns, rows)?;
        match &self.engine {
            Some(engine) => engine.parquet(name, &folder.join(format!("{name}.parquet"))),
            None => Ok(()),
        }
    }

    /// An answer's JSON text.
    ///
    /// # Errors
    /// If the case has no such answer.
    pub fn answer(&self, name: &str) -> Result<String, CaseError> {
        let path = self.folder.join("answers").join(format!("{name}.json"));
        fs::read_to_string(&path).map_err(CaseError::file("read", &path))
    }

    /// Puts a file into the case as a whole.
    ///
    /// # Errors
    /// If the disk refuses it.
    pub fn put_file(&self, name: &str, bytes: &[u8]) -> Result<(), CaseError> {
        write_whole(&self.folder.join(name), bytes)
    }

    /// Says on disk that the run is done, with the hash of every file of the case, and clears the
    /// work folder, but for readings that are kept.
    ///
    /// # Errors
    /// If the disk refuses it.
    pub fn complete(&mut self, manifest: &Manifest) -> Result<(), CaseError> {
        self.engine = None;
        self.write_manifest(manifest, STATE_COMPLETE)?;
        let work = self.folder.join("work");
        for entry in fs::read_dir(&work).map_err(CaseError::file("read", &work))?.flatten() {
            let is_reading = entry.file_name().to_string_lossy().starts_with("decode-");
            if self.keeps_work && is_reading {
                continue;
            }
            let path = entry.path();
            let cleared = match path.is_dir() {
                true => fs::remove_dir_all(&path),
                false => fs::remove_file(&path),
            };
            cleared.map_err(CaseError::file("clear", &path))?;
        }
        if !self.keeps_work {
            fs::remove_dir_all(&work).map_err(CaseError::file("clear", &work))?;
        }
        self.start_engine()
    }

    /// The custody log.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn custody(&self) -> Result<CustodyLog, CaseError> {
        CustodyLog::open(&self.folder)
    }

    fn write_manifest(&self, manifest: &Manifest, state: &str) -> Result<(), CaseError> {
        let mut object = Object::default();
        object.push("makyo", Value::text(manifest.version.clone()));
        object.push("state", Value::text(state.to_owned()));
        let texts = manifest
            .inputs
            .iter()
            .map(|(key, value)| (key.clone().into(), Value::text(value.clone())));
        object.push("inputs", Value::Object(Object(texts.collect())));
        let evidence = manifest.evidence.iter().map(|file| {
            let mut entry = Object::default();
            entry.push("path", Value::text(file.path.clone()));
            entry.push("sha256", Value::text(file.sha256.clone()));
            entry.push("size_bytes", Value::Int(file.size_bytes.into()));
            entry.push("kind", Value::text(file.kind.clone()));
            entry.push("records", Value::Int(file.records.into()));
            Value::Object(entry)
        });
        object.push("evidence", Value::List(evidence.collect()));
        let mut files = Vec::new();
        if state == STATE_COMPLETE {
            for path in own_files(&self.folder)? {
                let mut entry = Object::default();
                entry.push("path", Value::text(path.clone()));
                entry.push("sha256", Value::text(file_hash(&self.folder.join(&path))?));
                files.push(Value::Object(entry));
            }
        }
        object.push("files", Value::List(files));
        // One entry a line, so that two manifests can be compared by eye.
        let text = to_json(&Value::Object(object)).replace("},{", "},\n{").replace(":[{", ":[\n{");
        write_whole(&self.folder.join("case.json"), format!("{text}\n").as_bytes())
    }

    /// Compares evidence and case with what the manifest says. `root` is put before evidence paths.
    ///
    /// # Errors
    /// If the manifest cannot be read.
    pub fn verify(folder: &Path, root: Option<&Path>) -> Result<(usize, Vec<Mismatch>), CaseError> {
        let manifest = read_manifest(folder)?;
        let mut checked = 0;
        let mut found = Vec::new();
        let mut check = |path: &Path, name: &str, expected: &str| {
            checked += 1;
            let problem = match file_hash(path) {
                Ok(hash) if hash == expected => return,
                Ok(hash) => format!("content has changed: expected {expected}, found {hash}"),
                Err(error) => error.to_string(),
            };
            found.push(Mismatch { path: name.to_owned(), problem });
        };
        for (list, base) in [("evidence", root), ("files", Some(folder))] {
            for (name, hash) in entries(&manifest, list) {
                // Members of an archive are proved by the archive.
                if list == "files" || !name.contains('!') {
                    let path = base.map_or_else(|| PathBuf::from(&name), |base| base.join(&name));
                    check(&path, &name, &hash);
                }
            }
        }
        let known: Vec<String> =
            entries(&manifest, "files").into_iter().map(|entry| entry.0).collect();
        for path in own_files(folder)?.into_iter().filter(|path| !known.contains(path)) {
            found.push(Mismatch { path, problem: "file is not in the manifest".into() });
        }
        if manifest.get("state").and_then(Value::as_str) != Some(STATE_COMPLETE) {
            found.push(Mismatch {
                path: "case.json".into(),
                problem: "case is incomplete: its run did not finish".into(),
            });
        }
        match CustodyLog::verify(folder) {
            Ok(Ok(lines)) => checked += usize::try_from(lines).unwrap_or_default(),
            Ok(Err(line)) => found.push(Mismatch {
                path: "custody.jsonl".into(),
                problem: format!("chain is broken at line {line}"),
            }),
            Err(error) => {
                found.push(Mismatch { path: "custody.jsonl".into(), problem: error.to_string() })
            }
        }
        found.sort();
        Ok((checked, found))
    }

    /// Runs a statement for people.
    ///
    /// # Errors
    /// If the engine refuses it.
    pub fn sql(&self, sql: &str) -> Result<TextTable, QueryError> {
        match &self.engine {
            Some(engine) => engine.text(sql),
            None => Err(no_engine(sql)),
        }
    }
}

impl Query for Case {
    fn query(&self, sql: &str) -> Result<Rows, QueryError> {
        match &self.engine {
            Some(engine) => engine.query(sql),
            None => Err(no_engine(sql)),
        }
    }
}

fn no_engine(sql: &str) -> QueryError {
    QueryError { sql: sql.to_owned(), message: "the case has no tables yet".into() }
}

fn read_manifest(folder: &Path) -> Result<Object<'static>, CaseError> {
    let path = folder.join("case.json");
    if !path.exists() {
        return Err(CaseError::Missing(folder.to_owned()));
    }
    let text = fs::read_to_string(&path).map_err(CaseError::file("read", &path))?;
    match parse_json(&text) {
        Ok(Value::Object(object)) => Ok(object.into_owned()),
        Ok(_) => Err(CaseError::Damaged { path, reason: "not an object".into() }),
        Err(reason) => Err(CaseError::Damaged { path, reason }),
    }
}

fn entries(manifest: &Object<'_>, list: &str) -> Vec<(String, String)> {
    let Some(Value::List(list)) = manifest.get(list) else { return Vec::new() };
    let pair = |entry: &Value<'_>| {
        let object = entry.as_object()?;
        let text = |key| object.get(key).and_then(Value::as_str).map(str::to_owned);
        Some((text("path")?, text("sha256")?))
    };
    list.iter().filter_map(pair).collect()
}

/// Files of a case that its manifest answers for: all but the manifest itself, the custody log
/// (which proves itself) and work in progress.
fn own_files(folder: &Path) -> Result<Vec<String>, CaseError> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(next) = open.pop() {
        for entry in fs::read_dir(&next).map_err(CaseError::file("read", &next))?.flatten() {
            let path = entry.path();
            let name = path.strip_prefix(folder).unwrap_or(&path).display().to_string();
            if path.is_dir() {
                if name != "work" {
                    open.push(path);
                }
            } else if !matches!(name.as_str(), "case.json" | "custody.jsonl") {
                found.push(name);
            }
        }
    }
    found.sort();
    Ok(found)
}

fn file_hash(path: &Path) -> Result<String, CaseError> {
    let mut file = File::open(path).map_err(CaseError::file("open", path))?;
    let mut hasher = Sha256Writer::default();
    io::copy(&mut io::BufReader::with_capacity(1 << 20, &mut file), &mut hasher)
        .map_err(CaseError::file("read", path))?;
    Ok(hex(&hasher.finish()))
}
