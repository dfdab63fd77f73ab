//! `Stamp`: which process made this?

use pyo3::prelude::*;

use crate::process::Process;

/// Remembers the process that made it, for Python code that must know an inherited thing however
/// the fork was made.
#[pyclass(frozen, module = "forksafe._forksafe")]
pub(super) struct Stamp(Process);

#[pymethods]
impl Stamp {
    #[new]
    fn py_new() -> Self {
        Self(Process::current())
    }

    /// Whether another process than this one made it.
    #[getter]
    fn inherited(&self) -> bool {
        !self.0.is_current()
    }
}
