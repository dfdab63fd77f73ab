//! The application's own functions, and how they are called.

use std::sync::Arc;

use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use super::call::call;
use super::callable::Callable;
use super::connection::Connection;
use super::link::{Held, Link, Missing};
use super::managed::Failure;
use super::options::Objects;
use super::pool_options::Hooks;
use super::{events, raised};
use crate::session::{Connector, Session};

/// The Python objects that a pool or a connection works with.
///
/// Whoever may let a lease go away from the interpreter holds a share of its own until it is
/// attached again, because a Python reference must not be dropped while detached.
#[derive(Default)]
pub(super) struct Kit {
    pub(super) hooks: Hooks,
    pub(super) objects: Objects,
}

impl Kit {
    /// For the garbage collector: a hook often refers to what its pool belongs to.
    pub(super) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        let Hooks { configure, check, reset, on_event } = &self.hooks;
        let mut given = [configure, check, reset, on_event].into_iter().flatten();
        given.try_for_each(|hook| hook.traverse(visit))?;
        self.objects.traverse(visit)
    }
}

/// One of the functions, and what it is called.
pub(super) struct Hook<'a> {
    pub(super) name: &'static str,
    pub(super) function: &'a Callable,
    pub(super) blamed: Blamed,
}

/// Who is told what a hook has raised.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Blamed {
    /// The caller, who gets an error with that as its cause.
    Error,
    /// Whoever is told that the connection is discarded.
    Event,
    /// Nobody: nobody listens.
    Nothing,
}

impl Hook<'_> {
    /// Lend the session to the function as a connection like any other, and take it back: whoever
    /// has kept that connection finds it closed. The session stays with us where the function
    /// raised too, so that it ends away from the interpreter.
    pub(super) fn call(
        &self,
        connector: &Connector,
        kit: &Arc<Kit>,
        session: &mut Option<Session>,
    ) -> Result<(), Failure> {
        // What a signal handler or another hook has raised is on its way: nothing is begun.
        if raised::is_any() {
            return Err(self.failed("was not called, for an exception is on its way"));
        }
        let called = Python::try_attach(|py| {
            let lent = session.take()?;
            Some(self.call_attached(py, connector, kit, lent, session))
        });
        called.flatten().unwrap_or_else(|| Err(self.failed("cannot be called any more")))
    }

    fn call_attached(
        &self,
        py: Python<'_>,
        connector: &Connector,
        kit: &Arc<Kit>,
        lent: Session,
        back: &mut Option<Session>,
    ) -> Result<(), Failure> {
        let connection =
            Connection::new(Held::Own(lent), Arc::clone(connector.options()), Arc::clone(kit));
        let connection = Py::new(py, connection).map_err(|error| self.raised(py, error))?;
        let args = PyTuple::new(py, [connection.clone_ref(py)]);
        let answer = args.and_then(|args| call(self.function.bind(py), &args, None));
        let withdrawn = connection.get().link().map(Link::withdraw);
        let called = answer.map(drop).map_err(|error| self.raised(py, error));
        match withdrawn.unwrap_or(Err(Missing::Closed)) {
            Ok(session) => {
                *back = Some(session);
                called
            }
            Err(missing) => called.and(Err(self.missing(missing))),
        }
    }

    fn raised(&self, py: Python<'_>, error: PyErr) -> Failure {
        let text = format!("the {} hook raised {}", self.name, raised::told(py, &error));
        match self.blamed {
            Blamed::Error => raised::keep(py, error, &text),
            Blamed::Event => raised::pass(py, error).into_iter().for_each(events::blame),
            Blamed::Nothing => drop(raised::pass(py, error)),
        }
        Failure::Hook(text)
    }

    fn missing(&self, missing: Missing) -> Failure {
        match missing {
            Missing::Closed => self.failed("closed the connection that it was given"),
            Missing::Busy => {
                self.failed("left its connection in use by another thread when it returned")
            }
            Missing::Inherited(error) => Failure::Session(error),
        }
    }

    fn failed(&self, what: &str) -> Failure {
        Failure::Hook(format!("the {} hook {what}", self.name))
    }
}
