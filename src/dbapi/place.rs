//! Who takes a connection, and where in the code.

use std::fmt::Write;

use pyo3::prelude::*;
use pyo3::types::PyString;

use super::{call, imports};

/// How many frames are told.
const TOLD: usize = 4;
/// How far up is looked for them. A web framework's own frames may be many.
const LOOKED_AT: usize = 64;

/// "file:line in function, from file:line in function …", innermost first, without the frames of
/// this package. Those of installed packages and of the standard library are left out too, but for
/// the innermost: between the pool and the application there may be a whole framework.
pub(super) fn place(py: Python<'_>) -> Option<String> {
    let mut frame = imports::getframe(py).ok()?.call0().ok()?;
    let (mut text, mut told) = (String::new(), 0);
    for _ in 0..LOOKED_AT {
        let code = frame.getattr("f_code").ok()?;
        let file = code.getattr("co_filename").ok()?.cast_into::<PyString>().ok()?;
        let file = file.to_str().ok()?;
        if !imports::is_ours(py, file) && (told == 0 || !imports::is_installed(py, file)) {
            let lead = if told == 0 { "" } else { ", from " };
            let line: u32 = frame.getattr("f_lineno").ok()?.extract().unwrap_or(0);
            let function = code.getattr("co_name").ok()?;
            let _ = write!(text, "{lead}{file}:{line} in {function}");
            told += 1;
        }
        frame = frame.getattr("f_back").ok()?;
        if told == TOLD || frame.is_none() {
            break;
        }
    }
    (told > 0).then_some(text)
}

/// What Python calls this thread. `current_thread()` would take a lock of its module's for a
/// thread that Python did not start, and a fork made in C may have copied that lock held.
pub(super) fn thread_name(py: Python<'_>) -> Option<String> {
    let threading = py.import("threading").ok()?;
    let ident = threading.call_method0("get_ident").ok()?;
    let thread = threading.getattr("_active").ok()?.get_item(ident).ok()?;
    call::attribute(&thread, "name").ok()?.extract().ok()
}
