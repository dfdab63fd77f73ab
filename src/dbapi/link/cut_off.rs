//! Statements that Ctrl-C, or another signal whose handler raises, cuts off.

use pyo3::prelude::*;

use super::super::errors::detached;
use super::{Held, Link};
use crate::session::Session;

impl Link {
    /// A signal handler has raised between two parts of an answer to `reader`: it ends as if it had
    /// while one was waited for. An answer that was skipped meanwhile is nothing to end.
    pub(in super::super) fn cut_off(&self, py: Python<'_>, reader: u64, raised: PyErr) -> PyErr {
        let Ok(mut inside) = self.enter() else { return raised };
        if inside.last.reader != reader {
            return raised;
        }
        match inside.held.as_mut().and_then(Held::session_mut) {
            Some(session) => {
                session.cut_off();
                kill(py, session, raised)
            }
            None => raised,
        }
    }
}

/// A signal handler has raised `first` while the session was at a statement, and nobody will read
/// the answer: the server need not go on. What a handler raises meanwhile ends that as well, and
/// comes first.
pub(super) fn kill(py: Python<'_>, session: &mut Session, first: PyErr) -> PyErr {
    match detached(py, || session.kill()) {
        Ok(()) => first,
        Err(second) => {
            second.set_context(py, Some(first));
            second
        }
    }
}
