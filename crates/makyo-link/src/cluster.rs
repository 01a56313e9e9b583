//! From incidents to sets of one hand: what is most probable, found by merging and moving.
//!
//! The aim is the most probable partition under the model of [`crate::profile`] with a prior on the
//! sizes of sets. Sets that are each other's best partner merge, round by round; then incidents
//! move one by one to where they fit best, and the two alternate until nothing changes. A partner
//! is looked for only among sets that share a value which few sets show (blocking), so that the
//! cost grows with the number of incidents and not with the number of pairs.

use crate::corpus::Corpus;
use crate::profile::{Prevalence, Profile, by_kind, decibans};
use crate::weights::Weights;

/// A value that more sets show says too little to look for partners by it.
const SETS_MAX: usize = 256;
/// So many partners, those that share the rarest values, are weighed.
const PARTNERS_MAX: usize = 32;
/// Merging and moving alternate at most so often.
const ROUNDS_MAX: usize = 6;
/// Moves are repeated at most so often in a round.
const SWEEPS_MAX: usize = 6;
/// Merge rounds; each at least halves what can still merge, so that this is never reached.
const MERGES_MAX: usize = 64;
/// From so many incidents on a set is told apart from incidents that came together by chance.
const SET_INCIDENTS_MIN: u32 = 3;
/// Nats that no evidence outweighs.
const NEVER: f64 = -1.0e6;
/// Fewer sets than this are not worth a second thread.
const THREAD_SETS_MIN: usize = 2_000;

/// Sets of incidents, by their positions in the corpus.
#[derive(Clone, Debug)]
pub struct Partition {
    /// For each incident its set.
    pub set_of: Vec<usize>,
    /// What each set shows; an empty set has size 0.
    pub profiles: Vec<Profile>,
    /// How common each value is among sets.
    pub prevalence: Prevalence,
}

/// Room for looking up partners, used again and again: a place for every set, and which are in use.
#[derive(Default)]
struct Scratch {
    rarity: Vec<f64>,
    touched: Vec<u32>,
}

struct Clustering<'a> {
    corpus: &'a Corpus,
    weights: &'a Weights,
    singles: Vec<Profile>,
    prevalence: Prevalence,
    set_of: Vec<usize>,
    profiles: Vec<Profile>,
    threads: usize,
}

/// The partition of a corpus.
#[must_use]
pub fn cluster(corpus: &Corpus, weights: &Weights, threads: usize) -> Partition {
    let kinds = weights.kinds.len();
    let singles: Vec<Profile> = corpus
        .members
        .iter()
        .zip(&corpus.hours)
        .map(|(values, hour)| Profile::one(values, *hour, &corpus.kind_of, kinds))
        .collect();
    let mut state = Clustering {
        prevalence: Prevalence::new(&[], &[], 0, weights),
        set_of: (0..singles.len()).collect(),
        profiles: singles.clone(),
        corpus,
        weights,
        singles,
        threads,
    };
    state.measure_prevalence();
    for _ in 0..ROUNDS_MAX {
        let before = state.set_of.clone();
        state.merge();
        state.measure_prevalence();
        state.move_all();
        state.measure_prevalence();
        if state.set_of == before {
            break;
        }
    }
    Partition { set_of: state.set_of, profiles: state.profiles, prevalence: state.prevalence }
}

impl Clustering<'_> {
    /// A value counts once for each set, however often its incidents show it: two hundred incidents
    /// of one operator do not make its tool common.
    fn measure_prevalence(&mut self) {
        let mut sets = vec![0.0; self.corpus.kind_of.len()];
        for profile in &self.profiles {
            for (value, times) in &profile.counts {
                if let Some(count) = sets.get_mut(*value as usize) {
                    let k = usize::from(
                        self.corpus.kind_of.get(*value as usize).copied().unwrap_or_default(),
                    );
                    let e = self.weights.kinds.get(k).map_or(0.0, |k| k.spread);
                    *count += f64::from(*times).powf(e);
                }
            }
        }
        self.prevalence =
            Prevalence::new(&sets, &self.corpus.kind_of, self.corpus.members.len(), self.weights);
    }

    /// For each value the sets that show it, ascending; values of too many sets have none.
    fn postings(&self) -> Vec<Vec<u32>> {
        let mut sets: Vec<Vec<u32>> = vec![Vec::new(); self.corpus.kind_of.len()];
        for (number, profile) in self.profiles.iter().enumerate() {
            for (value, _) in &profile.counts {
                if let Some(list) = sets.get_mut(*value as usize)
                    && list.len() <= SETS_MAX
                {
                    list.push(u32::try_from(number).unwrap_or(u32::MAX));
                }
            }
        }
        for list in &mut sets {
            if list.len() > SETS_MAX {
                list.clear();
            }
        }
        sets
    }

    /// Sets that share the rarest values with a profile.
    fn partners(
        &self,
        of: &Profile,
        not: usize,
        postings: &[Vec<u32>],
        scratch: &mut Scratch,
    ) -> Vec<u32> {
        scratch.rarity.resize(self.profiles.len(), 0.0);
        for (value, _) in &of.counts {
            let list = postings.get(*value as usize).map(Vec::as_slice).unwrap_or_default();
            let rare = 1.0 / (list.len().max(1) as f64);
            for set in list {
                let Some(place) = scratch.rarity.get_mut(*set as usize) else { continue };
                if *place == 0.0 {
                    scratch.touched.push(*set);
                }
                *place += rare;
            }
        }
        let mut found: Vec<(u32, f64)> = Vec::with_capacity(scratch.touched.len());
        for set in scratch.touched.drain(..) {
            let Some(place) = scratch.rarity.get_mut(set as usize) else { continue };
            let rare = std::mem::take(place);
            if set as usize != not {
                found.push((set, rare));
            }
        }
        let rarest = |a: &(u32, f64), b: &(u32, f64)| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0));
        if found.len() > PARTNERS_MAX {
            found.select_nth_unstable_by(PARTNERS_MAX - 1, rarest);
            found.truncate(PARTNERS_MAX);
        }
        found.sort_unstable_by(rarest);
        found.into_iter().map(|entry| entry.0).collect()
    }

    /// Nats for one hand, prior included; what can be imitated has its ceiling.
    fn nats(&self, a: &Profile, b: &Profile) -> f64 {
        weigh(a, b, &self.prevalence, self.weights) + prior(a.size, b.size, self.weights)
    }

    fn best_partner(
        &self,
        set: usize,
        postings: &[Vec<u32>],
        scratch: &mut Scratch,
    ) -> Option<(f64, usize)> {
        let own = self.profiles.get(set).filter(|profile| profile.size > 0)?;
        self.partners(own, set, postings, scratch)
            .into_iter()
            .map(|other| other as usize)
            .filter_map(|other| Some((self.nats(own, self.profiles.get(other)?), other)))
            .filter(|found| found.0 > 0.0)
            .max_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(&a.1)))
    }

    /// Best partners of many sets, on several threads; the result does not depend on their number.
    fn best_partners(&self, sets: &[usize], postings: &[Vec<u32>]) -> Vec<Option<(f64, usize)>> {
        let all = |part: &[usize]| -> Vec<Option<(f64, usize)>> {
            let mut scratch = Scratch::default();
            part.iter().map(|set| self.best_partner(*set, postings, &mut scratch)).collect()
        };
        if sets.len() < THREAD_SETS_MIN || self.threads < 2 {
            return all(sets);
        }
        let chunk = sets.len().div_ceil(self.threads);
        std::thread::scope(|scope| {
            let parts: Vec<_> =
                sets.chunks(chunk).map(|part| scope.spawn(move || all(part))).collect();
            parts.into_iter().flat_map(|part| part.join().unwrap_or_default()).collect()
        })
    }

    fn merge(&mut self) {
        let mut best: Vec<Option<(f64, usize)>> = vec![None; self.profiles.len()];
        let mut open: Vec<usize> = (0..self.profiles.len()).collect();
        for _ in 0..MERGES_MAX {
            let postings = self.postings();
            for (set, found) in open.iter().zip(self.best_partners(&open, &postings)) {
                if let Some(place) = best.get_mut(*set) {
                    *place = found;
                }
            }
            // A set that did not change may have got a better partner in one that did.
            for set in &open {
                let Some(Some((nats, other))) = best.get(*set).copied() else { continue };
                if let Some(place) = best.get_mut(other)
                    && place.is_none_or(|found| nats > found.0)
                {
                    *place = Some((nats, *set));
                }
            }
            let pairs: Vec<(usize, usize)> = (0..best.len())
                .filter_map(|set| Some((set, best.get(set).copied()??.1)))
                .filter(|(set, other)| {
                    set < other && best.get(*other).copied().flatten().is_some_and(|b| b.1 == *set)
                })
                .collect();
            if pairs.is_empty() {
                return;
            }
            let mut changed = vec![false; best.len()];
            let mut now: Vec<usize> = (0..best.len()).collect();
            for (to, from) in pairs {
                self.join(to, from);
                if let Some(place) = now.get_mut(from) {
                    *place = to;
                }
                for set in [to, from] {
                    if let Some(flag) = changed.get_mut(set) {
                        *flag = true;
                    }
                }
            }
            for set in &mut self.set_of {
                *set = now.get(*set).copied().unwrap_or(*set);
            }
            let is_changed = |set: usize| changed.get(set).copied().unwrap_or_default();
            open = (0..best.len())
                .filter(|set| {
                    is_changed(*set)
                        || best.get(*set).copied().flatten().is_some_and(|b| is_changed(b.1))
                })
                .collect();
        }
    }

    fn join(&mut self, to: usize, from: usize) {
        let taken = self.profiles.get_mut(from).map(std::mem::take).unwrap_or_default();
        if let Some(profile) = self.profiles.get_mut(to) {
            profile.add(&taken);
        }
    }

    fn move_all(&mut self) {
        let mut scratch = Scratch::default();
        // When each set last changed, and when each incident last looked at which sets.
        let mut changed: Vec<u32> = vec![0; self.profiles.len()];
        let mut looked: Vec<(u32, Vec<u32>)> = vec![(0, Vec::new()); self.singles.len()];
        let mut now = 0;
        for sweep in 0..SWEEPS_MAX {
            let postings = self.postings();
            let mut moved = false;
            for incident in 0..self.singles.len() {
                let Some(home) = self.set_of.get(incident).copied() else { continue };
                let is_new = |set: usize, at: u32| changed.get(set).is_some_and(|when| *when > at);
                let is_open = looked.get(incident).is_none_or(|(at, sets)| {
                    is_new(home, *at) || sets.iter().any(|set| is_new(*set as usize, *at))
                });
                if sweep > 0 && !is_open {
                    continue;
                }
                let seen = self.move_one(incident, home, &postings, &mut scratch);
                let to = self.set_of.get(incident).copied().unwrap_or(home);
                if to != home {
                    moved = true;
                    now += 1;
                    for set in [home, to] {
                        if let Some(when) = changed.get_mut(set) {
                            *when = now;
                        }
                    }
                }
                if let Some(place) = looked.get_mut(incident) {
                    *place = (now, seen);
                }
            }
            if !moved {
                return;
            }
        }
    }

    /// Puts an incident where it fits best, alone if nowhere; gives the sets that it looked at.
    fn move_one(
        &mut self,
        incident: usize,
        home: usize,
        postings: &[Vec<u32>],
        scratch: &mut Scratch,
    ) -> Vec<u32> {
        let Some(single) = self.singles.get(incident).cloned() else { return Vec::new() };
        if let Some(profile) = self.profiles.get_mut(home) {
            profile.remove(&single);
        }
        let mut best = (0.0, None);
        let partners = self.partners(&single, home, postings, scratch);
        for set in std::iter::once(home).chain(partners.iter().map(|set| *set as usize)) {
            let Some(profile) = self.profiles.get(set).filter(|profile| profile.size > 0) else {
                continue;
            };
            let nats = self.nats(&single, profile);
            if nats > best.0 {
                best = (nats, Some(set));
            }
        }
        let to = best.1.unwrap_or_else(|| {
            // Alone: its own number is free, or its old set is empty now, or a free one is found.
            let is_free = |set: usize| self.profiles.get(set).is_some_and(|p| p.size == 0);
            [home, incident]
                .into_iter()
                .find(|set| is_free(*set))
                .or_else(|| (0..self.profiles.len()).find(|set| is_free(*set)))
                .unwrap_or(home)
        });
        if let Some(profile) = self.profiles.get_mut(to) {
            profile.add(&single);
        }
        if let Some(place) = self.set_of.get_mut(incident) {
            *place = to;
        }
        partners
    }
}

/// Nats for one hand by the evidence alone.
#[must_use]
pub fn weigh(a: &Profile, b: &Profile, prevalence: &Prevalence, weights: &Weights) -> f64 {
    let nats = by_kind(a, b, prevalence, weights);
    let smaller = f64::from(a.size.min(b.size));
    let mut total = 0.0;
    let mut hard = 0.0;
    for (at, nats) in nats.iter().enumerate() {
        let kind = weights.kinds.get(at);
        let most = kind
            .map_or(f64::MAX, |kind| kind.ceiling_db * std::f64::consts::LN_10 / 10.0 * smaller);
        let least = kind.map_or(f64::MIN, |k| -k.floor_db * std::f64::consts::LN_10 / 10.0);
        let nats = nats.clamp(least, most);
        total += nats;
        if kind.is_some_and(|kind| !kind.class.is_soft()) {
            hard += nats.max(0.0);
        }
    }
    // One incident may come in by what it did; two campaigns become one only by what is theirs.
    let is_two_sets = a.size.min(b.size) >= SET_INCIDENTS_MIN;
    if is_two_sets && decibans(hard) < weights.link.hard_db { NEVER } else { total }
}

/// Nats that the sizes of two sets speak for one: a large campaign has more incidents to come.
fn prior(a: u32, b: u32, weights: &Weights) -> f64 {
    weights.link.size_temper * f64::from(a.max(b)).ln()
        - weights.link.threshold_db * std::f64::consts::LN_10 / 10.0
}
