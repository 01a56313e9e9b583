//! Who administers the edge: logins from outside, accounts and changes nobody logged in for, logging
//! that is cut off.

use std::collections::{BTreeMap, BTreeSet};

use makyo_base::{
    DAY_NS, EntityKind, Finding, HOUR_NS, Level, Organisation, Places, Query, QueryError,
    RecordRef, Role, format_time,
};

use super::is_foreign;
use super::silence::{Hours, edge_condition};
use crate::analytic::{Analytic, entity};
use crate::weights::Weights;

pub(crate) const ANALYTIC: Analytic = Analytic {
    id: "edge_admin_from_outside",
    title: "Edge appliance administered from outside",
    level: Level::High,
    techniques: &["T1133", "T1078"],
    tactics: &["initial-access"],
    run,
};

const ACCOUNT: Analytic = Analytic {
    id: "edge_account_made",
    title: "Account made on an edge appliance by nobody usual",
    level: Level::High,
    techniques: &["T1136"],
    tactics: &["persistence"],
    ..ANALYTIC
};

const LOGGING: Analytic = Analytic {
    id: "edge_logging_cut",
    title: "Logging of an edge appliance cut off",
    level: Level::High,
    techniques: &["T1562.008", "T1070"],
    tactics: &["defense-evasion"],
    ..ANALYTIC
};

/// A change follows its administrator's login within this time.
const LOGIN_NS: i64 = 8 * HOUR_NS;
/// An odd login makes what follows odd for so long.
const AFTER_ODD_NS: i64 = 2 * HOUR_NS;
/// Logins from inside that a log must show before one from outside means anything.
const USUAL_MIN: usize = 3;
/// A silence that begins so soon after the logging was changed belongs to it.
const SILENCE_AFTER_NS: i64 = HOUR_NS;
/// What a silence adds, in decibans.
const SILENCE_DB: f64 = 7.0;

const LINES: &str = "
    SELECT coalesce(host, source) AS device, coalesce(account, '') AS account,
           coalesce(src_endpoint_ip, '') AS address, class_uid, activity_id,
           coalesce(status, '') AS status, coalesce(user_name, '') AS made,
           coalesce(resource_type, '') AS type, coalesce(resource_name, '') AS name,
           coalesce(makyo_access, '') AS access, coalesce(message, '') AS message,
           CAST(time AS BIGINT) AS at, file, record
    FROM events
    WHERE time IS NOT NULL AND __EDGE__
      AND (class_uid IN (1008, 3001, 5019) OR class_uid = 3002 AND logon_type = 'admin')
    ORDER BY device, at, file, record";

/// What a line of an appliance's administration tells.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Fact {
    Login,
    FailedLogin,
    /// An account was made.
    Account,
    /// The logging was cleared or changed.
    Logging,
    Change,
}

/// A line of an appliance's administration.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) fact: Fact,
    pub(crate) account: String,
    pub(crate) address: String,
    /// The account made, or the thing changed.
    pub(crate) what: String,
    pub(crate) at: i64,
    pub(crate) record: RecordRef,
}

/// One appliance's administration, and its records by hour.
#[derive(Default, Debug)]
pub(crate) struct Device {
    pub(crate) name: String,
    pub(crate) lines: Vec<Line>,
    pub(crate) hours: BTreeMap<i64, i64>,
}

fn run(
    _first: &Analytic,
    query: &dyn Query,
    organisation: &Organisation,
    weights: &Weights,
    _places: &dyn Places,
    _found: &[Finding],
) -> Result<Vec<Finding>, QueryError> {
    let Some(edge) = edge_condition(query)? else { return Ok(Vec::new()) };
    let mut devices: BTreeMap<String, Device> = BTreeMap::new();
    for row in query.query(&LINES.replace("__EDGE__", &edge))?.iter() {
        let device = devices.entry(row.string("device")).or_default();
        device.name = row.string("device");
        device.lines.extend(line(row));
    }
    if devices.is_empty() {
        return Ok(Vec::new());
    }
    let hours = Hours::read(query, &edge)?;
    for (name, device) in &mut devices {
        device.hours = hours.0.get(name).cloned().unwrap_or_default();
    }
    let odd: Vec<Odd> = devices.values().flat_map(|device| judge(device, organisation)).collect();
    Ok(odd.iter().map(|one| one.finding(weights)).collect())
}

fn line(row: makyo_base::Row<'_>) -> Option<Line> {
    let class = row.integer("class_uid");
    let words = ["type", "name", "message"].map(|column| row.string(column).to_lowercase());
    let is_logging = words.iter().any(|text| says_logging(text));
    let is_account_type =
        ["system.admin", "user.local", "system.api-user"].contains(&words[0].as_str());
    let fact = match (class, row.integer("activity_id")) {
        (Some(3002), Some(1)) if row.text("status") == Some("Failure") => Fact::FailedLogin,
        (Some(3002), Some(1)) => Fact::Login,
        (Some(3001), Some(1)) => Fact::Account,
        (Some(5019), _) if is_account_type && row.text("access") == Some("create") => Fact::Account,
        (Some(1008), _) => Fact::Logging,
        (Some(5019), _) if is_logging => Fact::Logging,
        (Some(5019 | 3001), _) => Fact::Change,
        _ => return None,
    };
    let what = match fact {
        Fact::Account => row.string("made"),
        Fact::Logging if !row.string("message").is_empty() => row.string("message"),
        _ => row.string("name"),
    };
    Some(Line {
        fact,
        account: row.string("account"),
        address: row.string("address"),
        what,
        at: row.integer("at").unwrap_or_default(),
        record: row.reference(),
    })
}

/// Words by which products speak of taking the logging away; setting it up says the same names, so
/// a verb belongs to it.
fn says_logging(text: &str) -> bool {
    let names = ["syslog", "logging ", "log.", "log setting", "audit", "auditing", "log server"];
    let verbs = ["remov", "delet", "disabl", "clear", "no logging", "rm ", "unset", "stopp", "off"];
    let config = text.starts_with("log.") || text.starts_with("no logging");
    config
        || names.iter().any(|name| text.contains(name))
            && verbs.iter().any(|verb| text.contains(verb))
}

/// Something that its usual administrators did not do.
#[derive(Debug)]
pub(crate) struct Odd<'d> {
    kind: Kind,
    device: &'d str,
    line: &'d Line,
    /// Hours of silence after it.
    silence: i64,
    why: String,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    FromOutside,
    Account,
    Logging,
}

impl Odd<'_> {
    #[cfg(test)]
    pub(crate) fn id(&self) -> &'static str {
        self.analytic().id
    }

    fn analytic(&self) -> Analytic {
        match self.kind {
            Kind::FromOutside => ANALYTIC,
            Kind::Account => ACCOUNT,
            Kind::Logging => LOGGING,
        }
    }

    fn finding(&self, weights: &Weights) -> Finding {
        let analytic = self.analytic();
        let line = self.line;
        let who = if line.account.is_empty() { "somebody" } else { &line.account };
        let device = self.device;
        let mut text = match self.kind {
            Kind::FromOutside => format!("{who} administered {device} from {}", line.address),
            Kind::Account => format!("{who} made the account `{}` on {device}", line.what),
            Kind::Logging => format!("The logging of {device} was cut off by {who}: {}", line.what),
        };
        text.push_str(&format!("; {}", self.why));
        let mut weight = weights.analytic(analytic.id);
        if self.silence > 0 {
            text.push_str(&format!(
                "; it wrote nothing for {} hours from {} on",
                self.silence,
                format_time(line.at)
            ));
            weight += SILENCE_DB;
        }
        let made = if self.kind == Kind::Account { line.what.as_str() } else { "" };
        let entities = [
            entity(Role::Actor, EntityKind::Account, &line.account),
            entity(Role::Object, EntityKind::Account, made),
            entity(Role::Place, EntityKind::Host, self.device),
            entity(Role::Origin, EntityKind::Address, &line.address),
        ];
        let entities = entities.into_iter().flatten().collect();
        analytic.finding(Some(line.at), weight, entities, vec![line.record.clone()], text)
    }
}

/// What the appliance's usual administrators did not do.
pub(crate) fn judge<'d>(device: &'d Device, organisation: &Organisation) -> Vec<Odd<'d>> {
    let logins: Vec<&Line> = device.lines.iter().filter(|line| line.fact == Fact::Login).collect();
    let is_far = |line: &Line| is_foreign(&line.address, organisation);
    let near = logins.iter().filter(|line| !is_far(line)).count();
    let far_days: BTreeSet<(&str, i64)> = logins
        .iter()
        .filter(|line| is_far(line))
        .map(|line| (line.address.as_str(), line.at.div_euclid(DAY_NS)))
        .collect();
    // Who always administers from outside, as a provider does, comes on many days.
    let is_usual_address =
        |address: &str| far_days.iter().filter(|day| day.0 == address).count() >= USUAL_MIN + 2;
    let odd_logins: Vec<&Line> = logins
        .iter()
        .copied()
        .filter(|line| near >= USUAL_MIN && is_far(line) && !is_usual_address(&line.address))
        .collect();
    let mut told: BTreeSet<(&str, i64)> = BTreeSet::new();
    let mut found: Vec<Odd<'d>> = Vec::new();
    for line in &odd_logins {
        if told.insert((&line.address, line.at.div_euclid(DAY_NS))) {
            let why = format!("its {near} other administrative logins came from inside");
            found.push(Odd {
                kind: Kind::FromOutside,
                device: &device.name,
                line,
                silence: 0,
                why,
            });
        }
    }
    for line in &device.lines {
        let kind = match line.fact {
            Fact::Account => Kind::Account,
            Fact::Logging => Kind::Logging,
            _ => continue,
        };
        let follows_odd = odd_logins
            .iter()
            .any(|login| login.at <= line.at && line.at - login.at <= AFTER_ODD_NS);
        let has_login = logins
            .iter()
            .any(|login| login.at <= line.at + HOUR_NS / 60 && line.at - login.at <= LOGIN_NS);
        let silence = silence_after(device, line.at);
        let why = if follows_odd {
            "it follows a login from outside".to_owned()
        } else if !has_login && logins.len() >= USUAL_MIN && line.at - first(device) > LOGIN_NS {
            "no administrator was logged in".to_owned()
        } else if kind == Kind::Logging && silence > 0 {
            "an administrator was logged in".to_owned()
        } else {
            continue;
        };
        found.push(Odd { kind, device: &device.name, line, silence, why });
    }
    found
}

fn first(device: &Device) -> i64 {
    device.hours.keys().next().copied().unwrap_or(i64::MAX)
}

/// Hours without a record from shortly after a time on, where this hour of other days has some.
fn silence_after(device: &Device, at: i64) -> i64 {
    let hour = at.div_euclid(HOUR_NS) * HOUR_NS;
    let from = hour + HOUR_NS;
    let last = device.hours.keys().next_back().copied().unwrap_or(from);
    let silent = (0..)
        .map(|step| from + step * HOUR_NS)
        .take_while(|hour| *hour < last && !device.hours.contains_key(hour));
    let silent: Vec<i64> = silent.collect();
    let is_usual = |hour: &&i64| {
        let other_days = (1..=7_i64).flat_map(|day| [**hour - day * DAY_NS, **hour + day * DAY_NS]);
        other_days.filter_map(|hour| device.hours.get(&hour)).sum::<i64>() >= 14
    };
    if from - at > SILENCE_AFTER_NS || silent.iter().filter(is_usual).count() == 0 {
        return 0;
    }
    i64::try_from(silent.len()).unwrap_or(i64::MAX)
}
