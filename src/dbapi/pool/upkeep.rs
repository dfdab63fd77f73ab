//! Changing and testing what a pool holds.

use pyo3::prelude::*;

use super::super::errors::usage;
use super::Pool;
use crate::pool;
use crate::session::{Given, Value};

/// A size that was given, or the one that there is.
fn size(name: &str, given: Option<i64>, now: usize) -> PyResult<usize> {
    let Some(given) = given else { return Ok(now) };
    Given { name, value: Value::Int(given) }.count().map_err(usage)
}

#[pymethods]
impl Pool {
    /// Change `min_size` and `max_size`, or one of them, in this process and in children forked
    /// later.
    ///
    /// What is idle and too many is closed at once, what is in use and too many when it comes
    /// back. Nothing is opened: see `open()`. Raises ProgrammingError for sizes that cannot be.
    ///
    /// psycopg_pool: `resize(min_size, max_size)`. HikariCP: `setMaximumPoolSize()`.
    #[pyo3(signature = (*, min_size = None, max_size = None))]
    fn resize(&self, py: Python<'_>, min_size: Option<i64>, max_size: Option<i64>) -> PyResult<()> {
        let now = self.now(py, pool::Pool::limits)?;
        let min_size = size("min_size", min_size, now.0)?;
        let max_size = size("max_size", max_size, now.1)?;
        self.now(py, |pool| pool.resize(min_size, max_size))?.map_err(usage)
    }

    /// Replace every connection: the idle ones are closed at once, those in use when they come
    /// back. For instance after a change of grants, or before the server is stopped.
    ///
    /// psycopg_pool: `drain()`. HikariCP: `softEvictConnections()`.
    fn drain(&self, py: Python<'_>) -> PyResult<()> {
        self.now(py, pool::Pool::drain)
    }

    /// Test every idle connection by a ping and by the option `check`, and close those that fail.
    /// Answers how many did.
    ///
    /// psycopg_pool: `check()`.
    fn check(&self, py: Python<'_>) -> PyResult<usize> {
        self.wait(py, None, None, |caller| Ok(self.pool.check(caller)))
    }

    /// Lend nothing until `resume()`: callers wait, each within its time-out. What is lent stays
    /// lent. In this process alone: a child forked meanwhile lends.
    ///
    /// HikariCP: `suspendPool()`.
    fn suspend(&self, py: Python<'_>) -> PyResult<()> {
        self.now(py, pool::Pool::suspend)
    }

    /// Lend again after `suspend()`. Safe to repeat.
    ///
    /// HikariCP: `resumePool()`.
    fn resume(&self, py: Python<'_>) -> PyResult<()> {
        self.now(py, pool::Pool::resume)
    }
}
