//! Harmless events beside the habits of people: machinery, administrators, vendors, and noise from
//! outside. Every one of them stands in the truth as harmless.

use crate::act::{BROWSER, Context, How, RENEWAL, Scene};
use crate::evidence::Log;
use crate::habit::{self, CHANGE_DAY};
use crate::moment::{HOUR, MINUTE, Moment, SECOND, at, is_working_day};
use crate::people::{Browser, Device, Person, agent};
use crate::place::{self, Place};
use crate::random::Random;
use crate::record::directory::{self, Change};
use crate::record::sign_in::{GRAPH_SHELL, LEGACY, PORTAL};
use crate::record::unified::{self, Act, Client};
use crate::record::vpn::{self, Fact, Tunnel};
use crate::record::windows::{self, Logon, Who};
use crate::record::zeek::{self, Flow};
use crate::staff::{APPLICATIONS, CONTROLLER, FILE_SERVER};

const MIGRATION: &str = "3d2f6c1e-5b7a-4c55-9b0e-10d5a7c1e201";
const JOURNAL: &str = "8a41c0de-2f6b-4e0f-8f37-4b2f7a6d3e02";
/// Service accounts of the Windows domain: name and number.
pub(crate) const SERVICES: &[(&str, &str)] = &[
    ("svc-backup", "S-1-5-21-2046118302-1193370447-771204913-1201"),
    ("svc-ldap", "S-1-5-21-2046118302-1193370447-771204913-1202"),
    ("svc-vulnscan", "S-1-5-21-2046118302-1193370447-771204913-1203"),
    ("adm-ito", "S-1-5-21-2046118302-1193370447-771204913-1204"),
    ("vendor-rs", "S-1-5-21-2046118302-1193370447-771204913-1205"),
    ("svc-deploy", "S-1-5-21-2046118302-1193370447-771204913-1206"),
];
/// Where the remote-support vendor comes from.
pub(crate) const VENDOR: &str = "198.51.100.7";
/// The own vulnerability scanner.
pub(crate) const SCANNER: &str = "10.20.5.9";
/// The monitoring server.
const MONITOR: &str = "10.20.3.50";
/// Where administrators sit.
pub(crate) const ADMIN_HOST: &str = "10.20.3.11";

/// A service account by name.
pub(crate) fn service(sam: &str, logon: u64) -> Who<'static> {
    let (sam, sid) = SERVICES.iter().find(|entry| entry.0 == sam).copied().unwrap_or(SERVICES[0]);
    Who { sam, sid, logon }
}

/// What happens on a day.
pub(crate) fn happen(scene: &mut Scene, day: i64) {
    let random = &mut Random::of(scene.seed, "decoys", &[day.unsigned_abs()]);
    backup(scene, day, random);
    machines(scene, day, random);
    appliances(scene, day, random);
    journal(scene, day, random);
    printer(scene, day, random);
    if is_working_day(day) {
        administrators(scene, day, random);
        vendor(scene, day, random);
        settings(scene, day, random);
    }
    match day {
        3..=5 => spray(scene, day, random),
        11 => ediscovery(scene, day, random),
        12 => admin_reads(scene, day, random),
        _ => {}
    }
    if day == 4 {
        migration(scene, day, random);
    }
    if day % 7 == 2 {
        scanner(scene, day, random);
    }
    if day == 8 {
        phishing_simulation(scene, day, random);
    }
    if day == CHANGE_DAY {
        changes(scene, day, random);
    }
    if day == 15 {
        failover(scene, day, random);
    }
}

fn machine(place: Place, agent: &str) -> Context {
    Context { place, device: Device::unknown(""), browser: String::new(), agent: agent.to_owned() }
}

/// The nightly backup makes shadow copies on servers, the directory's included.
fn backup(scene: &mut Scene, day: i64, random: &mut Random) {
    for host in ["dc01", "fs01"] {
        let moment = at(day, 1, 30) + random.within(2, 9) * SECOND;
        let who = service("svc-backup", 0x3f_21a0);
        let logon = Logon { kind: 3, from: "10.20.3.30", workstation: "-", is_ntlm: false };
        let text = windows::logon(host, moment, &who, &logon, random);
        scene.windows(host, moment, text);
        let text = windows::privileges(host, moment, &who, random);
        scene.windows(host, moment, text);
        let writer = if host == "dc01" { "NTDS" } else { "System" };
        let line = format!(
            "\"C:\\Program Files\\Backup Agent\\bkagent.exe\" snapshot --writer {writer} --volume C:"
        );
        let parent = "C:\\Program Files\\Backup Agent\\bksvc.exe";
        let command = ("C:\\Program Files\\Backup Agent\\bkagent.exe", line.as_str(), parent);
        let text = windows::process(host, moment + SECOND, &who, command, random);
        scene.windows(host, moment + SECOND, text);
        let command = ("C:\\Windows\\System32\\vssadmin.exe", "vssadmin list shadows", parent);
        let text = windows::process(host, moment + 240 * SECOND, &who, command, random);
        scene.windows(host, moment + 240 * SECOND, text);
    }
    for (id, after) in [(326, 0), (327, 300)] {
        let moment = at(day, 0, 2) + (after + random.within(1, 40)) * SECOND;
        let file = "C:\\Windows\\system32\\LogFiles\\Sum\\Current.mdb";
        let data = ["svchost", "2204,D,35", "", "svchost: ", "1", file, "0", "[1] 0.000", "0"];
        let text = windows::database("dc01", moment, id, &data);
        scene.evidence.push(Log::Application("dc01".into()), moment, text);
    }
    scene.truth.decoy("account", "agency\\svc-backup", "nightly backup with shadow copies");
}

/// Servers speak with each other all day, and the monitoring asks them regularly.
fn machines(scene: &mut Scene, day: i64, random: &mut Random) {
    const NAMES: &[(&str, &str, &str)] = &[
        ("FS01$", "S-1-5-21-2046118302-1193370447-771204913-1101", FILE_SERVER),
        ("SRV-APP01$", "S-1-5-21-2046118302-1193370447-771204913-1102", APPLICATIONS),
        ("ADM-WS$", "S-1-5-21-2046118302-1193370447-771204913-1103", ADMIN_HOST),
    ];
    for turn in 0..144 {
        let moment = at(day, 0, 0) + (turn * 600 + random.within(0, 90)) * SECOND;
        let (sam, sid, from) = *random.pick(NAMES);
        let who = Who { sam, sid, logon: 0x8_0000 + random.below(1 << 24) };
        let service = *random.pick(&["krbtgt", "DC01$", "FS01$"]);
        let text = windows::ticket("dc01", moment, &who, service, from, random);
        scene.windows("dc01", moment, text);
        let (sam, sid, from) = NAMES[1];
        let who = Who { sam, sid, logon: 0x9_0000 + random.below(1 << 24) };
        let logon = Logon { kind: 3, from, workstation: "-", is_ntlm: false };
        let text = windows::logon("fs01", moment + 7 * SECOND, &who, &logon, random);
        scene.windows("fs01", moment + 7 * SECOND, text);
        for to in [CONTROLLER, FILE_SERVER, APPLICATIONS] {
            let moment = at(day, 0, 0) + (turn * 600 + 30) * SECOND + random.within(0, 900);
            let flow = Flow {
                from: MONITOR,
                to,
                port: 443,
                service: "ssl",
                lasts: 120,
                sent: 840,
                received: 1_320,
            };
            scene.flow(&flow, moment, random);
        }
        let text = zeek::lookup(MONITOR, "status.monitor.example", "198.18.251.20", moment, random);
        scene.evidence.push(Log::Lookups, moment, text);
    }
    scene.truth.decoy("host", MONITOR, "monitoring asks servers every ten minutes");
}

/// Updates of the appliances, and guesses from outside.
fn appliances(scene: &mut Scene, day: i64, random: &mut Random) {
    for gateway in scene.gateways {
        let moment = at(day, 4, 0) + random.within(3, 20) * SECOND;
        scene.vpn(gateway, moment, Fact::Updates);
        for turn in 0..288 {
            let moment = at(day, 0, 0) + (turn * 300 + 17) * SECOND;
            let (load, sessions) = (1 + random.below(20), 200 + random.below(900));
            scene.vpn(gateway, moment, Fact::Lives(load, sessions));
        }
        for _ in 0..random.count(6.0) {
            let moment = at(day, 0, 0) + random.within(0, 86_399) * SECOND;
            let user = *random.pick(&["admin", "test", "guest", "vpn", "root", "support"]);
            let from = place::hosting(130 + random.within(0, 60)).address;
            scene.vpn(gateway, moment, Fact::Fails(user, &from));
        }
    }
    if day % 7 == 1 {
        let moment = at(day, 10, 5);
        scene.vpn(scene.gateways[0], moment, Fact::Administers("netadmin", ADMIN_HOST));
    }
}

/// An application that archives mail reads some mailboxes every hour.
fn journal(scene: &mut Scene, day: i64, random: &mut Random) {
    let context = machine(place::cloud(random), "Journal/4.2");
    for hour in 0..24 {
        for owner in 60..scene.people.len().min(66) {
            let moment = at(day, hour, 7) + random.within(0, 90) * SECOND;
            let doing = (&context, None, Client::App(JOURNAL));
            scene.read_mail(9, owner, doing, 3, moment, random);
        }
    }
    scene.truth.decoy("application", JOURNAL, "archives mail");
}

/// A printer sends scans by an old protocol.
fn printer(scene: &mut Scene, day: i64, random: &mut Random) {
    let Some(index) = scene.people.iter().position(|person| person.sam.starts_with("shared-"))
    else {
        return;
    };
    let context = machine(place::office(place::EGRESS_TOKYO), "BAV2ROPC");
    let how =
        How { is_interactive: true, is_mfa: false, protocol: "ropc", client: "Authenticated SMTP" };
    for _ in 0..random.count(2.0) {
        let moment = at(day, 8, 0) + random.minutes(0, 600);
        let id = random.guid().to_string();
        scene.sign_in(index, &context, (LEGACY, how), &id, moment, random);
    }
    let upn = scene.people[index].upn.clone();
    scene.truth.decoy("account", &upn, "printer that sends scans by an old protocol");
}

/// Administrators at work: remote desktop from their computer, command line tools of the cloud.
fn administrators(scene: &mut Scene, day: i64, random: &mut Random) {
    let moment = at(day, 9, 30) + random.minutes(0, 400);
    let host = *random.pick(&["dc01", "fs01", "srv-app01"]);
    let who = service("adm-ito", 0x64_0000 + random.below(1 << 20));
    let logon = Logon { kind: 10, from: ADMIN_HOST, workstation: "ADM-WS", is_ntlm: false };
    let text = windows::logon(host, moment, &who, &logon, random);
    scene.windows(host, moment, text);
    let text = windows::privileges(host, moment, &who, random);
    scene.windows(host, moment, text);
    for (image, line) in [
        ("C:\\Windows\\System32\\quser.exe", "quser"),
        ("C:\\Windows\\System32\\net.exe", "net group \"Domain Admins\" /domain"),
        ("C:\\Windows\\System32\\mmc.exe", "mmc.exe eventvwr.msc"),
    ] {
        let moment = moment + random.within(60, 1200) * SECOND;
        let command = (image, line, "C:\\Windows\\System32\\cmd.exe");
        let text = windows::process(host, moment, &who, command, random);
        scene.windows(host, moment, text);
    }
    scene.truth.decoy("account", "agency\\adm-ito", "administrator on servers");
    if random.chance(0.3) {
        let index = 10;
        let place = place::office(place::EGRESS_TOKYO);
        let context = habit::at_computer(&scene.people[index].clone(), day, place, scene.seed);
        let how = How {
            is_interactive: true,
            is_mfa: true,
            protocol: "deviceCode",
            client: "Mobile Apps and Desktop clients",
        };
        let id = random.guid().to_string();
        let moment = at(day, 11, 0) + random.minutes(0, 300);
        scene.sign_in(index, &context, (GRAPH_SHELL, how), &id, moment, random);
        let upn = scene.people[index].upn.clone();
        scene.truth.decoy(
            "account",
            &upn,
            "administrator signs in to the command line by device code",
        );
    }
}

/// The remote-support vendor in the agreed hours.
fn vendor(scene: &mut Scene, day: i64, random: &mut Random) {
    if !random.chance(0.3) {
        return;
    }
    let moment = at(day, 10, 0) + random.minutes(0, 300);
    let end = moment + random.minutes(20, 80);
    let (inside, id) = scene.lease();
    let tunnel =
        Tunnel { id, user: "vendor-rs", group: "vpn-vendor", from: VENDOR, inside: &inside };
    scene.vpn(scene.gateways[0], moment, Fact::Connects(VENDOR));
    let known = moment + 5 * SECOND;
    scene.vpn(scene.gateways[0], known, Fact::Authenticates(&tunnel));
    scene.vpn(scene.gateways[0], known + SECOND, Fact::Opens(&tunnel));
    scene.vpn(
        scene.gateways[0],
        end,
        Fact::Closes(&tunnel, vpn::end((end - known) / SECOND, random)),
    );
    let who = service("vendor-rs", 0x71_0000 + random.below(1 << 20));
    let logon = Logon { kind: 10, from: &inside, workstation: "RS-DESK", is_ntlm: false };
    let text = windows::logon("srv-app01", moment + MINUTE, &who, &logon, random);
    scene.windows("srv-app01", moment + MINUTE, text);
    scene.truth.decoy("account", "agency\\vendor-rs", "remote support in the agreed hours");
    scene.truth.decoy("address", VENDOR, "remote-support vendor");
}

/// Some of the staff at their own computers, with a context for a setting.
fn somebody(scene: &Scene, day: i64, random: &mut Random) -> (Person, Context) {
    let last = scene.people.len() - scene.people.len() / 10;
    let person = scene.people[40 + random.index(last.saturating_sub(40).max(1))].clone();
    let place = place::office(person.egress());
    let context = habit::at_computer(&person, day, place, scene.seed);
    (person, context)
}

/// Inbox rules, consents and second factors as staff set them every day.
fn settings(scene: &mut Scene, day: i64, random: &mut Random) {
    let size = f64::from(u32::try_from(scene.people.len()).unwrap_or(0)) / 1_600.0;
    for _ in 0..random.count(4.0 * size) {
        let (person, context) = somebody(scene, day, random);
        let moment = at(day, 9, 0) + random.minutes(0, 500);
        let id = random.guid().to_string();
        let token =
            scene.sign_in(person.index, &context, (PORTAL, BROWSER), &id, moment - MINUTE, random);
        let act = Act { person: &person, context: &context, token: Some(&token), moment };
        let name = *random.pick(&["Newsletter", "Minutes", "project", "travel", "to me only"]);
        let folder = *random.pick(&["Archive", "Projects", "Newsletters", "RSS Feeds"]);
        let parameters =
            [("Name", name), ("MoveToFolder", folder), ("From", "news@astro-society.example")];
        let object = format!("{}\\{name}", person.upn);
        let text = unified::setting(&act, "New-InboxRule", &object, &parameters, random);
        scene.evidence.push(Log::UnifiedAudit, moment, text);
        scene.truth.decoy("rule", &object, "rule that its owner made");
    }
    for _ in 0..random.count(3.0 * size) {
        let (person, context) = somebody(scene, day, random);
        let moment = at(day, 9, 0) + random.minutes(0, 500);
        second_factor(scene, &person, &context, moment, random);
    }
    for _ in 0..random.count(0.8 * size) {
        let (person, context) = somebody(scene, day, random);
        let moment = at(day, 9, 0) + random.minutes(0, 500);
        consent(
            scene,
            &person,
            &context,
            ("Meeting Planner", "Calendars.Read User.Read"),
            moment,
            random,
        );
    }
}

/// A second factor is registered: the directory's record and the audit log's.
pub(crate) fn second_factor(
    scene: &mut Scene,
    person: &Person,
    context: &Context,
    moment: Moment,
    random: &mut Random,
) -> bool {
    let change = Change {
        activity: "User registered security info",
        category: "UserManagement",
        service: "Authentication Methods",
        reason: "User registered Authenticator App with Notification and Code",
        actor: person,
        address: Some(&context.place.address).filter(|_| random.chance(0.8)).map(String::as_str),
        target: person,
        modified: &[],
        object: None,
    };
    let text = directory::record(&change, moment, random);
    let is_logged = scene.evidence.push(Log::DirectoryAudit, moment, text);
    let act = Act { person, context, token: None, moment: moment + SECOND };
    let text = unified::directory(
        &act,
        "Update user.",
        &person.upn,
        &[("StrongAuthenticationMethod", "[{\"MethodType\":6,\"Default\":true}]")],
        random,
    );
    scene.evidence.push(Log::UnifiedAudit, moment + SECOND, text) || is_logged
}

/// An application is allowed to act for the person.
pub(crate) fn consent(
    scene: &mut Scene,
    person: &Person,
    context: &Context,
    app: (&str, &str),
    moment: Moment,
    random: &mut Random,
) -> bool {
    let (name, scopes) = app;
    let id = random.guid().to_string();
    let permissions = format!("[] => [[Scope: {scopes}]]");
    let change = Change {
        activity: "Consent to application",
        category: "ApplicationManagement",
        service: "Core Directory",
        reason: "",
        actor: person,
        address: Some(&context.place.address),
        target: person,
        modified: &[
            ("ConsentContext.IsAdminConsent", "False"),
            ("ConsentAction.Permissions", &permissions),
        ],
        object: Some(("ServicePrincipal", name, &id)),
    };
    let text = directory::record(&change, moment, random);
    let is_logged = scene.evidence.push(Log::DirectoryAudit, moment, text);
    let act = Act { person, context, token: None, moment: moment + SECOND };
    let modified = [
        ("ConsentContext.IsAdminConsent", "False"),
        ("ConsentAction.Permissions", permissions.as_str()),
    ];
    let text = unified::directory(&act, "Consent to application.", name, &modified, random);
    scene.evidence.push(Log::UnifiedAudit, moment + SECOND, text) || is_logged
}

/// Guesses from outside at many accounts; none succeeds.
fn spray(scene: &mut Scene, day: i64, random: &mut Random) {
    let (browser, text) = agent(Browser::Chrome, "Windows10", 138);
    let count = scene.people.len() / 4;
    for turn in 0..count {
        let index = random.index(scene.people.len());
        let place = place::hosting(200 + random.within(0, 9));
        scene.truth.decoy("address", &place.address, "guesses from outside, all failed");
        let context = Context {
            place,
            device: Device::unknown("Windows10"),
            browser: browser.clone(),
            agent: text.clone(),
        };
        let code = *random.pick(&[50_126, 50_126, 50_126, 50_126, 50_053]);
        let moment = at(day, 2, 0) + i64::try_from(turn).unwrap_or(0) * 11 * SECOND;
        scene.fail_sign_in(index, &context, (PORTAL, BROWSER, code), moment, random);
    }
}

/// A tool of the planned migration reads many mailboxes in one night.
fn migration(scene: &mut Scene, day: i64, random: &mut Random) {
    let context = machine(place::hosting(90), "MailMover/9.1");
    let count = 200.min(scene.people.len() / 2);
    let id = random.guid().to_string();
    let token = scene.sign_in(12, &context, (GRAPH_SHELL, RENEWAL), &id, at(day, 22, 0), random);
    for turn in 0..count {
        let owner = (turn * 3 + 40) % scene.people.len();
        for part in 0..3 {
            let seconds = i64::try_from(turn).unwrap_or(0) * 40 + part * 9;
            let moment = at(day, 22, 5) + seconds * SECOND;
            let doing = (&context, Some(&token), Client::App(MIGRATION));
            scene.read_mail(12, owner, doing, 12, moment, random);
        }
    }
    let upn = scene.people[12].upn.clone();
    scene.truth.decoy("account", &upn, "account of the planned migration");
    scene.truth.decoy("application", MIGRATION, "planned migration of mailboxes");
    scene.truth.decoy("address", &context.place.address, "planned migration of mailboxes");
}

/// The legal department's search.
fn ediscovery(scene: &mut Scene, day: i64, random: &mut Random) {
    let person = scene.people[11].clone();
    let context = habit::at_computer(&person, day, place::office(person.egress()), scene.seed);
    for (turn, operation) in ["SearchCreated", "SearchStarted", "SearchExported"].iter().enumerate()
    {
        let moment = at(day, 14, 0) + i64::try_from(turn).unwrap_or(0) * 25 * MINUTE;
        let act = Act { person: &person, context: &context, token: None, moment };
        let parameters = [("Name", "case 2025-17"), ("ExchangeLocation", "procurement")];
        let text = unified::setting(&act, operation, "case 2025-17", &parameters, random);
        scene.evidence.push(Log::UnifiedAudit, moment, text);
    }
    scene.truth.decoy("account", &person.upn, "search for the legal department");
}

/// An administrator reads a mailbox after a death in service.
fn admin_reads(scene: &mut Scene, day: i64, random: &mut Random) {
    let (admin, owner) = (scene.people[9].clone(), scene.people[40].clone());
    let context = habit::at_computer(&admin, day, place::office(admin.egress()), scene.seed);
    let moment = at(day, 15, 10);
    let id = random.guid().to_string();
    let token = scene.sign_in(9, &context, (PORTAL, BROWSER), &id, moment, random);
    let act =
        Act { person: &admin, context: &context, token: Some(&token), moment: moment + MINUTE };
    let parameters = [
        ("Identity", owner.upn.as_str()),
        ("User", admin.upn.as_str()),
        ("AccessRights", "FullAccess"),
    ];
    let text = unified::setting(&act, "Add-MailboxPermission", &owner.upn, &parameters, random);
    scene.evidence.push(Log::UnifiedAudit, moment + MINUTE, text);
    for turn in 0..5 {
        let moment = moment + (10 + turn * 3) * MINUTE;
        let doing = (&context, Some(&token), Client::Web);
        scene.read_mail(9, 40, doing, 6, moment, random);
    }
    scene.truth.decoy("account", &owner.upn, "mailbox read by an administrator with a ticket");
    scene.truth.decoy("account", &admin.upn, "administrator reads a mailbox with a ticket");
}

/// The weekly scan for weaknesses.
fn scanner(scene: &mut Scene, day: i64, random: &mut Random) {
    for host in ["dc01", "fs01", "srv-app01"] {
        for turn in 0..12 {
            let moment = at(day, 3, 0) + turn * 7 * SECOND;
            let logon = Logon { kind: 3, from: SCANNER, workstation: "SCAN01", is_ntlm: true };
            let text = windows::logon_fails(host, moment, "svc-vulnscan", &logon, random);
            scene.windows(host, moment, text);
            if host == "dc01" {
                let text =
                    windows::validates(host, moment, "svc-vulnscan", "SCAN01", false, random);
                scene.windows(host, moment, text);
            }
        }
    }
    scene.truth.decoy("address", SCANNER, "own vulnerability scanner");
    scene.truth.decoy("account", "agency\\svc-vulnscan", "own vulnerability scanner");
}

/// An exercise: mails that pretend to be phishing, and who clicked.
fn phishing_simulation(scene: &mut Scene, day: i64, random: &mut Random) {
    for index in 40..scene.people.len().min(58) {
        if random.chance(0.5) {
            continue;
        }
        let person = scene.people[index].clone();
        let place = place::office(person.egress());
        let context = habit::at_computer(&person, day, place, scene.seed);
        let moment = at(day, 11, 0) + random.minutes(0, 240);
        let act = Act { person: &person, context: &context, token: None, moment };
        let parameters =
            [("Url", "https://exercise.awareness.example/login"), ("UrlClickAction", "2")];
        let text = unified::setting(&act, "TIUrlClickData", "exercise", &parameters, random);
        scene.evidence.push(Log::UnifiedAudit, moment, text);
    }
    scene.truth.decoy("domain", "exercise.awareness.example", "phishing exercise");
}

/// The day on which devices and names change.
fn changes(scene: &mut Scene, day: i64, random: &mut Random) {
    for (index, what) in [(31, "PHONE-NEW"), (32, "PC-1032")] {
        let person = scene.people[index].clone();
        let id = random.guid().to_string();
        let change = Change {
            activity: "Register device",
            category: "Device",
            service: "Device Registration Service",
            reason: "",
            actor: &person,
            address: None,
            target: &person,
            modified: &[("AccountEnabled", "true")],
            object: Some(("Device", what, &id)),
        };
        let moment = at(day, 9, 15) + random.minutes(0, 60);
        let text = directory::record(&change, moment, random);
        scene.evidence.push(Log::DirectoryAudit, moment, text);
    }
    let (old, admin) = (scene.people[38].clone(), scene.people[9].clone());
    let new = habit::renamed(&old.upn);
    let change = Change {
        activity: "Update user",
        category: "UserManagement",
        service: "Core Directory",
        reason: "",
        actor: &admin,
        address: None,
        target: &old,
        modified: &[("UserPrincipalName", &new)],
        object: None,
    };
    let text = directory::record(&change, at(day, 0, 5), random);
    scene.evidence.push(Log::DirectoryAudit, at(day, 0, 5), text);
    scene.truth.renamed.insert(new.clone(), old.upn);
    scene.people[38].upn = new;
}

/// The pair of gateways changes roles: tunnels come up again without a login.
fn failover(scene: &mut Scene, day: i64, random: &mut Random) {
    let moment = at(day, 11, 20);
    scene.vpn(scene.gateways[0], moment, Fact::FailsOver);
    for index in 41..47.min(scene.people.len()) {
        let person = scene.people[index].clone();
        let start = at(day, 8, 40) + random.minutes(0, 40);
        let (inside, id) = scene.lease();
        let from = person.home.address.clone();
        let tunnel =
            Tunnel { id, user: &person.sam, group: "vpn-staff", from: &from, inside: &inside };
        scene.vpn(scene.gateways[0], start, Fact::Connects(&from));
        let known = start + 4 * SECOND;
        scene.vpn(scene.gateways[0], known, Fact::Authenticates(&tunnel));
        scene.vpn(scene.gateways[0], known + SECOND, Fact::Opens(&tunnel));
        let again = moment + random.within(2, 9) * SECOND;
        let (_, id) = scene.lease();
        let renewed = Tunnel { id, ..tunnel };
        scene.vpn(scene.gateways[0], again, Fact::Opens(&renewed));
        let end = again + random.within(2, 5) * HOUR;
        scene.vpn(
            scene.gateways[0],
            end,
            Fact::Closes(&renewed, vpn::end((end - again) / SECOND, random)),
        );
        scene.truth.decoy("account", &person.upn, "tunnel renewed by a failover, without a login");
    }
}
