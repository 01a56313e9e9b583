//! Bytes and files put to the rules.

use std::fs::File;
use std::io::Read as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::Duration;

use yara_x::{ScanError, Scanner};

use crate::error::YaraError;
use crate::finding::{YaraMatch, YaraString};
use crate::rules::{YaraRules, info};

/// So many bytes of one content are scanned: all malware on public lists is smaller, and a scan
/// holds the bytes in memory.
pub const SCAN_BYTES_MAX: usize = 64 << 20;
/// So many places of one string are listed with a match.
pub const STRINGS_MAX: usize = 20;
/// The engine notes no more places of one string than this.
const PLACES_MAX: usize = 10_000;

/// What a file gave.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct FileScan {
    /// The rules that fit.
    pub matches: Vec<YaraMatch>,
    /// The first bytes were scanned, so many.
    pub scanned_bytes: u64,
    /// The file has so many.
    pub size_bytes: u64,
}

impl FileScan {
    /// What was not scanned, as a sentence for a defect; none if all was.
    #[must_use]
    pub fn unscanned(&self) -> Option<String> {
        (self.scanned_bytes < self.size_bytes).then(|| {
            format!(
                "rules were put to the first {} of {} bytes only",
                self.scanned_bytes, self.size_bytes
            )
        })
    }
}

impl YaraRules {
    /// Puts bytes to the rules, in the order of namespaces and rules.
    ///
    /// # Errors
    /// If they are larger than [`SCAN_BYTES_MAX`], if the time runs out (it is counted in whole
    /// seconds), or if the engine fails on them.
    pub fn scan(&self, bytes: &[u8], timeout: Duration) -> Result<Vec<YaraMatch>, YaraError> {
        self.scan_named("", bytes, timeout)
    }

    /// As [`YaraRules::scan`], with the name that rules see as `filename` and `extension`.
    ///
    /// # Errors
    /// As there.
    pub fn scan_named(
        &self,
        name: &str,
        bytes: &[u8],
        timeout: Duration,
    ) -> Result<Vec<YaraMatch>, YaraError> {
        if bytes.len() > SCAN_BYTES_MAX {
            let (size, max) = (bytes.len() as u64, SCAN_BYTES_MAX as u64);
            return Err(YaraError::TooLarge { size, max });
        }
        if self.is_empty() {
            return Ok(Vec::new());
        }
        // The engine's parsers of file formats meet hostile bytes.
        let result = catch_unwind(AssertUnwindSafe(|| self.run(name, bytes, timeout)));
        result.unwrap_or_else(|_| Err(YaraError::Failed("the engine panicked".into())))
    }

    fn run(
        &self,
        name: &str,
        bytes: &[u8],
        timeout: Duration,
    ) -> Result<Vec<YaraMatch>, YaraError> {
        let mut scanner = Scanner::new(&self.rules);
        scanner.set_timeout(timeout).max_matches_per_pattern(PLACES_MAX);
        let last = name.rsplit(['/', '\\', '!']).next().unwrap_or(name);
        let extension = last.rfind('.').and_then(|at| last.get(at..)).unwrap_or_default();
        for (global, value) in [("filename", last), ("filepath", name), ("extension", extension)] {
            scanner
                .set_global(global, value)
                .map_err(|reason| YaraError::Failed(reason.to_string()))?;
        }
        let results = scanner.scan(bytes).map_err(|reason| match reason {
            ScanError::Timeout => YaraError::Timeout { seconds: timeout.as_secs().max(1) },
            other => YaraError::Failed(other.to_string()),
        })?;
        let mut found: Vec<YaraMatch> = results
            .matching_rules()
            .map(|rule| YaraMatch {
                rule: info(&rule),
                strings: rule
                    .patterns()
                    .flat_map(|pattern| {
                        let name = pattern.identifier().to_owned();
                        pattern.matches().take(STRINGS_MAX).map(move |place| YaraString {
                            name: name.clone(),
                            offset: place.range().start as u64,
                            size: place.range().len() as u64,
                        })
                    })
                    .collect(),
            })
            .collect();
        found.sort_by(|a, b| (&a.rule.file, &a.rule.name).cmp(&(&b.rule.file, &b.rule.name)));
        Ok(found)
    }

    /// Reads a file and puts it to the rules; of a larger one the first [`SCAN_BYTES_MAX`] bytes,
    /// which [`FileScan::unscanned`] tells.
    ///
    /// # Errors
    /// If it cannot be read, or as [`YaraRules::scan`].
    pub fn scan_file(&self, path: &Path, timeout: Duration) -> Result<FileScan, YaraError> {
        self.scan_file_named(path, &path.to_string_lossy(), timeout)
    }

    /// As [`YaraRules::scan_file`], with the name that rules see: a spooled copy has another one
    /// than what was found.
    ///
    /// # Errors
    /// As there.
    pub fn scan_file_named(
        &self,
        path: &Path,
        name: &str,
        timeout: Duration,
    ) -> Result<FileScan, YaraError> {
        let unreadable = |reason| YaraError::Unreadable { path: path.to_owned(), reason };
        let file = File::open(path).map_err(unreadable)?;
        let size = file.metadata().map_err(unreadable)?.len();
        let mut bytes = Vec::new();
        file.take(SCAN_BYTES_MAX as u64).read_to_end(&mut bytes).map_err(unreadable)?;
        let matches = self.scan_named(name, &bytes, timeout)?;
        let scanned = bytes.len() as u64;
        Ok(FileScan { matches, scanned_bytes: scanned, size_bytes: size.max(scanned) })
    }
}
