//! A third party's account is used otherwise than agreed: from another address, at another hour, or
//! after the end.
//!
//! What `org.toml` says of a third party is the agreement. A technician who stays late or works from
//! home breaks one term, and one who is called at night at home breaks two; somebody with a stolen
//! key breaks several at once. Address and hour together therefore are a lead only. They are more
//! than that where something else speaks: the agreed days are over, the session logs on inside from
//! a computer that the account never used, or a rule finds what it does there. From where the
//! account came on several earlier days within the agreed hours, its technician works: that address
//! alone makes no second term at night.

use std::collections::{BTreeMap, BTreeSet};

use makyo_base::{
    DAY_NS, EntityKind, Finding, FindingSource, HOUR_NS, Level, Organisation, Places, Query,
    QueryError, RecordRef, Role, ThirdParty, local_minute, minutes_of_day,
};

use super::scale::EdgeScale;
use super::sql_list;
use crate::analytic::posing::vpn::local;
use crate::analytic::{Analytic, entity};
use crate::weights::Weights;

/// Several terms are broken at once, and not only as a technician does at home at night.
pub(crate) const ANALYTIC: Analytic = Analytic {
    id: "third_party_outside_terms",
    title: "Third party's account used otherwise than agreed",
    level: Level::High,
    techniques: &["T1199", "T1078"],
    tactics: &["initial-access"],
    run,
};

/// One term is broken.
const ONE_TERM: Analytic = Analytic {
    id: "third_party_elsewhere",
    title: "Third party's account used against terms of the agreement",
    level: Level::Medium,
    ..ANALYTIC
};

const ACCOUNTS: &str = "
    SELECT DISTINCT account FROM events
    WHERE class_uid IN (3002, 4014) AND account IS NOT NULL ORDER BY 1";

fn sql(accounts: &str) -> String {
    format!(
        "SELECT account, src_endpoint_ip AS address, coalesce(tunnel_interface_ip, '') AS inside,
                class_uid, CAST(time AS BIGINT) AS at, file, record
         FROM events
         WHERE account IN ({accounts}) AND time IS NOT NULL AND src_endpoint_ip IS NOT NULL
           AND (class_uid = 4014 AND activity_id = 1
                OR class_uid = 3002 AND activity_id = 1 AND coalesce(status, '') = 'Success')
         ORDER BY account, at, file, record"
    )
}

fn logons_sql(accounts: &str) -> String {
    format!(
        "SELECT account, src_endpoint_ip AS address,
                coalesce(lower(src_endpoint_hostname), '') AS computer,
                coalesce(lower(host), '') AS host, coalesce(actor_session_uid, '') AS session,
                CAST(time AS BIGINT) AS at, file, record
         FROM events
         WHERE account IN ({accounts}) AND time IS NOT NULL AND src_endpoint_ip IS NOT NULL
           AND class_uid = 3002 AND activity_id = 1 AND coalesce(status, '') = 'Success'
         ORDER BY account, at, file, record"
    )
}

/// A logon inside in a third party's name.
#[derive(Clone, Debug)]
pub(crate) struct Logon {
    pub(crate) account: String,
    pub(crate) address: String,
    /// The name of the computer that it came from. Remote desktops often name their own host there,
    /// which says nothing of whose computer it was.
    pub(crate) computer: String,
    pub(crate) host: String,
    pub(crate) session: String,
    pub(crate) at: i64,
    pub(crate) record: RecordRef,
}

/// A login or tunnel in a third party's name.
#[derive(Clone, Debug)]
pub(crate) struct Use {
    pub(crate) account: String,
    pub(crate) address: String,
    pub(crate) inside: String,
    pub(crate) is_tunnel: bool,
    pub(crate) at: i64,
    pub(crate) record: RecordRef,
}

fn run(
    analytic: &Analytic,
    query: &dyn Query,
    organisation: &Organisation,
    weights: &Weights,
    _places: &dyn Places,
    found: &[Finding],
) -> Result<Vec<Finding>, QueryError> {
    let named: BTreeSet<String> = organisation
        .third_parties
        .iter()
        .flat_map(|party| &party.accounts)
        .map(|account| local(account).to_lowercase())
        .collect();
    if named.is_empty() {
        return Ok(Vec::new());
    }
    let accounts: Vec<String> = query
        .query(ACCOUNTS)?
        .iter()
        .map(|row| row.string("account"))
        .filter(|account| named.contains(&local(account).to_lowercase()))
        .collect();
    if accounts.is_empty() {
        return Ok(Vec::new());
    }
    let uses: Vec<Use> = query
        .query(&sql(&sql_list(&accounts)))?
        .iter()
        .map(|row| Use {
            account: row.string("account"),
            address: row.string("address"),
            inside: row.string("inside"),
            is_tunnel: row.integer("class_uid") == Some(4014),
            at: row.integer("at").unwrap_or_default(),
            record: row.reference(),
        })
        .collect();
    let logons: Vec<Logon> = query
        .query(&logons_sql(&sql_list(&accounts)))?
        .iter()
        .map(|row| Logon {
            account: row.string("account"),
            address: row.string("address"),
            computer: row.string("computer"),
            host: row.string("host"),
            session: row.string("session"),
            at: row.integer("at").unwrap_or_default(),
            record: row.reference(),
        })
        .collect();
    let inside = Inside { logons: &logons, found, strong: weights.incident_strong };
    let broken = judge(&uses, &inside, &Terms { organisation, scale: weights.edge() });
    Ok(broken.iter().map(|one| finding(analytic, one, weights)).collect())
}

/// What uses are held against.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms<'t> {
    pub(crate) organisation: &'t Organisation,
    pub(crate) scale: &'t EdgeScale,
}

/// What is known of sessions inside.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Inside<'i> {
    pub(crate) logons: &'i [Logon],
    /// What rules found.
    pub(crate) found: &'i [Finding],
    /// Weight from which a finding speaks.
    pub(crate) strong: f64,
}

/// A day's use that breaks terms of the agreement.
#[derive(Debug)]
pub(crate) struct Broken<'u> {
    party: String,
    uses: Vec<&'u Use>,
    pub(crate) terms: BTreeSet<String>,
    /// The logon from a computer that the account never used.
    logon: Option<&'u Logon>,
    /// What a rule found in its session.
    deed: Option<&'u Finding>,
}

impl Broken<'_> {
    /// Whether more speaks than a technician who is called at night at home.
    pub(crate) fn is_abuse(&self) -> bool {
        let is_of_home = |term: &String| term.ends_with(NOT_AGREED) || term.ends_with(NOT_HOURS);
        let is_odd = self.logon.is_some() || self.deed.is_some();
        self.terms.len() > 1 && (is_odd || !self.terms.iter().all(is_of_home))
    }
}

/// Uses that break terms, one entry for an account, address and day.
pub(crate) fn judge<'u>(
    uses: &'u [Use],
    inside: &Inside<'u>,
    terms: &Terms<'_>,
) -> Vec<Broken<'u>> {
    let mut days: BTreeMap<(&str, &str, i64), Broken<'u>> = BTreeMap::new();
    for one in uses {
        let party = terms.organisation.third_parties.iter().find(|party| {
            party.accounts.iter().any(|name| local(name).eq_ignore_ascii_case(local(&one.account)))
        });
        let Some(party) = party else { continue };
        let mut broken = broken_terms(one, party, terms);
        if broken.len() == 2 && works_there(one, uses, party, terms) {
            broken.retain(|term| !term.ends_with(NOT_AGREED));
        }
        if broken.is_empty() {
            continue;
        }
        let key = (one.account.as_str(), one.address.as_str(), one.at.div_euclid(DAY_NS));
        let day = days.entry(key).or_insert_with(|| Broken {
            party: party.name.clone(),
            uses: Vec::new(),
            terms: BTreeSet::new(),
            logon: None,
            deed: None,
        });
        day.uses.push(one);
        day.logon = day.logon.or_else(|| strange_logon(one, inside, terms.scale));
        day.deed = day.deed.or_else(|| deed(one, inside));
        day.terms.extend(broken);
    }
    days.into_values().collect()
}

/// How the term of the address ends.
const NOT_AGREED: &str = "is none of the agreed addresses";

/// How the term of the hours ends.
const NOT_HOURS: &str = "is outside the agreed hours";
/// A session's logons come within so long.
const SESSION_NS: i64 = 12 * HOUR_NS;

impl<'i> Inside<'i> {
    /// Logons in an account's name.
    fn own(&self, one: &Use) -> impl Iterator<Item = &'i Logon> + Clone {
        let account = local(&one.account).to_lowercase();
        self.logons.iter().filter(move |logon| local(&logon.account).to_lowercase() == account)
    }

    /// Logons of a session: those from its inside address, soon after.
    fn of_session(&self, one: &Use) -> impl Iterator<Item = &'i Logon> {
        let (inside, times) = (one.inside.clone(), one.at..one.at.saturating_add(SESSION_NS));
        self.own(one).filter(move |logon| {
            !inside.is_empty() && logon.address == inside && times.contains(&logon.at)
        })
    }
}

/// Whether a logon names the computer that it came from.
fn names_computer(logon: &&Logon) -> bool {
    !logon.computer.is_empty() && !is_host_itself(logon)
}

fn is_host_itself(logon: &Logon) -> bool {
    let first = |name: &str| name.split('.').next().unwrap_or_default().to_owned();
    first(&logon.computer) == first(&logon.host)
}

/// A logon of the session from a computer that the account never used before although on earlier
/// days its computers were named.
fn strange_logon<'l>(one: &Use, inside: &Inside<'l>, scale: &EdgeScale) -> Option<&'l Logon> {
    let earlier = || inside.own(one).filter(names_computer).filter(|logon| logon.at < one.at);
    let days: BTreeSet<i64> = earlier().map(|logon| logon.at.div_euclid(DAY_NS)).collect();
    if days.len() < scale.party_known_days {
        return None;
    }
    inside
        .of_session(one)
        .filter(names_computer)
        .find(|logon| earlier().all(|known| known.computer != logon.computer))
}

/// What a rule found of what the session did on a host.
fn deed<'f>(one: &Use, inside: &Inside<'f>) -> Option<&'f Finding> {
    let sessions: Vec<&Logon> =
        inside.of_session(one).filter(|logon| !logon.session.is_empty()).collect();
    let is_of = |finding: &Finding, logon: &Logon| {
        let has = |kind, value: &str| {
            let mut of_kind = finding.entities.iter().filter(|it| it.kind == kind);
            of_kind.any(|it| it.value.eq_ignore_ascii_case(value))
        };
        // Windows gives the number of a session again after a restart.
        let times = logon.at..=logon.at.saturating_add(SESSION_NS);
        finding.time.is_some_and(|at| times.contains(&at))
            && has(EntityKind::Session, &logon.session)
            && has(EntityKind::Host, &logon.host)
    };
    let by_rules = inside.found.iter().filter(|finding| {
        finding.source != FindingSource::Analytic
            && finding.weight_db >= inside.strong
            && finding.explained_by.is_none()
    });
    let mut of_session =
        by_rules.filter(|finding| sessions.iter().any(|logon| is_of(finding, logon)));
    of_session.next()
}

/// Whether the account came from there on several earlier days and broke no other term then.
fn works_there(one: &Use, uses: &[Use], party: &ThirdParty, terms: &Terms<'_>) -> bool {
    let days: BTreeSet<i64> = uses
        .iter()
        .filter(|use_| use_.account == one.account && use_.address == one.address)
        .filter(|use_| use_.at.div_euclid(DAY_NS) < one.at.div_euclid(DAY_NS))
        .filter(|use_| broken_terms(use_, party, terms).len() == 1)
        .map(|use_| use_.at.div_euclid(DAY_NS))
        .collect();
    days.len() >= terms.scale.party_work_days
}

fn broken_terms(one: &Use, party: &ThirdParty, terms: &Terms<'_>) -> Vec<String> {
    let Terms { organisation, scale } = *terms;
    let late = scale.party_late_minutes;
    let Ok(address) = one.address.parse() else { return Vec::new() };
    // From inside they come over what let them in, which is judged itself.
    if organisation.network.is_internal(address) || organisation.network.is_egress(address) {
        return Vec::new();
    }
    let mut terms = Vec::new();
    if !party.addresses.is_empty() && !party.addresses.iter().any(|net| net.contains(&address)) {
        terms.push(format!("{address} {NOT_AGREED}"));
    }
    if party.from.is_some_and(|from| one.at < from) || party.to.is_some_and(|to| one.at > to) {
        terms.push("it is outside the agreed days".to_owned());
    }
    if let Some((from, to)) = party.hours.as_deref().and_then(minutes_of_day)
        && let Some(minute) = local_minute(one.at, organisation.timezone.as_deref())
    {
        let is_within = if from <= to {
            from - late <= minute && minute <= to + late
        } else {
            minute >= from - late || minute <= to + late
        };
        if !is_within {
            terms.push(format!("{:02}:{:02} {NOT_HOURS}", minute / 60, minute % 60));
        }
    }
    terms
}

fn finding(analytic: &Analytic, one: &Broken<'_>, weights: &Weights) -> Finding {
    let analytic = if one.is_abuse() { analytic } else { &ONE_TERM };
    // The tunnel leads further: its inside address is where they went on from.
    let told = one.uses.iter().find(|one| one.is_tunnel).or_else(|| one.uses.first());
    let terms: Vec<&str> = one.terms.iter().map(String::as_str).collect();
    let (account, address, inside) =
        told.map(|told| (&*told.account, &*told.address, &*told.inside)).unwrap_or_default();
    let strange = one.logon.map(|logon| {
        format!("; it logged on from `{}`, a computer that it never used before", logon.computer)
    });
    let deed = one.deed.map(|deed| format!("; then, in that session: {}", deed.text));
    let text = format!(
        "`{account}` of the third party {} came in otherwise than agreed: {}{}{}",
        one.party,
        terms.join("; "),
        strange.unwrap_or_default(),
        deed.unwrap_or_default()
    );
    let entities = [
        entity(Role::Actor, EntityKind::Account, account),
        entity(Role::Origin, EntityKind::Address, address),
        entity(Role::Object, EntityKind::Address, inside),
    ];
    let entities = entities.into_iter().flatten().collect();
    let logon = one.logon.map(|logon| logon.record.clone());
    let deed = one.deed.into_iter().flat_map(|deed| deed.records.iter().cloned());
    let of_uses = one.uses.iter().map(|one| one.record.clone());
    let records = of_uses.chain(logon).chain(deed).collect();
    let weight = weights.analytic(analytic.id);
    analytic.finding(told.map(|told| told.at), weight, entities, records, text)
}
