//! In the cloud in other people's names: signing in, reading, taking, changing.

use std::collections::BTreeSet;

use super::plan::{Depth, Plan, Session, Victim, Way};
use super::servers::{outside, tunnel};
use crate::act::{BROWSER, BROWSER_MFA, Context, How, RENEWAL, Scene, Token, file_path};
use crate::decoy::{consent, second_factor};
use crate::evidence::Log;
use crate::habit;
use crate::mail::Mail;
use crate::moment::{DAY, HOUR, MINUTE, Moment, SECOND, START};
use crate::people::{Browser, DEPARTMENTS, Device, Role, agent};
use crate::place;
use crate::random::Random;
use crate::record::sign_in::{BROKER, FILES, LEGACY, OFFICE, PORTAL, WEB_MAIL};
use crate::record::unified::{self, Act, Client};
use crate::truth::Rung;

/// What the intruder does in the cloud on a day.
pub(crate) fn in_cloud(scene: &mut Scene, plan: &Plan, day: i64) {
    let random = &mut Random::of(scene.seed, "intruder", &[day.unsigned_abs()]);
    for (number, session) in plan.sessions.iter().enumerate() {
        if session.day == day {
            work(scene, plan, number, session, random);
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
            if victim.way == Way::Egress {
                scene.reach_cloud(&inside, before - page_load(random), random);
            }
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
        attempt(scene, plan, *index, (number, session.day, &inside), moment, random);
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

/// From the connection to the sign-in, as with everybody.
fn page_load(random: &mut Random) -> Moment {
    random.within(200, 3_000)
}

fn attempt(
    scene: &mut Scene,
    plan: &Plan,
    index: usize,
    (number, day, inside): (usize, i64, &str),
    moment: Moment,
    random: &mut Random,
) {
    let is_own = plan.is_inside || random.chance(0.5);
    let way = if is_own { Way::Egress } else { Way::Hosting };
    let context = context(scene, plan, way, number, day);
    let code = *random.pick(&[50_126, 50_126, 50_053, 53_003, 500_121, 50_076]);
    for turn in 0..random.within(1, 3) {
        let moment = moment + turn * 12 * SECOND;
        if way == Way::Egress {
            scene.reach_cloud(inside, moment - page_load(random), random);
        }
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
        let first = moment - page_load(random);
        for turn in 0..random.within(2, 5) {
            scene.reach_cloud(inside, first + turn * 20 * SECOND, random);
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
            scene.truth.stage(moment, "collection", "T1114.002");
        } else {
            truth.mails_unlogged.extend(ids);
        }
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
            scene.truth.stage(moment, "collection", "T1213.002");
        }
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
    if !is_logged {
        return;
    }
    truth.persistence.push((kind, moment, detail));
    let technique = match kind {
        "inbox_rule" => ("stealth", "T1564.008"),
        "mfa_method" => ("persistence", "T1098.005"),
        "oauth_consent" => ("persistence", "T1671"),
        _ => return,
    };
    scene.truth.stage(moment, technique.0, technique.1);
}
