//! Writes what products export: each product's records in its own folder, in order of time, a day
//! at a time, so that memory holds one day.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use crate::moment::{Moment, date, midnight};
use crate::record::zeek;
use crate::{Error, Gap};

/// One log of one product.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Log {
    SignInInteractive,
    SignInNonInteractive,
    DirectoryAudit,
    UnifiedAudit,
    /// The name of the appliance.
    Vpn(&'static str),
    /// The short name of the host.
    Windows(String),
    /// The application log of a host.
    Application(String),
    Connections,
    Lookups,
    /// A mail of a mailbox, under the name of its file.
    Message(String),
}

/// What is collected, with the times that a source lost.
#[derive(Debug)]
pub(crate) struct Evidence {
    folder: PathBuf,
    waiting: BTreeMap<Log, Vec<(Moment, u64, String)>>,
    sequence: u64,
    /// The next record number of each Windows log.
    record_ids: BTreeMap<Log, u64>,
    gaps: Vec<(Log, Moment, Moment)>,
    /// How many records each log lost.
    lost: BTreeMap<Log, u64>,
    /// The unified audit log of this day was exported twice.
    twice: i64,
    records: u64,
    /// Words of the agency and what this organisation says instead.
    wording: Wording,
}

impl Evidence {
    pub(crate) fn new(
        folder: &Path,
        gaps: Vec<(Log, Moment, Moment)>,
        twice: i64,
        wording: Wording,
    ) -> Self {
        Evidence {
            folder: folder.to_owned(),
            waiting: BTreeMap::new(),
            sequence: 0,
            record_ids: BTreeMap::new(),
            gaps,
            lost: BTreeMap::new(),
            twice,
            records: 0,
            wording,
        }
    }

    /// Whether the log lost what happened at this time.
    pub(crate) fn is_lost(&self, log: &Log, moment: Moment) -> bool {
        self.gaps.iter().any(|gap| gap.0 == *log && (gap.1..gap.2).contains(&moment))
    }

    /// Takes a record; false if the log lost it.
    pub(crate) fn push(&mut self, log: Log, moment: Moment, text: String) -> bool {
        if self.is_lost(&log, moment) {
            *self.lost.entry(log.clone()).or_default() += 1;
            // The numbers of lost records are missing in the log.
            if matches!(log, Log::Windows(_)) {
                self.wait(log, moment, String::new());
            }
            return false;
        }
        self.wait(log, moment, text);
        true
    }

    fn wait(&mut self, log: Log, moment: Moment, text: String) {
        self.sequence += 1;
        self.waiting.entry(log).or_default().push((moment, self.sequence, text));
    }

    /// How many records a log lost.
    pub(crate) fn lost(&self, log: &Log) -> u64 {
        self.lost.get(log).copied().unwrap_or(0)
    }

    /// How many records were written.
    pub(crate) fn records(&self) -> u64 {
        self.records
    }

    /// Writes all records of a day; what belongs to later days waits on.
    pub(crate) fn finish_day(&mut self, day: i64, is_last: bool) -> Result<(), Error> {
        let end = if is_last { Moment::MAX } else { midnight(day + 1) };
        let logs: Vec<Log> = self.waiting.keys().cloned().collect();
        for log in logs {
            let mut all = self.waiting.remove(&log).unwrap_or_default();
            let later = all.extract_if(.., |entry| entry.0 >= end).collect();
            self.waiting.insert(log.clone(), later);
            all.sort_unstable_by_key(|entry| (entry.0, entry.1));
            let kept = all.iter().filter(|entry| !entry.2.is_empty()).count();
            self.records += u64::try_from(kept).unwrap_or(0);
            if !all.is_empty() {
                self.write(&log, day, &all)?;
            }
        }
        Ok(())
    }

    fn write(&mut self, log: &Log, day: i64, all: &[(Moment, u64, String)]) -> Result<(), Error> {
        let date = date(midnight(day) + crate::moment::TOKYO);
        match log {
            Log::SignInInteractive => {
                self.page(&format!("entra-sign-in/interactive/{date}.json"), "signIns", all)
            }
            Log::SignInNonInteractive => {
                self.page(&format!("entra-sign-in/non-interactive/{date}.json"), "signIns", all)
            }
            Log::DirectoryAudit => {
                self.page(&format!("entra-audit/{date}.json"), "directoryAudits", all)
            }
            Log::UnifiedAudit => {
                self.lines(&format!("m365-audit/audit-{date}.jsonl"), all)?;
                if day == self.twice {
                    let half = &all[all.len() / 2..];
                    self.lines(&format!("m365-audit/audit-{date}-again.jsonl"), half)?;
                }
                Ok(())
            }
            Log::Vpn(name) => self.lines(&format!("vpn/{name}.log"), all),
            Log::Connections => self.headed(&format!("zeek/conn.{date}.log"), zeek::CONN, all),
            Log::Lookups => self.headed(&format!("zeek/dns.{date}.log"), zeek::DNS, all),
            Log::Message(name) => self.lines(&format!("mail/{name}.eml"), all),
            Log::Application(host) => {
                let numbered = self.numbered(log, all);
                self.lines(&format!("windows/{host}-application.jsonl"), &numbered)
            }
            Log::Windows(host) => {
                let numbered = self.numbered(log, all);
                self.lines(&format!("windows/{host}-security.jsonl"), &numbered)
            }
        }
    }

    /// Gives Windows records their numbers; those of lost ones are skipped.
    fn numbered(&mut self, log: &Log, all: &[(Moment, u64, String)]) -> Vec<(Moment, u64, String)> {
        let next = self.record_ids.entry(log.clone()).or_insert_with_key(first_record_id);
        let mut numbered = Vec::with_capacity(all.len());
        for (moment, sequence, text) in all {
            let id = format!("\"EventRecordID\":{next}");
            *next += 1;
            if !text.is_empty() {
                numbered.push((*moment, *sequence, text.replacen("\"EventRecordID\":0", &id, 1)));
            }
        }
        numbered
    }

    fn open(&self, name: &str) -> Result<(PathBuf, BufWriter<File>), Error> {
        let path = self.folder.join(name);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(Error::file("create", folder))?;
        }
        let mut options = OpenOptions::new();
        let file = options.create(true).append(true).open(&path);
        let file = file.map_err(Error::file("open", &path))?;
        Ok((path, BufWriter::new(file)))
    }

    /// A line a record.
    fn lines(&self, name: &str, all: &[(Moment, u64, String)]) -> Result<(), Error> {
        let (path, mut to) = self.open(name)?;
        for (_, _, text) in all {
            to.write_all(reworded(text, self.wording).as_bytes())
                .map_err(Error::file("write", &path))?;
            to.write_all(b"\n").map_err(Error::file("write", &path))?;
        }
        to.flush().map_err(Error::file("write", &path))
    }

    /// The same after a head of the format's own.
    fn headed(&self, name: &str, head: &str, all: &[(Moment, u64, String)]) -> Result<(), Error> {
        let (path, mut to) = self.open(name)?;
        to.write_all(head.as_bytes()).map_err(Error::file("write", &path))?;
        to.flush().map_err(Error::file("write", &path))?;
        self.lines(name, all)
    }

    /// A page as the cloud's interface gives it, the newest record first.
    fn page(&self, name: &str, kind: &str, all: &[(Moment, u64, String)]) -> Result<(), Error> {
        let (path, mut to) = self.open(name)?;
        let head = format!(
            "{{\"@odata.context\":\"https://graph.example/beta/$metadata#auditLogs/{kind}\",\"value\":[\n"
        );
        to.write_all(head.as_bytes()).map_err(Error::file("write", &path))?;
        for (position, (_, _, text)) in all.iter().rev().enumerate() {
            if position > 0 {
                to.write_all(b",\n").map_err(Error::file("write", &path))?;
            }
            to.write_all(reworded(text, self.wording).as_bytes())
                .map_err(Error::file("write", &path))?;
        }
        to.write_all(b"\n]}\n").map_err(Error::file("write", &path))?;
        to.flush().map_err(Error::file("write", &path))
    }
}

fn first_record_id(log: &Log) -> u64 {
    let name = match log {
        Log::Windows(host) | Log::Application(host) => host.as_str(),
        _ => "",
    };
    1_000 * name.bytes().map(u64::from).sum::<u64>() + 7_113
}

/// Pairs of words.
pub(crate) type Wording = &'static [(&'static str, &'static str)];

/// Records are made in the agency's words and get the organisation's own on the way out.
pub(crate) fn reworded<'a>(text: &'a str, wording: Wording) -> Cow<'a, str> {
    let mut text = Cow::Borrowed(text);
    for (old, new) in wording {
        if text.contains(old) {
            text = Cow::Owned(text.replace(old, new));
        }
    }
    text
}

/// Where a gap stands in the truth.
pub(crate) fn gap(source: &str, scope: &str, from: Moment, to: Moment, kind: &'static str) -> Gap {
    Gap { source: source.to_owned(), scope: scope.to_owned(), from, to, kind, records_lost: None }
}
