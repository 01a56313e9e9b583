//! Every finding and tied use that an incident rests on, in order.

use makyo_base::{Object, RecordRef, Value};

use crate::answers::{Picture, Table};
use crate::incident::Incident;
use crate::rows::{object, record, text, time};

const COLUMNS: &[&str] = &["time", "incident", "kind", "text", "finding", "records"];

struct Moment {
    at: i64,
    kind: &'static str,
    what: String,
    finding: usize,
    records: Vec<RecordRef>,
}

pub(crate) fn table(picture: &Picture<'_>) -> Table {
    let mut rows = Vec::new();
    for incident in &picture.incidents {
        let mut moments = of_findings(picture, incident);
        moments.extend(of_events(picture, incident));
        rows.extend(moments.into_iter().map(|one| {
            let row = row(picture, incident, &one);
            (one.at, one.what, row)
        }));
    }
    rows.sort_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
    Table { name: "timeline", columns: COLUMNS, rows: rows.into_iter().map(|row| row.2).collect() }
}

fn of_findings(picture: &Picture<'_>, incident: &Incident) -> Vec<Moment> {
    let moment = |index: usize| {
        let finding = picture.finding(index)?;
        Some(Moment {
            at: finding.time.unwrap_or_default(),
            kind: "finding",
            what: finding.text.clone(),
            finding: index,
            records: finding.records.clone(),
        })
    };
    incident.all().into_iter().filter_map(moment).collect()
}

fn of_events(picture: &Picture<'_>, incident: &Incident) -> Vec<Moment> {
    let mut found = Vec::new();
    let mut add = |at: i64, what: String, finding: usize, record: &RecordRef| {
        if incident.findings.contains(&finding) {
            found.push(Moment { at, kind: "event", what, finding, records: vec![record.clone()] });
        }
    };
    for step in &picture.intruder.steps {
        let what = format!("{} logs on to {} from {}", step.account, step.to, step.from);
        add(step.time, what, step.finding, &step.record);
    }
    for used in &picture.facts.uses {
        if let Some((finding, _)) = picture.tied_use(used) {
            let (what, place) = (&used.operation, &used.place);
            let what = format!("{what} as {}: {place} ({} records)", used.account, used.records);
            add(used.first, what, finding, &used.record);
        }
    }
    for one in &picture.facts.sign_ins {
        if let Some((finding, _)) = picture.intruder.tie(&one.account, "", &one.address, one.first)
        {
            let outcome = if one.is_success { "signs in" } else { "fails to sign in" };
            let what = format!("{} {outcome} from {}", one.account, one.address);
            add(one.first, what, finding, &one.record);
        }
    }
    found
}

fn row(picture: &Picture<'_>, incident: &Incident, moment: &Moment) -> Object<'static> {
    let records = moment.records.iter().map(|one| record(&one.file, one.record)).collect();
    object(vec![
        ("time", time(Some(moment.at))),
        ("incident", text(incident.id.clone())),
        ("kind", text(moment.kind)),
        ("text", text(moment.what.clone())),
        ("finding", text(picture.finding_id(moment.finding))),
        ("records", Value::List(records)),
    ])
}
