//! Shapes: what collectors wrap around a record, and how it comes off. All data, no vendors.

use std::borrow::Cow;

use makyo_base::{Object, Value, parse_json};
use makyo_sigma::{Diagnostic, Node, Scratch, Selection, load_yaml};

use crate::line::line_record;
use crate::slots::{Paths, View};
use crate::source::Condition;

/// A family of wrappings around one native record.
#[derive(Debug)]
pub(crate) struct Shape {
    pub(crate) id: String,
    forms: Vec<Form>,
}

/// One form of a wrapping.
#[derive(Debug)]
pub(crate) struct Form {
    when: Condition,
    merge: Vec<String>,
    parse: Vec<String>,
    fields: Vec<(String, Path)>,
    text: Option<String>,
    lower_camel: bool,
    drop: Vec<String>,
    defect: Option<String>,
}

/// Under this name a form says that its record is incomplete.
pub(crate) const DEFECT_FIELD: &str = "_makyo.defect";

#[derive(Debug)]
enum Path {
    First(Vec<String>),
    Join(Vec<String>),
}

const FORM_KEYS: &[&str] =
    &["name", "when", "merge", "parse", "fields", "text", "rename", "drop", "defect"];

impl Shape {
    /// Reads a shape file.
    pub(crate) fn load(text: &str, paths: &mut Paths) -> Result<Self, Vec<Diagnostic>> {
        let documents = load_yaml(text).map_err(|problem| vec![problem])?;
        let root = documents.first().ok_or_else(|| vec![Diagnostic::at(1, "file is empty")])?;
        let mut problems = root.unknown_keys(&["id", "forms"]);
        let mut forms = Vec::new();
        for node in root.get("forms").map(Node::items).unwrap_or_default() {
            problems.extend(node.unknown_keys(FORM_KEYS));
            match Form::read(node, paths) {
                Ok(form) => forms.push(form),
                Err(mut more) => problems.append(&mut more),
            }
        }
        if forms.is_empty() && problems.is_empty() {
            problems.push(Diagnostic::at(root.line, "shape has no `forms`"));
        }
        let id = root.get_text("id").unwrap_or_default().to_owned();
        if problems.is_empty() { Ok(Shape { id, forms }) } else { Err(problems) }
    }

    /// The native record inside, or nothing if no form holds.
    pub(crate) fn unwrap<'a>(&self, raw: &View<'_, 'a>) -> Option<Object<'a>> {
        self.forms.iter().filter(|form| form.when.holds(raw)).find_map(|form| {
            let native = form.unwrap(raw.object);
            holds_something(&native).then_some(native)
        })
    }
}

impl Shape {
    pub(crate) fn forms(&self) -> &[Form] {
        &self.forms
    }

    /// The place of the form that [`Shape::unwrap`] would use.
    pub(crate) fn form(&self, scratch: &mut Scratch, raw: &Object<'_>) -> Option<usize> {
        self.forms.iter().position(|form| {
            form.when.matcher.is_match(scratch, raw) && holds_something(&form.unwrap(raw))
        })
    }
}

/// A form whose inner text does not parse says nothing; the next one may.
fn holds_something(native: &Object<'_>) -> bool {
    native.0.iter().any(|field| !field.0.starts_with("outer."))
}

impl Form {
    pub(crate) fn when(&self) -> &Condition {
        &self.when
    }

    /// Whether the native record is the raw one's values under other names and nothing else, so
    /// that where a value goes does not depend on what it is.
    pub(crate) fn moves_fields_only(&self, raw: &Object<'_>) -> bool {
        let is_plain = |path: &Path| match path {
            // The first that is not blank; blankness is known of outermost fields only.
            Path::First(paths) => paths.iter().all(|path| !path.contains('.')),
            Path::Join(_) => false,
        };
        let merges_objects = self.merge.iter().filter(|path| path.as_str() != ".").all(|path| {
            let path = path.strip_suffix(".*").unwrap_or(path);
            raw.path(path).is_none_or(|value| matches!(value, Value::Object(_) | Value::Null))
        });
        self.parse.is_empty()
            && self.text.is_none()
            && self.defect.is_none()
            && merges_objects
            && self.fields.iter().all(|field| is_plain(&field.1))
    }

    fn read(node: &Node, paths: &mut Paths) -> Result<Self, Vec<Diagnostic>> {
        let missing = || vec![Diagnostic::at(node.line, "form has no `when`")];
        let when = Selection::parse(node.get("when").ok_or_else(missing)?)?;
        let mut fields = Vec::new();
        for (name, path) in node.get("fields").map(Node::entries).unwrap_or_default() {
            let name = name.text().unwrap_or_default().to_owned();
            let path = match path.get("join") {
                Some(join) => Path::Join(
                    join.items().iter().filter_map(|n| n.text()).map(str::to_owned).collect(),
                ),
                None => Path::First(
                    path.items().iter().filter_map(|n| n.text()).map(str::to_owned).collect(),
                ),
            };
            fields.push((name, path));
        }
        let rename = node.get_text("rename");
        if let Some(word) = rename.filter(|word| *word != "lower_camel") {
            return Err(vec![Diagnostic::at(
                node.line,
                format!("`rename` knows only `lower_camel`: `{word}`"),
            )]);
        }
        Ok(Form {
            when: Condition::new(&when, paths),
            merge: node.get_texts("merge"),
            parse: node.get_texts("parse"),
            fields,
            text: node.get_text("text").map(str::to_owned),
            lower_camel: rename.is_some(),
            drop: node.get_texts("drop"),
            defect: node.get_text("defect").map(str::to_owned),
        })
    }

    pub(crate) fn unwrap<'a>(&self, raw: &Object<'a>) -> Object<'a> {
        let mut native = Object::default();
        let mut taken: Vec<&str> = Vec::new();
        for path in &self.merge {
            if path == "." {
                for (name, value) in raw.0.iter().filter(|field| !self.is_dropped(&field.0)) {
                    native.push_new(name.clone(), value.clone());
                }
                taken.extend(raw.0.iter().map(|field| field.0.as_ref()));
                continue;
            }
            let (path, children) =
                path.strip_suffix(".*").map_or((path.as_str(), false), |p| (p, true));
            if let Some(value) = raw.path(path) {
                merge(&mut native, value, children);
                taken.push(path);
            }
        }
        if let Some(text) =
            self.text.as_deref().and_then(|name| raw.path(name)).and_then(Value::as_str)
        {
            for (name, value) in line_record(text).into_owned().0 {
                native.push_new(name, value);
            }
        }
        for (name, value) in &mut native.0 {
            if self.parse.iter().any(|wanted| wanted.eq_ignore_ascii_case(name)) {
                parse_in_place(value);
            }
        }
        if self.lower_camel {
            for (name, _) in &mut native.0 {
                *name = Cow::Owned(lower_camel(name));
            }
        }
        for (name, path) in &self.fields {
            if let Some(mut value) = path.value(raw).or_else(|| path.value(&native)) {
                if self.parse.iter().any(|wanted| wanted.eq_ignore_ascii_case(name)) {
                    parse_in_place(&mut value);
                }
                native.0.retain(|field| field.0 != *name);
                native.push(name.clone(), value);
            }
        }
        if self.merge.iter().all(|path| path != ".") {
            for (name, value) in &raw.0 {
                let is_used = taken.contains(&name.as_ref()) || self.text.as_deref() == Some(name);
                if !is_used && !value.is_blank() && !self.is_dropped(name) {
                    native.push_new(format!("outer.{name}"), value.clone());
                }
            }
        }
        if let Some(detail) = &self.defect {
            native.push(DEFECT_FIELD, Value::text(detail.clone()));
        }
        native
    }

    fn is_dropped(&self, name: &str) -> bool {
        self.drop.iter().any(|dropped| dropped == name)
    }
}

impl Path {
    fn value<'a>(&self, raw: &Object<'a>) -> Option<Value<'a>> {
        match self {
            Path::First(paths) => paths
                .iter()
                .filter_map(|path| raw.path(path))
                .find(|value| !value.is_blank())
                .cloned(),
            Path::Join(paths) => {
                let parts: Option<Vec<String>> = paths
                    .iter()
                    .map(|path| {
                        raw.path(path).and_then(|value| value.as_text().map(Cow::into_owned))
                    })
                    .collect();
                Some(Value::text(parts?.join(" ")))
            }
        }
    }
}

/// Lays a value over the native record: objects by field, JSON text parsed first, name and value
/// pairs by name.
fn merge<'a>(native: &mut Object<'a>, value: &Value<'a>, children: bool) {
    let mut value = value.clone();
    parse_in_place(&mut value);
    match value {
        Value::Object(object) if children => {
            for (_, child) in object.0 {
                if let Value::Object(_) = child {
                    merge(native, &child, false);
                }
            }
        }
        Value::Object(object) => {
            for (name, value) in object.0 {
                flatten(native, &name, value);
            }
        }
        Value::List(list) => {
            for item in list {
                let Value::Object(pair) = item else { continue };
                let mut fields = pair.0.into_iter();
                if let (Some((_, Value::Str(name))), Some((_, value))) =
                    (fields.next(), fields.next())
                {
                    native.push_new(name, value);
                }
            }
        }
        _ => {}
    }
}

/// XML as JSON: `{"#attributes": {"Name": ..}, "#text": ..}` becomes the text under the element's
/// name and each attribute under `Element_Attribute`, as Sigma names them (`Provider_Name`).
fn flatten<'a>(native: &mut Object<'a>, name: &str, value: Value<'a>) {
    match value {
        Value::Object(object) if object.contains("#attributes") || object.contains("#text") => {
            for (key, inner) in object.0 {
                match (key.as_ref(), inner) {
                    ("#text", text) => native.push_new(name.to_owned(), text),
                    ("#attributes", Value::Object(attributes)) => {
                        for (attribute, value) in attributes.0 {
                            native.push_new(format!("{name}_{attribute}"), value);
                        }
                    }
                    (_, other) => native.push_new(format!("{name}.{key}"), other),
                }
            }
        }
        _ if name == "#attributes" => {}
        other => native.push_new(name.to_owned(), other),
    }
}

fn parse_in_place(value: &mut Value<'_>) {
    let Value::Str(text) = value else { return };
    let trimmed = text.trim();
    if !trimmed.starts_with(['{', '[']) {
        return;
    }
    let parsed = parse_json(trimmed).ok().map(Value::into_owned);
    if let Some(parsed) = parsed {
        *value = parsed;
    }
}

/// `UserPrincipalName` to `userPrincipalName`, `IPAddress` to `ipAddress`.
fn lower_camel(name: &str) -> String {
    let capitals = name.chars().take_while(char::is_ascii_uppercase).count();
    let fold = if capitals > 1 && capitals < name.len() { capitals - 1 } else { capitals };
    name.chars()
        .enumerate()
        .map(|(at, letter)| if at < fold { letter.to_ascii_lowercase() } else { letter })
        .collect()
}

impl Shape {
    /// The native record of a form that carries a raw log line.
    pub(crate) fn unwrap_text<'a>(
        &self,
        scratch: &mut Scratch,
        raw: &Object<'a>,
    ) -> Option<Object<'a>> {
        let form = self
            .forms
            .iter()
            .find(|form| form.text.is_some() && form.when.matcher.is_match(scratch, raw))?;
        Some(form.unwrap(raw))
    }
}
