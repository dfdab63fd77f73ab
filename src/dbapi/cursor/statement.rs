//! How a cursor sends a statement, keeps its answer, and fetches its rows.

use std::sync::atomic::Ordering;

use pyo3::prelude::*;

use super::super::flow::Source;
use super::super::from_python::Writer;
use super::super::link::{skip_answers, Last};
use super::super::result::Loaded;
use super::super::style::{RowsAs, Style};
use super::{Cursor, State};
use crate::session::{Answer, Charset, Error, Session};

impl Cursor {
    /// How literals are written in the next statement. What is unread of the last is skipped.
    pub(in super::super) fn writer<'py>(&self, py: Python<'py>) -> PyResult<Writer<'py>> {
        let mut state = self.open_state()?;
        if state.loaded.flows() {
            state.loaded = Loaded::default();
        }
        drop(state);
        self.connection.get().writer_after(py, |session, last| self.skip_answers(session, last))
    }

    /// Before a statement: skip unread answers. As with MySQLdb, a cursor that is not strict skips
    /// those of another one too, but for rows that are on their way.
    fn skip_answers(&self, session: &mut Session, last: &mut Last) -> Result<(), Error> {
        if !self.style.strict() && !session.has_rows() {
            last.reader = self.number;
        }
        skip_answers(session, last, self.number)
    }

    /// Send `sql`, and keep the answer. `template` is what it was made from, if parameters were
    /// put in. How many rows were found or changed is unknown while rows are still to be read.
    pub(in super::super) fn run(
        &self,
        py: Python<'_>,
        template: Option<&[u8]>,
        sql: Vec<u8>,
    ) -> PyResult<Option<u64>> {
        let reading = self.style.reading();
        self.send(py, template, sql, |session, sql| session.query_for(sql, reading))
    }

    pub(super) fn send(
        &self,
        py: Python<'_>,
        template: Option<&[u8]>,
        sql: Vec<u8>,
        send: impl FnOnce(&mut Session, &[u8]) -> Result<Answer, Error> + Send,
    ) -> PyResult<Option<u64>> {
        let mut state = self.open_state()?;
        state.loaded = Loaded::default();
        let connection = self.connection.get();
        let number = self.number;
        let answer = connection.link()?.work(py, |session, last| {
            self.skip_answers(session, last)?;
            session.notice(template.unwrap_or(&sql));
            let answer = send(session, &sql)?;
            note(session, last, number, &answer);
            Ok((answer, session.charset()))
        });
        state.executed = Some(sql);
        self.load(py, &mut state, answer?)
    }

    /// Keep an answer, which came in the given character set.
    pub(super) fn load(
        &self,
        py: Python<'_>,
        state: &mut State,
        (answer, charset): (Answer, Charset),
    ) -> PyResult<Option<u64>> {
        let reader = self.connection.get().reader(charset)?;
        state.loaded = Loaded::new(py, answer, reader, self.its_style())?;
        Ok(state.loaded.rowcount)
    }

    fn its_style(&self) -> Style {
        let rows = RowsAs::of(self.fetch_type.load(Ordering::Relaxed));
        self.style.with_rows(rows.unwrap_or(RowsAs::Tuples))
    }

    pub(super) fn fetch<'py>(
        &self,
        py: Python<'py>,
        limit: usize,
    ) -> PyResult<Vec<Bound<'py, PyAny>>> {
        let mut state = self.open_state()?;
        let has_run = state.executed.is_some();
        if has_run && state.loaded.rows.is_none() && !self.style.strict() {
            return Ok(Vec::new());
        }
        let source = Source { link: self.connection.get().link()?, reader: self.number };
        source.fetch(py, &mut state.loaded, limit)
    }
}

/// Note for the connection what a statement of cursor `number` left.
pub(in super::super) fn note(session: &Session, last: &mut Last, number: u64, answer: &Answer) {
    *last = match answer {
        Answer::Done(done) => Last {
            affected: done.affected,
            insert_id: done.insert_id,
            warnings: done.warnings,
            ..Last::default()
        },
        Answer::Rows(rows) => Last {
            affected: rows.len() as u64,
            warnings: rows.warnings,
            columns: rows.columns().len(),
            ..Last::default()
        },
        Answer::Flow(columns, _) => Last { columns: columns.len(), ..Last::default() },
    };
    last.reader = if session.has_more() { number } else { 0 };
}
