//! `Pool.connection()`.

use std::time::Duration;

use parking_lot::Mutex;
use pyo3::prelude::*;

use super::connection::Connection;
use super::errors::usage;
use super::pool::Pool;

/// What `Pool.connection()` answers: a connection for the time of one block.
#[pyclass(frozen, module = "forksafe")]
pub(super) struct Lending {
    pool: Py<Pool>,
    timeout: Option<Duration>,
    lent: Mutex<Option<Py<Connection>>>,
}

impl Lending {
    pub(super) fn new(pool: Py<Pool>, timeout: Option<Duration>) -> Self {
        Self { pool, timeout, lent: Mutex::new(None) }
    }
}

#[pymethods]
impl Lending {
    fn __enter__(&self, py: Python<'_>) -> PyResult<Py<Connection>> {
        let twice = || usage("a Pool.connection() block cannot be entered twice at once");
        if self.lent.try_lock().is_none_or(|lent| lent.is_some()) {
            return Err(twice());
        }
        let connection = Py::new(py, self.pool.get().check_out(py, self.timeout)?)?;
        if let Some(mut lent) = self.lent.try_lock().filter(|lent| lent.is_none()) {
            *lent = Some(connection.clone_ref(py));
            return Ok(connection);
        }
        // Another thread has entered it meanwhile.
        connection.get().end_block(py, false)?;
        Err(twice())
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
