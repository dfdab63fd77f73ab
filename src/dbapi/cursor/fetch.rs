//! Fetching rows.

use std::sync::atomic::Ordering;

use pyo3::prelude::*;
use pyo3::types::PyTuple;

use super::Cursor;
#[pymethods]
impl Cursor {
    /// The next row, or None.
    fn fetchone<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        Ok(self.fetch(py, 1)?.pop())
    }

    /// The next `size` rows (default: `arraysize`), fewer at the end.
    #[pyo3(signature = (size = None))]
    fn fetchmany<'py>(
        &self,
        py: Python<'py>,
        size: Option<usize>,
    ) -> PyResult<Bound<'py, PyTuple>> {
        let size = size.unwrap_or_else(|| self.arraysize.load(Ordering::Relaxed));
        PyTuple::new(py, self.fetch(py, size)?)
    }

    /// The rows that are left.
    fn fetchall<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, self.fetch(py, usize::MAX)?)
    }

    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.fetchone(py)
    }
}
