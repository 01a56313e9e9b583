//! A third party's account is used otherwise than agreed: from another address, at another hour, or
//! after the end.
//!
//! What `org.toml` says of a third party is the agreement. A technician who stays late or works from
//! home breaks one term, and one who is called at night at home breaks two; somebody with a stolen
//! key breaks several at once. Address and hour together therefore are a lead only. They are more
//! than that where something else speaks: the agreed days are over, or the session logs on inside
//! from a computer that the account never used. From where the account came on several earlier days
//! within the agreed hours, its technician works: that address alone makes no second term at night.

use std::collections::{BTreeMap, BTreeSet};

use makyo_base::{
    DAY_NS, EntityKind, Finding, HOUR_NS, Level, Organisation, Places, Query, QueryError,
    RecordRef, Role, ThirdParty, local_minute, minutes_of_day,
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
        "SELECT account, src_endpoint_ip AS address, lower(src_endpoint_hostname) AS computer,
                CAST(time AS BIGINT) AS at, file, record
         FROM events
         WHERE account IN ({accounts}) AND time IS NOT NULL AND src_endpoint_ip IS NOT NULL
           AND src_endpoint_hostname IS NOT NULL
           AND class_uid = 3002 AND activity_id = 1 AND coalesce(status, '') = 'Success'
         ORDER BY account, at, file, record"
    )
}

/// A logon inside in a third party's name, and the name of the computer that it came from.
#[derive(Clone, Debug)]
pub(crate) struct Logon {
    pub(crate) account: String,
    pub(crate) address: String,
    pub(crate) computer: String,
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
    _found: &[Finding],
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
            at: row.integer("at").unwrap_or_default(),
            record: row.reference(),
        })
        .collect();
    let broken = judge(&uses, &logons, &Terms { organisation, scale: weights.edge() });
    Ok(broken.iter().map(|one| finding(analytic, one, weights)).collect())
}

/// What uses are held against.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms<'t> {
    pub(crate) organisation: &'t Organisation,
    pub(crate) scale: &'t EdgeScale,
}

/// A day's use that breaks terms of the agreement.
#[derive(Debug)]
pub(crate) struct Broken<'u> {
    party: String,
    uses: Vec<&'u Use>,
    pub(crate) terms: BTreeSet<String>,
    /// The logon from a computer that the account never used.
    logon: Option<&'u Logon>,
}

impl Broken<'_> {
    /// Whether more speaks than a technician who is called at night at home.
    pub(crate) fn is_abuse(&self) -> bool {
        let is_of_home = |term: &String| term.ends_with(NOT_AGREED) || term.ends_with(NOT_HOURS);
        self.terms.len() > 1 && (self.logon.is_some() || !self.terms.iter().all(is_of_home))
    }
}

/// Uses that break terms, one entry for an account, address and day.
pub(crate) fn judge<'u>(
    uses: &'u [Use],
    logons: &'u [Logon],
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
        });
        day.uses.push(one);
        day.logon = day.logon.or_else(|| strange_logon(one, logons, terms.scale));
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

/// A logon from the session's inside address, from a computer that the account never used before
/// although on earlier days its computers were named.
fn strange_logon<'l>(one: &Use, logons: &'l [Logon], scale: &EdgeScale) -> Option<&'l Logon> {
    let is_own = |logon: &&Logon| local(&logon.account).eq_ignore_ascii_case(local(&one.account));
    let earlier = || logons.iter().filter(is_own).filter(|logon| logon.at < one.at);
    let days: BTreeSet<i64> = earlier().map(|logon| logon.at.div_euclid(DAY_NS)).collect();
    if one.inside.is_empty() || days.len() < scale.party_known_days {
        return None;
    }
    logons
        .iter()
        .filter(is_own)
        .filter(|logon| logon.address == one.inside && !logon.computer.is_empty())
        .filter(|logon| (one.at..one.at.saturating_add(SESSION_NS)).contains(&logon.at))
        .find(|logon| earlier().all(|known| known.computer != logon.computer))
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
    let text = format!(
        "`{account}` of the third party {} came in otherwise than agreed: {}{}",
        one.party,
        terms.join("; "),
        strange.unwrap_or_default()
    );
    let entities = [
        entity(Role::Actor, EntityKind::Account, account),
        entity(Role::Origin, EntityKind::Address, address),
        entity(Role::Object, EntityKind::Address, inside),
    ];
    let entities = entities.into_iter().flatten().collect();
    let logon = one.logon.map(|logon| logon.record.clone());
    let records = one.uses.iter().map(|one| one.record.clone()).chain(logon).collect();
    let weight = weights.analytic(analytic.id);
    analytic.finding(told.map(|told| told.at), weight, entities, records, text)
}
