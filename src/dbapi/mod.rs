//! PEP 249 for Python: registers, nothing else.

mod at_exit;
mod call;
mod callable;
mod cells_to_python;
mod columns;
mod connection;
mod conversions;
mod credentials;
mod cursor;
mod errors;
mod events;
mod flow;
mod foreign;
mod from_python;
mod hooks;
mod imports;
mod interpolate;
mod lending;
mod link;
mod managed;
mod many;
mod option_values;
mod options;
mod place;
mod pool;
mod pool_options;
mod prepared;
mod procedure;
mod raised;
mod result;
mod rowset;
mod stamp;
mod stats;
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
    credentials::prepare();
    at_exit::prepare(py)?;
    py.get_type::<lending::Lending>();
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add_function(wrap_pyfunction!(connection::connect, module)?)?;
    module.add_class::<connection::Connection>()?;
    module.add_class::<cursor::Cursor>()?;
    module.add_class::<rowset::Rowset>()?;
    module.add_class::<pool::Pool>()?;
    module.add_class::<stamp::Stamp>()?;
    let exceptions = py.import("forksafe.exceptions")?;
    let class = py.get_type::<connection::Connection>();
    EXCEPTIONS.iter().try_for_each(|name| class.setattr(*name, exceptions.getattr(*name)?))
}
