//! Statements without a cursor, as MySQL's C interface has them: `query()`, then its results.

use std::sync::atomic::Ordering;

use pyo3::prelude::*;

use super::super::cursor::{note, number};
use super::super::errors::busy;
use super::super::from_python;
use super::super::link::skip_answers;
use super::super::result::Loaded;
use super::super::rowset::Rowset;
use super::super::style::Style;
use super::{Connection, Opened};
use crate::session::{Answer, Reading};

/// What `next_result()` says where there is one more, and where there is none.
const ANOTHER: i32 = 0;
const NONE: i32 = -1;

impl Opened {
    /// Each answer has a number of its own, so that a result that is dropped late says nothing
    /// about the rows of a later one.
    fn next_number(&self) -> u64 {
        let next = number();
        self.number.store(next, Ordering::Relaxed);
        next
    }

    fn put(&self, answer: Option<Answer>) -> PyResult<Option<Answer>> {
        let Some(kept) = self.answer.get() else { return Ok(None) };
        let mut kept = kept.try_lock().ok_or_else(|| busy("connection"))?;
        Ok(std::mem::replace(&mut *kept, answer))
    }
}

impl Connection {
    /// What the last statement was answered, if it has rows that nobody has asked for.
    fn rows(&self, py: Python<'_>) -> PyResult<Option<Loaded>> {
        let opened = self.opened()?;
        let reader = self.reader(opened.link.look(|session| session.charset())?)?;
        match opened.put(None)? {
            Some(answer @ Answer::Flow(..)) => {
                Loaded::new(py, answer, reader, Style::plain(false)).map(Some)
            }
            _ => Ok(None),
        }
    }

    /// Whether there was a next answer.
    fn go_on(&self, py: Python<'_>) -> PyResult<bool> {
        let opened = self.opened()?;
        opened.put(None)?;
        let number = opened.next_number();
        let answer = opened.link.work(py, |session, last| {
            last.reader = 0;
            let answer = session.next_answer(Reading::Parts)?;
            if let Some(answer) = &answer {
                note(session, last, number, answer);
            }
            Ok(answer)
        })?;
        let any = answer.is_some();
        opened.put(answer)?;
        Ok(any)
    }
}

#[pymethods]
impl Connection {
    /// Run a statement as it is. Then `store_result()` or `use_result()` has its rows, and
    /// `next_result()` goes to the next of several. A cursor is easier.
    fn query(&self, py: Python<'_>, query: &Bound<'_, PyAny>) -> PyResult<()> {
        let opened = self.opened()?;
        let before = opened.number.load(Ordering::Relaxed);
        let writer = self.writer_after(py, |session, last| skip_answers(session, last, before))?;
        let sql = from_python::statement(&writer, query)?;
        opened.put(None)?;
        let number = opened.next_number();
        let answer = opened.link.work(py, |session, last| {
            skip_answers(session, last, before)?;
            session.notice(&sql);
            let answer = session.query_for(&sql, Reading::Parts)?;
            note(session, last, number, &answer);
            Ok(answer)
        })?;
        opened.put(Some(answer)).map(drop)
    }

    /// The rows of the last `query()`, received as a whole; None: it answered none.
    fn store_result(slf: &Bound<'_, Self>) -> PyResult<Option<Rowset>> {
        let (py, own) = (slf.py(), slf.get());
        let Some(rows) = own.rows(py)? else { return Ok(None) };
        Rowset::stored(slf.clone().unbind(), own.opened()?.number.load(Ordering::Relaxed), rows, py)
            .map(Some)
    }

    /// The rows of the last `query()`, which stay with the server until they are fetched; None: it
    /// answered none.
    fn use_result(slf: &Bound<'_, Self>) -> PyResult<Option<Rowset>> {
        let own = slf.get();
        let Some(rows) = own.rows(slf.py())? else { return Ok(None) };
        Ok(Some(Rowset::streaming(
            slf.clone().unbind(),
            own.opened()?.number.load(Ordering::Relaxed),
            rows,
        )))
    }

    /// Skip the rows of the last `query()` that nobody has asked for.
    fn discard_result(slf: &Bound<'_, Self>) -> PyResult<()> {
        match Self::use_result(slf)? {
            Some(rows) => rows.discard(slf.py()),
            None => Ok(()),
        }
    }

    /// Go to the answer of the next of several statements: 0, or -1 where there is none. What is
    /// unread of the last one is skipped, also where it is a cursor's.
    fn next_result(&self, py: Python<'_>) -> PyResult<i32> {
        Ok(if self.go_on(py)? { ANOTHER } else { NONE })
    }

    /// Whether the answers of further statements are to come.
    fn more_results(&self) -> PyResult<bool> {
        self.link()?.look(|session| session.has_more_answers())
    }
}
