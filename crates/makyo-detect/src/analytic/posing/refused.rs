//! Sign-ins out of an intruder's tunnel that were refused: whom they tried as well.
//!
//! They come out of the organisation's own address, as everybody's mistyped passwords do, and are
//! told from them as sign-ins that succeed are: by the tunnel, by its own connection to the cloud,
//! and by what the account's owner uses.

use std::collections::{BTreeMap, BTreeSet};

use makyo_base::{Entity, EntityKind, Finding, Level, RecordRef, Role};

use super::super::{Analytic, entity};
use super::context::{Context, Kind};
use super::own::{Origin, Own};
use super::tie::Ties;
use super::unit::Unit;
use super::{Ground, Round, origin};
use crate::weights::Weights;

/// It names nobody as breached.
const ANALYTIC: Analytic = Analytic {
    id: "attempts_from_tunnel",
    title: "Sign-ins out of an intruder's tunnel were refused",
    level: Level::High,
    techniques: &[],
    tactics: &["credential-access"],
    ..super::ANALYTIC
};

/// One account that was tried, and from which tunnel.
#[derive(Debug)]
pub(super) struct Tried {
    unit: usize,
    /// The start of the tunnel, and the address that it had leased.
    tunnel: (i64, String),
    text: String,
}

/// Refused sign-ins from the organisation's own addresses.
pub(super) fn units(contexts: &[Context], own: &Own) -> Vec<Unit> {
    let refused = contexts.iter().filter(|one| one.kind == Kind::Failure);
    let units = refused.map(|one| Unit::refused(one, own));
    units.filter(|unit| unit.origin == Origin::Own).collect()
}

/// Those of them that an intruder made.
pub(super) fn tried(units: &[Unit], ground: &Ground<'_>, round: &Round) -> Vec<Tried> {
    let scale = ground.scale;
    let mut ties = Ties::default();
    for (at, unit) in units.iter().enumerate() {
        let mut evidence = origin::weigh(unit, &round.habits, &ground.hours, scale);
        evidence.extend(ground.presence.weigh(unit, scale));
        evidence.extend(round.intruders.weigh(unit, round.passage.as_ref(), scale));
        ties.add(at, evidence, units, &round.intruders, scale);
    }
    let of_tunnels = ties.of_tunnels(round, scale).into_iter();
    let tried = of_tunnels.filter_map(|(unit, evidence)| {
        let at = units.get(unit)?.entered?;
        let up = round.intruders.leases.iter();
        let lease = up.filter(|one| one.start <= at && at <= one.end).max()?;
        let reasons = evidence.iter().map(|one| format!("{} ({:+.0} dB)", one.text, one.weight_db));
        let text = reasons.collect::<Vec<_>>().join("; ");
        Some(Tried { unit, tunnel: (lease.start, lease.inside.clone()), text })
    });
    tried.collect()
}

/// One finding for each tunnel.
pub(super) fn findings(units: &[Unit], tried: &[Tried], weights: &Weights) -> Vec<Finding> {
    let mut tunnels: BTreeMap<&(i64, String), Vec<(&Unit, &str)>> = BTreeMap::new();
    for one in tried {
        let unit = units.get(one.unit).map(|unit| (unit, one.text.as_str()));
        tunnels.entry(&one.tunnel).or_default().extend(unit);
    }
    let weight = weights.analytic(ANALYTIC.id);
    let found = tunnels.into_iter().filter_map(|((_, inside), mut all)| {
        all.sort_by(|a, b| (a.0.first, &a.0.account).cmp(&(b.0.first, &b.0.account)));
        let (first, why) = all.first()?;
        let accounts: BTreeSet<&str> = all.iter().map(|one| one.0.account.as_str()).collect();
        let addresses: BTreeSet<&str> = all.iter().map(|one| one.0.address.as_str()).collect();
        let named = |role, kind, names: &BTreeSet<&str>| {
            names.iter().filter_map(|one| entity(role, kind, one)).collect::<Vec<Entity>>()
        };
        let mut entities = named(Role::Target, EntityKind::Account, &accounts);
        entities.extend(named(Role::Origin, EntityKind::Address, &addresses));
        entities.extend(entity(Role::Object, EntityKind::Address, inside));
        let records = all.iter().flat_map(|one| one.0.records.iter().cloned());
        let records: Vec<RecordRef> = records.take(crate::FINDING_RECORDS_MAX).collect();
        let text = format!(
            "sign-ins to {} account{} out of the intruder's tunnel were refused; to {} first: {why}",
            accounts.len(),
            if accounts.len() == 1 { "" } else { "s" },
            first.account,
        );
        Some(ANALYTIC.finding(Some(first.first), weight, entities, records, text))
    });
    found.collect()
}
