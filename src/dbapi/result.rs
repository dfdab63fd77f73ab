//! What a statement answered, as a cursor keeps it.

use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTuple};

use super::columns::{self, describe, keys};
use super::style::Style;
use super::to_python::{Reader, RowDecoder};
use crate::session::{Answer, Charset, Column, Outcome, ResultSet};

/// Rows that were received and not yet fetched.
pub(super) struct Rows {
    /// All of them, or the part of a flow that came last.
    result: ResultSet,
    decoder: RowDecoder,
    /// Of rows that are dictionaries.
    keys: Option<Vec<Py<PyString>>>,
    /// How many rows the parts before had.
    before: usize,
    next: usize,
    flows: bool,
}

impl Rows {
    /// Up to `limit` rows from where the last fetch ended, of those that are here.
    fn fetch<'py>(&mut self, py: Python<'py>, limit: usize) -> PyResult<Vec<Bound<'py, PyAny>>> {
        let end = self.result.len().min(self.next.saturating_add(limit));
        let mut rows = Vec::with_capacity(end - self.next);
        for index in self.next..end {
            if let Some(row) = self.decoder.row(py, &self.result, index)? {
                rows.push(self.shaped(row)?);
            }
        }
        self.next = end;
        Ok(rows)
    }

    fn shaped<'py>(&self, row: Bound<'py, PyTuple>) -> PyResult<Bound<'py, PyAny>> {
        let Some(keys) = &self.keys else { return Ok(row.into_any()) };
        let dict = PyDict::new(row.py());
        for (key, value) in keys.iter().zip(row.iter_borrowed()) {
            dict.set_item(key, value)?;
        }
        Ok(dict.into_any())
    }

    /// The number of the next row.
    pub(super) fn next(&self) -> usize {
        self.before + self.next
    }
}

/// One answer, ready for Python.
#[derive(Default)]
pub(super) struct Loaded {
    pub(super) rows: Option<Rows>,
    pub(super) description: Option<Py<PyTuple>>,
    pub(super) rowcount: Option<u64>,
    pub(super) lastrowid: Option<u64>,
    pub(super) warnings: u16,
    charset: Charset,
}

impl Loaded {
    pub(super) fn new(
        py: Python<'_>,
        answer: Answer,
        reader: Reader<'_>,
        style: Style,
    ) -> PyResult<Self> {
        let (result, flows) = match answer {
            Answer::Done(outcome) => return Ok(Self::done(outcome)),
            Answer::Rows(result) => (result, false),
            Answer::Flow(columns, format) => (ResultSet::empty(columns, format, 0), true),
        };
        let columns = Arc::clone(result.columns());
        let rows = Rows {
            decoder: RowDecoder::new(py, &columns, reader)?,
            keys: style.dicts().then(|| keys(py, &columns, reader.charset, false)),
            result,
            before: 0,
            next: 0,
            flows,
        };
        Ok(Self {
            rowcount: (!flows).then_some(rows.result.len() as u64),
            lastrowid: Some(0),
            warnings: rows.result.warnings,
            description: Some(describe(py, &columns, reader.charset)?),
            rows: Some(rows),
            charset: reader.charset,
        })
    }

    fn done(outcome: Outcome) -> Self {
        Self {
            rowcount: Some(outcome.affected),
            lastrowid: Some(outcome.insert_id),
            warnings: outcome.warnings,
            ..Self::default()
        }
    }

    /// Keep the numbers alone: a program may ask a closed cursor for them.
    pub(super) fn forget_rows(&mut self) {
        (self.rows, self.description) = (None, None);
    }

    /// The columns; none where there are no rows.
    pub(super) fn columns(&self) -> &[Column] {
        self.rows.as_ref().map_or(&[], |rows| rows.result.columns())
    }

    /// What the server says of each column; `None` where there are no rows.
    pub(super) fn flags(&self, py: Python<'_>) -> PyResult<Option<Py<PyTuple>>> {
        self.rows.is_some().then(|| columns::flags(py, self.columns())).transpose()
    }

    /// The keys that its rows have as dictionaries.
    pub(super) fn keys(&self, py: Python<'_>, whole: bool) -> Vec<Py<PyString>> {
        keys(py, self.columns(), self.charset, whole)
    }

    /// Go to a row, if there is one of that number.
    pub(super) fn seek(&mut self, number: usize) -> bool {
        let Some(rows) = self.rows.as_mut().filter(|rows| number < rows.result.len()) else {
            return false;
        };
        rows.next = number;
        true
    }

    /// Whether rows are still to be read from the session.
    pub(super) fn flows(&self) -> bool {
        self.rows.as_ref().is_some_and(|rows| rows.flows)
    }

    /// Up to `limit` rows of those that are here, or `None` where there is no result.
    pub(super) fn fetch<'py>(
        &mut self,
        py: Python<'py>,
        limit: usize,
    ) -> Option<PyResult<Vec<Bound<'py, PyAny>>>> {
        self.rows.as_mut().map(|rows| rows.fetch(py, limit))
    }

    /// Go on with the next part of a flow; one without rows is its end.
    pub(super) fn go_on(&mut self, part: ResultSet) {
        let Some(rows) = &mut self.rows else { return };
        rows.before = rows.next();
        rows.next = 0;
        if part.is_empty() {
            rows.flows = false;
            self.rowcount = Some(rows.before as u64);
            self.warnings = part.warnings;
        }
        rows.result = part;
    }
}
