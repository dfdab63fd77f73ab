//! `forksafe.Connection`.

mod statement;

use std::os::fd::RawFd;
use std::sync::Arc;

use pyo3::exceptions::PyTypeError;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyTuple, PyType};

use super::call::call;
use super::conversions::Conversions;
use super::cursor::Cursor;
use super::errors::{attempt, no_descriptor, raise};
use super::from_python;
use super::hooks::Kit;
use super::link::{skip_answers, Held, Link};
use super::options::Options;
use super::style::Style;
use super::to_python::{Reader, RowDecoder};
use crate::session::{Answer, ConnectOptions, Health, Place, Session};

/// A connection to a MySQL or MariaDB server (PEP 249).
///
/// For one thread at a time. In a forked child it answers 2006 to everything but `close()` and
/// `rollback()`, which do nothing there, and touches nothing of the parent's.
#[pyclass(frozen, weakref, module = "forksafe")]
pub(super) struct Connection {
    link: Link,
    options: Arc<ConnectOptions>,
    place: Option<Place>,
    user: String,
    /// Last, for a lease that goes with the link may hold a share of it.
    kit: Arc<Kit>,
}

/// Open a connection. See the README for the options.
///
/// Raises OperationalError when the server cannot be reached or refuses the log-in, and
/// ProgrammingError when an option is unknown or has a value that it cannot have.
#[pyfunction]
#[pyo3(signature = (url = None, /, **options))]
pub(super) fn connect(
    py: Python<'_>,
    url: Option<&str>,
    options: Option<&Bound<'_, PyDict>>,
) -> PyResult<Connection> {
    let options = Options::for_connection().read(url, options)?;
    let connector = options.connector()?;
    let session = attempt(py, || connector.open(None), |error| raise(&error))?;
    let kit = Kit { objects: options.objects(py)?, ..Kit::default() };
    Ok(Connection::new(Held::Own(session), Arc::clone(connector.options()), Arc::new(kit)))
}

impl Connection {
    pub(super) fn new(held: Held, options: Arc<ConnectOptions>, kit: Arc<Kit>) -> Self {
        // Kept here too, because an inherited session tells nothing.
        let place = held.session().and_then(|session| session.place().cloned());
        let user = held.session().map(|session| session.user().to_owned()).unwrap_or_default();
        Self { link: Link::new(held), options, place, user, kit }
    }

    pub(super) fn link(&self) -> &Link {
        &self.link
    }

    pub(super) fn options(&self) -> &ConnectOptions {
        &self.options
    }

    /// The program's own functions for values.
    pub(super) fn conv(&self) -> Option<&Conversions> {
        self.kit.objects.conv.as_ref()
    }
}

#[pymethods]
impl Connection {
    /// A pool tells of its kit itself.
    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        match Arc::strong_count(&self.kit) {
            1 => self.kit.traverse(&visit),
            _ => Ok(()),
        }
    }

    /// A new cursor: what `cursorclass`, or else the option of that name, makes of the connection.
    /// One that is `prepared` has the server prepare its statements.
    #[pyo3(signature = (cursorclass = None, *, prepared = false))]
    fn cursor<'py>(
        slf: &Bound<'py, Self>,
        cursorclass: Option<&Bound<'py, PyType>>,
        prepared: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        slf.get().link.look(|_| ())?;
        let py = slf.py();
        let own = slf.get().kit.objects.cursorclass.as_ref().map(|class| class.bind(py));
        match cursorclass.or(own) {
            None => {
                let cursor = Cursor::new(slf.clone().unbind(), Style::plain(prepared));
                Ok(Bound::new(py, cursor)?.into_any())
            }
            Some(class) if prepared => {
                let how = PyDict::new(py);
                how.set_item("prepared", true)?;
                call(class, &PyTuple::new(py, [slf])?, Some(&how))
            }
            Some(class) => call(class, &PyTuple::new(py, [slf])?, None),
        }
    }

    /// Commit the transaction. Costs nothing where the server says that none is open.
    fn commit(&self, py: Python<'_>) -> PyResult<()> {
        self.end_transaction(py, b"COMMIT")
    }

    /// Roll the transaction back. Costs nothing where the server says that none is open.
    fn rollback(&self, py: Python<'_>) -> PyResult<()> {
        if self.link.is_inherited() {
            return Ok(());
        }
        self.end_transaction(py, b"ROLLBACK")
    }

    /// Begin a transaction.
    fn begin(&self, py: Python<'_>) -> PyResult<()> {
        self.run(py, b"BEGIN")
    }

    /// Close the connection; one from a pool goes back to it. Safe to repeat.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        self.link.close(py)
    }

    /// A round trip to the server. Raises OperationalError when the session is dead; never
    /// reconnects.
    fn ping(&self, py: Python<'_>) -> PyResult<()> {
        self.link.work(py, |session, last| {
            skip_answers(session, last, 0)?;
            session.ping()
        })
    }

    /// Whether the session is silent and open, by a look at the socket: no round trip. False
    /// where it is dead, closed or inherited; True while answers are unread, for then nothing can
    /// be told.
    fn probe(&self) -> PyResult<bool> {
        if !self.link.is_open() {
            return Ok(false);
        }
        self.link.look(|session| session.probe() != Health::Dead)
    }

    /// Switch autocommit. Costs nothing where it is so already.
    fn autocommit(&self, py: Python<'_>, on: bool) -> PyResult<()> {
        self.link.work(py, |session, last| {
            skip_answers(session, last, 0)?;
            session.set_autocommit(on)
        })
    }

    /// Whether autocommit is on, as the server last said.
    fn get_autocommit(&self) -> PyResult<bool> {
        self.link.look(|session| session.autocommits())
    }

    /// Change the default database.
    fn select_db(&self, py: Python<'_>, name: &str) -> PyResult<()> {
        self.link.work(py, |session, last| {
            skip_answers(session, last, 0)?;
            session.select_database(name)
        })
    }

    /// A value as an SQL literal, in bytes.
    fn literal<'py>(&self, value: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyBytes>> {
        let mut out = Vec::new();
        self.writer(value.py())?.literal(value, &mut out)?;
        Ok(PyBytes::new(value.py(), &out))
    }

    /// Text or bytes escaped to stand between single quotes, in bytes.
    fn escape_string<'py>(&self, value: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyBytes>> {
        let writer = self.writer(value.py())?;
        let mut out = Vec::new();
        writer.escaped(&from_python::statement(&writer, value)?, &mut out);
        Ok(PyBytes::new(value.py(), &out))
    }

    /// The connection's character set, by MySQL's name.
    fn character_set_name(&self) -> &'static str {
        self.options.charset.name()
    }

    /// The server's version.
    fn get_server_info(&self) -> PyResult<String> {
        self.link.look(|session| session.server_version().to_owned())
    }

    /// Where the connection goes to.
    fn get_host_info(&self) -> String {
        match &self.place {
            Some(Place::Socket(path)) => format!("Localhost via UNIX socket {}", path.display()),
            Some(place) => format!("{place} via TCP/IP"),
            None => String::new(),
        }
    }

    /// The server's `CONNECTION_ID()`.
    fn thread_id(&self) -> PyResult<u32> {
        self.link.look(|session| session.connection_id())
    }

    /// The descriptor of the socket. Raises InterfaceError where it is inherited, closed, or where
    /// the number means something else by now.
    fn fileno(&self) -> PyResult<RawFd> {
        if self.link.is_inherited() {
            let birth = self.link.birth();
            return Err(no_descriptor(&format!("the socket belongs to {birth}, not to this one")));
        }
        let descriptor = self.link.look(|session| session.descriptor())?;
        descriptor.ok_or_else(|| no_descriptor("the socket was closed by other code"))
    }

    /// How many rows the last statement changed.
    fn affected_rows(&self) -> PyResult<u64> {
        Ok(self.link.last()?.affected)
    }

    /// The AUTO_INCREMENT value that the last statement made first, or 0.
    fn insert_id(&self) -> PyResult<u64> {
        Ok(self.link.last()?.insert_id)
    }

    /// How many warnings the last statement raised.
    fn warning_count(&self) -> PyResult<u16> {
        Ok(self.link.last()?.warnings)
    }

    /// The warnings of the last statement as (level, number, message).
    fn show_warnings<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyTuple>>> {
        let answer = self.link.work(py, |session, last| {
            skip_answers(session, last, 0)?;
            session.query(b"SHOW WARNINGS")
        })?;
        let Answer::Rows(result) = answer else { return Ok(Vec::new()) };
        let decoder = RowDecoder::new(py, result.columns(), Reader::plain(self.options.charset))?;
        let rows = (0..result.len()).map(|index| decoder.row(py, &result, index));
        rows.filter_map(Result::transpose).collect()
    }

    /// What would vanish with the session without a word: locks, temporary tables, variables.
    #[getter]
    fn holds(&self, py: Python<'_>) -> PyResult<Py<PyTuple>> {
        let names = match self.link.is_inherited() {
            true => Vec::new(),
            false => self.link.look(|session| session.holds().names())?,
        };
        Ok(PyTuple::new(py, names)?.unbind())
    }

    /// Say that the caller makes on each new connection what this one holds by now.
    fn forget_holds(&self) -> PyResult<()> {
        self.link.look(Session::forget_holds)
    }

    /// The capabilities agreed on with the server (`constants.CLIENT`).
    #[getter]
    fn client_flag(&self) -> PyResult<u32> {
        self.link.look(|session| session.capabilities())
    }

    /// Whether it is open in this process. Says nothing about the server; see `probe()`.
    #[getter]
    fn open(&self) -> bool {
        self.link.is_open()
    }

    /// Whether another process than this one opened it.
    #[getter]
    fn inherited(&self) -> bool {
        self.link.is_inherited()
    }

    /// Whether a transaction is open, as the server last said.
    #[getter]
    fn in_transaction(&self) -> PyResult<bool> {
        self.link.look(|session| session.in_transaction())
    }

    fn __enter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    #[pyo3(signature = (*_exc))]
    fn __exit__(&self, py: Python<'_>, _exc: &Bound<'_, PyTuple>) -> PyResult<()> {
        self.close(py)
    }

    fn __reduce__(&self) -> PyResult<()> {
        Err(PyTypeError::new_err(
            "cannot pickle a forksafe.Connection: a session belongs to one process; open one in \
             the process that needs it",
        ))
    }

    fn __repr__(&self) -> String {
        let user = &self.user;
        let place = self.place.as_ref().map(Place::to_string).unwrap_or_default();
        let state = match self.link.look(|session| session.connection_id()) {
            Ok(id) => format!("#{id} "),
            Err(_) if self.link.is_inherited() => format!("inherited from {} ", self.link.birth()),
            Err(_) if self.link.is_open() => "in use ".into(),
            Err(_) => "closed ".into(),
        };
        format!("<forksafe.Connection {state}to '{user}'@{place}>")
    }
}
