//! Sigma rules over records, routed by log source.
//!
//! For every log source that a source description serves there is one plan of the rules that ask
//! for it. A record is put to the plans of its own source only: routing fails closed.

use std::sync::Arc;

use makyo_base::{
    Column, Decoded, Entity, EntityKind, Event, Finding, FindingSource, Level, Object, Position,
    RecordRef, Role, RuleRef, Value, hex, short_id,
};
use makyo_sigma::{Fields, Matcher, Plan, PlanBuilder, Rule, Scratch, ServedLogsource};

use crate::weights::Weights;

/// Rules compiled for the loaded sources.
#[derive(Debug, Default)]
pub struct RuleSet {
    rules: Vec<Rule>,
    /// By the source's place: its plans.
    routes: Vec<Vec<Route>>,
}

#[derive(Debug)]
struct Route {
    when: Option<Arc<Matcher>>,
    fields: Vec<(String, String)>,
    plan: Plan,
    /// The rule of each of the plan's programs.
    rules: Vec<usize>,
}

/// A rule that a record meets.
#[derive(Clone, Copy, Debug)]
pub struct Match<'a> {
    /// The rule.
    pub rule: &'a Rule,
}

struct Aliased<'a, 'r> {
    record: &'a Object<'r>,
    fields: &'a [(String, String)],
}

impl Fields for Aliased<'_, '_> {
    fn field(&self, name: &str) -> Option<&Value<'_>> {
        let alias = self.fields.iter().find(|pair| pair.0 == name);
        alias.and_then(|pair| self.record.path(&pair.1)).or_else(|| self.record.path(name))
    }

    fn whole(&self) -> &Object<'_> {
        self.record
    }
}

impl RuleSet {
    /// Compiles rules for sources, which are given by what they serve, in their own order.
    #[must_use]
    pub fn compile(mut rules: Vec<Rule>, sources: &[&[ServedLogsource]]) -> Self {
        rules.sort_by(|a, b| (&a.id, &a.file, &a.title).cmp(&(&b.id, &b.file, &b.title)));
        let mut routes = Vec::new();
        for served in sources {
            let mut own = Vec::new();
            for entry in *served {
                let mut builder = PlanBuilder::default();
                let mut chosen = Vec::new();
                for (index, rule) in rules.iter().enumerate() {
                    if rule.logsource.is_served_by(&entry.logsource) {
                        builder.add(&rule.selection);
                        chosen.push(index);
                    }
                }
                let plan = builder.finish();
                if !plan.is_empty() {
                    own.push(Route {
                        when: entry.when.clone(),
                        fields: entry.fields.clone(),
                        plan,
                        rules: chosen,
                    });
                }
            }
            routes.push(own);
        }
        RuleSet { rules, routes }
    }

    /// The rules, sorted by id.
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// The ids of the rules that no loaded source serves: they cannot fire here.
    #[must_use]
    pub fn unrouted(&self) -> Vec<&Rule> {
        let mut is_routed = vec![false; self.rules.len()];
        for rule in self.routes.iter().flatten().flat_map(|route| &route.rules) {
            if let Some(place) = is_routed.get_mut(*rule) {
                *place = true;
            }
        }
        self.rules.iter().zip(is_routed).filter(|pair| !pair.1).map(|pair| pair.0).collect()
    }

    /// Tells every rule that the record meets, each once, in the order of ids.
    pub fn matches<'s>(
        &'s self,
        scratch: &mut Scratch,
        record: &Decoded<'_>,
        tell: &mut dyn FnMut(Match<'s>),
    ) {
        let mut found: Vec<usize> = Vec::new();
        for route in self.routes.get(record.source).map(Vec::as_slice).unwrap_or_default() {
            let native = record.native;
            if route.when.as_ref().is_some_and(|when| !when.is_match(scratch, native)) {
                continue;
            }
            let fields = Aliased { record: native, fields: &route.fields };
            route.plan.matches(scratch, &fields, &mut |number| {
                found.extend(route.rules.get(number));
            });
        }
        found.sort_unstable();
        found.dedup();
        for rule in found.into_iter().filter_map(|index| self.rules.get(index)) {
            tell(Match { rule });
        }
    }
}

impl Match<'_> {
    /// The finding of this match.
    #[must_use]
    pub fn finding(&self, record: &Decoded<'_>, weights: &Weights) -> Finding {
        let rule = self.rule;
        let entities = entities_of(&record.event);
        let text = sentence(&rule.title, &entities);
        Finding {
            id: short_id("finding", &[&rule.id, &hex(&record.event.identity)]),
            time: record.event.time(),
            source: FindingSource::Sigma,
            rule: RuleRef { id: rule.id.clone(), title: rule.title.clone(), level: rule.level },
            techniques: rule.techniques(),
            tactics: rule.tactics(),
            weight_db: weights.level(rule.level),
            explained_by: None,
            records: vec![reference(record)],
            entities,
            text,
        }
    }

    /// Whether the rule is at or above a level.
    #[must_use]
    pub fn is_at_least(&self, level: Level) -> bool {
        self.rule.level >= level
    }
}

pub(crate) fn reference(record: &Decoded<'_>) -> RecordRef {
    let number = match record.position {
        Position::Record(number) | Position::Byte(number) => number,
        Position::Whole => 0,
    };
    RecordRef { file: record.artifact.path.clone(), record: number }
}

/// The entities that an event names, with their parts.
#[must_use]
pub fn entities_of(event: &Event<'_>) -> Vec<Entity> {
    let mut found = Vec::new();
    let mut add = |role, kind, value: Option<&str>| {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            found.push(Entity { role, kind, value: value.to_owned() });
        }
    };
    let account = event.text(Column::Account);
    add(Role::Actor, EntityKind::Account, account);
    add(
        Role::Target,
        EntityKind::Account,
        event.text(Column::UserAccount).filter(|user| Some(*user) != account),
    );
    add(Role::Place, EntityKind::Host, event.text(Column::Host));
    add(Role::Origin, EntityKind::Address, event.text(Column::SrcIp));
    add(Role::Destination, EntityKind::Address, event.text(Column::DstIp));
    add(Role::Object, EntityKind::Address, event.text(Column::TunnelIp));
    add(Role::Object, EntityKind::Session, event.text(Column::ActorSessionUid));
    add(Role::Object, EntityKind::Message, event.text(Column::EmailMessageUid));
    add(Role::Origin, EntityKind::Account, event.text(Column::EmailFrom));
    for recipient in event.text(Column::EmailTo).unwrap_or_default().split(", ") {
        add(Role::Target, EntityKind::Account, Some(recipient));
    }
    add(
        Role::Object,
        EntityKind::File,
        event.text(Column::FilePath).or(event.text(Column::ProcessPath)),
    );
    for hash in event.text(Column::FileHash).unwrap_or_default().split(", ") {
        add(Role::Object, EntityKind::Hash, Some(hash));
    }
    add(Role::Destination, EntityKind::Domain, event.text(Column::QueryHostname));
    found.sort();
    found.dedup();
    found
}

/// `Title: on fs01, by agency\svc, from 10.0.0.5`.
pub(crate) fn sentence(title: &str, entities: &[Entity]) -> String {
    let first =
        |role, kind| entities.iter().find(|entity| entity.role == role && entity.kind == kind);
    let mut parts = Vec::new();
    for (word, role, kind) in [
        ("on", Role::Place, EntityKind::Host),
        ("by", Role::Actor, EntityKind::Account),
        ("from", Role::Origin, EntityKind::Address),
        ("from", Role::Origin, EntityKind::Account),
        ("to", Role::Target, EntityKind::Account),
    ] {
        if let Some(entity) = first(role, kind) {
            parts.push(format!("{word} {}", entity.value));
        }
    }
    if parts.is_empty() { title.to_owned() } else { format!("{title}: {}", parts.join(", ")) }
}
