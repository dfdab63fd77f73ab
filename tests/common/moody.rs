//! Connections whose calls go well, badly or up in a panic, as they are told to.

use std::panic::resume_unwind;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use forksafe::pool::{Discard, Event, Health, Manage, Reset};

use super::clock::Clock;
use super::Failure;

/// How a call goes.
#[derive(Clone, Copy, Debug)]
pub enum Mood {
    Well,
    Badly,
    /// As if the server were down.
    Down,
    Panic,
}

/// What really happened.
#[derive(Debug, Default)]
pub struct Facts {
    pub opened: AtomicUsize,
    pub let_go: AtomicUsize,
    pub most_at_once: AtomicUsize,
    pub attempts: AtomicUsize,
    pub refused: AtomicUsize,
    pub lent: AtomicUsize,
    pub told_of_opened: AtomicUsize,
    pub told_of_let_go: AtomicUsize,
}

pub struct Conn {
    pub unfit: Option<Discard>,
    facts: Arc<Facts>,
}

impl Drop for Conn {
    fn drop(&mut self) {
        // Whoever gets the slot too early has time to connect.
        thread::yield_now();
        count(&self.facts.let_go);
    }
}

/// Connections whose hooks go as they are told to, one mood after the other, whoever calls.
pub struct Moody {
    moods: Vec<Mood>,
    at: AtomicUsize,
    calm: AtomicBool,
    /// Goes on at every call.
    pub clock: Arc<Clock>,
    pub facts: Arc<Facts>,
}

impl Moody {
    pub fn new(moods: Vec<Mood>) -> Self {
        let (at, calm) = (AtomicUsize::new(0), AtomicBool::new(false));
        Self { moods, at, calm, clock: Clock::new(), facts: Arc::default() }
    }

    /// From now on all goes well.
    pub fn calm_down(&self) {
        self.calm.store(true, SeqCst);
    }

    fn outcome(&self) -> Result<(), Failure> {
        // Else a caller on few processors is done before the next begins.
        thread::yield_now();
        self.clock.pass(Duration::from_millis(20));
        if self.calm.load(SeqCst) {
            return Ok(());
        }
        match self.moods[self.at.fetch_add(1, SeqCst) % self.moods.len()] {
            Mood::Well => Ok(()),
            Mood::Badly => Err(Failure("badly")),
            Mood::Down => Err(Failure("down")),
            Mood::Panic => planned_panic(),
        }
    }
}

pub fn count(one: &AtomicUsize) {
    one.fetch_add(1, SeqCst);
}

/// A panic that prints nothing.
pub fn planned_panic() -> ! {
    resume_unwind(Box::new("as it was told to"))
}

impl Manage for Moody {
    type Conn = Conn;
    type Error = Failure;

    fn connect(&self, _: Instant) -> Result<Conn, Failure> {
        let facts = &self.facts;
        count(&facts.attempts);
        self.outcome().inspect_err(|_| count(&facts.refused))?;
        let opened = facts.opened.fetch_add(1, SeqCst) + 1;
        facts.most_at_once.fetch_max(opened - facts.let_go.load(SeqCst), SeqCst);
        Ok(Conn { unfit: None, facts: Arc::clone(facts) })
    }

    fn probe(&self, _: &mut Conn) -> Health {
        match self.outcome() {
            Ok(()) => Health::Suspect,
            Err(_) => Health::Dead,
        }
    }

    fn ping(&self, _: &mut Conn, _: Instant) -> Result<(), Failure> {
        self.outcome()
    }

    fn check(&self, _: &mut Conn, _: Instant) -> Result<(), Failure> {
        self.outcome()
    }

    fn reset(&self, _: &mut Conn, _: Reset) -> Result<(), Failure> {
        self.outcome()
    }

    fn unfit(&self, conn: &Conn) -> Option<Discard> {
        conn.unfit
    }

    fn idle_limit(&self, _: &Conn) -> Option<Duration> {
        None
    }

    fn is_outage(&self, error: &Failure) -> bool {
        *error == Failure("down")
    }

    fn on_event(&self, _: &str, event: Event<'_, Failure>) {
        match event {
            Event::Connected { .. } => count(&self.facts.told_of_opened),
            Event::Discarded { .. } => count(&self.facts.told_of_let_go),
            _ => {}
        }
        drop(self.outcome());
    }

    fn now(&self) -> Instant {
        self.clock.now()
    }
}
