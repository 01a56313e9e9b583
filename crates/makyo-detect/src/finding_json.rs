//! Findings as the contract's JSON, and back.

use makyo_base::{
    Entity, EntityKind, Finding, FindingSource, Level, Object, RecordRef, Role, RuleRef, Value,
    format_time, parse_time,
};

/// The finding as an object of the contract.
#[must_use]
pub fn finding_object(finding: &Finding) -> Object<'static> {
    let text = |text: &str| Value::text(text.to_owned());
    let texts = |list: &[String]| Value::List(list.iter().map(|one| text(one)).collect());
    let mut rule = Object::default();
    rule.push("id", text(&finding.rule.id));
    rule.push("title", text(&finding.rule.title));
    rule.push("level", text(finding.rule.level.word()));
    let mut object = Object::default();
    object.push("id", text(&finding.id));
    object.push("time", finding.time.map_or(Value::Null, |time| Value::text(format_time(time))));
    object.push("source", text(finding.source.word()));
    object.push("rule", Value::Object(rule));
    object.push("techniques", texts(&finding.techniques));
    object.push("tactics", texts(&finding.tactics));
    let entities = finding.entities.iter().map(|entity| {
        let mut one = Object::default();
        one.push("role", text(entity.role.word()));
        one.push("kind", text(entity.kind.word()));
        one.push("value", text(&entity.value));
        Value::Object(one)
    });
    object.push("entities", Value::List(entities.collect()));
    object.push("weight_db", Value::Float(finding.weight_db));
    object.push("explained_by", finding.explained_by.as_deref().map_or(Value::Null, text));
    object.push("records", Value::List(finding.records.iter().map(record).collect()));
    object.push("text", text(&finding.text));
    object
}

fn record(reference: &RecordRef) -> Value<'static> {
    let mut object = Object::default();
    object.push("file", Value::text(reference.file.clone()));
    object.push("record", Value::Int(reference.record.into()));
    Value::Object(object)
}

/// Reads what [`finding_object`] wrote; nothing if it is something else.
#[must_use]
pub fn finding_from_object(object: &Object<'_>) -> Option<Finding> {
    let text =
        |object: &Object<'_>, key: &str| object.get(key).and_then(Value::as_str).map(str::to_owned);
    let list = |key: &str| match object.get(key) {
        Some(Value::List(list)) => list.as_slice(),
        _ => &[],
    };
    let texts = |key: &str| list(key).iter().filter_map(Value::as_str).map(str::to_owned).collect();
    let rule = object.get("rule")?.as_object()?;
    let entity = |value: &Value<'_>| {
        let one = value.as_object()?;
        Some(Entity {
            role: Role::from_word(&text(one, "role")?)?,
            kind: EntityKind::from_word(&text(one, "kind")?)?,
            value: text(one, "value")?,
        })
    };
    let reference = |value: &Value<'_>| {
        let one = value.as_object()?;
        let Value::Int(record) = one.get("record")? else { return None };
        Some(RecordRef { file: text(one, "file")?, record: u64::try_from(*record).ok()? })
    };
    let source = match text(object, "source")?.as_str() {
        "sigma" => FindingSource::Sigma,
        "yara" => FindingSource::Yara,
        "indicator" => FindingSource::Indicator,
        _ => FindingSource::Analytic,
    };
    Some(Finding {
        id: text(object, "id")?,
        time: text(object, "time").and_then(|time| parse_time(&time)),
        source,
        rule: RuleRef {
            id: text(rule, "id")?,
            title: text(rule, "title")?,
            level: Level::from_word(&text(rule, "level")?)?,
        },
        techniques: texts("techniques"),
        tactics: texts("tactics"),
        entities: list("entities").iter().filter_map(entity).collect(),
        weight_db: match object.get("weight_db") {
            Some(Value::Float(weight)) => *weight,
            #[allow(clippy::cast_precision_loss, reason = "decibans are small")]
            Some(Value::Int(weight)) => *weight as f64,
            _ => 0.0,
        },
        explained_by: text(object, "explained_by"),
        records: list("records").iter().filter_map(reference).collect(),
        text: text(object, "text")?,
    })
}
