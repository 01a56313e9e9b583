//! A case's answers beside the truth.
//!
//! Every figure is a count or a ratio that a reader can check by hand in the two files.

mod facts;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use makyo_base::parse_time;
use serde_json::{Map, Value, json};

use crate::Error;

/// The figures, as JSON; [`Score::lines`] gives them for people.
#[derive(Clone, PartialEq, Debug)]
pub struct Score {
    /// Sections with their figures.
    pub figures: Value,
}

impl Score {
    /// Section, name and value, in order.
    #[must_use]
    pub fn lines(&self) -> Vec<(String, String, String)> {
        let mut lines = Vec::new();
        for (section, values) in self.figures.as_object().into_iter().flatten() {
            for (name, value) in values.as_object().into_iter().flatten() {
                let text = match value {
                    Value::String(text) => text.clone(),
                    Value::Array(list) => {
                        let words: Vec<String> = list.iter().take(8).map(plain).collect();
                        let more = if list.len() > 8 { " ..." } else { "" };
                        format!("{} [{}{more}]", list.len(), words.join(", "))
                    }
                    other => other.to_string(),
                };
                lines.push((section.clone(), name.clone(), text));
            }
        }
        lines
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Compares a case, or the folder of its answers, with a truth.
///
/// # Errors
/// If a file is missing or damaged.
pub fn score(case: &Path, truth: &Path) -> Result<Score, Error> {
    let folder = if case.join("answers").is_dir() { case.join("answers") } else { case.to_owned() };
    let truth = read(truth)?;
    let answer = |name: &str| -> Result<Vec<Value>, Error> {
        let path = folder.join(format!("{name}.json"));
        match read(&path)? {
            Value::Array(rows) => Ok(rows),
            _ => Err(Error::Content { path, reason: "not a list".to_owned() }),
        }
    };
    if truth.get("facts").is_some() {
        let found = facts::facts(&truth, &answer("findings")?, &answer("coverage")?);
        return Ok(Score { figures: json!({"facts": found}) });
    }
    let names = Names::of(&truth);
    let rows = answer("accounts")?;
    let mut found = Found::new();
    for row in rows {
        // One account under two names counts once, by the graver verdict.
        let kept = found.entry(names.account(text(&row, "account"))).or_insert(Value::Null);
        if kept.is_null() || gravity(&row) > gravity(kept) {
            *kept = row;
        }
    }
    let figures = json!({
        "accounts": accounts(&truth, &names, &found),
        "rungs": rungs(&truth, &names, &found),
        "times": times(&truth, &names, &found),
        "counts": counts(&truth, &names, &found),
        "hosts": hosts(&truth, &answer("hosts")?),
        "assets": assets(&truth, &answer("assets")?),
        "gaps": gaps(&truth, &answer("coverage")?),
        "path": path(&truth, &answer("path")?),
        "entry": entry(&truth, &answer("entry")?),
        "incidents": {"true": truth["incidents"], "found": answer("incidents")?.len()},
        "messages": messages(&truth, &answer("messages")?),
        "decoys": decoys(&truth, &names, &found, &answer("hosts")?, &answer("entry")?),
    });
    Ok(Score { figures })
}

fn read(path: &Path) -> Result<Value, Error> {
    let text = fs::read_to_string(path).map_err(Error::file("read", path))?;
    serde_json::from_str(&text)
        .map_err(|reason| Error::Content { path: path.to_owned(), reason: reason.to_string() })
}

fn text<'a>(row: &'a Value, name: &str) -> &'a str {
    row.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn object(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flat_map(Map::iter)
}

fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// A share as a number with three places; nothing of nothing is whole.
#[allow(clippy::cast_precision_loss, reason = "counts are small")]
fn ratio(part: usize, whole: usize) -> f64 {
    if whole == 0 { 1.0 } else { (part as f64 / whole as f64 * 1000.0).round() / 1000.0 }
}

/// One account under its several names.
struct Names {
    /// The truth's name by the name without domain.
    by_short: BTreeMap<String, String>,
    renamed: BTreeMap<String, String>,
}

impl Names {
    fn of(truth: &Value) -> Self {
        let mut by_short = BTreeMap::new();
        for (name, _) in object(&truth["accounts"]) {
            by_short.insert(short(name).to_owned(), name.clone());
        }
        let renamed = object(&truth["renamed"])
            .map(|(new, old)| (new.clone(), old.as_str().unwrap_or_default().to_owned()))
            .collect();
        Names { by_short, renamed }
    }

    fn account(&self, name: &str) -> String {
        let name = name.to_lowercase();
        let name = self.renamed.get(&name).cloned().unwrap_or(name);
        self.by_short.get(short(&name)).cloned().unwrap_or(name)
    }
}

fn short(name: &str) -> &str {
    let name = name.rsplit('\\').next().unwrap_or(name);
    name.split('@').next().unwrap_or(name)
}

/// Verdicts from the lightest to the gravest.
fn gravity(row: &Value) -> usize {
    let verdicts = ["", "clear", "unknown", "targeted", "suspected", "breached"];
    verdicts.iter().position(|verdict| *verdict == text(row, "verdict")).unwrap_or(0)
}

type Found = BTreeMap<String, Value>;

fn breached(truth: &Value, names: &Names) -> BTreeSet<String> {
    object(&truth["accounts"])
        .filter(|(_, row)| text(row, "verdict") == "breached")
        .map(|(name, _)| names.account(name))
        .collect()
}

fn with_verdict(found: &Found, verdicts: &[&str]) -> BTreeSet<String> {
    found
        .iter()
        .filter(|(_, row)| verdicts.contains(&text(row, "verdict")))
        .map(|(name, _)| name.clone())
        .collect()
}

fn sets(truth: &BTreeSet<String>, found: &BTreeSet<String>) -> Value {
    let right = truth.intersection(found).count();
    json!({
        "true": truth.len(), "found": found.len(),
        "precision": ratio(right, found.len()), "recall": ratio(right, truth.len()),
        "missed": truth.difference(found).collect::<Vec<_>>(),
        "wrong": found.difference(truth).collect::<Vec<_>>(),
    })
}

fn accounts(truth: &Value, names: &Names, found: &Found) -> Value {
    let real = breached(truth, names);
    let mut figures = sets(&real, &with_verdict(found, &["breached"]));
    let wider = sets(&real, &with_verdict(found, &["breached", "suspected"]));
    figures["precision_with_suspected"] = wider["precision"].clone();
    figures["recall_with_suspected"] = wider["recall"].clone();
    let clear = with_verdict(found, &["clear"]);
    figures["falsely_clear"] = json!(real.intersection(&clear).collect::<Vec<_>>());
    figures["judged"] = found.len().into();
    figures["in_truth"] = object(&truth["accounts"]).count().into();
    figures
}

/// Over all accounts of the truth, over those that were breached, and by the way of entering.
fn rungs(truth: &Value, names: &Names, found: &Found) -> Value {
    let (mut all, mut right, mut deep, mut deep_right, mut vectors) = (0, 0, 0, 0, 0);
    let mut ways: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    for (name, row) in object(&truth["accounts"]) {
        let answer = found.get(&names.account(name));
        let rung = answer.map_or("none", |answer| text(answer, "rung"));
        let is_right = rung == text(row, "rung");
        all += 1;
        right += usize::from(is_right);
        if text(row, "verdict") == "breached" {
            deep += 1;
            deep_right += usize::from(is_right);
            let vector = answer.map_or("", |answer| text(&answer["entry"], "vector"));
            vectors += usize::from(vector == text(row, "vector"));
            let way = ways.entry(text(row, "way").to_owned()).or_default();
            way.0 += 1;
            let verdict = answer.map_or("", |answer| text(answer, "verdict"));
            way.1 += usize::from(verdict == "breached");
        }
    }
    let mut figures = json!({
        "exact": ratio(right, all), "exact_of_breached": ratio(deep_right, deep),
        "vector_exact_of_breached": ratio(vectors, deep),
    });
    for (way, (all, right)) in ways {
        let way = if way.is_empty() { "other".to_owned() } else { way };
        figures[format!("recall_{way}")] = format!("{right}/{all}").into();
    }
    figures
}

/// How far `first_seen` is off, in hours, where both call the account breached.
fn times(truth: &Value, names: &Names, found: &Found) -> Value {
    let mut errors = Vec::new();
    let (mut early, mut late) = (0, 0);
    for (name, row) in
        object(&truth["accounts"]).filter(|(_, row)| text(row, "verdict") == "breached")
    {
        let Some(answer) = found.get(&names.account(name)) else { continue };
        if text(answer, "verdict") != "breached" {
            continue;
        }
        let (Some(real), Some(told)) =
            (parse_time(text(row, "first_seen")), parse_time(text(answer, "first_seen")))
        else {
            continue;
        };
        early += usize::from(told < real - 60_000_000_000);
        late += usize::from(told > real + 60_000_000_000);
        errors.push((told - real).abs());
    }
    errors.sort_unstable();
    let at = |share: usize| errors.get(errors.len() * share / 100).map(|error| hours(*error));
    let exact = errors.iter().filter(|error| **error <= 60_000_000_000).count();
    json!({
        "compared": errors.len(), "within_a_minute": ratio(exact, errors.len()),
        "too_early": early, "too_late": late,
        "median_hours": at(50), "p95_hours": at(95),
    })
}

#[allow(clippy::cast_precision_loss, reason = "for people")]
fn hours(nanoseconds: i64) -> f64 {
    (nanoseconds as f64 / 3.6e12 * 100.0).round() / 100.0
}

/// What was read and taken: sums over the breached accounts.
fn counts(truth: &Value, names: &Names, found: &Found) -> Value {
    let mut figures = json!({});
    for what in ["mail_items", "mail_folders_synced", "files_viewed", "files_downloaded"] {
        let (mut real, mut told, mut same, mut rows) = (0, 0, 0, 0);
        for (name, row) in
            object(&truth["accounts"]).filter(|(_, row)| text(row, "verdict") == "breached")
        {
            let count = row[what].as_u64().unwrap_or(0);
            let answer = found.get(&names.account(name));
            let answer = answer.and_then(|answer| answer["access"][what].as_u64()).unwrap_or(0);
            real += count;
            told += answer;
            rows += 1;
            same += usize::from(count == answer);
        }
        let whole = usize::try_from(real).unwrap_or(0);
        figures[what] = json!(format!("{told} of {real}"));
        figures[format!("{what}_ratio")] = ratio(usize::try_from(told).unwrap_or(0), whole).into();
        figures[format!("{what}_exact_accounts")] = ratio(same, rows).into();
    }
    figures
}

fn hosts(truth: &Value, rows: &[Value]) -> Value {
    let real = object(&truth["hosts"])
        .filter(|(_, row)| text(row, "verdict") == "breached")
        .map(|(name, _)| name.to_lowercase())
        .collect();
    let found = rows
        .iter()
        .filter(|row| text(row, "verdict") == "breached")
        .map(|row| text(row, "host").to_lowercase())
        .collect();
    let mut figures = sets(&real, &found);
    let botnet: BTreeSet<String> = list(truth, "botnet_members").iter().map(plain).collect();
    let told: BTreeSet<String> = rows
        .iter()
        .filter(|row| text(row, "verdict") == "botnet_member")
        .map(|row| text(row, "host").to_lowercase())
        .collect();
    figures["botnet_missed"] = json!(botnet.difference(&told).collect::<Vec<_>>());
    figures["botnet_wrong"] = json!(told.difference(&botnet).collect::<Vec<_>>());
    figures
}

fn assets(truth: &Value, rows: &[Value]) -> Value {
    let (mut all, mut right) = (0, 0);
    let mut wrong = Vec::new();
    let mut falsely = Vec::new();
    for (name, row) in object(&truth["assets"]) {
        let answer = rows.iter().find(|answer| text(answer, "asset") == name);
        let told = answer.map_or("", |answer| text(answer, "verdict"));
        all += 1;
        if told == text(row, "verdict") {
            right += 1;
        } else {
            wrong.push(format!("{name}: {told}, not {}", text(row, "verdict")));
        }
        if told == "not_accessed" && text(row, "verdict") != "not_accessed" {
            falsely.push(name.clone());
        }
    }
    json!({"right": format!("{right}/{all}"), "wrong": wrong, "falsely_not_accessed": falsely})
}

/// A gap is reported if one of the same source and scope covers half of it.
fn gaps(truth: &Value, rows: &[Value]) -> Value {
    let mut missed = Vec::new();
    let all = list(truth, "gaps");
    for gap in all {
        let (Some(from), Some(to)) = (parse_time(text(gap, "from")), parse_time(text(gap, "to")))
        else {
            continue;
        };
        let covers = |told: &Value| {
            let (Some(start), Some(end)) =
                (parse_time(text(told, "from")), parse_time(text(told, "to")))
            else {
                return false;
            };
            (end.min(to) - start.max(from)) * 2 >= to - from
        };
        let is_told = rows
            .iter()
            .filter(|row| text(row, "source") == text(gap, "source"))
            .filter(|row| {
                let (scope, real) = (text(row, "scope").to_lowercase(), text(gap, "scope"));
                scope == real || scope == "tenant" || scope == "all"
            })
            .any(|row| list(row, "gaps").iter().any(covers) || starts_after(row, gap, from, to));
        if !is_told {
            let [source, scope, kind] = ["source", "scope", "kind"].map(|name| text(gap, name));
            missed.push(format!("{source} {scope} {kind}: {} lost", gap["records_lost"]));
        }
    }
    json!({
        "reported": format!("{}/{}", all.len() - missed.len(), all.len()), "missed": missed,
        "told_beside": beside(all, rows),
    })
}

/// How many gaps are told that overlap no true one of their source.
fn beside(all: &[Value], rows: &[Value]) -> usize {
    let span = |gap: &Value| Some((parse_time(text(gap, "from"))?, parse_time(text(gap, "to"))?));
    let is_beside = |source: &str, told: &Value| {
        let Some((start, end)) = span(told) else { return false };
        let real = all.iter().filter(|gap| text(gap, "source") == source).filter_map(span);
        !real.into_iter().any(|(from, to)| start <= to && end >= from)
    };
    let counts = rows.iter().map(|row| {
        let source = text(row, "source");
        list(row, "gaps").iter().filter(|told| is_beside(source, told)).count()
    });
    counts.sum()
}

/// A cleared log begins where it was cleared; a coverage that begins there says so too.
fn starts_after(row: &Value, gap: &Value, from: i64, to: i64) -> bool {
    text(gap, "kind") == "cleared"
        && parse_time(text(row, "from"))
            .is_some_and(|start| start > from && start >= to - 60_000_000_000)
        && list(row, "gaps").iter().any(|told| text(told, "kind") == "cleared")
}

/// One technique under the names of several versions, without its part after the dot.
fn family(technique: &str) -> &str {
    match technique {
        "T1562.002" | "T1070.001" | "T1685.005" | "T1685.001" => "T1685",
        _ => technique.split('.').next().unwrap_or(technique),
    }
}

fn path(truth: &Value, rows: &[Value]) -> Value {
    let stages = list(truth, "path");
    let mut pairs = Vec::new();
    let mut missed = Vec::new();
    for stage in stages {
        let wanted = family(text(stage, "technique"));
        let first = |fits: &dyn Fn(&str) -> bool| {
            let fitting = rows.iter().filter(|row| fits(text(row, "technique")));
            fitting.filter_map(|row| parse_time(text(row, "time"))).min()
        };
        let exact = first(&|technique| technique == text(stage, "technique"));
        let told = exact.or_else(|| first(&|technique| family(technique) == wanted));
        match (told, parse_time(text(stage, "time"))) {
            (Some(told), Some(real)) => pairs.push((real, told)),
            _ => missed.push(format!("{} {}", text(stage, "tactic"), text(stage, "technique"))),
        }
    }
    json!({
        "recall": ratio(pairs.len(), stages.len()), "kendall_tau": tau(&pairs), "missed": missed,
    })
}

/// Agreement of two orders, from -1 to 1; pairs that are equal in either do not count.
fn tau(pairs: &[(i64, i64)]) -> Value {
    let (mut same, mut other) = (0_i64, 0_i64);
    for (position, first) in pairs.iter().enumerate() {
        for second in &pairs[position + 1..] {
            let product = (first.0 - second.0).signum() * (first.1 - second.1).signum();
            same += i64::from(product > 0);
            other += i64::from(product < 0);
        }
    }
    if same + other == 0 {
        return Value::Null;
    }
    #[allow(clippy::cast_precision_loss, reason = "small counts")]
    let tau = (same - other) as f64 / (same + other) as f64;
    json!((tau * 1000.0).round() / 1000.0)
}

fn entry(truth: &Value, rows: &[Value]) -> Value {
    let real = list(truth, "entry");
    let mut missed = Vec::new();
    for entry in real {
        let is_found = rows.iter().any(|row| {
            let near = match (parse_time(text(row, "time")), parse_time(text(entry, "time"))) {
                (Some(told), Some(real)) => (told - real).abs() <= 3_600_000_000_000,
                _ => false,
            };
            near && text(row, "vector") == text(entry, "vector")
        });
        if !is_found {
            missed.push(format!("{} {}", text(entry, "vector"), text(entry, "time")));
        }
    }
    let vectors: Vec<String> = rows.iter().map(|row| text(row, "vector").to_owned()).collect();
    let right = real.len() - missed.len();
    json!({"right": format!("{right}/{}", real.len()), "missed": missed, "found": vectors})
}

fn messages(truth: &Value, rows: &[Value]) -> Value {
    let verdicts: BTreeMap<&str, &str> = rows
        .iter()
        .map(|row| (text(row, "message_id").trim_matches(['<', '>']), text(row, "verdict")))
        .collect();
    let mut missed = Vec::new();
    let mut all = 0;
    for (id, row) in object(&truth["messages"]) {
        if text(row, "verdict") == "malicious" {
            all += 1;
            if !matches!(verdicts.get(id.as_str()), Some(&("malicious" | "suspicious"))) {
                missed.push(id.clone());
            }
        }
    }
    let harmless = list(truth, "benign").iter().filter(|decoy| text(decoy, "kind") == "message");
    let wrong: Vec<&str> = harmless
        .map(|decoy| text(decoy, "value"))
        .filter(|id| verdicts.get(id) == Some(&"malicious"))
        .collect();
    json!({"found": format!("{}/{all}", all - missed.len()), "missed": missed, "wrong": wrong})
}

fn decoys(truth: &Value, names: &Names, found: &Found, hosts: &[Value], entry: &[Value]) -> Value {
    let guilty = breached(truth, names);
    let mut flagged = Vec::new();
    let all = list(truth, "benign");
    for decoy in all {
        let value = text(decoy, "value");
        let is_flagged = match text(decoy, "kind") {
            "account" => {
                let name = names.account(value);
                let verdict = found.get(&name).map_or("", |row| text(row, "verdict"));
                !guilty.contains(&name) && matches!(verdict, "breached" | "suspected")
            }
            "host" => hosts.iter().any(|row| {
                text(row, "host").eq_ignore_ascii_case(value)
                    && matches!(text(row, "verdict"), "breached" | "suspected" | "botnet_member")
            }),
            "address" => entry.iter().any(|row| text(row, "address") == value),
            _ => false,
        };
        if is_flagged {
            flagged.push(format!("{value}: {}", text(decoy, "why")));
        }
    }
    json!({"planted": all.len(), "flagged": flagged})
}
