//! `forksafe.Pool`.

use std::sync::Arc;
use std::time::Duration;

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use super::at_exit;
use super::connection::Connection;
use super::errors::{detached, finally, interrupted, raise_pool, usage};
use super::link::Held;
use super::options::{Objects, Options};
use crate::pool::{self, Caller, Stats};
use crate::session::{Connector, Given, Value};

/// A pool of connections that survives `fork()`.
///
/// Opens nothing until asked. In a forked child it is the same pool, empty, at full size; what the
/// parent had open stays the parent's. Raises ProgrammingError when an option is unknown or has a
/// value that it cannot have. See the README for the options.
#[pyclass(frozen, weakref, module = "forksafe")]
pub(super) struct Pool {
    pool: pool::Pool<Connector>,
    objects: Objects,
}

impl Pool {
    fn check_out(&self, py: Python<'_>, timeout: Option<Duration>) -> PyResult<Connection> {
        let caller = Caller {
            timeout,
            thread: thread_name(py).map(Arc::from),
            place: None,
            keep_waiting: Some(&|| !interrupted()),
        };
        let lease = detached(py, || self.pool.check_out_for(&caller))?.map_err(raise_pool)?;
        let connector = self.pool.manage();
        let (options, place) = (Arc::clone(connector.options()), connector.place().clone());
        Ok(Connection::new(Held::Lent(lease), options, place, self.objects.clone_ref(py)))
    }
}

/// What Python calls this thread. `current_thread()` would take a lock of its module's for a
/// thread that Python did not start, and a fork made in C may have copied that lock held.
fn thread_name(py: Python<'_>) -> Option<String> {
    let threading = py.import("threading").ok()?;
    let ident = threading.call_method0("get_ident").ok()?;
    let thread = threading.getattr("_active").ok()?.get_item(ident).ok()?;
    thread.getattr("name").ok()?.extract().ok()
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
        let options = Options::for_pool().read(url, options)?;
        let pool = pool::Pool::new(options.connector()?, options.pool()).map_err(usage)?;
        let pool = Bound::new(py, Self { pool, objects: options.objects() })?;
        at_exit::remember(&pool)?;
        Ok(pool)
    }

    /// Check out a connection; its `close()` checks it in. `timeout` in seconds, default: the
    /// pool's.
    ///
    /// Raises PoolTimeout, TooManyRequests or PoolClosed, or what a failed connect raises.
    #[pyo3(signature = (timeout = None))]
    fn connect(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<Connection> {
        self.check_out(py, seconds(timeout)?)
    }

    /// A context manager around `connect()`: commits when the block ends, rolls back when it
    /// raises, and checks in.
    #[pyo3(signature = (timeout = None))]
    fn connection(slf: Py<Self>, timeout: Option<f64>) -> PyResult<Lending> {
        Ok(Lending { pool: slf, timeout: seconds(timeout)?, lent: parking_lot::Mutex::new(None) })
    }

    /// Lend nothing more: closes the idle connections, wakes those who wait with PoolClosed. What
    /// is in use is closed when it comes back. Safe to repeat.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        detached(py, || self.pool.close())
    }

    /// Replace every connection: the idle ones at once, those in use when they come back.
    pub(super) fn drain(&self, py: Python<'_>) -> PyResult<()> {
        detached(py, || self.pool.drain())
    }

    /// What the pool is doing and has done in this process, as a dictionary.
    fn stats<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        as_dict(py, &self.pool.stats())
    }

    /// Whether it is closed.
    #[getter]
    fn closed(&self) -> bool {
        self.pool.is_closed()
    }

    /// Its name, in errors and stats.
    #[getter]
    fn name(&self) -> &str {
        self.pool.name()
    }

    fn __enter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    #[pyo3(signature = (*_exc))]
    fn __exit__(&self, py: Python<'_>, _exc: &Bound<'_, PyTuple>) -> PyResult<()> {
        self.close(py)
    }

    fn __reduce__(&self) -> PyResult<()> {
        Err(PyTypeError::new_err(
            "cannot pickle a forksafe.Pool: its connections belong to one process; make one in \
             the process that needs it, or fork: a child may use the pool it inherits",
        ))
    }

    fn __repr__(&self) -> String {
        format!("<forksafe.Pool {}>", self.pool.stats())
    }
}

impl Drop for Pool {
    /// Nobody can check out any more. In a child, inherited leases keep the native pool alive for
    /// ever, so the child's own idle connections would get no goodbye from its end.
    fn drop(&mut self) {
        finally(|| self.pool.close());
    }
}

/// What `Pool.connection()` answers: a connection for the time of one block.
#[pyclass(frozen, module = "forksafe")]
pub(super) struct Lending {
    pool: Py<Pool>,
    timeout: Option<Duration>,
    lent: parking_lot::Mutex<Option<Py<Connection>>>,
}

#[pymethods]
impl Lending {
    fn __enter__(&self, py: Python<'_>) -> PyResult<Py<Connection>> {
        let connection = Py::new(py, self.pool.get().check_out(py, self.timeout)?)?;
        let before = match self.lent.try_lock() {
            Some(mut lent) => lent.replace(connection.clone_ref(py)),
            None => None,
        };
        match before {
            None => Ok(connection),
            Some(_) => Err(usage("a Pool.connection() block cannot be entered twice at once")),
        }
    }

    fn __exit__(
        &self,
        py: Python<'_>,
        kind: &Bound<'_, PyAny>,
        _value: &Bound<'_, PyAny>,
        _traceback: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        let Some(connection) = self.lent.try_lock().and_then(|mut lent| lent.take()) else {
            return Ok(());
        };
        connection.get().end_block(py, kind.is_none())
    }
}

fn as_dict<'py>(py: Python<'py>, stats: &Stats) -> PyResult<Bound<'py, PyDict>> {
    let discards = PyDict::new(py);
    discards.set_item("expired", stats.discards.expired)?;
    discards.set_item("idle", stats.discards.idle)?;
    discards.set_item("broken", stats.discards.broken)?;
    discards.set_item("inherited", stats.discards.inherited)?;
    discards.set_item("closed", stats.discards.closed)?;
    let dict = PyDict::new(py);
    dict.set_item("pid", stats.pid)?;
    dict.set_item("name", &stats.name)?;
    dict.set_item("closed", stats.closed)?;
    for (name, size) in [
        ("max_size", stats.max_size),
        ("size", stats.size),
        ("idle", stats.idle),
        ("in_use", stats.in_use),
        ("waiting", stats.waiting),
    ] {
        dict.set_item(name, size)?;
    }
    for (name, count) in [
        ("forks_noticed", stats.forks_noticed),
        ("connects", stats.connects),
        ("connect_errors", stats.connect_errors),
        ("check_outs", stats.check_outs),
        ("waits", stats.waits),
        ("timeouts", stats.timeouts),
        ("hand_offs", stats.hand_offs),
        ("pings", stats.pings),
        ("ping_failures", stats.ping_failures),
        ("probe_failures", stats.probe_failures),
    ] {
        dict.set_item(name, count)?;
    }
    dict.set_item("wait_seconds", stats.wait_seconds.as_secs_f64())?;
    dict.set_item("discards", discards)?;
    dict.set_item("idle_limit", stats.idle_limit.map(|limit| limit.as_secs_f64()))?;
    dict.set_item("last_connect_error", &stats.last_connect_error)?;
    Ok(dict)
}
