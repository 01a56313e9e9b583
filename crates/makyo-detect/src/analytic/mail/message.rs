//! One message as decoding described it.

use std::collections::BTreeMap;

use makyo_base::{Object, RecordRef, Value, parse_json};

/// The features that a writer's program and habits leave, and that nobody copies who only took an
/// account over: the model of drift looks at these.
pub const CLIENT: &[&str] = &[
    "client",
    "version",
    "order",
    "full_order",
    "spelling",
    "zone",
    "id_shape",
    "id_domain",
    "boundary",
    "charset",
    "coding",
    "type",
    "content_language",
    "accept_language",
    "hours",
];

const HOUR_NS: i64 = 3_600_000_000_000;

/// A message, without its text.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct MailMessage {
    /// Message-ID, without brackets.
    pub id: String,
    /// The sender's address, lower case.
    pub from: String,
    /// The recipients' addresses.
    pub to: Vec<String>,
    /// Subject.
    pub subject: String,
    /// When it came in, nanoseconds since the Unix epoch.
    pub at: i64,
    /// The network of the first machine that handed it on.
    pub hop: String,
    /// The file that it stands in.
    pub file: String,
    /// Its number there.
    pub number: u64,
    texts: BTreeMap<String, String>,
    lists: BTreeMap<String, Vec<String>>,
    numbers: BTreeMap<String, i64>,
}

impl MailMessage {
    /// A message without features; `to` are addresses, divided by a comma and a blank.
    #[must_use]
    pub fn new(id: &str, from: &str, to: &str, subject: &str, at: i64) -> Self {
        MailMessage {
            id: id.to_owned(),
            from: from.to_lowercase(),
            to: to.split(", ").map(str::to_owned).collect(),
            subject: subject.to_owned(),
            at,
            ..MailMessage::default()
        }
    }

    /// Says where it stands.
    #[must_use]
    pub fn placed(mut self, file: &str, number: u64, hop: &str) -> Self {
        self.file = file.to_owned();
        self.number = number;
        self.hop = hop.to_owned();
        self
    }

    /// Takes the features' JSON.
    pub fn take_features(&mut self, features: &str) {
        let Ok(Value::Object(Object(fields))) = parse_json(features) else { return };
        for (name, value) in fields {
            let name = name.into_owned();
            match value {
                Value::Str(text) => {
                    self.texts.insert(name, text.into_owned());
                }
                Value::Bool(flag) => {
                    self.numbers.insert(name, i64::from(flag));
                }
                Value::Int(number) => {
                    self.numbers.insert(name, i64::try_from(number).unwrap_or(i64::MAX));
                }
                Value::List(list) => {
                    let texts = list.iter().filter_map(|one| one.as_str().map(str::to_owned));
                    self.lists.insert(name, texts.collect());
                }
                _ => {}
            }
        }
        let hours = self.at.rem_euclid(24 * HOUR_NS) / (4 * HOUR_NS);
        self.texts.insert("hours".to_owned(), hours.to_string());
    }

    /// A feature's text; empty where the message has none.
    #[must_use]
    pub fn text(&self, name: &str) -> &str {
        self.texts.get(name).map(String::as_str).unwrap_or_default()
    }

    /// A feature's list.
    #[must_use]
    pub fn list(&self, name: &str) -> &[String] {
        self.lists.get(name).map(Vec::as_slice).unwrap_or_default()
    }

    /// Whether a feature is there and so.
    #[must_use]
    pub fn is(&self, name: &str) -> bool {
        self.numbers.get(name).is_some_and(|number| *number != 0)
    }

    /// A feature's number.
    #[must_use]
    pub fn count(&self, name: &str) -> i64 {
        self.numbers.get(name).copied().unwrap_or_default()
    }

    /// Where it stands in the evidence.
    #[must_use]
    pub fn reference(&self) -> RecordRef {
        RecordRef { file: self.file.clone(), record: self.number }
    }

    /// The sender's domain.
    #[must_use]
    pub fn domain(&self) -> &str {
        self.from.rsplit_once('@').map_or("", |parts| parts.1)
    }

    /// Whether the receiver found that the sender's domain vouches for it.
    #[must_use]
    pub fn is_vouched_for(&self) -> bool {
        let method = |name: &str| self.text(name);
        match method("dmarc") {
            "pass" => true,
            "fail" => false,
            _ => method("dkim") == "pass" || method("spf") == "pass",
        }
    }

    /// Whether the receiver found that it comes from elsewhere than it says.
    #[must_use]
    pub fn is_spoofed(&self) -> bool {
        let fails = |name: &str| matches!(self.text(name), "fail" | "softfail" | "permerror");
        self.text("dmarc") == "fail"
            || fails("spf") && self.text("dkim") != "pass" && !self.is("list")
    }

    /// The same message with the program, the place and the habits of another one: how a test makes
    /// mail of an account that somebody took over.
    #[must_use]
    pub fn written_by(&self, other: &MailMessage) -> Self {
        let mut made = self.clone();
        for name in CLIENT {
            match other.texts.get(*name) {
                Some(value) => made.texts.insert((*name).to_owned(), value.clone()),
                None => made.texts.remove(*name),
            };
        }
        made
    }
}
