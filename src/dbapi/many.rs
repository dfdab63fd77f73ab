//! `executemany`: `INSERT … VALUES (…)` in as few statements as fit, anything else one by one.

use pyo3::prelude::*;

use super::call::each;
use super::cursor::Cursor;
use super::from_python::{statement, Writer};
use super::interpolate::{interpolate, Parameters};
use crate::session::Batch;

/// Run `query` for each of `many` parameter sets: the rows changed in all, or `None` for no set. An
/// INSERT of several has at most `largest` bytes.
pub(super) fn execute(
    cursor: &Cursor,
    query: &Bound<'_, PyAny>,
    many: &Bound<'_, PyAny>,
    largest: usize,
) -> PyResult<Option<u64>> {
    let writer = cursor.writer(query.py())?;
    let template = statement(&writer, query)?;
    match Batch::of(&template, !writer.no_backslash_escapes) {
        Some(batch) if !cursor.is_prepared() => {
            Batches::new(cursor, &writer, &template, &batch, largest)?.run(&batch, many)
        }
        _ => one_by_one(cursor, query, many),
    }
}

fn one_by_one(
    cursor: &Cursor,
    query: &Bound<'_, PyAny>,
    many: &Bound<'_, PyAny>,
) -> PyResult<Option<u64>> {
    let mut total = None;
    for args in each(many)? {
        let changed = cursor.execute(query.py(), query, Some(&args?))?;
        // What is not known is not counted.
        total = Some(total.unwrap_or(0) + u64::try_from(changed).unwrap_or(0));
    }
    Ok(total)
}

/// The INSERT that is being filled.
struct Batches<'a, 'py> {
    cursor: &'a Cursor,
    writer: &'a Writer<'py>,
    template: &'a [u8],
    head: Vec<u8>,
    tail: Vec<u8>,
    largest: usize,
    sql: Vec<u8>,
    total: Option<u64>,
}

impl<'a, 'py> Batches<'a, 'py> {
    fn new(
        cursor: &'a Cursor,
        writer: &'a Writer<'py>,
        template: &'a [u8],
        batch: &Batch<'_>,
        largest: usize,
    ) -> PyResult<Self> {
        let tail = without_parameters(writer, batch.after)?;
        let packet =
            cursor.its_connection().link()?.look(|session| session.max_allowed_packet())?;
        // The comma before a row and the byte of the command count too.
        let largest = largest.min(packet.saturating_sub(tail.len() + 2));
        let head = without_parameters(writer, batch.before)?;
        Ok(Self { cursor, writer, template, head, tail, largest, sql: Vec::new(), total: None })
    }

    fn run(mut self, batch: &Batch<'_>, many: &Bound<'py, PyAny>) -> PyResult<Option<u64>> {
        let mut row = Vec::new();
        for args in each(many)? {
            row.clear();
            interpolate(self.writer, batch.row, &Parameters::of(Some(&args?))?, &mut row)?;
            if !self.sql.is_empty() && self.sql.len() + row.len() > self.largest {
                self.send(many.py())?;
            }
            let joint = if self.sql.is_empty() { &self.head[..] } else { b"," };
            self.sql.extend_from_slice(joint);
            self.sql.extend_from_slice(&row);
        }
        if !self.sql.is_empty() {
            self.send(many.py())?;
        }
        Ok(self.total)
    }

    fn send(&mut self, py: Python<'_>) -> PyResult<()> {
        let mut sql = std::mem::take(&mut self.sql);
        sql.extend_from_slice(&self.tail);
        let changed = self.cursor.run(py, Some(self.template), sql)?;
        self.total = Some(self.total.unwrap_or(0) + changed.unwrap_or(0));
        Ok(())
    }
}

/// A part of a template in which only `%%` means something.
fn without_parameters(writer: &Writer<'_>, part: &[u8]) -> PyResult<Vec<u8>> {
    let mut out = Vec::new();
    interpolate(writer, part, &Parameters::Sequence(Vec::new()), &mut out)?;
    Ok(out)
}
