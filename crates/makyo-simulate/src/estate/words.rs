//! What the four makes of an estate write for the same fact.

use std::fmt::Write as _;

use crate::moment::{Moment, SECOND, TOKYO, local};
use crate::place::Place;
use crate::record::fortigate;
use crate::record::vpn::{self, Gateway};

/// Who made an appliance.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Make {
    FortiGate,
    Pulse,
    Asa,
    GlobalProtect,
}

/// An appliance of the estate.
#[derive(Clone, Copy, Debug)]
pub(super) struct Appliance {
    pub(super) make: Make,
    pub(super) name: &'static str,
    pub(super) outside: &'static str,
    pub(super) inside: &'static str,
    /// The first three numbers of the addresses that it gives out.
    pub(super) pool: &'static str,
    pub(super) file: &'static str,
}

const fn appliance(
    make: Make,
    name: &'static str,
    outside: &'static str,
    inside: &'static str,
    pool: &'static str,
    file: &'static str,
) -> Appliance {
    Appliance { make, name, outside, inside, pool, file }
}

pub(super) const APPLIANCES: [Appliance; 4] = [
    appliance(Make::FortiGate, "fgt-edge", "203.0.113.1", "10.20.0.1", "10.99.0", "fortigate.log"),
    appliance(Make::Pulse, "ive-edge", "203.0.113.2", "10.20.0.2", "10.98.0", "pulse.log"),
    appliance(Make::Asa, "asa-edge", "203.0.113.3", "10.20.0.3", "10.97.0", "asa.log"),
    appliance(
        Make::GlobalProtect,
        "pa-edge",
        "203.0.113.4",
        "10.20.0.4",
        "10.96.0",
        "globalprotect.log",
    ),
];

/// A session, as all makes tell it.
#[derive(Clone, Debug)]
pub(super) struct Session {
    pub(super) user: String,
    pub(super) client: Place,
    pub(super) assigned: String,
    pub(super) id: u64,
}

/// What an appliance tells.
#[derive(Clone, Copy, Debug)]
pub(super) enum Fact<'f> {
    Login(&'f Session),
    Failed(&'f Session),
    Open(&'f Session),
    /// The session goes on from another address.
    Moved(&'f Session, &'f Place),
    /// How long it lasted, bytes to and from the client.
    Close(&'f Session, Moment, u64, u64),
    /// An administrator signs in: who, from where.
    Admin(&'f str, &'f str),
    /// An administrator makes an account.
    Account(&'f str, &'f str),
    /// The log is no longer sent.
    LoggingRemoved,
    /// A line that says nothing of anybody, every few minutes.
    Alive(u64),
}

/// The lines of one fact.
pub(super) fn lines(appliance: &Appliance, moment: Moment, fact: Fact<'_>) -> Vec<String> {
    match appliance.make {
        Make::FortiGate => forti(appliance, moment, fact),
        Make::Pulse => pulse(appliance, moment, fact),
        Make::Asa => asa(appliance, moment, fact),
        Make::GlobalProtect => global_protect(appliance, moment, fact),
    }
}

fn gateway(appliance: &Appliance) -> Gateway {
    Gateway {
        make: vpn::Make::FortiGate,
        name: appliance.name,
        serial: "FGT20E0000000301",
        address: appliance.outside,
        ahead: 0,
        is_in_europe: false,
    }
}

fn forti(appliance: &Appliance, moment: Moment, fact: Fact<'_>) -> Vec<String> {
    let gateway = gateway(appliance);
    let tell = |fact: vpn::Fact<'_>| vec![fortigate::line(gateway, moment, fact)];
    let tunnel = |session: &Session, from: &str, then: &dyn Fn(&vpn::Tunnel<'_>) -> Vec<String>| {
        then(&vpn::Tunnel {
            id: session.id,
            user: &session.user,
            group: "vpn-users",
            from,
            inside: &session.assigned,
        })
    };
    let event = |id: &str, rest: String| {
        let base = fortigate::line(gateway, moment, vpn::Fact::Lives(3, 0));
        let head = base.split(" logid=").next().unwrap_or_default().to_owned();
        vec![format!("{head} logid=\"{id}\" type=\"event\" {rest}")]
    };
    match fact {
        Fact::Login(session) => tunnel(session, &session.client.address, &|tunnel| {
            tell(vpn::Fact::Authenticates(tunnel))
        }),
        Fact::Failed(session) => tell(vpn::Fact::Fails(&session.user, &session.client.address)),
        Fact::Open(session) => {
            tunnel(session, &session.client.address, &|tunnel| tell(vpn::Fact::Opens(tunnel)))
        }
        Fact::Moved(session, place) => event(
            "0101039949",
            format!(
                "subtype=\"vpn\" level=\"information\" vd=\"root\" logdesc=\"SSL VPN statistics\" action=\"tunnel-stats\" tunneltype=\"ssl-tunnel\" tunnelid={} remip={} tunnelip={} user=\"{}\" group=\"vpn-users\" dst_host=\"N/A\" duration=900 sentbyte=120011 rcvdbyte=88122 msg=\"SSL tunnel statistics\"",
                session.id, place.address, session.assigned, session.user
            ),
        ),
        Fact::Close(session, lasted, sent, received) => {
            let end = vpn::End {
                seconds: lasted / SECOND,
                sent,
                received,
                reason: "User requested termination of service",
            };
            tunnel(session, &session.client.address, &|tunnel| tell(vpn::Fact::Closes(tunnel, end)))
        }
        Fact::Admin(user, from) => tell(vpn::Fact::Administers(user, from)),
        Fact::Account(user, made) => event(
            "0100044547",
            format!(
                "subtype=\"system\" level=\"information\" vd=\"root\" logdesc=\"Object attribute configured\" user=\"{user}\" ui=\"GUI(192.0.2.201)\" action=\"Add\" cfgtid=1842 cfgpath=\"system.admin\" cfgobj=\"{made}\" cfgattr=\"accprofile[super_admin]\" msg=\"Add system.admin {made}\""
            ),
        ),
        Fact::LoggingRemoved => event(
            "0100044547",
            "subtype=\"system\" level=\"information\" vd=\"root\" logdesc=\"Object attribute configured\" user=\"admin\" ui=\"GUI(10.20.0.9)\" action=\"Edit\" cfgtid=1843 cfgpath=\"log.syslogd.setting\" cfgattr=\"status[enable->disable]\" msg=\"Edit log.syslogd.setting\"".to_owned(),
        ),
        Fact::Alive(number) => tell(vpn::Fact::Lives(number % 9, number % 90)),
    }
}

fn pulse(appliance: &Appliance, moment: Moment, fact: Fact<'_>) -> Vec<String> {
    let time = local(moment, 0, "%Y-%m-%d %H:%M:%S");
    let tell = |from: &str, user: &str, realm: &str, text: String| {
        format!("{time} - {} - [{from}] {user}({realm})[Staff] - {text}", appliance.name)
    };
    let own = |session: &Session, text: String| {
        tell(&session.client.address, &session.user, "Staff Realm", text)
    };
    match fact {
        Fact::Login(session) => {
            let Session { user, client, id, .. } = session;
            let from = &client.address;
            vec![
                own(
                    session,
                    format!("Primary authentication successful for {user}/AD from {from}"),
                ),
                own(
                    session,
                    format!(
                        "Login succeeded for {user}/Staff Realm (session:{id:08x}) from {from} with Pulse-Secure/9.1."
                    ),
                ),
            ]
        }
        Fact::Failed(session) => {
            let from = &session.client.address;
            vec![own(
                session,
                format!(
                    "Login failed using auth server AD (Active Directory) from {from}. Reason: Failed"
                ),
            )]
        }
        Fact::Open(session) => vec![own(
            session,
            format!(
                "VPN Tunneling: Session started for user with IPv4 address {}, hostname PC-{}",
                session.assigned,
                session.id % 1000
            ),
        )],
        Fact::Moved(session, place) => vec![own(
            session,
            format!(
                "Remote address for user {}/Staff Realm changed from {} to {}. Access denied",
                session.user, session.client.address, place.address
            ),
        )],
        Fact::Close(session, ..) => vec![
            own(
                session,
                format!(
                    "VPN Tunneling: Session ended for user with IPv4 address {}",
                    session.assigned
                ),
            ),
            own(
                session,
                format!("Logout from {} (session:{:08x})", session.client.address, session.id),
            ),
        ],
        _ => pulse_device(appliance, moment, fact, &tell),
    }
}

/// A line of the Pulse form: from where, who, in which realm, what.
type PulseLine<'t> = &'t dyn Fn(&str, &str, &str, String) -> String;

/// What a Pulse tells of itself.
fn pulse_device(
    appliance: &Appliance,
    moment: Moment,
    fact: Fact<'_>,
    tell: PulseLine<'_>,
) -> Vec<String> {
    debug_assert!(appliance.make == Make::Pulse);
    match fact {
        Fact::Admin(user, from) => vec![tell(
            from,
            user,
            "Admin Users",
            format!(
                "Login succeeded for {user}/Admin Users (session:{:08x}) from {from} with Mozilla/5.0.",
                moment / 1000 % 0xffff_ffff
            ),
        )],
        Fact::Account(user, made) => vec![tell(
            "10.20.0.9",
            user,
            "Admin Users",
            format!("User Accounts modified. Added {made} to authentication server System Local."),
        )],
        Fact::LoggingRemoved => vec![tell(
            "127.0.0.1",
            "System",
            "",
            "Syslog server 10.20.0.50 removed from the User Access log.".to_owned(),
        )],
        Fact::Alive(number) => vec![tell(
            "127.0.0.1",
            "System",
            "",
            format!("Number of concurrent users logged in to the device: {}", number % 90),
        )],
        _ => Vec::new(),
    }
}

fn asa(appliance: &Appliance, moment: Moment, fact: Fact<'_>) -> Vec<String> {
    let time = local(moment, 0, "%b %d %Y %H:%M:%S");
    let tell = |text: String| format!("<166>{time} {} : {text}", appliance.name);
    let head = |session: &Session, from: &str| {
        format!("Group <STAFF-VPN> User <{}> IP <{from}>", session.user)
    };
    match fact {
        Fact::Login(session) => vec![tell(format!(
            "%ASA-6-113004: AAA user authentication Successful : server =  10.20.1.5 : user = {}",
            session.user
        ))],
        Fact::Failed(session) => vec![tell(format!(
            "%ASA-6-113005: AAA user authentication Rejected : reason = AAA failure : server = 10.20.1.5 : user = {} : user IP = {}",
            session.user, session.client.address
        ))],
        Fact::Open(session) => {
            let head = head(session, &session.client.address);
            vec![
                tell(format!("%ASA-6-113039: {head} AnyConnect parent session started.")),
                tell(format!(
                    "%ASA-6-722022: {head} TCP SVC connection established without compression"
                )),
                tell(format!(
                    "%ASA-4-722051: {head} IPv4 Address <{}> IPv6 address <::> assigned to session",
                    session.assigned
                )),
            ]
        }
        Fact::Moved(session, place) => vec![tell(format!(
            "%ASA-5-722033: {} First TCP SVC connection established for SVC session.",
            head(session, &place.address)
        ))],
        Fact::Close(session, lasted, sent, received) => {
            let seconds = lasted / SECOND;
            vec![tell(format!(
                "%ASA-4-113019: Group = STAFF-VPN, Username = {}, IP = {}, Session disconnected. Session Type: SSL, Duration: {}h:{:02}m:{:02}s, Bytes xmt: {sent}, Bytes rcv: {received}, Reason: User Requested",
                session.user,
                session.client.address,
                seconds / 3600,
                seconds / 60 % 60,
                seconds % 60
            ))]
        }
        Fact::Admin(user, from) => vec![
            tell(format!(
                "%ASA-6-113012: AAA user authentication Successful : local database : user = {user}"
            )),
            tell(format!(
                "%ASA-6-605005: Login permitted from {from}/51112 to inside:{}/ssh for user \"{user}\"",
                appliance.inside
            )),
        ],
        Fact::Account(user, made) => vec![tell(format!(
            "%ASA-5-111010: User '{user}', running 'CLI' from IP 10.20.0.9, executed 'username {made} privilege 15'"
        ))],
        Fact::LoggingRemoved => {
            vec![tell("%ASA-5-111008: User 'admin' executed the 'no logging host inside 10.20.0.50' command.".to_owned())]
        }
        Fact::Alive(number) => vec![tell(format!(
            "%ASA-6-302010: {} in use, {} most used",
            number % 400,
            400 + number % 90
        ))],
    }
}

fn global_protect(appliance: &Appliance, moment: Moment, fact: Fact<'_>) -> Vec<String> {
    let clock = local(moment, TOKYO, "%Y/%m/%d %H:%M:%S");
    let precise = local(moment, TOKYO, "%Y-%m-%dT%H:%M:%S%.3f%:z");
    let head = format!("<14>{} {} ", local(moment, TOKYO, "%b %e %H:%M:%S"), appliance.name);
    let tell = |session: &Session,
                place: &Place,
                event: &str,
                stage: &str,
                status: &str,
                inside: &str| {
        let mut line =
            format!("{head}1,{clock},007000000000301,GLOBALPROTECT,0,2305,{clock},vsys1,");
        let _ = write!(
            line,
            "{event},{stage},,,{},{},PC-{:04},{},,{inside},,5c3f0000-0000-4000-8000-{:012x},SN-{},6.0.4,Windows,\"Microsoft Windows 10 Pro , 64-bit\",1,,,,{status},,0,user-logon,0,gp-portal,{},0x8000000000000000,{precise},,,,,gp-gw,0,0,0,0,,{},1",
            session.user,
            place.country,
            session.id % 997,
            place.address,
            session.id % 997,
            session.id % 997,
            moment / 1000 * 100_000 + i64::try_from(session.id % 100_000).unwrap_or(0),
            appliance.name
        );
        line
    };
    let own = |session: &Session, event: &str, stage: &str, status: &str, inside: &str| {
        tell(session, &session.client, event, stage, status, inside)
    };
    match fact {
        Fact::Login(session) => vec![
            own(session, "portal-auth", "login", "success", "0.0.0.0"),
            own(session, "gateway-auth", "login", "success", "0.0.0.0"),
        ],
        Fact::Failed(session) => vec![own(session, "gateway-auth", "login", "failure", "0.0.0.0")],
        Fact::Open(session) => {
            vec![own(session, "gateway-connected", "connected", "success", &session.assigned)]
        }
        Fact::Moved(session, place) => {
            vec![tell(
                session,
                place,
                "gateway-tunnel-latency",
                "tunnel",
                "success",
                &session.assigned,
            )]
        }
        Fact::Close(session, ..) => vec![
            own(session, "gateway-config-release", "configuration", "success", &session.assigned),
            own(session, "gateway-logout", "logout", "success", &session.assigned),
        ],
        _ => pan_os(appliance, &head, &clock, moment, fact),
    }
}

/// What the firewall tells of itself.
fn pan_os(
    appliance: &Appliance,
    head: &str,
    clock: &str,
    moment: Moment,
    fact: Fact<'_>,
) -> Vec<String> {
    let precise = local(moment, TOKYO, "%Y-%m-%dT%H:%M:%S%.3f%:z");
    match fact {
        Fact::Admin(user, from) => vec![format!(
            "{head}1,{clock},007000000000301,SYSTEM,auth,2305,{clock},,auth-success,,0,0,general,informational,\"authenticated for user '{user}'.   auth profile 'admins', vsys 'shared', server profile 'ldap', From: {from}.\",{},0x0,0,0,0,0,,{},0,0,{precise}",
            moment / 1000,
            appliance.name
        )],
        Fact::Account(user, made) => vec![format!(
            "{head}1,{clock},007000000000301,CONFIG,0,2305,{clock},10.20.0.9,,set,{user},Web,Succeeded, mgt-config users {made},{},0x0,0,0,0,0,,{},,,0,{precise}",
            moment / 1000,
            appliance.name
        )],
        Fact::LoggingRemoved => vec![format!(
            "{head}1,{clock},007000000000301,CONFIG,0,2305,{clock},10.20.0.9,,delete,admin,Web,Succeeded, shared log-settings syslog collector,{},0x0,0,0,0,0,,{},,,0,{precise}",
            moment / 1000,
            appliance.name
        )],
        Fact::Alive(number) => vec![format!(
            "{head}1,{clock},007000000000301,SYSTEM,general,0,{clock},,general,,0,0,general,informational,\"Connection to Update server: completed successfully, {} active\",{},0x0,0,0,0,0,,{},0,0,{precise}",
            number % 90,
            moment / 1000,
            appliance.name
        )],
        _ => Vec::new(),
    }
}
