//! What a person, or somebody in the person's name, does: each act with all records that it leaves.

use crate::evidence::{Evidence, Log};
use crate::mail::{Desk, Mail};
use crate::moment::{MINUTE, Moment, SECOND};
use crate::people::{Device, Person};
use crate::place::Place;
use crate::random::Random;
use crate::record::sign_in::{self, App, SignIn};
use crate::record::unified::{self, Act, Client};
use crate::record::vpn::{self, Fact, Gateway};
use crate::record::zeek::{self, Flow};
use crate::truth::Truth;

/// From where and with what somebody acts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Context {
    pub(crate) place: Place,
    pub(crate) device: Device,
    pub(crate) browser: String,
    pub(crate) agent: String,
}

/// What a sign-in gives and later acts show.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Token {
    pub(crate) session: String,
    pub(crate) unique: String,
    pub(crate) issued: Moment,
    pub(crate) app: &'static str,
    pub(crate) app_name: &'static str,
}

/// How somebody signs in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct How {
    pub(crate) is_interactive: bool,
    pub(crate) is_mfa: bool,
    pub(crate) protocol: &'static str,
    pub(crate) client: &'static str,
}

/// In the browser, with a password alone.
pub(crate) const BROWSER: How =
    How { is_interactive: true, is_mfa: false, protocol: "none", client: "Browser" };
/// In the browser, with a second factor.
pub(crate) const BROWSER_MFA: How =
    How { is_interactive: true, is_mfa: true, protocol: "none", client: "Browser" };
/// A program renews its token.
pub(crate) const RENEWAL: How = How {
    is_interactive: false,
    is_mfa: false,
    protocol: "none",
    client: "Mobile Apps and Desktop clients",
};

/// Everything that acts change.
#[derive(Debug)]
pub(crate) struct Scene {
    pub(crate) seed: u64,
    pub(crate) people: Vec<Person>,
    pub(crate) desks: Vec<Desk>,
    pub(crate) gateways: [Gateway; 2],
    pub(crate) evidence: Evidence,
    pub(crate) truth: Truth,
    /// How many inside addresses VPN tunnels were given.
    pub(crate) leases: usize,
    pub(crate) tunnels: u64,
    /// Mailboxes whose reads are not written for a time.
    pub(crate) throttled: Vec<(usize, Moment, Moment)>,
}

impl Scene {
    /// The next inside address for a tunnel and the tunnel's number.
    pub(crate) fn lease(&mut self) -> (String, u64) {
        self.leases += 1;
        self.tunnels += 1;
        // An address is given again after two days or so.
        let number = 10 + self.leases % self.people.len().max(120);
        (format!("10.99.{}.{}", number / 250, 1 + number % 250), 1_184_250_000 + self.tunnels)
    }

    /// Signs in; the records are one or several sign-ins and the audit log's line.
    pub(crate) fn sign_in(
        &mut self,
        index: usize,
        context: &Context,
        (app, how): (App, How),
        session: &str,
        moment: Moment,
        random: &mut Random,
    ) -> Token {
        let correlation = random.guid();
        if how.is_interactive && how.protocol == "none" && random.chance(0.45) {
            let code = if how.is_mfa { 50_074 } else { *random.pick(&[50_058, 50_140]) };
            let id = random.guid().of_sign_in();
            self.put_sign_in(
                index,
                &sign(id, correlation, "", app, context, how, code),
                moment - random.within(3, 25) * SECOND,
            );
        }
        let id = random.guid().of_sign_in();
        self.put_sign_in(index, &sign(id, correlation, session, app, context, how, 0), moment);
        if how.is_interactive || random.chance(0.08) {
            let person = &self.people[index];
            let act = Act { person, context, token: None, moment };
            let text = unified::logged_in(&act, id, correlation, session, 0, random);
            self.evidence.push(Log::UnifiedAudit, moment, text);
        }
        Token {
            session: session.to_owned(),
            unique: id.token(),
            issued: moment,
            app: app.id,
            app_name: app.name,
        }
    }

    /// Fails to sign in, for the reason with this number.
    pub(crate) fn fail_sign_in(
        &mut self,
        index: usize,
        context: &Context,
        (app, how, code): (App, How, u32),
        moment: Moment,
        random: &mut Random,
    ) {
        let (id, correlation) = (random.guid().of_sign_in(), random.guid());
        self.put_sign_in(index, &sign(id, correlation, "", app, context, how, code), moment);
        let is_interrupt = matches!(code, 50_058 | 50_074 | 50_076 | 50_140);
        if !is_interrupt {
            let person = &self.people[index];
            let act = Act { person, context, token: None, moment };
            let text = unified::logged_in(&act, id, correlation, "", code, random);
            self.evidence.push(Log::UnifiedAudit, moment, text);
        }
    }

    fn put_sign_in(&mut self, index: usize, sign_in: &SignIn<'_>, moment: Moment) {
        let text = sign_in::record(&self.people[index], sign_in, moment);
        let log =
            if sign_in.is_interactive { Log::SignInInteractive } else { Log::SignInNonInteractive };
        self.evidence.push(log, moment, text);
    }

    fn is_throttled(&self, owner: usize, moment: Moment) -> bool {
        self.throttled
            .iter()
            .any(|(mailbox, from, to)| *mailbox == owner && (*from..*to).contains(&moment))
    }

    /// Opens mails of a mailbox; which of them the log shows.
    pub(crate) fn read_mail(
        &mut self,
        index: usize,
        owner: usize,
        doing: (&Context, Option<&Token>, Client),
        count: usize,
        moment: Moment,
        random: &mut Random,
    ) -> (Vec<String>, bool) {
        let items = self.desks[owner].some(count, moment, random);
        if items.is_empty() {
            return (Vec::new(), false);
        }
        let ids = items.iter().map(|mail| mail.id.clone()).collect();
        if self.is_throttled(owner, moment) {
            return (ids, false);
        }
        let (context, token, client) = doing;
        let act = Act { person: &self.people[index], context, token, moment };
        let list: Vec<&Mail> = items.iter().collect();
        let text = unified::bind(&act, &self.people[owner], client, &list, false, random);
        (ids, self.evidence.push(Log::UnifiedAudit, moment, text))
    }

    /// Sends a mail to colleagues, who receive it.
    pub(crate) fn send_mail(
        &mut self,
        index: usize,
        doing: (&Context, Option<&Token>, Client),
        subject: &str,
        moment: Moment,
        random: &mut Random,
    ) -> bool {
        let mail = Mail::from_inside(moment, random);
        let (context, token, client) = doing;
        let act = Act { person: &self.people[index], context, token, moment };
        let text = unified::send(&act, client, &mail, subject, random);
        for _ in 0..random.within(1, 3) {
            let to = random.index(self.people.len());
            let mut copy = mail.clone();
            copy.received += random.within(1, 90) * SECOND;
            self.desks[to].receive(copy);
        }
        self.evidence.push(Log::UnifiedAudit, moment, text)
    }

    /// Does something with a file.
    pub(crate) fn use_file(
        &mut self,
        index: usize,
        context: &Context,
        token: Option<&Token>,
        file: (&str, &str, &str),
        moment: Moment,
        random: &mut Random,
    ) -> bool {
        let (operation, site, path) = file;
        let act = Act { person: &self.people[index], context, token, moment };
        let text = unified::file(&act, operation, site, path, random);
        self.evidence.push(Log::UnifiedAudit, moment, text)
    }

    /// A connection that the sensor inside sees.
    pub(crate) fn flow(&mut self, flow: &Flow<'_>, moment: Moment, random: &mut Random) {
        let text = zeek::connection(flow, moment, random);
        self.evidence.push(Log::Connections, moment, text);
    }

    /// A connection from inside to the cloud, after a name look-up if the name is not cached.
    pub(crate) fn reach_cloud(&mut self, from: &str, moment: Moment, random: &mut Random) {
        let address = format!("198.19.250.{}", 1 + random.below(12));
        if random.chance(0.4) {
            let name = *random.pick(&[
                "login.cloud.example",
                "outlook.cloud.example",
                "files.cloud.example",
            ]);
            let before = moment - 200;
            let text = zeek::lookup(from, name, &address, before, random);
            self.evidence.push(Log::Lookups, before, text);
        }
        let (sent, received) = (2_000 + random.below(40_000), 8_000 + random.below(900_000));
        let lasts = random.within(400, 240_000);
        let flow = Flow { from, to: &address, port: 443, service: "ssl", lasts, sent, received };
        self.flow(&flow, moment, random);
    }

    /// What an appliance tells; false if its log lost it.
    pub(crate) fn vpn(&mut self, gateway: Gateway, moment: Moment, fact: Fact<'_>) -> bool {
        self.evidence.push(Log::Vpn(gateway.name), moment, vpn::line(gateway, moment, fact))
    }

    pub(crate) fn windows(&mut self, host: &str, moment: Moment, text: String) -> bool {
        self.evidence.push(Log::Windows(host.to_owned()), moment, text)
    }

    /// A mailbox is read so often that the log falls silent for a day.
    pub(crate) fn throttle(&mut self, owner: usize, from: Moment) {
        self.throttled.push((owner, from, from + 24 * 60 * MINUTE));
    }
}

fn sign<'a>(
    id: crate::random::Guid,
    correlation: crate::random::Guid,
    session: &str,
    app: App,
    context: &'a Context,
    how: How,
    code: u32,
) -> SignIn<'a> {
    SignIn {
        id,
        correlation,
        session: session.to_owned(),
        app,
        context,
        is_interactive: how.is_interactive,
        is_mfa: how.is_mfa,
        code,
        protocol: how.protocol,
        client: how.client,
    }
}

/// A file of a site: a folder, a name and an ending, from a number.
pub(crate) fn file_path(site: &str, number: u64) -> String {
    const FOLDERS: &[&str] = &[
        "Shared Documents/plans",
        "Shared Documents/reviews",
        "Shared Documents/minutes",
        "Shared Documents/data",
    ];
    const WORDS: &[&str] = &[
        "schedule",
        "interface",
        "budget",
        "test-report",
        "minutes",
        "harness",
        "analysis",
        "review",
        "contract",
        "procedure",
    ];
    const ENDINGS: &[&str] = &["docx", "xlsx", "pptx", "pdf", "jtd"];
    let pick = |list: &[&'static str], divisor: u64| {
        list[usize::try_from(number / divisor).unwrap_or(0) % list.len()]
    };
    format!("{}/{site}-{}-{number:03}.{}", pick(FOLDERS, 7), pick(WORDS, 1), pick(ENDINGS, 3))
}
