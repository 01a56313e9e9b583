//! What changed between two states of the answers.

use std::collections::{BTreeMap, BTreeSet};

use makyo_base::{Object, Value};
use makyo_case::Case;

use crate::command::investigate::nine_of;
use crate::command::show::answer;

/// The answers that are compared.
#[derive(Debug, Default)]
pub(super) struct Answers {
    incidents: Vec<Object<'static>>,
    accounts: Vec<Object<'static>>,
    hosts: Vec<Object<'static>>,
    assets: Vec<Object<'static>>,
    /// The nine answers in short, by heading; none where nothing was answered yet.
    nine: Vec<(String, String)>,
}

impl Answers {
    pub(super) fn of(case: &Case, accounts_in_all: Option<u64>) -> anyhow::Result<Self> {
        let nine = nine_of(case, accounts_in_all)?;
        Ok(Answers {
            incidents: answer(case, "incidents")?,
            accounts: answer(case, "accounts")?,
            hosts: answer(case, "hosts")?,
            assets: answer(case, "assets")?,
            nine: nine.into_iter().map(|one| (one.heading, one.answer)).collect(),
        })
    }
}

/// One change of an answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Change {
    /// `incident`, `account`, `host`, `asset` or `answer`.
    pub(super) kind: &'static str,
    /// `new`, `grown`, `raised`, `lowered`, `changed` or `removed`.
    pub(super) change: &'static str,
    pub(super) name: String,
    pub(super) from: Option<String>,
    pub(super) to: Option<String>,
    pub(super) reason: String,
}

impl Change {
    pub(super) fn object(&self, pass: u64) -> Object<'static> {
        let maybe =
            |text: &Option<String>| text.as_ref().map_or(Value::Null, |t| Value::text(t.clone()));
        let mut row = Object::default();
        row.push("pass", Value::Int(pass.into()));
        row.push("kind", Value::text(self.kind));
        row.push("change", Value::text(self.change));
        row.push("name", Value::text(self.name.clone()));
        row.push("from", maybe(&self.from));
        row.push("to", maybe(&self.to));
        row.push("reason", Value::text(self.reason.clone()));
        row
    }

    pub(super) fn line(&self) -> String {
        let what = match (&self.from, &self.to) {
            (Some(from), Some(to)) => format!("{from} \u{2192} {to}"),
            (None, Some(one)) | (Some(one), None) => one.clone(),
            (None, None) => String::new(),
        };
        let reason =
            if self.reason.is_empty() { String::new() } else { format!(": {}", self.reason) };
        format!("{} {}: {}: {what}{reason}", self.kind, self.change, self.name)
    }
}

/// All changes: incidents, accounts, hosts, assets, and the nine answers in short.
pub(super) fn changes(before: &Answers, after: &Answers) -> Vec<Change> {
    let mut all = of_incidents(&before.incidents, &after.incidents);
    all.extend(of_verdicts("account", &before.accounts, &after.accounts));
    all.extend(of_verdicts("host", &before.hosts, &after.hosts));
    all.extend(of_verdicts("asset", &before.assets, &after.assets));
    let known: BTreeMap<&str, &str> =
        before.nine.iter().map(|one| (one.0.as_str(), one.1.as_str())).collect();
    for (heading, now) in &after.nine {
        let was = known.get(heading.as_str()).copied();
        if was != Some(now) {
            all.push(Change {
                kind: "answer",
                change: if was.is_some() { "changed" } else { "new" },
                name: heading.clone(),
                from: was.map(str::to_owned),
                to: Some(now.clone()),
                reason: String::new(),
            });
        }
    }
    all
}

fn text(row: &Object<'_>, name: &str) -> String {
    row.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// How bad a verdict is; `not_accessed` and `clear` are proofs, and less bad than not to know.
fn rank(row: &Object<'_>) -> (usize, usize) {
    const VERDICTS: [&[&str]; 5] = [
        &["clear", "not_accessed"],
        &["unknown"],
        &["targeted"],
        &["suspected"],
        &["breached", "accessed", "botnet_member"],
    ];
    const RUNGS: [&str; 7] =
        ["none", "exposed", "attempted", "authenticated", "accessed", "exfil_likely", "modified"];
    let (verdict, rung) = (text(row, "verdict"), text(row, "rung"));
    (
        VERDICTS.iter().position(|words| words.contains(&verdict.as_str())).unwrap_or_default(),
        RUNGS.iter().position(|word| *word == rung).unwrap_or_default(),
    )
}

/// The rank of `unknown`; who enters the answer with it or less is no news.
const UNKNOWN: usize = 1;

fn state(row: &Object<'_>) -> String {
    match (text(row, "verdict"), text(row, "rung")) {
        (verdict, rung) if rung.is_empty() || rung == "none" => verdict,
        (verdict, rung) => format!("{verdict} ({rung})"),
    }
}

fn of_verdicts(
    kind: &'static str,
    before: &[Object<'static>],
    after: &[Object<'static>],
) -> Vec<Change> {
    let by_name = |rows: &[Object<'static>]| -> BTreeMap<String, Object<'static>> {
        rows.iter().map(|row| (text(row, kind), row.clone())).collect()
    };
    let (known, now) = (by_name(before), by_name(after));
    let mut found = Vec::new();
    for (name, row) in &now {
        let was = known.get(name);
        let change = match was.map(rank) {
            None if rank(row).0 <= UNKNOWN && kind != "asset" => continue,
            None => "new",
            Some(was) if was < rank(row) => "raised",
            Some(was) if was > rank(row) => "lowered",
            Some(_) => continue,
        };
        found.push(Change {
            kind,
            change,
            name: name.clone(),
            from: was.map(state),
            to: Some(state(row)),
            reason: first_sentence(&text(row, "reason")),
        });
    }
    // A name that was known for nothing, and is now known as another, is no news.
    let gone = known.iter().filter(|entry| !now.contains_key(entry.0) && rank(entry.1).0 > UNKNOWN);
    for (name, row) in gone {
        found.push(Change {
            kind,
            change: "removed",
            name: name.clone(),
            from: Some(state(row)),
            to: None,
            reason: String::new(),
        });
    }
    found
}

fn first_sentence(reason: &str) -> String {
    reason.split("; ").next().unwrap_or_default().to_owned()
}

/// What ties an incident to its earlier self: findings, and what it was made of. Its id is made of
/// its content and is another one when it grows.
fn marks(row: &Object<'_>) -> BTreeSet<String> {
    let texts = |name: &str| match row.get(name) {
        Some(Value::List(list)) => {
            list.iter().filter_map(Value::as_str).map(str::to_owned).collect()
        }
        _ => Vec::new(),
    };
    ["findings", "messages", "indicators"].iter().flat_map(|name| texts(name)).collect()
}

fn of_incidents(before: &[Object<'static>], after: &[Object<'static>]) -> Vec<Change> {
    let known: Vec<BTreeSet<String>> = before.iter().map(marks).collect();
    let mut found = Vec::new();
    let mut kept: BTreeSet<usize> = BTreeSet::new();
    for row in after {
        let own = marks(row);
        let earlier: Vec<usize> = known
            .iter()
            .enumerate()
            .filter(|(_, marks)| !marks.is_disjoint(&own))
            .map(|(at, _)| at)
            .collect();
        kept.extend(&earlier);
        let was: Vec<String> = earlier
            .iter()
            .filter_map(|at| before.get(*at))
            .map(|row| text(row, "summary"))
            .collect();
        let is_same = earlier.len() == 1
            && earlier.first().and_then(|at| before.get(*at)).is_some_and(|was| was == row);
        if !is_same {
            found.push(Change {
                kind: "incident",
                change: if was.is_empty() { "new" } else { "grown" },
                name: text(row, "id"),
                from: (!was.is_empty()).then(|| was.join(" | ")),
                to: Some(text(row, "summary")),
                reason: String::new(),
            });
        }
    }
    let gone = before.iter().enumerate().filter(|(at, _)| !kept.contains(at));
    found.extend(gone.map(|(_, row)| Change {
        kind: "incident",
        change: "removed",
        name: text(row, "id"),
        from: Some(text(row, "summary")),
        to: None,
        reason: String::new(),
    }));
    found
}
