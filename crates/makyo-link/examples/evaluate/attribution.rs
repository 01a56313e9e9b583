//! Attribution of published reports and campaigns, with what must not be known taken out.
//!
//! `A2_*`: one report's features on one group; what that report alone told, and (`gap180`) whatever
//! appeared within 180 days of it, or (`past180`) later than 180 days before it, is dropped.
//! `A1_*`: campaigns; `lenient` drops the campaign's publications, `strict` every relation that
//! cites one of them, `temporal` also what was written down after the campaign.
//! A2 is measured by five-fold cross-validation by group, fitted on A2_gap180; A1 with coefficients
//! fitted on all of A2_gap180.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, bail};
use makyo_base::{DAY_NS, Object, Value, format_time, parse_json, parse_time, sha256, to_json};
use makyo_link::attribute::{
    Feature, Free, Model, NONE_SUMS, Profiles, SUMS, Sort, Trial, fit, period,
};
use makyo_link::incident::Class;
use makyo_link::knowledge::{Knowledge, Use};
use makyo_link::weights::Weights;

use crate::measure::{auroc, cllr, diagram, drawing, ece, ece_by_chance, mean, wilson};
use crate::simulated::{number, read, text, texts};

const TASKS: [&str; 5] =
    ["A2_gap180", "A2_past180", "A1_lenient", "A1_lenient_temporal", "A1_strict"];
const FOLDS: usize = 5;
const GAP_DAYS: i64 = 180;

struct Case {
    id: String,
    year: Option<i32>,
    features: Vec<(String, String)>,
    right: Vec<usize>,
    first_right: String,
    profiles: Profiles,
}

/// What of the knowledge may be used.
struct Allowed<'a> {
    task: &'a str,
    drop: BTreeSet<String>,
    campaign: Option<String>,
    before: Option<String>,
    /// Dates around the case.
    from: String,
    to: String,
}

/// What is fitted, and what of the incident is shown.
struct Run<'a> {
    name: &'a str,
    start: Model,
    free: Free,
    is_soft: bool,
}

pub(crate) fn run(
    data: &str,
    attack: &str,
    out: Option<&str>,
    weights: &Weights,
) -> anyhow::Result<()> {
    let mut knowledge = Knowledge::default();
    let bundle = read(attack)?;
    knowledge.read(attack, &bundle);
    let years = campaign_years(&bundle)?;
    let given = read(&format!("{data}/attr_tasks.json.gz"))?;
    let root = parse_json(&given).map_err(anyhow::Error::msg)?;
    let root = root.as_object().context("tasks are no object")?;
    let mut tasks: Vec<(&str, Vec<Case>)> = Vec::new();
    for task in TASKS {
        tasks.push((task, cases(root, task, &knowledge, &years)?));
    }
    let model = &weights.attribute.model;
    let start = || model.clone();
    let mut runs = vec![
        Run { name: "techniques and software", start: start(), free: Free::all(), is_soft: false },
        Run { name: "techniques only", start: start(), free: Free::all(), is_soft: true },
    ];
    runs.push(reference(model));
    for (number, one) in runs.iter().enumerate() {
        measure(one, &tasks, out.filter(|_| number == 0))?;
    }
    Ok(())
}

/// What was the best that transferred before: smoothed presence for techniques, Dirichlet for
/// software, two coefficients and an offset. Measured here on the same knowledge.
fn reference(model: &Model) -> Run<'static> {
    let mut only = BTreeMap::new();
    let nth = |place: usize| std::array::from_fn(|at| at == place);
    only.insert(Sort::Technique, nth(0));
    only.insert(Sort::Software, nth(1));
    let none: [bool; NONE_SUMS] = std::array::from_fn(|at| at == 0);
    let sorts = Sort::ALL.into_iter().map(|sort| (sort, [0.0; SUMS])).collect();
    let start = Model { lambda: 0.3, alpha: 100.0, rho: 0.2, sorts, none: model.none };
    Run {
        name: "reference model",
        start,
        free: Free { sorts: only, none, ridge: 0.01 },
        is_soft: false,
    }
}

fn measure(one: &Run<'_>, tasks: &[(&str, Vec<Case>)], out: Option<&str>) -> anyhow::Result<()> {
    println!("{}", one.name);
    let Some((_, train)) = tasks.first() else { bail!("no tasks") };
    let mut models: BTreeMap<usize, Model> = BTreeMap::new();
    for (task, cases) in tasks {
        let mut tally = Tally::default();
        for case in cases {
            let fold = if task.starts_with("A2") { fold(&case.first_right) } else { FOLDS };
            let model = models
                .entry(fold)
                .or_insert_with(|| fit(&one.start, &one.free, &trials(train, fold, one.is_soft)));
            tally.add(case, model, one.is_soft);
        }
        tally.print(task, one.is_soft);
        if let Some(out) = out {
            std::fs::write(format!("{out}/{task}.jsonl"), &tally.lines)?;
            std::fs::write(format!("{out}/{task}.svg"), drawing(task, &tally.claims))?;
        }
    }
    if let Some(all) = models.get(&FOLDS) {
        println!("coefficients from all of A2_gap180: {:?} none {:?}", all.sorts, all.none);
    }
    Ok(())
}

/// The year in which each campaign began, by its number.
fn campaign_years(bundle: &str) -> anyhow::Result<BTreeMap<String, i32>> {
    let root = parse_json(bundle).map_err(anyhow::Error::msg)?;
    let Some(Value::List(objects)) = root.as_object().and_then(|root| root.get("objects")) else {
        bail!("no objects in the knowledge");
    };
    let mut years = BTreeMap::new();
    for object in objects.iter().filter_map(Value::as_object) {
        let seen = text(object, "first_seen")
            .filter(|_| object.get("type").and_then(Value::as_str) == Some("campaign"));
        let Some(year) = seen.and_then(|seen| seen.get(..4)?.parse().ok()) else { continue };
        let Some(Value::List(names)) = object.get("external_references") else { continue };
        let ids = names.iter().filter_map(Value::as_object);
        years.extend(ids.filter_map(|one| Some((text(one, "external_id")?, year))));
    }
    Ok(years)
}

fn fold(group: &str) -> usize {
    let [first, ..] = sha256(group.as_bytes());
    usize::from(first) % FOLDS
}

fn trials<'a>(cases: &'a [Case], without: usize, is_soft: bool) -> Vec<Trial<'a>> {
    cases
        .iter()
        .filter(|case| !case.right.is_empty() && fold(&case.first_right) != without)
        .map(|case| Trial {
            profiles: &case.profiles,
            features: case.features(is_soft),
            right: case.right.clone(),
        })
        .collect()
}

impl Case {
    fn features(&self, is_soft: bool) -> Vec<Feature> {
        let year = self.year.map(|year| Feature { class: Class::Methods, key: period(year) });
        self.features
            .iter()
            .filter(|key| !is_soft || key.0 == "technique")
            .map(|key| Feature {
                class: if key.0 == "family" { Class::Code } else { Class::Methods },
                key: key.clone(),
            })
            .chain(year)
            .collect()
    }
}

fn cases(
    root: &Object<'_>,
    task: &str,
    knowledge: &Knowledge,
    campaign_years: &BTreeMap<String, i32>,
) -> anyhow::Result<Vec<Case>> {
    let tasks = root.get("tasks").and_then(Value::as_object).context("no tasks")?;
    let Some(Value::List(rows)) = tasks.get(task) else { bail!("no task `{task}`") };
    let mut apart = [0.0; 3];
    let mut missing = 0;
    let mut found = Vec::new();
    for row in rows.iter().filter_map(Value::as_object) {
        let date = text(row, "date").unwrap_or_default();
        let allowed = Allowed {
            task,
            drop: texts(row, "drop").into_iter().collect(),
            campaign: text(row, "campaign"),
            before: text(row, "created_before"),
            from: shifted(&date, -GAP_DAYS),
            to: shifted(&date, GAP_DAYS),
        };
        let profiles = allowed.profiles(knowledge);
        let right: BTreeSet<String> = texts(row, "true").into_iter().collect();
        let (features, counts) = profiles.size();
        let expected = row.get("expect").and_then(Value::as_object);
        let of = |name: &str| expected.and_then(|one| number(one, name)).unwrap_or_default();
        let ours = [profiles.groups.len() as f64, features as f64, counts];
        for ((apart, own), name) in
            apart.iter_mut().zip(ours).zip(["groups", "feature_total", "count_total"])
        {
            *apart += of(name) - own;
        }
        let places = profiles.groups.iter().enumerate();
        let id = text(row, "id").unwrap_or_default();
        // A campaign is dated by when it was written down; it happened when it began.
        let began = campaign_years.get(&id).copied();
        let case = Case {
            id,
            year: began.or_else(|| date.get(..4).and_then(|year| year.parse().ok())),
            features: texts(row, "features").iter().filter_map(|f| feature(f, knowledge)).collect(),
            right: places.filter(|one| right.contains(one.1)).map(|one| one.0).collect(),
            first_right: right.into_iter().next().unwrap_or_default(),
            profiles,
        };
        missing += usize::from(case.right.is_empty());
        found.push(case);
    }
    let n = found.len().max(1) as f64;
    let [groups, features, counts] = apart.map(|sum| sum / n);
    println!(
        "{task}: fewer than the benchmark expects, on average: {groups:.1} groups, {features:.0} features, {counts:.0} citations; right group not in the knowledge in {missing} cases"
    );
    Ok(found)
}

fn shifted(date: &str, days: i64) -> String {
    let time = parse_time(&format!("{date}T00:00:00Z")).unwrap_or_default();
    format_time(time + days * DAY_NS).chars().take(10).collect()
}

fn feature(text: &str, knowledge: &Knowledge) -> Option<(String, String)> {
    let (sort, value) = text.split_once(':')?;
    let software = || knowledge.software.get(value).map_or("family", |one| one.evidence_kind());
    Some((if sort == "T" { "technique" } else { software() }.to_owned(), value.to_owned()))
}

impl Allowed<'_> {
    /// The publications of a use that may count; nothing where the use may not.
    fn citations(&self, one: &Use) -> Option<BTreeSet<String>> {
        if self.before.as_ref().is_some_and(|before| one.created >= *before) {
            return None;
        }
        let is_campaign = self.task.starts_with("A1");
        let own = self.campaign.as_deref();
        let names_it = own.is_some_and(|own| one.text.contains(&format!("/{own})")));
        if is_campaign && (names_it || (one.campaign.is_some() && one.campaign.as_deref() == own)) {
            return None;
        }
        let is_dropped = |cited: &String| self.drop.contains(cited);
        if self.task.contains("strict") && one.citations.iter().any(is_dropped) {
            return None;
        }
        Some(one.citations.iter().filter(|cited| !is_dropped(cited)).cloned().collect())
    }

    fn profiles(&self, knowledge: &Knowledge) -> Profiles {
        let mut uses: BTreeMap<_, (&Use, BTreeSet<String>)> = BTreeMap::new();
        for one in &knowledge.uses {
            let is_told = matches!(one.feature.0.as_str(), "technique" | "family" | "tool");
            if let Some(cited) = self.dated(one, knowledge).filter(|_| is_told) {
                let key = (one.group.as_str(), &one.feature);
                uses.entry(key).or_insert_with(|| (one, BTreeSet::new())).1.extend(cited);
            }
        }
        let software = knowledge
            .software_uses
            .iter()
            .filter(|one| one.feature.0 == "technique" && self.dated(one, knowledge).is_some())
            .map(|one| (one.group.as_str(), one.feature.1.as_str()));
        let cited: BTreeSet<(&str, &str)> = uses
            .values()
            .flat_map(|(one, cited)| cited.iter().map(|key| (one.group.as_str(), key.as_str())))
            .collect();
        let years = cited.iter().filter_map(|(group, key)| {
            Some((*group, knowledge.published.get(*key)?.get(..4)?.parse().ok()?))
        });
        Profiles::new(uses.values().map(|(one, cited)| (*one, cited.len())))
            .with_software(software)
            .with_years(years)
    }

    /// The same with the rules about dates.
    fn dated(&self, one: &Use, knowledge: &Knowledge) -> Option<BTreeSet<String>> {
        let mut cited = self.citations(one)?;
        let date = |key: &String| knowledge.published.get(key);
        if self.task.contains("gap180") {
            cited.retain(|key| date(key).is_none_or(|date| *date < self.from || *date > self.to));
        }
        if self.task.contains("past180") {
            cited.retain(|key| date(key).is_some_and(|date| *date <= self.from));
            return (!cited.is_empty()).then_some(cited);
        }
        (!cited.is_empty() || one.citations.is_empty()).then_some(cited)
    }
}

#[derive(Default)]
struct Tally {
    ranks: Vec<f64>,
    losses: Vec<f64>,
    briers: Vec<f64>,
    claims: Vec<(f64, bool)>,
    named: Vec<(f64, bool)>,
    none: (Vec<f64>, Vec<f64>),
    ratios: (Vec<f64>, Vec<f64>),
    /// The same of each group against nobody known, in nats, without the others.
    pairwise: (Vec<f64>, Vec<f64>),
    /// Predictions as the benchmark's scorer reads them.
    lines: String,
}

impl Tally {
    fn add(&mut self, case: &Case, model: &Model, is_soft: bool) {
        let scores = model.score(&case.profiles, &case.features(is_soft));
        for is_known in [true, false] {
            let left_out = if is_known { Vec::new() } else { case.right.clone() };
            let (groups, none) = scores.posterior(0.5, &left_out);
            let is_right = |group: usize| is_known && case.right.contains(&group);
            let leader = (0..groups.len())
                .max_by(|a, b| of(&groups, *a).total_cmp(&of(&groups, *b)).then(b.cmp(a)))
                .unwrap_or_default();
            let lead = of(&groups, leader);
            let right: f64 =
                (0..groups.len()).filter(|g| is_right(*g)).map(|g| of(&groups, g)).sum();
            let truth = if is_known { right } else { none };
            let wrong: f64 =
                (0..groups.len()).filter(|g| !is_right(*g)).map(|g| of(&groups, g).powi(2)).sum();
            self.losses.push(-truth.max(1e-12).ln());
            let open = if is_known { none * none } else { 0.0 };
            self.briers.push((1.0 - truth).powi(2) + open + wrong);
            let is_so = if is_known { lead >= none && is_right(leader) } else { none > lead };
            self.claims.push((lead.max(none), is_so));
            self.named.push((lead, is_right(leader)));
            let list = if is_known { &mut self.none.0 } else { &mut self.none.1 };
            list.push(none);
            if is_known {
                self.rank(&groups, &case.right);
                for (group, scored) in scores.groups.iter().enumerate() {
                    let list = match case.right.contains(&group) {
                        true => &mut self.pairwise.0,
                        false => &mut self.pairwise.1,
                    };
                    list.push(scored.total - scores.none);
                }
            }
            self.lines.push_str(&line(case, is_known, &groups, none, &left_out));
        }
    }

    /// Rank of the right group, and the likelihood ratio of every group against all other
    /// hypotheses: posterior odds over prior odds.
    fn rank(&mut self, groups: &[f64], right: &[usize]) {
        let best = right.iter().map(|g| of(groups, *g)).fold(0.0, f64::max);
        let mut rank = 1.0;
        for (group, share) in groups.iter().enumerate() {
            let ratio = ratio(*share, groups.len());
            if right.contains(&group) {
                self.ratios.0.push(ratio);
                continue;
            }
            self.ratios.1.push(ratio);
            if share - best > 1e-15 {
                rank += 1.0;
            } else if (share - best).abs() <= 1e-15 {
                rank += 0.5;
            }
        }
        self.ranks.push(rank);
    }

    fn print(&self, task: &str, is_soft: bool) {
        let by_chance = ece_by_chance(&self.claims);
        let share =
            |most: f64| mean(self.ranks.iter().map(|rank| f64::from(u8::from(*rank <= most))));
        println!(
            "{task:20} n {} top-1 {:.3} top-3 {:.3} MRR {:.3} log-loss {:.3} Brier {:.3} ECE {:.3} (by chance {:.3} to {:.3}) AUROC {:.3} Cllr {:.3} against nobody known {:.3}",
            self.ranks.len(),
            share(1.25),
            share(3.0),
            mean(self.ranks.iter().map(|rank| 1.0 / rank)),
            mean(self.losses.iter().copied()),
            mean(self.briers.iter().copied()),
            ece(&self.claims),
            by_chance.0,
            by_chance.1,
            auroc(&self.none.0, &self.none.1),
            cllr(&self.ratios.0, &self.ratios.1),
            cllr(&self.pairwise.0, &self.pairwise.1)
        );
        for (low, high) in [(0.55, 0.8), (0.8, 0.95), (0.95, 1.01)] {
            let claims: Vec<bool> =
                self.named.iter().filter(|n| n.0 >= low && n.0 < high).map(|n| n.1).collect();
            let right = claims.iter().filter(|is_right| **is_right).count();
            let (from, to) = wilson(right, claims.len());
            println!(
                "  named at {low}: {} claims, {right} right [{from:.2}, {to:.2}]",
                claims.len()
            );
        }
        // One class beside methods at most: the rule bounds what is reported.
        println!(
            "  after the reporting rule nobody is named above {}",
            if is_soft { 0.55 } else { 0.79 }
        );
        if task == "A2_gap180" || task == "A2_past180" {
            diagram(&self.claims);
        }
    }
}

fn ratio(share: f64, groups: usize) -> f64 {
    let odds = |p: f64| (p / (1.0 - p)).ln();
    odds(share.clamp(1e-12, 1.0 - 1e-12)) - odds(0.5 / groups.max(1) as f64)
}

fn line(case: &Case, is_known: bool, groups: &[f64], none: f64, left_out: &[usize]) -> String {
    let fields = |value: &dyn Fn(f64) -> f64| {
        let told = groups.iter().zip(&case.profiles.groups).enumerate();
        let told = told.filter(|(at, _)| !left_out.contains(at));
        told.map(|(_, (share, name))| format!("\"{name}\":{}", value(*share)))
            .collect::<Vec<_>>()
            .join(",")
    };
    format!(
        "{{\"id\":{},\"mode\":\"{}\",\"post\":{{{}}},\"open\":{none},\"llr\":{{{}}}}}\n",
        to_json(&Value::text(case.id.clone())),
        if is_known { "known" } else { "open" },
        fields(&|share| share),
        fields(&|share| ratio(share, groups.len()))
    )
}

fn of(shares: &[f64], group: usize) -> f64 {
    shares.get(group).copied().unwrap_or_default()
}
