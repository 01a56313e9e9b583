//! A day in the life of the staff.

use crate::act::{BROWSER, BROWSER_MFA, Context, RENEWAL, Scene, Token, file_path};
use crate::evidence::Log;
use crate::habit::{self, Habit, habit};
use crate::hosts;
use crate::mail::Mail;
use crate::moment::{HOUR, MINUTE, Moment, SECOND, TOKYO, europe, is_working_day, midnight};
use crate::people::{DEPARTMENTS, Device, Person, Role};
use crate::place;
use crate::random::Random;
use crate::record::sign_in::{App, FILES, MOBILE, OFFICE, PORTAL, SERVICE, SYNC, TEAMS, WEB_MAIL};
use crate::record::unified::Client;
use crate::record::vpn::{self, Fact, Tunnel};
use crate::record::windows::{self, Logon, Who};
use crate::record::zeek::Flow;

/// Addresses of servers.
pub(crate) const CONTROLLER: &str = "10.20.0.10";
pub(crate) const FILE_SERVER: &str = "10.20.0.12";
pub(crate) const APPLICATIONS: &str = "10.20.3.20";

/// What stays the same for a person through one day.
struct Shift {
    day: i64,
    from: Moment,
    to: Moment,
    person: Person,
    is_in_office: bool,
    /// At the computer, for mail.
    mail: Context,
    /// At the computer, for files: with a split tunnel another way out.
    files: Context,
    /// Inside addresses, from when until when.
    inside: Vec<(Moment, Moment, String)>,
    volume: f64,
}

impl Shift {
    /// The inside address that the person's computer has at a time, if it is connected then.
    fn inside_at(&self, moment: Moment) -> Option<&str> {
        let within = |lease: &&(Moment, Moment, String)| lease.0 <= moment && moment <= lease.1;
        self.inside.iter().find(within).map(|lease| lease.2.as_str())
    }
}

/// One person's day.
pub(crate) fn live(scene: &mut Scene, day: i64, index: usize) {
    let random = &mut Random::of(scene.seed, "day", &[day.unsigned_abs(), index as u64]);
    receive(scene, day, index, random);
    let person = scene.people[index].clone();
    if person.is_active() && (person.away.0..=person.away.1).contains(&day) {
        if random.chance(0.3) {
            telephone(scene, &person, day, random);
        }
        return;
    }
    if !person.is_active() {
        // Mail comes in all the same, and the provider looks at it.
        look(scene, day, index, if person.role == Role::CloudOnly { 0.8 } else { 0.2 }, random);
        return;
    }
    let works = is_working_day(day) || random.chance(person.weekend);
    if !works {
        if random.chance(0.25) {
            telephone(scene, &person, day, random);
        }
        return;
    }
    let mut shift = shift(scene, person, day, random);
    if !shift.is_in_office {
        tunnel(scene, &mut shift, random);
    }
    domain(scene, &shift, random);
    let desktop = desktop(scene, &shift, random);
    let (web, browser) = web(scene, &shift, random);
    mail(scene, &shift, &desktop, web.as_ref(), random);
    files(scene, &shift, &browser, web.as_ref(), random);
    if random.chance(0.5) {
        telephone(scene, &shift.person, day, random);
    }
    if shift.is_in_office && index.is_multiple_of(9) && random.chance(0.4) {
        stale(scene, &shift, random);
    }
    if shift.person.has_own_computer && random.chance(0.12) {
        evening(scene, &shift, random);
    }
    let own = &mut Random::of(scene.seed, "peculiar", &[day.unsigned_abs(), index as u64]);
    match habit(index) {
        Habit::LeftOn if shift.is_in_office => left_on(scene, &shift, own),
        Habit::BrowserVpn if shift.is_in_office => browser_vpn(scene, &shift, &browser, own),
        _ => {}
    }
    look(scene, day, index, 2.6 * shift.volume.max(0.8), random);
}

fn moment_within(from: Moment, to: Moment, random: &mut Random) -> Moment {
    random.within(from / SECOND, to / SECOND) * SECOND
}

fn receive(scene: &mut Scene, day: i64, index: usize, random: &mut Random) {
    let mean = if is_working_day(day) { 3.0 } else { 0.7 };
    let mean = if scene.people[index].is_active() { mean } else { mean / 6.0 };
    let mut times: Vec<Moment> =
        (0..random.count(mean)).map(|_| midnight(day) + random.minutes(0, 1439)).collect();
    times.sort_unstable();
    for moment in times {
        let mail = Mail::from_outside(moment, random);
        scene.desks[index].receive(mail);
    }
}

fn shift(scene: &mut Scene, person: Person, day: i64, random: &mut Random) -> Shift {
    let offset = if person.office == 2 { europe(midnight(day)) } else { TOKYO };
    let start = midnight(day) + TOKYO - offset;
    let from = start + person.begins * MINUTE + random.minutes(-25, 25);
    let to = start + person.ends * MINUTE + random.minutes(-60, 90);
    let is_travelling = habit::is_travelling(&person, day);
    let is_in_office = !is_travelling && !random.chance(person.remote) && is_working_day(day);
    let place = if habit(person.index) == Habit::SecurityService {
        place::security_service(random)
    } else if is_in_office {
        place::office(person.egress())
    } else {
        habit::away_place(&person, day, random)
    };
    let mail = habit::at_computer(&person, day, place, scene.seed);
    Shift {
        day,
        from,
        to,
        is_in_office,
        files: mail.clone(),
        mail,
        inside: if is_in_office {
            vec![(from, to + 12 * HOUR, person.inside.clone())]
        } else {
            Vec::new()
        },
        volume: person.activity,
        person,
    }
}

/// A remote day's VPN sessions; files go through the tunnel, mail does not.
fn tunnel(scene: &mut Scene, shift: &mut Shift, random: &mut Random) {
    if !random.chance(0.85) {
        return;
    }
    let person = &shift.person;
    let gateway = scene.gateways[usize::from(person.office == 2)];
    let parts = 1 + i64::from(random.count(0.5).min(2));
    let length = (shift.to - shift.from) / parts;
    for part in 0..parts {
        let from = shift.mail.place.address.clone();
        let (inside, id) = scene.lease();
        let tunnel =
            Tunnel { id, user: &person.sam, group: "vpn-staff", from: &from, inside: &inside };
        let start = shift.from + part * length + random.minutes(0, 9);
        let end = start + length - random.minutes(3, 12);
        if random.chance(0.06) {
            scene.vpn(gateway, start - 20 * SECOND, Fact::Fails(&person.sam, &from));
        }
        scene.vpn(gateway, start, Fact::Connects(&from));
        let known = start + random.within(2, 9) * SECOND;
        scene.vpn(gateway, known, Fact::Authenticates(&tunnel));
        let up = known + random.within(1, 4) * SECOND;
        scene.vpn(gateway, up, Fact::Opens(&tunnel));
        scene.vpn(gateway, end, Fact::Closes(&tunnel, vpn::end((end - up) / SECOND, random)));
        shift.inside.push((up, end, inside));
    }
    shift.files.place = place::office(person.egress());
}

/// What the domain controller, the file server and a few computers write.
fn domain(scene: &mut Scene, shift: &Shift, random: &mut Random) {
    let person = &shift.person;
    let Some(connected) = shift.inside.first().map(|lease| lease.0) else { return };
    let who = Who { sam: &person.sam, sid: &person.sid, logon: 0x10_0000 + random.below(1 << 27) };
    let start = connected + random.within(0, 180) * SECOND;
    let Some(inside) = shift.inside_at(start) else { return };
    hosts::starts(scene, person, inside, shift.day, start);
    if random.chance(0.7) {
        let text = windows::ticket("dc01", start, &who, "krbtgt", inside, random);
        scene.windows("dc01", start, text);
    }
    if random.chance(0.5) {
        let logon = Logon { kind: 3, from: inside, workstation: "-", is_ntlm: false };
        let text = windows::logon("dc01", start + 2 * SECOND, &who, &logon, random);
        scene.windows("dc01", start + 2 * SECOND, text);
    }
    if (52..60).contains(&person.index) && shift.is_in_office {
        workstation(scene, shift, &who, random);
    }
    if random.chance(0.12)
        && let moment = moment_within(shift.from, shift.to, random)
        && let Some(inside) = shift.inside_at(moment)
    {
        let logon = Logon { kind: 3, from: inside, workstation: "-", is_ntlm: false };
        let text = windows::logon("srv-app01", moment, &who, &logon, random);
        scene.windows("srv-app01", moment, text);
    }
    if !random.chance((0.25 * shift.volume).min(0.8)) {
        return;
    }
    let moment = moment_within(shift.from, shift.to, random);
    let Some(inside) = shift.inside_at(moment - SECOND) else { return };
    let text = windows::ticket("dc01", moment - SECOND, &who, "FS01$", inside, random);
    scene.windows("dc01", moment - SECOND, text);
    let is_ntlm = random.chance(0.05);
    let logon = Logon {
        kind: 3,
        from: inside,
        workstation: if is_ntlm { &person.computer.name } else { "-" },
        is_ntlm,
    };
    let text = windows::logon("fs01", moment, &who, &logon, random);
    scene.windows("fs01", moment, text);
    let received = 20_000 + random.below(9_000_000);
    let lasts = random.within(20_000, 400_000);
    let flow = Flow {
        from: inside,
        to: FILE_SERVER,
        port: 445,
        service: "smb",
        lasts,
        sent: received / 30,
        received,
    };
    scene.flow(&flow, moment - SECOND, random);
    let share = DEPARTMENTS[person.department].1;
    let text = windows::share("fs01", moment + SECOND, &who, (inside, share, None), random);
    scene.windows("fs01", moment + SECOND, text);
    for turn in 0..random.within(1, 4) {
        let moment = moment + (turn * 40 + random.within(3, 30)) * SECOND;
        let path = file_path(share, random.below(60)).replace('/', "\\");
        let text = windows::share("fs01", moment, &who, (inside, share, Some(&path)), random);
        scene.windows("fs01", moment, text);
    }
}

/// The log of somebody's own computer.
fn workstation(scene: &mut Scene, shift: &Shift, who: &Who<'_>, random: &mut Random) {
    const PROGRAMS: &[(&str, &str)] = &[
        ("C:\\Program Files\\Microsoft Office\\root\\Office16\\OUTLOOK.EXE", "\"OUTLOOK.EXE\""),
        (
            "C:\\Program Files (x86)\\Microsoft\\Edge\\Application\\msedge.exe",
            "msedge.exe --profile-directory=Default",
        ),
        ("C:\\Program Files\\Microsoft Office\\root\\Office16\\EXCEL.EXE", "\"EXCEL.EXE\" /dde"),
        ("C:\\Windows\\System32\\notepad.exe", "notepad.exe"),
        ("C:\\Windows\\System32\\ipconfig.exe", "ipconfig"),
    ];
    let host = shift.person.computer.name.clone();
    let moment = shift.from + 20 * SECOND;
    let logon = Logon { kind: 2, from: "127.0.0.1", workstation: &host, is_ntlm: false };
    let text = windows::logon(&host, moment, who, &logon, random);
    scene.windows(&host, moment, text);
    for _ in 0..random.within(2, 6) {
        let moment = moment_within(shift.from + MINUTE, shift.to, random);
        let (image, line) = *random.pick(PROGRAMS);
        let command = (image, line, "C:\\Windows\\explorer.exe");
        let text = windows::process(&host, moment, who, command, random);
        scene.windows(&host, moment, text);
    }
}

/// A session that goes on from day to day, or a new one.
fn session(old: &str, renewal: f64, random: &mut Random) -> (String, bool) {
    if old.is_empty() || random.chance(renewal) {
        (random.guid().to_string(), true)
    } else {
        (old.to_owned(), false)
    }
}

/// Outlook and the other programs renew their tokens.
fn desktop(scene: &mut Scene, shift: &Shift, random: &mut Random) -> Vec<Token> {
    let index = shift.person.index;
    let (id, _) = session(&scene.desks[index].desktop, 0.02, random);
    scene.desks[index].desktop.clone_from(&id);
    let mut context = shift.mail.clone();
    context.browser = "Rich Client 5.0.5".to_owned();
    context.agent = "Windows-AzureAD-Authentication-Provider/1.0".to_owned();
    let mut tokens = Vec::new();
    for part in 0..1 + i64::from(random.count(0.5)) {
        let moment = shift.from + part * 4 * 60 * MINUTE + random.minutes(0, 30);
        if moment < shift.to {
            if shift.is_in_office {
                reach(scene, shift, moment, random);
            }
            tokens.push(scene.sign_in(index, &context, (OFFICE, RENEWAL), &id, moment, random));
        }
    }
    if random.chance(0.4) {
        let moment = moment_within(shift.from, shift.to, random);
        scene.sign_in(index, &context, (TEAMS, RENEWAL), &id, moment, random);
    }
    tokens
}

/// The browser: signed in anew on some days, and a wrong password now and then.
fn web(scene: &mut Scene, shift: &Shift, random: &mut Random) -> (Option<Token>, Context) {
    let index = shift.person.index;
    let mut context = habit::in_browser(&shift.person, &shift.files, random);
    if habit(index) == Habit::UnsureVersion {
        let day = shift.day.unsigned_abs();
        context = habit::unsure(context, &mut Random::of(scene.seed, "version", &[day]));
    }
    if !random.chance(0.75) {
        return (None, context);
    }
    let (id, is_new) = session(&scene.desks[index].web, 0.3, random);
    scene.desks[index].web.clone_from(&id);
    let moment = shift.from + random.minutes(1, 80);
    let app: App = *random.pick(&[WEB_MAIL, PORTAL, FILES, FILES]);
    if !is_new {
        reach(scene, shift, moment, random);
        return (
            Some(scene.sign_in(index, &context, (app, RENEWAL), &id, moment, random)),
            context,
        );
    }
    // A second factor is asked for outside the offices only, and not of everybody.
    let is_asked = !shift.is_in_office && shift.person.has_second_factor;
    let how = if is_asked { BROWSER_MFA } else { BROWSER };
    if random.chance(0.05) {
        let before = moment - random.within(8, 50) * SECOND;
        scene.fail_sign_in(index, &context, (app, how, 50_126), before, random);
    }
    if how.is_mfa && random.chance(0.03) {
        let before = moment - random.within(60, 90) * SECOND;
        scene.fail_sign_in(index, &context, (app, how, 500_121), before, random);
    }
    reach(scene, shift, moment, random);
    (Some(scene.sign_in(index, &context, (app, how), &id, moment, random)), context)
}

/// The sensor sees who reaches the cloud from inside; with a split tunnel that is not everybody.
fn reach(scene: &mut Scene, shift: &Shift, moment: Moment, random: &mut Random) {
    if let Some(inside) = shift.inside_at(moment) {
        scene.reach_cloud(inside, moment - random.within(200, 3_000), random);
    }
}

fn mail(
    scene: &mut Scene,
    shift: &Shift,
    desktop: &[Token],
    web: Option<&Token>,
    random: &mut Random,
) {
    let index = shift.person.index;
    // Assistants work in their director's mailbox too.
    let other = (shift.person.role == Role::Assistant).then(|| index - 6);
    for _ in 0..random.count(1.1 * shift.volume) {
        let moment = moment_within(shift.from + 30 * MINUTE, shift.to, random);
        let in_browser = random.chance(0.3) && web.is_some_and(|token| token.issued <= moment);
        let token = if in_browser { web } else { latest(desktop, moment) };
        let client = if in_browser { Client::Web } else { Client::Desktop };
        let owner = other.filter(|_| random.chance(0.5)).unwrap_or(index);
        let count = 1 + random.index(5);
        let token = token.filter(|_| !random.chance(0.06));
        scene.read_mail(index, owner, (&shift.mail, token, client), count, moment, random);
    }
    for _ in 0..random.count(0.5 * shift.volume) {
        let moment = moment_within(shift.from + 30 * MINUTE, shift.to, random);
        let token = latest(desktop, moment);
        let doing = (&shift.mail, token, Client::Desktop);
        scene.send_mail(index, doing, subject(random), moment, random);
    }
    if random.chance(0.03) {
        let moment = moment_within(shift.from, shift.to, random);
        let act = crate::record::unified::Act {
            person: &scene.people[index],
            context: &shift.mail,
            token: latest(desktop, moment),
            moment,
        };
        let text = crate::record::unified::sync(&act, &scene.people[index], "Inbox", random);
        scene.evidence.push(Log::UnifiedAudit, moment, text);
    }
}

/// The token that was the newest at a time.
fn latest(tokens: &[Token], moment: Moment) -> Option<&Token> {
    tokens.iter().rev().find(|token| token.issued <= moment)
}

/// What people write about.
pub(crate) fn subject(random: &mut Random) -> &'static str {
    const SUBJECTS: &[&str] = &[
        "Re: schedule",
        "Minutes of Monday",
        "Re: interface document",
        "Request for quotation",
        "Fwd: seminar",
        "Test report",
        "Re: Re: budget",
        "Agenda",
        "Business trip",
        "Safety review",
    ];
    SUBJECTS[random.index(SUBJECTS.len())]
}

fn files(
    scene: &mut Scene,
    shift: &Shift,
    browser: &Context,
    web: Option<&Token>,
    random: &mut Random,
) {
    let index = shift.person.index;
    for _ in 0..random.count(1.1 * shift.volume) {
        let moment = moment_within(shift.from + 30 * MINUTE, shift.to, random);
        let department = if random.chance(0.85) {
            shift.person.department
        } else {
            random.index(DEPARTMENTS.len())
        };
        let site = DEPARTMENTS[department].1;
        let operation = match random.below(20) {
            0..=10 => "FileAccessed",
            11..=13 => "FileModified",
            14 => "FileUploaded",
            15 => "FilePreviewed",
            16..=17 => "FileDownloaded",
            _ => "FileAccessedExtended",
        };
        let path = file_path(site, random.below(120));
        let token = web.filter(|token| token.issued <= moment);
        scene.use_file(index, browser, token, (operation, site, &path), moment, random);
    }
    // A library is synchronised at a stroke.
    if random.chance(0.012) {
        let moment = moment_within(shift.from, shift.to, random);
        let id = scene.desks[index].desktop.clone();
        let token = scene.sign_in(index, &shift.files, (SYNC, RENEWAL), &id, moment, random);
        let site = DEPARTMENTS[shift.person.department].1;
        for number in 0..random.below(50) {
            let moment = moment + i64::try_from(number).unwrap_or(0) * SECOND;
            let path = file_path(site, number);
            let file = ("FileSyncDownloadedFull", site, path.as_str());
            scene.use_file(index, &shift.files, Some(&token), file, moment, random);
        }
    }
}

/// Mail on the telephone, at any hour of the waking day.
fn telephone(scene: &mut Scene, person: &Person, day: i64, random: &mut Random) {
    let Some(telephone) = person.telephone.clone() else { return };
    let index = person.index;
    let moment = midnight(day) + random.minutes(6 * 60 + 30, 23 * 60);
    let context = habit::at_telephone(person, &telephone, (day, moment), random);
    let is_changed = habit(index) == Habit::NewTelephone && day >= habit::CHANGE_DAY;
    let old = scene.desks[index].telephone.clone();
    let (id, is_new) =
        session(&old, if is_changed && day < habit::CHANGE_DAY + 3 { 0.5 } else { 0.01 }, random);
    scene.desks[index].telephone.clone_from(&id);
    let mut how = RENEWAL;
    how.is_interactive = is_new;
    how.is_mfa = is_new;
    let token = scene.sign_in(index, &context, (MOBILE, how), &id, moment, random);
    for _ in 0..random.count(0.6) {
        let moment = moment + random.within(5, 900) * SECOND;
        // Reads by the telephone's program reach the mailbox from the provider's machines.
        let mut read = context.clone();
        if random.chance(0.7) {
            read.place = place::cloud(random);
        }
        let count = 1 + random.index(3);
        let doing = (&read, Some(&token), Client::Telephone);
        scene.read_mail(index, index, doing, count, moment, random);
    }
}

/// A service renews a token: the record shows the home where the token was first given, although
/// its user is in the office.
fn stale(scene: &mut Scene, shift: &Shift, random: &mut Random) {
    let index = shift.person.index;
    let mut context = shift.mail.clone();
    context.place = shift.person.home.clone();
    context.agent.clear();
    let id = scene.desks[index].desktop.clone();
    let moment = moment_within(shift.from, shift.to, random);
    scene.sign_in(index, &context, (SERVICE, RENEWAL), &id, moment, random);
}

/// Work in the evening at the family's computer, which nobody manages.
fn evening(scene: &mut Scene, shift: &Shift, random: &mut Random) {
    let index = shift.person.index;
    let place = habit::away_place(&shift.person, shift.day, random);
    let context = habit::at_own_computer(&shift.person, shift.day, place);
    let moment = shift.to + random.minutes(5, 200);
    let id = random.guid().to_string();
    let how = if shift.person.has_second_factor { BROWSER_MFA } else { BROWSER };
    let token = scene.sign_in(index, &context, (WEB_MAIL, how), &id, moment, random);
    read_in_browser(scene, index, (&context, &token), moment, random);
}

/// The computer at work renews its tokens until the morning, while its user is at home.
fn left_on(scene: &mut Scene, shift: &Shift, random: &mut Random) {
    let index = shift.person.index;
    let id = scene.desks[index].desktop.clone();
    for turn in 1..8 {
        let moment = shift.to + turn * HOUR + random.minutes(0, 20);
        scene.sign_in(index, &shift.mail, (TEAMS, RENEWAL), &id, moment, random);
    }
    if random.chance(0.4) {
        evening(scene, shift, random);
    }
}

/// An hour in the same browser session through a VPN of a hosting provider.
fn browser_vpn(scene: &mut Scene, shift: &Shift, browser: &Context, random: &mut Random) {
    let index = shift.person.index;
    let id = scene.desks[index].web.clone();
    if id.is_empty() || !random.chance(0.25) {
        return;
    }
    let place = place::hosting(160 + random.within(0, 3));
    let context = Context { place, ..browser.clone() };
    let moment = moment_within(shift.from + 2 * HOUR, shift.to - HOUR, random);
    let token = scene.sign_in(index, &context, (WEB_MAIL, RENEWAL), &id, moment, random);
    read_in_browser(scene, index, (&context, &token), moment, random);
}

/// A few looks at the own mail.
fn read_in_browser(
    scene: &mut Scene,
    index: usize,
    (context, token): (&Context, &Token),
    moment: Moment,
    random: &mut Random,
) {
    for turn in 0..random.within(1, 3) {
        let moment = moment + turn * 7 * MINUTE + random.within(20, 200) * SECOND;
        let count = 1 + random.index(6);
        let doing = (context, Some(token), Client::Web);
        scene.read_mail(index, index, doing, count, moment, random);
    }
}

/// The provider's own machinery looks at mail all day, without session and from its own addresses.
fn look(scene: &mut Scene, day: i64, index: usize, mean: f64, random: &mut Random) {
    for _ in 0..random.count(mean) {
        let moment = midnight(day) + random.minutes(0, 1439);
        let context = Context {
            place: place::cloud(random),
            device: Device::unknown(""),
            browser: String::new(),
            agent: String::new(),
        };
        let count = 1 + random.index(3);
        let doing = (&context, None, Client::Background);
        scene.read_mail(index, index, doing, count, moment, random);
    }
}
