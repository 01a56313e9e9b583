//! What a slot holds, by the words that introduce it and by what its values look like.

use makyo_base::{AddressScope, address_scope};

use super::token::{Shape, Slot, address};

/// What a slot holds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Role {
    /// The address outside from which somebody comes.
    Client,
    /// The inside address that somebody was given.
    Assigned,
    /// The address that somebody goes to.
    Server,
    User,
    Session,
    /// Seconds, unless the value says otherwise.
    Duration,
    /// Bytes that the appliance sent to the client.
    Sent,
    /// Bytes that the appliance received from the client.
    Received,
    Reason,
}

/// Words and the roles that they speak for, with how strongly.
type Cues = &'static [(Role, f64, &'static [&'static str])];

const CUES: Cues = &[
    (
        Role::Client,
        1.0,
        &[
            "client",
            "peer",
            "remote",
            "public",
            "caller",
            "calling",
            "接続元",
            "送信元",
            "クライアント",
            "来源",
        ],
    ),
    (
        Role::Client,
        0.9,
        &[
            "src", "source", "from", "external", "outside", "origin", "von", "desde", "remip",
            "srcip", "clientip", "cip",
        ],
    ),
    (Role::Client, 0.3, &["ip", "addr", "address", "host", "ipaddr", "アドレス"]),
    (
        Role::Assigned,
        1.0,
        &[
            "assigned",
            "assign",
            "lease",
            "leased",
            "framed",
            "virtual",
            "vip",
            "inner",
            "allocated",
            "tunnelip",
            "割り当て",
            "割当",
            "分配",
        ],
    ),
    (
        Role::Assigned,
        0.8,
        &["private", "internal", "inside", "pool", "given", "tunnel", "inet", "vpnip"],
    ),
    (
        Role::Server,
        1.0,
        &[
            "dst",
            "dest",
            "destination",
            "server",
            "nas",
            "target",
            "gateway",
            "listener",
            "dstip",
            "宛先",
            "接続先",
        ],
    ),
    (Role::Server, 0.6, &["to", "local", "portal", "proxy", "device", "via", "own"]),
    (
        Role::User,
        1.0,
        &[
            "user",
            "username",
            "usr",
            "uname",
            "identity",
            "account",
            "acct",
            "principal",
            "operator",
            "administrator",
            "subscriber",
            "login",
            "xauthuser",
            "loginname",
            "ユーザー",
            "ユーザ",
            "ユーザー名",
            "ユーザ名",
            "利用者",
            "アカウント",
            "benutzer",
            "usuario",
            "utilisateur",
            "用户",
            "사용자",
        ],
    ),
    (Role::User, 0.7, &["admin", "member", "owner", "subject", "name", "cn", "person"]),
    (Role::User, 0.5, &["for", "as", "by", "of"]),
    (Role::Session, 1.0, &["session", "sid", "sess", "sessionid", "セッション", "会话"]),
    (Role::Session, 0.7, &["link", "conn", "connection", "tunnel", "channel", "circuit", "id"]),
    (Role::Duration, 1.0, &["duration", "lasted", "elapsed", "uptime", "seconds", "secs"]),
    (Role::Sent, 1.0, &["tx", "sent", "sentbyte", "xmt", "transmitted", "txbytes", "send"]),
    (Role::Received, 1.0, &["rx", "received", "rcvd", "rcv", "recv", "rcvdbyte", "rxbytes"]),
    (Role::Reason, 1.0, &["reason", "cause", "理由", "why"]),
];

/// Keys that end so name something else than a person, a place or a session.
const NOT: &[&str] = &[
    "port",
    "country",
    "interface",
    "intf",
    "zone",
    "mac",
    "group",
    "realm",
    "role",
    "roles",
    "policy",
    "profile",
    "type",
    "method",
    "agent",
    "version",
    "os",
    "vendor",
    "product",
    "count",
    "level",
    "priority",
    "country",
    "city",
    "domain",
    "rule",
    "time",
    "date",
    "mask",
    "proto",
    "protocol",
    "category",
    "reference",
    "status",
    "result",
    "action",
    "mode",
    "state",
];

/// How well a slot's cues and shape fit a role: 0 not at all, above 1 well.
pub(super) fn fit(slot: &Slot<'_>, role: Role) -> f64 {
    if !has_shape(slot, role) {
        return 0.0;
    }
    if slot.is_keyed && slot.cues.first().is_some_and(|last| NOT.contains(&last.as_str())) {
        return 0.0;
    }
    // A key is read as a whole; of the words before a value the nearest counts most.
    let reach = if slot.is_keyed { [1.0, 0.9, 0.8] } else { [1.0, 0.6, 0.3] };
    let cue = slot
        .cues
        .iter()
        .zip(reach)
        .map(|(word, reach)| reach * strength(word, role))
        .fold(0.0, f64::max);
    let cue = if role == Role::User && follows_outcome(slot) { cue.max(0.9) } else { cue };
    let is_rival = slot.cues.iter().zip(reach).any(|(word, reach)| {
        RIVALS.iter().any(|(one, other)| *one == role && reach * strength(word, *other) > cue)
    });
    if is_rival { 0.0 } else { cue + lean(slot, role) }
}

/// `authentication successful for NAME`.
fn follows_outcome(slot: &Slot<'_>) -> bool {
    let [first, second, ..] = slot.cues.as_slice() else { return false };
    !slot.is_keyed
        && ["for", "by", "of"].contains(&first.as_str())
        && super::kind::is_outcome(second)
}

/// Roles that take a value from each other: who is better introduced has it.
const RIVALS: &[(Role, Role)] = &[
    (Role::Client, Role::Assigned),
    (Role::Client, Role::Server),
    (Role::Assigned, Role::Client),
    (Role::Assigned, Role::Server),
    (Role::Server, Role::Client),
    (Role::Server, Role::Assigned),
    (Role::User, Role::Session),
    (Role::User, Role::Client),
    (Role::User, Role::Reason),
    (Role::Session, Role::User),
    (Role::Sent, Role::Received),
    (Role::Received, Role::Sent),
];

fn strength(word: &str, role: Role) -> f64 {
    CUES.iter()
        .filter(|cue| cue.0 == role && cue.2.contains(&word))
        .map(|cue| cue.1)
        .fold(0.0, f64::max)
}

/// Whether a value can be of this role at all.
fn has_shape(slot: &Slot<'_>, role: Role) -> bool {
    match role {
        Role::Client | Role::Server => slot.shape == Shape::Address,
        Role::Assigned => slot.shape == Shape::Address && is_inside(slot.value),
        Role::User => is_user(slot),
        Role::Session => {
            matches!(slot.shape, Shape::Number | Shape::Hex)
                || slot.shape == Shape::Word && slot.value.bytes().any(|byte| byte.is_ascii_digit())
        }
        Role::Duration | Role::Sent | Role::Received => {
            slot.value.bytes().next().is_some_and(|byte| byte.is_ascii_digit())
        }
        Role::Reason => slot.shape != Shape::Address,
    }
}

/// What the value itself says for a role.
fn lean(slot: &Slot<'_>, role: Role) -> f64 {
    match role {
        Role::Client if !is_inside(slot.value) => 0.3,
        Role::User if slot.value.contains(['@', '\\']) => 0.6,
        _ => 0.0,
    }
}

fn is_inside(value: &str) -> bool {
    let parsed = address(value).and_then(|text| text.parse().ok());
    parsed.is_some_and(|address| address_scope(address) == AddressScope::Internal)
}

/// Words that stand where a user may stand and are none.
pub(super) const NOT_A_USER: &[&str] = &[
    "requested",
    "unknown",
    "name",
    "id",
    "record",
    "agent",
    "group",
    "is",
    "was",
    "from",
    "to",
    "has",
    "logged",
    "login",
    "fail",
    "failed",
    "success",
    "successful",
    "succeeded",
    "in",
    "on",
    "for",
    "with",
];

/// More of them, where only the words around a value speak for it.
const NOR_A_USER: &[&str] = &[
    "logon",
    "the",
    "a",
    "an",
    "not",
    "null",
    "none",
    "n/a",
    "-",
    "authentication",
    "session",
    "request",
    "timeout",
    "connection",
    "access",
    "and",
    "of",
    "by",
    "at",
    "as",
    "this",
    "accepted",
    "denied",
    "rejected",
    "client",
    "server",
    "true",
    "false",
    "yes",
    "no",
    "system",
];

pub(super) fn is_user(slot: &Slot<'_>) -> bool {
    let value = slot.value;
    slot.shape != Shape::Address
        && (slot.shape != Shape::Number || value.len() >= 4)
        && !value.is_empty()
        && value.chars().count() <= 96
        && !value.contains(['%', '='])
        && !value.starts_with('/')
        && value.matches('/').count() <= 1
        && ![NOT_A_USER, NOR_A_USER]
            .iter()
            .any(|words| words.contains(&user_of(value).to_lowercase().as_str()))
}

/// `user7/Realm` names the user and where they signed in.
pub(super) fn user_of(value: &str) -> &str {
    value.split('/').next().unwrap_or(value)
}
