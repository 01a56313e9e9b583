//! What is judged by hand about the edge: `edge` in `knowledge/weights.yml`.

use makyo_base::MINUTE_NS;
use makyo_sigma::{Diagnostic, Node};

/// Thresholds of the edge.
#[derive(Clone, PartialEq, Debug, Default)]
pub(crate) struct EdgeScale {
    /// Days of logins before a place can be new to somebody.
    pub(crate) history_days: usize,
    /// Days from places of a kind that make it somebody's habit.
    pub(crate) habit_days: usize,
    /// Decibans of a first login from a rented machine that are told.
    pub(crate) hosting_least: f64,
    /// Share of an account's days that makes a network its own.
    pub(crate) own_share: f64,
    /// Nanoseconds side by side where flows show that both sessions live.
    pub(crate) parallel_seen: i64,
    /// The same where no flow shows it: longer than products keep a session whose client is gone.
    pub(crate) parallel_unseen: i64,
    /// Days on which an account ran two sessions side by side before: then it is its habit.
    pub(crate) parallel_days: usize,
    /// Hours in which a new place outside is called before it is told.
    pub(crate) outward_hours: i64,
    /// Decibans of a new partner of an appliance on an administrative port.
    pub(crate) inward_admin_db: f64,
    /// The most decibans that the rarity of new partners weighs.
    pub(crate) inward_rarity_max_db: f64,
    /// New partners on one day that are a search.
    pub(crate) inward_search: usize,
    /// Bytes and nanoseconds of a connection through the gate that are more than a page of sign-in.
    pub(crate) gate_bytes: i64,
    pub(crate) gate_lasts: i64,
    /// Connections that must belong to sessions, so that one without means something.
    pub(crate) gate_witnesses: usize,
    /// Leased addresses of a network of 256 that make it a pool.
    pub(crate) pool_leased: usize,
    /// Actions in an hour without a lease before they are told.
    pub(crate) pool_actions: i64,
    /// Addresses at once without a lease; more are leases in words that are not understood.
    pub(crate) pool_ghosts: usize,
    /// Share of a pool's actions that must lie within leases.
    pub(crate) pool_witnessed: f64,
    /// Days on which an address without any lease acts before it is a server.
    pub(crate) pool_server_days: usize,
    /// Minutes for which a third party's work goes on after hours.
    pub(crate) party_late_minutes: i64,
    /// Days in agreed hours that make an address the technician's.
    pub(crate) party_work_days: usize,
    /// Days on which a third party's computers must have been named before another is strange.
    pub(crate) party_known_days: usize,
}

impl EdgeScale {
    /// Reads the section.
    pub(crate) fn load(section: Option<&Node>, line: usize) -> Result<Self, Diagnostic> {
        let number = |name: &str| {
            let text = section.and_then(|node| node.get(name)).and_then(Node::text);
            text.and_then(|text| text.parse::<f64>().ok()).ok_or_else(|| {
                Diagnostic::at(line, format!("weight is missing or no number: `edge.{name}`"))
            })
        };
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small counts")]
        let count = |name: &str| number(name).map(|number| number.clamp(0.0, 1e6) as usize);
        let whole = |name: &str| count(name).map(|count| i64::try_from(count).unwrap_or(i64::MAX));
        #[allow(clippy::cast_possible_truncation, reason = "minutes of some weeks")]
        let minutes =
            |name: &str| number(name).map(|number| number.clamp(0.0, 1e6) as i64 * MINUTE_NS);
        Ok(EdgeScale {
            history_days: count("history_days")?,
            habit_days: count("habit_days")?,
            hosting_least: number("hosting_least")?,
            own_share: number("own_share")?,
            parallel_seen: minutes("parallel_seen_minutes")?,
            parallel_unseen: minutes("parallel_unseen_minutes")?,
            parallel_days: count("parallel_days")?,
            outward_hours: whole("outward_hours")?,
            inward_admin_db: number("inward_admin_db")?,
            inward_rarity_max_db: number("inward_rarity_max_db")?,
            inward_search: count("inward_search")?,
            gate_bytes: whole("gate_megabytes")?.saturating_mul(1_000_000),
            gate_lasts: minutes("gate_minutes")?,
            gate_witnesses: count("gate_witnesses")?,
            pool_leased: count("pool_leased")?,
            pool_actions: whole("pool_actions")?,
            pool_ghosts: count("pool_ghosts")?,
            pool_witnessed: number("pool_witnessed")?,
            pool_server_days: count("pool_server_days")?,
            party_late_minutes: whole("party_late_minutes")?,
            party_work_days: count("party_work_days")?,
            party_known_days: count("party_known_days")?,
        })
    }
}
