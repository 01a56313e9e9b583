//! The generic path: a product that no source describes. Roles are inferred from field names, from
//! the text, and from how the whole log speaks; the event says that they were.

mod dialect;
mod kind;
mod role;
mod token;

use std::borrow::Cow;
use std::sync::LazyLock;

use makyo_base::{
    Cell, Column, Event, Object, Value, ZoneHint, parse_address, parse_port, parse_time_with,
};
use regex::Regex;

pub(crate) use self::dialect::Dialect;
use self::dialect::Said;
use self::kind::Kind;
use self::role::{NOT_A_USER, Role};

/// Field names, folded and without separators, in order of trust.
const TIME: &[&str] = &[
    "timestamp",
    "eventtime",
    "eventtimestamp",
    "createddatetime",
    "creationtime",
    "timegenerated",
    "timegeneratedutc",
    "timecreated",
    "datetime",
    "time",
    "ts",
    "date",
    "generatedtime",
    "receivetime",
    "receipttime",
    "rt",
    "starttime",
    "start",
    "syslogtime",
    "epoch",
    "idtime",
];
const USER: &[&str] = &[
    "user",
    "username",
    "usr",
    "suser",
    "srcuser",
    "sourceusername",
    "userprincipalname",
    "account",
    "accountname",
    "login",
    "loginname",
    "email",
    "useremail",
    "actoremail",
    "duser",
    "dstuser",
    "userid",
    "useremails",
    "subjectusername",
    "csusername",
];
const SOURCE: &[&str] = &[
    "src",
    "srcip",
    "sourceip",
    "sourceaddress",
    "srcaddr",
    "srcipaddr",
    "clientip",
    "client",
    "remip",
    "remoteip",
    "remoteaddr",
    "remoteaddress",
    "ipaddress",
    "ip",
    "publicip",
    "cip",
    "callingstationid",
    "idorigh",
    "peeraddress",
    "from",
];
const DESTINATION: &[&str] = &[
    "dst",
    "dstip",
    "destinationip",
    "destinationaddress",
    "dstaddr",
    "dstipaddr",
    "serverip",
    "sip",
    "idresph",
    "destip",
];
const SOURCE_PORT: &[&str] =
    &["spt", "srcport", "sport", "sourceport", "srcportnumber", "cport", "idorigp"];
const DESTINATION_PORT: &[&str] =
    &["dpt", "dstport", "dport", "destinationport", "dstportnumber", "idrespp"];
const ACTION: &[&str] =
    &["action", "act", "operation", "eventtype", "event", "eventname", "type", "activity", "msgid"];
const OUTCOME: &[&str] =
    &["outcome", "status", "result", "resultstatus", "eventresult", "disposition"];
const HOST: &[&str] = &[
    "hostname",
    "host",
    "computer",
    "devicename",
    "dvchostname",
    "devname",
    "dvc",
    "sysloghost",
    "machinename",
    "deviceaddress",
];
const MESSAGE: &[&str] = &["message", "msg", "syslogmessage", "description", "activitydescription"];
const AGENT: &[&str] = &["useragent", "httpuseragent", "csuseragent"];

static ADDRESS: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"\b\d{1,3}(?:\.\d{1,3}){3}\b").ok());
static USER_TEXT: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r#"(?i)\b(?:user(?:name)?|account|login)\b\s*[:=]?\s*['"<(\[]?([A-Za-z0-9._\\@-]{2,64})"#,
    )
    .ok()
});
static TIME_TEXT: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"\d{4}[-/]\d{1,2}[-/]\d{1,2}[T ]\d{1,2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}:?\d{2})?|[A-Z][a-z]{2} +\d{1,2} (?:\d{4} )?\d{2}:\d{2}:\d{2}",
    )
    .ok()
});

/// Infers an event; nothing if the record has neither a time nor fields that a log would have.
pub(crate) fn infer(
    native: &Object<'_>,
    format: &str,
    near: Option<i64>,
    dialect: &Dialect,
) -> Option<Event<'static>> {
    let mut event = Event { inferred: true, ..Event::default() };
    let message = pick(native, MESSAGE, &|text| Some(text.to_owned()));
    let hint = ZoneHint { offset_seconds: None, near };
    let time = date_and_time(native, hint)
        .or_else(|| pick(native, TIME, &|text| parse_time_with(text, hint)))
        .or_else(|| {
            let text = message.as_deref()?;
            parse_time_with(TIME_TEXT.as_ref()?.find(text)?.as_str(), hint)
        });
    let fields = native
        .0
        .iter()
        .filter(|field| !field.0.starts_with("syslog.") && field.0 != "message")
        .count();
    let pairs = native.0.iter().filter(|field| field.0.len() > 1).count();
    let has_header = native.contains("syslog.time") && native.contains("syslog.host");
    // Prose has an equals sign now and then, and a README is no log.
    if format == "lines" && time.is_none() && !has_header && (fields < 4 || pairs < 4) {
        return None;
    }
    if let Some((time, assumed)) = time {
        event.put(Column::Time, Cell::Time(time));
        event.time_zone_assumed = assumed;
    }
    let said = dialect.read(native);
    roles(&mut event, native, message, &said);
    if let Some(kind) = said.kind {
        happened(&mut event, kind);
    }
    event.unmapped = native
        .0
        .iter()
        .filter(|field| field.1 != Value::Null && field.0 != "message")
        .map(|(name, value)| (Cow::Owned(name.clone().into_owned()), value.clone().into_owned()))
        .collect();
    Some(event)
}

/// Puts what names and text say into the columns.
fn roles(event: &mut Event<'static>, native: &Object<'_>, message: Option<String>, said: &Said) {
    let address = |text: &str| parse_address(text).map(|address| address.to_string());
    let port = |text: &str| parse_port(text).or_else(|| text.parse().ok());
    let mut put = |column: Column, text: Option<String>| {
        if let Some(text) = text {
            event.put(column, Cell::Text(Cow::Owned(text)));
        }
    };
    put(Column::Source, Some("generic".to_owned()));
    put(
        Column::Product,
        pick(native, &["cefproduct", "leefproduct", "deviceproduct", "productname"], &|t| {
            Some(t.to_owned())
        }),
    );
    put(
        Column::Vendor,
        pick(native, &["cefvendor", "leefvendor", "devicevendor"], &|t| Some(t.to_owned())),
    );
    let in_text = |regex: &LazyLock<Option<Regex>>| {
        let captures = regex.as_ref()?.captures(message.as_deref()?)?;
        captures.get(1).or_else(|| captures.get(0)).map(|found| found.as_str().to_owned())
    };
    let has = |role: Role| said.values.get(&role).cloned();
    let source = pick(native, SOURCE, &address)
        .or_else(|| has(Role::Client))
        .or_else(|| in_text(&ADDRESS).and_then(|text| address(&text)))
        .filter(|source| Some(source) != said.values.get(&Role::Assigned));
    put(Column::SrcIp, source);
    put(Column::DstIp, pick(native, DESTINATION, &address).or_else(|| has(Role::Server)));
    put(
        Column::ActorUserName,
        pick(native, USER, &user)
            .or_else(|| has(Role::User))
            .or_else(|| in_text(&USER_TEXT).as_deref().and_then(user)),
    );
    put(Column::TunnelIp, has(Role::Assigned));
    put(Column::ActorSessionUid, has(Role::Session));
    put(Column::StatusDetail, has(Role::Reason));
    put(
        Column::EventCode,
        pick(native, ACTION, &|text| (text.len() < 80).then(|| text.to_owned())),
    );
    put(Column::Status, pick(native, OUTCOME, &outcome));
    put(
        Column::DeviceHostname,
        pick(native, HOST, &|text| (text.len() < 128).then(|| text.to_owned())),
    );
    put(Column::UserAgent, pick(native, AGENT, &|text| Some(text.to_owned())));
    put(Column::Message, message);
    for (column, names) in [(Column::SrcPort, SOURCE_PORT), (Column::DstPort, DESTINATION_PORT)] {
        if let Some(port) = pick(native, names, &port) {
            event.put(column, Cell::Integer(port.into()));
        }
    }
    // What the appliance sent went to the client; a duration without a unit is in seconds.
    for (column, role, unit) in [
        (Column::BytesIn, Role::Sent, 1),
        (Column::BytesOut, Role::Received, 1),
        (Column::Duration, Role::Duration, 1000),
    ] {
        let number = said.values.get(&role).and_then(|text| text.parse::<i64>().ok());
        if let Some(number) = number.and_then(|number| number.checked_mul(unit)) {
            event.put(column, Cell::Integer(number));
        }
    }
}

/// Puts what happened into the columns.
fn happened(event: &mut Event<'static>, kind: Kind) {
    let status = |ok: bool| Some(if ok { "Success" } else { "Failure" });
    let (class, activity, status, logon) = match kind {
        Kind::LogClear => ("event_log_activity", "clear", None, None),
        Kind::LogConfig => ("event_log_activity", "disable", None, None),
        Kind::AdminLogin { ok } => ("authentication", "logon", status(ok), Some("admin")),
        Kind::AccountChange { created: true } => ("account_change", "create", None, None),
        Kind::AccountChange { created: false } => ("account_change", "delete", None, None),
        Kind::ConfigChange => ("device_config_state_change", "log", None, None),
        Kind::Crash => ("application_lifecycle", "stop", None, None),
        Kind::Logout => ("authentication", "logoff", None, Some("vpn")),
        Kind::Login { ok } => ("authentication", "logon", status(ok), Some("vpn")),
        Kind::TunnelClose => ("tunnel_activity", "close", None, None),
        Kind::TunnelOpen => ("tunnel_activity", "open", status(true), None),
    };
    if let Some((uid, caption)) = makyo_base::class(class) {
        event.put(Column::ClassUid, Cell::Integer(uid));
        event.put(Column::ClassName, Cell::Text(Cow::Borrowed(caption)));
    }
    if let Some(id) = makyo_base::activity(class, activity) {
        event.put(Column::ActivityId, Cell::Integer(id));
        event.put(Column::ActivityName, Cell::Text(Cow::Borrowed(activity)));
    }
    for (column, text) in [(Column::Status, status), (Column::LogonType, logon)] {
        if let Some(text) = text {
            event.put(column, Cell::Text(Cow::Borrowed(text)));
        }
    }
}

/// The first field, in order of trust, whose value reads as what is wanted.
fn pick<T>(native: &Object<'_>, names: &[&str], read: &dyn Fn(&str) -> Option<T>) -> Option<T> {
    names.iter().find_map(|name| {
        let (_, value) =
            native.0.iter().find(|field| folded_is(&field.0, name) && !field.1.is_blank())?;
        read(&value.as_text()?)
    })
}

/// Compares without case and separators: `Src_IP` is `srcip`; the endings that log tables add to
/// their columns (`_s`, `_d`, `_string`) do not count.
fn folded_is(name: &str, folded: &str) -> bool {
    let is_same = |name: &str| {
        name.chars()
            .filter(|letter| letter.is_alphanumeric())
            .map(|letter| letter.to_ascii_lowercase())
            .eq(folded.chars())
    };
    is_same(name)
        || ["_s", "_d", "_string", "_s [UTC]"]
            .iter()
            .any(|end| name.strip_suffix(end).is_some_and(is_same))
}

fn date_and_time(native: &Object<'_>, hint: ZoneHint) -> Option<(i64, bool)> {
    let text = |name| pick(native, &[name], &|text| Some(text.to_owned()));
    parse_time_with(&format!("{} {}", text("date")?, text("time")?), hint)
}

fn user(text: &str) -> Option<String> {
    let fits = !text.is_empty()
        && text.len() <= 128
        && parse_address(text).is_none()
        && !NOT_A_USER.contains(&text.to_lowercase().as_str());
    fits.then(|| text.to_owned())
}

fn outcome(text: &str) -> Option<String> {
    let text = text.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
    if has(&["fail", "denied", "deny", "error", "reject", "blocked", "drop"]) {
        Some("Failure".to_owned())
    } else if has(&["success", "succeeded", "ok", "allow", "accept", "permit", "true"]) {
        Some("Success".to_owned())
    } else {
        None
    }
}
