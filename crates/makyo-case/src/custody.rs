//! The custody log: who did what to the case, each line chained to the one before by its hash.

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use makyo_base::{Object, Value, hex, parse_json, sha256, to_json};

use crate::error::CaseError;

/// An append-only, hash-chained log in JSON Lines. A line's `hash` is the SHA-256 of the line
/// without it; `previous` is the hash of the line before.
#[derive(Debug)]
pub struct CustodyLog {
    path: PathBuf,
    sequence: u64,
    previous: String,
}

impl CustodyLog {
    pub(crate) fn open(case: &Path) -> Result<Self, CaseError> {
        let path = case.join("custody.jsonl");
        let mut log = CustodyLog { path, sequence: 0, previous: "0".repeat(64) };
        if log.path.exists() {
            let text = fs::read_to_string(&log.path).map_err(CaseError::file("read", &log.path))?;
            // A line that was being written when the run was killed is cut off.
            let whole = text.rfind('\n').map_or(0, |end| end + 1);
            let text = text.get(..whole).unwrap_or_default();
            for line in text.lines() {
                log.sequence += 1;
                log.previous = line_hash(line).unwrap_or_default();
            }
            fs::write(&log.path, text).map_err(CaseError::file("write", &log.path))?;
        }
        Ok(log)
    }

    /// Appends what was done; `time` is when, as RFC 3339.
    ///
    /// # Errors
    /// If the disk refuses it.
    pub fn append(
        &mut self,
        time: &str,
        action: &str,
        detail: Object<'_>,
    ) -> Result<(), CaseError> {
        let mut line = Object::default();
        line.push("sequence", Value::Int((self.sequence + 1).into()));
        line.push("time", Value::text(time.to_owned()));
        line.push("action", Value::text(action.to_owned()));
        line.push("detail", Value::Object(detail.into_owned()));
        line.push("previous", Value::text(self.previous.clone()));
        let hash = hex(&sha256(to_json(&Value::Object(line.clone())).as_bytes()));
        line.push("hash", Value::text(hash.clone()));
        let text = to_json(&Value::Object(line));
        let mut file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&self.path)
            .map_err(CaseError::file("open", &self.path))?;
        writeln!(file, "{text}").map_err(CaseError::file("write", &self.path))?;
        file.sync_data().map_err(CaseError::file("write", &self.path))?;
        self.sequence += 1;
        self.previous = hash;
        Ok(())
    }

    /// Checks the whole chain; gives the number of lines, or the first line that does not fit.
    ///
    /// # Errors
    /// If the log cannot be read.
    pub fn verify(case: &Path) -> Result<Result<u64, u64>, CaseError> {
        let path = case.join("custody.jsonl");
        let text = fs::read_to_string(&path).map_err(CaseError::file("read", &path))?;
        let mut previous = "0".repeat(64);
        let mut count = 0;
        for line in text.lines() {
            count += 1;
            let fits = parse_json(line).ok().and_then(|value| {
                let Value::Object(mut object) = value else { return None };
                let (_, hash) = object.0.pop().filter(|field| field.0 == "hash")?;
                let body = hex(&sha256(to_json(&Value::Object(object.clone())).as_bytes()));
                let chained = object.get("previous")?.as_str()? == previous;
                let hash = hash.as_str()?.to_owned();
                (chained && body == hash).then_some(hash)
            });
            match fits {
                Some(hash) => previous = hash,
                None => return Ok(Err(count)),
            }
        }
        Ok(Ok(count))
    }
}

fn line_hash(line: &str) -> Option<String> {
    let value = parse_json(line).ok()?;
    Some(value.as_object()?.get("hash")?.as_str()?.to_owned())
}

/// Writes a file aside, syncs it and renames it into place.
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), CaseError> {
    let aside = path.with_extension("part");
    let mut file = File::create(&aside).map_err(CaseError::file("create", &aside))?;
    file.write_all(bytes).map_err(CaseError::file("write", &aside))?;
    file.sync_all().map_err(CaseError::file("write", &aside))?;
    fs::rename(&aside, path).map_err(CaseError::file("commit", path))
}
