//! From the VPN appliance to servers and to the directory's database.

use serde_json::json;

use super::plan::Plan;
use crate::act::{Scene, file_path};
use crate::decoy::{SERVICES, service};
use crate::evidence::Log;
use crate::hosts::{Afar, Started, start_from_afar};
use crate::moment::{HOUR, MINUTE, Moment, SECOND, at, utc};
use crate::place::{self, Place};
use crate::random::Random;
use crate::record::vpn::{self, Fact, Make, Tunnel};
use crate::record::windows::{self, Logon, Who};
use crate::record::zeek::Flow;
use crate::staff::{APPLICATIONS, CONTROLLER, FILE_SERVER};
use crate::truth::Rung;

/// The night of the first tunnel.
const ENTRY_DAY: i64 = 9;

/// The night in which the directory is copied.
const COPY_DAY: i64 = 10;

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

/// The agency's servers.
pub(crate) fn on_servers(scene: &mut Scene, plan: &Plan, day: i64) {
    let random = &mut Random::of(scene.seed, "intruder on servers", &[day.unsigned_abs()]);
    match day {
        ENTRY_DAY => enter(scene, plan, ENTRY_DAY, random),
        COPY_DAY => copy_directory(scene, plan, random),
        _ => {}
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
        Fact::Closes(&tunnel, ends((end - start) / SECOND, login.is_none(), random)),
    );
    (inside, is_logged)
}

/// Over the tunnels of the nights on servers goes what is read there.
fn ends(seconds: i64, is_of_servers: bool, random: &mut Random) -> vpn::End {
    if is_of_servers {
        vpn::end_of_much(seconds, 135_000_000, random)
    } else {
        vpn::end(seconds, random)
    }
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
    settle(scene, &who, (&inside, &workstation), start + 29 * MINUTE, random);
    look_around(scene, &who, start + 40 * MINUTE, random);
    let moment = start + 70 * MINUTE;
    take_share(scene, &who, &inside, moment, random);
}

/// A program on each of two servers: by a service on one, by a task on the other.
fn settle(
    scene: &mut Scene,
    who: &Who<'_>,
    (inside, workstation): (&str, &str),
    start: Moment,
    random: &mut Random,
) {
    let afar = Afar { who: *who, from: inside, workstation, is_ntlm: true };
    let name = *random.pick(&["OemSync", "WinMgmtHelper", "OfficeHostSvc"]);
    let program = "C:\\ProgramData\\oem\\synchost.exe";
    let what = ("Temp\\synchost.exe", Started::Service(name, program));
    start_from_afar(scene, "fs01", &afar, what, start, random);
    scene.truth.host("fs01", Rung::Modified, start);
    scene.truth.stage(start + 9 * SECOND, "execution", "T1569.002");
    let start = start + 4 * MINUTE;
    let what = ("Temp\\synchost.exe", Started::Task("\\OemSync", program));
    start_from_afar(scene, "dc01", &afar, what, start, random);
    scene.truth.host("dc01", Rung::Modified, start);
    scene.truth.stage(start + 9 * SECOND, "execution", "T1053.005");
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
    // As the questions above come.
    scene.truth.stage(start + 70 * SECOND, "discovery", "T1482");
    scene.truth.stage(start + 2 * 70 * SECOND, "discovery", "T1087.002");
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
    let truth = scene.truth.reached("agency\\svc-ldap", Rung::ExfilLikely, start, true);
    truth.viewed.extend((0..40).map(|number| format!("launch\\{}", file_path("launch", number))));
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
    scene.truth.stage(taken_out(scene.seed).0, "defense-impairment", "T1685.005");
    scene.truth.stage(copied, "credential-access", "T1003.003");
    expose(scene, copied);
    let moment = cleared_at(scene.seed);
    let text = windows::cleared("srv-app01", moment, &who);
    scene.windows("srv-app01", moment, text);
    scene.truth.host("srv-app01", Rung::Modified, moment);
    // What was changed is the host; in the account's name nothing was.
    scene.truth.reached("agency\\svc-ldap", Rung::ExfilLikely, moment, true);
}

/// When the log of the application server is cleared.
pub(crate) fn cleared_at(seed: u64) -> Moment {
    copy_starts(seed) + 87 * MINUTE
}

/// The time whose records are taken out of the controller's log, after the copy.
pub(crate) fn taken_out(seed: u64) -> (Moment, Moment) {
    let from = copy_starts(seed) + 40 * MINUTE;
    (from, from + 35 * MINUTE)
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
