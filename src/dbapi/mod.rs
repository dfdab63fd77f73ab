//! PEP 249 for Python: registers, nothing else.

mod at_exit;
mod call;
mod cells_to_python;
mod columns;
mod connection;
mod cursor;
mod errors;
mod flow;
mod from_python;
mod imports;
mod interpolate;
mod link;
mod many;
mod options;
mod pool;
mod prepared;
mod procedure;
mod result;
mod stamp;
mod style;
mod to_python;

use pyo3::prelude::*;

/// The exceptions that PEP 249 wants to find on a connection too.
const EXCEPTIONS: [&str; 10] = [
    "Warning",
    "Error",
    "InterfaceError",
    "DatabaseError",
    "DataError",
    "OperationalError",
    "IntegrityError",
    "InternalError",
    "ProgrammingError",
    "NotSupportedError",
];

/// The native part of forksafe. Import from `forksafe`, not from here.
#[pymodule]
fn _forksafe(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    // Whatever is made once is made now, where no fork can catch it half made.
    crate::process::prepare();
    crate::session::prepare();
    imports::prepare(py)?;
    errors::prepare(py);
    at_exit::prepare(py)?;
    py.get_type::<pool::Lending>();
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add_function(wrap_pyfunction!(connection::connect, module)?)?;
    module.add_class::<connection::Connection>()?;
    module.add_class::<cursor::Cursor>()?;
    module.add_class::<pool::Pool>()?;
    module.add_class::<stamp::Stamp>()?;
    let exceptions = py.import("forksafe.exceptions")?;
    let class = py.get_type::<connection::Connection>();
    EXCEPTIONS.iter().try_for_each(|name| class.setattr(*name, exceptions.getattr(*name)?))
}
