//! The intrusions as a STIX 2.1 bundle.
//!
//! Each incident comes with its techniques, what was observed for each finding, the accounts with
//! their verdicts in notes, and a report that refers to all of it. Everything is marked TLP:AMBER.

use std::collections::{BTreeMap, BTreeSet};

use makyo_base::{Object, Value, format_time, parse_time, to_json};
use sha1::{Digest as _, Sha1};

use crate::html::ReportInputs;
use crate::nine::text;
use crate::share::{
    Intrusion, content_uuid, entities, intrusions, is_mail_address, json_line, list, milliseconds,
    object, owned, prose, uuid,
};

/// The namespace of observables, STIX 2.1, 2.9.
const NAMESPACE: [u8; 16] = [
    0x00, 0xab, 0xed, 0xb4, 0xaa, 0x42, 0x46, 0x6c, 0x9c, 0x23, 0xfe, 0xd2, 0x3c, 0x5a, 0xb3, 0xb0,
];

/// TLP:AMBER as STIX 2.1, 7.2.1.4 fixes it.
const AMBER: &str = "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82";

/// The largest count that `observed-data` allows.
const OBSERVED_MAX: usize = 999_999_999;

/// Renders the bundle on one line.
#[must_use]
pub fn stix(inputs: &ReportInputs<'_>) -> String {
    let all = intrusions(inputs.tables);
    // Without an incident, what was read gives the times.
    let coverage = if all.is_empty() { (inputs.tables)("coverage") } else { &[] };
    let read =
        |name: &'static str| coverage.iter().filter_map(move |row| parse_time(text(row, name)));
    let start = all.iter().filter_map(|one| parse_time(one.start)).chain(read("from")).min();
    let end = all.iter().filter_map(|one| parse_time(one.end)).chain(read("to")).max();
    let start = start.unwrap_or(0);
    let end = end.unwrap_or(start).max(start);
    let mut bundle =
        Bundle { times: (milliseconds(start), milliseconds(end)), ..Bundle::default() };
    let name = match prose(inputs.organisation) {
        name if name.is_empty() => "The organisation".to_owned(),
        name => name,
    };
    let maker = bundle.add(
        "identity",
        &[&name],
        vec![("name", owned(&name)), ("identity_class", Value::text("organization"))],
    );
    bundle.maker.clone_from(&maker);
    for one in &all {
        bundle.times = (
            milliseconds(parse_time(one.start).unwrap_or(start)),
            milliseconds(parse_time(one.end).unwrap_or(end)),
        );
        bundle.intrusion(one, &name);
    }
    if all.is_empty() {
        let told = "No intrusion was found in what was read. That is no proof that there was none.";
        bundle.note("nothing", "No intrusion found", told, &[maker]);
    }
    bundle.finish()
}

#[derive(Default)]
struct Bundle {
    objects: Vec<Object<'static>>,
    seen: BTreeSet<String>,
    /// Who speaks; empty until it is there.
    maker: String,
    /// `created` and `modified` of what is added.
    times: (String, String),
}

impl Bundle {
    /// Adds a domain or relationship object. Its id follows from the key and the times.
    fn add(
        &mut self,
        kind: &'static str,
        key: &[&str],
        fields: Vec<(&'static str, Value<'static>)>,
    ) -> String {
        let mut parts = vec![kind, &self.maker, &self.times.0, &self.times.1];
        parts.extend(key);
        let id = format!("{kind}--{}", content_uuid(&parts));
        let mut head = vec![
            ("type", Value::text(kind)),
            ("spec_version", Value::text("2.1")),
            ("id", owned(&id)),
        ];
        if !self.maker.is_empty() {
            head.push(("created_by_ref", owned(&self.maker)));
        }
        head.push(("created", owned(&self.times.0)));
        head.push(("modified", owned(&self.times.1)));
        self.push(&id, head, fields);
        id
    }

    /// Adds an observable. Its id is the UUID of version 5 over what identifies it, so that it is
    /// the same whoever observes it; `identifying` must be in the order of names. SHA-1 is what
    /// that version is made with, and guards nothing here.
    fn observe(
        &mut self,
        kind: &'static str,
        identifying: Vec<(&'static str, Value<'static>)>,
        more: Vec<(&'static str, Value<'static>)>,
    ) -> String {
        let content = to_json(&Value::Object(object(identifying.clone())));
        let digest = Sha1::new().chain_update(NAMESPACE).chain_update(content.as_bytes());
        let id = format!("{kind}--{}", uuid(&digest.finalize(), 0x50));
        let head = vec![
            ("type", Value::text(kind)),
            ("spec_version", Value::text("2.1")),
            ("id", owned(&id)),
        ];
        self.push(&id, head, identifying.into_iter().chain(more).collect());
        id
    }

    fn push(
        &mut self,
        id: &str,
        mut fields: Vec<(&'static str, Value<'static>)>,
        more: Vec<(&'static str, Value<'static>)>,
    ) {
        if self.seen.insert(id.to_owned()) {
            fields.extend(more);
            fields.push(("object_marking_refs", list([AMBER])));
            self.objects.push(object(fields));
        }
    }

    fn relate(&mut self, source: &str, kind: &'static str, target: &str) -> String {
        let fields = vec![
            ("relationship_type", Value::text(kind)),
            ("source_ref", owned(source)),
            ("target_ref", owned(target)),
        ];
        self.add("relationship", &[source, kind, target], fields)
    }

    fn note(&mut self, key: &str, short: &str, content: &str, about: &[String]) -> String {
        let fields = vec![
            ("abstract", owned(short)),
            ("content", owned(content)),
            ("object_refs", list(about)),
        ];
        let mut parts = vec![key, content];
        parts.extend(about.iter().map(String::as_str));
        self.add("note", &parts, fields)
    }

    fn intrusion(&mut self, one: &Intrusion<'_>, organisation: &str) {
        let reference = object(vec![
            ("source_name", Value::text("makyo")),
            ("external_id", owned(&prose(one.id))),
        ]);
        let name = format!("Intrusion at {organisation}, first sign {}", one.start);
        let incident = self.add(
            "incident",
            &[one.id],
            vec![
                ("name", owned(&name)),
                ("description", owned(&one.summary())),
                ("external_references", Value::List(vec![Value::Object(reference)])),
            ],
        );
        let mut all = vec![self.maker.clone(), incident.clone()];
        all.push(self.relate(&incident, "related-to", &self.maker.clone()));
        self.techniques(one, &incident, &mut all);
        let known = self.observables(one, &mut all);
        self.accounts(one, &known, &mut all);
        if !one.hosts.is_empty() {
            let content = prose(&format!("Hosts judged breached: {}.", one.hosts.join(", ")));
            let about = [incident.clone()];
            all.push(self.note("hosts", "Hosts", &content, &about));
        }
        self.findings(one, &incident, &known, &mut all);
        let report = vec![
            ("name", owned(&name)),
            ("description", owned(&one.summary())),
            ("report_types", list(["attack-pattern"])),
            ("published", owned(&self.times.1)),
            ("object_refs", list(&all)),
        ];
        self.add("report", &[one.id], report);
    }

    fn techniques(&mut self, one: &Intrusion<'_>, incident: &str, all: &mut Vec<String>) {
        let mut tactics: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for step in &one.steps {
            let tactics = tactics.entry(step.technique).or_default();
            tactics.extend(Some(step.tactic).filter(|tactic| !tactic.is_empty()));
        }
        for (technique, tactics) in tactics {
            let reference = object(vec![
                ("source_name", Value::text("mitre-attack")),
                ("external_id", owned(technique)),
            ]);
            let phases: Vec<Value<'static>> = tactics
                .into_iter()
                .map(|tactic| {
                    Value::Object(object(vec![
                        ("kill_chain_name", Value::text("mitre-attack")),
                        ("phase_name", owned(&prose(tactic))),
                    ]))
                })
                .collect();
            let mut fields = vec![
                ("name", owned(technique)),
                ("external_references", Value::List(vec![Value::Object(reference)])),
            ];
            if !phases.is_empty() {
                fields.push(("kill_chain_phases", Value::List(phases)));
            }
            let pattern = self.add("attack-pattern", &[one.id, technique], fields);
            all.push(self.relate(incident, "related-to", &pattern));
            all.push(self.relate(&pattern, "targets", &self.maker.clone()));
            all.push(pattern);
        }
    }

    /// Ids of the observables by kind and value of the entity, with those that they refer to.
    fn observables<'a>(
        &mut self,
        one: &Intrusion<'a>,
        all: &mut Vec<String>,
    ) -> BTreeMap<(&'static str, String), Vec<String>> {
        let mut known = BTreeMap::new();
        for address in &one.addresses {
            let kind = if address.is_ipv4() { "ipv4-addr" } else { "ipv6-addr" };
            let value = address.to_string();
            let id = self.observe(kind, vec![("value", owned(&value))], Vec::new());
            known.insert(("address", value), vec![id]);
        }
        for hash in &one.hashes {
            let hashes = Value::Object(object(vec![("SHA-256", owned(hash))]));
            let id = self.observe("file", vec![("hashes", hashes)], Vec::new());
            known.insert(("hash", (*hash).to_owned()), vec![id]);
        }
        for message in &one.messages {
            let ids = self.message(message);
            known.insert(("message", text(message, "message_id").to_owned()), ids);
        }
        for row in one.breached.iter().chain(&one.suspected) {
            let account = text(row, "account");
            let id =
                self.observe("user-account", vec![("account_login", owned(account))], Vec::new());
            known.insert(("account", account.to_owned()), vec![id]);
        }
        let ids: BTreeSet<&String> = known.values().flatten().collect();
        all.extend(ids.into_iter().cloned());
        known
    }

    fn message(&mut self, row: &Object<'static>) -> Vec<String> {
        let mut ids = Vec::new();
        let mut identifying = Vec::new();
        let from = text(row, "from");
        if is_mail_address(from) {
            let id = self.observe("email-addr", vec![("value", owned(from))], Vec::new());
            identifying.push(("from_ref", owned(&id)));
            ids.push(id);
        }
        if !text(row, "subject").is_empty() {
            identifying.push(("subject", owned(text(row, "subject"))));
        }
        if identifying.is_empty() {
            return ids;
        }
        // A message is of several parts where something is attached.
        let parts = matches!(row.get("attachments"), Some(Value::List(list)) if !list.is_empty());
        let more = vec![
            ("is_multipart", Value::Bool(parts)),
            ("message_id", owned(text(row, "message_id"))),
        ];
        ids.push(self.observe("email-message", identifying, more));
        ids
    }

    fn accounts(
        &mut self,
        one: &Intrusion<'_>,
        known: &BTreeMap<(&'static str, String), Vec<String>>,
        all: &mut Vec<String>,
    ) {
        let breached = one.breached.iter().map(|row| (row, "breached"));
        let suspected =
            one.suspected.iter().map(|row| (row, "suspected, the tie to the intruder is weak"));
        for (row, verdict) in breached.chain(suspected) {
            let account = text(row, "account");
            let (first, last) = (text(row, "first_seen"), text(row, "last_seen"));
            let times = match (first, last) {
                ("", _) | (_, "") => String::new(),
                _ => format!(" from {first} to {last}"),
            };
            let (rung, reason) = (text(row, "rung"), text(row, "reason"));
            let content = prose(&format!("{account}: {verdict}; rung: {rung}{times}; {reason}"));
            let about = known.get(&("account", account.to_owned())).cloned().unwrap_or_default();
            all.push(self.note("verdict", "Verdict on an account", &content, &about));
        }
    }

    /// What was observed, one for each finding that names something of the bundle.
    fn findings(
        &mut self,
        one: &Intrusion<'_>,
        incident: &str,
        known: &BTreeMap<(&'static str, String), Vec<String>>,
        all: &mut Vec<String>,
    ) {
        for finding in &one.findings {
            let refs: BTreeSet<&String> = known
                .iter()
                .filter(|((kind, value), _)| entities(finding).any(|one| one == (kind, value)))
                .flat_map(|entry| entry.1)
                .collect();
            let Some(time) = parse_time(text(finding, "time")).map(format_time) else { continue };
            if refs.is_empty() {
                continue;
            }
            let count = match finding.get("records") {
                Some(Value::List(records)) => records.len().clamp(1, OBSERVED_MAX),
                _ => 1,
            };
            let id = text(finding, "id");
            let observed = self.add(
                "observed-data",
                &[id],
                vec![
                    ("first_observed", owned(&time)),
                    ("last_observed", owned(&time)),
                    ("number_observed", Value::Int(count as i128)),
                    ("object_refs", list(refs)),
                ],
            );
            let about = [observed.clone()];
            let content = prose(text(finding, "text"));
            if !content.is_empty() {
                all.push(self.note(id, "Finding", &content, &about));
            }
            all.push(self.relate(incident, "related-to", &observed));
            all.push(observed);
        }
    }

    fn finish(self) -> String {
        let amber = object(vec![
            ("type", Value::text("marking-definition")),
            ("spec_version", Value::text("2.1")),
            ("id", Value::text(AMBER)),
            ("created", Value::text("2017-01-20T00:00:00.000Z")),
            ("definition_type", Value::text("tlp")),
            ("name", Value::text("TLP:AMBER")),
            ("definition", Value::Object(object(vec![("tlp", Value::text("amber"))]))),
        ]);
        let objects: Vec<Value<'static>> =
            std::iter::once(amber).chain(self.objects).map(Value::Object).collect();
        let objects = Value::List(objects);
        let id = format!("bundle--{}", content_uuid(&["bundle", &to_json(&objects)]));
        json_line(object(vec![
            ("type", Value::text("bundle")),
            ("id", owned(&id)),
            ("objects", objects),
        ]))
    }
}
