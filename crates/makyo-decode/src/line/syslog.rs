//! The header of RFC 3164 and RFC 5424, and of the many lines that are nearly one of them.

use makyo_base::{Object, Value};

/// Takes the header off, puts its parts into `record` and returns the body.
pub(super) fn header<'a>(text: &'a str, record: &mut Object<'a>) -> &'a str {
    let (rest, has_priority) = priority(text, record);
    if let Some(body) = rfc5424(rest, record) {
        return body;
    }
    if let Some(body) = rfc3164(rest, record) {
        return body;
    }
    if has_priority { rest.trim_start() } else { text }
}

fn priority<'a>(text: &'a str, record: &mut Object<'a>) -> (&'a str, bool) {
    let found = text.strip_prefix('<').and_then(|rest| rest.split_once('>'));
    let Some((digits, rest)) = found else { return (text, false) };
    let Ok(number) = digits.parse::<u16>() else { return (text, false) };
    if number > 191 || digits.len() > 3 {
        return (text, false);
    }
    record.push("syslog.pri", Value::Int(number.into()));
    record.push("syslog.facility", Value::Int((number / 8).into()));
    record.push("syslog.severity", Value::Int((number % 8).into()));
    (rest, true)
}

/// `1 2021-10-19T09:10:35+02:00 host app pid msgid [sd] message`
fn rfc5424<'a>(text: &'a str, record: &mut Object<'a>) -> Option<&'a str> {
    let rest = text.strip_prefix("1 ")?;
    let mut words = rest.splitn(6, ' ');
    let time = words.next()?;
    if time != "-" && !(time.len() >= 19 && time.contains('T')) {
        return None;
    }
    let names = ["syslog.time", "syslog.host", "syslog.app", "syslog.pid", "syslog.msgid"];
    let mut values = vec![time];
    for _ in 1..names.len() {
        values.push(words.next()?);
    }
    let rest = words.next().unwrap_or_default();
    for (name, value) in names.into_iter().zip(values) {
        if value != "-" {
            record.push(name, Value::text(value));
        }
    }
    let body = structured_data(rest, record);
    Some(body.trim_start().trim_start_matches('\u{feff}'))
}

fn structured_data<'a>(text: &'a str, record: &mut Object<'a>) -> &'a str {
    let mut rest = text;
    if let Some(body) = rest.strip_prefix("- ").or_else(|| (rest == "-").then_some("")) {
        return body;
    }
    while let Some(element) = rest.strip_prefix('[') {
        let Some(end) = element_end(element) else { return rest };
        let inside = element.get(..end).unwrap_or_default();
        let (id, parameters) = inside.split_once(' ').unwrap_or((inside, ""));
        // `[203.0.113.9] user ...` is a body that starts with a bracket, not structured data.
        if !parameters.is_empty() && !parameters.contains("=\"")
            || parameters.is_empty() && !id.contains('@')
        {
            return rest;
        }
        let mut fields = Object::default();
        super::pairs::pairs(parameters, &mut fields);
        // The number of a Junos element names the model and says nothing of the fields.
        let is_junos = id.starts_with("junos@");
        for (name, value) in fields.0 {
            if is_junos {
                record.push_new(name, value);
            } else {
                record.push(format!("syslog.sd.{id}.{name}"), value);
            }
        }
        rest = element.get(end + 1..).unwrap_or_default();
    }
    rest
}

fn element_end(text: &str) -> Option<usize> {
    let mut in_quotes = false;
    let mut escaped = false;
    for (at, letter) in text.char_indices() {
        match letter {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => in_quotes = !in_quotes,
            ']' if !in_quotes => return Some(at),
            _ => {}
        }
    }
    None
}

/// `Oct 19 09:10:35 host app[pid]: message`, also with a year or an ISO time in front.
fn rfc3164<'a>(text: &'a str, record: &mut Object<'a>) -> Option<&'a str> {
    let (time, rest) = bsd_time(text).or_else(|| iso_time(text))?;
    let rest = rest.trim_start();
    let (host, after) = rest.split_once(' ').unwrap_or((rest, ""));
    // A body that starts right after the time: no host name looks like these.
    if host.contains(['=', '[', '%', '"', '{', ',']) || host.ends_with(':') || host.is_empty() {
        record.push("syslog.time", Value::text(time));
        return Some(tag(rest, record));
    }
    record.push("syslog.time", Value::text(time));
    record.push("syslog.host", Value::text(host));
    Some(tag(after, record))
}

fn bsd_time(text: &str) -> Option<(&str, &str)> {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    if !MONTHS.contains(&text.get(..3)?) || text.as_bytes().get(3) != Some(&b' ') {
        return None;
    }
    let clock = text.find(':')?;
    let start = clock.checked_sub(2)?;
    let mut end = start + 8;
    let bytes = text.as_bytes();
    if clock > 18 || bytes.get(start + 5) != Some(&b':') {
        return None;
    }
    if bytes.get(end) == Some(&b'.') {
        end += 1 + bytes.get(end + 1..)?.iter().take_while(|byte| byte.is_ascii_digit()).count();
    }
    Some((text.get(..end)?, text.get(end..)?.trim_start_matches(':')))
}

fn iso_time(text: &str) -> Option<(&str, &str)> {
    let (word, rest) = text.split_once(' ')?;
    let bytes = word.as_bytes();
    let fits = bytes.len() >= 19 && bytes.get(4) == Some(&b'-') && bytes.get(10) == Some(&b'T');
    fits.then_some((word, rest))
}

/// `app[pid]: ` in front of the message.
fn tag<'a>(text: &'a str, record: &mut Object<'a>) -> &'a str {
    let Some((head, rest)) = text.split_once(": ") else { return text };
    let (app, pid) = match head.split_once('[') {
        Some((app, pid)) => (app, pid.strip_suffix(']')),
        None => (head, None),
    };
    let is_name = |name: &str| {
        !name.is_empty()
            && name.len() <= 48
            && name.chars().all(|letter| letter.is_alphanumeric() || "-_./".contains(letter))
    };
    if !is_name(app) {
        return text;
    }
    record.push("syslog.app", Value::text(app));
    if let Some(pid) = pid {
        record.push("syslog.pid", Value::text(pid));
    }
    rest
}
