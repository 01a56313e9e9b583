//! A Windows log lacks records between two others, and was not cleared.
//!
//! Who clears a log is named by the log itself; who takes single records out of it, or stops the
//! service that writes it, is not, and only the numbers show it. An export of some kinds of events
//! lacks numbers everywhere, and what was shipped over the network loses some now and then: only a
//! log that skips hardly ever is told of, once, and it weighs too little to say by itself that
//! somebody was there. Records between two files may lie in a third that was not brought.

use makyo_base::{
    EntityKind, Finding, Level, Missing, Organisation, Places, Query, QueryError, Role,
    format_time, missing_records,
};

use crate::analytic::{Analytic, entity};
use crate::weights::Weights;

pub(crate) const ANALYTIC: Analytic = Analytic {
    id: "records_missing",
    title: "Records missing from a Windows log",
    level: Level::Medium,
    techniques: &["T1685.005"],
    tactics: &["defense-impairment"],
    run,
};

/// A log that skips more often loses records on its way.
const SKIPS_MAX: i64 = 3;

fn run(
    analytic: &Analytic,
    query: &dyn Query,
    _organisation: &Organisation,
    weights: &Weights,
    _places: &dyn Places,
    _found: &[Finding],
) -> Result<Vec<Finding>, QueryError> {
    let missing = missing_records(query)?;
    let taken = missing
        .iter()
        .filter(|one| one.is_within_file && !one.is_cleared && one.skips <= SKIPS_MAX);
    let taken: Vec<&Missing> = taken.collect();
    let logs = taken.chunk_by(|a, b| (&a.host, &a.source) == (&b.host, &b.source));
    let findings = logs.filter_map(|of_log| {
        let first = of_log.first()?;
        let told = of_log.iter().map(|one| {
            let (from, to) = (format_time(one.from), format_time(one.to));
            format!("{} between {from} and {to}", one.count)
        });
        let text = format!(
            "the numbers of {} on {} skip records that are missing: {}; the log was not cleared then",
            first.source,
            first.host,
            told.collect::<Vec<_>>().join(", ")
        );
        let entities = entity(Role::Place, EntityKind::Host, &first.host).into_iter().collect();
        let records = of_log.iter().flat_map(|one| [one.before.clone(), one.after.clone()]);
        let weight = weights.analytic(analytic.id);
        Some(analytic.finding(Some(first.from), weight, entities, records.collect(), text))
    });
    Ok(findings.collect())
}
