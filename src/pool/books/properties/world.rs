use std::collections::{BTreeSet, VecDeque};
use std::time::{Duration, Instant};

use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;

use super::model::{Bell, Lot, Model, Server};
use super::Act;
use crate::pool::books::Books;
use crate::pool::caller::Caller;
use crate::pool::holder::Holder;
use crate::pool::queue::Ticket;
use crate::pool::slots::{Sizes, Slots};

/// Longer than any delay between two attempts.
const LONG: Duration = Duration::from_secs(6);

/// The books, and the model beside them. A cause is the number of the attempt that met it.
pub(super) struct World {
    pub(super) books: Books<u32, Bell, u32>,
    pub(super) model: Model,
    pub(super) now: Instant,
    pub(super) conns: u32,
    pub(super) callers: Bell,
    pub(super) attempts: u32,
    /// Before the last act.
    size: usize,
}

impl World {
    pub(super) fn new(min_size: usize, max_size: usize, max_waiting: usize) -> Self {
        let model = Model {
            min_size,
            max_size,
            max_waiting,
            closed: false,
            suspended: false,
            idle: Vec::new(),
            queue: VecDeque::new(),
            rung: Vec::new(),
            held: Vec::new(),
            void: Vec::new(),
            server: Server::Up,
        };
        let books = Books::new(Slots::new(min_size, max_size, max_waiting, false));
        let now = Instant::now();
        Self { books, model, now, conns: 0, callers: 0, attempts: 0, size: 0 }
    }

    pub(super) fn act(&mut self, act: &Act) -> TestCaseResult {
        match *act {
            Act::Ask => self.ask()?,
            Act::AskToOpen => self.ask_to_open()?,
            Act::Collect(pick) => self.collect(pick)?,
            Act::Leave(pick) => self.leave(pick)?,
            Act::Connect(pick) => self.connect(pick)?,
            Act::Refuse(pick, outage, seed) => self.refuse(pick, outage, seed)?,
            Act::Break(pick) => {
                if let Some(place) = self.pick(pick, |lot| lot.conn.is_some()) {
                    self.model.held[place].conn = None;
                }
            }
            Act::Exchange(pick) => self.exchange(pick)?,
            Act::PutBack(pick) => self.put_back(pick)?,
            Act::Release(pick) => self.release(pick)?,
            Act::Sweep(unfit) => {
                let spare = self.model.size() > self.model.min_size;
                let swept = self.books.slots.sweep_if(|_| unfit);
                self.taken_oldest(swept, unfit && spare)?;
            }
            Act::Test => {
                let taken = self.books.slots.take_oldest_if(|_| true);
                self.taken_oldest(taken, true)?;
            }
            Act::Resize(min_size, max_size) => self.resize(min_size, max_size)?,
            Act::Suspend => {
                self.books.slots.suspend();
                self.model.suspended = true;
            }
            Act::Resume => {
                self.model.suspended = false;
                let expected = self.model.serve(self.now);
                prop_assert_eq!(self.books.resume(self.now), expected);
            }
            Act::Drain => {
                let drained = self.books.slots.drain();
                self.drained(drained)?;
            }
            Act::DrainAsOldAs(pick) => self.drain_as_old_as(pick)?,
            Act::Close => self.close()?,
            Act::Wait(millis) => self.now += Duration::from_millis(millis),
        }
        self.check()
    }

    pub(super) fn check(&mut self) -> TestCaseResult {
        let model = &self.model;
        let (idle, in_use, waiting) = (model.idle.len(), model.in_use(), model.queue.len());
        prop_assert_eq!(self.books.slots.sizes(), Sizes { idle, in_use, waiting });
        // Never more than may be; after the pool was made smaller, never more than there were.
        prop_assert!(model.size() <= model.max_size.max(self.size), "more than may be");
        self.size = model.size();
        let nothing_free = idle == 0 && (in_use >= model.max_size || !model.may_connect(self.now));
        prop_assert!(waiting == 0 || model.suspended || nothing_free, "someone waits for nothing");
        let vain = model.is_down() && !model.suspended && model.size() < model.max_size;
        prop_assert!(waiting == 0 || !vain, "someone waits in vain");
        let tickets: Vec<Ticket> = model.queue.iter().map(|(ticket, _)| *ticket).collect();
        prop_assert!(tickets.windows(2).all(|pair| pair[0] < pair[1]), "out of order");
        let numbers: BTreeSet<usize> = model.held.iter().map(|lot| lot.number).collect();
        prop_assert_eq!(numbers.len(), model.held.len(), "a slot was given out twice");
        Ok(())
    }

    /// Everybody goes, and gives back what they have.
    pub(super) fn wind_down(&mut self) -> TestCaseResult {
        while self.pick_ticket(0).is_some() {
            self.act(&Act::Leave(0))?;
        }
        while !self.model.held.is_empty() {
            let full = self.model.held[0].conn.is_some();
            self.act(&if full { Act::PutBack(0) } else { Act::Release(0) })?;
        }
        Ok(())
    }

    /// As many can be had as there may be, and not one beyond.
    pub(super) fn assert_every_slot_is_back(&mut self) -> TestCaseResult {
        self.act(&Act::Resume)?;
        self.act(&Act::Wait(LONG.as_millis() as u64))?;
        for _ in 0..=self.model.max_size {
            self.act(&Act::Ask)?;
            self.act(&Act::Connect(0))?;
        }
        let all = if self.model.closed { 0 } else { self.model.max_size };
        prop_assert_eq!(self.model.held.len(), all, "a slot was lost or doubled");
        Ok(())
    }

    /// One of the holders that are `fit`.
    pub(super) fn pick(&self, pick: usize, fit: impl Fn(&Lot) -> bool) -> Option<usize> {
        let places: Vec<usize> =
            (0..self.model.held.len()).filter(|place| fit(&self.model.held[*place])).collect();
        (!places.is_empty()).then(|| places[pick % places.len()])
    }

    /// One of the places in the queue, or of those that are none any more.
    pub(super) fn pick_ticket(&self, pick: usize) -> Option<Ticket> {
        let queue = self.model.queue.iter().map(|(ticket, _)| *ticket);
        let rung = self.model.rung.iter().map(|(ticket, _)| *ticket);
        let all: Vec<Ticket> = queue.chain(rung).chain(self.model.void.iter().copied()).collect();
        (!all.is_empty()).then(|| all[pick % all.len()])
    }

    pub(super) fn handed_to(&mut self, ticket: Ticket) -> Option<Lot> {
        let place = self.model.rung.iter().position(|(rung, _)| *rung == ticket)?;
        Some(self.model.rung.swap_remove(place).1)
    }
}

pub(super) fn holder() -> Holder {
    Caller::default().holder(Instant::now())
}
