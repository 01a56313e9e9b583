//! Whose sign-in each connection of an intruder's tunnel was.
//!
//! A connection to the cloud carries one sign-in, or none: a page opens more of them. Somebody who
//! signs in from inside by chance just then meets a connection that was already another account's.
//! So the sign-ins around a connection divide it among them: each by how strange it is, against how
//! many such come by accident at that hour, and all against the part of such connections around
//! which nobody signs in at all. What connections those are, the pause before them tells, and is
//! counted in the case itself.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use makyo_base::{DAY_NS, HOUR_NS};

use super::intruders::{Intruders, Lease, count, is_weekend};
use super::passage::Passage;
use super::unit::Outcome;

/// Connections closer than this are opened by one page.
const BURST_NS: i64 = 1_000_000_000;
/// Pauses before a connection, in seconds, that are told apart.
const PAUSES_S: [i64; 4] = [8, 32, 128, 512];
/// No connection is surer to be a sign-in's than this.
const LEAST_OTHER: f64 = 0.01;

/// A sign-in from inside, or a refused one, that may be the intruder's.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    pub(super) account: String,
    pub(super) at: i64,
    /// Decibans by which an intruder's looks more like it than an owner's.
    pub(super) likely_db: f64,
    pub(super) outcome: Outcome,
    /// What other sign-ins have too: the address that it comes out of, the client.
    pub(super) marks: Vec<String>,
}

/// What of a connection is a sign-in's.
#[derive(Clone, Copy, Debug)]
pub(super) struct Claim {
    /// Its part among the sign-ins around the connection.
    pub(super) share: f64,
    /// How probable it is that the connection was another's, or no sign-in's.
    pub(super) accident: f64,
    /// The other sign-ins around it.
    pub(super) rivals: usize,
}

/// As the end of a sentence on the connection.
impl fmt::Display for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.rivals {
            0 => f.write_str("; nobody else signed in then")?,
            1 => f.write_str("; 1 other sign-in was then too")?,
            rivals => write!(f, "; {rivals} other sign-ins were then too")?,
        }
        match self.accident {
            // What is computed below this says more of the model than of the world.
            accident if accident < 1e-6 => f.write_str(
                "; the connection was another's or no sign-in's less than once in a million",
            ),
            accident if accident < 0.1 => {
                write!(
                    f,
                    "; the connection was another's or no sign-in's once in {}",
                    rounded(1.0 / accident)
                )
            }
            accident => write!(
                f,
                "; the connection was another's or no sign-in's with {:.0} %",
                accident * 100.0
            ),
        }
    }
}

/// A number to two digits.
fn rounded(number: f64) -> f64 {
    let unit = 10_f64.powf(number.max(1.0).log10().floor() - 1.0);
    (number / unit).round() * unit
}

/// A connection, and what the sign-ins around it weigh.
#[derive(Clone, Debug)]
struct Connection {
    at: i64,
    /// The part of such connections that are no sign-in's.
    other: f64,
    /// By account: what one does at once, such as a second try, is one.
    weights: BTreeMap<String, f64>,
}

impl Connection {
    fn new(at: i64, other: f64, near: &[Candidate], accidents: &Rates) -> Self {
        let mut weights: BTreeMap<String, f64> = BTreeMap::new();
        for one in near {
            let weight = weights.entry(one.account.clone()).or_default();
            *weight = weight.max(accidents.weight(one));
        }
        Connection { at, other, weights }
    }

    /// What of it is a sign-in's that weighs so much; `is_moved` if it was not there when the
    /// connections were divided.
    fn claim(&self, one: &Candidate, weight: f64, is_moved: bool) -> Claim {
        let same = self.weights.get(&one.account).copied().filter(|_| !is_moved);
        let own = same.unwrap_or_default().max(weight);
        let others = self.weights.iter().filter(|other| is_moved || *other.0 != one.account);
        let (rivals, all) = others.fold((0, own), |sum, other| (sum.0 + 1, sum.1 + other.1));
        let is_sign_in = 1.0 - self.other;
        let part = is_sign_in * own / (self.other + is_sign_in * all);
        Claim { share: own / all, accident: 1.0 - part, rivals }
    }
}

/// Candidates in the order of time.
struct Around {
    sorted: Vec<Candidate>,
    span: (i64, i64),
}

impl Around {
    fn new(candidates: &[Candidate], span: (i64, i64)) -> Self {
        let mut sorted = candidates.to_vec();
        sorted.sort_by(|a, b| {
            let key = |one: &Candidate| (one.at, one.account.clone(), one.outcome);
            key(a).cmp(&key(b)).then(a.likely_db.total_cmp(&b.likely_db))
        });
        Around { sorted, span }
    }

    fn range(&self, at: i64) -> std::ops::Range<usize> {
        let from = self.sorted.partition_point(|one| one.at < at - self.span.1);
        let to = self.sorted.partition_point(|one| one.at <= at + self.span.0);
        from..to.max(from)
    }

    /// Those around a connection.
    fn of(&self, at: i64) -> &[Candidate] {
        self.sorted.get(self.range(at)).unwrap_or_default()
    }

    /// Those around any connection, and the others.
    fn partition<'a>(
        &self,
        connections: impl Iterator<Item = &'a (i64, usize)>,
    ) -> (Vec<&Candidate>, Vec<&Candidate>) {
        let met: BTreeSet<usize> = connections.flat_map(|one| self.range(one.0)).collect();
        let (met, unmet): (Vec<_>, Vec<_>) =
            self.sorted.iter().enumerate().partition(|one| met.contains(&one.0));
        let plain = |list: Vec<(usize, _)>| list.into_iter().map(|one| one.1).collect();
        (plain(met), plain(unmet))
    }
}

/// No mark tells more than this.
const MARK_MOST: f64 = 10.0;

/// How much more often a mark is found with what is the intruder's, each with its probability, than
/// with what is not.
fn marks(theirs: &[(&Candidate, f64)], owners: &[&Candidate]) -> BTreeMap<String, f64> {
    let mut counts: BTreeMap<&str, (f64, f64)> = BTreeMap::new();
    for (one, part) in theirs {
        one.marks.iter().for_each(|mark| counts.entry(mark).or_default().0 += part);
    }
    for mark in owners.iter().flat_map(|one| &one.marks) {
        counts.entry(mark).or_default().1 += 1.0;
    }
    let all: f64 = theirs.iter().map(|one| one.1).sum();
    let of_owners = count(owners.len());
    let ratio = |(theirs, owners): (f64, f64)| {
        ((theirs + 0.5) / (all + 1.0) / ((owners + 0.5) / (of_owners + 1.0))).min(MARK_MOST)
    };
    counts.into_iter().map(|(mark, counts)| (mark.to_owned(), ratio(counts))).collect()
}

/// Connections of all of an intruder's tunnels.
#[derive(Default)]
pub(super) struct Claims {
    span: (i64, i64),
    leases: Vec<(Lease, Vec<Connection>)>,
    accidents: Rates,
}

impl Claims {
    pub(super) fn new(
        candidates: &[Candidate],
        intruders: &Intruders,
        passage: Option<&Passage>,
    ) -> Self {
        let Some(passage) = passage else { return Claims::default() };
        let around = Around::new(candidates, passage.span());
        let bursts = |lease: &Lease| (lease.clone(), bursts(lease, passage.of(lease)));
        let tunnels: Vec<(Lease, Vec<(i64, usize)>)> =
            intruders.leases.iter().map(bursts).collect();
        let (met, unmet) = around.partition(tunnels.iter().flat_map(|one| &one.1));
        let accidents = Rates::new(&unmet, intruders, passage.span());
        let others = others(tunnels.iter().flat_map(|one| &one.1), &accidents, &around);
        let divide = |(lease, all): &(Lease, Vec<(i64, usize)>), accidents: &Rates| {
            let connection = |(at, pause): &(i64, usize)| {
                let other = others.get(*pause).copied().unwrap_or(1.0);
                Connection::new(*at, other, around.of(*at), accidents)
            };
            (lease.clone(), all.iter().map(connection).collect())
        };
        let leases = tunnels.iter().map(|one| divide(one, &accidents)).collect();
        let mut claims = Claims { span: passage.span(), leases, accidents };
        // By what those that are most probably the intruder's look like, once more.
        let parts =
            met.iter().map(|one| (*one, claims.of(one, false).map_or(0.0, |c| 1.0 - c.accident)));
        claims.accidents.marks = marks(&parts.collect::<Vec<_>>(), &unmet);
        claims.leases = tunnels.iter().map(|one| divide(one, &claims.accidents)).collect();
        claims
    }

    /// What of the tunnels' connections is this sign-in's; `is_moved` if it was not there when the
    /// connections were divided. `None` where no connection is near.
    pub(super) fn of(&self, one: &Candidate, is_moved: bool) -> Option<Claim> {
        let up =
            self.leases.iter().filter(|lease| lease.0.start <= one.at && one.at <= lease.0.end);
        let near = up.flat_map(|lease| &lease.1).filter(|connection| {
            connection.at - self.span.1 <= one.at && one.at <= connection.at + self.span.0
        });
        let weight = self.accidents.weight(one);
        let claims = near.map(|connection| connection.claim(one, weight, is_moved));
        claims.min_by(|a, b| a.accident.total_cmp(&b.accident))
    }
}

/// Connections without those of the same page, each with the class of the pause before it.
fn bursts(lease: &Lease, connections: &[i64]) -> Vec<(i64, usize)> {
    let mut last = lease.start;
    let mut found: Vec<(i64, usize)> = Vec::new();
    for at in connections {
        let pause = at - last;
        last = *at;
        if found.is_empty() || pause >= BURST_NS {
            let is_shorter = |most: &&i64| pause >= **most * 1_000_000_000;
            found.push((*at, PAUSES_S.iter().filter(is_shorter).count()));
        }
    }
    found
}

/// By the pause before it, the part of connections that are no sign-in's: those around which nobody
/// signs in, of as many as would be alone were none a sign-in's.
fn others<'a>(
    bursts: impl Iterator<Item = &'a (i64, usize)>,
    accidents: &Rates,
    around: &Around,
) -> Vec<f64> {
    let mut seen = vec![(0.0, 0.0); PAUSES_S.len() + 1];
    for (at, pause) in bursts {
        if let Some((alone, expected)) = seen.get_mut(*pause) {
            *alone += f64::from(u8::from(around.of(*at).is_empty()));
            *expected += (-accidents.all(*at)).exp();
        }
    }
    let other = |(alone, expected): (f64, f64)| (alone + 0.5) / (expected + 0.5);
    seen.into_iter().map(|one| other(one).clamp(LEAST_OTHER, 1.0)).collect()
}

/// How many sign-ins come by accident around one moment, by kind of day and hour.
#[derive(Default)]
struct Rates {
    /// By outcome.
    rates: [BTreeMap<(bool, i64), f64>; 3],
    /// Where an hour shows none.
    least: f64,
    /// How many times as often as others an account signs in so; not below 1.
    often: BTreeMap<String, f64>,
    /// How much more often than by accident the intruder's have a mark.
    marks: BTreeMap<String, f64>,
}

fn hour(at: i64) -> (bool, i64) {
    (is_weekend(at.div_euclid(DAY_NS)), at.rem_euclid(DAY_NS) / HOUR_NS)
}

impl Rates {
    fn new(unmet: &[&Candidate], intruders: &Intruders, span: (i64, i64)) -> Self {
        #[allow(clippy::cast_precision_loss, reason = "seconds of a moment in an hour")]
        let moment = (span.0 + span.1) as f64 / HOUR_NS as f64;
        let mut often: BTreeMap<String, f64> = BTreeMap::new();
        for one in unmet {
            *often.entry(one.account.clone()).or_default() += 1.0;
        }
        let mean = often.values().sum::<f64>() / count(often.len()).max(1.0);
        often.values_mut().for_each(|times| *times = ((*times + 1.0) / (mean + 1.0)).max(1.0));
        let days = |is_weekend: bool| intruders.days_of(is_weekend) + 1.0;
        let mut counts = [const { BTreeMap::new() }; 3];
        for one in unmet {
            if let Some(counts) = counts.get_mut(one.outcome as usize) {
                *counts.entry(hour(one.at)).or_insert(0.5) += 1.0;
            }
        }
        let rates = counts.map(|counts: BTreeMap<(bool, i64), f64>| {
            counts.into_iter().map(|(hour, count)| (hour, count / days(hour.0) * moment)).collect()
        });
        Rates {
            rates,
            often,
            marks: BTreeMap::new(),
            least: 0.5 / (days(true) + days(false)) * moment,
        }
    }

    fn rate(&self, at: i64, outcome: Outcome) -> f64 {
        let rates = self.rates.get(outcome as usize);
        rates.and_then(|rates| rates.get(&hour(at))).copied().unwrap_or(self.least)
    }

    fn all(&self, at: i64) -> f64 {
        Outcome::ALL.into_iter().map(|outcome| self.rate(at, outcome)).sum()
    }

    /// Against how many come so by accident.
    fn weight(&self, one: &Candidate) -> f64 {
        let marks: f64 = one.marks.iter().filter_map(|mark| self.marks.get(mark)).product();
        let often = self.often.get(&one.account).copied().unwrap_or(1.0);
        let rate = often * self.rate(one.at, one.outcome).max(1e-9);
        marks * 10_f64.powf(one.likely_db / 10.0) / rate
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{Candidate, Claim, Connection, Outcome};

    #[test]
    fn odds_are_not_told_finer_than_they_are_known() {
        let told = |accident| Claim { share: 1.0, accident, rivals: 0 }.to_string();
        assert!(told(1.0 / 81.0).ends_with("once in 81"));
        assert!(told(1e-9).ends_with("less than once in a million"));
    }

    /// Who claims a connection around which `weights` are, and how probably it was another's.
    fn accident(
        weights: &[(&str, f64)],
        account: &str,
        weight: f64,
        is_moved: bool,
    ) -> (f64, usize) {
        let own = |(name, weight): &(&str, f64)| ((*name).to_owned(), *weight);
        let weights: BTreeMap<String, f64> = weights.iter().map(own).collect();
        let (account, marks) = (account.to_owned(), Vec::new());
        let one = Candidate { account, at: 0, likely_db: 0.0, outcome: Outcome::Entered, marks };
        let claim = Connection { at: 0, other: 0.01, weights }.claim(&one, weight, is_moved);
        (claim.accident, claim.rivals)
    }

    #[test]
    fn a_second_try_of_one_account_is_no_rival() {
        // The try that was asked for more is rarer than the sign-in that followed it.
        let (alone, rivals) = accident(&[("ando", 100.0)], "ando", 10.0, false);
        assert!(alone < 0.001, "{alone}");
        assert_eq!(rivals, 0);
    }

    #[test]
    fn others_around_a_connection_divide_it() {
        let (divided, rivals) = accident(&[("ando", 10.0), ("doi", 10.0)], "ando", 10.0, false);
        assert!((0.5..0.51).contains(&divided), "{divided}");
        assert_eq!(rivals, 1);
    }

    #[test]
    fn who_was_not_there_divides_it_with_all_that_were() {
        let (moved, rivals) = accident(&[("ando", 10.0)], "ando", 10.0, true);
        assert!((0.5..0.51).contains(&moved), "{moved}");
        assert_eq!(rivals, 1);
    }
}
