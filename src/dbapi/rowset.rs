//! `Connection.store_result()` and `use_result()`.

use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::{Mutex, MutexGuard};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use super::connection::Connection;
use super::errors::{busy, raise, usage, NotSupportedError};
use super::flow::Source;
use super::result::Loaded;
use crate::process::Owned;
use crate::session::Error;

/// How many rows are skipped at once.
const SKIPPED: usize = 1024;

/// The rows that one statement of `Connection.query()` answered.
#[pyclass(frozen, name = "Result", module = "forksafe._forksafe")]
pub(super) struct Rowset {
    connection: Py<Connection>,
    /// As whom the connection reads.
    number: u64,
    loaded: Owned<Mutex<Loaded>>,
    stored: Option<Vec<Py<PyAny>>>,
    next: AtomicUsize,
}

impl Rowset {
    pub(super) fn streaming(connection: Py<Connection>, number: u64, loaded: Loaded) -> Self {
        let loaded = Owned::new(Mutex::new(loaded));
        Self { connection, number, loaded, stored: None, next: AtomicUsize::new(0) }
    }

    pub(super) fn stored(
        connection: Py<Connection>,
        number: u64,
        loaded: Loaded,
        py: Python<'_>,
    ) -> PyResult<Self> {
        let mut rowset = Self::streaming(connection, number, loaded);
        let rows = rowset.fetch(py, usize::MAX)?.into_iter().map(Bound::unbind).collect();
        rowset.stored = Some(rows);
        Ok(rowset)
    }

    fn loaded(&self) -> PyResult<MutexGuard<'_, Loaded>> {
        let birth = self.loaded.birth();
        let loaded = self.loaded.get().ok_or_else(|| raise(&Error::inherited(birth)))?;
        loaded.try_lock().ok_or_else(|| busy("connection"))
    }

    /// Up to `limit` rows, from the server.
    fn fetch<'py>(&self, py: Python<'py>, limit: usize) -> PyResult<Vec<Bound<'py, PyAny>>> {
        let source = Source { link: self.connection.get().link()?, reader: self.number };
        source.fetch(py, &mut *self.loaded()?, limit)
    }

    /// Up to `limit` rows, as tuples.
    fn take<'py>(&self, py: Python<'py>, limit: usize) -> PyResult<Vec<Bound<'py, PyAny>>> {
        let Some(rows) = &self.stored else {
            let rows = self.fetch(py, limit)?;
            self.next.fetch_add(rows.len(), Ordering::Relaxed);
            return Ok(rows);
        };
        let from = self.next.load(Ordering::Relaxed).min(rows.len());
        let to = from.saturating_add(limit).min(rows.len());
        self.next.store(to, Ordering::Relaxed);
        Ok(rows[from..to].iter().map(|row| row.bind(py).clone()).collect())
    }

    pub(super) fn discard(&self, py: Python<'_>) -> PyResult<()> {
        if self.stored.is_none() {
            while self.loaded()?.flows() {
                self.fetch(py, SKIPPED)?;
            }
        }
        Ok(())
    }
}

impl Drop for Rowset {
    /// What is left of the rows nobody reads any more: the next statement may skip it.
    fn drop(&mut self) {
        if let Ok(link) = self.connection.get().link() {
            link.forget_reader(self.number);
        }
    }
}

#[pymethods]
impl Rowset {
    /// The next `maxrows` rows (default 1; 0: all that are left), fewer at the end. `how`: 0
    /// tuples, 1 dictionaries, 2 dictionaries whose keys are `table.name`.
    #[pyo3(signature = (maxrows = 1, how = 0))]
    fn fetch_row<'py>(
        &self,
        py: Python<'py>,
        maxrows: usize,
        how: u8,
    ) -> PyResult<Bound<'py, PyTuple>> {
        let limit = if maxrows == 0 { usize::MAX } else { maxrows };
        let keys = match how {
            0 => None,
            1 => Some(self.loaded()?.keys(py, false)),
            2 => Some(self.loaded()?.keys(py, true)),
            _ => return Err(usage("how is 0 (tuples), 1 or 2 (dictionaries)")),
        };
        let rows = self.take(py, limit)?;
        let Some(keys) = keys else { return PyTuple::new(py, rows) };
        let as_dict = |row: Bound<'py, PyAny>| {
            let dict = PyDict::new(py);
            for (key, value) in keys.iter().zip(row.cast::<PyTuple>()?) {
                dict.set_item(key, value)?;
            }
            Ok(dict)
        };
        PyTuple::new(py, rows.into_iter().map(as_dict).collect::<PyResult<Vec<_>>>()?)
    }

    /// PEP 249's seven-item tuples, one for each column.
    fn describe(&self, py: Python<'_>) -> PyResult<Option<Py<PyTuple>>> {
        Ok(self.loaded()?.description.as_ref().map(|tuple| tuple.clone_ref(py)))
    }

    /// The flags of each column (`constants.FLAG`).
    fn field_flags(&self, py: Python<'_>) -> PyResult<Option<Py<PyTuple>>> {
        self.loaded()?.flags(py)
    }

    /// How many columns there are.
    fn num_fields(&self) -> PyResult<usize> {
        Ok(self.loaded()?.columns().len())
    }

    /// How many rows there are; of a result that streams, how many were fetched.
    fn num_rows(&self) -> usize {
        self.stored.as_ref().map_or_else(|| self.next.load(Ordering::Relaxed), Vec::len)
    }

    /// Go to row `n`, counted from 0. Raises NotSupportedError where the result streams.
    fn data_seek(&self, n: usize) -> PyResult<()> {
        if self.stored.is_none() {
            let text = "a result that streams cannot be read again: use store_result()";
            return Err(NotSupportedError::new_err((2000, text)));
        }
        self.next.store(n, Ordering::Relaxed);
        Ok(())
    }

    /// Skip the rows that are left with the server.
    #[pyo3(name = "discard")]
    fn py_discard(&self, py: Python<'_>) -> PyResult<()> {
        self.discard(py)
    }

    /// Whether the answers of further statements are to come.
    #[getter]
    fn has_next(&self) -> PyResult<bool> {
        self.connection.get().link()?.look(|session| session.has_more_answers())
    }
}
