//! Numbers as SQL has them.

use pyo3::prelude::*;
use pyo3::types::PyInt;

use super::super::errors::usage;
use super::super::imports::decimal;
use super::Said;

/// The digits that a DECIMAL can have. Of more before the point the server makes all nines, and
/// says no more of it than a warning.
const MOST_DIGITS: usize = 65;
/// More bits than so many digits have.
const TOO_MANY_BITS: u64 = 217;
/// Less than this power of ten is nothing to the server: it reads no more digits than 81.
const NOTHING: i64 = -81;

/// A whole number.
pub(super) fn int(value: &Bound<'_, PyInt>) -> PyResult<Said<'static>> {
    if let Ok(number) = value.extract() {
        return Ok(Said::Int(number));
    }
    // Not the value's own methods: a subclass, such as an Enum, may print otherwise.
    let class = value.py().get_type::<PyInt>();
    let bits: u64 = class.call_method1("bit_length", (value,))?.extract()?;
    if bits < TOO_MANY_BITS {
        let digits: String = class.call_method1("__repr__", (value,))?.extract()?;
        if digits.trim_start_matches('-').len() <= MOST_DIGITS {
            return Ok(Said::Digits(digits));
        }
    }
    Err(too_large(&format!("an int of {bits} bits")))
}

/// A DOUBLE.
pub(super) fn double(number: f64) -> PyResult<Said<'static>> {
    match number.is_finite() {
        true => Ok(Said::Float(number)),
        false => Err(no_such(&number.to_string())),
    }
}

/// Append the literal of a DOUBLE.
pub(super) fn write_double(number: f64, out: &mut Vec<u8>) {
    let text = format!("{number:?}");
    out.extend_from_slice(text.as_bytes());
    // Without an exponent the server would read an exact DECIMAL.
    if !text.contains('e') {
        out.extend_from_slice(b"e0");
    }
}

/// A Decimal, without an exponent. These are Decimal's own methods, for a subclass may answer
/// anything, and nothing here stands in quotes.
pub(super) fn fixed_point(value: &Bound<'_, PyAny>) -> PyResult<Said<'static>> {
    let class = decimal(value.py())?;
    if !class.call_method1("is_finite", (value,))?.is_truthy()? {
        let text: String = class.call_method1("__str__", (value,))?.extract()?;
        return Err(no_such(&text));
    }
    // Asked first: the digits of 1E+999999999 would fill the memory.
    let highest: i64 = class.call_method1("adjusted", (value,))?.extract()?;
    let is_zero = !class.call_method1("__bool__", (value,))?.is_truthy()?;
    if highest < NOTHING && !is_zero {
        return Ok(Said::Digits("0.0".into()));
    }
    if is_zero && highest.unsigned_abs() > MOST_DIGITS as u64 {
        return Ok(Said::Digits("0".into()));
    }
    if !is_zero && highest >= MOST_DIGITS as i64 {
        return Err(too_large("a Decimal"));
    }
    let text: String = class.call_method1("__format__", (value, "f"))?.extract()?;
    Ok(Said::Digits(text))
}

fn no_such(number: &str) -> PyErr {
    usage(format!("{number} cannot be a parameter: MySQL has no such number"))
}

fn too_large(what: &str) -> PyErr {
    usage(format!(
        "{what} cannot be a parameter: MySQL's DECIMAL has {MOST_DIGITS} digits before the point; \
         convert it to float or str"
    ))
}
