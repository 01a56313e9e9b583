//! The nine questions, each answered in one sentence with its most important fact.

use makyo_base::{Object, Value};

/// The nine headings, in their order.
pub const HEADINGS: [&str; 9] = [
    "Entry",
    "Accounts",
    "Hosts and devices",
    "Path",
    "Access",
    "Not accessed",
    "Still there",
    "Same as",
    "Who",
];

/// One question with its short answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Nine {
    /// 1 to 9.
    pub number: usize,
    /// Its heading.
    pub heading: &'static str,
    /// One or two sentences.
    pub answer: String,
    /// Whether the evidence could answer it.
    pub is_answered: bool,
}

/// A look-up of answer tables by name.
pub type Tables<'a> = dyn Fn(&str) -> &'a [Object<'static>] + 'a;

/// Answers all nine in short. `accounts_in_all` is the number that the organisation gave.
#[must_use]
pub fn nine(tables: &Tables<'_>, accounts_in_all: Option<u64>) -> Vec<Nine> {
    let answers = [
        entry(tables),
        accounts(tables, accounts_in_all),
        hosts(tables),
        path(tables),
        access(tables),
        not_accessed(tables),
        still_there(tables),
        same_as(tables),
        who(tables),
    ];
    HEADINGS
        .into_iter()
        .zip(answers)
        .enumerate()
        .map(|(index, (heading, (is_answered, answer)))| Nine {
            number: index + 1,
            heading,
            answer,
            is_answered,
        })
        .collect()
}

/// From the tables that `makyo link` fills.
fn same_as(tables: &Tables<'_>) -> (bool, String) {
    let Some(found) = tables("linkage").first() else {
        let answer = "Not answered from one case: `makyo link` compares cases and finds campaigns.";
        return (false, answer.to_owned());
    };
    let count = |name: &str| found.get(name).and_then(Value::as_text).unwrap_or_default();
    if text(found, "campaign").is_empty() {
        return (
            true,
            format!(
                "Among the {} incidents that were compared, none is linked with this case.",
                count("compared")
            ),
        );
    }
    (
        true,
        format!(
            "This case is in campaign {}: {} linked incidents of {} that were compared, {} more are possible members and not linked. What links them stands below, and what would break each link.",
            text(found, "campaign"),
            count("linked"),
            count("compared"),
            count("possible")
        ),
    )
}

/// From the tables that `makyo attribute` fills.
fn who(tables: &Tables<'_>) -> (bool, String) {
    match tables("judgement").first() {
        Some(found) => (true, text(found, "en").to_owned()),
        None => {
            let answer = "Not answered from one case: `makyo attribute` weighs it against published knowledge.";
            (false, answer.to_owned())
        }
    }
}

pub(crate) fn text<'a>(row: &'a Object<'_>, name: &str) -> &'a str {
    row.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn with<'a>(rows: &'a [Object<'static>], name: &str, value: &str) -> Vec<&'a Object<'static>> {
    rows.iter().filter(|row| text(row, name) == value).collect()
}

fn entry(tables: &Tables<'_>) -> (bool, String) {
    let rows = tables("entry");
    let Some(first) = rows.first() else {
        return (false, "No intrusion was found in what was read. That is no proof that there was none: see the coverage.".to_owned());
    };
    let through =
        if text(first, "through").is_empty() { "an unknown way" } else { text(first, "through") };
    let what = match text(first, "vector") {
        "phishing" => format!("by mail from {through} to {}", text(first, "account")),
        "vpn_appliance" => format!(
            "through the VPN appliance {through}, access not explained by any logged authentication; the flaw is not identified"
        ),
        "stolen_credential" => format!("with a stolen credential, by {through}"),
        "stolen_token" => format!("with a stolen token, by {through}"),
        _ => format!("by {through}"),
    };
    let more = match rows.len() - 1 {
        0 => String::new(),
        1 => "; one more way in was used".to_owned(),
        more => format!("; {more} more ways in were used"),
    };
    (true, format!("First at {} {what}{more}.", text(first, "time")))
}

fn accounts(tables: &Tables<'_>, in_all: Option<u64>) -> (bool, String) {
    let rows = tables("accounts");
    if rows.is_empty() {
        return (false, "No account of the organisation appears in the evidence.".to_owned());
    }
    let of = |verdict| with(rows, "verdict", verdict).len();
    let total = in_all.map_or_else(|| format!("{} seen", rows.len()), |all| all.to_string());
    let worst = with(rows, "verdict", "breached").into_iter().max_by_key(|row| {
        ["authenticated", "accessed", "exfil_likely", "modified"]
            .iter()
            .position(|rung| *rung == text(row, "rung"))
    });
    let worst = worst
        .map(|row| format!(" The furthest: {} ({}).", text(row, "account"), text(row, "rung")))
        .unwrap_or_default();
    (
        true,
        format!(
            "{} of {total} breached, {} suspected, {} targeted, {} clear, {} unknown.{worst}",
            of("breached"),
            of("suspected"),
            of("targeted"),
            of("clear"),
            of("unknown"),
        ),
    )
}

fn hosts(tables: &Tables<'_>) -> (bool, String) {
    let rows = tables("hosts");
    if rows.is_empty() {
        return (false, "No host's own log is among the evidence.".to_owned());
    }
    let breached = with(rows, "verdict", "breached");
    let names: Vec<&str> = breached.iter().map(|row| text(row, "host")).collect();
    let unknown = with(rows, "verdict", "unknown").len();
    let which = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
    (
        true,
        format!(
            "{} of {} hosts breached: {which}; {unknown} unknown. {}",
            names.len(),
            rows.len(),
            membership(tables)
        ),
    )
}

/// So many members are named.
const MEMBERS_NAMED: usize = 5;

/// Which own devices serve a botnet, or why that is not known.
fn membership(tables: &Tables<'_>) -> String {
    let members = with(tables("hosts"), "verdict", "botnet_member");
    let names: Vec<&str> =
        members.iter().take(MEMBERS_NAMED).map(|row| text(row, "host")).collect();
    let more = members.len().saturating_sub(names.len());
    match members.len() {
        0 if tables("flow_notes").is_empty() => {
            "Without flow logs membership of a botnet is not judged.".to_owned()
        }
        0 => "No own device is seen to serve a botnet.".to_owned(),
        count => {
            let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
            format!("{count} own devices serve a botnet: {}{rest}.", names.join(", "))
        }
    }
}

fn path(tables: &Tables<'_>) -> (bool, String) {
    let rows = tables("path");
    let incidents = tables("incidents").len();
    if rows.is_empty() {
        return (false, "No incident, so no path.".to_owned());
    }
    let mut tactics: Vec<&str> = Vec::new();
    for row in rows {
        let tactic = text(row, "tactic");
        if !tactic.is_empty() && !tactics.contains(&tactic) {
            tactics.push(tactic);
        }
    }
    let word = if incidents == 1 { "incident" } else { "incidents" };
    (true, format!("{incidents} {word} in {} steps: {}.", rows.len(), tactics.join(" \u{2192} ")))
}

fn access(tables: &Tables<'_>) -> (bool, String) {
    let rows = tables("access");
    if rows.is_empty() {
        let answer = "No access is tied to the intruder in what was read.";
        return (false, answer.to_owned());
    }
    let sum = |kind: &str| -> i128 {
        rows.iter()
            .filter(|row| text(row, "kind") == kind && text(row, "certainty") == "accessed")
            .map(|row| match row.get("count") {
                Some(Value::Int(count)) => *count,
                _ => 0,
            })
            .sum()
    };
    let presumed = with(rows, "certainty", "presumed").len();
    let more = if presumed > 0 {
        format!("; {presumed} folders or mailboxes must be presumed taken as a whole")
    } else {
        String::new()
    };
    (
        true,
        format!(
            "At least {} mails, {} files in the cloud and {} files on shares{more}.",
            sum("mail"),
            sum("file"),
            sum("share")
        ),
    )
}

fn not_accessed(tables: &Tables<'_>) -> (bool, String) {
    let rows = tables("assets");
    if rows.is_empty() {
        return (
            false,
            "No assets are named in org.toml, so nothing can be shown as not reached.".to_owned(),
        );
    }
    let names = |verdict| {
        with(rows, "verdict", verdict)
            .iter()
            .map(|row| text(row, "asset"))
            .collect::<Vec<_>>()
            .join(", ")
    };
    let part = |word: &str, names: String| {
        if names.is_empty() { String::new() } else { format!("{word}: {names}. ") }
    };
    let answer = format!(
        "{}{}{}",
        part("Provably not accessed", names("not_accessed")),
        part("Accessed", names("accessed")),
        part("The logs do not let us say", names("unknown")),
    );
    (true, answer.trim_end().to_owned())
}

fn still_there(tables: &Tables<'_>) -> (bool, String) {
    let rows = tables("persistence");
    if tables("incidents").is_empty() {
        return (false, "No incident, so no way back in is known.".to_owned());
    }
    let open = rows.iter().filter(|row| text(row, "present") != "false").count();
    let first = tables("containment")
        .first()
        .map(|row| format!(" First: {} ({}).", text(row, "action"), text(row, "target")))
        .unwrap_or_default();
    (true, format!("{open} ways back in are known and not seen removed.{first}"))
}
