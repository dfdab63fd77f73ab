//! The end of the interpreter: pools that still live say goodbye for their idle connections.
//!
//! Most pools are dropped by the interpreter's end itself. One that a daemon thread refers to is
//! not: such a thread never ends. Pools stay open: handlers of `atexit` that run later may use
//! them, and threads that wait would be told what nobody wants to read then.

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyCFunction, PyList, PyTuple};

use super::call::call;
use super::pool::Pool;

/// A `weakref.WeakSet` of all pools.
static LIVE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

/// Made with the module. `atexit` runs handlers in reverse order: those of a program that has
/// imported forksafe come before this one.
pub(super) fn prepare(py: Python<'_>) -> PyResult<()> {
    live(py)?;
    let goodbye = PyCFunction::new_closure(py, None, None, |args, _| say_goodbye(args.py()))?;
    py.import("atexit")?.call_method1("register", (goodbye,)).map(drop)
}

/// Think of `pool` at the end, if it still lives then.
pub(super) fn remember(pool: &Bound<'_, Pool>) -> PyResult<()> {
    let add = live(pool.py())?.getattr("add")?;
    call(&add, &PyTuple::new(pool.py(), [pool])?, None).map(drop)
}

fn live(py: Python<'_>) -> PyResult<&Bound<'_, PyAny>> {
    let made = LIVE.get_or_try_init(py, || {
        py.import("weakref")?.getattr("WeakSet")?.call0().map(Bound::unbind)
    });
    made.map(|set| set.bind(py))
}

fn say_goodbye(py: Python<'_>) -> PyResult<()> {
    // A copy: other threads may still make pools.
    let pools = py.get_type::<PyList>().call1((live(py)?,))?;
    for pool in pools.try_iter()? {
        pool?.cast::<Pool>()?.get().say_goodbye(py)?;
    }
    Ok(())
}
