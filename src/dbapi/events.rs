//! What happens to a pool, told to Python.

use std::cell::RefCell;
use std::mem::ManuallyDrop;

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use super::call::{call, unraisable};
use super::callable::Callable;
use super::managed::Failure;
use super::stats::{reason, thread};
use super::{imports, raised};
use crate::pool::{Discard, Event, Holding, Reclaim};
use crate::process::Process;

thread_local! {
    /// What a hook raised for which this thread is about to discard a connection. Without a
    /// destructor: a thread that ends checks in what it holds after its other locals have gone.
    static BLAMED: RefCell<ManuallyDrop<Option<PyErr>>> =
        const { RefCell::new(ManuallyDrop::new(None)) };
}

/// The next discard of this thread is due to `error`. Called while attached.
pub(super) fn blame(error: PyErr) {
    drop(ManuallyDrop::into_inner(BLAMED.replace(ManuallyDrop::new(Some(error)))));
}

/// Call `listener` with the event. What it raises goes to `sys.unraisablehook`, for it is not the
/// doing of whoever uses the pool just now; but Ctrl-C is Ctrl-C.
pub(super) fn tell(listener: &Callable, pool: &str, event: &Event<'_, Failure>) {
    Python::try_attach(|py| {
        let listener = listener.bind(py);
        let told = build(py, pool, event)
            .and_then(|event| call(listener, &PyTuple::new(py, [event])?, None));
        if let Some(error) = told.err().and_then(|error| raised::pass(py, error)) {
            unraisable(py, error, Some(listener));
        }
    });
}

/// A `forksafe.events.Event`.
fn build<'py>(
    py: Python<'py>,
    pool: &str,
    event: &Event<'_, Failure>,
) -> PyResult<Bound<'py, PyAny>> {
    let details = PyDict::new(py);
    let (kind, text) = describe(event, &details)?;
    let parts = (kind, pool, Process::current().pid(), text, details).into_pyobject(py)?;
    call(imports::event(py)?, &parts, None)
}

/// Its kind, its text, and `details` filled in.
fn describe(
    event: &Event<'_, Failure>,
    details: &Bound<'_, PyDict>,
) -> PyResult<(&'static str, String)> {
    let (kind, text) = match *event {
        Event::Connected { id, took } => {
            let took = took.as_secs_f64();
            details.set_item("id", id)?;
            details.set_item("took", took)?;
            ("connect", format!("connection {id} was opened in {:.1} ms", took * 1000.0))
        }
        Event::Discarded { id, reason: why } => ("discard", discarded(details, id, why)?),
        Event::ForkNoticed { inherited } => {
            details.set_item("inherited", inherited)?;
            let text =
                format!("made anew in a child, {inherited} of its parent's connections left alone");
            ("fork", text)
        }
        Event::ServerDown { error } => {
            details.set_item("error", error.to_string())?;
            ("server_down", format!("no connection can be opened: {error}"))
        }
        Event::ServerBack { after, failures } => {
            let after = after.as_secs_f64();
            details.set_item("after", after)?;
            details.set_item("failures", failures)?;
            let text = format!(
                "connections can be opened again, after {after:.1}s and {failures} failures"
            );
            ("server_back", text)
        }
        Event::Leaked { holding } => {
            hold(details, holding)?;
            ("leak", format!("{}, and is suspected to leak it", held(holding, "has held")))
        }
        Event::Reclaimed { holding, cause } => {
            hold(details, holding)?;
            let (cause, why) = match cause {
                Reclaim::Collected => ("collected", "it was never closed, and was collected"),
                Reclaim::ThreadEnded => {
                    ("thread_ended", "it was never closed, and the thread has ended")
                }
            };
            details.set_item("cause", cause)?;
            ("reclaim", format!("{}; {why}", held(holding, "had held")))
        }
        Event::Crowded { workers, max_size, limit } => {
            details.set_item("workers", workers)?;
            details.set_item("max_size", max_size)?;
            details.set_item("limit", limit)?;
            let most = workers.saturating_mul(max_size);
            let text = format!(
                "{workers} workers with max_size={max_size} may want {most} connections, and the \
                 server takes {limit}"
            );
            ("crowded", text)
        }
    };
    Ok((kind, text))
}

/// What made it so is known where a hook did.
fn discarded(details: &Bound<'_, PyDict>, id: u64, why: Discard) -> PyResult<String> {
    let py = details.py();
    let word = reason(why);
    details.set_item("id", id)?;
    details.set_item("reason", word)?;
    let mut text = format!("connection {id} is not kept: {word}");
    if let Some(cause) = ManuallyDrop::into_inner(BLAMED.take()) {
        text += &format!(" (a hook raised {})", raised::told(py, &cause));
        details.set_item("error", cause.into_value(py))?;
    }
    Ok(text)
}

fn hold(details: &Bound<'_, PyDict>, holding: &Holding) -> PyResult<()> {
    details.set_item("thread", thread(holding))?;
    details.set_item("seconds", holding.held.as_secs_f64())?;
    details.set_item("where", &holding.place)
}

fn held(holding: &Holding, verb: &str) -> String {
    let seconds = holding.held.as_secs_f64();
    let mut text = format!("thread {} {verb} a connection for {seconds:.1}s", holding.thread);
    if let Some(place) = &holding.place {
        text += &format!(", taken at {place}");
    }
    text
}
