//! Who was breached: a verdict and a rung for every account.

use std::collections::{BTreeMap, BTreeSet};

use makyo_base::{EntityKind, Finding, Object, Role, Value};

use crate::answers::{Picture, Table};
use crate::coverage::Lack;
use crate::facts::{CloudUse, earliest};
use crate::incident::{is_directory_theft, is_suspicion, is_through_appliance};
use crate::intruder::{Address, Step};
use crate::names::is_own_account;
use crate::rows::{count, maybe, object, text, texts, time};

/// How far the intruder got with an account; never summed into one number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub(crate) enum Rung {
    #[default]
    None,
    Exposed,
    Attempted,
    Authenticated,
    Accessed,
    ExfilLikely,
    Modified,
}

impl Rung {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Rung::None => "none",
            Rung::Exposed => "exposed",
            Rung::Attempted => "attempted",
            Rung::Authenticated => "authenticated",
            Rung::Accessed => "accessed",
            Rung::ExfilLikely => "exfil_likely",
            Rung::Modified => "modified",
        }
    }
}

/// Bytes over the tunnel from which what was read is taken to have left.
const EGRESS_BYTES: i64 = 50 << 20;

#[derive(Debug, Default)]
pub(crate) struct Judged {
    pub(crate) rung: Rung,
    /// The tie to the intruder is a behaviour, not a session, token or address.
    pub(crate) weak: bool,
    /// Something was run in its name on a host.
    ran_on_host: bool,
    first: Option<i64>,
    last: Option<i64>,
    addresses: BTreeSet<String>,
    pub(crate) ties: BTreeSet<&'static str>,
    pub(crate) findings: BTreeSet<usize>,
    pub(crate) reasons: Vec<String>,
    mail_items: BTreeSet<String>,
    folders: BTreeSet<String>,
    viewed: BTreeSet<String>,
    downloaded: BTreeSet<String>,
    uploaded: BTreeSet<String>,
    sites: BTreeSet<String>,
    throttled: bool,
    vector: Option<(&'static str, i64, usize)>,
}

impl Judged {
    fn raise(&mut self, rung: Rung, finding: usize, at: i64, reason: impl FnOnce() -> String) {
        if rung > self.rung || self.reasons.is_empty() {
            self.reasons.push(reason());
        }
        self.rung = self.rung.max(rung);
        self.findings.insert(finding);
        self.first = earliest(self.first, Some(at));
        self.last = self.last.max(Some(at));
    }

    pub(crate) fn verdict(&self) -> &'static str {
        match self.rung {
            Rung::None => "unknown",
            Rung::Exposed | Rung::Attempted => "targeted",
            _ if self.weak => "suspected",
            _ => "breached",
        }
    }

    fn enter(&mut self, vector: &'static str, at: i64, finding: usize) {
        if self.vector.is_none_or(|known| at < known.1) {
            self.vector = Some((vector, at, finding));
        }
    }
}

/// Judges every account that the evidence shows.
pub(crate) fn judge(picture: &Picture<'_>) -> BTreeMap<String, Judged> {
    let mut judged: BTreeMap<String, Judged> = picture
        .facts
        .accounts
        .keys()
        .filter(|account| is_own_account(account, picture.organisation))
        .map(|account| (account.clone(), Judged::default()))
        .collect();
    for incident in &picture.incidents {
        for index in incident.all() {
            by_finding(&mut judged, picture, index);
        }
    }
    let alone = (0..picture.findings.len()).filter(|index| {
        picture.finding(*index).is_some_and(is_suspicion) && !picture.in_incident(*index)
    });
    for index in alone {
        by_finding(&mut judged, picture, index);
    }
    by_steps(&mut judged, picture);
    by_cloud_use(&mut judged, picture);
    by_directory_theft(&mut judged, picture);
    judged
}

/// Analytics that say that somebody else acted as the account's owner, by what they entered, and
/// what ties them.
const POSING: &[(&str, &str, Option<&str>)] = &[
    ("posing_as_user", "stolen_credential", None),
    ("posing_with_stolen_token", "stolen_token", Some("session")),
    ("posing_by_phishing", "phishing", Some("session")),
    ("posing_over_vpn", "vpn_credential", Some("address")),
    ("third_party_outside_terms", "third_party_access", Some("address")),
];

/// By what an account came in that signed in to the VPN from the intruder's address.
fn vpn_vector(finding: Option<&Finding>) -> &'static str {
    let known = finding.and_then(|finding| POSING.iter().find(|one| one.0 == finding.rule.id));
    known.map_or("vpn_credential", |one| one.1)
}

fn by_finding(judged: &mut BTreeMap<String, Judged>, picture: &Picture<'_>, index: usize) {
    let Some(finding) = picture.finding(index) else { return };
    let at = finding.time.unwrap_or_default();
    let is_on_host =
        finding.entities.iter().any(|e| e.kind == EntityKind::Host && e.role == Role::Place);
    for entity in finding.entities.iter().filter(|entity| entity.kind == EntityKind::Account) {
        let name = picture.facts.names.resolve(&entity.value);
        let Some(account) = judged.get_mut(&name) else { continue };
        match (finding.rule.id.as_str(), entity.role) {
            ("tunnel_without_authentication", Role::Target) => {
                account.raise(Rung::Authenticated, index, at, || {
                    "a VPN tunnel in its name has no login before it".into()
                });
                account.ties.insert("address");
                account.enter("vpn_appliance", at, index);
            }
            (rule, Role::Actor) if POSING.iter().any(|one| one.0 == rule) => {
                let is_new = account.rung < Rung::Authenticated;
                account.raise(Rung::Authenticated, index, at, || finding.text.clone());
                match finding.explained_by {
                    None => account.weak = false,
                    Some(_) => account.weak |= is_new,
                }
                let known = POSING.iter().filter(|one| one.0 == rule);
                for (_, vector, tie) in known {
                    account.enter(vector, at, index);
                    account.ties.extend(*tie);
                }
            }
            (_, Role::Actor) if is_suspicion(finding) && finding.explained_by.is_none() => {
                let is_new = account.rung < Rung::Authenticated;
                account.raise(Rung::Authenticated, index, at, || finding.text.clone());
                account.weak |= is_new;
            }
            (rule @ ("sign_in_fan_in" | "attempts_from_tunnel"), Role::Target) => {
                account.raise(Rung::Attempted, index, at, || {
                    let place = if rule == "sign_in_fan_in" { "address" } else { "tunnel" };
                    format!("sign-in attempts from the intruder's {place} failed")
                });
            }
            (_, Role::Actor) if is_way_back_in(picture, finding, &name, at) => {
                account.raise(Rung::Modified, index, at, || finding.text.clone());
            }
            (_, Role::Actor) if is_on_host && finding.weight_db >= 14.0 => {
                account.ran_on_host = true;
                let is_new = account.rung < Rung::Authenticated;
                account.raise(Rung::Authenticated, index, at, || {
                    format!("acted in its name on a host: {}", finding.rule.title)
                });
                account.weak |=
                    is_new && !picture.intruder.steps.iter().any(|step| step.account == name);
            }
            (_, Role::Target) if finding.entities.iter().any(|e| e.kind == EntityKind::Message) => {
                if account.rung == Rung::None {
                    account.raise(Rung::Attempted, index, at, || {
                        "received the intruder's message".into()
                    });
                }
                account.ties.insert("mail");
                account.enter("phishing", at, index);
            }
            _ => {}
        }
    }
    // Who received the message and then ran something on a host is tied by both.
    for account in judged.values_mut() {
        let ran = account.rung >= Rung::Authenticated && account.weak && account.ran_on_host;
        if ran && account.ties.contains("mail") {
            account.weak = false;
        }
    }
}

/// Whether a finding is a way back into the cloud that was made from the intruder's place.
fn is_way_back_in(picture: &Picture<'_>, finding: &Finding, account: &str, at: i64) -> bool {
    let mut origins = finding
        .entities
        .iter()
        .filter(|entity| entity.kind == EntityKind::Address && entity.role == Role::Origin)
        .peekable();
    let session = finding.entities.iter().find(|entity| entity.kind == EntityKind::Session);
    let session = session.map_or("", |entity| entity.value.as_str());
    if !finding.tactics.iter().any(|tactic| tactic == "persistence") {
        return false;
    }
    if session.is_empty() && origins.peek().is_none() {
        let is_on_host = finding.entities.iter().any(|one| one.kind == EntityKind::Host);
        return !is_on_host && picture.intruder.during(account, at, &picture.facts).is_some();
    }
    origins.any(|origin| picture.intruder.tie(account, session, &origin.value, at).is_some())
}

fn by_steps(judged: &mut BTreeMap<String, Judged>, picture: &Picture<'_>) {
    for step in picture.intruder.steps.iter().filter(|step| picture.in_incident(step.finding)) {
        let taken = picture.finding(step.finding).map_or(0, |finding| {
            picture
                .facts
                .tunnels
                .iter()
                .filter(|tunnel| finding.records.contains(&tunnel.record))
                .map(|tunnel| tunnel.taken)
                .max()
                .unwrap_or(0)
        });
        let Some(account) = judged.get_mut(&step.account) else { continue };
        account.raise(Rung::Authenticated, step.finding, step.time, || {
            format!("logged on to {} from the intruder's {}", step.to, step.from)
        });
        account.weak = false;
        account.ties.insert("address");
        account.addresses.insert(step.from.clone());
        // Straight out of a tunnel that nobody's login explains it is the appliance that let them in.
        let is_straight = picture.intruder.leases.iter().any(|lease| lease.value == step.from);
        let through = picture.finding(step.finding).is_some_and(is_through_appliance);
        let vector = if is_straight && through { "vpn_appliance" } else { "lateral_movement" };
        account.enter(vector, step.time, step.finding);
        let left = |what: String| match taken {
            taken if taken >= EGRESS_BYTES => {
                format!("{what}; {} MB left over the tunnel", taken >> 20)
            }
            _ => what,
        };
        if let (true, Some(packed)) = (taken >= EGRESS_BYTES, packed(picture, step)) {
            let at = picture.finding(packed).and_then(|finding| finding.time).unwrap_or(step.time);
            let reason = || left(format!("packed files on {}", step.to));
            account.raise(Rung::ExfilLikely, packed, at, reason);
        }
        let opened = picture.facts.shares.iter().filter(|share| share.holds_files());
        for share in opened
            .filter(|share| share.account == step.account && share.host == step.to)
            .filter(|share| picture.tied_share(share).is_some())
        {
            let rung = if taken >= EGRESS_BYTES { Rung::ExfilLikely } else { Rung::Accessed };
            let reason = || left(format!("read {} on {}", share.share, share.host));
            account.raise(rung, step.finding, share.first, reason);
            account
                .viewed
                .extend(share.files.iter().map(|file| format!("{}\\{file}", share.share)));
            account.last = account.last.max(Some(share.last));
        }
    }
}

/// The finding that says that files were packed on a host where this account came for the intruder.
fn packed(picture: &Picture<'_>, step: &Step) -> Option<usize> {
    let incident = picture.incidents.iter().find(|one| one.findings.contains(&step.finding))?;
    let names = |finding: &Finding, kind, role| -> Vec<String> {
        let of_it = finding.entities.iter().filter(|one| one.kind == kind && one.role == role);
        of_it.map(|one| picture.facts.names.resolve(&one.value)).collect()
    };
    let up = |lease: &&Address| {
        lease.finding == step.finding && (lease.from..=lease.to).contains(&step.time)
    };
    let until = picture.intruder.leases.iter().find(up)?.to;
    incident.all().into_iter().find(|index| {
        picture.finding(*index).is_some_and(|finding| {
            finding.techniques.iter().any(|one| one.starts_with("T1560"))
                && finding.time.is_some_and(|time| (step.time..=until).contains(&time))
                && names(finding, EntityKind::Host, Role::Place).contains(&step.to)
                && names(finding, EntityKind::Account, Role::Actor).contains(&step.account)
        })
    })
}

fn by_cloud_use(judged: &mut BTreeMap<String, Judged>, picture: &Picture<'_>) {
    for sign_in in picture.facts.sign_ins.iter().filter(|one| one.is_success) {
        let tie = picture.intruder.tie(&sign_in.account, "", &sign_in.address, sign_in.first);
        let Some((finding, by)) = tie.filter(|tie| picture.in_incident(tie.0)) else { continue };
        let Some(account) = judged.get_mut(&sign_in.account) else { continue };
        let is_new = account.rung < Rung::Authenticated;
        account.raise(Rung::Authenticated, finding, sign_in.first, || {
            format!("signed in from the intruder's {}", sign_in.address)
        });
        // An address may have other tenants: by itself it makes nobody of the cloud a victim.
        if by == "address" && sign_in.is_cloud {
            account.weak |= is_new;
        } else {
            account.weak &= picture.finding(finding).is_some_and(is_suspicion);
        }
        account.ties.insert(by);
        account.addresses.insert(sign_in.address.clone());
        account.last = account.last.max(Some(sign_in.last));
        let vector = if sign_in.is_cloud {
            "stolen_credential"
        } else {
            vpn_vector(picture.finding(finding))
        };
        account.enter(vector, sign_in.first, finding);
    }
    for used in &picture.facts.uses {
        let Some((finding, by)) = picture.tied_use(used) else { continue };
        let Some(account) = judged.get_mut(&used.account) else { continue };
        account.weak &= picture.finding(finding).is_some_and(is_suspicion);
        account.ties.insert(by);
        account.addresses.insert(used.address.clone());
        account.raise(rung_of(used), finding, used.first, || {
            format!("{} {} by the intruder", used.operation, used.place)
        });
        account.last = account.last.max(Some(used.last));
        account.throttled |= used.throttled;
        let list = match used.access.as_str() {
            "bind" => &mut account.mail_items,
            "sync" => {
                account.folders.insert(format!("{}{}", used.owner, used.place));
                continue;
            }
            "view" | "preview" => &mut account.viewed,
            "download" => &mut account.downloaded,
            "upload" => &mut account.uploaded,
            _ => continue,
        };
        list.extend(used.items.iter().cloned());
        if used.kind == "site" {
            account.sites.insert(used.place.clone());
        }
    }
}

pub(crate) fn rung_of(used: &CloudUse) -> Rung {
    match used.access.as_str() {
        "modify" | "send" | "delete" | "share" | "upload" | "create" => Rung::Modified,
        "download" | "sync" => Rung::ExfilLikely,
        _ => Rung::Accessed,
    }
}

fn by_directory_theft(judged: &mut BTreeMap<String, Judged>, picture: &Picture<'_>) {
    for incident in &picture.incidents {
        for index in &incident.findings {
            if let Some(theft) = picture.finding(*index).filter(|one| is_directory_theft(one)) {
                expose(judged, picture, *index, theft);
            }
        }
    }
}

/// The accounts of the directory whose database was copied: those of the thief's domain, or of the
/// own ones if the organisation named them. Which cloud accounts are synchronised from it no log
/// says, so that every one of a domain that the organisation calls its own is taken to be.
fn expose(
    judged: &mut BTreeMap<String, Judged>,
    picture: &Picture<'_>,
    index: usize,
    theft: &Finding,
) {
    let at = theft.time.unwrap_or_default();
    let own = &picture.organisation.ad_domains;
    let mut domains: BTreeSet<&str> =
        own.iter().map(|domain| domain.split('.').next().unwrap_or(domain)).collect();
    let actors = theft.entities.iter().filter(|entity| entity.role == Role::Actor);
    domains.extend(actors.filter_map(|actor| actor.value.split_once('\\')).map(|pair| pair.0));
    let knows_cloud = !picture.organisation.domains.is_empty();
    for (name, account) in judged.iter_mut().filter(|entry| entry.1.rung == Rung::None) {
        let seen = picture.facts.accounts.get(name);
        let in_directory =
            seen.is_some_and(|seen| seen.domains.iter().any(|one| domains.contains(one.as_str())));
        if in_directory {
            account.raise(Rung::Exposed, index, at, || {
                "its password hash was in the directory database that was copied".into()
            });
        } else if knows_cloud && name.contains('@') {
            account.raise(Rung::Exposed, index, at, || {
                "if it is one of the directory's, its password hash was in the database that was copied".into()
            });
        }
    }
}

/// The records in which an account without any sign would have shown one, and whether they are
/// there and whole for the time of the intrusion.
fn is_clear(name: &str, picture: &Picture<'_>) -> Result<String, String> {
    let seen = picture.facts.accounts.get(name);
    let in_cloud = name.contains('@');
    let in_directory = seen.is_some_and(|seen| !seen.domains.is_empty());
    let mut needed: Vec<&str> = Vec::new();
    // A sign-in export that was filtered by account has nothing of the others, whole as it looks.
    if in_cloud && !seen.is_some_and(|seen| seen.sources.contains("entra-sign-in")) {
        return Err("no sign, but the sign-in log has no record of this account at all".into());
    }
    if in_cloud {
        needed.extend(["entra-sign-in", "m365-unified-audit"]);
    }
    if in_directory || !in_cloud {
        needed.extend(
            seen.into_iter()
                .flat_map(|seen| seen.sources.iter().map(String::as_str))
                .filter(|source| !needed.contains(source))
                .collect::<Vec<_>>(),
        );
    }
    let window = picture.window().or_else(|| picture.coverage.span()).ok_or("nothing was read")?;
    let lacks = |lack: Lack| format!("no sign, but {lack}");
    picture.coverage.proves_mailbox(name, window).map_err(lacks)?;
    for source in &needed {
        picture.coverage.proves(source, window).map_err(lacks)?;
    }
    Ok(format!(
        "no sign, and {} are there and whole for the time of the intrusion",
        needed.join(" and ")
    ))
}

const COLUMNS: &[&str] = &[
    "account",
    "verdict",
    "rung",
    "probability",
    "first_seen",
    "last_seen",
    "entry",
    "addresses",
    "access",
    "persistence",
    "ties",
    "findings",
    "reason",
];

pub(crate) fn table(
    judged: &BTreeMap<String, Judged>,
    picture: &Picture<'_>,
    persistence: &[Object<'static>],
) -> Table {
    let mut rows: Vec<(u8, Object<'static>)> = judged
        .iter()
        .map(|(name, account)| {
            let (verdict, reason) = match account.rung {
                Rung::None => match is_clear(name, picture) {
                    Ok(reason) => ("clear", reason),
                    Err(reason) => ("unknown", reason),
                },
                _ => (account.verdict(), account.reasons.join("; ")),
            };
            let rank = ["breached", "suspected", "targeted", "unknown", "clear"]
                .iter()
                .position(|word| *word == verdict)
                .unwrap_or_default();
            (
                u8::try_from(rank).unwrap_or_default(),
                row(name, account, verdict, &reason, picture, persistence),
            )
        })
        .collect();
    rows.sort_by(|a, b| {
        a.0.cmp(&b.0).then_with(|| {
            a.1.get("account")
                .and_then(Value::as_str)
                .cmp(&b.1.get("account").and_then(Value::as_str))
        })
    });
    Table { name: "accounts", columns: COLUMNS, rows: rows.into_iter().map(|row| row.1).collect() }
}

fn row(
    name: &str,
    account: &Judged,
    verdict: &str,
    reason: &str,
    picture: &Picture<'_>,
    persistence: &[Object<'static>],
) -> Object<'static> {
    let entry = account.vector.filter(|_| account.rung >= Rung::Authenticated).map_or_else(
        || {
            object(vec![
                ("vector", text("unknown")),
                ("time", Value::Null),
                ("finding", Value::Null),
            ])
        },
        |(vector, at, finding)| {
            object(vec![
                ("vector", text(vector)),
                ("time", time(Some(at))),
                ("finding", text(picture.finding_id(finding))),
            ])
        },
    );
    let complete = !account.throttled && account.folders.is_empty();
    let access = object(vec![
        ("mail_items", count(account.mail_items.len())),
        ("mail_folders_synced", count(account.folders.len())),
        ("files_viewed", count(account.viewed.len())),
        ("files_downloaded", count(account.downloaded.len())),
        ("files_uploaded", count(account.uploaded.len())),
        ("sites", texts(&account.sites)),
        ("complete", Value::Bool(complete)),
    ]);
    let kept: Vec<Value<'static>> = persistence
        .iter()
        .filter(|row| row.get("account").and_then(Value::as_str) == Some(name))
        .map(|row| {
            let field = |key: &'static str| (key, row.get(key).cloned().unwrap_or_default());
            Value::Object(object(vec![
                field("kind"),
                field("time"),
                field("detail"),
                field("present"),
            ]))
        })
        .collect();
    let ids: BTreeSet<String> =
        account.findings.iter().map(|index| picture.finding_id(*index)).collect();
    let ties: BTreeSet<String> = account.ties.iter().map(|tie| (*tie).to_owned()).collect();
    object(vec![
        ("account", text(name)),
        ("verdict", text(verdict)),
        ("rung", text(account.rung.word())),
        ("probability", probability(account, verdict, picture)),
        ("first_seen", time(account.first)),
        ("last_seen", time(account.last)),
        ("entry", Value::Object(entry)),
        ("addresses", texts(&account.addresses)),
        ("access", Value::Object(access)),
        ("persistence", Value::List(kept)),
        ("ties", texts(&ties)),
        ("findings", texts(&ids)),
        ("reason", maybe(Some(reason))),
    ])
}

/// The probability that somebody else acted as the account: a prior of 1 % (-20 decibans) and the
/// weights of the findings that tie it, each after the first at half of the one before. `unknown`
/// has none.
fn probability(account: &Judged, verdict: &str, picture: &Picture<'_>) -> Value<'static> {
    if verdict == "unknown" {
        return Value::Null;
    }
    let mut weights: Vec<f64> = account
        .findings
        .iter()
        .filter_map(|index| picture.finding(*index))
        .map(|finding| finding.weight_db)
        .collect();
    weights.sort_by(|a, b| b.total_cmp(a));
    let ties = f64::from(u32::try_from(account.ties.len()).unwrap_or_default());
    let evidence = match verdict {
        "breached" | "suspected" => {
            weights
                .iter()
                .zip(0..12)
                .map(|(weight, rank)| weight / f64::from(1_u32 << rank))
                .sum::<f64>()
                + 10.0 * ties
        }
        "targeted" => 3.0,
        _ => -10.0,
    };
    let odds = 10_f64.powf((evidence - 20.0) / 10.0);
    Value::Float(((odds / (1.0 + odds)) * 10_000.0).round() / 10_000.0)
}
