//! What must not leak, and whether it did: `accessed`, `not_accessed` with its proof, `unknown`
//! with its reason.
//!
//! `not_accessed` needs all of this: an intrusion whose time is known, the logs that would show an
//! access there and whole for all of it, and no use of the asset by any account in the intruder's
//! hands, from wherever. One missing piece makes it `unknown`.

use std::collections::{BTreeMap, BTreeSet};

use makyo_base::{Asset, Object, Query, QueryError, Value};

use crate::accounts::{Judged, Rung};
use crate::answers::{Picture, Table};
use crate::rows::{object, text, texts, time};

const COLUMNS: &[&str] =
    &["asset", "verdict", "first", "last", "operations", "accounts", "gaps", "reason"];

/// Mailboxes whose reading is logged at all.
const MAILBOXES: &str = "
    SELECT DISTINCT lower(coalesce(resource_owner_name, account)) AS mailbox FROM events
    WHERE metadata_event_code = 'MailItemsAccessed' ORDER BY 1";

/// One use of an asset by anybody.
struct Touch {
    account: String,
    operation: String,
    first: i64,
    last: i64,
    is_tied: bool,
}

pub(crate) fn table(
    picture: &Picture<'_>,
    judged: &BTreeMap<String, Judged>,
    query: &dyn Query,
) -> Result<Table, QueryError> {
    let logged: BTreeSet<String> =
        query.query(MAILBOXES)?.iter().map(|row| row.string("mailbox")).collect();
    let rows = picture
        .organisation
        .assets
        .iter()
        .map(|asset| judge(picture, judged, asset, &logged))
        .collect();
    Ok(Table { name: "assets", columns: COLUMNS, rows })
}

fn judge(
    picture: &Picture<'_>,
    judged: &BTreeMap<String, Judged>,
    asset: &Asset,
    logged: &BTreeSet<String>,
) -> Object<'static> {
    let touches: Vec<Touch> =
        asset.matches.iter().flat_map(|pattern| touches(picture, pattern)).collect();
    let tied: Vec<&Touch> = touches.iter().filter(|touch| touch.is_tied).collect();
    if !tied.is_empty() {
        let reason = "the intruder's session or address used it".to_owned();
        return row(asset, "accessed", &tied, &[], &reason);
    }
    let Some(window) = picture.window() else {
        return row(
            asset,
            "unknown",
            &[],
            &[],
            "no intrusion was found whose time could be covered",
        );
    };
    let in_window: Vec<&Touch> = touches
        .iter()
        .filter(|touch| touch.last >= window.0 && touch.first <= window.1)
        .filter(|touch| {
            judged.get(&touch.account).is_some_and(|account| account.rung >= Rung::Authenticated)
        })
        .collect();
    if let Some(touch) = in_window.first() {
        let reason = format!(
            "{} used it in the time of the intrusion, and its account was in the intruder's hands",
            touch.account
        );
        return row(asset, "unknown", &in_window, &[], &reason);
    }
    let gaps: Vec<String> = asset
        .matches
        .iter()
        .filter_map(|pattern| proof(picture, pattern, window, logged).err())
        .collect();
    if gaps.is_empty() {
        row(
            asset,
            "not_accessed",
            &[],
            &[],
            "the logs that would show it are there and whole, and show no use by an account in the intruder's hands",
        )
    } else {
        row(asset, "unknown", &[], &gaps, &gaps.join("; "))
    }
}

/// Whether an access to what the pattern names would have shown.
fn proof(
    picture: &Picture<'_>,
    pattern: &str,
    window: (i64, i64),
    logged: &BTreeSet<String>,
) -> Result<(), String> {
    match pattern.split_once(':') {
        Some(("sharepoint", _)) => picture.coverage.proves("m365-unified-audit", window),
        Some(("mailbox", mailbox)) => {
            let mailbox = mailbox.to_lowercase();
            if !logged.contains(&mailbox) {
                return Err(format!("reading of mailbox {mailbox} does not seem to be logged"));
            }
            picture.coverage.proves("m365-unified-audit", window)
        }
        Some(("smb", path)) => {
            let host =
                path.trim_start_matches('\\').split('\\').next().unwrap_or_default().to_lowercase();
            if !picture.facts.shares.iter().any(|share| share.host == host) {
                return Err(format!("access to shares of {host} does not seem to be logged"));
            }
            picture.coverage.proves_host("windows-security", &host, window)
        }
        _ => Err(format!("pattern is of no kind that can be looked up: {pattern}")),
    }
}

fn touches(picture: &Picture<'_>, pattern: &str) -> Vec<Touch> {
    let mut found = Vec::new();
    let (kind, path) = pattern.split_once(':').unwrap_or(("", pattern));
    for used in &picture.facts.uses {
        let fits = match kind {
            "sharepoint" => {
                used.items.iter().chain([&used.place]).any(|item| site_fits(path, item))
            }
            "mailbox" => {
                let mailbox = if used.owner.is_empty() { &used.account } else { &used.owner };
                matches!(used.access.as_str(), "bind" | "sync" | "send" | "delete")
                    && mailbox.eq_ignore_ascii_case(path)
            }
            _ => false,
        };
        if fits {
            found.push(Touch {
                account: used.account.clone(),
                operation: used.operation.clone(),
                first: used.first,
                last: used.last,
                is_tied: picture.tied_use(used).is_some(),
            });
        }
    }
    if kind == "smb" {
        for share in &picture.facts.shares {
            let name = share.name();
            if glob(&path.to_lowercase(), &format!("{}\\", name.to_lowercase())) {
                found.push(Touch {
                    account: share.account.clone(),
                    operation: "share access".into(),
                    first: share.first,
                    last: share.last,
                    is_tied: picture.tied_share(share).is_some(),
                });
            }
        }
    }
    found
}

/// `/sites/launch/**` fits `https://host/sites/launch/a/b` and the site itself.
fn site_fits(pattern: &str, item: &str) -> bool {
    let path = item
        .split_once("//")
        .and_then(|(_, rest)| rest.find('/').and_then(|at| rest.get(at..)))
        .unwrap_or(item);
    let path = path.to_lowercase();
    let pattern = pattern.to_lowercase();
    glob(&pattern, &path) || glob(&pattern, &format!("{}/", path.trim_end_matches('/')))
}

/// `**` stands for anything, `*` for anything within one folder.
fn glob(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((head, rest)) => {
            let Some(tail) = text.strip_prefix(head) else { return false };
            let (rest, deep) = rest.strip_prefix('*').map_or((rest, false), |rest| (rest, true));
            let ends = tail.char_indices().map(|(at, _)| at).chain([tail.len()]);
            ends.take_while(|at| deep || !tail.get(..*at).unwrap_or_default().contains(['/', '\\']))
                .any(|at| glob(rest, tail.get(at..).unwrap_or_default()))
        }
    }
}

fn row(
    asset: &Asset,
    verdict: &str,
    touches: &[&Touch],
    gaps: &[String],
    reason: &str,
) -> Object<'static> {
    let operations: BTreeSet<String> =
        touches.iter().map(|touch| touch.operation.clone()).collect();
    let accounts: BTreeSet<String> = touches.iter().map(|touch| touch.account.clone()).collect();
    let gap = |reason: &String| {
        Value::Object(object(vec![
            ("from", Value::Null),
            ("to", Value::Null),
            ("source", Value::Null),
            ("reason", text(reason.clone())),
        ]))
    };
    object(vec![
        ("asset", text(asset.name.clone())),
        ("verdict", text(verdict)),
        ("first", time(touches.iter().map(|touch| touch.first).min())),
        ("last", time(touches.iter().map(|touch| touch.last).max())),
        ("operations", texts(&operations)),
        ("accounts", texts(&accounts)),
        ("gaps", Value::List(gaps.iter().map(gap).collect())),
        ("reason", text(reason)),
    ])
}
