//! Hours of the day at which an account's owner is at work.

use std::collections::BTreeMap;

use makyo_base::{HOUR_NS, Query, QueryError};

/// Days on which each account did something in each hour of the day.
const SQL: &str = "
    SELECT account, CAST(CAST(time AS BIGINT) / 3600000000000 AS BIGINT) % 24 AS hour,
           count(DISTINCT CAST(CAST(time AS BIGINT) / 86400000000000 AS BIGINT)) AS days
    FROM events
    WHERE account LIKE '%@%' AND src_endpoint_ip IS NOT NULL AND time IS NOT NULL
      AND source IN ('entra-sign-in', 'm365-unified-audit', 'google-workspace')
      AND coalesce(logon_type, '') <> 'non-interactive'
      AND coalesce(makyo_client_info, '') NOT LIKE '%RESTSystem%'
      AND coalesce(status, '') <> 'Failure'
    GROUP BY account, 2
    ORDER BY account, hour";

/// What is usual, by account and for the tenant.
#[derive(Default)]
pub(super) struct Hours {
    accounts: BTreeMap<String, [f64; 24]>,
    /// The share of an average account's days on which the hour is used.
    tenant: [f64; 24],
}

/// So many days of the tenant's average stand beside an account's own.
const TENANT_DAYS: f64 = 3.0;

impl Hours {
    pub(super) fn read(query: &dyn Query) -> Result<Self, QueryError> {
        let mut hours = Hours::default();
        for row in query.query(SQL)?.iter() {
            let hour = row.integer("hour").and_then(|hour| usize::try_from(hour).ok());
            let days = row.integer("days").and_then(|days| u32::try_from(days).ok());
            let own = hours.accounts.entry(row.string("account")).or_default();
            if let (Some(place), Some(days)) = (hour.and_then(|hour| own.get_mut(hour)), days) {
                *place = f64::from(days);
            }
        }
        let most = |own: &[f64; 24]| own.iter().copied().fold(1.0, f64::max);
        for own in hours.accounts.values() {
            for (tenant, days) in hours.tenant.iter_mut().zip(own) {
                *tenant += days / most(own);
            }
        }
        let count = u32::try_from(hours.accounts.len().max(1)).unwrap_or(u32::MAX);
        for tenant in &mut hours.tenant {
            *tenant /= f64::from(count);
        }
        Ok(hours)
    }

    /// How surprising it is that the account is used at this time, in decibans: the share of its
    /// other days on which it is, backed off to the tenant's.
    pub(super) fn surprise(&self, account: &str, at: i64) -> f64 {
        let Some(own) = self.accounts.get(account) else { return 0.0 };
        let hour = usize::try_from(at.div_euclid(HOUR_NS).rem_euclid(24)).unwrap_or_default();
        let most = own.iter().copied().fold(1.0, f64::max);
        let days = own.get(hour).copied().unwrap_or_default();
        let tenant = self.tenant.get(hour).copied().unwrap_or_default();
        // The day in question is no witness of itself.
        let share = ((days - 1.0).max(0.0) + TENANT_DAYS * tenant) / (most + TENANT_DAYS);
        (-10.0 * share.max(1e-3).log10()).max(0.0)
    }
}
