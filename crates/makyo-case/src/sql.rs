//! SQL over the case's tables.

use std::path::Path;
use std::sync::Arc;

use datafusion::arrow::array::{Array, AsArray, RecordBatch};
use datafusion::arrow::datatypes::{
    DataType, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, SchemaRef, TimeUnit,
    TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
    TimestampSecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::datasource::file_format::parquet::ParquetFormat;
use datafusion::datasource::listing::ListingOptions;
use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::prelude::{ParquetReadOptions, SessionConfig, SessionContext};
use makyo_base::{Query, QueryError, Rows, SqlValue};
use tokio::runtime::Runtime;

use crate::error::CaseError;
use crate::schema;

/// What queries may hold in memory before they spill to disk.
const MEMORY_BYTES: usize = 768 << 20;

/// The engine over one case.
pub(crate) struct Engine {
    runtime: Runtime,
    context: SessionContext,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        to.write_str("Engine")
    }
}

/// A result as text, for people and for CSV; the flag says whether a column is numeric.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct TextTable {
    /// Column names and whether they hold numbers.
    pub columns: Vec<(String, bool)>,
    /// Rows; `None` is SQL `NULL`.
    pub rows: Vec<Vec<Option<String>>>,
}

/// Column names, whether each is numeric, and the rows.
type Batches = (Vec<String>, Vec<bool>, Vec<RecordBatch>);

impl Engine {
    /// Opens the tables that the case has: `events`, `items`, and each answer by its name.
    pub(crate) fn open(case: &Path, threads: usize) -> Result<Self, CaseError> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(threads.max(1))
            .build()
            .map_err(CaseError::file("start the engine for", case))?;
        let mut environment =
            RuntimeEnvBuilder::new().with_memory_pool(Arc::new(FairSpillPool::new(MEMORY_BYTES)));
        // A run spills beside its own work; a finished case is only read, so questions to it spill
        // into the system's temporary folder.
        let work = case.join("work");
        if work.is_dir() {
            environment = environment.with_temp_file_path(work);
        }
        let environment = environment.build_arc().map_err(CaseError::engine(case))?;
        let config = SessionConfig::new()
            .with_target_partitions(threads.max(1))
            .with_information_schema(true);
        let context = SessionContext::new_with_config_rt(config, environment);
        let engine = Engine { runtime, context };
        engine.tables(case)?;
        Ok(engine)
    }

    fn tables(&self, case: &Path) -> Result<(), CaseError> {
        for (name, schema) in [("events", schema::events()), ("items", schema::items())] {
            let folder = case.join(name);
            if folder.is_dir() {
                self.listing(name, &folder, schema)?;
            }
        }
        let answers = case.join("answers");
        let Ok(entries) = std::fs::read_dir(&answers) else { return Ok(()) };
        for entry in entries.flatten() {
            let path = entry.path();
            let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            if path.extension().is_some_and(|end| end == "parquet") {
                self.parquet(&name, &path)?;
            }
        }
        Ok(())
    }

    fn listing(&self, name: &str, folder: &Path, schema: SchemaRef) -> Result<(), CaseError> {
        let options =
            ListingOptions::new(Arc::new(ParquetFormat::default())).with_file_extension(".parquet");
        let url = format!("{}/", absolute(folder).display());
        self.runtime
            .block_on(self.context.register_listing_table(name, url, options, Some(schema), None))
            .map_err(CaseError::engine(folder))
    }

    pub(crate) fn parquet(&self, name: &str, path: &Path) -> Result<(), CaseError> {
        let _ = self.context.deregister_table(name);
        let url = absolute(path).display().to_string();
        self.runtime
            .block_on(self.context.register_parquet(name, url, ParquetReadOptions::default()))
            .map_err(CaseError::engine(path))
    }

    fn batches(&self, sql: &str) -> Result<Batches, QueryError> {
        let failed = |error: datafusion::error::DataFusionError| QueryError {
            sql: sql.to_owned(),
            message: error.strip_backtrace(),
        };
        self.runtime.block_on(async {
            let frame = self.context.sql(sql).await.map_err(failed)?;
            let fields = frame.schema().fields().clone();
            let names = fields.iter().map(|field| field.name().clone()).collect();
            let numeric = fields.iter().map(|field| field.data_type().is_numeric()).collect();
            let batches = frame.collect().await.map_err(failed)?;
            Ok((names, numeric, batches))
        })
    }

    /// Runs a statement for people.
    pub(crate) fn text(&self, sql: &str) -> Result<TextTable, QueryError> {
        let (names, numeric, batches) = self.batches(sql)?;
        let failed = |error: datafusion::arrow::error::ArrowError| QueryError {
            sql: sql.to_owned(),
            message: error.to_string(),
        };
        let options = FormatOptions::default();
        let mut table =
            TextTable { columns: names.into_iter().zip(numeric).collect(), rows: Vec::new() };
        for batch in &batches {
            let formatters = batch
                .columns()
                .iter()
                .map(|column| ArrayFormatter::try_new(column, &options))
                .collect::<Result<Vec<_>, _>>()
                .map_err(failed)?;
            for row in 0..batch.num_rows() {
                let cells = batch.columns().iter().zip(&formatters);
                table.rows.push(
                    cells
                        .map(|(column, formatter)| {
                            (!column.is_null(row)).then(|| formatter.value(row).to_string())
                        })
                        .collect(),
                );
            }
        }
        Ok(table)
    }
}

impl Query for Engine {
    fn query(&self, sql: &str) -> Result<Rows, QueryError> {
        let (columns, _, batches) = self.batches(sql)?;
        let mut rows = Rows { columns, rows: Vec::new() };
        for batch in &batches {
            for row in 0..batch.num_rows() {
                rows.rows.push(batch.columns().iter().map(|column| cell(column, row)).collect());
            }
        }
        Ok(rows)
    }
}

fn absolute(path: &Path) -> std::path::PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

fn cell(column: &dyn Array, row: usize) -> SqlValue {
    if column.is_null(row) {
        return SqlValue::Null;
    }
    let unsigned = |number: u64| SqlValue::Integer(i64::try_from(number).unwrap_or(i64::MAX));
    match column.data_type() {
        DataType::Utf8 => SqlValue::Text(column.as_string::<i32>().value(row).to_owned()),
        DataType::LargeUtf8 => SqlValue::Text(column.as_string::<i64>().value(row).to_owned()),
        DataType::Utf8View => SqlValue::Text(column.as_string_view().value(row).to_owned()),
        DataType::Boolean => SqlValue::Boolean(column.as_boolean().value(row)),
        DataType::Int64 => SqlValue::Integer(column.as_primitive::<Int64Type>().value(row)),
        DataType::Int32 => SqlValue::Integer(column.as_primitive::<Int32Type>().value(row).into()),
        DataType::Int16 => SqlValue::Integer(column.as_primitive::<Int16Type>().value(row).into()),
        DataType::Int8 => SqlValue::Integer(column.as_primitive::<Int8Type>().value(row).into()),
        DataType::UInt64 => unsigned(column.as_primitive::<UInt64Type>().value(row)),
        DataType::UInt32 => unsigned(column.as_primitive::<UInt32Type>().value(row).into()),
        DataType::UInt16 => unsigned(column.as_primitive::<UInt16Type>().value(row).into()),
        DataType::UInt8 => unsigned(column.as_primitive::<UInt8Type>().value(row).into()),
        DataType::Float64 => SqlValue::Float(column.as_primitive::<Float64Type>().value(row)),
        DataType::Timestamp(unit, _) => SqlValue::Integer(match unit {
            TimeUnit::Nanosecond => column.as_primitive::<TimestampNanosecondType>().value(row),
            TimeUnit::Microsecond => {
                column.as_primitive::<TimestampMicrosecondType>().value(row).saturating_mul(1_000)
            }
            TimeUnit::Millisecond => column
                .as_primitive::<TimestampMillisecondType>()
                .value(row)
                .saturating_mul(1_000_000),
            TimeUnit::Second => column
                .as_primitive::<TimestampSecondType>()
                .value(row)
                .saturating_mul(1_000_000_000),
        }),
        DataType::List(_) => {
            let inner = column.as_list::<i32>().value(row);
            let texts = (0..inner.len()).filter_map(|at| match cell(&inner, at) {
                SqlValue::Text(text) => Some(text),
                SqlValue::Integer(number) => Some(number.to_string()),
                _ => None,
            });
            SqlValue::TextList(texts.collect())
        }
        _ => ArrayFormatter::try_new(column, &FormatOptions::default())
            .map_or(SqlValue::Null, |formatter| SqlValue::Text(formatter.value(row).to_string())),
    }
}
