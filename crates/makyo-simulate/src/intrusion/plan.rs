//! What the intruder means to do: whose accounts, in what way, when, and how far.

use crate::act::Scene;
use crate::moment::{DAY, HOUR, Moment, START, at};
use crate::people::{Person, Role};
use crate::random::Random;

/// Days on which cloud accounts are entered.
const CLOUD_DAYS: (i64, i64) = (12, 27);

/// How an account is entered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Way {
    Hosting,
    Egress,
    InTheMiddle,
    Replay,
    Legacy,
    DeviceCode,
    Vpn,
}

/// How far it goes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Depth {
    Login,
    Read,
    Take,
    Change,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Victim {
    pub(super) index: usize,
    pub(super) way: Way,
    pub(super) depth: Depth,
    /// The working session in which it is entered, and perhaps one in which it is used again.
    pub(super) session: usize,
    pub(super) again: Option<usize>,
    /// Tried before, and how that failed.
    pub(super) is_tried: bool,
}

/// A stretch of the intruder's work.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    pub(super) day: i64,
    pub(super) from: Moment,
}

/// What the intruder means to do.
#[derive(Debug)]
pub(crate) struct Plan {
    /// Everything through the organisation's own network, and nothing that staff do not use.
    pub(super) is_inside: bool,
    pub(super) sessions: Vec<Session>,
    pub(super) victims: Vec<Victim>,
    pub(super) attempted: Vec<(usize, usize)>,
    /// Whether the intruder works through the VPN.
    pub(super) has_tunnels: bool,
}

impl Plan {
    /// Chooses the accounts, ways and times.
    pub(crate) fn new(scene: &Scene, is_inside: bool) -> Self {
        let random = &mut Random::of(scene.seed, "plan", &[]);
        let mut sessions: Vec<Session> = Vec::new();
        for day in CLOUD_DAYS.0 + random.within(0, 2)..=CLOUD_DAYS.1 {
            for _ in 0..random.within(0, 2) {
                // Mostly in office hours, where everybody is; sometimes deep in the night.
                let hour =
                    if random.chance(0.75) { random.within(9, 17) } else { random.within(0, 4) };
                sessions.push(Session { day, from: at(day, hour, random.within(0, 59)) });
            }
        }
        sessions.sort_by_key(|session| session.from);
        sessions.dedup_by_key(|session| session.from / (3 * HOUR));
        let count = breached_count(scene.people.len());
        let mut pool: Vec<usize> = scene
            .people
            .iter()
            .filter(|person| person.index >= 50 && person.role != Role::CloudOnly)
            .map(|person| person.index)
            .collect();
        random.shuffle(&mut pool);
        // The president and two directors are among them.
        let mut chosen = vec![0, 1, 2];
        chosen.extend(pool.iter().copied().take(count.saturating_sub(3)));
        let victims = chosen
            .iter()
            .enumerate()
            .map(|(turn, index)| {
                let person = &scene.people[*index];
                victim(turn, person, is_inside, (sessions.len(), chosen.len()), random)
            })
            .collect();
        let tried = pool.into_iter().skip(count.saturating_sub(3)).take(count / 5 + 2);
        let attempted = tried.map(|index| (index, random.index(sessions.len()))).collect();
        Plan { is_inside, sessions, victims, attempted, has_tunnels: true }
    }
}

impl Plan {
    /// A small plan: each account in a session of its own.
    pub(crate) fn of(accounts: &[(usize, Way, Depth)], times: &[Moment]) -> Self {
        let sessions =
            times.iter().map(|from| Session { day: (from - START) / DAY, from: *from }).collect();
        let victims = accounts
            .iter()
            .enumerate()
            .map(|(session, (index, way, depth))| Victim {
                index: *index,
                way: *way,
                depth: *depth,
                session,
                again: None,
                is_tried: false,
            })
            .collect();
        Plan { is_inside: false, sessions, victims, attempted: Vec::new(), has_tunnels: false }
    }
}

/// 207 of 1,600.
pub(crate) fn breached_count(accounts: usize) -> usize {
    (accounts * 207 / 1_600).max(8)
}

fn victim(
    turn: usize,
    person: &Person,
    is_inside: bool,
    (sessions, victims): (usize, usize),
    random: &mut Random,
) -> Victim {
    let (index, has_second_factor) = (person.index, person.has_second_factor);
    let way = match (turn, is_inside) {
        (3 | 4, _) => Way::Vpn,
        (_, true) => Way::Egress,
        (0, _) => Way::InTheMiddle,
        (1 | 2, _) => Way::Hosting,
        _ => match random.below(100) {
            0..=33 => Way::Hosting,
            34..=69 => Way::Egress,
            70..=74 => Way::InTheMiddle,
            75..=83 => Way::Replay,
            84..=92 => Way::Legacy,
            _ => Way::DeviceCode,
        },
    };
    let depth = match (turn, random.below(100)) {
        (0, _) => Depth::Change,
        (1, _) => Depth::Take,
        (2, _) => Depth::Read,
        (_, 0..=11) => Depth::Login,
        (_, 12..=66) => Depth::Read,
        (_, 67..=86) => Depth::Take,
        _ => Depth::Change,
    };
    // Most of those who need a second factor are entered from inside, where none is asked for.
    let is_stopped = way == Way::Hosting && has_second_factor && random.chance(0.6);
    let way = if is_stopped { Way::Egress } else { way };
    let session = (turn * 31 % victims) * sessions / victims;
    let again = random.chance(0.35).then(|| (session + 1 + random.index(6)).min(sessions - 1));
    Victim {
        index,
        way,
        depth,
        session,
        again: again.filter(|again| *again > session && way != Way::Vpn),
        is_tried: random.chance(0.25),
    }
}
