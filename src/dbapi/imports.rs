//! What is needed of Python modules.

use std::path::Path;

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDelta, PyDict, PyMapping, PyModule, PySequence, PyType};

static DECIMAL: PyOnceLock<Py<PyType>> = PyOnceLock::new();
static UUID: PyOnceLock<Py<PyType>> = PyOnceLock::new();
static ARRAY: PyOnceLock<Py<PyType>> = PyOnceLock::new();
static MEMBER: PyOnceLock<Py<PyType>> = PyOnceLock::new();
static MODULES: PyOnceLock<Py<PyDict>> = PyOnceLock::new();
static EVENT: PyOnceLock<Py<PyType>> = PyOnceLock::new();
static CONVERTERS: PyOnceLock<Py<PyModule>> = PyOnceLock::new();
static NATIVE: PyOnceLock<Py<PyDict>> = PyOnceLock::new();
static GETFRAME: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
static OURS: PyOnceLock<String> = PyOnceLock::new();
static STANDARD: PyOnceLock<String> = PyOnceLock::new();

/// Have all of it ready when the module is loaded: no fork can then catch it half done.
pub(super) fn prepare(py: Python<'_>) -> PyResult<()> {
    decimal(py)?;
    uuid(py)?;
    array(py)?;
    member(py)?;
    modules(py)?;
    native_conversions(py)?;
    event(py)?;
    getframe(py)?;
    let _ = (is_ours(py, ""), is_installed(py, ""));
    // The C API of datetime, and the abstract classes that casts look up.
    let nothing = PyDelta::new(py, 0, 0, 0, false)?.into_any();
    let _ = (nothing.cast::<PyMapping>().is_ok(), nothing.cast::<PySequence>().is_ok());
    Ok(())
}

/// `decimal.Decimal`.
pub(super) fn decimal(py: Python<'_>) -> PyResult<&Bound<'_, PyType>> {
    DECIMAL.import(py, "decimal", "Decimal")
}

/// `uuid.UUID`.
pub(super) fn uuid(py: Python<'_>) -> PyResult<&Bound<'_, PyType>> {
    UUID.import(py, "uuid", "UUID")
}

/// `array.array`.
pub(super) fn array(py: Python<'_>) -> PyResult<&Bound<'_, PyType>> {
    ARRAY.import(py, "array", "array")
}

/// `enum.Enum`.
pub(super) fn member(py: Python<'_>) -> PyResult<&Bound<'_, PyType>> {
    MEMBER.import(py, "enum", "Enum")
}

/// `sys.modules`.
fn modules(py: Python<'_>) -> PyResult<&Bound<'_, PyDict>> {
    let modules = MODULES.get_or_try_init(py, || {
        Ok::<_, PyErr>(py.import("sys")?.getattr("modules")?.cast_into::<PyDict>()?.unbind())
    })?;
    Ok(modules.bind(py))
}

/// A class of a module that the program has imported, if it has: no value can be an instance of it
/// else.
pub(super) fn loaded<'py>(py: Python<'py>, module: &str, class: &str) -> Option<Bound<'py, PyAny>> {
    modules(py).ok()?.get_item(module).ok()??.getattr(class).ok()
}

/// `forksafe.converters.conversions`, as it is by now.
pub(super) fn conversions(py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
    let converters =
        CONVERTERS.get_or_try_init(py, || py.import("forksafe.converters").map(Bound::unbind))?;
    Ok(converters.bind(py).getattr("conversions")?.cast_into()?)
}

/// The same as it was at first: what the driver does without calling these functions.
pub(super) fn native_conversions(py: Python<'_>) -> PyResult<&Bound<'_, PyDict>> {
    let native =
        NATIVE.get_or_try_init(py, || Ok::<_, PyErr>(conversions(py)?.copy()?.unbind()))?;
    Ok(native.bind(py))
}

/// `forksafe.events.Event`.
pub(super) fn event(py: Python<'_>) -> PyResult<&Bound<'_, PyType>> {
    EVENT.import(py, "forksafe.events", "Event")
}

/// `sys._getframe`.
pub(super) fn getframe(py: Python<'_>) -> PyResult<&Bound<'_, PyAny>> {
    GETFRAME.import(py, "sys", "_getframe")
}

/// Whether a file of Python code is one of this package's.
pub(super) fn is_ours(py: Python<'_>, file: &str) -> bool {
    folder(py, &OURS, "forksafe.events").is_ok_and(|ours| file.starts_with(ours))
}

/// Whether it is one of the standard library's, or of a package that was installed.
pub(super) fn is_installed(py: Python<'_>, file: &str) -> bool {
    let standard = folder(py, &STANDARD, "threading").is_ok_and(|folder| file.starts_with(folder));
    let made_by_the_interpreter = file.starts_with("<frozen ");
    let elsewhere = file.contains("/site-packages/") || file.contains("/dist-packages/");
    standard || made_by_the_interpreter || elsewhere
}

/// Where the file of a module is, with the last separator.
fn folder<'py>(
    py: Python<'py>,
    known: &'py PyOnceLock<String>,
    module: &str,
) -> PyResult<&'py str> {
    let found = known.get_or_try_init(py, || {
        let file: String = py.import(module)?.getattr("__file__")?.extract()?;
        let folder = Path::new(&file).parent().unwrap_or_else(|| Path::new(""));
        Ok::<_, PyErr>(format!("{}{}", folder.display(), std::path::MAIN_SEPARATOR))
    });
    found.map(String::as_str)
}
