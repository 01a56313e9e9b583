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
use crate::facts::{CloudUse, ShareUse};
use crate::rows::{object, text, texts, time};

const COLUMNS: &[&str] =
    &["asset", "verdict", "first", "last", "operations", "accounts", "gaps", "reason"];

/// Mailboxes whose reading is logged at all.
const MAILBOXES: &str = "
    SELECT DISTINCT lower(coalesce(resource_owner_name, account)) AS mailbox FROM events
    WHERE metadata_event_code = 'MailItemsAccessed' ORDER BY 1";

/// Uses of files below a path; `{fits}` is the pattern's regular expression.
const SITE_USES: &str = "
    SELECT account, coalesce(src_endpoint_ip, '') AS address,
           coalesce(actor_session_uid, '') AS session,
           coalesce(metadata_event_code, '') AS operation,
           CAST(min(time) AS BIGINT) AS first, CAST(max(time) AS BIGINT) AS last
    FROM events
    WHERE source = 'm365-unified-audit' AND account IS NOT NULL AND time IS NOT NULL
      AND makyo_access IS NOT NULL
      AND (regexp_like(lower(file_path), {fits}) OR regexp_like(lower(resource_name), {fits}))
    GROUP BY account, src_endpoint_ip, actor_session_uid, metadata_event_code
    ORDER BY first, account, address, session, operation";

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
    let assets = picture.organisation.assets.iter();
    let rows: Result<Vec<_>, QueryError> = assets
        .map(|asset| {
            let touches = asset.matches.iter().map(|pattern| touches(picture, pattern, query));
            let touches: Result<Vec<_>, QueryError> = touches.collect();
            let touches = touches?.into_iter().flatten().collect();
            Ok(judge(picture, judged, asset, touches, &logged))
        })
        .collect();
    let rows = rows?;
    Ok(Table { name: "assets", columns: COLUMNS, rows })
}

fn judge(
    picture: &Picture<'_>,
    judged: &BTreeMap<String, Judged>,
    asset: &Asset,
    touches: Vec<Touch>,
    logged: &BTreeSet<String>,
) -> Object<'static> {
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

fn touches(
    picture: &Picture<'_>,
    pattern: &str,
    query: &dyn Query,
) -> Result<Vec<Touch>, QueryError> {
    let (kind, path) = pattern.split_once(':').unwrap_or(("", pattern));
    match kind {
        "sharepoint" => site_touches(picture, path, query),
        "mailbox" => Ok(mailbox_touches(picture, path)),
        "smb" => Ok(share_touches(picture, path)),
        _ => Ok(Vec::new()),
    }
}

fn site_touches(
    picture: &Picture<'_>,
    path: &str,
    query: &dyn Query,
) -> Result<Vec<Touch>, QueryError> {
    let fits = makyo_base::sql_text(&site_expression(path));
    let rows = query.query(&SITE_USES.replace("{fits}", &fits))?;
    let touch = |row: makyo_base::Row<'_>| {
        let (first, last) = (row.integer("first")?, row.integer("last")?);
        let tie = picture.intruder.tie(row.text("session")?, row.text("address")?, first);
        Some(Touch {
            account: picture.facts.names.resolve(row.text("account")?),
            operation: row.string("operation"),
            first,
            last,
            is_tied: tie.is_some_and(|tie| picture.in_incident(tie.0)),
        })
    };
    Ok(rows.iter().filter_map(touch).collect())
}

/// `/sites/launch/**` as a regular expression over `https://host/sites/launch/a/b` and over the
/// site itself.
fn site_expression(path: &str) -> String {
    let path = path.to_lowercase();
    let (path, whole) = match path.strip_suffix("/**") {
        Some(folder) => (folder.to_owned(), false),
        None => (path, true),
    };
    let mut out = "^([a-z]+://[^/]+)?".to_owned();
    let mut letters = path.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '*' if letters.peek() == Some(&'*') => {
                letters.next();
                out.push_str(".*");
            }
            '*' => out.push_str("[^/]*"),
            plain if plain.is_alphanumeric() || matches!(plain, '/' | '_' | '-' | ' ') => {
                out.push(plain)
            }
            special => {
                out.push('\\');
                out.push(special);
            }
        }
    }
    out.push_str(if whole { "/?$" } else { "(/|$)" });
    out
}

fn mailbox_touches(picture: &Picture<'_>, path: &str) -> Vec<Touch> {
    let is_this = |used: &&CloudUse| {
        let mailbox = if used.owner.is_empty() { &used.account } else { &used.owner };
        matches!(used.access.as_str(), "bind" | "sync" | "send" | "delete")
            && mailbox.eq_ignore_ascii_case(path)
    };
    let touch = |used: &CloudUse| Touch {
        account: used.account.clone(),
        operation: used.operation.clone(),
        first: used.first,
        last: used.last,
        is_tied: picture.tied_use(used).is_some(),
    };
    picture.facts.uses.iter().filter(is_this).map(touch).collect()
}

fn share_touches(picture: &Picture<'_>, path: &str) -> Vec<Touch> {
    let path = path.to_lowercase();
    let is_this = |share: &&ShareUse| glob(&path, &format!("{}\\", share.name().to_lowercase()));
    let touch = |share: &ShareUse| Touch {
        account: share.account.clone(),
        operation: "share access".into(),
        first: share.first,
        last: share.last,
        is_tied: picture.tied_share(share).is_some(),
    };
    picture.facts.shares.iter().filter(is_this).map(touch).collect()
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
