//! From files to results, stage by stage.

mod conclude;
mod reading;

use std::io;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustc_hash::{FxHashMap, FxHashSet};

use crate::address::Own;
use crate::channel::{Channel, Draft, Fans, Gathered, Ground, RawSpan, join_spans};
use crate::device::{OfDevices, device_of, of_partition};
use crate::flow::{Packed, TICKS_PER_SECOND};
use crate::lateral::EDGES_MAX;
use crate::member::ListedSet;
use crate::options::{Input, Options};
use crate::results::Results;
use crate::shared::{Candidate, Crowd, Found, keep_best};
use crate::spill::{PARTITIONS, Partitions, mix};
use reading::Reading;

/// Reads all inputs and finds what they show. The order of the inputs does not matter.
///
/// # Errors
/// If a temporary file cannot be written or read. A file of flows that cannot be read is told
/// among the results.
pub fn analyse(inputs: Vec<Input<'_>>, options: &Options) -> io::Result<Results> {
    let own = Own::new(&options.scope);
    let read = Reading::of(inputs, options)?;
    let ground = Ground {
        own: &own,
        addresses: &read.addresses,
        first_second: (read.first / TICKS_PER_SECOND) as i64,
        last_second: (read.last / TICKS_PER_SECOND) as i64,
    };
    let by_channel = Mutex::new(read.flows);
    let by_target = Mutex::new(Partitions::new(&options.folder, options.memory_bytes));
    let runs = of_runs(&by_channel, &by_target, ground, options)?;
    drop(by_channel);
    let crowd = Crowd {
        ground,
        lists: &options.lists,
        devices: runs.inside.len(),
        habits: &runs.habits,
        fans: &runs.fans,
        drafts: &runs.drafts,
    };
    let by_device = Mutex::new(Partitions::new(&options.folder, options.memory_bytes));
    let found = of_targets(&by_target, &by_device, crowd, options)?;
    drop(by_target);
    let listed = ListedSet::new(&options.listed);
    let devices = of_devices(&by_device, &found.candidates, &listed, ground, options)?;
    Ok(conclude::conclude(&conclude::Whole {
        options,
        crowd,
        listed: &listed,
        found: &found,
        runs: &runs,
        devices: &devices,
        files: &read.files,
        questions: &read.questions,
        unread: &read.unread,
        refused: &read.refused,
        span: (read.first, read.last),
    }))
}

/// Works on all partitions on several threads; each thread gathers into a value of its own.
fn on_partitions<S: Default + Send>(
    threads: usize,
    work: impl Fn(usize, &mut S) -> io::Result<()> + Sync,
) -> io::Result<Vec<S>> {
    let next = AtomicUsize::new(0);
    let done: Mutex<Vec<io::Result<S>>> = Mutex::new(Vec::new());
    let one_thread = || {
        let mut gathered = S::default();
        let mut result = Ok(());
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= PARTITIONS || result.is_err() {
                break;
            }
            result = work(index, &mut gathered);
        }
        done.lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
            .push(result.map(|()| gathered));
    };
    std::thread::scope(|scope| {
        for _ in 0..threads.max(1) {
            scope.spawn(one_thread);
        }
    });
    done.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner()).into_iter().collect()
}

fn locked<T>(of: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    of.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// What all runs leave.
#[derive(Debug, Default)]
struct Runs {
    flows: u64,
    duplicates: u64,
    channels: u64,
    inside: FxHashSet<u32>,
    habits: FxHashMap<(u32, i32), u32>,
    fans: Fans,
    drafts: Vec<Draft>,
    spans: Vec<RawSpan>,
}

fn of_runs(
    from: &Mutex<Partitions<Packed>>,
    to: &Mutex<Partitions<Channel>>,
    ground: Ground<'_>,
    options: &Options,
) -> io::Result<Runs> {
    let parts = on_partitions(options.threads, |index, gathered: &mut (Gathered, u64)| {
        let flows = locked(from).take(index)?;
        crate::channel::scan(flows, ground, &mut gathered.0);
        gathered.1 += gathered.0.channels.len() as u64;
        let mut out = locked(to);
        for channel in gathered.0.channels.drain(..) {
            out.push(mix(u64::from(channel.target)), channel)?;
        }
        Ok(())
    })?;
    let mut runs = Runs::default();
    for (mut part, channels) in parts {
        runs.flows += part.flows;
        runs.duplicates += part.duplicates;
        runs.channels += channels;
        runs.inside.extend(part.inside.drain());
        runs.drafts.append(&mut part.drafts);
        runs.spans.append(&mut part.spans);
        part.habits.drain().for_each(|(key, count)| *runs.habits.entry(key).or_insert(0) += count);
        part.fans.drain().for_each(|(key, count)| *runs.fans.entry(key).or_insert(0) += count);
    }
    runs.drafts.sort_unstable_by_key(|one| (one.target, one.service, one.source));
    runs.spans = join_spans(std::mem::take(&mut runs.spans));
    Ok(runs)
}

fn of_targets(
    from: &Mutex<Partitions<Channel>>,
    to: &Mutex<Partitions<Channel>>,
    crowd: Crowd<'_>,
    options: &Options,
) -> io::Result<Found> {
    let parts = on_partitions(options.threads, |index, found: &mut Found| {
        let mut channels = locked(from).take(index)?;
        crate::shared::scan(&mut channels, crowd, found);
        let mut out = locked(to);
        for channel in channels {
            if let Some(device) = device_of(&channel, crowd.ground) {
                out.push(mix(u64::from(device)), channel)?;
            }
        }
        Ok(())
    })?;
    let mut all = Found::default();
    for mut part in parts {
        all.beacons.append(&mut part.beacons);
        all.beacons_in_all += part.beacons_in_all;
        all.candidates.append(&mut part.candidates);
        all.sources.extend(part.sources.drain());
    }
    keep_best(&mut all.beacons);
    all.candidates.sort_unstable();
    Ok(all)
}

fn of_devices(
    from: &Mutex<Partitions<Channel>>,
    candidates: &[Candidate],
    listed: &ListedSet,
    ground: Ground<'_>,
    options: &Options,
) -> io::Result<OfDevices> {
    let parts = on_partitions(options.threads, |index, to: &mut OfDevices| {
        let channels = locked(from).take(index)?;
        of_partition(channels, candidates, listed, ground, to);
        Ok(())
    })?;
    let mut all = OfDevices::default();
    for mut part in parts {
        all.devices += part.devices;
        all.scanning += part.scanning;
        all.scans.append(&mut part.scans);
        all.uses.append(&mut part.uses);
        all.relays.append(&mut part.relays);
        all.bulk.append(&mut part.bulk);
        part.usual
            .into_iter()
            .for_each(|(step, count)| *all.usual.entry(step).or_insert(0) += count);
        all.edges.append(&mut part.edges);
        all.hours.append(&mut part.hours);
    }
    all.scans.sort_unstable_by_key(|one| one.source);
    let key = |one: &crate::member::Use| (one.is_listed, one.index, one.channel.first, one.device);
    all.uses.sort_unstable_by_key(|one| (key(one), one.channel.target, one.channel.service));
    all.relays.sort_unstable_by_key(|one| one.device);
    all.bulk.sort_unstable_by_key(|one| (one.source, one.target));
    all.hours.sort_unstable();
    all.edges.sort_unstable();
    all.edges.truncate(EDGES_MAX);
    Ok(all)
}
