//! `%s` and `%(name)s` filled in on this side, as MySQLdb does.

use pyo3::exceptions::PyKeyError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyMapping, PyString};

use super::call::{each, item};
use super::errors::usage;
use super::from_python::Writer;
use crate::session::{Piece, Pieces};

/// The parameters of one statement.
pub(super) enum Parameters<'a, 'py> {
    /// Leave the statement as it is, also its `%%`.
    Absent,
    Sequence(Vec<Bound<'py, PyAny>>),
    Mapping(&'a Bound<'py, PyMapping>),
}

impl<'a, 'py> Parameters<'a, 'py> {
    pub(super) fn of(args: Option<&'a Bound<'py, PyAny>>) -> PyResult<Self> {
        let Some(args) = args else { return Ok(Self::Absent) };
        if args.is_instance_of::<PyString>() || args.is_instance_of::<PyBytes>() {
            return Err(usage(
                "parameters come as a sequence or a mapping; for one, write (value,)",
            ));
        }
        if let Ok(mapping) = args.cast::<PyMapping>() {
            return Ok(Self::Mapping(mapping));
        }
        // Any iterable, as with MySQLdb: the values of a dict, a generator.
        if let Ok(items) = each(args) {
            return items.collect::<PyResult<_>>().map(Self::Sequence);
        }
        let kind = args.get_type().qualname()?;
        Err(usage(format!("parameters come as a sequence or a mapping, not as a {kind}")))
    }
}

/// Append `template` with its placeholders filled in.
pub(super) fn interpolate<'py>(
    writer: &Writer<'py>,
    template: &[u8],
    parameters: &Parameters<'_, 'py>,
    out: &mut Vec<u8>,
) -> PyResult<()> {
    if let Parameters::Absent = parameters {
        out.extend_from_slice(template);
        return Ok(());
    }
    let mut values = Values::of(parameters);
    for piece in Pieces::of(template) {
        match piece.map_err(usage)? {
            (Piece::Text(text), _) => out.extend_from_slice(text),
            (place, _) => writer.literal(&values.at(place)?, out)?,
        }
    }
    values.end()
}

/// Parameters on their way to their places.
pub(super) struct Values<'a, 'py> {
    parameters: &'a Parameters<'a, 'py>,
    next: usize,
}

impl<'a, 'py> Values<'a, 'py> {
    pub(super) fn of(parameters: &'a Parameters<'a, 'py>) -> Self {
        Self { parameters, next: 0 }
    }

    /// The value for a place.
    pub(super) fn at(&mut self, place: Piece<'_>) -> PyResult<Bound<'py, PyAny>> {
        match (place, self.parameters) {
            (Piece::Named(name), Parameters::Mapping(values)) => {
                let py = values.py();
                let is_missing = |error: &PyErr| error.is_instance_of::<PyKeyError>(py);
                match item(values, PyString::new(py, name).as_any()) {
                    // As with MySQLdb, the names may be bytes.
                    Err(error) if is_missing(&error) => {
                        item(values, PyBytes::new(py, name.as_bytes()).as_any())
                    }
                    named => named,
                }
                .map_err(|error| match is_missing(&error) {
                    true => usage(format!("no parameter is named {name:?}")),
                    false => error,
                })
            }
            (Piece::Named(_), _) => {
                Err(usage("the statement has `%(name)s`, so its parameters must be a mapping"))
            }
            (_, Parameters::Sequence(values)) => {
                self.next += 1;
                values.get(self.next - 1).cloned().ok_or_else(|| {
                    let given = values.len();
                    let text = "the statement has more `%s` than the";
                    usage(format!("{text} {given} parameters given"))
                })
            }
            _ => Err(usage("the statement has `%s`, so its parameters must be a sequence")),
        }
    }

    /// Past the last place: nothing may be left over.
    pub(super) fn end(self) -> PyResult<()> {
        match self.parameters {
            Parameters::Sequence(values) if self.next < values.len() => {
                let (given, used) = (values.len(), self.next);
                Err(usage(format!("{given} parameters were given, the statement has {used} `%s`")))
            }
            _ => Ok(()),
        }
    }
}
