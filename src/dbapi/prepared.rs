//! Statements that the server prepares: `?` in their text, and values that travel beside it.

use pyo3::prelude::*;

use super::errors::usage;
use super::from_python::{Said, Writer};
use super::interpolate::{Parameters, Values};
use crate::session::{Bindings, Marked};

/// A statement as it is sent, and its values.
pub(super) fn prepare<'py>(
    writer: &Writer<'py>,
    template: &[u8],
    parameters: &Parameters<'_, 'py>,
) -> PyResult<(Vec<u8>, Bindings)> {
    let any = !matches!(parameters, Parameters::Absent);
    let Marked { sql, places } =
        Marked::of(template, !writer.no_backslash_escapes, any).map_err(usage)?;
    let mut bindings = Bindings::default();
    let mut values = Values::of(parameters);
    for place in places {
        bind(writer, &values.at(place)?, &mut bindings)?;
    }
    values.end()?;
    Ok((sql, bindings))
}

/// Add `value` with the type that its literal has.
fn bind<'py>(
    writer: &Writer<'py>,
    value: &Bound<'py, PyAny>,
    bindings: &mut Bindings,
) -> PyResult<()> {
    match writer.said(value)? {
        Said::Null => bindings.null(),
        Said::Int(number) => bindings.signed(number),
        Said::Digits(digits) => exact(&digits, bindings),
        Said::Float(number) => bindings.double(number),
        Said::Text(text) => bindings.text(&text),
        Said::Bytes(bytes) => bindings.bytes(&bytes),
        Said::Literal(_) => {
            let kind = value.get_type().qualname()?;
            return Err(usage(format!(
                "a {kind} cannot be a parameter of a prepared statement: what its encoder in conv \
                 answers is SQL, not a value"
            )));
        }
        Said::Group => {
            let kind = value.get_type().qualname()?;
            return Err(usage(format!(
                "a {kind} cannot be a parameter of a prepared statement: write a `%s` for each value"
            )));
        }
    }
    Ok(())
}

/// Digits without a point are a whole number to the server, a Decimal's too, while they fit one.
fn exact(digits: &str, bindings: &mut Bindings) {
    match (digits.parse(), digits.parse()) {
        (Ok(number), _) => bindings.signed(number),
        (_, Ok(number)) => bindings.unsigned(number),
        _ => bindings.decimal(digits),
    }
}
