//! Fakes for the pool's tests, and `in_fork`.
#![allow(dead_code, unreachable_pub, unused_imports, clippy::unwrap_used)]

mod clock;
mod forks;
mod heard;
mod moody;

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc::{channel, Receiver, Sender};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use forksafe::pool::{Discard, Event, Health, Lease, Manage, Pool, PoolOptions, Reset};

pub use clock::Clock;
pub use forks::{ends_well, fork_here, in_fork, leave, start_fork};
pub use heard::{in_short, Heard};
pub use moody::{count, planned_panic, Mood, Moody};

/// Longer than any test may take: what has not happened by then never will.
pub const NEVER: Duration = Duration::from_secs(20);

pub type FakePool = Pool<Fake>;
pub type FakeLease = Lease<Fake>;

/// What happened to the connections of one [`Fake`].
#[derive(Debug, Default)]
pub struct Counts {
    pub opened: AtomicUsize,
    pub dropped: AtomicUsize,
    pub most_at_once: AtomicUsize,
    pub probes: AtomicUsize,
    pub pings: AtomicUsize,
    pub resets: AtomicUsize,
}

impl Counts {
    pub fn opened(&self) -> usize {
        self.opened.load(SeqCst)
    }

    pub fn dropped(&self) -> usize {
        self.dropped.load(SeqCst)
    }
}

/// A connection that counts its end.
pub struct Conn {
    pub number: usize,
    pub broken: bool,
    /// Its server takes no changes any more.
    pub read_only: bool,
    /// Called while it is being let go.
    pub on_drop: Option<Box<dyn FnOnce() + Send>>,
    counts: Arc<Counts>,
}

impl Drop for Conn {
    fn drop(&mut self) {
        self.counts.dropped.fetch_add(1, SeqCst);
        if let Some(hook) = self.on_drop.take() {
            hook();
        }
    }
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failure(pub &'static str);

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for Failure {}

type Listener = Box<dyn Fn(&str, Event<'_, Failure>) + Send + Sync>;
type Hook<T> = Box<dyn Fn(usize, Instant) -> T + Send + Sync>;

/// Connections out of thin air. Each hook is told the connection's number and, where there is one,
/// the deadline; what it does not say goes well.
pub struct Fake {
    pub counts: Arc<Counts>,
    pub on_connect: Hook<Result<(), Failure>>,
    pub on_ping: Hook<Result<(), Failure>>,
    pub on_reset: Box<dyn Fn(usize, Reset) -> Result<(), Failure> + Send + Sync>,
    pub on_probe: Box<dyn Fn(usize) -> Health + Send + Sync>,
    pub on_check: Hook<Result<(), Failure>>,
    pub on_event: Listener,
    pub idle_limit: Option<Duration>,
    /// The same, where it changes.
    pub idle_limits: Option<Arc<Mutex<Option<Duration>>>>,
    pub lifetime: Option<Duration>,
    pub limit: Option<usize>,
    /// Whether a failed connect tells of the server.
    pub outage: bool,
    /// `None`: the real one.
    pub clock: Option<Arc<Clock>>,
}

impl Default for Fake {
    fn default() -> Self {
        Self {
            counts: Arc::default(),
            on_connect: Box::new(|_, _| Ok(())),
            on_ping: Box::new(|_, _| Ok(())),
            on_reset: Box::new(|_, _| Ok(())),
            on_probe: Box::new(|_| Health::Open),
            on_check: Box::new(|_, _| Ok(())),
            on_event: Box::new(|_, _| ()),
            idle_limit: None,
            idle_limits: None,
            lifetime: None,
            limit: None,
            outage: false,
            clock: None,
        }
    }
}

impl Fake {
    /// Fails to connect as often as the iterator says, counted from the first attempt.
    pub fn connecting(
        outcome: impl Fn(usize) -> Result<(), Failure> + Send + Sync + 'static,
    ) -> Self {
        let attempts = AtomicUsize::new(0);
        let on_connect = move |_, _| outcome(attempts.fetch_add(1, SeqCst) + 1);
        Self { on_connect: Box::new(on_connect), ..Self::default() }
    }

    pub fn probing(health: impl Fn(usize) -> Health + Send + Sync + 'static) -> Self {
        Self { on_probe: Box::new(health), ..Self::default() }
    }

    pub fn pinging(
        outcome: impl Fn(usize, Instant) -> Result<(), Failure> + Send + Sync + 'static,
    ) -> Self {
        Self { on_ping: Box::new(outcome), ..Self::default() }
    }

    pub fn resetting(
        outcome: impl Fn(usize, Reset) -> Result<(), Failure> + Send + Sync + 'static,
    ) -> Self {
        Self { on_reset: Box::new(outcome), ..Self::default() }
    }

    /// A server that is down until the switch is set.
    pub fn down_until(up: &Arc<AtomicBool>) -> Self {
        let up = Arc::clone(up);
        let fake = Self::connecting(move |_| match up.load(SeqCst) {
            true => Ok(()),
            false => Err(Failure("refused")),
        });
        Self { outage: true, ..fake }
    }

    /// With a clock that stands still.
    pub fn at(self, clock: &Arc<Clock>) -> Self {
        Self { clock: Some(Arc::clone(clock)), ..self }
    }

    /// With somebody who listens.
    pub fn heard(self, heard: &Heard) -> Self {
        let heard = Arc::clone(heard);
        let on_event = move |_: &str, event: Event<'_, Failure>| {
            heard.lock().unwrap().push(in_short(&event));
        };
        Self { on_event: Box::new(on_event), ..self }
    }

    /// A pool of these, and what happens to its connections.
    pub fn pool(self, options: PoolOptions) -> (FakePool, Arc<Counts>) {
        let counts = Arc::clone(&self.counts);
        (Pool::new(self, options).unwrap(), counts)
    }
}

impl Manage for Fake {
    type Conn = Conn;
    type Error = Failure;

    fn connect(&self, deadline: Instant) -> Result<Conn, Failure> {
        (self.on_connect)(self.counts.opened() + 1, deadline)?;
        let number = self.counts.opened.fetch_add(1, SeqCst) + 1;
        let open = number - self.counts.dropped();
        self.counts.most_at_once.fetch_max(open, SeqCst);
        let counts = Arc::clone(&self.counts);
        Ok(Conn { number, broken: false, read_only: false, on_drop: None, counts })
    }

    fn probe(&self, conn: &mut Conn) -> Health {
        self.counts.probes.fetch_add(1, SeqCst);
        (self.on_probe)(conn.number)
    }

    fn ping(&self, conn: &mut Conn, deadline: Instant) -> Result<(), Failure> {
        self.counts.pings.fetch_add(1, SeqCst);
        (self.on_ping)(conn.number, deadline)
    }

    fn reset(&self, conn: &mut Conn, how: Reset) -> Result<(), Failure> {
        self.counts.resets.fetch_add(1, SeqCst);
        (self.on_reset)(conn.number, how)
    }

    fn unfit(&self, conn: &Conn) -> Option<Discard> {
        match conn {
            Conn { read_only: true, .. } => Some(Discard::ReadOnly),
            Conn { broken: true, .. } => Some(Discard::Broken),
            _ => None,
        }
    }

    fn check(&self, conn: &mut Conn, deadline: Instant) -> Result<(), Failure> {
        (self.on_check)(conn.number, deadline)
    }

    fn lifetime(&self, _: &Conn) -> Option<Duration> {
        self.lifetime
    }

    fn limit(&self, _: &Conn) -> Option<usize> {
        self.limit
    }

    fn on_event(&self, pool: &str, event: Event<'_, Failure>) {
        (self.on_event)(pool, event);
    }

    fn now(&self) -> Instant {
        self.clock.as_ref().map_or_else(Instant::now, |clock| clock.now())
    }

    fn is_outage(&self, _: &Failure) -> bool {
        self.outage
    }

    fn idle_limit(&self, _: &Conn) -> Option<Duration> {
        self.idle_limits.as_ref().map_or(self.idle_limit, |limit| *limit.lock().unwrap())
    }
}

pub fn of_size(max_size: usize) -> PoolOptions {
    PoolOptions { max_size, timeout: NEVER, ..PoolOptions::default() }
}

/// A gate in a hook: the hook tells that it has come to it, and waits until it is let through.
pub fn gate() -> (Gate, Keeper) {
    let ((arrive, arrived), (open, opened)) = (channel(), channel());
    (Gate { arrive: Mutex::new(arrive), opened: Mutex::new(opened) }, Keeper { arrived, open })
}

pub struct Gate {
    arrive: Mutex<Sender<()>>,
    opened: Mutex<Receiver<()>>,
}

pub struct Keeper {
    arrived: Receiver<()>,
    open: Sender<()>,
}

impl Gate {
    pub fn pass(&self) {
        self.arrive.lock().unwrap().send(()).unwrap();
        self.opened.lock().unwrap().recv_timeout(NEVER).unwrap();
    }
}

impl Keeper {
    pub fn somebody_came(&self) {
        self.arrived.recv_timeout(NEVER).unwrap();
    }

    pub fn open(&self) {
        self.open.send(()).unwrap();
    }
}

/// Wait until as many callers are in the queue.
pub fn until_waiting(pool: &FakePool, callers: usize) {
    let end = Instant::now() + NEVER;
    while pool.stats().waiting != callers {
        assert!(Instant::now() < end, "there were never {callers} callers waiting: {pool:?}");
        thread::yield_now();
    }
}

/// Wait until it is so.
pub fn until(it_is_so: impl Fn() -> bool) {
    let end = Instant::now() + NEVER;
    while !it_is_so() {
        assert!(Instant::now() < end, "it never was so");
        thread::yield_now();
    }
}
