//! Sign-ins out of an intruder's tunnel that were refused: whom they tried as well.
//!
//! They come out of the organisation's own address, as everybody's mistyped passwords do, and are
//! told from them as sign-ins that succeed are: by the tunnel, by its own connection to the cloud,
//! and by what the account's owner uses.

use std::collections::BTreeMap;

use makyo_base::{EntityKind, Finding, Level, RecordRef, Role};

use super::super::{Analytic, entity};
use super::claim::Claims;
use super::context::Context;
use super::own::{Origin, Own};
use super::scale::Scale;
use super::tie::Ties;
use super::unit::Unit;
use super::{Ground, Round, origin};
use crate::weights::Weights;

/// It names nobody as breached.
const ANALYTIC: Analytic = Analytic {
    id: "attempts_from_tunnel",
    title: "A sign-in out of an intruder's tunnel was refused",
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
    let refused = contexts.iter().filter(|one| one.kind.is_refused());
    let units = refused.map(|one| Unit::refused(one, own));
    units.filter(|unit| unit.origin == Origin::Own).collect()
}

/// What there is against each.
pub(super) fn ties(units: &[Unit], ground: &Ground<'_>, round: &Round) -> Ties {
    let scale = ground.scale;
    let mut ties = Ties::default();
    for (at, unit) in units.iter().enumerate() {
        let mut evidence = origin::weigh(unit, &round.habits, &ground.hours, scale);
        evidence.extend(ground.presence.weigh(unit, scale));
        evidence.extend(round.intruders.weigh(unit, round.passage.as_ref(), scale));
        ties.add(at, evidence, units, &round.intruders, scale);
    }
    ties
}

/// Those that an intruder made.
pub(super) fn tried(
    units: &[Unit],
    ties: Ties,
    claims: &Claims,
    round: &Round,
    scale: &Scale,
) -> Vec<Tried> {
    let of_tunnels = ties.of_tunnels(claims, round, scale).into_iter();
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

/// An account, and the tunnel that it was tried from.
type Attempt<'a> = (&'a str, &'a (i64, String));

/// One finding for each account and tunnel.
pub(super) fn findings(units: &[Unit], tried: &[Tried], weights: &Weights) -> Vec<Finding> {
    let mut attempts: BTreeMap<Attempt<'_>, Vec<(&Unit, &str)>> = BTreeMap::new();
    for one in tried {
        if let Some(unit) = units.get(one.unit) {
            let key = (unit.account.as_str(), &one.tunnel);
            attempts.entry(key).or_default().push((unit, &one.text));
        }
    }
    let weight = weights.analytic(ANALYTIC.id);
    let found = attempts.into_iter().filter_map(|((account, (_, inside)), mut all)| {
        all.sort_by_key(|one| one.0.first);
        let (first, why) = all.first()?;
        let entities = [
            entity(Role::Target, EntityKind::Account, account),
            entity(Role::Origin, EntityKind::Address, &first.address),
            entity(Role::Object, EntityKind::Address, inside),
        ];
        let records = all.iter().flat_map(|one| one.0.records.iter().cloned());
        let records: Vec<RecordRef> = records.take(crate::FINDING_RECORDS_MAX).collect();
        let text = format!(
            "sign-in to {account} out of the intruder's tunnel {}: {why}",
            first.outcome.word()
        );
        let entities = entities.into_iter().flatten().collect();
        Some(ANALYTIC.finding(Some(first.first), weight, entities, records, text))
    });
    found.collect()
}
