//! From judgements to findings: what the attachments are, which hosts show them, and in what words.

use std::collections::{BTreeMap, BTreeSet};

use makyo_base::{
    Entity, EntityKind, Finding, Level, Object, Query, QueryError, RecordRef, Role, Value,
    parse_json, sql_text,
};

use super::judge::{Family, Judgement, Verdict};
use super::message::MailMessage;
use super::scale::MailScale;
use super::{ANALYTIC, ATTACHMENT, OPENED, TAKEN_OVER};
use crate::analytic::{Analytic, entity};

/// A host shows what a message brought within so many days.
const OPENED_WITHIN_NS: i64 = 14 * 24 * 3_600_000_000_000;
/// Messages for which hosts are asked, and rows that an answer may have.
const ASKED_MAX: usize = 2_000;
const ROWS_MAX: usize = 5_000;

/// A message weighs no more, however much is said of it; one that is only suspicious stays below
/// what makes an incident.
const WEIGHT_MAX: f64 = 36.0;
const SUSPICION_MAX: f64 = 12.0;

/// What a host shows of a message.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Trace {
    pub(crate) at: i64,
    pub(crate) host: String,
    account: String,
    what: String,
    record: RecordRef,
}

/// Messages whose traces are looked for: those with something against them already.
fn asked(made: &[Judgement], scale: &MailScale) -> Vec<usize> {
    let has =
        |one: &Judgement| one.verdict(scale) >= Verdict::Suspicious && one.mass < one.weight(scale);
    (0..made.len()).filter(|at| made.get(*at).is_some_and(has)).take(ASKED_MAX).collect()
}

/// Looks for the hashes, names and link hosts of suspicious messages in what hosts recorded.
pub(crate) fn outcomes(
    query: &dyn Query,
    all: &[MailMessage],
    made: &mut [Judgement],
    scale: &MailScale,
) -> Result<(), QueryError> {
    let asked = asked(made, scale);
    let found = traces(query, all, &asked)?;
    for (at, traces) in found {
        let Some(first) = traces.first() else { continue };
        if let Some(one) = made.get_mut(at) {
            let says = format!("{} on {}", first.what, first.host);
            one.add(Family::Outcome, scale.item("seen_on_host"), says);
        }
    }
    Ok(())
}

fn traces(
    query: &dyn Query,
    all: &[MailMessage],
    asked: &[usize],
) -> Result<BTreeMap<usize, Vec<Trace>>, QueryError> {
    let mut names: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for at in asked {
        let Some(message) = all.get(*at) else { continue };
        for hash in message.list("hashes") {
            names.entry(hash.clone()).or_default().push(*at);
        }
        for name in message.list("names").iter().chain(&link_names(message)) {
            names.entry(name.clone()).or_default().push(*at);
        }
    }
    if names.is_empty() {
        return Ok(BTreeMap::new());
    }
    let hashes: Vec<String> =
        names.keys().filter(|name| name.len() == 64).map(|name| sql_text(name)).collect();
    let mut tests: Vec<String> = names
        .keys()
        .filter(|name| name.len() != 64)
        .flat_map(|name| {
            let like = sql_text(&format!("%{}%", escaped(name)));
            ["process_cmd_line", "process_path", "file_path"]
                .map(|column| format!("lower({column}) LIKE {like} ESCAPE '\\'"))
        })
        .collect();
    if !hashes.is_empty() {
        tests.push(format!("file_hash_sha256 IN ({})", hashes.join(", ")));
    }
    let sql = format!(
        "SELECT host, coalesce(account, '') AS account, CAST(time AS BIGINT) AS at,
                lower(concat(coalesce(process_path, ''), ' ', coalesce(process_cmd_line, ''), ' ',
                             coalesce(file_path, ''), ' ', coalesce(file_hash_sha256, ''))) AS seen,
                coalesce(process_path, '') AS program, file, record
         FROM events WHERE host IS NOT NULL AND time IS NOT NULL AND makyo_features IS NULL
           AND ({}) ORDER BY at, file, record LIMIT {ROWS_MAX}",
        tests.join(" OR ")
    );
    let mut found: BTreeMap<usize, Vec<Trace>> = BTreeMap::new();
    for row in query.query(&sql)?.iter() {
        let (seen, time) = (row.string("seen"), row.integer("at").unwrap_or_default());
        for (name, holders) in names.iter().filter(|name| seen.contains(name.0.as_str())) {
            let is_run = !row.string("program").is_empty();
            let verb = if is_run { "was started" } else { "was seen" };
            let what = if name.len() == 64 { "its object" } else { name.trim_start_matches('\\') };
            for at in holders {
                let received = all.get(*at).map_or(i64::MAX, |message| message.at);
                if (received..=received.saturating_add(OPENED_WITHIN_NS)).contains(&time) {
                    found.entry(*at).or_default().push(Trace {
                        at: time,
                        host: row.string("host"),
                        account: row.string("account"),
                        what: format!("`{what}` {verb}"),
                        record: row.reference(),
                    });
                }
            }
        }
    }
    only_of_recipients(all, &mut found);
    Ok(found)
}

/// Of a lure that went to several, the traces of one recipient's account are not the others'.
fn only_of_recipients(all: &[MailMessage], found: &mut BTreeMap<usize, Vec<Trace>>) {
    let plain = |name: &str| name.to_lowercase().replace(['.', '-', '_'], "");
    let user = |account: &str| {
        let end = account.rsplit('\\').next().unwrap_or_default();
        plain(end.split('@').next().unwrap_or_default())
    };
    let is_to = |at: usize, account: &str| {
        let user = user(account);
        let to = all.get(at).map(|message| message.to.as_slice()).unwrap_or_default();
        !user.is_empty()
            && to.iter().any(|to| plain(to.split('@').next().unwrap_or_default()) == user)
    };
    let owned: BTreeSet<(String, u64)> = found
        .iter()
        .flat_map(|(at, traces)| traces.iter().map(move |trace| (*at, trace)))
        .filter(|(at, trace)| is_to(*at, &trace.account))
        .map(|(_, trace)| (trace.record.file.clone(), trace.record.record))
        .collect();
    for (at, traces) in found.iter_mut() {
        traces.retain(|trace| {
            let is_owned = owned.contains(&(trace.record.file.clone(), trace.record.record));
            !is_owned || is_to(*at, &trace.account)
        });
    }
    found.retain(|_, traces| !traces.is_empty());
}

/// The stem of a file that a link leads to, long enough to be one file's: it becomes a folder or a
/// program's name when it is unpacked.
fn link_names(message: &MailMessage) -> Vec<String> {
    let stem = |link: &String| {
        let path = link.split(['?', '#']).next().unwrap_or_default();
        let last = path.rsplit('/').next().unwrap_or_default().to_lowercase();
        let stem = last.rsplit_once('.').map_or(last.as_str(), |parts| parts.0).to_owned();
        (stem.chars().count() >= 6).then(|| format!("\\{stem}"))
    };
    message.list("file_links").iter().filter_map(stem).collect()
}

fn escaped(name: &str) -> String {
    name.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_")
}

/// The objects of a message with what was seen in them.
struct Seen {
    path: String,
    sha256: String,
    kind: String,
    facts: Vec<(String, String)>,
}

fn objects(query: &dyn Query, message: &MailMessage) -> Result<Vec<Seen>, QueryError> {
    let sql = format!(
        "SELECT coalesce(unmapped, '{{}}') AS unmapped FROM events WHERE file = {} AND record = {} AND makyo_features IS NOT NULL",
        sql_text(&message.file),
        message.number
    );
    let rows = query.query(&sql)?;
    let text = rows.iter().next().map(|row| row.string("unmapped")).unwrap_or_default();
    let Ok(Value::Object(record)) = parse_json(&text) else { return Ok(Vec::new()) };
    let Some(Value::List(list)) = record.get("objects") else { return Ok(Vec::new()) };
    let word = |object: &Object<'_>, name: &str| {
        object.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    Ok(list
        .iter()
        .filter_map(Value::as_object)
        .map(|object| Seen {
            path: word(object, "name"),
            sha256: word(object, "sha256"),
            kind: word(object, "kind"),
            facts: match object.get("facts") {
                Some(Value::List(facts)) => facts
                    .iter()
                    .filter_map(Value::as_object)
                    .map(|fact| (word(fact, "fact"), word(fact, "detail")))
                    .collect(),
                _ => Vec::new(),
            },
        })
        .collect())
}

/// Findings of all messages that are at least suspicious.
pub(crate) fn findings(
    query: &dyn Query,
    all: &[MailMessage],
    made: &[Judgement],
    scale: &MailScale,
) -> Result<Vec<Finding>, QueryError> {
    let asked = asked(made, scale);
    let traces = traces(query, all, &asked)?;
    let mut found = Vec::new();
    let mut taken: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (at, (message, one)) in all.iter().zip(made).enumerate() {
        let verdict = one.verdict(scale);
        if verdict == Verdict::Clean {
            continue;
        }
        let objects =
            if message.list("facts").is_empty() { Vec::new() } else { objects(query, message)? };
        found.push(whole(message, one, verdict, &objects, scale));
        found.extend(objects.iter().filter_map(|object| of_object(message, object, scale)));
        if let Some(traces) = traces.get(&at) {
            found.extend(of_traces(message, traces, verdict));
        }
        if verdict == Verdict::Malicious && one.is_known && one.drifts && message.is_vouched_for() {
            taken.entry(&message.from).or_default().push(at);
        }
    }
    for (sender, list) in taken {
        let messages: Vec<&MailMessage> = list.iter().filter_map(|at| all.get(*at)).collect();
        found.extend(of_sender(sender, &messages));
    }
    Ok(found)
}

fn people(message: &MailMessage) -> Vec<Option<Entity>> {
    let mut entities = vec![
        entity(Role::Origin, EntityKind::Account, &message.from),
        entity(Role::Object, EntityKind::Message, &message.id),
    ];
    entities.extend(message.to.iter().map(|to| entity(Role::Target, EntityKind::Account, to)));
    entities
}

/// The sentences of facts, with their details where the objects are known.
fn sentences(one: &Judgement, objects: &[Seen], scale: &MailScale) -> Vec<String> {
    let mut said: Vec<String> = Vec::new();
    for reason in one.reasons() {
        let Some(id) = reason.strip_prefix("fact:") else {
            said.push(reason);
            continue;
        };
        let Some(fact) = scale.fact(id) else { continue };
        let holders = objects.iter().filter_map(|object| {
            let seen = object.facts.iter().find(|fact| fact.0 == id)?;
            Some(format!("{} {}", object.path, fact.says(&seen.1)))
        });
        said.extend(holders.take(3));
    }
    // The list is divided by this sign.
    said.into_iter().map(|reason| reason.replace("; ", ", ")).collect()
}

fn whole(
    message: &MailMessage,
    one: &Judgement,
    verdict: Verdict,
    objects: &[Seen],
    scale: &MailScale,
) -> Finding {
    let mut reasons = sentences(one, objects, scale);
    if one.mass >= scale.bound("mass_suspicious") {
        reasons.push("it has the signs of mass phishing".to_owned());
    }
    if message.is_vouched_for() && one.drifts && one.is_known {
        reasons.push(
            "the sender's own server vouches for it, which says that it came through that account and not who wrote it".to_owned(),
        );
    }
    let text = format!("{} sent “{}”: {}", message.from, message.subject, reasons.join("; "));
    let records = vec![message.reference()];
    if verdict == Verdict::Malicious {
        let entities = people(message).into_iter().flatten().collect();
        let weight = one.weight(scale).clamp(20.0, WEIGHT_MAX);
        return ANALYTIC.finding(Some(message.at), weight, entities, records, text);
    }
    // Company of a lure, or mail to look at: no way in by itself, and nobody's attempt yet.
    let entities = [
        entity(Role::Origin, EntityKind::Account, &message.from),
        entity(Role::Place, EntityKind::Message, &message.id),
    ];
    let weight = one.weight(scale).clamp(7.0, SUSPICION_MAX);
    let analytic = Analytic { level: Level::Medium, techniques: &[], tactics: &[], ..ANALYTIC };
    analytic.finding(
        Some(message.at),
        weight,
        entities.into_iter().flatten().collect(),
        records,
        text,
    )
}

/// What is wrong with one object. It weighs nothing by itself: its message is weighed.
fn of_object(message: &MailMessage, object: &Seen, scale: &MailScale) -> Option<Finding> {
    let weighed: Vec<(f64, String)> = object
        .facts
        .iter()
        .filter_map(|(id, detail)| scale.fact(id).map(|fact| (fact.weight, fact.says(detail))))
        .collect();
    let most = weighed.iter().map(|one| one.0).fold(0.0, f64::max);
    if most < 6.0 {
        return None;
    }
    let level = match most {
        most if most >= 18.0 => Level::High,
        most if most >= 9.0 => Level::Medium,
        _ => Level::Low,
    };
    let says: Vec<String> = weighed
        .into_iter()
        .filter(|one| one.0 > 0.0)
        .map(|one| one.1.replace("; ", ", "))
        .collect();
    let analytic = Analytic { level, ..ATTACHMENT };
    let mut entities = people(message);
    entities.push(entity(Role::Object, EntityKind::File, &object.path));
    entities.push(entity(Role::Object, EntityKind::Hash, &object.sha256));
    let text = format!("{} ({}): {}", object.path, object.kind, says.join("; "));
    let entities = entities.into_iter().flatten().collect();
    Some(analytic.finding(Some(message.at), 0.0, entities, vec![message.reference()], text))
}

/// One finding for each host that shows what the message brought.
fn of_traces(message: &MailMessage, traces: &[Trace], verdict: Verdict) -> Vec<Finding> {
    let hosts: BTreeSet<&str> = traces.iter().map(|trace| trace.host.as_str()).collect();
    hosts
        .into_iter()
        .filter_map(|host| {
            let own: Vec<&Trace> = traces.iter().filter(|trace| trace.host == host).collect();
            let first = own.first()?;
            let level = if verdict == Verdict::Malicious { Level::High } else { Level::Medium };
            let analytic = Analytic { level, ..OPENED };
            let mut entities = people(message);
            entities.push(entity(Role::Place, EntityKind::Host, host));
            entities.push(entity(Role::Actor, EntityKind::Account, &first.account));
            let mut records = vec![message.reference()];
            records.extend(own.iter().map(|trace| trace.record.clone()).take(10));
            let text = format!(
                "{host} shows what “{}” of {} brought: {}",
                message.subject, message.from, first.what
            );
            let entities = entities.into_iter().flatten().collect();
            Some(analytic.finding(Some(first.at), 20.0, entities, records, text))
        })
        .collect()
}

/// About the sender, a third party: it is said so, and nobody is accused.
fn of_sender(sender: &str, messages: &[&MailMessage]) -> Option<Finding> {
    let first = messages.first()?;
    let text = format!(
        "the account {sender} was probably used by somebody else: {} of its messages came through the sender's own server and were not written as its owner writes; this is about the correspondent's side, who should be told by another way than mail",
        messages.len()
    );
    let entities = vec![entity(Role::Origin, EntityKind::Account, sender)];
    let records = messages.iter().map(|message| message.reference()).take(20).collect();
    let entities = entities.into_iter().flatten().collect();
    Some(TAKEN_OVER.finding(Some(first.at), 0.0, entities, records, text))
}
