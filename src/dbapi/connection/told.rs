//! What a connection tells of itself, of its server, and of its last statement.

use std::os::fd::RawFd;

use pyo3::prelude::*;
use pyo3::types::{PyList, PyTuple};

use super::super::errors::no_descriptor;
use super::super::link::skip_answers;
use super::super::to_python::{Reader, RowDecoder};
use super::Connection;
use crate::session::{Answer, Place, Session};

/// The protocol that MySQL has spoken since 3.21.
const PROTOCOL: u32 = 10;

#[pymethods]
impl Connection {
    /// The host that it goes to; "localhost" for a unix socket.
    #[getter]
    fn host(&self) -> PyResult<String> {
        Ok(match &self.opened()?.place {
            Some(Place::Tcp(host, _)) => host.clone(),
            _ => "localhost".into(),
        })
    }

    /// The port that it goes to; 0 for a unix socket.
    #[getter]
    fn port(&self) -> PyResult<u16> {
        Ok(match &self.opened()?.place {
            Some(Place::Tcp(_, port)) => *port,
            _ => 0,
        })
    }

    /// The user that logged in at connect.
    #[getter]
    fn user(&self) -> PyResult<&str> {
        Ok(&self.opened()?.user)
    }

    /// The default database at connect; None: there was none.
    #[getter]
    fn db(&self) -> PyResult<Option<&str>> {
        Ok(self.opened()?.options.database.as_deref())
    }

    /// The default database at connect; None: there was none.
    #[getter]
    fn database(&self) -> PyResult<Option<&str>> {
        self.db()
    }

    /// The server's version.
    fn get_server_info(&self) -> PyResult<String> {
        self.link()?.look(|session| session.server_version().to_owned())
    }

    /// Where the connection goes to, in words.
    fn get_host_info(&self) -> PyResult<String> {
        Ok(match &self.opened()?.place {
            Some(Place::Socket(path)) => format!("Localhost via UNIX socket {}", path.display()),
            Some(place) => format!("{place} via TCP/IP"),
            None => String::new(),
        })
    }

    /// The version of the protocol: 10.
    fn get_proto_info(&self) -> u32 {
        PROTOCOL
    }

    /// The server's `CONNECTION_ID()`.
    fn thread_id(&self) -> PyResult<u32> {
        self.link()?.look(|session| session.connection_id())
    }

    /// The capabilities agreed on with the server (`constants.CLIENT`).
    #[getter]
    fn client_flag(&self) -> PyResult<u32> {
        self.link()?.look(|session| session.capabilities())
    }

    /// The capabilities that the server offers (`constants.CLIENT`).
    #[getter]
    fn server_capabilities(&self) -> PyResult<u32> {
        self.link()?.look(|session| session.server_capabilities())
    }

    /// The descriptor of the socket. Raises InterfaceError where it is inherited, closed, or where
    /// the number means something else by now.
    fn fileno(&self) -> PyResult<RawFd> {
        let link = self.link()?;
        if link.is_inherited() {
            let birth = link.birth();
            return Err(no_descriptor(&format!("the socket belongs to {birth}, not to this one")));
        }
        let descriptor = link.look(|session| session.descriptor())?;
        descriptor.ok_or_else(|| no_descriptor("the socket was closed by other code"))
    }

    /// How many rows the last statement changed, or has answered so far.
    fn affected_rows(&self) -> PyResult<u64> {
        Ok(self.link()?.last()?.affected)
    }

    /// The AUTO_INCREMENT value that the last statement made first, or 0.
    fn insert_id(&self) -> PyResult<u64> {
        Ok(self.link()?.last()?.insert_id)
    }

    /// How many columns the rows of the last statement have; 0: it answered none.
    fn field_count(&self) -> PyResult<usize> {
        Ok(self.link()?.last()?.columns)
    }

    /// What the server said in words of the last statement: "Rows matched: 1  Changed: 1 …" after
    /// an UPDATE. None: nothing.
    fn info(&self) -> PyResult<Option<String>> {
        self.link()?.look(|session| session.info().map(str::to_owned))
    }

    /// The number of the last error on this connection; 0: the last statement went well.
    fn errno(&self) -> PyResult<u16> {
        Ok(self.link()?.trouble()?.map_or(0, |error| error.errno()))
    }

    /// The text of the last error on this connection; "": the last statement went well.
    fn error(&self) -> PyResult<String> {
        Ok(self.link()?.trouble()?.map_or_else(String::new, |error| error.message().to_owned()))
    }

    /// The SQLSTATE of the last error on this connection; "00000": the last statement went well.
    fn sqlstate(&self) -> PyResult<String> {
        let trouble = self.link()?.trouble()?;
        Ok(trouble.map_or_else(|| "00000".into(), |error| error.state().to_owned()))
    }

    /// How many warnings the last statement raised.
    fn warning_count(&self) -> PyResult<u16> {
        Ok(self.link()?.last()?.warnings)
    }

    /// The warnings of the last statement as (level, number, message).
    fn show_warnings<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyTuple>>> {
        let (answer, charset) = self.link()?.work(py, |session, last| {
            skip_answers(session, last, 0)?;
            Ok((session.query(b"SHOW WARNINGS")?, session.charset()))
        })?;
        let Answer::Rows(result) = answer else { return Ok(Vec::new()) };
        let decoder = RowDecoder::new(py, result.columns(), Reader::plain(charset))?;
        let rows = (0..result.len()).map(|index| decoder.row(py, &result, index));
        rows.filter_map(Result::transpose).collect()
    }

    /// PEP 249's list of messages. Always empty: warnings are counted, see `show_warnings()`.
    #[getter]
    fn messages<'py>(&self, py: Python<'py>) -> Bound<'py, PyList> {
        PyList::empty(py)
    }

    /// What would vanish with the session without a word: locks, temporary tables, variables.
    #[getter]
    fn holds(&self, py: Python<'_>) -> PyResult<Py<PyTuple>> {
        let names = match self.is_inherited() {
            true => Vec::new(),
            false => self.link()?.look(|session| session.holds().names())?,
        };
        Ok(PyTuple::new(py, names)?.unbind())
    }

    /// Say that the caller makes on each new connection what this one holds by now.
    fn forget_holds(&self) -> PyResult<()> {
        self.link()?.look(Session::forget_holds)
    }
}
