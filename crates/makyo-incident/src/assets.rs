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
use crate::coverage::Lack;
use crate::facts::ShareUse;
use crate::incident::is_suspicion;
use crate::rows::{maybe, object, text, texts, time};

const COLUMNS: &[&str] =
    &["asset", "verdict", "first", "last", "operations", "accounts", "gaps", "reason"];

/// Uses of something in the cloud by anybody; `{fits}` is the condition that it is this asset.
const CLOUD_USES: &str = "
    SELECT account, coalesce(src_endpoint_ip, '') AS address,
           coalesce(actor_session_uid, '') AS session,
           coalesce(metadata_event_code, '') AS operation,
           CAST(min(time) AS BIGINT) AS first, CAST(max(time) AS BIGINT) AS last
    FROM events
    WHERE source = 'm365-unified-audit' AND account IS NOT NULL AND time IS NOT NULL
      AND makyo_access IS NOT NULL AND {fits}
    GROUP BY account, src_endpoint_ip, actor_session_uid, metadata_event_code
    ORDER BY first, account, address, session, operation";

/// From the first to the last record of a kind that would show an access.
const SHOWS: &str = "
    SELECT CAST(min(time) AS BIGINT) AS first, CAST(max(time) AS BIGINT) AS last
    FROM events
    WHERE source = 'm365-unified-audit' AND time IS NOT NULL AND {fits}";

/// Accounts that used the cloud in a time without any sign-in record of theirs: the sign-in log is
/// a part only.
const UNSIGNED: &str = "
    SELECT count(DISTINCT account) AS accounts FROM events
    WHERE source = 'm365-unified-audit' AND account LIKE '%@%'
      AND CAST(time AS BIGINT) BETWEEN {from} AND {to} AND makyo_access IS NOT NULL
      AND account NOT IN (SELECT DISTINCT account FROM events
                          WHERE source = 'entra-sign-in' AND account IS NOT NULL)";

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
    let assets = picture.organisation.assets.iter();
    let rows: Result<Vec<_>, QueryError> = assets
        .map(|asset| {
            let touches = asset.matches.iter().map(|pattern| touches(picture, pattern, query));
            let touches: Result<Vec<_>, QueryError> = touches.collect();
            let touches = touches?.into_iter().flatten().collect();
            judge(picture, judged, asset, touches, query)
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
    query: &dyn Query,
) -> Result<Object<'static>, QueryError> {
    let tied: Vec<&Touch> = touches.iter().filter(|touch| touch.is_tied).collect();
    if !tied.is_empty() {
        let reason = "the intruder's session or address used it";
        return Ok(row(asset, "accessed", &tied, &[], reason));
    }
    let Some(window) = picture.window() else {
        let reason = "no intrusion was found whose time could be covered";
        return Ok(row(asset, "unknown", &[], &[], reason));
    };
    let in_window: Vec<&Touch> = touches
        .iter()
        .filter(|touch| touch.last >= window.0 && touch.first <= window.1)
        .filter(|touch| !is_system(&touch.account))
        .filter(|touch| {
            // Who is nobody's account, an application or a guest, may be the intruder's.
            judged.get(&touch.account).is_none_or(|account| account.rung >= Rung::Authenticated)
        })
        .collect();
    if let Some(touch) = in_window.first() {
        let reason = format!(
            "{} used it in the time of the intrusion, and its account {} in the intruder's hands",
            touch.account,
            match judged.get(&touch.account) {
                Some(account) if !account.weak => "was",
                _ => "may have been",
            }
        );
        return Ok(row(asset, "unknown", &in_window, &[], &reason));
    }
    let mut gaps = Vec::new();
    for pattern in &asset.matches {
        gaps.extend(proof(picture, pattern, window, query)?.err());
    }
    if gaps.is_empty() {
        let reason = "the logs that would show it are there and whole, and show no use by an account in the intruder's hands";
        return Ok(row(asset, "not_accessed", &[], &[], reason));
    }
    let reasons: Vec<&str> = gaps.iter().map(|gap| gap.reason.as_str()).collect();
    Ok(row(asset, "unknown", &[], &gaps, &reasons.join("; ")))
}

/// The service's own housekeeping, which nobody can sign in as.
fn is_system(account: &str) -> bool {
    account.ends_with("@sharepoint") || account == "sharepoint\\system"
}

/// Whether an access to what the pattern names would have shown.
fn proof(
    picture: &Picture<'_>,
    pattern: &str,
    window: (i64, i64),
    query: &dyn Query,
) -> Result<Result<(), Lack>, QueryError> {
    let cloud = |fits: String, what: &str| -> Result<Result<(), Lack>, QueryError> {
        for source in ["m365-unified-audit", "entra-sign-in"] {
            if let Err(gap) = picture.coverage.proves(source, window) {
                return Ok(Err(gap));
            }
        }
        let rows = query.query(&SHOWS.replace("{fits}", &fits))?;
        let span =
            rows.iter().next().and_then(|row| Some((row.integer("first")?, row.integer("last")?)));
        if span.is_none_or(|span| span.0 > window.0 || span.1 < window.1) {
            let reason = format!("{what} is not logged for all of the time of the intrusion");
            return Ok(Err(Lack::new("m365-unified-audit", reason)));
        }
        let sql = UNSIGNED
            .replace("{from}", &window.0.to_string())
            .replace("{to}", &window.1.to_string());
        let missing = query.query(&sql)?.iter().next().and_then(|row| row.integer("accounts"));
        Ok(match missing.unwrap_or_default() {
            0 => Ok(()),
            count => Err(Lack::new(
                "entra-sign-in",
                format!(
                    "the sign-in log is a part only: {count} accounts that were active have no sign-in in it"
                ),
            )),
        })
    };
    match pattern.split_once(':') {
        Some(("sharepoint", _)) => cloud("resource_type = 'site'".into(), "use of sites"),
        Some(("mailbox", mailbox)) => {
            let owner = makyo_base::sql_text(&mailbox.to_lowercase());
            let fits = format!(
                "metadata_event_code = 'MailItemsAccessed'
                 AND lower(coalesce(resource_owner_name, account)) = {owner}"
            );
            if let Err(lack) = picture.coverage.proves_mailbox(mailbox, window) {
                return Ok(Err(lack));
            }
            cloud(fits, &format!("reading of mailbox {mailbox}"))
        }
        Some(("smb", path)) => {
            let host = path.trim_start_matches('\\').split('\\').next().unwrap_or_default();
            let host = host.to_lowercase();
            let shares = picture.facts.shares.iter().filter(|share| share.host == host);
            let first = shares.clone().map(|share| share.first).min();
            let last = shares.map(|share| share.last).max();
            if first.is_none_or(|first| first > window.0) || last.is_none_or(|last| last < window.1)
            {
                let text = format!(
                    "access to shares of {host} is not logged for all of the time of the intrusion"
                );
                return Ok(Err(Lack::new("windows-security", text)));
            }
            Ok(picture.coverage.proves_host("windows-security", &host, window))
        }
        _ => {
            let reason = format!("pattern is of no kind that can be looked up: {pattern}");
            Ok(Err(Lack::new("", reason)))
        }
    }
}

fn touches(
    picture: &Picture<'_>,
    pattern: &str,
    query: &dyn Query,
) -> Result<Vec<Touch>, QueryError> {
    let (kind, path) = pattern.split_once(':').unwrap_or(("", pattern));
    match kind {
        "sharepoint" => {
            let fits = makyo_base::sql_text(&site_expression(path));
            let fits = format!(
                "(regexp_like(lower(file_path), {fits}) OR regexp_like(lower(resource_name), {fits}))"
            );
            cloud_touches(picture, &fits, query)
        }
        "mailbox" => {
            let mailbox = makyo_base::sql_text(&path.to_lowercase());
            let fits = format!(
                "(makyo_access IN ('bind', 'sync', 'send', 'delete')
                  AND lower(coalesce(resource_owner_name, account)) = {mailbox})"
            );
            cloud_touches(picture, &fits, query)
        }
        "smb" => Ok(share_touches(picture, path)),
        _ => Ok(Vec::new()),
    }
}

fn cloud_touches(
    picture: &Picture<'_>,
    fits: &str,
    query: &dyn Query,
) -> Result<Vec<Touch>, QueryError> {
    let rows = query.query(&CLOUD_USES.replace("{fits}", fits))?;
    let touch = |row: makyo_base::Row<'_>| {
        let (first, last) = (row.integer("first")?, row.integer("last")?);
        let tie = picture.intruder.tie(
            row.text("account")?,
            row.text("session")?,
            row.text("address")?,
            first,
        );
        Some(Touch {
            account: picture.facts.names.resolve(row.text("account")?),
            operation: row.string("operation"),
            first,
            last,
            // Who is only suspected may be the owner.
            is_tied: tie.is_some_and(|tie| {
                picture.in_incident(tie.0) && !picture.finding(tie.0).is_some_and(is_suspicion)
            }),
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
    gaps: &[Lack],
    reason: &str,
) -> Object<'static> {
    let operations: BTreeSet<String> =
        touches.iter().map(|touch| touch.operation.clone()).collect();
    let accounts: BTreeSet<String> = touches.iter().map(|touch| touch.account.clone()).collect();
    let gap = |gap: &Lack| {
        let source = Some(gap.source.as_str()).filter(|source| !source.is_empty());
        Value::Object(object(vec![
            ("from", time(gap.from)),
            ("to", time(gap.to)),
            ("source", maybe(source)),
            ("reason", text(gap.reason.clone())),
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
