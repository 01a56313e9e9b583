//! What `makyo link` and `makyo attribute` printed, as tables of the report.

use std::path::Path;

use anyhow::{Context as _, bail};
use makyo_base::{Object, Value, parse_json};

use crate::cli::Report;
use crate::command::link::rows;
use crate::data;

type Table = (&'static str, Vec<Object<'static>>);

/// Tables for questions 8 and 9; none where nothing is given.
pub(super) fn tables(options: &Report) -> anyhow::Result<Vec<Table>> {
    let mut tables = Vec::new();
    if let Some(file) = &options.linkage {
        let found = read(file)?;
        let path = options.case.canonicalize().unwrap_or_else(|_| options.case.clone());
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        tables.extend(linkage(&found, &format!("{name}/")));
    }
    if let Some(file) = &options.judgement {
        let found = read(file)?;
        if !found.contains("hypotheses") {
            bail!(
                "no judgement: `{}`\nhint: makyo attribute --format json prints one",
                file.display()
            );
        }
        tables.extend(judgement(&found));
    }
    Ok(tables)
}

fn read(file: &Path) -> anyhow::Result<Object<'static>> {
    let text = data::text_or_gzip(file)?
        .map_err(|reason| anyhow::anyhow!("cannot be read: `{}`: {reason}", file.display()))?;
    match parse_json(&text).map(Value::into_owned) {
        Ok(Value::Object(found)) => Ok(found),
        Ok(_) => bail!("no JSON object: `{}`", file.display()),
        Err(reason) => {
            Err(anyhow::anyhow!(reason)).context(format!("no JSON: `{}`", file.display()))
        }
    }
}

fn text(row: &Object<'static>, name: &str) -> String {
    row.get(name).and_then(Value::as_text).unwrap_or_default().into_owned()
}

fn texts<'a>(row: &'a Object<'static>, name: &str) -> Vec<&'a str> {
    match row.get(name) {
        Some(Value::List(list)) => list.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

/// What concerns incidents of one case: their campaign with all its links, and pairs with them that
/// are related and not linked.
fn linkage(found: &Object<'static>, of_case: &str) -> Vec<Table> {
    let campaigns = rows(found, "campaigns");
    let is_own = |campaign: &&Object<'static>| {
        texts(campaign, "incidents").iter().any(|id| id.starts_with(of_case))
    };
    let linked: usize = campaigns.iter().map(|one| texts(one, "incidents").len()).sum();
    let compared = linked + texts(found, "unlinked").len();
    let own: Vec<&Object<'static>> = campaigns.iter().filter(is_own).collect();
    let mut summary = Object::default();
    let ids: Vec<String> = own.iter().map(|one| text(one, "id")).collect();
    let count = |name: &str| own.iter().map(|one| texts(one, name).len()).sum::<usize>() as i128;
    summary.push("campaign", Value::text(ids.join(", ")));
    summary.push("linked", Value::Int(count("incidents")));
    summary.push("possible", Value::Int(count("possible")));
    summary.push("compared", Value::Int(compared as i128));
    let links = own.iter().flat_map(|one| rows(one, "links")).map(told).collect();
    let related = rows(found, "related")
        .into_iter()
        .filter(|pair| ["a", "b"].iter().any(|side| text(pair, side).starts_with(of_case)))
        .map(told)
        .collect();
    vec![("linkage", vec![summary]), ("links", links), ("related", related)]
}

/// A pair with its evidence in words.
fn told(mut pair: Object<'static>) -> Object<'static> {
    let evidence: Vec<Value<'static>> = rows(&pair, "evidence")
        .iter()
        .map(|one| {
            let part = |name: &str| text(one, name);
            Value::text(format!("{}: {} ({} dB)", part("class"), part("item"), part("weight_db")))
        })
        .collect();
    if let Some(field) = pair.0.iter_mut().find(|field| field.0 == "evidence") {
        field.1 = Value::List(evidence);
    }
    pair
}

fn judgement(found: &Object<'static>) -> Vec<Table> {
    let mut summary = Object::default();
    let part = |of: &str, name: &str| {
        found.get(of).and_then(Value::as_object).and_then(|one| one.get(name)).cloned()
    };
    summary.push("en", part("judgement", "en").unwrap_or_default());
    summary.push("ja", part("judgement", "ja").unwrap_or_default());
    for name in ["applied", "reason", "limit"] {
        summary.push(name, part("cap", name).unwrap_or_default());
    }
    for name in ["incidents", "knowledge", "confidence"] {
        summary.push(name, found.get(name).cloned().unwrap_or_default());
    }
    let mut hypotheses = rows(found, "hypotheses");
    let leader = hypotheses.iter().find(|one| one.get("owner").is_some_and(|o| *o != Value::Null));
    let model = leader.and_then(|one| one.get("model_probability")).cloned();
    summary.push("model", model.unwrap_or_default());
    let mut items = Vec::new();
    for row in &mut hypotheses {
        let name = row.get("name").cloned().unwrap_or_default();
        for mut item in rows(row, "evidence") {
            item.push("hypothesis", name.clone());
            items.push(item);
        }
        if let Some(Value::Object(classes)) = row.get("classes").cloned() {
            classes.0.into_iter().for_each(|(class, weight)| row.push(class, weight));
        }
    }
    // By class within each hypothesis, so that a reader sees what kind of evidence there is.
    let rank = |item: &Object<'static>| {
        let at = hypotheses.iter().position(|one| one.get("name") == item.get("hypothesis"));
        (at, text(item, "class"))
    };
    items.sort_by_key(rank);
    vec![
        ("judgement", vec![summary]),
        ("judgement_items", items),
        ("sensitivity", rows(found, "sensitivity")),
        ("hypotheses", hypotheses),
    ]
}
