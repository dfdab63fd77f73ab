//! `forksafe.Cursor`.

mod fetch;
mod run;
mod statement;
mod told;

pub(super) use statement::note;

use std::sync::atomic::{AtomicU64, AtomicU8, AtomicUsize, Ordering};

use parking_lot::{Mutex, MutexGuard};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple, PyType};

use super::connection::Connection;
use super::errors::{busy, raise, usage};
use super::result::Loaded;
use super::style::Style;
use crate::process::Owned;
use crate::session::Error;

/// Numbers that tell cursors apart; zero is nobody.
static NUMBERS: AtomicU64 = AtomicU64::new(1);

/// The number of a new cursor, or of who else reads answers.
pub(super) fn number() -> u64 {
    NUMBERS.fetch_add(1, Ordering::Relaxed)
}

/// A cursor (PEP 249): rows are tuples. They are received as a whole, and become objects when
/// fetched. `forksafe.cursors` has other kinds.
#[pyclass(frozen, generic, subclass, weakref, module = "forksafe")]
pub(super) struct Cursor {
    connection: Py<Connection>,
    number: u64,
    style: Style,
    arraysize: AtomicUsize,
    /// What its rows are, by MySQLdb's number.
    fetch_type: AtomicU8,
    state: Owned<Mutex<State>>,
}

#[derive(Default)]
struct State {
    closed: bool,
    executed: Option<Vec<u8>>,
    loaded: Loaded,
}

impl Cursor {
    pub(super) fn new(connection: Py<Connection>, style: Style) -> Self {
        Self {
            connection,
            number: number(),
            style,
            arraysize: AtomicUsize::new(1),
            fetch_type: AtomicU8::new(style.rows() as u8),
            state: Owned::new(Mutex::default()),
        }
    }

    /// Whether each parameter set is a statement of its own.
    pub(super) fn is_prepared(&self) -> bool {
        self.style.is_prepared()
    }

    pub(super) fn its_connection(&self) -> &Connection {
        self.connection.get()
    }

    /// The state, unless another thread has it. Ours or inherited is asked first.
    fn state(&self) -> PyResult<MutexGuard<'_, State>> {
        let birth = self.state.birth();
        let state = self.state.get().ok_or_else(|| raise(&Error::inherited(birth)))?;
        state.try_lock().ok_or_else(|| busy("cursor"))
    }

    fn open_state(&self) -> PyResult<MutexGuard<'_, State>> {
        let state = self.state()?;
        if state.closed {
            return Err(usage("this cursor is closed"));
        }
        Ok(state)
    }
}

/// PEP 249's -1 for a count that is not known.
fn known(count: Option<u64>) -> i64 {
    count.map_or(-1, |count| count as i64)
}

#[pymethods]
impl Cursor {
    /// Whether rows stay with the server until they are fetched.
    #[classattr]
    fn _streams() -> bool {
        false
    }

    /// The most that `executemany()` puts into one INSERT, in bytes, as far as the server takes
    /// it. A subclass may have another.
    #[classattr]
    fn max_stmt_length() -> usize {
        1 << 20
    }

    /// Whether rows are dictionaries.
    #[classattr]
    fn _dicts() -> bool {
        false
    }

    /// Whether a fetch is an error after a statement that answered no rows, as PEP 249 has it, and a
    /// statement is one while another cursor has answers left to read.
    #[classattr]
    fn _strict() -> bool {
        true
    }

    /// Further arguments are those of a subclass, for its `__init__`.
    #[new]
    #[classmethod]
    #[pyo3(signature = (connection, *_args, prepared = false, **_keywords),
        text_signature = "(connection, *, prepared=False)")]
    fn py_new(
        class: &Bound<'_, PyType>,
        connection: Py<Connection>,
        _args: &Bound<'_, PyTuple>,
        prepared: bool,
        _keywords: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Self> {
        connection.get().link()?;
        Ok(Self::new(connection, Style::of(class, prepared)?))
    }

    #[pyo3(signature = (connection, *, prepared = false))]
    fn __init__(&self, connection: Py<Connection>, prepared: bool) {
        let _ = (connection, prepared);
    }

    fn __enter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    #[pyo3(signature = (*_exc))]
    fn __exit__(&self, py: Python<'_>, _exc: &Bound<'_, PyTuple>) -> PyResult<()> {
        self.close(py)
    }
}

impl Drop for Cursor {
    fn drop(&mut self) {
        if let Ok(link) = self.connection.get().link() {
            link.forget_reader(self.number);
        }
    }
}
