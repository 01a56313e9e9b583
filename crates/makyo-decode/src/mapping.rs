//! Maps: where in the native record each column's value is, and what is done to it.

use std::borrow::Cow;

use jiff::fmt::strtime::BrokenDownTime;
use makyo_base::{
    Cell, Column, ColumnType, Event, Object, Value, ZoneHint, activity, class, parse_address,
    parse_port, parse_time_with,
};
use makyo_sigma::{Diagnostic, Node};
use regex::Regex;

/// Class, activity and the columns' getters.
#[derive(Debug, Default)]
pub(crate) struct Map {
    class: Option<(i64, &'static str)>,
    activity: Option<(i64, String)>,
    fields: Vec<(Column, Getter)>,
}

#[derive(Debug)]
struct Getter {
    from: Vec<String>,
    constant: Option<String>,
    parse: Option<Parse>,
    regex: Option<Regex>,
    map: Vec<(String, String)>,
    default: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Parse {
    Ip,
    Port,
    Int,
    Float,
    Bool,
    Lower,
    Basename,
    UserName,
    UserDomain,
    Hash(&'static str),
    SecondsToMs,
    HmsToMs,
    Hex,
}

const GETTER_KEYS: &[&str] = &["from", "value", "parse", "regex", "map", "default"];

impl Parse {
    fn from_word(word: &str) -> Option<Self> {
        Some(match word {
            "ip" => Parse::Ip,
            "port" => Parse::Port,
            "int" => Parse::Int,
            "float" => Parse::Float,
            "bool" => Parse::Bool,
            "lower" => Parse::Lower,
            "basename" => Parse::Basename,
            "user_name" => Parse::UserName,
            "user_domain" => Parse::UserDomain,
            "hash_md5" => Parse::Hash("MD5"),
            "hash_sha1" => Parse::Hash("SHA1"),
            "hash_sha256" => Parse::Hash("SHA256"),
            "seconds_to_ms" => Parse::SecondsToMs,
            "hms_to_ms" => Parse::HmsToMs,
            "hex" => Parse::Hex,
            _ => return None,
        })
    }

    fn apply(self, text: &str) -> Option<String> {
        let text = text.trim();
        match self {
            Parse::Ip => parse_address(text).map(|address| address.to_string()),
            Parse::Port => parse_port(text)
                .map(|port| port.to_string())
                .or_else(|| text.parse::<u16>().ok().map(|port| port.to_string())),
            Parse::Int => whole_number(text).map(|number| number.to_string()),
            Parse::Float => text.parse::<f64>().ok().map(|number| number.to_string()),
            Parse::Bool => truth(text).map(|flag| flag.to_string()),
            Parse::Lower => Some(text.to_lowercase()),
            Parse::Basename => text.rsplit(['\\', '/']).next().map(str::to_owned),
            Parse::UserName => Some(match text.rsplit_once('\\') {
                Some((_, user)) => user.to_owned(),
                None => text.split('@').next().unwrap_or(text).to_owned(),
            }),
            Parse::UserDomain => text
                .rsplit_once('\\')
                .map(|(domain, _)| domain.to_owned())
                .or_else(|| text.split_once('@').map(|(_, domain)| domain.to_owned())),
            Parse::Hash(kind) => text.split(',').find_map(|part| {
                let (name, value) = part.trim().split_once('=')?;
                name.eq_ignore_ascii_case(kind).then(|| value.to_lowercase())
            }),
            Parse::SecondsToMs => {
                // Below a millisecond nothing that is asked here depends on it.
                #[allow(clippy::cast_possible_truncation, reason = "rounded on purpose")]
                let to_ms = |seconds: f64| (seconds * 1000.0).round() as i64;
                text.parse::<f64>().ok().filter(|s| s.is_finite()).map(|s| to_ms(s).to_string())
            }
            Parse::HmsToMs => hms(text).map(|ms| ms.to_string()),
            Parse::Hex => {
                let digits = text.trim_start_matches("0x");
                i64::from_str_radix(digits, 16).ok().map(|number| number.to_string())
            }
        }
    }
}

/// `1:02:03`, `0h:31m:05s`, `2d 1h`, `31:05`.
fn hms(text: &str) -> Option<i64> {
    let mut total = 0_i64;
    let mut number = String::new();
    let mut parts: Vec<(i64, Option<char>)> = Vec::new();
    for letter in text.chars().chain([' ']) {
        if letter.is_ascii_digit() {
            number.push(letter);
        } else if !number.is_empty() {
            parts.push((number.parse().ok()?, Some(letter)));
            number.clear();
        }
    }
    let has_units = parts.iter().any(|part| matches!(part.1, Some('h' | 'm' | 's' | 'd')));
    if has_units {
        for (value, unit) in parts {
            let seconds = match unit {
                Some('d') => 86_400,
                Some('h') => 3_600,
                Some('m') => 60,
                _ => 1,
            };
            total = total.checked_add(value.checked_mul(seconds)?)?;
        }
    } else {
        for (value, _) in parts {
            total = total.checked_mul(60)?.checked_add(value)?;
        }
    }
    total.checked_mul(1000)
}

fn whole_number(text: &str) -> Option<i64> {
    text.parse().ok().or_else(|| {
        let (whole, fraction) = text.split_once('.')?;
        // `1156492.00`, as some exports write sizes.
        fraction.bytes().all(|byte| byte == b'0').then(|| whole.parse().ok())?
    })
}

fn truth(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "1" | "t" => Some(true),
        "false" | "no" | "0" | "f" => Some(false),
        _ => None,
    }
}

impl Map {
    pub(crate) fn read(
        node: &Node,
        class_name: Option<String>,
        activity_name: Option<String>,
    ) -> Result<Self, Vec<Diagnostic>> {
        let mut problems = Vec::new();
        let mut map = Map::default();
        if let Some(name) = &class_name {
            map.class = class(name);
            if map.class.is_none() {
                problems.push(Diagnostic::at(
                    node.line,
                    format!("not a class that is known: `{name}`"),
                ));
            }
        }
        if let Some(name) = activity_name {
            let id = activity(class_name.as_deref().unwrap_or("base_event"), &name);
            if id.is_none() {
                let class = class_name.as_deref().unwrap_or("base_event");
                problems.push(Diagnostic::at(
                    node.line,
                    format!("class `{class}` has no such activity: `{name}`"),
                ));
            }
            map.activity = id.map(|id| (id, name));
        }
        for (path, value) in node.get("fields").map(Node::entries).unwrap_or_default() {
            let Some(column) = path.text().and_then(Column::by_path) else {
                let path_text = path.text().unwrap_or_default();
                problems.push(Diagnostic::at(
                    path.line,
                    format!("not an OCSF path that has a column: `{path_text}`"),
                ));
                continue;
            };
            match Getter::read(value) {
                Ok(getter) => map.fields.push((column, getter)),
                Err(problem) => problems.push(problem),
            }
        }
        if problems.is_empty() { Ok(map) } else { Err(problems) }
    }

    /// Fills the event's cells; names in `used` the top-level fields that were copied unchanged.
    pub(crate) fn apply<'n>(
        &'n self,
        event: &mut Event<'_>,
        native: &'n Object<'_>,
        used: &mut Vec<&'n str>,
    ) {
        if let Some((uid, caption)) = self.class {
            event.put(Column::ClassUid, Cell::Integer(uid));
            event.put(Column::ClassName, Cell::Text(Cow::Borrowed(caption)));
        }
        if let Some((id, name)) = &self.activity {
            event.put(Column::ActivityId, Cell::Integer(*id));
            event.put(Column::ActivityName, Cell::Text(Cow::Owned(name.clone())));
        }
        for (column, getter) in &self.fields {
            if let Some(cell) = getter.cell(*column, native, used) {
                event.put(*column, cell);
            }
        }
    }
}

impl Getter {
    fn read(node: &Node) -> Result<Self, Diagnostic> {
        let mut getter = Getter {
            from: Vec::new(),
            constant: None,
            parse: None,
            regex: None,
            map: Vec::new(),
            default: None,
        };
        if !node.is_map() {
            getter.from =
                node.items().iter().filter_map(|item| item.text()).map(str::to_owned).collect();
            return Ok(getter);
        }
        if let Some(problem) = node.unknown_keys(GETTER_KEYS).into_iter().next() {
            return Err(problem);
        }
        getter.from = node.get_texts("from");
        getter.constant = node.get_text("value").map(str::to_owned);
        getter.default = node.get_text("default").map(str::to_owned);
        if let Some(word) = node.get_text("parse") {
            let unknown = || Diagnostic::at(node.line, format!("unknown `parse`: `{word}`"));
            getter.parse = Some(Parse::from_word(word).ok_or_else(unknown)?);
        }
        if let Some(text) = node.get_text("regex") {
            let reason = |error: regex::Error| {
                Diagnostic::at(node.line, error.to_string().replace('\n', " "))
            };
            getter.regex = Some(Regex::new(text).map_err(reason)?);
        }
        for (key, value) in node.get("map").map(Node::entries).unwrap_or_default() {
            if let (Some(key), Some(value)) = (key.text(), value.text()) {
                getter.map.push((key.to_owned(), value.to_owned()));
            }
        }
        Ok(getter)
    }

    fn cell<'n>(
        &'n self,
        column: Column,
        native: &'n Object<'_>,
        used: &mut Vec<&'n str>,
    ) -> Option<Cell<'static>> {
        if let Some(constant) = &self.constant {
            return to_cell(column, Cow::Borrowed(constant));
        }
        let mut is_there = self.from.is_empty();
        for path in &self.from {
            let Some(value) = native.path(path).filter(|value| !value.is_blank()) else { continue };
            is_there = true;
            let Some(text) = scalar_text(value) else { continue };
            let Some(result) = self.transform(text) else { continue };
            let plain = self.parse.is_none() && self.regex.is_none() && self.map.is_empty();
            if plain && native.contains(path) && !matches!(value, Value::List(_)) {
                used.push(path);
            }
            if let Some(cell) = to_cell(column, result) {
                return Some(cell);
            }
        }
        // A default stands for a value that the map does not know, not for one that is missing.
        self.default
            .as_deref()
            .filter(|_| is_there)
            .and_then(|default| to_cell(column, Cow::Borrowed(default)))
    }

    fn transform<'t>(&self, text: Cow<'t, str>) -> Option<Cow<'t, str>> {
        let mut result = text;
        if let Some(regex) = &self.regex {
            result = Cow::Owned(regex.captures(&result)?.get(1)?.as_str().to_owned());
        }
        if let Some(parse) = self.parse {
            result = Cow::Owned(parse.apply(&result)?);
        }
        if !self.map.is_empty() {
            let found = self.map.iter().find(|entry| entry.0.eq_ignore_ascii_case(&result));
            result = Cow::Owned(found.map(|entry| entry.1.clone())?);
        }
        Some(result)
    }
}

/// A list of scalars reads as its elements with a comma and a blank between.
fn scalar_text<'v>(value: &'v Value<'_>) -> Option<Cow<'v, str>> {
    match value {
        Value::List(list) => {
            let texts: Vec<String> =
                list.iter().filter_map(|item| item.as_text().map(Cow::into_owned)).collect();
            (!texts.is_empty()).then(|| Cow::Owned(texts.join(", ")))
        }
        other => other.as_text(),
    }
}

fn to_cell(column: Column, text: Cow<'_, str>) -> Option<Cell<'static>> {
    match column.info().kind {
        ColumnType::Text => {
            let is_trim = text.trim().len() == text.len();
            let text = if is_trim { text.into_owned() } else { text.trim().to_owned() };
            Some(Cell::Text(Cow::Owned(text)))
        }
        ColumnType::Integer => whole_number(text.trim()).map(Cell::Integer),
        ColumnType::Boolean => truth(text.trim()).map(Cell::Boolean),
        ColumnType::Time => {
            parse_time_with(&text, ZoneHint::default()).map(|found| Cell::Time(found.0))
        }
    }
}

/// One way to find an event's time.
#[derive(Debug)]
pub(crate) struct TimeSpec {
    fields: Vec<String>,
    parse: Option<String>,
    zone: Option<Zone>,
}

#[derive(Debug)]
enum Zone {
    Fixed(ZoneHint),
    Field(String),
}

impl TimeSpec {
    pub(crate) fn read(node: &Node) -> Result<Self, Diagnostic> {
        if let Some(problem) = node.unknown_keys(&["field", "parse", "zone"]).into_iter().next() {
            return Err(problem);
        }
        let fields = node.get_texts("field");
        if fields.is_empty() {
            return Err(Diagnostic::at(node.line, "a time needs a `field`"));
        }
        let zone = match node.get("zone") {
            None => None,
            Some(zone) => match (zone.get_text("field"), zone.text()) {
                (Some(field), _) => Some(Zone::Field(field.to_owned())),
                (None, Some(text)) => Some(Zone::Fixed(ZoneHint::from_zone(text))),
                (None, None) => {
                    return Err(Diagnostic::at(zone.line, "`zone` is an offset or `{field: ..}`"));
                }
            },
        };
        Ok(TimeSpec { fields, parse: node.get_text("parse").map(str::to_owned), zone })
    }

    /// The field, if the time is read from one field in a form that makyo knows by itself.
    pub(crate) fn only_field(&self) -> Option<&str> {
        match (self.fields.as_slice(), &self.parse) {
            ([field], None) => Some(field),
            _ => None,
        }
    }

    /// The time and whether its zone was assumed.
    pub(crate) fn find(&self, native: &Object<'_>, near: Option<i64>) -> Option<(i64, bool)> {
        let parts: Option<Vec<Cow<'_, str>>> = self
            .fields
            .iter()
            .map(|field| native.path(field).filter(|value| !value.is_blank()).and_then(scalar_text))
            .collect();
        let text = parts?.join(" ");
        let mut hint = match &self.zone {
            None => ZoneHint::default(),
            Some(Zone::Fixed(hint)) => *hint,
            Some(Zone::Field(field)) => native
                .path(field)
                .and_then(scalar_text)
                .map_or_else(ZoneHint::default, |zone| ZoneHint::from_zone(&zone)),
        };
        hint.near = near;
        match &self.parse {
            None => parse_time_with(&text, hint),
            Some(format) => strptime(format, &text, hint),
        }
    }
}

fn strptime(format: &str, text: &str, hint: ZoneHint) -> Option<(i64, bool)> {
    let broken = BrokenDownTime::parse(format, text.trim()).ok()?;
    if broken.offset().is_some() {
        let time = broken.to_timestamp().ok()?;
        return Some((i64::try_from(time.as_nanosecond()).ok()?, false));
    }
    let civil = broken.to_datetime().ok()?;
    parse_time_with(&civil.to_string(), hint)
}
