//! `callproc`: parameters as user variables, because a literal cannot be an OUT parameter.

use pyo3::prelude::*;
use pyo3::types::PyString;

use super::cursor::Cursor;
use super::from_python::statement;

/// Set `@_name_0`, `@_name_1` … to the values, and call the procedure with them.
pub(super) fn call(cursor: &Cursor, name: &str, args: &Bound<'_, PyAny>) -> PyResult<()> {
    let py = args.py();
    let writer = cursor.writer(py)?;
    // In its quotes a name can have any characters, and cannot end them.
    let name = name.replace('`', "``");
    let encoded = |sql: &str| statement(&writer, PyString::new(py, sql).as_any());
    let (mut variables, mut set) = (Vec::new(), b"SET ".to_vec());
    for (index, value) in args.try_iter()?.enumerate() {
        let variable = format!("@`_{name}_{index}`");
        set.extend_from_slice(if index == 0 { b"" } else { b", " });
        set.extend_from_slice(&encoded(&format!("{variable} = "))?);
        writer.literal(&value?, &mut set)?;
        variables.push(variable);
    }
    if !variables.is_empty() {
        cursor.run(py, Some(b"SET @_"), set)?;
    }
    let sql = encoded(&format!("CALL `{name}`({})", variables.join(", ")))?;
    cursor.run(py, None, sql).map(drop)
}
