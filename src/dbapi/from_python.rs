//! Python values as what SQL has for them, and as literals.

use std::borrow::Cow;

use pyo3::prelude::*;
use pyo3::types::{
    PyBool, PyByteArray, PyBytes, PyDate, PyDateAccess, PyDateTime, PyDelta, PyDeltaAccess,
    PyFloat, PyFrozenSet, PyInt, PyList, PyMemoryView, PySet, PyString, PyTime, PyTimeAccess,
    PyTuple,
};

use super::conversions::Encoders;
use super::errors::usage;
use super::imports::{decimal, uuid};
use crate::session::Charset;

/// How literals must be written on a connection.
pub(super) struct Writer<'py> {
    pub(super) charset: Charset,
    /// Under NO_BACKSLASH_ESCAPES a backslash means itself.
    pub(super) no_backslash_escapes: bool,
    /// Whether bytes are marked as such.
    pub(super) binary_prefix: bool,
    /// The program's own, if it has any.
    pub(super) encoders: Option<Encoders<'py>>,
}

/// A Python value as what SQL has for it.
pub(super) enum Said<'a> {
    Null,
    Int(i64),
    /// A number that is exact, without an exponent: with one the server would read a DOUBLE.
    Digits(String),
    Float(f64),
    /// In the connection's character set.
    Text(Cow<'a, [u8]>),
    Bytes(Cow<'a, [u8]>),
    /// For `IN %s`.
    Group,
    /// What the program's own encoder has made of it.
    Literal(Vec<u8>),
}

impl<'py> Writer<'py> {
    /// Append `value` as a literal.
    pub(super) fn literal(&self, value: &Bound<'py, PyAny>, out: &mut Vec<u8>) -> PyResult<()> {
        match self.said(value)? {
            Said::Null => out.extend_from_slice(b"NULL"),
            Said::Int(number) => out.extend_from_slice(number.to_string().as_bytes()),
            Said::Float(number) => float(number, out),
            Said::Digits(digits) => out.extend_from_slice(digits.as_bytes()),
            Said::Text(text) => self.quoted(&text, out),
            Said::Bytes(bytes) => self.binary(&bytes, out),
            Said::Group => return self.group(value, out),
            Said::Literal(literal) => out.extend_from_slice(&literal),
        }
        Ok(())
    }

    /// What a value is to SQL.
    pub(super) fn said<'a>(&self, value: &'a Bound<'py, PyAny>) -> PyResult<Said<'a>> {
        let Some(encoders) = &self.encoders else { return self.native(value) };
        let encoder = match encoders.exact(value)? {
            Some(encoder) => encoder,
            None => match self.native(value) {
                Ok(said) => return Ok(said),
                Err(refused) => encoders.inherited(value)?.ok_or(refused)?,
            },
        };
        let literal = encoders.encode(&encoder, value)?;
        statement(self, &literal).map(Said::Literal)
    }

    fn native<'a>(&self, value: &'a Bound<'py, PyAny>) -> PyResult<Said<'a>> {
        Ok(if value.is_none() {
            Said::Null
        } else if let Ok(text) = value.cast::<PyString>() {
            Said::Text(self.encoded(text)?)
        } else if let Ok(value) = value.cast::<PyBool>() {
            Said::Int(value.is_true().into())
        } else if let Ok(value) = value.cast::<PyInt>() {
            int(value)?
        } else if let Ok(value) = value.cast::<PyFloat>() {
            Said::Float(finite(value.value())?)
        } else if let Ok(value) = value.cast::<PyBytes>() {
            Said::Bytes(Cow::Borrowed(value.as_bytes()))
        } else if let Some(text) = moment(value) {
            Said::Text(Cow::Owned(text.into_bytes()))
        } else if value.is_instance(decimal(value.py())?)? {
            Said::Digits(fixed_point(value)?)
        } else {
            rarer(value)?
        })
    }

    /// For `IN %s`.
    fn group(&self, values: &Bound<'py, PyAny>, out: &mut Vec<u8>) -> PyResult<()> {
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
        if self.binary_prefix && !ends_with_introducer(out) {
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
}

fn rarer<'a>(value: &'a Bound<'_, PyAny>) -> PyResult<Said<'a>> {
    if let Ok(value) = value.cast::<PyByteArray>() {
        return Ok(Said::Bytes(Cow::Owned(value.to_vec())));
    }
    if value.is_instance_of::<PyMemoryView>() {
        return Ok(Said::Bytes(Cow::Owned(value.call_method0("tobytes")?.extract()?)));
    }
    if value.is_instance(uuid(value.py())?)? {
        return Ok(Said::Text(Cow::Owned(value.str()?.to_str()?.as_bytes().to_vec())));
    }
    let is_group = value.is_instance_of::<PyList>()
        || value.is_instance_of::<PyTuple>()
        || value.is_instance_of::<PySet>()
        || value.is_instance_of::<PyFrozenSet>();
    if is_group {
        return Ok(Said::Group);
    }
    let kind = value.get_type().qualname()?;
    Err(usage(format!(
        "a {kind} cannot be a parameter; convert it to str, bytes, a number, a date, a UUID or a list \
         of these"
    )))
}

/// A date or time as text. MySQL's literals carry no time zone, so one is left out, as by MySQLdb.
fn moment(value: &Bound<'_, PyAny>) -> Option<String> {
    if let Ok(value) = value.cast::<PyDateTime>() {
        Some(format!("{} {}", day(value), clock(value)))
    } else if let Ok(value) = value.cast::<PyDate>() {
        Some(day(value))
    } else if let Ok(value) = value.cast::<PyDelta>() {
        Some(span(value))
    } else {
        value.cast::<PyTime>().ok().map(clock)
    }
}

/// Whether the last word is `_binary`, `_utf8mb4` or the like.
fn ends_with_introducer(sql: &[u8]) -> bool {
    let sql = sql.trim_ascii_end();
    let is_of_word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let start = sql.iter().rposition(|byte| !is_of_word(byte)).map_or(0, |before| before + 1);
    sql[start..].starts_with(b"_")
}

fn int(value: &Bound<'_, PyInt>) -> PyResult<Said<'static>> {
    if let Ok(number) = value.extract() {
        return Ok(Said::Int(number));
    }
    // Not `str(value)`: a subclass, such as an Enum, may print otherwise.
    let repr = value.py().get_type::<PyInt>().call_method1("__repr__", (value,))?;
    repr.extract().map(Said::Digits)
}

fn finite(number: f64) -> PyResult<f64> {
    match number.is_finite() {
        true => Ok(number),
        false => Err(usage(format!("{number} cannot be a parameter: MySQL has no such number"))),
    }
}

fn float(number: f64, out: &mut Vec<u8>) {
    let text = format!("{number:?}");
    out.extend_from_slice(text.as_bytes());
    // Without an exponent the server would read an exact DECIMAL.
    if !text.contains('e') {
        out.extend_from_slice(b"e0");
    }
}

fn fixed_point(value: &Bound<'_, PyAny>) -> PyResult<String> {
    if !value.call_method0("is_finite")?.is_truthy()? {
        return Err(usage(format!("{value} cannot be a parameter: MySQL has no such number")));
    }
    value.call_method1("__format__", ("f",))?.extract()
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
        0 => format!("{sign}{hours:02}:{minutes:02}:{seconds:02}"),
        _ => format!("{sign}{hours:02}:{minutes:02}:{seconds:02}.{micros:06}"),
    }
}

/// A statement as bytes: text is encoded, bytes stay as they are.
pub(super) fn statement(writer: &Writer<'_>, sql: &Bound<'_, PyAny>) -> PyResult<Vec<u8>> {
    if let Ok(text) = sql.cast::<PyString>() {
        return writer.encoded(text).map(Cow::into_owned);
    }
    match sql.extract::<Vec<u8>>() {
        Ok(bytes) if !sql.is_instance_of::<PyList>() => Ok(bytes),
        _ => Err(usage("a statement must be str or bytes")),
    }
}
