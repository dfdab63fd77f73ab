//! Fetching rows.

use std::sync::atomic::Ordering;

use pyo3::exceptions::PyIndexError;
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use super::super::errors::{usage, NotSupportedError};
use super::super::result::Rows;
use super::Cursor;
/// How many rows are skipped at once.
const SKIPPED: usize = 1024;

fn cannot_go_back() -> PyErr {
    let text = "a cursor that streams cannot go back: use one that receives its rows as a whole";
    NotSupportedError::new_err((2000, text))
}

impl Cursor {
    fn skip(&self, py: Python<'_>, mut count: usize, out: impl Fn() -> PyErr) -> PyResult<()> {
        while count > 0 {
            match self.fetch(py, count.min(SKIPPED))?.len() {
                0 => return Err(out()),
                skipped => count -= skipped,
            }
        }
        Ok(())
    }
}

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

    /// Go to another row of the result, by so many rows (`mode` "relative") or to the row of that
    /// number, counted from 0 ("absolute").
    ///
    /// Raises IndexError where there is no such row, and then stays; NotSupportedError where the
    /// cursor streams and would have to go back.
    #[pyo3(signature = (value, mode = "relative"))]
    fn scroll(&self, py: Python<'_>, value: isize, mode: &str) -> PyResult<()> {
        let none = || usage("there is no result to scroll in: execute a query first");
        let here = self.open_state()?.loaded.rows.as_ref().map(Rows::next).ok_or_else(none)?;
        let there = match mode {
            "relative" => here.checked_add_signed(value),
            "absolute" => usize::try_from(value).ok(),
            _ => return Err(usage("mode is \"relative\" or \"absolute\"")),
        };
        let out = || PyIndexError::new_err("there is no such row");
        let there = there.ok_or_else(out)?;
        if !self.style.streams() {
            return match self.open_state()?.loaded.seek(there) {
                true => Ok(()),
                false => Err(out()),
            };
        }
        self.skip(py, there.checked_sub(here).ok_or_else(cannot_go_back)?, out)
    }

    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.fetchone(py)
    }
}
