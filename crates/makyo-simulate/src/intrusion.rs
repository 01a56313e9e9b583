//! The intrusion into the agency: a VPN appliance, servers, the directory, then the cloud in other
//! people's names.

use std::collections::BTreeSet;

use serde_json::json;

use crate::act::{BROWSER, BROWSER_MFA, Context, How, RENEWAL, Scene, Token, file_path};
use crate::decoy::{SERVICES, consent, second_factor, service};
use crate::evidence::Log;
use crate::habit;
use crate::mail::Mail;
use crate::moment::{DAY, HOUR, MINUTE, Moment, SECOND, START, at, utc};
use crate::people::{Browser, DEPARTMENTS, Device, Person, Role, agent};
use crate::place::{self, Place};
use crate::random::Random;
use crate::record::sign_in::{BROKER, FILES, LEGACY, OFFICE, PORTAL, WEB_MAIL};
use crate::record::unified::{self, Act, Client};
use crate::record::vpn::{self, Fact, Make, Tunnel};
use crate::record::windows::{self, Logon, Who};
use crate::record::zeek::Flow;
use crate::staff::{APPLICATIONS, CONTROLLER, FILE_SERVER};
use crate::truth::Rung;

/// The night of the first tunnel.
const ENTRY_DAY: i64 = 9;
/// The night in which the directory is copied.
const COPY_DAY: i64 = 10;
/// Days on which cloud accounts are entered.
const CLOUD_DAYS: (i64, i64) = (12, 27);
/// The intruder's own computer, as it names itself.
pub(crate) fn workstation(seed: u64) -> String {
    let random = &mut Random::of(seed, "workstation", &[]);
    let kind = *random.pick(&["WIN-", "DESKTOP-"]);
    format!("{kind}{}", random.word(if kind == "WIN-" { 11 } else { 7 }))
}

/// The user that an opened tunnel shows although nobody signed in.
fn ghost(seed: u64) -> &'static str {
    const NAMES: &[&str] = &["vpnmon", "svc-vpn", "sslguest", "fwtest"];
    NAMES[Random::of(seed, "ghost", &[]).index(NAMES.len())]
}

/// When the second night's work begins.
fn copy_starts(seed: u64) -> Moment {
    at(COPY_DAY, 1, 0) + Random::of(seed, "copy", &[]).minutes(0, 170)
}

/// How an account is entered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Way {
    Hosting,
    Egress,
    InTheMiddle,
    Replay,
    Legacy,
    DeviceCode,
    Vpn,
}

/// How far it goes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Depth {
    Login,
    Read,
    Take,
    Change,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Victim {
    index: usize,
    way: Way,
    depth: Depth,
    /// The working session in which it is entered, and perhaps one in which it is used again.
    session: usize,
    again: Option<usize>,
    /// Tried before, and how that failed.
    is_tried: bool,
}

/// A stretch of the intruder's work.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    day: i64,
    from: Moment,
}

/// What the intruder means to do.
#[derive(Debug)]
pub(crate) struct Plan {
    /// Everything through the organisation's own network, and nothing that staff do not use.
    is_inside: bool,
    sessions: Vec<Session>,
    victims: Vec<Victim>,
    attempted: Vec<(usize, usize)>,
    /// Whether the intruder works through the VPN.
    has_tunnels: bool,
}

impl Plan {
    /// Chooses the accounts, ways and times.
    pub(crate) fn new(scene: &Scene, is_inside: bool) -> Self {
        let random = &mut Random::of(scene.seed, "plan", &[]);
        let mut sessions: Vec<Session> = Vec::new();
        for day in CLOUD_DAYS.0 + random.within(0, 2)..=CLOUD_DAYS.1 {
            for _ in 0..random.within(0, 2) {
                // Mostly in office hours, where everybody is; sometimes deep in the night.
                let hour =
                    if random.chance(0.75) { random.within(9, 17) } else { random.within(0, 4) };
                sessions.push(Session { day, from: at(day, hour, random.within(0, 59)) });
            }
        }
        sessions.sort_by_key(|session| session.from);
        sessions.dedup_by_key(|session| session.from / (3 * HOUR));
        let count = breached_count(scene.people.len());
        let mut pool: Vec<usize> = scene
            .people
            .iter()
            .filter(|person| person.index >= 50 && person.role != Role::CloudOnly)
            .map(|person| person.index)
            .collect();
        random.shuffle(&mut pool);
        // The president and two directors are among them.
        let mut chosen = vec![0, 1, 2];
        chosen.extend(pool.iter().copied().take(count.saturating_sub(3)));
        let victims = chosen
            .iter()
            .enumerate()
            .map(|(turn, index)| {
                let person = &scene.people[*index];
                victim(turn, person, is_inside, (sessions.len(), chosen.len()), random)
            })
            .collect();
        let tried = pool.into_iter().skip(count.saturating_sub(3)).take(count / 5 + 2);
        let attempted = tried.map(|index| (index, random.index(sessions.len()))).collect();
        Plan { is_inside, sessions, victims, attempted, has_tunnels: true }
    }
}

impl Plan {
    /// A small plan: each account in a session of its own.
    pub(crate) fn of(accounts: &[(usize, Way, Depth)], times: &[Moment]) -> Self {
        let sessions =
            times.iter().map(|from| Session { day: (from - START) / DAY, from: *from }).collect();
        let victims = accounts
            .iter()
            .enumerate()
            .map(|(session, (index, way, depth))| Victim {
                index: *index,
                way: *way,
                depth: *depth,
                session,
                again: None,
                is_tried: false,
            })
            .collect();
        Plan { is_inside: false, sessions, victims, attempted: Vec::new(), has_tunnels: false }
    }
}

/// 207 of 1,600.
pub(crate) fn breached_count(accounts: usize) -> usize {
    (accounts * 207 / 1_600).max(8)
}

fn victim(
    turn: usize,
    person: &Person,
    is_inside: bool,
    (sessions, victims): (usize, usize),
    random: &mut Random,
) -> Victim {
    let (index, has_second_factor) = (person.index, person.has_second_factor);
    let way = match (turn, is_inside) {
        (3 | 4, _) => Way::Vpn,
        (_, true) => Way::Egress,
        (0, _) => Way::InTheMiddle,
        (1 | 2, _) => Way::Hosting,
        _ => match random.below(100) {
            0..=33 => Way::Hosting,
            34..=69 => Way::Egress,
            70..=74 => Way::InTheMiddle,
            75..=83 => Way::Replay,
            84..=92 => Way::Legacy,
            _ => Way::DeviceCode,
        },
    };
    let depth = match (turn, random.below(100)) {
        (0, _) => Depth::Change,
        (1, _) => Depth::Take,
        (2, _) => Depth::Read,
        (_, 0..=11) => Depth::Login,
        (_, 12..=66) => Depth::Read,
        (_, 67..=86) => Depth::Take,
        _ => Depth::Change,
    };
    // Most of those who need a second factor are entered from inside, where none is asked for.
    let is_stopped = way == Way::Hosting && has_second_factor && random.chance(0.6);
    let way = if is_stopped { Way::Egress } else { way };
    let session = (turn * 31 % victims) * sessions / victims;
    let again = random.chance(0.35).then(|| (session + 1 + random.index(6)).min(sessions - 1));
    Victim {
        index,
        way,
        depth,
        session,
        again: again.filter(|again| *again > session && way != Way::Vpn),
        is_tried: random.chance(0.25),
    }
}

/// The agency's servers.
pub(crate) fn on_servers(scene: &mut Scene, plan: &Plan, day: i64) {
    let random = &mut Random::of(scene.seed, "intruder on servers", &[day.unsigned_abs()]);
    match day {
        ENTRY_DAY => enter(scene, plan, ENTRY_DAY, random),
        COPY_DAY => copy_directory(scene, plan, random),
        _ => {}
    }
}

/// What the intruder does in the cloud on a day.
pub(crate) fn in_cloud(scene: &mut Scene, plan: &Plan, day: i64) {
    let random = &mut Random::of(scene.seed, "intruder", &[day.unsigned_abs()]);
    for (number, session) in plan.sessions.iter().enumerate() {
        if session.day == day {
            work(scene, plan, number, session, random);
        }
    }
}

/// Where the intruder's tunnels come from.
pub(crate) fn outside(plan: &Plan, random: &mut Random) -> Place {
    if plan.is_inside {
        place::hijacked_home(random.within(0, 9))
    } else {
        place::hosting(random.within(0, 3))
    }
}

/// A tunnel; without a user's name in `login` none of the records of a login precede it.
pub(crate) fn tunnel(
    scene: &mut Scene,
    from: &Place,
    login: Option<&str>,
    (start, end): (Moment, Moment),
    random: &mut Random,
) -> (String, bool) {
    let (inside, id) = scene.lease();
    let user = login.unwrap_or_else(|| ghost(scene.seed));
    let group = if login.is_some() { "vpn-staff" } else { "N/A" };
    let tunnel = Tunnel { id, user, group, from: &from.address, inside: &inside };
    if login.is_some() {
        let connect = start - 6 * SECOND;
        scene.vpn(scene.gateways[0], connect, Fact::Connects(&from.address));
        let known = start - 2 * SECOND;
        scene.vpn(scene.gateways[0], known, Fact::Authenticates(&tunnel));
    }
    let is_logged = scene.vpn(scene.gateways[0], start, Fact::Opens(&tunnel));
    scene.vpn(
        scene.gateways[0],
        end,
        Fact::Closes(&tunnel, vpn::end((end - start) / SECOND, random)),
    );
    (inside, is_logged)
}

/// The first night: the appliance, then servers.
pub(crate) fn enter(scene: &mut Scene, plan: &Plan, day: i64, random: &mut Random) {
    let start = at(day, 1, 0) + random.minutes(0, 180);
    let (workstation, ghost) = (workstation(scene.seed), ghost(scene.seed));
    let from = outside(plan, random);
    let crash = start - random.within(20, 70) * SECOND;
    scene.vpn(scene.gateways[0], crash, Fact::Crashes("sslvpnd", 11));
    let (inside, _) = tunnel(scene, &from, None, (start, start + 3 * HOUR), random);
    let is_known = scene.gateways[0].make == Make::FortiGate;
    let product = is_known.then_some("FortiGate");
    scene.truth.entry.push(json!({
        "vector": "vpn_appliance", "time": utc(start), "through": scene.gateways[0].name, "account": ghost,
        "address": from.address, "product": product, "flaw": null,
        "explained_by_authentication": false,
    }));
    scene.truth.reached(ghost, Rung::Authenticated, start, true).vector = "vpn_appliance";
    scene.truth.host(scene.gateways[0].name, Rung::Authenticated, start);
    scene.truth.stage(start, "initial-access", "T1190");
    let who = service("svc-ldap", 0x52_0000 + random.below(1 << 20));
    for (turn, host) in ["dc01", "srv-app01", "fs01"].iter().enumerate() {
        let moment = start + (9 + i64::try_from(turn).unwrap_or(0) * 8) * MINUTE;
        let logon = Logon { kind: 3, from: &inside, workstation: &workstation, is_ntlm: true };
        let text = windows::validates("dc01", moment - SECOND, who.sam, &workstation, true, random);
        scene.windows("dc01", moment - SECOND, text);
        let text = windows::logon(host, moment, &who, &logon, random);
        scene.windows(host, moment, text);
        let to = [CONTROLLER, APPLICATIONS, FILE_SERVER][turn];
        let flow = Flow {
            from: &inside,
            to,
            port: 445,
            service: "smb",
            lasts: 90_000,
            sent: 9_000,
            received: 30_000,
        };
        scene.flow(&flow, moment - SECOND, random);
        scene.truth.host(host, Rung::Authenticated, moment);
        let truth = scene.truth.reached("agency\\svc-ldap", Rung::Authenticated, moment, true);
        truth.vector = "vpn_appliance";
        scene.truth.stage(moment, "lateral-movement", "T1021.002");
    }
    look_around(scene, &who, start + 40 * MINUTE, random);
    let moment = start + 70 * MINUTE;
    take_share(scene, &who, &inside, moment, random);
}

/// Questions to the directory, asked on two servers.
fn look_around(scene: &mut Scene, who: &Who<'_>, start: Moment, random: &mut Random) {
    const QUESTIONS: &[(&str, &str)] = &[
        ("whoami.exe", "whoami /all"),
        ("nltest.exe", "nltest /domain_trusts"),
        ("net.exe", "net group \"Domain Admins\" /domain"),
        ("quser.exe", "quser"),
        ("csvde.exe", "csvde -f c:\\programdata\\oem\\u.csv -l sAMAccountName,mail,pwdLastSet"),
        ("tasklist.exe", "tasklist /v"),
        ("cmd.exe", "cmd /c dir /s /b d:\\*.jtd"),
    ];
    for host in ["srv-app01", "fs01"] {
        for (turn, (image, line)) in QUESTIONS.iter().enumerate() {
            let pause = i64::try_from(turn).unwrap_or(0) * 70 + random.within(0, 30);
            let moment = start + pause * SECOND;
            let image = format!("C:\\Windows\\System32\\{image}");
            let command = (image.as_str(), *line, "C:\\Windows\\System32\\cmd.exe");
            let text = windows::process(host, moment, who, command, random);
            scene.windows(host, moment, text);
        }
    }
    scene.truth.stage(start, "discovery", "T1087.002");
    scene.truth.stage(start + 70 * SECOND, "discovery", "T1482");
}

/// Files of the launch share.
fn take_share(scene: &mut Scene, who: &Who<'_>, inside: &str, start: Moment, random: &mut Random) {
    let received = 40_000_000 + random.below(90_000_000);
    let flow = Flow {
        from: inside,
        to: FILE_SERVER,
        port: 445,
        service: "smb",
        lasts: 600_000,
        sent: 900_000,
        received,
    };
    scene.flow(&flow, start, random);
    let text = windows::share("fs01", start, who, (inside, "launch", None), random);
    scene.windows("fs01", start, text);
    for number in 0..40 {
        let moment = start + i64::try_from(number).unwrap_or(0) * 7 * SECOND;
        let path = file_path("launch", number).replace('/', "\\");
        let text = windows::share("fs01", moment, who, (inside, "launch", Some(&path)), random);
        scene.windows("fs01", moment, text);
    }
    scene.truth.host("fs01", Rung::ExfilLikely, start);
    scene.truth.reached("agency\\svc-ldap", Rung::ExfilLikely, start, true);
    scene.truth.stage(start, "collection", "T1039");
    scene.truth.assets.insert(
        "launch vehicle designs".into(),
        json!({
            "verdict": "accessed", "first": utc(start), "accounts": ["agency\\svc-ldap"],
        }),
    );
}

/// The second night: the directory's database is copied, and a log cleared.
fn copy_directory(scene: &mut Scene, plan: &Plan, random: &mut Random) {
    let start = copy_starts(scene.seed);
    let workstation = workstation(scene.seed);
    let from = outside(plan, random);
    let (inside, _) = tunnel(scene, &from, None, (start, start + 2 * HOUR), random);
    let who = service("svc-ldap", 0x53_0000 + random.below(1 << 20));
    let logon = Logon { kind: 10, from: &inside, workstation: &workstation, is_ntlm: true };
    for (from, to, after) in [(inside.as_str(), APPLICATIONS, 3), (APPLICATIONS, CONTROLLER, 12)] {
        let flow = Flow {
            from,
            to,
            port: 3389,
            service: "rdp",
            lasts: 2_400_000,
            sent: 2_000_000,
            received: 31_000_000,
        };
        scene.flow(&flow, start + after * MINUTE - SECOND, random);
    }
    let text = windows::logon("srv-app01", start + 3 * MINUTE, &who, &logon, random);
    scene.windows("srv-app01", start + 3 * MINUTE, text);
    let hop = start + 12 * MINUTE;
    let text = windows::explicit_credentials("srv-app01", hop, &who, "svc-ldap", "dc01", random);
    scene.windows("srv-app01", hop, text);
    let logon = Logon { kind: 10, from: APPLICATIONS, workstation: "SRV-APP01", is_ntlm: false };
    let text = windows::logon("dc01", hop + SECOND, &who, &logon, random);
    scene.windows("dc01", hop + SECOND, text);
    let text = windows::privileges("dc01", hop + SECOND, &who, random);
    scene.windows("dc01", hop + SECOND, text);
    scene.truth.stage(hop, "lateral-movement", "T1021.001");
    let copied = hop + 9 * MINUTE;
    commands_on_controller(scene, &who, copied, random);
    let moment = copied + 14 * MINUTE;
    let place = (APPLICATIONS, "C$", Some("ProgramData\\oem\\m.cab"));
    let text = windows::share("dc01", moment, &who, place, random);
    scene.windows("dc01", moment, text);
    scene.truth.host("dc01", Rung::ExfilLikely, copied);
    scene.truth.stage(copied, "credential-access", "T1003.003");
    expose(scene, copied);
    let moment = cleared_at(scene.seed);
    let text = windows::cleared("srv-app01", moment, &who);
    scene.windows("srv-app01", moment, text);
    scene.truth.host("srv-app01", Rung::Modified, moment);
    scene.truth.reached("agency\\svc-ldap", Rung::Modified, moment, true);
    scene.truth.stage(moment, "stealth", "T1685.005");
}

/// When the log of the application server is cleared.
pub(crate) fn cleared_at(seed: u64) -> Moment {
    copy_starts(seed) + 87 * MINUTE
}

/// The database is copied by one of two tools; only one of them makes the engine speak.
fn commands_on_controller(scene: &mut Scene, who: &Who<'_>, copied: Moment, random: &mut Random) {
    let folder = "C:\\ProgramData\\oem\\m";
    let by_tool = random.chance(0.5);
    let copy = if by_tool {
        ("ntdsutil.exe", format!("ntdsutil \"ac i ntds\" ifm \"create full {folder}\" q q"))
    } else {
        let shadow =
            "\\\\?\\GLOBALROOT\\Device\\HarddiskVolumeShadowCopy7\\Windows\\NTDS\\ntds.dit";
        ("cmd.exe", format!("cmd /c copy {shadow} {folder}\\n.dit"))
    };
    let commands = [
        ("vssadmin.exe", "vssadmin create shadow /for=C:".to_owned(), -3 * MINUTE),
        (copy.0, copy.1, 0),
        ("makecab.exe", format!("makecab {folder} C:\\ProgramData\\oem\\m.cab"), 8 * MINUTE),
    ];
    for (image, line, after) in commands {
        let image = format!("C:\\Windows\\System32\\{image}");
        let command = (image.as_str(), line.as_str(), "C:\\Windows\\System32\\cmd.exe");
        let text = windows::process("dc01", copied + after, who, command, random);
        scene.windows("dc01", copied + after, text);
    }
    if !by_tool {
        return;
    }
    let database = format!("{folder}\\Active Directory\\ntds.dit");
    for (id, after) in [(325, 40), (326, 41), (327, 95)] {
        let data = ["lsass", "664,D,50", "", "lsass: ", "2", &database, "0", "[1] 0.016", "0"];
        let moment = copied + after * SECOND;
        let text = windows::database("dc01", moment, id, &data);
        scene.evidence.push(Log::Application("dc01".into()), moment, text);
    }
}

/// Every account of the directory has a stolen password now.
fn expose(scene: &mut Scene, moment: Moment) {
    let mut names: Vec<String> = scene
        .people
        .iter()
        .filter(|person| person.is_in_directory())
        .map(|person| person.upn.clone())
        .collect();
    names.extend(SERVICES.iter().map(|(sam, _)| format!("agency\\{sam}")));
    for name in names {
        let truth = scene.truth.reached(&name, Rung::Exposed, moment, true);
        if truth.vector.is_empty() {
            truth.vector = "stolen_credential";
        }
    }
}

/// One stretch of work in the cloud.
fn work(scene: &mut Scene, plan: &Plan, number: usize, session: &Session, random: &mut Random) {
    let entering: Vec<Victim> =
        plan.victims.iter().copied().filter(|victim| victim.session == number).collect();
    let returning: Vec<Victim> =
        plan.victims.iter().copied().filter(|victim| victim.again == Some(number)).collect();
    let length =
        i64::try_from(entering.len() + returning.len()).unwrap_or(0) * 9 * MINUTE + 20 * MINUTE;
    let inside = if plan.has_tunnels {
        work_tunnel(scene, plan, number, (session.from, length), random)
    } else {
        String::new()
    };
    let mut moment = session.from;
    for victim in entering.iter().filter(|victim| victim.way != Way::Vpn) {
        moment += random.within(60, 500) * SECOND;
        if victim.is_tried {
            let context = context(scene, plan, victim.way, number, session.day);
            let code = *random.pick(&[50_126, 50_126, 50_055]);
            let before = moment - random.within(20, 50) * SECOND;
            scene.fail_sign_in(victim.index, &context, (PORTAL, BROWSER, code), before, random);
        }
        visit(scene, plan, victim, (number, session.day, &inside), moment, random);
    }
    for victim in returning {
        moment += random.within(60, 400) * SECOND;
        visit(scene, plan, &victim, (number, session.day, &inside), moment, random);
    }
    for (index, _) in plan.attempted.iter().filter(|attempt| attempt.1 == number) {
        moment += random.within(20, 200) * SECOND;
        attempt(scene, plan, *index, (number, session.day), moment, random);
    }
}

/// The tunnel of a stretch of work, through nobody's or somebody's account.
fn work_tunnel(
    scene: &mut Scene,
    plan: &Plan,
    number: usize,
    (from_time, length): (Moment, i64),
    random: &mut Random,
) -> String {
    let login = way_in(plan, number);
    let from = outside(plan, random);
    let start = from_time - random.minutes(4, 20);
    let user = login.map(|index| scene.people[index].sam.clone());
    let (inside, is_logged) =
        tunnel(scene, &from, user.as_deref(), (start, start + length), random);
    if let Some(index) = login {
        let upn = scene.people[index].upn.clone();
        let truth = scene.truth.reached(&upn, Rung::Authenticated, start, is_logged);
        truth.vector = "vpn_credential";
        truth.way = "vpn";
        scene.truth.stage(start, "persistence", "T1133");
    }
    inside
}

/// Through which account the tunnel of a session is opened: none at first, stolen ones later.
fn way_in(plan: &Plan, number: usize) -> Option<usize> {
    let stolen: Vec<usize> = plan
        .victims
        .iter()
        .filter(|victim| victim.way == Way::Vpn)
        .map(|victim| victim.index)
        .collect();
    (number > 1).then(|| stolen[number % stolen.len()])
}

/// With what and from where the intruder appears.
fn context(scene: &Scene, plan: &Plan, way: Way, number: usize, day: i64) -> Context {
    let number = i64::try_from(number).unwrap_or(0);
    let (place, (browser, text)) = match way {
        _ if plan.is_inside => {
            // A browser that some member of the staff has too.
            let random = &mut Random::of(scene.seed, "disguise", &[number.unsigned_abs()]);
            let model = &scene.people[50 + random.index(scene.people.len() - 50)];
            let (browser, text) = agent(model.browser, "Windows11", model.version_on(day));
            (place::office(place::EGRESS_TOKYO), (browser, text))
        }
        Way::Egress => (place::office(place::EGRESS_TOKYO), agent(Browser::Edge, "Windows10", 141)),
        Way::Replay => (place::hosting(6 + number / 8), agent(Browser::Chrome, "Windows10", 141)),
        Way::InTheMiddle => (place::hosting(20), agent(Browser::Chrome, "Windows10", 139)),
        _ => (place::hosting(4 + number / 10), agent(Browser::Chrome, "Windows10", 139)),
    };
    Context { place, device: Device::unknown("Windows10"), browser, agent: text }
}

fn attempt(
    scene: &mut Scene,
    plan: &Plan,
    index: usize,
    (number, day): (usize, i64),
    moment: Moment,
    random: &mut Random,
) {
    let way = if random.chance(0.5) { Way::Egress } else { Way::Hosting };
    let context = context(scene, plan, way, number, day);
    let code = *random.pick(&[50_126, 50_126, 50_053, 53_003, 500_121, 50_076]);
    for turn in 0..random.within(1, 3) {
        let moment = moment + turn * 12 * SECOND;
        scene.fail_sign_in(index, &context, (PORTAL, BROWSER, code), moment, random);
        let upn = scene.people[index].upn.clone();
        let truth = scene.truth.reached(&upn, Rung::Attempted, moment, true);
        truth.way = "refused";
    }
}

/// Signs in in a victim's name; the token, and the context of what follows.
fn sign_in(
    scene: &mut Scene,
    victim: &Victim,
    context: &Context,
    moment: Moment,
    random: &mut Random,
) -> (Token, Context) {
    let index = victim.index;
    let id = random.guid().to_string();
    match victim.way {
        Way::InTheMiddle => {
            scene.sign_in(index, context, (PORTAL, BROWSER_MFA), &id, moment, random);
            if random.chance(0.5) {
                redirect(scene, index, moment, random);
            }
            let (browser, text) = agent(Browser::Firefox, "Windows10", 128);
            let later =
                Context { place: place::hosting(21), browser, agent: text, ..context.clone() };
            let after = moment + random.within(40, 400) * SECOND;
            (scene.sign_in(index, &later, (WEB_MAIL, RENEWAL), &id, after, random), later)
        }
        Way::Replay => {
            let desk = &scene.desks[index];
            let stolen = [&desk.web, &desk.desktop, &id];
            let id =
                stolen.iter().find(|id| !id.is_empty()).map(|id| (*id).clone()).unwrap_or_default();
            (
                scene.sign_in(index, context, (WEB_MAIL, RENEWAL), &id, moment, random),
                context.clone(),
            )
        }
        Way::Legacy => {
            let how =
                How { is_interactive: true, is_mfa: false, protocol: "ropc", client: "IMAP4" };
            let context =
                Context { agent: "BAV2ROPC".into(), browser: String::new(), ..context.clone() };
            (scene.sign_in(index, &context, (LEGACY, how), &id, moment, random), context)
        }
        Way::DeviceCode => {
            let how = How {
                is_interactive: true,
                is_mfa: true,
                protocol: "deviceCode",
                client: "Mobile Apps and Desktop clients",
            };
            let app = if random.chance(0.5) { BROKER } else { OFFICE };
            (scene.sign_in(index, context, (app, how), &id, moment, random), context.clone())
        }
        _ => {
            let app = *random.pick(&[PORTAL, WEB_MAIL, FILES]);
            if victim.way == Way::Hosting && scene.people[index].has_second_factor {
                return (press(scene, index, context, moment, random), context.clone());
            }
            (scene.sign_in(index, context, (app, BROWSER), &id, moment, random), context.clone())
        }
    }
}

/// The owner of a second factor is asked until the answer is yes.
fn press(
    scene: &mut Scene,
    index: usize,
    context: &Context,
    moment: Moment,
    random: &mut Random,
) -> Token {
    let asked = random.within(1, 7);
    for turn in 0..asked {
        let before = moment - (asked - turn) * 38 * SECOND;
        scene.fail_sign_in(index, context, (PORTAL, BROWSER_MFA, 500_121), before, random);
    }
    let id = random.guid().to_string();
    scene.sign_in(index, context, (PORTAL, BROWSER_MFA), &id, moment, random)
}

/// After the sign-in through the proxy the owner is sent on to the real page.
fn redirect(scene: &mut Scene, index: usize, moment: Moment, random: &mut Random) {
    let person = scene.people[index].clone();
    let day = (moment - START) / DAY;
    let place = place::office(person.egress());
    let own = habit::at_computer(&person, day, place, scene.seed);
    let session = scene.desks[index].desktop.clone();
    if !session.is_empty() {
        let after = moment + random.within(7, 25) * SECOND;
        scene.sign_in(index, &own, (PORTAL, RENEWAL), &session, after, random);
    }
}

fn words(way: Way) -> (&'static str, &'static str) {
    match way {
        Way::Hosting => ("stolen_credential", "hosting"),
        Way::Egress => ("stolen_credential", "own_egress"),
        Way::InTheMiddle => ("phishing", "adversary_in_the_middle"),
        Way::Replay => ("stolen_token", "token_replay"),
        Way::Legacy => ("stolen_credential", "legacy_protocol"),
        Way::DeviceCode => ("phishing", "device_code"),
        Way::Vpn => ("vpn_credential", "vpn"),
    }
}

/// In a victim's account, from the sign-in to the last read.
fn visit(
    scene: &mut Scene,
    plan: &Plan,
    victim: &Victim,
    (number, day, inside): (usize, i64, &str),
    moment: Moment,
    random: &mut Random,
) {
    let index = victim.index;
    let upn = scene.people[index].upn.clone();
    let context = context(scene, plan, victim.way, number, day);
    if victim.way == Way::Egress {
        for turn in 0..random.within(2, 5) {
            scene.reach_cloud(inside, moment - SECOND + turn * 20 * SECOND, random);
        }
    }
    let (token, context) = sign_in(scene, victim, &context, moment, random);
    let (vector, way) = words(victim.way);
    let truth = scene.truth.reached(&upn, Rung::Authenticated, moment, true);
    if truth.way.is_empty() {
        (truth.vector, truth.way) = (vector, way);
    }
    truth.sessions.insert(token.session.clone());
    scene.truth.stage(moment, "initial-access", "T1078.004");
    if victim.way == Way::InTheMiddle {
        scene.truth.stage(moment, "credential-access", "T1557");
    }
    if victim.depth == Depth::Login {
        return;
    }
    let moment = token.issued + random.within(20, 120) * SECOND;
    read(scene, victim, (&context, &token), moment, random);
    if victim.depth >= Depth::Take {
        take(scene, victim, (&context, &token), moment + 2 * MINUTE, random);
    }
    if victim.depth == Depth::Change && victim.again != Some(number) {
        change(scene, victim, (&context, &token), moment + 3 * MINUTE, random);
    }
}

fn client(way: Way) -> Client {
    match way {
        Way::Legacy => Client::Imap,
        Way::DeviceCode => Client::App("d3590ed6-52b3-4102-aeff-aad2292ab01c"),
        _ => Client::Web,
    }
}

fn read(
    scene: &mut Scene,
    victim: &Victim,
    (context, token): (&Context, &Token),
    start: Moment,
    random: &mut Random,
) {
    let index = victim.index;
    let upn = scene.people[index].upn.clone();
    let mut read = 0;
    for turn in 0..random.within(2, 9) {
        let moment = start + turn * random.within(15, 70) * SECOND;
        let count = 1 + random.index(9);
        let doing = (context, Some(token), client(victim.way));
        let (ids, is_logged) = scene.read_mail(index, index, doing, count, moment, random);
        if ids.is_empty() {
            continue;
        }
        read += usize::from(is_logged);
        let truth = scene.truth.reached(&upn, Rung::Accessed, moment, is_logged);
        if is_logged {
            truth.mails.extend(ids);
        } else {
            truth.mails_unlogged.extend(ids);
        }
        scene.truth.stage(moment, "collection", "T1114.002");
    }
    if index == 1 && read > 0 {
        flood(scene, index, (context, token), start + 10 * MINUTE, random);
    }
}

/// A whole mailbox mail by mail, until the log gives up for a day.
fn flood(
    scene: &mut Scene,
    index: usize,
    (context, token): (&Context, &Token),
    start: Moment,
    random: &mut Random,
) {
    if !scene.throttled.is_empty() {
        return;
    }
    let person = scene.people[index].clone();
    let mut ids = BTreeSet::new();
    let mut moment = start;
    for turn in 0..1_000 {
        moment = start + turn * 3 * SECOND;
        let mails = [Mail::from_outside(moment, random), Mail::from_inside(moment, random)];
        ids.extend(mails.iter().map(|mail| mail.id.clone()));
        let act = Act { person: &person, context, token: Some(token), moment };
        let list: Vec<&Mail> = mails.iter().collect();
        let text = unified::bind(&act, &person, Client::Web, &list, turn == 999, random);
        scene.evidence.push(Log::UnifiedAudit, moment, text);
    }
    scene.throttle(index, moment + SECOND);
    let gap = crate::evidence::gap(
        "m365-unified-audit",
        &person.upn,
        moment + SECOND,
        moment + SECOND + 24 * HOUR,
        "throttled",
    );
    scene.truth.gaps.push(gap);
    let truth = scene.truth.reached(&person.upn, Rung::Accessed, moment, true);
    truth.mails.extend(ids);
    // What is read on while the log is silent.
    for _ in 0..120 {
        truth.mails_unlogged.insert(Mail::from_outside(moment, random).id);
    }
}

fn take(
    scene: &mut Scene,
    victim: &Victim,
    (context, token): (&Context, &Token),
    start: Moment,
    random: &mut Random,
) {
    let index = victim.index;
    let person = scene.people[index].clone();
    if random.chance(0.25) && !matches!(victim.way, Way::Legacy) {
        for (turn, folder) in ["Inbox", "Sent Items", "Projects"].iter().enumerate() {
            let moment = start + i64::try_from(turn).unwrap_or(0) * 20 * SECOND;
            let act = Act { person: &person, context, token: Some(token), moment };
            let text = unified::sync(&act, &person, folder, random);
            let is_logged = scene.evidence.push(Log::UnifiedAudit, moment, text);
            let truth = scene.truth.reached(&person.upn, Rung::ExfilLikely, moment, is_logged);
            if is_logged {
                truth.folders.insert((*folder).to_owned());
            }
        }
    }
    let department = if random.chance(0.4) { 0 } else { person.department };
    // The satellites' site is left alone.
    let department = if department == 1 { 0 } else { department };
    let site = DEPARTMENTS[department].1;
    for number in 0..random.below(50) + 6 {
        let moment = start + (90 + i64::try_from(number).unwrap_or(0) * 4) * SECOND;
        let path = file_path(site, random.below(120));
        let operation = *random.pick(&["FileDownloaded", "FileDownloaded", "FileAccessed"]);
        let file = (operation, site, path.as_str());
        let is_logged = scene.use_file(index, context, Some(token), file, moment, random);
        let rung = if operation == "FileDownloaded" { Rung::ExfilLikely } else { Rung::Accessed };
        let truth = scene.truth.reached(&person.upn, rung, moment, is_logged);
        if is_logged {
            let list = if operation == "FileDownloaded" {
                &mut truth.downloaded
            } else {
                &mut truth.viewed
            };
            list.insert(format!("{site}/{path}"));
        }
        scene.truth.stage(moment, "collection", "T1213.002");
    }
}

fn change(
    scene: &mut Scene,
    victim: &Victim,
    (context, token): (&Context, &Token),
    moment: Moment,
    random: &mut Random,
) {
    let person = scene.people[victim.index].clone();
    let what = if person.role == Role::President { 0 } else { random.below(4) };
    let (kind, detail, is_logged) = match what {
        0 => {
            let name = *random.pick(&[".", "..", "Archive2", "sync"]);
            let parameters = [
                ("Name", name),
                ("SubjectOrBodyContainsWords", "security;password;sign-in"),
                ("MoveToFolder", "RSS Feeds"),
                ("MarkAsRead", "True"),
            ];
            let act = Act { person: &person, context, token: Some(token), moment };
            let object = format!("{}\\{name}", person.upn);
            let text = unified::setting(&act, "New-InboxRule", &object, &parameters, random);
            let is_logged = scene.evidence.push(Log::UnifiedAudit, moment, text);
            ("inbox_rule", name.to_owned(), is_logged)
        }
        1 => {
            let is_logged = second_factor(scene, &person, context, moment, random);
            ("mfa_method", "Authenticator App".to_owned(), is_logged)
        }
        2 => {
            let app = ("Mail Archive Helper", "Mail.Read Files.Read.All offline_access");
            let is_logged = consent(scene, &person, context, app, moment, random);
            ("oauth_consent", app.0.to_owned(), is_logged)
        }
        _ => {
            let doing = (context, Some(token), Client::Web);
            let is_logged =
                scene.send_mail(victim.index, doing, "Re: interface document", moment, random);
            ("mail_sent", "Re: interface document".to_owned(), is_logged)
        }
    };
    let truth = scene.truth.reached(&person.upn, Rung::Modified, moment, is_logged);
    if is_logged {
        truth.persistence.push((kind, moment, detail));
    }
    let technique = match kind {
        "inbox_rule" => ("stealth", "T1564.008"),
        "mfa_method" => ("persistence", "T1098.005"),
        "oauth_consent" => ("persistence", "T1098.003"),
        _ => return,
    };
    scene.truth.stage(moment, technique.0, technique.1);
}
