//! The timeline as JSON Lines for Timesketch.

use std::collections::BTreeMap;

use makyo_base::{Object, Value, format_time, parse_time};

use crate::html::ReportInputs;
use crate::nine::text;
use crate::share::{json_line, list, object, owned, prose, texts};

/// Renders one line for each row of the timeline that has a time; Timesketch takes no others.
#[must_use]
pub fn timesketch(inputs: &ReportInputs<'_>) -> String {
    let findings: BTreeMap<&str, &Object<'static>> =
        (inputs.tables)("findings").iter().map(|row| (text(row, "id"), row)).collect();
    (inputs.tables)("timeline")
        .iter()
        .filter_map(|row| {
            let time = parse_time(text(row, "time"))?;
            Some(json_line(line(row, time, findings.get(text(row, "finding")).copied())))
        })
        .collect()
}

fn line(row: &Object<'static>, time: i64, finding: Option<&Object<'static>>) -> Object<'static> {
    let is_finding = text(row, "kind") == "finding";
    let of = |name| finding.into_iter().flat_map(move |finding| texts(finding, name)).map(prose);
    let rule = finding.and_then(|finding| finding.get("rule")).and_then(Value::as_object);
    let of_rule = |name| owned(&prose(rule.map_or("", |rule| text(rule, name))));
    let first = match row.get("records") {
        Some(Value::List(records)) => records.first().and_then(Value::as_object),
        _ => None,
    };
    let record = first.and_then(|record| record.get("record")).cloned().unwrap_or_default();
    let mut tags = vec!["makyo".to_owned()];
    tags.extend(of("techniques"));
    object(vec![
        ("message", owned(&prose(text(row, "text")))),
        ("datetime", owned(&format_time(time))),
        ("timestamp_desc", Value::text(if is_finding { "Finding" } else { "Event" })),
        ("data_type", Value::text(if is_finding { "makyo:finding" } else { "makyo:event" })),
        ("tag", list(tags)),
        ("technique", list(of("techniques"))),
        ("tactic", list(of("tactics"))),
        ("rule", of_rule("title")),
        ("level", of_rule("level")),
        ("incident", owned(&prose(text(row, "incident")))),
        ("finding", owned(&prose(text(row, "finding")))),
        ("source_file", owned(&prose(first.map_or("", |record| text(record, "file"))))),
        ("source_record", record),
    ])
}
