//! The timeline as a picture: a lane a tactic, a mark an event, drawn the same every time.

use std::collections::BTreeMap;

use makyo_base::{Object, format_time, parse_time};

use crate::lang::Phrases;
use crate::nine::text;

pub(crate) struct Picture {
    pub(crate) width: usize,
    pub(crate) height: usize,
    pub(crate) lanes: Vec<Lane>,
    pub(crate) ticks: Vec<Tick>,
}

pub(crate) struct Lane {
    pub(crate) name: String,
    pub(crate) y: usize,
    pub(crate) marks: Vec<Mark>,
}

pub(crate) struct Mark {
    pub(crate) x: usize,
    pub(crate) title: String,
}

pub(crate) struct Tick {
    pub(crate) x: usize,
    pub(crate) label: String,
}

const WIDTH: usize = 1060;
const RIGHT: usize = 75;
const LEFT: usize = 170;
const LANE: usize = 34;

/// Draws the steps of all incidents; nothing without any.
pub(crate) fn timeline(path: &[Object<'static>], phrases: &Phrases) -> Option<Picture> {
    let times: Vec<i64> = path.iter().filter_map(|row| parse_time(text(row, "time"))).collect();
    let (first, last) = (times.iter().min().copied()?, times.iter().max().copied()?);
    let span = (last - first).max(1);
    let place = |time: i64| {
        let offset = i128::from(time - first) * (WIDTH - LEFT - RIGHT) as i128 / i128::from(span);
        LEFT + 10 + usize::try_from(offset).unwrap_or_default()
    };
    let mut order: Vec<String> = Vec::new();
    let mut lanes: BTreeMap<String, Vec<Mark>> = BTreeMap::new();
    for row in path {
        let Some(time) = parse_time(text(row, "time")) else { continue };
        let tactic = match text(row, "tactic") {
            "" => phrases.word("tactic", "other"),
            tactic => phrases.word("tactic", tactic),
        }
        .to_owned();
        if !order.contains(&tactic) {
            order.push(tactic.clone());
        }
        let title = format!(
            "{} {} {}: {} \u{2192} {}",
            format_time(time),
            tactic,
            text(row, "technique"),
            text(row, "from"),
            text(row, "to")
        );
        lanes.entry(tactic).or_default().push(Mark { x: place(time), title });
    }
    let lanes: Vec<Lane> = order
        .into_iter()
        .enumerate()
        .filter_map(|(index, name)| {
            Some(Lane { marks: lanes.remove(&name)?, y: 30 + index * LANE, name })
        })
        .collect();
    let ticks = (0..=4).map(|part| {
        let time = first + span / 4 * part;
        let label = format_time(time).chars().take(16).collect::<String>().replace('T', " ");
        Tick { x: place(time), label }
    });
    Some(Picture {
        width: WIDTH,
        height: 30 + lanes.len() * LANE + 30,
        lanes,
        ticks: ticks.collect(),
    })
}
