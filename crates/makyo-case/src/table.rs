//! Answers as JSON for scripts and as Parquet for SQL, from the same rows.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use datafusion::arrow::array::{
    ArrayRef, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray,
};
use datafusion::arrow::datatypes::{DataType, Field, Schema};
use datafusion::parquet::arrow::ArrowWriter;
use makyo_base::{Object, Value, to_json};

use crate::artifact_writer::parquet_properties;
use crate::custody::write_whole;
use crate::error::CaseError;

/// Writes `folder/NAME.json` (an array, one row a line) and `folder/NAME.parquet`. Columns are
/// `columns` in this order; lists and objects are JSON text in the Parquet file.
pub(crate) fn write_table(
    folder: &Path,
    name: &str,
    columns: &[&str],
    rows: &[Object<'_>],
) -> Result<(), CaseError> {
    let lines: Vec<String> = rows.iter().map(|row| to_json(&Value::Object(row.clone()))).collect();
    let text =
        if lines.is_empty() { "[]\n".to_owned() } else { format!("[\n{}\n]\n", lines.join(",\n")) };
    write_whole(&folder.join(format!("{name}.json")), text.as_bytes())?;
    let path = folder.join(format!("{name}.parquet"));
    let batch = batch(columns, rows).map_err(CaseError::engine(&path))?;
    let aside = path.with_extension("part");
    let file = File::create(&aside).map_err(CaseError::file("create", &aside))?;
    let mut writer = ArrowWriter::try_new(file, batch.schema(), Some(parquet_properties()))
        .map_err(CaseError::engine(&path))?;
    writer.write(&batch).map_err(CaseError::engine(&path))?;
    writer.close().map_err(CaseError::engine(&path))?;
    std::fs::rename(&aside, &path).map_err(CaseError::file("commit", &path))
}

fn batch(
    columns: &[&str],
    rows: &[Object<'_>],
) -> Result<RecordBatch, datafusion::arrow::error::ArrowError> {
    let mut fields = Vec::new();
    let mut arrays: Vec<ArrayRef> = Vec::new();
    for column in columns {
        let values: Vec<Option<&Value<'_>>> =
            rows.iter().map(|row| row.get(column).filter(|value| **value != Value::Null)).collect();
        let all = |fits: fn(&Value<'_>) -> bool| {
            values.iter().flatten().all(|value| fits(value)) && values.iter().any(Option::is_some)
        };
        let (kind, array): (DataType, ArrayRef) = if all(|value| matches!(value, Value::Bool(_))) {
            let list = values.iter().map(|value| {
                matches!(value, Some(Value::Bool(true))).then_some(true).or(value.map(|_| false))
            });
            (DataType::Boolean, Arc::new(list.collect::<BooleanArray>()))
        } else if all(|value| matches!(value, Value::Int(_))) {
            let list = values.iter().map(|value| match value {
                Some(Value::Int(number)) => i64::try_from(*number).ok(),
                _ => None,
            });
            (DataType::Int64, Arc::new(list.collect::<Int64Array>()))
        } else if all(|value| matches!(value, Value::Int(_) | Value::Float(_))) {
            let list = values.iter().map(|value| match value {
                // Counts and decibans are far below 2^53.
                #[allow(clippy::cast_precision_loss, reason = "small numbers")]
                Some(Value::Int(number)) => Some(*number as f64),
                Some(Value::Float(number)) => Some(*number),
                _ => None,
            });
            (DataType::Float64, Arc::new(list.collect::<Float64Array>()))
        } else {
            let list = values.iter().map(|value| {
                value.map(|value| value.as_str().map_or_else(|| to_json(value), str::to_owned))
            });
            (DataType::Utf8, Arc::new(list.collect::<StringArray>()))
        };
        fields.push(Field::new(*column, kind, true));
        arrays.push(array);
    }
    RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)
}
