//! What the driver itself sends on a connection, and how the statements of others are written.

use std::cell::Cell;

use pyo3::exceptions::PyException;
use pyo3::prelude::*;

use super::super::from_python::Writer;
use super::super::link::{skip_answers, Last};
use super::super::to_python::Reader;
use super::{Connection, Opened};
use crate::session::{Charset, Error, Session};

impl Connection {
    /// How literals are written in the next statement. `skip` skips unread answers first: one of
    /// them may tell that a backslash no longer escapes.
    pub(in super::super) fn writer_after<'py>(
        &self,
        py: Python<'py>,
        skip: impl FnOnce(&mut Session, &mut Last) -> Result<(), Error> + Send,
    ) -> PyResult<Writer<'py>> {
        let link = self.link()?;
        if link.look(|session| session.has_more())? {
            link.work(py, skip)?;
        }
        self.writer(py)
    }

    /// How literals are written on this connection now.
    pub(in super::super) fn writer<'py>(&self, py: Python<'py>) -> PyResult<Writer<'py>> {
        let Opened { link, options, .. } = self.opened()?;
        link.look(|session| Writer {
            charset: session.charset(),
            binary_prefix: options.binary_prefix,
            no_backslash_escapes: session.no_backslash_escapes(),
            encoders: self.conv().and_then(|conv| conv.encoders(py)),
            depth: Cell::new(0),
        })
    }

    /// How the values of columns are read that were answered in `charset`.
    pub(in super::super) fn reader(&self, charset: Charset) -> PyResult<Reader<'_>> {
        let use_unicode = self.opened()?.options.use_unicode;
        Ok(Reader { charset, use_unicode, conv: self.conv() })
    }

    /// Run a statement of the driver's own. Answers of other statements that nobody reads any
    /// more are skipped.
    pub(super) fn run(&self, py: Python<'_>, sql: &[u8]) -> PyResult<()> {
        self.link()?.work(py, |session, last| {
            skip_answers(session, last, 0)?;
            session.query(sql).map(drop)
        })
    }

    pub(super) fn end_transaction(&self, py: Python<'_>, sql: &[u8]) -> PyResult<()> {
        self.link()?.work(py, |session, last| {
            skip_answers(session, last, 0)?;
            if session.is_over() || !session.surely_no_transaction() {
                session.query(sql)?;
            }
            Ok(())
        })
    }

    /// Nobody reads on: skip what is unread, whichever cursor it is of.
    fn finish_answers(&self, py: Python<'_>) -> PyResult<()> {
        self.link()?.work(py, |session, last| {
            last.reader = 0;
            session.finish_answers()
        })
    }

    /// The end of a `Pool.connection()` block: commit or roll back, then check in.
    pub(in super::super) fn end_block(&self, py: Python<'_>, succeeded: bool) -> PyResult<()> {
        let ended = match (self.is_open(), succeeded) {
            (false, _) => Ok(()),
            (true, true) => self.finish_answers(py).and_then(|()| self.commit(py)),
            // The block's own exception matters more, and check-in discards what is broken; but
            // Ctrl-C is Ctrl-C.
            (true, false) => {
                self.rollback(py).or_else(|e| match e.is_instance_of::<PyException>(py) {
                    true => Ok(()),
                    false => Err(e),
                })
            }
        };
        self.close(py)?;
        ended
    }
}
