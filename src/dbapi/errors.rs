//! Errors as Python exceptions: the one place where a number becomes a class.

use std::cell::Cell;
use std::panic::{catch_unwind, AssertUnwindSafe};

use pyo3::import_exception;
use pyo3::prelude::*;
use pyo3::PyTypeInfo;

use super::call::unraisable;
use super::managed::Failure;
use super::raised;
use crate::pool;
use crate::process::is_first_thread;
use crate::session::Error;

import_exception!(forksafe.exceptions, ConnectionClosed);
import_exception!(forksafe.exceptions, DataError);
import_exception!(forksafe.exceptions, IntegrityError);
import_exception!(forksafe.exceptions, InterfaceError);
import_exception!(forksafe.exceptions, InternalError);
import_exception!(forksafe.exceptions, NotSupportedError);
import_exception!(forksafe.exceptions, OperationalError);
import_exception!(forksafe.exceptions, PoolClosed);
import_exception!(forksafe.exceptions, PoolTimeout);
import_exception!(forksafe.exceptions, ProgrammingError);
import_exception!(forksafe.exceptions, TooManyRequests);

/// CR_UNKNOWN_ERROR: the client's own errors that MySQL has no number for.
const CLIENT: u16 = 2000;

thread_local! {
    /// Whether this thread is in a finalizer.
    static FINALIZING: Cell<bool> = const { Cell::new(false) };
}

/// Import the classes now: PyO3 does it once for each, and a fork in the middle of that would
/// leave a child waiting for a thread that it does not have.
pub(super) fn prepare(py: Python<'_>) {
    ConnectionClosed::type_object(py);
    DataError::type_object(py);
    IntegrityError::type_object(py);
    InterfaceError::type_object(py);
    InternalError::type_object(py);
    NotSupportedError::type_object(py);
    OperationalError::type_object(py);
    PoolClosed::type_object(py);
    PoolTimeout::type_object(py);
    ProgrammingError::type_object(py);
    TooManyRequests::type_object(py);
}

/// Asked by whatever waits: has a signal handler raised? Runs the handlers that are due.
///
/// Python runs them in its main thread alone. The others stay away from the interpreter while they
/// wait: a thread that asks for its lock in the moment of a fork in C would hang the child.
pub(super) fn interrupted() -> bool {
    if FINALIZING.get() || !is_first_thread() {
        return false;
    }
    if !raised::is_any() {
        Python::try_attach(|py| py.check_signals().map_err(raised::put));
    }
    raised::is_any()
}

/// Run what may wait away from the interpreter. What a signal handler raises meanwhile, or a callable
/// that is no `Exception`, comes before any outcome. A panic, which is a defect of ours, comes back as an InternalError: PyO3
/// would make a BaseException of it, which nobody catches.
pub(super) fn detached<T: Send>(py: Python<'_>, work: impl FnOnce() -> T + Send) -> PyResult<T> {
    let outcome = py.detach(|| catch_unwind(AssertUnwindSafe(work)));
    if let Some(raised) = raised::take() {
        // The outcome may be a lease, and its check-in a round trip.
        py.detach(|| drop(outcome.ok()));
        return Err(raised);
    }
    outcome.map_err(|_| {
        let text = "a defect in forksafe; please report what stderr says of it";
        InternalError::new_err((CLIENT, text))
    })
}

/// The same for what may run callables of the application's: what they raise becomes the cause of
/// the error that tells of it.
pub(super) fn attempt<T: Send, E: Send>(
    py: Python<'_>,
    work: impl FnOnce() -> Result<T, E> + Send,
    raise: impl FnOnce(E) -> PyErr,
) -> PyResult<T> {
    let outcome = match detached(py, work) {
        Ok(outcome) => outcome.map_err(|error| raised::explain(py, raise(error))),
        Err(raised) => Err(raised),
    };
    raised::forget(py);
    outcome
}

/// Run what may wait where no exception can be raised: in a finalizer. Signal handlers are left
/// for later, since what they raise would be lost here; and an exception that is on its way stays
/// on its way. Without an interpreter, at its very end, `work` is only dropped.
pub(super) fn finally(work: impl FnOnce() + Send) {
    Python::try_attach(|py| {
        let underway = PyErr::take(py);
        // Likewise what a signal handler or a hook has raised in the call that goes on around it.
        let waiting = raised::take();
        // A hook that runs in it may itself collect something.
        let outer = FINALIZING.replace(true);
        let outcome = detached(py, work);
        FINALIZING.set(outer);
        if let Err(defect) = outcome {
            unraisable(py, defect, None);
        }
        if let Some(waiting) = waiting {
            raised::put(waiting);
        }
        if let Some(underway) = underway {
            underway.restore(py);
        }
    });
}

/// A session's error as the exception that MySQLdb raises for its number.
pub(super) fn raise(error: &Error) -> PyErr {
    by_number(error.errno(), error.message().to_owned())
}

fn by_number(errno: u16, message: String) -> PyErr {
    let args = (errno, message);
    match errno {
        1007 | 1064 | 1102 | 1103 | 1110 | 1111 | 1112 | 1113 | 1146 | 1149 | 1179 | 2014 => {
            ProgrammingError::new_err(args)
        }
        1171 | 1230 | 1264 | 1265 | 1406 | 1441 => DataError::new_err(args),
        1048 | 1062 | 1169 | 1215 | 1216 | 1217 | 1364 | 1451 | 1452 => {
            IntegrityError::new_err(args)
        }
        1196 | 1235 | 1286 | 1289 => NotSupportedError::new_err(args),
        0..=999 => InternalError::new_err(args),
        _ => OperationalError::new_err(args),
    }
}

/// The caller asked for what cannot be done.
pub(super) fn usage(text: impl Into<String>) -> PyErr {
    ProgrammingError::new_err((CLIENT, text.into()))
}

/// The connection is closed. The number is that of a lost one, so that an ORM which finds a
/// connection closed behind its back replaces it.
pub(super) fn closed() -> PyErr {
    ConnectionClosed::new_err((crate::session::GONE, "this connection is closed"))
}

/// A subclass has not called the `__init__` of its base.
pub(super) fn never_opened() -> PyErr {
    let text = "this connection has not been opened: its __init__() has not been called";
    InterfaceError::new_err((crate::session::GONE, text))
}

/// The pool has taken the connection back.
pub(super) fn reclaimed() -> PyErr {
    let text = "this connection was taken back: the thread that had used it has ended";
    ConnectionClosed::new_err((crate::session::GONE, text))
}

/// No descriptor can be told: closed, or inherited.
pub(super) fn no_descriptor(why: &str) -> PyErr {
    InterfaceError::new_err((crate::session::GONE, why.to_owned()))
}

/// Two threads at once.
pub(super) fn busy(what: &str) -> PyErr {
    usage(format!(
        "this {what} is already in use by another thread at this moment; give each thread its \
         own connection, for instance from a forksafe.Pool"
    ))
}

/// The server sent what cannot be read as the type it announced.
pub(super) fn malformed(text: impl Into<String>) -> PyErr {
    const MALFORMED_PACKET: u16 = 2027;
    OperationalError::new_err((MALFORMED_PACKET, text.into()))
}

/// Why a pool could not open a connection.
fn raise_failure(failure: &Failure) -> PyErr {
    match failure {
        Failure::Session(error) => raise(error),
        Failure::Hook(text) => OperationalError::new_err((CLIENT, text.clone())),
    }
}

/// A pool's error.
pub(super) fn raise_pool(error: pool::Error<Failure>) -> PyErr {
    let text = || error.to_string();
    match &error {
        pool::Error::TimedOut(_) => PoolTimeout::new_err((CLIENT, text())),
        pool::Error::TooManyRequests { .. } => TooManyRequests::new_err((CLIENT, text())),
        pool::Error::Closed { .. } => PoolClosed::new_err((CLIENT, text())),
        pool::Error::Interrupted { .. } => usage(text()),
        pool::Error::Connect(failure) => raise_failure(failure),
        pool::Error::Down(down) => match &down.error {
            Failure::Session(error) => {
                by_number(error.errno(), format!("{}; {down}", error.message()))
            }
            Failure::Hook(text) => OperationalError::new_err((CLIENT, format!("{text}; {down}"))),
        },
    }
}
