//! New connections on ports of administration, one after another in time, from VPN pools and
//! appliances.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use crate::channel::Channel;
use crate::flow::TICKS_PER_SECOND;

/// Ports on which hosts are administered or entered.
const ADMIN: [u16; 13] = [22, 23, 135, 139, 445, 1433, 3306, 3389, 5432, 5900, 5985, 5986, 8006];
const DAY_TICKS: u64 = 86_400 * TICKS_PER_SECOND;
/// Longer paths say nothing new.
const HOPS_MAX: usize = 6;
/// So many paths are kept.
const PATHS_MAX: usize = 100;
/// Edges in all; a network with more new ones has no path that stands out.
pub(crate) const EDGES_MAX: usize = 1_000_000;

pub(crate) fn is_admin(port: u16) -> bool {
    ADMIN.contains(&port)
}

/// A first contact inside.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Edge {
    pub(crate) first: u64,
    pub(crate) source: u32,
    pub(crate) target: u32,
    pub(crate) last: u64,
    pub(crate) port: u16,
    pub(crate) place: u32,
}

impl Edge {
    pub(crate) fn of(channel: &Channel) -> Self {
        Edge {
            first: channel.first,
            source: channel.source,
            target: channel.target,
            last: channel.last,
            port: channel.port(),
            place: channel.first_place,
        }
    }
}

/// Paths by weight, heaviest first. The first 70 % of the time teach what is usual.
pub(crate) fn paths(
    mut edges: Vec<Edge>,
    is_start: impl Fn(u32) -> bool,
    first: u64,
    last: u64,
) -> Vec<(f64, Vec<Edge>)> {
    edges.sort_unstable();
    let learnt = first + (last - first) / 10 * 7;
    let days = ((learnt - first) as f64 / DAY_TICKS as f64).max(0.1);
    let mut usual: FxHashMap<u32, u32> = FxHashMap::default();
    // Contacts of the first tenth are old ones whose beginning is not seen.
    let known = first + (last - first) / 10;
    for edge in edges.iter().filter(|edge| edge.first >= known && edge.first < learnt) {
        *usual.entry(edge.source).or_insert(0) += 1;
    }
    let weight = |edge: &Edge| {
        let rate = (f64::from(usual.get(&edge.source).copied().unwrap_or(0)) + 0.5) / (days + 1.0);
        (-10.0 * rate.min(1.0).log10()).max(0.0)
    };
    // The best way to each host, as the index of its last step.
    let mut ways: Vec<(f64, Option<usize>, usize)> = Vec::with_capacity(edges.len());
    let mut reached: FxHashMap<u32, Vec<usize>> = FxHashMap::default();
    for (index, edge) in edges.iter().enumerate() {
        let mut way = (0.0, None, usize::from(is_start(edge.source)));
        if way.2 == 0 && edge.first >= learnt {
            let before = reached.get(&edge.source).map(Vec::as_slice).unwrap_or_default();
            for at in before.iter().rev().take(64) {
                let (Some(step), Some(known)) = (edges.get(*at), ways.get(*at)) else { continue };
                let in_time = edge.first > step.first && edge.first <= step.last + DAY_TICKS;
                let returns = step.source == edge.target;
                let weight = known.0 + weight(edge);
                if in_time && !returns && known.2 < HOPS_MAX && weight > way.0 {
                    way = (weight, Some(*at), known.2 + 1);
                }
            }
        }
        ways.push(way);
        if way.2 > 0 {
            reached.entry(edge.target).or_default().push(index);
        }
    }
    collect(&edges, &ways)
}

fn collect(edges: &[Edge], ways: &[(f64, Option<usize>, usize)]) -> Vec<(f64, Vec<Edge>)> {
    // A path that is the beginning of a longer one is told by that one.
    let inner: std::collections::BTreeSet<usize> = ways.iter().filter_map(|way| way.1).collect();
    let mut best: BTreeMap<(u32, u32), (f64, Vec<Edge>)> = BTreeMap::new();
    for (index, way) in ways.iter().enumerate() {
        if way.1.is_none() || inner.contains(&index) {
            continue;
        }
        let mut hops = Vec::new();
        let mut at = Some(index);
        while let Some(edge) = at.and_then(|at| edges.get(at)) {
            hops.push(*edge);
            at = at.and_then(|at| ways.get(at)).and_then(|way| way.1);
        }
        hops.reverse();
        let (Some(begin), Some(end)) = (hops.first(), hops.last()) else { continue };
        let key = (begin.source, end.target);
        if best.get(&key).is_none_or(|known| way.0 > known.0) {
            best.insert(key, (way.0, hops));
        }
    }
    let mut all: Vec<(f64, Vec<Edge>)> = best.into_values().collect();
    all.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    all.truncate(PATHS_MAX);
    all
}
