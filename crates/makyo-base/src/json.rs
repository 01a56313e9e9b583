//! JSON text to [`Value`] and back: fields keep their order, text is borrowed where it can be.

use std::borrow::Cow;
use std::fmt;

use serde_core::de::{DeserializeSeed, MapAccess, SeqAccess, Visitor};

use crate::value::{Object, Value};

/// Parses one JSON value that fills the whole text.
///
/// # Errors
/// The parser's message, with line and column.
pub fn parse_json(text: &str) -> Result<Value<'_>, String> {
    let mut parser = serde_json::Deserializer::from_str(text);
    let value = Seed.deserialize(&mut parser).map_err(|error| error.to_string())?;
    parser.end().map_err(|error| error.to_string())?;
    Ok(value)
}

struct Seed;

impl<'de> DeserializeSeed<'de> for Seed {
    type Value = Value<'de>;

    fn deserialize<D: serde_core::Deserializer<'de>>(
        self,
        from: D,
    ) -> Result<Value<'de>, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed {
    type Value = Value<'de>;

    fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value<'de>, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Value<'de>, E> {
        Ok(Value::Bool(flag))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value<'de>, E> {
        Ok(Value::Int(number.into()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value<'de>, E> {
        Ok(Value::Int(number.into()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value<'de>, E> {
        Ok(Value::Float(number))
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Value<'de>, E> {
        Ok(Value::Str(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value<'de>, E> {
        Ok(Value::Str(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value<'de>, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(Seed)? {
            list.push(item);
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Value<'de>, A::Error> {
        let mut object = Vec::new();
        while let Some(name) = fields.next_key_seed(NameSeed)? {
            object.push((name, fields.next_value_seed(Seed)?));
        }
        Ok(Value::Object(Object(object)))
    }
}

struct NameSeed;

impl<'de> DeserializeSeed<'de> for NameSeed {
    type Value = Cow<'de, str>;

    fn deserialize<D: serde_core::Deserializer<'de>>(
        self,
        from: D,
    ) -> Result<Cow<'de, str>, D::Error> {
        from.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for NameSeed {
    type Value = Cow<'de, str>;

    fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("a field name")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Borrowed(text))
    }

    fn visit_str<E>(self, text: &str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Owned(text.to_owned()))
    }
}

/// Writes a value as JSON text on one line.
#[must_use]
pub fn to_json(value: &Value<'_>) -> String {
    let mut out = String::new();
    write_json(&mut out, value);
    out
}

/// Appends a value as JSON text on one line.
pub fn write_json(out: &mut String, value: &Value<'_>) {
    write_value(out, value);
}

fn write_value(out: &mut String, value: &Value<'_>) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(flag) => out.push_str(if *flag { "true" } else { "false" }),
        Value::Int(number) => out.push_str(&number.to_string()),
        Value::Float(number) if number.is_finite() => {
            // serde_json keeps a float a float (`1.0`), which `to_string` would not.
            out.push_str(
                &serde_json::Number::from_f64(*number).map_or_else(String::new, |n| n.to_string()),
            );
        }
        Value::Float(_) => out.push_str("null"),
        Value::Str(text) => write_text(out, text),
        Value::List(list) => {
            out.push('[');
            for (index, item) in list.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_value(out, item);
            }
            out.push(']');
        }
        Value::Object(object) => {
            out.push('{');
            for (index, (name, item)) in object.0.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_text(out, name);
                out.push(':');
                write_value(out, item);
            }
            out.push('}');
        }
    }
}

fn write_text(out: &mut String, text: &str) {
    out.push('"');
    let mut rest = text;
    // What needs no escape is copied in one piece; all that does is one byte long.
    while let Some(at) = first_special(rest.as_bytes()) {
        let (plain, from) = rest.split_at(at);
        out.push_str(plain);
        let (escaped, after) = from.split_at(1);
        match escaped {
            "\"" => out.push_str("\\\""),
            "\\" => out.push_str("\\\\"),
            "\n" => out.push_str("\\n"),
            "\r" => out.push_str("\\r"),
            "\t" => out.push_str("\\t"),
            control => {
                let code = control.bytes().next().unwrap_or_default();
                out.push_str(&format!("\\u{code:04x}"));
            }
        }
        rest = after;
    }
    out.push_str(rest);
    out.push('"');
}

/// The place of the first byte that needs an escape. Most texts have none; those are passed over in
/// stretches that the compiler looks at as a whole.
fn first_special(bytes: &[u8]) -> Option<usize> {
    let is_special = |byte: u8| (byte < 0x20) | (byte == b'"') | (byte == b'\\') | (byte == 0x7f);
    let mut at = 0;
    for stretch in bytes.chunks(16) {
        if stretch.iter().fold(false, |found, byte| found | is_special(*byte)) {
            return stretch.iter().position(|byte| is_special(*byte)).map(|place| at + place);
        }
        at += stretch.len();
    }
    None
}
