//! Work on hosts from afar: software is deployed, administrators run their tools; and the computers'
//! own accounts.

use crate::act::Scene;
use crate::decoy::{ADMIN_HOST, service};
use crate::moment::{MINUTE, Moment, SECOND, at, is_working_day};
use crate::people::Person;
use crate::random::Random;
use crate::record::windows::{self, Logon, Who};

/// The server that deploys software.
const DEPLOYMENT: &str = "10.20.3.35";

/// What happens on a day.
pub(crate) fn happen(scene: &mut Scene, day: i64) {
    let random = &mut Random::of(scene.seed, "hosts", &[day.unsigned_abs()]);
    if day % 7 == 3 {
        deploy(scene, day, random);
    }
    if is_working_day(day) && random.chance(0.3) {
        administer(scene, day, random);
    }
}

/// A computer that is switched on, or connects from home, asks the domain for a ticket of its own.
pub(crate) fn starts(scene: &mut Scene, person: &Person, inside: &str, day: i64, moment: Moment) {
    let random =
        &mut Random::of(scene.seed, "computer", &[day.unsigned_abs(), person.index as u64]);
    if !random.chance(0.9) || person.computer.name.is_empty() {
        return;
    }
    let sam = format!("{}$", person.computer.name);
    let sid = format!("S-1-5-21-2046118302-1193370447-771204913-{}", 20_000 + person.index);
    let who = Who { sam: &sam, sid: &sid, logon: 0x2_0000 + random.below(1 << 24) };
    let before = moment - random.within(15, 90) * SECOND;
    let text = windows::ticket("dc01", before, &who, "krbtgt", inside, random);
    scene.windows("dc01", before, text);
}

/// How something is started on a host from another one: who, from where, by which logon.
pub(crate) struct Afar<'a> {
    pub(crate) who: Who<'a>,
    pub(crate) from: &'a str,
    pub(crate) workstation: &'a str,
    pub(crate) is_ntlm: bool,
}

/// What is started.
#[derive(Clone, Copy)]
pub(crate) enum Started<'a> {
    /// A service: its name and its program.
    Service(&'a str, &'a str),
    /// A task: its name and its program.
    Task(&'a str, &'a str),
}

/// Writes a program to a host's administrative share and starts it there: the logon, the file, the
/// pipe and what was made of it.
pub(crate) fn start_from_afar(
    scene: &mut Scene,
    host: &str,
    afar: &Afar<'_>,
    (file, started): (&str, Started<'_>),
    moment: Moment,
    random: &mut Random,
) {
    let Afar { who, from, workstation, is_ntlm } = afar;
    let logon = Logon { kind: 3, from, workstation, is_ntlm: *is_ntlm };
    let text = windows::logon(host, moment, who, &logon, random);
    scene.windows(host, moment, text);
    let text = windows::privileges(host, moment, who, random);
    scene.windows(host, moment, text);
    let copied = moment + random.within(1, 5) * SECOND;
    let text = windows::share(host, copied, who, (from, "ADMIN$", Some(file)), random);
    scene.windows(host, copied, text);
    let asked = copied + random.within(1, 4) * SECOND;
    let pipe = match started {
        Started::Service(..) => "svcctl",
        Started::Task(..) => "atsvc",
    };
    let text = windows::share(host, asked, who, (from, "IPC$", Some(pipe)), random);
    scene.windows(host, asked, text);
    let made = asked + SECOND;
    let text = match started {
        Started::Service(name, program) => {
            windows::service(host, made, who, (name, program), random)
        }
        Started::Task(name, program) => windows::task(host, made, who, name, (program, ""), random),
    };
    scene.windows(host, made, text);
}

/// Once a week an agent is brought to servers and to some computers.
fn deploy(scene: &mut Scene, day: i64, random: &mut Random) {
    let computers = scene.people.iter().skip(52).take(8);
    let mut hosts: Vec<String> = computers
        .map(|person| person.computer.name.clone())
        .filter(|name| !name.is_empty())
        .collect();
    hosts.extend(["fs01".to_owned(), "srv-app01".to_owned()]);
    let start = at(day, 20, 0) + random.minutes(0, 30);
    for (turn, host) in hosts.iter().enumerate() {
        let moment = start + i64::try_from(turn).unwrap_or(0) * 2 * MINUTE;
        let who = service("svc-deploy", 0x71_0000 + random.below(1 << 20));
        let afar = Afar { who, from: DEPLOYMENT, workstation: "-", is_ntlm: false };
        let program = "%SystemRoot%\\deploy\\agent.exe /quiet";
        let what = ("deploy\\agent.exe", Started::Service("DeployAgent", program));
        start_from_afar(scene, host, &afar, what, moment, random);
    }
    scene.truth.decoy("account", "agency\\svc-deploy", "deploys software through services");
}

/// An administrator runs a tool on a server through the service that the tool installs.
fn administer(scene: &mut Scene, day: i64, random: &mut Random) {
    let host = *random.pick(&["fs01", "srv-app01"]);
    let moment = at(day, 10, 0) + random.minutes(0, 420);
    let who = service("adm-ito", 0x67_0000 + random.below(1 << 20));
    let afar = Afar { who, from: ADMIN_HOST, workstation: "ADM-WS", is_ntlm: false };
    let what = ("PSEXESVC.exe", Started::Service("PSEXESVC", "%SystemRoot%\\PSEXESVC.exe"));
    start_from_afar(scene, host, &afar, what, moment, random);
    let command =
        ("C:\\Windows\\System32\\cmd.exe", "cmd /c gpupdate /force", "C:\\Windows\\PSEXESVC.exe");
    let later = moment + 20 * SECOND;
    let text = windows::process(host, later, &who, command, random);
    scene.windows(host, later, text);
}
