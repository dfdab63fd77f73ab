//! Python values as SQL literals.

use std::borrow::Cow;

use pyo3::prelude::*;
use pyo3::types::{
    PyBool, PyByteArray, PyBytes, PyDate, PyDateAccess, PyDateTime, PyDelta, PyDeltaAccess,
    PyFloat, PyFrozenSet, PyInt, PyList, PyMemoryView, PySet, PyString, PyTime, PyTimeAccess,
    PyTuple,
};

use super::errors::usage;
use super::imports::{decimal, uuid};
use crate::session::Charset;

/// How literals must be written on a connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Writer {
    pub(super) charset: Charset,
    /// Under NO_BACKSLASH_ESCAPES a backslash means itself.
    pub(super) no_backslash_escapes: bool,
}

impl Writer {
    /// Append `value` as a literal.
    pub(super) fn literal(&self, value: &Bound<'_, PyAny>, out: &mut Vec<u8>) -> PyResult<()> {
        if value.is_none() {
            out.extend_from_slice(b"NULL");
        } else if let Ok(text) = value.cast::<PyString>() {
            self.quoted(&self.encoded(text)?, out);
        } else if let Ok(value) = value.cast::<PyBool>() {
            out.push(if value.is_true() { b'1' } else { b'0' });
        } else if let Ok(value) = value.cast::<PyInt>() {
            int(value, out)?;
        } else if let Ok(value) = value.cast::<PyFloat>() {
            float(value.value(), out)?;
        } else if let Ok(value) = value.cast::<PyBytes>() {
            self.binary(value.as_bytes(), out);
        } else if self.moment(value, out)? {
        } else if value.is_instance(decimal(value.py())?)? {
            fixed_point(value, out)?;
        } else {
            return self.rarer(value, out);
        }
        Ok(())
    }

    fn rarer(&self, value: &Bound<'_, PyAny>, out: &mut Vec<u8>) -> PyResult<()> {
        if let Ok(value) = value.cast::<PyByteArray>() {
            self.binary(&value.to_vec(), out);
            return Ok(());
        }
        if value.is_instance_of::<PyMemoryView>() {
            self.binary(&value.call_method0("tobytes")?.extract::<Vec<u8>>()?, out);
            return Ok(());
        }
        if value.is_instance(uuid(value.py())?)? {
            self.quoted(value.str()?.to_str()?.as_bytes(), out);
            return Ok(());
        }
        let is_group = value.is_instance_of::<PyList>()
            || value.is_instance_of::<PyTuple>()
            || value.is_instance_of::<PySet>()
            || value.is_instance_of::<PyFrozenSet>();
        if is_group {
            return self.group(value, out);
        }
        let kind = value.get_type().qualname()?;
        Err(usage(format!(
            "a {kind} cannot be a parameter; convert it to str, bytes, a number, a date, a UUID or a list \
             of these"
        )))
    }

    /// For `IN %s`.
    fn group(&self, values: &Bound<'_, PyAny>, out: &mut Vec<u8>) -> PyResult<()> {
        if values.len()? == 0 {
            return Err(usage("an empty list cannot be a parameter: SQL has no `IN ()`"));
        }
        for (index, value) in values.try_iter()?.enumerate() {
            out.push(if index == 0 { b'(' } else { b',' });
            self.literal(&value?, out)?;
        }
        out.push(b')');
        Ok(())
    }

    /// Text as the connection's bytes.
    fn encoded<'a>(&self, text: &'a Bound<'_, PyString>) -> PyResult<Cow<'a, [u8]>> {
        match self.charset.encode(text.to_str()?) {
            Some(bytes) => Ok(bytes),
            // For Python's own UnicodeEncodeError.
            None => {
                let encoded = text.call_method1("encode", (self.charset.codec(),))?;
                encoded.extract().map(Cow::Owned)
            }
        }
    }

    /// Bytes, marked as such unless the statement itself does: Django writes `_binary %s`.
    fn binary(&self, bytes: &[u8], out: &mut Vec<u8>) {
        if !ends_with_introducer(out) {
            out.extend_from_slice(b"_binary");
        }
        self.quoted(bytes, out);
    }

    /// Append in quotes.
    pub(super) fn quoted(&self, bytes: &[u8], out: &mut Vec<u8>) {
        out.reserve(bytes.len() + 2);
        out.push(b'\'');
        self.escaped(bytes, out);
        out.push(b'\'');
    }

    /// Append so that it can stand between single quotes. In the character sets that a connection
    /// can have, these bytes are never part of another character.
    pub(super) fn escaped(&self, bytes: &[u8], out: &mut Vec<u8>) {
        let mut rest = bytes;
        let special = |byte: &u8| match byte {
            b'\'' => true,
            0 | b'\n' | b'\r' | b'\\' | b'"' | 0x1a => !self.no_backslash_escapes,
            _ => false,
        };
        while let Some(at) = rest.iter().position(special) {
            out.extend_from_slice(&rest[..at]);
            match rest[at] {
                b'\'' if self.no_backslash_escapes => out.extend_from_slice(b"''"),
                0 => out.extend_from_slice(b"\\0"),
                b'\n' => out.extend_from_slice(b"\\n"),
                b'\r' => out.extend_from_slice(b"\\r"),
                0x1a => out.extend_from_slice(b"\\Z"),
                byte => out.extend_from_slice(&[b'\\', byte]),
            }
            rest = &rest[at + 1..];
        }
        out.extend_from_slice(rest);
    }

    /// A date or time; false when it is something else. MySQL's literals carry no time zone, so
    /// one is left out, as by MySQLdb.
    fn moment(&self, value: &Bound<'_, PyAny>, out: &mut Vec<u8>) -> PyResult<bool> {
        let text = if let Ok(value) = value.cast::<PyDateTime>() {
            format!("'{} {}'", day(value), clock(value))
        } else if let Ok(value) = value.cast::<PyDate>() {
            format!("'{}'", day(value))
        } else if let Ok(value) = value.cast::<PyDelta>() {
            span(value)
        } else if let Ok(value) = value.cast::<PyTime>() {
            format!("'{}'", clock(value))
        } else {
            return Ok(false);
        };
        out.extend_from_slice(text.as_bytes());
        Ok(true)
    }
}

/// Whether the last word is `_binary`, `_utf8mb4` or the like.
fn ends_with_introducer(sql: &[u8]) -> bool {
    let sql = sql.trim_ascii_end();
    let is_of_word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let start = sql.iter().rposition(|byte| !is_of_word(byte)).map_or(0, |before| before + 1);
    sql[start..].starts_with(b"_")
}

fn int(value: &Bound<'_, PyInt>, out: &mut Vec<u8>) -> PyResult<()> {
    match value.extract::<i64>() {
        Ok(number) => out.extend_from_slice(number.to_string().as_bytes()),
        Err(_) => {
            // Not `str(value)`: a subclass, such as an Enum, may print otherwise.
            let repr = value.py().get_type::<PyInt>().call_method1("__repr__", (value,))?;
            out.extend_from_slice(repr.extract::<String>()?.as_bytes());
        }
    }
    Ok(())
}

fn float(number: f64, out: &mut Vec<u8>) -> PyResult<()> {
    if !number.is_finite() {
        return Err(usage(format!("{number} cannot be a parameter: MySQL has no such number")));
    }
    let text = format!("{number:?}");
    out.extend_from_slice(text.as_bytes());
    // Without an exponent the server would read an exact DECIMAL.
    if !text.contains('e') {
        out.extend_from_slice(b"e0");
    }
    Ok(())
}

fn fixed_point(value: &Bound<'_, PyAny>, out: &mut Vec<u8>) -> PyResult<()> {
    if !value.call_method0("is_finite")?.is_truthy()? {
        return Err(usage(format!("{value} cannot be a parameter: MySQL has no such number")));
    }
    // Digits without an exponent, or the server would read a DOUBLE.
    let text: String = value.call_method1("__format__", ("f",))?.extract()?;
    out.extend_from_slice(text.as_bytes());
    Ok(())
}

fn day(value: &impl PyDateAccess) -> String {
    format!("{:04}-{:02}-{:02}", value.get_year(), value.get_month(), value.get_day())
}

fn clock(value: &impl PyTimeAccess) -> String {
    let (hour, minute, second) = (value.get_hour(), value.get_minute(), value.get_second());
    match value.get_microsecond() {
        0 => format!("{hour:02}:{minute:02}:{second:02}"),
        micro => format!("{hour:02}:{minute:02}:{second:02}.{micro:06}"),
    }
}

fn span(value: &Bound<'_, PyDelta>) -> String {
    let whole = i64::from(value.get_days()) * 86_400 + i64::from(value.get_seconds());
    let micros = whole * 1_000_000 + i64::from(value.get_microseconds());
    let (sign, micros) = if micros < 0 { ("-", -micros) } else { ("", micros) };
    let (seconds, micros) = (micros / 1_000_000, micros % 1_000_000);
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match micros {
        0 => format!("'{sign}{hours:02}:{minutes:02}:{seconds:02}'"),
        _ => format!("'{sign}{hours:02}:{minutes:02}:{seconds:02}.{micros:06}'"),
    }
}

/// A statement as bytes: text is encoded, bytes stay as they are.
pub(super) fn statement(writer: &Writer, sql: &Bound<'_, PyAny>) -> PyResult<Vec<u8>> {
    if let Ok(text) = sql.cast::<PyString>() {
        return writer.encoded(text).map(Cow::into_owned);
    }
    match sql.extract::<Vec<u8>>() {
        Ok(bytes) if !sql.is_instance_of::<PyList>() => Ok(bytes),
        _ => Err(usage("a statement must be str or bytes")),
    }
}
