//! Findings of one thing become one finding.
//!
//! A rule that meets two hundred records of one program on one host in an hour is one reason for
//! suspicion with two hundred records behind it. Copies of one record in several exports are one
//! record. Both keep the number of findings near the number of things.

use std::collections::BTreeMap;

use makyo_base::{DAY_NS, Entity, Finding, RecordRef, short_id};

/// So many records are listed with a finding; the sentence tells when there are more.
pub const FINDING_RECORDS_MAX: usize = 100;

type Key = (String, i64, Vec<Entity>);

/// Collects findings, in any order, into merged ones, sorted by time and id.
#[must_use]
pub fn merge_findings(findings: impl Iterator<Item = Finding>) -> Vec<Finding> {
    let mut merged: BTreeMap<Key, (Finding, BTreeMap<String, Vec<RecordRef>>)> = BTreeMap::new();
    for mut finding in findings {
        let day = finding.time.map_or(i64::MIN, |time| time.div_euclid(DAY_NS));
        let key = (finding.rule.id.clone(), day, finding.entities.clone());
        let records = std::mem::take(&mut finding.records);
        let id = finding.id.clone();
        let entry = merged.entry(key).or_insert_with(|| (finding.clone(), BTreeMap::new()));
        if finding.time < entry.0.time {
            entry.0.time = finding.time;
        }
        entry.1.entry(id).or_default().extend(records);
    }
    let mut out: Vec<Finding> =
        merged.into_values().map(|(finding, by_record)| finish(finding, by_record)).collect();
    out.sort_by(|a, b| (a.time, &a.id).cmp(&(b.time, &b.id)));
    out
}

fn finish(mut finding: Finding, by_record: BTreeMap<String, Vec<RecordRef>>) -> Finding {
    let distinct = by_record.len();
    let ids: Vec<&str> = by_record.keys().map(String::as_str).collect();
    if distinct > 1 {
        finding.id = short_id("finding", &ids);
        finding.text = format!("{} ({distinct} records)", finding.text);
    }
    let mut records: Vec<RecordRef> = by_record.into_values().flatten().collect();
    records.sort();
    records.dedup();
    records.truncate(FINDING_RECORDS_MAX);
    finding.records = records;
    finding
}
