//! What a sentence of an unknown appliance tells, by its verbs.

/// What happened.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Kind {
    LogClear,
    LogConfig,
    AdminLogin { ok: bool },
    AccountChange { created: bool },
    ConfigChange,
    Crash,
    Logout,
    Login { ok: bool },
    TunnelClose,
    TunnelOpen,
}

/// Words in a sentence; an entry that ends in `*` is the start of a word.
struct Words<'w>(&'w [String]);

impl Words<'_> {
    fn has(&self, list: &[&str]) -> bool {
        self.0.iter().any(|word| {
            list.iter().any(|entry| match entry.strip_suffix('*') {
                Some(start) => word.starts_with(start),
                None => word == entry,
            })
        })
    }

    /// Languages that put no blank between words.
    fn contains(&self, list: &[&str]) -> bool {
        self.0.iter().any(|word| list.iter().any(|part| word.contains(part)))
    }

    fn pair(&self, first: &[&str], second: &[&str]) -> bool {
        self.0.windows(2).any(|pair| {
            let [one, other] = pair else { return false };
            first.contains(&one.as_str()) && second.contains(&other.as_str())
        })
    }
}

const FAIL: &[&str] = &[
    "fail*",
    "den*",
    "reject*",
    "refus*",
    "invalid*",
    "incorrect*",
    "wrong",
    "bad",
    "unsuccess*",
    "error",
    "lock*",
    "unauthor*",
    "unauthen*",
    "block*",
    "disallow*",
    "mismatch*",
];
const DONE: &[&str] = &[
    "success*",
    "succe*",
    "accept*",
    "grant*",
    "permit*",
    "allow*",
    "ok",
    "pass",
    "passed",
    "valid",
    "approv*",
    "authenticated",
];
const AUTHENTICATION: &[&str] = &[
    "auth*",
    "login",
    "logins",
    "logon",
    "logged",
    "signin",
    "signed",
    "credential*",
    "identity",
    "sso",
    "mfa",
];
const SESSION: &[&str] = &[
    "session*",
    "tunnel*",
    "connection*",
    "vpn",
    "sslvpn",
    "link",
    "lease*",
    "channel",
    "ip",
    "address",
    "network",
];
const OPEN: &[&str] = &[
    "open*",
    "start*",
    "establish*",
    "up",
    "creat*",
    "assign*",
    "connected",
    "connect",
    "begin*",
    "began",
    "initiat*",
    "allocat*",
    "activ*",
    "leased",
];
const CLOSE: &[&str] = &[
    "clos*",
    "end",
    "ended",
    "ends",
    "terminat*",
    "down",
    "disconnect*",
    "delet*",
    "expir*",
    "timeout",
    "timed",
    "releas*",
    "left",
    "drop*",
    "teardown",
    "torn",
    "stop*",
    "finish*",
];
const ADMIN: &[&str] =
    &["admin*", "management", "mgmt", "console", "operator", "webui", "gui", "cli", "superuser"];
const CHANGED: &[&str] = &[
    "chang*", "modif*", "updat*", "add*", "set", "edit*", "remov*", "delet*", "sav*", "commit*",
    "creat*", "import*", "disabl*", "enabl*",
];
const OUT: &[&str] = &["logout", "logoff", "signout", "logouts"];

/// What a sentence tells, from its words in lower case.
pub(super) fn kind(words: &[String]) -> Option<Kind> {
    let words = Words(words);
    let is_log = words.has(&["log", "logs", "logging", "syslog", "audit"]);
    let is_failed = words.has(FAIL) || words.contains(&["失敗", "拒否", "失败"]);
    let is_done = words.has(DONE)
        || words.contains(&["成功", "許可"])
        || words.pair(&["logged", "signed", "log"], &["in", "on"]);
    let is_login = words.has(AUTHENTICATION) || words.contains(&["認証", "ログイン", "登录"]);
    let is_changed = words.has(CHANGED) || words.contains(&["変更", "追加", "削除"]);
    if is_log && words.has(&["clear*", "purg*", "eras*", "wip*", "truncat*"]) {
        return Some(Kind::LogClear);
    }
    let is_log_target = words.has(&["syslog", "logging", "audit"]);
    if is_log_target && words.has(&["disabl*", "stop*", "remov*", "delet*", "chang*", "off"]) {
        return Some(Kind::LogConfig);
    }
    let is_out = words.has(OUT)
        || words.contains(&["ログアウト"])
        || words.pair(&["logged", "signed", "log", "sign"], &["out", "off"]);
    if words.has(ADMIN) && is_login && !is_out && !words.has(SESSION) {
        return Some(Kind::AdminLogin { ok: !is_failed });
    }
    let is_person = words.has(&["account*", "user", "admin", "administrator", "operator"]);
    if is_person && !is_login && !words.has(SESSION) {
        let is_created = words.has(&["creat*", "add", "added", "adds", "new"]);
        if is_created || words.has(&["delet*", "remov*"]) {
            return Some(Kind::AccountChange { created: is_created });
        }
    }
    if is_changed
        && (words.has(&["config*", "setting*", "policy", "policies"]) || words.contains(&["設定"]))
    {
        return Some(Kind::ConfigChange);
    }
    let is_program =
        words.has(&["process", "worker", "daemon", "service", "module", "program", "task"]);
    if words.has(&["crash*", "segfault", "signal", "panic", "watchdog", "abort*", "core"])
        && is_program
    {
        return Some(Kind::Crash);
    }
    if is_out {
        return Some(Kind::Logout);
    }
    if is_login && (is_failed || is_done) {
        return Some(Kind::Login { ok: !is_failed });
    }
    let is_session = words.has(SESSION) || words.contains(&["セッション", "トンネル", "接続"]);
    if is_session && (words.has(CLOSE) || words.contains(&["終了", "切断", "解放"])) {
        return Some(Kind::TunnelClose);
    }
    let is_open = words.has(OPEN) || words.contains(&["開始", "確立", "割り当て"]);
    (is_session && is_open && !is_failed).then_some(Kind::TunnelOpen)
}

/// Whether a word is one of those that say what happened: it is no name.
pub(super) fn is_known(word: &str) -> bool {
    let lists = [FAIL, DONE, AUTHENTICATION, SESSION, OPEN, CLOSE, ADMIN, CHANGED, OUT];
    let words = [word.to_owned()];
    lists.iter().any(|list| Words(&words).has(list))
}

/// Whether a word says how something ended.
pub(super) fn is_outcome(word: &str) -> bool {
    let words = [word.to_owned()];
    [FAIL, DONE, OUT].iter().any(|list| Words(&words).has(list))
}
