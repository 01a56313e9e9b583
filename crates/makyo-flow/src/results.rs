//! What an analysis finds, with addresses, times and records.

use std::net::IpAddr;

use makyo_base::{AddressClass, DefectKind, RecordRef};

use crate::beacon::Rhythm;
use crate::rita::RitaScore;

/// A regular channel.
#[derive(Clone, PartialEq, Debug)]
pub struct Beacon {
    /// Who calls.
    pub source: IpAddr,
    /// Whom.
    pub target: IpAddr,
    /// On which port.
    pub port: u16,
    /// IANA protocol number.
    pub protocol: u8,
    /// From 0 to 1: regularity, times rarity, times what role the channel may have.
    pub suspicion: f64,
    /// Minus log10 of the chance to be this regular without a clock.
    pub nlp: f64,
    /// Seconds from beat to beat.
    pub period_s: f64,
    /// What gives the clock away.
    pub rhythm: Rhythm,
    /// Seconds in which it called, without pauses.
    pub active_s: f64,
    /// How far gaps stray, as a share of the period.
    pub spread: f64,
    /// Beats.
    pub beats: u32,
    /// Flows.
    pub flows: u32,
    /// Pauses of the beat: nights, weekends.
    pub pauses: u32,
    /// Flows that failed.
    pub failed: u32,
    /// Inside sources that reach the same target.
    pub sources: u32,
    /// Inside sources in all.
    pub sources_in_all: u32,
    /// Bytes from the source.
    pub bytes_out: u64,
    /// Bytes towards it.
    pub bytes_in: u64,
    /// Share of the most usual size among the sizes sent.
    pub same_size: f64,
    /// The score that other tools rank by.
    pub rita: RitaScore,
    /// Whether the target lies outside.
    pub is_outside: bool,
    /// What lists say of the target.
    pub class: Option<AddressClass>,
    /// What databases say of it: network and country.
    pub network: Option<String>,
    /// Why its suspicion is lower than its regularity: a shared habit, a well-known service.
    pub benign: Option<&'static str>,
    /// First flow, nanoseconds.
    pub first: i64,
    /// Last flow, nanoseconds.
    pub last: i64,
    /// First, last and some records between.
    pub records: Vec<RecordRef>,
}

/// An inside address that scans.
#[derive(Clone, PartialEq, Debug)]
pub struct Scan {
    /// Who.
    pub source: IpAddr,
    /// First contacts that failed, by distinct destination.
    pub failed: u32,
    /// First contacts that succeeded.
    pub succeeded: u32,
    /// The most destinations that failed on one port within ten minutes, and that port.
    pub hosts_at_once: u32,
    /// See `hosts_at_once`.
    pub port: u16,
    /// The most ports that failed on one destination, and that destination.
    pub ports_of_one: u32,
    /// See `ports_of_one`.
    pub one: IpAddr,
    /// The most destinations that failed on one port in a day.
    pub hosts_in_a_day: u32,
    /// Logarithm (natural) of the odds that failures like these give for a scanner.
    pub log_odds: f64,
    /// Whether most of what was scanned lies inside.
    pub is_inside: bool,
    /// Whether `org.toml` names it as an own scanner.
    pub is_own_scanner: bool,
    /// First contact that failed, nanoseconds.
    pub first: i64,
    /// Last one.
    pub last: i64,
    /// Some records.
    pub records: Vec<RecordRef>,
}

/// A controller that no list names, as far as its callers give it away.
#[derive(Clone, PartialEq, Debug)]
pub struct Controller {
    /// Its address.
    pub target: IpAddr,
    /// Its port.
    pub port: u16,
    /// IANA protocol number.
    pub protocol: u8,
    /// Own devices that call it.
    pub devices: u32,
    /// Of these, regular callers.
    pub regular: u32,
    /// Of these, such as were known before they began to call.
    pub novel: u32,
    /// Of these, such as had been entered from outside and had fetched something just before.
    pub chains: u32,
    /// How many of these coincidences would be expected by chance.
    pub chains_by_chance: f64,
    /// Of these, such as scan.
    pub scanners: u32,
    /// Minus log10 of the chance of so many chains.
    pub nlp: f64,
    /// Whether it is taken for a controller; where not, why it is left alone.
    pub is_accused: bool,
    /// The reason in a sentence.
    pub reason: String,
    /// First call, nanoseconds.
    pub first: i64,
    /// Last call.
    pub last: i64,
}

/// Why a device is taken for a member.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum MemberReason {
    /// It calls a published controller within the time for which the publication holds.
    Listed,
    /// It calls a controller that nobody listed, after it was entered from outside.
    Unlisted,
    /// It passes on what it gets from outside.
    Relay,
}

impl MemberReason {
    /// The word in tables.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            MemberReason::Listed => "listed_controller",
            MemberReason::Unlisted => "unlisted_controller",
            MemberReason::Relay => "relay",
        }
    }
}

/// An own device that serves a botnet, or may.
#[derive(Clone, PartialEq, Debug)]
pub struct Member {
    /// The device.
    pub device: IpAddr,
    /// Its controller; of a relay, the other side.
    pub controller: IpAddr,
    /// The controller's port.
    pub port: u16,
    /// Why.
    pub why: MemberReason,
    /// How the publisher calls the controller.
    pub listed_as: Option<String>,
    /// Flows to the controller.
    pub flows: u32,
    /// Its period in seconds, where it is regular.
    pub period_s: Option<f64>,
    /// From where it was entered, and when.
    pub entered_from: Option<(IpAddr, i64)>,
    /// From where it fetched something then.
    pub fetched_from: Option<IpAddr>,
    /// Whether it scans.
    pub scans: bool,
    /// Strong enough to be called a member; else a suspicion for the table.
    pub is_member: bool,
    /// Decibans.
    pub weight_db: f64,
    /// First call, nanoseconds.
    pub first: i64,
    /// Last call.
    pub last: i64,
    /// Records.
    pub records: Vec<RecordRef>,
}

/// Much sent to an outside address that hardly anybody else reaches.
#[derive(Clone, PartialEq, Debug)]
pub struct Bulk {
    /// Who.
    pub source: IpAddr,
    /// To whom.
    pub target: IpAddr,
    /// Bytes sent.
    pub bytes_out: u64,
    /// Bytes that came back.
    pub bytes_in: u64,
    /// Inside sources that reach the same target.
    pub sources: u32,
    /// How many robust deviations above what others send to rare targets.
    pub deviations: f64,
    /// Bytes that the source had collected from inside in the day before.
    pub collected: u64,
    /// Whether what was collected is about what was sent.
    pub is_staged: bool,
    /// What lists say of the target.
    pub class: Option<AddressClass>,
    /// What databases say of it: network and country.
    pub network: Option<String>,
    /// First flow, nanoseconds.
    pub first: i64,
    /// Last.
    pub last: i64,
    /// Records.
    pub records: Vec<RecordRef>,
}

/// A domain through which a client sends data in its questions.
#[derive(Clone, PartialEq, Debug)]
pub struct DnsTunnel {
    /// The registered domain, as far as labels tell.
    pub domain: String,
    /// The client that asks most.
    pub client: IpAddr,
    /// Clients in all.
    pub clients: u32,
    /// Questions.
    pub questions: u32,
    /// Different names below the domain.
    pub names: u32,
    /// Mean characters below the domain.
    pub mean_length: f64,
    /// Mean bits a character.
    pub entropy: f64,
    /// Characters in all different names: what could have been sent.
    pub payload: u64,
    /// First question, nanoseconds.
    pub first: i64,
    /// Last.
    pub last: i64,
    /// Records.
    pub records: Vec<RecordRef>,
}

/// One step of a lateral path.
#[derive(Clone, PartialEq, Debug)]
pub struct Hop {
    /// From.
    pub source: IpAddr,
    /// To.
    pub target: IpAddr,
    /// Port.
    pub port: u16,
    /// First contact, nanoseconds.
    pub time: i64,
    /// Its record.
    pub record: RecordRef,
}

/// New connections on ports of administration, one after another in time, from where an intruder
/// may come in.
#[derive(Clone, PartialEq, Debug)]
pub struct LateralPath {
    /// Its steps, in the order of time.
    pub hops: Vec<Hop>,
    /// Decibans: how unusual the steps after the first are.
    pub weight_db: f64,
}

/// New contacts of one watched address in one hour.
#[derive(Clone, PartialEq, Debug)]
pub struct HourOfReach {
    /// The address.
    pub source: IpAddr,
    /// The hour's beginning, nanoseconds.
    pub hour: i64,
    /// Inside hosts that it reached for the first time.
    pub new_hosts: u32,
    /// Pairs of inside host and port that it reached for the first time.
    pub new_ports: u32,
    /// Of these, on ports of administration.
    pub admin_ports: u32,
    /// A record.
    pub record: RecordRef,
}

/// A time in which an address of a VPN pool had flows, without ten silent minutes.
#[derive(Clone, PartialEq, Debug)]
pub struct PoolSpan {
    /// The address.
    pub address: IpAddr,
    /// First flow, nanoseconds.
    pub first: i64,
    /// Last.
    pub last: i64,
    /// Flows.
    pub flows: u32,
    /// First and last record.
    pub records: Vec<RecordRef>,
}

/// A place that could not be read.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Unread {
    /// The file.
    pub file: String,
    /// The first such record.
    pub record: u64,
    /// Why, in a word.
    pub kind: DefectKind,
    /// Why.
    pub detail: String,
    /// How many records alike.
    pub count: u64,
}

/// What could not be done for want of something.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Lack(pub String);

/// All results, sorted.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Results {
    /// Flows, each counted once.
    pub flows: u64,
    /// Flows that were there twice.
    pub duplicates: u64,
    /// Questions to the DNS.
    pub questions: u64,
    /// Pairs of addresses and a port.
    pub channels: u64,
    /// Inside sources.
    pub devices: u64,
    /// First flow, nanoseconds.
    pub first: Option<i64>,
    /// Last.
    pub last: Option<i64>,
    /// Most suspicious first.
    pub beacons: Vec<Beacon>,
    /// Regular channels in all, of which `beacons` has the most suspicious.
    pub beacons_in_all: u64,
    /// Scanners.
    pub scans: Vec<Scan>,
    /// Controllers, accused or left alone.
    pub controllers: Vec<Controller>,
    /// Members and suspicions.
    pub members: Vec<Member>,
    /// Bulk to the outside.
    pub bulk: Vec<Bulk>,
    /// Tunnels through the DNS.
    pub tunnels: Vec<DnsTunnel>,
    /// Paths through the inside.
    pub paths: Vec<LateralPath>,
    /// New contacts of pool addresses and appliances, by hour.
    pub reach: Vec<HourOfReach>,
    /// When pool addresses had flows.
    pub pool_spans: Vec<PoolSpan>,
    /// What could not be read.
    pub unread: Vec<Unread>,
    /// Files whose records are not one a line; their flows must come by another way.
    pub refused: Vec<String>,
    /// What the results lack, in sentences.
    pub lacks: Vec<Lack>,
}
