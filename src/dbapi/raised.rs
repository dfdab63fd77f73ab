//! Exceptions that are on their way through code which knows no Python.

use std::cell::RefCell;
use std::mem::ManuallyDrop;

use pyo3::exceptions::PyException;
use pyo3::prelude::*;

use super::call;

/// An exception of a callable, and the text by which the native error tells of it.
type Cause = (String, PyErr);

thread_local! {
    /// What comes before any outcome of the call that this thread is in: raised by a signal
    /// handler, or by a callable and no `Exception`. Without a destructor, as the other: a thread
    /// that ends checks in what it holds after its other locals have gone.
    static RAISED: RefCell<ManuallyDrop<Option<PyErr>>> =
        const { RefCell::new(ManuallyDrop::new(None)) };
    /// What a callable raised last in the call that this thread is in.
    static CAUSE: RefCell<ManuallyDrop<Option<Cause>>> =
        const { RefCell::new(ManuallyDrop::new(None)) };
}

/// Whether an exception waits that comes before any outcome.
pub(super) fn is_any() -> bool {
    RAISED.with_borrow(|raised| raised.is_some())
}

/// Take that exception.
pub(super) fn take() -> Option<PyErr> {
    ManuallyDrop::into_inner(RAISED.take())
}

/// Let an exception come before any outcome, unless one does already.
pub(super) fn put(error: PyErr) {
    if !is_any() {
        RAISED.set(ManuallyDrop::new(Some(error)));
    }
}

/// An exception as one clause of an error's text.
pub(super) fn told(py: Python<'_>, error: &PyErr) -> String {
    let kind = error.get_type(py).qualname().map_or_else(|_| "?".into(), |kind| kind.to_string());
    match call::text(error.value(py)) {
        Ok(text) if !text.is_empty() => format!("{kind}: {text}"),
        _ => kind,
    }
}

/// A callable raised. What is no `Exception`, such as KeyboardInterrupt, is not for a text: it
/// comes before any outcome. Anything else is handed back.
pub(super) fn pass(py: Python<'_>, error: PyErr) -> Option<PyErr> {
    if error.is_instance_of::<PyException>(py) {
        return Some(error);
    }
    put(error);
    None
}

/// A callable raised, and the native error that tells of it has `said` in its text: make the
/// exception its `__cause__`, or [`pass`] it. Called while attached.
pub(super) fn keep(py: Python<'_>, error: PyErr, said: &str) {
    if let Some(error) = pass(py, error) {
        let cause = Some((said.to_owned(), error));
        drop(ManuallyDrop::into_inner(CAUSE.replace(ManuallyDrop::new(cause))));
    }
}

/// Give an error that is about to be raised its cause, if one was kept for it.
pub(super) fn explain(py: Python<'_>, error: PyErr) -> PyErr {
    if let Some((said, cause)) = ManuallyDrop::into_inner(CAUSE.take()) {
        let text = error.value(py).getattr("args").and_then(|args| args.get_item(1)?.extract());
        if text.is_ok_and(|text: String| text.contains(&said)) {
            error.set_cause(py, Some(cause));
        }
    }
    error
}

/// The call is over: what was kept is nobody's cause.
pub(super) fn forget(_py: Python<'_>) {
    drop(ManuallyDrop::into_inner(CAUSE.take()));
}
