//! From what each artifact gave to the case's tables: records that were exported more than once
//! become one event with its number of copies.
//!
//! Memory stays bounded whatever the evidence: identities are compared a slice of the 128-bit
//! space at a time, and rows stream through.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, BooleanArray, Int64Array, RecordBatch, StringArray,
};
use datafusion::arrow::compute::filter_record_batch;
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::arrow::ProjectionMask;
use datafusion::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use rustc_hash::FxHashMap;

use crate::artifact_writer::parquet_properties;
use crate::error::CaseError;

/// Identities compared at a time: 512 MB.
const SLICE: u64 = 32 << 20;

/// What consolidation did.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Consolidated {
    /// Records read.
    pub records: u64,
    /// Events kept.
    pub events: u64,
}

/// Writes `events/` and `items/` of the case out of the artifacts' folders, which are given in the
/// order of their ids: the first copy of a record is the one that stays.
pub(crate) fn consolidate(
    folders: &[PathBuf],
    case: &Path,
    records: u64,
) -> Result<Consolidated, CaseError> {
    let copies = find_copies(folders, records)?;
    let mut done = Consolidated { records, events: 0 };
    let mut seen: FxHashMap<u128, ()> = FxHashMap::default();
    for name in ["events", "items"] {
        let target = case.join(name);
        let aside = case.join(format!("{name}.part"));
        for folder in [&target, &aside] {
            if folder.exists() {
                fs::remove_dir_all(folder).map_err(CaseError::file("clear", folder))?;
            }
        }
        fs::create_dir_all(&aside).map_err(CaseError::file("create", &aside))?;
        seen.clear();
        for folder in folders {
            let id = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let from = folder.join(format!("{name}.parquet"));
            let to = aside.join(format!("{id}.parquet"));
            let kept = keep_first(&from, &to, &copies, &mut seen, name == "events")?;
            if name == "events" {
                done.events += kept;
            }
        }
        fs::rename(&aside, &target).map_err(CaseError::file("commit", &target))?;
    }
    Ok(done)
}

type Copies = FxHashMap<u128, i64>;

/// Identities that occur more than once, with how often.
fn find_copies(folders: &[PathBuf], records: u64) -> Result<Copies, CaseError> {
    let slices = records.div_ceil(SLICE).max(1);
    let mut copies = Copies::default();
    for slice in 0..slices {
        let mut found: Vec<u128> = Vec::new();
        for folder in folders {
            let path = folder.join("events.parquet");
            for identities in identity_batches(&path)? {
                let identities = identities?;
                found.extend(identities.iter().flatten().filter_map(parse).filter(|identity| {
                    u64::try_from(identity % u128::from(slices)).is_ok_and(|at| at == slice)
                }));
            }
        }
        found.sort_unstable();
        for run in found.chunk_by(|a, b| a == b).filter(|run| run.len() > 1) {
            if let Some(first) = run.first() {
                copies.insert(*first, i64::try_from(run.len()).unwrap_or(i64::MAX));
            }
        }
    }
    Ok(copies)
}

fn parse(identity: &str) -> Option<u128> {
    u128::from_str_radix(identity, 16).ok()
}

type Batches = Box<dyn Iterator<Item = Result<StringArray, CaseError>>>;

fn identity_batches(path: &Path) -> Result<Batches, CaseError> {
    let file = File::open(path).map_err(CaseError::file("open", path))?;
    let builder =
        ParquetRecordBatchReaderBuilder::try_new(file).map_err(CaseError::engine(path))?;
    let mask = ProjectionMask::roots(builder.parquet_schema(), [0]);
    let reader = builder.with_projection(mask).build().map_err(CaseError::engine(path))?;
    let path = path.to_owned();
    Ok(Box::new(reader.map(move |batch| {
        let batch = batch.map_err(CaseError::engine(&path))?;
        text_column(&batch, 0, &path)
    })))
}

fn text_column(batch: &RecordBatch, index: usize, path: &Path) -> Result<StringArray, CaseError> {
    batch
        .columns()
        .get(index)
        .and_then(|column| column.as_any().downcast_ref::<StringArray>())
        .cloned()
        .ok_or_else(|| CaseError::Damaged {
            path: path.to_owned(),
            reason: "a column has another type than it was written with".into(),
        })
}

fn integer_column(batch: &RecordBatch, index: usize, path: &Path) -> Result<Int64Array, CaseError> {
    let column = batch.columns().get(index);
    column.and_then(|column| column.as_any().downcast_ref::<Int64Array>()).cloned().ok_or_else(
        || CaseError::Damaged {
            path: path.to_owned(),
            reason: "a column has another type than it was written with".into(),
        },
    )
}

/// Copies a table without the rows whose record was seen before. An aggregate's items stay with
/// the first copy of their record.
fn keep_first(
    from: &Path,
    to: &Path,
    copies: &Copies,
    seen: &mut FxHashMap<u128, ()>,
    is_events: bool,
) -> Result<u64, CaseError> {
    if copies.is_empty() {
        // Nothing to drop: the same bytes under another name.
        let file = File::open(from).map_err(CaseError::file("open", from))?;
        let builder =
            ParquetRecordBatchReaderBuilder::try_new(file).map_err(CaseError::engine(from))?;
        let rows = builder.metadata().file_metadata().num_rows();
        fs::hard_link(from, to)
            .or_else(|_| fs::copy(from, to).map(|_| ()))
            .map_err(CaseError::file("copy", to))?;
        return Ok(u64::try_from(rows).unwrap_or_default());
    }
    let file = File::open(from).map_err(CaseError::file("open", from))?;
    let builder =
        ParquetRecordBatchReaderBuilder::try_new(file).map_err(CaseError::engine(from))?;
    let schema = Arc::clone(builder.schema());
    let reader = builder.with_batch_size(4096).build().map_err(CaseError::engine(from))?;
    let file = File::create(to).map_err(CaseError::file("create", to))?;
    let mut writer = ArrowWriter::try_new(file, schema, Some(parquet_properties()))
        .map_err(CaseError::engine(to))?;
    let mut kept = 0;
    // Items of one record stand together; those of the record that is kept are kept.
    let mut kept_record: Option<(u128, i64)> = None;
    for batch in reader {
        let batch = batch.map_err(CaseError::engine(from))?;
        let identities = text_column(&batch, 0, from)?;
        let records = if is_events { None } else { Some(integer_column(&batch, 1, from)?) };
        let mut mask = Vec::with_capacity(batch.num_rows());
        let mut counts = Vec::with_capacity(batch.num_rows());
        for (row, identity) in identities.iter().enumerate() {
            let identity = identity.and_then(parse).unwrap_or_default();
            let key = records.as_ref().map(|records| (identity, records.value(row)));
            let is_kept = match copies.get(&identity) {
                None => true,
                Some(_) if key.is_some() && key == kept_record => true,
                Some(_) => seen.insert(identity, ()).is_none(),
            };
            if is_kept {
                kept_record = key;
            }
            mask.push(is_kept);
            counts.push(copies.get(&identity).copied().unwrap_or(1));
        }
        let batch = if is_events { with_counts(&batch, counts, to)? } else { batch };
        let filtered = filter_record_batch(&batch, &BooleanArray::from(mask))
            .map_err(CaseError::engine(to))?;
        kept += filtered.num_rows() as u64;
        writer.write(&filtered).map_err(CaseError::engine(to))?;
        if writer.in_progress_size() > 24 << 20 {
            writer.flush().map_err(CaseError::engine(to))?;
        }
    }
    writer.close().map_err(CaseError::engine(to))?;
    Ok(kept)
}

fn with_counts(
    batch: &RecordBatch,
    counts: Vec<i64>,
    path: &Path,
) -> Result<RecordBatch, CaseError> {
    let mut columns: Vec<ArrayRef> = batch.columns().to_vec();
    if let Some(copies) = columns.get_mut(1) {
        *copies = Arc::new(Int64Array::from(counts));
    }
    RecordBatch::try_new(batch.schema(), columns).map_err(CaseError::engine(path))
}
