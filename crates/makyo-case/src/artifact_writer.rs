//! What one artifact gave, written aside and committed as a whole.

use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use datafusion::arrow::array::{
    ArrayRef, BooleanBuilder, Int64Builder, RecordBatch, StringBuilder, TimestampNanosecondBuilder,
};
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::basic::{Compression, ZstdLevel};
use datafusion::parquet::file::properties::WriterProperties;
use makyo_base::{
    COLUMNS, Cell, ColumnType, Decoded, Defect, Object, Position, Value, hex, to_json,
};

use crate::error::CaseError;
use crate::schema;

const BATCH_ROWS: usize = 4096;
/// A row group is closed at this size, so that a writer's memory does not grow with the evidence.
const ROW_GROUP_BYTES: usize = 24 << 20;

/// How much an artifact gave.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ArtifactCounts {
    /// Records read.
    pub records: u64,
    /// Of these, records of products that no source describes.
    pub inferred: u64,
    /// Places that could not be read.
    pub defects: u64,
}

/// Writes the events, items, findings and defects of one artifact into a folder of its own.
#[derive(Debug)]
pub struct ArtifactWriter {
    folder: PathBuf,
    target: PathBuf,
    events: Table<Event>,
    items: Table<Item>,
    findings: BufWriter<File>,
    hits: BufWriter<File>,
    defects: BufWriter<File>,
    counts: ArtifactCounts,
}

impl ArtifactWriter {
    pub(crate) fn new(target: &Path) -> Result<Self, CaseError> {
        let folder = target.with_extension("part");
        if folder.exists() {
            fs::remove_dir_all(&folder).map_err(CaseError::file("clear", &folder))?;
        }
        fs::create_dir_all(&folder).map_err(CaseError::file("create", &folder))?;
        let lines = |name: &str| {
            let path = folder.join(name);
            File::create(&path).map(BufWriter::new).map_err(CaseError::file("create", &path))
        };
        Ok(ArtifactWriter {
            events: Table::new(&folder.join("events.parquet"), schema::events(), Event::default())?,
            items: Table::new(&folder.join("items.parquet"), schema::items(), Item::default())?,
            findings: lines("findings.jsonl")?,
            hits: lines("hits.jsonl")?,
            defects: lines("defects.jsonl")?,
            counts: ArtifactCounts::default(),
            target: target.to_owned(),
            folder,
        })
    }

    /// Appends one record's event.
    ///
    /// # Errors
    /// If the disk refuses it.
    pub fn event(&mut self, record: &Decoded<'_>) -> Result<(), CaseError> {
        self.counts.records += 1;
        self.counts.inferred += u64::from(record.event.inferred);
        let identity = hex(&record.event.identity);
        self.events.columns.append(&identity, record);
        self.events.appended()?;
        for item in &record.event.items {
            self.items.columns.append(&identity, number(record.position), item);
            self.items.appended()?;
        }
        Ok(())
    }

    /// Appends a finding, already as JSON.
    ///
    /// # Errors
    /// If the disk refuses it.
    pub fn finding(&mut self, finding: &Object<'_>) -> Result<(), CaseError> {
        let path = self.folder.join("findings.jsonl");
        let line = to_json(&Value::Object(finding.clone()));
        writeln!(self.findings, "{line}").map_err(CaseError::file("write", &path))
    }

    /// Appends what correlations need of this artifact, already as JSON.
    ///
    /// # Errors
    /// If the disk refuses it.
    pub fn hit(&mut self, hit: &Object<'_>) -> Result<(), CaseError> {
        let path = self.folder.join("hits.jsonl");
        let line = to_json(&Value::Object(hit.clone()));
        writeln!(self.hits, "{line}").map_err(CaseError::file("write", &path))
    }

    /// Appends a defect.
    ///
    /// # Errors
    /// If the disk refuses it.
    pub fn defect(&mut self, defect: &Defect) -> Result<(), CaseError> {
        self.counts.defects += 1;
        let path = self.folder.join("defects.jsonl");
        let line = to_json(&Value::Object(defect_object(defect)));
        writeln!(self.defects, "{line}").map_err(CaseError::file("write", &path))
    }

    /// Makes all of it visible at once.
    ///
    /// # Errors
    /// If the disk refuses it.
    pub fn commit(mut self) -> Result<ArtifactCounts, CaseError> {
        self.events.close()?;
        self.items.close()?;
        for (name, mut file) in [
            ("findings.jsonl", self.findings),
            ("hits.jsonl", self.hits),
            ("defects.jsonl", self.defects),
        ] {
            let path = self.folder.join(name);
            file.flush().map_err(CaseError::file("write", &path))?;
        }
        let counts =
            format!("{} {} {}\n", self.counts.records, self.counts.inferred, self.counts.defects);
        let path = self.folder.join("counts");
        fs::write(&path, counts).map_err(CaseError::file("write", &path))?;
        fs::rename(&self.folder, &self.target).map_err(CaseError::file("commit", &self.target))?;
        Ok(self.counts)
    }
}

/// A defect as JSON.
pub(crate) fn defect_object(defect: &Defect) -> Object<'static> {
    let mut object = Object::default();
    object.push("file", Value::text(defect.file.clone()));
    let record = match defect.position {
        Position::Record(record) => Value::Int(record.into()),
        _ => Value::Null,
    };
    object.push("record", record);
    object.push("kind", Value::text(defect.kind.word()));
    object.push("detail", Value::text(defect.detail.clone()));
    object
}

/// Reads back what [`ArtifactWriter::commit`] counted.
pub(crate) fn read_counts(folder: &Path) -> Option<ArtifactCounts> {
    let text = fs::read_to_string(folder.join("counts")).ok()?;
    let mut numbers = text.split_whitespace().map(|word| word.parse::<u64>().ok());
    Some(ArtifactCounts {
        records: numbers.next()??,
        inferred: numbers.next()??,
        defects: numbers.next()??,
    })
}

/// Zstandard level 1: on log records within a few per cent of level 3 at half the time.
pub(crate) fn parquet_properties() -> WriterProperties {
    WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_created_by("makyo".to_owned())
        .build()
}

trait Columns {
    fn finish(&mut self) -> Vec<ArrayRef>;
    fn rows(&self) -> usize;
}

#[derive(Debug)]
struct Table<C> {
    path: PathBuf,
    schema: SchemaRef,
    writer: ArrowWriter<File>,
    columns: C,
}

impl<C: Columns> Table<C> {
    fn new(path: &Path, schema: SchemaRef, columns: C) -> Result<Self, CaseError> {
        let file = File::create(path).map_err(CaseError::file("create", path))?;
        let writer = ArrowWriter::try_new(file, Arc::clone(&schema), Some(parquet_properties()))
            .map_err(CaseError::engine(path))?;
        Ok(Table { path: path.to_owned(), schema, writer, columns })
    }

    fn appended(&mut self) -> Result<(), CaseError> {
        if self.columns.rows() >= BATCH_ROWS { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<(), CaseError> {
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), self.columns.finish())
            .map_err(CaseError::engine(&self.path))?;
        self.writer.write(&batch).map_err(CaseError::engine(&self.path))?;
        if self.writer.in_progress_size() > ROW_GROUP_BYTES {
            self.writer.flush().map_err(CaseError::engine(&self.path))?;
        }
        Ok(())
    }

    fn close(&mut self) -> Result<(), CaseError> {
        if self.columns.rows() > 0 {
            self.flush()?;
        }
        self.writer.finish().map(|_| ()).map_err(CaseError::engine(&self.path))
    }
}

#[derive(Debug)]
enum Builder {
    Text(StringBuilder),
    Integer(Int64Builder),
    Boolean(BooleanBuilder),
    Time(TimestampNanosecondBuilder),
}

#[derive(Debug)]
struct Event {
    identity: StringBuilder,
    copies: Int64Builder,
    file: StringBuilder,
    record: Int64Builder,
    inferred: BooleanBuilder,
    zone_assumed: BooleanBuilder,
    promoted: Vec<Builder>,
    unmapped: StringBuilder,
    rows: usize,
}

impl Default for Event {
    fn default() -> Self {
        let builder = |kind| match kind {
            ColumnType::Text => Builder::Text(StringBuilder::new()),
            ColumnType::Integer => Builder::Integer(Int64Builder::new()),
            ColumnType::Boolean => Builder::Boolean(BooleanBuilder::new()),
            ColumnType::Time => {
                Builder::Time(TimestampNanosecondBuilder::new().with_timezone("UTC"))
            }
        };
        Event {
            identity: StringBuilder::new(),
            copies: Int64Builder::new(),
            file: StringBuilder::new(),
            record: Int64Builder::new(),
            inferred: BooleanBuilder::new(),
            zone_assumed: BooleanBuilder::new(),
            promoted: COLUMNS.iter().map(|column| builder(column.kind)).collect(),
            unmapped: StringBuilder::new(),
            rows: 0,
        }
    }
}

impl Event {
    fn append(&mut self, identity: &str, record: &Decoded<'_>) {
        let event = &record.event;
        self.rows += 1;
        self.identity.append_value(identity);
        self.copies.append_value(1);
        self.file.append_value(&record.artifact.path);
        self.record.append_value(number(record.position));
        self.inferred.append_value(event.inferred);
        self.zone_assumed.append_value(event.time_zone_assumed);
        // Cells are sorted by column, so one pass meets them all.
        let mut cells = event.cells.iter().peekable();
        for (index, builder) in self.promoted.iter_mut().enumerate() {
            let cell = cells.next_if(|cell| cell.0 as usize == index).map(|cell| &cell.1);
            match (builder, cell) {
                (Builder::Text(builder), Some(Cell::Text(text))) => builder.append_value(text),
                (Builder::Integer(builder), Some(Cell::Integer(number))) => {
                    builder.append_value(*number)
                }
                (Builder::Boolean(builder), Some(Cell::Boolean(flag))) => {
                    builder.append_value(*flag)
                }
                (Builder::Time(builder), Some(Cell::Time(time))) => builder.append_value(*time),
                (Builder::Text(builder), _) => builder.append_null(),
                (Builder::Integer(builder), _) => builder.append_null(),
                (Builder::Boolean(builder), _) => builder.append_null(),
                (Builder::Time(builder), _) => builder.append_null(),
            }
        }
        if event.unmapped.is_empty() {
            self.unmapped.append_null();
        } else {
            self.unmapped.append_value(to_json(&Value::Object(Object(event.unmapped.clone()))));
        }
    }
}

impl Columns for Event {
    fn rows(&self) -> usize {
        self.rows
    }

    fn finish(&mut self) -> Vec<ArrayRef> {
        self.rows = 0;
        let mut arrays: Vec<ArrayRef> = vec![
            Arc::new(self.identity.finish()),
            Arc::new(self.copies.finish()),
            Arc::new(self.file.finish()),
            Arc::new(self.record.finish()),
            Arc::new(self.inferred.finish()),
            Arc::new(self.zone_assumed.finish()),
        ];
        for builder in &mut self.promoted {
            arrays.push(match builder {
                Builder::Text(builder) => Arc::new(builder.finish()),
                Builder::Integer(builder) => Arc::new(builder.finish()),
                Builder::Boolean(builder) => Arc::new(builder.finish()),
                Builder::Time(builder) => Arc::new(builder.finish()),
            });
        }
        arrays.push(Arc::new(self.unmapped.finish()));
        arrays
    }
}

/// A position as the column `record` holds it.
fn number(position: Position) -> i64 {
    match position {
        Position::Record(number) | Position::Byte(number) => {
            i64::try_from(number).unwrap_or(i64::MAX)
        }
        Position::Whole => 0,
    }
}

#[derive(Debug, Default)]
struct Item {
    identity: StringBuilder,
    record: Int64Builder,
    texts: [StringBuilder; 4],
    size: Int64Builder,
    rows: usize,
}

impl Item {
    fn append(&mut self, identity: &str, record: i64, item: &makyo_base::Item<'_>) {
        self.rows += 1;
        self.identity.append_value(identity);
        self.record.append_value(record);
        let values = [&item.kind, &item.uid, &item.name, &item.parent];
        for (builder, value) in self.texts.iter_mut().zip(values) {
            if value.is_empty() { builder.append_null() } else { builder.append_value(value) }
        }
        self.size.append_option(item.size);
    }
}

impl Columns for Item {
    fn rows(&self) -> usize {
        self.rows
    }

    fn finish(&mut self) -> Vec<ArrayRef> {
        self.rows = 0;
        let mut arrays: Vec<ArrayRef> =
            vec![Arc::new(self.identity.finish()), Arc::new(self.record.finish())];
        for builder in &mut self.texts {
            arrays.push(Arc::new(builder.finish()));
        }
        arrays.push(Arc::new(self.size.finish()));
        arrays
    }
}
