//! Python references among native things.

use std::mem;

use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;

/// A Python value that may be dropped anywhere, also away from the interpreter: PyO3 would put
/// the reference into a queue behind a mutex, which a fork can copy held. At the interpreter's end
/// it is not let go at all.
pub(super) struct Kept<T>(Option<T>);

/// A callable of the application's.
pub(super) type Callable = Kept<Py<PyAny>>;

impl<T> Kept<T> {
    pub(super) fn new(value: T) -> Self {
        Self(Some(value))
    }

    /// The value, for one who is attached to the interpreter.
    pub(super) fn into_inner(mut self, _py: Python<'_>) -> T {
        self.0.take().expect("BUG: a kept value was taken twice")
    }
}

impl Kept<Py<PyAny>> {
    pub(super) fn bind<'py>(&self, py: Python<'py>) -> &Bound<'py, PyAny> {
        self.0.as_ref().expect("BUG: a kept value was taken").bind(py)
    }

    /// For the garbage collector.
    pub(super) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.0)
    }
}

impl<T> Drop for Kept<T> {
    fn drop(&mut self) {
        if self.0.is_some() && Python::try_attach(|_| drop(self.0.take())).is_none() {
            mem::forget(self.0.take());
        }
    }
}
