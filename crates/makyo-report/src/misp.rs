//! The intrusions as MISP events.
//!
//! What others can look for goes in: foreign addresses, hashes, senders and subjects. Accounts and
//! hosts of the organisation do not.

use std::collections::BTreeSet;

use makyo_base::{AddressScope, Object, SECOND_NS, Value, address_scope, parse_time};

use crate::html::ReportInputs;
use crate::nine::text;
use crate::share::{
    Intrusion, content_uuid, intrusions, is_mail_address, json_line, milliseconds, object, owned,
    prose,
};

/// Renders `{"Event": ..}` for one intrusion, `{"response": [..]}` for none or several, on one
/// line.
#[must_use]
pub fn misp(inputs: &ReportInputs<'_>) -> String {
    let mut events: Vec<Object<'static>> = intrusions(inputs.tables)
        .iter()
        .map(|one| object(vec![("Event", Value::Object(event(one, inputs.organisation)))]))
        .collect();
    if events.len() == 1 {
        return events.pop().map(json_line).unwrap_or_default();
    }
    let events = events.into_iter().map(Value::Object).collect();
    json_line(object(vec![("response", Value::List(events))]))
}

fn event(one: &Intrusion<'_>, organisation: &str) -> Object<'static> {
    let organisation = match prose(organisation) {
        name if name.is_empty() => "The organisation".to_owned(),
        name => name,
    };
    let maker = object(vec![
        ("uuid", owned(&content_uuid(&["misp organisation", &organisation]))),
        ("name", owned(&organisation)),
    ]);
    let techniques: BTreeSet<&str> = one.steps.iter().map(|step| step.technique).collect();
    let mut tags = vec![tag("tlp:amber")];
    tags.extend(
        techniques
            .into_iter()
            .map(|technique| tag(&format!("misp-galaxy:mitre-attack-pattern=\"{technique}\""))),
    );
    let attributes =
        Attributes { one, stamp: stamp(one.end), seen: BTreeSet::new(), list: Vec::new() }.all();
    object(vec![
        ("uuid", owned(&content_uuid(&["misp event", &organisation, one.id]))),
        ("info", owned(&format!("Intrusion at {organisation}. {}", one.summary()))),
        ("date", owned(one.start.split('T').next().unwrap_or_default())),
        ("timestamp", owned(&stamp(one.end))),
        // Not rated, analysis ongoing, for the own organisation: the sender decides on all three.
        ("threat_level_id", Value::text("4")),
        ("analysis", Value::text("1")),
        ("distribution", Value::text("0")),
        ("published", Value::Bool(false)),
        ("Orgc", Value::Object(maker)),
        ("Tag", Value::List(tags)),
        ("Attribute", Value::List(attributes)),
    ])
}

fn tag(name: &str) -> Value<'static> {
    Value::Object(object(vec![("name", owned(name))]))
}

/// Seconds since 1970, as MISP writes them.
fn stamp(time: &str) -> String {
    parse_time(time).unwrap_or(0).div_euclid(SECOND_NS).to_string()
}

struct Attributes<'a> {
    one: &'a Intrusion<'a>,
    stamp: String,
    /// Ids of what is there: many mails have one sender, and MISP takes no attribute twice.
    seen: BTreeSet<String>,
    list: Vec<Value<'static>>,
}

impl Attributes<'_> {
    fn all(mut self) -> Vec<Value<'static>> {
        let one = self.one;
        for address in &one.addresses {
            let value = address.to_string();
            // Nobody else can look for an address that is only known inside.
            let is_outside = address_scope(*address) == AddressScope::External;
            let network = ("Network activity", "ip-src");
            self.add(network, &value, is_outside, "used by the intruder", one.seen(&value));
        }
        for message in &one.messages {
            self.message(message);
        }
        for hash in &one.hashes {
            let file = ("Payload delivery", "sha256");
            self.add(
                file,
                hash,
                false,
                "file in a finding; may be a program of the system",
                one.seen(hash),
            );
        }
        self.list
    }

    fn message(&mut self, message: &Object<'static>) {
        let seen = parse_time(text(message, "received")).map(|time| (time, time));
        let mail = |kind| ("Payload delivery", kind);
        let from = text(message, "from");
        let accounts = self.one.breached.iter().chain(&self.one.suspected);
        let is_own = text(message, "sender") == "own"
            || accounts.into_iter().any(|row| text(row, "account") == from);
        if is_mail_address(from) && !is_own {
            let comment = match text(message, "sender") {
                "compromised" => "sender; the account is probably abused, its owner a victim",
                "spoofed" => "sender as shown; the checks fail",
                _ => "sender",
            };
            self.add(mail("email-src"), from, false, comment, seen);
        }
        let subject = prose(text(message, "subject"));
        if !subject.is_empty() {
            self.add(mail("email-subject"), &subject, false, "", seen);
        }
        let id = prose(text(message, "message_id"));
        if !id.is_empty() {
            self.add(mail("email-message-id"), &id, false, "", seen);
        }
    }

    fn add(
        &mut self,
        (category, kind): (&'static str, &'static str),
        value: &str,
        to_ids: bool,
        comment: &'static str,
        seen: Option<(i64, i64)>,
    ) {
        let uuid = content_uuid(&["misp attribute", self.one.id, kind, value]);
        if !self.seen.insert(uuid.clone()) {
            return;
        }
        let mut fields = vec![
            ("uuid", owned(&uuid)),
            ("type", Value::text(kind)),
            ("category", Value::text(category)),
            ("value", owned(value)),
            ("to_ids", Value::Bool(to_ids)),
            ("comment", Value::text(comment)),
            ("distribution", Value::text("5")),
            ("timestamp", owned(&self.stamp)),
        ];
        if let Some((first, last)) = seen {
            fields.push(("first_seen", owned(&milliseconds(first))));
            fields.push(("last_seen", owned(&milliseconds(last))));
        }
        self.list.push(Value::Object(object(fields)));
    }
}
