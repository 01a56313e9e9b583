//! Questions to the DNS that carry data: many different long names below one domain, asked by few.

use std::net::IpAddr;

use rustc_hash::{FxHashMap, FxHashSet, FxHasher};
use std::hash::Hasher as _;

use crate::read::Asked;

/// Different names remembered for one domain; more are estimated by the share of new ones.
const NAMES_MAX: usize = 20_000;
/// Domains and names remembered in all.
const ALL_MAX: usize = 4_000_000;
const CLIENTS_MAX: usize = 64;
const PLACES_MAX: usize = 5;

#[derive(Debug, Default)]
struct Tally {
    questions: u32,
    names: FxHashSet<u64>,
    clients: FxHashMap<IpAddr, u32>,
    characters: u64,
    bits: f64,
    first: i64,
    last: i64,
    places: Vec<u32>,
}

/// A domain that may carry data.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct RawTunnel {
    pub(crate) domain: Vec<u8>,
    pub(crate) client: IpAddr,
    pub(crate) clients: u32,
    pub(crate) questions: u32,
    pub(crate) names: u32,
    pub(crate) mean_length: f64,
    pub(crate) entropy: f64,
    pub(crate) payload: u64,
    pub(crate) first: i64,
    pub(crate) last: i64,
    pub(crate) places: Vec<u32>,
}

/// All questions, by domain.
#[derive(Debug, Default)]
pub(crate) struct Questions {
    domains: FxHashMap<Vec<u8>, Tally>,
    clients: FxHashSet<IpAddr>,
    seen: FxHashSet<u64>,
    held: usize,
    pub(crate) count: u64,
}

fn hash(bytes: &[u8]) -> u64 {
    let mut hasher = FxHasher::default();
    bytes.iter().for_each(|byte| hasher.write_u8(byte.to_ascii_lowercase()));
    hasher.finish()
}

/// Second-level names under which strangers register, with a country's name after them.
const SECOND: [&[u8]; 12] =
    [b"co", b"com", b"ac", b"go", b"ne", b"or", b"gov", b"edu", b"org", b"net", b"gr", b"lg"];

/// A name as what stands below its registered domain, and that domain.
fn split(name: &[u8]) -> Option<(&[u8], &[u8])> {
    let name = name.strip_suffix(b".").unwrap_or(name);
    let mut dots = memchr::memrchr_iter(b'.', name);
    let (last, second) = (dots.next()?, dots.next()?);
    let is_country = name.len() - last == 3;
    let label = name.get(second + 1..last)?;
    let at = if is_country && SECOND.contains(&label) { dots.next()? } else { second };
    Some((name.get(..at)?, name.get(at + 1..)?))
}

impl Questions {
    pub(crate) fn ask(&mut self, asked: &Asked<'_>, place: u32) {
        self.count += 1;
        let Some((below, domain)) = split(asked.name) else { return };
        if domain.ends_with(b"arpa") || domain.ends_with(b"local") {
            return;
        }
        if self.clients.len() < ALL_MAX {
            self.clients.insert(asked.client);
        }
        if self.held >= ALL_MAX && !self.domains.contains_key(domain) {
            return;
        }
        // A question that two files have is one question.
        let at = hash(asked.name) ^ (asked.time as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        if self.seen.len() < ALL_MAX && !self.seen.insert(at) {
            self.count -= 1;
            return;
        }
        if !self.domains.contains_key(domain) {
            self.held += 1;
            self.domains.insert(
                domain.to_ascii_lowercase(),
                Tally { first: asked.time, last: asked.time, ..Tally::default() },
            );
        }
        let Some(tally) = self.domains.get_mut(domain.to_ascii_lowercase().as_slice()) else {
            return;
        };
        tally.questions += 1;
        tally.first = tally.first.min(asked.time);
        tally.last = tally.last.max(asked.time);
        if tally.clients.len() < CLIENTS_MAX || tally.clients.contains_key(&asked.client) {
            *tally.clients.entry(asked.client).or_insert(0) += 1;
        }
        if tally.names.len() < NAMES_MAX && self.held < ALL_MAX && tally.names.insert(hash(below)) {
            self.held += 1;
            tally.characters += below.iter().filter(|byte| **byte != b'.').count() as u64;
            tally.bits += entropy(below);
            if tally.places.len() < PLACES_MAX {
                tally.places.push(place);
            }
        }
    }

    /// Domains that carry data, most first.
    pub(crate) fn tunnels(&self) -> Vec<RawTunnel> {
        let few = (self.clients.len() / 50).max(2);
        let mut found: Vec<RawTunnel> =
            self.domains.iter().filter_map(|(domain, tally)| tunnel(domain, tally, few)).collect();
        found.sort_by(|a, b| b.payload.cmp(&a.payload).then_with(|| a.domain.cmp(&b.domain)));
        found
    }
}

fn tunnel(domain: &[u8], tally: &Tally, few: usize) -> Option<RawTunnel> {
    let names = tally.names.len();
    let mean_length = tally.characters as f64 / names.max(1) as f64;
    let entropy = tally.bits / names.max(1) as f64;
    let share = names as f64 / f64::from(tally.questions.max(1));
    let is_tunnel = names >= 150
        && tally.clients.len() <= few
        && mean_length >= 28.0
        && entropy >= 3.0
        && tally.characters >= 8_000
        && (share >= 0.5 || names >= NAMES_MAX);
    if !is_tunnel {
        return None;
    }
    let client = tally.clients.iter().max_by_key(|one| (*one.1, std::cmp::Reverse(*one.0)))?;
    Some(RawTunnel {
        domain: domain.to_owned(),
        client: *client.0,
        clients: u32::try_from(tally.clients.len()).unwrap_or(u32::MAX),
        questions: tally.questions,
        names: u32::try_from(names).unwrap_or(u32::MAX),
        mean_length,
        entropy,
        payload: tally.characters,
        first: tally.first,
        last: tally.last,
        places: tally.places.clone(),
    })
}

/// Bits a character.
fn entropy(name: &[u8]) -> f64 {
    let mut counts = [0_u32; 256];
    let mut total = 0_u32;
    for byte in name.iter().filter(|byte| **byte != b'.') {
        counts[usize::from(byte.to_ascii_lowercase())] += 1;
        total += 1;
    }
    let all = f64::from(total.max(1));
    -counts
        .iter()
        .filter(|count| **count > 0)
        .map(|count| f64::from(*count) / all)
        .map(|share| share * share.log2())
        .sum::<f64>()
}
