use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::pool::books::Bells;
use crate::pool::queue::Ticket;

/// A caller's bell; later callers have greater ones.
pub(super) type Bell = u32;

/// What a pool has to do, said in another way than the books do it.
pub(super) struct Model {
    pub(super) min_size: usize,
    pub(super) max_size: usize,
    pub(super) max_waiting: usize,
    pub(super) closed: bool,
    pub(super) suspended: bool,
    /// The newest at the end.
    pub(super) idle: Vec<u32>,
    pub(super) queue: VecDeque<(Ticket, Bell)>,
    /// Callers that were rung and do not know it yet, each with what it was handed.
    pub(super) rung: Vec<(Ticket, Lot)>,
    pub(super) held: Vec<Lot>,
    /// Places of callers that were sent away and do not know it yet.
    pub(super) void: Vec<Ticket>,
    pub(super) server: Server,
}

/// A slot in use.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Lot {
    /// Its number in the books, once its holder has been told.
    pub(super) number: usize,
    pub(super) conn: Option<u32>,
    pub(super) right: Right,
    /// The pool was drained since it was granted.
    pub(super) drained: bool,
}

/// To connect.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Right {
    None,
    Given,
    /// Given before the server went down.
    Belated,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Server {
    Up,
    Down { since: Instant, due: Instant, in_a_row: u32, in_all: u64, cause: u32 },
    SlowStart(usize),
}

impl Model {
    pub(super) fn in_use(&self) -> usize {
        self.held.len() + self.rung.len()
    }

    pub(super) fn size(&self) -> usize {
        self.idle.len() + self.in_use()
    }

    /// All that are in use, known to their holders or not.
    pub(super) fn lots(&mut self) -> impl Iterator<Item = &mut Lot> {
        self.held.iter_mut().chain(self.rung.iter_mut().map(|(_, lot)| lot))
    }

    pub(super) fn connecting(&self) -> usize {
        let all = self.held.iter().chain(self.rung.iter().map(|(_, lot)| lot));
        all.filter(|lot| lot.right == Right::Given).count()
    }

    pub(super) fn is_down(&self) -> bool {
        matches!(self.server, Server::Down { .. })
    }

    /// How many may connect at once.
    pub(super) fn limit(&self, now: Instant) -> usize {
        match self.server {
            Server::Up => usize::MAX,
            Server::Down { due, .. } => usize::from(now >= due),
            Server::SlowStart(limit) => limit,
        }
    }

    pub(super) fn may_connect(&self, now: Instant) -> bool {
        self.connecting() < self.limit(now)
    }

    /// What the next caller gets, whoever it is.
    pub(super) fn grant(&mut self, now: Instant) -> Option<Lot> {
        if self.closed || self.suspended {
            return None;
        }
        match self.idle.pop() {
            Some(conn) => Some(Lot::of(conn)),
            None => self.grant_right(now),
        }
    }

    pub(super) fn grant_right(&self, now: Instant) -> Option<Lot> {
        let room = self.size() < self.max_size && self.may_connect(now);
        room.then_some(Lot { number: 0, conn: None, right: Right::Given, drained: false })
    }

    /// Nobody waits for a connection to be opened while the server is down.
    pub(super) fn is_in_vain(&self) -> bool {
        let opens = self.size() < self.max_size || self.connecting() > 0;
        self.is_down() && !self.suspended && opens
    }

    /// Something may have become free: first come, first served.
    pub(super) fn serve(&mut self, now: Instant) -> Bells<Bell> {
        let mut served = Vec::new();
        while let Some((ticket, bell)) = self.queue.front().copied() {
            let Some(lot) = self.grant(now) else { break };
            self.queue.pop_front();
            self.rung.push((ticket, lot));
            served.push(bell);
        }
        let turned_away = if self.is_in_vain() { self.turn_away() } else { Vec::new() };
        Bells { served, turned_away }
    }

    pub(super) fn turn_away(&mut self) -> Vec<Bell> {
        self.void.extend(self.queue.iter().map(|(ticket, _)| *ticket));
        self.queue.drain(..).map(|(_, bell)| bell).collect()
    }

    /// An attempt went well. Returns for how long the server was down, and how many had failed.
    pub(super) fn connected(&mut self, now: Instant) -> Option<(Duration, u64)> {
        let (at_once, back) = match self.server {
            Server::Up => return None,
            Server::SlowStart(limit) => (2 * limit, None),
            Server::Down { since, in_all, .. } => (1, Some((now - since, in_all))),
        };
        let slow = at_once < self.max_size;
        self.server = if slow { Server::SlowStart(at_once) } else { Server::Up };
        back
    }

    /// An attempt failed because of the server; `delay` until the next, if it counts. Returns those
    /// who are sent away if it goes down now.
    pub(super) fn refused(
        &mut self,
        right: Right,
        cause: u32,
        delay: Duration,
        now: Instant,
    ) -> Option<Vec<Bell>> {
        let belated = right == Right::Belated;
        if let Server::Down { due, in_a_row, in_all, cause: last, .. } = &mut self.server {
            (*in_all, *last) = (*in_all + 1, cause);
            if !belated {
                (*in_a_row, *due) = (*in_a_row + 1, now + delay);
            }
            return None;
        }
        if belated {
            return None;
        }
        let due = now + delay;
        self.server = Server::Down { since: now, due, in_a_row: 1, in_all: 1, cause };
        for lot in self.lots().filter(|lot| lot.right == Right::Given) {
            lot.right = Right::Belated;
        }
        Some(if self.suspended { Vec::new() } else { self.turn_away() })
    }
}

impl Lot {
    /// One that was idle.
    pub(super) fn of(conn: u32) -> Self {
        Self { number: 0, conn: Some(conn), right: Right::None, drained: false }
    }
}
