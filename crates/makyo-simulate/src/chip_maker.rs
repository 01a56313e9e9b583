//! What happens to the chip maker: an appliance of an unknown make lets somebody in, who goes on to
//! the neighbouring plant; a vendor's account is used by somebody else; cameras serve a botnet.

use serde_json::json;

use crate::act::Scene;
use crate::decoy::{ADMIN_HOST, service};
use crate::intrusion::{Plan, enter, outside, tunnel, workstation};
use crate::moment::{HOUR, MINUTE, Moment, SECOND, at, is_working_day, midnight, utc};
use crate::place::{self, Place};
use crate::random::Random;
use crate::record::vpn::{self, Fact, Tunnel};
use crate::record::windows::{self, Logon};
use crate::record::zeek::Flow;
use crate::staff::APPLICATIONS;
use crate::truth::Rung;

const PLANT: &str = "10.60.0.5";
const CONTROLLERS: &[&str] = &["10.60.1.10", "10.60.1.11", "10.60.1.12"];
const CAMERAS: u64 = 12;
/// Cameras that serve the botnet, and since which day.
const BOTS: &[(u64, i64)] = &[(2, 6), (5, 6), (9, 11)];
const BOTNET: &str = "198.51.100.240";
const ENTRY_DAY: i64 = 9;
const PLANT_DAY: i64 = 13;
const VENDOR_DAY: i64 = 20;

/// What happens on a day.
pub(crate) fn happen(scene: &mut Scene, plan: &Plan, day: i64) {
    let random = &mut Random::of(scene.seed, "chip maker", &[day.unsigned_abs()]);
    cameras(scene, day, random);
    plant(scene, day, random);
    servers(scene, day, random);
    match day {
        ENTRY_DAY => enter(scene, plan, ENTRY_DAY, random),
        PLANT_DAY => reach_plant(scene, plan, random),
        VENDOR_DAY => abuse_vendor(scene, random),
        _ => {}
    }
}

fn camera(number: u64) -> String {
    format!("10.70.0.{}", 11 + number)
}

/// All cameras call their maker; some call somebody else too, and look for more like them.
fn cameras(scene: &mut Scene, day: i64, random: &mut Random) {
    for number in 0..CAMERAS {
        let from = camera(number);
        for turn in 0..48 {
            let moment = midnight(day) + turn * 30 * MINUTE + random.within(0, 40) * SECOND;
            let flow = Flow {
                from: &from,
                to: "198.18.251.5",
                port: 443,
                service: "ssl",
                lasts: 800,
                sent: 900,
                received: 1_100,
            };
            scene.flow(&flow, moment, random);
        }
    }
    for (number, since) in BOTS.iter().filter(|bot| day >= bot.1) {
        let from = camera(*number);
        let phase = i64::try_from(*number).unwrap_or(0) * 13;
        for turn in 0..288 {
            let moment = midnight(day) + (turn * 300 + phase + random.within(0, 12)) * SECOND;
            let flow = Flow {
                from: &from,
                to: BOTNET,
                port: 8443,
                service: "-",
                lasts: 500,
                sent: 140 + random.below(9),
                received: 96,
            };
            scene.flow(&flow, moment, random);
        }
        for _ in 0..random.within(20, 60) {
            let to = place::home(random, "JP").address;
            let moment = midnight(day) + random.minutes(0, 1439);
            let flow = Flow {
                from: &from,
                to: &to,
                port: 23,
                service: "-",
                lasts: 0,
                sent: 0,
                received: 0,
            };
            scene.flow(&flow, moment, random);
        }
        if day == *since {
            scene.truth.botnet_members.push(from.clone());
        }
    }
    if day == 0 {
        for number in 0..CAMERAS {
            if !BOTS.iter().any(|bot| bot.0 == number) {
                scene.truth.decoy("host", &camera(number), "camera that only calls its maker");
            }
        }
    }
}

/// The plant's historian asks its controllers every minute; the sensor sees every tenth.
fn plant(scene: &mut Scene, day: i64, random: &mut Random) {
    for to in CONTROLLERS {
        for turn in 0..144 {
            let moment = midnight(day) + turn * 10 * MINUTE + random.within(0, 2) * SECOND;
            let flow = Flow {
                from: PLANT,
                to,
                port: 502,
                service: "modbus",
                lasts: 300,
                sent: 260,
                received: 410,
            };
            scene.flow(&flow, moment, random);
        }
    }
}

/// What the vendor's server and the historian write on ordinary days.
fn servers(scene: &mut Scene, day: i64, random: &mut Random) {
    for host in ["srv-rs01", "hist01"] {
        let who = service("svc-backup", 0x3f_4400);
        let moment = at(day, 1, 40) + random.within(0, 50) * SECOND;
        let logon = Logon { kind: 3, from: "10.20.3.30", workstation: "-", is_ntlm: false };
        let text = windows::logon(host, moment, &who, &logon, random);
        scene.windows(host, moment, text);
        if is_working_day(day) && random.chance(0.6) {
            let who = service("adm-ito", 0x66_0000 + random.below(1 << 20));
            let moment = at(day, 10, 0) + random.minutes(0, 400);
            let logon = Logon { kind: 10, from: ADMIN_HOST, workstation: "ADM-WS", is_ntlm: false };
            let text = windows::logon(host, moment, &who, &logon, random);
            scene.windows(host, moment, text);
            let command =
                ("C:\\Windows\\System32\\mmc.exe", "mmc.exe", "C:\\Windows\\explorer.exe");
            let text = windows::process(host, moment + MINUTE, &who, command, random);
            scene.windows(host, moment + MINUTE, text);
        }
    }
}

/// From the application server to the plant's historian, and from there to a controller.
fn reach_plant(scene: &mut Scene, plan: &Plan, random: &mut Random) {
    let start = at(PLANT_DAY, 1, 5) + random.minutes(0, 170);
    let workstation = workstation(scene.seed);
    let from = outside(plan, random);
    let (inside, _) = tunnel(scene, &from, None, (start, start + 2 * HOUR), random);
    let who = service("svc-ldap", 0x54_0000 + random.below(1 << 20));
    for (from, to, after) in [(inside.as_str(), APPLICATIONS, 4), (APPLICATIONS, PLANT, 16)] {
        let flow = Flow {
            from,
            to,
            port: 3389,
            service: "rdp",
            lasts: 3_000_000,
            sent: 2_100_000,
            received: 44_000_000,
        };
        scene.flow(&flow, start + after * MINUTE, random);
    }
    let moment = start + 4 * MINUTE + SECOND;
    let logon = Logon { kind: 10, from: &inside, workstation: &workstation, is_ntlm: true };
    let text = windows::logon("srv-app01", moment, &who, &logon, random);
    scene.windows("srv-app01", moment, text);
    let moment = start + 16 * MINUTE + SECOND;
    let logon = Logon { kind: 10, from: APPLICATIONS, workstation: "SRV-APP01", is_ntlm: true };
    let text = windows::logon("hist01", moment, &who, &logon, random);
    scene.windows("hist01", moment, text);
    for (turn, line) in
        ["whoami", "arp -a", "netstat -ano", "cmd /c dir /s d:\\recipes"].iter().enumerate()
    {
        let moment = moment + (i64::try_from(turn).unwrap_or(0) * 40 + 60) * SECOND;
        let command = ("C:\\Windows\\System32\\cmd.exe", *line, "C:\\Windows\\explorer.exe");
        let text = windows::process("hist01", moment, &who, command, random);
        scene.windows("hist01", moment, text);
    }
    let moment = moment + 20 * MINUTE;
    let flow = Flow {
        from: PLANT,
        to: CONTROLLERS[1],
        port: 80,
        service: "http",
        lasts: 60_000,
        sent: 4_000,
        received: 90_000,
    };
    scene.flow(&flow, moment, random);
    scene.truth.host("srv-app01", Rung::Authenticated, start + 4 * MINUTE);
    scene.truth.host("hist01", Rung::Authenticated, start + 16 * MINUTE);
    scene.truth.stage(start + 4 * MINUTE, "lateral-movement", "T1021.001");
}

/// Somebody has the vendor's credential, and comes at night from elsewhere.
fn abuse_vendor(scene: &mut Scene, random: &mut Random) {
    let start = at(VENDOR_DAY, 23, 20) + random.within(0, 1500) * SECOND;
    let end = start + 95 * MINUTE;
    let from: Place = place::hosting(60);
    let (inside, id) = scene.lease();
    let gateway = scene.gateways[0];
    let tunnel =
        Tunnel { id, user: "vendor-rs", group: "vpn-vendor", from: &from.address, inside: &inside };
    scene.vpn(gateway, start - 6 * SECOND, Fact::Connects(&from.address));
    scene.vpn(gateway, start - 2 * SECOND, Fact::Authenticates(&tunnel));
    scene.vpn(gateway, start, Fact::Opens(&tunnel));
    scene.vpn(
        gateway,
        end,
        Fact::Closes(&tunnel, vpn::end_of_much((end - start) / SECOND, 74_000_000, random)),
    );
    let who = service("vendor-rs", 0x72_0000 + random.below(1 << 20));
    let moment = start + 3 * MINUTE;
    let flow = Flow {
        from: &inside,
        to: "10.20.3.40",
        port: 3389,
        service: "rdp",
        lasts: 4_000_000,
        sent: 3_000_000,
        received: 70_000_000,
    };
    scene.flow(&flow, moment - SECOND, random);
    let logon = Logon { kind: 10, from: &inside, workstation: "DESKTOP-3VQ81KD", is_ntlm: true };
    let text = windows::logon("srv-rs01", moment, &who, &logon, random);
    scene.windows("srv-rs01", moment, text);
    let commands = [
        "whoami /groups",
        "net user /domain",
        "cmd /c dir /s /b d:\\tools\\*.gds",
        "rar a -hp c:\\programdata\\t.rar d:\\tools\\masks",
    ];
    for (turn, line) in commands.iter().enumerate() {
        let moment = moment + (i64::try_from(turn).unwrap_or(0) * 150 + 80) * SECOND;
        let command = ("C:\\Windows\\System32\\cmd.exe", *line, "C:\\Windows\\explorer.exe");
        let text = windows::process("srv-rs01", moment, &who, command, random);
        scene.windows("srv-rs01", moment, text);
    }
    told(scene, start, moment, &from);
}

fn told(scene: &mut Scene, start: Moment, moment: Moment, from: &Place) {
    let truth = scene.truth.reached("agency\\vendor-rs", Rung::ExfilLikely, start, true);
    (truth.vector, truth.way) = ("third_party_access", "vendor_credential");
    scene.truth.host("srv-rs01", Rung::ExfilLikely, moment);
    scene.truth.entry.push(json!({
        "vector": "third_party_access", "time": utc(start), "through": "edge-a",
        "account": "vendor-rs", "address": from.address, "explained_by_authentication": true,
    }));
    scene.truth.stage(start, "initial-access", "T1199");
    scene.truth.stage(moment + 8 * MINUTE, "collection", "T1560.001");
}
