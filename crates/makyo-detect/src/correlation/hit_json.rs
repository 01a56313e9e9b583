//! Hits as lines beside the findings of an artifact, so that a run that was cut short need not
//! read the artifact again.

use makyo_base::{Entity, EntityKind, Object, RecordRef, Role, Value, hex};

use super::CorrelationHit;

/// The hit as an object. Its correlation is named by place, so it means something only to a run
/// with the same rules.
#[must_use]
pub fn hit_object(hit: &CorrelationHit) -> Object<'static> {
    let text = |text: &str| Value::text(text.to_owned());
    let texts = |list: &[String]| Value::List(list.iter().map(|one| text(one)).collect());
    let records = hit
        .records
        .iter()
        .map(|record| Value::List(vec![text(&record.file), Value::Int(record.record.into())]));
    let entities = hit.entities.iter().map(|one| {
        Value::List(vec![text(one.role.word()), text(one.kind.word()), text(&one.value)])
    });
    let mut object = Object::default();
    object.push("correlation", Value::Int(hit.correlation as i128));
    object.push("group", texts(&hit.group));
    object.push("time", Value::Int(hit.time.into()));
    object.push("place", Value::Int(hit.place as i128));
    object.push("identity", Value::text(hex(&hit.identity)));
    object.push("records", Value::List(records.collect()));
    object.push("values", texts(&hit.values));
    object.push("entities", Value::List(entities.collect()));
    object
}

/// Reads what [`hit_object`] wrote; nothing if it is something else.
#[must_use]
pub fn hit_from_object(object: &Object<'_>) -> Option<CorrelationHit> {
    let list = |name: &str| match object.get(name) {
        Some(Value::List(list)) => Some(list.as_slice()),
        _ => None,
    };
    let texts = |name: &str| -> Option<Vec<String>> {
        list(name)?.iter().map(|one| one.as_str().map(str::to_owned)).collect()
    };
    let number = |name: &str| match object.get(name) {
        Some(Value::Int(number)) => Some(*number),
        _ => None,
    };
    let record = |value: &Value<'_>| match value {
        Value::List(pair) => match pair.as_slice() {
            [file, Value::Int(record)] => Some(RecordRef {
                file: file.as_str()?.to_owned(),
                record: u64::try_from(*record).ok()?,
            }),
            _ => None,
        },
        _ => None,
    };
    let entity = |value: &Value<'_>| match value {
        Value::List(parts) => match parts.as_slice() {
            [role, kind, value] => Some(Entity {
                role: Role::from_word(role.as_str()?)?,
                kind: EntityKind::from_word(kind.as_str()?)?,
                value: value.as_str()?.to_owned(),
            }),
            _ => None,
        },
        _ => None,
    };
    let digits = object.get("identity")?.as_str()?;
    Some(CorrelationHit {
        correlation: usize::try_from(number("correlation")?).ok()?,
        group: texts("group")?,
        time: i64::try_from(number("time")?).ok()?,
        place: usize::try_from(number("place")?).ok()?,
        identity: u128::from_str_radix(digits, 16).ok()?.to_be_bytes(),
        records: list("records")?.iter().map(record).collect::<Option<_>>()?,
        values: texts("values")?,
        entities: list("entities")?.iter().map(entity).collect::<Option<_>>()?,
    })
}
