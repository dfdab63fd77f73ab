//! Values of prepared statements' rows as Python objects: the same as from the text protocol.

use pyo3::prelude::*;
use pyo3::types::{PyDate, PyDateTime, PyDelta, PyFloat, PyTuple};

use super::errors::malformed;
use super::to_python::{Decoder, RowDecoder};
use crate::session::{widened, Cell, Column, Moment, ResultSet, Span};

impl RowDecoder {
    /// One row as a tuple, or `None` past the last.
    pub(super) fn cells<'py>(
        &self,
        py: Python<'py>,
        result: &ResultSet,
        index: usize,
    ) -> PyResult<Option<Bound<'py, PyTuple>>> {
        let Some(mut cells) = result.cells(index) else { return Ok(None) };
        let mut objects = Vec::with_capacity(self.decoders.len());
        for (decoder, column) in self.decoders.iter().zip(result.columns().iter()) {
            let cell = cells.cell().map_err(|_| malformed("a row ends before its last column"))?;
            objects.push(match cell {
                None => py.None().into_bound(py),
                Some(cell) => self.cell(py, cell, column, decoder)?,
            });
        }
        PyTuple::new(py, objects).map(Some)
    }

    fn cell<'py>(
        &self,
        py: Python<'py>,
        cell: Cell<'_>,
        column: &Column,
        decoder: &Decoder,
    ) -> PyResult<Bound<'py, PyAny>> {
        Ok(match (cell, decoder) {
            (Cell::Bytes(bytes), _) => decoder.object(py, bytes, self.charset)?,
            (_, Decoder::OfText(_) | Decoder::OfBytes(_) | Decoder::Text | Decoder::Bytes) => {
                decoder.object(py, &cell.text(column), self.charset)?
            }
            (Cell::Signed(number), _) => number.into_pyobject(py)?.into_any(),
            (Cell::Unsigned(number), _) => number.into_pyobject(py)?.into_any(),
            (Cell::Float(number), _) => PyFloat::new(py, widened(number, column)).into_any(),
            (Cell::Double(number), _) => PyFloat::new(py, number).into_any(),
            (Cell::Moment(moment), Decoder::Date) => date(py, moment),
            (Cell::Moment(moment), _) => datetime(py, moment),
            (Cell::Span(span), _) => timedelta(py, span)?,
        })
    }
}

/// As from text: `None` where Python has no such day or hour.
fn date<'py>(py: Python<'py>, moment: Moment) -> Bound<'py, PyAny> {
    let made = PyDate::new(py, moment.year.into(), moment.month, moment.day);
    made.map_or_else(|_| py.None().into_bound(py), Bound::into_any)
}

fn datetime<'py>(py: Python<'py>, moment: Moment) -> Bound<'py, PyAny> {
    let Moment { year, month, day, hour, minute, second, micro } = moment;
    let made = PyDateTime::new(py, year.into(), month, day, hour, minute, second, micro, None);
    made.map_or_else(|_| py.None().into_bound(py), Bound::into_any)
}

fn timedelta<'py>(py: Python<'py>, span: Span) -> PyResult<Bound<'py, PyAny>> {
    let sign = if span.negative { -1 } else { 1 };
    // Far from overflow: the row was checked as it came.
    let (days, micros) = (span.days as i32, span.micros as i32);
    let clock =
        i32::from(span.hours) * 3600 + i32::from(span.minutes) * 60 + i32::from(span.seconds);
    Ok(PyDelta::new(py, sign * days, sign * clock, sign * micros, true)?.into_any())
}
