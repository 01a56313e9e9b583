//! The first stage: all inputs into packed flows, one after another.

use std::collections::BTreeMap;
use std::io;

use makyo_base::{DefectKind, RecordRef};

use crate::address::Addresses;
use crate::dns::Questions;
use crate::flow::{Flow, Packed, ticks};
use crate::options::{Input, Options};
use crate::read::{Asked, FlowSink, read};
use crate::results::Unread;
use crate::spill::{Partitions, mix};

/// Which numbers belong to which file.
#[derive(Debug, Default)]
pub(crate) struct Files {
    /// The number before the first record of each file, ascending.
    bases: Vec<(u32, String)>,
}

impl Files {
    pub(crate) fn record(&self, place: u32) -> RecordRef {
        let after = self.bases.partition_point(|base| base.0 < place);
        match after.checked_sub(1).and_then(|at| self.bases.get(at)) {
            Some((base, file)) => RecordRef { file: file.clone(), record: u64::from(place - base) },
            None => RecordRef { file: String::new(), record: 0 },
        }
    }

    pub(crate) fn records(&self, places: &[u32]) -> Vec<RecordRef> {
        let mut records: Vec<RecordRef> = places.iter().map(|one| self.record(*one)).collect();
        records.sort();
        records.dedup();
        records
    }
}

/// All inputs, read.
#[derive(Debug)]
pub(crate) struct Reading {
    pub(crate) flows: Partitions<Packed>,
    pub(crate) addresses: Addresses,
    pub(crate) files: Files,
    pub(crate) questions: Questions,
    pub(crate) unread: Vec<Unread>,
    pub(crate) refused: Vec<String>,
    /// First and last time, ticks.
    pub(crate) first: u64,
    pub(crate) last: u64,
    base: u32,
    highest: u32,
    problems: BTreeMap<(DefectKind, String), (u64, u64)>,
}

impl Reading {
    pub(crate) fn of(mut inputs: Vec<Input<'_>>, options: &Options) -> io::Result<Self> {
        // By name, so that numbers and ids do not depend on the order in which files were named.
        inputs.sort_by(|a, b| a.name().cmp(b.name()));
        let mut reading = Reading {
            flows: Partitions::new(&options.folder, options.memory_bytes),
            addresses: Addresses::default(),
            files: Files::default(),
            questions: Questions::default(),
            unread: Vec::new(),
            refused: Vec::new(),
            first: u64::MAX,
            last: 0,
            base: 0,
            highest: 0,
            problems: BTreeMap::new(),
        };
        for input in &inputs {
            reading.input(input)?;
        }
        if reading.first > reading.last {
            reading.first = 0;
        }
        Ok(reading)
    }

    fn input(&mut self, input: &Input<'_>) -> io::Result<()> {
        let name = input.name().to_owned();
        self.files.bases.push((self.base, name.clone()));
        let mut failed = None;
        match input {
            Input::Text { format, open, .. } => {
                let mut sink = Sink { reading: self, failed: None };
                match open().and_then(|mut from| read(*format, &mut *from, &mut sink)) {
                    Ok(true) => {}
                    Ok(false) => self.refused.push(name.clone()),
                    Err(error) if sink.failed.is_some() => return Err(error),
                    Err(error) => failed = Some(error),
                }
            }
            Input::Records { pages, .. } => {
                let mut sink = Sink { reading: self, failed: None };
                let done = pages(&mut |record, flow| {
                    if sink.failed.is_none()
                        && let Err(error) = sink.flow(record, &flow)
                    {
                        sink.failed = Some(error);
                    }
                });
                if let Some(error) = sink.failed {
                    return Err(error);
                }
                failed = done.err();
            }
        }
        if let Some(error) = failed {
            let detail = format!("reading flows stopped: {error}");
            self.problems.insert((DefectKind::Unreadable, detail), (u64::from(self.highest), 1));
        }
        for ((kind, detail), (record, count)) in std::mem::take(&mut self.problems) {
            self.unread.push(Unread { file: name.clone(), record, kind, detail, count });
        }
        self.base = self.base.saturating_add(self.highest);
        self.highest = 0;
        Ok(())
    }

    fn place(&mut self, record: u64) -> u32 {
        let record = u32::try_from(record).unwrap_or(u32::MAX);
        self.highest = self.highest.max(record);
        self.base.saturating_add(record)
    }
}

struct Sink<'a> {
    reading: &'a mut Reading,
    failed: Option<io::Error>,
}

impl FlowSink for Sink<'_> {
    fn flow(&mut self, record: u64, flow: &Flow) -> io::Result<()> {
        let reading = &mut *self.reading;
        let place = reading.place(record);
        let (source, target) =
            (reading.addresses.id(flow.source), reading.addresses.id(flow.target));
        let Some(packed) = Packed::new(source, target, flow, place) else {
            self.defect(record, DefectKind::Malformed, "time before 1970 or after 2059; not used");
            return Ok(());
        };
        if let Some(at) = ticks(flow.time) {
            reading.first = reading.first.min(at);
            reading.last = reading.last.max(at);
        }
        let pushed = reading.flows.push(mix(packed.channel), packed);
        if let Err(error) = &pushed {
            self.failed = Some(io::Error::new(error.kind(), error.to_string()));
        }
        pushed
    }

    fn asked(&mut self, record: u64, asked: &Asked<'_>) {
        let place = self.reading.place(record);
        self.reading.questions.ask(asked, place);
    }

    fn defect(&mut self, record: u64, kind: DefectKind, detail: &str) {
        self.reading.place(record);
        let entry = self.reading.problems.entry((kind, detail.to_owned())).or_insert((record, 0));
        entry.1 += 1;
    }
}
