//! What a pool tells of itself.

use pyo3::prelude::*;
use pyo3::types::PyDict;

use super::super::stats::as_dict;
use super::Pool;
use crate::pool::{self, Stats};

#[pymethods]
impl Pool {
    /// What the pool is doing, and has done in this process, as a dictionary.
    ///
    /// psycopg_pool's fifteen keys with its meanings (times in whole milliseconds):
    ///
    /// pool_min, pool_max: the options, or what `resize()` made of them.
    /// pool_size, pool_available: connections idle and in use; those idle.
    /// requests_waiting: callers waiting now.
    /// requests_num, requests_queued, requests_wait_ms, requests_errors: connections asked for;
    /// how often the caller had to wait, and how long all did; how often there was an error.
    /// usage_ms: how long connections were lent.
    /// returns_bad: connections that came back broken.
    /// connections_num, connections_ms, connections_errors: attempts to connect, those that failed
    /// included; how long those took that did not; those that failed.
    /// connections_lost: connections that `check()` found dead.
    ///
    /// And our own (times in seconds):
    ///
    /// pid, name, closed, suspended: the process, the pool, its state.
    /// down_for: for how long no connection could be opened; None: the last attempt went well.
    /// in_use: connections lent, being opened, tested or reset.
    /// forks_noticed: forks between the pool's first process and this one, as far as it was used.
    /// hand_offs: connections that went straight from one caller to the next.
    /// timeouts: callers that got a PoolTimeout.
    /// pings, ping_failures, probe_failures: tests of idle connections.
    /// discards: connections not kept, by reason: expired, idle, broken, inherited, closed,
    /// read_only, drained, surplus.
    /// leaks, collected, orphaned: leases held longer than `leak_after`; those that came back because
    /// the connection object was collected, or the thread that had used it had ended.
    /// wait_time, use_time: from request to lease, from lease to check-in: count, p50, p99, max.
    /// leases: who holds what, longest first: thread, seconds, where (with `leak_after`), leaked.
    /// idle_limit, idle_limit_source: how long a connection may rest; "max_idle" or
    /// "wait_timeout", the server's.
    /// last_connect_error: why an attempt to connect failed last.
    ///
    /// psycopg_pool: `get_stats()`. SQLAlchemy: `status()`. HikariCP: `HikariPoolMXBean`.
    fn stats<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        as_dict(py, &self.now(py, pool::Pool::stats)?)
    }

    /// As `stats()`; what is counted is counted from zero again from here on, but for
    /// `forks_noticed` and `discards["inherited"]`.
    ///
    /// psycopg_pool: `pop_stats()`.
    fn pop_stats<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        as_dict(py, &self.now(py, pool::Pool::pop_stats)?)
    }

    /// Whether it has been closed, in this process or before the fork.
    #[getter]
    fn closed(&self, py: Python<'_>) -> PyResult<bool> {
        self.now(py, pool::Pool::is_closed)
    }

    /// Its name in errors, events and stats: the option, or one made up.
    #[getter]
    fn name(&self) -> &str {
        self.pool.name()
    }

    /// How many connections there are, idle and in use.
    fn __len__(&self, py: Python<'_>) -> PyResult<usize> {
        self.now(py, pool::Pool::size)
    }

    /// True, also while there is no connection: `pool or default` must not pass an empty one over.
    fn __bool__(&self) -> bool {
        true
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let stats: Stats = self.now(py, pool::Pool::stats)?;
        Ok(format!("<forksafe.Pool {stats}>"))
    }
}
