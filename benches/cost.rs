//! What fork safety costs on the hot path: nanoseconds a call, one `name<TAB>ns` a line.
//!
//! `benches/cost.py` runs this built twice, with the checks and with
//! `--cfg forksafe_no_fork_check`, and compares. A plain harness: what counts is the difference of
//! two programs that take turns, and the known frameworks compare a program with its own past.

use std::convert::Infallible;
use std::hint::black_box;
use std::time::{Duration, Instant};

use forksafe::pool::{Discard, Health, Manage, Pool, PoolOptions, Reset};
use forksafe::process::{Owned, PerProcess, Process};

/// Long enough that reading the clock does not count, short enough that some batch is not
/// interrupted.
const BATCH: Duration = Duration::from_micros(500);
const BATCHES: usize = 60;

fn main() {
    // Read at run time, so that the compiler cannot fold what is measured into constants.
    let owned = black_box(Owned::new(1_u64));
    let cell = black_box(PerProcess::<u64>::new());
    let pool = black_box(pool());
    let checks = if cfg!(forksafe_no_fork_check) { "without" } else { "with" };
    println!("checks\t{checks}");
    report("empty loop", || 1_u64);
    report("Process::current", Process::current);
    report("Owned::get", || owned.get().copied());
    report("PerProcess::get_or_make", || *cell.get_or_make(|_| 1));
    report("pool: check out, check in", || pool.check_out(None).map(drop).is_ok());
    report("getpid, for comparison", || nix::unistd::getpid().as_raw());
}

fn report<T>(name: &str, call: impl FnMut() -> T) {
    println!("{name}\t{:.3}", nanoseconds(call));
}

/// The fastest batch, divided by its calls: whatever else runs only ever makes one slower.
fn nanoseconds<T>(mut call: impl FnMut() -> T) -> f64 {
    let mut calls = 1;
    while time(calls, &mut call) < BATCH {
        calls *= 2;
    }
    let fastest = (0..BATCHES).map(|_| time(calls, &mut call)).min().unwrap_or_default();
    fastest.as_nanos() as f64 / f64::from(calls)
}

fn time<T>(calls: u32, call: &mut impl FnMut() -> T) -> Duration {
    let began = Instant::now();
    for _ in 0..calls {
        black_box(call());
    }
    began.elapsed()
}

/// One whose connections cost nothing, so that what is measured is the pool.
fn pool() -> Pool<Nothing> {
    let options = PoolOptions::default();
    Pool::new(Nothing, options).expect("BUG: the default options are refused")
}

struct Nothing;

impl Manage for Nothing {
    type Conn = u64;
    type Error = Infallible;

    fn connect(&self, _: Instant) -> Result<u64, Infallible> {
        Ok(1)
    }

    fn probe(&self, _: &mut u64) -> Health {
        Health::Open
    }

    fn ping(&self, _: &mut u64, _: Instant) -> Result<(), Infallible> {
        Ok(())
    }

    fn reset(&self, _: &mut u64, _: Reset) -> Result<(), Infallible> {
        Ok(())
    }

    fn unfit(&self, _: &u64) -> Option<Discard> {
        None
    }

    fn is_outage(&self, _: &Infallible) -> bool {
        true
    }

    fn idle_limit(&self, _: &u64) -> Option<Duration> {
        None
    }
}
