//! What a cursor tells of its last statement.

use std::sync::atomic::Ordering;

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyTuple};

use super::super::connection::Connection;
use super::super::result::Rows;
use super::{known, Cursor};
#[pymethods]
impl Cursor {
    /// How many rows `fetchmany` answers by default. 1.
    #[getter]
    fn arraysize(&self) -> usize {
        self.arraysize.load(Ordering::Relaxed)
    }

    #[setter]
    fn set_arraysize(&self, size: usize) {
        self.arraysize.store(size, Ordering::Relaxed);
    }

    /// Rows found or changed by the last statement; -1 before one, and while rows are still to be
    /// read.
    #[getter]
    fn rowcount(&self) -> PyResult<i64> {
        Ok(known(self.state()?.loaded.rowcount))
    }

    /// For subclasses that run one statement as several.
    #[setter]
    fn set_rowcount(&self, count: i64) -> PyResult<()> {
        self.state()?.loaded.rowcount = u64::try_from(count).ok();
        Ok(())
    }

    /// The AUTO_INCREMENT value that the last statement made first; 0 if none, None before one.
    #[getter]
    fn lastrowid(&self) -> PyResult<Option<u64>> {
        Ok(self.state()?.loaded.lastrowid)
    }

    /// PEP 249's seven-item tuples, one for each column; None where there are no columns.
    #[getter]
    fn description(&self, py: Python<'_>) -> PyResult<Option<Py<PyTuple>>> {
        Ok(self.state()?.loaded.description.as_ref().map(|tuple| tuple.clone_ref(py)))
    }

    /// The flags of each column (`constants.FLAG`); None where there are no columns.
    #[getter]
    fn description_flags(&self, py: Python<'_>) -> PyResult<Option<Py<PyTuple>>> {
        self.state()?.loaded.flags(py)
    }

    /// The number of the next row, counted from 0; None where there is no result.
    #[getter]
    fn rownumber(&self) -> PyResult<Option<usize>> {
        Ok(self.state()?.loaded.rows.as_ref().map(Rows::next))
    }

    /// How many warnings the last statement raised.
    #[getter]
    fn warning_count(&self) -> PyResult<u16> {
        Ok(self.state()?.loaded.warnings)
    }

    /// The connection.
    #[getter]
    fn connection(&self, py: Python<'_>) -> Py<Connection> {
        self.connection.clone_ref(py)
    }

    /// The last statement as it was sent, in bytes; None before one.
    #[getter(_executed)]
    fn executed<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyBytes>>> {
        Ok(self.state()?.executed.as_ref().map(|sql| PyBytes::new(py, sql)))
    }
}
