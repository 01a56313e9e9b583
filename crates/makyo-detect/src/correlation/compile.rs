//! Correlations bound to the loaded rules.

use std::collections::BTreeMap;

use makyo_base::{Entity, Level, RecordRef, Value};
use makyo_sigma::{
    Bound, Correlation, CorrelationKind, Decimal, Diagnostic, Presence, Reference, Rule,
};

use super::{CorrelationHit, WINDOW_HITS_MAX};

/// Correlations in the order in which they are evaluated: those that others build on come first.
#[derive(Debug, Default)]
pub struct Correlations {
    list: Vec<Bindings>,
    /// By the rule's index: what correlations want of its matches.
    wanted: Vec<Vec<Wanted>>,
    is_silent: Vec<bool>,
}

#[derive(Debug)]
struct Bindings {
    correlation: Correlation,
    /// Whether its matches are told, and not only seen by other correlations.
    is_told: bool,
    /// The correlations that its matches are hits of.
    users: Vec<User>,
}

/// What a correlation wants of the matches of one rule.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Wanted {
    /// The correlation, by its place among [`Correlations`].
    pub correlation: usize,
    /// The rule, by its place in the correlation's list.
    pub place: usize,
    /// The fields to group by, in the rule's own names.
    pub group_by: Vec<String>,
    /// The fields of the condition, in the rule's own names.
    pub fields: Vec<String>,
}

/// How a correlation sees the matches of another one: by what that one grouped by.
#[derive(Debug)]
pub(super) struct User {
    pub(super) correlation: usize,
    pub(super) place: usize,
    pub(super) group: Vec<usize>,
    pub(super) fields: Vec<usize>,
}

/// What a reference means.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Target {
    Rule(usize),
    Correlation(usize),
}

impl Wanted {
    /// The hit of a match. `field` gives the text of a field of the record, an empty one where it is
    /// not there; [`field_text`] makes one of a value.
    pub fn hit(
        &self,
        time: i64,
        identity: [u8; 16],
        record: RecordRef,
        entities: Vec<Entity>,
        field: &dyn Fn(&str) -> String,
    ) -> CorrelationHit {
        CorrelationHit {
            correlation: self.correlation,
            group: self.group_by.iter().map(|name| field(name)).collect(),
            time,
            place: self.place,
            identity,
            records: vec![record],
            values: self.fields.iter().map(|name| field(name)).collect(),
            entities,
        }
    }
}

/// A field's value as one text, without trailing blanks as rules see it; lists are joined.
#[must_use]
pub fn field_text(value: &Value<'_>) -> String {
    match value {
        Value::List(items) => items.iter().map(field_text).collect::<Vec<_>>().join(", "),
        Value::Object(object) => {
            object.0.iter().map(|entry| field_text(&entry.1)).collect::<Vec<_>>().join(", ")
        }
        scalar => scalar.as_text().map(|text| text.trim_end().to_owned()).unwrap_or_default(),
    }
}

impl Correlations {
    /// Binds correlations to rules. Those that cannot be evaluated are refused with their mistakes,
    /// and the rules that only they name go on by themselves.
    #[must_use]
    pub fn compile(rules: &[Rule], mut correlations: Vec<Correlation>) -> (Self, Vec<Diagnostic>) {
        correlations.sort_by(|a, b| (&a.file, a.line).cmp(&(&b.file, b.line)));
        let mut problems = Vec::new();
        let targets = resolve(rules, &correlations, &mut problems);
        let mut compiler = Compiler {
            rules,
            open: correlations.into_iter().zip(targets).map(Some).collect(),
            placed: BTreeMap::new(),
            done: Correlations {
                list: Vec::new(),
                wanted: vec![Vec::new(); rules.len()],
                is_silent: vec![false; rules.len()],
            },
            problems,
        };
        while compiler.step() {}
        compiler.refuse_rest();
        let Compiler { mut done, mut problems, .. } = compiler;
        done.silence();
        problems.sort();
        (done, problems)
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// A correlation; its level and tags are those of its rules where it names none.
    #[must_use]
    pub fn get(&self, place: usize) -> Option<&Correlation> {
        self.list.get(place).map(|one| &one.correlation)
    }

    /// What is wanted of the matches of a rule, by the rule's index at [`Correlations::compile`].
    #[must_use]
    pub fn wanted(&self, rule: usize) -> &[Wanted] {
        self.wanted.get(rule).map(Vec::as_slice).unwrap_or_default()
    }

    /// Whether a rule serves correlations alone: its own matches are no findings, because no
    /// correlation that names it says `generate: true`.
    #[must_use]
    pub fn is_silent(&self, rule: usize) -> bool {
        self.is_silent.get(rule).copied().unwrap_or_default()
    }

    pub(super) fn is_told(&self, place: usize) -> bool {
        self.list.get(place).is_some_and(|one| one.is_told)
    }

    pub(super) fn users(&self, place: usize) -> &[User] {
        self.list.get(place).map(|one| one.users.as_slice()).unwrap_or_default()
    }

    fn silence(&mut self) {
        let generates: Vec<bool> = self.list.iter().map(|one| one.correlation.generate).collect();
        let generates = |place: usize| generates.get(place).copied().unwrap_or_default();
        for (wanted, is_silent) in self.wanted.iter().zip(&mut self.is_silent) {
            *is_silent = !wanted.is_empty() && !wanted.iter().any(|one| generates(one.correlation));
        }
        for one in &mut self.list {
            one.is_told =
                one.users.is_empty() || one.users.iter().any(|user| generates(user.correlation));
        }
    }
}

/// Finds what each reference means; of a correlation with an unknown one, nothing.
fn resolve(
    rules: &[Rule],
    correlations: &[Correlation],
    problems: &mut Vec<Diagnostic>,
) -> Vec<Option<Vec<Target>>> {
    let mut known: BTreeMap<&str, Vec<Target>> = BTreeMap::new();
    let names = rules
        .iter()
        .enumerate()
        .map(|(index, rule)| (Target::Rule(index), rule.id.as_str(), rule.name.as_deref()));
    let more = correlations
        .iter()
        .enumerate()
        .map(|(index, one)| (Target::Correlation(index), one.id.as_str(), one.name.as_deref()));
    for (target, id, name) in names.chain(more) {
        known.entry(id).or_default().push(target);
        if let Some(name) = name.filter(|name| *name != id) {
            known.entry(name).or_default().push(target);
        }
    }
    let mut all = Vec::new();
    for one in correlations {
        let mut targets = Vec::new();
        for reference in &one.rules {
            let message = match known.get(reference.name.as_str()).map(Vec::as_slice) {
                Some([target]) if targets.contains(target) => "correlation names a rule twice",
                Some([target]) => {
                    targets.push(*target);
                    continue;
                }
                Some(_) => "correlation names a rule by what several are called",
                None => "correlation names a rule that is not there",
            };
            let message = format!("{message}: `{}`", reference.name);
            problems.push(Diagnostic::at(reference.line, message).in_file(&one.file));
        }
        all.push((targets.len() == one.rules.len()).then_some(targets));
    }
    all
}

struct Compiler<'a> {
    rules: &'a [Rule],
    /// The correlations that are not yet placed, with their targets.
    open: Vec<Option<(Correlation, Option<Vec<Target>>)>>,
    /// By the place at the start: the place in the order of evaluation.
    placed: BTreeMap<usize, usize>,
    done: Correlations,
    problems: Vec<Diagnostic>,
}

impl Compiler<'_> {
    /// Places the first correlation all of whose targets are placed; `false` if there is none.
    fn step(&mut self) -> bool {
        let is_ready = |target: &Target| match target {
            Target::Rule(_) => true,
            Target::Correlation(index) => self.placed.contains_key(index),
        };
        let next = self.open.iter().position(|open| {
            open.as_ref()
                .and_then(|one| one.1.as_ref())
                .is_some_and(|targets| targets.iter().all(is_ready))
        });
        let Some(index) = next else { return false };
        let Some(Some((mut correlation, Some(targets)))) =
            self.open.get_mut(index).map(Option::take)
        else {
            return false;
        };
        let mut wrong: Vec<Diagnostic> = unmeetable(&correlation).into_iter().collect();
        wrong.extend(self.unknown_aliases(&correlation, &targets));
        let bound = self.bind(&correlation, &targets, &mut wrong);
        if !wrong.is_empty() {
            self.refuse(&correlation.file, wrong);
            return true;
        }
        let place = self.done.list.len();
        for (own, (target, (group, fields))) in targets.iter().zip(bound).enumerate() {
            match target {
                Target::Rule(rule) => {
                    let wanted = Wanted { correlation: place, place: own, group_by: group, fields };
                    self.done.wanted.get_mut(*rule).into_iter().for_each(|list| {
                        list.push(wanted.clone());
                    });
                }
                Target::Correlation(index) => self.use_matches(*index, place, own, &group, &fields),
            }
        }
        self.inherit(&mut correlation, &targets);
        self.placed.insert(index, place);
        self.done.list.push(Bindings { correlation, is_told: true, users: Vec::new() });
        true
    }

    fn use_matches(
        &mut self,
        inner: usize,
        correlation: usize,
        place: usize,
        group: &[String],
        fields: &[String],
    ) {
        let inner = self.placed.get(&inner).and_then(|inner| self.done.list.get_mut(*inner));
        let Some(inner) = inner else { return };
        let own = &inner.correlation.group_by;
        let places = |names: &[String]| {
            names.iter().filter_map(|name| own.iter().position(|one| one == name)).collect()
        };
        let user = User { correlation, place, group: places(group), fields: places(fields) };
        inner.users.push(user);
    }

    /// The fields that each target gives, by its own names.
    fn bind(
        &self,
        correlation: &Correlation,
        targets: &[Target],
        wrong: &mut Vec<Diagnostic>,
    ) -> Vec<(Vec<String>, Vec<String>)> {
        let fields: &[String] = match &correlation.kind {
            CorrelationKind::ValueCount { fields, .. } => fields,
            CorrelationKind::Value { field, .. } => std::slice::from_ref(field),
            _ => &[],
        };
        let mut bound = Vec::new();
        for (reference, target) in correlation.rules.iter().zip(targets) {
            let mut named = |names: &[String]| -> Vec<String> {
                names
                    .iter()
                    .map(|name| {
                        self.own_name(correlation, name, reference.line, *target).unwrap_or_else(
                            |problem| {
                                wrong.push(problem);
                                String::new()
                            },
                        )
                    })
                    .collect()
            };
            bound.push((named(&correlation.group_by), named(fields)));
        }
        bound
    }

    /// What a target calls a field: the alias's name for it, or the field's own.
    fn own_name(
        &self,
        correlation: &Correlation,
        field: &str,
        line: usize,
        target: Target,
    ) -> Result<String, Diagnostic> {
        let (id, name) = self.names(target);
        let own = match correlation.aliases.iter().find(|alias| alias.name == field) {
            None => field,
            Some(alias) => {
                let found = alias.fields.iter().find(|entry| entry.0.means(id, name));
                found.map(|entry| entry.1.as_str()).ok_or_else(|| {
                    let message = format!("alias has no field for a rule: `{field}`, `{id}`");
                    Diagnostic::at(alias.line, message)
                })?
            }
        };
        let gives = match target {
            Target::Rule(_) => true,
            Target::Correlation(index) => {
                self.inner(index).is_some_and(|inner| inner.group_by.iter().any(|one| one == own))
            }
        };
        if !gives {
            let message = format!(
                "correlation that is built on does not group by the field, \
                 so its matches have no one value of it: `{id}`, `{own}`"
            );
            return Err(Diagnostic::at(line, message));
        }
        Ok(own.to_owned())
    }

    /// A placed correlation, by its place at the start.
    fn inner(&self, index: usize) -> Option<&Correlation> {
        self.placed.get(&index).and_then(|place| self.done.get(*place))
    }

    fn names(&self, target: Target) -> (&str, Option<&str>) {
        let names = match target {
            Target::Rule(index) => {
                self.rules.get(index).map(|rule| (rule.id.as_str(), rule.name.as_deref()))
            }
            Target::Correlation(index) => {
                self.inner(index).map(|inner| (inner.id.as_str(), inner.name.as_deref()))
            }
        };
        names.unwrap_or_default()
    }

    fn unknown_aliases(&self, correlation: &Correlation, targets: &[Target]) -> Vec<Diagnostic> {
        let is_known = |reference: &Reference| {
            targets.iter().any(|target| {
                let (id, name) = self.names(*target);
                reference.means(id, name)
            })
        };
        correlation
            .aliases
            .iter()
            .flat_map(|alias| &alias.fields)
            .filter(|(reference, _)| !is_known(reference))
            .map(|(reference, _)| {
                let message =
                    format!("alias names a rule that `rules` does not: `{}`", reference.name);
                Diagnostic::at(reference.line, message)
            })
            .collect()
    }

    /// Takes level and tags from the rules where the correlation names none.
    fn inherit(&self, correlation: &mut Correlation, targets: &[Target]) {
        let mut levels: Vec<Level> = Vec::new();
        let mut tags: Vec<String> = Vec::new();
        for target in targets {
            match target {
                Target::Rule(index) => {
                    let rule = self.rules.get(*index);
                    levels.extend(rule.map(|rule| rule.level));
                    tags.extend(rule.map(|rule| rule.tags.clone()).unwrap_or_default());
                }
                Target::Correlation(index) => {
                    let inner = self.inner(*index);
                    levels.extend(inner.and_then(|inner| inner.level));
                    tags.extend(inner.map(|inner| inner.tags.clone()).unwrap_or_default());
                }
            }
        }
        correlation.level = correlation.level.or(levels.into_iter().max());
        if correlation.tags.is_empty() {
            tags.sort();
            tags.dedup();
            correlation.tags = tags;
        }
    }

    /// What is left refers to itself through others, or to what was refused.
    fn refuse_rest(&mut self) {
        let open = std::mem::take(&mut self.open);
        for (correlation, targets) in open.into_iter().flatten() {
            if targets.is_some() {
                let message =
                    "correlation is built on one that is refused, or in a circle on itself";
                self.refuse(&correlation.file, vec![Diagnostic::at(correlation.line, message)]);
            }
        }
    }

    fn refuse(&mut self, file: &str, wrong: Vec<Diagnostic>) {
        self.problems.extend(wrong.into_iter().map(|problem| problem.in_file(file)));
    }
}

/// Counts that are larger than what a window holds.
fn unmeetable(correlation: &Correlation) -> Option<Diagnostic> {
    let bounds: &[Bound] = match &correlation.kind {
        CorrelationKind::EventCount(bounds)
        | CorrelationKind::ValueCount { bounds, .. }
        | CorrelationKind::Temporal(Presence::Count(bounds)) => bounds,
        _ => &[],
    };
    let max = Decimal::count(WINDOW_HITS_MAX);
    bounds.iter().any(|bound| bound.number > max).then(|| {
        let message = format!("condition counts beyond what is held at a time: {WINDOW_HITS_MAX}");
        Diagnostic::at(correlation.line, message)
    })
}
