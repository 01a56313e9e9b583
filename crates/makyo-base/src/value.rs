//! A record's value, as any text format can hold it, borrowed from the record where possible.

use std::borrow::Cow;

/// One value of a record.
#[derive(Clone, PartialEq, Debug, Default)]
pub enum Value<'a> {
    /// JSON `null`, an absent value.
    #[default]
    Null,
    /// Truth value.
    Bool(bool),
    /// Whole number; 128 bits, so that no counter of any product is rounded.
    Int(i128),
    /// Number with a fraction.
    Float(f64),
    /// Text.
    Str(Cow<'a, str>),
    /// List.
    List(Vec<Value<'a>>),
    /// Fields by name.
    Object(Object<'a>),
}

/// Fields in the order of the record. Names may repeat; the first wins in look-ups.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Object<'a>(pub Vec<(Cow<'a, str>, Value<'a>)>);

impl<'a> Value<'a> {
    /// A text value.
    pub fn text(text: impl Into<Cow<'a, str>>) -> Self {
        Value::Str(text.into())
    }

    /// The value as text, if it is a scalar; numbers and truth values in their JSON form.
    #[must_use]
    pub fn as_text(&self) -> Option<Cow<'_, str>> {
        match self {
            Value::Str(text) => Some(Cow::Borrowed(text)),
            Value::Int(number) => Some(Cow::Owned(number.to_string())),
            Value::Float(number) => Some(Cow::Owned(number.to_string())),
            Value::Bool(flag) => Some(Cow::Borrowed(if *flag { "true" } else { "false" })),
            Value::Null | Value::List(_) | Value::Object(_) => None,
        }
    }

    /// The text of a text value.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::Str(text) => Some(text),
            _ => None,
        }
    }

    /// The object, if it is one.
    #[must_use]
    pub fn as_object(&self) -> Option<&Object<'a>> {
        match self {
            Value::Object(object) => Some(object),
            _ => None,
        }
    }

    /// Whether products write this for "nothing": null, an empty text, `-`, `null`, `N/A`.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        match self {
            Value::Null => true,
            Value::Str(text) => is_blank_text(text),
            Value::List(list) => list.is_empty(),
            Value::Object(object) => object.0.is_empty(),
            _ => false,
        }
    }

    /// Follows a dotted path from here; see [`Object::path`].
    #[must_use]
    pub fn enter(&self, path: &str) -> Option<&Value<'a>> {
        match self {
            Value::Object(object) => object.path(path),
            Value::List(list) => {
                if let Some(found) = named_pair(list, path) {
                    return Some(found);
                }
                let (head, tail) = path.split_once('.').map_or((path, None), |(h, t)| (h, Some(t)));
                let item = match head.parse::<usize>() {
                    Ok(index) => list.get(index)?,
                    Err(_) => named_pair(list, head)?,
                };
                tail.map_or(Some(item), |tail| item.enter(tail))
            }
            _ => None,
        }
    }

    /// The same value, borrowed from this one.
    #[must_use]
    pub fn reborrow(&self) -> Value<'_> {
        match self {
            Value::Null => Value::Null,
            Value::Bool(flag) => Value::Bool(*flag),
            Value::Int(number) => Value::Int(*number),
            Value::Float(number) => Value::Float(*number),
            Value::Str(text) => Value::Str(Cow::Borrowed(text)),
            Value::List(list) => Value::List(list.iter().map(Value::reborrow).collect()),
            Value::Object(object) => Value::Object(Object(
                object
                    .0
                    .iter()
                    .map(|(name, value)| (Cow::Borrowed(name.as_ref()), value.reborrow()))
                    .collect(),
            )),
        }
    }

    /// Detaches the value from the record that it borrows from.
    #[must_use]
    pub fn into_owned(self) -> Value<'static> {
        match self {
            Value::Null => Value::Null,
            Value::Bool(flag) => Value::Bool(flag),
            Value::Int(number) => Value::Int(number),
            Value::Float(number) => Value::Float(number),
            Value::Str(text) => Value::Str(Cow::Owned(text.into_owned())),
            Value::List(list) => Value::List(list.into_iter().map(Value::into_owned).collect()),
            Value::Object(object) => Value::Object(object.into_owned()),
        }
    }
}

fn is_blank_text(text: &str) -> bool {
    matches!(
        text.trim(),
        "" | "-" | "null" | "NULL" | "<null>" | "N/A" | "n/a" | "(empty)" | "None"
    )
}

impl<'a> Object<'a> {
    /// The first field of this name, letters in either case if none fits exactly.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value<'a>> {
        self.0.iter().find(|field| field.0 == name).map(|field| &field.1).or_else(|| {
            self.0.iter().find(|field| field.0.eq_ignore_ascii_case(name)).map(|field| &field.1)
        })
    }

    /// Whether there is a field of exactly this name.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        self.0.iter().any(|field| field.0 == name)
    }

    /// Appends a field.
    pub fn push(&mut self, name: impl Into<Cow<'a, str>>, value: Value<'a>) {
        self.0.push((name.into(), value));
    }

    /// Appends a field unless one of this name is there.
    pub fn push_new(&mut self, name: impl Into<Cow<'a, str>>, value: Value<'a>) {
        let name = name.into();
        if !self.contains(&name) {
            self.0.push((name, value));
        }
    }

    /// Follows a dotted path. A field whose whole name equals the path wins over nesting; lists of
    /// `{Name, Value}` pairs are entered by name, other lists by index.
    #[must_use]
    pub fn path(&self, path: &str) -> Option<&Value<'a>> {
        if let Some(value) = self.get(path) {
            return Some(value);
        }
        // Names may themselves contain dots, so every split is tried, shortest head first.
        path.char_indices().filter(|(_, letter)| *letter == '.').find_map(|(dot, _)| {
            let (head, tail) = (path.get(..dot)?, path.get(dot + 1..)?);
            self.get(head)?.enter(tail)
        })
    }

    /// Detaches the object from the record that it borrows from.
    #[must_use]
    pub fn into_owned(self) -> Object<'static> {
        let own = |(name, value): (Cow<'_, str>, Value<'_>)| {
            (Cow::Owned(name.into_owned()), value.into_owned())
        };
        Object(self.0.into_iter().map(own).collect())
    }
}

/// In a list of `{Name, Value}` pairs (products also write `name`, `key`, `displayName` and
/// `NewValue`, `value`), the value of this name.
fn named_pair<'v, 'a>(list: &'v [Value<'a>], name: &str) -> Option<&'v Value<'a>> {
    list.iter().find_map(|item| {
        let pair = item.as_object()?;
        let key = ["Name", "name", "key", "Key", "displayName"]
            .iter()
            .find_map(|key| pair.0.iter().find(|field| field.0 == *key))?;
        if !key.1.as_str().is_some_and(|key| key.eq_ignore_ascii_case(name)) {
            return None;
        }
        ["Value", "value", "NewValue", "newValue", "boolValue", "intValue", "multiValue"]
            .iter()
            .find_map(|key| pair.0.iter().find(|field| field.0 == *key).map(|field| &field.1))
    })
}
