//! The nine questions, each answered in one sentence with its most important fact.

use makyo_base::{Object, Value};

use crate::lang::{Language, Phrases};

/// How many questions there are.
const QUESTIONS: usize = 9;

/// One question with its short answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Nine {
    /// 1 to 9.
    pub number: usize,
    /// Its heading.
    pub heading: String,
    /// One or two sentences.
    pub answer: String,
    /// Whether the evidence could answer it.
    pub is_answered: bool,
}

/// A look-up of answer tables by name.
pub type Tables<'a> = dyn Fn(&str) -> &'a [Object<'static>] + 'a;

/// Answers all nine in short. `accounts_in_all` is the number that the organisation gave.
#[must_use]
pub fn nine(tables: &Tables<'_>, accounts_in_all: Option<u64>, language: Language) -> Vec<Nine> {
    nine_in(tables, accounts_in_all, &Phrases::of(language))
}

pub(crate) fn nine_in(
    tables: &Tables<'_>,
    accounts_in_all: Option<u64>,
    phrases: &Phrases,
) -> Vec<Nine> {
    let asked = Asked { tables, phrases };
    let answers: [(bool, String); QUESTIONS] = [
        asked.entry(),
        asked.accounts(accounts_in_all),
        asked.hosts(),
        asked.path(),
        asked.access(),
        asked.not_accessed(),
        asked.still_there(),
        asked.same_as(),
        asked.who(),
    ];
    let number = |(index, (is_answered, answer))| Nine {
        number: index + 1,
        heading: phrases.say(&format!("heading.{}", index + 1)).to_owned(),
        answer,
        is_answered,
    };
    answers.into_iter().enumerate().map(number).collect()
}

pub(crate) fn text<'a>(row: &'a Object<'_>, name: &str) -> &'a str {
    row.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn with<'a>(rows: &'a [Object<'static>], name: &str, value: &str) -> Vec<&'a Object<'static>> {
    rows.iter().filter(|row| text(row, name) == value).collect()
}

/// So many members of a botnet are named.
const MEMBERS_NAMED: usize = 5;

struct Asked<'a, 't> {
    tables: &'a Tables<'t>,
    phrases: &'a Phrases,
}

impl Asked<'_, '_> {
    fn rows(&self, name: &str) -> &[Object<'static>] {
        (self.tables)(name)
    }

    fn no(&self, key: &str) -> (bool, String) {
        (false, self.phrases.say(key).to_owned())
    }

    fn entry(&self) -> (bool, String) {
        let rows = self.rows("entry");
        let Some(first) = rows.first() else { return self.no("answer.no_intrusion") };
        let through = match text(first, "through") {
            "" => self.phrases.say("answer.unknown_way"),
            through => self.phrases.word("through", through),
        };
        let key = match text(first, "vector") {
            // A page in between is seen where it signs in; its mail often is not.
            "phishing" if text(first, "message").is_empty() => "answer.entry_page",
            "phishing" => "answer.entry_phishing",
            "vpn_appliance" => "answer.entry_vpn_appliance",
            "vpn_credential" => "answer.entry_vpn_credential",
            "stolen_credential" => "answer.entry_stolen_credential",
            "stolen_token" => "answer.entry_stolen_token",
            _ => "answer.entry_other",
        };
        let count = (rows.len() - 1).to_string();
        let more = match rows.len() - 1 {
            0 => "answer.more_ways_none",
            1 => "answer.more_ways_one",
            _ => "answer.more_ways",
        };
        let more = self.phrases.fill(more, &[("count", &count)]);
        let values = [
            ("time", &*to_the_second(text(first, "time"))),
            ("through", through),
            ("account", text(first, "account")),
            ("more", &more),
        ];
        (true, self.phrases.fill(key, &values))
    }

    fn accounts(&self, in_all: Option<u64>) -> (bool, String) {
        let rows = self.rows("accounts");
        if rows.is_empty() {
            return self.no("answer.no_account");
        }
        let of = |verdict| with(rows, "verdict", verdict).len().to_string();
        let seen = rows.len().to_string();
        let total = match in_all {
            Some(all) => all.to_string(),
            None => self.phrases.fill("answer.accounts_seen", &[("count", &seen)]),
        };
        let worst = with(rows, "verdict", "breached").into_iter().max_by_key(|row| {
            ["authenticated", "accessed", "exfil_likely", "modified"]
                .iter()
                .position(|rung| *rung == text(row, "rung"))
        });
        let worst = worst.map_or_else(String::new, |row| {
            let rung = self.phrases.word("rung", text(row, "rung"));
            let values = [("account", text(row, "account")), ("rung", rung)];
            self.phrases.fill("answer.accounts_worst", &values)
        });
        let values = [
            ("total", &*total),
            ("breached", &of("breached")),
            ("suspected", &of("suspected")),
            ("targeted", &of("targeted")),
            ("clear", &of("clear")),
            ("unknown", &of("unknown")),
            ("worst", &worst),
        ];
        (true, self.phrases.fill("answer.accounts", &values) + &self.replay())
    }

    /// How often honest people would be accused, if the case could tell.
    fn replay(&self) -> String {
        let is_replay = |row: &&Object<'static>| {
            let rule = row.get("rule").and_then(Value::as_object);
            rule.is_some_and(|rule| text(rule, "id") == "posing_replay")
        };
        self.rows("findings").iter().find(is_replay).map_or_else(String::new, |row| {
            self.phrases.fill("answer.accounts_replay", &[("text", text(row, "text"))])
        })
    }

    fn hosts(&self) -> (bool, String) {
        let rows = self.rows("hosts");
        if rows.is_empty() {
            return self.no("answer.no_host");
        }
        let breached = with(rows, "verdict", "breached");
        let names: Vec<&str> = breached.iter().map(|row| text(row, "host")).collect();
        let which = match names.is_empty() {
            true => self.phrases.say("answer.none").to_owned(),
            false => names.join(", "),
        };
        let values = [
            ("breached", &*names.len().to_string()),
            ("total", &rows.len().to_string()),
            ("names", &which),
            ("unknown", &with(rows, "verdict", "unknown").len().to_string()),
            ("botnet", &self.membership()),
        ];
        (true, self.phrases.fill("answer.hosts", &values))
    }

    /// Which own devices serve a botnet, or why that is not known.
    fn membership(&self) -> String {
        let members = with(self.rows("hosts"), "verdict", "botnet_member");
        let names: Vec<&str> =
            members.iter().take(MEMBERS_NAMED).map(|row| text(row, "host")).collect();
        let more = members.len().saturating_sub(names.len());
        let key = match (members.len(), more) {
            (0, _) if self.rows("flow_notes").is_empty() => "answer.botnet_not_judged",
            (0, _) => "answer.botnet_none",
            (_, 0) => "answer.botnet",
            _ => "answer.botnet_more",
        };
        let values = [
            ("count", &*members.len().to_string()),
            ("names", &names.join(", ")),
            ("more", &more.to_string()),
        ];
        self.phrases.fill(key, &values)
    }

    fn path(&self) -> (bool, String) {
        let rows = self.rows("path");
        let incidents = self.rows("incidents").len();
        if rows.is_empty() {
            return self.no("answer.no_path");
        }
        let mut tactics: Vec<&str> = Vec::new();
        for row in rows {
            let tactic = self.phrases.word("tactic", text(row, "tactic"));
            if !tactic.is_empty() && !tactics.contains(&tactic) {
                tactics.push(tactic);
            }
        }
        let key = if incidents == 1 { "answer.path_one" } else { "answer.path" };
        let values = [
            ("incidents", &*incidents.to_string()),
            ("steps", &rows.len().to_string()),
            ("tactics", &tactics.join(" \u{2192} ")),
        ];
        (true, self.phrases.fill(key, &values))
    }

    fn access(&self) -> (bool, String) {
        let rows = self.rows("access");
        if rows.is_empty() {
            return self.no("answer.no_access");
        }
        let sum = |kind: &str| -> String {
            let counted = rows
                .iter()
                .filter(|row| text(row, "kind") == kind && text(row, "certainty") == "accessed");
            counted.map(|row| whole(row, "count")).sum::<i128>().to_string()
        };
        let presumed = with(rows, "certainty", "presumed").len();
        let more = match presumed {
            0 => String::new(),
            1 => self.phrases.say("answer.access_presumed_one").to_owned(),
            count => self.phrases.fill("answer.access_presumed", &[("count", &count.to_string())]),
        };
        let values = [
            ("mails", &*sum("mail")),
            ("files", &sum("file")),
            ("shares", &sum("share")),
            ("more", &more),
        ];
        (true, self.phrases.fill("answer.access", &values))
    }

    fn not_accessed(&self) -> (bool, String) {
        let rows = self.rows("assets");
        if rows.is_empty() {
            return self.no("answer.no_assets");
        }
        let keys = [
            ("not_accessed", "answer.assets_not_accessed"),
            ("accessed", "answer.assets_accessed"),
            ("unknown", "answer.assets_unknown"),
        ];
        let parts = keys.iter().filter_map(|(verdict, key)| {
            let found = with(rows, "verdict", verdict);
            let names: Vec<&str> = found.iter().map(|row| text(row, "asset")).collect();
            let said = || self.phrases.fill(key, &[("names", &names.join(", "))]);
            (!names.is_empty()).then(said)
        });
        (true, parts.collect::<String>().trim_end().to_owned())
    }

    fn still_there(&self) -> (bool, String) {
        if self.rows("incidents").is_empty() {
            return self.no("answer.no_way_back");
        }
        let rows = self.rows("persistence");
        let open = rows.iter().filter(|row| text(row, "present") != "false").count();
        let first = self.rows("containment").first().map_or_else(String::new, |row| {
            let action = self.phrases.word("action", text(row, "action"));
            let values = [("action", action), ("target", text(row, "target"))];
            self.phrases.fill("answer.still_first", &values)
        });
        let key = if open == 1 { "answer.still_there_one" } else { "answer.still_there" };
        let values = [("count", &*open.to_string()), ("first", &first)];
        (true, self.phrases.fill(key, &values))
    }

    /// From the tables that `makyo link` fills.
    fn same_as(&self) -> (bool, String) {
        let Some(found) = self.rows("linkage").first() else {
            return self.no("answer.not_linked");
        };
        let count =
            |name: &str| found.get(name).and_then(Value::as_text).unwrap_or_default().into_owned();
        let key =
            if text(found, "campaign").is_empty() { "answer.linked_none" } else { "answer.linked" };
        let values = [
            ("campaign", text(found, "campaign")),
            ("linked", &count("linked")),
            ("compared", &count("compared")),
            ("possible", &count("possible")),
        ];
        (true, self.phrases.fill(key, &values))
    }

    /// From the tables that `makyo attribute` fills.
    fn who(&self) -> (bool, String) {
        match self.rows("judgement").first() {
            Some(found) => (true, text(found, self.phrases.language.tag()).to_owned()),
            None => self.no("answer.not_judged"),
        }
    }
}

/// A whole number of a row; nought where there is none.
pub(crate) fn whole(row: &Object<'_>, name: &str) -> i128 {
    match row.get(name) {
        Some(Value::Int(count)) => *count,
        _ => 0,
    }
}

/// Fractions of a second help nobody who reads a sentence or a table; the JSON has them.
pub(crate) fn to_the_second(text: &str) -> String {
    match text.split_once('.') {
        Some((head, rest)) if head.len() == 19 && head.contains('T') && rest.ends_with('Z') => {
            format!("{head}Z")
        }
        _ => text.to_owned(),
    }
}
