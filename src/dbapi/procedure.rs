//! `callproc`: parameters as user variables, because a literal cannot be an OUT parameter.

use pyo3::prelude::*;

use super::cursor::Cursor;

/// Set `@_name_0`, `@_name_1` … to the values, and call the procedure with them.
pub(super) fn call(cursor: &Cursor, name: &str, args: &Bound<'_, PyAny>) -> PyResult<()> {
    let py = args.py();
    let writer = cursor.writer(py)?;
    let (mut variables, mut set) = (Vec::new(), b"SET ".to_vec());
    for (index, value) in args.try_iter()?.enumerate() {
        let variable = format!("@_{name}_{index}");
        set.extend_from_slice(if index == 0 { b"" } else { b", " });
        set.extend_from_slice(format!("{variable} = ").as_bytes());
        writer.literal(&value?, &mut set)?;
        variables.push(variable);
    }
    if !variables.is_empty() {
        cursor.run(py, Some(b"SET @_"), set)?;
    }
    let sql = format!("CALL {name}({})", variables.join(", "));
    cursor.run(py, None, sql.into_bytes()).map(drop)
}
