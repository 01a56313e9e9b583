//! Every finding and tied use that an incident rests on, in order.

use makyo_base::{Object, Value};

use crate::answers::{Picture, Table};
use crate::rows::{object, record, text, time};

const COLUMNS: &[&str] = &["time", "incident", "kind", "text", "finding", "records"];

pub(crate) fn table(picture: &Picture<'_>) -> Table {
    let mut rows: Vec<(i64, String, Object<'static>)> = Vec::new();
    let mut add = |at: i64, incident: &str, kind: &'static str, what: String, finding: String, records: Vec<Value<'static>>| {
        let row = object(vec![
            ("time", time(Some(at))),
            ("incident", text(incident)),
            ("kind", text(kind)),
            ("text", text(what.clone())),
            ("finding", text(finding)),
            ("records", Value::List(records)),
        ]);
        rows.push((at, what, row));
    };
    for incident in &picture.incidents {
        for finding in incident.findings.iter().filter_map(|index| picture.finding(*index)) {
            let records = finding.records.iter().map(|one| record(&one.file, one.record)).collect();
            add(finding.time.unwrap_or_default(), &incident.id, "finding", finding.text.clone(), finding.id.clone(), records);
        }
        for step in picture.intruder.steps.iter().filter(|step| incident.findings.contains(&step.finding)) {
            let what = format!("{} logs on to {} from {}", step.account, step.to, step.from);
            add(step.time, &incident.id, "event", what, picture.finding_id(step.finding), vec![record(&step.record.file, step.record.record)]);
        }
        for used in &picture.facts.uses {
            let tie = picture.intruder.tie(&used.session, &used.address, used.first);
            let Some((finding, _)) = tie.filter(|tie| incident.findings.contains(&tie.0)) else { continue };
            let what = format!("{} as {}: {} ({} records)", used.operation, used.account, used.place, used.records);
            add(used.first, &incident.id, "event", what, picture.finding_id(finding), vec![record(&used.record.file, used.record.record)]);
        }
        for sign_in in &picture.facts.sign_ins {
            let tie = picture.intruder.tie("", &sign_in.address, sign_in.first);
            let Some((finding, _)) = tie.filter(|tie| incident.findings.contains(&tie.0)) else { continue };
            let outcome = if sign_in.is_success { "signs in" } else { "fails to sign in" };
            let what = format!("{} {outcome} from {}", sign_in.account, sign_in.address);
            add(sign_in.first, &incident.id, "event", what, picture.finding_id(finding), vec![record(&sign_in.record.file, sign_in.record.record)]);
        }
    }
    rows.sort_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
    Table { name: "timeline", columns: COLUMNS, rows: rows.into_iter().map(|row| row.2).collect() }
}
