//! The intrusion into the think tank: a mail from a taken-over address, a laptop, then the cloud.

use serde_json::json;

use crate::act::Scene;
use crate::evidence::Log;
use crate::intrusion::{Depth, Plan, Way};
use crate::moment::{HOUR, MINUTE, Moment, SECOND, at, is_working_day, local, utc};
use crate::people::Person;
use crate::random::Random;
use crate::record::windows::{self, Who};
use crate::record::zeek::Flow;
use crate::truth::Rung;

/// Whose computer it is.
const READER: usize = 52;
/// Who receives the mail.
const ADDRESSED: &[usize] = &[50, READER, 54, 57];
const LURE_DAY: i64 = 8;
const CONTROLLER: &str = "192.0.2.177";
const SENDER: &str = "k.ishii@institute.example";

/// Accounts, ways and days.
pub(crate) fn plan() -> Plan {
    Plan::of(
        &[
            (READER, Way::Replay, Depth::Change),
            (55, Way::Hosting, Depth::Take),
            (58, Way::Hosting, Depth::Read),
            (61, Way::Legacy, Depth::Read),
        ],
        &[at(10, 14, 20), at(14, 10, 5), at(15, 2, 40), at(21, 16, 10)],
    )
}

/// What happens on a day.
pub(crate) fn happen(scene: &mut Scene, day: i64) {
    let random = &mut Random::of(scene.seed, "think tank", &[day.unsigned_abs()]);
    if day == 0 {
        // Mailboxes hold the weeks before too.
        for before in (-40..0).filter(|day| is_working_day(*day)) {
            post(scene, before, random);
        }
    }
    if is_working_day(day) {
        post(scene, day, random);
    }
    match day {
        4 => rapport(scene, random),
        LURE_DAY => lure(scene, random),
        _ => {}
    }
    if (LURE_DAY + 1..=22).contains(&day) && is_working_day(day) {
        let who = reader(scene);
        let who = who.who();
        live_on(scene, &who, day, random);
    }
}

/// The reader's name in the Windows domain, kept beside the scene.
struct Reader {
    sam: String,
    sid: String,
    host: String,
    inside: String,
}

impl Reader {
    fn who(&self) -> Who<'_> {
        Who { sam: &self.sam, sid: &self.sid, logon: 0x5c_1a20 }
    }
}

fn reader(scene: &Scene) -> Reader {
    let person = &scene.people[READER];
    Reader {
        sam: person.sam.clone(),
        sid: person.sid.clone(),
        host: person.computer.name.clone(),
        inside: person.inside.clone(),
    }
}

/// How a mail looks from outside.
struct Letter<'a> {
    from: &'a str,
    mailer: &'a str,
    /// The first machine that handed it on.
    hop: &'a str,
    zone: i64,
    subject: &'a str,
    body: &'a str,
}

/// Writes a mail into a mailbox's folder; its id.
fn deliver(
    scene: &mut Scene,
    to: &Person,
    letter: &Letter<'_>,
    moment: Moment,
    random: &mut Random,
) -> String {
    let domain = letter.from.split('@').nth(1).unwrap_or("example").trim_end_matches('>');
    let id = format!("{}-{:04X}@{domain}", random.word(8), random.below(0xffff));
    let date = local(moment, letter.zone * HOUR, "%a, %d %b %Y %H:%M:%S %z");
    let received = local(moment + 4 * SECOND, 9 * HOUR, "%a, %d %b %Y %H:%M:%S %z");
    let text = format!(
        "Return-Path: <{0}>\nReceived: from mx.{domain} (mx.{domain} [198.18.230.25]) by mail.agency.example with ESMTPS; {received}\nReceived: from [{1}] (unknown [{1}]) by mx.{domain} with ESMTPSA; {received}\nAuthentication-Results: mail.agency.example; spf=pass smtp.mailfrom={domain}; dkim=pass header.d={domain}; dmarc=pass header.from={domain}\nMessage-ID: <{id}>\nDate: {date}\nFrom: {0}\nTo: {2}\nSubject: {3}\nX-Mailer: {4}\nMIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n{5}",
        letter.from, letter.hop, to.upn, letter.subject, letter.mailer, letter.body
    );
    let name = format!("{}/{}-{}", to.sam, moment / 1000, random.word(6).to_lowercase());
    scene.evidence.push(Log::Message(name), moment, text);
    id
}

const USUAL_MAILER: &str = "Microsoft Outlook 16.0";
const USUAL_HOP: &str = "198.18.230.40";

/// The ordinary post of those whose mailboxes were collected.
fn post(scene: &mut Scene, day: i64, random: &mut Random) {
    const LETTERS: &[(&str, &str, &str)] = &[
        (SENDER, "Re: reading group", "Thank you. See you on Thursday.\n"),
        (SENDER, "Draft of the chapter", "Please find my remarks below.\nKind regards\nIshii\n"),
        (
            "news@indopacific-forum.example",
            "Taiwan Strait: weekly reading",
            "This week: https://indopacific-forum.example/weekly\n",
        ),
        (
            "events@astro-society.example",
            "Invitation to the panel",
            "The programme is at https://astro-society.example/panel\nThe password follows in a second mail.\n",
        ),
        ("office@ministry.example", "Minutes of the council", "As agreed.\n"),
    ];
    for index in ADDRESSED {
        let to = scene.people[*index].clone();
        for _ in 0..random.count(1.6) {
            let (from, subject, body) = *random.pick(LETTERS);
            let moment = at(day, 8, 0) + random.minutes(0, 660);
            let letter =
                Letter { from, mailer: USUAL_MAILER, hop: USUAL_HOP, zone: 9, subject, body };
            let id = deliver(scene, &to, &letter, moment, random);
            if !from.starts_with("k.ishii") {
                scene.truth.decoy("message", &id, "ordinary mail on the same topics");
            }
        }
    }
    // A colleague on a journey writes from elsewhere with a telephone.
    if day == 11 {
        let to = scene.people[50].clone();
        let from = scene.people[51].upn.clone();
        let letter = Letter {
            from: &from,
            mailer: "iPhone Mail (22G86)",
            hop: "100.112.3.9",
            zone: -5,
            subject: "Re: Re: agenda",
            body: "From the airport, briefly: agreed.\n",
        };
        let id = deliver(scene, &to, &letter, at(day, 23, 12), random);
        scene.truth.decoy("message", &id, "colleague on a journey");
    }
}

/// A harmless question first, from the address that was taken over.
fn rapport(scene: &mut Scene, random: &mut Random) {
    let to = scene.people[READER].clone();
    let letter = Letter {
        from: SENDER,
        mailer: "Foxmail 7.2",
        hop: "192.0.2.77",
        zone: 8,
        subject: "Study group on the Taiwan Strait",
        body: "Dear colleague,\nmay I ask for your opinion on a paper for our study group? I will send the material next week.\nIshii\n",
    };
    let moment = at(4, 10, 31);
    let id = deliver(scene, &to, &letter, moment, random);
    scene.truth.messages.insert(id, ("suspicious", moment));
}

fn lure(scene: &mut Scene, random: &mut Random) {
    let start = at(LURE_DAY, 9, 40) + random.within(0, 900) * SECOND;
    let mut opened = String::new();
    for (turn, index) in ADDRESSED.iter().enumerate() {
        let to = scene.people[*index].clone();
        let letter = Letter {
            from: SENDER,
            mailer: "Foxmail 7.2",
            hop: "192.0.2.77",
            zone: 8,
            subject: "Study group on the Taiwan Strait: list of panelists",
            body: "Dear colleague,\nthe material is here: https://files.share.example/d/7c1e/panelists.zip\nPassword: tw2025\nIshii\n",
        };
        let moment = start + i64::try_from(turn).unwrap_or(0) * 95 * SECOND;
        let id = deliver(scene, &to, &letter, moment, random);
        if *index == READER {
            opened.clone_from(&id);
        } else {
            let truth = scene.truth.reached(&to.upn, Rung::Attempted, moment, true);
            (truth.vector, truth.way) = ("phishing", "mail_received");
        }
        scene.truth.messages.insert(id, ("malicious", moment));
    }
    execute(scene, start + 34 * MINUTE, (start + 95 * SECOND, &opened), random);
}

/// The reader opens what the link gave.
fn execute(scene: &mut Scene, start: Moment, mail: (Moment, &str), random: &mut Random) {
    let reader = reader(scene);
    let who = reader.who();
    let host = reader.host.as_str();
    let task = "schtasks /create /tn ViewKitUpdate /sc minute /mo 60 /tr \"C:\\Windows\\Microsoft.NET\\Framework64\\v4.0.30319\\MSBuild.exe C:\\ProgramData\\ViewKit\\vk.xml\"";
    let folder = format!("C:\\Users\\{}\\AppData\\Local\\Temp\\panelists", reader.sam);
    let steps = [
        (
            format!("{folder}\\panelists.docx.exe"),
            format!("\"{folder}\\panelists.docx.exe\""),
            "C:\\Windows\\explorer.exe",
            0,
        ),
        (
            "C:\\ProgramData\\ViewKit\\vkhost.exe".to_owned(),
            "C:\\ProgramData\\ViewKit\\vkhost.exe".to_owned(),
            "C:\\Windows\\System32\\wbem\\WmiPrvSE.exe",
            9,
        ),
        (
            "C:\\Windows\\System32\\schtasks.exe".to_owned(),
            task.to_owned(),
            "C:\\ProgramData\\ViewKit\\vkhost.exe",
            31,
        ),
        (
            "C:\\Windows\\System32\\whoami.exe".to_owned(),
            "whoami /all".to_owned(),
            "C:\\Windows\\System32\\cmd.exe",
            300,
        ),
        (
            "C:\\Windows\\System32\\net.exe".to_owned(),
            "net group /domain".to_owned(),
            "C:\\Windows\\System32\\cmd.exe",
            340,
        ),
        (
            "C:\\Windows\\System32\\quser.exe".to_owned(),
            "quser".to_owned(),
            "C:\\Windows\\System32\\cmd.exe",
            371,
        ),
        (
            "C:\\Windows\\System32\\ipconfig.exe".to_owned(),
            "ipconfig /all".to_owned(),
            "C:\\Windows\\System32\\cmd.exe",
            395,
        ),
    ];
    for (image, line, parent, after) in &steps {
        let moment = start + after * SECOND;
        let text = windows::process(host, moment, &who, (image, line, parent), random);
        scene.windows(host, moment, text);
    }
    let moment = start + 32 * SECOND;
    let command = "C:\\Windows\\Microsoft.NET\\Framework64\\v4.0.30319\\MSBuild.exe";
    let text = windows::task(
        host,
        moment,
        &who,
        "\\ViewKitUpdate",
        (command, "C:\\ProgramData\\ViewKit\\vk.xml"),
        random,
    );
    scene.windows(host, moment, text);
    told(scene, &host.to_lowercase(), start, mail);
}

fn told(scene: &mut Scene, host: &str, start: Moment, mail: (Moment, &str)) {
    let upn = scene.people[READER].upn.clone();
    scene.truth.entry.push(json!({
        "vector": "phishing", "time": utc(mail.0), "account": upn, "message": mail.1,
        "through": host, "explained_by_authentication": false,
    }));
    let truth = scene.truth.reached(&upn, Rung::Authenticated, start, true);
    (truth.vector, truth.way) = ("phishing", "mail_opened");
    truth.persistence.push(("scheduled_task", start + 32 * SECOND, "ViewKitUpdate".to_owned()));
    scene.truth.host(host, Rung::Modified, start);
    scene.truth.stage(mail.0, "initial-access", "T1566.002");
    scene.truth.stage(start, "execution", "T1204.002");
    scene.truth.stage(start + 32 * SECOND, "persistence", "T1053.005");
    scene.truth.stage(start + 300 * SECOND, "discovery", "T1033");
}

/// Every hour the task runs, and the program calls home.
fn live_on(scene: &mut Scene, who: &Who<'_>, day: i64, random: &mut Random) {
    let reader = reader(scene);
    let host = reader.host.as_str();
    for hour in 9..18 {
        let moment = at(day, hour, 14) + random.within(0, 3) * SECOND;
        let image = "C:\\Windows\\Microsoft.NET\\Framework64\\v4.0.30319\\MSBuild.exe";
        let line = "MSBuild.exe C:\\ProgramData\\ViewKit\\vk.xml";
        let parent = "C:\\Windows\\System32\\svchost.exe";
        let text = windows::process(host, moment, who, (image, line, parent), random);
        scene.windows(host, moment, text);
        for turn in 0..6 {
            let moment = moment + turn * 10 * MINUTE + random.within(0, 55) * SECOND;
            let flow = Flow {
                from: &reader.inside,
                to: CONTROLLER,
                port: 443,
                service: "-",
                lasts: random.within(900, 4_000),
                sent: 330 + random.below(60),
                received: 180 + random.below(40),
            };
            scene.flow(&flow, moment, random);
        }
    }
    scene.truth.stage(at(day, 9, 14), "command-and-control", "T1095");
}
