//! `makyo attribute`: hypotheses about who it was.

use anyhow::bail;
use makyo_base::{Object, Value, to_json};
use makyo_link::answer::judgement_object;
use makyo_link::incident::Incident;
use makyo_link::judge::judge;
use makyo_link::knowledge::Knowledge;
use makyo_link::link::link;
use makyo_link::stix::judgement_bundle;
use makyo_link::weights::Weights;

use super::link::{read, rows, together};
use crate::cli::{Attribute, Format, JudgementFormat};
use crate::data;
use crate::exit::Exit;
use crate::output::{Output, tell};

pub(crate) fn run(options: &Attribute, output: &mut Output) -> anyhow::Result<Exit> {
    let reading = read(&options.incidents)?;
    let weights = data::judgement()?;
    let mut knowledge = Knowledge::default();
    for path in &options.knowledge {
        let file = path.display().to_string();
        match data::text_or_gzip(path)? {
            Ok(text) => knowledge.read(&file, &text),
            Err(reason) => bail!("knowledge cannot be read: `{file}`: {reason}"),
        }
    }
    knowledge.renumber(&weights.renumbered);
    for unread in &knowledge.unread {
        tell(&format!("not read: {}: {}", unread.file, unread.reason));
    }
    if knowledge.groups.is_empty() {
        bail!("knowledge names no group: {}", options.knowledge.len());
    }
    let chosen = choose(&reading.incidents, &options.incident, &weights)?;
    let judgement = judge(&chosen, &knowledge, &weights);
    let found = judgement_object(&judgement, &knowledge);
    match options.format {
        JudgementFormat::Json => output.line(&to_json(&Value::Object(found)))?,
        JudgementFormat::Jsonl => rows(&found, "hypotheses")
            .iter()
            .try_for_each(|row| output.line(&to_json(&Value::Object(row.clone()))))?,
        JudgementFormat::Csv => {
            output.rows(Format::Csv, &names(EVIDENCE), &evidence_rows(&found))?;
        }
        JudgementFormat::Table => table(&found, output)?,
        JudgementFormat::Stix => {
            let bundle = judgement_bundle(&judgement, &chosen);
            output.line(&to_json(&Value::Object(bundle)))?;
        }
    }
    let unread = !reading.unread.is_empty() || !knowledge.unread.is_empty();
    Ok(Exit::of(false, unread))
}

/// What is judged: the named incidents as one; else the largest campaign; else the incident with
/// most evidence.
fn choose(all: &[Incident], named: &[String], weights: &Weights) -> anyhow::Result<Incident> {
    let of = |ids: &[String]| -> Vec<Incident> {
        all.iter().filter(|one| ids.contains(&one.id)).cloned().collect()
    };
    for id in named {
        if !all.iter().any(|one| one.id == *id) {
            let known: Vec<&str> = all.iter().map(|one| one.id.as_str()).collect();
            bail!("no such incident: `{id}`\nhint: there are: {}", known.join(", "));
        }
    }
    if !named.is_empty() {
        return Ok(together(&of(named)));
    }
    if let [one] = all {
        return Ok(one.clone());
    }
    let linkage = link(all, weights, 1);
    if let Some(campaign) = linkage.campaigns.first() {
        tell(&format!("judged: the campaign of {} incidents", campaign.incidents.len()));
        return Ok(together(&of(&campaign.incidents)));
    }
    let most = all
        .iter()
        .max_by(|a, b| a.items.len().cmp(&b.items.len()).then_with(|| b.id.cmp(&a.id)))
        .ok_or_else(|| anyhow::anyhow!("nothing given holds an incident with evidence"))?;
    tell(&format!("judged: `{}`, as the incidents are not linked; --incident chooses", most.id));
    Ok(most.clone())
}

const GROUPS_SHOWN: usize = 2;
const ITEMS_SHOWN: i32 = 12;
const DROPPED_SHOWN: usize = 12;
const EVIDENCE: &[&str] =
    &["hypothesis", "probability", "class", "item", "weight_db", "independence_group", "source"];

fn names(columns: &[&str]) -> Vec<String> {
    columns.iter().map(|column| (*column).to_owned()).collect()
}

fn evidence_rows(found: &Object<'static>) -> Vec<Object<'static>> {
    let mut all = Vec::new();
    for hypothesis in rows(found, "hypotheses") {
        for mut item in rows(&hypothesis, "evidence") {
            item.push("hypothesis", hypothesis.get("name").cloned().unwrap_or_default());
            item.push("probability", hypothesis.get("probability").cloned().unwrap_or_default());
            all.push(item);
        }
    }
    all
}

/// For people: the heaviest items of the leading groups; the other formats have all.
fn heaviest(found: &Object<'static>) -> Vec<Object<'static>> {
    let mut shown = found.clone();
    for field in &mut shown.0 {
        if let (true, Value::List(hypotheses)) = (field.0 == "hypotheses", &mut field.1) {
            hypotheses
                .retain(|one| one.as_object().is_some_and(|one| !rows(one, "evidence").is_empty()));
            hypotheses.truncate(GROUPS_SHOWN);
        }
    }
    let all = evidence_rows(&shown);
    let mut number = std::collections::BTreeMap::new();
    all.into_iter()
        .filter(|row| {
            let count = number.entry(text(row, "hypothesis")).or_insert(0);
            *count += 1;
            *count <= ITEMS_SHOWN
        })
        .collect()
}

fn text(object: &Object<'static>, name: &str) -> String {
    object.get(name).and_then(Value::as_text).unwrap_or_default().into_owned()
}

fn table(found: &Object<'static>, output: &mut Output) -> anyhow::Result<()> {
    if let Some(Value::Object(judgement)) = found.get("judgement") {
        output.line(&text(judgement, "en"))?;
        output.line(&text(judgement, "ja"))?;
    }
    output.line("")?;
    // The hypotheses stand in rows and the classes in columns: laid out so, readers are less drawn
    // to what confirms the first (Dhami and others 2024).
    let mut matrix = rows(found, "hypotheses");
    for row in &mut matrix {
        if let Some(Value::Object(classes)) = row.get("classes").cloned() {
            classes.0.into_iter().for_each(|(class, weight)| row.push(class, weight));
        }
    }
    let columns = names(&[
        "name",
        "probability",
        "low",
        "high",
        "words",
        "targets",
        "methods",
        "infrastructure",
        "code",
        "behaviour",
        "other",
    ]);
    output.heading("Hypotheses, and decibans for each by class of evidence")?;
    output.rows(Format::Table, &columns, &matrix)?;
    output.line("")?;
    output.heading("What each rests on")?;
    output.rows(Format::Table, &names(EVIDENCE), &heaviest(found))?;
    output.line("")?;
    output.heading("What would change it")?;
    let columns = names(&["drop", "leader", "probability"]);
    let sensitivity = rows(found, "sensitivity");
    let is_whole = |row: &Object<'static>| {
        let drop = text(row, "drop");
        drop.starts_with("class: ") || drop.starts_with("source: ")
    };
    let (whole, items): (Vec<_>, Vec<_>) = sensitivity.into_iter().partition(is_whole);
    let shown: Vec<_> = whole.into_iter().chain(items.into_iter().take(DROPPED_SHOWN)).collect();
    output.rows(Format::Table, &columns, &shown)
}
