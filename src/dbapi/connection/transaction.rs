//! Transactions, and whether the session lives.

use pyo3::prelude::*;

use super::super::link::skip_answers;
use super::Connection;
use crate::session::Health;

#[pymethods]
impl Connection {
    /// Commit the transaction. Costs nothing where the server says that none is open.
    pub(super) fn commit(&self, py: Python<'_>) -> PyResult<()> {
        self.end_transaction(py, b"COMMIT")
    }

    /// Roll the transaction back. Costs nothing where the server says that none is open, and does
    /// nothing in a forked child.
    pub(super) fn rollback(&self, py: Python<'_>) -> PyResult<()> {
        if self.is_inherited() {
            return Ok(());
        }
        self.end_transaction(py, b"ROLLBACK")
    }

    /// Begin a transaction. Without autocommit the first statement does that anyway.
    fn begin(&self, py: Python<'_>) -> PyResult<()> {
        self.run(py, b"BEGIN")
    }

    /// Switch autocommit. Costs nothing where it is so already.
    fn autocommit(&self, py: Python<'_>, on: bool) -> PyResult<()> {
        self.link()?.work(py, |session, last| {
            skip_answers(session, last, 0)?;
            session.set_autocommit(on)
        })
    }

    /// Whether autocommit is on, as the server last said.
    fn get_autocommit(&self) -> PyResult<bool> {
        self.link()?.look(|session| session.autocommits())
    }

    /// Whether a transaction is open, as the server last said.
    #[getter]
    fn in_transaction(&self) -> PyResult<bool> {
        self.link()?.look(|session| session.in_transaction())
    }

    /// A round trip to the server. Raises OperationalError when the session is dead.
    ///
    /// Never reconnects, whatever `reconnect` says, for a transaction, locks and variables would be
    /// gone without a word: open a new connection, or take it from a `forksafe.Pool`, which
    /// replaces what is dead.
    #[pyo3(signature = (reconnect = false))]
    fn ping(&self, py: Python<'_>, reconnect: bool) -> PyResult<()> {
        let _ = reconnect;
        self.link()?.work(py, |session, last| {
            skip_answers(session, last, 0)?;
            session.ping()
        })
    }

    /// Whether the session is silent and open, by a look at the socket: no round trip. False
    /// where it is dead, closed or inherited; True while answers are unread, for then nothing can
    /// be told.
    fn probe(&self) -> PyResult<bool> {
        if !self.is_open() {
            return Ok(false);
        }
        self.link()?.look(|session| session.probe() != Health::Dead)
    }
}
