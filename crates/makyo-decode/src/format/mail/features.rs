//! What a message shows of its writer, its relation and its content, small enough to be kept of
//! every message: the mail analytic reads nothing else.

use mail_parser::{Address, HeaderValue, Message};
use makyo_base::{Object, Value, hex, sha256, to_json};
use makyo_unpack::speaks_of_password;

use super::attached::Attached;
use super::links::{Links, host_of, org};
use super::words::{fold, words};
use super::{print, writing};

/// What was read of the body.
pub(crate) struct Body<'a> {
    pub(crate) text: &'a str,
    pub(crate) html: &'a str,
}

/// The features as JSON text.
pub(crate) fn features(
    message: &Message<'_>,
    body: &Body<'_>,
    links: &Links,
    attached: &Attached<'_>,
) -> String {
    let mut out = Object::default();
    let raw_date = message
        .headers_raw()
        .find(|header| header.0.eq_ignore_ascii_case("date"))
        .map_or("", |header| header.1);
    print::put(message, raw_date, &mut out);
    authentication(message, &mut out);
    relation(message, &mut out);
    let own = writing::own_text(body.text);
    let folded = fold(&format!("{}\n{own}", message.subject().unwrap_or_default()));
    text(message, &own, &folded, body, &mut out);
    delivery(message, links, attached, &mut out);
    mass(message, &folded, body, links, &mut out);
    to_json(&Value::Object(out))
}

fn put(out: &mut Object<'_>, name: &'static str, value: &str) {
    if !value.is_empty() {
        out.push(name, Value::text(value.to_owned()));
    }
}

fn put_list(out: &mut Object<'_>, name: &'static str, list: Vec<String>) {
    if !list.is_empty() {
        out.push(name, Value::List(list.into_iter().map(Value::text).collect()));
    }
}

fn put_flag(out: &mut Object<'_>, name: &'static str, is_so: bool) {
    if is_so {
        out.push(name, Value::Bool(true));
    }
}

/// The results that the receiver wrote: those of the name that stands topmost, and no lower ones,
/// which a sender can write too.
fn authentication(message: &Message<'_>, out: &mut Object<'_>) {
    let mut lines = message
        .headers_raw()
        .filter(|header| header.0.eq_ignore_ascii_case("authentication-results"))
        .map(|header| header.1.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase());
    let Some(first) = lines.next() else { return };
    let name = |line: &str| line.split(';').next().unwrap_or_default().trim().to_owned();
    let own = name(&first);
    let all: String = std::iter::once(first)
        .chain(lines.filter(|line| name(line) == own))
        .collect::<Vec<_>>()
        .join("; ");
    for method in ["spf", "dkim", "dmarc"] {
        let result = |part: &str| {
            let rest = part.trim().strip_prefix(method)?.trim_start().strip_prefix('=')?;
            rest.split(|letter: char| !letter.is_ascii_alphanumeric()).next().map(str::to_owned)
        };
        let results: Vec<String> = all.split(';').filter_map(result).collect();
        let best = results.iter().find(|one| *one == "pass").or_else(|| results.first());
        if let Some(best) = best {
            put(out, method, best);
        }
    }
}

fn list_of(value: &HeaderValue<'_>) -> Vec<String> {
    match value {
        HeaderValue::Text(text) => vec![text.to_string()],
        HeaderValue::TextList(list) => list.iter().map(ToString::to_string).collect(),
        _ => Vec::new(),
    }
}

fn relation(message: &Message<'_>, out: &mut Object<'_>) {
    let first = |address: Option<&Address<'_>>| {
        let one = address.and_then(Address::first);
        let text = |text: Option<&str>| text.unwrap_or_default().trim().to_owned();
        (
            text(one.and_then(|one| one.address())).to_lowercase(),
            text(one.and_then(|one| one.name())),
        )
    };
    let (_, name) = first(message.from());
    put(out, "name", &fold(&name));
    put(out, "reply_to", &first(message.reply_to()).0);
    let returned = message.return_address().unwrap_or_default();
    put(out, "returns_to", &org(returned.rsplit('@').next().unwrap_or_default()));
    let count = |address: Option<&Address<'_>>| {
        address.map_or(0, |address| address.iter().filter(|one| one.address().is_some()).count())
    };
    let recipients = count(message.to()) + count(message.cc());
    out.push("recipients", Value::Int(recipients as i128));
    let mut answered = list_of(message.in_reply_to());
    answered.extend(list_of(message.references()).into_iter().rev().take(4));
    answered.dedup();
    answered.truncate(5);
    put_list(out, "answers", answered);
    let header = |wanted: &str| message.headers_raw().any(|one| one.0.eq_ignore_ascii_case(wanted));
    let bulk = ["list-id", "list-unsubscribe", "list-post", "feedback-id", "x-mailing-list"];
    put_flag(out, "list", bulk.iter().any(|name| header(name)) || header("precedence"));
    let automatic = header("auto-submitted") || header("x-auto-response-suppress");
    put_flag(out, "automatic", automatic);
}

fn text(message: &Message<'_>, own: &str, folded: &str, body: &Body<'_>, out: &mut Object<'_>) {
    put(out, "language", writing::language(own));
    put(out, "greeting", &writing::greeting(own));
    let signature = writing::signature(own);
    if !signature.is_empty() {
        let mut digest = hex(&sha256(fold(&signature).as_bytes()));
        digest.truncate(8);
        put(out, "signature", &digest);
    }
    if writing::language(own) == "ja" {
        put_flag(out, "foreign_forms", writing::has_foreign_forms(own));
    }
    if let Some(hash) = writing::near_hash(folded) {
        put(out, "text", &format!("{hash:016x}"));
    }
    out.push("length", Value::Int(own.chars().count() as i128));
    let subject = fold(message.subject().unwrap_or_default());
    let answers = ["re:", "re ", "fw:", "fwd:", "aw:", "返信:", "転送:", "回复:", "转发:", "答复:"];
    put_flag(out, "subject_answers", answers.iter().any(|word| subject.starts_with(word)));
    put_flag(out, "quotes", body.text.lines().any(|line| line.trim_start().starts_with('>')));
    let names = |kind: &str| -> Vec<String> {
        words().groups(kind, folded).into_keys().map(str::to_owned).collect()
    };
    put_list(out, "topics", names("topics"));
    put_list(out, "calls", names("calls"));
    put_flag(out, "password", speaks_of_password(own));
}

fn delivery(message: &Message<'_>, links: &Links, attached: &Attached<'_>, out: &mut Object<'_>) {
    let from = message.from().and_then(Address::first).and_then(|one| one.address());
    let domain = from.and_then(|from| from.rsplit('@').next()).unwrap_or_default().to_lowercase();
    let hosts = links.hosts();
    let foreign: Vec<String> =
        hosts.iter().filter(|host| org(host) != org(&domain)).take(12).cloned().collect();
    put_list(out, "foreign_hosts", foreign);
    let shares: Vec<String> = links
        .all
        .iter()
        .filter(|link| words().is_share(&host_of(link)) || leads_to_file(link))
        .map(|link| host_of(link))
        .collect();
    put_list(out, "shares", unique(shares));
    let archives = links.all.iter().filter(|link| leads_to_file(link)).take(4).cloned().collect();
    put_list(out, "file_links", archives);
    let objects = &attached.tree.objects;
    let kinds: Vec<String> = objects
        .iter()
        .filter(|one| one.parent.is_none())
        .map(|one| one.kind.word().to_owned())
        .collect();
    put_list(out, "kinds", unique(kinds));
    put_list(out, "facts", attached.fact_ids().into_iter().map(str::to_owned).collect());
    let container = objects.iter().any(|one| one.parent.is_none() && one.kind.is_container());
    put_flag(out, "container", container);
    put_flag(out, "unread", objects.iter().any(|one| one.unread.is_some()));
    let opened = objects.iter().find_map(|one| one.opened_with.clone());
    put(out, "opened_with", &opened.unwrap_or_default());
    let hashes: Vec<String> = objects
        .iter()
        .filter(|one| !one.sha256.is_empty() && one.size_bytes >= 64)
        .filter(|one| !matches!(one.kind.word(), "image" | "calendar" | "text"))
        .take(16)
        .map(|one| one.sha256.clone())
        .collect();
    put_list(out, "hashes", hashes);
    let maker = objects.iter().flat_map(|one| &one.facts).find(|fact| fact.id == "shortcut_maker");
    put(out, "maker", maker.map_or("", |fact| fact.detail.as_str()));
    let members: Vec<String> = objects
        .iter()
        .filter(|one| makes_traces(one))
        .take(16)
        .map(|one| one.name.rsplit(['/', '\\']).next().unwrap_or_default().to_lowercase())
        .collect();
    put_list(out, "names", unique(members));
}

/// Whether a host would show the object's name when it is opened.
fn makes_traces(object: &makyo_unpack::Object) -> bool {
    object.name.chars().count() >= 6 && object.name.contains('.') && object.kind.word() != "image"
}

fn unique(mut list: Vec<String>) -> Vec<String> {
    list.sort();
    list.dedup();
    list
}

/// Whether a link leads to an archive, a disk image or a program.
fn leads_to_file(link: &str) -> bool {
    const ENDS: &[&str] = &[
        "zip", "rar", "7z", "iso", "img", "vhd", "vhdx", "lzh", "cab", "exe", "msi", "lnk", "js",
        "hta", "docm", "xlsm",
    ];
    let path = link.split(['?', '#']).next().unwrap_or_default();
    let path =
        path.split_once("//").and_then(|rest| rest.1.split_once('/')).map_or("", |rest| rest.1);
    let lower = path.to_lowercase();
    ENDS.iter().any(|end| lower.strip_suffix(end).is_some_and(|rest| rest.ends_with('.')))
        || ["download=1", "e=download", "export=download", "dl=1"]
            .iter()
            .any(|word| link.contains(word))
}

/// Signs of mass mail, by names that `knowledge/weights.yml` weighs.
fn mass(message: &Message<'_>, folded: &str, body: &Body<'_>, links: &Links, out: &mut Object<'_>) {
    let from = message.from().and_then(Address::first);
    let address = from.and_then(|one| one.address()).unwrap_or_default().to_lowercase();
    let (local, domain) = address.split_once('@').unwrap_or((&address, ""));
    let name = fold(from.and_then(|one| one.name()).unwrap_or_default());
    let page = fold(&writing::page_text(body.html, 30_000));
    let all = format!("{folded} {page}");
    let all = all.get(..all.floor_char_boundary(80_000)).unwrap_or_default();
    let subject = fold(message.subject().unwrap_or_default());
    let mut signs: Vec<&'static str> = Vec::new();
    let mut sign = |id: &'static str, is_so: bool| {
        if is_so {
            signs.push(id);
        }
    };
    let words = words();
    sign("brand_in_name", words.borrowed_brand(&name, domain).is_some());
    sign("brand_in_subject", words.borrowed_brand(&subject, domain).is_some());
    sign("brand_in_local", words.borrowed_brand(&fold(local), domain).is_some());
    let press = words.groups("press", all);
    for (group, count) in &press {
        for (id, wanted, least) in PRESS {
            sign(id, group == wanted && count >= least);
        }
    }
    let in_subject = words.groups("press", &subject);
    sign("press_in_subject", !in_subject.is_empty());
    sign("press_of_many_kinds", press.len() >= 3);
    let hosts = links.hosts();
    sign("shortener", hosts.iter().any(|host| words.is_shortener(host)));
    sign("share_link", hosts.iter().any(|host| words.is_share(host)));
    sign("link_text_elsewhere", links.text_elsewhere);
    let elsewhere = !hosts.is_empty() && hosts.iter().all(|host| org(host) != org(domain));
    sign("all_links_elsewhere", elsewhere);
    sign("few_links_elsewhere", elsewhere && links.all.len() <= 4);
    sign("address_in_link", has_address(links, message));
    sign("numbers_for_host", hosts.iter().any(|host| host.parse::<std::net::IpAddr>().is_ok()));
    let lower = body.html.to_ascii_lowercase();
    let shown = page.split_whitespace().count();
    let seen = Seen { local, domain, name: &name, lower: &lower, shown };
    structure(message, &seen, body, links, &mut sign);
    put_list(out, "mass", signs.into_iter().map(str::to_owned).collect());
}

const PRESS: &[(&str, &str, &usize)] = &[
    ("press_account", "account", &1),
    ("press_account_much", "account", &3),
    ("press_money", "money", &1),
    ("press_money_much", "money", &4),
    ("press_parcel", "parcel", &1),
    ("press_prize", "prize", &1),
    ("press_prize_much", "prize", &3),
    ("press_lure", "lure", &1),
    ("press_lure_much", "lure", &2),
    ("press_health", "health", &2),
    ("press_company", "company", &1),
];

/// Whether a link carries the recipient's address.
fn has_address(links: &Links, message: &Message<'_>) -> bool {
    let to = message.to().and_then(Address::first).and_then(|one| one.address());
    let Some(to) = to.filter(|to| to.len() > 6) else { return false };
    let to = to.to_lowercase();
    links.all.iter().any(|link| {
        let link = link.to_lowercase();
        link.contains(&to) || link.contains(&to.replace('@', "%40"))
    })
}

/// What several signs look at.
struct Seen<'a> {
    local: &'a str,
    domain: &'a str,
    name: &'a str,
    lower: &'a str,
    /// Words that a page shows.
    shown: usize,
}

fn structure(
    message: &Message<'_>,
    seen: &Seen<'_>,
    body: &Body<'_>,
    links: &Links,
    sign: &mut dyn FnMut(&'static str, bool),
) {
    let Seen { local, domain, name, lower, shown } = *seen;
    let digits = local.chars().filter(char::is_ascii_digit).count();
    sign("random_local", local.len() >= 10 && digits * 3 >= local.len() || local.len() > 28);
    let host = domain.split('.').next().unwrap_or_default();
    let vowels = host.chars().filter(|letter| "aeiouy".contains(*letter)).count();
    sign("random_domain", host.len() >= 8 && vowels * 5 <= host.len());
    sign("deep_domain", domain.split('.').count() >= 4);
    sign("odd_top_level", ODD.iter().any(|end| domain.ends_with(end)));
    sign(
        "link_to_odd_top_level",
        links.hosts().iter().any(|host| ODD.iter().any(|end| host.ends_with(end))),
    );
    sign(
        "freemail_company",
        words().is_freemail(domain) && COMPANY.iter().any(|word| name.contains(word)),
    );
    sign("address_in_name", name.contains('@') && !name.contains(domain));
    let subject = message.subject().unwrap_or_default();
    let is_picture = |letter: char| matches!(u32::from(letter), 0x2600..=0x27bf | 0x1f000..=0x1faff | 0x2b00..=0x2bff);
    sign("picture_in_subject", subject.chars().any(is_picture));
    sign("picture_in_name", name.chars().any(is_picture));
    sign(
        "shouting_subject",
        subject.chars().filter(|letter| letter.is_uppercase()).count() > 12
            && !subject.chars().any(char::is_lowercase),
    );
    sign("marks_in_subject", subject.matches(['!', '$', '%', '#']).count() >= 2);
    page_signs(body, lower, shown, sign);
    answers(message, seen, sign);
}

/// Signs in how a page is made.
fn page_signs(
    body: &Body<'_>,
    lower: &str,
    shown: usize,
    sign: &mut dyn FnMut(&'static str, bool),
) {
    let hidden = ["\u{200b}", "\u{200c}", "\u{ad}", "\u{34f}", "\u{feff}"];
    let strange: usize = hidden
        .iter()
        .map(|mark| body.html.matches(mark).count() + body.text.matches(mark).count())
        .sum();
    sign("hidden_letters", strange >= 3);
    sign(
        "hidden_text",
        ["font-size:0", "font-size: 0", "display:none", "color:#ffffff;font-size:1"]
            .iter()
            .any(|word| lower.contains(word)),
    );
    let short = shown < 25;
    sign("picture_with_link", lower.contains("<img") && lower.contains("<a ") && short);
    sign("html_without_text", !lower.is_empty() && body.text.trim().is_empty());
}

/// Signs in where answers go and whether it is one.
fn answers(message: &Message<'_>, seen: &Seen<'_>, sign: &mut dyn FnMut(&'static str, bool)) {
    let Seen { local, domain, lower, .. } = *seen;
    let subject = message.subject().unwrap_or_default();
    let returns = message
        .return_address()
        .unwrap_or_default()
        .rsplit('@')
        .next()
        .unwrap_or_default()
        .to_lowercase();
    sign("returns_elsewhere", !returns.is_empty() && org(&returns) != org(domain));
    let reply = message.reply_to().and_then(Address::first).and_then(|one| one.address());
    let reply = reply.and_then(|reply| reply.rsplit('@').next()).unwrap_or_default().to_lowercase();
    sign("reply_elsewhere", !reply.is_empty() && org(&reply) != org(domain));
    sign("reply_to_freemail", org(&reply) != org(domain) && words().is_freemail(&reply));
    let to =
        message.to().and_then(Address::first).and_then(|one| one.address()).unwrap_or_default();
    sign("to_nobody", to.is_empty());
    let greets = local.len() >= 2 && !to.is_empty() && {
        let user = to.split('@').next().unwrap_or_default().to_lowercase();
        user.len() >= 4
            && (lower.contains(&format!("dear {user}")) || fold(subject).contains(&user))
    };
    sign("greets_by_address", greets);
    let is_answer = !matches!(message.in_reply_to(), HeaderValue::Empty)
        || !matches!(message.references(), HeaderValue::Empty);
    sign("is_answer", is_answer);
    sign("no_answer_claims", !is_answer && fold(subject).starts_with("re:"));
}

const ODD: &[&str] = &[
    ".top", ".xyz", ".click", ".shop", ".icu", ".buzz", ".cyou", ".rest", ".sbs", ".cfd", ".bond",
    ".online", ".site", ".website", ".space", ".fun", ".club", ".live", ".store", ".today",
    ".monster", ".quest", ".lat", ".beauty", ".hair", ".autos", ".boats", ".makeup", ".skin",
    ".mom", ".pics", ".info", ".biz", ".ru", ".cn", ".tk", ".ml", ".ga", ".cf", ".gq", ".su",
    ".pw", ".ws", ".cc", ".best", ".wang", ".vip", ".win", ".bid", ".loan", ".date", ".men",
    ".work", ".life", ".world",
];
const COMPANY: &[&str] = &[
    "bank",
    "support",
    "service",
    "security",
    "account",
    "team",
    "admin",
    "notification",
    "help",
    "billing",
    "office",
    "department",
    "manager",
    "director",
    "fund",
    "award",
    "lottery",
    "dr.",
    "mrs.",
    "barrister",
    "delivery",
    "courier",
    "customer",
];
