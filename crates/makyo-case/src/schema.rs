//! The Arrow schema of events and items, from the one declaration in `makyo-base`.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use makyo_base::{COLUMNS, ColumnType};

/// Bookkeeping columns in front of the promoted ones.
pub(crate) const LEADING: usize = 6;

/// The schema of the table `events`: bookkeeping, then all promoted columns, then what was not
/// mapped. `file` and `record` lead back to the evidence, `copies` counts exports of one record.
pub(crate) fn events() -> SchemaRef {
    let mut fields = vec![
        Field::new("identity", DataType::Utf8, false),
        Field::new("copies", DataType::Int64, false),
        Field::new("file", DataType::Utf8, false),
        Field::new("record", DataType::Int64, false),
        Field::new("inferred", DataType::Boolean, false),
        Field::new("time_zone_assumed", DataType::Boolean, false),
    ];
    debug_assert_eq!(fields.len(), LEADING);
    for column in COLUMNS {
        let kind = match column.kind {
            ColumnType::Text => DataType::Utf8,
            ColumnType::Integer => DataType::Int64,
            ColumnType::Boolean => DataType::Boolean,
            ColumnType::Time => DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into())),
        };
        fields.push(Field::new(column.name, kind, true));
    }
    fields.push(Field::new("unmapped", DataType::Utf8, true));
    Arc::new(Schema::new(fields))
}

/// The schema of the table `items`: child items of aggregate records.
pub(crate) fn items() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("identity", DataType::Utf8, false),
        Field::new("record", DataType::Int64, false),
        Field::new("kind", DataType::Utf8, false),
        Field::new("uid", DataType::Utf8, true),
        Field::new("name", DataType::Utf8, true),
        Field::new("parent", DataType::Utf8, true),
        Field::new("size", DataType::Int64, true),
    ]))
}
