//! What Python is told of a result's columns.

use std::borrow::Cow;
use std::collections::HashSet;

use pyo3::prelude::*;
use pyo3::types::{PyString, PyTuple};

use super::to_python::text;
use crate::session::{Charset, Column, ColumnFlags};

/// PEP 249's seven columns: name, type, display size, internal size, precision, scale, null_ok.
pub(super) fn describe(
    py: Python<'_>,
    columns: &[Column],
    charset: Charset,
) -> PyResult<Py<PyTuple>> {
    let column = |column: &Column| -> PyResult<Bound<'_, PyTuple>> {
        let length = column.column_length();
        (
            PyString::new(py, &name(py, column.name_ref(), charset)),
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

/// What the server says of each column, as `constants.FLAG` numbers it.
pub(super) fn flags(py: Python<'_>, columns: &[Column]) -> PyResult<Py<PyTuple>> {
    let flags = columns.iter().map(|column| column.flags().bits());
    Ok(PyTuple::new(py, flags.collect::<Vec<u16>>())?.unbind())
}

/// The keys of a row that is a dictionary. As with MySQLdb, the first column of a name has it as
/// its key; for a later one, `table.name` is.
///
/// `whole`: every key is `table.name`, as far as the column has a table.
pub(super) fn keys(
    py: Python<'_>,
    columns: &[Column],
    charset: Charset,
    whole: bool,
) -> Vec<Py<PyString>> {
    let mut taken = HashSet::with_capacity(columns.len());
    let key = |column: &Column| {
        let mut key = name(py, column.name_ref(), charset).into_owned();
        let table = name(py, column.table_ref(), charset);
        if taken.contains(&key) || whole && !table.is_empty() {
            key = format!("{table}.{key}");
        }
        taken.insert(key.clone());
        PyString::new(py, &key).unbind()
    };
    columns.iter().map(key).collect()
}

/// A name may be the beginning of a literal, cut anywhere: no reason to fail.
fn name<'a>(py: Python<'_>, bytes: &'a [u8], charset: Charset) -> Cow<'a, str> {
    charset.decode(bytes).unwrap_or_else(|| match text(py, bytes, charset).map(|it| it.extract()) {
        Ok(Ok(name)) => Cow::Owned(name),
        _ => String::from_utf8_lossy(bytes),
    })
}
