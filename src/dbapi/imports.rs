//! Python classes that conversions need.

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDelta, PyMapping, PySequence, PyType};

static DECIMAL: PyOnceLock<Py<PyType>> = PyOnceLock::new();
static UUID: PyOnceLock<Py<PyType>> = PyOnceLock::new();

/// Have all of it ready when the module is loaded: no fork can then catch it half done.
pub(super) fn prepare(py: Python<'_>) -> PyResult<()> {
    decimal(py)?;
    uuid(py)?;
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
