use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use super::event::Reclaim;
use super::histogram::{nanoseconds, Histogram};
use super::stats::{Discard, Discards, Stats};

/// What is counted while the pool works. Atomics: a child reads those that it inherited.
#[derive(Debug, Default)]
pub(super) struct Counters {
    forks_noticed: AtomicU64,
    /// The number that the connection got which was opened last.
    last_id: AtomicU64,
    /// Opened in this process and not yet let go.
    open: AtomicU64,
    pub(super) connects: AtomicU64,
    connect_nanos: AtomicU64,
    pub(super) connect_errors: AtomicU64,
    pub(super) requests: AtomicU64,
    pub(super) request_errors: AtomicU64,
    pub(super) waits: AtomicU64,
    wait_nanos: AtomicU64,
    wait_time: Histogram,
    use_nanos: AtomicU64,
    use_time: Histogram,
    returns_bad: AtomicU64,
    pub(super) lost: AtomicU64,
    leaks: AtomicU64,
    collected: AtomicU64,
    orphaned: AtomicU64,
    pub(super) timeouts: AtomicU64,
    pub(super) hand_offs: AtomicU64,
    pub(super) pings: AtomicU64,
    pub(super) ping_failures: AtomicU64,
    pub(super) probe_failures: AtomicU64,
    discards: [AtomicU64; 8],
}

impl Counters {
    /// Those of a child: all zero, but for what it inherited.
    pub(super) fn after_fork(inherited: &Self) -> Self {
        let fresh = Self::default();
        fresh.forks_noticed.store(inherited.forks_noticed.load(Relaxed) + 1, Relaxed);
        let open = inherited.open.load(Relaxed);
        fresh.discards[Discard::Inherited as usize].store(open, Relaxed);
        fresh
    }

    /// One more was opened, and `took` so long; returns its number.
    pub(super) fn connected(&self, took: Duration) -> u64 {
        add(&self.open);
        add_time(&self.connect_nanos, took);
        self.last_id.fetch_add(1, Relaxed) + 1
    }

    /// A caller left the queue.
    pub(super) fn waited(&self, time: Duration) {
        add_time(&self.wait_nanos, time);
    }

    /// One was lent, so long after it was asked for.
    pub(super) fn lent(&self, after: Duration) {
        self.wait_time.add(after);
    }

    /// A lease has ended.
    pub(super) fn used(&self, time: Duration) {
        self.use_time.add(time);
        add_time(&self.use_nanos, time);
    }

    /// A lease has ended, and its connection is not kept.
    pub(super) fn returned(&self, reason: Discard) {
        if reason == Discard::Broken {
            add(&self.returns_bad);
        }
    }

    pub(super) fn leaked(&self, leases: usize) {
        self.leaks.fetch_add(leases as u64, Relaxed);
    }

    pub(super) fn reclaimed(&self, cause: Reclaim) {
        add(match cause {
            Reclaim::Collected => &self.collected,
            Reclaim::ThreadEnded => &self.orphaned,
        });
    }

    pub(super) fn discarded(&self, reason: Discard) {
        add(&self.discards[reason as usize]);
        self.open.fetch_sub(1, Relaxed);
    }

    /// What the counters know; the rest is left to whoever asks.
    pub(super) fn stats(&self, reading: Reading) -> Stats {
        let time = |counter| Duration::from_nanos(reading.of(counter));
        let wait_time = self.wait_time.summary(reading);
        Stats {
            forks_noticed: Reading::Look.of(&self.forks_noticed),
            connects: reading.of(&self.connects),
            connect_seconds: time(&self.connect_nanos),
            connect_errors: reading.of(&self.connect_errors),
            requests: reading.of(&self.requests),
            request_errors: reading.of(&self.request_errors),
            check_outs: wait_time.count,
            use_seconds: time(&self.use_nanos),
            returns_bad: reading.of(&self.returns_bad),
            lost: reading.of(&self.lost),
            leaks: reading.of(&self.leaks),
            collected: reading.of(&self.collected),
            orphaned: reading.of(&self.orphaned),
            wait_time,
            use_time: self.use_time.summary(reading),
            waits: reading.of(&self.waits),
            wait_seconds: time(&self.wait_nanos),
            timeouts: reading.of(&self.timeouts),
            hand_offs: reading.of(&self.hand_offs),
            pings: reading.of(&self.pings),
            ping_failures: reading.of(&self.ping_failures),
            probe_failures: reading.of(&self.probe_failures),
            discards: self.discards(reading),
            ..Stats::default()
        }
    }

    /// Connections that were not opened by this process.
    pub(super) fn inherited(&self) -> u64 {
        Reading::Look.of(&self.discards[Discard::Inherited as usize])
    }

    /// What was inherited is of the process, not of the time since the last look.
    fn discards(&self, reading: Reading) -> Discards {
        let of = |reason: Discard| reading.of(&self.discards[reason as usize]);
        Discards {
            expired: of(Discard::Expired),
            idle: of(Discard::Idle),
            broken: of(Discard::Broken),
            inherited: self.inherited(),
            closed: of(Discard::Closed),
            read_only: of(Discard::ReadOnly),
            drained: of(Discard::Drained),
            surplus: of(Discard::Surplus),
        }
    }
}

/// How counters are read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Reading {
    /// They go on from where they are.
    Look,
    /// They go on from zero. Each event is in one reading, whoever counts meanwhile.
    Take,
}

impl Reading {
    pub(super) fn of(self, counter: &AtomicU64) -> u64 {
        match self {
            Self::Look => counter.load(Relaxed),
            Self::Take => counter.swap(0, Relaxed),
        }
    }
}

pub(super) fn add(counter: &AtomicU64) {
    counter.fetch_add(1, Relaxed);
}

fn add_time(counter: &AtomicU64, time: Duration) {
    counter.fetch_add(nanoseconds(time), Relaxed);
}
