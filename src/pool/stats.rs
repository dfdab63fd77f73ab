use std::fmt;
use std::time::Duration;

use super::error::Holding;

/// What a pool is doing and what it has done in this process.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Stats {
    /// The process these numbers are about.
    pub pid: u32,
    /// The pool's name.
    pub name: String,
    /// The option, or what [`super::Pool::resize`] made of it.
    pub min_size: usize,
    /// The option, or what [`super::Pool::resize`] made of it.
    pub max_size: usize,
    /// Idle and in use together.
    pub size: usize,
    /// In the pool.
    pub idle: usize,
    /// Lent, being opened, tested or reset.
    pub in_use: usize,
    /// Callers in the queue.
    pub waiting: usize,
    /// Whether the pool has been closed.
    pub closed: bool,
    /// Whether it lends nothing for now.
    pub suspended: bool,
    /// For how long no connection could be opened; `None`: the last attempt went well.
    pub down_for: Option<Duration>,
    /// How many times, on the way from the pool's first process to this one, the pool was found
    /// in a child.
    pub forks_noticed: u64,
    /// Attempts to open a connection, those included that failed or are not over.
    pub connects: u64,
    /// Time spent on those that succeeded.
    pub connect_seconds: Duration,
    /// Those that failed.
    pub connect_errors: u64,
    /// Connections asked for, by callers included that still wait.
    pub requests: u64,
    /// Those that ended with an error.
    pub request_errors: u64,
    /// Connections lent.
    pub check_outs: u64,
    /// Time for which connections were lent, all together, of those that came back.
    pub use_seconds: Duration,
    /// Connections that came back broken.
    pub returns_bad: u64,
    /// Connections that [`super::Pool::check`] found dead.
    pub lost: u64,
    /// Leases that were held longer than `leak_after`.
    pub leaks: u64,
    /// Leases that came back because the object that held them was collected.
    pub collected: u64,
    /// Leases that came back because the thread that used them had ended.
    pub orphaned: u64,
    /// From request to lease, of those that got one.
    pub wait_time: Summary,
    /// From lease to check-in.
    pub use_time: Summary,
    /// Who has what is in use, longest first.
    pub leases: Vec<Holding>,
    /// Check-outs that had to queue.
    pub waits: u64,
    /// Time spent in the queue, by all callers together.
    pub wait_seconds: Duration,
    /// Check-outs that ran into their deadline.
    pub timeouts: u64,
    /// Connections and free slots that went straight to a caller in the queue.
    pub hand_offs: u64,
    /// Round trips made to test a connection.
    pub pings: u64,
    /// Those that failed.
    pub ping_failures: u64,
    /// Connections that a probe found dead.
    pub probe_failures: u64,
    /// Connections not kept, by reason.
    pub discards: Discards,
    /// How long the connection may rest that was opened or checked in last; `None`: for ever.
    pub idle_limit: Option<Duration>,
    /// Who said so.
    pub idle_source: IdleSource,
    /// Why an attempt failed last.
    pub last_connect_error: Option<String>,
}

/// The state in one line, for a `repr`.
impl fmt::Display for Stats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, max_size, in_use, idle, waiting, .. } = self;
        write!(f, "'{name}' [{max_size} max | {in_use} in use, {idle} idle, {waiting} waiting]")?;
        if let Some(down_for) = self.down_for {
            write!(f, " server down for {:.1}s", down_for.as_secs_f64())?;
        }
        f.write_str(match (self.closed, self.suspended) {
            (true, _) => " closed",
            (false, true) => " suspended",
            (false, false) => "",
        })
    }
}

/// Why the pool does not keep a connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Discard {
    /// Older than `recycle` allows.
    Expired,
    /// Rested longer than it may.
    Idle,
    /// Found dead, or finished by an error.
    Broken,
    /// Opened by another process than this one.
    Inherited,
    /// The pool is closed.
    Closed,
    /// Its server takes no changes any more, as after a failover.
    ReadOnly,
    /// [`super::Pool::drain`] was called after it was opened.
    Drained,
    /// The pool was made smaller.
    Surplus,
}

/// What an idle limit comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum IdleSource {
    /// The option.
    #[default]
    MaxIdle,
    /// The server's own limit.
    Server,
}

/// A histogram in four numbers. Percentiles are exact to an eighth.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Summary {
    /// How many durations.
    pub count: u64,
    /// Half of them are no longer.
    pub p50: Duration,
    /// 99 of 100 are no longer.
    pub p99: Duration,
    /// The longest.
    pub max: Duration,
}

/// How many connections were not kept, by reason.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Discards {
    /// [`Discard::Expired`]
    pub expired: u64,
    /// [`Discard::Idle`]
    pub idle: u64,
    /// [`Discard::Broken`]
    pub broken: u64,
    /// [`Discard::Inherited`]
    pub inherited: u64,
    /// [`Discard::Closed`]
    pub closed: u64,
    /// [`Discard::ReadOnly`]
    pub read_only: u64,
    /// [`Discard::Drained`]
    pub drained: u64,
    /// [`Discard::Surplus`]
    pub surplus: u64,
}
