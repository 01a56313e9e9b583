//! The walk over the sorted hits: one group after the other, one window at a time.

use std::collections::VecDeque;

use makyo_base::{Entity, RecordRef, sha256};
use makyo_sigma::{Correlation, Decimal};

use super::gauge::{Gauge, bounds, grows, has_value, wants_absence};
use super::spool::{CorrelationState, Merge};
use super::{
    CHAIN_RECORDS_MAX, CorrelationError, CorrelationHit, CorrelationMatch, CorrelationTally,
    Correlations, WINDOW_HITS_MAX,
};
use crate::merge::FINDING_RECORDS_MAX;

impl CorrelationState {
    /// Evaluates all hits and tells each match, in the order of correlation, group and time.
    /// `correlations` are those that the hits were made for.
    ///
    /// # Errors
    /// If spooled hits cannot be read.
    pub fn finish(
        self,
        correlations: &Correlations,
        tell: &mut dyn FnMut(CorrelationMatch),
    ) -> Result<CorrelationTally, CorrelationError> {
        let mut tally = self.tally;
        let mut hits = self.sorted()?;
        while let Some(first) = hits.next()? {
            let Some(correlation) = correlations.get(first.correlation) else { continue };
            let place = first.correlation;
            group(correlation, first, &mut hits, &mut tally, &mut |hits, found| {
                // The walk comes to a correlation after those that it builds on, so that what is
                // added here lies ahead of it.
                for user in correlations.users(place) {
                    hits.push(derived(&found, correlation, user));
                }
                if correlations.is_told(place) {
                    tell(found);
                }
            })?;
        }
        Ok(tally)
    }
}

/// A match as a hit of a correlation that builds on it.
fn derived(
    found: &CorrelationMatch,
    correlation: &Correlation,
    user: &super::compile::User,
) -> CorrelationHit {
    let values = |places: &[usize]| {
        places.iter().filter_map(|place| found.group.get(*place)).cloned().collect()
    };
    let mut identity = [0; 16];
    let digest = sha256(found.id(correlation).as_bytes());
    identity.iter_mut().zip(digest).for_each(|(to, from)| *to = from);
    CorrelationHit {
        correlation: user.correlation,
        group: values(&user.group),
        time: found.last,
        place: user.place,
        identity,
        records: found.records.iter().take(CHAIN_RECORDS_MAX).cloned().collect(),
        values: values(&user.fields),
        entities: found.entities.clone(),
    }
}

/// Evaluates the hits of one group.
fn group(
    correlation: &Correlation,
    first: CorrelationHit,
    hits: &mut Merge,
    tally: &mut CorrelationTally,
    tell: &mut dyn FnMut(&mut Merge, CorrelationMatch),
) -> Result<(), CorrelationError> {
    let place = first.correlation;
    let name = first.group.clone();
    let mut walk = Walk::new(correlation);
    let mut next = Some(first);
    let mut last: Option<(i64, usize, [u8; 16])> = None;
    while let Some(hit) = next {
        let own = (hit.time, hit.place, hit.identity);
        if last == Some(own) {
            tally.copies += 1;
        } else if has_value(&correlation.kind, &hit) {
            tally.hits += 1;
            walk.enter(hit, tally);
        } else {
            tally.valueless += 1;
        }
        last = Some(own);
        for episode in walk.found.drain(..) {
            tell(hits, episode.into_match(place, &name));
        }
        let is_same = hits.peek().is_some_and(|hit| hit.correlation == place && hit.group == name);
        next = if is_same { hits.next()? } else { None };
    }
    walk.judge();
    walk.close();
    for episode in walk.found {
        tell(hits, episode.into_match(place, &name));
    }
    Ok(())
}

/// A window that moves over the hits of one group.
struct Walk<'a> {
    correlation: &'a Correlation,
    gauge: Gauge,
    window: VecDeque<CorrelationHit>,
    /// How many hits at the end of the window share the time that is not yet judged.
    unjudged: usize,
    episode: Option<Episode>,
    found: Vec<Episode>,
}

/// A time in which the condition holds.
struct Episode {
    first: i64,
    last: i64,
    /// When the condition became true.
    opened: i64,
    hits: u64,
    records: Vec<RecordRef>,
    value: Decimal,
    entities: Vec<Entity>,
    identity: [u8; 16],
}

impl<'a> Walk<'a> {
    fn new(correlation: &'a Correlation) -> Self {
        Walk {
            correlation,
            gauge: Gauge::new(&correlation.kind, correlation.rules.len()),
            window: VecDeque::new(),
            unjudged: 0,
            episode: None,
            found: Vec::new(),
        }
    }

    fn enter(&mut self, hit: CorrelationHit, tally: &mut CorrelationTally) {
        let since = hit.time.saturating_sub(self.correlation.timespan_ns);
        if self.window.back().is_some_and(|last| last.time < hit.time) {
            self.judge();
        }
        while self.window.front().is_some_and(|first| first.time < since) {
            self.leave();
        }
        if self.window.is_empty() {
            self.close();
        }
        if self.window.len() >= WINDOW_HITS_MAX {
            self.leave();
            tally.cut += 1;
        }
        self.gauge.enter(&hit);
        self.window.push_back(hit);
        self.unjudged = (self.unjudged + 1).min(self.window.len());
    }

    fn leave(&mut self) {
        if let Some(hit) = self.window.pop_front() {
            self.gauge.leave(&hit);
        }
    }

    /// Judges the window at the time of its last hit.
    fn judge(&mut self) {
        let Some(now) = self.window.back().map(|hit| hit.time) else { return };
        let kind = &self.correlation.kind;
        let since = now.saturating_sub(self.correlation.timespan_ns);
        let is_open = self.gauge.is_open(kind, since);
        let unjudged = std::mem::take(&mut self.unjudged);
        let value = self.gauge.value(since);
        match &mut self.episode {
            Some(episode) if is_open => {
                let new = self.window.iter().skip(self.window.len().saturating_sub(unjudged));
                new.for_each(|hit| episode.add(hit));
                if grows(kind) {
                    episode.value = episode.value.max(value);
                }
            }
            Some(episode) => {
                let until = episode.opened.saturating_add(self.correlation.timespan_ns);
                if wants_absence(kind) && now <= until {
                    self.episode = None;
                } else {
                    self.close();
                }
            }
            None if is_open => {
                self.episode = self.window.front().map(|first| {
                    let mut episode = Episode::new(first, now, value);
                    self.window.iter().for_each(|hit| episode.add(hit));
                    episode
                });
            }
            None => {}
        }
    }

    /// Ends the episode, and keeps it if it met the whole condition.
    fn close(&mut self) {
        let Some(episode) = self.episode.take() else { return };
        let kind = &self.correlation.kind;
        if !grows(kind) || bounds(kind).iter().all(|bound| bound.holds(episode.value)) {
            self.found.push(episode);
        }
    }
}

impl Episode {
    fn new(first: &CorrelationHit, opened: i64, value: Decimal) -> Self {
        Episode {
            first: first.time,
            last: first.time,
            opened,
            hits: 0,
            records: Vec::new(),
            value,
            entities: first.entities.clone(),
            identity: first.identity,
        }
    }

    fn add(&mut self, hit: &CorrelationHit) {
        self.last = hit.time;
        self.hits += 1;
        let room = FINDING_RECORDS_MAX.saturating_sub(self.records.len());
        self.records.extend(hit.records.iter().take(room).cloned());
        // The same account may act in one record and be acted on in the next.
        self.entities.retain(|own| {
            hit.entities.iter().any(|other| (other.kind, &other.value) == (own.kind, &own.value))
        });
    }

    fn into_match(self, correlation: usize, group: &[String]) -> CorrelationMatch {
        CorrelationMatch {
            correlation,
            group: group.to_owned(),
            first: self.first,
            opened: self.opened,
            last: self.last,
            hits: self.hits,
            records: self.records,
            value: self.value,
            entities: self.entities,
            identity: self.identity,
        }
    }
}
