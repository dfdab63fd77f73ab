//! `forksafe.Connection`.

mod results;
mod server;
mod statement;
mod told;
mod transaction;
mod written;

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;
use pyo3::exceptions::PyTypeError;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple, PyType};

use super::call::call;
use super::conversions::Conversions;
use super::cursor::{number, Cursor};
use super::errors::{attempt, busy, never_opened, raise, usage};
use super::hooks::Kit;
use super::link::{Held, Link};
use super::options::Options;
use super::style::Style;
use crate::process::Owned;
use crate::session::{Answer, ConnectOptions, Place};

/// A connection to a MySQL or MariaDB server (PEP 249), with the methods that MySQLdb's has.
///
/// `Connection(url=None, /, **options)` opens one, as `forksafe.connect()` does, whose help has the
/// options; a pool lends them. A class of your own may extend it.
///
/// For one thread at a time: a second one gets a ProgrammingError. In a forked child it answers
/// 2006 to everything but `close()` and `rollback()`, which do nothing there, and touches nothing
/// of the parent's.
///
/// After `close()`, everything but `close()` raises InterfaceError. Whatever asks the server
/// raises OperationalError when the session is dead: 2006 where nothing was sent, 2013 where the
/// statement may have run.
#[pyclass(frozen, subclass, weakref, module = "forksafe")]
pub(super) struct Connection {
    /// Set once, by whoever makes the object, before others can see it. A child that was forked in
    /// that moment finds nothing.
    opened: OnceLock<Opened>,
}

/// What a connection is once it has been opened.
pub(super) struct Opened {
    link: Link,
    options: Arc<ConnectOptions>,
    place: Option<Place>,
    user: String,
    /// What `query()` was answered, until somebody asks for the rows.
    answer: Owned<Mutex<Option<Answer>>>,
    /// As whom it reads the last answer to `query()`, among the cursors.
    number: AtomicU64,
    /// What `cursor()` makes, if the program has changed it.
    cursorclass: Mutex<Option<Py<PyType>>>,
    /// Last, for a lease that goes with the link may hold a share of it.
    kit: Arc<Kit>,
}

#[doc = include_str!("connect.txt")]
#[pyfunction]
#[pyo3(signature = (url = None, /, **options))]
pub(super) fn connect(
    py: Python<'_>,
    url: Option<&str>,
    options: Option<&Bound<'_, PyDict>>,
) -> PyResult<Connection> {
    Ok(Connection { opened: OnceLock::from(Opened::open(py, url, options)?) })
}

impl Opened {
    fn open(
        py: Python<'_>,
        url: Option<&str>,
        options: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Self> {
        let options = Options::for_connection().read(url, options)?;
        let connector = options.connector()?;
        let kit = Kit { objects: options.objects(py)?, ..Kit::default() };
        let session = attempt(py, || connector.open(None), |error| raise(&error))?;
        Ok(Self::new(Held::Own(session), Arc::clone(connector.options()), Arc::new(kit)))
    }

    fn new(held: Held, options: Arc<ConnectOptions>, kit: Arc<Kit>) -> Self {
        // Kept here too, because an inherited session tells nothing.
        let place = held.session().and_then(|session| session.place().cloned());
        let user = held.session().map(|session| session.user().to_owned()).unwrap_or_default();
        Self {
            link: Link::new(held),
            options,
            place,
            user,
            answer: Owned::new(Mutex::new(None)),
            number: AtomicU64::new(number()),
            cursorclass: Mutex::new(None),
            kit,
        }
    }
}

impl Connection {
    pub(super) fn new(held: Held, options: Arc<ConnectOptions>, kit: Arc<Kit>) -> Self {
        Self { opened: OnceLock::from(Opened::new(held, options, kit)) }
    }

    fn opened(&self) -> PyResult<&Opened> {
        self.opened.get().ok_or_else(never_opened)
    }

    pub(super) fn link(&self) -> PyResult<&Link> {
        self.opened().map(|opened| &opened.link)
    }

    /// The program's own functions for values.
    pub(super) fn conv(&self) -> Option<&Conversions> {
        self.opened.get()?.kit.objects.conv.as_ref()
    }

    fn is_open(&self) -> bool {
        self.opened.get().is_some_and(|opened| opened.link.is_open())
    }

    fn is_inherited(&self) -> bool {
        self.opened.get().is_some_and(|opened| opened.link.is_inherited())
    }
}

impl Opened {
    /// The class of the cursors that are not asked for by a class; `None`: the plain one.
    fn its_cursorclass(&self, py: Python<'_>) -> PyResult<Option<Py<PyType>>> {
        let own = self.cursorclass.try_lock().ok_or_else(|| busy("connection"))?;
        let class = own.as_ref().or(self.kit.objects.cursorclass.as_ref());
        Ok(class.map(|class| class.clone_ref(py)))
    }
}

#[pymethods]
impl Connection {
    #[new]
    #[pyo3(signature = (*_args, **_options), text_signature = "(url=None, /, **options)")]
    fn py_new(_args: &Bound<'_, PyTuple>, _options: Option<&Bound<'_, PyDict>>) -> Self {
        Self { opened: OnceLock::new() }
    }

    #[pyo3(signature = (url = None, /, **options))]
    fn __init__(
        &self,
        py: Python<'_>,
        url: Option<&str>,
        options: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<()> {
        let twice = || usage("this connection has been opened already; make a new one");
        if self.opened.get().is_some() {
            return Err(twice());
        }
        self.opened.set(Opened::open(py, url, options)?).map_err(|_| twice())
    }

    /// A pool tells of its kit itself.
    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        let Some(opened) = self.opened.get() else { return Ok(()) };
        if let Some(class) = opened.cursorclass.try_lock() {
            visit.call(class.as_ref())?;
        }
        match Arc::strong_count(&opened.kit) {
            1 => opened.kit.traverse(&visit),
            _ => Ok(()),
        }
    }

    /// A new cursor: what `cursorclass`, or else the attribute of that name, makes of the
    /// connection. One that is `prepared` has the server prepare its statements.
    #[pyo3(signature = (cursorclass = None, *, prepared = false))]
    fn cursor<'py>(
        slf: &Bound<'py, Self>,
        cursorclass: Option<&Bound<'py, PyType>>,
        prepared: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (py, opened) = (slf.py(), slf.get().opened()?);
        opened.link.look(|_| ())?;
        let class = match cursorclass {
            Some(class) => Some(class.clone()),
            None => opened.its_cursorclass(py)?.map(|class| class.into_bound(py)),
        };
        match class {
            None => {
                let cursor = Cursor::new(slf.clone().unbind(), Style::plain(prepared));
                Ok(Bound::new(py, cursor)?.into_any())
            }
            Some(class) if prepared => {
                let how = PyDict::new(py);
                how.set_item("prepared", true)?;
                call(&class, &PyTuple::new(py, [slf])?, Some(&how))
            }
            Some(class) => call(&class, &PyTuple::new(py, [slf])?, None),
        }
    }

    /// The class of what `cursor()` makes: the option, or what it was set to since.
    #[getter]
    fn cursorclass<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyType>> {
        let class = self.opened()?.its_cursorclass(py)?;
        Ok(class.map_or_else(|| py.get_type::<Cursor>(), |class| class.into_bound(py)))
    }

    #[setter]
    fn set_cursorclass(&self, class: Bound<'_, PyType>) -> PyResult<()> {
        let before = {
            let cursorclass = &self.opened()?.cursorclass;
            let mut own = cursorclass.try_lock().ok_or_else(|| busy("connection"))?;
            own.replace(class.unbind())
        };
        // A class goes with what belongs to it, and that may ask this connection something.
        drop(before);
        Ok(())
    }

    /// Close the connection; one from a pool goes back to it. Safe to repeat, and does nothing in
    /// a forked child.
    pub(super) fn close(&self, py: Python<'_>) -> PyResult<()> {
        self.opened.get().map_or(Ok(()), |opened| opened.link.close(py))
    }

    /// Close the connection, also one from a pool: it does not go back, and the pool opens another
    /// when it needs one. For a connection that is not to be trusted any more. Safe to repeat, and
    /// does nothing in a forked child.
    fn discard(&self, py: Python<'_>) -> PyResult<()> {
        self.opened.get().map_or(Ok(()), |opened| opened.link.discard(py))
    }

    /// Whether it is open in this process. Says nothing about the server; see `probe()`.
    #[getter]
    fn open(&self) -> bool {
        self.is_open()
    }

    /// Whether it is closed, inherited, or was never opened: the opposite of `open`.
    #[getter]
    fn closed(&self) -> bool {
        !self.is_open()
    }

    /// Whether another process than this one opened it.
    #[getter]
    fn inherited(&self) -> bool {
        self.is_inherited()
    }

    /// The connection itself, which the end of the block closes.
    fn __enter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    /// As `close()`: what was not committed is rolled back.
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
        let Some(opened) = self.opened.get() else {
            return "<forksafe.Connection unopened>".into();
        };
        let user = &opened.user;
        let place = opened.place.as_ref().map(Place::to_string).unwrap_or_default();
        let link = &opened.link;
        let state = match link.look(|session| session.connection_id()) {
            Ok(id) => format!("#{id} "),
            Err(_) if link.is_inherited() => format!("inherited from {} ", link.birth()),
            Err(_) if link.is_open() => "in use ".into(),
            Err(_) => "closed ".into(),
        };
        format!("<forksafe.Connection {state}to '{user}'@{place}>")
    }
}
