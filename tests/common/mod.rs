//! Fakes for the pool's tests, and `in_fork`.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used)]

use std::any::Any;
use std::fmt;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc::{channel, Receiver, Sender};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use forksafe::pool::{Discard, Health, Lease, Manage, Pool, PoolOptions, Reset};
use nix::sys::wait::{waitpid, WaitStatus};
use nix::unistd::{alarm, fork, ForkResult, Pid};

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

type Hook<T> = Box<dyn Fn(usize, Instant) -> T + Send + Sync>;

/// Connections out of thin air. Each hook is told the connection's number and, where there is one,
/// the deadline; what it does not say goes well.
pub struct Fake {
    pub counts: Arc<Counts>,
    pub on_connect: Hook<Result<(), Failure>>,
    pub on_ping: Hook<Result<(), Failure>>,
    pub on_reset: Box<dyn Fn(usize, Reset) -> Result<(), Failure> + Send + Sync>,
    pub on_probe: Box<dyn Fn(usize) -> Health + Send + Sync>,
    pub idle_limit: Option<Duration>,
    /// Whether a failed connect tells of the server.
    pub outage: bool,
}

impl Default for Fake {
    fn default() -> Self {
        Self {
            counts: Arc::default(),
            on_connect: Box::new(|_, _| Ok(())),
            on_ping: Box::new(|_, _| Ok(())),
            on_reset: Box::new(|_, _| Ok(())),
            on_probe: Box::new(|_| Health::Open),
            idle_limit: None,
            outage: false,
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
        Ok(Conn { number, broken: false, on_drop: None, counts: Arc::clone(&self.counts) })
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
        conn.broken.then_some(Discard::Broken)
    }

    fn is_outage(&self, _: &Failure) -> bool {
        self.outage
    }

    fn idle_limit(&self, _: &Conn) -> Option<Duration> {
        self.idle_limit
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

/// Run `child` in a forked process, and insist that it ends by itself, in time and well. The
/// child leaves by `_exit`; one that hangs is ended by its alarm, and that is a failure.
pub fn in_fork(child: impl FnOnce()) {
    ends_well(start_fork(child));
}

/// The first half of [`in_fork`]: the child runs while its parent goes on.
pub fn start_fork(child: impl FnOnce()) -> Pid {
    // SAFETY: the child runs code under test whose claim is just this: to work after a fork of a
    // process with threads.
    match unsafe { fork() }.unwrap() {
        ForkResult::Child => {
            alarm::set(10);
            let outcome = catch_unwind(AssertUnwindSafe(child));
            let code = outcome.map_or_else(|panic| report(&*panic), |()| 0);
            // SAFETY: ends the process; nothing runs after it.
            unsafe { libc::_exit(code) }
        }
        ForkResult::Parent { child } => child,
    }
}

/// The second half of [`in_fork`].
pub fn ends_well(child: Pid) {
    let end = waitpid(child, None).unwrap();
    assert_eq!(end, WaitStatus::Exited(child, 0), "the child hung or failed");
}

/// Past the harness, which captures what tests print, and its locks.
fn report(panic: &(dyn Any + Send)) -> i32 {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no text");
    let _ = nix::unistd::write(std::io::stderr(), format!("in the child: {text}\n").as_bytes());
    101
}
