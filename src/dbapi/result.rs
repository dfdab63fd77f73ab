//! What a statement answered, as a cursor keeps it.

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTuple};

use super::to_python::RowDecoder;
use crate::session::{Answer, Charset, Column, ColumnFlags, Outcome, ResultSet};

/// Rows that were received and not yet fetched.
pub(super) struct Rows {
    result: ResultSet,
    decoder: RowDecoder,
    next: usize,
}

impl Rows {
    /// Up to `limit` rows from where the last fetch ended.
    pub(super) fn fetch<'py>(
        &mut self,
        py: Python<'py>,
        limit: usize,
    ) -> PyResult<Vec<Bound<'py, PyTuple>>> {
        let end = self.result.len().min(self.next.saturating_add(limit));
        let mut rows = Vec::with_capacity(end - self.next);
        for index in self.next..end {
            rows.extend(self.decoder.row(py, &self.result, index)?);
        }
        self.next = end;
        Ok(rows)
    }

    pub(super) fn next(&self) -> usize {
        self.next
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
}

impl Loaded {
    pub(super) fn new(
        py: Python<'_>,
        answer: Answer,
        charset: Charset,
        conv: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Self> {
        match answer {
            Answer::Done(outcome) => Ok(Self::done(outcome)),
            Answer::Rows(result) => {
                let description = describe(py, result.columns(), charset)?;
                let decoder = RowDecoder::new(result.columns(), charset, conv)?;
                Ok(Self {
                    rowcount: Some(result.len() as u64),
                    lastrowid: Some(0),
                    warnings: result.warnings,
                    description: Some(description),
                    rows: Some(Rows { result, decoder, next: 0 }),
                })
            }
        }
    }

    fn done(outcome: Outcome) -> Self {
        Self {
            rowcount: Some(outcome.affected),
            lastrowid: Some(outcome.insert_id),
            warnings: outcome.warnings,
            ..Self::default()
        }
    }
}

/// PEP 249's seven columns: name, type, display size, internal size, precision, scale, null_ok.
fn describe(py: Python<'_>, columns: &[Column], charset: Charset) -> PyResult<Py<PyTuple>> {
    let column = |column: &Column| -> PyResult<Bound<'_, PyTuple>> {
        let length = column.column_length();
        // A name may be the beginning of a literal, cut anywhere: no reason to fail.
        let name = column.name_ref();
        let name = charset.decode(name).unwrap_or_else(|| String::from_utf8_lossy(name));
        (
            PyString::new(py, &name),
            column.column_type() as u8,
            None::<u32>,
            length,
            length,
            column.decimals(),
            !column.flags().contains(ColumnFlags::NOT_NULL_FLAG),
        )
            .into_pyobject(py)
    };
    let described = columns.iter().map(column).collect::<PyResult<Vec<_>>>()?;
    Ok(PyTuple::new(py, described)?.unbind())
}
