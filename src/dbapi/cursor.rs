//! `forksafe.Cursor`.

mod statement;

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use parking_lot::{Mutex, MutexGuard};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyTuple, PyType};

use super::connection::Connection;
use super::errors::{busy, raise, usage};
use super::from_python;
use super::interpolate::{interpolate, Parameters};
use super::link::skip_answers;
use super::many;
use super::prepared::prepare;
use super::procedure;
use super::result::Loaded;
use super::style::Style;
use super::to_python::text;
use crate::process::Owned;
use crate::session::{Error, Session};
use statement::note;

/// Numbers that tell cursors apart; zero is nobody.
static NUMBERS: AtomicU64 = AtomicU64::new(1);

/// A cursor (PEP 249): rows are tuples. They are received as a whole, and become objects when
/// fetched. `forksafe.cursors` has other kinds.
#[pyclass(frozen, generic, subclass, weakref, module = "forksafe")]
pub(super) struct Cursor {
    connection: Py<Connection>,
    number: u64,
    style: Style,
    arraysize: AtomicUsize,
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
            number: NUMBERS.fetch_add(1, Ordering::Relaxed),
            style,
            arraysize: AtomicUsize::new(1),
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

    /// Whether rows are dictionaries.
    #[classattr]
    fn _dicts() -> bool {
        false
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
        Ok(Self::new(connection, Style::of(class, prepared)?))
    }

    #[pyo3(signature = (connection, *, prepared = false))]
    fn __init__(&self, connection: Py<Connection>, prepared: bool) {
        let _ = (connection, prepared);
    }

    /// Run a statement; answers the number of rows found or changed, -1 while that is unknown.
    ///
    /// `args` is a sequence for `%s` or a mapping for `%(name)s`. None: no interpolation at all,
    /// and a `%` is a `%`.
    #[pyo3(signature = (query, args = None))]
    pub(super) fn execute(
        &self,
        py: Python<'_>,
        query: &Bound<'_, PyAny>,
        args: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<i64> {
        let writer = self.writer(py)?;
        let template = from_python::statement(&writer, query)?;
        let parameters = Parameters::of(args)?;
        if self.is_prepared() {
            let (sql, bindings) = prepare(&writer, &template, &parameters)?;
            let reading = self.style.reading();
            let send = |session: &mut Session, sql: &[u8]| session.execute(sql, &bindings, reading);
            return Ok(known(self.send(py, None, sql, send)?));
        }
        if let Parameters::Absent = parameters {
            return Ok(known(self.run(py, None, template)?));
        }
        let mut sql = Vec::with_capacity(template.len() + 64);
        interpolate(&writer, &template, &parameters, &mut sql)?;
        Ok(known(self.run(py, Some(&template), sql)?))
    }

    /// Run a statement for each of many parameter sets; answers the rows changed in all, or None
    /// where there was no set. INSERT … VALUES (…) goes in as few statements as fit, or prepared, one
    /// by one.
    fn executemany(
        &self,
        query: &Bound<'_, PyAny>,
        args: &Bound<'_, PyAny>,
    ) -> PyResult<Option<u64>> {
        let total = many::execute(self, query, args)?;
        if let Some(total) = total {
            // Of all statements together, not of the last one.
            self.state()?.loaded.rowcount = Some(total);
        }
        Ok(total)
    }

    /// Call a stored procedure; answers `args`. As with MySQLdb, the parameters travel as the user
    /// variables `@_name_0`, `@_name_1` …, where OUT parameters can be read afterwards.
    #[pyo3(signature = (procname, args = None))]
    fn callproc<'py>(
        &self,
        py: Python<'py>,
        procname: &str,
        args: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let args = args.unwrap_or_else(|| PyTuple::empty(py).into_any());
        procedure::call(self, procname, &args)?;
        Ok(args)
    }

    /// The statement as it would be sent; by a prepared cursor, if it were not.
    #[pyo3(signature = (query, args = None))]
    fn mogrify<'py>(
        &self,
        py: Python<'py>,
        query: &Bound<'py, PyAny>,
        args: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let connection = self.connection.get();
        let writer = connection.writer(py)?;
        let mut sql = Vec::new();
        interpolate(
            &writer,
            &from_python::statement(&writer, query)?,
            &Parameters::of(args)?,
            &mut sql,
        )?;
        text(py, &sql, connection.options().charset)
    }

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

    /// Go to the answer of the next statement: True, or None where there is none.
    fn nextset(&self, py: Python<'_>) -> PyResult<Option<bool>> {
        let mut state = self.open_state()?;
        if state.loaded.flows() {
            state.loaded = Loaded::default();
        }
        let (number, reading) = (self.number, self.style.reading());
        let answer = self.connection.get().link().work(py, |session, last| {
            if last.reader != number {
                return Ok(None);
            }
            last.reader = 0;
            let answer = session.next_answer(reading)?;
            if let Some(answer) = &answer {
                note(session, last, number, answer);
            }
            Ok(answer)
        })?;
        match answer {
            None => Ok(None),
            Some(answer) => self.load(py, &mut state, answer).map(|_| Some(true)),
        }
    }

    /// Close the cursor, and skip the rows and answers that it left unread. Safe to repeat.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        if self.state.get().is_none() {
            return Ok(());
        }
        let mut state = self.state()?;
        if state.closed {
            return Ok(());
        }
        state.closed = true;
        state.loaded = Loaded::default();
        let (number, link) = (self.number, self.connection.get().link());
        if !link.is_open() || link.last()?.reader != number {
            return Ok(());
        }
        link.work(py, |session, last| skip_answers(session, last, number))
    }

    /// Does nothing (PEP 249 allows it).
    #[pyo3(signature = (*_sizes))]
    fn setinputsizes(&self, _sizes: &Bound<'_, PyTuple>) {}

    /// Does nothing (PEP 249 allows it).
    #[pyo3(signature = (*_sizes))]
    fn setoutputsize(&self, _sizes: &Bound<'_, PyTuple>) {}

    /// How many rows `fetchmany` answers by default. 1.
    #[getter]
    fn arraysize(&self) -> usize {
        self.arraysize.load(Ordering::Relaxed)
    }

    #[setter]
    fn set_arraysize(&self, size: usize) {
        self.arraysize.store(size, Ordering::Relaxed);
    }

    /// Rows found or changed by the last statement; -1 before one, and while rows are still to be
    /// read.
    #[getter]
    fn rowcount(&self) -> PyResult<i64> {
        Ok(known(self.state()?.loaded.rowcount))
    }

    /// The AUTO_INCREMENT value that the last statement made first; 0 if none, None before one.
    #[getter]
    fn lastrowid(&self) -> PyResult<Option<u64>> {
        Ok(self.state()?.loaded.lastrowid)
    }

    /// PEP 249's seven-item tuples, one for each column; None where there are no columns.
    #[getter]
    fn description(&self, py: Python<'_>) -> PyResult<Option<Py<PyTuple>>> {
        Ok(self.state()?.loaded.description.as_ref().map(|tuple| tuple.clone_ref(py)))
    }

    /// The number of the next row, counted from 0; None where there is no result.
    #[getter]
    fn rownumber(&self) -> PyResult<Option<usize>> {
        Ok(self.state()?.loaded.rows.as_ref().map(super::result::Rows::next))
    }

    /// How many warnings the last statement raised.
    #[getter]
    fn warning_count(&self) -> PyResult<u16> {
        Ok(self.state()?.loaded.warnings)
    }

    /// The connection.
    #[getter]
    fn connection(&self, py: Python<'_>) -> Py<Connection> {
        self.connection.clone_ref(py)
    }

    /// The last statement as it was sent, in bytes; None before one.
    #[getter(_executed)]
    fn executed<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyBytes>>> {
        Ok(self.state()?.executed.as_ref().map(|sql| PyBytes::new(py, sql)))
    }

    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.fetchone(py)
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
        self.connection.get().link().forget_reader(self.number);
    }
}
