//! Sigma rules over records, routed by log source.
//!
//! For every log source that a source description serves there is a route with the rules that ask
//! for it. A record is put to the routes of its own source only: routing fails closed. What the
//! record is (its channel and event id, its operation: the values that its source description
//! compares) is looked up once: it decides which routes fit and which of their rules can hold at
//! all, and those are compiled to a plan of their own.

use std::sync::{Arc, OnceLock, RwLock};

use makyo_base::{
    Column, Decoded, Entity, EntityKind, Event, Finding, FindingSource, Layout, Level, Object,
    Outline, Position, RecordRef, Role, RuleRef, Value, hex, short_id,
};
use makyo_sigma::{
    Fields, Matcher, Plan, PlanBuilder, Rule, Scratch, Selection, ServedLogsource, Values,
};
use rustc_hash::FxHashMap;

use crate::weights::Weights;

mod census;
mod view;

pub use self::census::{Census, Reach};
pub use self::view::RuleView;

/// Plans for particular values of the deciding fields; beyond this number the routes' general
/// plans do.
const PLANS_MAX: usize = 512;
/// Decisions that one thread keeps before it begins anew.
const DECISIONS_MAX: usize = 4096;

/// What a source description offers to rules.
#[derive(Clone, Copy, Debug)]
pub struct Served<'a> {
    /// The log sources that its records serve.
    pub logsources: &'a [ServedLogsource],
    /// The fields whose values it compares to say what a record is.
    pub deciding: &'a [String],
}

/// Rules compiled for the loaded sources.
#[derive(Debug, Default)]
pub struct RuleSet {
    rules: Vec<Rule>,
    /// By the source's place.
    sources: Vec<OfSource>,
    plans: RwLock<FxHashMap<PlanKey, Arc<Compiled>>>,
}

#[derive(Debug, Default)]
struct OfSource {
    deciding: Vec<String>,
    routes: Vec<Route>,
}

#[derive(Debug)]
struct Route {
    when: Option<Arc<Matcher>>,
    fields: Vec<(String, String)>,
    rules: Vec<usize>,
    /// The deciding fields that its rules compare under their own names.
    compared: Vec<String>,
    /// All its rules, for records of which nothing is known.
    general: OnceLock<Arc<Compiled>>,
}

/// Source, route, and the values of the fields that were known when the plan was made.
type PlanKey = (usize, usize, Vec<Option<String>>);

#[derive(Debug)]
struct Compiled {
    plan: Plan,
    /// The rule of each of the plan's programs.
    rules: Vec<usize>,
}

/// The plans for one kind of record.
type Decision = Arc<[(usize, Arc<Compiled>)]>;

/// What one thread keeps between records.
#[derive(Debug, Default)]
pub struct DetectState {
    scratch: Scratch,
    key: Vec<u8>,
    decisions: FxHashMap<Vec<u8>, Decision>,
    found: Vec<usize>,
}

/// A rule that a record meets.
#[derive(Clone, Copy, Debug)]
pub struct Match<'a> {
    /// The rule.
    pub rule: &'a Rule,
    /// Its index in [`RuleSet::rules`].
    pub index: usize,
}

struct Aliased<'a, 'r> {
    record: &'a Object<'r>,
    fields: &'a [(String, String)],
}

fn aliased<'v, 'r>(
    record: &'v Object<'r>,
    fields: &[(String, String)],
    name: &str,
) -> Option<&'v Value<'r>> {
    let alias = fields.iter().find(|pair| pair.0 == name);
    alias.and_then(|pair| record.path(&pair.1)).or_else(|| record.path(name))
}

impl Fields for Aliased<'_, '_> {
    fn field(&self, name: &str) -> Option<&Value<'_>> {
        aliased(self.record, self.fields, name)
    }

    fn whole(&self) -> &Object<'_> {
        self.record
    }
}

/// The known values of a record, by native field; a field that is named and has none is absent.
type Known<'k> = [(&'k str, Option<&'k str>)];

impl Route {
    fn compile(&self, rules: &[Rule], known: &Known<'_>) -> Compiled {
        let mut builder = PlanBuilder::default();
        let mut chosen = Vec::new();
        for index in &self.rules {
            let Some(rule) = rules.get(*index) else { continue };
            let left = rule.selection.assume(&|field: &str| {
                let is_own = self.fields.iter().all(|pair| pair.0 != field);
                known.iter().find(|entry| is_own && entry.0 == field).map(|entry| entry.1)
            });
            if left != Selection::never() {
                builder.add(&left);
                chosen.push(*index);
            }
        }
        Compiled { plan: builder.finish(), rules: chosen }
    }
}

impl RuleSet {
    /// Compiles rules for sources, which are given by what they serve, in their own order.
    #[must_use]
    pub fn compile(mut rules: Vec<Rule>, sources: &[Served<'_>]) -> Self {
        rules.sort_by(|a, b| (&a.id, &a.file, &a.title).cmp(&(&b.id, &b.file, &b.title)));
        let sources = sources
            .iter()
            .map(|served| OfSource {
                deciding: served.deciding.to_vec(),
                routes: routes(&rules, served),
            })
            .collect();
        RuleSet { rules, sources, plans: RwLock::default() }
    }

    /// The rules, sorted by id.
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// The rules that no loaded source serves: they cannot fire here.
    #[must_use]
    pub fn unrouted(&self) -> Vec<&Rule> {
        let mut is_routed = vec![false; self.rules.len()];
        let routes = self.sources.iter().flat_map(|source| &source.routes);
        for rule in routes.flat_map(|route| &route.rules) {
            if let Some(place) = is_routed.get_mut(*rule) {
                *place = true;
            }
        }
        self.rules.iter().zip(is_routed).filter(|pair| !pair.1).map(|pair| pair.0).collect()
    }

    /// Tells every rule that the record meets, each once, in the order of ids.
    pub fn matches<'s>(
        &'s self,
        state: &mut DetectState,
        record: &Decoded<'_>,
        tell: &mut dyn FnMut(Match<'s>),
    ) {
        let Some(source) = self.sources.get(record.source) else { return };
        if source.routes.is_empty() {
            return;
        }
        let decision = self.decision(state, record.source, source, record.native);
        state.found.clear();
        for (route, compiled) in decision.iter() {
            let Some(route) = source.routes.get(*route) else { continue };
            let fields = Aliased { record: record.native, fields: &route.fields };
            compiled.plan.matches(&mut state.scratch, &fields, &mut |number| {
                state.found.extend(compiled.rules.get(number));
            });
        }
        self.tell_found(&mut state.found, tell);
    }

    /// The same for a record that is still text. False if the record must be read to tell: then
    /// nothing was told.
    pub fn screen<'s>(
        &'s self,
        state: &mut DetectState,
        outline: &Outline<'_>,
        tell: &mut dyn FnMut(Match<'s>),
    ) -> bool {
        let layout = outline.layout;
        if layout.prepared.get().is_none() {
            let prepared = self.prepare(state, layout);
            // Nobody else can have filled it: a layout stays in its thread.
            let _ = layout.prepared.set(Box::new(prepared));
        }
        let prepared = layout.prepared.get().and_then(|any| any.downcast_ref::<Prepared>());
        let Some(Prepared(Some(prepared))) = prepared else { return false };
        state.found.clear();
        let values = state.scratch.values();
        values.forget_shared();
        for leaf in &prepared.scalars {
            values.share(|to| outline.write(*leaf, to));
        }
        for (compiled, slots) in &prepared.plans {
            let values = state.scratch.values();
            values.begin_again(compiled.plan.slot_count());
            for slot in slots {
                slot.fill(outline, values);
            }
            compiled.plan.matches_values(&mut state.scratch, &mut |number| {
                state.found.extend(compiled.rules.get(number));
            });
        }
        self.tell_found(&mut state.found, tell);
        true
    }

    fn prepare(&self, state: &mut DetectState, layout: &Layout) -> Prepared {
        let Some(source) = self.sources.get(layout.source) else {
            return Prepared(Some(PreparedPlans::default()));
        };
        let mut scalars = Vec::new();
        let decision = self.decision(state, layout.source, source, &layout.sample);
        let plans: Option<Vec<_>> = decision
            .iter()
            .map(|(route, compiled)| {
                let fields = source.routes.get(*route)?.fields.as_slice();
                let slots: Option<Vec<_>> = compiled
                    .plan
                    .fields()
                    .enumerate()
                    .map(|(slot, name)| SlotSource::find(slot, name, layout, fields, &mut scalars))
                    .collect();
                Some((compiled.clone(), slots?.into_iter().flatten().collect()))
            })
            .collect();
        Prepared(plans.map(|plans| PreparedPlans { plans, scalars }))
    }

    fn tell_found<'s>(&'s self, found: &mut Vec<usize>, tell: &mut dyn FnMut(Match<'s>)) {
        found.sort_unstable();
        found.dedup();
        for index in found.iter().copied() {
            if let Some(rule) = self.rules.get(index) {
                tell(Match { rule, index });
            }
        }
    }

    /// The plans for a record, by the values of its deciding fields.
    fn decision(
        &self,
        state: &mut DetectState,
        index: usize,
        source: &OfSource,
        native: &Object<'_>,
    ) -> Decision {
        state.key.clear();
        state.key.extend_from_slice(&index.to_le_bytes());
        let mut known = Vec::with_capacity(source.deciding.len());
        for field in &source.deciding {
            let value = match native.path(field) {
                None => None,
                Some(value) => match value.as_text() {
                    Some(text) => Some(text),
                    // More than one value, or null: what the record is was not decided by one.
                    None => return self.decide(&mut state.scratch, index, source, native, &[]),
                },
            };
            let length = value.as_ref().map_or(u64::MAX, |text| text.len() as u64);
            state.key.extend_from_slice(&length.to_le_bytes());
            state.key.extend_from_slice(value.as_deref().unwrap_or_default().as_bytes());
            known.push((field.as_str(), value));
        }
        if let Some(decision) = state.decisions.get(&state.key) {
            return decision.clone();
        }
        let known: Vec<(&str, Option<&str>)> =
            known.iter().map(|entry| (entry.0, entry.1.as_deref())).collect();
        let decision = self.decide(&mut state.scratch, index, source, native, &known);
        if state.decisions.len() >= DECISIONS_MAX {
            state.decisions.clear();
        }
        state.decisions.insert(state.key.clone(), decision.clone());
        decision
    }

    fn decide(
        &self,
        scratch: &mut Scratch,
        index: usize,
        source: &OfSource,
        native: &Object<'_>,
        known: &Known<'_>,
    ) -> Decision {
        let fits = |route: &Route, scratch: &mut Scratch| {
            route.when.as_ref().is_none_or(|when| when.is_match(scratch, native))
        };
        let mut plans = Vec::new();
        for (place, route) in source.routes.iter().enumerate() {
            if fits(route, scratch) {
                let compiled = self.compiled(index, place, route, known);
                if !compiled.plan.is_empty() {
                    plans.push((place, compiled));
                }
            }
        }
        plans.into()
    }

    fn compiled(
        &self,
        source: usize,
        place: usize,
        route: &Route,
        known: &Known<'_>,
    ) -> Arc<Compiled> {
        let general = || route.general.get_or_init(|| Arc::new(route.compile(&self.rules, &[])));
        let relevant: Vec<(&str, Option<&str>)> = known
            .iter()
            .filter(|entry| route.compared.iter().any(|field| field == entry.0))
            .copied()
            .collect();
        if relevant.is_empty() {
            return general().clone();
        }
        let values = relevant.iter().map(|entry| entry.1.map(str::to_owned)).collect();
        let key: PlanKey = (source, place, values);
        let read = self.plans.read().unwrap_or_else(|poisoned| poisoned.into_inner());
        if let Some(compiled) = read.get(&key) {
            return compiled.clone();
        }
        if read.len() >= PLANS_MAX {
            return general().clone();
        }
        drop(read);
        let compiled = Arc::new(route.compile(&self.rules, &relevant));
        let mut write = self.plans.write().unwrap_or_else(|poisoned| poisoned.into_inner());
        write.entry(key).or_insert(compiled).clone()
    }
}

/// What a rule set made of a layout: its plans and where their slots are filled from; none if its
/// records must be read.
struct Prepared(Option<PreparedPlans>);

#[derive(Default)]
struct PreparedPlans {
    plans: Vec<(Arc<Compiled>, Vec<SlotSource>)>,
    /// The leaves with one text that any of the plans looks at.
    scalars: Vec<usize>,
}

/// Where a slot's values stand in records of a layout.
struct SlotSource {
    slot: usize,
    is_null: bool,
    parts: Vec<Part>,
}

enum Part {
    /// The place of a leaf among those that are laid out once.
    Shared(usize),
    /// A leaf with any number of texts.
    List(usize),
    /// What the wrapping says of itself.
    Text(String),
}

impl SlotSource {
    /// `Some(None)` if the records do not have the field; none if that cannot be told from their
    /// outline.
    fn find(
        slot: usize,
        name: Option<&str>,
        layout: &Layout,
        fields: &[(String, String)],
        scalars: &mut Vec<usize>,
    ) -> Option<Option<Self>> {
        let mut source = SlotSource { slot, is_null: false, parts: Vec::new() };
        let Some(name) = name else {
            layout.native.0.iter().for_each(|field| source.add(&field.1, layout, scalars));
            return Some(Some(source));
        };
        if let Some(value) = aliased(&layout.native, fields, name) {
            source.is_null = *value == Value::Null;
            source.add(value, layout, scalars);
            return Some(Some(source));
        }
        let is_list = |value: &Value<'_>| match value {
            Value::Int(leaf) => {
                usize::try_from(*leaf).is_ok_and(|leaf| layout.lists.get(leaf) == Some(&true))
            }
            _ => false,
        };
        // A path may lead into a list, which an outline does not open.
        let alias = fields.iter().find(|pair| pair.0 == name).map(|pair| pair.1.as_str());
        let into_list = [Some(name), alias].into_iter().flatten().any(|path| {
            path.match_indices('.')
                .filter_map(|(dot, _)| layout.native.path(path.get(..dot)?))
                .any(is_list)
        });
        (!into_list).then_some(None)
    }

    fn add(&mut self, value: &Value<'_>, layout: &Layout, scalars: &mut Vec<usize>) {
        match value {
            Value::Int(leaf) => {
                let Ok(leaf) = usize::try_from(*leaf) else { return };
                if layout.lists.get(leaf) == Some(&true) {
                    self.parts.push(Part::List(leaf));
                    return;
                }
                let place = scalars.iter().position(|known| *known == leaf);
                self.parts.push(Part::Shared(place.unwrap_or(scalars.len())));
                if place.is_none() {
                    scalars.push(leaf);
                }
            }
            Value::Object(object) => {
                object.0.iter().for_each(|field| self.add(&field.1, layout, scalars));
            }
            other => self.parts.extend(other.as_text().map(|text| Part::Text(text.into_owned()))),
        }
    }

    fn fill(&self, outline: &Outline<'_>, values: &mut Values) {
        values.open(self.slot, self.is_null);
        for part in &self.parts {
            match part {
                Part::Shared(number) => values.add_shared(self.slot, *number),
                Part::List(leaf) => {
                    outline.texts(*leaf, &mut |text| values.add(self.slot, text));
                }
                Part::Text(text) => values.add(self.slot, text),
            }
        }
    }
}

fn routes(rules: &[Rule], served: &Served<'_>) -> Vec<Route> {
    let mut routes = Vec::new();
    for entry in served.logsources {
        let chosen: Vec<usize> = (0..rules.len())
            .filter(|index| {
                rules.get(*index).is_some_and(|rule| rule.logsource.is_served_by(&entry.logsource))
            })
            .collect();
        if chosen.is_empty() {
            continue;
        }
        let mut compared: Vec<String> = Vec::new();
        for rule in chosen.iter().filter_map(|index| rules.get(*index)) {
            rule.selection.each_leaf(&mut |leaf| {
                if let Some(field) = &leaf.field
                    && served.deciding.contains(field)
                    && !compared.contains(field)
                {
                    compared.push(field.clone());
                }
            });
        }
        routes.push(Route {
            when: entry.when.clone(),
            fields: entry.fields.clone(),
            rules: chosen,
            compared,
            general: OnceLock::new(),
        });
    }
    routes
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

/// The file and record number of a record.
#[must_use]
pub fn reference(record: &Decoded<'_>) -> RecordRef {
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
