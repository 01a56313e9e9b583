//! Analytics: behaviour that no single record shows.

pub(crate) mod edge;
pub(crate) mod host;
pub(crate) mod mail;
pub(crate) mod posing;
pub(crate) mod tunnel_without_authentication;

use makyo_base::{
    Entity, EntityKind, Finding, FindingSource, Level, Organisation, Places, Query, QueryError,
    RecordRef, Role, RuleRef, short_id,
};

use crate::weights::Weights;

type Run = fn(
    &Analytic,
    &dyn Query,
    &Organisation,
    &Weights,
    &dyn Places,
    &[Finding],
) -> Result<Vec<Finding>, QueryError>;

/// One analytic.
#[derive(Clone, Copy, Debug)]
pub struct Analytic {
    /// Its id, also the name of its weight.
    pub id: &'static str,
    /// Its title.
    pub title: &'static str,
    /// Its level.
    pub level: Level,
    /// ATT&CK techniques.
    pub techniques: &'static [&'static str],
    /// ATT&CK tactics.
    pub tactics: &'static [&'static str],
    run: Run,
}

/// All analytics, in the order in which they run.
pub const ANALYTICS: &[Analytic] = &[
    tunnel_without_authentication::ANALYTIC,
    edge::pool::ANALYTIC,
    edge::gate::ANALYTIC,
    edge::appliance::ANALYTIC,
    edge::outward::ANALYTIC,
    edge::administration::ANALYTIC,
    edge::moved::ANALYTIC,
    edge::travel::ANALYTIC,
    edge::hosting::ANALYTIC,
    edge::parallel::ANALYTIC,
    edge::third_party::ANALYTIC,
    host::remote_execution::ANALYTIC,
    host::records_missing::ANALYTIC,
    mail::ANALYTIC,
    // After mail, which says whose computers were reached.
    posing::ANALYTIC,
];

/// Runs all analytics over the case's events. `places` is what the user's lists say of addresses,
/// `by_rules` what rules found. What planned work or a third party explains is marked so.
///
/// # Errors
/// If a query fails, which is a mistake of ours or damage to the case.
pub fn run_analytics(
    query: &dyn Query,
    organisation: &Organisation,
    weights: &Weights,
    places: &dyn Places,
    by_rules: &[Finding],
) -> Result<Vec<Finding>, QueryError> {
    let mut found = by_rules.to_vec();
    for analytic in ANALYTICS {
        let mut more = analytic.run(query, organisation, weights, places, &found)?;
        for finding in &mut more {
            weights.explain(finding, organisation);
        }
        found.append(&mut more);
    }
    found.drain(..by_rules.len());
    Ok(found)
}

impl Analytic {
    /// Runs it over the case's events; `found` is what was found before.
    ///
    /// # Errors
    /// If the query fails.
    pub fn run(
        &self,
        query: &dyn Query,
        organisation: &Organisation,
        weights: &Weights,
        places: &dyn Places,
        found: &[Finding],
    ) -> Result<Vec<Finding>, QueryError> {
        (self.run)(self, query, organisation, weights, places, found)
    }

    fn finding(
        &self,
        time: Option<i64>,
        weight_db: f64,
        mut entities: Vec<Entity>,
        mut records: Vec<RecordRef>,
        text: String,
    ) -> Finding {
        entities.sort();
        entities.dedup();
        records.sort();
        records.dedup();
        let mut parts = vec![self.id.to_owned(), time.unwrap_or_default().to_string()];
        parts.extend(
            entities.iter().map(|entity| format!("{}:{}", entity.kind.word(), entity.value)),
        );
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        Finding {
            id: short_id("finding", &parts),
            time,
            source: FindingSource::Analytic,
            rule: RuleRef {
                id: self.id.to_owned(),
                title: self.title.to_owned(),
                level: self.level,
            },
            techniques: self.techniques.iter().map(|one| (*one).to_owned()).collect(),
            tactics: self.tactics.iter().map(|one| (*one).to_owned()).collect(),
            entities,
            weight_db,
            explained_by: None,
            records,
            text,
        }
    }
}

fn entity(role: Role, kind: EntityKind, value: &str) -> Option<Entity> {
    (!value.is_empty()).then(|| Entity { role, kind, value: value.to_owned() })
}
