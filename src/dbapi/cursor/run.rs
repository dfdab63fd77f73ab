//! Running statements.

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyTuple};

use super::super::call::attribute;
use super::super::from_python::{self, Writer};
use super::super::interpolate::{interpolate, Parameters};
use super::super::link::skip_answers;
use super::super::prepared::prepare;
use super::super::result::Loaded;
use super::super::to_python::text;
use super::super::{many, procedure};
use super::{known, note, Cursor};
use crate::session::Session;
/// A statement with its parameters in it.
fn filled_in<'py>(
    writer: &Writer<'py>,
    query: &Bound<'py, PyAny>,
    args: Option<&Bound<'py, PyAny>>,
) -> PyResult<Vec<u8>> {
    let mut sql = Vec::new();
    let template = from_python::statement(writer, query)?;
    interpolate(writer, &template, &Parameters::of(args)?, &mut sql)?;
    Ok(sql)
}

#[pymethods]
impl Cursor {
    /// Run a statement; answers the number of rows found or changed, -1 while that is unknown.
    ///
    /// `args` is a sequence for `%s` or a mapping for `%(name)s`. None: no interpolation at all,
    /// and a `%` is a `%`.
    #[pyo3(signature = (query, args = None))]
    pub(in super::super) fn execute(
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
        slf: &Bound<'_, Self>,
        query: &Bound<'_, PyAny>,
        args: &Bound<'_, PyAny>,
    ) -> PyResult<Option<u64>> {
        if args.is_none() {
            return Ok(None);
        }
        let largest = attribute(slf, "max_stmt_length")?.extract()?;
        let total = many::execute(slf.get(), query, args, largest)?;
        if let Some(total) = total {
            // Of all statements together, not of the last one.
            slf.get().state()?.loaded.rowcount = Some(total);
        }
        Ok(total)
    }

    /// Call a stored procedure of the default database; answers `args`. As with MySQLdb, the
    /// parameters travel as the user variables `@_name_0`, `@_name_1` …, where OUT parameters can be
    /// read afterwards.
    ///
    /// The name is the whole name, and may have any characters. For a procedure of another database
    /// execute `CALL other.name(…)`.
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
        let writer = self.connection.get().writer(py)?;
        text(py, &filled_in(&writer, query, args)?, writer.charset)
    }

    /// As `mogrify()`, in bytes: a parameter may hold bytes that are no text.
    #[pyo3(signature = (query, args = None))]
    fn _mogrify<'py>(
        &self,
        query: &Bound<'py, PyAny>,
        args: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let writer = self.connection.get().writer(query.py())?;
        Ok(PyBytes::new(query.py(), &filled_in(&writer, query, args)?))
    }

    /// Go to the answer of the next statement: True, or None where there is none.
    fn nextset(&self, py: Python<'_>) -> PyResult<Option<bool>> {
        let mut state = self.open_state()?;
        if state.loaded.flows() {
            state.loaded = Loaded::default();
        }
        let (number, reading) = (self.number, self.style.reading());
        let answer = self.connection.get().link()?.work(py, |session, last| {
            if last.reader != number {
                return Ok(None);
            }
            last.reader = 0;
            let answer = session.next_answer(reading)?;
            if let Some(answer) = &answer {
                note(session, last, number, answer);
            }
            Ok(answer.map(|answer| (answer, session.charset())))
        })?;
        match answer {
            None => Ok(None),
            Some(answer) => self.load(py, &mut state, answer).map(|_| Some(true)),
        }
    }

    /// Close the cursor, and skip the rows and answers that it left unread. Safe to repeat.
    pub(super) fn close(&self, py: Python<'_>) -> PyResult<()> {
        if self.state.get().is_none() {
            return Ok(());
        }
        let mut state = self.state()?;
        if state.closed {
            return Ok(());
        }
        state.closed = true;
        state.loaded.forget_rows();
        let (number, link) = (self.number, self.connection.get().link()?);
        if !link.is_open() || link.last()?.reader != number {
            return Ok(());
        }
        link.work(py, |session, last| skip_answers(session, last, number))
    }

    /// Does nothing: values of any size are sent (PEP 249 allows it).
    #[pyo3(signature = (*_sizes), text_signature = "($self, sizes)")]
    fn setinputsizes(&self, _sizes: &Bound<'_, PyTuple>) {}

    /// Does nothing: values of any size are received (PEP 249 allows it).
    #[pyo3(signature = (*_size_and_column), text_signature = "($self, size, column=None)")]
    fn setoutputsize(&self, _size_and_column: &Bound<'_, PyTuple>) {}

    /// Does nothing: `setoutputsize()` by the name that MySQLdb gives it.
    #[pyo3(signature = (*_size_and_column), text_signature = "($self, size, column=None)")]
    fn setoutputsizes(&self, _size_and_column: &Bound<'_, PyTuple>) {}
}
