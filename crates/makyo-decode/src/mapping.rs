//! Maps: where in the native record each column's value is, and what is done to it.

use std::borrow::Cow;

use jiff::fmt::strtime::BrokenDownTime;
use makyo_base::{
    Cell, Column, ColumnType, Event, FixedTime, Value, ZoneHint, activity, class, parse_address,
    parse_port, parse_time_with,
};
use makyo_sigma::{Diagnostic, LineRegex, Node};

use crate::slots::{Paths, View};

/// Class, activity and the columns' getters.
#[derive(Debug, Default)]
pub(crate) struct Map {
    class: Option<(i64, &'static str)>,
    activity: Option<(i64, String)>,
    fields: Vec<(Column, Getter)>,
}

#[derive(Debug)]
struct Getter {
    /// Numbers of paths.
    from: Vec<usize>,
    constant: Option<String>,
    parse: Option<Parse>,
    regex: Option<LineRegex>,
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

    fn apply(self, text: Cow<'_, str>) -> Option<Cow<'_, str>> {
        match text {
            Cow::Borrowed(text) => self.read(text),
            Cow::Owned(text) => self.read(&text).map(|found| Cow::Owned(found.into_owned())),
        }
    }

    fn read(self, text: &str) -> Option<Cow<'_, str>> {
        let text = text.trim();
        let plain =
            |found: &str| found.is_ascii() && !found.bytes().any(|b| b.is_ascii_uppercase());
        match self {
            Parse::Ip => address(text),
            Parse::Port => parse_port(text)
                .map(|port| port.to_string())
                .or_else(|| text.parse::<u16>().ok().map(|port| port.to_string()))
                .map(Cow::Owned),
            Parse::Int if is_shortest(text) => Some(Cow::Borrowed(text)),
            Parse::Int => whole_number(text).map(|number| Cow::Owned(number.to_string())),
            Parse::Float => text.parse::<f64>().ok().map(|number| Cow::Owned(number.to_string())),
            Parse::Bool => {
                truth(text).map(|flag| Cow::Borrowed(if flag { "true" } else { "false" }))
            }
            Parse::Lower if plain(text) => Some(Cow::Borrowed(text)),
            Parse::Lower => Some(Cow::Owned(text.to_lowercase())),
            Parse::Basename => text.rsplit(['\\', '/']).next().map(Cow::Borrowed),
            Parse::UserName => Some(Cow::Borrowed(match text.rsplit_once('\\') {
                Some((_, user)) => user,
                None => text.split('@').next().unwrap_or(text),
            })),
            Parse::UserDomain => text
                .rsplit_once('\\')
                .map(|(domain, _)| domain)
                .or_else(|| text.split_once('@').map(|(_, domain)| domain))
                .map(Cow::Borrowed),
            Parse::Hash(kind) => text.split(',').find_map(|part| {
                let (name, value) = part.trim().split_once('=')?;
                name.eq_ignore_ascii_case(kind).then(|| Cow::Owned(value.to_lowercase()))
            }),
            Parse::SecondsToMs => {
                // Below a millisecond nothing that is asked here depends on it.
                #[allow(clippy::cast_possible_truncation, reason = "rounded on purpose")]
                let to_ms = |seconds: f64| (seconds * 1000.0).round() as i64;
                let seconds = text.parse::<f64>().ok().filter(|s| s.is_finite());
                seconds.map(|seconds| Cow::Owned(to_ms(seconds).to_string()))
            }
            Parse::HmsToMs => hms(text).map(|ms| Cow::Owned(ms.to_string())),
            Parse::Hex => {
                let digits = text.trim_start_matches("0x");
                let number = i64::from_str_radix(digits, 16).ok();
                number.map(|number| Cow::Owned(number.to_string()))
            }
        }
    }
}

/// An address in its one form.
fn address(text: &str) -> Option<Cow<'_, str>> {
    // Of IPv4 no other form is read than the one that is written.
    if text.parse::<std::net::Ipv4Addr>().is_ok() {
        return Some(Cow::Borrowed(text));
    }
    parse_address(text).map(|address| Cow::Owned(address.to_string()))
}

/// Whether a text is a whole number as it would be written again.
fn is_shortest(text: &str) -> bool {
    let has_zero = text.starts_with('0') && text.len() > 1;
    (1..=18).contains(&text.len()) && !has_zero && text.bytes().all(|byte| byte.is_ascii_digit())
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
        paths: &mut Paths,
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
            match Getter::read(value, paths) {
                Ok(getter) => map.fields.push((column, getter)),
                Err(problem) => problems.push(problem),
            }
        }
        // An event's cells lie in this order.
        map.fields.sort_by_key(|field| field.0);
        if problems.is_empty() { Ok(map) } else { Err(problems) }
    }

    /// Fills the event's cells; `used` gets the paths of the fields that were copied unchanged.
    pub(crate) fn apply<'n>(
        &'n self,
        event: &mut Event<'n>,
        native: &View<'n, '_>,
        used: &mut Vec<usize>,
    ) {
        if let Some((uid, caption)) = self.class {
            event.put(Column::ClassUid, Cell::Integer(uid));
            event.put(Column::ClassName, Cell::Text(Cow::Borrowed(caption)));
        }
        if let Some((id, name)) = &self.activity {
            event.put(Column::ActivityId, Cell::Integer(*id));
            event.put(Column::ActivityName, Cell::Text(Cow::Borrowed(name)));
        }
        for (column, getter) in &self.fields {
            if let Some(cell) = getter.cell(*column, native, used) {
                event.put(*column, cell);
            }
        }
    }
}

impl Getter {
    fn read(node: &Node, paths: &mut Paths) -> Result<Self, Diagnostic> {
        let mut getter = Getter {
            from: Vec::new(),
            constant: None,
            parse: None,
            regex: None,
            map: Vec::new(),
            default: None,
        };
        if !node.is_map() {
            let texts = node.items().into_iter().filter_map(Node::text);
            getter.from = texts.map(|path| paths.number(path)).collect();
            return Ok(getter);
        }
        if let Some(problem) = node.unknown_keys(GETTER_KEYS).into_iter().next() {
            return Err(problem);
        }
        getter.from = node.get_texts("from").iter().map(|path| paths.number(path)).collect();
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
            getter.regex = Some(LineRegex::new(text).map_err(reason)?);
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
        native: &View<'n, '_>,
        used: &mut Vec<usize>,
    ) -> Option<Cell<'n>> {
        if let Some(constant) = &self.constant {
            return to_cell(column, Cow::Borrowed(constant));
        }
        let mut is_there = self.from.is_empty();
        for path in &self.from {
            let Some(value) = native.get_filled(*path) else { continue };
            is_there = true;
            let Some(text) = scalar_text(value) else { continue };
            let Some(result) = self.transform(text) else { continue };
            let plain = self.parse.is_none() && self.regex.is_none() && self.map.is_empty();
            if plain && native.slots.has_field(*path) && !matches!(value, Value::List(_)) {
                used.push(*path);
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

    fn transform<'t>(&'t self, text: Cow<'t, str>) -> Option<Cow<'t, str>> {
        let mut result = text;
        if let Some(regex) = &self.regex {
            result = match result {
                Cow::Borrowed(text) => Cow::Borrowed(first_group(regex, text)?),
                Cow::Owned(text) => Cow::Owned(first_group(regex, &text)?.to_owned()),
            };
        }
        if let Some(parse) = self.parse {
            result = parse.apply(result)?;
        }
        if !self.map.is_empty() {
            let found = self.map.iter().find(|entry| entry.0.eq_ignore_ascii_case(&result));
            result = found.map(|entry| Cow::Borrowed(entry.1.as_str()))?;
        }
        Some(result)
    }
}

fn first_group<'t>(expression: &LineRegex, text: &'t str) -> Option<&'t str> {
    let mut first = None;
    expression.groups(text, &mut |group, part| {
        if group == 1 {
            first = Some(part);
        }
    });
    first
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

fn to_cell(column: Column, text: Cow<'_, str>) -> Option<Cell<'_>> {
    match column.info().kind {
        ColumnType::Text => {
            let is_trim = text.trim().len() == text.len();
            Some(Cell::Text(match text {
                text if is_trim => text,
                Cow::Borrowed(text) => Cow::Borrowed(text.trim()),
                Cow::Owned(text) => Cow::Owned(text.trim().to_owned()),
            }))
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
    /// Their numbers.
    paths: Vec<usize>,
    parse: Option<Form>,
    zone: Option<Zone>,
}

/// A form of times in the words of `strptime`.
#[derive(Debug)]
struct Form {
    text: String,
    /// The same for times that are written with all their digits.
    fixed: Option<FixedTime>,
}

#[derive(Debug)]
enum Zone {
    Fixed(ZoneHint),
    Field(usize),
}

impl TimeSpec {
    pub(crate) fn read(node: &Node, paths: &mut Paths) -> Result<Self, Diagnostic> {
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
                (Some(field), _) => Some(Zone::Field(paths.number(field))),
                (None, Some(text)) => Some(Zone::Fixed(ZoneHint::from_zone(text))),
                (None, None) => {
                    return Err(Diagnostic::at(zone.line, "`zone` is an offset or `{field: ..}`"));
                }
            },
        };
        let form = |text: &str| Form { text: text.to_owned(), fixed: FixedTime::new(text) };
        let numbers = fields.iter().map(|field| paths.number(field)).collect();
        Ok(TimeSpec { fields, paths: numbers, parse: node.get_text("parse").map(form), zone })
    }

    /// The field, if the time is read from one field in a form that makyo knows by itself.
    pub(crate) fn only_field(&self) -> Option<&str> {
        match (self.fields.as_slice(), &self.parse) {
            ([field], None) => Some(field),
            _ => None,
        }
    }

    /// The time and whether its zone was assumed.
    pub(crate) fn find(&self, native: &View<'_, '_>, near: Option<i64>) -> Option<(i64, bool)> {
        let mut text = Cow::Borrowed("");
        for (at, path) in self.paths.iter().enumerate() {
            let part = native.get_filled(*path).and_then(scalar_text)?;
            if at == 0 {
                text = part;
            } else {
                text = Cow::Owned(format!("{text} {part}"));
            }
        }
        let mut hint = match &self.zone {
            None => ZoneHint::default(),
            Some(Zone::Fixed(hint)) => *hint,
            Some(Zone::Field(field)) => native
                .get(*field)
                .and_then(scalar_text)
                .map_or_else(ZoneHint::default, |zone| ZoneHint::from_zone(&zone)),
        };
        hint.near = near;
        match &self.parse {
            None => parse_time_with(&text, hint),
            Some(form) => form.read(&text, hint),
        }
    }
}

impl Form {
    fn read(&self, text: &str, hint: ZoneHint) -> Option<(i64, bool)> {
        let text = text.trim();
        if let Some(found) = self.fixed.as_ref().and_then(|fixed| fixed.read(text, hint)) {
            return Some(found);
        }
        let broken = BrokenDownTime::parse(&self.text, text).ok()?;
        if broken.offset().is_some() {
            let time = broken.to_timestamp().ok()?;
            return Some((i64::try_from(time.as_nanosecond()).ok()?, false));
        }
        let civil = broken.to_datetime().ok()?;
        parse_time_with(&civil.to_string(), hint)
    }
}
