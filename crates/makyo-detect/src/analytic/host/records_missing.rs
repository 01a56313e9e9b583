//! A Windows log lacks records between two others, and was not cleared.
//!
//! Who clears a log is named by the log itself; who takes single records out of it, or stops the
//! service that writes it, is not, and only the numbers show it. An export of some kinds of events
//! lacks numbers everywhere and says nothing; records between two files may lie in a third that was
//! not brought.

use makyo_base::{
    EntityKind, Finding, Level, Organisation, Places, Query, QueryError, Role, format_time,
    missing_records,
};

use crate::analytic::{Analytic, entity};
use crate::weights::Weights;

pub(crate) const ANALYTIC: Analytic = Analytic {
    id: "records_missing",
    title: "Records taken out of a Windows log",
    level: Level::High,
    techniques: &["T1685.005"],
    tactics: &["defense-impairment"],
    run,
};

fn run(
    analytic: &Analytic,
    query: &dyn Query,
    _organisation: &Organisation,
    weights: &Weights,
    _places: &dyn Places,
    _found: &[Finding],
) -> Result<Vec<Finding>, QueryError> {
    let missing = missing_records(query)?;
    let taken = missing.iter().filter(|one| one.is_within_file && !one.is_cleared);
    let findings = taken.map(|one| {
        let text = format!(
            "{} records are missing from {} on {} between {} and {}: their numbers are skipped, and the log was not cleared then",
            one.count,
            one.source,
            one.host,
            format_time(one.from),
            format_time(one.to)
        );
        let entities = entity(Role::Place, EntityKind::Host, &one.host).into_iter().collect();
        let records = vec![one.before.clone(), one.after.clone()];
        let weight = weights.analytic(analytic.id);
        analytic.finding(Some(one.from), weight, entities, records, text)
    });
    Ok(findings.collect())
}
