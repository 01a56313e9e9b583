//! Remote-access sessions: the lines that edge devices write of one stay inside, put together.
//!
//! A line belongs to a session by the session's number, else by the leased address, else by the
//! client's address, else, for an end that names none of them, to the newest open session of its
//! account on the device. Products name an account with and without its domain; a session is the
//! person's. What was open when the log began has no first line and says so.

use std::collections::BTreeSet;

use makyo_base::{
    DAY_NS, MINUTE_NS, Object, Query, QueryError, RecordRef, Row, Value, format_time,
};

use crate::analytic::edge::sql_list;
use crate::analytic::posing::vpn::local;

/// Lines about accounts of sources that speak of tunnels. Logins, tunnels and their ends one by
/// one; what else was done, by the hour.
fn sql(sources: &str) -> String {
    format!(
        "SELECT source, coalesce(host, '') AS host, account,
                coalesce(actor_session_uid, '') AS session,
                coalesce(src_endpoint_ip, '') AS outside,
                coalesce(tunnel_interface_ip, '') AS inside, class_uid, activity_id,
                coalesce(status, '') AS status, coalesce(duration, 0) AS duration,
                coalesce(traffic_bytes_in, 0) AS bytes_in,
                coalesce(traffic_bytes_out, 0) AS bytes_out,
                CAST(time AS BIGINT) AS at, 1 AS records, file, record
         FROM events
         WHERE account IS NOT NULL AND time IS NOT NULL AND source IN ({sources})
           AND (class_uid = 4014 OR class_uid = 3002 AND coalesce(logon_type, '') = 'vpn')
         ORDER BY source, host, at, file, record"
    )
}

/// The least record's place stands for the hour.
fn others_sql(sources: &str) -> String {
    format!(
        "SELECT source, coalesce(host, '') AS host, account, '' AS session,
                coalesce(src_endpoint_ip, '') AS outside, '' AS inside, 0 AS class_uid,
                0 AS activity_id, '' AS status, 0 AS duration, 0 AS bytes_in, 0 AS bytes_out,
                CAST(min(time) AS BIGINT) AS at, count(*) AS records,
                min(concat(file, '#', lpad(CAST(record AS VARCHAR), 20, '0'))) AS least_record
         FROM events
         WHERE account IS NOT NULL AND time IS NOT NULL AND source IN ({sources})
           AND class_uid NOT IN (3002, 4014)
         GROUP BY source, host, account, src_endpoint_ip, date_trunc('hour', time)
         ORDER BY 1, 2, at, 3, 5"
    )
}

const SPEAKERS: &str =
    "SELECT DISTINCT source FROM events WHERE class_uid = 4014 AND source IS NOT NULL ORDER BY 1";

/// How a session came into the log.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Began {
    /// With a successful login.
    Login,
    /// With a tunnel that no login stands before.
    Tunnel,
    /// Its first line is neither: it was open before the log began, or its start is missing.
    Unseen,
}

impl Began {
    /// The word in tables.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Began::Login => "login",
            Began::Tunnel => "tunnel",
            Began::Unseen => "unseen",
        }
    }
}

/// One person's stay.
#[derive(Clone, PartialEq, Debug)]
pub struct RemoteSession {
    /// Source description that read its lines.
    pub source: String,
    /// The device, by its short name.
    pub device: String,
    /// The account as its first line names it.
    pub account: String,
    /// Native session numbers.
    pub ids: BTreeSet<String>,
    /// Client addresses.
    pub outside: BTreeSet<String>,
    /// Leased addresses.
    pub inside: BTreeSet<String>,
    /// How it began.
    pub began: Began,
    /// Nanoseconds since the Unix epoch: the first line, or earlier by the length that its end
    /// names.
    pub start: i64,
    /// The last line.
    pub end: i64,
    /// Whether an end is logged.
    pub is_closed: bool,
    /// Bytes to the client, as the device says.
    pub bytes_in: i64,
    /// Bytes from the client.
    pub bytes_out: i64,
    /// Lines in it.
    pub records: i64,
    /// Its first line.
    pub first: RecordRef,
}

/// All sessions, and how many ends found theirs.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct RemoteSessions {
    /// By source, device, start.
    pub sessions: Vec<RemoteSession>,
    /// Lines that end a session.
    pub ends: usize,
    /// Those that belong to a session with earlier lines.
    pub ends_linked: usize,
}

/// Reads all remote-access sessions of a case.
///
/// # Errors
/// If a query fails.
pub fn remote_sessions(query: &dyn Query) -> Result<RemoteSessions, QueryError> {
    let sources: BTreeSet<String> =
        query.query(SPEAKERS)?.iter().map(|row| row.string("source")).collect();
    if sources.is_empty() {
        return Ok(RemoteSessions::default());
    }
    let list = sql_list(&sources);
    let mut lines: Vec<Line> = query.query(&sql(&list))?.iter().map(Line::read).collect();
    lines.extend(query.query(&others_sql(&list))?.iter().map(Line::read));
    Ok(link(lines))
}

/// What a line says of a session.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Step {
    Login,
    Open,
    Close,
    Logoff,
    /// Anything else that shows it alive.
    Alive,
    /// A failed login: nobody is inside by it.
    Refused,
}

#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) source: String,
    pub(crate) device: String,
    pub(crate) account: String,
    pub(crate) session: String,
    pub(crate) outside: String,
    pub(crate) inside: String,
    pub(crate) step: Step,
    pub(crate) at: i64,
    pub(crate) duration: i64,
    pub(crate) bytes: (i64, i64),
    pub(crate) records: i64,
    pub(crate) record: RecordRef,
}

impl Line {
    fn read(row: Row<'_>) -> Self {
        let number = |name| row.integer(name).unwrap_or_default();
        let is_success = row.text("status") == Some("Success");
        Line {
            source: row.string("source"),
            device: row.string("host"),
            account: row.string("account"),
            session: row.string("session"),
            outside: row.string("outside"),
            inside: row.string("inside"),
            step: match (number("class_uid"), number("activity_id")) {
                (3002, 1) if is_success => Step::Login,
                (3002, 2) => Step::Logoff,
                // The first of several steps of a login.
                (3002, 6) if is_success => Step::Alive,
                (3002, _) => Step::Refused,
                (4014, 1) => Step::Open,
                (4014, 2) => Step::Close,
                _ => Step::Alive,
            },
            at: number("at"),
            duration: number("duration").saturating_mul(1_000_000),
            bytes: (number("bytes_in"), number("bytes_out")),
            records: number("records"),
            record: row.reference(),
        }
    }
}

/// A tunnel comes so soon after its login, and a logoff after its tunnel.
const NEAR_NS: i64 = 15 * MINUTE_NS;
/// A session without a line for so long has ended unseen.
const SILENT_NS: i64 = 2 * DAY_NS;

/// Puts lines together.
pub(crate) fn link(mut lines: Vec<Line>) -> RemoteSessions {
    lines.retain(|line| line.step != Step::Refused);
    lines.sort_by(|a, b| {
        let key = |line: &Line| (line.at, line.step == Step::Alive, line.record.clone());
        (&a.source, &a.device, local(&a.account), key(a)).cmp(&(
            &b.source,
            &b.device,
            local(&b.account),
            key(b),
        ))
    });
    let mut all = RemoteSessions::default();
    let same = |a: &Line, b: &Line| {
        a.source == b.source && a.device == b.device && local(&a.account) == local(&b.account)
    };
    for own in lines.chunk_by(same) {
        let mut sessions: Vec<RemoteSession> = Vec::new();
        for line in own {
            let is_end = matches!(line.step, Step::Close | Step::Logoff);
            let place = place_of(line, &sessions);
            all.ends += usize::from(is_end);
            all.ends_linked += usize::from(is_end && place.is_some());
            match place.and_then(|place| sessions.get_mut(place)) {
                Some(session) => session.add(line),
                None => sessions.push(RemoteSession::of(line)),
            }
        }
        all.sessions.append(&mut sessions);
    }
    all.sessions.sort_by(|a, b| {
        (&a.source, &a.device, a.start, &a.account, &a.first)
            .cmp(&(&b.source, &b.device, b.start, &b.account, &b.first))
    });
    all
}

/// The session of the account that a line belongs to.
fn place_of(line: &Line, sessions: &[RemoteSession]) -> Option<usize> {
    let has = |set: &BTreeSet<String>, value: &str| !value.is_empty() && set.contains(value);
    let is_near = |session: &RemoteSession| line.at - session.end <= NEAR_NS;
    let is_open = |session: &RemoteSession| {
        !session.is_closed && line.at - session.end <= SILENT_NS || is_near(session)
    };
    let find = |is_it: &dyn Fn(&RemoteSession) -> bool| sessions.iter().rposition(is_it);
    let by_id = find(&|session| has(&session.ids, &line.session));
    if by_id.is_some() {
        return by_id;
    }
    let is_other = |session: &RemoteSession| {
        !line.session.is_empty() && !session.ids.is_empty()
            || !line.inside.is_empty()
                && !session.inside.is_empty()
                && !session.inside.contains(&line.inside)
    };
    let by_lease = find(&|session| has(&session.inside, &line.inside) && is_open(session));
    match line.step {
        // A login is a new session; products write it in several lines.
        Step::Login => find(&|session| {
            session.began != Began::Tunnel
                && line.at - session.start <= 2 * MINUTE_NS
                && !is_other(session)
        }),
        // A tunnel follows its login, or takes an open session up again.
        Step::Open => by_lease.filter(|_| !line.inside.is_empty()).or_else(|| {
            find(&|session| {
                !session.is_closed
                    && line.at - session.end <= NEAR_NS
                    && !is_other(session)
                    && (line.outside.is_empty()
                        || session.outside.is_empty()
                        || session.outside.contains(&line.outside))
            })
        }),
        Step::Close | Step::Logoff | Step::Alive | Step::Refused => by_lease
            .or_else(|| {
                find(&|session| {
                    has(&session.outside, &line.outside) && is_open(session) && !is_other(session)
                })
            })
            .or_else(|| {
                find(&|session| !session.is_closed && is_open(session) && !is_other(session))
            })
            .or_else(|| find(&|session| is_near(session) && !is_other(session)))
            // An end without a number ends the newest session: a lease may have been renewed with
            // another address.
            .or_else(|| {
                let may = line.step == Step::Close && line.session.is_empty();
                find(&|session| may && is_open(session))
            }),
    }
}

impl RemoteSession {
    fn of(line: &Line) -> Self {
        let mut session = RemoteSession {
            source: line.source.clone(),
            device: line.device.clone(),
            account: line.account.clone(),
            ids: BTreeSet::new(),
            outside: BTreeSet::new(),
            inside: BTreeSet::new(),
            began: match line.step {
                Step::Login => Began::Login,
                Step::Open => Began::Tunnel,
                _ => Began::Unseen,
            },
            start: line.at,
            end: line.at,
            is_closed: false,
            bytes_in: 0,
            bytes_out: 0,
            records: 0,
            first: line.record.clone(),
        };
        session.add(line);
        session
    }

    fn add(&mut self, line: &Line) {
        let put = |set: &mut BTreeSet<String>, value: &str| {
            if !value.is_empty() {
                set.insert(value.to_owned());
            }
        };
        put(&mut self.ids, &line.session);
        put(&mut self.outside, &line.outside);
        put(&mut self.inside, &line.inside);
        if line.step == Step::Login && self.began == Began::Unseen {
            self.began = Began::Login;
        }
        self.end = self.end.max(line.at);
        self.records = self.records.saturating_add(line.records);
        self.bytes_in = self.bytes_in.max(line.bytes.0);
        self.bytes_out = self.bytes_out.max(line.bytes.1);
        if matches!(line.step, Step::Close | Step::Logoff) {
            self.is_closed = true;
            if self.began == Began::Unseen && line.duration > 0 {
                self.start = self.start.min(line.at.saturating_sub(line.duration));
            }
        }
    }
}

/// Columns of the table `sessions`.
pub const SESSION_COLUMNS: &[&str] = &[
    "source",
    "device",
    "account",
    "ids",
    "outside",
    "inside",
    "began",
    "start",
    "end",
    "closed",
    "bytes_in",
    "bytes_out",
    "records",
    "file",
    "record",
];

/// The rows of the table.
#[must_use]
pub fn session_rows(sessions: &RemoteSessions) -> Vec<Object<'static>> {
    let list = |set: &BTreeSet<String>| {
        Value::List(set.iter().map(|one| Value::text(one.clone())).collect())
    };
    let row = |one: &RemoteSession| {
        Object(
            [
                ("source", Value::text(one.source.clone())),
                ("device", Value::text(one.device.clone())),
                ("account", Value::text(one.account.clone())),
                ("ids", list(&one.ids)),
                ("outside", list(&one.outside)),
                ("inside", list(&one.inside)),
                ("began", Value::text(one.began.word())),
                ("start", Value::text(format_time(one.start))),
                ("end", Value::text(format_time(one.end))),
                ("closed", Value::Bool(one.is_closed)),
                ("bytes_in", Value::Int(one.bytes_in.into())),
                ("bytes_out", Value::Int(one.bytes_out.into())),
                ("records", Value::Int(one.records.into())),
                ("file", Value::text(one.first.file.clone())),
                ("record", Value::Int(one.first.record.into())),
            ]
            .into_iter()
            .map(|(name, value)| (name.into(), value))
            .collect(),
        )
    };
    sessions.sessions.iter().map(row).collect()
}
