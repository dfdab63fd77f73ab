//! `forksafe.Pool`.

mod told;
mod upkeep;

use std::sync::Arc;
use std::time::Duration;

use pyo3::exceptions::PyTypeError;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use super::at_exit;
use super::connection::Connection;
use super::errors::{attempt, detached, finally, interrupted, raise_pool, usage};
use super::hooks::Kit;
use super::lending::Lending;
use super::link::Held;
use super::managed::{Failure, Managed};
use super::options::Options;
use super::place::{place, thread_name};
use crate::pool::{self, Caller};
use crate::session::{Given, Value};

/// A pool of connections that survives `fork()`.
///
/// `Pool("mysql://user:password@host/database", max_size=20)`, or with keywords alone. The README
/// has the options; one that is unknown, or has a value that it cannot have, is a ProgrammingError.
///
/// Opens nothing until asked, and has no thread of its own. In a forked child it is the same pool,
/// empty, at full size; what the parent had open stays the parent's. Safe to use from any number
/// of threads.
///
/// Its errors are OperationalErrors: PoolTimeout, TooManyRequests, PoolClosed, or what a failed
/// connect raises.
#[pyclass(frozen, weakref, module = "forksafe")]
pub(super) struct Pool {
    pool: pool::Pool<Managed>,
    /// Last, for the pool holds a share of it.
    kit: Arc<Kit>,
}

impl Pool {
    pub(super) fn check_out(
        &self,
        py: Python<'_>,
        timeout: Option<Duration>,
    ) -> PyResult<Connection> {
        let place = self.pool.options().leak_after.and_then(|_| place(py));
        let place = place.map(Arc::from);
        let lease = self.wait(py, timeout, place, |caller| self.pool.check_out_for(caller))?;
        let options = Arc::clone(self.pool.manage().connector().options());
        Ok(Connection::new(Held::Lent(lease), options, Arc::clone(&self.kit)))
    }

    /// The interpreter ends: let the idle connections go, and tell nobody.
    pub(super) fn say_goodbye(&self, py: Python<'_>) -> PyResult<()> {
        self.pool.manage().be_quiet();
        self.now(py, pool::Pool::drain)
    }

    /// Do what may wait on behalf of this thread. Ctrl-C ends it.
    fn wait<T: Send>(
        &self,
        py: Python<'_>,
        timeout: Option<Duration>,
        place: Option<Arc<str>>,
        work: impl FnOnce(&Caller<'_>) -> Result<T, pool::Error<Failure>> + Send,
    ) -> PyResult<T> {
        let thread = thread_name(py).map(Arc::from);
        let caller = Caller { timeout, thread, place, keep_waiting: Some(&|| !interrupted()) };
        attempt(py, || work(&caller), raise_pool)
    }

    /// Events may be told, so that is done away from the interpreter too.
    fn now<T: Send>(
        &self,
        py: Python<'_>,
        look: impl FnOnce(&pool::Pool<Managed>) -> T + Send,
    ) -> PyResult<T> {
        detached(py, || look(&self.pool))
    }
}

fn seconds(timeout: Option<f64>) -> PyResult<Option<Duration>> {
    let value = timeout.map_or(Value::Null, Value::Float);
    Given { name: "timeout", value }.seconds_or_zero().map_err(usage)
}

#[pymethods]
impl Pool {
    #[new]
    #[pyo3(signature = (url = None, /, **options))]
    fn py_new<'py>(
        py: Python<'py>,
        url: Option<&str>,
        options: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Bound<'py, Self>> {
        let mut options = Options::for_pool().read(url, options)?;
        let (connector, plain) = (options.connector()?, options.pool());
        let hooks = options.hooks(py)?;
        let kit = Arc::new(Kit { hooks, objects: options.objects(py)? });
        let managed = Managed::new(connector, Arc::clone(&kit));
        let pool = pool::Pool::new(managed, plain).map_err(usage)?;
        let pool = Bound::new(py, Self { pool, kit })?;
        at_exit::remember(&pool)?;
        Ok(pool)
    }

    /// Open connections until there are `min_size`, one after another, each configured.
    ///
    /// `timeout` in seconds, for all of them together; default: the pool's. With `wait=False`
    /// nothing is opened, for the pool has no thread to do it: connections are opened when they
    /// are asked for. Nobody has to call this; `with Pool(…)` does.
    ///
    /// Raises PoolClosed when the pool has been closed, and what a failed `connect()` raises.
    ///
    /// psycopg_pool: `open(wait)` and `wait(timeout)`. HikariCP: `initializationFailTimeout`.
    #[pyo3(signature = (wait = true, timeout = None))]
    fn open(&self, py: Python<'_>, wait: bool, timeout: Option<f64>) -> PyResult<()> {
        let timeout = seconds(timeout)?;
        self.wait(py, timeout, None, |caller| match wait {
            true => self.pool.open(caller),
            false => self.pool.still_open(),
        })
    }

    /// Check out a connection; its `close()` checks it in.
    ///
    /// `timeout` in seconds, with the wait, the tests and the connecting; default: the pool's. 0:
    /// what can be lent at once, without a round trip.
    ///
    /// One that is never closed comes back when it is collected; or, if others wait for a
    /// connection, when the thread that used it last has ended. Both are counted and told.
    ///
    /// Raises PoolTimeout, TooManyRequests or PoolClosed, or what a failed connect raises, which
    /// comes at once while the server is down.
    ///
    /// psycopg_pool: `getconn(timeout)`. SQLAlchemy: `Pool.connect()`. HikariCP:
    /// `getConnection()`.
    #[pyo3(signature = (timeout = None))]
    fn connect(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<Connection> {
        self.check_out(py, seconds(timeout)?)
    }

    /// A context manager around `connect()`: commits when the block ends, rolls back when it
    /// raises, and checks in.
    ///
    /// psycopg_pool: `connection(timeout)`.
    #[pyo3(signature = (timeout = None))]
    fn connection(slf: Py<Self>, timeout: Option<f64>) -> PyResult<Lending> {
        Ok(Lending::new(slf, seconds(timeout)?))
    }

    /// Lend nothing more: close the idle connections, wake those who wait with PoolClosed, and
    /// then wait up to `timeout` seconds (default 0) for what is in use to come back.
    ///
    /// Answers how many connections are in use still; each is closed when it comes back. A closed
    /// pool stays closed, also in a child forked later. Safe to repeat.
    ///
    /// psycopg_pool: `close(timeout)`, which waits for its threads. SQLAlchemy: `dispose()`.
    /// HikariCP: `close()`.
    #[pyo3(signature = (timeout = 0.0))]
    fn close(&self, py: Python<'_>, timeout: f64) -> PyResult<usize> {
        let timeout = seconds(Some(timeout))?.unwrap_or_default();
        self.now(py, |pool| pool.close_within(timeout, Some(&|| !interrupted())))
    }

    /// As `open()`.
    fn __enter__(slf: Py<Self>, py: Python<'_>) -> PyResult<Py<Self>> {
        slf.get().open(py, true, None)?;
        Ok(slf)
    }

    /// As `close()`.
    #[pyo3(signature = (*_exc))]
    fn __exit__(&self, py: Python<'_>, _exc: &Bound<'_, PyTuple>) -> PyResult<()> {
        self.close(py, 0.0).map(drop)
    }

    fn __reduce__(&self) -> PyResult<()> {
        Err(PyTypeError::new_err(
            "cannot pickle a forksafe.Pool: its connections belong to one process; make one in \
             the process that needs it, or fork: a child may use the pool it inherits",
        ))
    }

    /// The hooks, unless connections that are lent share them: those may still call them.
    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        /// This pool, and the native one.
        const OWN: usize = 2;
        match Arc::strong_count(&self.kit) {
            OWN => self.kit.traverse(&visit),
            _ => Ok(()),
        }
    }
}

impl Drop for Pool {
    /// Nobody can check out any more. In a child, inherited leases keep the native pool alive for
    /// ever, so the child's own idle connections would get no goodbye from its end.
    fn drop(&mut self) {
        // The garbage collector may have emptied the listener by now.
        self.pool.manage().be_quiet();
        finally(|| self.pool.close());
    }
}
