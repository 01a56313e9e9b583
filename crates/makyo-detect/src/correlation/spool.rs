//! Hits gathered while records are read: in memory up to a limit, beyond it in sorted runs on disk.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::vec;

use makyo_base::{Entity, EntityKind, RecordRef, Role};

use super::{CorrelationError, CorrelationHit, CorrelationTally};

/// So many hits are held in memory by one state. A hit takes some hundreds of bytes, so that this
/// stays within some tens of mebibytes for each thread that gathers.
pub const HITS_IN_MEMORY_MAX: usize = 100_000;

/// So many runs are read side by side; each one is an open file. More are made one first.
const RUNS_MAX: usize = 64;

/// The hits of a run, or of one thread's part of it.
#[derive(Debug)]
pub struct CorrelationState {
    spool: PathBuf,
    hits_max: usize,
    hits: Vec<CorrelationHit>,
    runs: Vec<Run>,
    pub(super) tally: CorrelationTally,
}

impl CorrelationState {
    /// An empty state that spools into a folder, which is there and may be shared by many.
    #[must_use]
    pub fn new(spool: &Path) -> Self {
        Self::with_limit(spool, HITS_IN_MEMORY_MAX)
    }

    /// The same with a limit of its own for the hits in memory.
    #[must_use]
    pub fn with_limit(spool: &Path, hits_max: usize) -> Self {
        CorrelationState {
            spool: spool.to_owned(),
            hits_max,
            hits: Vec::new(),
            runs: Vec::new(),
            tally: CorrelationTally::default(),
        }
    }

    /// Takes in a hit. Without a value in any field to group by it belongs to no group, and is
    /// counted only.
    ///
    /// # Errors
    /// If hits cannot be spooled.
    pub fn push(&mut self, hit: CorrelationHit) -> Result<(), CorrelationError> {
        if !hit.group.is_empty() && hit.group.iter().all(String::is_empty) {
            self.tally.ungrouped += 1;
            return Ok(());
        }
        self.hits.push(hit);
        self.spill_beyond()
    }

    /// Counts the match of a rule in a record without a time.
    pub fn push_untimed(&mut self) {
        self.tally.untimed += 1;
    }

    /// Takes in what another state gathered.
    ///
    /// # Errors
    /// If hits cannot be spooled.
    pub fn merge(&mut self, mut other: CorrelationState) -> Result<(), CorrelationError> {
        self.tally.add(other.tally);
        self.runs.append(&mut other.runs);
        for hit in std::mem::take(&mut other.hits) {
            self.hits.push(hit);
            self.spill_beyond()?;
        }
        self.join_runs()
    }

    /// The hits in their order.
    pub(super) fn sorted(mut self) -> Result<Merge, CorrelationError> {
        self.join_runs()?;
        Merge::new(std::mem::take(&mut self.hits), std::mem::take(&mut self.runs))
    }

    fn spill_beyond(&mut self) -> Result<(), CorrelationError> {
        if self.hits.len() <= self.hits_max {
            return Ok(());
        }
        let hits = Merge::new(std::mem::take(&mut self.hits), Vec::new())?;
        self.runs.push(Run::write(&self.spool, hits)?);
        self.join_runs()
    }

    fn join_runs(&mut self) -> Result<(), CorrelationError> {
        while self.runs.len() > RUNS_MAX {
            let rest = self.runs.split_off(RUNS_MAX);
            let hits = Merge::new(Vec::new(), std::mem::replace(&mut self.runs, rest))?;
            self.runs.push(Run::write(&self.spool, hits)?);
        }
        Ok(())
    }
}

/// A file of sorted hits, removed when it is no longer needed.
#[derive(Debug)]
struct Run(PathBuf);

impl Drop for Run {
    fn drop(&mut self) {
        // What cannot be removed goes with the spool folder.
        let _ = fs::remove_file(&self.0);
    }
}

fn failed(path: &Path) -> impl Fn(io::Error) -> CorrelationError {
    move |source| CorrelationError { path: path.to_owned(), source }
}

impl Run {
    fn write(spool: &Path, mut hits: Merge) -> Result<Run, CorrelationError> {
        let (run, file) = Run::create(spool)?;
        let mut to = BufWriter::new(file);
        while let Some(hit) = hits.next()? {
            write_hit(&mut to, &hit).map_err(failed(&run.0))?;
        }
        to.flush().map_err(failed(&run.0))?;
        Ok(run)
    }

    /// Creates a file of a name that nobody else has: states share the folder.
    fn create(spool: &Path) -> Result<(Run, File), CorrelationError> {
        let mut number = 0_u64;
        loop {
            let path = spool.join(format!("correlation-{number}.run"));
            match File::create_new(&path) {
                Ok(file) => return Ok((Run(path), file)),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => number += 1,
                Err(error) => return Err(failed(&path)(error)),
            }
        }
    }
}

#[derive(Debug)]
struct RunReader {
    run: Run,
    from: BufReader<File>,
}

impl RunReader {
    fn next(&mut self) -> Result<Option<CorrelationHit>, CorrelationError> {
        read_hit(&mut self.from).map_err(failed(&self.run.0))
    }
}

#[derive(Debug)]
enum Source {
    Memory(vec::IntoIter<CorrelationHit>),
    Run(RunReader),
}

/// Hits of several sorted sources in one order.
#[derive(Debug)]
pub(super) struct Merge {
    sources: Vec<Source>,
    /// The next hit of each source, and hits that were added on the way, which have none.
    heap: BinaryHeap<Reverse<(CorrelationHit, Option<usize>)>>,
}

impl Merge {
    fn new(mut hits: Vec<CorrelationHit>, runs: Vec<Run>) -> Result<Merge, CorrelationError> {
        hits.sort_unstable();
        let mut sources = vec![Source::Memory(hits.into_iter())];
        for run in runs {
            let file = File::open(&run.0).map_err(failed(&run.0))?;
            sources.push(Source::Run(RunReader { run, from: BufReader::new(file) }));
        }
        let count = sources.len();
        let mut merge = Merge { sources, heap: BinaryHeap::new() };
        for index in 0..count {
            merge.refill(index)?;
        }
        Ok(merge)
    }

    fn refill(&mut self, index: usize) -> Result<(), CorrelationError> {
        let next = match self.sources.get_mut(index) {
            Some(Source::Memory(hits)) => hits.next(),
            Some(Source::Run(reader)) => reader.next()?,
            None => None,
        };
        self.heap.extend(next.map(|hit| Reverse((hit, Some(index)))));
        Ok(())
    }

    pub(super) fn peek(&self) -> Option<&CorrelationHit> {
        self.heap.peek().map(|Reverse((hit, _))| hit)
    }

    pub(super) fn next(&mut self) -> Result<Option<CorrelationHit>, CorrelationError> {
        let Some(Reverse((hit, source))) = self.heap.pop() else { return Ok(None) };
        if let Some(index) = source {
            self.refill(index)?;
        }
        Ok(Some(hit))
    }

    /// Adds a hit that stands behind the last one given.
    pub(super) fn push(&mut self, hit: CorrelationHit) {
        self.heap.push(Reverse((hit, None)));
    }
}

fn write_hit(to: &mut impl Write, hit: &CorrelationHit) -> io::Result<()> {
    write_count(to, hit.correlation)?;
    write_texts(to, &hit.group)?;
    to.write_all(&hit.time.to_le_bytes())?;
    write_count(to, hit.place)?;
    to.write_all(&hit.identity)?;
    write_count(to, hit.records.len())?;
    for record in &hit.records {
        write_text(to, &record.file)?;
        to.write_all(&record.record.to_le_bytes())?;
    }
    write_texts(to, &hit.values)?;
    write_count(to, hit.entities.len())?;
    for entity in &hit.entities {
        write_text(to, entity.role.word())?;
        write_text(to, entity.kind.word())?;
        write_text(to, &entity.value)?;
    }
    Ok(())
}

fn write_count(to: &mut impl Write, count: usize) -> io::Result<()> {
    to.write_all(&(count as u64).to_le_bytes())
}

fn write_text(to: &mut impl Write, text: &str) -> io::Result<()> {
    write_count(to, text.len())?;
    to.write_all(text.as_bytes())
}

fn write_texts(to: &mut impl Write, texts: &[String]) -> io::Result<()> {
    write_count(to, texts.len())?;
    texts.iter().try_for_each(|text| write_text(to, text))
}

/// Reads what [`write_hit`] wrote; nothing at the end of the file.
fn read_hit(from: &mut BufReader<File>) -> io::Result<Option<CorrelationHit>> {
    if from.fill_buf()?.is_empty() {
        return Ok(None);
    }
    Ok(Some(CorrelationHit {
        correlation: read_count(from)?,
        group: read_texts(from)?,
        time: i64::from_le_bytes(read_bytes(from)?),
        place: read_count(from)?,
        identity: read_bytes(from)?,
        records: read_list(from, |from| {
            Ok(RecordRef { file: read_text(from)?, record: u64::from_le_bytes(read_bytes(from)?) })
        })?,
        values: read_texts(from)?,
        entities: read_list(from, |from| {
            let (role, kind) = (read_text(from)?, read_text(from)?);
            let damaged = || io::Error::from(io::ErrorKind::InvalidData);
            Ok(Entity {
                role: Role::from_word(&role).ok_or_else(damaged)?,
                kind: EntityKind::from_word(&kind).ok_or_else(damaged)?,
                value: read_text(from)?,
            })
        })?,
    }))
}

fn read_bytes<const N: usize>(from: &mut impl Read) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    from.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn read_count(from: &mut impl Read) -> io::Result<usize> {
    let count = u64::from_le_bytes(read_bytes(from)?);
    usize::try_from(count).map_err(|_| io::ErrorKind::InvalidData.into())
}

fn read_text(from: &mut BufReader<File>) -> io::Result<String> {
    let length = read_count(from)?;
    let mut bytes = Vec::new();
    // Grows with what is there, whatever length a damaged file names.
    let found = from.take(length as u64).read_to_end(&mut bytes)?;
    if found < length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    String::from_utf8(bytes).map_err(|_| io::ErrorKind::InvalidData.into())
}

fn read_texts(from: &mut BufReader<File>) -> io::Result<Vec<String>> {
    read_list(from, read_text)
}

fn read_list<T>(
    from: &mut BufReader<File>,
    read: impl Fn(&mut BufReader<File>) -> io::Result<T>,
) -> io::Result<Vec<T>> {
    let count = read_count(from)?;
    let mut list = Vec::new();
    for _ in 0..count {
        list.push(read(from)?);
    }
    Ok(list)
}
