//! Hours in which an edge device that usually writes wrote nothing: what is missing then is no sign.

use std::collections::{BTreeMap, BTreeSet};

use makyo_base::{DAY_NS, HOUR_NS, Query, QueryError};

use super::sql_list;

const SPEAKERS: &str = "
    SELECT DISTINCT source, coalesce(host, '') AS host FROM events WHERE class_uid = 4014
    ORDER BY 1, 2";

/// Sources and hosts that speak of tunnels, as a condition. The lists are literals, because a join
/// on names that repeat is quadratic.
pub(super) fn edge_condition(query: &dyn Query) -> Result<Option<String>, QueryError> {
    let rows = query.query(SPEAKERS)?;
    let sources: BTreeSet<String> = rows.iter().map(|row| row.string("source")).collect();
    let hosts: BTreeSet<String> =
        rows.iter().map(|row| row.string("host")).filter(|host| !host.is_empty()).collect();
    let text = format!("(source IN ({}) OR host IN ({}))", sql_list(&sources), sql_list(&hosts));
    Ok((!sources.is_empty()).then_some(text))
}

/// Records of each edge device by hour.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hours(pub(crate) BTreeMap<String, BTreeMap<i64, i64>>);

/// Records that a week around has at this hour, before its silence means something: with so many
/// the chance of an empty hour is one in a million.
const USUAL_MIN: i64 = 14 * 5;

impl Hours {
    pub(super) fn read(query: &dyn Query, edge: &str) -> Result<Self, QueryError> {
        let sql = format!(
            "SELECT coalesce(host, source) AS device,
                    CAST(date_trunc('hour', time) AS BIGINT) AS hour, count(*) AS records
             FROM events WHERE time IS NOT NULL AND {edge}
             GROUP BY 1, 2 ORDER BY 1, 2"
        );
        let mut hours = Hours::default();
        for row in query.query(&sql)?.iter() {
            let device = hours.0.entry(row.string("device")).or_default();
            let hour = row.integer("hour").unwrap_or_default();
            device.insert(hour, row.integer("records").unwrap_or_default());
        }
        Ok(hours)
    }

    /// Whether a device is silent in one of the hours from an hour before to the end, or has no
    /// record before or after at all.
    pub(crate) fn is_silent(&self, device: &str, from: i64, to: i64) -> bool {
        let Some(hours) = self.0.get(device) else { return true };
        let first = from.div_euclid(HOUR_NS) * HOUR_NS - HOUR_NS;
        let mut steps = (0..).map(|step| first + step * HOUR_NS).take_while(|hour| *hour <= to);
        steps.any(|hour| {
            let around = (1..=7).flat_map(|day| [hour - day * DAY_NS, hour + day * DAY_NS]);
            let usual: i64 = around.filter_map(|hour| hours.get(&hour)).sum();
            !hours.contains_key(&hour) && usual >= USUAL_MIN
        })
    }

    /// Whether any device is silent then.
    pub(crate) fn is_any_silent(&self, from: i64, to: i64) -> bool {
        self.0.keys().any(|device| self.is_silent(device, from, to))
    }
}
